//! A file goes over from one key to another: SQLCipher encrypts every page anew, in one transaction with a rollback
//! journal. Whatever ends this program in between, one of the two keys opens it.

use super::{Broken, Schema, is_sound, newer, open};
use crate::keys::DeviceKey;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};

/// Is the file under this key? Nothing is written beside a file of a newer program, which may be looked at only.
pub fn opens(path: &Path, key: &DeviceKey) -> bool {
    version(path, key).is_ok()
}

/// Nobody has the file open. Errors: the file is under `from`, or, where only the looking failed, under `to`.
pub fn rekey(path: &Path, from: &DeviceKey, to: &DeviceKey, schema: Schema) -> Result<(), Broken> {
    let broken = |e: rusqlite::Error| Broken::of(&e, path);
    if version(path, from).map_err(broken)? > schema.version() {
        return Err(Broken::Refused(newer(path)));
    }
    encrypt_anew(path, from, to).map_err(broken)?;
    // Nobody believes the answer: what the file opens with, whole, counts.
    match open::connect(path, to, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(|db| is_sound(&db)).map_err(broken)? {
        true => Ok(()),
        false => Err(Broken::Damaged("after it was encrypted anew".to_owned())),
    }
}

fn encrypt_anew(path: &Path, from: &DeviceKey, to: &DeviceKey) -> rusqlite::Result<()> {
    let db = open::connect(path, from, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // EXTRA: the journal is seen to be gone before anything that rests on it is done.
    db.execute_batch("PRAGMA synchronous = EXTRA; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY")?;
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "delete", |row| row.get(0))?;
    if mode != "delete" {
        return Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None));
    }
    db.pragma_update(None, "rekey", to.pragma().as_str())
}

fn version(path: &Path, key: &DeviceKey) -> rusqlite::Result<i64> {
    // Only a rekeying that was cut off leaves a journal, and whoever looks has to roll it back.
    let db = match journal_of(path).exists() {
        true => open::connect(path, key, OpenFlags::SQLITE_OPEN_READ_WRITE)?,
        false => open::read_only(path, key)?,
    };
    first_page(&db)
}

fn first_page(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("SELECT count(*) FROM sqlite_schema", (), |_| Ok(()))?;
    db.query_row("PRAGMA user_version", (), |row| row.get(0))
}

fn journal_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-journal");
    name.into()
}
