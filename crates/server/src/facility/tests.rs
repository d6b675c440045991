//! What only the inside can bring about.

use super::*;
use crate::folder::Folder;
use crate::store::append::{Prepared, append};
use lamplight_domain::ids::{FacilityId, RecordId, WardId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::{Auth, Body, Envelope};
use lamplight_domain::roster::{Lists, Settings, Ward};
use lamplight_domain::ward::WardRecords;
use std::time::Duration;
use uuid::Uuid;

const WARD: WardId = WardId(Uuid::from_u128(10));

fn roster() -> Roster {
    Roster {
        version: 1,
        facility: lamplight_domain::roster::Facility {
            id: FacilityId(Uuid::from_u128(1)),
            name: "Test Hospital".into(),
            zone: chrono_tz::America::New_York,
            demo: false,
        },
        wards: vec![Ward { id: WARD, name: "Willow Ward".into(), beds: vec![] }],
        staff: vec![],
        tablets: vec![],
        lists: Lists { version: 1, ..Lists::default() },
        settings: Settings::default(),
    }
}

fn note(around: &Surroundings) -> Vec<u8> {
    let envelope = Envelope {
        v: 1,
        id: RecordId(around.uuid()),
        kind: String::new(),
        kind_v: 0,
        facility: FacilityId(Uuid::from_u128(1)),
        ward: WARD,
        stay: None,
        by: None,
        auth: Auth::None,
        tablet: None,
        observed_at: around.now(),
        recorded_at: around.now(),
        boot_id: None,
        boot_ms: None,
        order: None,
        list_v: None,
    };
    Body::new(envelope, Event::Note { words: "committed, and nobody was told".into() }).to_bytes().unwrap()
}

#[tokio::test]
async fn after_a_commit_that_failed_the_boards_are_read_from_the_file_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, around) = (folder.path().join("data"), Surroundings::real());
    found(&path, &roster(), &around).unwrap();
    let server = FacilityServer::open(&path, around.clone()).unwrap();
    // As a commit that reached the disk while its answer was a fault: the file has more than anybody was told.
    let folder = Folder::existing(&path).unwrap();
    let beside = store::open(&folder.database(), &folder.key().unwrap()).unwrap();
    let own = OwnAuthor::new(server.identity(), &around);
    let batch = own.batch(own.head(&beside).unwrap(), vec![note(&around)], around.uuid());
    append(&beside, &server.facts(), &Prepared::new(batch, server.identity().facility), around.now()).unwrap();
    let held = || server.live().ward(WARD).with(WardRecords::len);
    assert_eq!(held(), 0);
    let mut changes = server.live().ward(WARD).changes();
    let no_room = |db: &Connection| {
        let pages: i64 = db.query_row("PRAGMA page_count", [], |r| r.get(0))?;
        db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |r| r.get::<_, i64>(0))?;
        Ok(store::meta::set(db, "big", &vec![7; 4 * 1024 * 1024])?)
    };
    assert!(server.inner.writer.write(no_room, |()| {}).await.is_err());
    tokio::time::timeout(Duration::from_secs(20), changes.changed()).await.expect("readers hear of it").unwrap();
    assert_eq!(held(), 1);
}
