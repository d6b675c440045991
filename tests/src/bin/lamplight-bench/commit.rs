//! Tap to durable twice, against one bare commit into the same tables with the same durability on the same file system,
//! and what the cipher adds to that commit, in turns.

use crate::rows::{self, Row};
use crate::table::Measure;
use anyhow::Result;
use lamplight_domain::chain::body_hash;
use lamplight_tests::facility::Facility;
use lamplight_tests::sim::load::percentile;
use lamplight_tests::sim::tablet::{Walk, join, open};
use rusqlite::Connection;
use std::path::Path;
use std::time::{Duration, Instant};

const TURNS: usize = 2_000;

pub async fn measure(facility: &Facility) -> Result<Vec<Measure>> {
    let tablet = open(&facility.folder().join("commit"))?;
    join(&tablet, &facility.invite(&facility.url(), 1)?, "").await?;
    let walk = Walk::of(&tablet).await?;
    let mut bare = Bare::create(&facility.folder().join("bare.db"))?;
    let mut plain = Bare(rows::plain_tablet_file(&facility.folder().join("plain.db"))?);
    let (mut ours, mut bares, mut plains) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..TURNS {
        ours.push(timed(|| walk.check(&tablet, n).map(|_| ()))?);
        bares.push(timed(|| bare.commit(n))?);
        plains.push(timed(|| plain.commit(n))?);
    }
    let cipher = Measure::new("SQLCipher on a commit, p50", percentile(&mut bares, 50), "ms")
        .beside(percentile(&mut plains, 50), "the same commit into plain SQLite: same tables, WAL, synchronous=FULL")
        .within(2.0)
        .note(format!("{TURNS} each, in turns"));
    let is = "one bare commit of body and link: same tables, SQLCipher, WAL, synchronous=FULL";
    // How many times a bare commit it may take.
    let taps = [(50, "p50", 2.5), (99, "p99", 4.0)].map(|(p, name, times)| {
        let (ours, bare) = (percentile(&mut ours, p), percentile(&mut bares, p));
        Measure::new(&format!("tap to durable twice, {name}"), ours, "ms")
            .beside(bare, is)
            .within(times)
            .note(format!("{TURNS} each, in turns"))
    });
    Ok(taps.into_iter().chain([cipher]).collect())
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed())
}

/// A file with the tables, indexes and settings of the tablet's own, one entry a commit.
pub struct Bare(Connection);

impl Bare {
    pub fn create(path: &Path) -> Result<Bare> {
        Ok(Bare(rows::tablet_file(path)?))
    }

    pub fn commit(&mut self, n: usize) -> Result<()> {
        let scattered = |what: &str| body_hash(format!("{what} {n}").as_bytes()).0;
        let row = Row {
            n: n as i64,
            author: [7; 16],
            seq: n as i64 + 1,
            hash: scattered("body"),
            prev: scattered("prev"),
            link_hash: scattered("link"),
            feed_hash: [0; 32],
            // In order, as a UUIDv7.
            id: (n as u128).to_be_bytes(),
            kind: "check".to_owned(),
            stay: Some([n as u8 % 22; 16]),
            observed_at: n as i64,
            recorded_at: n as i64,
            received_at: n as i64,
            // As long as the body of a check.
            bytes: vec![b'x'; 620],
        };
        let tx = self.0.transaction()?;
        rows::own_into_tablet_file(&tx, &row)?;
        Ok(tx.commit()?)
    }
}
