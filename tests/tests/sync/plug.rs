//! The plug is pulled (kill -9) in the middle of the work: whatever was said to be saved or synced is there.

use crate::fixture::{Ward, exported, holds, note};
use lamplight_tablet::{Options, Tablet};
use lamplight_tests::facility::lines;
use lamplight_tests::process::Process;
use lamplight_tests::programs;
use lamplight_tests::sim::tablet::Walk;
use lamplight_tests::until::{until, until_blocking};
use std::collections::BTreeSet;
use std::process::Command;

#[tokio::test]
async fn a_server_that_is_killed_between_pushes_holds_everything_it_confirmed() {
    let mut ward = Ward::open();
    let tablet = ward.tablet("a").await;
    let walk = Walk::of(&tablet).await.unwrap();
    let author = tablet.sync_state().author.unwrap().to_string();
    for round in 0..4 {
        for n in 0..60 {
            note(&tablet, &walk, n, "x".repeat(200).as_str());
        }
        let pid = ward.facility.pid().unwrap();
        let pushing = tokio::spawn({
            let tablet = tablet.clone();
            async move { tablet.sync_now().await }
        });
        // Killed as soon as bytes of the push are on the wire: sometimes before, sometimes after the commit.
        let on_the_wire = ward.cable.bytes_up() + 200 * round;
        until("the push to begin", async || {
            (ward.cable.bytes_up() > on_the_wire || pushing.is_finished()).then_some(())
        })
        .await;
        lamplight_tests::process::kill_pid(pid);
        let _ = pushing.await.unwrap();
        ward.facility.kill();
        let confirmed = tablet.sync_state().confirmed;
        let held = ward.server_holds().chain(&author).len() as u64;
        assert!(held >= confirmed, "confirmed {confirmed}, but the killed server holds {held}");
        ward.facility.start().unwrap();
    }
    tablet.sync_now().await.unwrap();
    assert_eq!(tablet.sync_state().waiting, 0);
    let server = ward.server_holds();
    assert_eq!(holds(&tablet).chain(&author), server.chain(&author));
    assert_eq!(server.doubled(), Vec::<String>::new(), "nothing twice");
    ward.facility.verify().unwrap();
}

#[tokio::test]
async fn a_tablet_that_is_killed_while_recording_has_everything_it_said_was_saved() {
    let ward = Ward::open();
    let dir = ward.dir("killed");
    let sim = |arguments: &[&str]| {
        let mut command = Command::new(programs::path("lamplight-sim"));
        command.arg("tablet").arg("--dir").arg(&dir).args(arguments);
        command
    };
    let (status, _, err) = lamplight_tests::process::run(sim(&["join", "--invite", &ward.invite])).unwrap();
    assert!(status.success(), "{err}");
    let mut said: BTreeSet<String> = BTreeSet::new();
    for (round, after) in [1_usize, 5, 17, 40].into_iter().enumerate() {
        let command = sim(&["record", "--count", "100000", "--each"]);
        let mut process = Process::start(&format!("record-{round}"), command, &ward.facility.logs()).unwrap();
        let whole_lines = |text: &str| text.rfind('\n').map_or(0, |end| text[..end].lines().count());
        until_blocking("records to be saved", || {
            let text = std::fs::read_to_string(&process.stdout).unwrap();
            assert!(process.ended().is_none(), "it ended by itself: {}", process.last_words());
            (whole_lines(&text) >= after).then_some(())
        });
        process.kill();
        let text = std::fs::read_to_string(&process.stdout).unwrap();
        let whole = &text[..text.rfind('\n').unwrap_or(0)];
        said.extend(lines(whole).unwrap().iter().map(|l| l["saved"].as_str().unwrap().to_owned()));
    }
    let tablet = Tablet::open(&dir, Options::default()).unwrap();
    let has: BTreeSet<String> = exported(&tablet).iter().map(|l| l["id"].as_str().unwrap().to_owned()).collect();
    let lost: Vec<&String> = said.difference(&has).collect();
    assert!(lost.is_empty(), "{} of {} said to be saved are gone", lost.len(), said.len());
    assert!(said.len() > 60, "the test recorded something: {}", said.len());
    tablet.sync_now().await.unwrap();
    assert_eq!(tablet.sync_state().waiting, 0);
    let server = ward.server_holds();
    let lost: Vec<&String> = said.iter().filter(|id| !server.bodies.keys().any(|(i, _)| i == *id)).collect();
    assert!(lost.is_empty(), "the server lacks {}", lost.len());
    ward.facility.verify().unwrap();
}

#[tokio::test]
async fn a_backup_made_while_serving_serves_as_it_is() {
    let mut ward = Ward::open();
    let tablet = ward.tablet("a").await;
    let walk = Walk::of(&tablet).await.unwrap();
    for n in 0..10 {
        walk.check(&tablet, n).unwrap();
    }
    tablet.sync_now().await.unwrap();
    let copy = ward.dir("copy");
    ward.facility.command_with("backup", &["--to", copy.to_str().unwrap()]).unwrap();
    let before = ward.server_holds();
    assert!(ward.facility.stop().unwrap().success(), "a polite stop is a success");
    std::fs::rename(ward.facility.data(), ward.dir("lost")).unwrap();
    std::fs::rename(&copy, ward.facility.data()).unwrap();
    ward.facility.start().unwrap();
    ward.facility.verify().unwrap();
    let restored = ward.server_holds();
    let author = tablet.sync_state().author.unwrap().to_string();
    assert_eq!(restored.chain(&author), before.chain(&author));
    walk.check(&tablet, 3).unwrap();
    tablet.sync_now().await.unwrap();
    assert_eq!(tablet.sync_state().waiting, 0, "the tablet goes on with the restored server");
}
