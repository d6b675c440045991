//! Whatever one of the two copies loses, the other gives back; no number is used twice and nothing comes back that was
//! called "not saved".

use crate::file::{bodies, links, lock, meta};
use crate::second_copy;
use crate::tablet::Tablet;
use crate::testing::*;
use lamplight_domain::chain::{Hash, body_hash};
use lamplight_domain::record::Auth;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;

struct Ground {
    dir: TempDir,
    clock: Arc<HandClock>,
}

fn ground() -> Ground {
    Ground { dir: tempfile::tempdir().unwrap(), clock: HandClock::new() }
}

impl Ground {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
    fn open(&self) -> Tablet {
        open(self.dir.path(), &self.clock)
    }
}

fn check_by(tablet: &Tablet) -> Hash {
    let saved = tablet.record(technician(), Auth::Pin, Some(stay()), None, check(), None).unwrap();
    let bytes = tablet.0.records.read(|from| bodies::own_by_id(from, saved.record)).unwrap().unwrap();
    body_hash(&bytes)
}

/// Bodies linked by the newest author, which are those that will be sent.
fn waiting(tablet: &Tablet) -> Vec<Hash> {
    let author = tablet.sync_state().author.unwrap();
    tablet.0.records.read(|from| links::bodies_after(from, author, 0)).unwrap()
}

fn troubles(tablet: &Tablet) -> BTreeSet<String> {
    tablet.status().troubles.into_iter().map(|t| t.code).collect()
}

/// The program is gone at once, and SQLite had no time to put its log into the file.
fn pull_the_plug(ground: &Ground, tablet: Tablet, keep: impl Fn(&str) -> bool) {
    let after = tempfile::tempdir().unwrap();
    copy(ground.dir.path(), after.path());
    drop(tablet);
    for name in ["records.db", "records.db-wal", "records.db-shm", "second-copy", "identity.db", "identity.db-wal"] {
        let _ = std::fs::remove_file(ground.path(name));
        if after.path().join(name).exists() && keep(name) {
            std::fs::copy(after.path().join(name), ground.path(name)).unwrap();
        }
    }
}

/// With the ward's records in the file itself, so that only what comes after is in the log.
fn checkpointed(ground: &Ground) -> Tablet {
    let tablet = with_patient(ground.dir.path(), &ground.clock, 1);
    tablet.0.records.settle().unwrap();
    tablet.0.identity_file.settle().unwrap();
    tablet
}

#[test]
fn a_log_that_vanished_is_noticed_and_everything_saved_is_back_under_its_number() {
    let ground = ground();
    let tablet = checkpointed(&ground);
    let saved: Vec<Hash> = (0..5).map(|_| check_by(&tablet)).collect();
    let before = tablet.sync_state();
    pull_the_plug(&ground, tablet, |name| name != "records.db-wal" && name != "records.db-shm");
    let tablet = ground.open();
    assert_eq!((waiting(&tablet), tablet.sync_state()), (saved.clone(), before));
    assert!(troubles(&tablet).contains("file.put_back"), "and a person is told");
    assert_eq!(tablet.board().unwrap().cards[0].last_seen.as_ref().unwrap().clock, "02:47");
    let next = check_by(&tablet);
    assert_eq!(waiting(&tablet), [saved, vec![next]].concat());
    drop(tablet);
    assert!(!troubles(&ground.open()).contains("file.put_back"), "there is nothing left to put back");
}

#[test]
fn a_log_with_one_bit_flipped_anywhere_costs_nothing() {
    let ground = ground();
    let tablet = checkpointed(&ground);
    let saved: Vec<Hash> = (0..4).map(|_| check_by(&tablet)).collect();
    let kept = tempfile::tempdir().unwrap();
    copy(ground.dir.path(), kept.path());
    drop(tablet);
    let wal = std::fs::read(kept.path().join("records.db-wal")).unwrap();
    for at in (0..wal.len()).step_by(wal.len() / 40) {
        let bent = tempfile::tempdir().unwrap();
        copy(kept.path(), bent.path());
        let mut wal = wal.clone();
        wal[at] ^= 0x10;
        std::fs::write(bent.path().join("records.db-wal"), wal).unwrap();
        let tablet = open(bent.path(), &ground.clock);
        assert_eq!(waiting(&tablet), saved, "bit at {at}");
    }
}

