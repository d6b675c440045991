//! One look at a ward: the records, the roster, who looks, and when.

use super::Viewpoint;
use super::frame::Frame;
use super::log::{Log, Shelf, nominal};
use super::records::WardRecords;
use super::words;
use crate::ids::{AuthorId, RecordId, StayId, WardId};
use crate::kinds::{Code, Event, StayOpened, StayProvisional};
use crate::record::Record;
use crate::roster::{Bed, Roster};
use crate::time::{MINUTE_MS, Ms, Now};
use chrono_tz::Tz;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'a> {
    pub records: &'a WardRecords,
    pub roster: &'a Roster,
    pub view: Viewpoint,
    pub frame: Frame,
}

impl<'a> Look<'a> {
    pub fn new(records: &'a WardRecords, roster: &'a Roster, view: Viewpoint, now: Now) -> Look<'a> {
        Look { records, roster, view, frame: Frame::of(now, records.latest_receipt) }
    }
    pub fn now(&self) -> Ms {
        self.frame.now
    }
    pub fn zone(&self) -> Tz {
        self.roster.facility.zone
    }
    pub fn clock(&self, at: Ms) -> String {
        words::clock_near(at, self.now(), self.zone())
    }
    pub fn tolerance_ms(&self) -> i64 {
        i64::from(self.roster.settings.tolerance_minutes) * MINUTE_MS
    }
    /// "facility tolerance 1 min"; empty where there is none.
    pub fn tolerance_words(&self) -> String {
        match self.roster.settings.tolerance_minutes {
            0 => String::new(),
            minutes => format!("facility tolerance {minutes} min"),
        }
    }
    /// The ward's records that name no patient, and its concerns and emergencies.
    pub fn ward_log(&self, ward: WardId) -> Option<&'a Log> {
        self.records.wards.get(&ward)
    }
    /// The facility server holds it.
    pub fn is_confirmed(&self, record: &Record) -> bool {
        match self.view {
            Viewpoint::Station => true,
            // The numbers of two authors say nothing about each other.
            Viewpoint::Tablet { author, confirmed, .. } => {
                let is_own = |(by, seq): (AuthorId, u64)| Some(by) == author && seq <= confirmed;
                record.received_at.is_some() || self.records.filed(record).any(is_own)
            }
        }
    }
}

/// A stay as the census has it, with every stay that is read as one with it.
#[derive(Clone, Debug)]
pub(super) struct Patient<'a> {
    pub stay: StayId,
    pub log: &'a Log,
    pub known_as: KnownAs<'a>,
    pub ward: WardId,
    /// None where the census gives no bed.
    pub bed: Option<&'a str>,
    pub precautions: Vec<Code>,
    pub is_open: bool,
    /// Where else a transfer that disagrees with the newest one sent the patient, and the record of it.
    pub also_sent_to: Option<&'a Record>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum KnownAs<'a> {
    Admitted(&'a StayOpened),
    Provisional(&'a StayProvisional),
}

impl<'a> Patient<'a> {
    /// None for a stay that nobody has opened. Who the patient is, where, and whether still here, only the stay's own
    /// census says; what was found out by joining another stay to it adds to its precautions.
    pub fn of(stay: StayId, log: &'a Log) -> Option<Patient<'a>> {
        let (mut opened, mut provisional, mut begun_on) = (None, None, None);
        let mut placed: Vec<(&'a Record, &'a str, Option<WardId>)> = Vec::new();
        let mut precautions: BTreeMap<Option<StayId>, &[Code]> = BTreeMap::new();
        let mut is_open = true;
        for record in log.all(Shelf::Census) {
            let envelope = &record.body.envelope;
            let is_own = envelope.stay == Some(stay);
            match &record.body.event {
                Some(Event::Precautions { codes }) => {
                    precautions.insert(envelope.stay.filter(|_| !is_own), codes);
                }
                _ if !is_own => {}
                Some(Event::StayOpened(own)) => (opened, begun_on) = (Some(own), Some(envelope.ward)),
                Some(Event::StayProvisional(own)) => {
                    provisional = Some(own);
                    begun_on = begun_on.or(Some(envelope.ward));
                }
                Some(Event::StayPlaced { bed, from }) => placed.push((record, bed, *from)),
                Some(Event::StayClosed { .. }) => is_open = false,
                _ => {}
            }
        }
        let known_as = opened.map(KnownAs::Admitted).or(provisional.map(KnownAs::Provisional))?;
        let newest = placed.last();
        let first_bed = || provisional.map(|p| p.bed.as_str()).filter(|bed| !bed.is_empty());
        Some(Patient {
            stay,
            log,
            known_as,
            // Where the stay began says less than where the patient was put since, whatever their clocks say.
            ward: newest.map(|(record, ..)| record.body.envelope.ward).or(begun_on)?,
            bed: newest.map(|(_, bed, _)| *bed).or_else(first_bed),
            precautions: precautions.into_values().flatten().cloned().collect(),
            is_open,
            also_sent_to: disagreeing(&placed),
        })
    }

    /// "Garcia, Mateo"; of a provisional stay what is known.
    pub fn name(&self) -> String {
        match self.known_as {
            KnownAs::Provisional(known) => known.words.clone(),
            KnownAs::Admitted(person) => match person.given.trim() {
                "" => person.family.clone(),
                given => format!("{}, {given}", person.family),
            },
        }
    }

    /// What names are compared by.
    pub fn family(&self) -> &'a str {
        match self.known_as {
            KnownAs::Provisional(known) => &known.words,
            KnownAs::Admitted(person) => &person.family,
        }
    }

    pub fn person(&self) -> Option<&'a StayOpened> {
        match self.known_as {
            KnownAs::Admitted(person) => Some(person),
            KnownAs::Provisional(_) => None,
        }
    }

    pub fn is_provisional(&self) -> bool {
        self.person().is_none()
    }

    /// "104A", or "no bed".
    pub fn bed_label(&self) -> &'a str {
        self.bed.unwrap_or("no bed")
    }
}

