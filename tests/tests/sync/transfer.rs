//! A patient goes to another ward while the tablet of the old one is out of touch. Its checks arrive late, and both
//! boards end right.

use crate::fixture::{OAK, Ward, holds};
use lamplight_domain::ids::StayId;
use lamplight_domain::kinds::{Check, Event, StayProvisional};
use lamplight_domain::record::Auth;
use lamplight_tablet::{Options, Tablet};
use lamplight_tests::cable::Cable;
use lamplight_tests::desk::Desk;
use lamplight_tests::sim::tablet::Walk;
use serde_json::{Value, json};
use uuid::Uuid;

/// What a nurse of the demo does at the station, by its own address.
async fn at_station(ward: &Ward, posts: &[(&str, Value)]) {
    let mut desk = Desk::log_in(&ward.facility, &ward.facility.url(), "nurse").await.unwrap();
    for (path, body) in posts {
        desk.done(&format!("/station/api/{path}"), body).await.unwrap();
    }
}

fn check(tablet: &Tablet, walk: &Walk, stay: StayId) -> String {
    let seen = Event::Check(Check { place: "bedroom".into(), activity: "resting".into(), evidence: vec![] });
    tablet.record(Some(walk.technician), Auth::Pin, Some(stay), None, seen, None).unwrap().record.to_string()
}

#[tokio::test]
async fn late_checks_of_the_old_ward_reach_both_and_each_board_ends_right() {
    let ward = Ward::with_oak(|_| {});
    let willow = ward.tablet("willow").await;
    let walk = Walk::of(&willow).await.unwrap();
    let (home, stay) = (willow.ward().unwrap(), walk.stays[0]);
    let direct = Cable::to(ward.facility.address).unwrap();
    let invite = ward.facility.command_with("invite", &["--ward", OAK, "--url", &direct.url(), "--uses", "1"]).unwrap();
    let oak = Tablet::open(&ward.dir("oak"), Options::default()).unwrap();
    oak.join(invite[0]["invite"].as_str().unwrap(), "").await.unwrap();
    oak.sync_now().await.unwrap();
    assert!(oak.open_stays().is_empty());

    // Out of touch: a check of the patient, and somebody whom nobody knows.
    ward.cable.cut();
    let before = check(&willow, &walk, stay);
    let woman = StayId(Uuid::from_u128(0x30));
    let known = StayProvisional { words: "woman, about 30".into(), bed: String::new() };
    willow.record(Some(walk.technician), Auth::Pin, Some(woman), None, Event::StayProvisional(known), None).unwrap();
    let of_woman = check(&willow, &walk, woman);
    let to = oak.ward().unwrap();
    at_station(&ward, &[("place", json!({ "ward": home, "stay": stay, "to": to, "bed": "201" }))]).await;
    oak.sync_now().await.unwrap();
    assert_eq!(oak.open_stays(), [stay]);
    let due = |tablet: &Tablet| tablet.board().unwrap().cards.into_iter().find(|c| c.stay == stay).unwrap().due_at;
    let known_so_far = due(&oak);
    let after = check(&willow, &walk, stay);
    assert!(willow.open_stays().contains(&stay), "the old ward's tablet has not heard of it");

    ward.cable.restore();
    willow.sync_now().await.unwrap();
    oak.sync_now().await.unwrap();
    assert!(!willow.open_stays().contains(&stay));
    assert_eq!(oak.open_stays(), [stay]);
    assert!(due(&oak) > known_so_far, "the late checks count from when they were seen");
    let has = |tablet: &Tablet, id: &String| holds(tablet).kinds.contains_key(id);
    assert!([&before, &after].iter().all(|id| has(&oak, id) && has(&willow, id)));
    assert!(!has(&oak, &of_woman), "nothing of a patient of another ward");
    let seen = oak.board().unwrap().cards[0].last_seen.clone().unwrap();
    assert_eq!(seen.record.to_string(), after);

    // The station finds out who the woman is.
    let real = walk.stays[1];
    at_station(&ward, &[("join", json!({ "ward": home, "stay": woman, "into": real }))]).await;
    willow.sync_now().await.unwrap();
    assert!(!willow.open_stays().contains(&woman));
    let card = willow.board().unwrap().cards.into_iter().find(|c| c.stay == real).unwrap();
    assert_eq!(card.last_seen.unwrap().record.to_string(), of_woman);
    assert_eq!(holds(&willow).missing_from(&ward.server_holds()), Vec::<String>::new());
    ward.facility.verify().unwrap();
}
