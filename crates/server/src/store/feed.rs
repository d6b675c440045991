//! Tables `wards` and `feed`: what a ward's readers have to know, numbered inside the transaction that commits it, so
//! that a reader who has read up to n never misses a row below n.

use super::StoreError;
use super::bodies::BodyNo;
use lamplight_domain::chain::{Hash, feed_hash};
use lamplight_domain::ids::{AuthorId, RecordId, WardId};
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{BATCH_MAX_BYTES, FeedRow};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WardNo(pub i64);

/// Where a feed ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub n: u64,
    pub hash: Hash,
}

/// A row as it is sent.
#[derive(Debug)]
pub struct Sent {
    pub row: FeedRow,
    /// Rolling, after this row.
    pub hash: Hash,
    pub body_hash: Hash,
    pub bytes: Vec<u8>,
}

pub fn ward(db: &Connection, id: WardId) -> rusqlite::Result<Option<WardNo>> {
    db.prepare_cached("SELECT no FROM wards WHERE id = ?1")?
        .query_row([id.0.as_bytes()], |r| Ok(WardNo(r.get(0)?)))
        .optional()
}

/// For the writer only.
pub fn ward_or_new(db: &Connection, id: WardId) -> rusqlite::Result<WardNo> {
    if let Some(no) = ward(db, id)? {
        return Ok(no);
    }
    db.execute("INSERT INTO wards (id) VALUES (?1)", [id.0.as_bytes()])?;
    Ok(WardNo(db.last_insert_rowid()))
}

pub fn wards(db: &Connection) -> rusqlite::Result<Vec<(WardNo, WardId)>> {
    db.prepare("SELECT no, id FROM wards ORDER BY no")?
        .query_map([], |r| Ok((WardNo(r.get(0)?), WardId(Uuid::from_bytes(r.get(1)?)))))?
        .collect()
}

pub fn end(db: &Connection, ward: WardNo) -> rusqlite::Result<End> {
    let end = db
        .prepare_cached("SELECT n, hash FROM feed WHERE ward = ?1 ORDER BY n DESC LIMIT 1")?
        .query_row([ward.0], |r| Ok(End { n: r.get::<_, i64>(0)? as u64, hash: Hash(r.get(1)?) }))
        .optional()?;
    Ok(end.unwrap_or(End { n: 0, hash: Hash::ZERO }))
}

/// The rolling hash after row n; zero before the first row, None beyond the end.
pub fn hash_at(db: &Connection, ward: WardNo, n: u64) -> rusqlite::Result<Option<Hash>> {
    if n == 0 {
        return Ok(Some(Hash::ZERO));
    }
    let Ok(n) = i64::try_from(n) else { return Ok(None) };
    db.prepare_cached("SELECT hash FROM feed WHERE ward = ?1 AND n = ?2")?
        .query_row(params![ward.0, n], |r| Ok(Hash(r.get(0)?)))
        .optional()
}

/// The body of row n; None before the first row and beyond the end.
pub fn body_at(db: &Connection, ward: WardNo, n: u64) -> rusqlite::Result<Option<BodyNo>> {
    db.prepare_cached("SELECT body FROM feed WHERE ward = ?1 AND n = ?2")?
        .query_row(params![ward.0, n as i64], |r| Ok(BodyNo(r.get(0)?)))
        .optional()
}

/// Gives a body that is new the number after `last`, which is where the feed ends, and says where it ends now. For the
/// writer only. Errors: a constraint where the feed has the body or the number already.
pub fn append(
    db: &Connection,
    ward: WardNo,
    last: &End,
    body: BodyNo,
    id: RecordId,
    body_hash: &Hash,
    observed_at: Ms,
) -> rusqlite::Result<End> {
    let n = last.n + 1;
    let hash = feed_hash(&last.hash, n, id, body_hash);
    db.prepare_cached("INSERT INTO feed (ward, n, body, observed_at, hash) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![ward.0, n as i64, body.0, observed_at.0, hash.0])?;
    Ok(End { n, hash })
}

pub fn has(db: &Connection, ward: WardNo, body: BodyNo) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM feed WHERE body = ?1 AND ward = ?2")?.exists(params![body.0, ward.0])
}

const SENT: &str = "SELECT f.n, a.id, b.seq, l.received_at, f.hash, b.bytes,
        (SELECT group_concat(code) FROM flags WHERE body = b.no), b.hash
    FROM feed f JOIN bodies b ON b.no = f.body JOIN authors a ON a.no = b.author
    JOIN links l ON l.author = b.author AND l.seq = b.seq";

fn sent(row: &Row<'_>) -> rusqlite::Result<Sent> {
    let flags: Option<String> = row.get(6)?;
    Ok(Sent {
        row: FeedRow {
            n: row.get::<_, i64>(0)? as u64,
            author: AuthorId(Uuid::from_bytes(row.get(1)?)),
            seq: row.get::<_, i64>(2)? as u64,
            received_at: Ms(row.get(3)?),
            flags: flags.map(|f| f.split(',').map(str::to_owned).collect()).unwrap_or_default(),
        },
        hash: Hash(row.get(4)?),
        bytes: row.get(5)?,
        body_hash: Hash(row.get(7)?),
    })
}

