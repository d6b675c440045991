//! What held when: the orders and pauses of a stay as a line of changes.

use super::frame::Frame;
use super::log::{Log, Shelf};
use super::people::is_nurse;
use super::records::WardRecords;
use crate::ids::{RecordId, StayId};
use crate::kinds::{Event, Order, Pause};
use crate::record::Record;
use crate::roster::Roster;
use crate::time::Ms;

#[derive(Clone, Copy, Debug)]
pub(super) struct OrderHeld<'a> {
    pub record: &'a Record,
    pub order: &'a Order,
    pub from: Ms,
    pub to: Option<Ms>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct PauseHeld<'a> {
    pub record: &'a Record,
    pub pause: &'a Pause,
    pub from: Ms,
    pub to: Option<Ms>,
}

/// What holds from a moment on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing<'a> {
    /// The strictest order in force.
    pub order: Option<OrderHeld<'a>>,
    /// More than one order is in force.
    pub conflict: bool,
    pub pause: Option<PauseHeld<'a>>,
}

impl Standing<'_> {
    /// The limit of the clock that runs; None where none does: paused, continuous, no order.
    pub fn limit_ms(&self) -> Option<i64> {
        if self.pause.is_some() { None } else { self.order.and_then(|o| o.order.level.limit_ms()) }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Timeline<'a> {
    pub opened: Option<Ms>,
    pub closed: Option<Ms>,
    pub orders: Vec<OrderHeld<'a>>,
    pub pauses: Vec<PauseHeld<'a>>,
    /// Oldest first; each holds until the next.
    pub changes: Vec<(Ms, Standing<'a>)>,
}

impl<'a> Timeline<'a> {
    /// What held at a moment.
    pub fn at(&self, moment: Ms) -> Standing<'a> {
        let next = self.changes.partition_point(|(at, _)| *at <= moment);
        next.checked_sub(1).and_then(|i| self.changes.get(i)).map(|(_, s)| *s).unwrap_or_default()
    }

    /// Changes after `from`, up to and with `to`.
    pub fn after(&self, from: Ms, to: Ms) -> impl Iterator<Item = (Ms, Standing<'a>)> {
        self.changes.iter().copied().filter(move |(at, _)| *at > from && *at <= to)
    }
}

impl WardRecords {
    /// Works the line out from all orders and pauses of a stay; there are few of them however long it lasts.
    pub(super) fn timeline<'a>(&'a self, log: &'a Log, roster: &Roster, frame: Frame) -> Timeline<'a> {
        let mut line = Timeline::default();
        for record in log.all(Shelf::Census) {
            let at = frame.seen(record);
            match record.body.event {
                Some(Event::StayOpened(_)) => line.opened = Some(line.opened.map_or(at, |o| o.min(at))),
                Some(Event::StayClosed { .. }) => line.closed = Some(line.closed.map_or(at, |c| c.min(at))),
                _ => {}
            }
        }
        let no_sooner = |at: Ms| line.opened.map_or(at, |opened| at.max(opened));
        let orders = self.orders(log, frame);
        line.orders = orders.into_iter().map(|o| OrderHeld { from: no_sooner(o.from), ..o }).collect();
        for record in log.all(Shelf::Pause).filter(|r| is_nurse(roster, r.body.envelope.by)) {
            if let Some(Event::PauseStarted(pause)) = &record.body.event {
                let ended = |e: &Event| matches!(e, Event::PauseEnded { .. });
                let to = self.first_answer(record.id(), frame, ended);
                line.pauses.push(PauseHeld { record, pause, from: no_sooner(frame.seen(record)), to });
            }
        }
        line.pauses.sort_by_key(|p| (p.from, p.record.id(), p.record.hash));
        line.changes = changes(&line);
        line
    }

    /// Every order of a stay with the time that it held, oldest first.
    fn orders<'a>(&'a self, log: &'a Log, frame: Frame) -> Vec<OrderHeld<'a>> {
        let mut orders: Vec<OrderHeld> = log
            .all(Shelf::Order)
            .filter_map(|record| match &record.body.event {
                Some(Event::Order(order)) => Some(OrderHeld { record, order, from: frame.seen(record), to: None }),
                _ => None,
            })
            .collect();
        orders.sort_by_key(|o| (o.from, o.record.id(), o.record.hash));
        let ended = |e: &Event| matches!(e, Event::OrderEnded { .. });
        let ends: Vec<Option<Ms>> = (0..orders.len())
            .map(|i| {
                let id = orders[i].record.id();
                // Only a later order replaces: two that name each other do not both vanish.
                let replaced = orders[i + 1..].iter().find(|o| o.order.replaces.contains(&id)).map(|o| o.from);
                [self.first_answer(id, frame, ended), replaced].into_iter().flatten().min()
            })
            .collect();
        for (order, to) in orders.iter_mut().zip(ends) {
            order.to = to;
        }
        orders
    }

    /// The order in force for a stay: the strictest that holds. It goes into the `order` field of new entries.
    pub fn order_in_force(&self, stay: StayId) -> Option<RecordId> {
        let orders = self.orders(self.stays.get(&stay)?, Frame::of_all());
        let in_force = orders.iter().filter(|o| o.to.is_none());
        in_force
            .max_by_key(|o| (o.order.level.strictness(), o.from, o.record.id(), o.record.hash))
            .map(|o| o.record.id())
    }

    /// When the first answer of a kind came.
    fn first_answer(&self, of: RecordId, frame: Frame, is_meant: impl Fn(&Event) -> bool) -> Option<Ms> {
        let meant = self.about(of).iter().filter(|r| r.body.event.as_ref().is_some_and(&is_meant));
        meant.map(|r| frame.seen(r)).min()
    }
}

fn changes<'a>(line: &Timeline<'a>) -> Vec<(Ms, Standing<'a>)> {
    let ends = line.orders.iter().filter_map(|o| o.to).chain(line.pauses.iter().filter_map(|p| p.to));
    let starts = line.orders.iter().map(|o| o.from).chain(line.pauses.iter().map(|p| p.from));
    let mut moments: Vec<Ms> = starts.chain(ends).chain(line.opened).chain(line.closed).collect();
    moments.sort();
    moments.dedup();
    moments.into_iter().map(|at| (at, standing(line, at))).collect()
}

fn standing<'a>(line: &Timeline<'a>, at: Ms) -> Standing<'a> {
    if line.closed.is_some_and(|closed| closed <= at) {
        return Standing::default();
    }
    let holds = |from: Ms, to: Option<Ms>| from <= at && to.is_none_or(|to| at < to);
    let in_force = || line.orders.iter().filter(|o| holds(o.from, o.to));
    // Of two that are equally strict the newer one: it is the one to answer.
    let order = in_force().max_by_key(|o| (o.order.level.strictness(), o.from, o.record.id(), o.record.hash)).copied();
    let pause = line.pauses.iter().rfind(|p| holds(p.from, p.to)).copied();
    Standing { order, conflict: in_force().count() > 1, pause }
}
