//! A facility's keys take others' places; tablets that were in touch follow, one that was away comes back.

use crate::fixture::{Ward, note};
use lamplight_domain::wire::Trouble;
use lamplight_tablet::{Tablet, failpoint};
use lamplight_tests::process::run;
use lamplight_tests::programs;
use lamplight_tests::sim::tablet::Walk;
use serde_json::{Value, json};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap).filter(|e| e.path().is_file()) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn rotate(ward: &mut Ward, arguments: &[&str]) -> Value {
    ward.facility.stop().unwrap();
    let said = ward.facility.command_with("rotate", arguments).unwrap().remove(0);
    ward.facility.start().unwrap();
    said
}

async fn synced(tablet: &Tablet) {
    tablet.sync_now().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_takes_anothers_place_and_no_tablet_is_locked_out() {
    let mut ward = Ward::open();
    let (near, away) = (ward.tablet("near").await, ward.tablet("away").await);
    let walk = Walk::of(&near).await.unwrap();
    let (running, _, said) = ward.facility.run("rotate", &["authority"]).unwrap();
    assert!(!running.success() && said.contains("[folder.in_use]"), "{said}");
    assert_eq!(rotate(&mut ward, &["authority"]), json!({ "what": "authority", "state": "begun", "authorities": 2 }));
    synced(&near).await;
    // As the folder is while the first authority issues: whoever stole its key serves so.
    ward.facility.stop().unwrap();
    let (again, _, said) = ward.facility.run("rotate", &["authority"]).unwrap();
    assert!(!again.success() && said.contains("[rotate.begun]"), "{said}");
    let (data, stolen) = (ward.facility.data(), ward.dir("stolen"));
    copied(&data, &stolen);
    ward.facility.start().unwrap();
    let finished = rotate(&mut ward, &["authority", "--finish"]);
    let on_record = ward.facility.command_with("audit", &["--act", "key_rotated"]).unwrap();
    assert_eq!(on_record.len(), 2, "begun and finished, and not what was refused: {on_record:?}");
    assert_eq!((&finished["state"], &finished["authorities"]), (&json!("finished"), &json!(1)));
    let near = ward.reopen("near", near);
    note(&near, &walk, 0, "after it");
    synced(&near).await;
    // It knows the first authority alone, and its program starts anew.
    let away = ward.reopen("away", away);
    note(&away, &walk, 1, "was away all the while");
    synced(&away).await;
    assert_eq!((near.sync_state().waiting, away.sync_state().waiting), (0, 0));
    let invite = ward.facility.invite(&ward.cable.url(), 1).unwrap();
    let fresh = Tablet::open(&ward.dir("fresh"), Default::default()).unwrap();
    fresh.join(&invite, "").await.unwrap();
    let late = Tablet::open(&ward.dir("late"), Default::default()).unwrap();
    late.join(&ward.invite, "").await.unwrap();
    ward.facility.stop().unwrap();
    let (nothing, _, said) = ward.facility.run("rotate", &["authority", "--finish"]).unwrap();
    assert!(!nothing.success() && said.contains("[rotate.not_begun]"), "{said}");
    // Once a tablet was told, the former authority's key opens no door to it any more, also after a restart.
    std::fs::rename(&data, ward.dir("true")).unwrap();
    std::fs::rename(&stolen, &data).unwrap();
    ward.facility.start().unwrap();
    for (name, tablet) in [("near", near), ("away", away), ("fresh", fresh), ("late", late)] {
        let tablet = ward.reopen(name, tablet);
        match tablet.sync_now().await {
            Err(Trouble::NotTheServer(why)) => assert!(why.contains("another authority"), "{name}: {why}"),
            other => panic!("{name} believed the former authority: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_third_authority_one_that_knows_the_first_comes_back() {
    let mut ward = Ward::open();
    let away = ward.tablet("away").await;
    for _ in 0..2 {
        rotate(&mut ward, &["authority"]);
        rotate(&mut ward, &["authority", "--finish"]);
    }
    synced(&ward.reopen("away", away)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tablet_seals_its_key_to_the_facilitys_newest_and_what_was_sealed_before_still_opens() {
    let mut ward = Ward::open();
    let tablet = ward.tablet("one").await;
    let dir = ward.dir("one");
    let sealed = || std::fs::read_to_string(dir.join("device.recovery")).unwrap();
    let first = sealed();
    rotate(&mut ward, &["encryption-key"]);
    assert_eq!(sealed(), first);
    synced(&tablet).await;
    let second = sealed();
    assert_ne!(first, second, "sealed anew at the next contact");
    tablet.stop();
    drop(tablet);
    for (n, text) in [first, second].iter().enumerate() {
        let copy = ward.dir(&format!("copy-{n}"));
        copied(&dir, &copy);
        std::fs::remove_file(copy.join("device.key")).unwrap();
        std::fs::write(copy.join("device.recovery"), text).unwrap();
        ward.facility.command_with("recover", &["--tablet", copy.to_str().unwrap()]).unwrap();
        assert!(Tablet::open(&copy, Default::default()).is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_facilitys_file_goes_over_to_a_fresh_key_and_the_former_one_opens_nothing() {
    let mut ward = Ward::open();
    let tablet = ward.tablet("one").await;
    let walk = Walk::of(&tablet).await.unwrap();
    note(&tablet, &walk, 0, "before it");
    synced(&tablet).await;
    let (running, _, said) = ward.facility.run("rotate", &["database-key"]).unwrap();
    assert!(!running.success() && said.contains("[folder.in_use]"), "{said}");
    let (data, backup) = (ward.facility.data(), ward.dir("backup"));
    ward.facility.command_with("backup", &["--to", backup.to_str().unwrap()]).unwrap();
    let former = std::fs::read(data.join("server.key")).unwrap();
    let said = rotate(&mut ward, &["database-key"]);
    assert_eq!((&said["what"], &said["state"]), (&json!("database-key"), &json!("finished")));
    assert!(said["backups"].as_str().unwrap().contains("server.key that lies in it"), "{said}");
    let next = std::fs::read(data.join("server.key")).unwrap();
    assert!(former != next && !data.join("server.key.next").exists());
    assert!(!said.to_string().contains(std::str::from_utf8(&next).unwrap()), "no key is printed");
    let on_record = ward.facility.command_with("audit", &["--act", "key_rotated"]).unwrap();
    let words: Vec<_> = on_record.iter().map(|line| line["words"].to_string()).collect();
    assert_eq!(words.len(), 2, "begun and finished, and not what was refused: {on_record:?}");
    note(&tablet, &walk, 1, "after it");
    synced(&tablet).await;
    assert_eq!(tablet.sync_state().waiting, 0);
    ward.facility.verify().unwrap();
    ward.facility.stop().unwrap();
    // What lay in the folder before opens nothing of it any more.
    std::fs::write(data.join("server.key"), &former).unwrap();
    let refused = ward.facility.start().unwrap_err().to_string();
    assert!(refused.contains("[database.key]"), "{refused}");
    // The backup is as it was: served by the key that lies in it.
    std::fs::rename(&data, ward.dir("rotated")).unwrap();
    std::fs::rename(&backup, &data).unwrap();
    ward.facility.start().unwrap();
    synced(&tablet).await;
    ward.facility.verify().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_facility_key_takes_anothers_place_and_every_tablet_is_led_to_it() {
    let mut ward = Ward::open();
    let (near, away) = (ward.tablet("near").await, ward.tablet("away").await);
    let walk = Walk::of(&near).await.unwrap();
    note(&near, &walk, 0, "under the first");
    synced(&near).await;
    note(&away, &walk, 1, "under the first too");
    synced(&away).await;
    // As the folder is while the first key signs: whoever stole it serves so.
    ward.facility.stop().unwrap();
    let (data, stolen) = (ward.facility.data(), ward.dir("stolen"));
    copied(&data, &stolen);
    ward.facility.start().unwrap();
    for nth in 1..=2 {
        let backup = ward.dir(&format!("backup-{nth}"));
        let said = rotate(&mut ward, &["facility-key", "--backup", backup.to_str().unwrap()]);
        assert_eq!((&said["what"], &said["state"]), (&json!("facility-key"), &json!("finished")));
        assert!(said["backups"].as_str().unwrap().contains("do not believe"), "{said}");
        // In touch with each: its program runs on.
        note(&near, &walk, 1 + nth, "under the next");
        synced(&near).await;
        assert_eq!(near.sync_state().waiting, 0);
    }
    let on_record = ward.facility.command_with("audit", &["--act", "key_rotated"]).unwrap();
    assert_eq!(on_record.len(), 2, "{on_record:?}");
    // It knows the first key alone, and its program starts anew.
    let away = ward.reopen("away", away);
    note(&away, &walk, 4, "was away all the while");
    synced(&away).await;
    assert_eq!(away.sync_state().waiting, 0);
    // An invite from before both names the first key, which leads to the present one.
    let late = Tablet::open(&ward.dir("late"), Default::default()).unwrap();
    late.join(&ward.invite, "").await.unwrap();
    synced(&late).await;
    synced(&near).await;
    let mut against = Vec::new();
    let mut tablets = Vec::new();
    for (name, tablet) in [("near", near), ("away", away), ("late", late)] {
        let path = ward.dir(&format!("{name}.export"));
        tablet.export(&mut std::fs::File::create(&path).unwrap()).unwrap();
        against.extend(["--against".to_owned(), path.to_str().unwrap().to_owned()]);
        tablet.stop();
        drop(tablet);
        let verified = lamplight_tablet::verify(&ward.dir(name)).unwrap();
        assert_eq!(verified.broken, 0, "{name}: {:?}", verified.findings);
        tablets.push((name, Tablet::open(&ward.dir(name), Default::default()).unwrap()));
    }
    let against: Vec<&str> = against.iter().map(String::as_str).collect();
    ward.facility.command_with("verify", &against).unwrap();
    // The newest backup is believed; whoever serves with the first key is not, by any of them.
    ward.facility.stop().unwrap();
    std::fs::rename(&data, ward.dir("true")).unwrap();
    std::fs::rename(ward.dir("backup-2"), &data).unwrap();
    ward.facility.start().unwrap();
    for (_, tablet) in &tablets {
        synced(tablet).await;
    }
    ward.facility.verify().unwrap();
    ward.facility.stop().unwrap();
    std::fs::rename(&data, ward.dir("restored")).unwrap();
    std::fs::rename(&stolen, &data).unwrap();
    ward.facility.start().unwrap();
    for (name, tablet) in tablets {
        let refuses = async |tablet: &Tablet| match tablet.sync_now().await {
            Err(Trouble::NotTheServer(why)) => assert!(why.contains("another facility"), "{name}: {why}"),
            other => panic!("{name} believed the former key: {other:?}"),
        };
        refuses(&tablet).await;
        refuses(&ward.reopen(name, tablet)).await;
    }
}

fn sim(dir: &Path, store: &Path, arguments: &[&str], step: Option<&str>) -> (ExitStatus, String) {
    let mut command = Command::new(programs::path("lamplight-sim"));
    command.arg("tablet").arg("--dir").arg(dir).args(arguments);
    if store.is_dir() {
        command.arg("--key-store").arg(store);
    }
    if let Some(step) = step {
        command.env("FAILPOINTS", format!("{step}=return"));
    }
    let (status, out, err) = run(command).unwrap();
    (status, out + &err)
}

/// The facility opens a copy of the folder whose own key is gone, and all of it is there.
fn assert_recovers(ward: &Ward, dir: &Path, copy: &Path, ids: &[String], why: &str) {
    copied(dir, copy);
    for name in ["device.key", "device.wrapped"] {
        let _ = std::fs::remove_file(copy.join(name));
    }
    let said = ward.facility.command_with("recover", &["--tablet", copy.to_str().unwrap()]);
    said.unwrap_or_else(|e| panic!("{why}: {e}"));
    let tablet = Tablet::open(copy, Default::default()).unwrap_or_else(|e| panic!("{why}: {e}"));
    let own = crate::fixture::holds(&tablet);
    assert!(ids.iter().all(|id| own.kinds.contains_key(id)), "{why}");
    tablet.stop();
    drop(tablet);
    assert_eq!(lamplight_tablet::verify(copy).unwrap().broken, 0, "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tablet_takes_a_fresh_key_at_its_next_start_and_works_on_wherever_that_is_cut_off() {
    let mut ward = Ward::open();
    let steps: Vec<_> = failpoint::NAMES.iter().filter(|step| step.starts_with("renew.")).collect();
    let mut tablets = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        let (dir, store) = (ward.dir(step), ward.dir(&format!("{step}-store")));
        if n % 2 == 0 {
            std::fs::create_dir(&store).unwrap();
        }
        let (joined, said) = sim(&dir, &store, &["join", "--invite", &ward.invite], None);
        assert!(joined.success(), "{said}");
        tablets.push((*step, dir, store));
    }
    assert_eq!(rotate(&mut ward, &["tablet-keys"])["state"], "begun");
    let key = |dir: &Path| std::fs::read(dir.join("device.wrapped")).or(std::fs::read(dir.join("device.key"))).unwrap();
    for (step, dir, store) in &tablets {
        let ids = |text: &str| -> Vec<String> {
            let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines.filter_map(|line| Some(line["saved"].as_str()?.to_owned())).collect()
        };
        let former = key(dir);
        let mut saved = ids(&sim(dir, store, &["record", "--count", "3", "--each"], None).1);
        assert_eq!(saved.len(), 3, "{step}");
        if **step != "renew.begun" {
            assert!(sim(dir, store, &["sync"], None).0.success(), "{step}");
            assert!(
                dir.join("device.next").exists() && key(dir) == former,
                "{step}: nothing else happens while it runs"
            );
        }
        // Cut off there, and once more where the step is met again.
        for nth in 1..=2 {
            let arguments: &[&str] =
                if **step == "renew.begun" { &["sync"] } else { &["record", "--count", "1", "--each"] };
            let (status, said) = sim(dir, store, arguments, Some(step));
            if nth == 1 {
                assert_eq!(status.signal(), Some(6), "{step}: this story does not come to it: {said}");
            }
            saved.extend(ids(&said));
            assert_recovers(&ward, dir, &ward.dir(&format!("{step}-copy-{nth}")), &saved, step);
        }
        let (recorded, said) = sim(dir, store, &["record", "--count", "1", "--each"], None);
        assert!(recorded.success(), "{step}: {said}");
        saved.extend(ids(&said));
        let (synced, said) = sim(dir, store, &["sync"], None);
        assert!(synced.success(), "{step}: {said}");
        let (_, said) = sim(dir, store, &["status"], None);
        assert_eq!(serde_json::from_str::<Value>(said.trim()).unwrap()["waiting"], 0, "{step}: {said}");
        assert!(key(dir) != former && !dir.join("device.next").exists(), "{step}: it was ended");
        assert_recovers(&ward, dir, &ward.dir(&format!("{step}-end")), &saved, step);
        if store.is_dir() {
            assert_eq!(std::fs::read_dir(store).unwrap().count(), 1, "{step}: what locked the former key is gone");
        } else {
            // The key file from before opens nothing of it.
            let stolen = ward.dir(&format!("{step}-stolen"));
            copied(dir, &stolen);
            std::fs::write(stolen.join("device.key"), &former).unwrap();
            assert_eq!(Tablet::open(&stolen, Default::default()).err().unwrap().code, "key.wrong");
            std::fs::remove_file(stolen.join("device.check")).unwrap();
            std::fs::remove_file(stolen.join("identity.db")).unwrap();
            assert!(Tablet::open(&stolen, Default::default()).is_err(), "{step}");
        }
        let held = ward.server_holds().kinds;
        assert!(saved.iter().all(|id| held.contains_key(id)), "{step}");
    }
    ward.facility.verify().unwrap();
    // Asked by the station, and done by each tablet.
    let on_record = ward.facility.command_with("audit", &["--act", "key_rotated"]).unwrap();
    assert!(on_record.len() > tablets.len(), "{on_record:?}");
}
