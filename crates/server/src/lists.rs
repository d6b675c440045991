//! The lists and emergency steps that a facility starts from, the demo too. It changes them to its own; every record names the
//! version that it used. Words are plain and do not judge; codes never change their meaning.

use lamplight_domain::kinds::EmergencyKind;
use lamplight_domain::roster::{ListItem, Lists, Makes, Tone};

fn item(code: &str, short: &str, label: &str) -> ListItem {
    ListItem {
        code: code.into(),
        label: label.to_owned(),
        hint: String::new(),
        tone: Tone::Plain,
        makes: Makes::Check,
        common: true,
        short: short.to_owned(),
    }
}
fn more(code: &str, short: &str, label: &str) -> ListItem {
    ListItem { common: false, ..item(code, short, label) }
}
fn hint(item: ListItem, hint: &str) -> ListItem {
    ListItem { hint: hint.to_owned(), ..item }
}
fn tone(item: ListItem, tone: Tone) -> ListItem {
    ListItem { tone, ..item }
}
fn makes(item: ListItem, makes: Makes) -> ListItem {
    ListItem { makes, ..item }
}

/// Version 1.
pub fn lists() -> Lists {
    Lists {
        version: 1,
        places: places(),
        activities: activities(),
        precautions: vec![
            item("suicide", "SU", "Suicide"),
            item("self_harm", "SH", "Self-harm"),
            item("safety_of_others", "SO", "Safety of others"),
            item("leaving_risk", "LR", "Leaving risk"),
            item("seizure", "SZ", "Seizure"),
            item("fall", "FA", "Fall"),
            item("choking", "CH", "Choking"),
            item("withdrawal", "WD", "Withdrawal"),
            item("sexual_safety", "SX", "Sexual safety"),
            item("allergy", "AL", "Allergy"),
        ],
        not_done: vec![
            item("emergency", "EM", "Emergency elsewhere"),
            item("alone", "AW", "Alone on the ward"),
            item("on_one_to_one", "11", "On a 1:1"),
            item("could_not_enter", "CE", "Could not enter"),
            item("other", "OT", "Other…"),
        ],
        affect: vec![
            item("bright", "BR", "Bright"),
            item("even", "EV", "Even"),
            item("flat", "FL", "Flat"),
            item("tearful", "TE", "Tearful"),
            item("anxious", "AN", "Anxious"),
            item("irritable", "IR", "Irritable"),
            item("changing", "CF", "Changing fast"),
        ],
        before: vec![
            item("nothing_seen", "NS", "Nothing seen"),
            item("told_no", "TN", "Was told no"),
            item("peer_conflict", "PC", "Peer conflict"),
            item("phone_visit", "PV", "Phone or visit"),
            item("noise", "NC", "Noise, crowding"),
            item("medication_due", "MD", "Medication due"),
            item("other", "OT", "Other…"),
        ],
        behaviours: vec![
            item("shouting", "SH", "Shouting"),
            tone(item("threats", "TH", "Threats"), Tone::Notice),
            tone(item("hitting_objects", "HO", "Hitting objects"), Tone::Notice),
            tone(item("hitting_others", "HT", "Hitting others"), Tone::Alert),
            tone(item("hurting_self", "HS", "Hurting self"), Tone::Alert),
            tone(item("trying_to_leave", "TL", "Trying to leave"), Tone::Notice),
            item("undressing", "UN", "Undressing"),
            item("said_no_to_care", "NC", "Said no to care"),
            item("other", "OT", "Other…"),
        ],
        staff_did: vec![
            item("talked", "TA", "Talked, listened"),
            item("quiet_room", "QR", "Moved to quiet room"),
            item("gave_space", "GS", "Gave space"),
            item("activity", "AC", "Activity offered"),
            item("nurse_called", "NU", "Nurse called"),
            item("prn", "PR", "PRN given by nurse"),
            tone(item("restraint", "RE", "Hands-on restraint"), Tone::Alert),
            tone(item("seclusion", "SE", "Seclusion"), Tone::Alert),
        ],
        then: vec![
            item("settled", "ST", "Settled"),
            item("partly", "PT", "Partly"),
            item("not_settled", "NO", "Not settled"),
            tone(item("injury", "IN", "Injury"), Tone::Alert),
        ],
        affected: vec![
            item("words_only", "WO", "Words only"),
            item("objects", "OB", "Objects"),
            item("self", "SE", "Self"),
            item("others", "OT", "Others"),
        ],
    }
}

