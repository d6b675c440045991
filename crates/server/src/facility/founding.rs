//! How a facility comes to be: whole, or not at all. It is made in a folder of its own inside the data folder, and moves
//! out of there once it is complete, its database last. So a start after a cut finds either a facility or what was never
//! one, and then founds again; nothing can have been recorded in it.

use super::identity::{Identity, add_encryption_key};
use crate::failpoint::failpoint;
use crate::folder::{Folder, Lock, unwritable};
use crate::store::{self, StoreError, meta};
use crate::surroundings::Surroundings;
use crate::tls::Authority;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::Roster;
use rusqlite::Connection;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use zeroize::Zeroizing;

/// Inside the data folder; gone once the facility stands.
const FOUNDING: &str = "founding";
/// What may stand in [`FOUNDING`].
const MADE: [&str; 7] =
    ["server.key", "server.db", "server.db-wal", "server.db-shm", "server.db-journal", "ca.pem", ".writable"];
/// In the order in which they move out. The database makes it a facility.
const MOVED: [&str; 3] = ["server.key", "ca.pem", "server.db"];

/// What a data folder holds.
enum Held {
    /// Nothing, or what a founding that was cut off left: nothing was ever recorded here.
    Nothing,
    /// A facility, or something that is none of ours.
    Something,
}

/// Makes a facility in a new folder, with its first roster. Gives back the open file, for whatever else it begins
/// with. Errors: "folder.not_empty", "folder.in_use", "folder.unwritable", those of [`store::open`].
pub fn found(path: &Path, roster: &Roster, around: &Surroundings) -> Result<(Connection, Identity), Refusal> {
    let (db, identity, ()) = found_with(path, roster, around, |_, _| Ok(()))?;
    Ok((db, identity))
}

/// The same with what it begins with: both are there, or neither.
pub fn found_with<T>(
    path: &Path,
    roster: &Roster,
    around: &Surroundings,
    begin: impl FnOnce(&mut Connection, &Identity) -> Result<T, StoreError>,
) -> Result<(Connection, Identity, T), Refusal> {
    found_where_nothing_is(path, roster, around, begin)?.ok_or_else(|| Folder::not_empty(path))
}

/// Founds a facility where the folder is missing or holds nothing. False where something is in it.
/// Errors: those of [`found`].
pub fn found_if_empty(path: &Path, roster: &Roster, around: &Surroundings) -> Result<bool, Refusal> {
    Ok(found_where_nothing_is(path, roster, around, |_, _| Ok(()))?.is_some())
}

type Founded<T> = (Connection, Identity, T);

fn found_where_nothing_is<T>(
    path: &Path,
    roster: &Roster,
    around: &Surroundings,
    begin: impl FnOnce(&mut Connection, &Identity) -> Result<T, StoreError>,
) -> Result<Option<Founded<T>>, Refusal> {
    Folder::make_missing(path)?;
    let folder = Folder::of(path);
    if matches!(held(&folder).map_err(|e| unwritable(path, &e))?, Held::Something) {
        tidy(&folder);
        return Ok(None);
    }
    let inside = path.join(FOUNDING);
    Folder::make_missing(&inside)?;
    let lock = Lock::on_folder(&inside)?;
    // Another process may have been faster.
    if matches!(held(&folder).map_err(|e| unwritable(path, &e))?, Held::Something) {
        return Ok(None);
    }
    clear(&folder).map_err(|e| unwritable(path, &e))?;
    failpoint!("found.begun");
    let begun = make(&Folder::of(&inside), roster, around, begin)?;
    failpoint!("found.made");
    move_out(&folder).map_err(|e| unwritable(path, &e))?;
    failpoint!("found.stands");
    drop(lock);
    tidy(&folder);
    let db = store::open(&folder.database(), &folder.key()?)?;
    let identity = Identity::read(&db).map_err(|e| super::damaged(path, &e))?;
    Ok(Some((db, identity, begun)))
}

fn held(folder: &Folder) -> io::Result<Held> {
    let inside = folder.path().join(FOUNDING);
    let is_begun = inside.is_dir();
    for entry in fs::read_dir(folder.path())? {
        let name = entry?.file_name();
        let is_left = match name.to_str() {
            Some(FOUNDING) => is_begun,
            Some(".writable") => true,
            // Moved out already; the database is not.
            Some("server.key" | "ca.pem") => is_begun && !folder.database().exists(),
            _ => false,
        };
        if !is_left {
            return Ok(Held::Something);
        }
    }
    if is_begun {
        for entry in fs::read_dir(&inside)? {
            let name = entry?.file_name();
            if !MADE.iter().any(|made| name == *made) {
                return Ok(Held::Something);
            }
        }
    }
    Ok(Held::Nothing)
}

