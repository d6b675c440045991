//! A facility's file and the key that opens it. While one key gives place to another, two lie in the folder: the file
//! itself tells which of them is its own.
//!
//! 1. The next key becomes durable in a file of its own.
//! 2. SQLCipher encrypts every page of the file anew, in one transaction, while nobody else has it open.
//! 3. The next key's file takes the place of the former one's.
//!
//! A cut before 2 is done leaves a file that the former key opens, after it one that the next key opens. Either way
//! whoever opens the folder finds its key, and whoever serves it next ends what was begun.

use super::{connect, open as open_file};
use crate::failpoint::failpoint;
use crate::folder::{DatabaseKey, Folder};
use lamplight_domain::refusal::Refusal;
use rusqlite::Connection;

pub struct Keyed {
    pub db: Connection,
    pub key: DatabaseKey,
    /// It is the next one: its file has not taken the former one's place yet.
    pub is_next: bool,
}

/// Errors: those of [`Folder::key`] and [`super::open`].
pub fn open(folder: &Folder) -> Result<Keyed, Refusal> {
    let path = folder.database();
    let with = |key: DatabaseKey, is_next| Ok(Keyed { db: open_file(&path, &key)?, key, is_next });
    let refusal = match folder.key().and_then(|key| with(key, false)) {
        Err(refusal) if refusal.code == "database.key" || refusal.code == "folder.key" => refusal,
        other => return other,
    };
    // What stands with the key that is expected to fit is what a person can do something about.
    folder.next_key().map_or(Err(refusal.clone()), |next| with(next, true).map_err(|_| refusal))
}

/// Ends what was cut off: the key that fits is the folder's one key. Only for whoever holds the folder's lock.
/// Errors: "folder.unwritable".
pub fn settle(folder: &Folder, keyed: &Keyed) -> Result<(), Refusal> {
    if keyed.is_next { folder.take_next_key() } else { folder.drop_next_key() }
}

/// Puts `next` in the key's place, up to the key file: [`settle`] does the rest, once it is on record. Only for whoever
/// holds the folder's lock.
/// Errors: "rotate.in_use", "rotate.failed"; the former key opens the file then.
pub fn rekey(folder: &Folder, keyed: Keyed, next: DatabaseKey) -> Result<Keyed, Refusal> {
    folder.keep_next_key(&next)?;
    failpoint!("rekey.kept");
    if let Err(e) = alone(&keyed.db) {
        folder.drop_next_key()?;
        return Err(in_use(&e));
    }
    let raw = zeroize::Zeroizing::new(format!("x'{}'", hex::encode(*next)));
    let done = keyed.db.pragma_update(None, "rekey", raw.as_str());
    drop(keyed);
    failpoint!("rekey.done");
    // Nobody believes the answer: what the file opens with, whole, counts.
    let db = done.and_then(|()| whole(folder, &next)).map_err(|e| failed(&e))?;
    Ok(Keyed { db, key: next, is_next: true })
}

/// No other connection is left, and none comes in while this one is open: what waits outside finds a file that its key
/// does not open, and never one that it could still write into.
fn alone(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update_and_check(None, "locking_mode", "exclusive", |r| r.get::<_, String>(0))?;
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "delete", |r| r.get(0))?;
    // EXTRA: the journal is seen to be gone before anything that rests on it is done.
    db.pragma_update(None, "synchronous", "extra")?;
    if mode == "delete" { Ok(()) } else { Err(rusqlite::Error::InvalidQuery) }
}

fn whole(folder: &Folder, key: &DatabaseKey) -> rusqlite::Result<Connection> {
    let db = connect(&folder.database(), key)?;
    let sound: String = db.query_row("PRAGMA quick_check(1)", [], |r| r.get(0))?;
    if sound == "ok" { Ok(db) } else { Err(rusqlite::Error::InvalidQuery) }
}

fn in_use(e: &rusqlite::Error) -> Refusal {
    Refusal::new(
        "rotate.in_use",
        format!("Another program has the facility's file open ({e})."),
        "Wait for it to end, then try again; the key is the one that it was.",
    )
}