#[test]
fn a_lost_or_damaged_second_copy_is_begun_anew_from_the_file() {
    for harm in ["gone", "flipped", "cut", "empty"] {
        let ground = ground();
        let tablet = checkpointed(&ground);
        let saved: Vec<Hash> = (0..3).map(|_| check_by(&tablet)).collect();
        drop(tablet);
        let path = ground.path(second_copy::FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        match harm {
            "gone" => std::fs::remove_file(&path).unwrap(),
            "flipped" => {
                bytes[300] ^= 1;
                std::fs::write(&path, bytes).unwrap();
            }
            "cut" => std::fs::write(&path, &bytes[..900]).unwrap(),
            _ => std::fs::write(&path, b"").unwrap(),
        }
        let tablet = ground.open();
        assert_eq!(waiting(&tablet), saved, "{harm}");
        pull_the_plug(&ground, tablet, |name| name != "records.db-wal" && name != "records.db-shm");
        assert_eq!(waiting(&ground.open()), saved, "{harm}, and then the log too");
    }
}

#[test]
fn an_entry_that_was_called_not_saved_does_not_come_back() {
    let ground = ground();
    let tablet = checkpointed(&ground);
    let saved = check_by(&tablet);
    let pages = |n: i64| {
        let limit =
            |to: &rusqlite::Transaction<'_>| to.query_row(&format!("PRAGMA max_page_count = {n}"), (), |_| Ok(()));
        tablet.0.records.write(limit).unwrap();
    };
    let count: i64 = tablet.0.records.read(|from| from.query_row("PRAGMA page_count", (), |row| row.get(0))).unwrap();
    pages(count);
    crate::reserve::free(ground.dir.path());
    let long = lamplight_domain::kinds::Event::Note { words: "x".repeat(4_000) };
    let refused = tablet.record(technician(), Auth::Pin, Some(stay()), None, long, None).unwrap_err();
    assert!(refused.code == "disk.full" && refused.what.starts_with("NOT saved"), "{refused}");
    pages(1 << 30);
    let next = check_by(&tablet);
    assert_eq!(waiting(&tablet), [saved, next]);
    pull_the_plug(&ground, tablet, |name| name != "records.db-wal" && name != "records.db-shm");
    assert_eq!(waiting(&ground.open()), [saved, next]);
}

#[test]
fn a_file_restored_from_an_older_copy_never_gives_a_number_twice() {
    let ground = ground();
    let tablet = checkpointed(&ground);
    let first = check_by(&tablet);
    tablet.0.records.settle().unwrap();
    let older = std::fs::read(ground.path("records.db")).unwrap();
    let author = tablet.sync_state().author;
    let confirmed = check_by(&tablet);
    // What was confirmed stands in the second copy no more.
    {
        let mut hand = lock(&tablet.0.pen);
        let mut pen = hand.take().unwrap();
        pen.confirmed = 2;
        pen.copy = tablet.0.begin_copy(&pen.head, 2).unwrap();
        tablet.0.lay_down(&mut hand, pen);
    }
    let third = check_by(&tablet);
    drop(tablet);
    std::fs::write(ground.path("records.db"), older).unwrap();
    let tablet = ground.open();
    assert_ne!(tablet.sync_state().author, author, "the old author's numbers are not known any more");
    let will_be_sent = waiting(&tablet);
    assert!(will_be_sent.contains(&third) && will_be_sent.contains(&first), "{will_be_sent:?}");
    assert!(!will_be_sent.contains(&confirmed), "that one comes back with the feed");
    let is_healing = tablet.0.records.read(|from| meta::get::<bool>(from, crate::agree::HEALING)).unwrap();
    assert_eq!(is_healing, Some(true), "and the server is asked for what it lacks");
}

#[test]
fn confirmed_entries_that_are_gone_end_the_author_too() {
    let ground = ground();
    let tablet = checkpointed(&ground);
    check_by(&tablet);
    let author = tablet.sync_state().author;
    {
        let mut hand = lock(&tablet.0.pen);
        let mut pen = hand.take().unwrap();
        pen.confirmed = 1;
        pen.copy = tablet.0.begin_copy(&pen.head, 1).unwrap();
        tablet.0.lay_down(&mut hand, pen);
    }
    pull_the_plug(&ground, tablet, |name| name != "records.db-wal" && name != "records.db-shm");
    assert_ne!(ground.open().sync_state().author, author, "number 1 was used, and only the second copy knows");
}

#[test]
fn a_damaged_file_and_a_crash_while_it_is_replaced_lose_nothing() {
    for step in ["moving", "moved", "filled"] {
        let ground = ground();
        let tablet = checkpointed(&ground);
        let saved: BTreeSet<Hash> = (0..6).map(|_| check_by(&tablet)).collect();
        drop(tablet);
        let away = ground.path("set-aside/2026-01-01T000000Z");
        std::fs::create_dir_all(&away).unwrap();
        let mark = if step == "moving" { "moving" } else { "not-taken-over" };
        std::fs::write(away.join(mark), "records.db").unwrap();
        if step != "moving" {
            std::fs::rename(ground.path("records.db"), away.join("records.db")).unwrap();
        }
        if step == "filled" {
            drop(ground.open());
            std::fs::write(away.join("not-taken-over"), "records.db").unwrap();
        }
        let tablet = ground.open();
        let waits = waiting(&tablet);
        assert_eq!(waits.iter().copied().collect::<BTreeSet<_>>(), saved, "{step}");
        assert_eq!(waits.len(), saved.len(), "{step}: nothing twice");
        assert_eq!(tablet.open_stays(), [stay()], "{step}: the ward is known without a network");
        assert!(!away.join("moving").exists() && !away.join("not-taken-over").exists());
        assert!(troubles(&tablet).contains("file.set_aside"));
        drop(tablet);
        assert!(troubles(&ground.open()).contains("file.set_aside"), "{step}: told after a restart too");
    }
}

#[test]
fn a_file_of_nothing_but_rubbish_gives_way_to_the_second_copy() {
    let ground = ground();
    let tablet = checkpointed(&ground);
    let saved: BTreeSet<Hash> = (0..6).map(|_| check_by(&tablet)).collect();
    drop(tablet);
    std::fs::write(ground.path("records.db"), vec![0x5A; 40_000]).unwrap();
    let tablet = ground.open();
    assert_eq!(waiting(&tablet).into_iter().collect::<BTreeSet<_>>(), saved);
    let told = tablet.status().troubles.into_iter().find(|t| t.code == "file.set_aside").unwrap();
    assert!(told.what.contains("6 unsent entries were kept") && !told.what.contains("may be missing"), "{}", told.what);
}

#[test]
fn while_the_second_copy_cannot_be_written_nothing_is_said_to_be_saved() {
    let ground = ground();
    let tablet = checkpointed(&ground);
    let first = check_by(&tablet);
    // A folder in its place: it can be neither appended to nor begun anew.
    lock(&tablet.0.pen).as_mut().unwrap().copy.doubt();
    std::fs::remove_file(ground.path(second_copy::FILE)).unwrap();
    std::fs::create_dir(ground.path(second_copy::FILE)).unwrap();
    let refused = tablet.record(technician(), Auth::Pin, Some(stay()), None, check(), None).unwrap_err();
    assert!(refused.what.starts_with("NOT saved"), "{refused}");
    assert_eq!(waiting(&tablet), [first]);
    std::fs::remove_dir(ground.path(second_copy::FILE)).unwrap();
    let next = check_by(&tablet);
    assert_eq!(waiting(&tablet), [first, next], "saved again as soon as it can be written");
}

#[test]
fn a_lost_roster_is_found_in_the_other_file() {
    let ground = ground();
    drop(checkpointed(&ground));
    let size = std::fs::metadata(ground.path("identity.db")).unwrap().len() as usize;
    std::fs::write(ground.path("identity.db"), vec![0x5A; size]).unwrap();
    let tablet = ground.open();
    assert_eq!(tablet.board().unwrap().cards.len(), 1);
    check_by(&tablet);
}
