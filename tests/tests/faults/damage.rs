//! Bytes that are not those that were written: in any page, in any file of a tablet, or gone. Nothing that was shown
//! as saved is lost by any one of them, and the server says what it cannot trust.

use crate::house::{self, House, close, copy, new_id, note, notes_at, open};
use lamplight_domain::wire::Trouble;
use lamplight_tests::faults::{dice, is_long, sample, seed};
use lamplight_tests::process::run;
use lamplight_tests::{programs, small_disk};
use rand::{Rng, RngExt};
use std::path::Path;

const PAGE: usize = 4_096;

/// A tablet with three confirmed entries and three that wait, as it lies on the disk while its program is at work.
async fn at_work(house: &House) -> Vec<String> {
    let tablet = house.tablet("tablet").await;
    let mut saved = Vec::new();
    for n in 0..6 {
        let id = new_id();
        note(&tablet, id).await.unwrap();
        saved.push(id.to_string());
        if n == 2 {
            tablet.sync_now().await.unwrap();
        }
    }
    copy(&house.dir("tablet"), &house.dir("image"));
    close(tablet).await;
    copy(&house.dir("tablet"), &house.dir("closed"));
    saved
}

/// Starts, goes on recording, and drains by itself.
async fn goes_on(dir: &Path, why: &str) -> String {
    let tablet = open(dir).await.unwrap_or_else(|refusal| panic!("{why}: {refusal}"));
    // A contact that meets the damage mends it and is tried again, as the program at work does by itself.
    for turn in 0..4 {
        match tablet.sync_now().await {
            Err(Trouble::Refused(refusal)) if refusal.code == "file.damaged" && turn < 3 => {}
            Err(trouble) => panic!("{why}: {trouble}"),
            Ok(_) => {}
        }
    }
    let next = new_id();
    note(&tablet, next).await.unwrap_or_else(|refusal| panic!("{why}: {refusal}"));
    tablet.sync_now().await.unwrap_or_else(|trouble| panic!("{why}: {trouble}"));
    assert_eq!(tablet.sync_state().waiting, 0, "{why}");
    close(tablet).await;
    next.to_string()
}

