//! The built programs end at every named step there is, as by kill -9, and are started again: nobody does anything
//! else, and what was shown as saved is on the server once. A step without a story here fails this test.

use crate::house::{House, copy, lines_at, roster};
use lamplight_tests::facility::{Facility, lines};
use lamplight_tests::process::{self, alive};
use lamplight_tests::programs;
use lamplight_tests::until::until_blocking;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const ABORTED: Option<i32> = Some(6);

/// What a tablet does when it meets a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Story {
    Joins,
    /// Told elsewhere: `tests/tests/sync/revoked.rs` ends a tablet at each of these.
    TakenOut,
    /// Told elsewhere: `tests/tests/sync/rotation.rs` ends a tablet at each of these, twice.
    RenewsItsKey,
    /// Its key is in a file, and the machine has a key store from now on.
    LocksItsKey,
    Records,
    /// Somebody types a PIN.
    SignsIn,
    Sends,
    /// Its records file is damaged while it is closed.
    FindsDamage,
    /// Another copy of its folder has gone on under its name.
    IsAClone,
    /// The server went back to a backup.
    MeetsARestoredServer,
}

fn story_of(step: &str) -> Story {
    match step {
        "join.key-kept"
        | "join.answered"
        | "join.roster-kept"
        | "identity.in-one-file"
        | "copy.begun"
        | "copy.named" => Story::Joins,
        "pin.counted" => Story::SignsIn,
        "key.locked" | "key.doubled" => Story::LocksItsKey,
        step if step.starts_with("gone.") => Story::TakenOut,
        step if step.starts_with("renew.") => Story::RenewsItsKey,
        "pen.copied" | "pen.written" | "pen.committed" => Story::Records,
        "receipt.believed" | "receipt.kept" | "page.written" | "page.committed" => Story::Sends,
        "aside.marked" | "aside.moved" | "rebuild.carried-over" | "rebuild.filled" => Story::FindsDamage,
        "author.healing-set" | "author.taken" | "heal.offered" | "offer.answered" => Story::IsAClone,
        "offer.forgotten" | "offer.done" => Story::MeetsARestoredServer,
        other if lamplight_server::failpoint::NAMES.contains(&other) => Story::Sends,
        other => panic!("{other} has no story: say here how a tablet comes to it"),
    }
}

/// Of tablets that are programs, with whoever serves them.
struct Ledger<F> {
    facility: F,
    /// Printed as saved.
    saved: BTreeSet<String>,
    /// Recordings that ended before anything was printed: they may stand or not.
    open: usize,
}

trait Served {
    async fn new_invite(&self) -> String;
    /// Every line of the export, once every chain was walked.
    async fn walked(&self) -> Vec<Value>;
}

impl Served for Facility {
    async fn new_invite(&self) -> String {
        self.invite(&self.url(), 1).unwrap()
    }
    async fn walked(&self) -> Vec<Value> {
        self.verify().unwrap();
        self.export().unwrap()
    }
}

impl Served for House {
    async fn new_invite(&self) -> String {
        self.invite(&self.url(), 1).await
    }
    async fn walked(&self) -> Vec<Value> {
        lines_at(&self.data()).await
    }
}

impl<F: Served> Ledger<F> {
    fn sim(&mut self, dir: &Path, arguments: &[&str], step: Option<&str>) -> (Option<i32>, String) {
        let mut command = Command::new(programs::path("lamplight-sim"));
        command.arg("tablet").arg("--dir").arg(dir).args(arguments);
        if key_store(dir).is_dir() {
            command.arg("--key-store").arg(key_store(dir));
        }
        if let Some(step) = step {
            command.env("FAILPOINTS", format!("{step}=return"));
        }
        let (status, out, err) = process::run(command).unwrap();
        let whole = &out[..out.rfind('\n').unwrap_or(0)];
        self.saved.extend(lines(whole).unwrap().iter().filter_map(|l| Some(l["saved"].as_str()?.to_owned())));
        if status.signal().is_some() {
            return (status.signal(), err);
        }
        assert!(status.success() || arguments[0] == "join", "{arguments:?}: {err}");
        (None, err)
    }

    async fn join(&mut self, dir: &Path) {
        let invite = self.facility.new_invite().await;
        let (_, err) = self.sim(dir, &["join", "--invite", &invite], None);
        assert!(err.is_empty() || err.contains("joined a facility already"), "{err}");
    }

    fn record(&mut self, dir: &Path, count: &str) {
        self.sim(dir, &["record", "--count", count, "--each"], None);
    }

