//! Where records stand in memory: by what they are and when, so that a board looks only at what it needs.

use crate::chain::Hash;
use crate::ids::RecordId;
use crate::kinds::Event;
use crate::record::Record;
use crate::time::Ms;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// What a record is to the ward. A new kind of record gets its place here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shelf {
    Census,
    Order,
    Pause,
    Watch,
    /// Checks that were written down when they were seen: the only ones that can close a gap.
    Check,
    /// Checks for which a past time was given.
    LateCheck,
    /// Heard only, can't tell, not done.
    Tried,
    Mood,
    Entry,
    Concern,
    Emergency,
    /// Ends or answers another record.
    Answer,
    Amendment,
    Holding,
    Verified,
    Tablet,
    /// What machines say about themselves.
    Machine,
    Unknown,
}

impl Shelf {
    pub const ALL: [Shelf; 18] = [
        Shelf::Census,
        Shelf::Order,
        Shelf::Pause,
        Shelf::Watch,
        Shelf::Check,
        Shelf::LateCheck,
        Shelf::Tried,
        Shelf::Mood,
        Shelf::Entry,
        Shelf::Concern,
        Shelf::Emergency,
        Shelf::Answer,
        Shelf::Amendment,
        Shelf::Holding,
        Shelf::Verified,
        Shelf::Tablet,
        Shelf::Machine,
        Shelf::Unknown,
    ];

    pub fn of(record: &Record) -> Shelf {
        match &record.body.event {
            None => Shelf::Unknown,
            Some(event) => match event {
                Event::StayOpened(_) | Event::StayPlaced { .. } | Event::StayClosed { .. } => Shelf::Census,
                Event::StayProvisional(_) | Event::Precautions { .. } => Shelf::Census,
                Event::StayJoined { .. } | Event::PatientMerged(_) | Event::JoinEnded { .. } => Shelf::Census,
                Event::Order(_) => Shelf::Order,
                Event::PauseStarted(_) => Shelf::Pause,
                Event::WatchStarted { .. } => Shelf::Watch,
                Event::Check(_) if is_now(record) => Shelf::Check,
                Event::Check(_) => Shelf::LateCheck,
                Event::Heard { .. } | Event::CantTell { .. } | Event::NotDone { .. } => Shelf::Tried,
                Event::Mood(_) => Shelf::Mood,
                Event::Behaviour(_) | Event::Note { .. } => Shelf::Entry,
                Event::Concern { .. } => Shelf::Concern,
                Event::Emergency { .. } => Shelf::Emergency,
                Event::OrderEnded { .. } | Event::OrderAcknowledged { .. } | Event::PauseEnded { .. } => Shelf::Answer,
                Event::WatchEnded { .. } | Event::Acknowledged { .. } | Event::EmergencyEnded { .. } => Shelf::Answer,
                Event::Amendment(_) => Shelf::Amendment,
                Event::HoldingTaken { .. } => Shelf::Holding,
                Event::Verified { .. } => Shelf::Verified,
                Event::TabletJoined { .. } | Event::TabletRevoked { .. } | Event::TabletMoved { .. } => Shelf::Tablet,
                Event::Silenced { .. } | Event::ClockMeasured(_) | Event::RecordsMissing(_) => Shelf::Machine,
                Event::AccessGiven(_) | Event::Audit(_) => Shelf::Machine,
                Event::Claimed { .. } => Shelf::Answer,
            },
        }
    }

    /// Kept when old observations are forgotten: what still says how things stand.
    pub fn is_standing(self) -> bool {
        matches!(self, Shelf::Census | Shelf::Order | Shelf::Pause | Shelf::Tablet)
    }
}

/// No past time was given: it was written down when it was observed.
pub(super) fn is_now(record: &Record) -> bool {
    record.body.envelope.observed_at == record.body.envelope.recorded_at
}

/// The record that this one ends, answers or amends.
pub fn refers_to(event: &Event) -> Option<RecordId> {
    match event {
        Event::OrderEnded { of, .. }
        | Event::OrderAcknowledged { of }
        | Event::PauseEnded { of }
        | Event::WatchEnded { of }
        | Event::JoinEnded { of, .. }
        | Event::Acknowledged { of, .. }
        | Event::Claimed { of }
        | Event::EmergencyEnded { of, .. } => Some(*of),
        Event::Amendment(amendment) => Some(amendment.of),
        _ => None,
    }
}

/// When a record is taken to have been observed, whoever reads it: a time that lies after the server had it is
/// no time that can be believed (docs/what-counts.md).
pub(super) fn nominal(record: &Record) -> Ms {
    let observed = record.body.envelope.observed_at;
    record.received_at.map_or(observed, |received| received.min(observed))
}

type Place = (Shelf, Ms, RecordId, Hash);

/// Records of one stay, or of a ward as a whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    shelves: BTreeMap<Place, Arc<Record>>,
    /// The same by the boot clock of the machine that wrote them.
    by_boot: BTreeMap<(Uuid, i64, RecordId, Hash), Arc<Record>>,
}

fn place(record: &Record) -> Place {
    (Shelf::of(record), nominal(record), record.id(), record.hash)
}

fn boot_place(record: &Record) -> Option<(Uuid, i64, RecordId, Hash)> {
    let envelope = &record.body.envelope;
    Some((envelope.boot_id?, envelope.boot_ms?, record.id(), record.hash))
}

const FIRST: (RecordId, Hash) = (RecordId(Uuid::nil()), Hash([0; 32]));
const LAST: (RecordId, Hash) = (RecordId(Uuid::max()), Hash([0xff; 32]));

impl Log {
    pub fn insert(&mut self, record: &Arc<Record>) {
        self.shelves.insert(place(record), record.clone());
        if let Some(at) = boot_place(record) {
            self.by_boot.insert(at, record.clone());
        }
    }

    /// Takes in everything that another log holds.
    pub fn extend(&mut self, other: &Log) {
        other.shelves.values().for_each(|record| self.insert(record));
    }

    pub fn remove(&mut self, record: &Record) {
        self.shelves.remove(&place(record));
        if let Some(at) = boot_place(record) {
            self.by_boot.remove(&at);
        }
    }

    /// One shelf, oldest first, with nominal times in `from..=to`.
    pub fn shelf(&self, shelf: Shelf, from: Ms, to: Ms) -> impl DoubleEndedIterator<Item = &Arc<Record>> {
        // An empty stretch instead of a panic where the two ends are the wrong way round.
        let to = to.max(from);
        self.shelves.range((shelf, from, FIRST.0, FIRST.1)..=(shelf, to, LAST.0, LAST.1)).map(|(_, record)| record)
    }

    pub fn all(&self, shelf: Shelf) -> impl DoubleEndedIterator<Item = &Arc<Record>> {
        self.shelf(shelf, Ms(i64::MIN), Ms(i64::MAX))
    }

    /// Written in one boot of one machine at `from..=to` of its boot clock, oldest first.
    pub fn of_boot(&self, boot: Uuid, from: i64, to: i64) -> impl DoubleEndedIterator<Item = &Arc<Record>> {
        let to = to.max(from);
        self.by_boot.range((boot, from, FIRST.0, FIRST.1)..=(boot, to, LAST.0, LAST.1)).map(|(_, record)| record)
    }
}
