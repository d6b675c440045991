//! What may go: bodies that are old, that the server had before it was backed up, and that say nothing about how things
//! stand. Bodies only: links, receipts and what the feed told of each body stay, so every chain can still be proved.

use super::bodies::PASSING;
use lamplight_domain::chain::Hash;
use lamplight_domain::ids::{AuthorId, RecordId, StayId};
use lamplight_domain::time::Ms;
use rusqlite::{Connection, params};
use std::collections::HashSet;
use uuid::Uuid;

/// What bounds a pruning.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Observed and received before this.
    pub before: Ms,
    /// Received by the server before this.
    pub backed_up: Ms,
    /// The own author that writes now; what it wrote after this number waits.
    pub author: AuthorId,
    pub confirmed: u64,
}

/// A body that may go.
#[derive(Clone, Copy, Debug)]
pub struct Old {
    pub n: i64,
    pub observed_at: Ms,
}

/// Where a walk over what is old goes on: observed at, number.
pub type At = (Ms, i64);
pub const START: At = (Ms(i64::MIN), 0);

/// May the body go, by age and by what the server holds? No feed of this tablet tells of audit: of that a receipt does. ?1 before, ?2 backed up, ?3 author, ?4 confirmed.
const MAY_GO: &str = "b.observed_at < ?1
  AND (EXISTS (SELECT 1 FROM held h WHERE h.body_hash = b.hash AND h.received_at < min(?1, ?2))
    OR (b.kind = 'audit' AND EXISTS (SELECT 1 FROM links l JOIN receipts r ON r.author = l.author AND r.seq >= l.seq
        WHERE l.body_hash = b.hash AND r.received_at < min(?1, ?2))))
  AND NOT EXISTS (SELECT 1 FROM links l WHERE l.body_hash = b.hash AND l.author = ?3 AND l.seq > ?4)";

/// The next passing observations that may go, in order of time, and where to go on; None at the end. What is kept
/// stays whatever its age.
pub fn passing(
    from: &Connection,
    bounds: &Bounds,
    kept: &HashSet<i64>,
    after: At,
    most: u32,
) -> rusqlite::Result<(Vec<Old>, Option<At>)> {
    let sql = format!(
        "SELECT b.n, b.observed_at, b.kind IN ({PASSING}) AND {MAY_GO} FROM bodies b
         WHERE (b.observed_at, b.n) > (?5, ?6) AND b.observed_at < ?1 ORDER BY b.observed_at, b.n LIMIT ?7"
    );
    let mut statement = from.prepare_cached(&sql)?;
    let Bounds { before, backed_up, author, confirmed } = bounds;
    let confirmed = super::links::signed(*confirmed);
    let mut rows =
        statement.query(params![before.0, backed_up.0, author.0.as_bytes(), confirmed, after.0.0, after.1, most])?;
    let (mut found, mut next) = (Vec::new(), None);
    while let Some(row) = rows.next()? {
        let old = Old { n: row.get(0)?, observed_at: Ms(row.get(1)?) };
        next = Some((old.observed_at, old.n));
        if row.get(2)? && !kept.contains(&old.n) {
            found.push(old);
        }
    }
    Ok((found, next))
}

/// The numbers of each stay's last checks: a board must say when a patient was seen last, however long ago.
pub fn last_checks(from: &Connection, stays: &[StayId], most: u32) -> rusqlite::Result<HashSet<i64>> {
    let mut kept = HashSet::new();
    for stay in stays {
        let mut newest = from.prepare_cached(
            "SELECT n FROM bodies WHERE stay = ?1 AND kind = 'check' ORDER BY observed_at DESC LIMIT ?2",
        )?;
        for n in newest.query_map(params![stay.0.as_bytes(), most], |row| row.get(0))? {
            kept.insert(n?);
        }
    }
    Ok(kept)
}

/// Stays of which something is held that stands until another record ends it and is older than `before`.
pub fn stays_with_old(from: &Connection, before: Ms) -> rusqlite::Result<Vec<StayId>> {
    let sql = format!(
        "SELECT DISTINCT stay FROM bodies WHERE kind NOT IN ({PASSING}) AND observed_at < ?1 AND stay IS NOT NULL"
    );
    from.prepare_cached(&sql)?.query_map([before.0], |row| Ok(StayId(Uuid::from_bytes(row.get(0)?))))?.collect()
}

