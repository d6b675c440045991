//! The data folder: `server.db` (SQLCipher), its key, the certificate authority's certificate, and a lock so that only
//! one process serves it.

use crate::surroundings::Surroundings;
use lamplight_domain::refusal::Refusal;
use rustix::fs::{FlockOperation, flock};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Raw SQLCipher key. Zeroed when dropped.
pub type DatabaseKey = Zeroizing<[u8; 32]>;

/// Of a key, as it stands in its file.
const KEY_DIGITS: usize = 64;

#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A new facility's folder: made where it is missing, refused where anything is in it.
    /// Errors: "folder.not_empty", "folder.unwritable".
    pub fn make(path: &Path) -> Result<Folder, Refusal> {
        Folder::make_missing(path)?;
        let mut inside = std::fs::read_dir(path).map_err(|e| unwritable(path, &e))?;
        if inside.next().is_some() {
            return Err(Folder::not_empty(path));
        }
        Folder::writable(path)
    }

    /// For this user only, where there is none. Errors: "folder.unwritable".
    pub fn make_missing(path: &Path) -> Result<(), Refusal> {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|e| unwritable(path, &e))
    }

    /// Whatever is in it.
    pub fn of(path: &Path) -> Folder {
        Folder { path: path.to_owned() }
    }

    pub fn not_empty(path: &Path) -> Refusal {
        Refusal::new(
            "folder.not_empty",
            format!("The folder {} is not empty.", path.display()),
            "Name a new or an empty folder; nothing in this one was changed.",
        )
    }

    /// A facility's folder. Errors: "folder.no_facility", "folder.unwritable".
    pub fn existing(path: &Path) -> Result<Folder, Refusal> {
        let folder = Folder { path: path.to_owned() };
        if !folder.database().is_file() {
            return Err(Refusal::new(
                "folder.no_facility",
                format!("There is no facility in the folder {}.", path.display()),
                "Name the folder of a facility, or make a demo ward there first: lamplight-server demo --data DIR.",
            ));
        }
        Folder::writable(path)
    }

    fn writable(path: &Path) -> Result<Folder, Refusal> {
        let probe = path.join(".writable");
        let tried = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&probe);
        tried.and_then(|mut f| f.write_all(b"1")).map_err(|e| unwritable(path, &e))?;
        match std::fs::remove_file(&probe) {
            // Another process tried at the same moment.
            Err(e) if e.kind() != ErrorKind::NotFound => Err(unwritable(path, &e)),
            _ => Ok(Folder { path: path.to_owned() }),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
    pub fn database(&self) -> PathBuf {
        self.path.join("server.db")
    }
    pub fn key_file(&self) -> PathBuf {
        self.path.join("server.key")
    }
    /// The key that is to take the other's place, while it does: [`crate::store::keyed`].
    pub fn next_key_file(&self) -> PathBuf {
        self.path.join("server.key.next")
    }
    /// The certificate authority's certificate. Not secret: it is in every invite.
    pub fn ca_file(&self) -> PathBuf {
        self.path.join("ca.pem")
    }

    /// Makes the database key, readable by this user only, and on disk before it is used.
    pub fn make_key(&self, around: &Surroundings) -> Result<DatabaseKey, Refusal> {
        let key = Zeroizing::new(around.bytes::<32>());
        self.keep_key(&key)?;
        Ok(key)
    }

    /// In a folder that has none. Errors: "folder.unwritable".
    pub fn keep_key(&self, key: &DatabaseKey) -> Result<(), Refusal> {
        self.write_private(&self.key_file(), Zeroizing::new(hex::encode(**key)).as_bytes())
    }

    /// Errors: "folder.key" where the key is missing or is none.
    pub fn key(&self) -> Result<DatabaseKey, Refusal> {
        let refuse = |what: String| {
            Refusal::new(
                "folder.key",
                what,
                "Put the server.key that belongs to this folder back, from the backup where need be.",
            )
        };
        let path = self.key_file();
        read_key(&path)
            .map_err(|e| refuse(format!("The database key {} cannot be read ({e}).", path.display())))?
            .ok_or_else(|| refuse(format!("{} does not hold a database key.", path.display())))
    }

    /// None where no key is to take the other's place.
    pub fn next_key(&self) -> Option<DatabaseKey> {
        read_key(&self.next_key_file()).ok().flatten()
    }

    /// Whole or not at all, and on disk before it returns. Errors: "folder.unwritable".
    pub fn keep_next_key(&self, next: &DatabaseKey) -> Result<(), Refusal> {
        let text = Zeroizing::new(hex::encode(**next));
        replace_private(&self.next_key_file(), text.as_bytes()).map_err(|e| unwritable(&self.path, &e))
    }

    /// The next key's file is the key file from now on; what stood in the former one is overwritten.
    /// Errors: "folder.unwritable".
    pub fn take_next_key(&self) -> Result<(), Refusal> {
        let take = || -> std::io::Result<()> {
            // By its handle: after the renaming nothing leads to it any more.
            let former = OpenOptions::new().write(true).open(self.key_file()).ok();
            std::fs::rename(self.next_key_file(), self.key_file())?;
            File::open(&self.path)?.sync_all()?;
            if let Some(mut former) = former {
                former.write_all(&[b'0'; KEY_DIGITS])?;
                former.sync_all()?;
            }
            Ok(())
        };
        take().map_err(|e| unwritable(&self.path, &e))
    }

    /// The next key opens nothing: it was made, and never used. Errors: "folder.unwritable".
    pub fn drop_next_key(&self) -> Result<(), Refusal> {
        match std::fs::remove_file(self.next_key_file()) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            other => other.and_then(|()| File::open(&self.path)?.sync_all()).map_err(|e| unwritable(&self.path, &e)),
        }
    }

    /// Writes a file that only this user may read, and waits until it is on disk.
    pub fn write_private(&self, path: &Path, bytes: &[u8]) -> Result<(), Refusal> {
        let write = || -> std::io::Result<()> {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(|e| unwritable(&self.path, &e))
    }

    /// Puts the authorities' certificates where browsers' owners look for them; whole or not at all.
    pub fn keep_ca(&self, pem: &str) -> Result<(), Refusal> {
        if std::fs::read_to_string(self.ca_file()).is_ok_and(|stands| stands == pem) {
            return Ok(());
        }
        replace_private(&self.ca_file(), pem.as_bytes()).map_err(|e| unwritable(&self.path, &e))
    }

    /// Held while a process serves this folder; given back when dropped. Errors: "folder.in_use".
    pub fn lock(&self) -> Result<Lock, Refusal> {
        let path = self.path.join("serve.lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|e| unwritable(&self.path, &e))?;
        Lock::take(file, &self.path)
    }
}

/// None where the file holds something else.
fn read_key(path: &Path) -> std::io::Result<Option<DatabaseKey>> {
    let mut text = Zeroizing::new(String::new());
    File::open(path)?.take(1024).read_to_string(&mut text)?;
    let mut key = Zeroizing::new([0; 32]);
    Ok(hex::decode_to_slice(text.trim(), &mut *key).is_ok().then_some(key))
}

/// Puts a file that only this user may read in another's place: whole or not at all, and on disk before it returns. What
/// a writing that was cut off left is written over.
pub fn replace_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let fresh = path.with_added_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

pub struct Lock {
    _file: File,
}

impl Lock {
    /// On the folder itself, without a file in it. Errors: "folder.in_use", "folder.unwritable".
    pub fn on_folder(path: &Path) -> Result<Lock, Refusal> {
        Lock::take(File::open(path).map_err(|e| unwritable(path, &e))?, path)
    }

    fn take(file: File, folder: &Path) -> Result<Lock, Refusal> {
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            Refusal::new(
                "folder.in_use",
                format!("Another facility server already serves the folder {}.", folder.display()),
                "Stop it first, or name another folder.",
            )
        })?;
        Ok(Lock { _file: file })
    }
}

