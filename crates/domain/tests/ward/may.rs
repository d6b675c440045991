//! What may be recorded: refused is only what cannot be; what is odd is recorded and said.

use crate::ground::*;
use lamplight_domain::ids::{RecordId, StayId};
use lamplight_domain::kinds::*;
use lamplight_domain::record::Envelope;
use uuid::Uuid;

fn envelope(ground: &Ground, stay: StayId) -> Envelope {
    Envelope { stay: Some(stay), id: RecordId(Uuid::from_u128(0xFFFF)), ..ground.envelope(at(0)) }
}

fn mood(source: MoodSource, score: Option<u8>) -> Event {
    Event::Mood(Mood { source, score, affect: vec![], words: String::new(), harm: None })
}

fn code(result: Result<String, String>) -> String {
    result.err().unwrap_or_default()
}

#[test]
fn there_is_no_future_but_a_wrong_clock_is_never_refused() {
    let (ground, stay) = Ground::with_patient(15);
    let of = |observed: i64, recorded: i64, now: i64| {
        let envelope = Envelope { observed_at: at(observed), recorded_at: at(recorded), ..envelope(&ground, stay) };
        code(ground.may(&envelope, &seen("hallway", "tv"), at(now)))
    };
    assert_eq!(of(0, 0, 0), "");
    assert_eq!(of(-10, 0, 0), "", "a late entry");
    assert_eq!(of(5, 0, 0), "time.future");
    assert_eq!(of(5, 60, 0), "time.future", "the true time decides where the wall clock is ahead");
    assert_eq!(of(600, 600, 0), "", "ten hours ahead: marked, not refused");
    assert_eq!(of(-600, -600, 0), "");
    assert_eq!(of(-5, -60, 0), "", "a clock that is behind does not make the past a future");
}

#[test]
fn a_patient_must_be_known_and_may_have_left() {
    let (mut ground, stay) = Ground::with_patient(15);
    let unknown = envelope(&ground, StayId(Uuid::from_u128(0xDEAD)));
    assert_eq!(code(ground.may(&unknown, &seen("hallway", "tv"), at(0))), "stay.unknown");
    let nobody = Envelope { stay: None, ..envelope(&ground, stay) };
    assert_eq!(code(ground.may(&nobody, &seen("hallway", "tv"), at(0))), "stay.missing");
    assert_eq!(ground.may(&nobody, &Event::Note { words: "kitchen locked".into() }, at(0)), Ok(String::new()));
    ground.nurse(at(-1), stay, Event::StayClosed { reason: String::new() });
    let notice = ground.may(&envelope(&ground, stay), &seen("hallway", "tv"), at(0)).unwrap();
    assert!(notice.contains("has left"), "{notice}");
}

#[test]
fn help_is_never_refused() {
    let (ground, _) = Ground::with_patient(15);
    let unknown = Envelope { by: None, observed_at: at(9), ..envelope(&ground, StayId(Uuid::from_u128(0xDEAD))) };
    let help = Event::Emergency { what: EmergencyKind::NotBreathing, place: "x".repeat(9_000) };
    assert_eq!(ground.may(&unknown, &help, at(0)), Ok(String::new()));
}

#[test]
fn entries_that_say_nothing_or_cannot_be() {
    let (ground, stay) = Ground::with_patient(15);
    let envelope = envelope(&ground, stay);
    let long = "é".repeat(lamplight_domain::ward::WORDS_MAX_CHARS + 1);
    let other = |words: &str| Event::NotDone { reason: "other".into(), words: words.into() };
    let cases = [
        (Event::Note { words: " \n ".into() }, "words.empty"),
        (Event::Note { words: long[2..].to_owned() }, ""),
        (Event::Note { words: long.clone() }, "words.too_long"),
        (Event::Concern { words: String::new() }, "words.empty"),
        (other(""), "words.empty"),
        (other("lift stuck"), ""),
        (not_done(""), ""),
        (mood(MoodSource::Patient, Some(0)), ""),
        (mood(MoodSource::Patient, Some(10)), ""),
        (mood(MoodSource::Patient, Some(11)), "mood.score_range"),
        (mood(MoodSource::StaffImpression, Some(4)), "mood.score_without_answer"),
        (mood(MoodSource::DeclinedToSay, Some(4)), "mood.score_without_answer"),
        (mood(MoodSource::DeclinedToSay, None), ""),
        (mood(MoodSource::Patient, None), "mood.empty"),
        (Event::Behaviour(Behaviour::default()), "behaviour.empty"),
        (Event::Behaviour(Behaviour { what: vec!["threats".into()], ..Behaviour::default() }), ""),
        (seen("bathroom_heard", "tv"), "check.not_seen"),
        (seen("hallway", "cant_tell"), "check.not_seen"),
        (seen("a place of next week's list", "tv"), ""),
    ];
    for (event, expected) in cases {
        assert_eq!(code(ground.may(&envelope, &event, at(0))), expected, "{event:?}");
    }
}

