//! The Nth call to the disk fails, once or from then on: of a tablet that starts and saves five entries, of a server
//! that takes pushes. What was called saved is there, what was called not saved is not, and once the disk is sound
//! everything goes on.

use crate::house::{self, House, close, confirmed_notes, copy, new_id, note, notes_at, notes_of, open};
use lamplight_tests::faults::disk::{Fault, Kind, Plan, Watch};
use lamplight_tests::faults::{is_long, seed};
use std::path::Path;

const KINDS: [Kind; 6] = [Kind::Open, Kind::Write, Kind::Truncate, Kind::Sync, Kind::Delete, Kind::Rename];

/// Every plan until one comes too late to be met; `most` of each sort in the short form.
fn steps(kind: Kind, most: usize) -> usize {
    let about = match kind {
        Kind::Write => 60,
        Kind::Sync => 30,
        _ => 12,
    };
    if is_long() { 1 } else { (about / most).max(1) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tablet_whose_nth_call_to_the_disk_fails_says_the_truth_about_every_entry() {
    let seed = seed();
    let watch = Watch::begin();
    let mut house = House::open().await;
    close(house.tablet("joined").await).await;
    house.stop().await;
    let (mut tried, mut refused) = (0, 0);
    for kind in KINDS {
        for (fault, on) in [(Fault::Io, false), (Fault::Io, true), (Fault::Full, false), (Fault::Full, true)] {
            for nth in (0..).step_by(steps(kind, 12)) {
                let why = format!(
                    "seed {seed}: {kind:?} {nth} fails with {fault:?}, {}",
                    if on { "for good" } else { "once" }
                );
                let plan = Plan { under: "/".into(), kind, nth, fault, on };
                let (failed, said_no) = one_tablet(&watch, &house.dir("joined"), plan, &why).await;
                if failed == 0 {
                    break;
                }
                tried += 1;
                refused += said_no;
            }
        }
    }
    println!("{tried} failing disks, {refused} entries called not saved");
    assert!(tried > 40 && refused > 40, "{tried} tried, {refused} refused");
}

/// How many calls failed, and how many entries were called not saved.
async fn one_tablet(watch: &Watch, joined: &Path, plan: Plan, why: &str) -> (usize, usize) {
    let folder = house::folder();
    let dir = folder.path().join("tablet");
    copy(joined, &dir);
    let on = plan.on;
    watch.fail(Plan { under: dir.clone(), ..plan });
    let (mut saved, mut not_saved) = (Vec::new(), Vec::new());
    let first = open(&dir).await;
    if let Ok(tablet) = &first {
        for _ in 0..5 {
            let id = new_id();
            match note(tablet, id).await {
                Ok(()) => saved.push(id.to_string()),
                Err(refusal) => {
                    assert!(refusal.what.starts_with("NOT saved"), "{why}: {refusal}");
                    not_saved.push(id);
                }
            }
        }
    }
    let failed = watch.mend();
    let tablet = match first {
        Ok(tablet) => tablet,
        Err(refusal) => {
            assert!(refusal.code.starts_with("disk.") || refusal.code.starts_with("file."), "{why}: {refusal}");
            open(&dir).await.unwrap_or_else(|refusal| panic!("{why}: it stays shut: {refusal}"))
        }
    };
    let last = new_id();
    note(&tablet, last).await.unwrap_or_else(|refusal| panic!("{why}: recording does not go on: {refusal}"));
    saved.push(last.to_string());
    let said = not_saved.len();
    // A person taps save again: under the form's own id, saved once and for all.
    for id in not_saved.split_off(not_saved.len() / 2) {
        note(&tablet, id).await.unwrap_or_else(|refusal| panic!("{why}: not saved at the second try: {refusal}"));
        saved.push(id.to_string());
    }
    holds(&tablet, &saved, &not_saved, on, why).await;
    close(tablet).await;
    let tablet = open(&dir).await.unwrap_or_else(|refusal| panic!("{why}: {refusal}"));
    holds(&tablet, &saved, &not_saved, on, why).await;
    close(tablet).await;
    (failed, said)
}

async fn holds(
    tablet: &lamplight_tablet::Tablet,
    saved: &[String],
    not_saved: &[lamplight_domain::ids::RecordId],
    on: bool,
    why: &str,
) {
    let notes = notes_of(tablet).await;
    for id in saved {
        assert_eq!(notes.get(id).map(Vec::len), Some(1), "{why}: {id} was called saved");
    }
    for id in not_saved {
        let stands = notes.get(&id.to_string()).map_or(0, Vec::len);
        // A disk that refuses the look and the taking back as well leaves it open; it never stands twice.
        assert!(stands == 0 || (on && stands == 1), "{why}: {id} was called not saved, and stands {stands} times");
    }
    assert!(notes.len() <= saved.len() + not_saved.len(), "{why}: something that nobody wrote");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_nth_call_to_the_disk_fails_gives_no_receipt_for_what_it_does_not_hold() {
    let seed = seed();
    let watch = Watch::begin();
    let mut house = House::open().await;
    close(house.tablet("joined").await).await;
    house.stop().await;
    let begun = house.dir("begun");
    copy(&house.data(), &begun);
    let mut tried = 0;
    for kind in [Kind::Write, Kind::Sync, Kind::Truncate, Kind::Open] {
        for (fault, on) in [(Fault::Io, false), (Fault::Full, true)] {
            for nth in (0..).step_by(steps(kind, 8)) {
                let why = format!(
                    "seed {seed}: {kind:?} {nth} fails with {fault:?}, {}",
                    if on { "for good" } else { "once" }
                );
                let folder = house::folder();
                let (data, dir) = (folder.path().join("server"), folder.path().join("tablet"));
                copy(&begun, &data);
                copy(&house.dir("joined"), &dir);
                house.serve(&data).await;
                let tablet = open(&dir).await.unwrap();
                watch.fail(Plan { under: data.clone(), kind, nth, fault, on });
                let mut ids = Vec::new();
                for _ in 0..4 {
                    let id = new_id();
                    note(&tablet, id).await.unwrap();
                    ids.push(id.to_string());
                    let _ = tablet.sync_now().await;
                }
                let failed = watch.mend();
                // What it has confirmed by now it holds, also where nothing more comes.
                let confirmed = confirmed_notes(&tablet).await;
                house.stop().await;
                let server = notes_at(&data).await;
                for id in &confirmed {
                    assert!(server.contains_key(id), "{why}: {id} was confirmed, and is not held");
                }
                house.serve(&data).await;
                for _ in 0..2 {
                    tablet.sync_now().await.unwrap_or_else(|trouble| panic!("{why}: it does not recover: {trouble}"));
                }
                assert_eq!(tablet.sync_state().waiting, 0, "{why}");
                close(tablet).await;
                house.stop().await;
                let server = notes_at(&data).await;
                assert!(ids.iter().all(|id| server.get(id).map(Vec::len) == Some(1)), "{why}: {server:?}");
                assert_eq!(server.len(), ids.len(), "{why}: something that nobody saved");
                if failed == 0 {
                    break;
                }
                tried += 1;
            }
        }
    }
    println!("{tried} failing disks");
    assert!(tried > 8, "{tried}");
}
