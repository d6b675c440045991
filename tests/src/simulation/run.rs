//! Many seeds, side by side; the shortest story of one that fails.

use super::ground::Ground;
use super::log;
use super::story::{Step, story_of};
use super::world::World;
use anyhow::{Context, Result, anyhow};
use lamplight_domain::chain::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// So long a failing story is made shorter.
const SHORTEN_FOR: Duration = Duration::from_secs(60);

/// A history in which something that must be true was not.
#[derive(Debug)]
pub struct Failure {
    pub seed: u64,
    pub why: String,
    /// As short as it still fails.
    pub story: Vec<Step>,
}

/// What many histories came to.
#[derive(Debug, Default)]
pub struct Found {
    pub histories: u64,
    pub steps: u64,
    pub failures: Vec<Failure>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "seed {}: {}", self.seed, self.why)?;
        self.story.iter().enumerate().try_for_each(|(n, step)| writeln!(f, "  {:>2} {step:?}", n + 1))
    }
}

/// How many histories, and for how long.
pub struct Playing {
    pub first_seed: u64,
    pub count: u64,
    pub threads: usize,
    /// Ends after so many failures.
    pub enough: usize,
    pub until: Option<Instant>,
}

/// Plays the stories of the seeds. Errors: where no history can be played at all.
pub fn histories(playing: &Playing) -> Result<Found> {
    let Playing { first_seed, count, threads, enough, until } = *playing;
    log::watch();
    let ground = runtime()?.block_on(Ground::make()).context("the ground of the histories cannot be made")?;
    let (next, steps, done) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let (failures, stop) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    std::thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    let runtime = runtime()?;
                    while !stop.load(Ordering::Relaxed) && until.is_none_or(|end| Instant::now() < end) {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= count {
                            break;
                        }
                        let seed = first_seed.wrapping_add(n);
                        let story = story_of(seed);
                        steps.fetch_add(story.len() as u64, Ordering::Relaxed);
                        if let Err(why) = played(&runtime, &ground, seed, &story) {
                            let failure = shortened(&runtime, &ground, seed, &why);
                            let mut failures = failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                            failures.push(failure);
                            stop.fetch_or(failures.len() >= enough, Ordering::Relaxed);
                        }
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a worker panicked"))?)
    })?;
    let mut failures = failures.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(line) = log::named() {
        failures.push(Failure { seed: first_seed, why: format!("I8: a log names a patient: {line}"), story: vec![] });
    }
    Ok(Found { histories: done.into_inner(), steps: steps.into_inner(), failures })
}

/// Plays a seed's story twice: what every file held in the end, by its hash, each time.
pub fn twice(seed: u64) -> Result<[Hash; 2]> {
    let runtime = runtime()?;
    let ground = runtime.block_on(Ground::make())?;
    let story = story_of(seed);
    Ok([played(&runtime, &ground, seed, &story)?, played(&runtime, &ground, seed, &story)?])
}

/// Plays one story with a seed's dice. Errors: what was not true.
pub fn story(seed: u64, story: &[Step]) -> Result<()> {
    let runtime = runtime()?;
    let ground = runtime.block_on(Ground::make())?;
    played(&runtime, &ground, seed, story).map(|_| ())
}

fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_time().max_blocking_threads(4).build()?)
}

/// A panic in either program is a failure like any other.
fn played(runtime: &Runtime, ground: &Ground, seed: u64, story: &[Step]) -> Result<Hash> {
    let play = || {
        runtime.block_on(async {
            let mut world = World::begin(ground, seed)?;
            for (n, step) in story.iter().enumerate() {
                world.play(*step).await.with_context(|| format!("at step {}", n + 1))?;
            }
            world.settle().await?;
            world.all_of_it()
        })
    };
    std::panic::catch_unwind(AssertUnwindSafe(play)).unwrap_or_else(|_| Err(anyhow!("a panic")))
}

/// Leaves steps out as long as it fails all the same: halves of the story first, then ever smaller parts (the ddmin of
/// Zeller and Hildebrandt, 2002).
fn shortened(runtime: &Runtime, ground: &Ground, seed: u64, why: &anyhow::Error) -> Failure {
    let mut shortest = Failure { seed, why: format!("{why:#}"), story: story_of(seed) };
    let begun = Instant::now();
    let mut parts = 2;
    while shortest.story.len() > 1 && begun.elapsed() < SHORTEN_FOR {
        let size = shortest.story.len().div_ceil(parts);
        let without = |n: usize| {
            let (from, to) = (n * size, ((n + 1) * size).min(shortest.story.len()));
            [&shortest.story[..from.min(to)], &shortest.story[to..]].concat()
        };
        // The end goes first: what comes after the failure has no part in it.
        let shorter = (0..shortest.story.len().div_ceil(size)).rev().map(without).find_map(|story| {
            let why = played(runtime, ground, seed, &story).err()?;
            Some(Failure { seed, why: format!("{why:#}"), story })
        });
        match shorter {
            Some(failure) => {
                shortest = failure;
                parts = parts.saturating_sub(1).max(2);
            }
            None if size == 1 => break,
            None => parts = (parts * 2).min(shortest.story.len()),
        }
    }
    shortest
}
