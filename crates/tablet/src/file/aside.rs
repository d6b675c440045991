//! A damaged file is never deleted: it moves, with its log, into `set-aside/TIME/` beside it.

use lamplight_domain::refusal::Refusal;
use std::fs::File;
use std::path::{Path, PathBuf};

const FOLDER: &str = "set-aside";

/// Moves the file and its `-wal` and `-shm` away; all connections are closed. Returns the folder they are in.
/// Errors: "disk.failed" where the move fails; what could be moved stays moved.
pub fn move_away(path: &Path) -> Result<PathBuf, Refusal> {
    let parent = path.parent().unwrap_or(Path::new("."));
    let moved = folder(&parent.join(FOLDER)).and_then(|folder| {
        for suffix in ["", "-wal", "-shm"] {
            let mut from = path.as_os_str().to_owned();
            from.push(suffix);
            let from = PathBuf::from(from);
            if let (true, Some(name)) = (from.exists(), from.file_name()) {
                std::fs::rename(&from, folder.join(name))?;
            }
        }
        File::open(&folder)?.sync_all()?;
        File::open(parent)?.sync_all()?;
        Ok(folder)
    });
    moved.map_err(|e| {
        Refusal::new(
            "disk.failed",
            format!("This tablet's file is damaged and cannot be set aside: {e}."),
            "Use another tablet or paper, and tell the charge nurse.",
        )
    })
}

/// A new folder named by the time; numbered where several files are set aside within a second.
fn folder(parent: &Path) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(parent)?;
    let time = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).format("%Y-%m-%dT%H%M%SZ");
    for n in 0.. {
        let folder = parent.join(if n == 0 { time.to_string() } else { format!("{time}-{n}") });
        match std::fs::create_dir(&folder) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            other => return other.map(|()| folder),
        }
    }
    unreachable!("some number is free")
}
