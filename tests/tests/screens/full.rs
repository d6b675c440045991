//! The tablet's disk is full: checks go on for a while, then the screen says NOT saved, loudly, and keeps the entry until
//! there is room.

use crate::ground::{Ground, ground, walkable};
use lamplight_tests::hands::Hands;
use lamplight_tests::page::id;
use lamplight_tests::window::Window;
use lamplight_tests::{programs, small_disk};
use serde_json::json;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// A window whose tablet has a disk of its own, of 24 MB.
async fn on_small_disk(ground: &Ground) -> Option<Window> {
    let words = small_disk::unshare()?.join(" ");
    let (app, folder) = (programs::path("lamplight"), ground.folder());
    let tablet = folder.join("tablet");
    std::fs::create_dir_all(&tablet).unwrap();
    let launcher = folder.join("launcher");
    let script = format!(
        "#!/bin/sh\nexec {words} sh -c 'mount -t tmpfs -o size=24m tmpfs \"{}\" && exec \"{}\" \"$@\"' sh \"$@\"\n",
        tablet.display(),
        app.display()
    );
    std::fs::write(&launcher, script).unwrap();
    std::fs::set_permissions(&launcher, std::fs::Permissions::from_mode(0o755)).unwrap();
    let window = Window::open_through(&launcher, &app, &ground.display, &folder, "small").await.unwrap();
    Hands { page: &window.page }.join(&ground.invite, "W-7").await.unwrap();
    Some(window)
}

/// The tablet's folder as the app sees it.
fn inside(window: &Window) -> PathBuf {
    let folder = window.tablet();
    PathBuf::from(format!("/proc/{}/root", window.app_pid())).join(folder.strip_prefix("/").unwrap())
}

/// Writes until not one byte more fits.
fn fill(window: &Window, name: &str) {
    let mut file = std::fs::File::create(inside(window).join(name)).unwrap();
    let piece = [0x5A; 4096];
    while let Ok(n @ 1..) = file.write(&piece) {
        assert!(n <= piece.len());
    }
}

#[tokio::test]
async fn on_a_full_disk_the_screen_says_not_saved_and_keeps_the_entry_until_there_is_room() {
    let Some(ground) = ground().await else { return };
    let Some(window) = on_small_disk(&ground).await else {
        return programs::skip("this machine does not permit a small file system of our own (unshare)");
    };
    let hands = Hands { page: &window.page };
    hands.sign_in(ground.technician()).await.unwrap();
    ground.cable.cut();
    let beds = walkable(&ground.second.board().unwrap());
    let mut saved = vec![hands.check(&beds[0], "bedroom", "resting").await.unwrap()];

    // The disk fills up. The screen says NOT saved of the first check that finds no room, and of none before.
    let mut round = 0;
    let refused = loop {
        assert!(round < 60, "the disk never counts as full");
        fill(&window, &format!("fill-{round}"));
        let bed = &beds[round % beds.len()];
        hands.open(bed).await.unwrap();
        hands.tap("place-hallway").await.unwrap();
        hands.tap("activity-walking").await.unwrap();
        let script = "return document.body.dataset.screen === 'board' ? 'saved' : \
                      document.querySelector('[data-testid=\"not-saved\"]')?.dataset.code ?? null";
        let answer = lamplight_tests::until::until("saved, or not saved", async || {
            window.page.run(script, vec![]).await.ok()?.as_str().map(str::to_owned)
        })
        .await;
        if answer != "saved" {
            assert_eq!(answer, "disk.full");
            break bed.clone();
        }
        saved.push(hands.saved().await.unwrap());
        round += 1;
    };
    let words = window.page.text(&id("not-saved")).await;
    assert!(words.contains("NOT saved") && words.contains("disk is full"), "{words}");
    assert!(words.contains("still here"), "{words}");

    // There is room again, and the same entry is saved once.
    for n in 0..=round {
        std::fs::remove_file(inside(&window).join(format!("fill-{n}"))).unwrap();
    }
    hands.tap("try-again").await.unwrap();
    hands.at("board").await.unwrap();
    let late = hands.saved().await.unwrap();
    assert_eq!(hands.state(&refused).await.unwrap(), "ok");
    saved.push(late);

    ground.cable.restore();
    hands.strip_that("that nothing waits", |online, waiting| online && waiting == 0).await.unwrap();
    let export = ground.facility.export().unwrap();
    for id in &saved {
        assert_eq!(export.iter().filter(|line| line["id"] == json!(id)).count(), 1, "{id} is there once");
    }
    let author = &export.iter().find(|line| line["id"] == json!(saved[0])).unwrap()["author"];
    let checks = export.iter().filter(|line| line["kind"] == "check" && &line["author"] == author).count();
    assert_eq!(checks, saved.len(), "what was not saved is nowhere");
    ground.facility.verify().unwrap();
    window.close().await.unwrap();
}
