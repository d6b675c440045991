//! What the server holds, as its feed told.

use super::links::{number, signed};
use lamplight_domain::chain::Hash;
use lamplight_domain::ids::AuthorId;
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{FeedRow, RowRead};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

/// Notes a row of the feed (`feed`: [`super::feeds::read_in`]); one that was read before gets its newest number and
/// flags.
pub fn note(to: &Connection, row: &FeedRow, body: &Hash, feed: Option<i64>) -> rusqlite::Result<()> {
    let flags = serde_json::to_string(&row.flags).unwrap_or_default();
    to.prepare_cached(
        "INSERT INTO held (author, seq, body_hash, received_at, n, flags, feed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (author, seq) DO UPDATE SET body_hash = ?3, received_at = ?4, n = ?5, flags = ?6, feed = ?7",
    )?
    .execute(params![row.author.0.as_bytes(), signed(row.seq), body.0, row.received_at.0, signed(row.n), flags, feed])
    .map(|_| ())
}

/// Everything that the feeds told, by author and number.
pub fn all(from: &Connection) -> rusqlite::Result<Vec<RowRead>> {
    from.prepare("SELECT author, seq, body_hash, received_at, n, feed FROM held ORDER BY author, seq")?
        .query_map((), |row| {
            Ok(RowRead {
                author: AuthorId(Uuid::from_bytes(row.get(0)?)),
                seq: number(row.get(1)?),
                body_hash: Hash(row.get(2)?),
                received_at: Ms(row.get(3)?),
                n: number(row.get(4)?),
                feed: row.get::<_, Option<i64>>(5)?.map(number),
            })
        })?
        .collect()
}

/// The server holds this body no more.
pub fn forget(to: &Connection, body: &Hash) -> rusqlite::Result<()> {
    to.prepare_cached("DELETE FROM held WHERE body_hash = ?1")?.execute([body.0]).map(|_| ())
}

/// The link by which the server holds a body, with all that its feed told of it.
pub fn of_body(from: &Connection, body: &Hash) -> rusqlite::Result<Option<FeedRow>> {
    from.prepare_cached("SELECT author, seq, received_at, n, flags FROM held WHERE body_hash = ?1 LIMIT 1")?
        .query_row([body.0], |row| {
            let flags: String = row.get(4)?;
            Ok(FeedRow {
                author: AuthorId(Uuid::from_bytes(row.get(0)?)),
                seq: number(row.get(1)?),
                received_at: Ms(row.get(2)?),
                n: number(row.get(3)?),
                flags: serde_json::from_str(&flags).unwrap_or_default(),
            })
        })
        .optional()
}
