//! Keys at rest: who can open a tablet's folder, and how a facility comes to what a broken tablet holds.

use crate::fixture::{Ward, holds, note};
use lamplight_tablet::{Options, Tablet, verify};
use lamplight_tests::facility::{Facility, lines};
use lamplight_tests::process::run;
use lamplight_tests::programs;
use lamplight_tests::sim::key_store::FolderStore;
use lamplight_tests::sim::tablet::Walk;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

fn with_store(store: &Path) -> Options {
    std::fs::create_dir_all(store).unwrap();
    let mut options = Options::default();
    options.key_store = Some(Arc::new(FolderStore(store.to_owned())));
    options
}

fn copied(from: &Path, to: &Path) -> PathBuf {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap).filter(|e| e.path().is_file()) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    to.to_owned()
}

/// What `recover` said: the line, or its refusal.
fn recover(facility: &Facility, copy: &Path) -> Result<Value, String> {
    let (status, out, err) = facility.run("recover", &["--tablet", copy.to_str().unwrap()]).unwrap();
    if status.success() { Ok(lines(&out).unwrap().remove(0)) } else { Err(err) }
}

fn sim(dir: &Path, arguments: &[&str]) -> Value {
    let mut command = Command::new(programs::path("lamplight-sim"));
    command.arg("tablet").arg("--dir").arg(dir).args(arguments);
    let (status, out, err) = run(command).unwrap();
    assert!(status.success(), "{arguments:?}: {err}{out}");
    lines(&out).unwrap().remove(0)
}

