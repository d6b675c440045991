//! What closes a gap and what does not; due, late, not known.

use crate::ground::*;
use lamplight_domain::kinds::*;
use lamplight_domain::record::{Auth, Envelope};
use lamplight_domain::time::{Ms, SECOND_MS};
use lamplight_domain::views::CardState::{self, *};
use lamplight_domain::views::{SignalLevel, StripKind};
use lamplight_domain::wire::ContactMark;

#[test]
fn a_gap_goes_from_ok_to_due_to_overdue_at_the_very_millisecond() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    let third = at(10);
    let cases: [(Ms, CardState, &str, u8); 9] = [
        (at(0), Ok, "15 min left", 100),
        (at(6), Ok, "9 min left", 60),
        (third - 1, Ok, "5 min left", 33),
        (third, Due, "due in 5 min", 33),
        (at(13), Due, "due in 2 min", 13),
        (at(15) - 1, Due, "due within 1 min", 0),
        (at(15), Due, "due now", 0),
        (at(15) + 1, Overdue, "overdue, less than 1 min", 0),
        (at(18), Overdue, "overdue 3 min", 0),
    ];
    for (now, state, words, left) in cases {
        let card = ground.card(stay, now);
        assert_eq!((card.state, card.words.as_str(), card.left_percent), (state, words, left), "at {now:?}");
        assert_eq!(card.due_at, Some(at(15)));
    }
}

#[test]
fn a_facility_s_tolerance_delays_late_and_never_the_true_overdue_time() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    ground.roster.settings.tolerance_minutes = 2;
    for (now, state, words) in [
        (at(15), Due, "due now"),
        (at(15) + 1, Due, "past the limit, less than 1 min"),
        (at(16), Due, "past the limit by 1 min"),
        (at(17), Due, "past the limit by 2 min"),
        (at(17) + 1, Overdue, "overdue 2 min"),
        (at(18), Overdue, "overdue 3 min"),
    ] {
        let card = ground.card(stay, now);
        assert_eq!((card.state, card.words.as_str()), (state, words));
        assert_eq!(card.due_at, Some(at(15)), "the limit is the limit");
    }
    let said = |ground: &Ground| (ground.board(at(1)).tolerance, ground.day(stay, at(0), at(1), at(1)).tolerance);
    assert_eq!(said(&ground), ("facility tolerance 2 min".to_owned(), "facility tolerance 2 min".to_owned()));
    ground.roster.settings.tolerance_minutes = 0;
    assert_eq!(said(&ground), (String::new(), String::new()));
}

#[test]
fn only_a_check_that_is_written_when_seen_closes_a_gap() {
    let none_of_them: [(&str, Event); 7] = [
        ("heard", Event::Heard { place: "bathroom_heard".into() }),
        ("can't tell", Event::CantTell { place: "bedroom".into() }),
        ("not done", not_done("")),
        ("note", Event::Note { words: "asked for a blanket".into() }),
        ("concern", Event::Concern { words: "gave away his shoes".into() }),
        ("emergency", Event::Emergency { what: EmergencyKind::NeedHelp, place: String::new() }),
        ("order read", Event::OrderAcknowledged { of: lamplight_domain::ids::RecordId(uuid::Uuid::from_u128(0x1002)) }),
    ];
    for (name, event) in none_of_them {
        let (mut ground, stay) = Ground::with_patient(15);
        let first = ground.check(stay, at(0));
        let before = ground.card(stay, at(12));
        ground.tech(at(11), stay, event);
        let after = ground.card(stay, at(12));
        assert_eq!((after.due_at, after.state), (before.due_at, before.state), "{name}");
        assert_eq!(after.last_seen.unwrap().record, first, "{name}");
    }
}

#[test]
fn a_check_that_nobody_signed_closes_no_gap() {
    let (mut ground, stay) = Ground::with_patient(15);
    let first = ground.check(stay, at(0));
    let unsigned = ground.write(at(10), Some(stay), seen("hallway", "tv"), |e| {
        e.by = None;
        e.auth = lamplight_domain::record::Auth::None;
    });
    let card = ground.card(stay, at(16));
    assert_eq!((card.state, card.due_at, card.last_seen.unwrap().record), (Overdue, Some(at(15)), first));
    assert!(card.strip.iter().all(|m| m.from != at(10)), "no mark of a check");
    let row = ground.row(stay, unsigned, at(16));
    assert_eq!((row.gap_minutes, row.doubt.as_str()), (None, "signed by nobody: closes no gap"));
}

