//! Whatever comes from outside: every parser is given noise, real messages with a byte flipped, cut, doubled or put in,
//! and real messages in which one value is another. Nothing panics, and no error says what was in the message.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use lamplight_domain::commands::{Amend, Draft, Save, SignIn, TakeUp};
use lamplight_domain::record::{Body, Record};
use lamplight_domain::roster::Roster;
use lamplight_domain::station::{AuditAsk, LogIn, SaveLists, SaveStaff, SaveWard, SetUp, StationAdmit, StationOrder};
use lamplight_domain::wire::{
    BatchHeader, FeedAsk, FeedHeader, HelloAnswer, Invite, JoinAsk, Joined, OfferAnswer, OfferAsk, PushAnswer, decode,
};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::LazyLock;

/// Put into every message: no error may repeat it.
const CANARY: &str = "CASIMIRA-QUILL";

/// Every message of the test vectors, as bytes, and every JSON object among them as text.
static MESSAGES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    fn gather(value: &Value, into: &mut Vec<Vec<u8>>) {
        match value {
            Value::String(text) => match hex::decode(text) {
                Ok(bytes) if bytes.len() > 64 => into.push(bytes),
                _ => into.push(text.as_bytes().to_vec()),
            },
            Value::Array(all) => all.iter().for_each(|one| gather(one, into)),
            Value::Object(fields) => {
                into.push(serde_json::to_vec(value).unwrap());
                fields.values().for_each(|one| gather(one, into));
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/vectors")).unwrap() {
        gather(&serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap(), &mut all);
    }
    all.extend(OURS.iter().map(|text| text.as_bytes().to_vec()));
    all.retain(|message| message.len() > 8);
    all.sort();
    all.dedup();
    all
});

/// Of what the vectors have none: what the pages and the command line send.
const OURS: [&str; 7] = [
    r#"{"name":"s.lindqvist","password":"CASIMIRA-QUILL","code":"123456"}"#,
    r#"{"code":"K7QM-2XWD-9FHT","facility_name":"Elm","zone":"Europe/London","family":"CASIMIRA-QUILL","given":"A","number":"1","login":"a","password":"p"}"#,
    r#"{"id":null,"name":"Willow","beds":[{"label":"101A","room":"101","area":"CASIMIRA-QUILL"}]}"#,
    r#"{"ward":"00000000-0000-0000-0000-0000000000aa","mrn":"44","family":"CASIMIRA-QUILL","given":"A","born":"1991-03-12","bed":"101A"}"#,
    r#"{"ward":"00000000-0000-0000-0000-0000000000aa","stay":"00000000-0000-0000-0000-0000000000bb","level":{"how":"intermittent","limit_minutes":15},"ordered_by":"Dr","reason":"CASIMIRA-QUILL","until":null}"#,
    r#"{"id":"00000000-0000-0000-0000-0000000000bb","stay":"00000000-0000-0000-0000-0000000000bb","entry":{"kind":"note","words":"CASIMIRA-QUILL"},"observed_at":null}"#,
    r#"{"lists":{"version":1,"places":[{"code":"a","label":"CASIMIRA-QUILL","hint":"","tone":"plain","makes":"check","common":true,"short":"A"}]}}"#,
];

/// As the programs say it: where, never what (`serde_json`'s own words repeat the value).
fn json_says<T: DeserializeOwned>(bytes: &[u8]) -> Option<String> {
    serde_json::from_slice::<T>(bytes).err().map(|e| format!("line {}, column {}", e.line(), e.column()))
}

