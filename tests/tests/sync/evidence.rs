//! `verify` on both sides, by the built programs: sound after real rounds, and one is the other's witness.

use crate::fixture::Ward;
use crate::fixture::note;
use lamplight_tests::process::run;
use lamplight_tests::programs;
use lamplight_tests::sim::tablet::Walk;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `lamplight-sim tablet --dir DIR …`: whether it succeeded, and its stdout.
fn sim(dir: &Path, verb: &str) -> (bool, String) {
    let mut command = Command::new(programs::path("lamplight-sim"));
    command.arg("tablet").arg("--dir").arg(dir).arg(verb);
    let (status, out, err) = run(command).unwrap();
    assert!(!out.is_empty(), "{verb}: {err}");
    (status.success(), out)
}

fn exported(ward: &Ward, name: &str) -> PathBuf {
    let path = ward.dir(&format!("{name}.export"));
    std::fs::write(&path, sim(&ward.dir(name), "export").1).unwrap();
    path
}

/// `lamplight-server verify --json --against …`: whether it succeeded, and the report.
fn verified(ward: &Ward, exports: &[&Path]) -> (bool, Value) {
    let mut arguments = vec!["--json"];
    for export in exports {
        arguments.extend(["--against", export.to_str().unwrap()]);
    }
    let (status, out, err) = ward.facility.run("verify", &arguments).unwrap();
    (status.success(), serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}")))
}

fn codes(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().into_iter().flatten();
    findings.map(|f| f["code"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_real_ward_is_sound_by_itself_and_by_what_its_tablets_saw() {
    let mut ward = Ward::open();
    for name in ["a", "b"] {
        let tablet = ward.tablet(name).await;
        let walk = Walk::of(&tablet).await.unwrap();
        for n in 0..5 {
            walk.check(&tablet, n).unwrap();
        }
        tablet.sync_now().await.unwrap();
        walk.check(&tablet, 5).unwrap();
        tablet.stop();
    }
    for name in ["a", "b"] {
        let (success, out) = sim(&ward.dir(name), "verify");
        let report: Value = serde_json::from_str(&out).unwrap();
        assert!(success && report["broken"] == 0, "{out}");
        assert!(report["waiting"].as_u64().unwrap() >= 1 && report["links"].as_u64().unwrap() >= 6, "{out}");
        assert!(report["heads"].as_u64().unwrap() > 0, "the server's own head and others' came along: {out}");
    }
    let (a, b) = (exported(&ward, "a"), exported(&ward, "b"));
    let (success, report) = verified(&ward, &[&a, &b]);
    assert!(success && report["broken"] == 0, "{report}");
    // Each line is a record still; the last one has more to say.
    let text = std::fs::read_to_string(&a).unwrap();
    let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(lines.iter().all(|l| l["hash"].as_str().is_some_and(|h| h.len() == 64)));
    assert_eq!(lines.iter().filter(|l| l.get("evidence").is_some()).count(), 1);
    let evidence = &lines.last().unwrap()["evidence"];
    assert!(evidence["receipts"].as_array().is_some_and(|r| !r.is_empty()), "{evidence}");
    assert!(evidence["feeds"][0]["cursor"]["mac"].is_string(), "{evidence}");
    // A start later, by another author of the server.
    ward.facility.stop().unwrap();
    ward.facility.start().unwrap();
    assert!(verified(&ward, &[&a, &b]).0);
}

#[tokio::test]
async fn a_folder_that_was_put_back_by_hand_is_shown_by_a_tablet_and_a_backup_is_called_one() {
    let mut ward = Ward::open();
    let tablet = ward.tablet("a").await;
    let walk = Walk::of(&tablet).await.unwrap();
    walk.check(&tablet, 0).unwrap();
    tablet.sync_now().await.unwrap();
    let backup = ward.dir("backup");
    ward.facility.command_with("backup", &["--to", backup.to_str().unwrap()]).unwrap();
    ward.facility.stop().unwrap();
    let earlier = ward.dir("earlier");
    copy(&ward.facility.data(), &earlier);
    ward.facility.start().unwrap();
    let words = "canary CASIMIRA seen at the window";
    let lost = note(&tablet, &walk, 1, words);
    tablet.sync_now().await.unwrap();
    tablet.stop();
    drop(tablet);
    let export = exported(&ward, "a");
    assert!(verified(&ward, &[&export]).0);
    ward.facility.stop().unwrap();

    // By hand: the server is as it was, and says nothing of what it had.
    replace(&earlier, &ward.facility.data());
    assert!(verified(&ward, &[]).0, "nothing in the file itself shows it");
    let (success, report) = verified(&ward, &[&export]);
    assert!(!success, "{report}");
    assert!(report.get("restored").is_none() && codes(&report).contains(&"chain.cut_off".to_owned()), "{report}");
    let named = report["findings"].as_array().unwrap().iter().any(|f| f["record"] == lost.to_string().as_str());
    assert!(named, "the record itself is named: {report}");
    let (_, _, said) = ward.facility.run("verify", &["--against", export.to_str().unwrap()]).unwrap();
    assert!(said.contains("[chain.cut_off]") && said.contains("verify.broken"), "{said}");
    assert!(!said.contains("CASIMIRA") && !report.to_string().contains("CASIMIRA"));

    // From a backup: that is what it is called, and the record is lost until the tablet sends it again.
    replace(&backup, &ward.facility.data());
    let (success, report) = verified(&ward, &[&export]);
    assert!(!success && !report["restored"].as_array().unwrap().is_empty(), "{report}");
    assert!(codes(&report).iter().all(|code| code == "record.lost"), "{report}");
    ward.facility.start().unwrap();
    ward.cable.lead_to(ward.facility.address);
    let tablet = lamplight_tablet::Tablet::open(&ward.dir("a"), Default::default()).unwrap();
    tablet.sync_now().await.unwrap();
    tablet.sync_now().await.unwrap();
    let (success, report) = verified(&ward, &[&export]);
    assert!(success && report["broken"] == 0, "nothing is lost any more: {report}");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap).filter(|e| e.path().is_file()) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn replace(from: &Path, to: &Path) {
    std::fs::remove_dir_all(to).unwrap();
    copy(from, to);
}
