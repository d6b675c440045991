//! Who this tablet is: one row of JSON.

use crate::identity::{Identity, Secret};
use rusqlite::{Connection, OptionalExtension};

/// What stands there; a fresh tablet has none.
pub fn get(from: &Connection) -> rusqlite::Result<Option<Identity>> {
    let text: Option<String> =
        from.query_row("SELECT value FROM identity WHERE one = 1", (), |row| row.get(0)).optional()?;
    text.map(|t| {
        serde_json::from_str(&t)
            .map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(e)))
    })
    .transpose()
}

pub fn set(to: &Connection, identity: &Identity) -> rusqlite::Result<()> {
    let text = zeroize::Zeroizing::new(serde_json::to_string(identity).unwrap_or_default());
    to.execute(
        "INSERT INTO identity (one, value) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET value = ?1",
        [text.as_str()],
    )
    .map(|_| ())
}

/// The key of a joining that may be under way.
pub fn joining(from: &Connection) -> rusqlite::Result<Option<Secret>> {
    from.query_row("SELECT seed FROM joining WHERE one = 1", (), |row| Ok(Secret(row.get(0)?))).optional()
}
pub fn set_joining(to: &Connection, seed: &Secret) -> rusqlite::Result<()> {
    to.execute("INSERT INTO joining (one, seed) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET seed = ?1", [seed.0])
        .map(|_| ())
}
pub fn joined(to: &Connection) -> rusqlite::Result<()> {
    to.execute("DELETE FROM joining", ()).map(|_| ())
}
