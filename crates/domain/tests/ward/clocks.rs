//! Wrong clocks: nothing is refused, nothing rewritten; due times run on the boot clock; doubt is printed.

use crate::ground::*;
use lamplight_domain::ids::{RecordId, StayId};
use lamplight_domain::kinds::*;
use lamplight_domain::record::Envelope;
use lamplight_domain::time::{Clocks, HOUR_MS, MINUTE_MS, Ms, Now, ServerTime};
use lamplight_domain::views::{CardState, StripKind};
use uuid::Uuid;

const BOOT: Uuid = Uuid::from_u128(0xB007);
const OTHER_BOOT: Uuid = Uuid::from_u128(0xB008);

/// A tablet whose wall clock says `wall` when its boot clock says `boot_minutes`.
fn own(wall: Ms, boot_minutes: i64) -> Now {
    Now { clocks: Clocks { wall, boot_id: BOOT, boot_ms: boot_minutes * MINUTE_MS }, server: None }
}

fn written_in(boot: Uuid, minutes: i64) -> impl FnOnce(&mut Envelope) {
    move |e| {
        e.boot_id = Some(boot);
        e.boot_ms = Some(minutes * MINUTE_MS);
    }
}

/// An own check that nobody else holds yet.
fn own_check(ground: &mut Ground, stay: StayId, wall: Ms, boot_minutes: i64) {
    let order = ground.records[2].id();
    ground.write(wall, Some(stay), seen("hallway", "tv"), |e| {
        written_in(BOOT, boot_minutes)(e);
        e.order = Some(order);
    });
    ground.last().received_at = None;
}

#[test]
fn own_checks_count_by_the_boot_clock_when_the_wall_clock_jumps() {
    // Checked at boot minute 100; the wall clock then jumps by `jump`; ten minutes later somebody looks.
    for jump in [0, 2 * HOUR_MS, -2 * HOUR_MS, 300 * 24 * HOUR_MS, -300 * 24 * HOUR_MS] {
        let (mut ground, stay) = Ground::with_patient(15);
        ground.records.iter_mut().for_each(|r| r.received_at = None);
        own_check(&mut ground, stay, at(0), 100);
        let now = own(at(10) + jump, 110);
        ground.view = tablet(W1, false, at(-100));
        let card = ground.board_of(&ground.taken(), now).cards.remove(0);
        assert_eq!(card.due_at, Some(now.best() + 5 * MINUTE_MS), "jump of {jump} ms");
        assert_eq!(card.state, CardState::Due, "jump of {jump} ms");
    }
}

#[test]
fn a_tablet_whose_clock_is_behind_does_not_take_the_newest_check_for_one_of_just_now() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    let other = ground.admit("Tran", "Mai", "104B", at(-600));
    ground.order(other, at(-600), 15);
    ground.check(other, at(20));
    ground.view = tablet(W1, false, at(20));
    // Started again without network, with a battery-less clock that says 1970.
    let board = ground.board_of(&ground.taken(), own(Ms(0), 1));
    assert_eq!(board.now, at(21), "no earlier than what the server had, and the minute since the start");
    assert_eq!(board.cards[0].words, "overdue 6 min");
    assert_eq!(board.cards[1].state, CardState::Ok);
}

#[test]
fn an_order_is_older_than_the_check_that_answers_it() {
    // The station's clock is three minutes ahead of the tablet's.
    let (mut ground, stay) = Ground::with_patient(30);
    let old = ground.records[2].id();
    let raised = ground.level(stay, at(3), q(15), vec![old]);
    ground.write(at(1), Some(stay), seen("hallway", "tv"), |e| e.order = Some(raised));
    let card = ground.card(stay, at(4));
    assert_eq!((card.state, card.due_at), (CardState::Ok, Some(at(16))));
}

#[test]
fn card_strip_and_day_agree_on_the_order_that_a_check_answers() {
    let (mut ground, stay) = Ground::with_patient(30);
    let old = ground.records[2].id();
    let raised = ground.level(stay, at(3), q(15), vec![old]);
    ground.write(at(1), Some(stay), seen("hallway", "tv"), |e| e.order = Some(raised));
    let late = ground.check(stay, at(17));
    for from in [-60, 0, 2, 4, 16] {
        let day = ground.day(stay, at(from), at(18), at(18));
        let row = day.rows.into_iter().find(|r| r.record == late).unwrap();
        assert_eq!((row.gap_minutes, row.late), (Some(16), true), "from {from}");
        let bars: Vec<_> = day.strip.iter().filter(|m| m.what == StripKind::Late).map(|m| (m.from, m.to)).collect();
        assert_eq!(bars.last(), Some(&(at(16), at(17))), "from {from}");
    }
}

