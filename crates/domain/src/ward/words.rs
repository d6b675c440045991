//! How things are said, in one place, so that tablet, station and reports say the same.

use crate::kinds::{Behaviour, Code, Event, HarmTalk, Mood, MoodSource, PauseReason};
use crate::record::Record;
use crate::roster::{ListItem, Lists, Roster};
use crate::time::{MINUTE_MS, Ms, day_bounds};
use chrono::{Offset, TimeZone};
use chrono_tz::Tz;

/// "1 minute", "3 minutes".
pub(super) fn minutes_long(n: i64) -> String {
    if n == 1 { "1 minute".to_owned() } else { format!("{n} minutes") }
}

/// Whole minutes that are gone.
pub(super) fn minutes_gone(ms: i64) -> i64 {
    ms.max(0) / MINUTE_MS
}

/// Whole minutes that are left, the begun one counted.
pub(super) fn minutes_left(ms: i64) -> i64 {
    (ms.max(0) + MINUTE_MS - 1) / MINUTE_MS
}

/// "02:47"; with the offset where that time comes twice that day: "01:30 −04:00".
pub(super) fn clock(at: Ms, zone: Tz) -> String {
    let local = at.utc().with_timezone(&zone);
    let text = local.format("%H:%M").to_string();
    if matches!(zone.from_local_datetime(&local.naive_local()), chrono::LocalResult::Ambiguous(..)) {
        let seconds = local.offset().fix().local_minus_utc();
        let sign = if seconds < 0 { '−' } else { '+' };
        return format!("{text} {sign}{:02}:{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60);
    }
    text
}

/// "02:47", or "Mon 02:47" where that is another day than now's.
pub(super) fn clock_near(at: Ms, now: Ms, zone: Tz) -> String {
    let (from, to) = day_bounds(now.date(zone), zone);
    if at >= from && at < to {
        return clock(at, zone);
    }
    format!("{} {}", at.utc().with_timezone(&zone).format("%a"), clock(at, zone))
}

/// "Sunday 22 November"
pub(super) fn date(at: Ms, zone: Tz) -> String {
    at.utc().with_timezone(&zone).format("%A %-d %B").to_string()
}

/// "Bedroom · breathing seen"
pub(super) fn check(lists: &Lists, place: &Code, activity: &Code) -> String {
    let doing = match lists.activities.iter().find(|i| &i.code == activity) {
        Some(item) if item.code.0 == "eyes_closed" && !item.hint.is_empty() => item.hint.clone(),
        _ => small(&Lists::label(&lists.activities, activity)),
    };
    format!("{} · {doing}", Lists::label(&lists.places, place))
}

/// First letter small, unless the word is an abbreviation ("TV").
pub(super) fn small(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), second) if second.is_none_or(char::is_lowercase) => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

fn labels(items: &[ListItem], codes: &[Code]) -> String {
    codes.iter().map(|c| small(&Lists::label(items, c))).collect::<Vec<_>>().join(", ")
}

pub(super) fn mood(lists: &Lists, mood: &Mood) -> String {
    let mut parts = vec![match (mood.source, mood.score) {
        (MoodSource::Patient, Some(score)) => format!("Mood {score} of 10, patient's own answer"),
        (MoodSource::Patient, None) => "Mood, patient's own words".to_owned(),
        (MoodSource::StaffImpression, _) => "Mood, staff impression".to_owned(),
        (MoodSource::DeclinedToSay, _) => "Mood: declined to say".to_owned(),
    }];
    parts.extend(Some(labels(&lists.affect, &mood.affect)).filter(|t| !t.is_empty()));
    parts.extend((!mood.words.is_empty()).then(|| format!("“{}”", mood.words)));
    parts.extend(mood.harm.map(|harm| {
        match harm {
            HarmTalk::NothingSaid => "nothing said about hurting self or others",
            HarmTalk::AskedSaidNo => "asked about hurting self or others: said no",
            HarmTalk::Yes => "spoke of hurting self or others",
        }
        .to_owned()
    }));
    parts.join(" · ")
}

pub(super) fn behaviour(lists: &Lists, b: &Behaviour) -> String {
    let then = b.then.iter().cloned().collect::<Vec<_>>();
    let named = [
        ("before", labels(&lists.before, &b.before)),
        ("", labels(&lists.behaviours, &b.what)),
        ("staff", labels(&lists.staff_did, &b.staff_did)),
        ("then", labels(&lists.then, &then)),
        ("affected", labels(&lists.affected, &b.affected)),
        ("", b.words.clone()),
    ];
    let said = named.into_iter().filter(|(_, text)| !text.is_empty());
    let text = said.map(|(name, text)| if name.is_empty() { text } else { format!("{name}: {text}") });
    format!("Behaviour: {}", text.collect::<Vec<_>>().join(" · "))
}

