//! The true-time strip: each check where it was seen, each stretch past the limit as long as it was.

use super::gap::{Ended, GapClock};
use super::log::{Log, Shelf};
use super::look::Look;
use super::timeline::{OrderHeld, Timeline};
use crate::kinds::Event;
use crate::record::Record;
use crate::time::Ms;
use crate::views::{StripKind, StripMark};

impl Look<'_> {
    /// Marks in `from..to`, oldest first.
    pub fn strip(&self, log: &Log, line: &Timeline, from: Ms, to: Ms) -> Vec<StripMark> {
        let to = to.min(self.now());
        let mut marks: Vec<StripMark> = Vec::new();
        let mut bar = |start: Ms, end: Ms, what: StripKind| {
            let (start, end) = (start.max(from), end.min(to));
            if start < end {
                marks.push(StripMark { from: start, to: end, what });
            }
        };
        let closed = line.closed.map(|(at, _)| at);
        for pause in &line.pauses {
            bar(pause.from, pause.to.or(closed).unwrap_or(to), StripKind::Pause);
        }
        for watch in self.records.watches(log, line, self.frame, from, to) {
            bar(watch.from, watch.to.unwrap_or(to), StripKind::Watched);
        }
        let checks = self.records.counted(log, self.frame, from, to);
        let mut clock = self.gap_clock(log, line, from);
        let mut changes = line.after(clock.0, to).peekable();
        for (seen, check) in &checks {
            while let Some((at, standing)) = changes.next_if(|(at, _)| at <= seen) {
                clock.1.change(at, standing.limit_ms());
            }
            see(&mut clock.1, line, *seen, check);
        }
        for (at, standing) in changes {
            clock.1.change(at, standing.limit_ms());
        }
        clock.1.mark_late(to);
        for (start, end) in &clock.1.late {
            bar(*start, *end, StripKind::Late);
        }
        marks.extend(checks.iter().map(|(at, _)| point(*at, StripKind::Check)));
        for (at, record) in self.frame.within(log, Shelf::Tried, from, to) {
            if !self.records.is_retracted(record.id()) {
                let not_done = matches!(record.body.event, Some(Event::NotDone { .. }));
                marks.push(point(at, if not_done { StripKind::NotDone } else { StripKind::Tried }));
            }
        }
        for (at, record) in self.frame.within(log, Shelf::LateCheck, from, to) {
            if !self.records.is_retracted(record.id()) {
                marks.push(point(at, StripKind::LateEntry));
            }
        }
        marks.sort_by_key(|m| (m.from, m.to, m.what as u8));
        marks
    }

    /// The same where nothing is kept before `since`, and gaps are counted from `counted_from` on.
    pub fn strip_kept_since(&self, log: &Log, line: &Timeline, since: Ms, counted_from: Ms, to: Ms) -> Vec<StripMark> {
        let counted = if counted_from < to { self.strip(log, line, counted_from, to) } else { Vec::new() };
        // What stands before the first check, and that check itself: no gap is told of there.
        let before = self.strip(log, line, since, counted_from.min(to));
        before.into_iter().filter(|mark| mark.what != StripKind::Late).chain(counted).collect()
    }

    /// A gap clock that has come to the last counted check before `from`, and when that was.
    pub fn gap_clock(&self, log: &Log, line: &Timeline, from: Ms) -> (Ms, GapClock) {
        let mut clock = GapClock::new(self.tolerance_ms());
        let Some((seen, check)) = self.records.last_counted(log, self.frame, from - 1) else {
            return (Ms(i64::MIN), clock);
        };
        clock.change(seen, line.at(seen).limit_ms());
        see(&mut clock, line, seen, check);
        (seen, clock)
    }
}

/// Tells the clock of a check. The order that a check answers was there before it, whatever the clocks of station and
/// tablet say: from the check on its limit holds, and does not ask for another one at once.
pub(super) fn see(clock: &mut GapClock, line: &Timeline, seen: Ms, check: &Record) -> Option<Ended> {
    let ended = clock.seen(seen);
    let held = line.at(seen);
    let is_answered = |o: &&OrderHeld| Some(o.record.id()) == check.body.envelope.order && o.from > seen;
    let answered = line.orders.iter().find(is_answered).filter(|_| held.pause.is_none());
    let shorter = answered.and_then(|o| o.order.level.limit_ms()).filter(|ms| match held.order {
        Some(_) => held.limit_ms().is_some_and(|held| *ms < held),
        None => true,
    });
    if let Some(limit_ms) = shorter {
        clock.change(seen, Some(limit_ms));
        clock.seen(seen);
    }
    ended
}

fn point(at: Ms, what: StripKind) -> StripMark {
    StripMark { from: at, to: at, what }
}
