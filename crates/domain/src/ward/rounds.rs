//! The round: who is owed a look in it, who has had one, and whom to look at next.
//!
//! A round owes a look to every patient whose limit clock runs. It begins with the first check after the round
//! before saw all of them, or when a patient at the ward's commonest limit (or a longer one) is seen a second time,
//! at least half of that patient's limit after the first: sooner is a second look within the same round.

use super::card::Reading;
use super::look::{Look, Patient};
use crate::ids::StayId;
use crate::time::{HOUR_MS, Ms};
use crate::views::CardState;
use std::collections::{BTreeMap, HashMap};

/// Checks older than this (or four times the commonest limit) belong to no round of now.
const LOOK_BACK_MS: i64 = 2 * HOUR_MS;

pub(super) struct Round {
    pub owed: u32,
    pub seen: u32,
}

impl Look<'_> {
    pub fn round(&self, patients: &[Patient], readings: &[Reading]) -> Round {
        let limits: HashMap<StayId, i64> = readings.iter().filter_map(|r| Some((r.card.stay, r.owed?))).collect();
        let commonest = commonest(limits.values().copied());
        let since = self.now() - LOOK_BACK_MS.max(4 * commonest);
        let mut checks: Vec<(Ms, StayId)> = Vec::new();
        for patient in patients.iter().filter(|p| limits.contains_key(&p.stay)) {
            let seen = self.records.counted(patient.log, self.frame, since, self.now());
            checks.extend(seen.into_iter().map(|(at, _)| (at, patient.stay)));
        }
        checks.sort();
        let mut seen: HashMap<StayId, Ms> = HashMap::new();
        for (at, stay) in checks {
            let limit = limits.get(&stay).copied().unwrap_or_default();
            let again = limit >= commonest && seen.get(&stay).is_some_and(|first| at - *first >= limit / 2);
            if again || seen.len() == limits.len() {
                seen.clear();
            }
            seen.entry(stay).or_insert(at);
        }
        Round { owed: limits.len() as u32, seen: seen.len() as u32 }
    }

    /// Whom to look at next: of those past their limit the first along the walk from where the last check was made,
    /// else of those due, else whoever's limit runs out first. Continuous levels, pauses and missing orders are
    /// alarms for somebody else than the walker.
    pub fn next(&self, readings: &[Reading]) -> Option<StayId> {
        let last = readings.iter().enumerate().filter_map(|(i, r)| Some((r.card.last_seen.as_ref()?.at, i)));
        let here = last.max().map_or(0, |(_, i)| i + 1);
        let along = || readings.iter().skip(here).chain(readings.iter().take(here));
        let first = |states: &[CardState]| along().find(|r| states.contains(&r.card.state));
        first(&[CardState::Overdue, CardState::NotKnown])
            .or_else(|| first(&[CardState::Due]))
            .or_else(|| along().filter(|r| r.owed.is_some()).min_by_key(|r| r.card.due_at))
            .map(|r| r.card.stay)
    }
}

/// The limit that most patients have; of two that are as common the shorter.
fn commonest(limits: impl Iterator<Item = i64>) -> i64 {
    let mut counts: BTreeMap<i64, u32> = BTreeMap::new();
    for limit in limits {
        *counts.entry(limit).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(limit, n)| (*n, std::cmp::Reverse(*limit))).map_or(0, |(limit, _)| limit)
}
