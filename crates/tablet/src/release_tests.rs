//! One release older or newer: a file of a newer program is read and sent from, and nothing is recorded.

use crate::file::{Schema, lock};
use crate::sync::fake::{FakeFacility, State};
use crate::tablet::{Options, Tablet};
use crate::testing::*;
use lamplight_domain::record::Auth;
use rusqlite::Connection;
use std::path::Path;

/// As a newer program leaves a folder: more tables, a higher version.
fn raise(dir: &Path, name: &str, schema: Schema) {
    let key = crate::keys::DeviceKey::of(dir, true).unwrap();
    let db = Connection::open(dir.join(name)).unwrap();
    db.pragma_update(None, "key", key.pragma().as_str()).unwrap();
    let next = schema.version() + 1;
    db.execute_batch(&format!("CREATE TABLE of_the_future (n INTEGER) STRICT; PRAGMA user_version = {next}")).unwrap();
}

fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && !path.to_string_lossy().ends_with("-shm"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .filter(|(_, bytes)| !bytes.is_empty())
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn an_older_program_reads_and_sends_from_newer_files_and_records_nothing() {
    for name in ["records.db", "identity.db"] {
        let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), FakeFacility::default());
        *lock(&server.0) = State { time: START.0, generation: 1, ..State::default() };
        let tablet = with_patient(dir.path(), &clock, 1);
        for _ in 0..3 {
            tablet.record(technician(), Auth::Pin, Some(stay()), None, check(), None).unwrap();
        }
        drop(tablet);
        raise(dir.path(), name, if name == "records.db" { Schema::Records } else { Schema::Identity });
        let before = files(dir.path());
        let tablet = open(dir.path(), &clock);
        assert_eq!((tablet.sync_state().waiting, tablet.board().unwrap().cards.len()), (3, 1), "{name}");
        let refused = tablet.record(technician(), Auth::Pin, Some(stay()), None, check(), None).unwrap_err();
        assert_eq!(refused.code, "file.newer");
        assert!(refused.what.starts_with("NOT saved."), "{}", refused.what);
        let status = tablet.status();
        assert!(status.troubles.iter().any(|t| t.code == "file.newer"));
        tablet.0.sync_once(&server, &mut Default::default(), true).await.unwrap();
        assert_eq!(tablet.sync_state().waiting, 0, "what waits is sent");
        assert_eq!(lock(&server.0).feed.len(), 3);
        assert!(!tablet.status().online, "it takes nothing in, so it does not say that it is in touch");
        let mut out = Vec::new();
        assert_eq!(tablet.export(&mut out).unwrap(), 6);
        assert_eq!(tablet.prune().unwrap(), 0);
        drop(tablet);
        assert_eq!(files(dir.path()), before, "{name}: not a byte of it has changed");
    }
}

#[test]
fn newer_files_that_this_program_cannot_read_are_refused_by_name() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    drop(with_patient(dir.path(), &clock, 1));
    raise(dir.path(), "identity.db", Schema::Identity);
    let key = crate::keys::DeviceKey::of(dir.path(), true).unwrap();
    let db = Connection::open(dir.path().join("identity.db")).unwrap();
    db.pragma_update(None, "key", key.pragma().as_str()).unwrap();
    db.execute_batch("ALTER TABLE identity RENAME TO identities").unwrap();
    drop(db);
    let refused = Tablet::open(dir.path(), Options { clock, ..Options::default() }).err().unwrap();
    assert_eq!(refused.code, "file.newer");
}

/// The folder of a tablet as release 0.1 left it: six checks and a measurement, of which four are confirmed, and a
/// half-made entry. Every later release opens it. `MAKE_RELEASE=1` makes it once, by the program of that release.
fn release(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/releases").join(name).join("tablet")
}

#[tokio::test]
async fn a_folder_of_release_0_1_is_opened_and_goes_on() {
    let kept = release("0.1");
    if std::env::var_os("MAKE_RELEASE").is_some() && !kept.exists() {
        make(&kept).await;
    }
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), FakeFacility::default());
    copy(&kept, dir.path());
    *lock(&server.0) = State { time: START.0, generation: 1, ..State::default() };
    let tablet = open(dir.path(), &clock);
    let state = tablet.sync_state();
    assert_eq!((state.head, state.confirmed, state.waiting), (7, 4, 3));
    assert_eq!(tablet.board().unwrap().cards.len(), 1);
    assert!(tablet.status().troubles.iter().all(|t| t.code == "disk.nearly_full"), "{:?}", tablet.status().troubles);
    sign_in(&tablet, technician()).await;
    assert_eq!(call(&tablet, "drafts", serde_json::json!({})).await.unwrap().as_array().map(Vec::len), Some(1));
    tablet.record(technician(), Auth::Pin, Some(stay()), None, check(), None).unwrap();
    // To a server that never heard of it.
    tablet.0.sync_once(&server, &mut Default::default(), true).await.unwrap();
    // With the sign-in, which no ward's feed has.
    assert_eq!((tablet.sync_state().head, tablet.sync_state().waiting), (9, 0));
    assert_eq!(lock(&server.0).feed.len(), 8);
    assert_eq!(tablet.export(&mut Vec::new()).unwrap(), 9 + 3);
}

async fn make(kept: &Path) {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), FakeFacility::default());
    *lock(&server.0) = State { time: START.0, generation: 1, ..State::default() };
    let tablet = with_patient(dir.path(), &clock, 1);
    let record = |count: usize| {
        for _ in 0..count {
            tablet.record(technician(), Auth::Pin, Some(stay()), None, check(), None).unwrap();
        }
    };
    record(3);
    tablet.0.sync_once(&server, &mut Default::default(), true).await.unwrap();
    record(3);
    sign_in(&tablet, technician()).await;
    let draft = serde_json::json!({ "id": uuid::Uuid::from_u128(0xD1), "stay": stay(), "begun_at": START,
        "form": "mood", "state": "half" });
    call(&tablet, "keep_draft", draft).await.unwrap();
    tablet.0.records.write(|to| to.execute("DELETE FROM meta WHERE name IN ('kept', 'compatible_from')", ())).unwrap();
    drop(tablet);
    std::fs::create_dir_all(kept).unwrap();
    for name in ["device.key", "device.check", "records.db", "identity.db", "second-copy"] {
        std::fs::copy(dir.path().join(name), kept.join(name)).unwrap();
    }
}
