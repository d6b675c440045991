//! One patient on a board: how things stand now.

use super::Viewpoint;
use super::log::Shelf;
use super::look::{Look, Patient};
use super::state::urgency;
use super::timeline::{OrderHeld, Standing, Timeline};
use super::watch::Watching;
use super::{people, words};
use crate::kinds::{Check, Event};
use crate::level::Level;
use crate::record::Record;
use crate::time::{HOUR_MS, MINUTE_MS, Ms};
use crate::views::{Card, Contact, LastSeen};

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

impl Look<'_> {
    pub fn read(&self, patient: &Patient, contacts: &[Contact]) -> Reading {
        let log = patient.log;
        let line = self.records.timeline(patient, self.roster, self.frame);
        let standing = line.at(self.now());
        let last = self.records.last_counted(log, self.frame, self.now());
        let last_seen = last.map(|(at, record)| self.last_seen(at, record));
        let watchers_asked = match standing.order.map(|o| &o.order.level) {
            Some(Level::Continuous(c)) => c.ratio.0,
            _ => 1,
        };
        let watching = self.records.watching(log, &line, self.frame, watchers_asked);
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
            provisional: patient.is_provisional(),
            census: self.census_words(patient, &standing),
            level_as_of: self.level_as_of(),
            level_conflict: standing.conflict,
            precautions: words::precautions(self.roster, &patient.precautions),
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

    pub fn last_seen(&self, at: Ms, record: &Record) -> LastSeen {
        let shown = self.frame.shown(record);
        LastSeen {
            record: record.id(),
            at: shown,
            clock: self.clock(if (shown - at).saturating_abs() < MINUTE_MS { shown } else { at }),
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

    /// The order in force is stricter than what was last read of this stay, or the first one after a time without,
    /// and nobody has said that they read it. A renewal of a raised level that nobody read is still unread.
    fn is_unacknowledged(&self, line: &Timeline, held: &OrderHeld) -> bool {
        let read = |r: &std::sync::Arc<Record>| matches!(r.body.event, Some(Event::OrderAcknowledged { .. }));
        // What holds for a provisional stay is nothing that somebody ordered and others must read.
        let is_read = |o: &OrderHeld| o.is_provisional() || self.records.about(o.record.id()).iter().any(read);
        let mut known = None;
        for (_, standing) in line.changes.iter().take_while(|(at, _)| *at <= self.now()) {
            known = match (standing.order, known) {
                (None, _) => None,
                (Some(o), known) => {
                    let level = o.order.level.strictness();
                    if is_read(&o) || known.is_some_and(|k| level < k) { Some(level) } else { known }
                }
            };
        }
        !is_read(held) && known.is_none_or(|known| held.order.level.strictness() > known)
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
