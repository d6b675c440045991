//! Tries at a person's PIN since the last right one. Counted, and durable, before each check. A new PIN has none yet.

use lamplight_domain::ids::StaffId;
use lamplight_domain::time::{Clocks, Ms};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    pub count: u32,
    /// Clocks at the newest try.
    pub at: Clocks,
}

/// At the PIN with this salt.
pub fn of(from: &Connection, staff: StaffId, salt: &[u8; 16]) -> rusqlite::Result<Option<Tries>> {
    from.prepare_cached(
        "SELECT tries, wall, boot_id, boot_ms FROM pin_tries WHERE staff = ?1 AND (salt IS NULL OR salt = ?2)",
    )?
    .query_row(params![staff.0.as_bytes(), salt], tries)
    .optional()
}

/// Everybody with so many tries or more at their PIN as it is now.
pub fn at_least(from: &Connection, count: u32) -> rusqlite::Result<Vec<(StaffId, Tries)>> {
    let mut statement = from.prepare_cached(
        "SELECT t.tries, t.wall, t.boot_id, t.boot_ms, t.staff FROM pin_tries t
           LEFT JOIN pins p ON p.staff = t.staff LEFT JOIN guests g ON g.staff = t.staff
         WHERE t.tries >= ?1 AND (t.salt IS NULL OR t.salt = coalesce(p.salt, g.salt)) ORDER BY t.staff",
    )?;
    statement.query_map([count], |row| Ok((StaffId(Uuid::from_bytes(row.get(4)?)), tries(row)?)))?.collect()
}

pub fn count_one(to: &Connection, staff: StaffId, salt: &[u8; 16], at: Clocks) -> rusqlite::Result<()> {
    to.prepare_cached(
        "INSERT INTO pin_tries (staff, tries, wall, boot_id, boot_ms, salt) VALUES (?1, 1, ?2, ?3, ?4, ?5)
         ON CONFLICT (staff) DO UPDATE SET tries = CASE WHEN salt IS NULL OR salt = ?5 THEN tries + 1 ELSE 1 END,
           wall = ?2, boot_id = ?3, boot_ms = ?4, salt = ?5",
    )?
    .execute(params![staff.0.as_bytes(), at.wall.0, at.boot_id.as_bytes(), at.boot_ms, salt])
    .map(|_| ())
}

pub fn forget(to: &Connection, staff: StaffId) -> rusqlite::Result<()> {
    to.prepare_cached("DELETE FROM pin_tries WHERE staff = ?1")?.execute([staff.0.as_bytes()]).map(|_| ())
}

fn tries(row: &Row<'_>) -> rusqlite::Result<Tries> {
    let at = Clocks { wall: Ms(row.get(1)?), boot_id: Uuid::from_bytes(row.get(2)?), boot_ms: row.get(3)? };
    Ok(Tries { count: row.get(0)?, at })
}