#[test]
fn a_late_entry_closes_no_gap_and_is_labelled_for_ever() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    let late = ground.write(at(10), Some(stay), seen("bedroom", "eyes_closed"), |e| e.recorded_at = at(20));
    let card = ground.card(stay, at(21));
    assert_eq!((card.state, card.due_at), (Overdue, Some(at(15))));
    let row = ground.row(stay, late, at(21));
    assert_eq!((row.late_entry.as_str(), row.gap_minutes, row.late), ("written at 02:20", None, false));
    assert!(card.strip.iter().any(|m| m.what == StripKind::LateEntry && m.from == at(10)));
    // The next check ends the gap that ran through.
    let next = ground.check(stay, at(22));
    let row = ground.row(stay, next, at(22));
    assert_eq!((row.gap_minutes, row.late), (Some(22), true));
    assert_eq!(ground.day(stay, at(-1), at(23), at(23)).totals.late_entries, 1);
}

#[test]
fn what_was_tried_shows_at_once_and_goes_with_the_next_check() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    ground.tech(at(2), stay, Event::Heard { place: "bathroom_heard".into() });
    assert_eq!(ground.card(stay, at(3)).tried, "only heard 02:02");
    ground.tech(at(4), stay, Event::CantTell { place: "bedroom".into() });
    assert_eq!(ground.card(stay, at(5)).tried, "could not tell 02:04");
    ground.tech(at(6), stay, not_done("fight in 109"));
    assert_eq!(ground.card(stay, at(7)).tried, "not done 02:06: emergency elsewhere: fight in 109");
    ground.check(stay, at(8));
    assert_eq!(ground.card(stay, at(9)).tried, "");
}

#[test]
fn a_second_not_done_in_a_row_is_for_the_charge_nurse() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.write(at(0), None, Event::HoldingTaken { census_count: 1 }, |_| {});
    ground.check(stay, at(0));
    ground.tech(at(1), stay, not_done(""));
    assert!(!ground.card(stay, at(3)).not_done_twice);
    ground.tech(at(2), stay, not_done(""));
    let board = ground.board(at(3));
    assert!(board.cards[0].not_done_twice);
    assert_eq!((board.signal.level, board.signal.rooms.as_slice()), (SignalLevel::Overdue, &["104A".to_owned()][..]));
    assert_eq!(board.signal.words, "not done twice: 104A");
    // In the hand that has just said so it does not sound.
    ground.view = tablet(W1, true, at(3));
    assert_eq!(ground.board(at(3)).signal.level, SignalLevel::Quiet);
    ground.check(stay, at(4));
    assert!(!ground.card(stay, at(5)).not_done_twice, "a check between");
    ground.tech(at(6), stay, not_done(""));
    assert!(!ground.card(stay, at(7)).not_done_twice);
}

#[test]
fn past_the_limit_with_a_silent_tablet_is_not_known_and_alarms_alike() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.write(at(0), None, Event::HoldingTaken { census_count: 1 }, |_| {});
    ground.check(stay, at(0));
    let due_at = at(15);
    let mark = |tablet, last| ContactMark { tablet, last, confirmed: 5 };
    let in_touch = |now: Ms| vec![mark(W1, Some(now - SECOND_MS)), mark(W2, Some(now - SECOND_MS))];
    let with_w3 = |now: Ms, last| [in_touch(now), vec![mark(W3, last)]].concat();
    let now = at(18);
    let cases = [
        ("silent since before the due time", Some(due_at - 1), NotKnown),
        ("never in touch", None, NotKnown),
        ("went silent only after it was due", Some(due_at + 1), Overdue),
        ("in touch", Some(now - 60_000), Overdue),
    ];
    for (name, last, state) in cases {
        ground.marks = Some(with_w3(now, last));
        let board = ground.board(now);
        let card = &board.cards[0];
        assert_eq!(card.state, state, "{name}");
        assert_eq!(board.signal.level, SignalLevel::Overdue, "{name}: it alarms like overdue");
        if state == NotKnown {
            assert_eq!(card.words, "no check known for 18 min");
            assert_eq!(card.line, "may be on W-3: go and look");
            assert_eq!((board.not_known, board.overdue), (1, 0));
        }
    }
    // Sixty seconds and one more millisecond are silence.
    ground.marks = Some(with_w3(at(20), Some(at(20) - 60_000)));
    assert!(!ground.board(at(20)).contacts[2].silent);
    ground.marks = Some(with_w3(at(20), Some(at(20) - 60_001)));
    assert!(ground.board(at(20)).contacts[2].silent);
    // A revoked tablet holds nobody up.
    ground.marks = Some(with_w3(now, None));
    ground.write(at(1), None, Event::TabletRevoked { tablet: W3, reason: "lost".into() }, |_| {});
    let board = ground.board(now);
    assert_eq!(board.cards[0].state, Overdue);
    assert!(board.contacts[2].revoked && !board.contacts[2].silent);
}

