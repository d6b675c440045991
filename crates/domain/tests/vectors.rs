//! The test vectors of `docs/sync.md`: everything that is hashed, signed or framed, made from fixed keys. Another
//! implementation that reads and makes these speaks the protocol. This fails when the files are stale;
//! `UPDATE_VECTORS=1` writes them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use lamplight_domain::chain::{
    Credential, Endorser, Hash, Head, Link, Receipt, SignedHead, SigningKey, Succession, body_hash, feed_hash,
    link_hash, request_digest,
};
use lamplight_domain::ids::{FacilityId, RecordId, StaffId, StayId, TabletId, WardId};
use lamplight_domain::kinds::{Check, Event};
use lamplight_domain::record::{Auth, Body, Envelope};
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{
    Batch, BatchHeader, Blob, ContactMark, Cursor, FeedHeader, FeedNext, FeedPage, FeedRow, HeadShown, Invite, JoinAsk,
    OpeningMark, PushAnswer, decode, encode,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use uuid::Uuid;

const AT: Ms = Ms(1_795_435_200_000);

/// HMAC-SHA256 with a key of 32 bytes.
fn hmac(key: &[u8; 32], message: &[&[u8]]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        Sha256::new().chain_update(block)
    };
    let inner = message.iter().fold(pad(0x36), |hasher, part| hasher.chain_update(part)).finalize();
    pad(0x5C).chain_update(inner).finalize().into()
}

/// HKDF-SHA256 of the facility's seed: no salt, one block.
fn mac_key() -> [u8; 32] {
    let extracted = hmac(&[0; 32], &[&facility_key().seed()]);
    hmac(&extracted, &[b"lamplight.cursor.v1", &[1]])
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}
fn facility() -> FacilityId {
    FacilityId(id(0xFA))
}
fn ward() -> WardId {
    WardId(id(0xAA))
}
fn facility_key() -> SigningKey {
    SigningKey::from_seed(&[9; 32])
}
/// Signs for the facility after the first one.
fn next_facility_key() -> SigningKey {
    SigningKey::from_seed(&[8; 32])
}
fn succession() -> Succession {
    Succession::sign(&facility_key(), facility(), &next_facility_key(), AT)
}
fn tablet_key() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}
fn fresh_key() -> SigningKey {
    SigningKey::from_seed(&[2; 32])
}
fn tablet() -> TabletId {
    TabletId(id(1))
}

fn body(n: u128, stay: Option<StayId>, event: Event) -> Vec<u8> {
    let envelope = Envelope {
        v: 1,
        id: RecordId(id(0x0190_0000_0000_7000_8000_0000_0000_0000 + n)),
        kind: String::new(),
        kind_v: 1,
        facility: facility(),
        ward: ward(),
        stay,
        by: Some(StaffId(id(0x57))),
        auth: Auth::Pin,
        tablet: Some(tablet()),
        observed_at: AT + n as i64 * 60_000,
        recorded_at: AT + n as i64 * 60_000,
        boot_id: Some(id(0xB0)),
        boot_ms: Some(1_000 + n as i64),
        order: None,
        list_v: Some(1),
    };
    Body::new(envelope, event).to_bytes().unwrap()
}

fn bodies() -> Vec<Vec<u8>> {
    let check = Check { place: "day_room".into(), activity: "reading".into(), evidence: vec![] };
    vec![
        body(1, Some(StayId(id(0x51))), Event::Check(check)),
        body(2, None, Event::Note { words: "Lüftung aus · 🌙 \u{202e}=1+1".into() }),
        // Kept and passed on, whatever it is.
        br#"{"v":9,"kind":"of.the.future","id":7}"#.to_vec(),
    ]
}

fn links() -> Vec<Link> {
    let (author, mut prev) = (tablet_key().author(), Hash::ZERO);
    let all = bodies();
    let link = |(body, seq): (&Vec<u8>, u64)| {
        let link = Link { author, seq, prev, body_hash: body_hash(body) };
        prev = link.hash();
        link
    };
    all.iter().zip(1..).map(link).collect()
}

fn head() -> Head {
    let last = links().pop().unwrap();
    Head { author: last.author, seq: last.seq, hash: last.hash() }
}

fn credential() -> Credential {
    let key = tablet_key().public();
    Credential::sign(&facility_key(), Endorser::Facility, facility(), key, Some(tablet()))
}

fn signed_head() -> SignedHead {
    SignedHead { head: head(), signature: tablet_key().sign(&head().message(facility())) }
}

