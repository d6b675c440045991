//! What counts: which checks close a gap, and what amendments do to a record.

use super::frame::Frame;
use super::log::{Log, Shelf};
use super::records::WardRecords;
use crate::ids::RecordId;
use crate::kinds::{Amendment, AmendmentAction, Check, Event};
use crate::record::Record;
use crate::time::Ms;
use std::sync::Arc;

impl WardRecords {
    /// The newest check that closed a gap, seen at or before `upto`. Late entries stand on another shelf, and what
    /// was only heard, not told or not done is no check: none of them is ever found here.
    pub(super) fn last_counted<'a>(&self, log: &'a Log, frame: Frame, upto: Ms) -> Option<(Ms, &'a Arc<Record>)> {
        frame.newest(log, Shelf::Check, upto, |r| self.closes_a_gap(r, frame))
    }

    /// All checks that closed a gap in `from..to`, oldest first.
    pub(super) fn counted<'a>(&self, log: &'a Log, frame: Frame, from: Ms, to: Ms) -> Vec<(Ms, &'a Arc<Record>)> {
        let mut checks = frame.within(log, Shelf::Check, from, to);
        checks.retain(|(_, r)| self.closes_a_gap(r, frame));
        checks
    }

    /// Of a check on its own shelf: somebody signed for it, it can be said when it was, and nobody took it back.
    fn closes_a_gap(&self, check: &Record, frame: Frame) -> bool {
        check.body.envelope.by.is_some() && !frame.is_untimed(check) && !self.is_retracted(check.id())
    }

    pub(super) fn is_retracted(&self, id: RecordId) -> bool {
        self.retraction(id).is_some()
    }

    /// The first amendment that takes the record back. There is no way to take it back again: retracted stays
    /// retracted.
    pub(super) fn retraction(&self, id: RecordId) -> Option<(&Record, &Amendment)> {
        self.amendments(id).filter(|(_, a)| a.action == AmendmentAction::Retract).min_by_key(|(r, _)| written(r))
    }

    /// The newest correction of a check's words, with the words that hold now.
    pub(super) fn correction(&self, id: RecordId) -> Option<(&Record, Check)> {
        let corrections = self.amendments(id).filter_map(|(record, amendment)| match &amendment.action {
            AmendmentAction::CorrectCheck { place, activity } => {
                Some((record, Check { place: place.clone(), activity: activity.clone(), evidence: Vec::new() }))
            }
            _ => None,
        });
        corrections.max_by_key(|(record, _)| written(record))
    }

    /// Text that was added later, oldest first.
    pub(super) fn additions(&self, id: RecordId) -> Vec<(&Record, &str)> {
        let mut added: Vec<(&Record, &str)> = self
            .amendments(id)
            .filter_map(|(record, amendment)| match &amendment.action {
                AmendmentAction::Add { words } => Some((record, words.as_str())),
                _ => None,
            })
            .collect();
        added.sort_by_key(|(record, _)| written(record));
        added
    }

    /// Only what people observed can be amended; an amendment of anything else changes nothing.
    fn amendments(&self, id: RecordId) -> impl Iterator<Item = (&Record, &Amendment)> {
        let is_amendable = self.held(id).first().is_some_and(|r| r.body.event.as_ref().is_some_and(is_amendable));
        self.about(id).iter().filter(move |_| is_amendable).filter_map(|record| match &record.body.event {
            Some(Event::Amendment(amendment)) => Some((record.as_ref(), amendment)),
            _ => None,
        })
    }
}

/// What a person observed and wrote down. Orders, pauses and watches are ended instead, emergencies too.
pub(super) fn is_amendable(event: &Event) -> bool {
    matches!(
        event,
        Event::Check(_)
            | Event::Heard { .. }
            | Event::CantTell { .. }
            | Event::NotDone { .. }
            | Event::Mood(_)
            | Event::Behaviour(_)
            | Event::Note { .. }
            | Event::Concern { .. }
    )
}

/// Sorts records that say something about the same thing.
fn written(record: &Record) -> (Ms, RecordId, crate::chain::Hash) {
    (record.body.envelope.recorded_at, record.id(), record.hash)
}
