//! Tries since a person's last right PIN. Counted, and durable, before each check.

use lamplight_domain::ids::StaffId;
use lamplight_domain::time::{Clocks, Ms};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    pub count: u32,
    /// Clocks at the newest try.
    pub at: Clocks,
}

pub fn of(from: &Connection, staff: StaffId) -> rusqlite::Result<Option<Tries>> {
    from.prepare_cached("SELECT tries, wall, boot_id, boot_ms FROM pin_tries WHERE staff = ?1")?
        .query_row([staff.0.as_bytes()], |row| {
            let at = Clocks { wall: Ms(row.get(1)?), boot_id: Uuid::from_bytes(row.get(2)?), boot_ms: row.get(3)? };
            Ok(Tries { count: row.get(0)?, at })
        })
        .optional()
}

pub fn count_one(to: &Connection, staff: StaffId, at: Clocks) -> rusqlite::Result<()> {
    to.prepare_cached(
        "INSERT INTO pin_tries (staff, tries, wall, boot_id, boot_ms) VALUES (?1, 1, ?2, ?3, ?4)
         ON CONFLICT (staff) DO UPDATE SET tries = tries + 1, wall = ?2, boot_id = ?3, boot_ms = ?4",
    )?
    .execute(params![staff.0.as_bytes(), at.wall.0, at.boot_id.as_bytes(), at.boot_ms])
    .map(|_| ())
}

pub fn forget(to: &Connection, staff: StaffId) -> rusqlite::Result<()> {
    to.prepare_cached("DELETE FROM pin_tries WHERE staff = ?1")?.execute([staff.0.as_bytes()]).map(|_| ())
}
