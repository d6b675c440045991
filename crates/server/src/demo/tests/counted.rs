//! Gaps and walks, counted from the records in the plainest way.

use super::super::floor::{Spot, metres, spot};
use super::*;
use lamplight_domain::ids::{RecordId, StaffId, StayId};
use lamplight_domain::kinds::AmendmentAction;
use lamplight_domain::time::{MINUTE_MS, SECOND_MS};
use std::collections::HashSet;

/// A check that counts.
pub struct Counted {
    pub at: Ms,
    /// Since the running gap began.
    pub gap_ms: i64,
    /// None for a continuous level.
    pub limit_ms: Option<i64>,
    /// Over the limit that holds, or over the one before when that was lowered: late stays late.
    pub late: bool,
}

/// What the records say of one patient.
#[derive(Default)]
pub struct Patient {
    pub bed: String,
    /// Since when, and the limit; in order.
    pub orders: Vec<(Ms, Option<i64>)>,
    pub paused: Option<Ms>,
    pub checks: Vec<Counted>,
}

impl Patient {
    /// The last counted check before, or the last order that was new or closer.
    pub fn gap_from(&self, at: Ms) -> Ms {
        let closer = (0..self.orders.len())
            .filter(|i| *i == 0 || self.orders[*i].1 < self.orders[i - 1].1)
            .map(|i| self.orders[i].0)
            .rfind(|since| *since <= at);
        let seen = self.checks.iter().map(|c| c.at).rfind(|seen| *seen < at);
        closer.max(seen).expect("everybody has an order")
    }

    fn is_late(&self, at: Ms) -> bool {
        let from = self.gap_from(at);
        let lowered = self.orders.windows(2).filter(|w| from < w[1].0 && w[1].0 <= at);
        let over = |limit: Option<i64>, to: Ms| limit.is_some_and(|limit| to - from > limit);
        over(self.limit_ms(at), at) || lowered.into_iter().any(|w| over(w[0].1, w[1].0))
    }

    pub fn limit_ms(&self, at: Ms) -> Option<i64> {
        self.orders.iter().rfind(|(since, _)| *since <= at).and_then(|o| o.1)
    }
}

impl Told {
    pub fn retracted(&self) -> HashSet<RecordId> {
        let retracted = |(_, _, event): &(Writer, Envelope, Event)| match event {
            Event::Amendment(a) if a.action == AmendmentAction::Retract => Some(a.of),
            _ => None,
        };
        self.bodies.iter().filter_map(retracted).collect()
    }

    pub fn patients(&self) -> BTreeMap<StayId, Patient> {
        let retracted = self.retracted();
        let mut by_time: Vec<&(Writer, Envelope, Event)> = self.bodies.iter().collect();
        by_time.sort_by_key(|(_, e, _)| e.observed_at);
        let mut patients: BTreeMap<StayId, Patient> = BTreeMap::new();
        for (_, e, event) in by_time {
            let Some(stay) = e.stay else { continue };
            let patient = patients.entry(stay).or_default();
            let at = e.observed_at;
            match event {
                Event::StayPlaced { bed, .. } => patient.bed.clone_from(bed),
                Event::Order(order) => patient.orders.push((at, order.level.limit_ms())),
                Event::PauseStarted(_) => patient.paused = Some(at),
                Event::Check(_) if e.observed_at == e.recorded_at && !retracted.contains(&e.id) => {
                    let (gap_ms, limit_ms, late) =
                        (at - patient.gap_from(at), patient.limit_ms(at), patient.is_late(at));
                    patient.checks.push(Counted { at, gap_ms, limit_ms, late });
                }
                _ => {}
            }
        }
        patients
    }
}

#[test]
fn people_walk_as_people_do_everywhere() {
    for told in everywhere() {
        nobody_walks_faster_than_people_walk(&told);
        rounds_are_kept_but_for_real_lateness(&told);
        at_now_most_are_fine_a_few_are_due_and_one_or_two_are_overdue(&told);
        somebody_always_holds_the_observations_and_is_with_the_one_to_one(&told);
        the_holder_or_the_second_technician_checks_and_nobody_else(&told);
    }
}

fn nobody_walks_faster_than_people_walk(told: &Told) {
    let (patients, retracted) = (told.patients(), told.retracted());
    let beds = &told.people.roster.wards[0].beds;
    let mut seen: BTreeMap<StaffId, Vec<(Ms, Spot)>> = BTreeMap::new();
    for (_, e, event) in &told.bodies {
        // A check that was put on the wrong patient says nothing about where the technician stood.
        let (Event::Check(check), Some(by), Some(stay)) = (event, e.by, e.stay) else { continue };
        if retracted.contains(&e.id) {
            continue;
        }
        let bed = beds.iter().position(|b| b.label == patients[&stay].bed).unwrap();
        seen.entry(by).or_default().push((e.observed_at, spot(&check.place.0, bed)));
    }
    assert!(seen.len() >= 3);
    for (who, mut looks) in seen {
        looks.sort_by_key(|(at, _)| *at);
        for pair in looks.windows(2) {
            let seconds = (pair[1].0 - pair[0].0) as f64 / 1_000.0;
            let way = metres(pair[0].1, pair[1].1);
            // Hurried, but not running; and even side by side nobody looks and taps in under four seconds.
            assert!(seconds >= 4.0 && seconds >= way / 2.0, "{who}: {way} m in {seconds} s at {pair:?}");
        }
    }
}