/// Some rows, and whether there are more of their sort.
#[derive(Debug)]
pub struct Page {
    pub rows: Vec<Sent>,
    pub more: bool,
}

/// Rows until the page is full: by number, or by bytes (but always one). The statement asks for one row more than
/// `limit`.
fn page(db: &Connection, sql: &str, limit: u32, values: impl Params) -> Result<Page, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut found = statement.query(values)?;
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while let Some(row) = found.next()? {
        let row = sent(row)?;
        bytes += row.bytes.len();
        if rows.len() == limit as usize || (bytes > BATCH_MAX_BYTES && !rows.is_empty()) {
            return Ok(Page { rows, more: true });
        }
        rows.push(row);
    }
    Ok(Page { rows, more: false })
}

/// Rows after `n`, in order.
pub fn after(db: &Connection, ward: WardNo, n: u64, limit: u32) -> Result<Page, StoreError> {
    let sql = format!("{SENT} WHERE f.ward = ?1 AND f.n > ?2 ORDER BY f.n LIMIT ?3 + 1");
    page(db, &sql, limit, params![ward.0, n as i64, limit])
}

/// Standing rows after `n` up to `end`, in order: what a fresh reader needs at `at`, whatever its age.
pub fn standing(db: &Connection, ward: WardNo, n: u64, end: u64, at: Ms, limit: u32) -> Result<Page, StoreError> {
    let sql = format!(
        "{SENT} WHERE f.ward = ?1 AND f.n IN (SELECT s.n FROM standing s
           WHERE s.ward = ?1 AND s.until > ?4 AND s.n > ?2 AND s.n <= ?3 ORDER BY s.n LIMIT ?5 + 1)
         ORDER BY f.n"
    );
    page(db, &sql, limit, params![ward.0, n as i64, end as i64, at.0, limit])
}

/// Rows before `n` that were observed at or after `since` and are not standing at `at`, newest first.
pub fn recent(db: &Connection, ward: WardNo, n: u64, since: Ms, at: Ms, limit: u32) -> Result<Page, StoreError> {
    let sql = format!(
        "{SENT} WHERE f.ward = ?1 AND f.n IN (SELECT r.n FROM feed r INDEXED BY feed_by_time
           WHERE r.ward = ?1 AND r.observed_at >= ?3 AND r.n < ?2
             AND NOT EXISTS (SELECT 1 FROM standing s WHERE s.ward = ?1 AND s.n = r.n AND s.until > ?4)
           ORDER BY r.n DESC LIMIT ?5 + 1)
         ORDER BY f.n DESC"
    );
    page(db, &sql, limit, params![ward.0, n as i64, since.0, at.0, limit])
}

/// Everything standing at `at`, and everything observed at or after `since`.
pub fn known(db: &Connection, ward: WardNo, since: Ms, at: Ms) -> Result<Vec<Sent>, StoreError> {
    let sql = format!(
        "{SENT} WHERE f.ward = ?1 AND (
           f.n IN (SELECT s.n FROM standing s WHERE s.ward = ?1 AND s.until > ?3)
           OR f.n IN (SELECT r.n FROM feed r WHERE r.ward = ?1 AND r.observed_at >= ?2))
         ORDER BY f.n"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params![ward.0, since.0, at.0], sent)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Of stays that are read as one: everything standing, ended or not, and what was observed in `from..to`, of each ward
/// where they were as a whole too: who held the observations, who verified them, what the clocks said. A record that is
/// in several feeds comes once for each.
pub fn of_stays(db: &Connection, stays: &[Uuid], from: Ms, to: Ms) -> Result<Vec<Sent>, StoreError> {
    let sql = format!(
        "{SENT} WHERE f.ward = ?1 AND (
           f.n IN (SELECT s.n FROM standing s WHERE s.stay = ?2 AND s.ward = ?1)
           OR f.n IN (SELECT r.n FROM feed r JOIN bodies o ON o.no = r.body
                      WHERE r.ward = ?1 AND r.observed_at >= ?3 AND r.observed_at < ?4 AND (o.stay = ?2 OR o.stay IS NULL)))
         ORDER BY f.n"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut found = Vec::new();
    for (ward, _) in wards(db)? {
        for stay in stays {
            let is_here = db
                .prepare_cached("SELECT 1 FROM standing WHERE stay = ?1 AND ward = ?2 LIMIT 1")?
                .exists(params![stay.as_bytes(), ward.0])?;
            if is_here {
                let rows = statement.query_map(params![ward.0, stay.as_bytes(), from.0, to.0], sent)?;
                found.extend(rows.collect::<Result<Vec<_>, _>>()?);
            }
        }
    }
    Ok(found)
}