/// All three links in one batch.
fn batch() -> Batch {
    let header = BatchHeader {
        facility: facility(),
        author: tablet_key().author(),
        first_seq: 1,
        prev: Hash::ZERO,
        signature: tablet_key().sign(&head().message(facility())),
        request: id(0x4E),
        credential: Some(credential()),
        receipt: None,
    };
    Batch { header, bodies: bodies().into_iter().map(Blob::Bytes).collect() }
}

fn receipt() -> Receipt {
    Receipt::sign(&facility_key(), facility(), head(), AT + 200_000, id(0x4E))
}

fn marked(cursor: Cursor) -> Cursor {
    let n = cursor.n.to_be_bytes();
    let mac = hmac(&mac_key(), &[cursor.generation.as_bytes(), ward().0.as_bytes(), &n, &cursor.hash.0]);
    Cursor { mac: Some(Hash(mac)), ..cursor }
}

fn record_of(bytes: &[u8]) -> RecordId {
    Body::parse(bytes).map_or(RecordId(Uuid::nil()), |b| b.envelope.id)
}

/// The cursor after each row, the one before the first at the front.
fn cursors() -> Vec<Cursor> {
    let mut at = Cursor { generation: id(0x6E), n: 0, hash: Hash::ZERO, mac: None };
    let mut all = vec![marked(at)];
    for bytes in bodies() {
        at = Cursor { n: at.n + 1, hash: feed_hash(&at.hash, at.n + 1, record_of(&bytes), &body_hash(&bytes)), ..at };
        all.push(marked(at));
    }
    all
}

fn page(next: FeedNext, rows: std::ops::RangeInclusive<u64>) -> FeedPage {
    let row = |n| FeedRow {
        n,
        author: tablet_key().author(),
        seq: n,
        received_at: AT + 200_000,
        flags: if n == 3 { vec!["unreadable".to_owned()] } else { vec![] },
    };
    let all = bodies();
    let bodies: Vec<Blob> = rows.clone().map(|n| Blob::Bytes(all[n as usize - 1].clone())).collect();
    let rows: Vec<FeedRow> = rows.map(row).collect();
    let header = FeedHeader {
        digest: FeedPage::digest(rows.iter().zip(bodies.iter().map(Blob::hash))),
        rows,
        next,
        more: false,
        roster: None,
        contacts: vec![ContactMark { tablet: tablet(), last: Some(AT + 200_000), confirmed: 3 }],
        server_time: AT + 260_000,
        backed_up: Some(AT),
        began_with: Some(AT - 86_400_000),
        heads: vec![HeadShown { signed: signed_head(), credentials: vec![credential()] }],
        trust: None,
        request: id(0x4F),
    };
    FeedPage { header, bodies }
}

fn opening_mark() -> OpeningMark {
    OpeningMark { end: cursors()[3], part: 1, n: 2, since: AT - 86_400_000 }
}

fn invite() -> Invite {
    Invite {
        facility: facility(),
        url: "https://10.0.4.7:7443".into(),
        code: "k3-long-and-random".into(),
        ca_der: vec![0x30, 0x03, 0x02, 0x01, 0x07],
        facility_key: facility_key().public(),
        expires_at: AT + 86_400_000,
    }
}

fn key(name: &str, key: &SigningKey) -> Value {
    json!({ "name": name, "seed": hex::encode(key.seed()), "public": key.public(), "author": key.author() })
}