pub(super) fn not_done(lists: &Lists, reason: &Code, words: &str) -> String {
    let label = small(&Lists::label(&lists.not_done, reason));
    if words.is_empty() { label } else { format!("{label}, {words}") }
}

/// The chip of a pause: "Leave", "ED", "Court", "Off".
pub(super) fn pause_chip(reason: PauseReason) -> &'static str {
    match reason {
        PauseReason::Leave => "Leave",
        PauseReason::EmergencyDepartment => "ED",
        PauseReason::Court => "Court",
        PauseReason::Other => "Off",
    }
}

pub(super) fn pause(reason: PauseReason) -> &'static str {
    match reason {
        PauseReason::Leave => "On leave",
        PauseReason::EmergencyDepartment => "At the ED",
        PauseReason::Court => "At court",
        PauseReason::Other => "Off the ward",
    }
}

/// "MO"; empty for a machine's own record.
pub(super) fn initials(roster: &Roster, record: &Record) -> String {
    let person = record.body.envelope.by.and_then(|id| roster.person(id));
    person.map(|p| p.initials()).unwrap_or_default()
}

/// "M. Okafor"
pub(super) fn short(roster: &Roster, record: &Record) -> String {
    match record.body.envelope.by {
        Some(id) => roster.person(id).map_or_else(|| "somebody not on this list".to_owned(), |p| p.short()),
        None => "not signed in".to_owned(),
    }
}

/// What an event says, for a day's row; None for kinds that have no row of their own.
pub(super) fn event(roster: &Roster, event: &Event, zone: Tz) -> Option<String> {
    let lists = &roster.lists;
    Some(match event {
        Event::Check(c) => check(lists, &c.place, &c.activity),
        Event::Heard { place } => format!("Heard only, not seen: {}", small(&Lists::label(&lists.places, place))),
        Event::CantTell { place } => format!("Can't tell, no check: {}", small(&Lists::label(&lists.places, place))),
        Event::NotDone { reason, words } => format!("Not done: {}", not_done(lists, reason, words)),
        Event::Mood(m) => mood(lists, m),
        Event::Behaviour(b) => behaviour(lists, b),
        Event::Note { words } => format!("Note: {words}"),
        Event::Concern { words } => format!("Concern: {words}"),
        Event::Emergency { what, place } if place.is_empty() => what.words().to_owned(),
        Event::Emergency { what, place } => format!("{}: {place}", what.words()),
        Event::EmergencyEnded { words, .. } if words.is_empty() => "Emergency ended".to_owned(),
        Event::EmergencyEnded { words, .. } => format!("Emergency ended: {words}"),
        Event::Acknowledged { came, .. } => match came.and_then(|id| roster.person(id)) {
            Some(person) => format!("{} came", person.short()),
            None => "Acknowledged".to_owned(),
        },
        Event::Order(o) => format!("Level {} ordered by {}: {}", o.level.label(), o.ordered_by, o.reason),
        Event::OrderEnded { reason, .. } => format!("Level ended: {reason}"),
        Event::OrderAcknowledged { .. } => "Level acknowledged".to_owned(),
        Event::PauseStarted(p) => {
            format!("{}, {}, back by {}", pause(p.reason), p.escort, clock(p.return_by, zone))
        }
        Event::PauseEnded { .. } => "Back on the ward".to_owned(),
        Event::WatchStarted { watcher } => {
            let who = roster.person(*watcher).map_or_else(|| "Somebody not on this list".to_owned(), |p| p.short());
            format!("{who} is with the patient")
        }
        Event::WatchEnded { .. } => "No longer with the patient".to_owned(),
        Event::StayOpened(_) => "Admitted".to_owned(),
        Event::StayPlaced { bed } => format!("In bed {bed}"),
        Event::StayClosed { reason } => format!("Discharged: {reason}"),
        Event::Precautions { codes } if codes.is_empty() => "No precautions".to_owned(),
        Event::Precautions { codes } => format!("Precautions: {}", labels(&lists.precautions, codes)),
        Event::Amendment(_)
        | Event::HoldingTaken { .. }
        | Event::Verified { .. }
        | Event::Silenced {}
        | Event::ClockMeasured(_)
        | Event::TabletJoined { .. }
        | Event::TabletRevoked { .. } => return None,
    })
}
