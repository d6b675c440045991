//! How long to wait after a failure. Full jitter, so that a ward full of tablets does not come back in one moment;
//! while the network is away never longer than two seconds, so that one that returns is used within that.

use lamplight_domain::wire::Trouble;
use std::time::Duration;

const FIRST_MS: u64 = 100;
const MOST_MS: u64 = 2_000;
/// A server that asks for more is asked again after this all the same; one that refuses is asked this seldom in the
/// end: only a person changes its mind.
const SELDOM_MS: u64 = 30_000;

#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Counts a failure. `pick` gives a number from 0 to its argument.
    pub fn after(&mut self, trouble: &Trouble, pick: impl Fn(u64) -> u64) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let grown = FIRST_MS.saturating_mul(1 << self.failures.min(10));
        Duration::from_millis(match trouble {
            Trouble::Busy { retry_after_ms } => (*retry_after_ms).min(SELDOM_MS) + pick(grown.min(MOST_MS)),
            Trouble::Refused(_) => pick(grown.min(SELDOM_MS)),
            Trouble::Unreachable(_) | Trouble::NotTheServer(_) => pick(grown.min(MOST_MS)),
        })
    }
}

/// Even numbers from 0 to `most`.
pub fn jitter(most: u64) -> u64 {
    rand::random_range(0..=most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_stays_under_two_seconds_and_starts_anew() {
        let gone = Trouble::Unreachable(String::new());
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..8).map(|_| backoff.after(&gone, |most| most).as_millis()).collect();
        assert_eq!(waits, [200, 400, 800, 1_600, 2_000, 2_000, 2_000, 2_000]);
        backoff.reset();
        assert_eq!(backoff.after(&gone, |most| most).as_millis(), 200);
    }

    #[test]
    fn a_server_that_refuses_is_asked_less_and_less() {
        let refused = Trouble::Refused(crate::record::join_first());
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..10).map(|_| backoff.after(&refused, |most| most).as_millis()).collect();
        assert_eq!((waits[0], waits[9]), (200, 30_000));
    }

    #[test]
    fn a_busy_server_is_given_its_time() {
        let busy = Trouble::Busy { retry_after_ms: 5_000 };
        assert_eq!(Backoff::default().after(&busy, |_| 0).as_millis(), 5_000);
    }
}
