//! Orders, overlaps, pauses, continuous levels: which clock runs, and from when.

use crate::ground::*;
use lamplight_domain::kinds::*;
use lamplight_domain::views::CardState::{self, *};
use lamplight_domain::views::{SignalLevel, StripKind};
use lamplight_domain::ward::Viewpoint;

fn pause(reason: PauseReason, return_by: i64) -> Event {
    Event::PauseStarted(Pause { reason, escort: "R. Cole".into(), return_by: at(return_by) })
}

#[test]
fn admission_makes_a_check_due_at_once() {
    let mut ground = Ground::new();
    let stay = ground.admit("Garcia", "Mateo", "104A", at(0));
    let card = ground.card(stay, at(0));
    assert_eq!((card.state, card.level.as_str(), card.due_at), (NoLevel, "no level", None));
    ground.order(stay, at(1), 15);
    for (now, state, words) in
        [(at(1), Due, "check now"), (at(16), Due, "check now"), (at(16) + 1, Overdue, "overdue, less than 1 min")]
    {
        let card = ground.card(stay, now);
        assert_eq!((card.state, card.words.as_str()), (state, words));
    }
    assert_eq!(ground.card(stay, at(2)).due_at, Some(at(1)));
    let check = ground.check(stay, at(3));
    assert_eq!(ground.card(stay, at(3)).due_at, Some(at(18)));
    let row = ground.row(stay, check, at(3));
    assert_eq!((row.gap_minutes, row.late), (Some(2), false));
}

#[test]
fn a_raised_order_makes_a_check_due_at_once_and_gives_no_extra_time() {
    // (minutes after the last check at which Q30 becomes Q15, when it is late)
    for (raised, late) in [(5, 20), (14, 29), (15, 30), (20, 30), (29, 30)] {
        let (mut ground, stay) = Ground::with_patient(30);
        let old = ground.records[2].id();
        ground.check(stay, at(0));
        ground.level(stay, at(raised), q(15), vec![old]);
        let card = ground.card(stay, at(raised));
        assert_eq!((card.state, card.words.as_str(), card.due_at), (Due, "check now", Some(at(raised))));
        assert_eq!(ground.card(stay, at(late)).state, Due, "raised at {raised}");
        assert_eq!(ground.card(stay, at(late) + 1).state, Overdue, "raised at {raised}");
        let check = ground.check(stay, at(late) + 60_000);
        let row = ground.row(stay, check, at(late + 1));
        let from_check = raised + 15 > 30;
        let minutes = if from_check { late + 1 } else { late + 1 - raised };
        assert_eq!((row.late, row.gap_minutes), (true, Some(minutes as u32)), "raised at {raised}");
    }
}

#[test]
fn a_lowered_order_does_not_restart_the_gap() {
    let (mut ground, stay) = Ground::with_patient(15);
    let old = ground.records[2].id();
    ground.check(stay, at(0));
    ground.level(stay, at(10), q(30), vec![old]);
    let card = ground.card(stay, at(11));
    assert_eq!((card.state, card.due_at, card.level.as_str()), (Ok, Some(at(30)), "Q30"));
    assert_eq!(card.level_unacknowledged, None);
    let check = ground.check(stay, at(25));
    let row = ground.row(stay, check, at(25));
    assert_eq!((row.gap_minutes, row.late), (Some(25), false));
}

#[test]
fn a_gap_that_was_late_stays_late_when_the_level_is_lowered() {
    let (mut ground, stay) = Ground::with_patient(15);
    let old = ground.records[2].id();
    ground.check(stay, at(0));
    ground.level(stay, at(20), q(30), vec![old]);
    assert_eq!(ground.card(stay, at(21)).state, Due, "within the limit that holds now");
    let check = ground.check(stay, at(25));
    let row = ground.row(stay, check, at(25));
    assert_eq!((row.gap_minutes, row.late), (Some(25), true));
    let late: Vec<_> = ground.card(stay, at(25)).strip.into_iter().filter(|m| m.what == StripKind::Late).collect();
    assert!(late.iter().any(|m| (m.from, m.to) == (at(15), at(20))), "{late:?}");
}

