//! What held when: the orders and pauses of a stay as a line of changes.
//!
//! What starts a clock or makes its limit shorter holds from the time that is given for it. What stops a clock or makes
//! its limit longer holds from when it was written down (`Frame::holds_from`): a time that is given afterwards takes
//! back no lateness. So a stay that is joined to another keeps a line of its own until the join was written down: until
//! then the shorter limit of the two holds, and no pause of one stops the clock of the other.

use super::frame::Frame;
use super::log::{Log, Shelf};
use super::look::Patient;
use super::records::WardRecords;
use crate::ids::{RecordId, StayId};
use crate::kinds::{Event, Order, Pause};
use crate::level::Level;
use crate::record::Record;
use crate::roster::Roster;
use crate::time::Ms;
use std::sync::LazyLock;

/// What holds for a provisional stay until a nurse orders a level, minutes.
const PROVISIONAL_LIMIT_MINUTES: u16 = 15;
static PROVISIONAL: LazyLock<Order> = LazyLock::new(|| Order {
    level: Level::Intermittent { limit_minutes: PROVISIONAL_LIMIT_MINUTES },
    ordered_by: "provisional until ordered".to_owned(),
    reason: String::new(),
    until: None,
    replaces: Vec::new(),
});

#[derive(Clone, Copy, Debug)]
pub(super) struct OrderHeld<'a> {
    pub record: &'a Record,
    pub order: &'a Order,
    pub from: Ms,
    pub to: Option<Ms>,
    /// What ended it.
    pub ended_by: Option<&'a Record>,
}

impl OrderHeld<'_> {
    /// Nobody ordered it: the stay is provisional.
    pub fn is_provisional(&self) -> bool {
        matches!(self.record.body.event, Some(Event::StayProvisional(_)))
    }
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

/// One of the stays that are read as one.
#[derive(Clone, Copy, Debug)]
struct Part<'a> {
    stay: StayId,
    opened: Option<Ms>,
    closed: Option<(Ms, &'a Record)>,
    /// From when it is part of the stay that stands for all; None for that stay.
    joined: Option<Ms>,
    /// What was known of it, where it was opened as a provisional one.
    provisional: Option<&'a Record>,
}

