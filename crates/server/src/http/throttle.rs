//! Wrong passwords and invites make the next try wait, longer each time: by name, and by the address that they come from.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong tries that cost nothing: a name, an address (many nurses share one machine).
const FREE_OF_NAME: u32 = 2;
const FREE_OF_ADDRESS: u32 = 10;
const FREE_OF_INVITES: u32 = 5;
const LONGEST: Duration = Duration::from_secs(60);
/// After so long without a wrong try, all is forgotten.
const FORGET: Duration = Duration::from_secs(60 * 60);
/// Names and addresses that are remembered: a flood of invented names must not fill the memory.
const MAX: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Whose {
    Name(String),
    Address(IpAddr),
    /// Tablets that show invites from there.
    Invites(IpAddr),
}

#[derive(Default)]
pub struct Throttle {
    by: Mutex<HashMap<Whose, Wrong>>,
}

struct Wrong {
    tries: u32,
    last: Instant,
}

impl Wrong {
    fn wait(&self, whose: &Whose) -> Duration {
        let free = match whose {
            Whose::Name(_) => FREE_OF_NAME,
            Whose::Address(_) => FREE_OF_ADDRESS,
            Whose::Invites(_) => FREE_OF_INVITES,
        };
        match self.tries.checked_sub(free + 1) {
            None => Duration::ZERO,
            Some(n) => Duration::from_secs(1 << n.min(10)).min(LONGEST),
        }
    }
}

impl Throttle {
    /// How long one of them still has to wait; None where nobody has to.
    pub fn wait(&self, whose: &[Whose], now: Instant) -> Option<Duration> {
        let by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        let left = |w: &Whose| by.get(w).map(|wrong| (wrong.last + wrong.wait(w)).saturating_duration_since(now));
        whose.iter().filter_map(left).max().filter(|d| !d.is_zero())
    }

    /// A try begins. It counts as wrong until it was right, so that many at once gain nothing.
    pub fn tried(&self, whose: &[Whose], now: Instant) {
        let mut by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        if by.len() >= MAX {
            by.retain(|_, wrong| now.duration_since(wrong.last) < FORGET);
        }
        for w in whose {
            if by.len() >= MAX && !by.contains_key(w) {
                continue;
            }
            let wrong = by.entry(w.clone()).or_insert(Wrong { tries: 0, last: now });
            if now.duration_since(wrong.last) >= FORGET {
                wrong.tries = 0;
            }
            wrong.tries += 1;
            wrong.last = now;
        }
    }

    /// The try was right after all. A name starts anew; an address only gets this one try back, or somebody with a
    /// password of their own could try the others' for ever.
    pub fn right(&self, whose: &[Whose]) {
        let mut by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        for w in whose {
            match w {
                Whose::Name(_) => drop(by.remove(w)),
                Whose::Address(_) | Whose::Invites(_) => give_back(&mut by, w),
            }
        }
    }

    /// The try was neither right nor wrong: nothing is forgotten of those before it.
    pub fn neither(&self, whose: &[Whose]) {
        let mut by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        whose.iter().for_each(|w| give_back(&mut by, w));
    }
}

fn give_back(by: &mut HashMap<Whose, Wrong>, whose: &Whose) {
    if let Some(wrong) = by.get_mut(whose) {
        wrong.tries = wrong.tries.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_try_makes_the_next_wait_longer_up_to_a_minute() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let nurse = [Whose::Name("s.lindqvist".into())];
        let mut waits = Vec::new();
        for _ in 0..12 {
            throttle.tried(&nurse, now);
            waits.push(throttle.wait(&nurse, now).unwrap_or_default().as_secs());
        }
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        assert_eq!(throttle.wait(&nurse, now + LONGEST), None);
        assert_eq!(throttle.wait(&[Whose::Name("h.park".into())], now), None, "nobody else waits");
        throttle.right(&nurse);
        assert_eq!(throttle.wait(&nurse, now), None);
    }

    #[test]
    fn an_address_that_tries_many_names_waits_too() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let address = Whose::Address([10, 0, 0, 1].into());
        for n in 0..=FREE_OF_ADDRESS {
            throttle.tried(&[Whose::Name(format!("n{n}")), address.clone()], now);
        }
        assert!(throttle.wait(&[Whose::Name("another".into()), address], now).is_some());
    }

    #[test]
    fn an_address_where_everybody_knows_their_password_never_waits() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let whose = |n: u32| [Whose::Name(format!("n{n}")), Whose::Address([10, 0, 0, 1].into())];
        for n in 0..100 {
            assert_eq!(throttle.wait(&whose(n), now), None);
            throttle.tried(&whose(n), now);
            throttle.right(&whose(n));
        }
    }
}
