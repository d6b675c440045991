//! Concerns that nobody has acknowledged and emergencies that go on.

use super::Viewpoint;
use super::card::Reading;
use super::claims::answers;
use super::log::{Log, Shelf, nominal};
use super::look::Look;
use super::{people, words};
use crate::chain::Hash;
use crate::ids::{AuthorId, StaffId, StayId, WardId};
use crate::kinds::{EmergencyKind, Event};
use crate::record::{Body, Record};
use crate::views::{CardState, LockedEmergency, OpenConcern, OpenEmergency};
use crate::wire::ContactMark;
use std::sync::Arc;

/// As many others as a person can keep in mind meanwhile.
const OTHERS_SHOWN: usize = 8;
const SHOUT: &str = "Use your alarm or shout.";

impl<'a> Look<'a> {
    /// Oldest first. Open until a nurse or charge nurse acknowledges: a technician's acknowledgement clears nothing,
    /// and taking a concern back does not either. A patient's concerns go with them to another ward.
    pub fn concerns(&self, ward: WardId) -> Vec<OpenConcern> {
        let is_open = |r: &&Arc<Record>| !self.records.nurse_acknowledged(r.id(), self.roster);
        let is_here = |r: &&Arc<Record>| self.ward_of(r.body.envelope.stay).unwrap_or(r.body.envelope.ward) == ward;
        self.all_of(Shelf::Concern)
            .into_iter()
            .filter(is_open)
            .filter(is_here)
            .filter_map(|record| {
                let Some(Event::Concern { words }) = &record.body.event else { return None };
                let at = self.frame.shown(record);
                let taken_back = if self.records.is_retracted(record.id()) { "taken back: " } else { "" };
                Some(OpenConcern {
                    record: record.id(),
                    stay: record.body.envelope.stay,
                    bed: self.bed(record.body.envelope.stay),
                    at,
                    clock: self.clock(at),
                    words: format!("{taken_back}{words}"),
                    by: people::short(self.roster, record.body.envelope.by),
                })
            })
            .collect()
    }

    /// Newest first, until they are ended.
    pub fn emergencies(&self, ward: WardId, readings: &[Reading]) -> Vec<OpenEmergency> {
        let mut open: Vec<OpenEmergency> =
            self.open_emergencies(ward).filter_map(|r| self.emergency(r, readings)).collect();
        open.reverse();
        open
    }

