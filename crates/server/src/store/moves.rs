//! Tablets that were moved to another ward and have not been heard there yet, by the ward that they still work on: in
//! table `meta`, a row each. Until a tablet reads its new ward's feed, the old ward waits for what it may know.

use super::{StoreError, meta};
use lamplight_domain::ids::{TabletId, WardId};
use rusqlite::Connection;
use std::collections::HashMap;
use uuid::Uuid;

const PREFIX: &str = "still_on:";

fn name(tablet: TabletId) -> String {
    format!("{PREFIX}{}", tablet.0)
}

pub fn all(db: &Connection) -> Result<HashMap<TabletId, WardId>, StoreError> {
    let mut statement = db.prepare_cached("SELECT substr(name, ?2), value FROM meta WHERE name GLOB ?1 || '*'")?;
    let rows = statement.query_map(rusqlite::params![PREFIX, PREFIX.len() as i64 + 1], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, [u8; 16]>(1)?))
    })?;
    let mut found = HashMap::new();
    for row in rows {
        let (tablet, ward) = row?;
        let tablet = tablet.parse().map_err(|_| StoreError::Broken("a moved tablet has no id".into()))?;
        found.insert(TabletId(tablet), WardId(Uuid::from_bytes(ward)));
    }
    Ok(found)
}

/// Moved once more before it was heard, it still works where it did; moved back, it never left.
pub fn moved(db: &Connection, tablet: TabletId, from: WardId, to: WardId) -> Result<(), StoreError> {
    let still_on = all(db)?.get(&tablet).copied().unwrap_or(from);
    if still_on == to {
        return arrived(db, tablet);
    }
    Ok(meta::set(db, &name(tablet), still_on.0.as_bytes())?)
}

pub fn arrived(db: &Connection, tablet: TabletId) -> Result<(), StoreError> {
    db.execute("DELETE FROM meta WHERE name = ?1", [name(tablet)])?;
    Ok(())
}