/// Gives the bytes to every parser; what the errors say.
fn read_by_all(bytes: &[u8]) -> Vec<String> {
    let mut said = vec![
        Body::parse(bytes).err().map(|e| e.to_string()),
        decode::<BatchHeader>(bytes, 1_000).err().map(|e| e.to_string()),
        decode::<FeedHeader>(bytes, 1_000).err().map(|e| e.to_string()),
        String::from_utf8_lossy(bytes).parse::<Invite>().err().map(|e| e.to_string()),
        json_says::<FeedAsk>(bytes),
        json_says::<OfferAsk>(bytes),
        json_says::<OfferAnswer>(bytes),
        json_says::<JoinAsk>(bytes),
        json_says::<Joined>(bytes),
        json_says::<HelloAnswer>(bytes),
        json_says::<PushAnswer>(bytes),
        json_says::<Roster>(bytes),
        json_says::<LogIn>(bytes),
        json_says::<SetUp>(bytes),
        json_says::<SaveWard>(bytes),
        json_says::<SaveStaff>(bytes),
        json_says::<SaveLists>(bytes),
        json_says::<StationAdmit>(bytes),
        json_says::<StationOrder>(bytes),
        json_says::<AuditAsk>(bytes),
        json_says::<SignIn>(bytes),
        json_says::<Save>(bytes),
        json_says::<Amend>(bytes),
        json_says::<Draft>(bytes),
        json_says::<TakeUp>(bytes),
    ];
    // What is read is a record like any other, whatever stands in it.
    let author = lamplight_domain::ids::AuthorId(uuid::Uuid::nil());
    if let Ok(record) = Record::parse(bytes, author, 1, None) {
        let again = record.body.event.is_some().then(|| record.body.to_bytes());
        said.push(again.and_then(Result::err).map(|e| e.to_string()));
        assert!(!format!("{:?}", record.body.event).is_empty());
    }
    said.into_iter().flatten().collect()
}

fn says_nothing_of_it(bytes: &[u8]) -> Result<(), TestCaseError> {
    for said in read_by_all(bytes) {
        prop_assert!(!said.contains(CANARY), "{}", said);
    }
    Ok(())
}

#[derive(Clone, Debug)]
enum Change {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Without(prop::sample::Index, usize),
    Doubled(prop::sample::Index, usize),
    With(prop::sample::Index, Vec<u8>),
    /// Four bytes that may be a length.
    Length(prop::sample::Index, u32),
}

fn change() -> impl Strategy<Value = Change> {
    use Change::*;
    let at = any::<prop::sample::Index>;
    let lengths = prop_oneof![Just(0), Just(u32::MAX), Just(u32::MAX - 1), Just(i32::MAX as u32), any::<u32>()];
    prop_oneof![
        (at(), 1..=255u8).prop_map(|(at, by)| Flip(at, by)),
        at().prop_map(Cut),
        (at(), 1..40usize).prop_map(|(at, n)| Without(at, n)),
        (at(), 1..40usize).prop_map(|(at, n)| Doubled(at, n)),
        (at(), prop::collection::vec(any::<u8>(), 1..40)).prop_map(|(at, more)| With(at, more)),
        (at(), lengths).prop_map(|(at, length)| Length(at, length)),
    ]
}

fn changed(mut bytes: Vec<u8>, change: &Change) -> Vec<u8> {
    if bytes.is_empty() {
        return bytes;
    }
    let place = |at: &prop::sample::Index| at.index(bytes.len());
    match change {
        Change::Flip(at, by) => {
            let at = place(at);
            bytes[at] ^= by;
        }
        Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
        Change::Without(at, n) => {
            let from = place(at);
            let to = (from + n).min(bytes.len());
            bytes.drain(from..to);
        }
        Change::Doubled(at, n) => {
            let from = place(at);
            let part = bytes[from..(from + n).min(bytes.len())].to_vec();
            bytes.splice(from..from, part);
        }
        Change::With(at, more) => {
            let at = place(at);
            bytes.splice(at..at, more.iter().copied());
        }
        Change::Length(at, length) => {
            let from = place(at);
            let to = (from + 4).min(bytes.len());
            bytes.splice(from..to, length.to_be_bytes());
        }
    }
    bytes
}

