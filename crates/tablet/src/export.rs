//! Every record that this tablet holds, a JSON object a line: for comparing with the server's export.

use crate::file::{bodies, pruning};
use crate::tablet::Tablet;
use lamplight_domain::chain::{Hash, body_hash};
use lamplight_domain::ids::{AuthorId, PatientId, RecordId, StayId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::Body;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::Ms;
use serde::Serialize;
use std::collections::HashMap;
use std::io::Write;

/// Absent values are null; `id` to `recorded_at` are null where a body cannot be read.
#[derive(Serialize)]
struct Line {
    author: AuthorId,
    seq: u64,
    id: Option<RecordId>,
    kind: Option<String>,
    stay: Option<StayId>,
    patient: Option<PatientId>,
    observed_at: Option<Ms>,
    recorded_at: Option<Ms>,
    received_at: Option<Ms>,
    /// Of the body.
    hash: Hash,
    /// The body was here and is pruned: only its link is left.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pruned: bool,
}

impl Line {
    fn of_pruned(author: AuthorId, seq: u64, received_at: Option<Ms>, hash: Hash) -> Line {
        let (id, kind, stay, patient) = (None, None, None, None);
        let (observed_at, recorded_at) = (None, None);
        Line { author, seq, id, kind, stay, patient, observed_at, recorded_at, received_at, hash, pruned: true }
    }

    fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.write_all(b"\n")
    }
}

impl Tablet {
    /// Writes a line for every record held, own and others', in the order in which they came, then one for each whose
    /// body was pruned. Returns how many.
    /// Errors: "file.damaged", "disk.failed", "export.failed" where `out` takes no more.
    pub fn export(&self, out: &mut dyn Write) -> Result<u64, Refusal> {
        let patients = self.patients()?;
        let (mut count, mut failed) = (0, None);
        self.0.records.read(|from| {
            bodies::walk(from, |origin, bytes| {
                if failed.is_some() {
                    return;
                }
                let body = Body::parse(bytes).ok();
                let envelope = body.as_ref().map(|b| &b.envelope);
                let stay = envelope.and_then(|e| e.stay);
                let line = Line {
                    author: origin.author,
                    seq: origin.seq,
                    id: envelope.map(|e| e.id),
                    kind: envelope.map(|e| e.kind.clone()),
                    stay,
                    patient: stay.and_then(|s| patients.get(&s).copied()),
                    observed_at: envelope.map(|e| e.observed_at),
                    recorded_at: envelope.map(|e| e.recorded_at),
                    received_at: origin.received_at,
                    hash: body_hash(bytes),
                    pruned: false,
                };
                match line.write(out) {
                    Ok(()) => count += 1,
                    Err(e) => failed = Some(e),
                }
            })?;
            pruning::walk(from, |author, seq, received_at, hash| {
                if failed.is_some() {
                    return;
                }
                match Line::of_pruned(author, seq, received_at, hash).write(out) {
                    Ok(()) => count += 1,
                    Err(e) => failed = Some(e),
                }
            })
        })?;
        match failed {
            None => Ok(count),
            Some(e) => Err(Refusal::new(
                "export.failed",
                format!("The export ended after {count} records: {e}."),
                "Make room where it is written to, and export again.",
            )),
        }
    }

    /// The hash of the body that this tablet saved first under this id. Errors: those of a file that cannot be read.
    pub fn saved_hash(&self, id: RecordId) -> Result<Option<Hash>, Refusal> {
        let bytes = self.0.records.read(|from| bodies::own_by_id(from, id))?;
        Ok(bytes.map(|bytes| body_hash(&bytes)))
    }

    /// Whose stay it is.
    fn patients(&self) -> Result<HashMap<StayId, PatientId>, Refusal> {
        let mut patients = HashMap::new();
        self.0.records.read(|from| {
            bodies::walk_kind(from, "stay.opened", |_, bytes| {
                if let Ok(Body { envelope, event: Some(Event::StayOpened(opened)) }) = Body::parse(bytes)
                    && let Some(stay) = envelope.stay
                {
                    patients.insert(stay, opened.patient);
                }
            })
        })?;
        Ok(patients)
    }
}