#[test]
fn a_renewal_at_the_same_limit_changes_no_due_time() {
    let (mut ground, stay) = Ground::with_patient(15);
    let old = ground.records[2].id();
    ground.check(stay, at(0));
    ground.level(stay, at(14), q(15), vec![old]);
    let card = ground.card(stay, at(14));
    assert_eq!((card.due_at, card.level_conflict), (Some(at(15)), false));
}

#[test]
fn of_orders_that_overlap_the_strictest_holds_and_it_is_flagged() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    let stricter = ground.order(stay, at(1), 5);
    ground.order(stay, at(2), 30);
    ground.check(stay, at(3));
    let card = ground.card(stay, at(4));
    assert_eq!((card.level.as_str(), card.level_conflict, card.level_close), ("Q5", true, true));
    assert_eq!(card.due_at, Some(at(8)));
    assert_eq!(ground.taken().order_in_force(stay), Some(stricter));
    ground.nurse(at(6), stay, Event::OrderEnded { of: stricter, reason: "reviewed".into() });
    let card = ground.card(stay, at(7));
    assert_eq!((card.level.as_str(), card.due_at, card.level_conflict), ("Q15", Some(at(18)), true));
    assert_ne!(ground.taken().order_in_force(stay), Some(stricter));
}

#[test]
fn continuous_is_stricter_than_any_limit() {
    let (mut ground, stay) = Ground::with_patient(5);
    ground.level(stay, at(0), one_to_one((1, 1)), vec![]);
    let card = ground.card(stay, at(1));
    assert_eq!((card.level.as_str(), card.level_conflict, card.due_at), ("1:1", true, None));
}

#[test]
fn two_orders_that_replace_each_other_do_not_both_vanish() {
    let (mut ground, stay) = Ground::with_patient(15);
    let first = ground.records[2].id();
    let second = ground.level(stay, at(1), q(5), vec![first]);
    let Some(Event::Order(mut order)) = ground.records[2].body.event.clone() else { unreachable!() };
    order.replaces = vec![second];
    let mut envelope = ground.records[2].body.envelope.clone();
    envelope.id = first;
    let id = ground.records.remove(2);
    ground.push(envelope, Event::Order(order), id.received_at);
    assert_eq!(ground.card(stay, at(2)).level, "Q5");
}

#[test]
fn an_order_that_ends_without_another_is_an_alarm() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    let order = ground.records[2].id();
    ground.nurse(at(1), stay, Event::OrderEnded { of: order, reason: "reviewed".into() });
    let card = ground.card(stay, at(2));
    assert_eq!((card.state, card.due_at, card.level.as_str()), (NoLevel, None, "no level"));
    assert!(card.state.alarms());
    assert_eq!(ground.taken().order_in_force(stay), None);
}

#[test]
fn a_raised_level_must_be_acknowledged() {
    let (mut ground, stay) = Ground::with_patient(30);
    let old = ground.records[2].id();
    let (ordered_by, reason) = ("Dr A. Patel".into(), "said it again".into());
    let order = Order { level: q(15), ordered_by, reason, until: None, replaces: vec![old] };
    let raised = ground.nurse(at(1), stay, Event::Order(order));
    assert_eq!(ground.card(stay, at(2)).level_unacknowledged, Some(raised));
    ground.check(stay, at(3));
    assert_eq!(ground.card(stay, at(4)).level_unacknowledged, Some(raised), "a check is not an acknowledgement");
    ground.tech(at(5), stay, Event::OrderAcknowledged { of: raised });
    assert_eq!(ground.card(stay, at(6)).level_unacknowledged, None);
}

