//! Table `bodies`: what happened, as the very bytes that were hashed. Never changed, never deleted.

use super::authors::AuthorNo;
use lamplight_domain::chain::Hash;
use lamplight_domain::ids::{AuthorId, PatientId, RecordId, StayId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::{Body, Envelope, Record, Unreadable};
use lamplight_domain::time::Ms;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BodyNo(pub i64);

/// What a body's columns say, read from its bytes. Where they cannot be read: nil, empty, and the epoch.
pub struct Columns<'a> {
    pub id: RecordId,
    pub kind: &'a str,
    pub stay: Option<StayId>,
    pub observed_at: Ms,
    pub recorded_at: Ms,
}

impl<'a> Columns<'a> {
    pub fn of(envelope: Option<&'a Envelope>) -> Columns<'a> {
        match envelope {
            Some(e) => Columns {
                id: e.id,
                kind: &e.kind,
                stay: e.stay,
                observed_at: e.observed_at,
                recorded_at: e.recorded_at,
            },
            None => Columns { id: RecordId(Uuid::nil()), kind: "", stay: None, observed_at: Ms(0), recorded_at: Ms(0) },
        }
    }
}

pub fn find(db: &Connection, hash: &Hash) -> rusqlite::Result<Option<BodyNo>> {
    db.prepare_cached("SELECT no FROM bodies WHERE hash = ?1")?
        .query_row([hash.0], |r| Ok(BodyNo(r.get(0)?)))
        .optional()
}

/// Does any entry hold this code of a list? Looks at every body until it finds one: for what is asked seldom.
pub fn uses_code(db: &Connection, code: &str) -> rusqlite::Result<bool> {
    db.prepare(
        "SELECT 1 FROM bodies WHERE stay IS NOT NULL AND kind NOT IN ('order', 'stay.opened')
           AND instr(bytes, CAST(?1 AS BLOB)) > 0 LIMIT 1",
    )?
    .exists([format!("\"{code}\"")])
}

/// The person of an earlier admission under this number of the hospital, as far as one is held.
pub fn patient_of(db: &Connection, mrn: &str) -> rusqlite::Result<Option<PatientId>> {
    let mut statement = db.prepare_cached(
        "SELECT bytes FROM bodies INDEXED BY bodies_opened WHERE kind = 'stay.opened' ORDER BY no DESC",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let body = Body::parse(row.get_ref(0)?.as_blob().unwrap_or_default());
        if let Ok(Body { event: Some(Event::StayOpened(opened)), .. }) = body
            && opened.mrn.trim().eq_ignore_ascii_case(mrn)
        {
            return Ok(Some(opened.patient));
        }
    }
    Ok(None)
}

/// None where the body is held already.
pub fn insert(
    db: &Connection,
    hash: &Hash,
    bytes: &[u8],
    columns: &Columns<'_>,
    author: AuthorNo,
    seq: u64,
) -> rusqlite::Result<Option<BodyNo>> {
    let done = db
        .prepare_cached(
            "INSERT INTO bodies (hash, id, author, seq, kind, stay, observed_at, recorded_at, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (hash) DO NOTHING",
        )?
        .execute(params![
            hash.0,
            columns.id.0.as_bytes(),
            author.0,
            seq as i64,
            columns.kind,
            columns.stay.map(|s| *s.0.as_bytes()),
            columns.observed_at.0,
            columns.recorded_at.0,
            bytes,
        ])?;
    Ok((done == 1).then(|| BodyNo(db.last_insert_rowid())))
}

pub fn bytes(db: &Connection, no: BodyNo) -> rusqlite::Result<Vec<u8>> {
    db.prepare_cached("SELECT bytes FROM bodies WHERE no = ?1")?.query_row([no.0], |r| r.get(0))
}

/// Other bodies under the same record id.
pub fn twins(db: &Connection, id: RecordId, except: BodyNo) -> rusqlite::Result<Vec<BodyNo>> {
    db.prepare_cached("SELECT no FROM bodies WHERE id = ?1 AND no <> ?2")?
        .query_map(params![id.0.as_bytes(), except.0], |r| Ok(BodyNo(r.get(0)?)))?
        .collect()
}

/// Every body under a record id.
pub fn of_id(db: &Connection, id: RecordId) -> rusqlite::Result<Vec<BodyNo>> {
    db.prepare_cached("SELECT no FROM bodies WHERE id = ?1")?
        .query_map([id.0.as_bytes()], |r| Ok(BodyNo(r.get(0)?)))?
        .collect()
}

/// A record by its id; the first that came, where there are several. None where it is not held or cannot be read.
pub fn record(db: &Connection, id: RecordId) -> rusqlite::Result<Option<Record>> {
    let found = db
        .prepare_cached(
            "SELECT b.bytes, a.id, b.seq, l.received_at FROM bodies b
             JOIN authors a ON a.no = b.author JOIN links l ON l.author = b.author AND l.seq = b.seq
             WHERE b.id = ?1 ORDER BY b.no LIMIT 1",
        )?
        .query_row([id.0.as_bytes()], |r| {
            let author = AuthorId(Uuid::from_bytes(r.get(1)?));
            Ok(parse(&r.get::<_, Vec<u8>>(0)?, author, r.get::<_, i64>(2)? as u64, Ms(r.get(3)?)))
        })
        .optional()?;
    Ok(found.and_then(Result::ok))
}

pub fn parse(bytes: &[u8], author: AuthorId, seq: u64, received_at: Ms) -> Result<Record, Unreadable> {
    Record::parse(bytes, author, seq, Some(received_at))
}
