//! Concerns and emergencies: on top until a named person took notice, and honest about whom they told.

use crate::ground::*;
use lamplight_domain::kinds::*;
use lamplight_domain::views::SignalLevel;
use lamplight_domain::ward::Viewpoint;

fn concern() -> Event {
    Event::Concern { words: "gave away his shoes".into() }
}

#[test]
fn a_concern_stays_on_top_until_a_nurse_takes_notice() {
    let (mut ground, stay) = Ground::with_patient(15);
    let first = ground.tech(at(0), stay, concern());
    let second = ground.tech(at(2), stay, concern());
    let open = |ground: &Ground| ground.board(at(9)).concerns.into_iter().map(|c| c.record).collect::<Vec<_>>();
    assert_eq!(open(&ground), [first, second], "oldest first");
    let shown = ground.board(at(9)).concerns.remove(0);
    assert_eq!((shown.bed.as_str(), shown.clock.as_str(), shown.by.as_str()), ("104A", "02:00", "M. Okafor"));
    ground.tech(at(3), stay, Event::Acknowledged { of: first, came: Some(SL) });
    assert_eq!(open(&ground), [first, second], "a technician's acknowledgement clears nothing");
    ground.nurse(at(4), stay, Event::Acknowledged { of: first, came: None });
    assert_eq!(open(&ground), [second]);
    ground.amend(stay, at(5), second, AmendmentAction::Retract);
    assert_eq!(open(&ground), [second], "taken back is not taken notice of");
    assert!(ground.board(at(9)).concerns[0].words.starts_with("taken back: "));
    ground.write(at(6), Some(stay), Event::Acknowledged { of: second, came: None }, |e| e.by = Some(DA));
    assert!(open(&ground).is_empty());
}

#[test]
fn an_emergency_says_whom_it_told_and_nothing_more_hopeful() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.tech(at(-10), stay, seen("hallway", "pacing"));
    let place = String::new();
    let raised = ground.tech(at(0), stay, Event::Emergency { what: EmergencyKind::NotFound, place });
    ground.last().received_at = None;
    let seq = ground.last().seq;
    let of = |online, last_contact, confirmed| Viewpoint::Tablet {
        tablet: W1,
        online,
        last_contact,
        confirmed,
        silenced_until: None,
        author: Some(OWN),
        signed_in: Some(MO),
    };
    for (view, sent, told) in [
        (
            of(false, Some(at(-8)), 0),
            false,
            "This tablet has told nobody: it is offline since 01:52. Use your alarm or shout.",
        ),
        (
            of(false, None, 0),
            false,
            "This tablet has told nobody: it has not reached the station yet. Use your alarm or shout.",
        ),
        (of(true, Some(at(0)), seq - 1), false, "This tablet has told nobody yet. Use your alarm or shout."),
        (
            of(true, Some(at(0)), seq),
            true,
            "The nursing station has it; nobody has answered yet. Use your alarm or shout.",
        ),
    ] {
        ground.view = view;
        let shown = ground.board(at(1)).emergencies.remove(0);
        assert_eq!((shown.sent, shown.told.as_str(), shown.acknowledged_by), (sent, told, None));
    }
    let shown = ground.board(at(1)).emergencies.remove(0);
    assert_eq!((shown.title.as_str(), shown.place.as_str()), ("Patient not found", "104A"));
    assert_eq!((shown.name.as_str(), shown.last_seen.as_str()), ("Garcia, Mateo", "01:50 hallway"));
    assert!(!shown.steps.is_empty(), "a plain minimum where the facility wrote none");
    assert_eq!(ground.board(at(1)).signal.level, SignalLevel::Emergency);
    // Whoever called has not answered; a named person has.
    ground.tech(at(2), stay, Event::Acknowledged { of: raised, came: None });
    assert_eq!(ground.board(at(3)).emergencies[0].acknowledged_by, None);
    ground.tech(at(4), stay, Event::Acknowledged { of: raised, came: Some(SL) });
    let shown = ground.board(at(5)).emergencies.remove(0);
    assert_eq!(shown.acknowledged_by.as_deref(), Some("S. Lindqvist"));
    assert_eq!(shown.told, "S. Lindqvist has answered.");
    assert_ne!(ground.board(at(5)).signal.level, SignalLevel::Emergency);
    ground.nurse(at(6), stay, Event::EmergencyEnded { of: raised, words: "found in the courtyard".into() });
    assert!(ground.board(at(7)).emergencies.is_empty());
}

