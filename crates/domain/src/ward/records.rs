//! All that is known of a ward, as a union of sets: taking a record twice, or in another order, changes nothing.

use super::clocks::Measured;
use super::frame::Frame;
use super::joins::Joins;
use super::log::{Log, Shelf, nominal, refers_to};
use crate::chain::Hash;
use crate::ids::{AuthorId, RecordId, StayId, TabletId, WardId};
use crate::kinds::Event;
use crate::record::Record;
use crate::roster::Roster;
use crate::time::{Ms, Now};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Checks of a stay that are kept however old they are. More than one, so that a retraction that arrives late still
/// finds the check before it.
const CHECKS_KEPT: usize = 8;
const WATCHES_KEPT: usize = 4;

/// All that is known of one ward. Records may be taken in any order and more than once: the result is the same.
#[derive(Clone, Debug, Default)]
pub struct WardRecords {
    held: HashMap<RecordId, Vec<Arc<Record>>>,
    pub(super) stays: BTreeMap<StayId, Log>,
    pub(super) joins: Joins,
    /// Records of no stay; concerns and emergencies stand here too.
    pub(super) wards: BTreeMap<WardId, Log>,
    /// What ends, answers or amends a record, by that record. It may be here before what it is about.
    about: HashMap<RecordId, Vec<Arc<Record>>>,
    pub(super) clocks: HashMap<TabletId, Measured>,
    /// Links under which a record was filed once more: a tablet with a new author files again what may be lost.
    filed_again: HashMap<(RecordId, Hash), BTreeSet<(AuthorId, u64)>>,
    /// The newest time at which the server had anything.
    pub(super) latest_receipt: Option<Ms>,
}

