//! The board as a whole: walking order, rounds, next, holder, verification, names, precautions.

use crate::ground::*;
use lamplight_domain::ids::StayId;
use lamplight_domain::kinds::*;
use lamplight_domain::views::CardState;

/// Patients on Q15 in these beds.
fn ward(beds: &[&str]) -> (Ground, Vec<StayId>) {
    let mut ground = Ground::new();
    let stays = beds.iter().map(|bed| ground.admit(&format!("{bed}{bed}"), "x", bed, at(-600))).collect::<Vec<_>>();
    for stay in &stays {
        ground.order(*stay, at(-600), 15);
    }
    (ground, stays)
}

#[test]
fn cards_stand_in_walking_order_whatever_order_they_came_in() {
    let (mut ground, stays) = ward(&["104A", "101B", "102A"]);
    let nowhere = ground.admit("Nobody", "x", "199Z", at(0));
    let order: Vec<_> = ground.board(at(1)).cards.into_iter().map(|c| c.stay).collect();
    assert_eq!(order, [stays[1], stays[2], stays[0], nowhere]);
    assert_eq!(order, ground.taken().open_stays(&ground.roster, WARD));
    // Moved to another bed.
    ground.nurse(at(2), stays[0], Event::StayPlaced { bed: "101A".into(), from: None });
    let card = ground.board(at(3)).cards.remove(0);
    assert_eq!(
        (card.stay, card.bed.as_str(), card.room.as_str(), card.area.as_str()),
        (stays[0], "101A", "101", "East hallway")
    );
}

#[test]
fn a_round_counts_whom_it_has_seen_and_begins_anew() {
    let (mut ground, s) = ward(&["101A", "101B", "102A"]);
    let round = |ground: &Ground, now| {
        let board = ground.board(at(now));
        (board.round_seen, board.round_of)
    };
    assert_eq!(round(&ground, 0), (0, 3));
    for (minute, stay, seen) in [
        (0, s[0], 1),
        (1, s[1], 2),
        // A second look a minute later is still the same round.
        (2, s[0], 2),
        (3, s[2], 3),
        // All were seen: the next check begins a round.
        (12, s[0], 1),
        (13, s[1], 2),
        // The third was left out; the first is seen again a limit later: a new round.
        (25, s[0], 1),
    ] {
        ground.check(stay, at(minute));
        assert_eq!(round(&ground, minute), (seen, 3), "at {minute}");
    }
}

#[test]
fn who_is_away_or_watched_is_owed_no_look() {
    let (mut ground, s) = ward(&["101A", "101B", "102A"]);
    let pause = Pause { reason: PauseReason::Court, escort: String::new(), return_by: at(100) };
    ground.nurse(at(0), s[0], Event::PauseStarted(pause));
    ground.level(s[1], at(0), one_to_one((1, 1)), vec![]);
    let board = ground.board(at(1));
    assert_eq!((board.round_of, board.next), (1, Some(s[2])));
}

#[test]
fn next_is_the_first_overdue_along_the_walk_then_the_first_due_then_the_soonest() {
    let (mut ground, s) = ward(&["101A", "101B", "102A", "102B", "103A"]);
    for (stay, minute) in [(s[0], 0), (s[1], 10), (s[2], 1), (s[3], 2), (s[4], 3)] {
        ground.check(stay, at(minute));
    }
    // Nobody is due: whoever's limit runs out first.
    assert_eq!(ground.board(at(9)).next, Some(s[0]));
    // The last check was in 101B: on from there, round the end to the beginning.
    assert_eq!(ground.board(at(14)).next, Some(s[2]), "the first of those who are due");
    assert_eq!(ground.board(at(15) + 1).next, Some(s[0]), "the only one past the limit");
    assert_eq!(ground.board(at(16) + 1).next, Some(s[2]), "the first past the limit from here");
    let (ground, _) = ward(&[]);
    assert_eq!(ground.board(at(0)).next, None);
}

#[test]
fn counts_are_those_of_the_cards() {
    let (mut ground, s) = ward(&["101A", "101B", "102A"]);
    for (stay, minute) in [(s[0], 0), (s[1], 8), (s[2], 17)] {
        ground.check(stay, at(minute));
    }
    let board = ground.board(at(20));
    let count = |state| board.cards.iter().filter(|c| c.state == state).count() as u32;
    assert_eq!((board.overdue, board.due, board.not_known), (1, 1, 0));
    assert_eq!((count(CardState::Overdue), count(CardState::Due)), (board.overdue, board.due));
    assert_eq!(board.signal.rooms, ["101A"]);
}

