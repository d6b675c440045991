//! An encrypted SQLite file: one connection that writes, one that reads. Nobody holds either across a network call.
//!
//! A transaction is durable when [`File::write`] returns, and not visible to others before. One module a table.

pub mod aside;
pub mod bodies;
pub mod broken;
pub mod drafts;
pub mod feeds;
pub mod guests;
pub mod heads;
pub mod held;
pub mod identity;
pub mod kept;
pub mod links;
pub mod meta;
mod open;
pub mod pin_tries;
pub mod pins;
pub mod pruning;
pub mod receipts;
pub mod rekey;
pub mod roster;
mod schema;
#[cfg(test)]
mod tests;
mod upgrade;

pub use broken::Broken;
pub use open::{is_sound, newer, read_untouched};
pub use schema::Schema;
pub use upgrade::copy_of;

use crate::keys::{self, DeviceKey};
use lamplight_domain::refusal::Refusal;
use open::Pair;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub struct File {
    path: PathBuf,
    key: DeviceKey,
    schema: Schema,
    writer: Mutex<Option<Connection>>,
    reader: Mutex<Option<Connection>>,
    /// Nothing is written: a newer program wrote this file, or the one beside it.
    is_frozen: AtomicBool,
}

impl File {
    /// Opens or makes the file. A damaged one is set aside (see [`aside`]) and a fresh one made; then the second
    /// value says where the damaged one went. Errors: "file.newer", "disk.full", "disk.failed", "cipher.missing".
    pub fn open(path: PathBuf, key: DeviceKey, schema: Schema) -> Result<(File, Option<PathBuf>), Refusal> {
        let mut set_aside = None;
        aside::go_on(&path)?;
        let connections = match open::pair(&path, &key, schema) {
            Ok(pair) => pair,
            Err(open::Failure::Refused(refusal)) => return Err(refusal),
            Err(open::Failure::Broken(broken)) if broken.is_damage() => {
                set_aside = Some(aside::move_away(&path)?);
                open::pair(&path, &key, schema).map_err(open::Failure::refusal)?
            }
            Err(failure) => return Err(failure.refusal()),
        };
        let Pair { writer, reader, is_newer } = connections;
        let (writer, reader) = (Mutex::new(Some(writer)), Mutex::new(Some(reader)));
        let file = File { path, key, schema, writer, reader, is_frozen: AtomicBool::new(is_newer) };
        Ok((file, set_aside))
    }

    /// True where nothing is written.
    pub fn is_frozen(&self) -> bool {
        self.is_frozen.load(Ordering::SeqCst)
    }
    /// From now on nothing is written.
    pub fn freeze(&self) {
        self.is_frozen.store(true, Ordering::SeqCst);
    }

    /// Runs `work` in one transaction and commits it with everything synced to the disk. On an error nothing of it
    /// is kept, with one exception: [`Broken::Io`] leaves open whether it was.
    pub fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, Broken> {
        if self.is_frozen() {
            return Err(Broken::Refused(crate::trouble::newer_file()));
        }
        self.with(&self.writer, |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })
    }

    /// Runs `work` over what is committed.
    pub fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Broken> {
        self.with(&self.reader, |connection| work(connection))
    }

    /// A short look by the writing connection: a long read by the other one does not hold it up.
    pub fn look<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Broken> {
        self.with(&self.writer, |connection| work(connection))
    }

    /// After an I/O error nothing that SQLite says later is reliable: both connections are closed, and the next one
    /// to ask opens them again.
    fn with<T>(
        &self,
        which: &Mutex<Option<Connection>>,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Broken> {
        let mut guard = lock(which);
        if guard.is_none() {
            drop(guard);
            self.reopen()?;
            guard = lock(which);
        }
        let done = work(guard.as_mut().ok_or(Broken::Closed)?).map_err(|e| Broken::of(&e, &self.path));
        if matches!(done, Err(Broken::Io(_))) {
            drop(guard);
            let (mut writer, mut reader) = (lock(&self.writer), lock(&self.reader));
            (*writer, *reader) = (None, None);
        }
        done
    }

    /// Closes both connections and opens them again.
    pub fn reopen(&self) -> Result<(), Broken> {
        let (mut writer, mut reader) = (lock(&self.writer), lock(&self.reader));
        (*writer, *reader) = (None, None);
        let pair = open::pair(&self.path, &self.key, self.schema).map_err(open::Failure::broken)?;
        (*writer, *reader) = (Some(pair.writer), Some(pair.reader));
        Ok(())
    }

    /// Puts the whole log into the file and syncs both. After an I/O error a log that was never synced reads as if it
    /// had been; what this has carried over is on the disk.
    pub fn settle(&self) -> Result<(), Broken> {
        if self.is_frozen() {
            return Ok(());
        }
        self.with(&self.writer, |connection| {
            let is_busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))?;
            if is_busy == 0 {
                return Ok(());
            }
            Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR), None))
        })
    }

    /// Closes both connections, sets the damaged file aside and starts a fresh one. Returns where the old one is.
    pub fn start_afresh(&self) -> Result<PathBuf, Refusal> {
        let (mut writer, mut reader) = (lock(&self.writer), lock(&self.reader));
        (*writer, *reader) = (None, None);
        if self.is_frozen() {
            return Err(crate::trouble::newer_file());
        }
        let away = aside::move_away(&self.path)?;
        let pair = open::pair(&self.path, &self.key, self.schema).map_err(open::Failure::refusal)?;
        (*writer, *reader) = (Some(pair.writer), Some(pair.reader));
        Ok(away)
    }

    /// The folders of earlier files whose content was not taken over yet, oldest first.
    pub fn not_taken_over(&self) -> Result<Vec<PathBuf>, Broken> {
        aside::not_taken_over(&self.path).map_err(|e| Broken::of_io(&e))
    }

    /// Reads what can still be read of a file that was set aside. It is opened read-only and never changed. It may be
    /// under a key before the present one.
    pub fn salvage<T>(
        &self,
        away: &Path,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let path = away.join(self.path.file_name().unwrap_or_default());
        let former = keys::next::former(self.path.parent().unwrap_or(Path::new(".")), &self.key);
        let key = former.iter().rev().find(|key| rekey::opens(&path, key)).unwrap_or(&self.key);
        work(&open::read_only(&path, key)?)
    }
}

/// A lock whose holder panicked is taken all the same: what it guards is committed whole or not at all.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
