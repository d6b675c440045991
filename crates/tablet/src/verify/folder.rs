//! A tablet's folder, opened so that nothing in it changes: SQLite would write beside a file even to read it.

use crate::file::{Broken, Schema, identity, meta, read_untouched};
use crate::identity::Identity;
use crate::keys::{DeviceKey, next, random};
use crate::second_copy;
use crate::tablet::{IDENTITY, IDENTITY_FILE, LOCK_FILE, RECORDS_FILE, in_use};
use lamplight_domain::refusal::Refusal;
use rusqlite::Connection;
use rustix::fs::{FlockOperation, flock};
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

pub(super) struct Folder {
    key: DeviceKey,
    records: Untouched,
    identity: Option<Untouched>,
    /// Nobody writes meanwhile.
    _claim: Option<File>,
}

impl Folder {
    /// Errors: "tablet.in_use", "key.missing", "key.wrong", "file.newer", "file.damaged", "disk.failed".
    pub fn open(dir: &Path) -> Result<Folder, Refusal> {
        let claim = File::open(dir.join(LOCK_FILE)).ok();
        if let Some(file) = &claim {
            flock(file, FlockOperation::NonBlockingLockShared).map_err(|_| in_use())?;
        }
        if !dir.join(RECORDS_FILE).exists() {
            return Err(crate::record::join_first());
        }
        // While a fresh key takes the other's place, each file is under one of the two.
        let keys = next::all(dir, &DeviceKey::of(dir, true)?)?;
        let untouched = |name: &str, schema| {
            let mut opened = keys.iter().map(|key| Untouched::open(&dir.join(name), key, schema));
            let first = opened.next().ok_or_else(|| Broken::Closed.refusal())?;
            first.or_else(|refusal| opened.find_map(Result::ok).ok_or(refusal))
        };
        let records = untouched(RECORDS_FILE, Schema::Records)?;
        let identity =
            dir.join(IDENTITY_FILE).exists().then(|| untouched(IDENTITY_FILE, Schema::Identity)).transpose()?;
        let holds = |key: &&DeviceKey| second_copy::read(dir, key).is_ok_and(|found| found.head.is_some());
        let key = keys.iter().find(holds).or(keys.first()).ok_or_else(|| Broken::Closed.refusal())?.clone();
        Ok(Folder { key, records, identity, _claim: claim })
    }

    pub fn key(&self) -> &DeviceKey {
        &self.key
    }

    pub fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Refusal> {
        self.records.read(work)
    }

    /// The longer list of authors holds, as at a start.
    pub fn identity(&self) -> Result<Option<Identity>, Refusal> {
        let first = self.identity.as_ref().map(|file| file.read(identity::get)).transpose()?.flatten();
        let second: Option<Identity> = self.records.read(|from| meta::get(from, IDENTITY))?;
        let authors = |identity: &Option<Identity>| identity.as_ref().map_or(0, |i| i.authors.len());
        Ok(if authors(&second) > authors(&first) { second } else { first })
    }
}

/// An encrypted file that is read where it lies, or, where a log stands beside it, as a copy elsewhere.
struct Untouched {
    path: PathBuf,
    /// Closed before the copy goes.
    connection: Option<Connection>,
    copy: Option<PathBuf>,
}

impl Untouched {
    fn open(path: &Path, key: &DeviceKey, schema: Schema) -> Result<Untouched, Refusal> {
        let mut logs = vec![beside(path, "-wal"), beside(path, "-journal")];
        logs.retain(|log| std::fs::metadata(log).is_ok_and(|m| m.len() > 0));
        let has_log = !logs.is_empty();
        let copy = if has_log { Some(copied(path, &logs)?) } else { None };
        let at = copy.as_ref().map_or(path.to_owned(), |folder| folder.join(path.file_name().unwrap_or_default()));
        let mut untouched = Untouched { path: path.to_owned(), connection: None, copy };
        let opened = read_untouched(&at, key, has_log);
        untouched.connection = Some(opened.map_err(|e| Broken::of(&e, path).refusal())?);
        let version: i64 = untouched.read(|from| from.query_row("PRAGMA user_version", (), |row| row.get(0)))?;
        if version > schema.version() {
            return Err(crate::file::newer(path));
        }
        Ok(untouched)
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Refusal> {
        let connection = self.connection.as_ref().ok_or_else(|| Broken::Closed.refusal())?;
        work(connection).map_err(|e| Broken::of(&e, &self.path).refusal())
    }
}

impl Drop for Untouched {
    fn drop(&mut self) {
        self.connection = None;
        if let Some(copy) = &self.copy {
            let _ = std::fs::remove_dir_all(copy);
        }
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// The file and its logs, encrypted as they are, in a folder for this user only.
fn copied(path: &Path, logs: &[PathBuf]) -> Result<PathBuf, Refusal> {
    let mut name = [0; 16];
    random(&mut name)?;
    let folder = std::env::temp_dir().join(format!("lamplight-verify-{}", hex::encode(name)));
    let copy = || -> std::io::Result<()> {
        DirBuilder::new().mode(0o700).create(&folder)?;
        for file in std::iter::once(path).chain(logs.iter().map(PathBuf::as_path)) {
            std::fs::copy(file, folder.join(file.file_name().unwrap_or_default()))?;
        }
        Ok(())
    };
    copy().map_err(|e| {
        let _ = std::fs::remove_dir_all(&folder);
        Refusal::new(
            "disk.failed",
            format!("The files cannot be copied for reading: {e}."),
            "Make room in the folder for temporary files (TMPDIR), and try again.",
        )
    })?;
    Ok(folder)
}
