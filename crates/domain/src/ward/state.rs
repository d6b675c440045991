//! How a patient stands now, as a state and in words.

use super::look::{Look, Patient};
use super::timeline::{PauseHeld, Standing, Timeline};
use super::watch::Watching;
use super::{people, words};
use crate::level::{Continuous, Level};
use crate::time::{MINUTE_MS, Ms};
use crate::views::{CardState, Contact, LastSeen};

/// What the state says in words.
pub(super) struct Said {
    pub state: CardState,
    pub words: String,
    pub line: String,
    pub due_at: Option<Ms>,
    pub left_percent: u8,
    /// How long past the limit or the time of return, ms; 0 where neither is.
    pub past_ms: i64,
    pub limit_ms: i64,
}

impl Said {
    fn plain(state: CardState, words: impl Into<String>, line: impl Into<String>) -> Said {
        let (words, line) = (words.into(), line.into());
        Said { state, words, line, due_at: None, left_percent: 100, past_ms: 0, limit_ms: 0 }
    }
}

impl Look<'_> {
    pub fn say(
        &self,
        patient: &Patient,
        line: &Timeline,
        standing: &Standing,
        last: Option<&LastSeen>,
        watching: &[Watching],
        contacts: &[Contact],
    ) -> Said {
        let seen = last.map_or_else(|| "not seen yet in this stay".to_owned(), |l| format!("{} {}", l.clock, l.words));
        if let Some(held) = standing.pause {
            return self.say_paused(held);
        }
        match standing.order.map(|o| &o.order.level) {
            None => Said::plain(CardState::NoLevel, "no level ordered", seen),
            Some(Level::Continuous(level)) => self.say_watched(level, watching),
            Some(Level::Intermittent { .. }) => self.say_clock(patient, line, last, seen, contacts),
        }
    }

    fn say_paused(&self, held: PauseHeld) -> Said {
        let back = self.clock(held.pause.return_by);
        let since = self.frame.shown(held.record);
        let mut line = format!("{} since {}", words::pause_place(held.pause.reason), self.clock(since));
        if held.from - since >= MINUTE_MS {
            line += &format!(", written at {}", self.clock(held.from));
        }
        if !held.pause.escort.trim().is_empty() {
            line += &format!(" · {}", held.pause.escort);
        }
        let past_ms = self.now() - held.pause.return_by;
        if past_ms > 0 {
            let words = format!("due back at {back}, {} ago", words::stretch(past_ms));
            return Said { past_ms, ..Said::plain(CardState::DueBack, words, line) };
        }
        Said::plain(CardState::Paused, format!("away, back by {back}"), line)
    }

    fn say_watched(&self, level: &Continuous, watching: &[Watching]) -> Said {
        let distance = level.distance.short();
        let (asked, with) = (usize::from(level.ratio.0.max(1)), watching.len());
        let each = |w: &Watching| format!("{} since {}", people::short(self.roster, Some(w.staff)), self.clock(w.from));
        let who = watching.iter().map(each).collect::<Vec<_>>().join(" and ");
        match with {
            0 => Said::plain(CardState::Unwatched, "nobody with patient", "nobody recorded with patient"),
            n if n < asked => {
                let words = format!("{n} of {asked} with patient");
                Said::plain(CardState::Unwatched, words, format!("With {who} only, {distance}"))
            }
            _ => Said::plain(CardState::Watched, "watched now", format!("With {who}, {distance}")),
        }
    }

    fn say_clock(
        &self,
        patient: &Patient,
        line: &Timeline,
        last: Option<&LastSeen>,
        seen: String,
        contacts: &[Contact],
    ) -> Said {
        let now = self.now();
        let (from, mut clock) = self.gap_clock(patient.log, line, now + 1);
        for (at, standing) in line.after(from, now) {
            clock.change(at, standing.limit_ms());
        }
        let Some(gap) = clock.running() else { return Said::plain(CardState::NoLevel, "no level ordered", seen) };
        let (deadline, limit_ms) = (gap.deadline(), gap.limit_ms());
        let (left_ms, past_ms) = (deadline - now, (now - deadline).max(0));
        let left_percent = (left_ms.max(0).saturating_mul(100) / limit_ms).clamp(0, 100) as u8;
        let said = |state, words: String, line: String| Said {
            state,
            words,
            line,
            due_at: Some(deadline),
            left_percent,
            past_ms,
            limit_ms,
        };
        if past_ms > clock.tolerance_ms {
            let silent = self.silent_since(contacts, deadline);
            if silent.is_empty() {
                return said(CardState::Overdue, overdue(past_ms), seen);
            }
            let since = last.map_or(gap.from(), |l| l.at);
            let words = format!("no check known for {}", words::stretch(now - since));
            return said(CardState::NotKnown, words, format!("may be on {}: go and look", silent.join(", ")));
        }
        if past_ms > 0 {
            return said(CardState::Due, past(past_ms), seen);
        }
        if gap.at_once {
            return Said { due_at: Some(gap.due_since()), ..said(CardState::Due, "check now".to_owned(), seen) };
        }
        if left_ms * 3 <= limit_ms {
            return said(CardState::Due, due(left_ms), seen);
        }
        said(CardState::Ok, format!("{} left", words::stretch(left_ms)), seen)
    }
}

fn due(left_ms: i64) -> String {
    match left_ms {
        ..=0 => "due now".to_owned(),
        1..MINUTE_MS => "due within 1 min".to_owned(),
        _ => format!("due in {}", words::stretch(left_ms)),
    }
}

/// Within the facility's tolerance.
fn past(past_ms: i64) -> String {
    if past_ms < MINUTE_MS {
        "past the limit, less than 1 min".to_owned()
    } else {
        format!("past the limit by {}", words::stretch(past_ms))
    }
}

fn overdue(past_ms: i64) -> String {
    if past_ms < MINUTE_MS {
        "overdue, less than 1 min".to_owned()
    } else {
        format!("overdue {}", words::stretch(past_ms))
    }
}

/// Smaller is more urgent: nobody with the patient and no level; past the limit, by how far against the limit; not
/// back; due; in time, by what is left; watched; away.
pub(super) fn urgency(state: CardState, past_ms: i64, limit_ms: i64, left_percent: u8) -> i64 {
    const TIER: i64 = 1_000_000;
    let tier = match state {
        CardState::Unwatched => 0,
        CardState::NoLevel => 1,
        CardState::Overdue | CardState::NotKnown => 2,
        CardState::DueBack => 3,
        CardState::Due => 4,
        CardState::Ok => 5,
        CardState::Watched => 6,
        CardState::Paused => 7,
    };
    let within = match state {
        CardState::Overdue | CardState::NotKnown => {
            TIER - 1 - (past_ms.saturating_mul(1_000) / limit_ms.max(1)).min(TIER - 1)
        }
        CardState::DueBack => TIER - 1 - (past_ms / 1_000).min(TIER - 1),
        CardState::Due | CardState::Ok => i64::from(left_percent),
        _ => 0,
    };
    tier * TIER + within
}