#[test]
fn a_raised_level_that_nobody_read_is_still_unread_when_it_is_renewed() {
    let (mut ground, stay) = Ground::with_patient(15);
    let unread = |ground: &mut Ground, when, level, replaces| {
        let (ordered_by, reason) = ("Dr A. Patel".into(), String::new());
        ground.nurse(at(when), stay, Event::Order(Order { level, ordered_by, reason, until: None, replaces }))
    };
    let q15 = ground.records[2].id();
    let raised = unread(&mut ground, 1, q(5), vec![q15]);
    let renewed = unread(&mut ground, 2, q(5), vec![raised]);
    assert_eq!(ground.card(stay, at(3)).level_unacknowledged, Some(renewed));
    // Lowered to what was read: nothing to read. Raised again: to be read, also where such a level was read before.
    let lowered = unread(&mut ground, 4, q(15), vec![renewed]);
    assert_eq!(ground.card(stay, at(5)).level_unacknowledged, None);
    ground.tech(at(5), stay, Event::OrderAcknowledged { of: raised });
    let again = unread(&mut ground, 6, q(5), vec![lowered]);
    assert_eq!(ground.card(stay, at(7)).level_unacknowledged, Some(again));
    ground.tech(at(8), stay, Event::OrderAcknowledged { of: again });
    let renewed = unread(&mut ground, 9, q(5), vec![again]);
    assert_eq!(ground.card(stay, at(9)).level_unacknowledged, None, "read, and renewed as it was");
    // 1:2 becomes 1:1: more staff for each patient.
    let shared = ground.level(stay, at(10), one_to_one((1, 2)), vec![renewed]);
    let alone = unread(&mut ground, 11, one_to_one((1, 1)), vec![shared]);
    assert_eq!(ground.card(stay, at(12)).level_unacknowledged, Some(alone));
}

#[test]
fn levels_say_how_old_they_are_only_where_that_matters() {
    let (mut ground, stay) = Ground::with_patient(15);
    let of = |ground: &Ground| ground.card(stay, at(0)).level_as_of;
    assert_eq!(of(&ground), "", "the station is where levels are");
    for (online, minutes_ago, words) in [
        (true, 0, ""),
        (true, 60, ""),
        (true, 61, "level as of 00:59"),
        (false, 8, ""),
        (false, 61, "level as of 00:59"),
    ] {
        ground.view = tablet(W1, online, at(-minutes_ago));
        assert_eq!(of(&ground), words);
    }
    ground.view = Viewpoint::Tablet {
        tablet: W1,
        online: false,
        last_contact: None,
        confirmed: 0,
        silenced_until: None,
        author: Some(OWN),
        signed_in: Some(MO),
    };
    assert_ne!(of(&ground), "");
}

#[test]
fn a_pause_stops_the_clock_and_alarms_past_its_return() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(-50));
    let paused = ground.nurse(at(-45), stay, pause(PauseReason::EmergencyDepartment, 60));
    for (now, state, words) in [
        (at(0), Paused, "away, back by 03:00"),
        (at(60), Paused, "away, back by 03:00"),
        (at(60) + 1, DueBack, "due back at 03:00, 0 min ago"),
        (at(72), DueBack, "due back at 03:00, 12 min ago"),
    ] {
        let card = ground.card(stay, now);
        assert_eq!((card.state, card.words.as_str(), card.due_at), (state, words, None));
        assert_eq!((card.level.as_str(), card.line.as_str()), ("ED", "At the ED since 01:15 · R. Cole"));
    }
    assert_eq!(ground.board(at(72)).signal.words, "1 due back, nobody holds the observations");
    assert_eq!(ground.board(at(72)).round_of, 0);
    // Back: a check is due at once, and the time away is no gap.
    ground.nurse(at(80), stay, Event::PauseEnded { of: paused });
    let card = ground.card(stay, at(81));
    assert_eq!((card.state, card.words.as_str(), card.due_at), (Due, "check now", Some(at(80))));
    assert_eq!(ground.card(stay, at(95)).state, Due);
    assert_eq!(ground.card(stay, at(95) + 1).state, Overdue);
    let check = ground.check(stay, at(90));
    let row = ground.row(stay, check, at(90));
    assert_eq!((row.gap_minutes, row.late), (Some(10), false));
}