#[test]
fn the_newest_own_check_wins_whatever_the_wall_clock_said() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.view = tablet(W1, false, at(-100));
    // First with a clock two hours ahead, then with a right one.
    own_check(&mut ground, stay, at(120), 100);
    own_check(&mut ground, stay, at(9), 109);
    let card = ground.board_of(&ground.taken(), own(at(10), 110)).cards.remove(0);
    assert_eq!(card.last_seen.unwrap().at, at(9));
    assert_eq!(card.due_at, Some(at(24)));
    let day = lamplight_domain::ward::day(
        &ground.taken(),
        &ground.roster,
        stay,
        at(-30),
        at(10),
        ground.view,
        own(at(10), 110),
    )
    .unwrap();
    let checks: Vec<_> =
        day.rows.iter().filter(|r| r.gap_minutes.is_some()).map(|r| (r.observed_at, r.gap_minutes)).collect();
    assert_eq!(checks[1], (at(9), Some(9)), "{checks:?}");
    assert_eq!(checks[0].0, at(120), "as it was written");
    assert!(day.rows[0].doubt.starts_with("clock not certain"), "{:?}", day.rows[0]);
}

#[test]
fn where_the_clocks_agree_the_recorded_time_stands() {
    let (mut ground, stay) = Ground::with_patient(15);
    own_check(&mut ground, stay, at(0), 100);
    // The server's time is three seconds ahead of this tablet's wall clock: no reason to move anything.
    let server = ServerTime { server: at(10) + 3_000, boot_id: BOOT, boot_ms: 110 * MINUTE_MS };
    let now = Now { server: Some(server), ..own(at(10), 110) };
    assert_eq!(ground.board_of(&ground.taken(), now).cards[0].due_at, Some(at(15)));
    // Ten minutes are one.
    let server = ServerTime { server: at(20), ..server };
    let now = Now { server: Some(server), ..own(at(10), 110) };
    assert_eq!(ground.board_of(&ground.taken(), now).cards[0].due_at, Some(at(25)));
}

#[test]
fn another_boot_s_clock_means_nothing_here() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.write(at(0), Some(stay), seen("hallway", "tv"), written_in(OTHER_BOOT, 3));
    assert_eq!(ground.board_of(&ground.taken(), own(at(10), 110)).cards[0].due_at, Some(at(15)));
}

#[test]
fn others_checks_count_from_the_earlier_of_seen_and_received() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(-20));
    let ahead = ground.check(stay, at(60));
    ground.last().received_at = Some(at(2));
    let card = ground.card(stay, at(10));
    assert_eq!(card.due_at, Some(at(17)));
    let row = ground.row(stay, ahead, at(10));
    assert_eq!(row.observed_at, at(60), "no time is rewritten");
    assert_eq!(row.doubt, "clock not certain; gap not provable");
    assert_eq!((row.gap_minutes, row.late), (Some(22), true), "and no claim makes it earlier");
    // The next gap rests on it.
    let next = ground.check(stay, at(9));
    assert_eq!(ground.row(stay, next, at(10)).doubt, "gap not provable");
}

#[test]
fn a_check_of_an_earlier_boot_that_claims_the_future_closes_no_gap_until_the_station_has_it() {
    let (mut ground, stay) = Ground::with_patient(15);
    let first = ground.check(stay, at(0));
    // Ten hours ahead, then started again with a right clock, and out of touch.
    let ahead = ground.write(at(600), Some(stay), seen("hallway", "tv"), written_in(OTHER_BOOT, 3));
    ground.last().received_at = None;
    ground.view = tablet(W1, false, at(-100));
    for (now, state) in [(10, CardState::Due), (16, CardState::Overdue), (300, CardState::Overdue)] {
        let card = ground.board_of(&ground.taken(), own(at(now), now)).cards.remove(0);
        assert_eq!((card.state, card.due_at), (state, Some(at(15))), "at {now}");
        assert_eq!(card.last_seen.unwrap().record, first);
    }
    let row = ground.row(stay, ahead, at(16));
    assert_eq!(row.doubt, "clock not certain; closes no gap before the station has it");
    assert_eq!((row.gap_minutes, row.observed_at), (None, at(600)), "shown as it was written");
    // The receipt says when it was at the latest.
    ground.last().received_at = Some(at(12));
    assert_eq!(ground.card(stay, at(16)).due_at, Some(at(27)));
}