    /// What nobody has to do more than: being started again, and a contact.
    async fn goes_on(&mut self, dir: &Path, step: &str) {
        if story_of(step) == Story::Joins {
            self.join(dir).await;
        }
        self.sim(dir, &["sync"], None);
        self.record(dir, "1");
        self.sim(dir, &["sync"], None);
        let mut command = Command::new(programs::path("lamplight-sim"));
        command.arg("tablet").arg("--dir").arg(dir).arg("status");
        if key_store(dir).is_dir() {
            command.arg("--key-store").arg(key_store(dir));
        }
        let (_, out, _) = process::run(command).unwrap();
        let status: Value = serde_json::from_str(out.trim()).unwrap();
        assert_eq!(status["waiting"], 0, "{step}: {status}");
    }

    /// Every entry shown as saved once, and nothing else that is new.
    async fn settle(&self, before: &BTreeMap<String, usize>) {
        let held = checks(&self.facility.walked().await);
        let lost: Vec<_> = self.saved.iter().filter(|id| held.get(*id) != Some(&1)).collect();
        assert!(lost.is_empty(), "saved, and not held once: {lost:?}");
        let invented = held.keys().filter(|id| !before.contains_key(*id) && !self.saved.contains(*id)).count();
        assert!(invented <= self.open, "{invented} entries that nobody saw saved, of {} that were cut off", self.open);
        assert!(held.values().all(|n| *n == 1), "once each");
    }
}

