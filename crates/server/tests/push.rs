//! Push and confirm, over the facility in this process.

#![allow(clippy::unwrap_used)] // A test may fail.

mod common;

use common::*;
use lamplight_domain::chain::{Credential, Endorser, Head, Receipt, SigningKey, body_hash, successions_after};
use lamplight_domain::ids::{FacilityId, StayId, TabletId, WardId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::Body;
use lamplight_domain::wire::{BATCH_MAX_LINKS, Blob, Facility, FeedFrom, OfferAsk, PushRefused};
use lamplight_server::FacilityServer;
use lamplight_server::commands::{examine, rotate_facility_key};

async fn flags(pad: &Pad, server: &FacilityServer) -> Vec<Vec<String>> {
    let page = server.feed(pad.ask(FeedFrom::Cursor(start(generation(pad, server).await)))).await.unwrap();
    page.header.rows.into_iter().map(|r| r.flags).collect()
}

async fn generation(pad: &Pad, server: &FacilityServer) -> uuid::Uuid {
    pad.opening(server, 1).await.1.generation
}

#[tokio::test]
async fn a_receipt_is_signed_and_says_where_the_chain_stands() {
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let bodies = vec![pad.note(START, "one"), pad.note(START, "two")];
    let batch = pad.batch(bodies.clone());
    let answer = server.push(batch.clone()).await.unwrap();
    let receipt = answer.receipt.unwrap();
    assert!(receipt.holds(&server.identity().key.public(), server.identity().facility));
    assert_eq!((receipt.head, receipt.request), (pad.head, batch.header.request));
    assert_eq!(receipt.received_at, START);
    assert_eq!(pad.head.seq, 2);
}

#[tokio::test]
async fn a_repeated_or_overlapping_batch_changes_nothing_and_is_confirmed() {
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let (one, two) = (pad.note(START, "one"), pad.note(START, "two"));
    let first = pad.batch(vec![one.clone(), two.clone()]);
    server.push(first.clone()).await.unwrap();
    house.wait(MINUTE);
    let again = server.push(first).await.unwrap();
    assert_eq!((again.refused, again.receipt.unwrap().head), (None, pad.head));
    assert_eq!(again.receipt.unwrap().received_at, START, "the time of the commit that reached it");
    let three = pad.note(START, "three");
    let mut longer = pad.clone();
    longer.head = Head::empty(pad.key.author());
    let answer = server.push(longer.batch(vec![one, two, three])).await.unwrap();
    assert_eq!((answer.refused, answer.receipt.unwrap().head.seq), (None, 3));
    let (rows, _) = pad.read_from(&server, start(generation(&pad, &server).await)).await;
    assert_eq!(rows.len(), 4, "three notes, and that the tablet joined");
}

#[tokio::test]
async fn what_does_not_hold_is_refused_by_name_and_leaves_nothing() {
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let note = pad.note(START, "one");
    pad.push(&server, vec![note.clone()]).await;
    let held = pad.head;
    let next = |blobs| batch(&pad.key, &held, blobs, None);
    let bytes = |words: &str| vec![Blob::Bytes(pad.note(START, words))];

    let mut unsigned = next(bytes("a"));
    unsigned.header.signature = pad.key.sign(b"something else");
    let mut bent = next(bytes("a"));
    bent.bodies = bytes("b");
    let mut foreign = next(bytes("a"));
    foreign.header.facility = FacilityId(id(99));
    let mut gap = next(bytes("a"));
    gap.header.first_seq += 1;
    sign(&mut gap, &pad.key);
    let mut zero = next(bytes("a"));
    zero.header.first_seq = 0;
    let mut wild = next(bytes("a"));
    wild.header.first_seq = u64::MAX;
    let fork = batch(&pad.key, &Head::empty(pad.key.author()), bytes("another first"), None);
    let missing = next(vec![Blob::Held(body_hash(b"never seen"))]);
    let many = next(vec![Blob::Bytes(b"{}".to_vec()); BATCH_MAX_LINKS + 1]);
    let long = next(vec![Blob::Bytes(vec![b' '; 64 * 1024 + 1])]);
    let heavy = next(vec![Blob::Bytes(vec![b' '; 60 * 1024]); 18]);
    let stranger = batch(
        &SigningKey::from_seed(&[9; 32]),
        &Head::empty(SigningKey::from_seed(&[9; 32]).author()),
        bytes("x"),
        None,
    );
    for (batch, refused) in [
        (unsigned, PushRefused::BadSignature),
        (bent, PushRefused::BadSignature),
        (foreign, PushRefused::WrongFacility),
        (gap, PushRefused::DoesNotAttach),
        (zero, PushRefused::DoesNotAttach),
        (wild, PushRefused::DoesNotAttach),
        (fork, PushRefused::DoesNotAttach),
        (missing, PushRefused::BodyMissing),
        (many, PushRefused::TooBig),
        (long, PushRefused::TooBig),
        (heavy, PushRefused::TooBig),
        (stranger, PushRefused::UnknownAuthor),
    ] {
        let answer = server.push(batch).await.unwrap();
        assert_eq!(answer.refused, Some(refused));
        let expected = (!matches!(refused, PushRefused::UnknownAuthor | PushRefused::WrongFacility)).then_some(held);
        assert_eq!(answer.receipt.map(|r| r.head), expected, "{refused:?}");
    }
    let (rows, _) = pad.read_from(&server, start(generation(&pad, &server).await)).await;
    assert_eq!(rows.iter().filter(|r| **r == note).count(), 1);
    assert_eq!(rows.len(), 2, "the note, and that the tablet joined");
    lamplight_server::verify(&house.path).unwrap();
}

#[tokio::test]
async fn an_unknown_author_is_let_in_by_a_credential_that_holds_and_by_no_other() {
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let note = pad.note(START, "before");
    pad.push(&server, vec![note]).await;
    let facility = server.identity().facility;
    let fresh = SigningKey::from_seed(&[5; 32]);
    let blobs = || vec![Blob::Bytes(pad.note(START, "after a fork"))];
    let by = |key: &SigningKey, endorser, tablet| Credential::sign(key, endorser, facility, fresh.public(), tablet);
    let former = Endorser::Author(pad.key.author());
    let good = by(&pad.key, former, Some(pad.tablet));
    let bad = [
        by(&fresh, Endorser::Facility, Some(pad.tablet)),
        by(&fresh, former, Some(pad.tablet)),
        by(&pad.key, former, None),
        by(&pad.key, Endorser::Author(fresh.author()), Some(pad.tablet)),
    ];
    let head = Head::empty(fresh.author());
    for credential in bad {
        let answer = server.push(batch(&fresh, &head, blobs(), Some(credential))).await.unwrap();
        assert_eq!((answer.refused, answer.receipt), (Some(PushRefused::BadCredential), None));
    }
    let mut stolen = batch(&fresh, &head, blobs(), Some(good.clone()));
    stolen.header.signature = pad.key.sign(b"not the key of the credential");
    assert_eq!(server.push(stolen).await.unwrap().refused, Some(PushRefused::BadSignature));
    let answer = server.push(batch(&fresh, &head, blobs(), Some(good))).await.unwrap();
    assert_eq!((answer.refused, answer.receipt.unwrap().head.seq), (None, 1));
    let marks = server.contact_marks(WARD);
    assert_eq!((marks.len(), marks[0].tablet, marks[0].confirmed), (1, pad.tablet, 1), "it writes as somebody new");
}

#[tokio::test]
async fn an_empty_batch_asks_where_the_chain_stands() {
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let ask = batch(&pad.key, &pad.head, vec![], None);
    let answer = server.push(ask.clone()).await.unwrap();
    assert_eq!((answer.refused, answer.receipt.unwrap().head), (None, Head::empty(pad.key.author())));
    let note = pad.note(START, "one");
    pad.push(&server, vec![note]).await;
    assert_eq!(server.push(ask).await.unwrap().receipt.unwrap().head, pad.head);
}

#[tokio::test]
async fn a_copy_of_a_tablet_learns_that_it_is_a_fork() {
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let mut copy = pad.clone();
    let (mine, other) = (pad.note(START, "mine"), copy.note(START, "the copy's"));
    pad.push(&server, vec![mine]).await;
    let answer = server.push(copy.batch(vec![other])).await.unwrap();
    assert_eq!(answer.refused, Some(PushRefused::DoesNotAttach));
    let head = answer.receipt.unwrap().head;
    assert_eq!(head, pad.head);
    assert_ne!(head, copy.head, "the same number, another hash: it is not the copy's");
}

#[tokio::test]
async fn what_is_held_is_filed_again_without_its_bytes_and_stands_once_in_the_feed() {
    let house = House::new();
    let server = house.open();
    let (mut pad, mut other) = (house.tablet(&server, 1).await, house.tablet(&server, 2).await);
    let note = pad.note(START, "one");
    let hash = body_hash(&note);
    pad.push(&server, vec![note.clone()]).await;
    let lacks = body_hash(b"unknown");
    let offer = OfferAsk { author: other.key.author(), bodies: vec![hash, lacks], request: uuid::Uuid::nil() };
    assert_eq!(server.offer(offer).await.unwrap().lacks, [lacks]);
    let again = other.batch_of(vec![Blob::Held(hash), Blob::Bytes(note.clone())]);
    let answer = server.push(again).await.unwrap();
    assert_eq!((answer.refused, answer.receipt.unwrap().head), (None, other.head));
    let (rows, _) = pad.read_from(&server, start(generation(&pad, &server).await)).await;
    assert_eq!(rows.iter().filter(|r| **r == note).count(), 1);
    lamplight_server::verify(&house.path).unwrap();
}

#[tokio::test]
async fn nothing_that_a_body_says_stops_a_batch_and_what_is_odd_is_flagged() {
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let event = || Event::Note { words: "x".into() };
    let with = |change: fn(&mut lamplight_domain::record::Envelope)| {
        let mut envelope = pad.envelope(START, None);
        change(&mut envelope);
        Body::new(envelope, event()).to_bytes().unwrap()
    };
    let unknown = {
        let mut json: serde_json::Value = serde_json::from_slice(&pad.note(START, "x")).unwrap();
        json["kind"] = "of tomorrow".into();
        serde_json::to_vec(&json).unwrap()
    };
    let unsigned = {
        let Body { mut envelope, event } = Body::parse(&pad.check(START)).unwrap();
        (envelope.by, envelope.auth) = (None, lamplight_domain::record::Auth::None);
        Body { envelope, event }.to_bytes().unwrap()
    };
    let twin = pad.note(START, "x");
    let other_twin = String::from_utf8(twin.clone()).unwrap().replace("\"x\"", "\"y\"").into_bytes();
    let mut closed = admission(&pad, STAY, START - HOUR);
    closed.push(pad.body(START - 30 * MINUTE, Some(STAY), Event::StayClosed { reason: "home".into() }));
    let closed_count = closed.len();
    let cases: Vec<(Vec<u8>, &[&str])> = vec![
        (b"not JSON at all \xff\x00".to_vec(), &["unreadable"]),
        (b"{}".to_vec(), &["unreadable"]),
        (vec![], &["unreadable"]),
        (vec![b'['; 60_000], &["unreadable"]),
        (unknown, &["unknown_kind"]),
        (with(|e| e.ward = OTHER_WARD), &["other_ward", "person_of_other_ward"]),
        (with(|e| e.ward = WardId(id(77))), &["other_ward", "person_of_other_ward", "unknown_ward"]),
        (with(|e| e.facility = FacilityId(id(77))), &["other_facility"]),
        (with(|e| e.tablet = None), &["other_tablet"]),
        (with(|e| e.by = Some(lamplight_domain::ids::StaffId(id(78)))), &["unknown_person"]),
        (with(|e| e.by = Some(LEFT)), &["revoked_person"]),
        (with(|e| e.by = None), &["no_person"]),
        (with(|e| (e.observed_at, e.recorded_at) = (START + HOUR, START + HOUR)), &["future_time"]),
        (with(|e| e.observed_at = START + 1_000), &["seen_after_written"]),
        (with(|e| e.stay = Some(StayId(id(79)))), &["unknown_stay"]),
        (pad.check(START), &["closed_stay"]),
        (unsigned, &["closed_stay", "unsigned_check"]),
        (twin, &["same_id"]),
        (other_twin, &["same_id"]),
        (pad.note(START, "nothing odd"), &[]),
    ];
    pad.push(&server, closed).await;
    let other_ward_row = 5;
    pad.push(&server, cases.iter().map(|(b, _)| b.clone()).collect()).await;
    let found = flags(&pad, &server).await;
    let mut expected: Vec<Vec<String>> =
        cases.iter().map(|(_, codes)| codes.iter().map(|c| (*c).to_owned()).collect()).collect();
    expected.remove(other_ward_row);
    assert_eq!(found[1 + closed_count..], expected);
    lamplight_server::verify(&house.path).unwrap();
    // The record for the other ward is in that ward's feed.
    let neighbour = Pad::join(&server, &house.code_for(OTHER_WARD, 1), 3, "").await;
    let (rows, _) = neighbour.opening(&server, 100).await;
    assert!(bytes_of(&rows).contains(&cases[other_ward_row].0));
}

/// A second server over a copy of this one's folder, to try something on.
fn clone_of(house: &House) -> FacilityServer {
    let to = house.folder().join(lamplight_server::Surroundings::real().uuid().to_string());
    lamplight_server::backup(&house.folder().join("copy"), &to).unwrap();
    FacilityServer::open(&to, house.around()).unwrap()
}

#[tokio::test]
async fn the_time_of_receipt_survives_a_restored_server_by_the_tablets_own_receipt() {
    let house = House::new();
    let copy = house.folder().join("copy");
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let stranger = house.tablet(&server, 7).await;
    lamplight_server::backup(&house.path, &copy).unwrap();
    let before = pad.head;
    let note = pad.note(START, "one");
    let receipt = pad.push(&server, vec![note.clone()]).await.receipt.unwrap();
    let beyond = {
        let mut further = pad.clone();
        let three = (0..2).map(|n| further.note(START, &n.to_string())).collect();
        further.push(&server, three).await.receipt.unwrap()
    };
    server.close().await;
    house.wait(HOUR);
    let server = FacilityServer::open(&copy, house.around()).unwrap();
    let mut again = batch(&pad.key, &before, vec![Blob::Bytes(note), Blob::Bytes(pad.note(START, "two"))], None);
    let mut forged = again.clone();
    let mut lie = receipt;
    lie.received_at = START - HOUR;
    forged.header.receipt = Some(lie);
    again.header.receipt = Some(receipt);
    // Another's chain, or one that goes further than the batch, says nothing about these links.
    let mut short = batch(&pad.key, &before, vec![Blob::Bytes(pad.note(START, "another one"))], None);
    short.header.receipt = Some(beyond);
    let mut strange = batch(&stranger.key, &stranger.head, vec![Blob::Bytes(stranger.note(START, "x"))], None);
    strange.header.receipt = Some(receipt);
    for batch in [forged, short, strange] {
        let copy = clone_of(&house);
        let answer = copy.push(batch).await.unwrap();
        assert_eq!((answer.refused, answer.receipt.unwrap().received_at), (None, START + HOUR));
    }
    let answer = server.push(again).await.unwrap();
    assert_eq!(answer.receipt.unwrap().received_at, START + HOUR, "the second was not there before");
    assert_eq!(answer.refused, None);
    let (pages, _) = pad.opening(&server, 100).await;
    let times: Vec<_> = pages
        .iter()
        .flat_map(|p| &p.header.rows)
        .filter(|r| r.author == pad.key.author())
        .map(|r| (r.seq, r.received_at))
        .collect();
    assert_eq!(times, [(2, START + HOUR), (1, START)], "newest first");
    lamplight_server::verify(&copy).unwrap();
}

#[tokio::test]
async fn a_facility_key_that_was_replaced_lets_nobody_new_in_and_what_it_signed_still_stands() {
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let one = pad.note(START, "one");
    pad.push(&server, vec![one]).await;
    let former = server.identity().key.clone();
    server.close().await;
    // Set back since: what was received before counts as received before all the same.
    house.wait(-MINUTE);
    let backup = house.folder().join("backup");
    rotate_facility_key(&house.path, &backup, &house.around()).unwrap();
    let server = house.open();
    let hello = server.hello().await.unwrap();
    let led = successions_after(&former.public(), &hello.facility_key, hello.facility, &hello.successions);
    assert_eq!(led.map(|led| led.len()), Some(1));
    // Who is known goes on, and is answered by the present key alone.
    let two = pad.note(START, "two");
    let receipt = pad.push(&server, vec![two]).await.receipt.unwrap();
    assert!(receipt.holds(&hello.facility_key, hello.facility) && !receipt.holds(&former.public(), hello.facility));
    // Whoever has the former key makes a tablet of their own, and a receipt for what was never received.
    let strangers = SigningKey::from_seed(&[66; 32]);
    let tablet = Some(TabletId(id(77)));
    let credential = Credential::sign(&former, Endorser::Facility, hello.facility, strangers.public(), tablet);
    let blobs = vec![Blob::Bytes(pad.note(START, "let in"))];
    let head = Head::empty(strangers.author());
    let answer = server.push(batch(&strangers, &head, blobs, Some(credential))).await.unwrap();
    assert_eq!((answer.refused, answer.receipt), (Some(PushRefused::BadCredential), None));
    let three = pad.note(START, "three");
    let mut claimed = pad.batch(vec![three]);
    let earlier = lamplight_domain::time::Ms(START.0 - HOUR);
    claimed.header.receipt = Some(Receipt::sign(&former, hello.facility, pad.head, earlier, id(5)));
    let receipt = server.push(claimed).await.unwrap().receipt.unwrap();
    assert_eq!(receipt.received_at, house.now(), "and not when the former key says");
    server.close().await;
    for folder in [&house.path, &backup] {
        let verified = examine(folder, &[]).unwrap();
        assert_eq!(verified.broken, 0, "{:?}", verified.findings);
    }
    let copy = lamplight_server::folder::Folder::existing(&backup).unwrap();
    let db = lamplight_server::store::open(&copy.database(), &copy.key().unwrap()).unwrap();
    let identity = lamplight_server::facility::Identity::read(&db).unwrap();
    assert_eq!(identity.key.public(), hello.facility_key, "the backup has it");
    let again = rotate_facility_key(&house.path, &backup, &house.around()).unwrap_err();
    assert_eq!(again.code, "folder.not_empty", "and nothing was changed");
    let server = house.open();
    assert_eq!(server.hello().await.unwrap().facility_key, hello.facility_key);
}