/// All of a stay that is left, where all of it may go; else nothing. Half of it would show the patient as still here.
pub fn whole_stay(from: &Connection, bounds: &Bounds, stay: StayId) -> rusqlite::Result<Vec<Old>> {
    let sql = format!("SELECT b.n, b.observed_at, {MAY_GO} FROM bodies b WHERE b.stay = ?5");
    let Bounds { before, backed_up, author, confirmed } = bounds;
    let confirmed = super::links::signed(*confirmed);
    let mut statement = from.prepare_cached(&sql)?;
    let mut rows =
        statement.query(params![before.0, backed_up.0, author.0.as_bytes(), confirmed, stay.0.as_bytes()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        if !row.get::<_, bool>(2)? {
            return Ok(Vec::new());
        }
        found.push(Old { n: row.get(0)?, observed_at: Ms(row.get(1)?) });
    }
    Ok(found)
}

/// Who held the ward's observations and who verified them, but for the newest of each.
pub fn of_the_ward(from: &Connection, bounds: &Bounds, most: u32) -> rusqlite::Result<Vec<Old>> {
    let sql = format!(
        "SELECT b.n, b.observed_at FROM bodies b
         WHERE b.stay IS NULL AND b.kind IN ('holding.taken', 'verified') AND {MAY_GO}
           AND EXISTS (SELECT 1 FROM bodies c WHERE c.stay IS NULL AND c.kind = b.kind AND c.observed_at > b.observed_at)
           AND b.kind NOT IN ({PASSING}) LIMIT ?5"
    );
    let Bounds { before, backed_up, author, confirmed } = bounds;
    let confirmed = super::links::signed(*confirmed);
    from.prepare_cached(&sql)?
        .query_map(params![before.0, backed_up.0, author.0.as_bytes(), confirmed, most], |row| {
            Ok(Old { n: row.get(0)?, observed_at: Ms(row.get(1)?) })
        })?
        .collect()
}

/// The one place where a body goes. An own one leaves its id behind.
pub fn remove(to: &Connection, old: &[Old]) -> rusqlite::Result<()> {
    let mut own = to.prepare_cached(
        "INSERT OR IGNORE INTO pruned (id) SELECT b.id FROM bodies b
         WHERE b.n = ?1 AND EXISTS (SELECT 1 FROM links l WHERE l.body_hash = b.hash)",
    )?;
    old.iter().try_for_each(|body| own.execute([body.n]).map(|_| ()))?;
    let mut statement = to.prepare_cached("DELETE FROM bodies WHERE n = ?1")?;
    old.iter().try_for_each(|body| statement.execute([body.n]).map(|_| ()))
}

/// Was an own body of this id pruned?
pub fn was_own(from: &Connection, id: RecordId) -> rusqlite::Result<bool> {
    from.prepare_cached("SELECT 1 FROM pruned WHERE id = ?1")?.exists([id.0.as_bytes()])
}

pub fn all_ids(from: &Connection) -> rusqlite::Result<Vec<RecordId>> {
    from.prepare("SELECT id FROM pruned")?.query_map((), |row| Ok(RecordId(Uuid::from_bytes(row.get(0)?))))?.collect()
}

pub fn note_ids(to: &Connection, ids: &[RecordId]) -> rusqlite::Result<()> {
    let mut insert = to.prepare_cached("INSERT OR IGNORE INTO pruned (id) VALUES (?1)")?;
    ids.iter().try_for_each(|id| insert.execute([id.0.as_bytes()]).map(|_| ()))
}

/// An own author's links up to `upto` whose bodies are not here, in order.
pub fn gone(from: &Connection, author: AuthorId, upto: u64) -> rusqlite::Result<Vec<(u64, Hash)>> {
    from.prepare_cached(
        "SELECT l.seq, l.body_hash FROM links l WHERE l.author = ?1 AND l.seq <= ?2
           AND NOT EXISTS (SELECT 1 FROM bodies b WHERE b.hash = l.body_hash) ORDER BY l.seq",
    )?
    .query_map(params![author.0.as_bytes(), super::links::signed(upto)], |row| {
        Ok((super::links::number(row.get(0)?), Hash(row.get(1)?)))
    })?
    .collect()
}

/// What was once here and is pruned: by the link that the server holds it under, else by the own one. `each` gets the
/// author, the number, when the server received it, and the body's hash.
pub fn walk(from: &Connection, mut each: impl FnMut(AuthorId, u64, Option<Ms>, Hash)) -> rusqlite::Result<()> {
    let mut statement = from.prepare(
        "SELECT author, seq, received_at, body_hash FROM held h
           WHERE NOT EXISTS (SELECT 1 FROM bodies b WHERE b.hash = h.body_hash)
         UNION ALL
         SELECT author, seq, NULL, body_hash FROM links l
           WHERE NOT EXISTS (SELECT 1 FROM bodies b WHERE b.hash = l.body_hash)
             AND NOT EXISTS (SELECT 1 FROM held h WHERE h.body_hash = l.body_hash)
         ORDER BY 1, 2",
    )?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let author = AuthorId(Uuid::from_bytes(row.get(0)?));
        let received_at = row.get::<_, Option<i64>>(2)?.map(Ms);
        each(author, super::links::number(row.get(1)?), received_at, Hash(row.get(3)?));
    }
    Ok(())
}
