//! Table `logins`: names and passwords for the station.

use lamplight_domain::ids::StaffId;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

/// `password`: an Argon2id PHC string.
pub fn put(db: &Connection, name: &str, staff: StaffId, password: &str) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO logins (name, staff, password) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET staff = excluded.staff, password = excluded.password",
        params![name, staff.0.as_bytes(), password],
    )?;
    Ok(())
}

/// The person and the PHC string.
pub fn find(db: &Connection, name: &str) -> rusqlite::Result<Option<(StaffId, String)>> {
    db.query_row("SELECT staff, password FROM logins WHERE name = ?1", [name], |r| {
        Ok((StaffId(Uuid::from_bytes(r.get(0)?)), r.get(1)?))
    })
    .optional()
}
