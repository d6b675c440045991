//! The folder of a facility as an older release left it opens with this one, with all that is in it.

#![allow(clippy::unwrap_used)] // A test may fail.

mod common;

use common::*;
use lamplight_domain::chain::SigningKey;
use lamplight_domain::wire::FeedFrom;
use lamplight_server::commands::{export, verify};
use lamplight_server::{FacilityServer, Surroundings};
use std::path::{Path, PathBuf};

/// A facility of release 0.1: one tablet that sent an admission and five notes. `MAKE_RELEASE=1` makes it once, by the
/// program of that release.
fn release(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/releases").join(name).join("server")
}

async fn make(kept: &Path) {
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let mut bodies = admission(&pad, STAY, house.now());
    bodies.extend((0..5).map(|n| pad.note(house.now(), &format!("note {n}"))));
    pad.push(&server, bodies).await;
    server.close().await;
    copy(&house.path, kept);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap).filter(|e| e.path().is_file()) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test]
async fn a_facility_of_release_0_1_is_served_whole() {
    let kept = release("0.1");
    if std::env::var_os("MAKE_RELEASE").is_some() && !kept.exists() {
        make(&kept).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    copy(&kept, &path);
    verify(&path).unwrap();
    let mut out = Vec::new();
    export(&path, &mut out).unwrap();
    // Eight of the tablet, and that it joined.
    assert_eq!(String::from_utf8(out).unwrap().lines().count(), 9);
    let server = FacilityServer::open(&path, Surroundings::real()).unwrap();
    assert_eq!(server.board(WARD).cards.len(), 1);
    let key = SigningKey::from_seed(&[1; 32]);
    let author = server.author(key.author()).await.unwrap().unwrap();
    assert!(author.tablet.is_some());
    let roster = server.roster();
    let known = roster.tablets.iter().find(|t| Some(t.id) == author.tablet).unwrap();
    let ask = lamplight_domain::wire::FeedAsk {
        author: key.author(),
        ward: known.ward,
        from: FeedFrom::Opening,
        limit: 1_000,
        wait_ms: 0,
        roster_version: 0,
        name: known.name.clone(),
        own_by_hash: false,
        trust: None,
        request: uuid::Uuid::nil(),
    };
    let page = lamplight_domain::wire::Facility::feed(&server, ask).await.unwrap();
    assert!(page.header.rows.len() >= 3, "what stands: the stay, the bed, the level");
}
