//! One release older or newer on the other side: what is not known is passed over, or refused by name.

use super::*;
use crate::chain::{Endorser, Head, SigningKey};
use crate::kinds::Event;
use crate::record::{Auth, Body};
use serde_json::{Value, json};

fn hello(protocol_min: u16, protocol_max: u16) -> HelloAnswer {
    let facility_key = SigningKey::from_seed(&[9; 32]).public();
    let facility = FacilityId(Uuid::from_u128(1));
    HelloAnswer {
        protocol_min,
        protocol_max,
        facility,
        facility_key,
        server_time: Ms(0),
        nonce: String::new(),
        successions: vec![],
    }
}

#[test]
fn the_newest_protocol_that_both_speak_is_taken() {
    assert_eq!(hello(PROTOCOL, PROTOCOL).common_protocol(), Some(PROTOCOL));
    // A newer server that still speaks this one, and an older one that this program still speaks.
    assert_eq!(hello(PROTOCOL, PROTOCOL + 1).common_protocol(), Some(PROTOCOL));
    assert_eq!(hello(PROTOCOL_MIN - 1, PROTOCOL_MIN).common_protocol(), Some(PROTOCOL_MIN));
    assert_eq!(hello(PROTOCOL + 1, PROTOCOL + 2).common_protocol(), None);
    assert_eq!(hello(0, PROTOCOL_MIN - 1).common_protocol(), None);
}

#[test]
fn fields_that_are_not_known_are_passed_over() {
    let mut value = serde_json::to_value(hello(1, 1)).unwrap();
    value["of_the_future"] = json!({ "deep": [1, 2] });
    assert_eq!(serde_json::from_value::<HelloAnswer>(value).unwrap(), hello(1, 1));
}

#[test]
fn a_reason_that_is_not_known_leaves_the_receipt_readable() {
    let key = SigningKey::from_seed(&[9; 32]);
    let head = Head::empty(key.author());
    let receipt = Receipt::sign(&key, FacilityId(Uuid::nil()), head, Ms(0), Uuid::nil());
    for why in [json!("too_early"), json!({ "come_back": { "after_ms": 5 } })] {
        let answer = json!({ "receipt": receipt, "refused": why, "server_time": 0 });
        let read: PushAnswer = serde_json::from_value(answer).unwrap();
        assert_eq!((read.refused, read.receipt), (Some(PushRefused::Unknown), Some(receipt)));
    }
    let taken: PushAnswer = serde_json::from_value(json!({ "receipt": null, "server_time": 0 })).unwrap();
    assert_eq!(taken.refused, None);
    let known = json!({ "receipt": null, "refused": "body_missing", "server_time": 0 });
    assert_eq!(serde_json::from_value::<PushAnswer>(known).unwrap().refused, Some(PushRefused::BodyMissing));
}

#[test]
fn an_endorser_that_is_not_known_vouches_for_nobody_and_stops_no_batch() {
    let key = SigningKey::from_seed(&[9; 32]);
    let facility = FacilityId(Uuid::from_u128(1));
    let header = BatchHeader {
        facility,
        author: key.author(),
        first_seq: 1,
        prev: Hash::ZERO,
        signature: key.sign(b""),
        request: Uuid::nil(),
        credential: Some(Credential::sign(&key, Endorser::Facility, facility, key.public(), None)),
        receipt: None,
    };
    let mut value = serde_json::to_value(&header).unwrap();
    assert_eq!(serde_json::from_value::<BatchHeader>(value.clone()).unwrap(), header);
    value["credential"]["endorser"] = json!({ "ministry": 7 });
    let read: BatchHeader = serde_json::from_value(value).unwrap();
    assert_eq!(read, BatchHeader { credential: None, ..header });
}

fn page() -> Value {
    let person = |id: u128, role: &str| {
        json!({ "id": Uuid::from_u128(id), "family": "F", "given": "G", "number": "1",
        "role": role, "wards": [], "active": true })
    };
    let tile = |code: &str, makes: &str| {
        json!({ "code": code, "label": "L", "hint": "", "tone": "plain",
        "makes": makes, "common": true, "short": "" })
    };
    json!({
        "rows": [], "more": false, "contacts": [], "server_time": 5, "backed_up": null,
        "next": { "cursor": { "generation": Uuid::nil(), "n": 0, "hash": Hash::ZERO } },
        "roster": {
            "version": 3, "wards": [], "tablets": [],
            "facility": { "id": Uuid::nil(), "name": "A", "zone": "UTC", "demo": true },
            "staff": [person(1, "nurse"), person(2, "robot")],
            "lists": { "version": 1, "places": [tile("a", "check"), tile("b", "teleport")], "moons": [tile("c", "check")] },
            "settings": { "tolerance_minutes": 1, "emergency_steps": [["danger", ["Shout."]], ["flood", ["Swim."]]],
                          "moon_phase": "full" },
        },
    })
}

#[test]
fn a_roster_of_a_newer_server_is_taken_without_what_is_not_understood() {
    let header: FeedHeader = serde_json::from_value(page()).unwrap();
    let roster = header.roster.unwrap();
    assert_eq!(roster.staff.len(), 1, "nobody signs in under a role that is not known");
    assert_eq!(roster.lists.places.iter().map(|p| p.code.0.as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!(roster.settings.emergency_steps.len(), 1);
    assert_eq!((roster.settings.tolerance_minutes, roster.settings.idle_lock_seconds), (1, 240));
    // A server reads its own roster whole, so that it never writes half of it down again.
    assert!(serde_json::from_value::<Roster>(page()["roster"].clone()).is_err());
}

#[test]
fn a_place_in_the_feed_that_is_not_known_is_no_page() {
    let mut page = page();
    page["next"] = json!({ "elsewhere": 1 });
    assert!(serde_json::from_value::<FeedHeader>(page).is_err());
    assert!(serde_json::from_value::<FeedFrom>(json!({ "yesterday": 1 })).is_err());
}

#[test]
fn what_a_newer_program_knows_of_a_check_does_not_undo_it() {
    let body = json!({
        "v": 1, "id": Uuid::from_u128(1), "kind": "check", "kind_v": 1, "facility": Uuid::nil(), "ward": Uuid::nil(),
        "auth": "palm", "observed_at": 1, "recorded_at": 1, "moon": "full",
        "data": { "place": "hall", "activity": "walking", "light": "dim",
                  "evidence": [{ "shown_by": "sonar", "echo": 1 }, { "shown_by": "tag_read", "tag": "B", "read_at": 1 }] },
    });
    let read = Body::parse(&serde_json::to_vec(&body).unwrap()).unwrap();
    assert_eq!(read.envelope.auth, Auth::Unknown);
    let Some(Event::Check(check)) = read.event else { panic!("{read:?}") };
    assert_eq!(check.evidence.len(), 1);
}
