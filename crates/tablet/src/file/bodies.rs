//! Bodies: own and others', found by hash, by id, by stay and by time.

use super::links;
use lamplight_domain::chain::{Hash, body_hash};
use lamplight_domain::ids::{AuthorId, RecordId, StayId};
use lamplight_domain::record::{Body, Record};
use lamplight_domain::time::Ms;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Puts a body in; one that is there already stays as it is. True where it was new.
pub fn insert(to: &Connection, bytes: &[u8]) -> rusqlite::Result<bool> {
    insert_read(to, &body_hash(bytes), bytes, Body::parse(bytes).ok().as_ref())
}

/// The same where it has been hashed and read; None where it cannot be read.
pub fn insert_read(to: &Connection, hash: &Hash, bytes: &[u8], read: Option<&Body>) -> rusqlite::Result<bool> {
    let envelope = read.map(|b| &b.envelope);
    let added = to
        .prepare_cached(
            "INSERT INTO bodies (hash, id, kind, stay, observed_at, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (hash) DO NOTHING",
        )?
        .execute(params![
            hash.0,
            envelope.map_or(Uuid::nil(), |e| e.id.0).as_bytes(),
            envelope.map_or("", |e| e.kind.as_str()),
            envelope.and_then(|e| e.stay).map(|s| *s.0.as_bytes()),
            envelope.map_or(0, |e| e.observed_at.0),
            bytes,
        ])?;
    Ok(added > 0)
}

pub fn bytes(from: &Connection, hash: &Hash) -> rusqlite::Result<Option<Vec<u8>>> {
    from.prepare_cached("SELECT bytes FROM bodies WHERE hash = ?1")?.query_row([hash.0], |row| row.get(0)).optional()
}

/// The number of the body that came last; 0 where there is none.
pub fn newest(from: &Connection) -> rusqlite::Result<i64> {
    from.query_row("SELECT coalesce(max(n), 0) FROM bodies", (), |row| row.get(0))
}

/// One body by its number with its hash, where it still hashes to what stands beside it.
pub fn numbered(from: &Connection, n: i64) -> rusqlite::Result<Option<(Hash, Vec<u8>)>> {
    let found: Option<(Hash, Vec<u8>)> = from
        .prepare_cached("SELECT hash, bytes FROM bodies WHERE n = ?1")?
        .query_row([n], |row| Ok((Hash(row.get(0)?), row.get(1)?)))
        .optional()?;
    Ok(found.filter(|(hash, bytes)| body_hash(bytes) == *hash))
}

pub fn is_held(from: &Connection, hash: &Hash) -> rusqlite::Result<bool> {
    from.prepare_cached("SELECT 1 FROM bodies WHERE hash = ?1")?.exists([hash.0])
}

/// The own body of this id that was linked first: a draft's id saved before.
pub fn own_by_id(from: &Connection, id: RecordId) -> rusqlite::Result<Option<Vec<u8>>> {
    from.prepare_cached(
        "SELECT b.bytes FROM bodies b JOIN links l ON l.body_hash = b.hash WHERE b.id = ?1 ORDER BY b.n LIMIT 1",
    )?
    .query_row([id.0.as_bytes()], |row| row.get(0))
    .optional()
}

