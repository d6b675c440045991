//! The newest roster, without the PIN verifiers that came with it.

use lamplight_domain::roster::Roster;
use rusqlite::{Connection, OptionalExtension, params};

pub fn get(from: &Connection) -> rusqlite::Result<Option<Roster>> {
    let text: Option<String> =
        from.query_row("SELECT value FROM roster WHERE one = 1", (), |row| row.get(0)).optional()?;
    Ok(text.and_then(|t| serde_json::from_str(&t).ok()))
}

/// `roster` has been stripped of every verifier by [`super::pins::seal`].
pub fn set(to: &Connection, roster: &Roster) -> rusqlite::Result<()> {
    debug_assert!(roster.staff.iter().all(|s| s.pin.is_none()));
    let text = serde_json::to_string(roster).unwrap_or_default();
    to.execute(
        "INSERT INTO roster (one, version, value) VALUES (1, ?1, ?2)
         ON CONFLICT (one) DO UPDATE SET version = ?1, value = ?2",
        params![super::links::signed(roster.version), text],
    )
    .map(|_| ())
}
