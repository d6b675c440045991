//! The store keeps its promises whatever is asked of it in SQL, and whatever happens to its files.

use super::*;
use crate::testing::{START, check, foreign, stay};
use lamplight_domain::chain::{Hash, Head, Link, body_hash};
use lamplight_domain::ids::AuthorId;
use std::io::{Seek, SeekFrom, Write};
use tempfile::TempDir;
use uuid::Uuid;

fn fresh() -> (TempDir, File) {
    let dir = tempfile::tempdir().unwrap();
    let file = again(&dir).0;
    (dir, file)
}

fn again(dir: &TempDir) -> (File, Option<PathBuf>) {
    let has_files = dir.path().join("records.db").exists();
    let key = DeviceKey::of(dir.path(), has_files).unwrap();
    File::open(dir.path().join("records.db"), key, Schema::Records).unwrap()
}

fn write_down(file: &File, count: u64) -> Vec<Vec<u8>> {
    let author = AuthorId(Uuid::from_u128(5));
    let all: Vec<_> = (1..=count).map(|n| foreign(u128::from(n), check(), START)).collect();
    file.write(|to| {
        let mut head: Head = links::head(to, author)?;
        for bytes in &all {
            bodies::insert(to, bytes)?;
            let link = Link { author, seq: head.seq + 1, prev: head.hash, body_hash: body_hash(bytes) };
            links::insert(to, &link)?;
            head = Head { author, seq: link.seq, hash: link.hash() };
        }
        Ok(())
    })
    .unwrap();
    all
}

#[test]
fn bodies_and_links_are_never_changed_and_links_never_deleted() {
    let (_dir, file) = fresh();
    write_down(&file, 2);
    for forbidden in [
        "UPDATE bodies SET kind = 'note'",
        "UPDATE bodies SET bytes = x'00'",
        "UPDATE links SET seq = seq + 10",
        "DELETE FROM links",
        "INSERT OR REPLACE INTO links (author, seq, prev, body_hash, hash)
           SELECT author, seq, prev, zeroblob(32), hash FROM links",
    ] {
        let done = file.write(|to| to.execute_batch(forbidden));
        assert!(done.is_err(), "{forbidden}");
    }
    let kept = file.read(|from| links::head(from, AuthorId(Uuid::from_u128(5)))).unwrap();
    assert_eq!(kept.seq, 2);
}

#[test]
fn a_number_is_given_once_and_a_failed_entry_leaves_nothing() {
    let (_dir, file) = fresh();
    let all = write_down(&file, 1);
    let other = foreign(77, check(), START);
    let link = Link { author: AuthorId(Uuid::from_u128(5)), seq: 1, prev: Hash::ZERO, body_hash: body_hash(&other) };
    let done = file.write(|to| {
        bodies::insert(to, &other)?;
        links::insert(to, &link)
    });
    assert!(done.is_err());
    let found =
        file.read(|from| Ok((bodies::bytes(from, &body_hash(&other))?, bodies::bytes(from, &body_hash(&all[0]))?)));
    assert_eq!(found.unwrap(), (None, Some(all[0].clone())));
}

#[test]
fn one_id_with_different_bytes_keeps_both_and_one_body_is_kept_once() {
    let (_dir, file) = fresh();
    let (one, two) = (foreign(1, check(), START), foreign(1, check(), START + 1));
    let new = file.write(|to| Ok((bodies::insert(to, &one)?, bodies::insert(to, &two)?, bodies::insert(to, &one)?)));
    assert_eq!(new.unwrap(), (true, true, false));
}

#[test]
fn it_is_sqlcipher_with_a_synced_log_and_nothing_readable_on_the_disk() {
    let (dir, file) = fresh();
    let note = foreign(1, lamplight_domain::kinds::Event::Note { words: "canary-of-a-note".into() }, START);
    file.write(|to| bodies::insert(to, &note)).unwrap();
    let pragma = |name: &str| {
        file.write(|to| to.query_row(&format!("PRAGMA {name}"), (), |row| row.get::<_, rusqlite::types::Value>(0)))
            .map(|v| format!("{v:?}"))
            .unwrap()
    };
    assert_eq!(pragma("journal_mode"), "Text(\"wal\")");
    assert_eq!(pragma("synchronous"), "Integer(2)");
    assert_eq!(pragma("foreign_keys"), "Integer(1)");
    assert_eq!(pragma("trusted_schema"), "Integer(0)");
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for readable in [&b"canary-of-a-note"[..], b"SQLite format 3", b"CREATE TABLE", b"kind\":\"note"] {
            assert!(!bytes.windows(readable.len()).any(|w| w == readable), "{readable:?}");
        }
    }
}

