//! Table `links`: who wrote down which body as their n-th. Never changed, never deleted.

use super::authors::AuthorNo;
use super::bodies::BodyNo;
use lamplight_domain::chain::{Hash, Head};
use lamplight_domain::ids::{AuthorId, TabletId};
use lamplight_domain::time::Ms;
use rusqlite::{Connection, OptionalExtension, params};

/// How far an author's chain goes, and since when; None for an empty chain.
pub fn head(db: &Connection, author: AuthorNo, id: AuthorId) -> rusqlite::Result<Option<(Head, Ms)>> {
    db.prepare_cached("SELECT seq, hash, received_at FROM links WHERE author = ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([author.0], |r| {
            Ok((Head { author: id, seq: r.get::<_, i64>(0)? as u64, hash: Hash(r.get(1)?) }, Ms(r.get(2)?)))
        })
        .optional()
}

pub fn hash_at(db: &Connection, author: AuthorNo, seq: u64) -> rusqlite::Result<Option<Hash>> {
    db.prepare_cached("SELECT hash FROM links WHERE author = ?1 AND seq = ?2")?
        .query_row(params![author.0, seq as i64], |r| Ok(Hash(r.get(0)?)))
        .optional()
}

/// What the author wrote down last.
pub fn newest_body(db: &Connection, author: AuthorNo) -> rusqlite::Result<Option<BodyNo>> {
    db.prepare_cached("SELECT body FROM links WHERE author = ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([author.0], |r| Ok(BodyNo(r.get(0)?)))
        .optional()
}

pub fn insert(
    db: &Connection,
    author: AuthorNo,
    seq: u64,
    body: BodyNo,
    hash: &Hash,
    received_at: Ms,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO links (author, seq, body, hash, received_at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![author.0, seq as i64, body.0, hash.0, received_at.0])?;
    Ok(())
}

/// The bodies that a tablet wrote down first, oldest first.
pub fn first_bodies(db: &Connection, tablet: TabletId, limit: u32) -> rusqlite::Result<Vec<Vec<u8>>> {
    db.prepare(
        "SELECT b.bytes FROM authors a JOIN links l ON l.author = a.no JOIN bodies b ON b.no = l.body
         WHERE a.tablet = ?1 ORDER BY a.no, l.seq LIMIT ?2",
    )?
    .query_map(params![tablet.0.as_bytes(), limit], |r| r.get(0))?
    .collect()
}
