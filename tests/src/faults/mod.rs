//! What the fault tests share: the disk under watch, the power cut, seeds, and the short and the long form.

pub mod disk;
pub mod plug;
pub mod vfs;

use rand::SeedableRng;
use rand::rngs::StdRng;

/// `LAMPLIGHT_FAULTS=long`: every place instead of a sample, and a fresh seed.
pub fn is_long() -> bool {
    std::env::var("LAMPLIGHT_FAULTS").is_ok_and(|form| form == "long")
}

/// Of `LAMPLIGHT_SEED` where it is given; a fresh one in the long form, else always the same. It is printed.
pub fn seed() -> u64 {
    const FIXED: u64 = 2_604;
    let given = std::env::var("LAMPLIGHT_SEED").ok().map(|text| text.parse().expect("LAMPLIGHT_SEED is a number"));
    let seed = given.unwrap_or_else(|| if is_long() { u64::from(rand::random::<u32>()) } else { FIXED });
    println!("LAMPLIGHT_SEED={seed}");
    seed
}

/// Dice of a seed and a number within the test.
pub fn dice(seed: u64, n: u64) -> StdRng {
    StdRng::seed_from_u64(seed.wrapping_mul(1_000_003).wrapping_add(n))
}

/// Every one of `all` in the long form, else about `most` of them evenly, the last one always among them.
pub fn sample(all: usize, most: usize) -> Vec<usize> {
    let step = if is_long() { 1 } else { all.div_ceil(most).max(1) };
    let mut chosen: Vec<usize> = (0..all).step_by(step).collect();
    if let Some(last) = all.checked_sub(1).filter(|last| chosen.last() != Some(last)) {
        chosen.push(last);
    }
    chosen
}
