//! Help that nobody signed, and who says afterwards that it was theirs.

use crate::ground::*;
use lamplight_domain::ids::{RecordId, StaffId, StayId};
use lamplight_domain::kinds::*;
use lamplight_domain::record::Envelope;
use lamplight_domain::time::Ms;
use lamplight_domain::views::{OpenEmergency, SignalLevel};
use uuid::Uuid;

const OWN_VIEW: fn() -> lamplight_domain::ward::Viewpoint = || tablet(W1, true, at(0));

/// A ward with one unsigned call for help at 02:00.
fn called() -> (Ground, StayId, RecordId) {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(-1));
    let help = Event::Emergency { what: EmergencyKind::NeedHelp, place: "hallway".into() };
    let call = ground.write(at(0), Some(stay), help, |e| e.by = None);
    ground.view = OWN_VIEW();
    (ground, stay, call)
}

fn by(ground: &mut Ground, person: StaffId, when: Ms, stay: StayId, event: Event) -> RecordId {
    ground.write(when, Some(stay), event, |e| e.by = Some(person))
}

fn shown(ground: &Ground, now: Ms) -> OpenEmergency {
    ground.board(now).emergencies.remove(0)
}

fn may(ground: &Ground, person: Option<StaffId>, of: RecordId) -> String {
    let id = RecordId(Uuid::from_u128(0xFFFF));
    let envelope = Envelope { by: person, id, ..ground.envelope(at(5)) };
    ground.may(&envelope, &Event::Claimed { of }, at(5)).err().unwrap_or_default()
}

#[test]
fn a_claim_makes_the_call_that_person_s_and_moves_nothing_else() {
    let (mut ground, stay, call) = called();
    let before = shown(&ground, at(2));
    assert_eq!((before.by.as_str(), before.may_claim), ("not signed in", true));
    by(&mut ground, MO, at(1), stay, Event::Claimed { of: call });
    let after = shown(&ground, at(2));
    assert_eq!((after.by.as_str(), after.may_claim), ("M. Okafor, as they said afterwards", false));
    assert_eq!(
        OpenEmergency { by: before.by.clone(), may_claim: true, ..after },
        before,
        "no time, no answer, no words"
    );
    assert_eq!(ground.board(at(2)).signal.level, SignalLevel::Emergency, "a claim answers nothing");
    let row = ground.row(stay, call, at(9));
    assert_eq!((row.observed_at, row.by.as_str(), row.by_full.as_str()), (at(0), "MO", "M. Okafor, MHT 2304"));
    assert_eq!(row.words, "Need help: hallway · not signed then; M. Okafor said 02:01 that they called");
}

#[test]
fn only_an_unsigned_call_can_be_claimed_once_and_by_somebody() {
    let (mut ground, stay, call) = called();
    assert_eq!(may(&ground, Some(MO), call), "");
    assert_eq!(may(&ground, None, call), "claim.who");
    let help = Event::Emergency { what: EmergencyKind::Danger, place: String::new() };
    let signed = by(&mut ground, JR, at(1), stay, help);
    assert_eq!(may(&ground, Some(MO), signed), "claim.signed");
    assert_eq!(may(&ground, Some(JR), signed), "claim.signed", "also by whoever signed it");
    let note = ground.tech(at(1), stay, Event::Note { words: "asleep".into() });
    assert_eq!(may(&ground, Some(MO), note), "claim.kind");
    assert_eq!(may(&ground, Some(MO), RecordId(Uuid::from_u128(0xBAD))), "record.unknown");
    by(&mut ground, JR, at(2), stay, Event::Claimed { of: call });
    assert_eq!(may(&ground, Some(MO), call), "claim.taken");
    assert_eq!(may(&ground, Some(JR), call), "claim.taken");
}

#[test]
fn an_ended_call_can_still_be_claimed() {
    let (mut ground, stay, call) = called();
    ground.nurse(at(3), stay, Event::EmergencyEnded { of: call, words: String::new() });
    assert_eq!(may(&ground, Some(MO), call), "");
    by(&mut ground, MO, at(4), stay, Event::Claimed { of: call });
    assert!(ground.row(stay, call, at(9)).words.contains("M. Okafor said 02:04"));
}

