//! The facility's database: one SQLCipher file, one module a table. `open` is the only way in.

pub mod append;
pub mod audited;
pub mod authors;
pub mod bodies;
pub mod contacts;
pub mod feed;
pub mod filing;
pub mod flags;
pub mod given_access;
pub mod heads;
pub mod invites;
pub mod keyed;
pub mod links;
pub mod logins;
pub mod meta;
pub mod moves;
pub mod odd;
pub mod reach;
pub mod readers;
pub mod roster;
pub mod standing;
mod upgrade;
pub mod writer;

use crate::failpoint::failpoint;
use crate::folder::DatabaseKey;
use lamplight_domain::refusal::Refusal;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// One a released schema, in order; `user_version` counts them.
const STEPS: &[&str] = &[include_str!("schema.sql"), include_str!("schema.2.sql"), include_str!("schema.3.sql")];
const CACHE_KIB: i64 = 16 * 1024;
/// 16 MB of log: a backlog's index pages are written to the file once, and not with every batch.
const CHECKPOINT_PAGES: i64 = 4_096;
/// Another process (a backup, an invite) holds the write lock for moments only.
const BUSY: Duration = Duration::from_secs(15);

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// What stands in the file contradicts itself. Says where, never what.
    #[error("the database contradicts itself: {0}")]
    Broken(String),
    /// What was asked for cannot be, as the file stands now: nothing of it was done.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Many are waiting to write: ask again later.
    #[error("too many are waiting to write")]
    Busy,
    /// The writer has ended, or the work panicked and was rolled back.
    #[error("the work was not done")]
    NotDone,
}

impl StoreError {
    /// After these the connection may give wrong answers: it is closed and opened again.
    pub fn taints_connection(&self) -> bool {
        match self {
            StoreError::Sqlite(rusqlite::Error::SqliteFailure(e, _)) => matches!(
                e.code,
                ErrorCode::DatabaseCorrupt
                    | ErrorCode::NotADatabase
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::DiskFull
                    // What a page whose HMAC does not fit reads as, and what comes after it.
                    | ErrorCode::OutOfMemory
                    | ErrorCode::Unknown
            ),
            _ => false,
        }
    }
}

/// Opens a facility's file, brings its schema up to date, and checks that the key fits.
/// Errors: "database.newer", "database.key", "database.damaged", "database.unreadable".
pub fn open(path: &Path, key: &DatabaseKey) -> Result<Connection, Refusal> {
    open_with(path, key, STEPS)
}

fn open_with(path: &Path, key: &DatabaseKey, steps: &[&str]) -> Result<Connection, Refusal> {
    let mut db = connect(path, key).map_err(|e| unreadable(path, &e))?;
    let version: i64 = db.pragma_query_value(None, "user_version", |r| r.get(0)).map_err(|e| unreadable(path, &e))?;
    if version > steps.len() as i64 {
        return Err(Refusal::new(
            "database.newer",
            format!("{} was written by a newer Lamplight (version {version} of the file).", path.display()),
            "Start the newer lamplight-server with it; nothing was changed.",
        ));
    }
    failpoint!("open.before-migration");
    upgrade::bring_up(&mut db, path, key, steps).map_err(|e| {
        Refusal::new(
            "database.unreadable",
            format!("{} could not be brought up to date ({e}).", path.display()),
            "Nothing was changed. Make room on the disk and start again, or restore the last backup.",
        )
    })?;
    failpoint!("open.migrated");
    Ok(db)
}

/// One more connection to a file that [`open`] has seen.
pub fn connect(path: &Path, key: &DatabaseKey) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    let raw = zeroize::Zeroizing::new(format!("x'{}'", hex::encode(**key)));
    db.pragma_update(None, "key", raw.as_str())?;
    db.busy_timeout(BUSY)?;
    // The first read: fails where the key does not fit.
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get::<_, i64>(0))?;
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "wal", |r| r.get(0))?;
    if mode != "wal" {
        return Err(rusqlite::Error::InvalidQuery);
    }
    db.pragma_update(None, "synchronous", "full")?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "trusted_schema", false)?;
    db.pragma_update(None, "temp_store", "memory")?;
    // Pages that leave the cache are encrypted again when they come back: room for a batch's worth of every index.
    db.pragma_update(None, "cache_size", -CACHE_KIB)?;
    db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