fn protection(tablet: &Tablet) -> String {
    tablet.status().protection
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tablet_whose_key_store_is_gone_is_opened_by_its_facility_and_what_waited_arrives_once() {
    let ward = Ward::open();
    let (dir, store) = (ward.dir("one"), ward.dir("one-store"));
    let tablet = Tablet::open(&dir, with_store(&store)).unwrap();
    assert!(protection(&tablet).ends_with("the facility cannot open them."));
    tablet.join(&ward.invite, "").await.unwrap();
    let words = protection(&tablet);
    assert!(words.contains("the machine's key store") && words.ends_with("the facility can open them too."), "{words}");
    let walk = Walk::of(&tablet).await.unwrap();
    ward.cable.cut();
    let waiting: Vec<_> = (0..5).map(|n| note(&tablet, &walk, n, "waits").to_string()).collect();
    let held = holds(&tablet);
    tablet.stop();
    drop(tablet);
    // The machine is set up anew; its disk is not lost.
    std::fs::remove_dir_all(&store).unwrap();
    let refusal = Tablet::open(&dir, with_store(&store)).err().unwrap();
    assert_eq!(refusal.code, "key.store");
    ward.cable.restore();
    let copy = copied(&dir, &ward.dir("copy"));
    let before: Vec<_> = ["records.db", "identity.db"].map(|name| std::fs::read(copy.join(name)).unwrap()).into();
    let said = recover(&ward.facility, &copy).unwrap();
    let on_record = ward.facility.command_with("audit", &["--act", "recovered"]).unwrap();
    assert_eq!(on_record.len(), 1, "{on_record:?}");
    assert!(said["name"].as_str().unwrap().starts_with("W-"), "{said}");
    let key = std::fs::read(copy.join("device.key")).unwrap();
    assert!(!said.to_string().contains(&hex::encode(&key)), "no key is printed");
    let after: Vec<_> = ["records.db", "identity.db"].map(|name| std::fs::read(copy.join(name)).unwrap()).into();
    assert!(before == after, "the files themselves are not touched");
    assert_eq!(verify(&copy).unwrap().broken, 0);
    sim(&copy, &["sync"]);
    let on_server = ward.server_holds();
    assert!(waiting.iter().all(|id| on_server.kinds.contains_key(id)));
    assert_eq!((held.missing_from(&on_server), on_server.doubled()), (vec![], vec![]));
    ward.facility.verify().unwrap();
    // On the new machine the key goes into its store, and the file goes.
    let tablet = Tablet::open(&copy, with_store(&ward.dir("new-store"))).unwrap();
    assert!(protection(&tablet).contains("the machine's key store"));
    assert!(!copy.join("device.key").exists());
    assert!(recover(&ward.facility, &copy).unwrap_err().contains("[tablet.in_use]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_recovered_is_refused_by_name_and_left_as_it_is() {
    let ward = Ward::open();
    let tablet = ward.tablet("one").await;
    tablet.stop();
    drop(tablet);
    let whole = ward.dir("one");
    let refused = |copy: &Path, code: &str| {
        let names = |dir: &Path| {
            let mut all: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name()).collect();
            all.sort();
            all
        };
        let before = names(copy);
        let said = recover(&ward.facility, copy).unwrap_err();
        assert!(said.contains(&format!("[{code}]")), "{code}: {said}");
        assert_eq!(names(copy), before, "{code}");
    };
    refused(&whole, "recovery.not_needed");
    let empty = ward.dir("empty");
    std::fs::create_dir(&empty).unwrap();
    refused(&empty, "recovery.no_tablet");
    let copy = copied(&whole, &ward.dir("copy"));
    let sealed = copy.join("device.recovery");
    let text = std::fs::read_to_string(&sealed).unwrap();
    std::fs::remove_file(copy.join("device.key")).unwrap();
    std::fs::remove_file(&sealed).unwrap();
    refused(&copy, "recovery.missing");
    std::fs::write(&sealed, &text[..text.len() / 2]).unwrap();
    refused(&copy, "recovery.unreadable");
    let changed = |field: &str, value: Value| {
        let mut kept: Value = serde_json::from_str(&text).unwrap();
        kept[field] = value;
        std::fs::write(&sealed, kept.to_string()).unwrap();
    };
    changed("v", json!(2));
    refused(&copy, "recovery.unreadable");
    changed("facility", json!(uuid::Uuid::from_u128(1)));
    refused(&copy, "recovery.other_facility");
    changed("to", json!("A".repeat(43)));
    refused(&copy, "recovery.other_key");
    changed("tablet", json!(uuid::Uuid::from_u128(1)));
    refused(&copy, "recovery.damaged");
    let kept: Value = serde_json::from_str(&text).unwrap();
    let bent: String = kept["sealed"].as_str().unwrap().chars().rev().collect();
    changed("sealed", json!(bent));
    refused(&copy, "recovery.damaged");
    std::fs::write(&sealed, &text).unwrap();
    std::fs::write(copy.join("device.check"), [0; 16]).unwrap();
    refused(&copy, "recovery.does_not_fit");
    std::fs::copy(whole.join("device.check"), copy.join("device.check")).unwrap();
    std::fs::write(copy.join("device.key"), [7; 32]).unwrap();
    assert_eq!(Tablet::open(&copy, Options::default()).err().unwrap().code, "key.wrong");
    // Another facility's server, with a whole recovery file.
    let other = Facility::demo_with(&["--seed", "8"]).unwrap();
    assert!(recover(&other, &copy).unwrap_err().contains("[recovery.other_facility]"));
    recover(&ward.facility, &copy).unwrap();
    assert_eq!(std::fs::read(copy.join("device.key.not-fitting-1")).unwrap(), [7; 32], "nothing is thrown away");
    assert!(Tablet::open(&copy, Options::default()).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_program_leaves_its_memory_on_the_disk_or_to_its_neighbours() {
    let ward = Ward::open();
    let pid = ward.facility.pid().unwrap();
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    // A program that may be dumped belongs, in /proc, to who runs it; one that may not, to root. Told apart by who may
    // read its memory map only where this test is not root itself, so the kernel's own word is asked for.
    let own = rustix::process::dumpable_behavior().unwrap();
    assert_eq!(own, rustix::process::DumpableBehavior::Dumpable, "a test may be dumped");
    lamplight_server::core_dumps::off().unwrap();
    assert_eq!(rustix::process::dumpable_behavior().unwrap(), rustix::process::DumpableBehavior::NotDumpable);
}

/// What a panic says may be any value that the program held.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_breaks_says_where_and_no_word_of_what() {
    if !cfg!(debug_assertions) {
        eprintln!("skipped: only a debug build can be told to break at a step");
        return;
    }
    let breaks = |step: &str| ("FAILPOINTS".to_owned(), format!("{step}=panic(Quennevilleau)"));
    let says_where_only = |said: &str, what: &str| {
        assert!(said.contains("a mistake in the program") && said.contains(".rs:"), "{what}: {said}");
        assert!(!said.contains("Quennevilleau"), "{what}: {said}");
    };
    let mut ward = Ward::open();
    let tablet = ward.tablet("tablet").await;
    let walk = Walk::of(&tablet).await.unwrap();
    ward.facility.stop().unwrap();
    ward.facility.environment.push(breaks("push.before-commit"));
    ward.facility.start().unwrap();
    note(&tablet, &walk, 0, "slept");
    assert!(tablet.sync_now().await.is_err());
    let logs = std::fs::read_dir(ward.facility.logs()).unwrap().map(|file| file.unwrap().path());
    let said: String = logs.map(|file| std::fs::read_to_string(file).unwrap_or_default()).collect();
    says_where_only(&said, "the server");

    ward.facility.environment.clear();
    ward.facility.kill();
    ward.facility.start().unwrap();
    let invite = ward.facility.invite(&ward.cable.url(), 1).unwrap();
    let mut app = Command::new(programs::path("lamplight"));
    app.arg("--data").arg(ward.dir("app")).args(["--no-key-store", "--join", &invite]);
    let broken = app.envs([breaks("join.key-kept")]).output().unwrap();
    assert!(!broken.status.success());
    says_where_only(&String::from_utf8(broken.stderr).unwrap(), "the app");
}