/// What a founding that was cut off left. Only after [`held`] found nothing else.
fn clear(folder: &Folder) -> io::Result<()> {
    let inside = folder.path().join(FOUNDING);
    let outside = [folder.key_file(), folder.ca_file(), folder.path().join(".writable")];
    for path in MADE.iter().map(|name| inside.join(name)).chain(outside) {
        match fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    sync(&inside)?;
    sync(folder.path())
}

/// All of it, closed and on the disk.
fn make<T>(
    folder: &Folder,
    roster: &Roster,
    around: &Surroundings,
    begin: impl FnOnce(&mut Connection, &Identity) -> Result<T, StoreError>,
) -> Result<T, Refusal> {
    let key = folder.make_key(around)?;
    failpoint!("found.keyed");
    // Made here, so that it and what SQLite puts beside it are for this user only.
    folder.write_private(&folder.database(), b"")?;
    let mut db = store::open(&folder.database(), &key)?;
    let key = around.signing_key();
    let authority = Authority::make(roster.facility.id, 1, around.now())?;
    folder.write_private(&folder.ca_file(), authority.pem().as_bytes())?;
    let write = || -> Result<T, StoreError> {
        let tx = db.transaction()?;
        meta::set(&tx, meta::FACILITY, roster.facility.id.0.as_bytes())?;
        meta::set(&tx, meta::FACILITY_KEY, &*Zeroizing::new(key.seed()))?;
        meta::set(&tx, meta::CA_CERTIFICATE, &authority.der)?;
        meta::set(&tx, meta::CA_KEY, &authority.key_der)?;
        meta::begin_generation(&tx, around.uuid(), around.now())?;
        add_encryption_key(&tx, around)?;
        store::roster::put(&tx, roster, around.now(), None)?;
        tx.commit()?;
        failpoint!("found.written");
        let identity = Identity::read(&db)?;
        let begun = begin(&mut db, &identity)?;
        // Its log is in the file, and gone, once the last connection is closed.
        db.close().map_err(|(_, e)| e)?;
        if folder.path().join("server.db-wal").exists() {
            return Err(StoreError::Broken("the log of a new file is not in it".into()));
        }
        Ok(begun)
    };
    write().map_err(|e| super::refused_or_damaged(folder.path(), e))
}

fn move_out(folder: &Folder) -> io::Result<()> {
    let inside = folder.path().join(FOUNDING);
    for name in MOVED {
        if name == "server.db" {
            // Whoever finds the database finds its key.
            sync(folder.path())?;
            failpoint!("found.moving");
        }
        fs::rename(inside.join(name), folder.path().join(name))?;
    }
    sync(&inside)?;
    sync(folder.path())
}

/// The emptied folder, where a cut left it: nothing rests on it.
fn tidy(folder: &Folder) {
    // Refused by the system where anything is in it.
    let _ = fs::remove_dir(folder.path().join(FOUNDING));
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::super::set_up;
    use super::*;
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    fn founds(path: &Path) -> bool {
        let around = Surroundings::real();
        found_if_empty(path, &set_up::nothing(&around), &around).unwrap()
    }

    /// Every file below, with what is in it.
    fn files(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut all = BTreeMap::new();
        for entry in fs::read_dir(path).unwrap().map(|e| e.unwrap().path()) {
            if entry.is_dir() {
                all.extend(files(&entry))
            } else {
                _ = all.insert(entry.clone(), fs::read(entry).unwrap())
            }
        }
        all
    }

    #[test]
    fn what_a_founding_leaves_is_a_facility_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        assert!(founds(dir.path()) && !founds(dir.path()));
        let names: Vec<_> = files(dir.path()).into_keys().map(|p| p.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["ca.pem", "server.db", "server.key"]);
        assert!(!dir.path().join(FOUNDING).exists());
    }

    #[test]
    fn a_founding_that_was_cut_off_anywhere_begins_again() {
        let whole = tempfile::tempdir().unwrap();
        founds(whole.path());
        let cuts: [(&[&str], &[&str]); 6] = [
            (&[], &[]),
            (&[".writable"], &[]),
            (&[], &["server.key"]),
            (&[], &["server.key", "server.db", "server.db-wal", "server.db-shm"]),
            (&["server.key"], &["server.db", "ca.pem"]),
            (&["server.key", "ca.pem"], &["server.db"]),
        ];
        for (out, inside) in cuts {
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir(dir.path().join(FOUNDING)).unwrap();
            for name in out {
                fs::write(dir.path().join(name), "cut off").unwrap();
            }
            for name in inside {
                fs::write(dir.path().join(FOUNDING).join(name), "cut off").unwrap();
            }
            assert!(founds(dir.path()), "{out:?} {inside:?}");
            super::super::FacilityServer::open(dir.path(), Surroundings::real()).unwrap();
        }
    }

    #[test]
    fn a_facility_and_what_is_not_ours_are_left_as_they_are() {
        let cases: [&[&str]; 6] = [
            &["server.db"],
            &["server.key"],
            &["ca.pem", "server.key", "serve.lock"],
            &["server.db", "founding/server.db", "founding/server.key"],
            &["founding/letter.txt"],
            &["founding/server.key", "letter.txt"],
        ];
        for names in cases {
            let dir = tempfile::tempdir().unwrap();
            for name in names {
                let path = dir.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "mine").unwrap();
            }
            let before = files(dir.path());
            assert!(!founds(dir.path()), "{names:?}");
            assert_eq!(files(dir.path()), before);
            let around = Surroundings::real();
            let refused = found(dir.path(), &set_up::nothing(&around), &around).err().unwrap();
            assert_eq!(refused.code, "folder.not_empty");
            assert_eq!(files(dir.path()), before);
        }
    }

    #[test]
    fn what_it_begins_with_is_there_with_it_or_nothing_is() {
        let (dir, around) = (tempfile::tempdir().unwrap(), Surroundings::real());
        let roster = set_up::nothing(&around);
        let fails = |_: &mut Connection, _: &Identity| Err::<(), _>(StoreError::NotDone);
        assert!(found_with(dir.path(), &roster, &around, fails).is_err());
        assert!(!dir.path().join("server.db").exists());
        assert!(founds(dir.path()));
    }

    #[test]
    fn two_processes_found_one_facility() {
        let dir = tempfile::tempdir().unwrap();
        let inside = dir.path().join(FOUNDING);
        fs::create_dir(&inside).unwrap();
        let other = Lock::on_folder(&inside).unwrap();
        let around = Surroundings::real();
        let refused = found_if_empty(dir.path(), &set_up::nothing(&around), &around).unwrap_err();
        assert_eq!(refused.code, "folder.in_use");
        drop(other);
        assert!(founds(dir.path()));
    }
}
