//! Looks for a history that loses, doubles or invents an entry, or says what is not so.

use anyhow::{Result, ensure};
use clap::{Parser, Subcommand};
use lamplight_tests::simulation::{self, Playing};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Plays random histories of tablets, a server, their network, clocks and files, each from a seed.
    Histories {
        /// The first seed; by the clock where none is given, and printed.
        #[arg(long)]
        seed: Option<u64>,
        #[arg(long, default_value_t = 20_000)]
        count: u64,
        /// Two are played at once where the machine has two cores.
        #[arg(long)]
        threads: Option<usize>,
        /// Ends after so many failures.
        #[arg(long, default_value_t = 3)]
        enough: usize,
        /// Ends after so many seconds, whatever is left.
        #[arg(long)]
        seconds: Option<u64>,
        /// Prints the seed's story before it is played.
        #[arg(long)]
        tell: bool,
    },
}

fn main() -> Result<()> {
    let What::Histories { seed, count, threads, enough, seconds, tell } = Arguments::parse().what;
    let by_the_clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64);
    let seed = seed.unwrap_or_else(by_the_clock);
    let threads = threads.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    println!("{count} histories from seed {seed} on {threads} threads (again: histories --seed {seed})");
    if tell {
        for step in simulation::story_of(seed) {
            println!("  {step:?}");
        }
    }
    let begun = Instant::now();
    let until = seconds.map(|s| begun + Duration::from_secs(s));
    let found = simulation::histories(&Playing { first_seed: seed, count, threads, enough, until })?;
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    let rate = found.histories as f64 / minutes;
    println!("{} histories of {} steps in {minutes:.1} min, {rate:.0} a minute", found.histories, found.steps);
    for failure in &found.failures {
        println!("{failure}");
    }
    ensure!(found.failures.is_empty(), "{} histories failed", found.failures.len());
    Ok(())
}
