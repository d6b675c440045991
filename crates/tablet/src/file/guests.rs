//! People who may work on this tablet for some hours, by a charge nurse's word.

use super::pins::SealedPin;
use lamplight_domain::ids::StaffId;
use lamplight_domain::roster::Staff;
use lamplight_domain::time::Ms;
use rusqlite::{Connection, OptionalExtension, params};

pub fn put(to: &Connection, guest: &Staff, until: Ms, pin: &SealedPin) -> rusqlite::Result<()> {
    debug_assert!(guest.pin.is_none());
    let text = serde_json::to_string(guest).unwrap_or_default();
    to.prepare_cached("INSERT INTO guests (staff, value, until, salt, sealed) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![guest.id.0.as_bytes(), text, until.0, pin.salt, pin.sealed])
        .map(|_| ())
}

pub fn all(from: &Connection) -> rusqlite::Result<Vec<Staff>> {
    let mut statement = from.prepare_cached("SELECT value FROM guests ORDER BY staff")?;
    let texts = statement.query_map((), |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    Ok(texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
}

pub fn pin(from: &Connection, staff: StaffId) -> rusqlite::Result<Option<SealedPin>> {
    from.prepare_cached("SELECT salt, sealed FROM guests WHERE staff = ?1")?
        .query_row([staff.0.as_bytes()], |row| Ok(SealedPin { salt: row.get(0)?, sealed: row.get(1)? }))
        .optional()
}

/// Whose access ended before this: what they wrote is pruned by then.
pub fn forget_before(to: &Connection, ended: Ms) -> rusqlite::Result<()> {
    to.prepare_cached("DELETE FROM guests WHERE until < ?1")?.execute([ended.0]).map(|_| ())
}
