//! One patient's card: the situation put into words, a state and a strip.

use super::records::{Key, StayRecords, WardRecords};
use super::situation::{Clockwork, Situation, last_check, pauses, seen_at};
use super::{Scene, strip, words};
use crate::ids::StayId;
use crate::kinds::Event;
use crate::level::Level;
use crate::roster::Lists;
use crate::time::{HOUR_MS, MINUTE_MS, Ms};
use crate::views::{Card, CardState, LastSeen};
use crate::wire::SILENT_AFTER_MS;

const STRIP_MS: i64 = 4 * HOUR_MS;
/// Another person's check this close to the last one is said beside it.
const ALSO_MS: i64 = MINUTE_MS;

impl Scene<'_> {
    pub(super) fn situation<'a>(&self, records: &'a WardRecords, stay: &'a StayRecords) -> Situation<'a> {
        let acknowledged =
            |order| records.answers(order).any(|r| matches!(r.body.event, Some(Event::OrderAcknowledged { .. })));
        Situation::of(stay, acknowledged, self.roster.settings.tolerance_minutes, self.own(), self.now)
    }

    /// Tablets of the ward, other than this one, that have been silent since before `due_at`: what they have seen
    /// since is not known.
    pub(super) fn silent_since(&self, due_at: Ms) -> Vec<String> {
        if !self.knows_contacts() {
            return Vec::new();
        }
        let best = self.now.best();
        let silent = |tablet: &&crate::roster::Tablet| {
            let last = self.contacts.iter().find(|c| c.tablet == tablet.id).and_then(|c| c.last);
            last.is_none_or(|last| best - last > SILENT_AFTER_MS && last < due_at)
        };
        self.tablets().filter(|t| Some(t.id) != self.own()).filter(silent).map(|t| t.name.clone()).collect()
    }

    pub(super) fn card(&self, records: &WardRecords, id: StayId, stay: &StayRecords) -> Card {
        let (zone, lists, best) = (self.zone(), &self.roster.lists, self.now.best());
        let now = self.situation(records, stay);
        let bed = bed_of(stay, best).unwrap_or_default();
        let place = self.ward.and_then(|w| w.beds.iter().find(|b| b.label == bed));
        let last = now.last.map(|(at, record)| LastSeen {
            record: record.id(),
            at,
            clock: words::clock_near(at, best, zone),
            words: self.check_words(stay, record),
            by: words::initials(self.roster, record),
        });
        let due_at = match now.clock {
            Clockwork::None => None,
            Clockwork::Ok { limit, .. } | Clockwork::Due { limit, .. } | Clockwork::Late { limit, .. } => {
                Some(now.gap_from + limit)
            }
        };
        let silent = match (now.clock, due_at) {
            (Clockwork::Late { .. }, Some(due_at)) => self.silent_since(due_at),
            _ => Vec::new(),
        };
        let (state, said) = self.state(&now, !silent.is_empty());
        let level = match (&now.pause, &now.order) {
            (Some((_, pause)), _) => words::pause_chip(pause.reason).to_owned(),
            (None, Some(order)) => order.order.level.label(),
            (None, None) => "no level".to_owned(),
        };
        let line = match state {
            CardState::NotKnown => format!("may be on {}: go and look", silent.join(", ")),
            _ => self.line(&now, last.as_ref()),
        };
        Card {
            stay: id,
            room: place.map_or_else(|| bed.clone(), |b| b.room.clone()),
            area: place.map(|b| b.area.clone()).unwrap_or_default(),
            bed: if bed.is_empty() { "no bed".to_owned() } else { bed },
            name: name_of(stay),
            similar_name: false,
            level,
            level_close: now.order.is_some_and(|o| o.order.level.is_close()),
            level_unacknowledged: now.raised,
            level_as_of: self.level_as_of(),
            level_conflict: now.conflict,
            precautions: precautions(stay, lists, best),
            line,
            state,
            words: said,
            due_at,
            left_percent: match now.clock {
                Clockwork::Ok { left, limit } | Clockwork::Due { left, limit } => {
                    (left.max(0) * 100 / limit.max(1)).clamp(0, 100) as u8
                }
                _ => 0,
            },
            urgency: urgency(state, &now.clock),
            tried: self.tried(stay, last.as_ref().map(|l| l.at)),
            not_done_twice: not_done_twice(stay, last.as_ref().map(|l| l.at)),
            also: last.as_ref().map(|l| self.also(stay, l)).unwrap_or_default(),
            strip: strip::strip(stay, self, best - STRIP_MS, best),
            last_seen: last,
        }
    }

    fn state(&self, now: &Situation<'_>, others_silent: bool) -> (CardState, String) {
        let best = self.now.best();
        if let Some((_, pause)) = now.pause {
            return if best > pause.return_by {
                let late = words::minutes_gone(best - pause.return_by);
                (
                    CardState::DueBack,
                    format!("due back {}, {late} min ago", words::clock_near(pause.return_by, best, self.zone())),
                )
            } else {
                (CardState::Paused, "off the ward".to_owned())
            };
        }
        let Some(order) = now.order else {
            return (CardState::NoLevel, "no level ordered".to_owned());
        };
        if matches!(order.order.level, Level::Continuous(_)) {
            return match now.watcher {
                Some(_) => (CardState::Watched, "watched now".to_owned()),
                None => (CardState::Unwatched, "nobody recorded with patient".to_owned()),
            };
        }
        match now.clock {
            Clockwork::Late { .. } if others_silent => {
                (CardState::NotKnown, format!("no check known for {} min", words::minutes_gone(best - now.gap_from)))
            }
            Clockwork::Late { over, .. } => (CardState::Overdue, overdue_words(over)),
            Clockwork::Due { .. } if now.due_at_once => (CardState::Due, "check now".to_owned()),
            Clockwork::Due { left, .. } if left <= 0 => (CardState::Due, "due now".to_owned()),
            Clockwork::Due { left, .. } => (CardState::Due, format!("due in {} min", words::minutes_left(left))),
            Clockwork::Ok { left, .. } => (CardState::Ok, format!("{} min left", words::minutes_left(left))),
            Clockwork::None => (CardState::NoLevel, "no level ordered".to_owned()),
        }
    }

    fn line(&self, now: &Situation<'_>, last: Option<&LastSeen>) -> String {
        let zone = self.zone();
        if let Some((since, pause)) = now.pause {
            let back = words::clock_near(pause.return_by, self.now.best(), zone);
            let (what, since) = (words::pause(pause.reason), words::clock_near(since, self.now.best(), zone));
            return format!("{what} since {since}, {}, back {back}", pause.escort);
        }
        if let (Some(Level::Continuous(c)), Some((who, since))) = (now.order.map(|o| &o.order.level), now.watcher) {
            let who = self.roster.person(who).map_or_else(|| "somebody".to_owned(), |p| p.short());
            let since = words::clock_near(since, self.now.best(), zone);
            return format!("With {who} since {since}, {}", c.distance.words());
        }
        last.map_or_else(|| "not seen on this stay yet".to_owned(), |l| format!("{} {}", l.clock, l.words))
    }

    /// A check's words, with the latest correction of where and what.
    pub(super) fn check_words(&self, stay: &StayRecords, record: &crate::record::Record) -> String {
        let lists = &self.roster.lists;
        match (strip::correction(stay, record.id()), &record.body.event) {
            (Some((place, activity)), _) => words::check(lists, place, activity),
            (None, Some(Event::Check(c))) => words::check(lists, &c.place, &c.activity),
            _ => String::new(),
        }
    }

    /// The latest attempt since the last check.
    fn tried(&self, stay: &StayRecords, since: Option<Ms>) -> String {
        let zone = self.zone();
        let (at, event) = match tries(stay, since).next() {
            Some((key, record)) => (words::clock(key.0, zone), record.body.event.as_ref()),
            None => return String::new(),
        };
        let lists = &self.roster.lists;
        match event {
            Some(Event::NotDone { reason, words: more }) => {
                format!("not done {at}: {}", words::not_done(lists, reason, more))
            }
            Some(Event::Heard { place }) => {
                format!("heard only {at}: {}", words::small(&Lists::label(&lists.places, place)))
            }
            Some(Event::CantTell { .. }) => format!("could not tell {at}"),
            _ => String::new(),
        }
    }

    fn also(&self, stay: &StayRecords, last: &LastSeen) -> String {
        let author = stay.counted_checks().find(|(_, r)| r.id() == last.record).map(|(_, r)| r.author);
        let other = stay.counted_checks().take(8).find(|(k, r)| {
            r.id() != last.record
                && Some(r.author) != author
                && (last.at - seen_at(k, r, self.own(), self.now)).abs() <= ALSO_MS
        });
        other
            .map(|(k, r)| {
                format!("also checked {} by {}", words::clock(k.0, self.zone()), words::initials(self.roster, r))
            })
            .unwrap_or_default()
    }
}

