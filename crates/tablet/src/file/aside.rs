//! A damaged file is never deleted: it moves, with its log, into `set-aside/TIME/` beside it.
//!
//! Two marks make that survive any crash. `moving` stands in the folder until every part has moved: until then no
//! fresh file exists, so what stands at the old place is still the damaged one. `not-taken-over` stands until what
//! could be read of it is in the fresh file.

use crate::disk;
use crate::failpoint::failpoint;
use lamplight_domain::refusal::Refusal;
use std::io::Result;
use std::path::{Path, PathBuf};

const FOLDER: &str = "set-aside";
const MOVING: &str = "moving";
const NOT_TAKEN_OVER: &str = "not-taken-over";

/// Moves the file and its `-wal` and `-shm` away; all connections are closed. Returns the folder they are in.
/// Errors: "disk.failed" where the move fails; the next start goes on with it.
pub fn move_away(path: &Path) -> std::result::Result<PathBuf, Refusal> {
    let begun = folder(&parent(path).join(FOLDER)).and_then(|folder| {
        mark(&folder, MOVING, name(path))?;
        disk::sync_folder(parent(&folder))?;
        failpoint!("aside.marked");
        finish(&folder, path)?;
        Ok(folder)
    });
    begun.map_err(|e| cannot(&e))
}

/// Ends a move that a crash cut off. Before the file is opened.
pub fn go_on(path: &Path) -> std::result::Result<(), Refusal> {
    let moving = marked(parent(path), MOVING, name(path));
    moving.and_then(|folders| folders.iter().try_for_each(|folder| finish(folder, path))).map_err(|e| cannot(&e))
}

/// The folders whose file of this name was not taken over yet, oldest first.
pub fn not_taken_over(path: &Path) -> Result<Vec<PathBuf>> {
    marked(parent(path), NOT_TAKEN_OVER, name(path))
}

/// Does anything lie in the folder that was set aside?
pub fn is_any(dir: &Path) -> bool {
    std::fs::read_dir(dir.join(FOLDER)).is_ok_and(|mut inside| inside.next().is_some())
}

/// What could be read of it is durable elsewhere.
pub fn taken_over(folder: &Path) -> Result<()> {
    disk::remove(&folder.join(NOT_TAKEN_OVER))?;
    disk::sync_folder(folder)
}

fn finish(folder: &Path, path: &Path) -> Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut from = path.as_os_str().to_owned();
        from.push(suffix);
        let from = PathBuf::from(from);
        if let (true, Some(name)) = (from.exists(), from.file_name()) {
            disk::rename(&from, &folder.join(name))?;
        }
    }
    disk::sync_folder(parent(path))?;
    failpoint!("aside.moved");
    disk::rename(&folder.join(MOVING), &folder.join(NOT_TAKEN_OVER))?;
    disk::sync_folder(folder)
}

fn mark(folder: &Path, mark: &str, name: &str) -> Result<()> {
    let file = disk::create(&folder.join(mark))?;
    disk::write_at(&file, name.as_bytes(), 0)?;
    disk::sync(&file)?;
    disk::sync_folder(folder)
}

fn marked(dir: &Path, mark: &str, name: &str) -> Result<Vec<PathBuf>> {
    let folders = match std::fs::read_dir(dir.join(FOLDER)) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut found = Vec::new();
    for folder in folders {
        let folder = folder?.path();
        // A mark that was cut off in the writing names nothing yet, and nothing has moved.
        if std::fs::read_to_string(folder.join(mark)).is_ok_and(|text| text == name) {
            found.push(folder);
        }
    }
    found.sort();
    Ok(found)
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|n| n.to_str()).unwrap_or_default()
}

fn cannot(e: &std::io::Error) -> Refusal {
    Refusal::new(
        "disk.failed",
        format!("This tablet's file is damaged and cannot be set aside: {e}."),
        "Use another tablet or paper, and tell the charge nurse.",
    )
}

/// A new folder named by the time; numbered where several files are set aside within a second.
fn folder(parent: &Path) -> Result<PathBuf> {
    match disk::make_folder(parent) {
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
        // Named durably before anything moves into it.
        made => made.and_then(|()| disk::sync_folder(self::parent(parent)))?,
    }
    let time = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).format("%Y-%m-%dT%H%M%SZ");
    for n in 0.. {
        let folder = parent.join(if n == 0 { time.to_string() } else { format!("{time}-{n}") });
        match disk::make_folder(&folder) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            other => return other.map(|()| folder),
        }
    }
    unreachable!("some number is free")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_that_was_cut_off_anywhere_is_ended_before_the_file_is_opened() {
        for moved in 0..3 {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("records.db");
            let parts = ["records.db", "records.db-wal", "records.db-shm"];
            parts.iter().for_each(|part| std::fs::write(dir.path().join(part), part).unwrap());
            let away = folder(&dir.path().join(FOLDER)).unwrap();
            mark(&away, MOVING, "records.db").unwrap();
            for part in &parts[..moved] {
                std::fs::rename(dir.path().join(part), away.join(part)).unwrap();
            }
            go_on(&dir.path().join("identity.db")).unwrap();
            assert!(not_taken_over(&path).unwrap().is_empty(), "another file's move is left alone");
            go_on(&path).unwrap();
            for part in parts {
                assert_eq!(std::fs::read_to_string(away.join(part)).unwrap(), part, "after {moved}");
                assert!(!dir.path().join(part).exists());
            }
            assert_eq!(not_taken_over(&path).unwrap(), std::slice::from_ref(&away));
            taken_over(&away).unwrap();
            assert!(not_taken_over(&path).unwrap().is_empty());
        }
    }
}
