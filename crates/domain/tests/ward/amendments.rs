//! Corrections: both stay visible, none makes a late check an on-time one.

use crate::ground::*;
use lamplight_domain::kinds::*;
use lamplight_domain::views::CardState;

#[test]
fn a_retraction_gives_the_earlier_due_time_back_and_the_row_stays() {
    let (mut ground, stay) = Ground::with_patient(15);
    let first = ground.check(stay, at(0));
    let wrong = ground.check(stay, at(12));
    assert_eq!(ground.card(stay, at(13)).due_at, Some(at(27)));
    ground.amend(stay, at(14), wrong, AmendmentAction::Retract);
    let card = ground.card(stay, at(16));
    assert_eq!((card.due_at, card.state), (Some(at(15)), CardState::Overdue));
    assert_eq!(card.last_seen.unwrap().record, first);
    let row = ground.row(stay, wrong, at(16));
    assert_eq!(row.retracted, "retracted 02:14: wrong patient (MO)");
    assert_eq!((row.gap_minutes, row.late, row.may_amend), (None, false, false));
    let totals = ground.day(stay, at(0), at(16), at(16)).totals;
    assert_eq!((totals.checks, totals.retracted), (1, 1));
    // The next check ends the gap of the check before.
    let next = ground.check(stay, at(17));
    let row = ground.row(stay, next, at(17));
    assert_eq!((row.gap_minutes, row.late), (Some(17), true));
}

#[test]
fn retracted_stays_retracted() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    let wrong = ground.check(stay, at(5));
    let back = ground.amend(stay, at(6), wrong, AmendmentAction::Retract);
    ground.amend(stay, at(7), back, AmendmentAction::Retract);
    let correct = AmendmentAction::CorrectCheck { place: "bedroom".into(), activity: "tv".into() };
    ground.amend(stay, at(8), wrong, correct);
    assert_eq!(ground.card(stay, at(9)).due_at, Some(at(15)));
}

#[test]
fn a_correction_changes_the_words_and_not_that_it_counted_or_when() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.view = tablet(W1, true, at(60));
    ground.check(stay, at(0));
    let late = ground.tech(at(20), stay, seen("day_room", "pacing"));
    let before = ground.row(stay, late, at(30));
    let correct = |place: &str| AmendmentAction::CorrectCheck { place: place.into(), activity: "eyes_closed".into() };
    ground.amend(stay, at(25), late, correct("bedroom"));
    ground.amend(stay, at(24), late, correct("hallway"));
    let row = ground.row(stay, late, at(30));
    assert_eq!(row.words, "Bedroom · breathing seen", "the newest correction holds");
    assert_eq!(row.amended, "corrected 02:25: was Day room · pacing, restless (MO)");
    assert_eq!((row.late, row.gap_minutes), (true, before.gap_minutes), "late stays late");
    assert_eq!((row.observed_at, row.may_amend), (at(20), true));
    let card = ground.card(stay, at(26));
    assert_eq!((card.due_at, card.line.as_str()), (Some(at(35)), "02:20 Bedroom · breathing seen"));
}

#[test]
fn an_amendment_may_come_before_what_it_amends() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    let wrong = ground.check(stay, at(5));
    ground.amend(stay, at(6), wrong, AmendmentAction::Retract);
    let check = ground.records.remove(ground.records.len() - 2);
    let rows = ground.day(stay, at(0), at(7), at(7)).rows;
    assert_eq!(rows.last().unwrap().words, "Corrects an entry that is not held here");
    ground.records.push(check);
    assert_eq!(ground.card(stay, at(7)).due_at, Some(at(15)));
    let rows = ground.day(stay, at(0), at(7), at(7)).rows;
    assert_eq!(rows.len(), 2, "now it stands in the row that it amends");
}

#[test]
fn text_that_is_added_later_says_when_and_by_whom() {
    let (mut ground, stay) = Ground::with_patient(15);
    let note = ground.tech(at(1), stay, Event::Note { words: "asked for a blanket".into() });
    ground.amend(stay, at(9), note, AmendmentAction::Add { words: "got one".into() });
    assert_eq!(ground.row(stay, note, at(10)).words, "asked for a blanket · added 02:09: got one (MO)");
}

#[test]
fn orders_and_pauses_are_not_taken_back_by_amendments() {
    let (mut ground, stay) = Ground::with_patient(15);
    let order = ground.records[2].id();
    ground.check(stay, at(0));
    ground.amend(stay, at(1), order, AmendmentAction::Retract);
    let card = ground.card(stay, at(2));
    assert_eq!((card.level.as_str(), card.due_at), ("Q15", Some(at(15))));
    assert_eq!(ground.row(stay, order, at(2)).retracted, "");
}

#[test]
fn a_retracted_not_done_or_heard_is_not_counted() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    let tried = [
        ground.tech(at(1), stay, not_done("")),
        ground.tech(at(2), stay, not_done("")),
        ground.tech(at(3), stay, Event::Heard { place: "bathroom_heard".into() }),
    ];
    let totals = ground.day(stay, at(0), at(4), at(4)).totals;
    assert_eq!((totals.not_done, totals.heard_or_cant_tell, totals.retracted), (2, 1, 0));
    for of in tried {
        ground.amend(stay, at(4), of, AmendmentAction::Retract);
    }
    let card = ground.card(stay, at(5));
    assert_eq!((card.tried.as_str(), card.not_done_twice), ("", false));
    let totals = ground.day(stay, at(0), at(5), at(5)).totals;
    assert_eq!((totals.not_done, totals.heard_or_cant_tell, totals.retracted), (0, 0, 3));
}

#[test]
fn a_row_may_be_amended_by_whoever_may_amend_it() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    ground.write(at(1), Some(stay), seen("hallway", "tv"), |e| e.by = Some(JR));
    ground.nurse(at(2), stay, Event::Note { words: "x".into() });
    let wrong = ground.check(stay, at(3));
    ground.amend(stay, at(4), wrong, AmendmentAction::Retract);
    let mut shown = Vec::new();
    for signed_in in [Some(MO), Some(JR), Some(SL), Some(DA), None] {
        ground.view = lamplight_domain::ward::Viewpoint::Tablet {
            tablet: W1,
            online: true,
            last_contact: Some(at(5)),
            confirmed: 0,
            silenced_until: None,
            author: Some(OWN),
            signed_in,
        };
        for row in ground.day(stay, at(-700), at(5), at(5)).rows {
            let mut envelope = ground.envelope(at(5));
            (envelope.stay, envelope.by) = (Some(stay), signed_in);
            let (action, reason) = (AmendmentAction::Retract, AmendmentReason::MisTap);
            let retract = Event::Amendment(Amendment { of: row.record, action, reason, words: String::new() });
            let may = ground.may(&envelope, &retract, at(5));
            assert_eq!(row.may_amend, may.is_ok(), "{signed_in:?}: {row:?} {may:?}");
            shown.push(row.may_amend);
        }
    }
    assert_eq!(shown.iter().filter(|may| **may).count(), 1 + 1 + 3 + 3);
    ground.view = lamplight_domain::ward::Viewpoint::Station;
    assert!(ground.day(stay, at(-700), at(5), at(5)).rows.iter().all(|r| !r.may_amend), "nothing is amended there");
}