#[test]
fn pauses_have_their_own_chips() {
    use PauseReason::*;
    for (reason, chip) in [(Leave, "Leave"), (EmergencyDepartment, "ED"), (Court, "Court"), (Other, "Off")] {
        let (mut ground, stay) = Ground::with_patient(15);
        ground.nurse(at(0), stay, pause(reason, 60));
        assert_eq!(ground.card(stay, at(1)).level, chip);
    }
}

#[test]
fn until_a_nurse_confirms_it_off_the_ward_keeps_the_clock_running() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    let by_a_technician = ground.tech(at(5), stay, pause(PauseReason::Leave, 60));
    let card = ground.card(stay, at(16));
    assert_eq!((card.state, card.level.as_str()), (Overdue, "Q15"));
    assert!(ground.row(stay, by_a_technician, at(16)).words.contains("the clock runs on"));
}

#[test]
fn the_gap_before_a_pause_is_judged_where_it_ended() {
    for (paused_at, late) in [(15, false), (18, true)] {
        let (mut ground, stay) = Ground::with_patient(15);
        ground.check(stay, at(0));
        let paused = ground.nurse(at(paused_at), stay, pause(PauseReason::Court, 100));
        let day = ground.day(stay, at(-1), at(50), at(50));
        let row = day.rows.iter().find(|r| r.record == paused).unwrap();
        assert_eq!((row.late, row.gap_minutes), (late, Some(paused_at as u32)), "no check closed it");
        assert_eq!(row.words.contains("not seen for 18 min"), late, "{}", row.words);
        let bars: Vec<_> = day.strip.iter().filter(|m| m.what == StripKind::Late).map(|m| (m.from, m.to)).collect();
        assert_eq!(bars.contains(&(at(15), at(18))), late, "{bars:?}");
        let pauses: Vec<_> = day.strip.iter().filter(|m| m.what == StripKind::Pause).collect();
        assert_eq!((pauses[0].from, pauses[0].to), (at(paused_at), at(50)));
    }
}

#[test]
fn a_continuous_level_has_a_person_or_an_alarm() {
    let mut ground = Ground::new();
    let stay = ground.admit("Eze", "Ngozi", "103A", at(-600));
    ground.level(stay, at(-600), one_to_one((1, 1)), vec![]);
    let state = |ground: &Ground, now| {
        let card = ground.card(stay, at(now));
        (card.state, card.line)
    };
    let nobody = (Unwatched, "nobody recorded with patient".to_owned());
    assert_eq!(state(&ground, -100), nobody);
    assert_eq!(ground.board(at(-100)).signal.level, SignalLevel::Urgent);
    ground.tech(at(-90), stay, Event::WatchStarted { watcher: JR });
    let with_jon = (Watched, "With J. Reyes since 00:30, arm's length".to_owned());
    assert_eq!(state(&ground, 0), with_jon);
    ground.check(stay, at(1));
    assert_eq!(ground.card(stay, at(500)).due_at, None, "no clock runs, checks or not");
    let maya = ground.tech(at(10), stay, Event::WatchStarted { watcher: MO });
    assert_eq!(state(&ground, 11), (Watched, "With M. Okafor since 02:10, arm's length".to_owned()));
    ground.tech(at(20), stay, Event::WatchEnded { of: maya });
    assert_eq!(state(&ground, 21), nobody, "a watch that another one ended does not come back");
    let bars: Vec<_> = ground.card(stay, at(30)).strip.into_iter().filter(|m| m.what == StripKind::Watched).collect();
    assert_eq!(bars.iter().map(|m| (m.from, m.to)).collect::<Vec<_>>(), [(at(-90), at(10)), (at(10), at(20))]);
}