fn places() -> Vec<ListItem> {
    vec![
        item("bedroom", "BR", "Bedroom"),
        item("day_room", "DR", "Day room"),
        item("hallway", "HW", "Hallway"),
        hint(item("bathroom", "BA", "Bathroom"), "seen"),
        makes(hint(item("bathroom_heard", "BH", "Bathroom"), "only heard: not a check"), Makes::Heard),
        item("dining", "DI", "Dining room"),
        item("group_room", "GR", "Group room"),
        item("courtyard", "CY", "Courtyard"),
        item("quiet_room", "QR", "Quiet room"),
        more("nurses_station", "NS", "Nurses' station"),
        more("visitor_room", "VR", "Visitor room"),
        more("exam_room", "ER", "Exam room"),
        more("seclusion_room", "SR", "Seclusion room"),
        more("kitchen", "KI", "Kitchen"),
    ]
}

fn activities() -> Vec<ListItem> {
    vec![
        hint(item("eyes_closed", "EC", "Eyes closed"), "breathing seen"),
        item("resting", "RA", "Resting, awake"),
        item("calm", "CA", "Calm, quiet"),
        item("with_peers", "PE", "With peers"),
        item("with_staff", "SF", "With staff"),
        item("group", "GR", "Group, activity"),
        item("eating", "EA", "Eating, drinking"),
        item("hygiene", "HY", "Hygiene, toilet"),
        item("tv", "TV", "TV, reading, phone"),
        item("walking", "WA", "Walking"),
        tone(item("pacing", "PA", "Pacing, restless"), Tone::Notice),
        tone(item("tearful", "TE", "Tearful, withdrawn"), Tone::Notice),
        tone(item("hearing", "HV", "Seems to hear or see things"), Tone::Notice),
        tone(hint(item("shouting", "SH", "Shouting, threatening"), "then behaviour entry"), Tone::Alert),
        makes(hint(item("cant_tell", "CT", "Can't tell"), "go closer: not a check"), Makes::CantTell),
        more("visit", "VI", "With visitors"),
        more("medication", "ME", "Taking medication"),
        more("prayer", "PR", "Prayer, quiet time"),
        more("games", "GA", "Games, crafts"),
        tone(more("said_no", "NO", "Said no to care"), Tone::Notice),
    ]
}

/// Plain first steps for each emergency. A facility replaces them with its own policy's.
pub fn emergency_steps() -> Vec<(EmergencyKind, Vec<String>)> {
    [
        (
            EmergencyKind::NeedHelp,
            vec![
                "Call out loud and use your alarm",
                "Keep yourself and others at a safe distance",
                "Say what you need when somebody comes",
            ],
        ),
        (
            EmergencyKind::NotFound,
            vec![
                "Call for help out loud, do not search alone",
                "Bathroom, bedroom behind the door, courtyard, exits",
                "Nurse starts the missing-patient plan at 3 minutes",
            ],
        ),
        (
            EmergencyKind::NotBreathing,
            vec![
                "Shout for help and use your alarm: medical emergency",
                "Something around the neck: lift, cut, take it off",
                "Start chest compressions, send for the emergency bag and defibrillator",
                "Nurse calls the emergency number; somebody opens the doors",
            ],
        ),
        (
            EmergencyKind::Danger,
            vec![
                "Call for help out loud and use your alarm",
                "Stay in sight, talk calmly, keep others away",
                "Take away what can hurt, only where that is safe for you",
                "Nurse decides what comes next",
            ],
        ),
    ]
    .into_iter()
    .map(|(what, steps)| (what, steps.into_iter().map(str::to_owned).collect()))
    .collect()
}
