//! The rows that a server holds of one author, and how they are put into tables bare: every column is at hand, so
//! nothing is hashed, read or checked on the way.

use anyhow::{Context, Result};
use lamplight_domain::chain::Hash;
use lamplight_tests::programs;
use rusqlite::{Connection, params};
use std::path::Path;
use zeroize::Zeroizing;

/// One record with all that stands beside it in the tables.
#[derive(Clone)]
pub struct Row {
    pub n: i64,
    pub author: [u8; 16],
    pub seq: i64,
    pub hash: [u8; 32],
    pub prev: [u8; 32],
    pub link_hash: [u8; 32],
    pub feed_hash: [u8; 32],
    pub id: [u8; 16],
    pub kind: String,
    pub stay: Option<[u8; 16]>,
    pub observed_at: i64,
    pub recorded_at: i64,
    pub received_at: i64,
    pub bytes: Vec<u8>,
}

const COLUMNS: &str = "SELECT f.n, a.id, b.seq, b.hash,
    coalesce((SELECT p.hash FROM links p WHERE p.author = l.author AND p.seq = l.seq - 1), zeroblob(32)),
    l.hash, f.hash, b.id, b.kind, b.stay, b.observed_at, b.recorded_at, l.received_at, b.bytes
  FROM bodies b JOIN feed f ON f.body = b.no JOIN authors a ON a.no = b.author
  JOIN links l ON l.author = b.author AND l.seq = b.seq";

fn read(db: &Connection, which: &str, values: impl rusqlite::Params) -> Result<Vec<Row>> {
    let row = |r: &rusqlite::Row<'_>| {
        Ok(Row {
            n: r.get(0)?,
            author: r.get(1)?,
            seq: r.get(2)?,
            hash: r.get(3)?,
            prev: r.get(4)?,
            link_hash: r.get(5)?,
            feed_hash: r.get(6)?,
            id: r.get(7)?,
            kind: r.get(8)?,
            stay: r.get(9)?,
            observed_at: r.get(10)?,
            recorded_at: r.get(11)?,
            received_at: r.get(12)?,
            bytes: r.get(13)?,
        })
    };
    let mut statement = db.prepare(&format!("{COLUMNS} {which}"))?;
    let rows = statement.query_map(values, row)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// What a tablet wrote, in its order, by the author id that `lamplight-sim` prints.
pub fn of_author(db: &Connection, author: &str) -> Result<Vec<Row>> {
    let author: uuid::Uuid = author.parse().context("an author's id")?;
    read(db, "WHERE a.id = ?1 ORDER BY b.seq", [author.as_bytes()])
}

/// The rows of these bodies, by their hashes in hexadecimal. A body that came since and is no more in a feed is left out.
pub fn of_hashes(db: &Connection, hashes: &[String]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for hash in hashes {
        let hash: Hash = serde_json::from_value(hash.as_str().into())?;
        rows.extend(read(db, "WHERE b.hash = ?1", [hash.0])?);
    }
    Ok(rows)
}

/// A file as the server's: the same tables, indexes, triggers, cipher and durability.
pub fn server_file(path: &Path) -> Result<Connection> {
    let db = lamplight_server::store::open(path, &Zeroizing::new([7; 32]))?;
    db.execute_batch(
        "INSERT INTO wards (no, id) VALUES (1, zeroblob(16));
         INSERT INTO authors (no, id, key, signature, first_seen_at) VALUES (1, zeroblob(16), zeroblob(32), x'00', 0);",
    )?;
    Ok(db)
}

/// Body, link and feed row of each. `chain`: the author in this file, whose numbers go on.
pub fn into_server_file(db: &Connection, rows: &[Row], chain: i64, feed: i64) -> rusqlite::Result<()> {
    for (row, n) in rows.iter().zip(feed + 1..) {
        db.prepare_cached(
            "INSERT INTO bodies (hash, id, author, seq, kind, stay, observed_at, recorded_at, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            row.hash,
            row.id,
            chain,
            row.seq,
            row.kind,
            row.stay,
            row.observed_at,
            row.recorded_at,
            row.bytes
        ])?;
        let body = db.last_insert_rowid();
        db.prepare_cached("INSERT INTO links (author, seq, body, hash, received_at) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![chain, row.seq, body, row.link_hash, row.received_at])?;
        db.prepare_cached("INSERT INTO feed (ward, n, body, observed_at, hash) VALUES (1, ?1, ?2, ?3, ?4)")?
            .execute(params![n, body, row.observed_at, row.feed_hash])?;
    }
    Ok(())
}

/// A file as the tablet's records file: the same tables, indexes, triggers, cipher and durability.
pub fn tablet_file(path: &Path) -> Result<Connection> {
    let db = Connection::open(path)?;
    db.execute_batch("PRAGMA key = \"x'00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'\"")?;
    set_up(db)
}

/// The same without a cipher.
pub fn plain_tablet_file(path: &Path) -> Result<Connection> {
    set_up(Connection::open(path)?)
}

fn set_up(db: Connection) -> Result<Connection> {
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA recursive_triggers = ON;",
    )?;
    let folder = programs::root().join("crates/tablet/src/file");
    for step in 1.. {
        let Ok(sql) = std::fs::read_to_string(folder.join(format!("records.{step}.sql"))) else { break };
        db.execute_batch(&sql)?;
    }
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

fn body_into_tablet_file(db: &Connection, row: &Row) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO bodies (hash, id, kind, stay, observed_at, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![row.hash, row.id, row.kind, row.stay, row.observed_at, row.bytes])
        .map(|_| ())
}

/// As the tablet's own: body and link.
pub fn own_into_tablet_file(db: &Connection, row: &Row) -> rusqlite::Result<()> {
    body_into_tablet_file(db, row)?;
    db.prepare_cached("INSERT INTO links (author, seq, prev, body_hash, hash) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![row.author, row.seq, row.prev, row.hash, row.link_hash])
        .map(|_| ())
}

/// As what a feed brought: body, and how the server holds it.
pub fn feed_into_tablet_file(db: &Connection, row: &Row) -> rusqlite::Result<()> {
    body_into_tablet_file(db, row)?;
    db.prepare_cached(
        "INSERT INTO held (author, seq, body_hash, received_at, n, flags) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![row.author, row.seq, row.hash, row.received_at, row.n, "[]"])
    .map(|_| ())
}
