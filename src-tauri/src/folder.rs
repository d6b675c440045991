//! The tablet's folder: made for this user only, and held by one program at a time. Two programs over one file would
//! be two writers of one chain.

use lamplight_domain::refusal::Refusal;
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Tells this folder from every other of the machine, whatever it is called.
    pub key: String,
}

/// The folder is this program's until it is dropped, or the process ends in any way.
#[derive(Debug)]
pub struct Claim(#[expect(dead_code, reason = "held for its lock")] File);

impl Folder {
    /// Makes the folder where there is none. Errors: "folder.unwritable".
    pub fn of(path: &Path) -> Result<Folder, Refusal> {
        let unwritable = |error: std::io::Error| {
            Refusal::new(
                "folder.unwritable",
                format!("The folder {} cannot be used to keep the tablet's file: {error}.", path.display()),
                "Give a folder that this user may write to, or ask your IT to.",
            )
        };
        if !path.exists() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unwritable)?;
        }
        let path = path.canonicalize().map_err(unwritable)?;
        let about = path.metadata().map_err(unwritable)?;
        if about.is_dir() && about.permissions().mode() & 0o077 != 0 {
            // Another user of this machine has no business here, even with an encrypted file.
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).map_err(unwritable)?;
        }
        Ok(Folder { key: format!("d{}_{}", about.dev(), about.ino()), path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Errors: "folder.taken" while another Lamplight has it, "folder.unwritable".
    pub fn claim(&self) -> Result<Claim, Refusal> {
        let file = self.path.join("lamplight.lock");
        let opened =
            std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&file).map_err(|error| {
                Refusal::new(
                    "folder.unwritable",
                    format!("The folder {} cannot be written to: {error}.", self.path.display()),
                    "Give a folder that this user may write to, or ask your IT to.",
                )
            })?;
        flock(&opened, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            Refusal::new(
                "folder.taken",
                format!("Lamplight is already open with the folder {}.", self.path.display()),
                "Use the window that is open, or start this one with another folder.",
            )
        })?;
        Ok(Claim(opened))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_by_one_at_a_time_and_two_folders_do_not_meet() {
        let temp = tempfile::tempdir().unwrap();
        let (one, two) = (Folder::of(&temp.path().join("a")).unwrap(), Folder::of(&temp.path().join("b")).unwrap());
        assert_ne!(one.key, two.key);
        let held = one.claim().unwrap();
        assert_eq!(one.claim().unwrap_err().code, "folder.taken");
        two.claim().unwrap();
        drop(held);
        one.claim().unwrap();
    }

    #[test]
    fn a_folder_is_for_this_user_only() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("open to all");
        std::fs::create_dir(&dir).unwrap();
        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755)).unwrap();
        Folder::of(&dir).unwrap();
        assert_eq!(dir.metadata().unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_file_in_the_way_is_refused_by_name() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("taken");
        std::fs::write(&path, "").unwrap();
        let refused = Folder::of(&path).and_then(|f| f.claim().map(|_| ())).unwrap_err();
        assert_eq!(refused.code, "folder.unwritable");
        assert!(refused.what.contains("taken"), "{refused}");
    }
}
