//! One patient on a board: how things stand now.

use super::Viewpoint;
use super::log::Shelf;
use super::look::{Look, Patient};
use super::timeline::{OrderHeld, Standing, Timeline};
use super::watch::Watching;
use super::{people, words};
use crate::kinds::{Check, Event};
use crate::level::{Continuous, Level};
use crate::record::Record;
use crate::time::{HOUR_MS, MINUTE_MS, Ms};
use crate::views::{Card, CardState, Contact, LastSeen};

/// How far back a board's strip reaches.
const STRIP_MS: i64 = 4 * HOUR_MS;
/// Two checks within this are one look by two people, or one tap too many.
pub(super) const REPEAT_MS: i64 = MINUTE_MS;
/// How far back a board looks for what was tried since the last check.
const TRIED_MS: i64 = 24 * HOUR_MS;

/// A card with what the signal and the round need of it.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub card: Card,
    /// How long past the limit, or past the time of return, and the limit itself, ms; 0 where neither is.
    pub past_ms: i64,
    pub limit_ms: i64,
    pub watching: Vec<Watching>,
    /// The limit of a clock that runs.
    pub owed: Option<i64>,
}

/// What the state says in words.
struct Said {
    state: CardState,
    words: String,
    line: String,
    due_at: Option<Ms>,
    left_percent: u8,
    past_ms: i64,
    limit_ms: i64,
}

impl Said {
    fn plain(state: CardState, words: impl Into<String>, line: impl Into<String>) -> Said {
        let (words, line) = (words.into(), line.into());
        Said { state, words, line, due_at: None, left_percent: 100, past_ms: 0, limit_ms: 0 }
    }
}