/// How often each check is held.
fn checks(lines: &[Value]) -> BTreeMap<String, usize> {
    let mut held = BTreeMap::new();
    for line in lines.iter().filter(|line| line["kind"] == "check") {
        *held.entry(line["id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    held
}

/// Beside a tablet's folder, where its machine has one.
fn key_store(dir: &Path) -> PathBuf {
    let mut name = dir.as_os_str().to_owned();
    name.push("-keys");
    name.into()
}

fn damage(dir: &Path) {
    let path = dir.join("records.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100..3_000].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tablet_that_ends_at_any_step_goes_on_where_it_was() {
    let house = House::open().await;
    let mut ledger = Ledger { facility: house, saved: BTreeSet::new(), open: 0 };
    let before = checks(&ledger.facility.walked().await);
    for step in lamplight_tablet::failpoint::NAMES {
        let dir = ledger.facility.dir(step);
        let story = story_of(step);
        let mut others: Vec<PathBuf> = Vec::new();
        if story != Story::Joins {
            ledger.join(&dir).await;
        }
        let record = ["record", "--count", "1", "--each"];
        let invite = ledger.facility.new_invite().await;
        let staff = roster().staff[0].id.to_string();
        let last: &[&str] = match story {
            Story::SignsIn => &["sign-in", "--staff", &staff, "--pin", "472913"],
            Story::Joins => &["join", "--invite", &invite],
            Story::TakenOut | Story::RenewsItsKey => continue,
            Story::LocksItsKey => {
                std::fs::create_dir(key_store(&dir)).unwrap();
                &record
            }
            Story::Records => {
                ledger.record(&dir, "1");
                &record
            }
            Story::Sends => {
                ledger.record(&dir, "2");
                &["sync"]
            }
            Story::FindsDamage => {
                ledger.record(&dir, "3");
                damage(&dir);
                &record
            }
            Story::IsAClone => {
                ledger.record(&dir, "1");
                let original = ledger.facility.dir(&format!("{step}-original"));
                copy(&dir, &original);
                ledger.record(&original, "2");
                ledger.sim(&original, &["sync"], None);
                ledger.record(&dir, "2");
                others.push(original);
                &["sync"]
            }
            Story::MeetsARestoredServer => {
                let backup = ledger.facility.dir(&format!("{step}-backup"));
                ledger.facility.back_up(&backup).await;
                let other = ledger.facility.dir(&format!("{step}-other"));
                ledger.join(&other).await;
                ledger.record(&other, "2");
                ledger.sim(&other, &["sync"], None);
                ledger.record(&dir, "2");
                ledger.sim(&dir, &["sync"], None);
                ledger.facility.put_back(&backup).await;
                &["sync"]
            }
        };
        let (signal, err) = ledger.sim(&dir, last, Some(step));
        assert_eq!(signal, ABORTED, "{step}: this story does not come to it: {err}");
        ledger.open += usize::from(last[0] == "record");
        ledger.goes_on(&dir, step).await;
        for other in others {
            ledger.goes_on(&other, step).await;
        }
    }
    ledger.settle(&before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_at_any_step_goes_on_where_it_was() {
    let facility = crate::house::facility().await;
    let mut ledger = Ledger { facility, saved: BTreeSet::new(), open: 0 };
    let before = checks(&ledger.facility.walked().await);
    let dir = ledger.facility.folder().join("tablet");
    ledger.join(&dir).await;
    for step in lamplight_server::failpoint::NAMES {
        // Before there is anything to go on with: told below.
        if step.starts_with("found.") {
            continue;
        }
        let ends_there = vec![("FAILPOINTS".to_owned(), format!("{step}=return"))];
        ledger.record(&dir, "2");
        match *step {
            "open.before-migration" | "open.migrated" => {
                ledger.facility.kill();
                ledger.facility.environment = ends_there;
                let error = ledger.facility.start().unwrap_err().to_string();
                assert!(error.contains("signal: 6"), "{step}: {error}");
            }
            "push.before-commit" | "push.committed" | "generation.begun" => {
                ledger.facility.kill();
                if *step == "generation.begun" {
                    // Put back by hand from a copy, which no backup command has marked as one.
                    let image = ledger.facility.folder().join("image");
                    copy(&ledger.facility.data(), &image);
                    ledger.facility.start().unwrap();
                    ledger.sim(&dir, &["sync"], None);
                    ledger.facility.kill();
                    std::fs::remove_dir_all(ledger.facility.data()).unwrap();
                    copy(&image, &ledger.facility.data());
                }
                ledger.facility.environment = ends_there;
                if ledger.facility.start().is_ok() {
                    let pid = ledger.facility.pid().unwrap();
                    let mut command = Command::new(programs::path("lamplight-sim"));
                    command.arg("tablet").arg("--dir").arg(&dir).arg("sync");
                    let (status, _, _) = process::run(command).unwrap();
                    assert!(!status.success(), "{step}: nothing is synced with a server that is gone");
                    until_blocking("the server's end", || (!alive(pid)).then_some(()));
                }
            }
            "backup.copied" | "backup.keyed" => {
                let cut_off = ledger.facility.folder().join(format!("{step}-cut"));
                ledger.facility.environment = ends_there;
                let (status, _, _) = ledger.facility.run("backup", &["--to", cut_off.to_str().unwrap()]).unwrap();
                assert_eq!(status.signal(), ABORTED, "{step}");
                ledger.facility.environment.clear();
                let whole = ledger.facility.folder().join(format!("{step}-whole"));
                ledger.facility.command_with("backup", &["--to", whole.to_str().unwrap()]).unwrap();
            }
            step if step.starts_with("rekey.") => {
                ledger.facility.stop().unwrap();
                ledger.facility.environment = ends_there;
                let (status, _, err) = ledger.facility.run("rotate", &["database-key"]).unwrap();
                assert_eq!(status.signal(), ABORTED, "{step}: {err}");
            }
            other => panic!("{other} has no story: say here how a server comes to it"),
        }
        ledger.facility.environment.clear();
        ledger.facility.kill();
        ledger.facility.start().unwrap();
        ledger.goes_on(&dir, step).await;
    }
    ledger.settle(&before).await;
}

/// Nothing was in it yet: the next start founds it, whatever the one before left, and gives a code that sets it up.
#[test]
fn a_founding_that_ends_at_any_step_is_made_good_by_the_next_start() {
    for step in lamplight_server::failpoint::NAMES.iter().filter(|step| step.starts_with("found.")) {
        let whats: &[&str] = match *step {
            "found.written" | "found.stands" => &["serve", "demo"],
            _ => &["serve"],
        };
        for &what in whats {
            let folder = crate::house::folder();
            let data = folder.path().join("data");
            let mut command = Command::new(programs::path("lamplight-server"));
            command.arg(what).arg("--data").arg(&data).env("FAILPOINTS", format!("{step}=return"));
            if what == "serve" {
                command.args(["--listen", "127.0.0.1:0"]);
            }
            let (status, _, err) = process::run(command).unwrap();
            assert_eq!(status.signal(), ABORTED, "{step} {what}: {err}");
            if what == "demo" {
                let mut again = Command::new(programs::path("lamplight-server"));
                again.arg("demo").arg("--data").arg(&data);
                let (status, _, err) = process::run(again).unwrap();
                let stood = err.contains("folder.not_empty");
                assert!(status.success() != (*step == "found.stands") && (status.success() || stood), "{step}: {err}");
            }
            let facility = Facility::of(folder).unwrap();
            assert_eq!(facility.set_up.is_some(), what == "serve", "{step}");
            facility.verify().unwrap();
            if what == "demo" {
                assert!(!facility.export().unwrap().is_empty(), "{step}: a demo is whole");
            }
        }
    }
}
