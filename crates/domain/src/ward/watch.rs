//! Continuous levels: who is recorded with the patient, since when.

use super::frame::Frame;
use super::log::{Log, Shelf};
use super::records::WardRecords;
use super::timeline::{OrderHeld, Standing, Timeline};
use crate::ids::StaffId;
use crate::kinds::Event;
use crate::level::Level;
use crate::record::Record;
use crate::time::Ms;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Watching {
    pub staff: StaffId,
    pub from: Ms,
    pub to: Option<Ms>,
}

impl WardRecords {
    /// Who is with the patient now, newest first. A watch ends by its end, when no continuous level holds any more or
    /// a pause begins, or by as many newer ones of other people as the order asks for: one on a 1:1, two on a 2:1. A
    /// watch that has ended does not come back, whatever is ordered afterwards.
    pub(super) fn watching(&self, log: &Log, line: &Timeline, frame: Frame, at_once: u8) -> Vec<Watching> {
        let mut newest: Vec<Watching> = Vec::new();
        for watching in self.all_watches(log, line, frame).into_iter().rev() {
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
    pub(super) fn watches(&self, log: &Log, line: &Timeline, frame: Frame, from: Ms, to: Ms) -> Vec<Watching> {
        let mut found = self.all_watches(log, line, frame);
        for i in 1..found.len() {
            let next = found[i].from;
            found[i - 1].to = Some(found[i - 1].to.map_or(next, |to| to.min(next)));
        }
        found.retain(|w| w.from < to && w.to.is_none_or(|end| end > from));
        found
    }

    /// By when they were seen, oldest first.
    fn all_watches(&self, log: &Log, line: &Timeline, frame: Frame) -> Vec<Watching> {
        let place = |r: &Record| (frame.seen(r), r.body.envelope.observed_at, r.id(), r.hash);
        let mut records: Vec<&Record> = log.all(Shelf::Watch).map(AsRef::as_ref).collect();
        records.sort_by_key(|r| place(r));
        records.into_iter().filter_map(|r| self.watch_of(r, line, frame)).collect()
    }

    fn watch_of(&self, record: &Record, line: &Timeline, frame: Frame) -> Option<Watching> {
        let Some(Event::WatchStarted { watcher }) = record.body.event else { return None };
        let from = begins(line, record, frame);
        let ends = self.about(record.id()).iter().filter(|r| matches!(r.body.event, Some(Event::WatchEnded { .. })));
        let left = ends.map(|r| frame.seen(r)).min();
        let asked_for =
            line.after(from, frame.now).find(|(_, standing)| !asks_for_a_person(standing)).map(|(at, _)| at);
        let never = (!asks_for_a_person(&line.at(from))).then_some(from);
        let to = [left, asked_for, never].into_iter().flatten().min();
        Some(Watching { staff: watcher, from, to })
    }
}

/// When it was seen. An order that it answers was there before it, whatever the clocks of station and tablet say and
/// however late the order was written down.
fn begins(line: &Timeline, record: &Record, frame: Frame) -> Ms {
    let seen = frame.seen(record);
    if asks_for_a_person(&line.at(seen)) {
        return seen;
    }
    let is_answered = |o: &&OrderHeld| {
        let named = Some(o.record.id()) == record.body.envelope.order;
        o.from > seen && matches!(o.order.level, Level::Continuous(_)) && (named || frame.seen(o.record) <= seen)
    };
    line.orders.iter().find(is_answered).map_or(seen, |o| o.from)
}

fn asks_for_a_person(standing: &Standing) -> bool {
    standing.pause.is_none() && standing.order.is_some_and(|o| matches!(o.order.level, Level::Continuous(_)))
}
