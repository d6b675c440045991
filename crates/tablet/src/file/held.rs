//! What the server holds, as its feed told.

use super::links::signed;
use lamplight_domain::chain::Hash;
use lamplight_domain::wire::FeedRow;
use rusqlite::{Connection, params};

/// Notes a row of the feed; one that was read before gets its newest number and flags.
pub fn note(to: &Connection, row: &FeedRow, body: &Hash) -> rusqlite::Result<()> {
    let flags = serde_json::to_string(&row.flags).unwrap_or_default();
    to.prepare_cached(
        "INSERT INTO held (author, seq, body_hash, received_at, n, flags) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (author, seq) DO UPDATE SET body_hash = ?3, received_at = ?4, n = ?5, flags = ?6",
    )?
    .execute(params![row.author.0.as_bytes(), signed(row.seq), body.0, row.received_at.0, signed(row.n), flags])
    .map(|_| ())
}