/// Values that somebody who means harm would put in the place of another.
fn odd_value() -> impl Strategy<Value = Value> {
    let deep = |n: usize| (0..n).fold(json!(0), |inner, _| json!([inner]));
    prop_oneof![
        prop::sample::select(vec![
            json!(null),
            json!(true),
            json!(""),
            json!([]),
            json!({}),
            json!(-1),
            json!(i64::MIN),
            json!(i64::MAX),
            json!(u64::MAX),
            json!(1e308),
            json!(0.1),
            json!("\u{0}"),
            json!("\u{202e}"),
            json!("' OR 1=1 --"),
            json!("../../etc/passwd"),
            json!("A".repeat(70_000)),
            deep(100),
            json!({ "kind": { "kind": "kind" } }),
            json!("00000000-0000-0000-0000-000000000000"),
            json!("9999-99-99"),
        ]),
        any::<i64>().prop_map(|n| json!(n)),
        ".{0,30}".prop_map(|text| json!(text)),
    ]
}

/// The `n`th value inside becomes another.
fn put(value: &mut Value, n: &mut usize, odd: &Value) {
    if *n == 0 {
        *value = odd.clone();
    }
    *n = n.wrapping_sub(1);
    match value {
        Value::Array(all) => all.iter_mut().for_each(|one| put(one, n, odd)),
        Value::Object(fields) => fields.values_mut().for_each(|one| put(one, n, odd)),
        _ => {}
    }
}

fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(all) => all.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum(),
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn noise_is_refused_by_every_parser(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        read_by_all(&noise);
    }

    #[test]
    fn a_real_message_that_was_bent_says_nothing_of_what_it_held(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec(change(), 1..5),
    ) {
        let message = which.get(&MESSAGES).clone();
        says_nothing_of_it(&changes.iter().fold(message, changed))?;
    }

    #[test]
    fn a_real_message_with_another_value_in_it_is_read_or_refused(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        odd in odd_value(),
    ) {
        let objects: Vec<Value> = MESSAGES.iter().filter_map(|m| serde_json::from_slice(m).ok()).collect();
        let mut value = which.get(&objects).clone();
        let mut n = at.index(size(&value));
        put(&mut value, &mut n, &odd);
        let bytes = serde_json::to_vec(&value).unwrap();
        says_nothing_of_it(&bytes)?;
        // The same as the header of a framed message.
        let framed = [&(bytes.len() as u32).to_be_bytes()[..], &bytes].concat();
        says_nothing_of_it(&framed)?;
    }
}

#[test]
fn what_is_nested_without_end_is_refused_without_a_deep_stack() {
    for (open, close) in [("[", "]"), ("{\"data\":", "}")] {
        let deep = open.repeat(200_000) + "1" + &close.repeat(200_000);
        assert!(deep.len() > 64 * 1024);
        read_by_all(deep.as_bytes());
        // Short enough to be a body.
        let body = open.repeat(3_000) + "1" + &close.repeat(3_000);
        assert!(Body::parse(body.as_bytes()).is_err());
        read_by_all(body.as_bytes());
    }
}

#[test]
fn the_messages_are_real_ones() {
    let is_read = |parse: &dyn Fn(&[u8]) -> bool| MESSAGES.iter().any(|m| parse(m));
    assert!(is_read(&|m| Body::parse(m).is_ok_and(|b| b.event.is_some())));
    assert!(is_read(&|m| decode::<BatchHeader>(m, 1_000).is_ok()));
    assert!(is_read(&|m| decode::<FeedHeader>(m, 1_000).is_ok()));
    assert!(is_read(&|m| String::from_utf8_lossy(m).parse::<Invite>().is_ok()));
    assert!(is_read(&|m| serde_json::from_slice::<JoinAsk>(m).is_ok()));
    assert!(is_read(&|m| serde_json::from_slice::<LogIn>(m).is_ok()));
    assert!(is_read(&|m| serde_json::from_slice::<StationAdmit>(m).is_ok()));
    assert!(is_read(&|m| serde_json::from_slice::<SaveLists>(m).is_ok()));
    assert!(is_read(&|m| serde_json::from_slice::<Save>(m).is_ok()));
}
