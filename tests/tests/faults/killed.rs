//! kill -9 of a tablet's program and of the server's at random moments, round after round, with a ledger of what was
//! printed as saved.

use crate::house;
use crate::sim::{assert_once, command, held, joined, saved, sim};
use lamplight_tests::faults::{dice, is_long, seed};
use lamplight_tests::process::Process;
use rand::RngExt;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_that_are_killed_at_random_moments_lose_and_double_nothing() {
    let seed = seed();
    let mut dice = dice(seed, 0);
    let mut facility = house::facility().await;
    let dir = facility.folder().join("tablet");
    joined(&facility, &dir);
    let rounds = if is_long() { 120 } else { 8 };
    let (mut ledger, mut cut_off) = (Vec::new(), 0);
    for round in 0..rounds {
        let mut recording =
            Process::start("record", command(&[], &dir, &["record", "--count", "100000", "--each"]), &facility.logs())
                .unwrap();
        // Which moment that is does not matter: the moments only have to differ.
        std::thread::sleep(Duration::from_millis(dice.random_range(30..250)));
        recording.kill();
        cut_off += 1;
        ledger.extend(saved(&std::fs::read_to_string(&recording.stdout).unwrap()));
        let mut sending = Process::start("sync", command(&[], &dir, &["sync"]), &facility.logs()).unwrap();
        std::thread::sleep(Duration::from_millis(dice.random_range(10..200)));
        if dice.random_bool(0.5) {
            sending.kill();
        }
        facility.kill();
        sending.kill();
        facility.start().unwrap_or_else(|e| panic!("seed {seed}, round {round}: {e}"));
    }
    let last = sim(&[], &dir, &["sync"]);
    assert!(last.status.success(), "seed {seed}: {}", last.err);
    let held = held(&facility);
    assert_once(&held, &ledger, cut_off, &format!("seed {seed}"));
    assert!(ledger.len() > rounds, "seed {seed}: {} entries in {rounds} rounds", ledger.len());
}
