//! The network is back for a hundred tablets at the same moment, and none of them waits: until the last one's entries
//! are confirmed. Beside it the same bodies over as many connections, with one writer.

use crate::bare::Bare;
use crate::footprint::Peaks;
use crate::table::{Measure, middle};
use crate::{forty, rows};
use anyhow::{Context, Result};
use lamplight_tablet::Tablet;
use lamplight_tests::facility::Facility;
use lamplight_tests::sim::tablet::{Walk, join, open};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const TURNS: usize = 3;
const GOAL_TIMES: f64 = 2.0;
/// Records of the ward before it: what a hundred tablets read when they join is not measured.
const BEHIND: usize = 400;
const PATIENCE: Duration = Duration::from_secs(120);

pub async fn measure(tablets: usize, entries: usize, peaks: &mut Peaks) -> Result<Vec<Measure>> {
    let (mut ours, mut bares, mut errors) = (Vec::new(), Vec::new(), 0);
    for _ in 0..TURNS {
        let facility = crate::forty_patients(BEHIND).await?;
        let joined = joined(&facility, tablets, entries).await?;
        let authors: Vec<String> = joined.iter().filter_map(|t| Some(t.sync_state().author?.to_string())).collect();
        let (took, failed) = all_at_once(joined).await?;
        ours.push(took);
        errors += failed;
        peaks.server("the storm", &facility);
        bares.push(bare(&facility, &authors, entries).await?);
    }
    let (ours, bare) = (middle(&mut ours), middle(&mut bares));
    Ok(vec![
        Measure::new("storm, last tablet confirmed", ours, "ms")
            .beside(bare, "the same bodies over as many TLS connections, one writer, a commit each")
            .within(GOAL_TIMES)
            .note(format!("{tablets} tablets with {entries} entries each, middle of {TURNS} turns")),
        Measure::new("storm, errors", errors as f64, "").goal(0.0).note(format!("in {TURNS} turns")),
    ])
}

/// All have joined before any of them records: what they read then is the ward as it was.
async fn joined(facility: &Facility, tablets: usize, entries: usize) -> Result<Vec<Tablet>> {
    let invite = facility.invite(&facility.url(), tablets as u32)?;
    let dir = |n: usize| facility.folder().join(format!("storm-{n}"));
    for n in 0..tablets {
        join(&open(&dir(n))?, &invite, "").await?;
    }
    let mut joined = Vec::new();
    for n in 0..tablets {
        // As after a night without a network: its program was started again, its connection is cold.
        let tablet = open(&dir(n))?;
        let walk = Walk::of(&tablet).await?;
        for k in 0..entries {
            walk.check(&tablet, n + k)?;
        }
        joined.push(tablet);
    }
    Ok(joined)
}

/// Milliseconds until the last one's entries were confirmed, and how many contacts failed on the way.
async fn all_at_once(tablets: Vec<Tablet>) -> Result<(f64, u64)> {
    let (start, failed) = (Arc::new(Barrier::new(tablets.len() + 1)), Arc::new(AtomicU64::new(0)));
    let (mut waiting, mut syncing) = (JoinSet::new(), JoinSet::new());
    for tablet in tablets {
        let (start, failed, seen) = (start.clone(), failed.clone(), tablet.clone());
        waiting.spawn(async move {
            let mut changes = seen.changes();
            while seen.sync_state().waiting > 0 {
                changes.changed().await?;
            }
            anyhow::Ok(Instant::now())
        });
        syncing.spawn(async move {
            start.wait().await;
            while let Err(trouble) = tablet.sync_now().await {
                eprintln!("storm: {trouble}");
                failed.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
    }
    start.wait().await;
    let begun = Instant::now();
    let mut last = begun;
    while let Some(done) = tokio::time::timeout(PATIENCE, waiting.join_next()).await.context("a tablet is stuck")? {
        last = last.max(done??);
    }
    // They go on reading what the others wrote: nobody waits for that here.
    syncing.shutdown().await;
    Ok(((last - begun).as_secs_f64() * 1000.0, failed.load(Ordering::SeqCst)))
}

async fn bare(facility: &Facility, authors: &[String], entries: usize) -> Result<f64> {
    let db = forty::open(&facility.data())?;
    let mut all = Vec::new();
    for author in authors {
        let mut rows = rows::of_author(&db, author)?;
        // What it measured of its clock is a record too.
        rows.retain(|row| row.kind == "check");
        rows.truncate(entries);
        anyhow::ensure!(rows.len() == entries, "the server holds {} of {entries}", rows.len());
        all.extend(rows);
    }
    let file = facility.folder().join("bare-storm.db");
    let bare = Arc::new(Bare::serve(&file, all, authors.len() as i64)?);
    let start = Arc::new(Barrier::new(authors.len() + 1));
    let mut sending = JoinSet::new();
    for n in 0..authors.len() {
        let blobs = bare.rows(n * entries..(n + 1) * entries);
        let (start, bare) = (start.clone(), bare.clone());
        sending.spawn(async move {
            start.wait().await;
            bare.client()?.send(&blobs, n * entries, n as i64 + 1, true).await
        });
    }
    start.wait().await;
    let begun = Instant::now();
    while let Some(done) = sending.join_next().await {
        done??;
    }
    let took = begun.elapsed().as_secs_f64() * 1000.0;
    anyhow::ensure!(bare.held()? == authors.len() * entries, "the bare server does not hold all");
    Ok(took)
}
