//! The fold: records of a ward, kept so that a board is worked out without walking through all of them. Taking records
//! in another order, or some of them twice, gives the same result.

use crate::chain::Hash;
use crate::ids::{RecordId, StaffId, StayId, TabletId};
use crate::kinds::{AmendmentAction, Event, Order};
use crate::record::Record;
use crate::time::Ms;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// Sorts records by when they were seen; the id and hash only break ties, the same way everywhere.
pub(super) type Key = (Ms, RecordId, Hash);

/// All that is known of one ward.
#[derive(Clone, Debug, Default)]
pub struct WardRecords {
    /// By stay; None holds the events of the ward itself.
    pub(super) stays: BTreeMap<Option<StayId>, StayRecords>,
    /// Where each record stands.
    ids: BTreeMap<(RecordId, Hash), (Option<StayId>, Key)>,
    /// Records that say something about another: acknowledgements, ends, amendments, by what they are about.
    about: HashMap<RecordId, BTreeSet<(Option<StayId>, Key)>>,
    pub(super) concerns: BTreeSet<(Option<StayId>, Key)>,
    pub(super) emergencies: BTreeSet<(Option<StayId>, Key)>,
    /// Measurements of each tablet's clock: (time of the measurement, error in ms).
    pub(super) clocks: BTreeMap<TabletId, BTreeMap<Ms, i64>>,
}

/// The records of one stay, and the few that boards ask for again and again.
#[derive(Clone, Debug, Default)]
pub(super) struct StayRecords {
    pub records: BTreeMap<Key, Record>,
    pub checks: BTreeSet<Key>,
    /// Checks by the boot clock of the machine that wrote them.
    boots: BTreeMap<(Uuid, i64), BTreeSet<Key>>,
    /// Not done, heard, can't tell.
    pub tries: BTreeSet<Key>,
    pub opened: BTreeSet<Key>,
    pub placed: BTreeSet<Key>,
    pub closed: BTreeSet<Key>,
    pub precautions: BTreeSet<Key>,
    pub orders: BTreeSet<Key>,
    pub pauses: BTreeSet<Key>,
    pub watches: BTreeSet<Key>,
    /// Holdings and verifications of the ward.
    pub holdings: BTreeSet<Key>,
    pub verified: BTreeSet<Key>,
    /// The earliest end of an order, pause or watch, by what it ends.
    pub ended: HashMap<RecordId, Ms>,
    pub retracted: HashMap<RecordId, BTreeSet<Key>>,
    /// All amendments, by what they amend.
    pub amendments: HashMap<RecordId, BTreeSet<Key>>,
}

impl WardRecords {
    /// Takes a record in. True where it was new. A record that is held already may bring its time of receipt.
    pub fn take(&mut self, record: Record) -> bool {
        let at = (record.id(), record.hash);
        match self.ids.get(&at).copied() {
            None => {
                self.put(record);
                true
            }
            Some((stay, key)) => {
                let rank = |r: &Record| (r.received_at.is_none(), r.received_at, r.author, r.seq);
                let held = self.stays.get(&stay).and_then(|s| s.records.get(&key));
                if held.is_some_and(|held| rank(&record) < rank(held)) {
                    self.remove(stay, key);
                    self.put(record);
                }
                false
            }
        }
    }

    /// Forgets observations older than `before`, except what still counts: each stay's last check, standing records.
    pub fn forget_before(&mut self, before: Ms) {
        let mut gone = Vec::new();
        for (stay, held) in &self.stays {
            let last = held.counted_checks().next().map(|(k, _)| *k);
            let old = held.records.iter().take_while(|(k, _)| k.0 < before);
            gone.extend(old.filter(|(k, r)| !stands(r) && Some(**k) != last).map(|(k, _)| (*stay, *k)));
        }
        for (stay, key) in gone {
            let open = self.concerns.contains(&(stay, key)) || self.emergencies.contains(&(stay, key));
            if !open || self.answers(key.1).next().is_some() {
                self.remove(stay, key);
            }
        }
        for measured in self.clocks.values_mut() {
            *measured = measured.split_off(&before);
        }
    }

    /// A record by its id; where two share it, the one with the smaller hash.
    pub(super) fn by_id(&self, id: RecordId) -> Option<&Record> {
        let (_, at) = self.ids.range((id, Hash::ZERO)..=(id, Hash([255; 32]))).next()?;
        self.get(at)
    }

