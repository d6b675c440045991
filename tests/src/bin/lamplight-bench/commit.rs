//! Tap to durable, against a bare rusqlite commit with the same durability on the same file system, in turns.

use crate::table::Measure;
use anyhow::Result;
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
    let bare = Bare::create(&facility.folder().join("bare.db"))?;
    let (mut ours, mut bares) = (Vec::new(), Vec::new());
    for n in 0..TURNS {
        ours.push(timed(|| walk.check(&tablet, n).map(|_| ()))?);
        bares.push(timed(|| bare.commit(n))?);
    }
    let is = "bare rusqlite commit of one row (SQLCipher, WAL, synchronous=FULL)";
    // How many times a bare commit it may take.
    Ok([(50, "p50", 2.5), (99, "p99", 4.0)]
        .map(|(p, name, times)| {
            let (ours, bare) = (percentile(&mut ours, p), percentile(&mut bares, p));
            Measure::new(&format!("tap to durable twice, {name}"), ours, "ms")
                .beside(bare, is)
                .goal(times * bare)
                .note(format!("{TURNS} each, in turns"))
        })
        .into())
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed())
}

/// One table, one row a commit, the same settings as the tablet's file.
pub struct Bare(Connection);

impl Bare {
    pub fn create(path: &Path) -> Result<Bare> {
        let db = Connection::open(path)?;
        db.execute_batch(
            "PRAGMA key = \"x'00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'\";
             PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE row (n INTEGER NOT NULL PRIMARY KEY, body BLOB NOT NULL) STRICT;",
        )?;
        Ok(Bare(db))
    }

    pub fn commit(&self, n: usize) -> Result<()> {
        // As long as the body of a check.
        let body = vec![b'x'; 620];
        self.0.prepare_cached("INSERT INTO row (n, body) VALUES (?1, ?2)")?.execute((n as i64, body))?;
        Ok(())
    }
}