pub(super) fn overdue_words(over: i64) -> String {
    match words::minutes_gone(over) {
        0 => "overdue, under 1 min".to_owned(),
        n => format!("overdue {n} min"),
    }
}

/// Most urgent first: nobody with a patient, no level, then by how far past the limit in hundredths of it, then by
/// how much is left; those off the ward last.
fn urgency(state: CardState, clock: &Clockwork) -> i64 {
    let share = match *clock {
        Clockwork::Late { over, limit } => -(over * 100 / limit.max(1)) - 1,
        Clockwork::Ok { left, limit } | Clockwork::Due { left, limit } => left * 100 / limit.max(1),
        Clockwork::None => 0,
    };
    match state {
        CardState::Unwatched => -2_000_000_000,
        CardState::NoLevel => -1_000_000_000,
        CardState::DueBack => -1,
        CardState::Watched => 1_000_000,
        CardState::Paused => 2_000_000,
        _ => share,
    }
}

/// Attempts that were no check, since a moment, newest first.
fn tries(stay: &StayRecords, since: Option<Ms>) -> impl Iterator<Item = (&Key, &crate::record::Record)> {
    let newer = stay.tries.iter().rev().take_while(move |k| since.is_none_or(|s| k.0 > s));
    newer.filter_map(|k| Some((k, stay.records.get(k)?))).filter(|(_, r)| !stay.retracted.contains_key(&r.id()))
}