    /// Raised on this ward, or about a patient who is here now.
    fn open_emergencies(&self, ward: WardId) -> impl Iterator<Item = &'a Arc<Record>> {
        let is_here =
            move |r: &&Arc<Record>| r.body.envelope.ward == ward || self.ward_of(r.body.envelope.stay) == Some(ward);
        self.all_of(Shelf::Emergency).into_iter().filter(is_here).filter(|r| !self.records.is_ended(r.id()))
    }

    /// Of all wards, oldest first.
    fn all_of(&self, shelf: Shelf) -> Vec<&'a Arc<Record>> {
        let mut all: Vec<_> = self.records.wards.values().flat_map(|log: &Log| log.all(shelf)).collect();
        all.sort_by_key(|r| (nominal(r), r.id(), r.hash));
        all
    }

    /// Where the patient is now; None for nobody, for somebody unknown and for a stay that is over.
    fn ward_of(&self, stay: Option<StayId>) -> Option<WardId> {
        stay.and_then(|stay| self.records.patient(stay)).filter(|p| p.is_open).map(|p| p.ward)
    }

    fn emergency(&self, record: &Record, readings: &[Reading]) -> Option<OpenEmergency> {
        let Some(Event::Emergency { what, place }) = &record.body.event else { return None };
        let envelope = &record.body.envelope;
        let patient = envelope.stay.and_then(|stay| self.records.patient(stay));
        let last = patient.as_ref().and_then(|p| self.records.last_counted(p.log, self.frame, self.now()));
        let at = self.frame.shown(record);
        let acknowledged_by = self.answered_by(record).map(|staff| people::short(self.roster, Some(staff)));
        Some(OpenEmergency {
            record: record.id(),
            what: *what,
            title: what.words().to_owned(),
            stay: envelope.stay,
            place: where_it_is(&self.bed(envelope.stay), place),
            name: patient.map(|p| p.name()).unwrap_or_default(),
            last_seen: last.map(|(at, r)| self.seen_where(at, r)).unwrap_or_default(),
            at,
            clock: self.clock(at),
            by: match (envelope.by, self.made_by(record)) {
                (None, None) => "not signed in".to_owned(),
                (None, claimed) => format!("{}, as they said afterwards", people::short(self.roster, claimed)),
                (signed, _) => people::short(self.roster, signed),
            },
            may_claim: match self.view {
                Viewpoint::Tablet { signed_in: Some(person), .. } => self.may_claim(Some(person), record.id()).is_ok(),
                _ => false,
            },
            recorded: true,
            sent: self.is_confirmed(record),
            told: self.told(record, acknowledged_by.as_deref()),
            acknowledged_by,
            steps: self.steps(*what),
            others_due: others_due(readings, envelope.stay),
        })
    }

    /// A call for help that this tablet could not write down. None where `body` is no call for help.
    pub fn not_recorded(&self, ward: WardId, marks: &[ContactMark], body: Body) -> Option<OpenEmergency> {
        let patients = self.records.patients(self.roster, ward);
        let readings = self.readings(&patients, &self.contacts(ward, marks));
        // No chain has it: no link of any number confirms it.
        let author = AuthorId(uuid::Uuid::nil());
        let record = Record { body, hash: Hash::ZERO, author, seq: u64::MAX, received_at: None };
        let told = format!("This tablet has told nobody and could not record it. {SHOUT}");
        Some(OpenEmergency { told, recorded: false, ..self.emergency(&record, &readings)? })
    }

    /// The named person who took notice first, or who came. Whoever raised it has not answered it.
    fn answered_by(&self, emergency: &Record) -> Option<StaffId> {
        let raised_by = self.made_by(emergency);
        let answers = self.records.about(emergency.id()).iter().filter_map(|r| {
            let who = answers(r).filter(|who| Some(*who) != raised_by)?;
            self.roster.person(who).map(|_| ((self.frame.seen(r), r.id(), r.hash), who))
        });
        answers.min_by_key(|(when, _)| *when).map(|(_, who)| who)
    }

    /// Whom this has told, and nothing more hopeful than that.
    fn told(&self, record: &Record, answered_by: Option<&str>) -> String {
        if let Some(name) = answered_by {
            return format!("{name} has answered.");
        }
        let Viewpoint::Tablet { online, last_contact, .. } = self.view else {
            return "Nobody has answered yet. Go there, or send somebody, and acknowledge it.".to_owned();
        };
        let offline = match last_contact {
            Some(last) => format!("it is offline since {}", self.clock(last)),
            None => "it has not reached the station yet".to_owned(),
        };
        match (self.is_confirmed(record), online) {
            (false, true) => format!("This tablet has told nobody yet. {SHOUT}"),
            (false, false) => format!("This tablet has told nobody: {offline}. {SHOUT}"),
            (true, true) => format!("The nursing station has it; nobody has answered yet. {SHOUT}"),
            (true, false) => {
                format!("The nursing station has it; this tablet knows of no answer: {offline}. {SHOUT}")
            }
        }
    }

    /// Those that this tablet raised, without names of anybody; newest first.
    pub fn locked_emergencies(&self, ward: WardId) -> Vec<LockedEmergency> {
        let Viewpoint::Tablet { tablet: own, .. } = self.view else { return Vec::new() };
        let mut open: Vec<LockedEmergency> = self
            .open_emergencies(ward)
            .filter(|r| r.body.envelope.tablet == Some(own))
            .filter_map(|record| {
                let Some(Event::Emergency { what, .. }) = record.body.event else { return None };
                let acknowledged = self.answered_by(record).is_some();
                Some(LockedEmergency {
                    record: record.id(),
                    what,
                    title: what.words().to_owned(),
                    at: self.frame.shown(record),
                    acknowledged,
                    told: self.told(record, acknowledged.then_some("Somebody")),
                    steps: self.steps(what),
                })
            })
            .collect();
        open.reverse();
        open
    }

    fn seen_where(&self, at: crate::time::Ms, record: &Record) -> String {
        let place = match (self.records.correction(record.id()), &record.body.event) {
            (Some((_, check)), _) => check.place,
            (None, Some(Event::Check(check))) => check.place.clone(),
            _ => return String::new(),
        };
        format!("{} {}", self.clock(at), words::lower_first(&words::place(self.roster, &place)))
    }

    fn bed(&self, stay: Option<StayId>) -> String {
        stay.and_then(|stay| self.records.patient(stay)).map(|p| p.bed_label().to_owned()).unwrap_or_default()
    }

    /// The facility's own text; a plain minimum where it has written none.
    fn steps(&self, what: EmergencyKind) -> Vec<String> {
        let own = self.roster.settings.emergency_steps.iter().find(|(kind, steps)| *kind == what && !steps.is_empty());
        own.map_or_else(|| plain_steps(what).iter().map(|s| (*s).to_owned()).collect(), |(_, steps)| steps.clone())
    }
}

fn where_it_is(bed: &str, place: &str) -> String {
    match (bed, place.trim()) {
        (bed, "") => bed.to_owned(),
        ("", place) => place.to_owned(),
        (bed, place) if bed == place => bed.to_owned(),
        (bed, place) => format!("{bed}, {place}"),
    }
}

/// "102A in 2 min": who still needs a look while this goes on, most urgent first.
fn others_due(readings: &[Reading], but: Option<StayId>) -> Vec<String> {
    let is_owed = |r: &&Reading| {
        matches!(r.card.state, CardState::Due | CardState::Overdue | CardState::NotKnown | CardState::Unwatched)
    };
    let mut others: Vec<&Reading> = readings.iter().filter(is_owed).filter(|r| Some(r.card.stay) != but).collect();
    others.sort_by_key(|r| (r.card.urgency, r.card.stay));
    let said = |r: &&Reading| {
        let words = r.card.words.strip_prefix("due ").unwrap_or(&r.card.words);
        format!("{} {words}", r.card.bed)
    };
    others.iter().take(OTHERS_SHOWN).map(said).collect()
}

fn plain_steps(what: EmergencyKind) -> &'static [&'static str] {
    match what {
        EmergencyKind::NeedHelp => &["Use your alarm or shout.", "Stay where others can see you."],
        EmergencyKind::NotFound => {
            &["Use your alarm or shout.", "Look in the room, the bathroom and behind doors.", "Close the ward's doors."]
        }
        EmergencyKind::NotBreathing => {
            &["Use your alarm or shout.", "Begin resuscitation.", "Send somebody for the emergency bag."]
        }
        EmergencyKind::Danger => {
            &["Use your alarm or shout.", "Stay with the patient if it is safe.", "Send others away."]
        }
    }
}
