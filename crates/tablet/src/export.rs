//! Every record that this tablet holds, a JSON object a line: for comparing with the server's export. The last line
//! also says what the tablet can prove of the server's history: for `lamplight-server verify --against`.

use crate::file::{bodies, feeds, heads, held, links, pruning, receipts};
use crate::identity::Identity;
use crate::tablet::Tablet;
use lamplight_domain::chain::{Hash, body_hash};
use lamplight_domain::ids::{AuthorId, PatientId, RecordId, StayId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::Body;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{Evidence, OwnChain};
use rusqlite::Connection;
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
    /// On the last line only.
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence>,
}

impl Line {
    fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.write_all(b"\n")
    }

    fn of_pruned(author: AuthorId, seq: u64, received_at: Option<Ms>, hash: Hash) -> Line {
        let (id, kind, stay, patient) = (None, None, None, None);
        let (observed_at, recorded_at, evidence) = (None, None, None);
        let pruned = true;
        Line { author, seq, id, kind, stay, patient, observed_at, recorded_at, received_at, hash, pruned, evidence }
    }
}

impl Tablet {
    /// Writes a line for every record held, own and others', in the order in which they came, then one for each whose
    /// body was pruned. Returns how many.
    /// Errors: "file.damaged", "disk.failed", "export.failed" where `out` takes no more.
    pub fn export(&self, out: &mut dyn Write) -> Result<u64, Refusal> {
        // Damage that is met here is mended: the next one stands on a sound file.
        self.export_once(out).inspect_err(|refusal| self.0.mend_after(refusal))
    }

    fn export_once(&self, out: &mut dyn Write) -> Result<u64, Refusal> {
        let identity = self.0.identity();
        let (mut count, mut failed, mut last) = (0, None, None::<Line>);
        let mut say = |line: Line| {
            // Held back by one: the last one says more.
            let Some(before) = last.replace(line).filter(|_| failed.is_none()) else { return };
            match before.write(out) {
                Ok(()) => count += 1,
                Err(e) => failed = Some(e),
            }
        };
        // All in one snapshot: what is proved is what is shown.
        let proof = self.0.records.read(|from| {
            let reading = from.unchecked_transaction()?;
            let patients = patients(&reading)?;
            bodies::walk(&reading, |origin, bytes| say(line(origin, bytes, &patients)))?;
            pruning::walk(&reading, |author, seq, received_at, hash| {
                say(Line::of_pruned(author, seq, received_at, hash));
            })?;
            identity.as_ref().map(|identity| evidence(&reading, identity)).transpose()
        })?;
        if let Some(line) = last.filter(|_| failed.is_none()) {
            let line = Line { evidence: proof, ..line };
            match line.write(out) {
                Ok(()) => count += 1,
                Err(e) => failed = Some(e),
            }
        }
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
}

fn line(origin: bodies::Origin, bytes: &[u8], patients: &HashMap<StayId, PatientId>) -> Line {
    let body = Body::parse(bytes).ok();
    let envelope = body.as_ref().map(|b| &b.envelope);
    let stay = envelope.and_then(|e| e.stay);
    Line {
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
        evidence: None,
    }
}

/// Whose stay it is.
fn patients(from: &Connection) -> rusqlite::Result<HashMap<StayId, PatientId>> {
    let mut patients = HashMap::new();
    bodies::walk_kind(from, "stay.opened", |_, bytes| {
        if let Ok(Body { envelope, event: Some(Event::StayOpened(opened)) }) = Body::parse(bytes)
            && let Some(stay) = envelope.stay
        {
            patients.insert(stay, opened.patient);
        }
    })?;
    Ok(patients)
}

fn evidence(from: &Connection, identity: &Identity) -> rusqlite::Result<Evidence> {
    let own = || identity.authors.iter().map(|own| own.credential.author);
    let (mut chains, mut kept) = (Vec::new(), Vec::new());
    for author in own() {
        chains.push(OwnChain { author, bodies: links::bodies_after(from, author, 0)? });
        kept.extend(receipts::all(from, author)?);
    }
    let seen = heads::credentials(from)?.into_iter().filter_map(|(_, credential)| credential);
    Ok(Evidence {
        v: 1,
        facility: identity.facility,
        tablet: identity.tablet,
        name: identity.name.clone(),
        credentials: identity.authors.iter().map(|own| own.credential.clone()).chain(seen).collect(),
        chains,
        receipts: kept,
        heads: heads::all(from)?,
        rows: held::all(from)?,
        feeds: feeds::all_read(from)?,
    })
}