fn not_done_twice(stay: &StayRecords, since: Option<Ms>) -> bool {
    tries(stay, since).filter(|(_, r)| matches!(r.body.event, Some(Event::NotDone { .. }))).nth(1).is_some()
}

pub(super) fn bed_of(stay: &StayRecords, at: Ms) -> Option<String> {
    let key = stay.placed.iter().rev().find(|k| k.0 <= at)?;
    match &stay.records.get(key)?.body.event {
        Some(Event::StayPlaced { bed }) => Some(bed.clone()),
        _ => None,
    }
}

/// "Garcia, Mateo"
pub(super) fn name_of(stay: &StayRecords) -> String {
    match stay.opened.first().and_then(|k| stay.records.get(k)).map(|r| &r.body.event) {
        Some(Some(Event::StayOpened(who))) => format!("{}, {}", who.family, who.given),
        _ => "name not known".to_owned(),
    }
}

/// Labels in the order of the facility's list, most serious first.
pub(super) fn precautions(stay: &StayRecords, lists: &Lists, at: Ms) -> Vec<String> {
    let key = stay.precautions.iter().rev().find(|k| k.0 <= at);
    match key.and_then(|k| stay.records.get(k)).map(|r| &r.body.event) {
        Some(Some(Event::Precautions { codes })) => {
            let mut codes: Vec<_> = codes.iter().collect();
            codes.sort_by_key(|c| lists.precautions.iter().position(|i| &i.code == *c));
            codes.into_iter().map(|c| Lists::label(&lists.precautions, c)).collect()
        }
        _ => Vec::new(),
    }
}

/// Off the ward now, with a confirmed pause.
pub(super) fn is_away(stay: &StayRecords, at: Ms) -> bool {
    pauses(stay).any(|(_, from, to, _)| from <= at && to.is_none_or(|to| at < to))
}

/// When a stay was last seen on this machine's clock.
pub(super) fn last_seen(stay: &StayRecords, scene: &Scene<'_>) -> Option<Ms> {
    last_check(stay, scene.own(), scene.now).map(|(at, _)| at)
}