/// The transfer before the newest one, where both left the same ward for another: nobody knew of the other's. The later
/// one holds.
fn disagreeing<'a>(placed: &[(&'a Record, &'a str, Option<WardId>)]) -> Option<&'a Record> {
    let [.., (before, _, left_before), (newest, _, left)] = placed else { return None };
    let apart = before.body.envelope.ward != newest.body.envelope.ward;
    let is_conflict = left.is_some() && left == left_before && *left != Some(before.body.envelope.ward);
    (apart && is_conflict).then_some(before)
}

impl WardRecords {
    pub(super) fn patient(&self, stay: StayId) -> Option<Patient<'_>> {
        Patient::of(self.resolved(stay), self.log(stay)?)
    }

    /// The open stays of a ward in walking order; stays without a known bed come last.
    pub(super) fn patients<'a>(&'a self, roster: &Roster, ward: WardId) -> Vec<Patient<'a>> {
        let beds: &[Bed] = roster.ward(ward).map_or(&[], |w| &w.beds);
        let mut found: Vec<(usize, Patient)> = self
            .standing_stays()
            .filter_map(|(stay, log)| Patient::of(stay, log))
            .filter(|p| p.is_open && p.ward == ward)
            .map(|p| (beds.iter().position(|b| Some(b.label.as_str()) == p.bed).unwrap_or(beds.len()), p))
            .collect();
        found.sort_by_key(|(at, p)| (*at, p.bed.is_none(), p.bed, p.stay));
        found.into_iter().map(|(_, p)| p).collect()
    }

    /// The open stays in walking order.
    pub fn open_stays(&self, roster: &Roster, ward: WardId) -> Vec<StayId> {
        self.patients(roster, ward).into_iter().map(|p| p.stay).collect()
    }

    /// May a tablet of this ward let go of what stands of a stay? Where it is over, or was never here: the feed of a ward
    /// tells only once what stands of a patient, who may come back. False for a stay that nobody has opened.
    pub fn may_be_forgotten(&self, stay: StayId, ward: WardId) -> bool {
        self.patient(stay).is_some_and(|p| !p.is_open || !self.wards_of(stay).contains(&ward))
    }

    /// True where nobody may leave the machine asleep: there are patients on the ward.
    pub fn anyone_on_ward(&self, ward: WardId) -> bool {
        self.standing_stays().filter_map(|(stay, log)| Patient::of(stay, log)).any(|p| p.is_open && p.ward == ward)
    }

    /// The ward on which the patient is, or was last; None for a stay that nobody has opened.
    pub fn ward_of(&self, stay: StayId) -> Option<WardId> {
        self.patient(stay).map(|p| p.ward)
    }

    /// What the census says of the person; None for a provisional stay, or one that nobody has opened.
    pub fn admitted(&self, stay: StayId) -> Option<&StayOpened> {
        self.patient(stay)?.person()
    }

    /// When the patient was put where they are now, or came; None for a stay that nobody has opened.
    pub fn placed_at(&self, stay: StayId) -> Option<Ms> {
        let stay = self.resolved(stay);
        let census = || self.stays.get(&stay).into_iter().flat_map(|log| log.all(Shelf::Census));
        let is_move = |r: &&Arc<Record>| matches!(r.body.event, Some(Event::StayPlaced { .. }));
        self.patient(stay)?;
        let newest = census().rfind(is_move).or_else(|| census().rfind(|r| places(r)));
        newest.map(|r| nominal(r))
    }

    /// The two newest transfers of a stay, where they disagree.
    pub fn disagreeing_transfers(&self, stay: StayId) -> Vec<RecordId> {
        let Some(patient) = self.patient(stay) else { return Vec::new() };
        let newest = patient.log.all(Shelf::Census).rfind(|r| {
            matches!(r.body.event, Some(Event::StayPlaced { .. })) && r.body.envelope.stay == Some(patient.stay)
        });
        patient.also_sent_to.map(Record::id).into_iter().zip(newest).flat_map(|(a, b)| [a, b.id()]).collect()
    }

    /// Every ward on which a stay, or one that is read as one with it, was opened or placed; sorted.
    pub fn wards_of(&self, stay: StayId) -> Vec<WardId> {
        let census = self.log(stay).into_iter().flat_map(|log| log.all(Shelf::Census));
        let mut wards: Vec<WardId> = census.filter(|r| places(r)).map(|r| r.body.envelope.ward).collect();
        wards.sort();
        wards.dedup();
        wards
    }
}

/// Says on which ward the patient is.
pub(super) fn places(record: &Record) -> bool {
    let event = record.body.event.as_ref();
    event.is_some_and(|e| matches!(e, Event::StayOpened(_) | Event::StayProvisional(_) | Event::StayPlaced { .. }))
}