impl WardRecords {
    /// Takes a record in. True where it was new, or brought an earlier time of receipt or another link. One id with different bytes
    /// keeps both.
    pub fn take(&mut self, record: Record) -> bool {
        self.latest_receipt = self.latest_receipt.max(record.received_at);
        let same = self.held.get(&record.id()).and_then(|all| all.iter().find(|r| r.hash == record.hash)).cloned();
        let Some(held) = same else {
            self.insert(Arc::new(record));
            return true;
        };
        let received_at = match (held.received_at, record.received_at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let (author, seq) = (held.author, held.seq).min((record.author, record.seq));
        let again = (held.author, held.seq).max((record.author, record.seq));
        let is_new_link =
            again != (author, seq) && self.filed_again.entry((record.id(), record.hash)).or_default().insert(again);
        if (received_at, author, seq) == (held.received_at, held.author, held.seq) {
            return is_new_link;
        }
        self.remove(&held);
        self.insert(Arc::new(Record { received_at, author, seq, ..record }));
        true
    }

    /// Every version of a record that is held; more than one where two machines used one id.
    pub fn held(&self, id: RecordId) -> &[Arc<Record>] {
        self.held.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Every link under which the record is known to be filed.
    pub(super) fn filed(&self, record: &Record) -> impl Iterator<Item = (AuthorId, u64)> {
        let again = self.filed_again.get(&(record.id(), record.hash)).into_iter().flatten().copied();
        [(record.author, record.seq)].into_iter().chain(again)
    }

    /// How many records are held.
    pub fn len(&self) -> usize {
        self.held.values().map(Vec::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// What ends, answers or amends a record, in no particular order.
    pub(super) fn about(&self, id: RecordId) -> &[Arc<Record>] {
        self.about.get(&id).map_or(&[], Vec::as_slice)
    }

    fn insert(&mut self, record: Arc<Record>) {
        let envelope = &record.body.envelope;
        let shelf = Shelf::of(&record);
        match envelope.stay {
            Some(stay) => self.stays.entry(stay).or_default().insert(&record),
            None => self.wards.entry(envelope.ward).or_default().insert(&record),
        }
        if is_of_the_ward_too(shelf) {
            self.wards.entry(envelope.ward).or_default().insert(&record);
        }
        if let Some(of) = record.body.event.as_ref().and_then(refers_to) {
            self.about.entry(of).or_default().push(record.clone());
        }
        if let (Some(Event::ClockMeasured(measured)), Some(tablet)) = (&record.body.event, envelope.tablet) {
            self.clocks.entry(tablet).or_default().insert(&record, measured);
        }
        if let (Some(tablet), Some(_)) = (envelope.tablet, envelope.boot_id) {
            self.clocks.entry(tablet).or_default().note(&record);
        }
        self.held.entry(record.id()).or_default().push(record.clone());
        if matches!(record.body.event, Some(Event::StayJoined { .. } | Event::PatientMerged(_))) {
            self.joins.keep(&record);
        }
        self.read_as_one(&record, |log| log.insert(&record));
    }

    /// What a record says of stays that are one, and its place in their log.
    fn read_as_one(&mut self, record: &Record, log: impl FnOnce(&mut Log)) {
        if record.body.event.as_ref().is_some_and(|event| self.joins.depends_on(event)) {
            self.resolve();
        } else if let Some(one) = record.body.envelope.stay.and_then(|stay| self.joins.log_mut(stay)) {
            log(one);
        }
    }

    fn remove(&mut self, record: &Arc<Record>) {
        let envelope = &record.body.envelope;
        if let Some(log) = envelope.stay.and_then(|stay| self.stays.get_mut(&stay)) {
            log.remove(record);
        }
        if let Some(log) = self.wards.get_mut(&envelope.ward) {
            log.remove(record);
        }
        if let Some(of) = record.body.event.as_ref().and_then(refers_to) {
            take_out(&mut self.about, of, record);
        }
        if let (Some(Event::ClockMeasured(_)), Some(tablet)) = (&record.body.event, envelope.tablet)
            && let Some(measured) = self.clocks.get_mut(&tablet)
        {
            measured.remove(record);
        }
        if let Some(measured) = envelope.tablet.and_then(|tablet| self.clocks.get_mut(&tablet)) {
            measured.forget(record);
        }
        take_out(&mut self.held, record.id(), record);
        self.joins.drop(record);
        self.read_as_one(record, |log| log.remove(record));
    }

    /// Forgets observations older than `before`, except what still counts: standing records, each stay's last checks,
    /// concerns that no nurse acknowledged (unless the stay is over), emergencies that have not ended, and what amends
    /// or answers any of these.
    pub fn forget_before(&mut self, before: Ms, roster: &Roster, now: Now) {
        let (last, frame) = (before - 1, Frame::of(now, None));
        let mut old: Vec<Arc<Record>> = Vec::new();
        for log in self.stays.values().chain(self.wards.values()) {
            for shelf in Shelf::ALL.into_iter().filter(|s| !s.is_standing()) {
                let kept = match shelf {
                    Shelf::Check => CHECKS_KEPT,
                    Shelf::Watch => WATCHES_KEPT,
                    Shelf::Holding | Shelf::Verified | Shelf::Machine => 1,
                    _ => 0,
                };
                let is_open = |r: &Arc<Record>| match shelf {
                    Shelf::Concern => {
                        !self.nurse_acknowledged(r.id(), roster) && !self.is_over(r.body.envelope.stay, before)
                    }
                    Shelf::Emergency => !self.is_ended(r.id()),
                    _ => false,
                };
                let answers = matches!(shelf, Shelf::Answer | Shelf::Amendment);
                let gone = log.shelf(shelf, Ms(i64::MIN), last).rev().skip(kept);
                // What this boot wrote is as old as its boot clock says, wherever its wall clock stood.
                let gone = gone.filter(|r| frame.seen(r) < before && !is_open(r) && !answers);
                old.extend(gone.cloned());
            }
        }
        for record in &old {
            self.remove(record);
        }
        let is_held =
            |r: &Arc<Record>| r.body.event.as_ref().and_then(refers_to).is_some_and(|of| self.held.contains_key(&of));
        let orphans: Vec<Arc<Record>> =
            self.about.values().flatten().filter(|r| nominal(r) < before && !is_held(r)).cloned().collect();
        for record in &orphans {
            self.remove(record);
        }
        let held = &self.held;
        self.filed_again.retain(|(id, _), _| held.contains_key(id));
    }

    /// A technician's acknowledgement clears nothing.
    pub(super) fn nurse_acknowledged(&self, concern: RecordId, roster: &Roster) -> bool {
        self.about(concern)
            .iter()
            .any(|r| matches!(r.body.event, Some(Event::Acknowledged { .. })) && roster.is_nurse(r.body.envelope.by))
    }

    /// The stay was closed before this moment, and that was written down before it too.
    fn is_over(&self, stay: Option<StayId>, before: Ms) -> bool {
        let stay = stay.map(|stay| self.resolved(stay));
        let census = stay.and_then(|stay| self.stays.get(&stay)).into_iter().flat_map(|log| log.all(Shelf::Census));
        let mut closings = census.filter(|r| matches!(r.body.event, Some(Event::StayClosed { .. })));
        closings.any(|r| nominal(r).max(r.body.envelope.recorded_at) < before)
    }

    pub(super) fn is_ended(&self, emergency: RecordId) -> bool {
        self.about(emergency).iter().any(|r| matches!(r.body.event, Some(Event::EmergencyEnded { .. })))
    }
}

/// Concerns and emergencies are the whole ward's business, also where they name a patient.
fn is_of_the_ward_too(shelf: Shelf) -> bool {
    matches!(shelf, Shelf::Concern | Shelf::Emergency)
}

fn take_out(from: &mut HashMap<RecordId, Vec<Arc<Record>>>, id: RecordId, record: &Record) {
    if let Some(all) = from.get_mut(&id) {
        all.retain(|r| (r.id(), r.hash) != (record.id(), record.hash));
        if all.is_empty() {
            from.remove(&id);
        }
    }
}
