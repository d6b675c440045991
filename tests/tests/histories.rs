//! The simulation in its short form; `make faults` plays many thousands.
#![allow(clippy::unwrap_used)] // A test may fail.

use lamplight_tests::simulation::{Playing, histories, twice};

fn play(first_seed: u64, count: u64) {
    let found = histories(&Playing { first_seed, count, threads: 2, enough: 1, until: None }).unwrap();
    let told: String = found.failures.iter().map(ToString::to_string).collect();
    assert!(found.failures.is_empty(), "{told}");
    assert_eq!(found.histories, count);
}

#[test]
fn the_histories_that_everybody_plays_lose_nothing() {
    play(1, 60);
}

#[test]
fn fresh_histories_lose_nothing() {
    let seed = std::env::var("LAMPLIGHT_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(rand::random::<u64>);
    println!("fresh seed {seed} (repeat with LAMPLIGHT_SEED={seed})");
    play(seed, 30);
}

/// Else a seed that failed says nothing.
#[test]
fn a_seed_gives_the_same_history_every_time() {
    for seed in 1..=6 {
        let [once, again] = twice(seed).unwrap();
        assert_eq!(once, again, "seed {seed}");
    }
}