#[test]
fn every_table_is_strict() {
    let (_dir, file) = fresh();
    let loose = file.read(|from| {
        from.prepare(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' AND strict = 0",
        )?
        .query_map((), |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()
    });
    assert_eq!(loose.unwrap(), Vec::<String>::new());
}

#[test]
fn a_newer_file_whose_links_and_bodies_are_others_is_refused_by_name_and_not_touched() {
    let (dir, file) = fresh();
    write_down(&file, 1);
    let newer = Schema::Records.version() + 1;
    file.write(|to| {
        meta::set(to, "compatible_from", &newer)?;
        to.execute_batch(&format!("PRAGMA user_version = {newer}"))
    })
    .unwrap();
    drop(file);
    let path = dir.path().join("records.db");
    let before = std::fs::read(&path).unwrap();
    let key = DeviceKey::of(dir.path(), true).unwrap();
    let refused = File::open(path.clone(), key, Schema::Records).err().unwrap();
    assert_eq!(refused.code, "file.newer");
    assert!(refused.what.contains("records.db"), "{}", refused.what);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert!(!dir.path().join("set-aside").exists());
}

fn opened(dir: &TempDir, schema: Schema) -> Result<File, Refusal> {
    let key = DeviceKey::of(dir.path(), true).unwrap();
    File::open(dir.path().join("records.db"), key, schema).map(|(file, _)| file)
}

fn version(file: &File) -> i64 {
    file.read(|from| from.query_row("PRAGMA user_version", (), |row| row.get(0))).unwrap()
}

#[test]
fn a_newer_file_is_read_and_nothing_is_written_to_it() {
    let (dir, file) = fresh();
    let all = write_down(&file, 3);
    drop(file);
    let file = opened(&dir, Schema::Next).unwrap();
    assert_eq!((file.is_frozen(), version(&file)), (false, Schema::Next.version()));
    drop(file);
    let path = dir.path().join("records.db");
    let before = std::fs::read(&path).unwrap();
    let file = opened(&dir, Schema::Records).unwrap();
    assert!(file.is_frozen());
    assert_eq!(file.read(|from| bodies::bytes(from, &body_hash(&all[2]))).unwrap(), Some(all[2].clone()));
    let refused = file.write(|to| meta::set(to, "anything", &1)).unwrap_err().refusal();
    assert_eq!((refused.code.as_str(), file.reopen()), ("file.newer", Ok(())));
    assert_eq!(file.start_afresh().unwrap_err().code, "file.newer", "it is not thrown aside either");
    assert!(file.look(|db| db.execute_batch("DELETE FROM bodies")).is_err(), "by no connection");
    drop(file);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn an_older_file_is_brought_up_whole_or_not_at_all() {
    let (dir, file) = fresh();
    let all = write_down(&file, 3);
    drop(file);
    let refused = opened(&dir, Schema::Failing).err().unwrap();
    assert_eq!(refused.code, "file.not_brought_up");
    let file = opened(&dir, Schema::Records).unwrap();
    assert_eq!(
        (version(&file), file.is_frozen()),
        (Schema::Records.version(), false),
        "the step that had worked is undone too"
    );
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'later'";
    assert_eq!(file.read(|from| from.query_row(tables, (), |row| row.get::<_, i64>(0))).unwrap(), 0);
    drop(file);
    let file = opened(&dir, Schema::Next).unwrap();
    assert_eq!(version(&file), Schema::Next.version());
    assert!(file.read(|from| bodies::is_held(from, &body_hash(&all[0]))).unwrap());
    assert!(!upgrade::copy_of(&dir.path().join("records.db")).exists(), "the copy goes once the new file was opened");
}

#[test]
fn a_start_that_was_cut_off_after_the_copy_was_made_goes_on_from_either_file() {
    let (dir, file) = fresh();
    let all = write_down(&file, 3);
    drop(file);
    let path = dir.path().join("records.db");
    let copy = upgrade::copy_of(&path);
    // Cut off while it was copied: half of a copy, and the old file.
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&copy, &whole[..whole.len() / 2]).unwrap();
    let file = opened(&dir, Schema::Next).unwrap();
    assert_eq!(version(&file), Schema::Next.version());
    drop(file);
    // Cut off after the commit: what was brought up turns out to be damaged, and the old one stands again.
    std::fs::write(&copy, &whole).unwrap();
    let mut bent = std::fs::read(&path).unwrap();
    for page in bent[4096..].chunks_mut(4096) {
        page[100] ^= 1;
    }
    std::fs::write(&path, bent).unwrap();
    assert_eq!(opened(&dir, Schema::Next).err().unwrap().code, "file.not_brought_up");
    let file = opened(&dir, Schema::Records).unwrap();
    assert_eq!(version(&file), Schema::Records.version());
    assert!(file.read(|from| bodies::is_held(from, &body_hash(&all[0]))).unwrap());
    assert!(dir.path().join("set-aside").exists(), "and the damaged one is kept too");
}

#[test]
fn a_damaged_first_page_is_set_aside_and_the_file_is_kept() {
    let (dir, file) = fresh();
    write_down(&file, 3);
    drop(file);
    let path = dir.path().join("records.db");
    let mut raw = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    raw.seek(SeekFrom::Start(100)).unwrap();
    raw.write_all(&[0x5A; 64]).unwrap();
    drop(raw);
    let damaged = std::fs::read(&path).unwrap();
    let (file, away) = again(&dir);
    let away = away.unwrap();
    assert_eq!(std::fs::read(away.join("records.db")).unwrap(), damaged);
    assert_eq!(file.read(|from| links::head(from, AuthorId(Uuid::from_u128(5)))).unwrap().seq, 0, "a fresh file");
}

#[test]
fn a_bent_page_in_the_middle_is_named_damage_when_it_is_read() {
    let (dir, file) = fresh();
    write_down(&file, 400);
    drop(file);
    let path = dir.path().join("records.db");
    let size = std::fs::metadata(&path).unwrap().len();
    let mut raw = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    for page in 6..size / 4096 {
        raw.seek(SeekFrom::Start(page * 4096 + 50)).unwrap();
        raw.write_all(&[0xA5; 8]).unwrap();
    }
    drop(raw);
    let key = DeviceKey::of(dir.path(), true).unwrap();
    let read = match File::open(path, key, Schema::Records) {
        Ok((_, Some(away))) => return assert!(away.exists()),
        Ok((file, None)) => file.read(|from| bodies::of_stay(from, stay())).map(|_| ()),
        Err(refusal) => panic!("{refusal}"),
    };
    assert!(read.err().unwrap().is_damage());
}

#[test]
fn set_aside_files_never_overwrite_each_other() {
    let (dir, file) = fresh();
    let folders: Vec<_> = (0..3).map(|_| file.start_afresh().unwrap()).collect();
    assert!(folders.iter().all(|f| f.join("records.db").exists()));
    assert_eq!(std::fs::read_dir(dir.path().join("set-aside")).unwrap().count(), 3);
}

#[test]
fn what_the_disk_refuses_is_sorted_by_what_to_do() {
    let (_dir, file) = fresh();
    let code = |number| {
        let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(number), None);
        Broken::of(&error, &file.path)
    };
    assert_eq!(code(rusqlite::ffi::SQLITE_FULL), Broken::Full);
    assert_eq!(code(rusqlite::ffi::SQLITE_FULL).refusal().code, "disk.full");
    assert!(code(rusqlite::ffi::SQLITE_FULL).not_saved().what.starts_with("NOT saved"));
    assert!(code(rusqlite::ffi::SQLITE_CORRUPT).is_damage());
    assert!(code(rusqlite::ffi::SQLITE_NOTADB).is_damage());
    assert!(matches!(code(rusqlite::ffi::SQLITE_IOERR_FSYNC), Broken::Io(_)));
}

#[test]
fn a_file_that_may_not_grow_refuses_the_entry_and_keeps_the_rest() {
    let (_dir, file) = fresh();
    let all = write_down(&file, 3);
    let pages: i64 = file.read(|from| from.query_row("PRAGMA page_count", (), |row| row.get(0))).unwrap();
    let limit = |pages: i64| file.write(|to| to.query_row(&format!("PRAGMA max_page_count = {pages}"), (), |_| Ok(())));
    limit(pages).unwrap();
    let long = foreign(9, lamplight_domain::kinds::Event::Note { words: "x".repeat(20_000) }, START);
    assert_eq!(file.write(|to| bodies::insert(to, &long)), Err(Broken::Full));
    assert!(file.read(|from| bodies::bytes(from, &body_hash(&all[2]))).unwrap().is_some());
    limit(1 << 30).unwrap();
    assert_eq!(file.write(|to| bodies::insert(to, &long)), Ok(true), "saved when there is room");
}