impl Part<'_> {
    fn is_apart(&self, at: Ms) -> bool {
        self.joined.is_some_and(|joined| at < joined)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Timeline<'a> {
    pub closed: Option<(Ms, &'a Record)>,
    /// The stay that stands for all comes first.
    parts: Vec<Part<'a>>,
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
    pub(super) fn timeline<'a>(&'a self, patient: &Patient<'a>, roster: &Roster, frame: Frame) -> Timeline<'a> {
        let parts = self.parts(patient.stay, patient.log, frame);
        let own = parts.iter().find(|p| p.joined.is_none());
        let mut line = Timeline { closed: own.and_then(|p| p.closed), ..Timeline::default() };
        let no_sooner = |record: &Record, at: Ms| {
            let part = parts.iter().find(|p| Some(p.stay) == record.body.envelope.stay);
            part.and_then(|p| p.opened).map_or(at, |opened| at.max(opened))
        };
        line.orders = self.orders(patient.log, &parts, frame);
        line.orders.iter_mut().for_each(|o| o.from = no_sooner(o.record, o.from));
        line.pauses = self.pauses(patient.log, roster, frame);
        line.pauses.iter_mut().for_each(|p| p.from = no_sooner(p.record, p.from));
        end_by_joining(&mut line.pauses, &parts);
        line.parts = parts;
        line.changes = changes(&line);
        line
    }

    fn parts<'a>(&'a self, stay: StayId, log: &'a Log, frame: Frame) -> Vec<Part<'a>> {
        let part =
            |stay| Part { stay, opened: None, closed: None, joined: self.joined_from(stay, frame), provisional: None };
        let mut parts: Vec<Part> = self.together(stay).into_iter().map(part).collect();
        for record in log.all(Shelf::Census) {
            let Some(part) = parts.iter_mut().find(|p| Some(p.stay) == record.body.envelope.stay) else { continue };
            let at = frame.seen(record);
            match record.body.event {
                Some(Event::StayOpened(_)) => part.opened = Some(part.opened.map_or(at, |o| o.min(at))),
                Some(Event::StayProvisional(_)) => {
                    part.opened = Some(part.opened.map_or(at, |o| o.min(at)));
                    part.provisional = part.provisional.or(Some(record));
                }
                Some(Event::StayClosed { .. }) => {
                    let at = frame.holds_from(record);
                    if part.closed.is_none_or(|(closed, _)| at < closed) {
                        part.closed = Some((at, record));
                    }
                }
                _ => {}
            }
        }
        parts
    }

    /// Every order of a stay with the time that it held, oldest first, and what holds for a provisional one until then.
    fn orders<'a>(&'a self, log: &'a Log, parts: &[Part<'a>], frame: Frame) -> Vec<OrderHeld<'a>> {
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
        for part in parts {
            let Some(record) = part.provisional else { continue };
            let is_own = |o: &&OrderHeld| o.record.body.envelope.stay == Some(part.stay);
            let first = orders.iter().filter(is_own).min_by_key(|o| (o.from, o.record.id(), o.record.hash));
            let first = first.map(|o| (o.from, o.record));
            let joined = part.joined.zip(self.join_of(part.stay));
            let until = [first, joined].into_iter().flatten().min_by_key(|(at, r)| (*at, r.id(), r.hash));
            let (to, ended_by) = until.unzip();
            orders.push(OrderHeld { record, order: &PROVISIONAL, from: frame.seen(record), to, ended_by });
        }
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
        for i in 0..pauses.len() {
            let stay = pauses[i].record.body.envelope.stay;
            let next = pauses[i + 1..].iter().find(|p| p.record.body.envelope.stay == stay).map(|p| p.from);
            pauses[i].to = [pauses[i].to, next].into_iter().flatten().min();
        }
        pauses
    }

    /// The order in force for a stay: the strictest that holds. It goes into the `order` field of new entries.
    pub fn order_in_force(&self, stay: StayId) -> Option<RecordId> {
        let (log, frame) = (self.log(stay)?, Frame::of_all());
        let orders = self.orders(log, &self.parts(stay, log, frame), frame);
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

/// Whoever was taken up as somebody unknown was here: what had paused the other stay before then has not held since, and
/// nobody may go on believing it once the two are known to be one.
fn end_by_joining(pauses: &mut [PauseHeld], parts: &[Part]) {
    for part in parts {
        let (Some(opened), Some(joined)) = (part.opened, part.joined) else { continue };
        let others = pauses.iter_mut().filter(|p| p.record.body.envelope.stay != Some(part.stay) && p.from < opened);
        others.for_each(|p| p.to = Some(p.to.map_or(joined, |to| to.min(joined))));
    }
}

fn changes<'a>(line: &Timeline<'a>) -> Vec<(Ms, Standing<'a>)> {
    let ends = line.orders.iter().filter_map(|o| o.to).chain(line.pauses.iter().filter_map(|p| p.to));
    let starts = line.orders.iter().map(|o| o.from).chain(line.pauses.iter().map(|p| p.from));
    let of_parts = line.parts.iter().flat_map(|p| [p.opened, p.closed.map(|(at, _)| at), p.joined]).flatten();
    let mut moments: Vec<Ms> = starts.chain(ends).chain(of_parts).collect();
    moments.sort();
    moments.dedup();
    moments.into_iter().map(|at| (at, standing(line, at))).collect()
}

/// What holds for the stay, or for one that is not known to be it yet: whichever has the shortest limit.
fn standing<'a>(line: &Timeline<'a>, at: Ms) -> Standing<'a> {
    let mut strictest = Standing::default();
    if line.closed.is_none_or(|(closed, _)| closed > at) {
        let apart = |stay| line.parts.iter().any(|p| Some(p.stay) == stay && p.is_apart(at));
        strictest = held_by(line, at, |stay| !apart(stay));
    }
    let apart = line.parts.iter().filter(|p| p.is_apart(at) && p.closed.is_none_or(|(closed, _)| closed > at));
    for part in apart {
        let other = held_by(line, at, |stay| stay == Some(part.stay));
        let limit = |s: &Standing| s.limit_ms().unwrap_or(i64::MAX);
        if limit(&other) < limit(&strictest) {
            strictest = other;
        }
    }
    strictest
}

fn held_by<'a>(line: &Timeline<'a>, at: Ms, of: impl Fn(Option<StayId>) -> bool) -> Standing<'a> {
    let holds = |record: &Record, from: Ms, to: Option<Ms>| {
        of(record.body.envelope.stay) && from <= at && to.is_none_or(|to| at < to)
    };
    let in_force = || line.orders.iter().filter(|o| holds(o.record, o.from, o.to));
    // Of two that are equally strict the newer one: it is the one to answer.
    let order = in_force().max_by_key(|o| (o.order.level.strictness(), o.from, o.record.id(), o.record.hash)).copied();
    let pause = line.pauses.iter().rfind(|p| holds(p.record, p.from, p.to)).copied();
    Standing { order, conflict: in_force().count() > 1, pause }
}