#[test]
fn an_old_watch_satisfies_no_new_order() {
    let (mut ground, stay) = Ground::with_patient(15);
    let q15 = ground.records[2].id();
    let close = ground.level(stay, at(0), one_to_one((1, 1)), vec![q15]);
    ground.tech(at(1), stay, Event::WatchStarted { watcher: JR });
    // Lowered, and nobody tapped the end of the watch.
    let lowered = ground.level(stay, at(30), q(15), vec![close]);
    ground.level(stay, at(120), one_to_one((1, 1)), vec![lowered]);
    let card = ground.card(stay, at(121));
    assert_eq!((card.state, card.line.as_str()), (Unwatched, "nobody recorded with patient"));
    let bars: Vec<_> = card.strip.iter().filter(|m| m.what == StripKind::Watched).map(|m| (m.from, m.to)).collect();
    assert_eq!(bars, [(at(1), at(30))]);
    // Renewed in between, it runs on.
    ground.tech(at(122), stay, Event::WatchStarted { watcher: JR });
    let order = ground.taken().order_in_force(stay).unwrap();
    ground.level(stay, at(130), one_to_one((1, 1)), vec![order]);
    assert_eq!(ground.card(stay, at(131)).state, Watched);
}

#[test]
fn a_watch_does_not_outlast_a_pause() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.level(stay, at(0), one_to_one((1, 1)), vec![]);
    ground.tech(at(1), stay, Event::WatchStarted { watcher: JR });
    let away = ground.nurse(at(10), stay, pause(PauseReason::Court, 60));
    ground.nurse(at(50), stay, Event::PauseEnded { of: away });
    let card = ground.card(stay, at(51));
    assert_eq!(card.state, Unwatched);
    assert!(card.strip.iter().all(|m| m.what != StripKind::Watched || m.to == at(10)), "{:?}", card.strip);
}

#[test]
fn a_watch_counts_for_the_order_that_it_answers() {
    // The station's clock is ahead; or the order that was given is written down after the watch began.
    for (ordered, written) in [(3, 3), (0, 20)] {
        let (mut ground, stay) = Ground::with_patient(15);
        let old = ground.records[2].id();
        let order = ground.level(stay, at(ordered), one_to_one((1, 1)), vec![old]);
        let at_order = ground.records.len() - 2;
        let mut envelope = ground.records[at_order].body.envelope.clone();
        envelope.recorded_at = at(written);
        let event = ground.records[at_order].body.event.clone().unwrap();
        ground.records.remove(at_order);
        ground.push(envelope, event, Some(at(written)));
        ground.write(at(1), Some(stay), Event::WatchStarted { watcher: JR }, |e| {
            e.id = lamplight_domain::ids::RecordId(uuid::Uuid::from_u128(0xAAAA));
            e.order = (written == 3).then_some(order);
        });
        assert_eq!(ground.card(stay, at(30)).state, Watched, "ordered {ordered}, written {written}");
    }
    // Under another level a person who is recorded with the patient answers no order.
    let (mut ground, stay) = Ground::with_patient(15);
    ground.tech(at(1), stay, Event::WatchStarted { watcher: JR });
    ground.level(stay, at(60), one_to_one((1, 1)), vec![]);
    assert_eq!(ground.card(stay, at(61)).state, Unwatched);
}

