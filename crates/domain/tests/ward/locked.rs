//! The locked screen: rooms and given names only.

use crate::ground::*;
use lamplight_domain::kinds::*;

#[test]
fn it_says_which_rooms_and_never_who_is_in_them_or_how_long_is_left() {
    let mut ground = Ground::new();
    let patient = |ground: &mut Ground, family: &str, bed: &str, seen: i64| {
        let stay = ground.admit(family, "Mateo", bed, at(-600));
        ground.order(stay, at(-600), 15);
        ground.check(stay, at(seen));
        stay
    };
    patient(&mut ground, "Garcia", "104A", 0);
    patient(&mut ground, "Abara", "101A", 16);
    patient(&mut ground, "Bell", "101B", 7);
    patient(&mut ground, "Castillo", "102A", 2);
    let close = ground.admit("Eze", "Ngozi", "103A", at(-600));
    ground.level(close, at(-600), one_to_one((1, 1)), vec![]);
    let away = patient(&mut ground, "Rossi", "104B", -30);
    let reason = PauseReason::Leave;
    ground.nurse(at(-20), away, Event::PauseStarted(Pause { reason, escort: "mother".into(), return_by: at(10) }));
    ground.view = tablet(W1, false, at(0));
    let locked = ground.locked(at(18));
    let words: Vec<_> = locked.overdue.iter().map(|r| r.words.as_str()).collect();
    assert_eq!(
        words,
        [
            "Room 103A: nobody recorded with the patient",
            "Room 104A is overdue by 3 minutes",
            "Room 102A is overdue by 1 minute",
            "Room 104B: not back on time",
        ]
    );
    assert_eq!((locked.date.as_str(), locked.clock.as_str(), locked.waiting), ("Sunday 22 November", "02:18", 7));
    let shown = serde_json::to_string(&locked).unwrap();
    for secret in
        ["Garcia", "Mateo", "Castillo", "Eze", "Rossi", "mother", "Okafor", "Reyes", "Lindqvist", "left", "due in"]
    {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
    let people: Vec<_> = locked.people.iter().map(|p| (p.given.as_str(), p.number.as_str(), p.role.as_str())).collect();
    assert_eq!(
        people,
        [
            ("Dina", "", "charge nurse"),
            ("Jon", "", "technician"),
            ("Maya", "MHT 2304", "technician"),
            ("Maya", "MHT 2310", "technician"),
            ("Sara", "", "nurse"),
        ]
    );
}

#[test]
fn not_known_is_said_as_that() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    ground.marks = Some(vec![]);
    ground.view = tablet(W1, true, at(18));
    assert_eq!(ground.locked(at(18)).overdue[0].words, "Room 104A: no check known for 18 minutes");
}

#[test]
fn its_own_calls_for_help_stay_on_it_and_name_nobody() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    let raise = |ground: &mut Ground, tablet| {
        let help = Event::Emergency { what: EmergencyKind::NeedHelp, place: "hallway".into() };
        ground.write(at(1), Some(stay), help, |e| {
            e.by = None;
            e.tablet = Some(tablet);
        })
    };
    let own = raise(&mut ground, W1);
    ground.last().received_at = None;
    raise(&mut ground, W2);
    ground.view = tablet(W1, false, at(-8));
    let locked = ground.locked(at(2));
    assert_eq!(locked.emergencies.len(), 1, "another tablet's is not this one's");
    let shown = &locked.emergencies[0];
    assert_eq!((shown.record, shown.acknowledged), (own, false));
    assert_eq!(shown.told, "This tablet has told nobody: it is offline since 01:52. Use your alarm or shout.");
    ground.nurse(at(3), stay, Event::Acknowledged { of: own, came: None });
    let locked = ground.locked(at(4));
    assert_eq!(locked.emergencies[0].told, "Somebody has answered.");
    assert!(locked.emergencies[0].acknowledged);
    assert!(!serde_json::to_string(&locked).unwrap().contains("Lindqvist"));
    ground.nurse(at(5), stay, Event::EmergencyEnded { of: own, words: String::new() });
    assert!(ground.locked(at(6)).emergencies.is_empty());
}
