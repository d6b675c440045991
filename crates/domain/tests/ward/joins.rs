//! Provisional stays, stays that are one, patients who are one person, and transfers.

use crate::ground::*;
use lamplight_domain::ids::{PatientId, RecordId, StayId};
use lamplight_domain::kinds::*;
use lamplight_domain::record::Record;
use lamplight_domain::roster::{Bed, Ward};
use lamplight_domain::time::{Ms, Now};
use lamplight_domain::views::{CardState, PatientDay};
use lamplight_domain::ward;
use proptest::prelude::*;
use uuid::Uuid;

const WOMAN: StayId = StayId(Uuid::from_u128(0x777));

fn take_up(ground: &mut Ground, when: Ms) -> StayId {
    let known = StayProvisional { words: "woman, about 30".into(), bed: "102A".into() };
    ground.tech(when, WOMAN, Event::StayProvisional(known));
    WOMAN
}

fn join(ground: &mut Ground, when: Ms, stay: StayId, into: StayId) -> RecordId {
    ground.nurse(when, stay, Event::StayJoined { into })
}

fn part(ground: &mut Ground, when: Ms, stay: StayId, of: RecordId) -> RecordId {
    ground.nurse(when, stay, Event::JoinEnded { of, reason: "another person".into() })
}

fn whole(ground: &Ground, stay: StayId, now: Ms) -> PatientDay {
    ground.day(stay, at(-30), now + 1, now)
}

#[test]
fn a_provisional_stay_is_on_the_board_with_a_check_due_at_once() {
    let mut ground = Ground::new();
    let stay = take_up(&mut ground, at(10));
    let card = ground.card(stay, at(11));
    assert_eq!((card.name.as_str(), card.bed.as_str(), card.level.as_str()), ("woman, about 30", "102A", "Q15"));
    assert_eq!((card.state, card.words.as_str(), card.due_at), (CardState::Due, "check now", Some(at(10))));
    assert_eq!((card.provisional, card.census.as_str()), (true, "provisional, Q15 until ordered"));
    assert_eq!(card.level_unacknowledged, None, "nobody ordered anything that could be read");
    assert_eq!(ground.card(stay, at(26)).state, CardState::Overdue);
    let check = ground.check(stay, at(12));
    assert_eq!(ground.card(stay, at(13)).due_at, Some(at(27)));
    assert!(!ground.row(stay, check, at(13)).late);
    let order = ground.order(stay, at(20), 5);
    assert_eq!(ground.taken().order_in_force(stay), Some(order));
    let card = ground.card(stay, at(20));
    assert_eq!((card.level.as_str(), card.census.as_str()), ("Q5", "provisional"));
    // What was ordered and ended is not what was provisional before.
    ground.nurse(at(21), stay, Event::OrderEnded { of: order, reason: String::new() });
    assert_eq!(ground.card(stay, at(22)).state, CardState::NoLevel);
}

#[test]
fn a_provisional_level_is_lowered_from_when_the_order_was_written() {
    let mut ground = Ground::new();
    let stay = take_up(&mut ground, at(0));
    ground.order(stay, at(30), 60);
    let check = ground.check(stay, at(31));
    let day = whole(&ground, stay, at(40));
    assert_eq!((day.totals.gaps_late, day.totals.longest_gap_minutes), (1, 31), "{:?}", day.totals);
    assert!(ground.row(stay, check, at(40)).late);
    let words: Vec<_> = day.levels.iter().map(|l| l.words.as_str()).collect();
    assert_eq!(words[0], "Q15 from 02:00, provisional until ordered");
    assert!(words[1].starts_with("Q60 from 02:30"));
}

#[test]
fn a_joined_stay_is_read_as_the_real_one_and_no_entry_has_moved() {
    let (mut ground, real) = Ground::with_patient(30);
    let first = ground.check(real, at(0));
    let woman = take_up(&mut ground, at(5));
    let second = ground.check(woman, at(8));
    let note = ground.tech(at(9), woman, Event::Note { words: "gave no name".into() });
    let before: Vec<Record> = ground.records.clone();
    assert_eq!(ground.board(at(10)).cards.len(), 2);
    join(&mut ground, at(10), woman, real);
    assert_eq!(ground.records[..before.len()], before[..]);
    let board = ground.board(at(11));
    assert_eq!(board.cards.len(), 1, "the provisional card is gone");
    let card = &board.cards[0];
    assert_eq!((card.stay, card.name.as_str(), card.bed.as_str()), (real, "Garcia, Mateo", "104A"));
    assert_eq!((card.last_seen.as_ref().unwrap().record, card.due_at), (second, Some(at(38))));
    for asked in [real, woman] {
        let day = whole(&ground, asked, at(11));
        assert_eq!(day.stay, real);
        let rows: Vec<_> = day.rows.iter().map(|r| r.record).collect();
        assert!([first, second, note].iter().all(|id| rows.iter().filter(|r| *r == id).count() == 1));
        assert_eq!(day.joins.len(), 1);
        assert_eq!(day.joins[0].words, "“woman, about 30”, joined 02:10 by S. Lindqvist");
    }
    // What is entered for the joined one still counts.
    ground.check(woman, at(20));
    assert_eq!(ground.card(real, at(21)).due_at, Some(at(50)));
}

