//! One patient at one moment: which level holds, when they were last seen, and what the clock says.

use super::records::{HeldOrder, Key, StayRecords};
use crate::ids::{RecordId, StaffId, TabletId};
use crate::kinds::{Event, Pause};
use crate::record::Record;
use crate::time::{MINUTE_MS, Ms, Now};
use std::cmp::Reverse;

/// Checks that are looked at to find the latest: more than one, because clocks of several tablets may disagree.
const LATEST_LOOKED_AT: usize = 16;

#[derive(Clone, Debug)]
pub(super) struct Situation<'a> {
    /// The strictest order that holds.
    pub order: Option<HeldOrder<'a>>,
    /// More than one order holds.
    pub conflict: bool,
    pub pause: Option<(Ms, &'a Pause)>,
    /// With the patient, since when.
    pub watcher: Option<(StaffId, Ms)>,
    pub last: Option<(Ms, &'a Record)>,
    /// When the running gap began: the last check, or a later admission, return, or new or raised order.
    pub gap_from: Ms,
    /// No check since that admission, return or order: one is due at once.
    pub due_at_once: bool,
    /// A raised or new order after admission that nobody acknowledged yet.
    pub raised: Option<RecordId>,
    pub clock: Clockwork,
}

/// What the limit makes of the gap. Times in ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clockwork {
    /// Off the ward, or continuous, or no level: no limit runs.
    None,
    Ok {
        left: i64,
        limit: i64,
    },
    Due {
        left: i64,
        limit: i64,
    },
    /// `over`: time since the limit ended, without the facility's tolerance.
    Late {
        over: i64,
        limit: i64,
    },
}

impl Clockwork {
    /// Amber is the last third of the limit; late is a gap greater than limit and tolerance together.
    pub fn of(gap: i64, limit: i64, tolerance: i64, due_at_once: bool) -> Clockwork {
        let left = limit - gap;
        if gap > limit + tolerance {
            Clockwork::Late { over: gap - limit, limit }
        } else if due_at_once || left * 3 <= limit {
            Clockwork::Due { left, limit }
        } else {
            Clockwork::Ok { left, limit }
        }
    }
}

/// The machine whose own records are timed by its boot clock; None on the station.
pub(super) type Own = Option<TabletId>;

/// When a record was seen, in the frame of `now`. Own records of this boot go by the boot clock, which no setting of
/// the wall clock moves; others by min(observed_at, received_at). Never after now.
pub(super) fn seen_at(key: &Key, record: &Record, own: Own, now: Now) -> Ms {
    let envelope = &record.body.envelope;
    let best = now.best();
    let at = match (own, envelope.boot_id, envelope.boot_ms) {
        (Some(_), Some(boot), Some(ms)) if envelope.tablet == own && boot == now.clocks.boot_id => {
            best - (now.clocks.boot_ms - ms)
        }
        _ => key.0,
    };
    at.min(best)
}

/// The latest counted check and when it was seen.
pub(super) fn last_check(stay: &StayRecords, own: Own, now: Now) -> Option<(Ms, &Record)> {
    let by_time = stay.counted_checks().take(LATEST_LOOKED_AT);
    let by_boot = own.into_iter().flat_map(|tablet| {
        let mine = move |r: &&Record| r.body.envelope.tablet == Some(tablet);
        stay.counted_in_boot(now.clocks.boot_id).filter(mine).take(1)
    });
    let key = |r: &Record| {
        (r.received_at.map_or(r.body.envelope.observed_at, |at| at.min(r.body.envelope.observed_at)), r.id(), r.hash)
    };
    by_time
        .map(|(_, r)| r)
        .chain(by_boot)
        .map(|r| (seen_at(&key(r), r, own, now), r))
        .max_by_key(|(at, r)| (*at, r.id(), Reverse(r.hash)))
}

/// The strictest order at a moment, and whether others hold beside it.
pub(super) fn order_at<'a>(orders: &[HeldOrder<'a>], at: Ms) -> (Option<HeldOrder<'a>>, bool) {
    let holding = orders.iter().filter(|o| o.holds_at(at));
    let strictest = holding.clone().max_by_key(|o| (o.order.level.strictness(), Reverse(o.from), o.id));
    (strictest.copied(), holding.count() > 1)
}

/// Moments at which a gap begins although nobody was seen: admission, return, and a new or raised order.
pub(super) fn gap_starts(stay: &StayRecords, orders: &[HeldOrder<'_>]) -> Vec<Ms> {
    let admitted = stay.opened.first().map(|k| k.0);
    let returned = pauses(stay).filter_map(|(_, _, to, _)| to);
    let raised = orders.iter().filter(|o| is_new_or_raised(orders, o)).map(|o| o.from);
    let mut all: Vec<Ms> = admitted.into_iter().chain(returned).chain(raised).collect();
    all.sort_unstable();
    all
}

/// No order held just before, or a less strict one.
fn is_new_or_raised(orders: &[HeldOrder<'_>], order: &HeldOrder<'_>) -> bool {
    let before: Vec<HeldOrder<'_>> = orders.iter().filter(|o| o.id != order.id).copied().collect();
    match order_at(&before, order.from - 1).0 {
        None => true,
        Some(held) => held.order.level.strictness() < order.order.level.strictness(),
    }
}

/// Pauses: id, from, to, what was confirmed.
pub(super) fn pauses(stay: &StayRecords) -> impl Iterator<Item = (RecordId, Ms, Option<Ms>, &Pause)> {
    stay.pauses.iter().filter_map(|k| match &stay.records.get(k)?.body.event {
        Some(Event::PauseStarted(pause)) => Some((k.1, k.0, stay.ended.get(&k.1).copied(), pause)),
        _ => None,
    })
}

impl<'a> Situation<'a> {
    pub fn of(
        stay: &'a StayRecords,
        acknowledged: impl Fn(RecordId) -> bool,
        tolerance_minutes: u16,
        own: Own,
        now: Now,
    ) -> Situation<'a> {
        let best = now.best();
        let orders = stay.orders();
        let (order, conflict) = order_at(&orders, best);
        let pause = pauses(stay)
            .filter(|(_, from, to, _)| *from <= best && to.is_none_or(|to| best < to))
            .map(|(_, from, _, pause)| (from, pause))
            .last();
        let watcher = stay.watcher_at(best).map(|(who, since, _)| (who, since));
        let last = last_check(stay, own, now);
        let start = gap_starts(stay, &orders).into_iter().rfind(|at| *at <= best).unwrap_or(best);
        let seen = last.map(|(at, _)| at);
        let due_at_once = seen.is_none_or(|at| at < start);
        let gap_from = seen.map_or(start, |at| at.max(start));
        let admission_order = orders.first().map(|o| o.id);
        let raised = orders
            .iter()
            .rev()
            .filter(|o| o.holds_at(best) && Some(o.id) != admission_order && is_new_or_raised(&orders, o))
            .map(|o| o.id)
            .find(|id| !acknowledged(*id));
        let limit = order.filter(|_| pause.is_none()).and_then(|o| o.order.level.limit_ms());
        let clock = limit.map_or(Clockwork::None, |limit| {
            Clockwork::of(best - gap_from, limit, i64::from(tolerance_minutes) * MINUTE_MS, due_at_once)
        });
        Situation { order, conflict, pause, watcher, last, gap_from, due_at_once, raised, clock }
    }
}
