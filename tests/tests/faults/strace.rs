//! The built programs under `strace`: killed at the Nth call to the disk, or given an error there, by the kernel's own
//! means; and the order of their calls as it was.

use crate::house;
use crate::sim::{assert_once, command, held, joined, own, sim};
use lamplight_tests::facility::Facility;
use lamplight_tests::faults::{is_long, seed};
use lamplight_tests::process::{self, Process};
use lamplight_tests::programs;
use lamplight_tests::until::PATIENCE;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// None where this machine has no strace, or lets nobody trace.
pub fn strace() -> Option<()> {
    if programs::on_machine("strace").is_none() {
        programs::skip("strace is not installed");
        return None;
    }
    let mut probe = Command::new("strace");
    probe.args(["-f", "-o", "/dev/null", "true"]);
    if !process::run(probe).is_ok_and(|(status, _, _)| status.success()) {
        eprintln!("SKIPPED: this machine does not permit tracing");
        return None;
    }
    Some(())
}

/// The calls that each program is stopped at, and which of them.
fn places(of: &str) -> Vec<usize> {
    let most = match of {
        "pwrite64" => 40,
        "rename" => 2,
        _ => 14,
    };
    (1..=most).step_by(if is_long() || most < 3 { 1 } else { most / 3 }).collect()
}

