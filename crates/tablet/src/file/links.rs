//! Own links: the chain of every author that this tablet is or was.

use lamplight_domain::chain::{Hash, Head, Link};
use lamplight_domain::ids::AuthorId;
use rusqlite::{Connection, OptionalExtension, params};

/// Appends a link. Errors: a constraint where the number is taken, so that no number is ever given twice.
pub fn insert(to: &Connection, link: &Link) -> rusqlite::Result<()> {
    to.prepare_cached("INSERT INTO links (author, seq, prev, body_hash, hash) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![link.author.0.as_bytes(), signed(link.seq), link.prev.0, link.body_hash.0, link.hash().0])
        .map(|_| ())
}

/// How far the author's chain goes; an empty head where it has no link.
pub fn head(from: &Connection, author: AuthorId) -> rusqlite::Result<Head> {
    let newest = from
        .prepare_cached("SELECT seq, hash FROM links WHERE author = ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([author.0.as_bytes()], |row| Ok(Head { author, seq: number(row.get(0)?), hash: Hash(row.get(1)?) }))
        .optional()?;
    Ok(newest.unwrap_or(Head::empty(author)))
}

/// The link hash at `seq`; [`Hash::ZERO`] at 0, None past the head.
pub fn hash_at(from: &Connection, author: AuthorId, seq: u64) -> rusqlite::Result<Option<Hash>> {
    if seq == 0 {
        return Ok(Some(Hash::ZERO));
    }
    from.prepare_cached("SELECT hash FROM links WHERE author = ?1 AND seq = ?2")?
        .query_row(params![author.0.as_bytes(), signed(seq)], |row| Ok(Hash(row.get(0)?)))
        .optional()
}

pub fn at(from: &Connection, author: AuthorId, seq: u64) -> rusqlite::Result<Option<Link>> {
    from.prepare_cached("SELECT prev, body_hash FROM links WHERE author = ?1 AND seq = ?2")?
        .query_row(params![author.0.as_bytes(), signed(seq)], |row| {
            Ok(Link { author, seq, prev: Hash(row.get(0)?), body_hash: Hash(row.get(1)?) })
        })
        .optional()
}

/// Links after `seq` with their bodies, in order, until `most` links or `most_bytes` of bodies; at least one where
/// there is one. A body that is gone (pruned) comes as None.
pub fn after(
    from: &Connection,
    author: AuthorId,
    seq: u64,
    most: usize,
    most_bytes: usize,
) -> rusqlite::Result<Vec<(Link, Option<Vec<u8>>)>> {
    let mut statement = from.prepare_cached(
        "SELECT l.seq, l.prev, l.body_hash, b.bytes FROM links l LEFT JOIN bodies b ON b.hash = l.body_hash
         WHERE l.author = ?1 AND l.seq > ?2 ORDER BY l.seq LIMIT ?3",
    )?;
    let mut rows = statement.query(params![author.0.as_bytes(), signed(seq), most as i64])?;
    let (mut out, mut size) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let bytes: Option<Vec<u8>> = row.get(3)?;
        size += bytes.as_ref().map_or(36, |b| b.len() + 4);
        if size > most_bytes && !out.is_empty() {
            break;
        }
        let link = Link { author, seq: number(row.get(0)?), prev: Hash(row.get(1)?), body_hash: Hash(row.get(2)?) };
        out.push((link, bytes));
    }
    Ok(out)
}

/// Hashes of the bodies that the author linked after `seq`, in order.
pub fn bodies_after(from: &Connection, author: AuthorId, seq: u64) -> rusqlite::Result<Vec<Hash>> {
    from.prepare_cached("SELECT body_hash FROM links WHERE author = ?1 AND seq > ?2 ORDER BY seq")?
        .query_map(params![author.0.as_bytes(), signed(seq)], |row| Ok(Hash(row.get(0)?)))?
        .collect()
}

/// Has this author written the body down after `seq`? After 0: at all.
pub fn is_linked_after(from: &Connection, author: AuthorId, seq: u64, body: &Hash) -> rusqlite::Result<bool> {
    from.prepare_cached("SELECT EXISTS (SELECT 1 FROM links WHERE body_hash = ?1 AND author = ?2 AND seq > ?3)")?
        .query_row(params![body.0, author.0.as_bytes(), signed(seq)], |row| row.get(0))
}

/// Has any own author written the body down?
pub fn is_linked_at_all(from: &Connection, body: &Hash) -> rusqlite::Result<bool> {
    from.prepare_cached("SELECT EXISTS (SELECT 1 FROM links WHERE body_hash = ?1)")?
        .query_row([body.0], |row| row.get(0))
}

/// Hashes of all bodies that any own author linked, oldest first, without repeats.
pub fn own_bodies(from: &Connection) -> rusqlite::Result<Vec<Hash>> {
    from.prepare(
        "SELECT b.hash FROM bodies b WHERE EXISTS (SELECT 1 FROM links l WHERE l.body_hash = b.hash) ORDER BY b.n",
    )?
    .query_map((), |row| Ok(Hash(row.get(0)?)))?
    .collect()
}

/// SQLite's integers are signed; a chain of 2^63 links does not happen.
pub fn signed(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
pub fn number(seq: i64) -> u64 {
    u64::try_from(seq).unwrap_or(0)
}