fn vectors() -> Vec<(&'static str, Value)> {
    let keys = json!({
        "keys": [key("facility", &facility_key()), key("tablet", &tablet_key()), key("fresh", &fresh_key())],
        "facility": facility(), "ward": ward(), "tablet": tablet(),
    });
    let of_bodies: Vec<Value> = bodies()
        .iter()
        .map(|b| json!({ "bytes": hex::encode(b), "hash": body_hash(b), "record": record_of(b) }))
        .collect();
    let of_links: Vec<Value> = links()
        .iter()
        .map(|l| {
            assert_eq!(l.hash(), link_hash(l.author, l.seq, &l.prev, &l.body_hash));
            json!({ "author": l.author, "seq": l.seq, "prev": l.prev, "body_hash": l.body_hash, "hash": l.hash() })
        })
        .collect();
    let fresh = Credential::sign(
        &tablet_key(),
        Endorser::Author(tablet_key().author()),
        facility(),
        fresh_key().public(),
        Some(tablet()),
    );
    let join = JoinAsk {
        code: invite().code,
        key: tablet_key().public(),
        proof: tablet_key().sign(&JoinAsk::message(&invite().code)),
        name: "W-3".into(),
    };
    let sent = br#"{"offered":[]}"#;
    let digest = request_digest("POST", "/v1/offer", "nonce-7", 3, sent);
    let request = json!({
        "method": "POST", "path": "/v1/offer", "nonce": "nonce-7", "counter": 3, "body": hex::encode(sent),
        "digest": digest,
        "header": format!("v1 {} nonce-7 3 {}", tablet_key().author(), tablet_key().sign(&digest.0)),
    });
    let batch = batch();
    let mut named = batch.clone();
    named.bodies[1] = Blob::Held(named.bodies[1].hash());
    let answer = PushAnswer { receipt: Some(receipt()), refused: None, server_time: AT + 200_000 };
    let read = page(FeedNext::Cursor(cursors()[3]), 1..=3);
    let opening = [
        page(FeedNext::Opening(opening_mark()), 1..=2),
        // The last hours come newest first; the page ends where the feed ended when the opening began.
        page(FeedNext::Cursor(cursors()[3]), 3..=3),
    ];
    let frame =
        |page: &FeedPage| json!({ "frame": hex::encode(encode(&page.header, &page.bodies)), "header": page.header });
    vec![
        ("keys", keys),
        ("bodies", json!({ "bodies": of_bodies })),
        ("links", json!({ "links": of_links, "head": head(), "head_signature": batch.header.signature })),
        ("credentials", json!({ "joined": credential(), "after_a_fork": fresh })),
        ("joining", json!({ "invite": invite(), "text": invite().to_string(), "ask": join })),
        ("request", request),
        (
            "push",
            json!({
                "frame": hex::encode(encode(&batch.header, &batch.bodies)),
                "frame_with_a_named_body": hex::encode(encode(&named.header, &named.bodies)),
                "header": batch.header, "answer": answer, "head": head(),
            }),
        ),
        ("receipt", json!({ "receipt": receipt() })),
        ("succession", json!({ "succession": succession() })),
        ("feed", json!({ "mac_key": hex::encode(mac_key()), "cursors": cursors(), "page": frame(&read) })),
        ("opening", json!({ "pages": opening.iter().map(frame).collect::<Vec<_>>(), "end": cursors()[3] })),
    ]
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/vectors")
}

#[test]
fn the_vectors_are_those_of_this_program() {
    for (name, value) in vectors() {
        let text = serde_json::to_string_pretty(&value).unwrap() + "\n";
        let path = folder().join(format!("{name}.json"));
        if std::env::var_os("UPDATE_VECTORS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(committed, text, "docs/vectors/{name}.json: what is on the wire has changed");
    }
}

fn committed(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn frames_are_read_as_they_were_made() {
    let push = committed("push");
    let (header, blobs) = decode::<BatchHeader>(&bytes(&push["frame"]), 10).unwrap();
    assert_eq!(Batch { header, bodies: blobs }, batch());
    let (_, blobs) = decode::<BatchHeader>(&bytes(&push["frame_with_a_named_body"]), 10).unwrap();
    assert_eq!(blobs[1], Blob::Held(body_hash(&bodies()[1])));
    let (header, blobs) = decode::<FeedHeader>(&bytes(&committed("feed")["page"]["frame"]), 10).unwrap();
    assert_eq!(FeedPage { header, bodies: blobs }, page(FeedNext::Cursor(cursors()[3]), 1..=3));
    let invite_text = committed("joining")["text"].as_str().unwrap().to_owned();
    assert_eq!(invite_text.parse::<Invite>().unwrap(), invite());
}

#[test]
fn a_credential_and_a_receipt_hold_only_for_their_own_key() {
    let joined: Credential = serde_json::from_value(committed("credentials")["joined"].clone()).unwrap();
    let fresh: Credential = serde_json::from_value(committed("credentials")["after_a_fork"].clone()).unwrap();
    assert!(joined.holds(&facility_key().public()) && !joined.holds(&fresh_key().public()));
    assert!(fresh.holds(&tablet_key().public()) && !fresh.holds(&facility_key().public()));
    let receipt: Receipt = serde_json::from_value(committed("receipt")["receipt"].clone()).unwrap();
    assert!(receipt.holds(&facility_key().public(), facility()));
    assert!(!receipt.holds(&facility_key().public(), FacilityId(id(1))));
}
