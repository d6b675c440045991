//! Stays that are read as one, and patients that are one person. Entries never move: they are resolved here, each time,
//! from the joins that hold now.

use super::frame::Frame;
use super::log::{Log, Shelf, nominal};
use super::records::WardRecords;
use crate::chain::Hash;
use crate::ids::{PatientId, RecordId, StayId};
use crate::kinds::{Event, PatientMerged, StayOpened};
use crate::record::Record;
use crate::time::Ms;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything here follows from the records that are held; it is worked out anew when one of these says something else.
#[derive(Clone, Debug, Default)]
pub(super) struct Joins {
    /// Every join, taken back or not, in the order in which they count.
    records: BTreeMap<(Ms, RecordId, Hash), Arc<Record>>,
    /// What each joined stay is read as, and the record that says so. Never a circle.
    into: BTreeMap<StayId, (StayId, Arc<Record>)>,
    /// By the stay that others are read as: those others, and everything of all of them in one log.
    one: BTreeMap<StayId, (Vec<StayId>, Log)>,
    patients: BTreeMap<PatientId, PatientId>,
}

impl Joins {
    pub fn keep(&mut self, record: &Arc<Record>) {
        self.records.insert((nominal(record), record.id(), record.hash), record.clone());
    }

    pub fn drop(&mut self, record: &Record) {
        self.records.remove(&(nominal(record), record.id(), record.hash));
    }

    /// May this record change which stays are one? An opening may: nothing is joined into a stay that is not known.
    pub fn depends_on(&self, event: &Event) -> bool {
        match event {
            Event::StayJoined { .. } | Event::PatientMerged(_) | Event::JoinEnded { .. } => true,
            Event::StayOpened(_) | Event::StayProvisional(_) => !self.records.is_empty(),
            _ => false,
        }
    }

    /// The log of everything that is read as one with this stay; None where nothing else is.
    pub fn log_mut(&mut self, stay: StayId) -> Option<&mut Log> {
        let stands_for = self.resolved(stay);
        self.one.get_mut(&stands_for).map(|(_, log)| log)
    }

    fn resolved(&self, stay: StayId) -> StayId {
        self.chain(stay).last().map_or(stay, |(into, _)| *into)
    }

    /// The joins from this stay on, one after the other.
    fn chain(&self, stay: StayId) -> impl Iterator<Item = &(StayId, Arc<Record>)> {
        std::iter::successors(self.into.get(&stay), |(into, _)| self.into.get(into))
    }
}

/// From a key along what each leads to, without the key itself.
fn steps<K: Copy + Ord, V>(into: &BTreeMap<K, V>, from: K, next: impl Fn(&V) -> K) -> impl Iterator<Item = K> {
    std::iter::successors(Some(from), move |at| into.get(at).map(&next)).skip(1)
}

fn end<K: Copy + Ord, V>(into: &BTreeMap<K, V>, from: K, next: impl Fn(&V) -> K) -> K {
    steps(into, from, next).last().unwrap_or(from)
}

fn leads_to<K: Copy + Ord, V>(into: &BTreeMap<K, V>, from: K, to: K, next: impl Fn(&V) -> K) -> bool {
    from == to || steps(into, from, next).any(|step| step == to)
}

impl WardRecords {
    /// Works out anew which stays and which patients are one. Of several joins of one stay the newest holds; one that
    /// would close a circle, or joins into a stay that is not known here, does not.
    pub(super) fn resolve(&mut self) {
        let mut into: BTreeMap<StayId, (StayId, Arc<Record>)> = BTreeMap::new();
        let mut patients: BTreeMap<PatientId, PatientId> = BTreeMap::new();
        for record in self.joins.records.values().filter(|r| !self.is_taken_back(r.id())) {
            match (&record.body.event, record.body.envelope.stay) {
                (Some(Event::StayJoined { into: kept }), Some(stay)) => {
                    let circle = leads_to(&into, *kept, stay, |(next, _)| *next);
                    if !circle && self.is_opened(*kept) {
                        into.insert(stay, (*kept, record.clone()));
                    }
                }
                (Some(Event::PatientMerged(PatientMerged { patient, into: kept, .. })), _)
                    if !leads_to(&patients, *kept, *patient, |next| *next) =>
                {
                    patients.insert(*patient, *kept);
                }
                _ => {}
            }
        }
        let mut one: BTreeMap<StayId, (Vec<StayId>, Log)> = BTreeMap::new();
        for stay in into.keys() {
            one.entry(end(&into, *stay, |(next, _)| *next)).or_default().0.push(*stay);
        }
        for (stands_for, (others, log)) in &mut one {
            for stay in std::iter::once(stands_for).chain(&*others) {
                self.stays.get(stay).into_iter().for_each(|of_stay| log.extend(of_stay));
            }
        }
        (self.joins.into, self.joins.one, self.joins.patients) = (into, one, patients);
    }

