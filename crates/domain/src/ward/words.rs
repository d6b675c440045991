//! Entries, times and stretches in plain words. One place, so that every screen says the same.

use super::people;
use crate::kinds::{AmendmentReason, Behaviour, Check, Code, Evidence, HarmTalk, Mood, MoodSource, PauseReason};
use crate::level::Level;
use crate::roster::{ListItem, Lists, Roster};
use crate::time::{HOUR_MS, MINUTE_MS, Ms};
use chrono::{Offset, TimeZone};
use chrono_tz::Tz;

/// The only activity whose small print is what was seen: it says how sleep was told from the worst.
const EYES_CLOSED: &str = "eyes_closed";

/// "Bedroom · breathing seen", "Hallway · pacing, restless", and who or what else was there.
pub(super) fn check(roster: &Roster, check: &Check) -> String {
    let place = Lists::label(&roster.lists.places, &check.place);
    let mut words = format!("{place} · {}", activity(&roster.lists, &check.activity));
    for evidence in &check.evidence {
        words += &match evidence {
            Evidence::TagRead { tag, .. } => format!(" · tag of {tag} read"),
            Evidence::WristbandRead { .. } => " · wristband read".to_owned(),
            Evidence::SecondPerson { staff } => format!(" · with {}", people::short(roster, Some(*staff))),
        };
    }
    words
}

fn activity(lists: &Lists, code: &Code) -> String {
    match lists.activities.iter().find(|i| &i.code == code) {
        Some(item) if code.0 == EYES_CLOSED && !item.hint.is_empty() => item.hint.clone(),
        Some(item) => lower_first(&item.label),
        None => code.0.clone(),
    }
}

/// "Walking" becomes "walking", "TV, reading" stays.
pub(super) fn lower_first(label: &str) -> String {
    let mut letters = label.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), second) if second.is_none_or(|s| !s.is_uppercase()) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => label.to_owned(),
    }
}

pub(super) fn place(roster: &Roster, code: &Code) -> String {
    Lists::label(&roster.lists.places, code)
}

/// "emergency elsewhere: fight in the day room".
pub(super) fn not_done(roster: &Roster, reason: &Code, words: &str) -> String {
    let label = lower_first(Lists::label(&roster.lists.not_done, reason).trim_end_matches('…'));
    if words.trim().is_empty() { label } else { format!("{label}: {words}") }
}

fn labels(items: &[ListItem], codes: &[Code]) -> String {
    codes.iter().map(|c| Lists::label(items, c)).collect::<Vec<_>>().join(", ")
}