#[test]
fn time_goes_on_after_a_restart_with_a_dead_clock() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    ground.view = tablet(W1, false, at(0));
    // The newest thing that the server had is the check of 02:00. Started again without network, in 1970.
    for (boot_minutes, state) in [(1, CardState::Ok), (14, CardState::Due), (16, CardState::Overdue)] {
        let wall = Ms(boot_minutes * MINUTE_MS);
        let board = ground.board_of(&ground.taken(), own(wall, boot_minutes));
        assert_eq!((board.now, board.cards[0].state), (at(boot_minutes), state), "{boot_minutes} min after the start");
    }
    // A check of this boot is seen when it was made, and ages too.
    own_check(&mut ground, stay, Ms(20 * MINUTE_MS), 20);
    let card = |boot_minutes| {
        ground.board_of(&ground.taken(), own(Ms(boot_minutes * MINUTE_MS), boot_minutes)).cards.remove(0)
    };
    assert_eq!((card(21).state, card(21).due_at), (CardState::Ok, Some(at(35))));
    assert_eq!(card(36).state, CardState::Overdue);
}

fn measured(ground: &mut Ground, wall: Ms, off_ms: i64, boot_minutes: i64) {
    let measure = ClockMeasured { server: wall - off_ms, wall, round_trip_ms: 4 };
    ground.write(wall, None, Event::ClockMeasured(measure), written_in(BOOT, boot_minutes));
}

#[test]
fn suspect_is_derived_from_the_nearest_measurement_also_looking_back() {
    for (off_ms, suspect) in [(60_000, false), (60_001, true), (-60_000, false), (-60_001, true), (0, false)] {
        let (mut ground, stay) = Ground::with_patient(15);
        let check = ground.write(at(0), Some(stay), seen("hallway", "tv"), written_in(BOOT, 100));
        assert_eq!(ground.row(stay, check, at(1)).doubt, "");
        measured(&mut ground, at(30), off_ms, 130);
        let doubt = ground.row(stay, check, at(40)).doubt;
        assert_eq!(doubt.contains("clock not certain"), suspect, "{off_ms}: {doubt}");
        assert_eq!(ground.card(stay, at(3)).state, CardState::Ok, "it still counts");
    }
}

#[test]
fn the_nearest_measurement_decides_and_another_tablet_s_does_not() {
    let (mut ground, stay) = Ground::with_patient(15);
    let early = ground.write(at(0), Some(stay), seen("hallway", "tv"), written_in(BOOT, 100));
    let late = ground.write(at(50), Some(stay), seen("hallway", "tv"), written_in(BOOT, 150));
    let others = ground.write(at(51), Some(stay), seen("hallway", "tv"), |e| e.tablet = Some(W2));
    measured(&mut ground, at(5), 0, 105);
    measured(&mut ground, at(55), 3 * MINUTE_MS, 155);
    let doubt = |id| ground.row(stay, id, at(60)).doubt;
    assert_eq!(doubt(early), "");
    assert!(doubt(late).starts_with("clock not certain"));
    assert!(!doubt(others).contains("clock"));
}

/// Two checks of one boot: at boot minute 100, and ten minutes later with the wall clock moved by this.
fn two_checks(jump_ms: i64, second_boot: Uuid) -> (Ground, StayId, [RecordId; 2]) {
    let (mut ground, stay) = Ground::with_patient(15);
    let first = ground.write(at(1), Some(stay), seen("hallway", "tv"), written_in(BOOT, 100));
    let second = ground.write(at(11) + jump_ms, Some(stay), seen("hallway", "tv"), written_in(second_boot, 110));
    (ground, stay, [first, second])
}

