//! Where lateness is decided. A gap runs between two true times; the rules are those of docs/what-counts.md.
//!
//! - A check closes the gap and begins the next one.
//! - Where a clock begins to run (admission, return from a pause, after a continuous level, after a time without an
//!   order) and where the limit gets shorter, a gap begins with a check due at once.
//! - A shorter limit never gives more time than the order before it: the gap is also late at the end of the longest
//!   limit that held since the last check.
//! - A longer limit does not begin a gap: it runs on from the last check.
//! - A gap that was late stays late, whatever is ordered afterwards.

use crate::time::Ms;

#[derive(Clone, Debug, Default)]
pub(super) struct GapClock {
    /// Added to every limit before a gap is late, ms.
    pub tolerance_ms: i64,
    running: Option<Gap>,
    /// Stretches in which the patient was past the limit, oldest first.
    pub late: Vec<(Ms, Ms)>,
}

/// The gap that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// The last check, or where the clock began to run.
    root: Ms,
    /// `root`, or where the limit last got shorter.
    base: Ms,
    limit_ms: i64,
    /// The longest limit since `root`.
    loosest_ms: i64,
    /// Nobody has looked since `base`: a check is due at once.
    pub at_once: bool,
    /// Once it was late: where the stretch began that was too long. It stays late whatever is ordered afterwards.
    late_from: Option<Ms>,
}

/// A gap that has ended, by a check or because the clock was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub from: Ms,
    pub late: bool,
}

impl Gap {
    /// When the limit runs out.
    pub fn deadline(&self) -> Ms {
        (self.base + self.limit_ms).min(self.root + self.loosest_ms)
    }
    /// The limit that the deadline rests on, ms; at least 1.
    pub fn limit_ms(&self) -> i64 {
        let of_root = self.rests_on_root();
        (if of_root { self.loosest_ms } else { self.limit_ms }).max(1)
    }
    /// Since when a check is due at once.
    pub fn due_since(&self) -> Ms {
        self.base
    }
    /// Where the gap began: the last check, or the moment since which one is due.
    pub fn from(&self) -> Ms {
        if self.rests_on_root() { self.root } else { self.base }
    }
    /// As it would have ended by now.
    pub fn so_far(&self) -> Ended {
        Ended { from: self.late_from.unwrap_or(self.base), late: self.late_from.is_some() }
    }
    /// The shorter limit came so late that the longer one before it runs out first.
    fn rests_on_root(&self) -> bool {
        self.root + self.loosest_ms < self.base + self.limit_ms
    }
}

impl GapClock {
    pub fn new(tolerance_ms: i64) -> GapClock {
        GapClock { tolerance_ms, ..GapClock::default() }
    }

    pub fn running(&self) -> Option<Gap> {
        self.running
    }

    /// From `at` on this limit holds; None where no clock runs. Answers with the gap that ended by it.
    pub fn change(&mut self, at: Ms, limit_ms: Option<i64>) -> Option<Ended> {
        self.mark_late(at);
        match (&mut self.running, limit_ms) {
            (None, None) => None,
            (None, Some(limit_ms)) => {
                self.running =
                    Some(Gap { root: at, base: at, limit_ms, loosest_ms: limit_ms, at_once: true, late_from: None });
                None
            }
            (Some(gap), None) => {
                let ended = gap.so_far();
                self.running = None;
                Some(ended)
            }
            (Some(gap), Some(limit_ms)) => {
                if limit_ms < gap.limit_ms {
                    gap.base = at;
                    gap.at_once = true;
                }
                gap.limit_ms = limit_ms;
                gap.loosest_ms = gap.loosest_ms.max(limit_ms);
                None
            }
        }
    }

    /// The patient was seen. None where no clock ran.
    pub fn seen(&mut self, at: Ms) -> Option<Ended> {
        self.mark_late(at);
        let gap = self.running.as_mut()?;
        let ended = gap.so_far();
        let limit_ms = gap.limit_ms;
        *gap = Gap { root: at, base: at, limit_ms, loosest_ms: limit_ms, at_once: false, late_from: None };
        Some(ended)
    }

    /// Lateness until `at` is kept, before anything that happens then can hide it.
    pub fn mark_late(&mut self, at: Ms) {
        let tolerance_ms = self.tolerance_ms;
        let Some(gap) = self.running.as_mut().filter(|g| at > g.deadline() + tolerance_ms) else { return };
        gap.late_from = gap.late_from.or(Some(gap.from()));
        let told_until = self.late.last().map_or(Ms(i64::MIN), |(_, to)| *to);
        let from = gap.deadline().max(told_until);
        if from < at {
            self.late.push((from, at));
        }
    }
}
