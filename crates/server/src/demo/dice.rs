//! Randomness that is the same for the same seed, on every machine and with every version of the libraries: only the
//! generator's raw numbers are used.

use lamplight_domain::ids::RecordId;
use lamplight_domain::time::Ms;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

/// One stream of numbers. Each part of the demo draws from a stream of its own, so that a change in one part leaves
/// the others as they were.
#[derive(Clone)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64, stream: &str) -> Dice {
        let mut hasher = Sha256::new();
        hasher.update(b"lamplight.demo\0");
        hasher.update(seed.to_be_bytes());
        hasher.update(stream.as_bytes());
        Dice(ChaCha8Rng::from_seed(hasher.finalize().into()))
    }

    /// A whole number in `from..=to`; `from` where the range is empty.
    pub fn range(&mut self, from: i64, to: i64) -> i64 {
        if to <= from {
            return from;
        }
        from + (self.0.next_u64() % (to - from + 1) as u64) as i64
    }

    pub fn index(&mut self, len: usize) -> usize {
        self.range(0, len as i64 - 1) as usize
    }

    /// True in `percent` of 100.
    pub fn chance(&mut self, percent: i64) -> bool {
        self.range(1, 100) <= percent
    }

    /// One of them; `all` is never empty.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.index(all.len())]
    }

    /// One of them, by weight; `all` is never empty and its weights are positive.
    pub fn weighed<T: Copy>(&mut self, all: &[(T, i64)]) -> T {
        let mut left = self.range(1, all.iter().map(|(_, w)| w).sum());
        for (what, weight) in all {
            left -= weight;
            if left <= 0 {
                return *what;
            }
        }
        all[0].0
    }

    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for i in (1..all.len()).rev() {
            all.swap(i, self.index(i + 1));
        }
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    pub fn uuid(&mut self) -> Uuid {
        Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// A UUIDv7 of that moment.
    pub fn record_id(&mut self, at: Ms) -> RecordId {
        RecordId(Builder::from_unix_timestamp_millis(at.0.max(0) as u64, &self.bytes()).into_uuid())
    }
}
