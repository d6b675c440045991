//! The server takes the batch of the test vectors, gives their receipt, and its feed has their hashes.

#![allow(clippy::unwrap_used)] // A test may fail.

mod common;

use hmac::{Hmac, KeyInit, Mac};
use lamplight_domain::chain::{Hash, Receipt};
use lamplight_domain::ids::{FacilityId, WardId};
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{
    Batch, BatchHeader, Cursor, Facility, FeedAsk, FeedFrom, FeedNext, PushAnswer, PushRefused, decode,
};
use lamplight_server::facility::found;
use lamplight_server::{FacilityServer, Surroundings};
use serde_json::Value;
use sha2::Sha256;
use std::path::Path;

fn committed(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/vectors/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn of<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

fn batch(frame: &Value) -> Batch {
    let (header, bodies) = decode::<BatchHeader>(&hex::decode(frame.as_str().unwrap()).unwrap(), 10).unwrap();
    Batch { header, bodies }
}

#[tokio::test]
async fn the_vectors_batch_gets_the_vectors_receipt_and_feed() {
    let (keys, push, feed) = (committed("keys"), committed("push"), committed("feed"));
    let (facility, ward): (FacilityId, WardId) = (of(&keys["facility"]), of(&keys["ward"]));
    let answer: PushAnswer = of(&push["answer"]);
    let receipt: Receipt = answer.receipt.unwrap();
    let at = receipt.received_at;
    // Its key is the vectors' facility key: every random byte is a nine.
    let around = Surroundings::new(move || Ms(at.0), |bytes| bytes.fill(9));
    let mut roster = common::roster();
    (roster.facility.id, roster.wards[0].id) = (facility, ward);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    found(&path, &roster, &around).unwrap();
    let server = FacilityServer::open(&path, around).unwrap();
    // A body that is only named and not held.
    let named = server.push(batch(&push["frame_with_a_named_body"])).await.unwrap();
    assert_eq!(named.refused, Some(PushRefused::BodyMissing));
    assert_eq!(named.receipt.unwrap().head.seq, 0, "nothing of it is committed");
    let given = server.push(batch(&push["frame"])).await.unwrap();
    assert_eq!(given, answer);
    let named = server.push(batch(&push["frame_with_a_named_body"])).await.unwrap();
    assert_eq!((named.refused, named.receipt), (None, Some(receipt)), "now it is held");
    let cursors: Vec<Cursor> = of(&feed["cursors"]);
    let ask = FeedAsk {
        author: receipt.head.author,
        ward,
        from: FeedFrom::Opening,
        limit: 1_000,
        wait_ms: 0,
        roster_version: 0,
        name: "W-3".into(),
        own_by_hash: false,
        trust: None,
        request: uuid::Uuid::nil(),
    };
    let FeedNext::Cursor(end) = server.feed(ask).await.unwrap().header.next else { panic!("one page is enough") };
    assert_eq!((end.n, end.hash), (cursors[3].n, cursors[3].hash));
    // Its generation is its own; the mark over it is made with the vectors' key.
    let key = hex::decode(feed["mac_key"].as_str().unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(end.generation.as_bytes());
    mac.update(ward.0.as_bytes());
    mac.update(&end.n.to_be_bytes());
    mac.update(&end.hash.0);
    assert_eq!(end.mac, Some(Hash(mac.finalize().into_bytes().into())));
}
