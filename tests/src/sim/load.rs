//! Many tablets at once: each joins, then records entries and sends them while it goes on recording.

use super::tablet::{Walk, join, open};
use anyhow::Result;
use lamplight_tablet::Tablet;
use serde::Serialize;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// What came of it. Times are from "saved on this tablet" to "confirmed by the server", entry by entry.
#[derive(Debug, Default, Serialize)]
pub struct Load {
    pub tablets: usize,
    pub entries: usize,
    /// From the first entry recorded to the last one confirmed; joining is not in it.
    pub seconds: f64,
    pub acknowledged: u64,
    pub errors: u64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Of the tablets' requests, as sent (compressed).
    pub bytes_sent: u64,
    pub requests: u64,
    /// The first error, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_error: Option<String>,
}

/// Failed contacts in a row after which a tablet gives up.
const TRIES: u32 = 10;

/// Joins `tablets` tablets, each with its file in a folder under `dir`, then lets all of them go at once.
pub async fn load(dir: &Path, invite: &str, tablets: usize, entries: usize) -> Result<Load> {
    let mut joined = Vec::new();
    for n in 0..tablets {
        let tablet = open(&dir.join(format!("tablet-{n}")))?;
        join(&tablet, invite, "").await?;
        let walk = Walk::of(&tablet).await?;
        joined.push((tablet, walk));
    }
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for (n, (tablet, walk)) in joined.into_iter().enumerate() {
        running.spawn(one(tablet, walk, n, entries));
    }
    let mut load = Load { tablets, entries, ..Load::default() };
    let mut times = Vec::new();
    for done in running.join_all().await {
        load.acknowledged += done.times.len() as u64;
        load.errors += done.errors;
        load.bytes_sent += done.bytes_sent;
        load.requests += done.requests;
        load.first_error = load.first_error.or(done.first_error);
        times.extend(done.times);
    }
    load.seconds = begun.elapsed().as_secs_f64();
    load.p50_ms = percentile(&mut times, 50);
    load.p99_ms = percentile(&mut times, 99);
    Ok(load)
}

#[derive(Default)]
struct Done {
    times: Vec<Duration>,
    errors: u64,
    bytes_sent: u64,
    requests: u64,
    first_error: Option<String>,
}

async fn one(tablet: Tablet, walk: Walk, first: usize, entries: usize) -> Done {
    let mut done = Done::default();
    let before = tablet.sync_state().head;
    // When entry n was saved; the recording thread adds, the sending one reads.
    let saved: std::sync::Arc<Mutex<Vec<Instant>>> = std::sync::Arc::default();
    let (recorder, saved_by) = (tablet.clone(), saved.clone());
    let recording = tokio::task::spawn_blocking(move || -> Result<()> {
        for n in 0..entries {
            walk.check(&recorder, first + n)?;
            saved_by.lock().expect("no thread panics with it").push(Instant::now());
        }
        Ok(())
    });
    let mut failed = 0;
    loop {
        // Asked before the contact: what is saved after this is the next turn's.
        let recorded_all = recording.is_finished();
        let result = tablet.sync_now().await;
        let now = Instant::now();
        match result {
            Ok(report) => {
                failed = 0;
                done.bytes_sent += report.bytes_sent;
                done.requests += report.requests;
            }
            Err(trouble) => {
                failed += 1;
                done.errors += 1;
                done.first_error.get_or_insert_with(|| trouble.to_string());
                if failed >= TRIES {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50) * failed).await;
            }
        }
        let confirmed = tablet.sync_state().confirmed.saturating_sub(before) as usize;
        let saved = saved.lock().expect("no thread panics with it");
        let known = done.times.len();
        done.times.extend(saved.iter().take(confirmed).skip(known).map(|at| now - *at));
        if done.times.len() == entries || (recorded_all && tablet.sync_state().waiting == 0) {
            break;
        }
    }
    if let Err(error) = recording.await.unwrap_or_else(|e| Err(e.into())) {
        done.errors += 1;
        done.first_error.get_or_insert_with(|| format!("{error:#}"));
    }
    done
}

/// In milliseconds; 0 where there is none. The nearest rank.
pub fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let rank = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(rank).map_or(0.0, |t| t.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut times: Vec<Duration> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut times, 50), 50.0);
        assert_eq!(percentile(&mut times, 99), 99.0);
        assert_eq!(percentile(&mut [], 99), 0.0);
        assert_eq!(percentile(&mut [Duration::from_millis(3)], 99), 3.0);
    }
}
