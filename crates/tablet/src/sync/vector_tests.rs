//! The tablet makes the batch of the test vectors byte for byte, and believes their receipt and their page.

use super::push::Stands;
use crate::file::{bodies, feeds, lock};
use crate::testing::*;
use lamplight_domain::chain::body_hash;
use lamplight_domain::wire::{Cursor, FeedFrom, FeedPage, PushAnswer, decode, encode};
use serde_json::Value;
use std::path::Path;

fn committed(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/vectors/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn the_batch_is_the_vectors_batch_and_its_receipt_confirms_it() {
    let (dir, clock, push) = (tempfile::tempdir().unwrap(), HandClock::new(), committed("push"));
    let tablet = joined(dir.path(), &clock, 1);
    let all: Vec<Vec<u8>> =
        committed("bodies")["bodies"].as_array().unwrap().iter().map(|b| bytes(&b["bytes"])).collect();
    tablet.0.append(&mut lock(&tablet.0.pen), &all, |_| Ok(())).unwrap();
    let mut batch = tablet.0.next_batch(1_000, true).unwrap().batch;
    batch.header.request = serde_json::from_value(push["header"]["request"].clone()).unwrap();
    assert_eq!(hex::encode(encode(&batch.header, &batch.bodies)), push["frame"].as_str().unwrap());
    let answer: PushAnswer = serde_json::from_value(push["answer"].clone()).unwrap();
    assert!(matches!(tablet.0.believe(&batch.header, &answer), Ok(Stands::Confirmed(3))));
    assert_eq!(tablet.sync_state().waiting, 0);
    let other = lamplight_domain::wire::BatchHeader { request: uuid::Uuid::nil(), ..batch.header };
    assert!(tablet.0.believe(&other, &answer).is_err(), "it answers another request");
}

#[test]
fn the_page_leads_to_the_vectors_cursor() {
    let (dir, clock, feed) = (tempfile::tempdir().unwrap(), HandClock::new(), committed("feed"));
    let tablet = joined(dir.path(), &clock, 2);
    let cursors: Vec<Cursor> = serde_json::from_value(feed["cursors"].clone()).unwrap();
    let from = FeedFrom::Cursor(cursors[0]);
    tablet.0.records.write(|to| feeds::set(to, ward(), &from, None)).unwrap();
    let (header, blobs) = decode(&bytes(&feed["page"]["frame"]), 10).unwrap();
    let page = FeedPage { header, bodies: blobs };
    // One row short: the page is not the one that its digest names. From a server that names none, the rolling hash does
    // not fit, and the feed is read anew.
    let mut short = page.clone();
    short.header.rows.pop();
    short.bodies.pop();
    assert!(tablet.0.take_page(&from, short.clone()).is_err());
    short.header.digest = None;
    assert_eq!(tablet.0.take_page(&from, short).unwrap().rows, 0);
    tablet.0.records.write(|to| feeds::set(to, ward(), &from, None)).unwrap();
    assert_eq!(tablet.0.take_page(&from, page.clone()).unwrap().rows, 3);
    assert_eq!(tablet.0.records.read(|db| feeds::next(db, ward())).unwrap(), FeedFrom::Cursor(cursors[3]));
    for blob in &page.bodies {
        let hash = if let lamplight_domain::wire::Blob::Bytes(b) = blob { body_hash(b) } else { blob.hash() };
        assert!(tablet.0.records.read(|db| bodies::is_held(db, &hash)).unwrap());
    }
}
