//! Where this tablet stands in a ward's feed. Committed together with the page that led there.

use super::links::number;
use super::meta;
use lamplight_domain::ids::WardId;
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{FeedFrom, FeedRead};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

/// Where to read on; the opening where nothing was read yet, or where what is stored cannot be understood.
pub fn next(from: &Connection, ward: WardId) -> rusqlite::Result<FeedFrom> {
    let stored: Option<String> = from
        .prepare_cached("SELECT next FROM feeds WHERE ward = ?1")?
        .query_row([ward.0.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(stored.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(FeedFrom::Opening))
}

pub fn set(to: &Connection, ward: WardId, next: &FeedFrom, backed_up: Option<Ms>) -> rusqlite::Result<()> {
    to.prepare_cached(
        "INSERT INTO feeds (ward, next, backed_up) VALUES (?1, ?2, ?3)
         ON CONFLICT (ward) DO UPDATE SET next = ?2, backed_up = coalesce(?3, backed_up)",
    )?
    .execute(params![ward.0.as_bytes(), serde_json::to_string(next).unwrap_or_default(), backed_up.map(|t| t.0)])
    .map(|_| ())
}

/// Server time up to which the server said that it is backed up.
pub fn backed_up(from: &Connection, ward: WardId) -> rusqlite::Result<Option<Ms>> {
    let found: Option<Option<i64>> = from
        .prepare_cached("SELECT backed_up FROM feeds WHERE ward = ?1")?
        .query_row([ward.0.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(found.flatten().map(Ms))
}

/// The number that stands for this generation of a ward's feed.
pub fn read_in(to: &Connection, ward: WardId, generation: Uuid) -> rusqlite::Result<i64> {
    to.prepare_cached("INSERT OR IGNORE INTO feeds_read (ward, generation) VALUES (?1, ?2)")?
        .execute(params![ward.0.as_bytes(), generation.as_bytes()])?;
    to.prepare_cached("SELECT no FROM feeds_read WHERE ward = ?1 AND generation = ?2")?
        .query_row(params![ward.0.as_bytes(), generation.as_bytes()], |row| row.get(0))
}

/// Every feed that was read, in each of its generations; the cursor where it is still read.
pub fn all_read(from: &Connection) -> rusqlite::Result<Vec<FeedRead>> {
    let mut all: Vec<FeedRead> = from
        .prepare("SELECT no, ward, generation FROM feeds_read ORDER BY no")?
        .query_map((), |row| {
            let (no, ward) = (number(row.get(0)?), WardId(Uuid::from_bytes(row.get(1)?)));
            Ok(FeedRead { no, ward, generation: Uuid::from_bytes(row.get(2)?), cursor: None })
        })?
        .collect::<rusqlite::Result<_>>()?;
    for feed in &mut all {
        let cursor = match next(from, feed.ward)? {
            FeedFrom::Cursor(cursor) => Some(cursor),
            FeedFrom::OpeningNext(mark) => Some(mark.end),
            FeedFrom::Opening => None,
        };
        feed.cursor = cursor.filter(|cursor| cursor.generation == feed.generation);
    }
    Ok(all)
}

/// Of every ward: it may be on another one when it hears of the restore.
pub fn forget_backed_up(to: &Connection) -> rusqlite::Result<()> {
    to.execute("UPDATE feeds SET backed_up = NULL", ()).map(|_| ())
}

/// Wards that this tablet was on before and of which something was pruned since.
const TO_OPEN: &str = "feeds.to_open";

/// Something was pruned: what stands on other wards may be gone with it, so should this tablet ever read one of their feeds
/// again, where it stood there is not enough. Its cursor stays: it may be the only witness of what a server lost.
pub fn pruned_but_for(to: &Connection, ward: WardId) -> rusqlite::Result<()> {
    let others: Vec<WardId> = to
        .prepare_cached("SELECT ward FROM feeds WHERE ward <> ?1")?
        .query_map([ward.0.as_bytes()], |row| Ok(WardId(Uuid::from_bytes(row.get(0)?))))?
        .collect::<rusqlite::Result<_>>()?;
    let marked: Vec<WardId> = meta::get(to, TO_OPEN)?.unwrap_or_default();
    let fresh: Vec<WardId> = others.into_iter().filter(|ward| !marked.contains(ward)).collect();
    if fresh.is_empty() { Ok(()) } else { meta::set(to, TO_OPEN, &[marked, fresh].concat()) }
}

/// Is its feed to be read from the opening, once the server has answered the cursor?
pub fn is_to_open(from: &Connection, ward: WardId) -> rusqlite::Result<bool> {
    Ok(meta::get::<Vec<WardId>>(from, TO_OPEN)?.is_some_and(|marked| marked.contains(&ward)))
}

pub fn opens(to: &Connection, ward: WardId) -> rusqlite::Result<()> {
    let Some(mut marked) = meta::get::<Vec<WardId>>(to, TO_OPEN)? else { return Ok(()) };
    marked.retain(|one| *one != ward);
    meta::set(to, TO_OPEN, &marked)
}