pub fn unwritable(path: &Path, e: &std::io::Error) -> Refusal {
    let why = match e.kind() {
        ErrorKind::StorageFull => "the disk is full".to_owned(),
        _ => e.to_string(),
    };
    Refusal::new(
        "folder.unwritable",
        format!("The folder {} cannot be written ({why}).", path.display()),
        "Give this user the right to write there and enough room, or name another folder.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_folder_with_anything_in_it_is_not_made_into_a_facility() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("letter.txt"), "mine").unwrap();
        assert_eq!(Folder::make(dir.path()).unwrap_err().code, "folder.not_empty");
        assert_eq!(std::fs::read(dir.path().join("letter.txt")).unwrap(), b"mine");
        assert_eq!(Folder::existing(dir.path()).unwrap_err().code, "folder.no_facility");
        let under_a_file = dir.path().join("letter.txt/data");
        assert_eq!(Folder::make(&under_a_file).unwrap_err().code, "folder.unwritable");
    }

    #[test]
    fn the_key_is_for_this_user_only_and_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::make(&dir.path().join("data")).unwrap();
        let key = folder.make_key(&Surroundings::real()).unwrap();
        assert_eq!(folder.key().unwrap(), key);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(folder.path()), mode(&folder.key_file())), (0o700, 0o600));
        std::fs::write(folder.key_file(), "not a key").unwrap();
        assert_eq!(folder.key().unwrap_err().code, "folder.key");
    }

    #[test]
    fn two_servers_cannot_serve_one_folder() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::make(&dir.path().join("data")).unwrap();
        let first = folder.lock().unwrap();
        assert_eq!(folder.lock().err().unwrap().code, "folder.in_use");
        drop(first);
        assert!(folder.lock().is_ok());
    }
}