    /// Acknowledgements, ends and amendments of a record, oldest first.
    pub(super) fn answers(&self, of: RecordId) -> impl Iterator<Item = &Record> {
        let mut found: Vec<_> = self.about.get(&of).into_iter().flatten().collect();
        found.sort_by_key(|(_, key)| *key);
        found.into_iter().filter_map(|(stay, key)| self.stays.get(stay)?.records.get(key))
    }

    pub(super) fn stay(&self, id: StayId) -> Option<&StayRecords> {
        self.stays.get(&Some(id))
    }

    pub(super) fn get(&self, at: &(Option<StayId>, Key)) -> Option<&Record> {
        self.stays.get(&at.0)?.records.get(&at.1)
    }

    /// Stays that are open now.
    pub(super) fn open(&self) -> impl Iterator<Item = (StayId, &StayRecords)> {
        self.stays.iter().filter_map(|(id, stay)| Some(((*id)?, stay))).filter(|(_, s)| s.is_open())
    }

    fn put(&mut self, record: Record) {
        let stay = record.body.envelope.stay;
        let key = key_of(&record);
        self.ids.insert((key.1, key.2), (stay, key));
        if let Some(of) = about(&record) {
            self.about.entry(of).or_default().insert((stay, key));
        }
        match &record.body.event {
            Some(Event::Concern { .. }) => drop(self.concerns.insert((stay, key))),
            Some(Event::Emergency { .. }) => drop(self.emergencies.insert((stay, key))),
            Some(Event::ClockMeasured(c)) => {
                if let Some(tablet) = record.body.envelope.tablet {
                    self.clocks.entry(tablet).or_default().insert(c.wall, c.wall - c.server);
                }
            }
            _ => {}
        }
        self.stays.entry(stay).or_default().put(key, record);
    }

    fn remove(&mut self, stay: Option<StayId>, key: Key) {
        let Some(record) = self.stays.get_mut(&stay).and_then(|s| s.remove(&key)) else { return };
        self.ids.remove(&(key.1, key.2));
        if let Some(set) = about(&record).and_then(|of| self.about.get_mut(&of)) {
            set.remove(&(stay, key));
        }
        self.concerns.remove(&(stay, key));
        self.emergencies.remove(&(stay, key));
    }
}

impl StayRecords {
    /// Checks that count (seen at the time, not retracted), newest first.
    pub fn counted_checks(&self) -> impl Iterator<Item = (&Key, &Record)> {
        self.checks.iter().rev().filter_map(|k| Some((k, self.records.get(k)?))).filter(|(_, r)| self.counts(r))
    }

    /// The same by boot clock, of one boot.
    pub fn counted_in_boot(&self, boot: Uuid) -> impl Iterator<Item = &Record> {
        let keys = self.boots.range((boot, i64::MIN)..=(boot, i64::MAX)).rev().flat_map(|(_, keys)| keys.iter().rev());
        keys.filter_map(|k| self.records.get(k)).filter(|r| self.counts(r))
    }

    /// Only *seen*, written down at the time, and never retracted, closes a gap.
    pub fn counts(&self, record: &Record) -> bool {
        matches!(record.body.event, Some(Event::Check(_)))
            && !record.body.envelope.is_late_entry()
            && !self.retracted.contains_key(&record.id())
    }

    pub fn is_open(&self) -> bool {
        !self.opened.is_empty() && self.closed.is_empty()
    }

