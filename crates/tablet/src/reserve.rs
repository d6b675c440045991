//! A file that is only there to be freed: when the disk is full, it makes room for the checks of the time that somebody
//! needs to make more.

use crate::disk;
use crate::file::broken::free_bytes;
use std::path::Path;

const FILE: &str = "reserve";
/// Some 2,000 entries in both copies, and what SQLite needs to begin at all.
const BYTES: usize = 4 << 20;
/// It is set up again only where that brings the disk nowhere near its end.
const WANTED_FREE: u64 = 64 << 20;

/// Gives the room back. False where it was given already.
pub fn free(dir: &Path) -> bool {
    let freed = disk::remove(&dir.join(FILE)).is_ok();
    if freed {
        tracing::error!("the disk is full; the reserve was freed");
    }
    freed
}

/// Sets room aside where there is plenty. Where there is not, another time will do.
pub fn keep(dir: &Path) {
    let path = dir.join(FILE);
    if path.exists() || free_bytes(&path).is_none_or(|free| free <= WANTED_FREE) {
        return;
    }
    let written =
        disk::create(&path).and_then(|file| disk::write_at(&file, &vec![0; BYTES], 0).and_then(|()| disk::sync(&file)));
    if written.is_err() {
        let _ = disk::remove(&path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_given_back_once_and_set_aside_again() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!free(dir.path()));
        keep(dir.path());
        assert_eq!(std::fs::metadata(dir.path().join(FILE)).unwrap().len(), BYTES as u64);
        assert!(free(dir.path()) && !free(dir.path()));
        keep(dir.path());
        assert!(free(dir.path()));
    }
}
