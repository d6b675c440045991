//! The locked screen: rooms and given names, nothing that a patient who reads it could use.

use super::look::Look;
use super::words::{self, stretch_long};
use crate::ids::WardId;
use crate::roster::Staff;
use crate::views::{Card, CardState, Locked, LockedPerson, LockedRoom};
use crate::wire::ContactMark;

impl Look<'_> {
    pub fn locked(&self, ward: WardId, marks: &[ContactMark], waiting: u64) -> Locked {
        let patients = self.records.patients(self.roster, ward);
        let readings = self.readings(&patients, &self.contacts(ward, marks));
        let emergencies = self.emergencies(ward, &readings);
        let holder = self.holder(ward);
        let signal = self.signal(ward, &readings, &emergencies, holder.as_ref());
        let mut alarming: Vec<_> = readings.iter().filter(|r| r.card.state.alarms()).collect();
        alarming.sort_by_key(|r| (r.card.urgency, r.card.stay));
        let last_seen = |card: &Card| card.last_seen.as_ref().map(|seen| self.now() - seen.at);
        let words = |r: &&super::card::Reading| LockedRoom {
            bed: r.card.bed.clone(),
            words: room_words(&r.card, r.past_ms, last_seen(&r.card).unwrap_or(r.past_ms.saturating_add(r.limit_ms))),
        };
        Locked {
            ward_name: self.ward_name(ward),
            demo: self.roster.facility.demo,
            now: self.now(),
            clock: words::clock(self.now(), self.zone()),
            date: self.now().utc().with_timezone(&self.zone()).format("%A %-d %B").to_string(),
            overdue: alarming.iter().map(words).collect(),
            people: self.people(ward),
            waiting,
            emergencies: self.locked_emergencies(ward),
            signal,
        }
    }

    /// Whoever may sign in here, by given name; by number too where two share one.
    fn people(&self, ward: WardId) -> Vec<LockedPerson> {
        let signs_in = |p: &&Staff| {
            p.wards.contains(&ward) && p.role.signs_in_on_tablets() && self.roster.working(p.id, self.now()).is_some()
        };
        let mut people: Vec<&Staff> = self.roster.staff.iter().filter(signs_in).collect();
        people.sort_by(|a, b| (&a.given, &a.number, a.id).cmp(&(&b.given, &b.number, b.id)));
        let shared = |p: &Staff| people.iter().filter(|q| q.given == p.given).count() > 1;
        people
            .iter()
            .map(|p| LockedPerson {
                staff: p.id,
                given: p.given.clone(),
                number: if shared(p) { p.number.clone() } else { String::new() },
                role: p.role.words().to_owned(),
                until: p
                    .until
                    .map(|at| format!("until {}", words::clock_near(at, self.now(), self.zone())))
                    .unwrap_or_default(),
            })
            .collect()
    }
}

/// "Room 104A is overdue by 3 minutes". No time that is still left is said: patients read it.
fn room_words(card: &Card, past_ms: i64, unseen_ms: i64) -> String {
    let room = if card.room.is_empty() || card.bed == "no bed" {
        "A patient without a bed".to_owned()
    } else {
        format!("Room {}", card.bed)
    };
    match card.state {
        CardState::NotKnown => format!("{room}: no check known for {}", stretch_long(unseen_ms)),
        CardState::Unwatched => format!("{room}: nobody recorded with the patient"),
        CardState::DueBack => format!("{room}: not back on time"),
        CardState::NoLevel => format!("{room}: no level ordered"),
        _ => format!("{room} is overdue by {}", stretch_long(past_ms)),
    }
}