#[test]
fn in_time_nothing_is_unknown_however_silent_a_tablet_is() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    ground.marks = Some(vec![]);
    assert_eq!(ground.card(stay, at(9)).state, Ok);
    assert_eq!(ground.card(stay, at(12)).state, Due);
    assert_eq!(ground.card(stay, at(16)).state, NotKnown);
}

#[test]
fn a_tablet_out_of_touch_alarms_on_what_it_knows() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    ground.marks = Some(vec![]);
    ground.view = tablet(W1, false, at(1));
    assert_eq!(ground.card(stay, at(18)).state, Overdue, "it does not guess about others");
    ground.view = tablet(W1, true, at(18));
    let card = ground.card(stay, at(18));
    assert_eq!((card.state, card.line.as_str()), (NotKnown, "may be on W-2, W-3: go and look"), "never itself");
}

#[test]
fn a_body_at_the_end_of_time_leaves_the_board_standing() {
    for time in [Ms(i64::MIN), Ms(i64::MAX)] {
        let (mut ground, stay) = Ground::with_patient(15);
        ground.check(stay, at(0));
        ground.check(stay, time);
        ground.tech(time, stay, Event::Concern { words: "x".into() });
        assert_eq!(ground.board(at(1)).cards.len(), 1);
        assert!(ground.day(stay, at(-1), at(1), at(1)).rows.len() <= 3);
    }
}

#[test]
fn two_tablets_that_check_one_patient_are_both_shown() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(2));
    let by_jr = |e: &mut lamplight_domain::record::Envelope| {
        e.by = Some(JR);
        e.tablet = Some(W2);
    };
    ground.write(at(2) + 60_000, Some(stay), seen("hallway", "tv"), by_jr);
    let card = ground.card(stay, at(4));
    assert_eq!(card.also, "also checked 02:02 by MO");
    assert_eq!(card.last_seen.unwrap().words, "Hallway · TV, reading, phone");
    assert_eq!(card.strip.iter().filter(|m| m.what == StripKind::Check).count(), 2);
    // Further apart it is another check, and one's own repeat is no second person.
    ground.check(stay, at(3) + 60_001);
    assert_eq!(ground.card(stay, at(6)).also, "");
    ground.check(stay, at(5));
    assert_eq!(ground.card(stay, at(6)).also, "");
}

#[test]
fn one_id_with_different_bytes_keeps_both() {
    let (mut ground, stay) = Ground::with_patient(15);
    let id = ground.check(stay, at(0));
    let other = other_bytes(ground.last(), at(3));
    ground.records.push(other);
    let rows: Vec<_> = ground.day(stay, at(-1), at(9), at(9)).rows.into_iter().filter(|r| r.record == id).collect();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|r| r.doubt.contains("both are kept")), "{rows:?}");
    assert_eq!(ground.taken().held(id).len(), 2);
}

#[test]
fn a_record_taken_twice_is_there_once_and_keeps_its_earliest_receipt() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    let mut records = ground.taken();
    let n = records.len();
    let mut last = ground.last().clone();
    assert!(!records.take(last.clone()), "nothing new");
    last.received_at = Some(at(9));
    assert!(!records.take(last.clone()), "a later receipt says nothing new");
    last.received_at = Some(at(-1));
    assert!(records.take(last), "an earlier one does");
    assert_eq!(records.len(), n);
    let card = ground.board_of(&records, lamplight_domain::time::Now::of_wall(at(5))).cards.remove(0);
    assert_eq!(card.due_at, Some(at(14)), "it counts from min(observed, received)");
}

#[test]
fn urgency_sorts_alarms_first_and_the_away_last() {
    let mut ground = Ground::new();
    let beds = ["101A", "101B", "102A", "102B", "103A", "104A", "104B"];
    let stays: Vec<_> =
        beds.iter().enumerate().map(|(i, bed)| ground.admit(&format!("{i}{i}{i}"), "x", bed, at(-600))).collect();
    let [far, near, due, ok, alone, away, free] = stays[..] else { unreachable!() };
    for stay in [far, near, due, ok, away] {
        ground.order(stay, at(-600), 15);
    }
    ground.level(alone, at(-600), one_to_one((1, 1)), vec![]);
    for (stay, when) in [(far, 0), (near, 30), (due, 38), (ok, 49)] {
        ground.check(stay, at(when));
    }
    let reason = PauseReason::Leave;
    ground.nurse(at(0), away, Event::PauseStarted(Pause { reason, escort: String::new(), return_by: at(300) }));
    let mut cards = ground.board(at(50)).cards;
    cards.sort_by_key(|c| c.urgency);
    let order: Vec<_> = cards.iter().map(|c| c.stay).collect();
    assert_eq!(order, vec![alone, free, far, near, due, ok, away]);
    assert_eq!(cards[1].state, NoLevel);
}

