//! Nonces for signed requests. Stateless to issue: a nonce is its time of issue (of this process' own steady clock)
//! and a MAC over it. Remembered only once used, so that a request is taken once. A restart makes all of them void.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use lamplight_domain::ids::AuthorId;
use sha2::Sha256;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// How long a nonce is good for: a slow upload signs before it begins.
const GOOD_FOR: Duration = Duration::from_secs(600);
/// Requests of one nonce may overtake each other by this many.
const WINDOW: u64 = 64;
/// Used nonces that are remembered; more than 300 busy tablets use in the time.
const REMEMBERED_MAX: usize = 400_000;

pub struct Nonces {
    /// As long as the MAC's block.
    secret: Zeroizing<[u8; 64]>,
    start: Instant,
    /// The newest one's time.
    issued: AtomicU64,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    by: HashMap<(AuthorId, u64), Seen>,
    swept_at: u64,
}

/// The highest counter taken, and which of the `WINDOW` before it.
struct Seen {
    highest: u64,
    before: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceRefused {
    /// Not of this process, or too old: take the new one and repeat.
    Stale,
    /// This very request was taken before.
    Replayed,
}

impl Nonces {
    pub fn new(secret: [u8; 64]) -> Nonces {
        Nonces {
            secret: Zeroizing::new(secret),
            start: Instant::now(),
            issued: AtomicU64::new(0),
            used: Mutex::default(),
        }
    }

    /// No two are alike.
    pub fn issue(&self) -> String {
        let now = self.now();
        let newer = |last: u64| Some(now.max(last + 1));
        let last = self.issued.fetch_update(Ordering::Relaxed, Ordering::Relaxed, newer).unwrap_or_default();
        let at = now.max(last + 1);
        URL_SAFE_NO_PAD.encode([at.to_be_bytes().as_slice(), &self.mac(at)].concat())
    }

    /// Microseconds of this process.
    fn now(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    fn mac(&self, at: u64) -> [u8; 16] {
        let mut mac = <Hmac<Sha256> as KeyInit>::new((&*self.secret).into());
        mac.update(b"lamplight.nonce.v1\0");
        mac.update(&at.to_be_bytes());
        let mut short = [0; 16];
        short.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        short
    }

    /// Takes a counter of a nonce, once. Call it only after the signature held: a stranger must not use up counters.
    pub fn take(&self, author: AuthorId, nonce: &str, counter: u64) -> Result<(), NonceRefused> {
        let now = self.now();
        let at = self.issued_at(nonce, now).ok_or(NonceRefused::Stale)?;
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let good_for = GOOD_FOR.as_micros() as u64;
        if now > used.swept_at + good_for / 10 || used.by.len() >= REMEMBERED_MAX {
            used.by.retain(|(_, at), _| at + good_for >= now);
            used.swept_at = now;
        }
        if used.by.len() >= REMEMBERED_MAX {
            return Err(NonceRefused::Stale);
        }
        let seen = used.by.entry((author, at)).or_insert(Seen { highest: 0, before: 0 });
        seen.take(counter)
    }

    /// Is it one of this process, and young enough? Without looking at its use.
    pub fn holds(&self, nonce: &str) -> bool {
        self.issued_at(nonce, self.now()).is_some()
    }

    /// Half of its time is still to come: whoever has it needs no other yet.
    pub fn is_good_for_long(&self, nonce: &str) -> bool {
        let now = self.now();
        self.issued_at(nonce, now).is_some_and(|at| now.saturating_sub(at) < GOOD_FOR.as_micros() as u64 / 2)
    }

    fn issued_at(&self, nonce: &str, now: u64) -> Option<u64> {
        let bytes: [u8; 24] = URL_SAFE_NO_PAD.decode(nonce).ok()?.try_into().ok()?;
        let at = u64::from_be_bytes(bytes[..8].try_into().ok()?);
        let ours = bool::from(self.mac(at).ct_eq(&bytes[8..]));
        // In a burst the newest are a little ahead of the clock.
        (ours && now.saturating_sub(at) <= GOOD_FOR.as_micros() as u64).then_some(at)
    }
}

impl Seen {
    fn take(&mut self, counter: u64) -> Result<(), NonceRefused> {
        if counter == 0 {
            return Err(NonceRefused::Replayed);
        }
        if counter > self.highest {
            let by = counter - self.highest;
            // The old highest moves into the window, unless there was none.
            let shifted = if by >= WINDOW { 0 } else { self.before << by };
            let old = if self.highest > 0 && by <= WINDOW { 1 << (by - 1) } else { 0 };
            *self = Seen { highest: counter, before: shifted | old };
            return Ok(());
        }
        let back = self.highest - counter;
        if back == 0 || back > WINDOW || self.before & (1 << (back - 1)) != 0 {
            return Err(NonceRefused::Replayed);
        }
        self.before |= 1 << (back - 1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;
    use uuid::Uuid;

    fn author(n: u128) -> AuthorId {
        AuthorId(Uuid::from_u128(n))
    }

    #[test]
    fn a_counter_of_a_nonce_is_taken_once_per_author() {
        let nonces = Nonces::new([1; 64]);
        let nonce = nonces.issue();
        assert_eq!(nonces.take(author(1), &nonce, 1), Ok(()));
        assert_eq!(nonces.take(author(1), &nonce, 1), Err(NonceRefused::Replayed));
        assert_eq!(nonces.take(author(2), &nonce, 1), Ok(()));
        assert_eq!(nonces.take(author(1), &nonce, 2), Ok(()));
    }

    #[test]
    fn no_two_nonces_are_alike() {
        let nonces = Nonces::new([1; 64]);
        let issued: HashSet<String> = (0..1_000).map(|_| nonces.issue()).collect();
        assert_eq!(issued.len(), 1_000);
        assert!(issued.iter().all(|n| nonces.holds(n)));
    }

    #[test]
    fn a_nonce_of_another_process_or_a_bent_one_is_stale() {
        let (nonces, others) = (Nonces::new([1; 64]), Nonces::new([2; 64]));
        let mut bent = others.issue();
        assert_eq!(nonces.take(author(1), &bent, 1), Err(NonceRefused::Stale));
        bent.push('x');
        for nonce in ["", "x", &bent] {
            assert!(!nonces.holds(nonce));
        }
    }

    proptest! {
        #[test]
        fn whatever_the_order_no_counter_is_taken_twice_and_near_ones_are_taken(
            counters in prop::collection::vec(1u64..200, 0..300),
        ) {
            let mut seen = Seen { highest: 0, before: 0 };
            let mut taken = HashSet::new();
            for counter in counters {
                let highest = taken.iter().max().copied().unwrap_or(0);
                let fresh = !taken.contains(&counter);
                let near = counter + WINDOW >= highest;
                prop_assert_eq!(seen.take(counter).is_ok(), fresh && near);
                if fresh && near {
                    taken.insert(counter);
                }
            }
        }
    }
}