#[test]
fn nobody_holding_the_observations_is_an_alarm() {
    let (mut ground, s) = ward(&["101A"]);
    ground.check(s[0], at(0));
    let board = ground.board(at(1));
    assert_eq!((board.holder, board.signal.words.as_str()), (None, "nobody holds the observations"));
    assert!(board.signal.level > lamplight_domain::views::SignalLevel::Quiet);
    ground.write(at(2), None, Event::HoldingTaken { census_count: 1 }, |_| {});
    ground.write(at(1), None, Event::HoldingTaken { census_count: 1 }, |e| e.by = Some(JR));
    let holder = ground.board(at(3)).holder.unwrap();
    assert_eq!((holder.staff, holder.name.as_str(), holder.since_clock.as_str()), (MO, "M. Okafor", "02:02"));
    assert!(!ground.board(at(122)).holder.unwrap().too_long);
    let board = ground.board(at(123));
    assert!(board.holder.unwrap().too_long);
    assert_eq!(board.signal.words, "1 overdue, observations held for over 2 hours");
    // Somebody else has to relieve the holder: it sounds at the station.
    ground.check(s[0], at(122));
    let level = |ground: &Ground| ground.board(at(123)).signal.level;
    assert_eq!(level(&ground), lamplight_domain::views::SignalLevel::Overdue);
    ground.view = tablet(W1, true, at(123));
    assert_eq!(level(&ground), lamplight_domain::views::SignalLevel::Quiet);
    assert_eq!(ground.board(at(123)).signal.words, "observations held for over 2 hours");
}

#[test]
fn a_nurse_verifies_every_two_hours() {
    let (mut ground, _) = ward(&["101A"]);
    let of = |ground: &Ground, now| {
        let v = ground.board(at(now)).verification;
        (v.overdue, v.due_at, v.last_by)
    };
    assert_eq!(of(&ground, 0), (true, Some(at(-480)), String::new()), "from when the first patient came");
    ground.write(at(0), None, Event::Verified { note: String::new() }, |_| {});
    assert!(of(&ground, 1).0, "a technician's word is no verification");
    ground.write(at(1), None, Event::Verified { note: String::new() }, |e| e.by = Some(SL));
    assert_eq!(of(&ground, 121), (false, Some(at(121)), "S. Lindqvist".to_owned()));
    assert!(of(&ground, 122).0);
}

#[test]
fn similar_names_are_marked_on_both_cards() {
    let mut ground = Ground::new();
    for (family, bed) in
        [("Jansen", "101A"), ("Garcia", "101B"), ("Janssen", "102A"), ("garcia", "102B"), ("Ito", "103A")]
    {
        ground.admit(family, "x", bed, at(0));
    }
    let marked: Vec<_> = ground.board(at(1)).cards.iter().map(|c| c.similar_name).collect();
    assert_eq!(marked, [true, true, true, true, false]);
}

#[test]
fn precautions_are_the_newest_whole_list_most_serious_first() {
    let (mut ground, s) = ward(&["101A"]);
    let codes = |codes: &[&str]| Event::Precautions { codes: codes.iter().map(|c| (*c).into()).collect() };
    ground.nurse(at(0), s[0], codes(&["fall"]));
    ground.nurse(at(1), s[0], codes(&["fall", "unheard_of", "suicide"]));
    assert_eq!(ground.card(s[0], at(2)).precautions, ["Suicide", "Fall", "unheard_of"]);
}

#[test]
fn forgetting_changes_nothing_that_a_board_shows() {
    let (mut ground, s) = ward(&["101A", "101B"]);
    for minute in (-590..0).step_by(14) {
        ground.check(s[0], at(minute));
    }
    let concern = ground.tech(at(-500), s[0], Event::Concern { words: "gave away his shoes".into() });
    // What a technician says of it, or takes notice of, leaves it open.
    let action = AmendmentAction::Add { words: "and his coat".into() };
    ground.amend(s[0], at(-495), concern, action);
    ground.tech(at(-490), s[0], Event::Acknowledged { of: concern, came: None });
    ground.check(s[1], at(-580));
    let wrong = ground.check(s[1], at(-570));
    ground.amend(s[1], at(-569), wrong, AmendmentAction::Retract);
    ground.write(at(-500), None, Event::HoldingTaken { census_count: 2 }, |_| {});
    let mut records = ground.taken();
    let now = lamplight_domain::time::Now::of_wall(at(0));
    let (before, all) = (ground.board_of(&records, now), records.len());
    records.forget_before(at(-240), &ground.roster, now);
    assert_eq!(ground.board_of(&records, now), before);
    assert!(records.len() < all);
    assert!(!records.held(concern).is_empty());
    records.forget_before(at(0), &ground.roster, now);
    let after = ground.board_of(&records, now);
    let last =
        |board: &lamplight_domain::views::Board| board.cards.iter().map(|c| c.last_seen.clone()).collect::<Vec<_>>();
    assert_eq!(last(&after), last(&before), "each stay's last check still counts");
    assert_eq!((after.concerns, after.holder), (before.concerns, before.holder));
}

#[test]
fn a_concern_is_forgotten_when_a_nurse_took_notice_or_the_stay_is_over() {
    let (mut ground, s) = ward(&["101A", "101B"]);
    let concern = |ground: &mut Ground, stay| ground.tech(at(-500), stay, Event::Concern { words: "quiet".into() });
    let [read, left] = [s[0], s[1]].map(|stay| concern(&mut ground, stay));
    ground.nurse(at(-400), s[0], Event::Acknowledged { of: read, came: None });
    ground.nurse(at(-300), s[1], Event::StayClosed { reason: String::new() });
    let mut records = ground.taken();
    let now = lamplight_domain::time::Now::of_wall(at(0));
    records.forget_before(at(-350), &ground.roster, now);
    assert!(records.held(read).is_empty());
    assert!(!records.held(left).is_empty(), "closed only afterwards");
    records.forget_before(at(-299), &ground.roster, now);
    assert!(records.held(left).is_empty());
}