fn flip(path: &Path, page: usize, dice: &mut impl Rng) {
    let mut bytes = std::fs::read(path).unwrap();
    let end = bytes.len().min((page + 1) * PAGE);
    for _ in 0..8 {
        let at = dice.random_range(page * PAGE..end);
        bytes[at] ^= 1 << dice.random_range(0..8);
    }
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_damaged_page_of_a_tablet_costs_no_entry() {
    let seed = seed();
    let mut dice = dice(seed, 6);
    let mut house = House::open().await;
    let mut saved = at_work(&house).await;
    for file in ["records.db", "identity.db"] {
        let pages = std::fs::metadata(house.dir("closed").join(file)).unwrap().len() as usize / PAGE;
        for page in sample(pages, 40) {
            let why = format!("seed {seed}: page {page} of {file}");
            let dir = house.dir("bent");
            let _ = std::fs::remove_dir_all(&dir);
            copy(&house.dir("closed"), &dir);
            flip(&dir.join(file), page, &mut dice);
            saved.push(goes_on(&dir, &why).await);
        }
    }
    house.stop().await;
    let server = notes_at(&house.data()).await;
    assert!(saved.iter().all(|id| server.get(id).map(Vec::len) == Some(1)), "seed {seed}: {server:?}");
    assert_eq!(server.len(), saved.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_file_of_a_tablet_that_is_lost_cut_off_or_bent_costs_no_entry() {
    let seed = seed();
    let mut dice = dice(seed, 7);
    let mut house = House::open().await;
    let mut saved = at_work(&house).await;
    let files = ["records.db", "records.db-wal", "second-copy", "identity.db", "identity.db-wal", "reserve"];
    for file in files {
        for how in ["lost", "emptied", "cut off", "bent"] {
            for turn in 0..if is_long() { 12 } else { 1 } {
                let why = format!("seed {seed}: {file} {how}, turn {turn}");
                let dir = house.dir("bent");
                let _ = std::fs::remove_dir_all(&dir);
                copy(&house.dir("image"), &dir);
                // The shared index of a log is no part of what a disk keeps.
                let _ = std::fs::remove_file(dir.join("records.db-shm"));
                let _ = std::fs::remove_file(dir.join("identity.db-shm"));
                let path = dir.join(file);
                let length = std::fs::metadata(&path).unwrap_or_else(|e| panic!("{why}: {e}")).len();
                match how {
                    "lost" => std::fs::remove_file(&path).unwrap(),
                    "emptied" => std::fs::write(&path, b"").unwrap(),
                    "cut off" => {
                        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
                        file.set_len(dice.random_range(0..length.max(1))).unwrap();
                    }
                    _ if length > 0 => flip(&path, dice.random_range(0..(length as usize).div_ceil(PAGE)), &mut dice),
                    _ => {}
                }
                saved.push(goes_on(&dir, &why).await);
            }
        }
    }
    house.stop().await;
    let server = notes_at(&house.data()).await;
    assert!(saved.iter().all(|id| server.get(id).map(Vec::len) == Some(1)), "seed {seed}: {server:?}");
    assert_eq!(server.len(), saved.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_page_of_the_server_is_named_and_never_read_as_something_else() {
    let seed = seed();
    let mut dice = dice(seed, 8);
    let mut house = House::open().await;
    at_work(&house).await;
    house.stop().await;
    let sound = notes_at(&house.data()).await;
    let pages = std::fs::metadata(house.data().join("server.db")).unwrap().len() as usize / PAGE;
    let mut named = 0;
    let places = sample(pages, 16);
    for page in &places {
        let dir = house.dir("bent");
        let _ = std::fs::remove_dir_all(&dir);
        copy(&house.data(), &dir);
        flip(&dir.join("server.db"), *page, &mut dice);
        let walked = tokio::task::spawn_blocking({
            let dir = dir.clone();
            move || lamplight_server::verify(&dir)
        });
        match walked.await.unwrap() {
            Err(refusal) => {
                assert!(["database.", "verify."].iter().any(|c| refusal.code.starts_with(c)), "page {page}: {refusal}");
                named += 1;
            }
            // A page that nothing is in, or one that is only written: an export puts its line of audit there.
            Ok(_) => match lamplight_server::export(&dir, &mut std::io::sink()) {
                Err(refusal) => {
                    assert!(refusal.code.starts_with("database."), "page {page}: {refusal}");
                    named += 1;
                }
                Ok(_) => assert_eq!(notes_at(&dir).await, sound, "seed {seed}: page {page}"),
            },
        }
    }
    assert!(named * 2 > places.len(), "seed {seed}: {named} of {} were named", places.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_can_only_be_read_is_said_and_recording_goes_on_once_it_can_be_written() {
    let mut facility = house::facility().await;
    let dir = facility.folder().join("small");
    let invite = facility.invite(&facility.url(), 1).unwrap();
    let script = r#"
        set -u
        mkdir -p "$DIR" && mount -t tmpfs -o size=64m tmpfs "$DIR" || exit 90
        "$SIM" tablet --dir "$DIR/t" join --invite "$INVITE" >/dev/null || exit 91
        "$SIM" tablet --dir "$DIR/t" record --count 2 --each || exit 92
        mount -o remount,ro "$DIR" || exit 89
        "$SIM" tablet --dir "$DIR/t" record --count 2 --each && exit 93
        mount -o remount,rw "$DIR" || exit 88
        "$SIM" tablet --dir "$DIR/t" record --count 2 --each || exit 94
        "$SIM" tablet --dir "$DIR/t" sync >/dev/null || exit 95
        cp -a "$DATA" "$DIR/data"
        mount -o remount,ro "$DIR" || exit 87
        timeout 60 "$SERVER" serve --data "$DIR/data" --listen 127.0.0.1:0 && exit 96
        echo '{"phase":"server refused"}'
    "#;
    let Some(mut command) = small_disk::shell(script) else {
        return programs::skip("this machine does not permit a small file system of our own (unshare)");
    };
    let copied = facility.folder().join("copied");
    copy(&facility.data(), &copied);
    command.env("DIR", &dir).env("INVITE", &invite).env("DATA", &copied);
    command.env("SIM", programs::path("lamplight-sim")).env("SERVER", programs::path("lamplight-server"));
    let (status, out, err) = run(command).unwrap();
    assert_eq!(status.code(), Some(0), "{err}\n{out}");
    assert!(err.contains("cannot be used") && err.contains("cannot be written"), "both say so: {err}");
    let saved = crate::sim::saved(&out);
    assert_eq!(saved.len(), 4, "{out}");
    crate::sim::assert_once(&crate::sim::held(&facility), &saved, 0, "a read-only folder");
    facility.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clones_that_alternate_lose_and_double_nothing() {
    let mut house = House::open().await;
    let saved = at_work(&house).await;
    let dirs = [house.dir("closed"), house.dir("tablet")];
    let mut saved = saved;
    for turn in 0..6 {
        let dir = &dirs[turn % 2];
        let tablet = open(dir).await.unwrap();
        for _ in 0..2 {
            let id = new_id();
            note(&tablet, id).await.unwrap();
            saved.push(id.to_string());
        }
        // Every other turn without a contact: the other one goes on meanwhile.
        if turn % 3 != 1 {
            tablet.sync_now().await.unwrap();
        }
        close(tablet).await;
    }
    for dir in [&dirs[0], &dirs[1], &dirs[0]] {
        saved.push(goes_on(dir, "a clone").await);
    }
    house.stop().await;
    let server = notes_at(&house.data()).await;
    assert!(saved.iter().all(|id| server.get(id).map(Vec::len) == Some(1)), "{server:?}");
    assert_eq!(server.len(), saved.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_and_a_tablet_that_both_go_back_lose_nothing_that_anybody_holds() {
    let mut house = House::open().await;
    let mut saved = at_work(&house).await;
    let backup = house.dir("backup");
    house.back_up(&backup).await;
    let witness = house.tablet("witness").await;
    saved.push(goes_on(&house.dir("tablet"), "before").await);
    witness.sync_now().await.unwrap();
    house.put_back(&backup).await;
    // The tablet goes back to where three of its entries waited, and writes under numbers that were used.
    saved.push(goes_on(&house.dir("closed"), "restored").await);
    for _ in 0..2 {
        witness.sync_now().await.unwrap();
    }
    close(witness).await;
    saved.push(goes_on(&house.dir("closed"), "after").await);
    house.stop().await;
    let server = notes_at(&house.data()).await;
    assert!(saved.iter().all(|id| server.get(id).map(Vec::len) == Some(1)), "{saved:?} {server:?}");
    assert_eq!(server.len(), saved.len());
}
