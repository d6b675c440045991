//! May this be recorded? Refuses only what cannot be; everything merely odd is recorded and shown.

use super::Scene;
use super::card::last_seen;
use super::records::WardRecords;
use crate::kinds::{Amendment, AmendmentAction, AmendmentReason, Code, Event, Mood, MoodSource};
use crate::record::{Envelope, Record};
use crate::refusal::Refusal;
use crate::roster::Role;
use crate::time::{MINUTE_MS, SECOND_MS};

/// Longest text of an entry, characters: a page of paper, and far below what a body may hold.
pub const WORDS_MAX: usize = 4_000;

pub(super) fn may_record(
    records: &WardRecords,
    scene: &Scene<'_>,
    envelope: &Envelope,
    event: &Event,
) -> Result<String, Refusal> {
    if envelope.observed_at > envelope.recorded_at {
        return Err(Refusal::new(
            "time.future",
            "The time you gave has not come yet.",
            "Give the time when you saw the patient, or leave it at now.",
        ));
    }
    words_fit(event)?;
    let stay = match envelope.stay {
        Some(id) => Some(records.stay(id).ok_or_else(stay_unknown)?),
        None => None,
    };
    match event {
        Event::Mood(mood) => mood_is_whole(mood)?,
        Event::Note { words } | Event::Concern { words } if words.trim().is_empty() => return Err(empty()),
        Event::NotDone { reason, words } if reason == &Code::from("other") && words.trim().is_empty() => {
            return Err(empty());
        }
        Event::Behaviour(b) if b.what.is_empty() && b.words.trim().is_empty() => {
            return Err(Refusal::new(
                "behaviour.empty",
                "Nothing says what happened.",
                "Choose what happened, or write it in words.",
            ));
        }
        Event::Amendment(amendment) => may_amend(records, scene, envelope, amendment)?,
        Event::Acknowledged { of, .. } | Event::EmergencyEnded { of, .. } => {
            records.by_id(*of).ok_or_else(record_unknown)?;
        }
        _ => {}
    }
    let Some(stay) = stay else { return Ok(String::new()) };
    if !stay.closed.is_empty() {
        return Ok("This patient has been discharged. The entry is kept and shown to a nurse.".to_owned());
    }
    let since = last_seen(stay, scene).map(|at| scene.now.best() - at);
    Ok(match (event, since) {
        (Event::Check(_), Some(ago)) if ago < MINUTE_MS && !envelope.is_late_entry() => {
            format!("Another check of this patient {} s ago", ago.max(0) / SECOND_MS)
        }
        _ => String::new(),
    })
}

fn words_fit(event: &Event) -> Result<(), Refusal> {
    let all: Vec<&str> = match event {
        Event::NotDone { words, .. } | Event::Note { words } | Event::Concern { words } => vec![words],
        Event::Mood(m) => vec![&m.words],
        Event::Behaviour(b) => vec![&b.words],
        Event::EmergencyEnded { words, .. } => vec![words],
        Event::Emergency { place, .. } => vec![place],
        Event::Amendment(Amendment { words, action: AmendmentAction::Add { words: added }, .. }) => vec![words, added],
        Event::Amendment(a) => vec![&a.words],
        _ => vec![],
    };
    match all.into_iter().map(|text| text.chars().count()).max() {
        Some(n) if n > WORDS_MAX => Err(Refusal::new(
            "words.too_long",
            format!("The text has {n} characters; {WORDS_MAX} fit into one entry."),
            "Shorten it, or write the rest as a second note.",
        )),
        _ => Ok(()),
    }
}

fn mood_is_whole(mood: &Mood) -> Result<(), Refusal> {
    let own_answer = mood.source == MoodSource::Patient;
    match mood.score {
        Some(score) if score > 10 => {
            Err(Refusal::new("mood.score", "Mood goes from 0 to 10.", "Choose the number that the patient said."))
        }
        Some(_) if !own_answer => Err(Refusal::new(
            "mood.not_the_patients",
            "A number is the patient's own answer.",
            "Take the number away, or choose “Patient's own answer”.",
        )),
        _ => Ok(()),
    }
}

/// Entries that a person made about a patient. The census, levels and amendments are corrected by new ones of theirs.
pub(super) fn amendable(record: &Record) -> bool {
    matches!(
        record.body.event,
        Some(
            Event::Check(_)
                | Event::Heard { .. }
                | Event::CantTell { .. }
                | Event::NotDone { .. }
                | Event::Mood(_)
                | Event::Behaviour(_)
                | Event::Note { .. }
                | Event::Concern { .. }
        )
    )
}

fn may_amend(
    records: &WardRecords,
    scene: &Scene<'_>,
    envelope: &Envelope,
    amendment: &Amendment,
) -> Result<(), Refusal> {
    let of = records.by_id(amendment.of).ok_or_else(record_unknown)?;
    if !amendable(of) || of.body.envelope.stay != envelope.stay {
        return Err(Refusal::new(
            "amend.not_this",
            "This kind of record is not corrected here.",
            "Ask a nurse to put it right at the station.",
        ));
    }
    let person = envelope.by.and_then(|id| scene.roster.person(id));
    let nurse = person.is_some_and(|p| matches!(p.role, Role::Nurse | Role::ChargeNurse));
    if !nurse && of.body.envelope.by != envelope.by {
        return Err(Refusal::new(
            "amend.not_yours",
            "Somebody else wrote this entry.",
            "Ask them or a nurse to correct it.",
        ));
    }
    let stay = of.body.envelope.stay.and_then(|id| records.stay(id));
    if stay.is_some_and(|s| s.retracted.contains_key(&amendment.of)) {
        return Err(Refusal::new(
            "amend.retracted",
            "This entry has been taken back already.",
            "Make a new entry if something is missing.",
        ));
    }
    if amendment.reason == AmendmentReason::Other && amendment.words.trim().is_empty() {
        return Err(Refusal::new("amend.reason", "A correction needs a reason.", "Say in a few words why."));
    }
    match (&amendment.action, &of.body.event) {
        (AmendmentAction::CorrectCheck { .. }, event) if !matches!(event, Some(Event::Check(_))) => Err(Refusal::new(
            "amend.not_a_check",
            "Only a check has a place and an activity.",
            "Take the entry back and make it again.",
        )),
        (AmendmentAction::Add { words }, _) if words.trim().is_empty() => Err(empty()),
        _ => Ok(()),
    }
}

fn empty() -> Refusal {
    Refusal::new("words.empty", "Nothing is written yet.", "Write a few words, then save.")
}

fn record_unknown() -> Refusal {
    Refusal::new(
        "record.unknown",
        "This tablet does not hold that entry.",
        "Go back and choose it from the patient's day.",
    )
}

pub(super) fn stay_unknown() -> Refusal {
    Refusal::new(
        "stay.unknown",
        "This patient is not known on this ward.",
        "Go back to the board and choose the patient there.",
    )
}
