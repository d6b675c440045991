//! `export`: every record, a line of JSON each, in the order in which they came.

use super::open_beside;
use crate::facility::damaged;
use crate::store::StoreError;
use crate::surroundings::Surroundings;
use lamplight_domain::chain::Hash;
use lamplight_domain::kinds::{Act, Event};
use lamplight_domain::record::Body;
use lamplight_domain::refusal::Refusal;
use rusqlite::Connection;
use serde::Serialize;
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use uuid::Uuid;

/// `id`, `kind` and what follows are null where the body cannot be read.
#[derive(Serialize)]
struct Line<'a> {
    author: Uuid,
    seq: i64,
    id: Option<Uuid>,
    kind: Option<&'a str>,
    stay: Option<Uuid>,
    patient: Option<Uuid>,
    /// Staff id; null where nobody was signed in.
    by: Option<Uuid>,
    observed_at: Option<i64>,
    recorded_at: Option<i64>,
    received_at: i64,
    /// Of the body.
    hash: Hash,
}

/// Gives back how many. Errors: those of opening, "export.broken_off".
pub fn export(path: &Path, out: &mut impl Write) -> Result<u64, Refusal> {
    let db = open_beside(path)?;
    // What is read is as of now; that somebody reads it is written down before a line of it goes out.
    let reading = db.unchecked_transaction().map_err(|e| damaged(path, &e.into()))?;
    let begun = reading.query_row("SELECT count(*) FROM bodies", [], |r| r.get::<_, i64>(0));
    let what = format!("{} records", begun.map_err(|e| damaged(path, &e.into()))?);
    super::audit_beside(path, &mut open_beside(path)?, &Surroundings::real(), Act::Exported, &what)?;
    let mut write = || -> Result<Result<u64, std::io::Error>, StoreError> {
        let patients = patients(&reading)?;
        let mut statement = reading.prepare(
            "SELECT a.id, b.seq, b.id, b.kind, b.stay, b.observed_at, b.recorded_at, l.received_at, b.hash, b.bytes
             FROM bodies b JOIN authors a ON a.no = b.author
             JOIN links l ON l.author = b.author AND l.seq = b.seq ORDER BY b.no",
        )?;
        let mut rows = statement.query([])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let id = Uuid::from_bytes(row.get(2)?);
            let readable = !id.is_nil();
            let kind: String = row.get(3)?;
            let stay = row.get::<_, Option<[u8; 16]>>(4)?.map(Uuid::from_bytes);
            let body = Body::parse(&row.get::<_, Vec<u8>>(9)?).ok();
            let line = Line {
                author: Uuid::from_bytes(row.get(0)?),
                seq: row.get(1)?,
                id: readable.then_some(id),
                kind: readable.then_some(&kind),
                stay,
                patient: stay.and_then(|s| patients.get(&s).copied()),
                by: body.and_then(|b| b.envelope.by).map(|by| by.0),
                observed_at: if readable { Some(row.get(5)?) } else { None },
                recorded_at: if readable { Some(row.get(6)?) } else { None },
                received_at: row.get(7)?,
                hash: Hash(row.get(8)?),
            };
            let mut text = serde_json::to_vec(&line).map_err(|e| StoreError::Broken(e.to_string()))?;
            text.push(b'\n');
            if let Err(e) = out.write_all(&text) {
                return Ok(Err(e));
            }
            count += 1;
        }
        Ok(out.flush().map(|()| count))
    };
    write().map_err(|e| damaged(path, &e))?.map_err(|e| {
        Refusal::new("export.broken_off", format!("The export broke off ({e})."), "Make room where it goes, try again.")
    })
}

/// Who is meant by each stay.
fn patients(db: &Connection) -> Result<HashMap<Uuid, Uuid>, StoreError> {
    let mut statement = db.prepare("SELECT stay, bytes FROM bodies WHERE kind = 'stay.opened' AND stay IS NOT NULL")?;
    let mut rows = statement.query([])?;
    let mut patients = HashMap::new();
    while let Some(row) = rows.next()? {
        let stay = Uuid::from_bytes(row.get(0)?);
        if let Ok(Body { event: Some(Event::StayOpened(opened)), .. }) = Body::parse(&row.get::<_, Vec<u8>>(1)?) {
            patients.entry(stay).or_insert(opened.patient.0);
        }
    }
    Ok(patients)
}
