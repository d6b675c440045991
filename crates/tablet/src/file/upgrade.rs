//! A file of an older release becomes one of this release: over a checked copy, in one transaction. The copy stays until
//! the new file was opened soundly, so whatever happens in between, the old one still opens.

use super::{Schema, aside, open};
use crate::keys::DeviceKey;
use lamplight_domain::refusal::Refusal;
use rusqlite::Connection;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Beside the file while it is brought up: "records.db.before".
pub fn copy_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".before");
    PathBuf::from(name)
}

/// Nobody else has the file open. Errors: those of the disk; the file is as it was then.
pub fn bring_up(writer: &mut Connection, path: &Path, key: &DeviceKey, schema: Schema) -> Result<(), open::Failure> {
    let broken = |e: rusqlite::Error| open::Failure::Broken(super::Broken::of(&e, path));
    let on_disk = |e: std::io::Error| open::Failure::Broken(super::Broken::of_io(&e));
    let copy = copy_of(path);
    // All of it in one file, then that file beside it.
    writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).map_err(broken)?;
    std::fs::copy(path, &copy).and_then(|_| File::open(&copy)?.sync_all()).map_err(on_disk)?;
    sync_folder(path).map_err(on_disk)?;
    let is_sound = open::read_only(&copy, key).and_then(|copy| open::is_sound(&copy)).map_err(broken)?;
    if !is_sound {
        let damaged = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        return Err(broken(rusqlite::Error::SqliteFailure(damaged, None)));
    }
    schema.bring_up(writer).map_err(broken)
}

/// The new file was opened soundly.
pub fn done(path: &Path) {
    if std::fs::remove_file(copy_of(path)).is_ok() {
        let _ = sync_folder(path);
    }
}

/// The file that was brought up cannot be used: it is set aside, and the old one stands in its place again. False where
/// there is no whole copy.
pub fn go_back(path: &Path, key: &DeviceKey) -> Result<bool, Refusal> {
    let copy = copy_of(path);
    let is_whole = || open::read_only(&copy, key).and_then(|copy| open::is_sound(&copy)).unwrap_or(false);
    if !copy.exists() || !is_whole() {
        return Ok(false);
    }
    let away = aside::move_away(path)?;
    let put_back = std::fs::rename(&copy, path).and_then(|()| sync_folder(path));
    put_back.and_then(|()| aside::taken_over(&away)).map_err(|e| super::Broken::of_io(&e).refusal())?;
    Ok(true)
}

pub fn not_brought_up(path: &Path) -> Refusal {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Refusal::new(
        "file.not_brought_up",
        format!(
            "This tablet's file {name} could not be brought to this version of Lamplight. The old one is unharmed."
        ),
        "Install the Lamplight that was there before, and tell whoever looks after the tablets.",
    )
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
