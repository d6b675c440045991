//! What people of the demo said and wrote: plain, describing, not judging.

use lamplight_domain::kinds::Behaviour;

/// What goes with an answer to "how is your mood, 0 to 10".
pub struct Said {
    pub affect: &'static [&'static str],
    pub words: &'static [&'static str],
}

pub fn mood(score: u8) -> Said {
    match score {
        0..=3 => Said {
            affect: &["tearful", "anxious", "flat"],
            words: &["I just want to sleep.", "Nobody tells me anything.", "It is all too loud in my head."],
        },
        4..=6 => Said {
            affect: &["even", "flat", "anxious"],
            words: &["Better than yesterday.", "Tired, that is all.", "I miss my dog.", ""],
        },
        _ => Said {
            affect: &["bright", "even"],
            words: &["Group was good today.", "My brother rang, that helped.", "I slept through.", ""],
        },
    }
}

/// With the precaution that it fits; empty for anybody.
pub fn behaviours() -> Vec<(&'static str, Behaviour)> {
    let codes = |all: &[&str]| all.iter().map(|c| (*c).into()).collect();
    let entry = |before: &[&str], what: &[&str], did: &[&str], then: &str, affected: &[&str], words: &str| Behaviour {
        before: codes(before),
        what: codes(what),
        staff_did: codes(did),
        then: Some(then.into()),
        affected: codes(affected),
        words: words.to_owned(),
    };
    vec![
        (
            "leaving_risk",
            entry(
                &["phone_visit"],
                &["trying_to_leave"],
                &["talked", "activity"],
                "settled",
                &["words_only"],
                "Pushed at the ward door after a call. Came back for cards in the day room.",
            ),
        ),
        (
            "self_harm",
            entry(
                &["nothing_seen"],
                &["hurting_self"],
                &["talked", "nurse_called"],
                "settled",
                &["self"],
                "Scratched the left forearm with a fingernail, skin not broken. Nurse looked at it.",
            ),
        ),
        (
            "",
            entry(
                &["medication_due"],
                &["said_no_to_care"],
                &["talked", "gave_space"],
                "partly",
                &["words_only"],
                "Said no to the tablets. Took them twenty minutes later from the nurse.",
            ),
        ),
        (
            "",
            entry(
                &["peer_conflict", "noise"],
                &["hitting_objects"],
                &["talked", "gave_space"],
                "settled",
                &["objects"],
                "Hit the day room table once over the television. Sat down when the sound was turned low.",
            ),
        ),
    ]
}

pub const NOTES: [&str; 6] = [
    "Ate half of the meal, drank two cups of water.",
    "Asked for the chaplain; the nurse knows.",
    "Glasses are at the nurses' station for repair.",
    "Walked ten minutes in the hallway with staff, steady with the frame.",
    "Wants the phone list changed: brother instead of mother.",
    "Belongings checked in, list signed by two.",
];
pub const NOTE_ADDED: &str = "This was at the last meal, not before it.";

pub const CONCERN_ANSWERED: &str = "Said: I don't want to wake up tomorrow. Wants to talk to the nurse.";
pub const CONCERNS: [&str; 3] = [
    "Says the new medicine brings dizziness. Unsteady on the way to the bathroom.",
    "Keeps asking who else has a key to the room. Wants to see the nurse.",
    "Holding the stomach, says it has hurt since the last meal.",
];
pub const CONCERNS_ASLEEP: [&str; 3] = [
    "Breathing seen, but snores with long stops. Please come and look.",
    "Skin feels hot, sweating in sleep. Please take the temperature.",
    "Mattress is on the floor against the door. Please come and look.",
];