#[test]
fn others_who_are_due_are_named_meanwhile() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    let other = ground.admit("Castillo", "R.", "102A", at(-600));
    ground.order(other, at(-600), 15);
    ground.check(other, at(1));
    let place = "day room".to_owned();
    ground.roster.settings.emergency_steps = vec![(EmergencyKind::Danger, vec!["Our own first step".into()])];
    ground.tech(at(2), stay, Event::Emergency { what: EmergencyKind::Danger, place });
    let shown = ground.board(at(14)).emergencies.remove(0);
    assert_eq!(shown.others_due, ["102A in 2 min"]);
    assert_eq!(
        (shown.place.as_str(), shown.steps.as_slice()),
        ("104A, day room", &["Our own first step".to_owned()][..])
    );
    assert!(shown.sent && shown.told.starts_with("Nobody has answered yet"), "the station knows that it knows");
}

#[test]
fn help_from_a_locked_tablet_names_nobody() {
    let (mut ground, _) = Ground::with_patient(15);
    let help = Event::Emergency { what: EmergencyKind::NeedHelp, place: "hallway B".into() };
    ground.write(at(0), None, help, |e| e.by = None);
    let shown = ground.board(at(1)).emergencies.remove(0);
    assert_eq!((shown.by.as_str(), shown.place.as_str(), shown.stay), ("not signed in", "hallway B", None));
    assert_eq!(ground.board(at(1)).emergencies.len(), 1);
}

#[test]
fn the_newest_emergency_comes_first() {
    let (mut ground, stay) = Ground::with_patient(15);
    let raise = |what| Event::Emergency { what, place: String::new() };
    let a = ground.tech(at(0), stay, raise(EmergencyKind::NeedHelp));
    let b = ground.tech(at(1), stay, raise(EmergencyKind::Danger));
    let shown: Vec<_> = ground.board(at(2)).emergencies.iter().map(|e| e.record).collect();
    assert_eq!(shown, [b, a]);
    let signal = ground.board(at(2)).signal;
    assert_eq!(signal.words.split(", ").next(), Some("2 emergencies"));
    assert_eq!(signal.rooms, ["104A"], "each room once");
}

#[test]
fn what_is_open_about_a_patient_goes_with_them_to_another_ward() {
    let (mut ground, stay) = Ground::with_patient(15);
    let about = ground.tech(at(0), stay, concern());
    let of_ward = ground.write(at(1), None, concern(), |_| {});
    let help = Event::Emergency { what: EmergencyKind::NeedHelp, place: String::new() };
    ground.tech(at(2), stay, help);
    ground.write(at(3), Some(stay), Event::StayPlaced { bed: "201".into(), from: None }, |e| e.ward = OTHER_WARD);
    let board = |ward| {
        let now = lamplight_domain::time::Now::of_wall(at(9));
        lamplight_domain::ward::board(&ground.taken(), &ground.roster, ward, &[], ground.view, now)
    };
    let open = |ward| board(ward).concerns.into_iter().map(|c| c.record).collect::<Vec<_>>();
    assert_eq!((open(WARD), open(OTHER_WARD)), (vec![of_ward], vec![about]));
    assert_eq!(
        (board(WARD).emergencies.len(), board(OTHER_WARD).emergencies.len()),
        (1, 1),
        "help is needed there too"
    );
    ground.nurse(at(4), stay, Event::StayClosed { reason: String::new() });
    let now = lamplight_domain::time::Now::of_wall(at(9));
    let board = lamplight_domain::ward::board(&ground.taken(), &ground.roster, WARD, &[], ground.view, now);
    assert_eq!(board.concerns.len(), 2, "after a discharge it stands where it was written");
}
