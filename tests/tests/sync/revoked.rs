//! A tablet is taken out of use by a command beside the process that serves: it hands over what it holds, then lets its
//! key go, and nothing that it holds is lost on the way.

use crate::fixture::{Ward, note};
use lamplight_domain::wire::Trouble;
use lamplight_tablet::{Options, Tablet, failpoint};
use lamplight_tests::process::run;
use lamplight_tests::programs;
use lamplight_tests::sim::tablet::Walk;
use lamplight_tests::until::until;
use serde_json::{Value, json};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

async fn revoke(ward: &Ward, tablet: &Tablet) {
    let name = tablet.name().unwrap();
    ward.facility.command_with("tablet", &["revoke", &name, "--reason", "lost"]).unwrap();
}

async fn hears_it(tablet: &Tablet) {
    let is_revoked = async || match tablet.sync_now().await {
        Err(Trouble::Refused(refusal)) => (refusal.code == "tablet.revoked").then_some(()),
        _ => None,
    };
    until("the serving process notices", is_revoked).await;
}

fn troubles(tablet: &Tablet) -> Vec<String> {
    tablet.status().troubles.into_iter().map(|t| t.code).collect()
}

/// Everything that lies in the folder, in the folders below it too, but for the facility's copy of the key.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
        if entry.is_dir() { found.extend(files(&entry)) } else { found.push(entry) }
    }
    found
}

