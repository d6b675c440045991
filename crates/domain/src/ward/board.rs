//! A ward at one moment, put together.

use super::card::Reading;
use super::log::Shelf;
use super::look::{Look, Patient};
use super::names::{folded, similar};
use super::people;
use crate::ids::{StaffId, WardId};
use crate::kinds::Event;
use crate::time::{MINUTE_MS, Ms};
use crate::views::{Board, CardState, Contact, Holder, Verification};
use crate::wire::ContactMark;
use std::collections::HashMap;

impl Look<'_> {
    pub fn board(&self, ward: WardId, marks: &[ContactMark]) -> Board {
        let patients = self.records.patients(self.roster, ward);
        let contacts = self.contacts(ward, marks);
        let readings = self.readings(&patients, &contacts);
        let holder = self.holder(ward);
        let emergencies = self.emergencies(ward, &readings);
        let round = self.round(&patients, &readings);
        let signal = self.signal(ward, &readings, &emergencies, holder.as_ref());
        let count = |state: CardState| readings.iter().filter(|r| r.card.state == state).count() as u32;
        Board {
            ward,
            ward_name: self.ward_name(ward),
            facility_name: self.roster.facility.name.clone(),
            demo: self.roster.facility.demo,
            now: self.now(),
            clock: self.clock(self.now()),
            tolerance: self.tolerance_words(),
            holder,
            round_of: round.owed,
            round_seen: round.seen,
            overdue: count(CardState::Overdue),
            due: count(CardState::Due),
            not_known: count(CardState::NotKnown),
            next: self.next(&readings),
            concerns: self.concerns(ward),
            emergencies,
            contacts,
            verification: self.verification(ward, &patients),
            signal,
            cards: readings.into_iter().map(|r| r.card).collect(),
        }
    }

    /// Every patient's card, with what only a look at the whole ward shows.
    pub fn readings(&self, patients: &[Patient], contacts: &[Contact]) -> Vec<Reading> {
        let mut readings: Vec<Reading> = patients.iter().map(|p| self.read(p, contacts)).collect();
        let names: Vec<Vec<char>> = patients.iter().map(|p| folded(p.family())).collect();
        for i in 0..names.len() {
            for j in 0..i {
                if similar(&names[i], &names[j]) {
                    readings[i].card.similar_name = true;
                    readings[j].card.similar_name = true;
                }
            }
        }
        mark_double_watches(&mut readings);
        self.mark_same_person(patients, &mut readings);
        readings
    }

    pub fn ward_name(&self, ward: WardId) -> String {
        self.roster.ward(ward).map(|w| w.name.clone()).unwrap_or_default()
    }

    /// Whoever accepted the observations last. Nobody is an alarm.
    pub fn holder(&self, ward: WardId) -> Option<Holder> {
        let is_signed = |r: &crate::record::Record| r.body.envelope.by.is_some();
        let (since, record) = self.frame.newest(self.ward_log(ward)?, Shelf::Holding, self.now(), is_signed)?;
        let staff = record.body.envelope.by?;
        let most_ms = i64::from(self.roster.settings.holder_max_minutes) * MINUTE_MS;
        Some(Holder {
            staff,
            name: people::short(self.roster, Some(staff)),
            since,
            since_clock: self.clock(since),
            too_long: self.now() - since > most_ms,
        })
    }

    /// Due from the last one by a nurse; where there was none, from when the first of these patients came.
    fn verification(&self, ward: WardId, patients: &[Patient]) -> Verification {
        let by_nurse = |r: &crate::record::Record| self.roster.is_nurse(r.body.envelope.by);
        let last = self.ward_log(ward).and_then(|log| self.frame.newest(log, Shelf::Verified, self.now(), by_nurse));
        let first_came = || patients.iter().filter_map(|p| self.opened_at(p)).min();
        let every_ms = i64::from(self.roster.settings.verification_minutes) * MINUTE_MS;
        let due_at = last.map(|(at, _)| at).or_else(first_came).map(|at| at + every_ms);
        Verification {
            last_clock: last.map(|(at, _)| self.clock(at)).unwrap_or_default(),
            last_by: last.map(|(_, r)| people::short(self.roster, r.body.envelope.by)).unwrap_or_default(),
            due_at,
            due_clock: due_at.map(|at| self.clock(at)).unwrap_or_default(),
            overdue: due_at.is_some_and(|at| at < self.now()),
        }
    }

    fn opened_at(&self, patient: &Patient) -> Option<Ms> {
        let opens = |e: &Option<Event>| matches!(e, Some(Event::StayOpened(_) | Event::StayProvisional(_)));
        patient.log.all(Shelf::Census).find(|r| opens(&r.body.event)).map(|r| self.frame.seen(r))
    }
}

/// One person with two patients at once is recorded, and said on both cards.
fn mark_double_watches(readings: &mut [Reading]) {
    let mut with: HashMap<StaffId, Vec<usize>> = HashMap::new();
    for (i, reading) in readings.iter().enumerate() {
        let is_watched = matches!(reading.card.state, CardState::Watched | CardState::Unwatched);
        for watching in reading.watching.iter().filter(|_| is_watched) {
            with.entry(watching.staff).or_default().push(i);
        }
    }
    let mut double: Vec<Vec<usize>> = with.into_values().filter(|at| at.len() > 1).collect();
    double.sort();
    for at in double {
        for i in &at {
            let others: Vec<String> = at.iter().filter(|j| *j != i).map(|j| readings[*j].card.bed.clone()).collect();
            readings[*i].card.line += &format!(" · also recorded with {}", others.join(", "));
        }
    }
}