#[test]
fn whoever_claims_a_call_does_not_answer_it() {
    let (mut ground, stay, call) = called();
    by(&mut ground, SL, at(1), stay, Event::Claimed { of: call });
    let envelope = Envelope { by: Some(SL), ..ground.envelope(at(2)) };
    let said = ground.may(&envelope, &Event::Acknowledged { of: call, came: None }, at(2)).unwrap();
    assert!(said.contains("has not been answered"), "{said}");
    by(&mut ground, SL, at(2), stay, Event::Acknowledged { of: call, came: None });
    by(&mut ground, MO, at(3), stay, Event::Acknowledged { of: call, came: Some(SL) });
    assert_eq!(shown(&ground, at(4)).acknowledged_by, None, "neither by themselves nor by being named");
    by(&mut ground, DA, at(4), stay, Event::Acknowledged { of: call, came: None });
    assert_eq!(shown(&ground, at(5)).acknowledged_by.as_deref(), Some("D. Ahmed"));
}

#[test]
fn whoever_answered_a_call_did_not_make_it() {
    let (mut ground, stay, call) = called();
    by(&mut ground, SL, at(1), stay, Event::Acknowledged { of: call, came: None });
    assert_eq!(may(&ground, Some(SL), call), "claim.answered");
    // From a tablet that had not heard of the answer.
    by(&mut ground, SL, at(2), stay, Event::Claimed { of: call });
    let after = shown(&ground, at(3));
    assert_eq!((after.acknowledged_by.as_deref(), after.by.as_str()), (Some("S. Lindqvist"), "not signed in"));
    assert_eq!(may(&ground, Some(MO), call), "", "so it can still be claimed by whoever did");
    by(&mut ground, MO, at(4), stay, Event::Claimed { of: call });
    let after = shown(&ground, at(5));
    assert_eq!(after.acknowledged_by.as_deref(), Some("S. Lindqvist"));
    assert_eq!(after.by, "M. Okafor, as they said afterwards");
}

#[test]
fn of_two_claims_the_first_holds_in_whatever_order_they_come() {
    let (mut ground, stay, call) = called();
    by(&mut ground, JR, at(3), stay, Event::Claimed { of: call });
    by(&mut ground, MO, at(2), stay, Event::Claimed { of: call });
    assert_eq!(shown(&ground, at(5)).by, "M. Okafor, as they said afterwards");
    ground.records.reverse();
    assert_eq!(shown(&ground, at(5)).by, "M. Okafor, as they said afterwards");
}

#[test]
fn a_claim_that_nobody_signed_and_one_of_a_signed_call_say_nothing() {
    let (mut ground, stay, call) = called();
    ground.write(at(1), Some(stay), Event::Claimed { of: call }, |e| e.by = None);
    assert_eq!(shown(&ground, at(2)).by, "not signed in");
    let help = Event::Emergency { what: EmergencyKind::Danger, place: String::new() };
    let signed = by(&mut ground, JR, at(2), stay, help);
    by(&mut ground, MO, at(3), stay, Event::Claimed { of: signed });
    assert_eq!(shown(&ground, at(4)).by, "J. Reyes");
    assert!(ground.row(stay, signed, at(9)).words.ends_with("danger now"));
}

#[test]
fn audit_and_temporary_access_stand_on_no_board_and_no_day() {
    let (mut ground, stay, _) = called();
    let (board, rows) = (ground.board(at(2)), ground.day(stay, at(-700), at(10), at(9)).rows);
    ground.tech(at(1), stay, Event::Audit(Audit::of(Act::Viewed)));
    let given = AccessGiven {
        staff: StaffId(Uuid::from_u128(0x99)),
        family: "Novak".into(),
        given: "Eva".into(),
        number: "Agency 118".into(),
        until: at(600),
        pin: None,
    };
    ground.write(at(1), None, Event::AccessGiven(given), |_| {});
    assert_eq!(ground.board(at(2)), board);
    assert_eq!(ground.day(stay, at(-700), at(10), at(9)).rows, rows);
}

#[test]
fn temporary_access_is_on_the_sign_in_list_until_it_ends() {
    let (mut ground, _) = Ground::with_patient(15);
    ground.view = OWN_VIEW();
    let jon = ground.roster.staff.iter_mut().find(|p| p.id == JR).unwrap();
    jon.until = Some(at(330));
    let until = |ground: &Ground, now| {
        let people = ground.locked(now).people;
        people.into_iter().find(|p| p.staff == JR).map(|p| p.until)
    };
    assert_eq!(until(&ground, at(0)).as_deref(), Some("until 07:30"));
    assert_eq!(until(&ground, at(329)).as_deref(), Some("until 07:30"));
    assert_eq!(until(&ground, at(330)), None);
    let rest = ground.locked(at(330)).people;
    assert!(!rest.is_empty() && rest.iter().all(|p| p.until.is_empty()));
}