    /// The stay that this one is read as: itself, where it was not joined to another.
    pub fn resolved(&self, stay: StayId) -> StayId {
        self.joins.resolved(stay)
    }

    /// Every stay that is read as one with this; the one that stands for all comes first.
    pub fn together(&self, stay: StayId) -> Vec<StayId> {
        let stands_for = self.resolved(stay);
        let others = self.joins.one.get(&stands_for).map_or(&[][..], |(others, _)| others);
        std::iter::once(stands_for).chain(others.iter().copied()).collect()
    }

    /// Everything that is read as this stay's.
    pub(super) fn log(&self, stay: StayId) -> Option<&Log> {
        let stay = self.resolved(stay);
        self.joins.one.get(&stay).map(|(_, log)| log).or_else(|| self.stays.get(&stay))
    }

    /// Each stay that stands for itself, with everything that is read as its.
    pub(super) fn standing_stays(&self) -> impl Iterator<Item = (StayId, &Log)> {
        let own = self.stays.keys().filter(|stay| !self.joins.into.contains_key(stay));
        own.filter_map(|stay| Some((*stay, self.log(*stay)?)))
    }

    /// From when a joined stay is part of the one that stands for it. None where it stands for itself.
    pub(super) fn joined_from(&self, stay: StayId, frame: Frame) -> Option<Ms> {
        self.joins.chain(stay).map(|(_, by)| frame.holds_from(by)).max()
    }

    /// The record that joined this stay to another; None where it stands for itself.
    pub(super) fn join_of(&self, stay: StayId) -> Option<&Record> {
        self.joins.into.get(&stay).map(|(_, by)| by.as_ref())
    }

    /// The joins by which other stays are read as this one, oldest first.
    pub(super) fn joins_of(&self, stay: StayId) -> Vec<&Arc<Record>> {
        let others = self.together(stay).into_iter().skip(1);
        let mut by: Vec<&Arc<Record>> = others.filter_map(|s| self.joins.into.get(&s).map(|(_, by)| by)).collect();
        by.sort_by_key(|r| (nominal(r), r.id(), r.hash));
        by
    }

    /// The merges in which this patient takes part, oldest first.
    pub(super) fn merges_of(&self, patient: PatientId) -> Vec<&Arc<Record>> {
        let person = self.person(patient);
        let merges = self.joins.records.values().filter(|r| !self.is_taken_back(r.id()));
        merges
            .filter(|r| match &r.body.event {
                Some(Event::PatientMerged(merged)) => self.person(merged.patient) == person,
                _ => false,
            })
            .collect()
    }

    /// Who a patient is known as.
    pub(super) fn person(&self, patient: PatientId) -> PatientId {
        end(&self.joins.patients, patient, |next| *next)
    }

    /// Other numbers under which this person, or a stay that is read as this one, stands in the census; sorted.
    pub(super) fn other_numbers(&self, stay: StayId, opened: Option<&StayOpened>) -> Vec<&str> {
        let mut numbers: Vec<&str> = Vec::new();
        for record in self.log(stay).into_iter().flat_map(|log| log.all(Shelf::Census)) {
            if let Some(Event::StayOpened(own)) = &record.body.event {
                numbers.push(&own.mrn);
            }
        }
        for merge in opened.map(|o| self.merges_of(o.patient)).unwrap_or_default() {
            if let Some(Event::PatientMerged(PatientMerged { mrn, into_mrn, .. })) = &merge.body.event {
                numbers.extend([mrn.as_str(), into_mrn.as_str()]);
            }
        }
        numbers.retain(|mrn| opened.is_none_or(|own| own.mrn != *mrn));
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    fn is_opened(&self, stay: StayId) -> bool {
        let opens = |r: &Arc<Record>| matches!(r.body.event, Some(Event::StayOpened(_) | Event::StayProvisional(_)));
        self.stays.get(&stay).is_some_and(|log| log.all(Shelf::Census).any(opens))
    }

    pub(super) fn is_taken_back(&self, join: RecordId) -> bool {
        self.about(join).iter().any(|r| matches!(r.body.event, Some(Event::JoinEnded { .. })))
    }
}
