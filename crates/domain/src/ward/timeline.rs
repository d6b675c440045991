//! What held when: the orders and pauses of a stay as a line of changes.
//!
//! What starts a clock or makes its limit shorter holds from the time that is given for it. What stops a clock or makes
//! its limit longer holds from when it was written down (`Frame::holds_from`): a time that is given afterwards takes
//! back no lateness.

use super::frame::Frame;
use super::log::{Log, Shelf};
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
    /// What ended it.
    pub ended_by: Option<&'a Record>,
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
    pub closed: Option<(Ms, &'a Record)>,
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

    /// The record that stopped the clock at a moment: a pause, a continuous level, the end of an order or of the stay.
    pub fn stopped_by(&self, at: Ms) -> Option<&'a Record> {
        let closed = self.closed.filter(|(closed, _)| *closed == at).map(|(_, record)| record);
        let paused = self.pauses.iter().rfind(|p| p.from == at).map(|p| p.record);
        let continuous = |o: &&OrderHeld| o.from == at && o.order.level.limit_ms().is_none();
        let ordered = self.orders.iter().rfind(continuous).map(|o| o.record);
        let ended = || self.orders.iter().rfind(|o| o.to == Some(at)).and_then(|o| o.ended_by);
        closed.or(paused).or(ordered).or_else(ended)
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
                Some(Event::StayClosed { .. }) => {
                    let at = frame.holds_from(record);
                    if line.closed.is_none_or(|(closed, _)| at < closed) {
                        line.closed = Some((at, record));
                    }
                }
                _ => {}
            }
        }
        let no_sooner = |at: Ms| line.opened.map_or(at, |opened| at.max(opened));
        let orders = self.orders(log, frame);
        line.orders = orders.into_iter().map(|o| OrderHeld { from: no_sooner(o.from), ..o }).collect();
        line.pauses = self.pauses(log, roster, frame);
        line.pauses.iter_mut().for_each(|p| p.from = no_sooner(p.from));
        line.changes = changes(&line);
        line
    }

    /// Every order of a stay with the time that it held, oldest first.
    fn orders<'a>(&'a self, log: &'a Log, frame: Frame) -> Vec<OrderHeld<'a>> {
        let mut orders: Vec<(Ms, OrderHeld)> = log
            .all(Shelf::Order)
            .filter_map(|record| {
                let Some(Event::Order(order)) = &record.body.event else { return None };
                let written = frame.holds_from(record);
                let from = if order.level.limit_ms().is_some() { frame.seen(record) } else { written };
                Some((written, OrderHeld { record, order, from, to: None, ended_by: None }))
            })
            .collect();
        orders.sort_by_key(|(written, o)| (*written, o.record.id(), o.record.hash));
        let ended = |e: &Event| matches!(e, Event::OrderEnded { .. });
        for i in 0..orders.len() {
            let id = orders[i].1.record.id();
            // Only a later order replaces: two that name each other do not both vanish.
            let replaced = orders[i + 1..].iter().find(|(_, o)| o.order.replaces.contains(&id));
            let replaced = replaced.map(|(written, o)| (*written, o.record));
            let ended = self.first_answer(id, |r| frame.holds_from(r), ended);
            let first = [ended, replaced].into_iter().flatten().min_by_key(|(at, r)| (*at, r.id(), r.hash));
            (orders[i].1.to, orders[i].1.ended_by) = first.unzip();
        }
        let mut orders: Vec<OrderHeld> = orders.into_iter().map(|(_, order)| order).collect();
        orders.sort_by_key(|o| (o.from, o.record.id(), o.record.hash));
        orders
    }

    /// Every pause that a nurse confirmed, oldest first. A later one ends those before it: it says anew where the
    /// patient is, and whoever comes back ends only that one.
    fn pauses<'a>(&'a self, log: &'a Log, roster: &Roster, frame: Frame) -> Vec<PauseHeld<'a>> {
        let by_nurse = log.all(Shelf::Pause).filter(|r| roster.is_nurse(r.body.envelope.by));
        let mut pauses: Vec<PauseHeld> = by_nurse
            .filter_map(|record| {
                let Some(Event::PauseStarted(pause)) = &record.body.event else { return None };
                let ended = |e: &Event| matches!(e, Event::PauseEnded { .. });
                let to = self.first_answer(record.id(), |r| frame.seen(r), ended).map(|(at, _)| at);
                Some(PauseHeld { record, pause, from: frame.holds_from(record), to })
            })
            .collect();
        pauses.sort_by_key(|p| (p.from, p.record.id(), p.record.hash));
        for i in 1..pauses.len() {
            let next = pauses[i].from;
            let earlier = &mut pauses[i - 1];
            earlier.to = Some(earlier.to.map_or(next, |to| to.min(next)));
        }
        pauses
    }

    /// The order in force for a stay: the strictest that holds. It goes into the `order` field of new entries.
    pub fn order_in_force(&self, stay: StayId) -> Option<RecordId> {
        let orders = self.orders(self.stays.get(&stay)?, Frame::of_all());
        let in_force = orders.iter().filter(|o| o.to.is_none());
        in_force
            .max_by_key(|o| (o.order.level.strictness(), o.from, o.record.id(), o.record.hash))
            .map(|o| o.record.id())
    }

    /// The first answer of a kind, and from when it holds.
    fn first_answer(
        &self,
        of: RecordId,
        from: impl Fn(&Record) -> Ms,
        is_meant: impl Fn(&Event) -> bool,
    ) -> Option<(Ms, &Record)> {
        let meant = self.about(of).iter().filter(|r| r.body.event.as_ref().is_some_and(&is_meant));
        meant.map(|r| (from(r), r.as_ref())).min_by_key(|(at, r)| (*at, r.id(), r.hash))
    }
}

fn changes<'a>(line: &Timeline<'a>) -> Vec<(Ms, Standing<'a>)> {
    let ends = line.orders.iter().filter_map(|o| o.to).chain(line.pauses.iter().filter_map(|p| p.to));
    let starts = line.orders.iter().map(|o| o.from).chain(line.pauses.iter().map(|p| p.from));
    let mut moments: Vec<Ms> = starts.chain(ends).chain(line.opened).chain(line.closed.map(|(at, _)| at)).collect();
    moments.sort();
    moments.dedup();
    moments.into_iter().map(|at| (at, standing(line, at))).collect()
}

fn standing<'a>(line: &Timeline<'a>, at: Ms) -> Standing<'a> {
    if line.closed.is_some_and(|(closed, _)| closed <= at) {
        return Standing::default();
    }
    let holds = |from: Ms, to: Option<Ms>| from <= at && to.is_none_or(|to| at < to);
    let in_force = || line.orders.iter().filter(|o| holds(o.from, o.to));
    // Of two that are equally strict the newer one: it is the one to answer.
    let order = in_force().max_by_key(|o| (o.order.level.strictness(), o.from, o.record.id(), o.record.hash)).copied();
    let pause = line.pauses.iter().rfind(|p| holds(p.from, p.to)).copied();
    Standing { order, conflict: in_force().count() > 1, pause }
}