#[test]
fn joining_turns_nothing_late_into_on_time() {
    // The unknown one was late under Q15; the real one has Q60, or is away on a pause that a nurse confirmed.
    for paused in [false, true] {
        let (mut ground, real) = Ground::with_patient(60);
        ground.check(real, at(0));
        if paused {
            let (reason, escort) = (PauseReason::Leave, "family".into());
            ground.nurse(at(1), real, Event::PauseStarted(Pause { reason, escort, return_by: at(600) }));
        }
        let woman = take_up(&mut ground, at(5));
        let check = ground.check(woman, at(30));
        assert!(ground.row(woman, check, at(31)).late);
        join(&mut ground, at(40), woman, real);
        let row = ground.row(real, check, at(41));
        assert!(row.late, "paused: {paused}");
        assert_eq!(row.gap_minutes, Some(25), "one gap, not two");
        let day = ground.day(real, at(1), at(42), at(41));
        assert_eq!(day.totals.gaps_late, 1, "paused: {paused}");
        let card = ground.card(real, at(41));
        assert_ne!(card.state, CardState::Paused, "whoever is here is not on leave");
    }
}

#[test]
fn a_join_that_was_wrong_is_taken_back() {
    let (mut ground, real) = Ground::with_patient(30);
    let woman = take_up(&mut ground, at(5));
    ground.check(woman, at(8));
    ground.check(real, at(2));
    let before = ground.board(at(20));
    let joined = join(&mut ground, at(10), woman, real);
    assert_eq!(ground.board(at(20)).cards.len(), 1);
    part(&mut ground, at(15), woman, joined);
    assert_eq!(ground.board(at(20)).cards, before.cards);
    assert!(whole(&ground, real, at(20)).joins.is_empty());
    assert_eq!(ground.taken().together(woman), [woman]);
}

#[test]
fn of_two_joins_the_newer_holds_and_no_circle_hides_anybody() {
    let (mut ground, one) = Ground::with_patient(30);
    let two = ground.admit("Lopez", "Ana", "104B", at(-600));
    let woman = take_up(&mut ground, at(5));
    join(&mut ground, at(6), woman, one);
    join(&mut ground, at(7), woman, two);
    assert_eq!(ground.taken().resolved(woman), two);
    join(&mut ground, at(8), two, woman);
    assert_eq!(ground.taken().resolved(woman), two, "a join that would close a circle does nothing");
    join(&mut ground, at(9), one, one);
    assert_eq!(ground.board(at(10)).cards.len(), 2);
    // Nothing is joined into what nobody knows here: it would be on no board.
    join(&mut ground, at(11), two, StayId(Uuid::from_u128(0x999)));
    assert_eq!(ground.taken().resolved(two), two);
}

#[test]
fn two_numbers_of_one_person_are_shown_together_until_that_is_taken_back() {
    let (mut ground, one) = Ground::with_patient(30);
    let two = ground.admit("Garsia", "Mateo", "104B", at(-600));
    let (patient, into) = (PatientId(two.0), PatientId(one.0));
    let merged = PatientMerged { patient, mrn: "0099881".into(), into, into_mrn: "0044471".into(), with: one };
    let merge = ground.nurse(at(1), two, Event::PatientMerged(merged));
    let card = ground.card(one, at(2));
    assert_eq!(card.census, "same person as 104B");
    assert_eq!(ground.card(two, at(2)).census, "same person as 104A");
    assert_eq!(whole(&ground, one, at(2)).mrn, "0044471, also 0099881");
    assert_eq!(ground.board(at(2)).cards.len(), 2, "stays are joined by a nurse, not by a number");
    ground.nurse(at(3), two, Event::JoinEnded { of: merge, reason: String::new() });
    assert_eq!(ground.card(one, at(4)).census, "");
    assert_eq!(whole(&ground, one, at(4)).mrn, "0044471");
}