fn failed(e: &rusqlite::Error) -> Refusal {
    Refusal::new(
        "rotate.failed",
        format!("The file could not be encrypted anew ({e})."),
        "Nothing is lost: serve the folder as it is. See that its disk is sound and has as much room again as the file.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::meta;
    use crate::surroundings::Surroundings;
    use std::path::Path;
    use zeroize::Zeroizing;

    const NEXT: [u8; 32] = [9; 32];

    fn facility() -> (tempfile::TempDir, Folder, DatabaseKey) {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::make(&dir.path().join("data")).unwrap();
        let key = folder.make_key(&Surroundings::real()).unwrap();
        let db = open_file(&folder.database(), &key).unwrap();
        // More than one page, in the file and in its log.
        for n in 0..200_u32 {
            meta::set(&db, &format!("row {n}"), &n.to_be_bytes().repeat(100)).unwrap();
        }
        (dir, folder, key)
    }

    fn copied(folder: &Folder, to: &Path) -> Folder {
        std::fs::create_dir(to).unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
        Folder::existing(to).unwrap()
    }

    fn rows(db: &Connection) -> i64 {
        db.query_row("SELECT count(*) FROM meta WHERE name LIKE 'row %' AND length(value) = 400", [], |r| r.get(0))
            .unwrap()
    }

    #[test]
    fn the_next_key_opens_all_of_it_and_the_former_one_nothing() {
        let (dir, folder, former) = facility();
        let backup = copied(&folder, &dir.path().join("backup"));
        let next = rekey(&folder, open(&folder).unwrap(), Zeroizing::new(NEXT)).unwrap();
        settle(&folder, &next).unwrap();
        drop(next);
        assert_eq!(open_file(&folder.database(), &former).unwrap_err().code, "database.key");
        let found = open(&folder).unwrap();
        assert_eq!((*found.key, found.is_next, rows(&found.db)), (NEXT, false, 200));
        assert_eq!(found.db.pragma_query_value(None, "journal_mode", |r| r.get::<_, String>(0)).unwrap(), "wal");
        let inside: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).collect();
        for file in inside {
            let bytes = std::fs::read(&file).unwrap();
            let text = hex::encode(*former);
            assert!(!bytes.windows(64).any(|w| w == text.as_bytes()), "{} holds the former key", file.display());
        }
        assert_eq!(rows(&open(&backup).unwrap().db), 200, "a backup opens with the key that lies in it");
    }

    #[test]
    fn wherever_it_is_cut_off_the_key_that_fits_is_found_and_becomes_the_one() {
        let (dir, folder, former) = facility();
        folder.keep_next_key(&Zeroizing::new(NEXT)).unwrap();
        let begun = copied(&folder, &dir.path().join("begun"));
        let keyed = open(&begun).unwrap();
        assert_eq!((keyed.is_next, rows(&keyed.db)), (false, 200));
        settle(&begun, &keyed).unwrap();
        assert!(!begun.next_key_file().exists() && begun.key().unwrap() == former);
        drop(keyed);
        drop(rekey(&folder, open(&folder).unwrap(), Zeroizing::new(NEXT)).unwrap());
        let done = copied(&folder, &dir.path().join("done"));
        assert_eq!(done.key().unwrap(), former);
        let keyed = open(&done).unwrap();
        assert_eq!((keyed.is_next, rows(&keyed.db)), (true, 200));
        settle(&done, &keyed).unwrap();
        assert!(!done.next_key_file().exists() && *done.key().unwrap() == NEXT);
        // Neither fits: what is said is about the key that should.
        std::fs::write(folder.next_key_file(), hex::encode([1; 32])).unwrap();
        assert_eq!(open(&folder).err().unwrap().code, "database.key");
    }

    #[test]
    fn what_is_in_use_or_damaged_keeps_its_key() {
        let (_dir, folder, former) = facility();
        let beside = open(&folder).unwrap();
        beside.db.busy_timeout(std::time::Duration::ZERO).unwrap();
        let keyed = open(&folder).unwrap();
        keyed.db.busy_timeout(std::time::Duration::ZERO).unwrap();
        assert_eq!(rekey(&folder, keyed, Zeroizing::new(NEXT)).err().unwrap().code, "rotate.in_use");
        assert_eq!(rows(&beside.db), 200);
        drop(beside);
        let keyed = open(&folder).unwrap();
        drop(keyed);
        let mut bytes = std::fs::read(folder.database()).unwrap();
        let at = bytes.len() - 2_000;
        bytes[at] ^= 1;
        std::fs::write(folder.database(), &bytes).unwrap();
        let refusal = rekey(&folder, open(&folder).unwrap(), Zeroizing::new(NEXT)).err().unwrap();
        assert_eq!(refusal.code, "rotate.failed", "{refusal}");
        let found = open(&folder).unwrap();
        assert_eq!((&found.key, found.is_next), (&former, false));
    }
}