/// Any body of this id, own or not; the first where there are several.
pub fn by_id(from: &Connection, id: RecordId) -> rusqlite::Result<Option<Body>> {
    let bytes: Option<Vec<u8>> = from
        .prepare_cached("SELECT bytes FROM bodies WHERE id = ?1 ORDER BY n LIMIT 1")?
        .query_row([id.0.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(bytes.and_then(|b| Body::parse(&b).ok()))
}

/// Kinds of which only the newest matter: what was observed, what machines note about themselves, and what was noted of
/// people, which is in no board at all. Everything else stands until another record ends it, whatever its age. The index `bodies_standing` has the same list.
pub(super) const PASSING: &str =
    "'check', 'heard', 'cant_tell', 'not_done', 'mood', 'behaviour', 'note', 'silenced', 'clock.measured', 'audit'";
/// A stay's newest checks are taken however old they are; more than one, since the last may have been retracted.
pub const LAST_OF_STAY: u32 = 8;
/// So many bodies that came last are looked through for checks, and measurements, whose clock stood elsewhere: this boot
/// may have written them, and its boot clock says when. A ward's shift.
const CAME_LAST: i64 = 1_000;

/// What a board needs: all since `since`, standing records of any age, and the last checks, of each stay and of those
/// that came last. Takes as long as there is of that, however much the file holds.
pub fn for_board(from: &Connection, since: Ms) -> rusqlite::Result<Vec<Record>> {
    let recent = records(from, &format!("{WITH_ORIGIN} WHERE b.observed_at >= ?1 AND b.kind <> 'audit'"), [since.0])?;
    let standing = format!("{WITH_ORIGIN} WHERE b.kind NOT IN ({PASSING}) AND b.observed_at < ?1");
    let mut all = records(from, &standing, [since.0])?;
    all.extend(recent);
    let came_last =
        format!("{WITH_ORIGIN} WHERE b.n > ?1 AND b.kind IN ('check', 'clock.measured') AND b.observed_at < ?2");
    all.extend(records(from, &came_last, [newest(from)? - CAME_LAST, since.0])?);
    let opens = |kind: &str| matches!(kind, "stay.opened" | "stay.provisional");
    let stays: BTreeSet<StayId> =
        all.iter().filter(|r| opens(&r.body.envelope.kind)).filter_map(|r| r.body.envelope.stay).collect();
    for stay in stays {
        all.extend(of_stay_and_kind(from, stay, "check", LAST_OF_STAY)?);
    }
    Ok(all)
}

/// Everything of one stay and everything of the ward as a whole, with what shows how far clocks can be believed.
pub fn of_stay(from: &Connection, stay: StayId) -> rusqlite::Result<Vec<Record>> {
    let of_ward = format!("b.stay IS NULL AND (b.kind NOT IN ({PASSING}) OR b.kind = 'clock.measured')");
    let sql = format!("{WITH_ORIGIN} WHERE b.stay = ?1 OR ({of_ward})");
    records(from, &sql, params![stay.0.as_bytes()])
}

/// Records of one kind of one stay, newest first.
pub fn of_stay_and_kind(from: &Connection, stay: StayId, kind: &str, most: u32) -> rusqlite::Result<Vec<Record>> {
    let sql = format!("{WITH_ORIGIN} WHERE b.stay = ?1 AND b.kind = ?2 ORDER BY b.observed_at DESC LIMIT ?3");
    records(from, &sql, params![stay.0.as_bytes(), kind, most])
}

/// Hashes of all bodies that the server is not known to have received before `mark`; of all where that is None.
pub fn not_received_before(from: &Connection, mark: Option<Ms>) -> rusqlite::Result<Vec<Hash>> {
    from.prepare(
        "SELECT b.hash FROM bodies b
         WHERE NOT EXISTS (SELECT 1 FROM held h WHERE h.body_hash = b.hash AND h.received_at < ?1) ORDER BY b.n",
    )?
    .query_map([mark.map_or(i64::MIN, |at| at.0)], |row| Ok(Hash(row.get(0)?)))?
    .collect()
}

/// Own and others' bodies in the order in which they came; `each` gets one at a time.
pub fn walk(from: &Connection, each: impl FnMut(Origin, &[u8])) -> rusqlite::Result<()> {
    walk_where(from, "1 = 1", (), each)
}

/// The same, of one kind.
pub fn walk_kind(from: &Connection, kind: &str, each: impl FnMut(Origin, &[u8])) -> rusqlite::Result<()> {
    walk_where(from, "b.kind = ?1", [kind], each)
}

fn walk_where(
    from: &Connection,
    condition: &str,
    params: impl rusqlite::Params,
    mut each: impl FnMut(Origin, &[u8]),
) -> rusqlite::Result<()> {
    let mut statement = from.prepare(&format!("{WITH_ORIGIN} WHERE {condition} ORDER BY b.n"))?;
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        each(Origin::of(row)?, row.get_ref(0)?.as_blob().unwrap_or_default());
    }
    Ok(())
}

/// A body with the link that brought it: the server's word where there is one, else the own link.
const WITH_ORIGIN: &str = "SELECT b.bytes, h.author, h.seq, h.received_at, l.author, l.seq FROM bodies b
  LEFT JOIN held h ON h.body_hash = b.hash
    AND (h.author, h.seq) = (SELECT author, seq FROM held WHERE body_hash = b.hash ORDER BY received_at, author, seq LIMIT 1)
  LEFT JOIN links l ON l.body_hash = b.hash
    AND (l.author, l.seq) = (SELECT author, seq FROM links WHERE body_hash = b.hash ORDER BY author, seq LIMIT 1)";

/// Which link a body is known by.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    pub author: AuthorId,
    pub seq: u64,
    pub received_at: Option<Ms>,
}

impl Origin {
    fn of(row: &Row<'_>) -> rusqlite::Result<Origin> {
        let (author, seq): (Option<[u8; 16]>, Option<i64>) = match row.get(1)? {
            Some(author) => (Some(author), row.get(2)?),
            None => (row.get(4)?, row.get(5)?),
        };
        Ok(Origin {
            author: AuthorId(Uuid::from_bytes(author.unwrap_or_default())),
            seq: links::number(seq.unwrap_or_default()),
            received_at: row.get::<_, Option<i64>>(3)?.map(Ms),
        })
    }
}

/// Bodies that cannot be read are left out: they are counted when they arrive.
fn records(from: &Connection, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<Vec<Record>> {
    let mut statement = from.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let origin = Origin::of(row)?;
        let bytes = row.get_ref(0)?.as_blob().unwrap_or_default();
        out.extend(Record::parse(bytes, origin.author, origin.seq, origin.received_at));
    }
    Ok(out)
}
