//! Table `roster`: every version of what the facility set up. The newest holds.

use super::StoreError;
use lamplight_domain::ids::StaffId;
use lamplight_domain::roster::Roster;
use lamplight_domain::time::Ms;
use rusqlite::{Connection, params};

pub fn newest(db: &Connection) -> Result<Roster, StoreError> {
    let json: String = db.query_row("SELECT json FROM roster ORDER BY version DESC LIMIT 1", [], |r| r.get(0))?;
    serde_json::from_str(&json).map_err(|e| StoreError::Broken(format!("roster, column {}", e.column())))
}

pub fn newest_version(db: &Connection) -> Result<u64, StoreError> {
    let version: i64 = db.prepare_cached("SELECT max(version) FROM roster")?.query_row([], |r| r.get(0))?;
    Ok(u64::try_from(version).unwrap_or(0))
}

/// The version must be a new one.
pub fn put(db: &Connection, roster: &Roster, at: Ms, by: Option<StaffId>) -> Result<(), StoreError> {
    let json = serde_json::to_string(roster).map_err(|e| StoreError::Broken(e.to_string()))?;
    db.execute(
        "INSERT INTO roster (version, changed_at, changed_by, json) VALUES (?1, ?2, ?3, ?4)",
        params![roster.version as i64, at.0, by.map(|s| *s.0.as_bytes()), json],
    )?;
    Ok(())
}
