//! A file of an older release becomes one of this release: over a copy that was checked, all steps in one transaction.
//! The copy stays beside it until the new file was read, so whatever happens in between, the old one can be served again.

use super::StoreError;
use crate::folder::DatabaseKey;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, TransactionBehavior};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A server that still writes to the file is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// Beside the file while it is brought up: "server.db.before".
pub fn copy_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".before");
    PathBuf::from(name)
}

/// `steps[n]` leads from version n to n + 1. After an error the file is as it was.
pub fn bring_up(db: &mut Connection, path: &Path, key: &DatabaseKey, steps: &[&str]) -> Result<(), StoreError> {
    let version = version(db)?;
    if version > 0 && version < steps.len() {
        take_copy(db, path, key)?;
    }
    if version < steps.len() {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have been first.
        for step in steps.iter().skip(self::version(&tx)?) {
            tx.execute_batch(step)?;
        }
        tx.pragma_update(None, "user_version", steps.len() as i64)?;
        tx.commit()?;
    }
    if copy_of(path).exists() {
        read_a_row_of_each(db)?;
        std::fs::remove_file(copy_of(path)).and_then(|()| sync_folder(path)).map_err(on_disk)?;
    }
    Ok(())
}

fn version(db: &Connection) -> Result<usize, StoreError> {
    let version: i64 = db.pragma_query_value(None, "user_version", |r| r.get(0))?;
    Ok(usize::try_from(version).unwrap_or(0))
}

fn take_copy(db: &Connection, path: &Path, key: &DatabaseKey) -> Result<(), StoreError> {
    let to = copy_of(path);
    if to.exists() {
        // Of a start that was cut off: the file itself is still the old one.
        std::fs::remove_file(&to).map_err(on_disk)?;
    }
    let mut copy = Connection::open(&to)?;
    let raw = zeroize::Zeroizing::new(format!("x'{}'", hex::encode(**key)));
    copy.pragma_update(None, "key", raw.as_str())?;
    let deadline = Instant::now() + PATIENCE;
    let backup = Backup::new(db, &mut copy)?;
    while backup.step(-1)? != StepResult::Done {
        if Instant::now() > deadline {
            return Err(StoreError::Busy);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(backup);
    let sound: String = copy.query_row("PRAGMA quick_check(1)", [], |r| r.get(0))?;
    if sound != "ok" {
        return Err(StoreError::Broken("the copy of the file is not sound".into()));
    }
    drop(copy);
    File::open(&to).and_then(|file| file.sync_all()).and_then(|()| sync_folder(path)).map_err(on_disk)
}

fn read_a_row_of_each(db: &Connection) -> Result<(), StoreError> {
    let mut tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let names: Vec<String> = tables.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?;
    for name in names {
        db.query_row(&format!("SELECT count(*) FROM (SELECT 1 FROM \"{name}\" LIMIT 1)"), [], |_| Ok(()))?;
    }
    Ok(())
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn on_disk(e: std::io::Error) -> StoreError {
    StoreError::Broken(format!("the copy beside it: {e}"))
}