fn unreadable(path: &Path, e: &rusqlite::Error) -> Refusal {
    match e.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => Refusal::new(
            "database.key",
            format!("{} does not open with the server.key beside it, or its first page is damaged.", path.display()),
            "Put the key that belongs to it back, or restore the last backup; nothing was changed.",
        ),
        // SQLCipher's answer to a page whose HMAC does not fit is taken for a want of memory.
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::OutOfMemory) => Refusal::new(
            "database.damaged",
            format!("{} is damaged.", path.display()),
            "Keep the folder as it is, and serve a copy of the last backup.",
        ),
        _ => Refusal::new(
            "database.unreadable",
            format!("{} cannot be opened ({e}).", path.display()),
            "Look at the rights of the folder and the room on its disk, then start again.",
        ),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use zeroize::Zeroizing;

    pub fn fresh() -> (tempfile::TempDir, Connection) {
        let dir = tempfile::tempdir().unwrap();
        let db = open(&dir.path().join("server.db"), &Zeroizing::new([7; 32])).unwrap();
        (dir, db)
    }

    #[test]
    fn a_newer_file_is_refused_by_name_and_left_alone() {
        let (dir, db) = fresh();
        db.pragma_update(None, "user_version", 99).unwrap();
        drop(db);
        let path = dir.path().join("server.db");
        assert_eq!(open(&path, &Zeroizing::new([7; 32])).unwrap_err().code, "database.newer");
        let db = connect(&path, &Zeroizing::new([7; 32])).unwrap();
        assert_eq!(db.pragma_query_value(None, "user_version", |r| r.get::<_, i64>(0)).unwrap(), 99);
    }

    #[test]
    fn an_older_file_is_brought_up_whole_or_not_at_all_over_a_copy() {
        let dir = tempfile::tempdir().unwrap();
        let (path, key) = (dir.path().join("server.db"), Zeroizing::new([7; 32]));
        let version = |db: &Connection| db.pragma_query_value(None, "user_version", |r| r.get::<_, i64>(0)).unwrap();
        let db = open_with(&path, &key, &STEPS[..1]).unwrap();
        meta::set(&db, "kept", b"yes").unwrap();
        drop(db);
        let failing = [STEPS[0], STEPS[1], STEPS[2], "INSERT INTO nowhere VALUES (1)"];
        let refusal = open_with(&path, &key, &failing).unwrap_err();
        assert_eq!(refusal.code, "database.unreadable");
        // Neither step holds; the file and the copy beside it are the old ones.
        for old in [path.clone(), upgrade::copy_of(&path)] {
            let db = connect(&old, &key).unwrap();
            assert_eq!(
                (version(&db), meta::get(&db, "kept").unwrap()),
                (1, Some(b"yes".to_vec())),
                "{}",
                old.display()
            );
        }
        // As a start leaves it that was cut off while it copied.
        std::fs::write(upgrade::copy_of(&path), b"half").unwrap();
        let db = open(&path, &key).unwrap();
        assert_eq!((version(&db), meta::get(&db, "kept").unwrap()), (3, Some(b"yes".to_vec())));
        assert!(!upgrade::copy_of(&path).exists(), "the copy goes once the new file was read");
    }

    #[test]
    fn another_key_is_refused_by_name() {
        let (dir, db) = fresh();
        drop(db);
        let refusal = open(&dir.path().join("server.db"), &Zeroizing::new([8; 32])).unwrap_err();
        assert_eq!(refusal.code, "database.key");
    }

    #[test]
    fn nothing_is_readable_in_the_file() {
        let (dir, db) = fresh();
        meta::set(&db, "canary", b"MATEO GARCIA").unwrap();
        let _: i64 = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0)).unwrap();
        drop(db);
        let bytes = std::fs::read(dir.path().join("server.db")).unwrap();
        assert!(bytes.len() > 4096);
        for clear in [b"MATEO GARCIA".as_slice(), b"SQLite format 3", b"CREATE TABLE"] {
            assert!(!bytes.windows(clear.len()).any(|w| w == clear));
        }
    }

    #[test]
    fn commits_wait_for_the_disk() {
        let (_dir, db) = fresh();
        assert_eq!(db.pragma_query_value(None, "synchronous", |r| r.get::<_, i64>(0)).unwrap(), 2);
        assert_eq!(db.pragma_query_value(None, "journal_mode", |r| r.get::<_, String>(0)).unwrap(), "wal");
    }
}
