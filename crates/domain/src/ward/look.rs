//! One look at a ward: the records, the roster, who looks, and when.

use super::Viewpoint;
use super::frame::Frame;
use super::log::{Log, Shelf};
use super::records::WardRecords;
use super::words;
use crate::ids::{AuthorId, StayId, WardId};
use crate::kinds::{Code, Event, StayOpened};
use crate::record::Record;
use crate::roster::{Bed, Roster};
use crate::time::{MINUTE_MS, Ms, Now};
use chrono_tz::Tz;

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

/// A stay as the census has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patient<'a> {
    pub stay: StayId,
    pub log: &'a Log,
    pub person: &'a StayOpened,
    pub ward: WardId,
    /// None where the census gives no bed.
    pub bed: Option<&'a str>,
    pub precautions: &'a [Code],
    pub is_open: bool,
}

impl<'a> Patient<'a> {
    /// None for a stay that nobody has opened.
    pub fn of(stay: StayId, log: &'a Log) -> Option<Patient<'a>> {
        let (mut person, mut ward, mut bed, mut precautions) = (None, None, None, &[][..]);
        let mut is_open = true;
        for record in log.all(Shelf::Census) {
            match &record.body.event {
                Some(Event::StayOpened(opened)) => {
                    person = Some(opened);
                    ward = Some(record.body.envelope.ward);
                }
                Some(Event::StayPlaced { bed: label }) => {
                    bed = Some(label.as_str());
                    ward = Some(record.body.envelope.ward);
                }
                Some(Event::Precautions { codes }) => precautions = codes,
                Some(Event::StayClosed { .. }) => is_open = false,
                _ => {}
            }
        }
        Some(Patient { stay, log, person: person?, ward: ward?, bed, precautions, is_open })
    }

    /// "Garcia, Mateo"
    pub fn name(&self) -> String {
        match self.person.given.trim() {
            "" => self.person.family.clone(),
            given => format!("{}, {given}", self.person.family),
        }
    }

    /// "104A", or "no bed".
    pub fn bed_label(&self) -> &'a str {
        self.bed.unwrap_or("no bed")
    }
}

impl WardRecords {
    pub(super) fn patient(&self, stay: StayId) -> Option<Patient<'_>> {
        Patient::of(stay, self.stays.get(&stay)?)
    }

    /// The open stays of a ward in walking order; stays without a known bed come last.
    pub(super) fn patients<'a>(&'a self, roster: &Roster, ward: WardId) -> Vec<Patient<'a>> {
        let beds: &[Bed] = roster.ward(ward).map_or(&[], |w| &w.beds);
        let mut found: Vec<(usize, Patient)> = self
            .stays
            .iter()
            .filter_map(|(stay, log)| Patient::of(*stay, log))
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

    /// The stay is over, or the patient is on another ward now. False for a stay that nobody has opened.
    pub fn has_left(&self, stay: StayId, ward: WardId) -> bool {
        self.patient(stay).is_some_and(|p| !p.is_open || p.ward != ward)
    }

    /// True where nobody may leave the machine asleep: there are patients on the ward.
    pub fn anyone_on_ward(&self) -> bool {
        self.stays.iter().filter_map(|(stay, log)| Patient::of(*stay, log)).any(|p| p.is_open)
    }
}