impl Look<'_> {
    pub fn read(&self, patient: &Patient, contacts: &[Contact]) -> Reading {
        let log = patient.log;
        let line = self.records.timeline(log, self.roster, self.frame);
        let standing = line.at(self.now());
        let last = self.records.last_counted(log, self.frame, self.now());
        let last_seen = last.map(|(at, record)| self.last_seen(at, record));
        let watchers_asked = match standing.order.map(|o| &o.order.level) {
            Some(Level::Continuous(c)) => c.ratio.0,
            _ => 1,
        };
        let watching = self.records.watching(log, self.frame, watchers_asked);
        let said = self.say(patient, &line, &standing, last_seen.as_ref(), &watching, contacts);
        let bed =
            self.roster.ward(patient.ward).and_then(|w| w.beds.iter().find(|b| Some(b.label.as_str()) == patient.bed));
        let (tried, not_done_twice) = self.tried(patient, last.map(|(at, _)| at));
        let card = Card {
            stay: patient.stay,
            bed: patient.bed_label().to_owned(),
            room: bed.map_or_else(|| patient.bed_label().to_owned(), |b| b.room.clone()),
            area: bed.map(|b| b.area.clone()).unwrap_or_default(),
            name: patient.name(),
            similar_name: false,
            level: chip(&standing),
            level_close: standing.order.is_some_and(|o| o.order.level.is_close()),
            level_unacknowledged: standing.order.filter(|o| self.is_unacknowledged(&line, o)).map(|o| o.record.id()),
            level_as_of: self.level_as_of(),
            level_conflict: standing.conflict,
            precautions: words::precautions(self.roster, patient.precautions),
            last_seen,
            line: said.line,
            state: said.state,
            words: said.words,
            due_at: said.due_at,
            left_percent: said.left_percent,
            urgency: urgency(said.state, said.past_ms, said.limit_ms, said.left_percent),
            tried,
            not_done_twice,
            also: last.map(|(at, record)| self.also(patient, at, record)).unwrap_or_default(),
            strip: self.strip(log, &line, self.now() - STRIP_MS, self.now()),
        };
        Reading { card, past_ms: said.past_ms, limit_ms: said.limit_ms, watching, owed: standing.limit_ms() }
    }

    fn say(
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

    fn say_paused(&self, held: super::timeline::PauseHeld) -> Said {
        let back = self.clock(held.pause.return_by);
        let mut line = format!("{} since {}", words::pause_place(held.pause.reason), self.clock(held.from));
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
        let distance = level.distance.words();
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
        let left_ms = deadline - now;
        let left_percent = (left_ms.max(0).saturating_mul(100) / limit_ms).clamp(0, 100) as u8;
        let said = |state, words: String, line: String| Said {
            state,
            words,
            line,
            due_at: Some(deadline),
            left_percent,
            past_ms: (-left_ms).max(0),
            limit_ms,
        };
        if -left_ms > clock.tolerance_ms {
            let silent = self.silent_since(contacts, deadline);
            if silent.is_empty() {
                return said(CardState::Overdue, overdue(-left_ms), seen);
            }
            let since = last.map_or(gap.from(), |l| l.at);
            let words = format!("no check known for {}", words::stretch(now - since));
            return said(CardState::NotKnown, words, format!("may be on {}: go and look", silent.join(", ")));
        }
        if gap.at_once {
            return Said { due_at: Some(gap.due_since()), ..said(CardState::Due, "check now".to_owned(), seen) };
        }
        if left_ms * 3 <= limit_ms {
            return said(CardState::Due, due(left_ms), seen);
        }
        said(CardState::Ok, format!("{} left", words::stretch(left_ms)), seen)
    }

    pub fn last_seen(&self, at: Ms, record: &Record) -> LastSeen {
        let shown = self.frame.shown(record);
        LastSeen {
            record: record.id(),
            at: shown,
            clock: self.clock(if (shown - at).abs() < MINUTE_MS { shown } else { at }),
            words: self.check_words(record).unwrap_or_default(),
            by: people::initials(self.roster, record.body.envelope.by),
        }
    }

    /// A check's words as they hold now; None for what is no check.
    pub fn check_words(&self, record: &Record) -> Option<String> {
        let Some(Event::Check(check)) = &record.body.event else { return None };
        Some(match self.records.correction(record.id()) {
            Some((_, now)) => words::check(self.roster, &Check { evidence: check.evidence.clone(), ..now }),
            None => words::check(self.roster, check),
        })
    }

    /// The newest of what was tried since the last check, and whether it was not done twice in a row.
    fn tried(&self, patient: &Patient, last: Option<Ms>) -> (String, bool) {
        let since = last.map_or(Ms(i64::MIN), |at| at + 1).max(self.now() - TRIED_MS);
        let mut tried = self.frame.within(patient.log, Shelf::Tried, since, self.now());
        tried.retain(|(_, r)| !self.records.is_retracted(r.id()));
        let not_done = tried.iter().filter(|(_, r)| matches!(r.body.event, Some(Event::NotDone { .. }))).count();
        let words = tried.last().map(|(_, record)| {
            let clock = self.clock(self.frame.shown(record));
            match &record.body.event {
                Some(Event::NotDone { reason, words }) => {
                    format!("not done {clock}: {}", words::not_done(self.roster, reason, words))
                }
                Some(Event::Heard { .. }) => format!("only heard {clock}"),
                _ => format!("could not tell {clock}"),
            }
        });
        (words.unwrap_or_default(), not_done >= 2)
    }

    /// Another tablet, or another person, has checked within a minute of the last check.
    fn also(&self, patient: &Patient, at: Ms, last: &Record) -> String {
        let of = |r: &Record| (r.body.envelope.tablet, r.body.envelope.by);
        let near = self.records.counted(patient.log, self.frame, at - REPEAT_MS, self.now());
        let other = near.iter().rfind(|(_, r)| of(r) != of(last));
        let by = |r: &Record| people::initials(self.roster, r.body.envelope.by);
        other
            .map_or_else(String::new, |(_, r)| format!("also checked {} by {}", self.clock(self.frame.shown(r)), by(r)))
    }

    /// The order in force is new or raised, and nobody has said that they read it.
    fn is_unacknowledged(&self, line: &Timeline, held: &OrderHeld) -> bool {
        let before = line.at(held.from - 1).order.map(|o| o.order.level.strictness());
        let is_raised = before.is_none_or(|b| held.order.level.strictness() > b);
        let read = |r: &std::sync::Arc<Record>| matches!(r.body.event, Some(Event::OrderAcknowledged { .. }));
        is_raised && !self.records.about(held.record.id()).iter().any(read)
    }

    /// "level as of 01:52" where a tablet's last contact is longer ago than the facility allows. That the tablet is
    /// out of touch at all, and since when, stands once above the board; on every card it would push out the place.
    pub fn level_as_of(&self) -> String {
        let Viewpoint::Tablet { last_contact, .. } = self.view else { return String::new() };
        let stale_ms = i64::from(self.roster.settings.level_stale_minutes) * MINUTE_MS;
        match last_contact {
            Some(last) if self.now() - last <= stale_ms => String::new(),
            Some(last) => format!("level as of {}", self.clock(last)),
            None => "level not confirmed by the station yet".to_owned(),
        }
    }
}

fn chip(standing: &Standing) -> String {
    match (standing.pause, standing.order) {
        (Some(held), _) => words::pause_chip(held.pause.reason).to_owned(),
        (None, Some(held)) => held.order.level.label(),
        (None, None) => "no level".to_owned(),
    }
}

fn due(left_ms: i64) -> String {
    match left_ms {
        ..=0 => "due now".to_owned(),
        1..MINUTE_MS => "due within 1 min".to_owned(),
        _ => format!("due in {}", words::stretch(left_ms)),
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
fn urgency(state: CardState, past_ms: i64, limit_ms: i64, left_percent: u8) -> i64 {
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
