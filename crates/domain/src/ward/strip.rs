//! True-time strips: each check where it was, each gap past its limit as a bar, pauses and watches.

use super::Scene;
use super::records::{HeldOrder, StayRecords};
use super::situation::{gap_starts, order_at, pauses, seen_at};
use crate::ids::RecordId;
use crate::kinds::{AmendmentAction, Code, Event};
use crate::record::Record;
use crate::time::Ms;
use crate::views::{StripKind, StripMark};
use std::ops::Bound::{Included, Unbounded};

/// A gap that ended with a check, a pause, a change of level or now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub from: Ms,
    pub to: Ms,
    /// The check that closed it; None where something else ended it.
    pub check: Option<RecordId>,
    /// In force while it ran; None where no limit was.
    pub limit_ms: Option<i64>,
}

impl Gap {
    pub fn is_late(&self, tolerance_ms: i64) -> bool {
        self.limit_ms.is_some_and(|limit| self.to - self.from > limit + tolerance_ms)
    }
}

/// All gaps that end after `from` and begin before `to`, oldest first. A gap begins with a check, an admission, a
/// return, or a new or raised order; it ends with the next of these, or with a pause, or at `to`. A lowered order does
/// not begin a gap, and does not excuse one that was past the limit before: see [`limit_of`].
pub(super) fn gaps(stay: &StayRecords, scene: &Scene<'_>, from: Ms, to: Ms) -> Vec<Gap> {
    #[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
    enum Mark {
        Pause,
        Start,
        Check(RecordId),
    }
    let orders = stay.orders();
    let own = scene.own();
    let tolerance = scene.tolerance_ms();
    // The gap that runs into the stretch began with the last check before it.
    let before = stay.counted_checks().find(|(k, _)| k.0 < from).map(|(k, _)| *k);
    let range = stay.checks.range((before.map_or(Unbounded, Included), Unbounded));
    let checks = range
        .filter_map(|k| Some((k, stay.records.get(k)?)))
        .filter(|(_, r)| stay.counts(r))
        .map(|(k, r)| (seen_at(k, r, own, scene.now), Mark::Check(r.id())));
    let starts = gap_starts(stay, &orders).into_iter().map(|at| (at, Mark::Start));
    let away = pauses(stay).map(|(_, at, _, _)| (at, Mark::Pause));
    let mut marks: Vec<(Ms, Mark)> = checks.chain(starts).chain(away).filter(|(at, _)| *at <= to).collect();
    marks.sort_unstable();

    let mut found = Vec::new();
    let mut running: Option<Ms> = None;
    for (at, mark) in marks {
        if let Some(begun) = running {
            let check = if let Mark::Check(id) = mark { Some(id) } else { None };
            found.push(Gap { from: begun, to: at, check, limit_ms: limit_of(&orders, begun, at, tolerance) });
        }
        running = (mark != Mark::Pause).then_some(at);
    }
    if let Some(begun) = running.filter(|at| *at < to) {
        found.push(Gap { from: begun, to, check: None, limit_ms: limit_of(&orders, begun, to, tolerance) });
    }
    found.retain(|gap| gap.to > from);
    found
}

/// The limit that judges a gap: the first that it was past while that limit was in force, else the one in force just
/// before its end. So lowering a level never turns a late gap into one in time.
fn limit_of(orders: &[HeldOrder<'_>], from: Ms, to: Ms, tolerance: i64) -> Option<i64> {
    let limit_before = |at: Ms| order_at(orders, at - 1).0.and_then(|o| o.order.level.limit_ms());
    let mut changes: Vec<Ms> =
        orders.iter().flat_map(|o| [Some(o.from), o.to]).flatten().filter(|at| *at > from && *at < to).collect();
    changes.sort_unstable();
    let passed = changes.into_iter().find_map(|at| limit_before(at).filter(|limit| at - from > limit + tolerance));
    passed.or_else(|| limit_before(to))
}

pub(super) fn strip(stay: &StayRecords, scene: &Scene<'_>, from: Ms, to: Ms) -> Vec<StripMark> {
    let tolerance = scene.tolerance_ms();
    let mut marks = Vec::new();
    let mut bar = |what, start: Ms, end: Ms| {
        if end >= from && start <= to {
            marks.push(StripMark { from: start.max(from), to: end.min(to), what });
        }
    };
    for (_, start, end, _) in pauses(stay) {
        bar(StripKind::Pause, start, end.unwrap_or(to));
    }
    for (key, end) in watches(stay) {
        bar(StripKind::Watched, key, end.unwrap_or(to));
    }
    for gap in gaps(stay, scene, from, to).iter().filter(|g| g.is_late(tolerance)) {
        bar(StripKind::Late, gap.from + gap.limit_ms.unwrap_or_default(), gap.to);
    }
    let shown = stay.records.range((from, RecordId(uuid::Uuid::nil()), crate::chain::Hash::ZERO)..);
    for (key, record) in shown.filter(|(_, r)| !stay.retracted.contains_key(&r.id())) {
        let late = record.body.envelope.is_late_entry();
        let what = match record.body.event {
            Some(Event::Check(_)) if late => StripKind::LateEntry,
            Some(Event::Check(_)) => StripKind::Check,
            Some(Event::NotDone { .. }) => StripKind::NotDone,
            Some(Event::Heard { .. } | Event::CantTell { .. }) => StripKind::Tried,
            _ => continue,
        };
        let at = seen_at(key, record, scene.own(), scene.now);
        bar(what, at, at);
    }
    marks.sort_by_key(|m| (m.from, m.to));
    marks
}

/// Watches with their ends: ended, or taken over by the next.
pub(super) fn watches(stay: &StayRecords) -> impl Iterator<Item = (Ms, Option<Ms>)> {
    let keys: Vec<_> = stay.watches.iter().copied().collect();
    let next: Vec<Option<Ms>> = keys.iter().skip(1).map(|k| Some(k.0)).chain([None]).collect();
    keys.into_iter().zip(next).map(|(key, next)| {
        let ended = stay.ended.get(&key.1).copied();
        (key.0, [ended, next].into_iter().flatten().min())
    })
}

/// Where and what a check was corrected to, by its latest correction.
pub(super) fn correction(stay: &StayRecords, of: RecordId) -> Option<(&Code, &Code)> {
    let corrected = |record: &'_ Record| match &record.body.event {
        Some(Event::Amendment(a)) if a.of == of => matches!(a.action, AmendmentAction::CorrectCheck { .. }),
        _ => false,
    };
    let key = stay.amendments.get(&of)?.iter().rev().find(|k| stay.records.get(k).is_some_and(corrected))?;
    match &stay.records.get(key)?.body.event {
        Some(Event::Amendment(a)) => match &a.action {
            AmendmentAction::CorrectCheck { place, activity } => Some((place, activity)),
            _ => None,
        },
        _ => None,
    }
}