#[test]
fn a_jump_in_a_boot_that_was_never_measured_makes_all_of_it_suspect() {
    for (jump_ms, boot, suspect) in [
        (0, BOOT, false),
        (5_000, BOOT, false),
        (-5_000, BOOT, false),
        (5_001, BOOT, true),
        (-5_001, BOOT, true),
        (2 * MINUTE_MS, OTHER_BOOT, false),
    ] {
        let (ground, stay, checks) = two_checks(jump_ms, boot);
        for check in checks {
            let row = ground.row(stay, check, at(14));
            assert_eq!(row.doubt.contains("clock not certain"), suspect, "{jump_ms}: {}", row.doubt);
            assert_eq!(row.doubt.contains("gap not provable"), suspect, "{jump_ms}: {}", row.doubt);
        }
        let totals = ground.day(stay, at(0), at(14), at(14)).totals;
        assert_eq!((totals.not_provable > 0, totals.checks), (suspect, 2), "{jump_ms}: it still counts");
    }
}

#[test]
fn a_measurement_of_the_boot_says_which_side_of_a_jump_was_right() {
    // Back in touch at boot minute 120: the wall clock is right now, so it was wrong before it was put right.
    let (mut ground, stay, [first, second]) = two_checks(2 * MINUTE_MS, BOOT);
    let third = ground.write(at(13), Some(stay), seen("hallway", "tv"), written_in(BOOT, 112));
    measured(&mut ground, at(21), 0, 120);
    let doubt = |id| ground.row(stay, id, at(22)).doubt;
    assert_eq!(doubt(first), "");
    assert_eq!(doubt(second), "clock not certain; gap not provable");
    // Its own time is certain; the gap before it is not, since it rests on the second check.
    assert_eq!(doubt(third), "gap not provable");
}

#[test]
fn a_gap_is_not_provable_by_either_end_and_a_late_one_stays_late() {
    // (the first check's clock is off, the second one's is, minutes between them)
    for (first_off, second_off, minutes, words, late) in [
        (0, 0, 10, "", false),
        (2, 0, 10, "gap not provable", false),
        (0, 2, 10, "clock not certain; gap not provable", false),
        (2, 2, 10, "clock not certain; gap not provable", false),
        (2, 0, 20, "gap not provable", true),
        (0, 0, 20, "", true),
    ] {
        let (mut ground, stay) = Ground::with_patient(15);
        ground.write(at(1), Some(stay), seen("hallway", "tv"), written_in(BOOT, 100));
        measured(&mut ground, at(1), first_off * MINUTE_MS, 100);
        let second = at(1 + minutes);
        let check = ground.write(second, Some(stay), seen("hallway", "tv"), written_in(OTHER_BOOT, 3));
        let measure = ClockMeasured { server: second - second_off * MINUTE_MS, wall: second, round_trip_ms: 4 };
        ground.write(second, None, Event::ClockMeasured(measure), written_in(OTHER_BOOT, 3));
        let row = ground.row(stay, check, at(30));
        assert_eq!((row.doubt.as_str(), row.late), (words, late), "{first_off} {second_off} {minutes}");
        let totals = ground.day(stay, at(2), second + 1, second + 1).totals;
        let not_provable = u32::from(!words.is_empty() && !late);
        assert_eq!(totals.not_provable, not_provable, "late is late, whatever its clock: {words}");
        assert_eq!(totals.gaps_late, u32::from(late));
    }
}

#[test]
fn nothing_was_seen_after_the_server_had_it() {
    for (ahead_ms, suspect) in [(0, false), (5_000, false), (5_001, true), (HOUR_MS, true)] {
        let (mut ground, stay) = Ground::with_patient(15);
        let check = ground.check(stay, at(10) + ahead_ms);
        ground.last().received_at = Some(at(10));
        assert_eq!(ground.card(stay, at(12)).due_at, Some(at(25)), "{ahead_ms}: counts from the receipt at the latest");
        let row = ground.row(stay, check, at(80));
        assert_eq!(row.doubt.contains("clock not certain"), suspect, "{ahead_ms}: {}", row.doubt);
        assert_eq!(row.observed_at, at(10) + ahead_ms, "no time is rewritten");
    }
}

#[test]
fn a_jump_between_wall_and_boot_clock_is_suspect() {
    for (jump_ms, suspect) in [(0, false), (5_000, false), (5_001, true), (-5_001, true)] {
        let (mut ground, stay) = Ground::with_patient(15);
        let check = ground.write(at(0), Some(stay), seen("hallway", "tv"), written_in(BOOT, 100));
        measured(&mut ground, at(1) + jump_ms, 0, 101);
        assert_eq!(!ground.row(stay, check, at(3)).doubt.is_empty(), suspect, "{jump_ms}");
    }
}
