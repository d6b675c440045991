//! Ways to keep a second copy of what waits, each beside one bare commit: what decision 13 was chosen from.

use crate::commit::Bare;
use crate::table::{Measure, ms};
use anyhow::Result;
use lamplight_tests::facility::Facility;
use lamplight_tests::sim::load::percentile;
use rusqlite::Connection;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

const TURNS: usize = 300;
/// A sealed frame of a check.
const FRAME: usize = 768;

pub fn measure(facility: &Facility) -> Result<Vec<Measure>> {
    let folder = facility.folder();
    let mut bare = Bare::create(&folder.join("copies-bare.db"))?;
    let mut first = Bare::create(&folder.join("copies-first.db"))?;
    let rollback = second_sqlite(&folder.join("copies-delete.db"), "DELETE", "EXTRA")?;
    let persist = second_sqlite(&folder.join("copies-persist.db"), "PERSIST", "FULL")?;
    let frames = zeros(&folder.join("copies-frames"))?;
    let mut times: [Vec<Duration>; 5] = Default::default();
    // In turns: what else the machine does falls on all of them alike.
    for n in 0..TURNS {
        let frame = |n: usize| -> Result<()> {
            frames.write_all_at(&[7; FRAME], (n * FRAME) as u64)?;
            Ok(rustix::fs::fdatasync(&frames)?)
        };
        let second = |db: &Connection| db.execute("INSERT INTO row (body) VALUES (?1)", [vec![7_u8; 620]]).map(|_| ());
        timed(&mut times[0], || bare.commit(n))?;
        timed(&mut times[1], || second(&rollback).map_err(Into::into).and_then(|()| first.commit(4 * n)))?;
        timed(&mut times[2], || second(&persist).map_err(Into::into).and_then(|()| first.commit(4 * n + 1)))?;
        timed(&mut times[3], || frame(2 * n).and_then(|()| first.commit(4 * n + 2)))?;
        timed(&mut times[4], || {
            std::thread::scope(|scope| {
                let side = scope.spawn(|| frame(2 * n + 1));
                let done = first.commit(4 * n + 3);
                side.join().map_err(|_| anyhow::anyhow!("the thread beside panicked"))?.and(done)
            })
        })?;
    }
    let limit = percentile(&mut times[0], 50);
    let names = [
        "second SQLite file, DELETE, EXTRA",
        "second SQLite file, PERSIST, FULL",
        "frames, one after the other (ours)",
        "frames, in parallel",
    ];
    Ok(names
        .iter()
        .zip(&mut times[1..])
        .map(|(name, times)| {
            let (p50, p99) = (percentile(times, 50), percentile(times, 99));
            Measure::new(&format!("second copy: {name}, p50"), p50, "ms")
                .beside(limit, "one bare commit, in turns")
                .note(format!("p99 {p99:.2}, slowest {:.1}, of {TURNS}", times.last().map_or(0.0, |t| ms(*t))))
        })
        .collect())
}

fn timed(times: &mut Vec<Duration>, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let begun = Instant::now();
    work()?;
    times.push(begun.elapsed());
    Ok(())
}

fn second_sqlite(path: &Path, journal: &str, synchronous: &str) -> Result<Connection> {
    let db = Connection::open(path)?;
    db.execute_batch(&format!(
        "PRAGMA key = \"x'00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'\";
         PRAGMA journal_mode = {journal}; PRAGMA synchronous = {synchronous};
         CREATE TABLE row (n INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;"
    ))?;
    Ok(db)
}

fn zeros(path: &Path) -> Result<File> {
    let file = File::options().read(true).write(true).create_new(true).open(path)?;
    file.write_all_at(&vec![0; 2 * TURNS * FRAME], 0)?;
    file.sync_all()?;
    Ok(file)
}
