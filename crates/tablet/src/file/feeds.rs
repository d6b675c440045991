//! Where this tablet stands in a ward's feed. Committed together with the page that led there.

use lamplight_domain::ids::WardId;
use lamplight_domain::time::Ms;
use lamplight_domain::wire::FeedFrom;
use rusqlite::{Connection, OptionalExtension, params};

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

pub fn forget_backed_up(to: &Connection, ward: WardId) -> rusqlite::Result<()> {
    to.execute("UPDATE feeds SET backed_up = NULL WHERE ward = ?1", [ward.0.as_bytes()]).map(|_| ())
}
