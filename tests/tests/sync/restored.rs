//! The server is restored from an old backup. Nobody presses anything, and what it had confirmed since is there again.

use crate::fixture::{Holdings, Ward, holds, note};
use lamplight_tablet::{Options, Tablet};
use lamplight_tests::sim::tablet::Walk;
use std::collections::BTreeSet;

/// Puts the backup in the place of the server's folder, as a person would.
fn restore(ward: &mut Ward, backup: &std::path::Path) {
    assert!(ward.facility.stop().unwrap().success());
    std::fs::rename(ward.facility.data(), ward.dir("lost-folder")).unwrap();
    std::fs::rename(backup, ward.facility.data()).unwrap();
    ward.facility.start().unwrap();
}

#[tokio::test]
async fn what_a_tablet_that_is_gone_had_sent_comes_back_from_the_others() {
    let mut ward = Ward::open();
    let (gone, left) = (ward.tablet("gone").await, ward.tablet("left").await);
    let walk = Walk::of(&gone).await.unwrap();
    let mut saved: BTreeSet<String> = (0..4).map(|n| note(&gone, &walk, n, "before").to_string()).collect();
    gone.sync_now().await.unwrap();
    left.sync_now().await.unwrap();
    let backup = ward.dir("backup");
    ward.facility.command_with("backup", &["--to", backup.to_str().unwrap()]).unwrap();

    saved.extend((0..7).map(|n| note(&gone, &walk, n, "after").to_string()));
    saved.insert(walk.check(&gone, 3).unwrap());
    gone.sync_now().await.unwrap();
    saved.insert(walk.check(&left, 5).unwrap());
    left.sync_now().await.unwrap();
    let before = ward.server_holds();
    drop(gone);

    restore(&mut ward, &backup);
    let lost: Vec<String> = before.missing_from(&ward.server_holds());
    assert!(lost.len() >= 9, "the backup is older: {lost:?}");
    for _ in 0..2 {
        left.sync_now().await.unwrap();
    }
    let after = ward.server_holds();
    let ids: BTreeSet<&String> = after.bodies.keys().map(|(id, _)| id).collect();
    let missing: Vec<_> = saved.iter().filter(|id| !ids.contains(id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(after.doubled(), Vec::<String>::new());
    assert_eq!(left.sync_state().waiting, 0);
    assert_eq!(holds(&left).missing_from(&after), Vec::<String>::new());
    ward.facility.verify().unwrap();

    // Asked once: the next contact files nothing again.
    let head = left.sync_state().head;
    left.sync_now().await.unwrap();
    assert_eq!(left.sync_state().head, head);
    let again: Holdings = ward.server_holds();
    assert_eq!(again.links.len(), after.links.len());
}

#[tokio::test]
async fn a_tablet_restored_from_an_old_copy_beside_a_restored_server_loses_nothing_that_is_left() {
    let mut ward = Ward::open();
    let (old, witness) = (ward.tablet("old").await, ward.tablet("witness").await);
    let walk = Walk::of(&old).await.unwrap();
    note(&old, &walk, 0, "in the image and in the backup");
    old.sync_now().await.unwrap();
    drop(old);
    let image = ward.dir("image");
    copy(&ward.dir("old"), &image);
    let backup = ward.dir("backup");
    ward.facility.command_with("backup", &["--to", backup.to_str().unwrap()]).unwrap();

    let old = Tablet::open(&ward.dir("old"), Options::default()).unwrap();
    let mut saved: BTreeSet<String> = (0..5).map(|n| note(&old, &walk, n, "later").to_string()).collect();
    old.sync_now().await.unwrap();
    witness.sync_now().await.unwrap();
    drop(old);

    // Both go back, and the restored tablet goes on under numbers that were used.
    restore(&mut ward, &backup);
    std::fs::remove_dir_all(ward.dir("old")).unwrap();
    copy(&image, &ward.dir("old"));
    let old = Tablet::open(&ward.dir("old"), Options::default()).unwrap();
    saved.extend((0..3).map(|n| note(&old, &walk, n, "after the image").to_string()));
    for _ in 0..2 {
        old.sync_now().await.unwrap();
        witness.sync_now().await.unwrap();
    }
    let server = ward.server_holds();
    let ids: BTreeSet<&String> = server.bodies.keys().map(|(id, _)| id).collect();
    let missing: Vec<_> = saved.iter().filter(|id| !ids.contains(id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(server.doubled(), Vec::<String>::new());
    assert_eq!((old.sync_state().waiting, witness.sync_state().waiting), (0, 0));
    ward.facility.verify().unwrap();
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap).filter(|e| e.path().is_file()) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