#[test]
fn a_transfer_neither_resets_nor_stops_the_clock() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.roster.wards.push(Ward {
        id: OTHER_WARD,
        name: "Oak Ward".into(),
        beds: vec![Bed { label: "201".into(), room: "201".into(), area: "West".into() }],
    });
    ground.check(stay, at(0));
    let moved = Event::StayPlaced { bed: "201".into(), from: Some(WARD) };
    let id = ground.write(at(6), Some(stay), moved, |e| (e.ward, e.by) = (OTHER_WARD, Some(SL)));
    assert!(ground.board(at(7)).cards.is_empty());
    let marks = ground.marks(at(7));
    let there = ward::board(&ground.taken(), &ground.roster, OTHER_WARD, &marks, ground.view, Now::of_wall(at(7)));
    let card = there.cards.iter().find(|c| c.stay == stay).unwrap();
    assert_eq!((card.bed.as_str(), card.due_at), ("201", Some(at(15))));
    assert_eq!(ground.row(stay, id, at(7)).words, "From Willow Ward to Oak Ward, bed 201");
    // A late transfer of an earlier time does not take the patient back.
    let earlier = Event::StayPlaced { bed: "101A".into(), from: None };
    ground.write(at(4), Some(stay), earlier, |e| (e.by, e.recorded_at) = (Some(SL), at(8)));
    assert_eq!(ground.taken().ward_of(stay), Some(OTHER_WARD));
}

#[test]
fn what_cannot_be_joined_is_refused_by_name() {
    let (mut ground, real) = Ground::with_patient(30);
    let gone = ground.admit("Lopez", "Ana", "104B", at(-600));
    ground.nurse(at(-5), gone, Event::StayClosed { reason: String::new() });
    let woman = take_up(&mut ground, at(1));
    let may = |ground: &Ground, stay: StayId, event: Event| {
        let envelope = lamplight_domain::record::Envelope { stay: Some(stay), by: Some(SL), ..ground.envelope(at(2)) };
        ground.may(&envelope, &event, at(2))
    };
    let into = |into| Event::StayJoined { into };
    assert_eq!(may(&ground, woman, into(real)), Ok(String::new()));
    assert_eq!(may(&ground, woman, into(woman)), Err("stays.same".into()));
    assert_eq!(may(&ground, woman, into(gone)), Err("stays.closed".into()));
    assert_eq!(may(&ground, real, into(woman)), Err("stays.direction".into()));
    assert_eq!(may(&ground, woman, into(StayId(Uuid::from_u128(0x999)))), Err("stay.unknown".into()));
    let joined = join(&mut ground, at(2), woman, real);
    assert_eq!(may(&ground, woman, into(real)), Err("stays.same".into()));
    let back = |of| Event::JoinEnded { of, reason: String::new() };
    assert_eq!(may(&ground, woman, back(RecordId(Uuid::from_u128(0x998)))), Err("record.unknown".into()));
    part(&mut ground, at(3), woman, joined);
    assert_eq!(may(&ground, woman, back(joined)), Err("stays.parted".into()));
    let place = |bed: &str| Event::StayPlaced { bed: bed.into(), from: None };
    assert_eq!(may(&ground, real, place("104A")), Ok("The patient was in this bed already.".into()));
    assert_eq!(may(&ground, real, place("999Z")), Ok("The ward's list has no bed 999Z.".into()));
    assert_eq!(may(&ground, real, place("102A")), Ok("Somebody else is in 102A too, as the census has it.".into()));
    let known =
        |words: &str, bed: &str| Event::StayProvisional(StayProvisional { words: words.into(), bed: bed.into() });
    let new = StayId(Uuid::from_u128(0x778));
    assert_eq!(may(&ground, new, known("  ", "")), Err("words.empty".into()));
    assert_eq!(may(&ground, new, known(&"x".repeat(81), "")), Err("words.too_long".into()));
    assert_eq!(may(&ground, new, known("man", "999Z")), Err("bed.unknown".into()));
    assert_eq!(may(&ground, new, known("man", "")), Ok(String::new()));
}