fn rounds_are_kept_but_for_real_lateness(told: &Told) {
    for (limit_minutes, late_percent_most) in [(5, 10), (15, 10), (30, 6)] {
        let gaps: Vec<i64> = told
            .patients()
            .values()
            .flat_map(|p| &p.checks)
            .filter(|c| c.limit_ms == Some(limit_minutes * MINUTE_MS))
            .map(|c| c.gap_ms)
            .collect();
        let late = gaps.iter().filter(|g| **g > limit_minutes * MINUTE_MS).count();
        assert!(gaps.len() > 150, "Q{limit_minutes}: {}", gaps.len());
        assert!(late * 100 <= gaps.len() * late_percent_most, "Q{limit_minutes}: {late} of {}", gaps.len());
        let longest = gaps.iter().max().unwrap();
        assert!(*longest < 60 * MINUTE_MS, "Q{limit_minutes}: {longest}");
    }
    assert!(told.patients().values().flat_map(|p| &p.checks).filter(|c| c.late).count() >= 5);
}

#[test]
fn gaps_are_not_regular() {
    let told = told(7, NOWS[0]);
    let patient = told.patients().into_values().find(|p| p.limit_ms(told.now) == Some(15 * MINUTE_MS)).unwrap();
    let mut minutes: Vec<i64> = patient.checks.iter().map(|c| c.gap_ms / MINUTE_MS).collect();
    minutes.sort_unstable();
    minutes.dedup();
    assert!(minutes.len() >= 6, "a patient could tell when the next check comes: {minutes:?}");
}

fn at_now_most_are_fine_a_few_are_due_and_one_or_two_are_overdue(told: &Told) {
    let patients = told.patients();
    let left: Vec<(i64, i64)> = patients
        .values()
        .filter(|p| p.paused.is_none())
        .filter_map(|p| p.limit_ms(told.now).map(|limit| (limit, limit - (told.now - p.gap_from(told.now)))))
        .collect();
    assert_eq!(left.len(), 19, "22 without leave, ED and 1:1");
    let overdue = left.iter().filter(|(_, left)| *left < 0).count();
    let due = left.iter().filter(|(limit, left)| (0..=limit / 3).contains(left)).count();
    assert!((1..=2).contains(&overdue), "{overdue} overdue");
    assert!((2..=7).contains(&due), "{due} due");
    assert!(left.iter().all(|(_, left)| *left > -10 * MINUTE_MS), "nobody is forgotten");
}

fn somebody_always_holds_the_observations_and_is_with_the_one_to_one(told: &Told) {
    let begin = told.now - HISTORY_MS;
    let mut by_time: Vec<_> = told.bodies.iter().collect();
    by_time.sort_by_key(|(_, e, _)| e.recorded_at);
    let taken: Vec<(Ms, StaffId)> = by_time
        .iter()
        .filter(|(_, _, event)| matches!(event, Event::HoldingTaken { .. }))
        .map(|(_, e, _)| (e.recorded_at, e.by.unwrap()))
        .collect();
    assert!(taken[0].0 - begin < MINUTE_MS);
    for pair in taken.windows(2) {
        assert_ne!(pair[0].1, pair[1].1);
        assert!(pair[1].0 - pair[0].0 < 128 * MINUTE_MS);
    }
    let longest = i64::from(told.people.roster.settings.holder_max_minutes) * MINUTE_MS;
    assert!(told.now - taken[taken.len() - 1].0 <= longest);

    let mut watching: Vec<RecordId> = Vec::new();
    let mut begun = 0;
    for (_, e, event) in by_time {
        match event {
            Event::WatchStarted { watcher } => {
                assert_eq!(e.by, Some(*watcher));
                watching.push(e.id);
                begun += 1;
            }
            Event::WatchEnded { of } => watching.retain(|id| id != of),
            _ => {}
        }
        assert!(begun == 0 || (1..=2).contains(&watching.len()));
    }
    assert!(begun >= 6, "changed about every two hours");
    assert_eq!(watching.len(), 1);
}

fn the_holder_or_the_second_technician_checks_and_nobody_else(told: &Told) {
    let technicians: HashSet<StaffId> =
        told.people.roster.staff.iter().filter(|s| s.role == Role::Technician).map(|s| s.id).collect();
    let mut two_tablets = 0;
    let mut last: Option<(Ms, Writer)> = None;
    let mut by_time: Vec<_> = told.bodies.iter().collect();
    by_time.sort_by_key(|(_, e, _)| e.observed_at);
    for (writer, e, event) in by_time {
        let Event::Check(_) = event else { continue };
        assert!(technicians.contains(&e.by.unwrap()));
        let others = last.is_some_and(|(at, w)| w != *writer && e.observed_at - at < 20 * SECOND_MS);
        two_tablets += u32::from(others);
        last = Some((e.observed_at, *writer));
    }
    assert!(two_tablets > 20, "two walk at times, on two tablets");
}
