//! Continuous levels: who is recorded with the patient, since when.

use super::frame::Frame;
use super::log::{Log, Shelf};
use super::records::WardRecords;
use crate::ids::{RecordId, StaffId, StayId};
use crate::kinds::{Event, Order};
use crate::level::Level;
use crate::time::{Ms, Now};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Watching {
    pub record: RecordId,
    pub staff: StaffId,
    pub from: Ms,
    pub to: Option<Ms>,
}

impl WardRecords {
    /// Who is with the patient now, newest first. A watch ends by its end, or by as many newer ones of other people
    /// as the order asks for: one on a 1:1, two on a 2:1. A watch that a newer one ended does not come back.
    pub(super) fn watching(&self, log: &Log, frame: Frame, at_once: u8) -> Vec<Watching> {
        let mut newest: Vec<Watching> = Vec::new();
        for record in log.all(Shelf::Watch).rev() {
            let Some(watching) = self.watch_of(record, frame) else { continue };
            if newest.iter().all(|w| w.staff != watching.staff) {
                newest.push(watching);
            }
            if newest.len() >= usize::from(at_once.max(1)) {
                break;
            }
        }
        newest.retain(|w| w.to.is_none());
        newest
    }

    /// Watches that touch `from..to`, each until its end or the next one's start, oldest first.
    pub(super) fn watches(&self, log: &Log, frame: Frame, from: Ms, to: Ms) -> Vec<Watching> {
        let before = frame.newest(log, Shelf::Watch, from, |_| true);
        let since = before.map_or(from, |(at, _)| at);
        let mut found: Vec<Watching> = frame
            .within(log, Shelf::Watch, since, to)
            .into_iter()
            .filter_map(|(_, record)| self.watch_of(record, frame))
            .collect();
        for i in 1..found.len() {
            let next = found[i].from;
            found[i - 1].to = Some(found[i - 1].to.map_or(next, |to| to.min(next)));
        }
        found.retain(|w| w.to.is_none_or(|end| end > from));
        found
    }

    fn watch_of(&self, record: &crate::record::Record, frame: Frame) -> Option<Watching> {
        let Some(Event::WatchStarted { watcher }) = record.body.event else { return None };
        let ends = self.about(record.id()).iter().filter(|r| matches!(r.body.event, Some(Event::WatchEnded { .. })));
        let to = ends.map(|r| frame.seen(r)).min();
        Some(Watching { record: record.id(), staff: watcher, from: frame.seen(record), to })
    }

    /// The record of the watch in which this person is with this patient now.
    pub fn running_watch(&self, stay: StayId, staff: StaffId, now: Now) -> Option<RecordId> {
        let log = self.stays.get(&stay)?;
        self.watching(log, Frame::of(now, self.latest_receipt), self.ratio(stay))
            .into_iter()
            .find(|w| w.staff == staff)
            .map(|w| w.record)
    }

    /// How many people the order in force asks for.
    fn ratio(&self, stay: StayId) -> u8 {
        let order = self.order_in_force(stay).and_then(|id| self.held(id).first());
        match order.and_then(|r| r.body.event.as_ref()) {
            Some(Event::Order(Order { level: Level::Continuous(level), .. })) => level.ratio.0,
            _ => 1,
        }
    }
}