const CALLS: [&str; 4] = ["pwrite64", "fdatasync", "fsync", "rename"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tablet_that_the_kernel_stops_at_the_nth_call_keeps_what_it_printed_as_saved() {
    let (Some(()), seed) = (strace(), seed()) else { return };
    let mut facility = house::facility().await;
    let base = facility.folder().join("base");
    joined(&facility, &base);
    let mut stopped = 0;
    for call in CALLS {
        for how in ["signal=SIGKILL", "error=EIO", "error=ENOSPC"] {
            for nth in places(call) {
                let why = format!("seed {seed}: {call} {nth} {how}");
                let dir = facility.folder().join("tablet");
                let _ = std::fs::remove_dir_all(&dir);
                house::copy(&base, &dir);
                let inject = format!("inject={call}:{how}:when={nth}");
                let trace = format!("trace={call}");
                let under = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
                let printed = sim(&under, &dir, &["record", "--count", "5", "--each"]);
                stopped += usize::from(!printed.status.success());
                let again = sim(&[], &dir, &["record", "--count", "1", "--each"]);
                assert!(again.status.success(), "{why}: recording does not go on: {}", again.err);
                let own = own(&dir);
                for id in printed.saved.iter().chain(&again.saved) {
                    assert!(own.contains(id), "{why}: {id} was printed as saved");
                }
                if !printed.status.success() && how != "signal=SIGKILL" {
                    assert!(printed.err.contains("NOT saved") || printed.saved.is_empty(), "{why}: {}", printed.err);
                }
            }
        }
    }
    assert!(stopped > 5, "{stopped} were stopped");
    facility.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_the_kernel_stops_at_the_nth_call_holds_what_it_gave_receipts_for() {
    let (Some(()), seed) = (strace(), seed()) else { return };
    let mut facility = house::facility().await;
    let dir = facility.folder().join("tablet");
    joined(&facility, &dir);
    let mut saved = Vec::new();
    for call in ["pwrite64", "fdatasync"] {
        for how in ["signal=SIGKILL", "error=EIO", "error=ENOSPC"] {
            for nth in places(call) {
                let why = format!("seed {seed}: {call} {nth} {how}");
                facility.stop().unwrap();
                let mut serving = serve_under(
                    &facility,
                    &["-e", &format!("trace={call}"), "-e", &format!("inject={call}:{how}:when={nth}")],
                    "/dev/null",
                );
                let is_up = serving.first_line(PATIENCE).is_ok();
                saved.extend(sim(&[], &dir, &["record", "--count", "2", "--each"]).saved);
                // Twice: what an error of the first one leaves behind in the program is met by the second.
                for _ in 0..if is_up { 2 } else { 0 } {
                    sim(&[], &dir, &["sync"]);
                }
                let confirmed = status(&dir)["confirmed"].as_u64().unwrap();
                drop(serving);
                let author = status(&dir)["author"].as_str().unwrap().to_owned();
                let lines = facility.export().unwrap();
                let links = lines.iter().filter(|l| l["author"] == *author).filter_map(|l| l["seq"].as_u64()).max();
                assert!(links.unwrap_or(0) >= confirmed, "{why}: confirmed {confirmed}, held {links:?}");
                facility.start().unwrap();
            }
        }
    }
    let last = sim(&[], &dir, &["sync"]);
    assert!(last.status.success(), "{}", last.err);
    assert_eq!(status(&dir)["waiting"], 0);
    assert_once(&held(&facility), &saved, 0, "in the end");
}

/// So many places, from the first of all the calls that were made to the last.
fn spread(of: usize, places: usize) -> Vec<usize> {
    let places = places.clamp(1, of.max(1));
    (0..places).map(|n| 1 + n * of.saturating_sub(1) / places.saturating_sub(1).max(1)).collect()
}

/// How often each call is made, from a trace.
fn counted(trace: &Path) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for (name, _) in calls(&std::fs::read_to_string(trace).unwrap()) {
        *counted.entry(name).or_default() += 1;
    }
    counted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_file_goes_over_to_a_fresh_key_is_whole_wherever_the_kernel_stops_it() {
    let (Some(()), seed) = (strace(), seed()) else { return };
    let mut facility = house::facility().await;
    facility.stop().unwrap();
    let (data, base, trace) = (facility.data(), facility.folder().join("base"), facility.folder().join("trace"));
    house::copy(&data, &base);
    let held = |facility: &Facility| {
        let lines = facility.export().unwrap();
        lines.into_iter().filter(|line| line["kind"] != "audit").count()
    };
    let whole = held(&facility);
    let rotate = |under: &[&str]| {
        let _ = std::fs::remove_dir_all(&data);
        house::copy(&base, &data);
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", trace.to_str().unwrap()]).args(under);
        command.arg(programs::path("lamplight-server")).args(["rotate", "--data"]).arg(&data).arg("database-key");
        process::run(command).unwrap().0.success()
    };
    let names = ["pwrite64", "fdatasync", "fsync", "unlink", "rename", "ftruncate"];
    assert!(rotate(&["-e", &format!("trace={}", names.join(","))]), "undisturbed");
    let made = counted(&trace);
    let (mut stopped, mut went_over, mut kept) = (0, 0, 0);
    for (call, how, places) in [
        ("pwrite64", "signal=SIGKILL", 6),
        ("pwrite64", "error=ENOSPC", 4),
        ("pwrite64", "error=EIO", 4),
        ("fdatasync", "signal=SIGKILL", 4),
        ("fsync", "error=EIO", 3),
        ("unlink", "signal=SIGKILL", 2),
        ("rename", "signal=SIGKILL", 2),
    ] {
        for nth in spread(made.get(call).copied().unwrap_or(0), if is_long() { 40 } else { places }) {
            let why = format!("seed {seed}: {call} {nth} {how}");
            let done = rotate(&["-e", &format!("trace={call}"), "-e", &format!("inject={call}:{how}:when={nth}")]);
            stopped += usize::from(!done);
            facility.start().unwrap_or_else(|e| panic!("{why}: {e}"));
            facility.stop().unwrap();
            facility.verify().unwrap_or_else(|e| panic!("{why}: {e}"));
            assert_eq!(held(&facility), whole, "{why}");
            assert!(!data.join("server.key.next").exists(), "{why}: one key is left");
            let key = |dir: &Path| std::fs::read(dir.join("server.key")).unwrap();
            *if key(&data) == key(&base) { &mut kept } else { &mut went_over } += 1;
        }
    }
    assert!(
        stopped > 8 && went_over > 2 && kept > 2,
        "{stopped} stopped, {went_over} went over, {kept} kept their key"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tablet_whose_files_go_over_to_a_fresh_key_keeps_what_it_printed_wherever_the_kernel_stops_it() {
    let (Some(()), seed) = (strace(), seed()) else { return };
    let mut facility = house::facility().await;
    let (base, dir, trace) =
        (facility.folder().join("base"), facility.folder().join("tablet"), facility.folder().join("trace"));
    joined(&facility, &base);
    facility.stop().unwrap();
    facility.command_with("rotate", &["tablet-keys"]).unwrap();
    facility.start().unwrap();
    assert!(sim(&[], &base, &["sync"]).status.success());
    let saved = sim(&[], &base, &["record", "--count", "20", "--each"]).saved;
    // That start took the files over already: once more, and as they are then is what the rest begins with.
    let begun = facility.folder().join("begun");
    facility.stop().unwrap();
    facility.command_with("rotate", &["tablet-keys"]).unwrap();
    facility.start().unwrap();
    assert!(sim(&[], &base, &["sync"]).status.success() && base.join("device.next").exists());
    house::copy(&base, &begun);
    let start = |under: &[&str]| {
        let _ = std::fs::remove_dir_all(&dir);
        house::copy(&begun, &dir);
        let mut all = vec!["strace", "-f", "-qq", "-o", trace.to_str().unwrap()];
        all.extend(under);
        sim(&all, &dir, &["status"]).status.success()
    };
    let names = ["pwrite64", "fdatasync", "fsync", "unlink", "rename"];
    assert!(start(&["-e", &format!("trace={}", names.join(","))]), "undisturbed");
    let made = counted(&trace);
    let mut stopped = 0;
    for (call, how, places) in [
        ("pwrite64", "signal=SIGKILL", 8),
        ("pwrite64", "error=ENOSPC", 6),
        ("pwrite64", "error=EIO", 6),
        ("fdatasync", "signal=SIGKILL", 4),
        ("fsync", "error=EIO", 4),
        ("unlink", "signal=SIGKILL", 3),
        ("rename", "signal=SIGKILL", 4),
    ] {
        for nth in spread(made.get(call).copied().unwrap_or(0), if is_long() { 40 } else { places }) {
            let why = format!("seed {seed}: {call} {nth} {how}");
            let whole = start(&["-e", &format!("trace={call}"), "-e", &format!("inject={call}:{how}:when={nth}")]);
            stopped += usize::from(!whole);
            let again = sim(&[], &dir, &["record", "--count", "1", "--each"]);
            assert!(again.status.success(), "{why}: recording does not go on: {}", again.err);
            let own = own(&dir);
            assert!(saved.iter().chain(&again.saved).all(|id| own.contains(id)), "{why}");
            assert!(!dir.join("set-aside").exists(), "{why}: a key was taken for damage");
            assert!(!dir.join("device.next").exists(), "{why}: it was ended");
        }
    }
    assert!(stopped > 10, "{stopped} were stopped");
}

fn status(dir: &Path) -> Value {
    let (_, out, err) = process::run(command(&[], dir, &["status"])).unwrap();
    serde_json::from_str(out.trim()).unwrap_or_else(|_| panic!("{err}"))
}

/// The server's program under strace, on the address that the tablets know.
pub fn serve_under(facility: &Facility, expressions: &[&str], trace: &str) -> Process {
    let mut command = Command::new("strace");
    command.args(["-f", "-yy", "-qq", "-o", trace]).args(expressions);
    command.arg(programs::path("lamplight-server")).args(["serve", "--data"]).arg(facility.data());
    command.args(["--listen", &facility.address.to_string()]);
    Process::start("traced", command, &facility.logs()).unwrap()
}

/// Whole calls in the order in which they returned: name, and the rest of the line.
pub fn calls(trace: &str) -> Vec<(String, String)> {
    let mut begun: BTreeMap<&str, &str> = BTreeMap::new();
    let mut whole = Vec::new();
    for line in trace.lines() {
        let Some((pid, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        let text = if let Some(first) = call.strip_suffix("<unfinished ...>") {
            begun.insert(pid, first);
            continue;
        } else if call.starts_with("<... ") {
            let Some((_, rest)) = call.split_once(" resumed>") else { continue };
            format!("{}{rest}", begun.remove(pid).unwrap_or_default())
        } else {
            call.to_owned()
        };
        if let Some((name, rest)) = text.split_once('(') {
            whole.push((name.to_owned(), rest.to_owned()));
        }
    }
    whole
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_copies_are_synced_one_after_the_other_before_saved_is_printed() {
    let Some(()) = strace() else { return };
    let facility = house::facility().await;
    let dir = facility.folder().join("tablet");
    joined(&facility, &dir);
    let trace = facility.folder().join("trace");
    let under =
        ["strace", "-f", "-y", "-qq", "-o", trace.to_str().unwrap(), "-e", "trace=pwrite64,write,fdatasync,fsync"];
    let printed = sim(&under, &dir, &["record", "--count", "3", "--each"]);
    assert_eq!(printed.saved.len(), 3, "{}", printed.err);
    let calls = calls(&std::fs::read_to_string(&trace).unwrap());
    let is = |call: &(String, String), names: &[&str], of: &str| {
        names.contains(&call.0.as_str()) && call.1.contains(&format!("/{of}>"))
    };
    let said: Vec<usize> =
        calls.iter().enumerate().filter(|(_, c)| c.0 == "write" && c.1.contains("saved")).map(|(n, _)| n).collect();
    assert_eq!(said.len(), 3, "each is printed by itself");
    let mut from = 0;
    for (n, said) in said.into_iter().enumerate() {
        let own = &calls[from..said];
        let at = |names: &[&str], of: &str| own.iter().position(|call| is(call, names, of));
        let last = |names: &[&str], of: &str| own.iter().rposition(|call| is(call, names, of));
        let syncs = ["fdatasync", "fsync"];
        let copied = at(&["pwrite64"], "second-copy").expect("written to the second copy");
        let copy_synced = last(&syncs, "second-copy").expect("the second copy is synced");
        let logged = (at(&["pwrite64"], "records.db-wal"), last(&["pwrite64"], "records.db-wal"));
        let log_synced = last(&syncs, "records.db-wal").expect("the log is synced");
        let (Some(first_log), Some(last_log)) = logged else { panic!("written to the log") };
        assert!(
            copied < copy_synced && copy_synced < first_log && last_log < log_synced,
            "entry {n}: copy {copied}, synced {copy_synced}, log {first_log} to {last_log}, synced {log_synced}"
        );
        from = said + 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_synced_before_a_receipt_leaves_the_server() {
    let Some(()) = strace() else { return };
    let mut facility = house::facility().await;
    let dir = facility.folder().join("tablet");
    joined(&facility, &dir);
    sim(&[], &dir, &["record", "--count", "3"]);
    facility.stop().unwrap();
    let trace = facility.folder().join("trace");
    // Each sync takes long: an answer that does not wait for it is out before.
    let expressions = [
        "-e",
        "trace=pwrite64,fdatasync,fsync,write,writev,sendto,sendmsg",
        "-e",
        "inject=fdatasync,fsync:delay_enter=200000",
    ];
    let mut serving = serve_under(&facility, &expressions, trace.to_str().unwrap());
    serving.first_line(PATIENCE).unwrap();
    let printed = sim(&[], &dir, &["sync"]);
    assert!(printed.status.success(), "{}", printed.err);
    drop(serving);
    let calls = calls(&std::fs::read_to_string(&trace).unwrap());
    let (mut unsynced, mut synced, mut answers) = (0, 0, 0);
    for (name, rest) in &calls {
        let to_log = rest.contains("/server.db-wal>");
        match name.as_str() {
            "pwrite64" if to_log => unsynced += 1,
            "fdatasync" | "fsync" if to_log => (unsynced, synced) = (0, synced + 1),
            _ if rest.contains("<TCP") => {
                answers += 1;
                assert_eq!(unsynced, 0, "an answer left while a commit was not on the disk: {name}({rest}");
            }
            _ => {}
        }
    }
    assert!(synced > 0 && answers > 3, "{synced} syncs, {answers} answers");
}
