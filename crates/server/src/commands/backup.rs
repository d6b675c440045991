//! `backup`: a copy that serves as it is, taken while the original serves. The copy gets a feed generation of its own,
//! so whoever serves it is to every tablet a server that was restored.

use crate::facility::damaged;
use crate::failpoint::failpoint;
use crate::folder::{DatabaseKey, Folder};
use crate::store::keyed::{self, Keyed};
use crate::store::{self, StoreError, meta};
use crate::surroundings::Surroundings;
use lamplight_domain::kinds::Act;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::Ms;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use serde::Serialize;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

/// Somebody else may hold the file for moments.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Serialize)]
pub struct BackedUp {
    /// Where the copy is.
    pub to: String,
    /// Everything received before this is in it, ms UTC.
    pub backed_up: Ms,
    pub records: u64,
}

/// Errors: those of opening and of [`Folder::make`], "backup.failed".
pub fn backup(path: &Path, to: &Path) -> Result<BackedUp, Refusal> {
    backup_at(path, to, &Surroundings::real())
}

/// The same by another clock than this machine's.
pub fn backup_at(path: &Path, to: &Path, around: &Surroundings) -> Result<BackedUp, Refusal> {
    let from = Folder::existing(path)?;
    let Keyed { mut db, key, .. } = keyed::open(&from)?;
    // Before the copy, so that it is in it: a copy lacks nothing of its original's chains.
    super::audit_beside(path, &mut db, around, Act::BackedUp, "begun")?;
    let mark = mark(&mut db, around).map_err(|e| damaged(path, &e))?;
    let copy = Folder::make(to)?;
    copy.write_private(&copy.database(), b"")?;
    let take = || -> Result<u64, StoreError> {
        copy_into(&db, &copy, &key)?;
        let target = store::connect(&copy.database(), &key)?;
        meta::generation_of_copy(&target, around.uuid())?;
        let records = target.query_row("SELECT count(*) FROM bodies", [], |r| r.get::<_, i64>(0))?;
        target.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get::<_, i64>(0))?;
        Ok(records as u64)
    };
    let records = take().map_err(|e| {
        Refusal::new(
            "backup.failed",
            format!("The copy could not be finished ({e})."),
            format!("Remove {}, make room, and back up again; the original is untouched.", to.display()),
        )
    })?;
    failpoint!("backup.copied");
    on_disk(&copy)?;
    let ca = std::fs::read(from.ca_file()).map_err(|e| {
        Refusal::new(
            "backup.failed",
            format!("{} cannot be read ({e}).", from.ca_file().display()),
            format!("Remove {} and back up again once it can be read.", to.display()),
        )
    })?;
    copy.write_private(&copy.ca_file(), &ca)?;
    // The one that the copy was made with, whichever lies in the original's folder by now.
    copy.keep_key(&key)?;
    failpoint!("backup.keyed");
    // Only now is it true: tablets may prune what is older.
    meta::set(&db, meta::BACKED_UP, &mark.0.to_be_bytes()).map_err(|e| damaged(path, &e.into()))?;
    Ok(BackedUp { to: to.display().to_string(), backed_up: mark, records })
}

/// A moment before which everything received is committed: taken with the write lock held, so that no transaction
/// with an earlier time of receipt is under way.
fn mark(db: &mut Connection, around: &Surroundings) -> Result<Ms, StoreError> {
    let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let now = around.now();
    tx.commit()?;
    Ok(now)
}

/// All pages in one step: a reader's snapshot, which neither waits for the writer nor holds it up.
fn copy_into(db: &Connection, copy: &Folder, key: &DatabaseKey) -> Result<(), StoreError> {
    let mut target = Connection::open(copy.database())?;
    let raw = zeroize::Zeroizing::new(format!("x'{}'", hex::encode(**key)));
    target.pragma_update(None, "key", raw.as_str())?;
    target.pragma_update(None, "synchronous", "full")?;
    let deadline = Instant::now() + PATIENCE;
    let backup = Backup::new(db, &mut target)?;
    loop {
        match backup.step(-1)? {
            StepResult::Done => return Ok(()),
            _ if Instant::now() > deadline => return Err(StoreError::Busy),
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn on_disk(copy: &Folder) -> Result<(), Refusal> {
    let flush = || -> std::io::Result<()> {
        File::open(copy.database())?.sync_all()?;
        File::open(copy.path())?.sync_all()
    };
    flush().map_err(|e| {
        Refusal::new("backup.failed", format!("The copy is not safe on disk ({e})."), "Back up to another folder.")
    })
}
