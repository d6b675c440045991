//! `lamplight-sim` as a person or a script meets it: one JSON object a call, refusals on stderr with exit code 1.

use crate::fixture::{Holdings, Ward};
use lamplight_tests::facility::lines;
use lamplight_tests::process::run;
use lamplight_tests::programs;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn sim(dir: &Path, arguments: &[&str]) -> (bool, Vec<Value>, String) {
    let mut command = Command::new(programs::path("lamplight-sim"));
    command.arg("tablet").arg("--dir").arg(dir).args(arguments);
    let (status, out, err) = run(command).unwrap();
    (status.success(), lines(&out).unwrap(), err)
}

fn one(dir: &Path, arguments: &[&str]) -> Value {
    let (success, out, err) = sim(dir, arguments);
    assert!(success, "{arguments:?}: {err}");
    assert_eq!(out.len(), 1, "{arguments:?} prints one object");
    out.into_iter().next().unwrap()
}

#[test]
fn a_tablet_without_a_window_does_what_its_help_says() {
    let ward = Ward::open();
    let dir = ward.dir("sim");
    let joined = one(&dir, &["join", "--invite", &ward.invite, "--name", "W-9"]);
    assert_eq!(joined["tablet"], "W-9");
    ward.cable.cut();
    assert_eq!(one(&dir, &["record", "--count", "4"])["recorded"], 4);
    let status = one(&dir, &["status"]);
    for field in ["author", "head", "confirmed", "waiting", "clock_error_ms"] {
        assert!(status.get(field).is_some(), "{field}: {status}");
    }
    let waiting = status["waiting"].as_u64().unwrap();
    assert!(waiting >= 4);
    let (success, out, err) = sim(&dir, &["sync"]);
    assert!(!success && out.is_empty() && !err.is_empty(), "no network is said on stderr: {err}");
    ward.cable.restore();
    let synced = one(&dir, &["sync"]);
    assert!(synced["pushed"].as_u64().unwrap() >= waiting);
    assert_eq!(one(&dir, &["status"])["waiting"], 0);
    let board = one(&dir, &["board"]);
    assert_eq!(board["ward_name"], "Willow Ward");
    assert_eq!(board["demo"], true);
    let (success, lines, _) = sim(&dir, &["export"]);
    assert!(success);
    assert_eq!(Holdings::of(&lines).missing_from(&ward.server_holds()), Vec::<String>::new());
}

#[test]
fn load_counts_what_the_server_acknowledged() {
    let ward = Ward::open();
    let before = ward.server_holds().bodies.len();
    let mut command = Command::new(programs::path("lamplight-sim"));
    command.args(["load", "--tablets", "3", "--entries", "20", "--invite", &ward.invite]);
    let (status, out, err) = run(command).unwrap();
    assert!(status.success(), "{err}{out}");
    let load = &lines(&out).unwrap()[0];
    assert_eq!((load["acknowledged"].as_u64(), load["errors"].as_u64()), (Some(60), Some(0)), "{load}");
    for field in ["seconds", "p50_ms", "p99_ms", "bytes_sent", "requests"] {
        assert!(load[field].as_f64().unwrap() > 0.0, "{field}: {load}");
    }
    assert!(ward.server_holds().bodies.len() >= before + 60);
    ward.facility.verify().unwrap();
}

#[test]
fn refusals_name_what_is_wrong_and_what_to_do() {
    let ward = Ward::open();
    for (arguments, says) in [
        (vec!["join", "--invite", "lamplight:nonsense"], "invite.unreadable"),
        (vec!["board"], "["),
        (vec!["record", "--count", "1"], "lamplight-sim: "),
    ] {
        let (success, out, err) = sim(&ward.dir("fresh"), &arguments);
        assert!(!success && out.is_empty(), "{arguments:?} is refused");
        assert!(err.contains(says), "{arguments:?}: {err}");
    }
}
