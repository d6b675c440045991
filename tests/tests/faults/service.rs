//! The server as a service of systemd (`crates/server/systemd`): how much the unit shuts off, and that the server does
//! everything it has to do within it.

use crate::house;
use crate::sim::{joined, sim};
use crate::strace::{calls, serve_under, strace};
use lamplight_tests::process;
use lamplight_tests::programs;
use lamplight_tests::until::PATIENCE;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

/// What systemd calls exposure, of ten, times ten: at most this. An ordinary service has 96.
const EXPOSURE: &str = "14";

fn unit() -> PathBuf {
    programs::root().join("crates/server/systemd/lamplight-server.service")
}

fn systemd_analyze() -> Option<Command> {
    let found = programs::on_machine("systemd-analyze");
    if found.is_none() {
        programs::skip("systemd-analyze is not installed");
    }
    found.map(Command::new)
}

#[test]
fn the_unit_shuts_off_what_the_server_does_not_need() {
    let Some(mut command) = systemd_analyze() else { return };
    command.args(["security", "--offline=true", "--no-pager", "--threshold", EXPOSURE]).arg(unit());
    let (status, out, err) = process::run(command).unwrap();
    assert!(status.success(), "{out}{err}");
}

/// The sets of calls that systemd knows, each with its members.
fn sets() -> Option<BTreeMap<String, Vec<String>>> {
    let mut command = systemd_analyze()?;
    command.args(["syscall-filter", "--no-pager"]);
    let (_, out, _) = process::run(command).unwrap();
    let mut sets: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut name = String::new();
    for line in out.lines().filter(|line| !line.trim_start().starts_with('#')) {
        if line.starts_with('@') {
            name = line.trim().to_owned();
        } else if !line.trim().is_empty() {
            sets.entry(name.clone()).or_default().push(line.trim().to_owned());
        }
    }
    Some(sets)
}

fn expand(sets: &BTreeMap<String, Vec<String>>, name: &str, into: &mut BTreeSet<String>) {
    match sets.get(name) {
        Some(members) => members.iter().for_each(|member| expand(sets, member, into)),
        None => _ = into.insert(name.to_owned()),
    }
}

/// What the unit's lines of this name say, in their order.
fn said(of: &str) -> Vec<String> {
    let text = std::fs::read_to_string(unit()).unwrap();
    text.lines().filter_map(|line| line.strip_prefix(of)?.strip_prefix('=')).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_makes_no_call_that_its_unit_forbids() {
    let (Some(()), Some(sets)) = (strace(), sets()) else { return };
    let mut allowed = BTreeSet::new();
    for line in said("SystemCallFilter") {
        let mut named = BTreeSet::new();
        line.trim_start_matches('~').split_whitespace().for_each(|name| expand(&sets, name, &mut named));
        match line.starts_with('~') {
            true => allowed.retain(|call| !named.contains(call)),
            false => allowed.extend(named),
        }
    }
    assert!(allowed.len() > 100 && !allowed.contains("mount") && !allowed.contains("ptrace"), "{allowed:?}");
    // SQLite gives its files to their folder's owner, where it runs as root; as a service it does not.
    if rustix::process::geteuid().is_root() {
        allowed.insert("fchown".to_owned());
    }

    let mut facility = house::facility().await;
    let dir = facility.folder().join("tablet");
    joined(&facility, &dir);
    sim(&[], &dir, &["record", "--count", "3"]);
    facility.stop().unwrap();
    let trace = facility.folder().join("trace");
    let mut serving = serve_under(&facility, &[], trace.to_str().unwrap());
    serving.first_line(PATIENCE).unwrap();
    let synced = sim(&[], &dir, &["sync"]);
    assert!(synced.status.success(), "{}", synced.err);
    drop(serving);

    let families = said("RestrictAddressFamilies").concat();
    let mut seen = BTreeSet::new();
    for (name, rest) in calls(&std::fs::read_to_string(&trace).unwrap()) {
        let forbidden = match name.as_str() {
            // Before the unit's filters hold.
            "execve" => false,
            "socket" => !families.split(' ').any(|family| rest.starts_with(&format!("{family},"))),
            "mmap" | "mprotect" => rest.contains("PROT_WRITE") && rest.contains("PROT_EXEC"),
            _ => !allowed.contains(&name),
        };
        assert!(!forbidden, "{name}({rest}");
        seen.insert(name);
    }
    assert!(["pwrite64", "fsync", "accept4", "socket"].iter().all(|call| seen.contains(*call)), "{seen:?}");
}
