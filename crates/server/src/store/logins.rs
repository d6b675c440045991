//! Table `logins`: names, passwords and second factors for the station. One a person.

use lamplight_domain::ids::StaffId;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Secret of a second factor.
pub type FactorSecret = Zeroizing<[u8; 20]>;

#[derive(Clone)]
pub struct Login {
    pub name: String,
    pub staff: StaffId,
    /// An Argon2id PHC string.
    pub password: String,
    /// None where the person logs in with the password alone.
    pub factor: Option<FactorSecret>,
    /// Somebody else made the password.
    pub must_change: bool,
}

const COLUMNS: &str = "name, staff, password, factor, must_change";

fn read(row: &Row<'_>) -> rusqlite::Result<Login> {
    Ok(Login {
        name: row.get(0)?,
        staff: StaffId(Uuid::from_bytes(row.get(1)?)),
        password: row.get(2)?,
        factor: row.get::<_, Option<[u8; 20]>>(3)?.map(Zeroizing::new),
        must_change: row.get(4)?,
    })
}

/// A log-in as a demo or a test has it: the password is the person's own.
pub fn put(db: &Connection, name: &str, staff: StaffId, password: &str) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO logins (name, staff, password) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET staff = excluded.staff, password = excluded.password",
        params![name, staff.0.as_bytes(), password],
    )?;
    Ok(())
}

pub fn find(db: &Connection, name: &str) -> rusqlite::Result<Option<Login>> {
    db.query_row(&format!("SELECT {COLUMNS} FROM logins WHERE name = ?1"), [name], read).optional()
}

pub fn of_staff(db: &Connection, staff: StaffId) -> rusqlite::Result<Option<Login>> {
    db.query_row(&format!("SELECT {COLUMNS} FROM logins WHERE staff = ?1"), [staff.0.as_bytes()], read).optional()
}

pub fn all(db: &Connection) -> rusqlite::Result<Vec<Login>> {
    db.prepare(&format!("SELECT {COLUMNS} FROM logins ORDER BY name"))?.query_map([], read)?.collect()
}

/// In place of whatever the person had; the second factor stays.
pub fn set(db: &Connection, name: &str, staff: StaffId, password: &str, must_change: bool) -> rusqlite::Result<()> {
    let changed = db.execute(
        "UPDATE logins SET name = ?1, password = ?3, must_change = ?4 WHERE staff = ?2",
        params![name, staff.0.as_bytes(), password, must_change],
    )?;
    if changed == 0 {
        db.execute(
            "INSERT INTO logins (name, staff, password, must_change) VALUES (?1, ?2, ?3, ?4)",
            params![name, staff.0.as_bytes(), password, must_change],
        )?;
    }
    Ok(())
}

pub fn remove(db: &Connection, staff: StaffId) -> rusqlite::Result<()> {
    db.execute("DELETE FROM logins WHERE staff = ?1", [staff.0.as_bytes()]).map(|_| ())
}

/// `step`: of the code by which the person showed that they have it.
pub fn set_factor(db: &Connection, staff: StaffId, factor: Option<&FactorSecret>, step: i64) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE logins SET factor = ?2, factor_step = ?3 WHERE staff = ?1",
        params![staff.0.as_bytes(), factor.map(|secret| **secret), step],
    )
    .map(|_| ())
}

/// False where a code of that step, or of a later one, was used before.
pub fn use_step(db: &Connection, staff: StaffId, step: i64) -> rusqlite::Result<bool> {
    let changed = db.execute(
        "UPDATE logins SET factor_step = ?2 WHERE staff = ?1 AND factor_step < ?2",
        params![staff.0.as_bytes(), step],
    )?;
    Ok(changed == 1)
}