    /// Orders with when they began and ended, oldest first.
    pub fn orders(&self) -> Vec<HeldOrder<'_>> {
        let mut all: Vec<HeldOrder<'_>> = self
            .orders
            .iter()
            .filter_map(|k| match &self.records.get(k)?.body.event {
                Some(Event::Order(order)) => {
                    Some(HeldOrder { id: k.1, from: k.0, to: self.ended.get(&k.1).copied(), order })
                }
                _ => None,
            })
            .collect();
        let replaced: Vec<(RecordId, Ms)> =
            all.iter().flat_map(|o| o.order.replaces.iter().map(|r| (*r, o.from))).collect();
        for (id, at) in replaced {
            for held in all.iter_mut().filter(|o| o.id == id) {
                held.to = Some(held.to.map_or(at, |to| to.min(at)));
            }
        }
        all
    }

    /// Who is with the patient at a moment, since when.
    pub fn watcher_at(&self, at: Ms) -> Option<(StaffId, Ms, RecordId)> {
        let key = self.watches.iter().rev().find(|k| k.0 <= at)?;
        match &self.records.get(key)?.body.event {
            Some(Event::WatchStarted { watcher }) if self.ended.get(&key.1).is_none_or(|end| *end > at) => {
                Some((*watcher, key.0, key.1))
            }
            _ => None,
        }
    }

    fn put(&mut self, key: Key, record: Record) {
        if let Some(set) = self.set_of(&record) {
            set.insert(key);
        }
        let envelope = &record.body.envelope;
        match &record.body.event {
            Some(Event::Check(_)) => {
                if let (Some(boot), Some(ms)) = (envelope.boot_id, envelope.boot_ms) {
                    self.boots.entry((boot, ms)).or_default().insert(key);
                }
            }
            Some(Event::OrderEnded { of, .. } | Event::PauseEnded { of } | Event::WatchEnded { of }) => {
                let end = self.ended.entry(*of).or_insert(key.0);
                *end = key.0.min(*end);
            }
            Some(Event::Amendment(a)) => {
                self.amendments.entry(a.of).or_default().insert(key);
                if a.action == AmendmentAction::Retract {
                    self.retracted.entry(a.of).or_default().insert(key);
                }
            }
            _ => {}
        }
        self.records.insert(key, record);
    }

    fn remove(&mut self, key: &Key) -> Option<Record> {
        let record = self.records.remove(key)?;
        if let Some(set) = self.set_of(&record) {
            set.remove(key);
        }
        let envelope = &record.body.envelope;
        if let (Some(boot), Some(ms)) = (envelope.boot_id, envelope.boot_ms)
            && let Some(keys) = self.boots.get_mut(&(boot, ms))
        {
            keys.remove(key);
            if keys.is_empty() {
                self.boots.remove(&(boot, ms));
            }
        }
        // What a record ended or retracted stays so: the same record is only put back with its time of receipt.
        Some(record)
    }

    fn set_of(&mut self, record: &Record) -> Option<&mut BTreeSet<Key>> {
        Some(match record.body.event.as_ref()? {
            Event::Check(_) => &mut self.checks,
            Event::NotDone { .. } | Event::Heard { .. } | Event::CantTell { .. } => &mut self.tries,
            Event::StayOpened(_) => &mut self.opened,
            Event::StayPlaced { .. } => &mut self.placed,
            Event::StayClosed { .. } => &mut self.closed,
            Event::Precautions { .. } => &mut self.precautions,
            Event::Order(_) => &mut self.orders,
            Event::PauseStarted(_) => &mut self.pauses,
            Event::WatchStarted { .. } => &mut self.watches,
            Event::HoldingTaken { .. } => &mut self.holdings,
            Event::Verified { .. } => &mut self.verified,
            _ => return None,
        })
    }
}

/// An order with its ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeldOrder<'a> {
    pub id: RecordId,
    pub from: Ms,
    pub to: Option<Ms>,
    pub order: &'a Order,
}

impl HeldOrder<'_> {
    pub fn holds_at(&self, at: Ms) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }
}

/// When a record counts from, machine by machine unequal clocks allowed for: never later than the server had it.
fn key_of(record: &Record) -> Key {
    let observed = record.body.envelope.observed_at;
    (record.received_at.map_or(observed, |r| r.min(observed)), record.id(), record.hash)
}

fn about(record: &Record) -> Option<RecordId> {
    match record.body.event.as_ref()? {
        Event::Acknowledged { of, .. } | Event::EmergencyEnded { of, .. } | Event::OrderAcknowledged { of } => {
            Some(*of)
        }
        Event::Amendment(a) => Some(a.of),
        _ => None,
    }
}

/// Records that hold until something ends them, however old they are.
fn stands(record: &Record) -> bool {
    use Event::*;
    matches!(
        record.body.event,
        Some(
            StayOpened(_)
                | StayPlaced { .. }
                | StayClosed { .. }
                | Precautions { .. }
                | Order(_)
                | OrderEnded { .. }
                | OrderAcknowledged { .. }
                | PauseStarted(_)
                | PauseEnded { .. }
                | WatchStarted { .. }
                | WatchEnded { .. }
                | HoldingTaken { .. }
                | Verified { .. }
                | Amendment(_)
        )
    )
}
