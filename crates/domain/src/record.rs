//! A record's body: immutable UTF-8 JSON, kept and passed on as the very bytes that were hashed.

use crate::chain::{Hash, body_hash};
use crate::ids::{AuthorId, FacilityId, RecordId, StaffId, StayId, TabletId, WardId};
use crate::kinds::Event;
use crate::time::Ms;
use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

/// The longest body that may be made or sent: a long note is 4 KiB, and a tablet must never make what cannot be sent.
pub const BODY_MAX_BYTES: usize = 64 * 1024;

/// How the person behind `by` was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "record.ts")]
pub enum Auth {
    Pin,
    Badge,
    Station,
    /// Unsigned help from a locked tablet, and records that a machine makes about itself.
    None,
    /// A way that a newer program knows. Never written.
    #[serde(other)]
    Unknown,
}

/// The fields of every body. Fields that this version does not know stay in the bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Version of the envelope: 1.
    pub v: u8,
    pub id: RecordId,
    pub kind: String,
    pub kind_v: u16,
    pub facility: FacilityId,
    pub ward: WardId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stay: Option<StayId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<StaffId>,
    pub auth: Auth,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tablet: Option<TabletId>,
    pub observed_at: Ms,
    pub recorded_at: Ms,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_ms: Option<i64>,
    /// The order in force when this was recorded: the level that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<RecordId>,
    /// Version of the facility's lists that its codes come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_v: Option<u32>,
}

impl Envelope {
    /// A past time was given: labelled as late for ever, and it never closes a gap.
    pub fn is_late_entry(&self) -> bool {
        self.observed_at < self.recorded_at
    }
}

/// A body as this program understands it.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    pub envelope: Envelope,
    /// None where the kind, or its version, is unknown to this program.
    pub event: Option<Event>,
}

/// Why a body could not be read. It is kept and shown to a person all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("body of {0} bytes is over the limit of {BODY_MAX_BYTES}")]
    TooBig(usize),
    /// Says where, never what: a body holds patient data.
    #[error("body is not a record's JSON (line {line}, column {column})")]
    NotARecord { line: usize, column: usize },
}

impl Body {
    /// Version 1 of every kind.
    pub const KIND_V: u16 = 1;

    /// Sets `kind` and `kind_v` of the envelope from the event.
    pub fn new(mut envelope: Envelope, event: Event) -> Body {
        let tagged = serde_json::to_value(&event).unwrap_or_default();
        envelope.kind = tagged.get("kind").and_then(|k| k.as_str()).unwrap_or_default().to_owned();
        envelope.kind_v = Self::KIND_V;
        Body { envelope, event: Some(event) }
    }

    /// The bytes to hash, store and send. Errors where the result is over [`BODY_MAX_BYTES`] or the event is unknown.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Unreadable> {
        #[derive(Serialize)]
        struct Whole<'a> {
            #[serde(flatten)]
            envelope: &'a Envelope,
            data: serde_json::Value,
        }
        let data = self
            .event
            .as_ref()
            .and_then(|e| serde_json::to_value(e).ok())
            .and_then(|mut v| v.get_mut("data").map(serde_json::Value::take));
        let bytes = serde_json::to_vec(&Whole { envelope: &self.envelope, data: data.unwrap_or_default() })
            .map_err(|e| Unreadable::NotARecord { line: e.line(), column: e.column() })?;
        if bytes.len() > BODY_MAX_BYTES { Err(Unreadable::TooBig(bytes.len())) } else { Ok(bytes) }
    }

    /// Reads a body that may come from anywhere. An unknown kind, or a known kind whose data does not fit, gives
    /// `event: None`; a body that is not even an envelope is an error.
    pub fn parse(bytes: &[u8]) -> Result<Body, Unreadable> {
        #[derive(Deserialize)]
        struct Whole {
            #[serde(flatten)]
            envelope: Envelope,
            #[serde(default)]
            data: serde_json::Value,
        }
        if bytes.len() > BODY_MAX_BYTES {
            return Err(Unreadable::TooBig(bytes.len()));
        }
        let whole: Whole =
            serde_json::from_slice(bytes).map_err(|e| Unreadable::NotARecord { line: e.line(), column: e.column() })?;
        let event = (whole.envelope.kind_v == Self::KIND_V)
            .then(|| serde_json::json!({ "kind": whole.envelope.kind, "data": whole.data }))
            .and_then(|tagged| serde_json::from_value(tagged).ok());
        Ok(Body { envelope: whole.envelope, event })
    }
}

