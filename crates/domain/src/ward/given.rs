//! Does an entry say enough to be one, and not more than can be kept?

use crate::kinds::{Amendment, AmendmentAction, AmendmentReason, Behaviour, Event, Mood, MoodSource};
use crate::refusal::Refusal;

/// Of any text in an entry; a long note is 4 KiB.
pub const WORDS_MAX_CHARS: usize = 4_096;
const SCORE_MAX: u8 = 10;

/// Errors: "words.empty", "words.too_long", "mood.…", "behaviour.empty".
pub(super) fn says_enough(event: &Event) -> Result<(), Refusal> {
    let texts: Vec<&str> = match event {
        Event::NotDone { words, .. } | Event::Note { words } | Event::Concern { words } => vec![words],
        Event::EmergencyEnded { words, .. } => vec![words],
        Event::Mood(mood) => vec![&mood.words],
        Event::Behaviour(behaviour) => vec![&behaviour.words],
        Event::Verified { note } => vec![note],
        Event::Amendment(Amendment { action: AmendmentAction::Add { words: added }, words, .. }) => {
            vec![added, words]
        }
        Event::Amendment(amendment) => vec![&amendment.words],
        Event::StayClosed { reason } | Event::OrderEnded { reason, .. } => vec![reason],
        _ => Vec::new(),
    };
    if texts.iter().any(|t| t.chars().count() > WORDS_MAX_CHARS) {
        return Err(Refusal::new(
            "words.too_long",
            format!("This text is longer than {WORDS_MAX_CHARS} characters."),
            "Shorten it, or save it as two entries.",
        ));
    }
    let needed = match event {
        Event::Note { words } | Event::Concern { words } => Some(words),
        Event::NotDone { reason, words } if reason.0 == "other" => Some(words),
        Event::Amendment(Amendment { action: AmendmentAction::Add { words }, .. }) => Some(words),
        Event::Amendment(Amendment { reason: AmendmentReason::Other, words, .. }) => Some(words),
        _ => None,
    };
    if needed.is_some_and(|words| words.trim().is_empty()) {
        return Err(Refusal::new("words.empty", "There is no text in this entry.", "Write what a nurse should know."));
    }
    match event {
        Event::Mood(mood) => may_mood(mood),
        Event::Behaviour(behaviour) => may_behaviour(behaviour),
        _ => Ok(()),
    }
}

fn may_mood(mood: &Mood) -> Result<(), Refusal> {
    match (mood.source, mood.score) {
        (MoodSource::Patient, Some(score)) if score > SCORE_MAX => Err(Refusal::new(
            "mood.score_range",
            "A mood goes from 0 to 10.",
            "Choose the number that the patient said.",
        )),
        (MoodSource::StaffImpression | MoodSource::DeclinedToSay, Some(_)) => Err(Refusal::new(
            "mood.score_without_answer",
            "A number is only the patient's own answer.",
            "Take the number away, or choose that the patient said it.",
        )),
        (MoodSource::Patient | MoodSource::StaffImpression, None)
            if mood.affect.is_empty() && mood.words.trim().is_empty() && mood.harm.is_none() =>
        {
            Err(Refusal::new(
                "mood.empty",
                "Nothing is chosen in this entry.",
                "Choose what the patient said or how they seemed.",
            ))
        }
        _ => Ok(()),
    }
}

fn may_behaviour(behaviour: &Behaviour) -> Result<(), Refusal> {
    if behaviour.what.is_empty() && behaviour.words.trim().is_empty() {
        return Err(Refusal::new(
            "behaviour.empty",
            "This entry does not say what happened.",
            "Choose or write what happened.",
        ));
    }
    Ok(())
}