/// "3 of 10, as the patient said · Flat · “tired of it” · asked about harm: said no"
pub(super) fn mood(roster: &Roster, mood: &Mood) -> String {
    let mut parts = vec![match (mood.source, mood.score) {
        (MoodSource::Patient, Some(score)) => format!("{score} of 10, as the patient said"),
        (MoodSource::Patient, None) => "As the patient said".to_owned(),
        (MoodSource::StaffImpression, _) => "Staff impression".to_owned(),
        (MoodSource::DeclinedToSay, _) => "Did not want to say".to_owned(),
    }];
    if !mood.affect.is_empty() {
        parts.push(labels(&roster.lists.affect, &mood.affect));
    }
    if !mood.words.trim().is_empty() {
        parts.push(format!("“{}”", mood.words));
    }
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

/// "3", for a short list of earlier answers.
pub(super) fn mood_in_short(mood: &Mood) -> String {
    match (mood.source, mood.score) {
        (MoodSource::Patient, Some(score)) => score.to_string(),
        (MoodSource::Patient, None) => "no number".to_owned(),
        (MoodSource::StaffImpression, _) => "staff impression".to_owned(),
        (MoodSource::DeclinedToSay, _) => "did not say".to_owned(),
    }
}

/// "Before: was told no · Shouting, Threats · Staff: talked, listened · Then: settled · Affected: words only"
pub(super) fn behaviour(roster: &Roster, b: &Behaviour) -> String {
    let lists = &roster.lists;
    let named = |name: &str, items: &[ListItem], codes: &[Code]| {
        (!codes.is_empty()).then(|| format!("{name}{}", labels(items, codes)))
    };
    let then: Vec<Code> = b.then.iter().cloned().collect();
    let parts = [
        named("Before: ", &lists.before, &b.before),
        named("", &lists.behaviours, &b.what),
        named("Staff: ", &lists.staff_did, &b.staff_did),
        named("Then: ", &lists.then, &then),
        named("Affected: ", &lists.affected, &b.affected),
        (!b.words.trim().is_empty()).then(|| b.words.clone()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Precautions in the order of the facility's list, which puts the most serious first; unknown codes as they are.
pub(super) fn precautions(roster: &Roster, codes: &[Code]) -> Vec<String> {
    let items = &roster.lists.precautions;
    let rank = |code: &Code| items.iter().position(|i| &i.code == code).unwrap_or(items.len());
    let mut sorted: Vec<&Code> = codes.iter().collect();
    sorted.sort_by_key(|c| (rank(c), (*c).clone()));
    sorted.dedup();
    sorted.into_iter().map(|c| Lists::label(items, c)).collect()
}

pub(super) fn reason(reason: AmendmentReason, words: &str) -> String {
    let said = match reason {
        AmendmentReason::Undo => "undone at once",
        AmendmentReason::WrongPatient => "wrong patient",
        AmendmentReason::MisTap => "mis-tap",
        AmendmentReason::Other => "",
    };
    match (said, words.trim()) {
        (said, "") => said.to_owned(),
        ("", words) => words.to_owned(),
        (said, words) => format!("{said}, {words}"),
    }
}

/// What the level's chip says while the patient is away.
pub(super) fn pause_chip(reason: PauseReason) -> &'static str {
    match reason {
        PauseReason::Leave => "Leave",
        PauseReason::EmergencyDepartment => "ED",
        PauseReason::Court => "Court",
        PauseReason::Other => "Off",
    }
}

pub(super) fn pause_place(reason: PauseReason) -> &'static str {
    match reason {
        PauseReason::Leave => "On leave",
        PauseReason::EmergencyDepartment => "At the ED",
        PauseReason::Court => "At court",
        PauseReason::Other => "Off the ward",
    }
}

/// "Q15", or "1:1 within arm's length" with what the order says of bathroom and sleep.
pub(super) fn level(level: &Level) -> String {
    let mut words = level.label();
    if let Level::Continuous(c) = level {
        words += &format!(" {}", c.distance.words());
        for (when, what) in [("bathroom", &c.bathroom), ("asleep", &c.sleep)] {
            if let Some(what) = what {
                words += &format!(", {when}: {what}");
            }
        }
    }
    words
}

/// "02:47"; in an hour that comes twice (the clocks go back) with its offset, "01:30 −04:00".
pub(super) fn clock(at: Ms, zone: Tz) -> String {
    let local = at.utc().with_timezone(&zone);
    let clock = local.format("%H:%M").to_string();
    match zone.from_local_datetime(&local.naive_local()) {
        chrono::LocalResult::Ambiguous(..) => format!("{clock} {}", offset(at, zone)),
        _ => clock,
    }
}

/// "−04:00"
fn offset(at: Ms, zone: Tz) -> String {
    let seconds = at.utc().with_timezone(&zone).offset().fix().local_minus_utc();
    let (sign, minutes) = (if seconds < 0 { '−' } else { '+' }, seconds.abs() / 60);
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// The clock, with the day where it is not within the last 20 hours, so that 02:41 is never taken for another night's.
pub(super) fn clock_near(at: Ms, now: Ms, zone: Tz) -> String {
    let clock = clock(at, zone);
    if (now - at).saturating_abs() < 20 * HOUR_MS {
        return clock;
    }
    format!("{} {clock}", at.utc().with_timezone(&zone).format("%-d %b"))
}

/// "18 min", "1 h 5 min"; rounded down.
pub(super) fn stretch(ms: i64) -> String {
    let minutes = ms.max(0) / MINUTE_MS;
    if minutes < 60 { format!("{minutes} min") } else { format!("{} h {} min", minutes / 60, minutes % 60) }
}

/// "3 minutes", "1 minute", "less than a minute", "1 hour 5 minutes"; rounded down.
pub(super) fn stretch_long(ms: i64) -> String {
    let minutes = ms.max(0) / MINUTE_MS;
    let unit = |n: i64, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    match (minutes / 60, minutes % 60) {
        (0, 0) => "less than a minute".to_owned(),
        (0, m) => unit(m, "minute"),
        (h, 0) => unit(h, "hour"),
        (h, m) => format!("{} {}", unit(h, "hour"), unit(m, "minute")),
    }
}