/// The folder of the tablet that was here before.
fn handed_over(dir: &Path) -> PathBuf {
    std::fs::read_dir(dir.join("handed-over")).unwrap().next().unwrap().unwrap().path()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_tablet_hands_over_what_it_holds_and_then_lets_its_key_go() {
    let ward = Ward::open();
    let (dir, tablet) = (ward.dir("one"), ward.tablet("one").await);
    let walk = Walk::of(&tablet).await.unwrap();
    let former = tablet.sync_state().author;
    let (refused, _, said) = ward.facility.run("tablet", &["revoke", "W-99", "--reason", "lost"]).unwrap();
    assert!(!refused.success() && said.contains("tablet.unknown"), "{said}");
    ward.sign_in(&tablet, "technician").await;
    let saved = note(&tablet, &walk, 0, "before it was heard of");
    revoke(&ward, &tablet).await;
    hears_it(&tablet).await;
    // Somebody is in the middle of a round: it goes on, and sends.
    let late = note(&tablet, &walk, 1, "after it");
    let _ = tablet.sync_now().await;
    assert_eq!((tablet.sync_state().waiting, tablet.is_handed_over()), (0, false));
    assert!(troubles(&tablet).contains(&"tablet.revoked".to_owned()));
    let kinds = ward.server_holds().kinds;
    assert!(kinds.contains_key(&saved.to_string()) && kinds.contains_key(&late.to_string()));
    assert!(kinds.values().any(|kind| kind == "tablet.revoked"), "and that is on record");
    // What is not confirmed yet keeps it, also when nobody is signed in.
    ward.cable.cut();
    let last = note(&tablet, &walk, 2, "with no network");
    tablet.lock();
    let _ = tablet.sync_now().await;
    assert!(!tablet.is_handed_over());
    ward.cable.restore();
    until("it hands over", async || {
        let _ = tablet.sync_now().await;
        tablet.is_handed_over().then_some(())
    })
    .await;
    assert!(ward.server_holds().kinds.contains_key(&last.to_string()));
    assert_eq!(tablet.call("board", json!({})).await.unwrap_err().code, "join.first");
    assert!(troubles(&tablet).contains(&"tablet.handed_over".to_owned()));
    let event = lamplight_domain::kinds::Event::Note { words: "too late".to_owned() };
    let refused = tablet.record(None, lamplight_domain::record::Auth::None, None, None, event, None);
    assert!(refused.is_err(), "what could not be sent is not said to be saved");
    assert_eq!(tablet.join(&ward.invite, "").await.unwrap_err().code, "tablet.handed_over");
    let key = std::fs::read(dir.join("device.key")).unwrap();
    let tablet = ward.reopen("one", tablet);
    assert!(
        files(&dir).iter().all(|file| !std::fs::read(file).unwrap().windows(32).any(|w| w == key)),
        "no key is left"
    );
    let hello = tablet.call("hello", json!({})).await.unwrap();
    assert_eq!((&hello["joined"], &hello["troubles"][0]["code"]), (&json!(false), &json!("tablet.handed_over")));
    // Nothing is thrown away: the facility opens it.
    let before = handed_over(&dir);
    assert_eq!(Tablet::open(&before, Options::default()).err().unwrap().code, "key.missing");
    ward.facility.command_with("recover", &["--tablet", before.to_str().unwrap()]).unwrap();
    assert_eq!(std::fs::read(before.join("device.key")).unwrap(), key);
    assert_eq!(lamplight_tablet::verify(&before).unwrap().broken, 0);
    // And it joins again, as another tablet, with a signing key of its own that the former one did not endorse.
    tablet.join(&ward.invite, "").await.unwrap();
    tablet.sync_now().await.unwrap();
    let author = tablet.sync_state().author;
    assert!(author.is_some() && author != former, "{author:?}");
    let lines = crate::fixture::exported(&tablet);
    let credentials = lines.last().unwrap()["evidence"]["credentials"].as_array().unwrap().clone();
    let own = credentials.iter().find(|c| c["author"] == json!(author)).unwrap();
    assert_eq!(own["endorser"], "facility", "{own}");
    assert!(!troubles(&tablet).contains(&"tablet.handed_over".to_owned()));
    assert!(!ward.reopen("one", tablet).board().unwrap().cards.is_empty());
    ward.facility.verify().unwrap();
}

fn sim(dir: &Path, arguments: &[&str], step: Option<&str>) -> (Option<i32>, String, String) {
    let mut command = Command::new(programs::path("lamplight-sim"));
    command.arg("tablet").arg("--dir").arg(dir).args(arguments);
    if let Some(step) = step {
        command.env("FAILPOINTS", format!("{step}=return"));
    }
    let (status, out, err) = run(command).unwrap();
    (status.signal(), out, err)
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_letting_go_is_cut_off_it_is_the_tablet_still_or_goes_on_with_it() {
    let ward = Ward::open();
    for step in failpoint::NAMES.iter().filter(|step| step.starts_with("gone.")) {
        let dir = ward.dir(step);
        let tablet = ward.tablet(step).await;
        let walk = Walk::of(&tablet).await.unwrap();
        let saved = note(&tablet, &walk, 0, "unsent").to_string();
        revoke(&ward, &tablet).await;
        tablet.stop();
        drop(tablet);
        // The server notices within a second; then the decision, then, at the start after it, the rest.
        let mut cut = None;
        until("it is cut off", async || {
            cut = sim(&dir, &["sync"], Some(step)).0;
            cut.is_some().then_some(())
        })
        .await;
        assert_eq!(cut, Some(6), "{step}");
        assert!(ward.server_holds().kinds.contains_key(&saved), "{step}: nothing is let go before it is confirmed");
        let (_, hello, err) = sim(&dir, &["status"], None);
        let status: Value = serde_json::from_str(hello.trim()).unwrap_or_else(|_| panic!("{step}: {err}"));
        if *step == "gone.confirmed" {
            assert_eq!((status["author"].is_string(), &status["waiting"]), (true, &json!(0)), "{step}: as it was");
            sim(&dir, &["sync"], None);
            sim(&dir, &["status"], None);
        }
        let before = handed_over(&dir);
        let tablet = Tablet::open(&dir, Options::default()).unwrap();
        assert!(tablet.sync_state().author.is_none(), "{step}");
        assert!(troubles(&tablet).contains(&"tablet.handed_over".to_owned()), "{step}");
        assert_eq!(std::fs::read_dir(dir.join("handed-over")).unwrap().count(), 1, "{step}: once");
        assert!(!before.join("device.key").exists(), "{step}");
        ward.facility.command_with("recover", &["--tablet", before.to_str().unwrap()]).unwrap();
        assert_eq!(lamplight_tablet::verify(&before).unwrap().broken, 0, "{step}");
    }
    assert_eq!(ward.server_holds().doubled(), Vec::<String>::new());
    ward.facility.verify().unwrap();
}