/// A record as it stands in a store: its body, who first wrote it down, and when the server had it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub body: Body,
    pub hash: Hash,
    pub author: AuthorId,
    pub seq: u64,
    /// Server time of its commit; None while only this tablet holds it.
    pub received_at: Option<Ms>,
}

impl Record {
    pub fn parse(bytes: &[u8], author: AuthorId, seq: u64, received_at: Option<Ms>) -> Result<Record, Unreadable> {
        Ok(Record { body: Body::parse(bytes)?, hash: body_hash(bytes), author, seq, received_at })
    }
    pub fn id(&self) -> RecordId {
        self.body.envelope.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::Check;
    use proptest::prelude::*;

    fn envelope() -> Envelope {
        Envelope {
            v: 1,
            id: RecordId(Uuid::from_u128(1)),
            kind: String::new(),
            kind_v: 0,
            facility: FacilityId(Uuid::from_u128(2)),
            ward: WardId(Uuid::from_u128(3)),
            stay: Some(StayId(Uuid::from_u128(4))),
            by: Some(StaffId(Uuid::from_u128(5))),
            auth: Auth::Pin,
            tablet: None,
            observed_at: Ms(10),
            recorded_at: Ms(10),
            boot_id: None,
            boot_ms: None,
            order: None,
            list_v: Some(1),
        }
    }
    fn check() -> Event {
        Event::Check(Check { place: "hallway".into(), activity: "pacing".into(), evidence: vec![] })
    }

    #[test]
    fn a_body_comes_back_as_it_was_made() {
        for event in
            [check(), Event::Silenced { level: None }, Event::Note { words: "ends with \u{0} and \u{202e}".into() }]
        {
            let body = Body::new(envelope(), event);
            assert_eq!(Body::parse(&body.to_bytes().unwrap()).unwrap(), body);
        }
    }

    #[test]
    fn unknown_kinds_versions_and_fields_are_kept_not_refused() {
        let bytes = Body::new(envelope(), check()).to_bytes().unwrap();
        let mut json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        json["from_the_future"] = 1.into();
        let with_field = Body::parse(&serde_json::to_vec(&json).unwrap()).unwrap();
        assert_eq!(with_field.event, Some(check()));
        for (field, value) in [("kind", "tomorrow".into()), ("kind_v", 2.into()), ("data", 5.into())] {
            let mut other = json.clone();
            other[field] = value;
            let body = Body::parse(&serde_json::to_vec(&other).unwrap()).unwrap();
            assert_eq!(body.event, None, "{field}");
            assert_eq!(body.envelope.stay, envelope().stay);
        }
    }

    #[test]
    fn what_cannot_be_sent_cannot_be_made() {
        let long = Body::new(envelope(), Event::Note { words: "x".repeat(BODY_MAX_BYTES) });
        assert!(matches!(long.to_bytes(), Err(Unreadable::TooBig(_))));
        assert!(matches!(Body::parse(&vec![b' '; BODY_MAX_BYTES + 1]), Err(Unreadable::TooBig(_))));
    }

    proptest! {
        #[test]
        fn noise_and_cut_bodies_never_panic(noise in prop::collection::vec(any::<u8>(), 0..300), cut in 0usize..400) {
            let _ = Body::parse(&noise);
            let whole = Body::new(envelope(), check()).to_bytes().unwrap();
            if cut < whole.len() {
                prop_assert!(Body::parse(&whole[..cut]).is_err());
            }
        }
    }
}
