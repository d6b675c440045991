//! Small facts by name, as JSON.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Serialize, de::DeserializeOwned};

/// None where it was never set or cannot be understood.
pub fn get<T: DeserializeOwned>(from: &Connection, name: &str) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = from
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    Ok(text.and_then(|t| serde_json::from_str(&t).ok()))
}

pub fn set<T: Serialize>(to: &Connection, name: &str, value: &T) -> rusqlite::Result<()> {
    let text = serde_json::to_string(value).unwrap_or_default();
    to.prepare_cached("INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2")?
        .execute(params![name, text])
        .map(|_| ())
}