#[test]
fn silencing_stops_the_sound_for_a_while_and_hides_nothing() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    ground.view = lamplight_domain::ward::Viewpoint::Tablet {
        tablet: W1,
        online: false,
        last_contact: None,
        confirmed: 0,
        silenced_until: Some(at(20)),
        author: Some(OWN),
        signed_in: Some(MO),
    };
    let signal = ground.board(at(19)).signal;
    assert_eq!((signal.level, signal.silenced_until), (SignalLevel::Overdue, Some(at(20))));
    assert_eq!(signal.rooms, ["104A"]);
    assert_eq!(ground.board(at(20)).signal.silenced_until, None, "it is over");
    ground.tech(at(18), stay, Event::Emergency { what: EmergencyKind::NotBreathing, place: String::new() });
    let signal = ground.board(at(19)).signal;
    assert_eq!((signal.level, signal.silenced_until), (SignalLevel::Emergency, None), "help is never silenced");
}

#[test]
fn silence_at_the_station_is_a_nurse_s_and_lasts_two_minutes_or_until_it_gets_worse() {
    let (mut ground, stay) = Ground::with_patient(10);
    ground.write(at(0), None, Event::HoldingTaken { census_count: 1 }, |_| {});
    ground.check(stay, at(0));
    let silence = || Event::Silenced { level: Some(SignalLevel::Overdue) };
    let station = |e: &mut Envelope| (e.auth, e.tablet, e.by) = (Auth::Station, None, Some(SL));
    ground.write(at(12), None, silence(), |e| e.by = Some(SL));
    ground.write(at(12), None, silence(), |e| (e.auth, e.tablet) = (Auth::Station, None));
    assert_eq!(ground.board(at(12)).signal.silenced_until, None, "by a tablet, and by somebody who is no nurse");
    ground.write(at(12), None, silence(), station);
    let signal = ground.board(at(14) - 1).signal;
    assert_eq!((signal.level, signal.silenced_until), (SignalLevel::Overdue, Some(at(14))));
    assert_eq!(signal.silenced_by, "Sound silenced 02:12 by S. Lindqvist until 02:14");
    assert_eq!(signal.rooms, ["104A"], "no colour is hidden");
    let after = ground.board(at(14)).signal;
    assert_eq!((after.silenced_until, after.silenced_by.as_str()), (None, ""));
    ground.write(at(14), None, silence(), station);
    assert_eq!(ground.board(at(15) - 1).signal.silenced_until, Some(at(16)));
    let worse = ground.board(at(15)).signal;
    assert_eq!((worse.level, worse.silenced_until), (SignalLevel::Urgent, None), "it was silenced for less");
    ground.write(at(15), None, Event::Silenced { level: Some(SignalLevel::Urgent) }, station);
    assert_eq!(ground.board(at(16)).signal.silenced_until, Some(at(17)));
    ground.tech(at(16), stay, Event::Emergency { what: EmergencyKind::NeedHelp, place: String::new() });
    assert_eq!(ground.board(at(16)).signal.silenced_until, None, "help is never silenced");
    ground.view = lamplight_domain::ward::Viewpoint::Tablet {
        tablet: W1,
        online: true,
        last_contact: None,
        confirmed: 0,
        silenced_until: None,
        author: None,
        signed_in: None,
    };
    ground.records.pop();
    assert_eq!(ground.board(at(16)).signal.silenced_until, None, "no tablet is quiet for the station's sake");
}

#[test]
fn half_a_limit_over_is_urgent() {
    let (mut ground, stay) = Ground::with_patient(10);
    ground.write(at(0), None, Event::HoldingTaken { census_count: 1 }, |_| {});
    ground.check(stay, at(0));
    assert_eq!(ground.board(at(10)).signal.level, SignalLevel::Quiet);
    assert_eq!(ground.board(at(15) - 1).signal.level, SignalLevel::Overdue);
    assert_eq!(ground.board(at(15)).signal.level, SignalLevel::Urgent);
    assert_eq!(ground.board(at(15)).signal.words, "1 overdue");
}