#[test]
fn the_newest_watch_is_the_one_that_was_seen_last() {
    use lamplight_domain::time::{Clocks, MINUTE_MS, Now, ServerTime};
    let boot_id = uuid::Uuid::from_u128(0xB007);
    let mut ground = Ground::new();
    let stay = ground.admit("Eze", "Ngozi", "103A", at(-600));
    ground.level(stay, at(-600), one_to_one((1, 1)), vec![]);
    // The first by a clock that was an hour ahead.
    for (wall, boot_minutes, watcher) in [(70, 10, JR), (20, 20, MO)] {
        ground.write(at(wall), Some(stay), Event::WatchStarted { watcher }, |e| {
            e.boot_id = Some(boot_id);
            e.boot_ms = Some(boot_minutes * MINUTE_MS);
        });
        ground.last().received_at = None;
    }
    ground.view = tablet(W1, true, at(30));
    let clocks = Clocks { wall: at(30), boot_id, boot_ms: 30 * MINUTE_MS };
    let now = Now { clocks, server: Some(ServerTime { server: at(30), boot_id, boot_ms: 30 * MINUTE_MS }) };
    let line = ground.board_of(&ground.taken(), now).cards.remove(0).line;
    assert!(line.starts_with("With M. Okafor since 02:20"), "{line}");
}

#[test]
fn a_later_pause_ends_earlier_ones() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    ground.nurse(at(1), stay, pause(PauseReason::Court, 60));
    // The same absence again, with the right time of return.
    let right = ground.nurse(at(2), stay, pause(PauseReason::Court, 90));
    assert_eq!(ground.card(stay, at(70)).words, "away, back by 03:30");
    ground.nurse(at(80), stay, Event::PauseEnded { of: right });
    let card = ground.card(stay, at(81));
    assert_eq!((card.state, card.words.as_str(), card.level.as_str()), (Due, "check now", "Q15"));
    assert_eq!(ground.card(stay, at(96)).state, Overdue);
}

/// Written by a nurse at `written`, who gives `given` as the time.
fn given(ground: &mut Ground, stay: lamplight_domain::ids::StayId, given: i64, written: i64, event: Event) {
    ground.write(at(given), Some(stay), event, |e| {
        (e.by, e.tablet, e.recorded_at) = (Some(SL), None, at(written));
    });
}

#[test]
fn a_time_given_afterwards_takes_back_no_lateness() {
    let order = |level, replaces| {
        let (ordered_by, reason) = ("Dr A. Patel".into(), String::new());
        Event::Order(Order { level, ordered_by, reason, until: None, replaces })
    };
    for what in ["pause", "lowered", "continuous", "ended", "discharged"] {
        let (mut ground, stay) = Ground::with_patient(15);
        let q15 = ground.records[2].id();
        ground.check(stay, at(0));
        let event = match what {
            "pause" => pause(PauseReason::EmergencyDepartment, 120),
            "lowered" => order(q(60), vec![q15]),
            "continuous" => order(one_to_one((1, 1)), vec![q15]),
            "ended" => Event::OrderEnded { of: q15, reason: String::new() },
            _ => Event::StayClosed { reason: String::new() },
        };
        given(&mut ground, stay, 5, 60, event);
        let bars: Vec<_> = ground
            .day(stay, at(0), at(70), at(70))
            .strip
            .into_iter()
            .filter(|m| m.what == StripKind::Late)
            .map(|m| (m.from, m.to))
            .collect();
        let until = if what == "lowered" { at(70) } else { at(60) };
        assert_eq!(bars.iter().map(|(from, _)| *from).min(), Some(at(15)), "{what}");
        assert!(
            bars.iter().any(|(_, to)| *to == at(60)) && bars.iter().all(|(_, to)| *to <= until),
            "{what}: {bars:?}"
        );
    }
    let (mut ground, stay) = Ground::with_patient(15);
    given(&mut ground, stay, 5, 60, pause(PauseReason::EmergencyDepartment, 120));
    assert_eq!(ground.card(stay, at(61)).line, "At the ED since 02:05, written at 03:00 · R. Cole");
}