proptest! {
    /// Whatever was late before two stays were known to be one, by the line of each, is late in the joined one unless a
    /// check of the other shows that the person was seen; and no check closes two gaps.
    #[test]
    fn a_late_gap_of_either_stays_late_where_nobody_looked_meanwhile(
        real_checks in prop::collection::vec(0..110i64, 0..8),
        other_checks in prop::collection::vec(20..110i64, 0..8),
        limit in prop::sample::select(vec![5u16, 15, 30, 60]),
        joined_at in 111..130i64,
    ) {
        let (mut ground, real) = Ground::with_patient(limit);
        ground.check(real, at(-1));
        let woman = take_up(&mut ground, at(20));
        for minute in &real_checks {
            ground.check(real, at(*minute));
        }
        for minute in &other_checks {
            ground.check(woman, at(*minute));
        }
        let now = at(140);
        let late = |ground: &Ground, stay| -> Vec<(Ms, Ms)> {
            let day = ground.day(stay, at(-2), now, now);
            day.strip.iter().filter(|m| m.what == lamplight_domain::views::StripKind::Late).map(|m| (m.from, m.to)).collect()
        };
        let apart = [late(&ground, real), late(&ground, woman)];
        join(&mut ground, at(joined_at), woman, real);
        let joined = late(&ground, real);
        let seen = |minute: i64, limit: i64| {
            let all = real_checks.iter().chain(&other_checks).chain(&[-1]);
            all.clone().any(|c| *c <= minute && minute - *c <= limit)
        };
        // In the middle of a minute: strips begin and end at whole ones.
        let half = |minute| at(minute) + 30_000;
        for minute in 20..joined_at {
            let is_in = |spans: &[(Ms, Ms)]| spans.iter().any(|(from, to)| *from < half(minute) && half(minute) < *to);
            if (is_in(&apart[0]) && !seen(minute, limit.into())) || (is_in(&apart[1]) && !seen(minute, 15) && minute > 35) {
                prop_assert!(is_in(&joined), "minute {minute}: {apart:?} {joined:?}");
            }
        }
        let day = ground.day(real, at(-2), now, now);
        // Each gap once: the row that ended it, and the one that runs at the end where it was late.
        let rows = day.rows.iter().filter(|r| r.gap_minutes.is_some()).count();
        prop_assert!((0..=1).contains(&(day.totals.gaps as usize - rows)), "{} gaps, {rows} rows", day.totals.gaps);
        prop_assert_eq!(rows, 1 + real_checks.len() + other_checks.len());
    }

    /// Joins, partings and merges are resolved from the set of records: their order of arrival changes nothing.
    #[test]
    fn joins_in_any_order_give_the_same_board(
        acts in prop::collection::vec((0..6u8, 0..3usize, 0..3usize, 0..60i64), 0..16),
        turns in prop::collection::vec(any::<prop::sample::Index>(), 1..30),
    ) {
        let (mut ground, one) = Ground::with_patient(15);
        let two = ground.admit("Lopez", "Ana", "104B", at(-600));
        let woman = take_up(&mut ground, at(-60));
        let stays = [one, two, woman];
        let mut joins: Vec<(RecordId, StayId)> = Vec::new();
        for (what, a, b, minute) in acts {
            let (when, stay) = (at(minute) + a as i64 * 1_000, stays[a]);
            match what {
                0 | 1 => joins.push((join(&mut ground, when, stay, stays[b]), stay)),
                2 => if let Some((of, stay)) = joins.get(b).copied() { part(&mut ground, when, stay, of); },
                3 => { ground.nurse(when, stay, Event::StayPlaced { bed: "101A".into(), from: None }); }
                4 => { ground.order(stay, when, 30); }
                _ => { ground.check(stay, when); }
            }
        }
        let now = at(61);
        let expected = ground.taken();
        let (mut left, mut mixed) = (ground.records.clone(), Vec::new());
        for turn in turns.iter().cycle() {
            if left.is_empty() { break; }
            let record = left.swap_remove(turn.index(left.len()));
            // Its own machine has it before the server does, and takes it in again afterwards.
            mixed.push(Record { received_at: None, ..record.clone() });
            mixed.push(record);
        }
        let other = taken(mixed);
        prop_assert_eq!(ground.board_of(&other, Now::of_wall(now)), ground.board_of(&expected, Now::of_wall(now)));
        for stay in stays {
            prop_assert_eq!(other.together(stay), expected.together(stay));
            prop_assert_eq!(other.order_in_force(stay), expected.order_in_force(stay));
            let day = |records| ward::day(records, &ground.roster, stay, at(-70), now, ground.view, Now::of_wall(now)).unwrap();
            prop_assert_eq!(day(&other), day(&expected));
        }
        // Nobody is lost: every stay is read as one that stands on the board.
        let cards: Vec<_> = ground.board_of(&expected, Now::of_wall(now)).cards.iter().map(|c| c.stay).collect();
        for stay in stays {
            prop_assert!(cards.contains(&expected.resolved(stay)));
        }
    }
}
