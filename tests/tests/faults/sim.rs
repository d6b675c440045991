//! Tablets that are programs: what they print as saved, and what stands in the end.

use crate::house::Notes;
use lamplight_tests::facility::{Facility, lines};
use lamplight_tests::{process, programs};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, ExitStatus};

pub struct Printed {
    pub status: ExitStatus,
    pub saved: Vec<String>,
    pub err: String,
}

/// A run of `lamplight-sim tablet`, perhaps under another program.
pub fn sim(under: &[&str], dir: &Path, arguments: &[&str]) -> Printed {
    let (status, out, err) = process::run(command(under, dir, arguments)).unwrap();
    Printed { status, saved: saved(&out), err }
}

pub fn command(under: &[&str], dir: &Path, arguments: &[&str]) -> Command {
    let sim = programs::path("lamplight-sim");
    let mut command = match under.split_first() {
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(sim);
            command
        }
        None => Command::new(sim),
    };
    command.arg("tablet").arg("--dir").arg(dir).args(arguments);
    command
}

/// The ids of whole lines.
pub fn saved(out: &str) -> Vec<String> {
    let whole = &out[..out.rfind('\n').unwrap_or(0)];
    lines(whole).unwrap().iter().filter_map(|l| Some(l["saved"].as_str()?.to_owned())).collect()
}

pub fn joined(facility: &Facility, dir: &Path) {
    let invite = facility.invite(&facility.url(), 1).unwrap();
    let printed = sim(&[], dir, &["join", "--invite", &invite]);
    assert!(printed.status.success(), "{}", printed.err);
}

/// Checks by id, how often each is held, once every chain was walked.
pub fn held(facility: &Facility) -> Notes {
    facility.verify().unwrap();
    let mut logged = Vec::new();
    for entry in std::fs::read_dir(facility.logs()).unwrap().map(Result::unwrap) {
        if entry.path().extension().is_some_and(|e| e == "err") {
            logged.extend(std::fs::read(entry.path()).unwrap());
        }
    }
    crate::logs::assert_nothing_of_it(&logged, facility.folder());
    let mut held = Notes::new();
    for line in facility.export().unwrap().iter().filter(|line| line["kind"] == "check") {
        let text = |field: &str| line[field].as_str().unwrap().to_owned();
        held.entry(text("id")).or_default().push(text("hash"));
    }
    held
}

/// What this tablet holds itself.
pub fn own(dir: &Path) -> BTreeSet<String> {
    let (status, out, err) = process::run(command(&[], dir, &["export"])).unwrap();
    assert!(status.success(), "{err}");
    lines(&out).unwrap().iter().filter_map(|line| Some(line["id"].as_str()?.to_owned())).collect()
}

/// Every one once; others at most as many as recordings were cut off.
pub fn assert_once(held: &Notes, saved: &[String], cut_off: usize, why: &str) {
    for id in saved {
        assert_eq!(held.get(id).map(Vec::len), Some(1), "{why}: {id} was printed as saved");
    }
    assert!(held.values().all(|hashes| hashes.len() == 1), "{why}: once each");
    assert!(held.len() <= saved.len() + cut_off, "{why}: {} held, {} saved", held.len(), saved.len());
}