#[test]
fn what_makes_a_clock_stricter_holds_from_the_time_that_is_given() {
    let (mut ground, stay) = Ground::with_patient(30);
    let q30 = ground.records[2].id();
    ground.check(stay, at(0));
    let (ordered_by, reason) = ("Dr A. Patel".into(), "by telephone".into());
    let order = Order { level: q(5), ordered_by, reason, until: None, replaces: vec![q30] };
    given(&mut ground, stay, 1, 20, Event::Order(order));
    let check = ground.check(stay, at(21));
    let row = ground.row(stay, check, at(22));
    assert_eq!((row.late, row.gap_minutes), (true, Some(20)));
    let card = ground.card(stay, at(22));
    assert_eq!((card.level_conflict, card.level.as_str()), (false, "Q5"));
    // The patient was back before it was written down that they were.
    let (mut ground, stay) = Ground::with_patient(15);
    let away = ground.nurse(at(0), stay, pause(PauseReason::Court, 120));
    given(&mut ground, stay, 10, 40, Event::PauseEnded { of: away });
    assert_eq!(ground.card(stay, at(41)).words, "overdue 16 min");
}

#[test]
fn two_to_one_needs_two() {
    let mut ground = Ground::new();
    let stay = ground.admit("Eze", "Ngozi", "103A", at(-600));
    ground.level(stay, at(-600), one_to_one((2, 1)), vec![]);
    ground.tech(at(0), stay, Event::WatchStarted { watcher: JR });
    let card = ground.card(stay, at(1));
    assert_eq!((card.state, card.words.as_str()), (Unwatched, "1 of 2 with patient"));
    ground.tech(at(2), stay, Event::WatchStarted { watcher: MO });
    assert_eq!(ground.card(stay, at(3)).state, Watched);
    assert_eq!(ground.card(stay, at(3)).level, "2:1");
}

#[test]
fn one_person_with_two_patients_is_recorded_and_said_on_both() {
    let mut ground = Ground::new();
    let stays = ["103A", "104A"].map(|bed| ground.admit(bed, "x", bed, at(-600)));
    for stay in stays {
        ground.level(stay, at(-600), one_to_one((1, 1)), vec![]);
        ground.tech(at(0), stay, Event::WatchStarted { watcher: JR });
    }
    for (stay, other) in [(stays[0], "104A"), (stays[1], "103A")] {
        let card = ground.card(stay, at(1));
        assert_eq!(card.state, Watched);
        assert!(card.line.ends_with(&format!("also recorded with {other}")), "{}", card.line);
    }
}

#[test]
fn after_a_continuous_level_a_check_is_due_at_once() {
    let mut ground = Ground::new();
    let stay = ground.admit("Eze", "Ngozi", "103A", at(-600));
    let close = ground.level(stay, at(-600), one_to_one((1, 1)), vec![]);
    ground.check(stay, at(-300));
    ground.level(stay, at(0), q(15), vec![close]);
    let card = ground.card(stay, at(1));
    assert_eq!((card.state, card.words.as_str()), (CardState::Due, "check now"));
    assert_eq!(ground.card(stay, at(15) + 1).state, Overdue);
}

#[test]
fn a_stay_that_is_closed_is_off_the_board_and_its_clock_stands() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    ground.nurse(at(10), stay, Event::StayClosed { reason: "discharged home".into() });
    assert!(ground.board(at(60)).cards.is_empty());
    assert!(!ground.taken().anyone_on_ward(WARD));
    let day = ground.day(stay, at(-1), at(60), at(60));
    assert!(day.strip.iter().all(|m| m.what != StripKind::Late || m.to <= at(0)), "{:?}", day.strip);
}

#[test]
fn a_stay_is_on_the_ward_where_it_was_placed_last() {
    let (mut ground, stay) = Ground::with_patient(15);
    assert_eq!(ground.taken().open_stays(&ground.roster, WARD), [stay]);
    ground.write(at(0), Some(stay), Event::StayPlaced { bed: "201".into(), from: None }, |e| e.ward = OTHER_WARD);
    assert!(ground.taken().open_stays(&ground.roster, WARD).is_empty());
    assert_eq!(ground.taken().open_stays(&ground.roster, OTHER_WARD), [stay]);
}