#[test]
fn a_repeat_within_a_minute_is_recorded_and_said() {
    let (mut ground, stay) = Ground::with_patient(15);
    let check = ground.check(stay, at(0));
    let of = |ground: &Ground, seconds: i64| {
        ground.may(&envelope(ground, stay), &seen("hallway", "tv"), at(0) + seconds * 1_000).unwrap()
    };
    assert_eq!(of(&ground, 40), "Another check of this patient 40 s ago");
    assert_eq!(of(&ground, 60), "");
    ground.amend(stay, at(0), check, AmendmentAction::Retract);
    assert_eq!(of(&ground, 40), "", "what was taken back is no check");
}

#[test]
fn amendments_are_for_the_author_and_for_nurses() {
    let (mut ground, stay) = Ground::with_patient(15);
    let check = ground.check(stay, at(-5));
    let note = ground.tech(at(-4), stay, Event::Note { words: "x".into() });
    let order = ground.records[2].id();
    let amend =
        |of, action, reason, words: &str| Event::Amendment(Amendment { of, action, reason, words: words.into() });
    let retract = |of| amend(of, AmendmentAction::Retract, AmendmentReason::MisTap, "");
    let correct = |of, place: &str| {
        amend(
            of,
            AmendmentAction::CorrectCheck { place: place.into(), activity: "tv".into() },
            AmendmentReason::MisTap,
            "",
        )
    };
    let add = |of, words: &str| amend(of, AmendmentAction::Add { words: words.into() }, AmendmentReason::MisTap, "");
    let unknown = RecordId(Uuid::from_u128(0xDEAD));
    let cases = [
        (MO, retract(check), ""),
        (SL, retract(check), ""),
        (DA, retract(check), ""),
        (JR, retract(check), "amendment.not_yours"),
        (MO, retract(unknown), "record.unknown"),
        (SL, retract(order), "amendment.kind"),
        (MO, correct(check, "hallway"), ""),
        (MO, correct(check, "bathroom_heard"), "check.not_seen"),
        (MO, correct(note, "hallway"), "amendment.kind"),
        (MO, add(note, "more"), ""),
        (MO, add(note, ""), "words.empty"),
        (MO, add(check, "more"), "amendment.kind"),
        (MO, amend(check, AmendmentAction::Retract, AmendmentReason::Other, ""), "words.empty"),
        (MO, amend(check, AmendmentAction::Retract, AmendmentReason::Other, "wrong tile"), ""),
    ];
    for (by, event, expected) in cases {
        let envelope = Envelope { by: Some(by), ..envelope(&ground, stay) };
        assert_eq!(code(ground.may(&envelope, &event, at(0))), expected, "{event:?}");
    }
    let back = ground.amend(stay, at(-3), check, AmendmentAction::Retract);
    let envelope = envelope(&ground, stay);
    assert_eq!(code(ground.may(&envelope, &retract(check), at(0))), "amendment.retracted");
    assert_eq!(code(ground.may(&envelope, &retract(back), at(0))), "amendment.kind", "no taking back of a taking back");
}

#[test]
fn what_is_odd_is_recorded_and_said() {
    let mut ground = Ground::new();
    let one = ground.admit("Eze", "x", "103A", at(-600));
    let two = ground.admit("Garcia", "x", "104A", at(-600));
    let three = ground.admit("Tran", "x", "104B", at(-600));
    for stay in [one, two] {
        ground.level(stay, at(-600), one_to_one((1, 1)), vec![]);
    }
    ground.order(three, at(-600), 15);
    ground.tech(at(-5), one, Event::WatchStarted { watcher: JR });
    let concern = ground.tech(at(-4), two, Event::Concern { words: "x".into() });
    let says = |stay, by, event: &Event| {
        let envelope = Envelope { by: Some(by), ..envelope(&ground, stay) };
        ground.may(&envelope, event, at(0)).unwrap()
    };
    let watch = |watcher| Event::WatchStarted { watcher };
    assert_eq!(says(two, JR, &watch(JR)), "Also recorded with the patient in 103A.");
    assert_eq!(says(two, MO, &watch(MO)), "");
    assert!(says(three, MO, &watch(MO)).contains("checks are still due"));
    let acknowledge = Event::Acknowledged { of: concern, came: None };
    assert!(says(two, MO, &acknowledge).contains("until a nurse"));
    assert_eq!(says(two, SL, &acknowledge), "");
    let pause = Event::PauseStarted(Pause { reason: PauseReason::Leave, escort: String::new(), return_by: at(60) });
    assert!(says(three, MO, &pause).contains("until a nurse confirms"));
    assert_eq!(says(three, SL, &pause), "");
    let envelope = Envelope { stay: None, ..ground.envelope(at(0)) };
    let counted = |n| ground.may(&envelope, &Event::HoldingTaken { census_count: n }, at(0)).unwrap();
    assert_eq!(counted(3), "");
    assert!(counted(2).starts_with("You counted 2; the list has 3"));
}
