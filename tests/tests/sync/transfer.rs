//! A patient goes to another ward while the tablet of the old one is out of touch. Its checks arrive late, and both
//! boards end right.

use crate::fixture::{Ward, holds};
use lamplight_domain::ids::StayId;
use lamplight_domain::kinds::{Check, Event, StayProvisional};
use lamplight_domain::record::Auth;
use lamplight_domain::roster::{Bed, Roster, Ward as RosterWard};
use lamplight_tablet::{Options, Tablet};
use lamplight_tests::cable::Cable;
use lamplight_tests::sim::tablet::Walk;
use serde_json::{Value, json};
use uuid::Uuid;

const OAK: &str = "Oak Ward";

/// The demo facility with a second ward, as an administrator would have set it up before the server started.
fn with_a_second_ward() -> Ward {
    let mut ward = Ward::open();
    assert!(ward.facility.stop().unwrap().success());
    let data = ward.facility.data();
    let db = rusqlite::Connection::open(data.join("server.db")).unwrap();
    let key = std::fs::read_to_string(data.join("server.key")).unwrap();
    db.pragma_update(None, "key", format!("x'{}'", key.trim())).unwrap();
    let newest = "SELECT version, json FROM roster ORDER BY version DESC LIMIT 1";
    let (version, text): (i64, String) = db.query_row(newest, [], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
    let mut roster: Roster = serde_json::from_str(&text).unwrap();
    roster.version += 1;
    let bed = |label: &str| Bed { label: label.into(), room: label.into(), area: "West".into() };
    let id = lamplight_domain::ids::WardId(Uuid::from_u128(0x0A4));
    roster.wards.push(RosterWard { id, name: OAK.into(), beds: vec![bed("201"), bed("202")] });
    let text = serde_json::to_string(&roster).unwrap();
    db.execute("INSERT INTO roster (version, changed_at, json) VALUES (?1, 0, ?2)", (version + 1, text)).unwrap();
    drop(db);
    ward.facility.start().unwrap();
    ward.cable.lead_to(ward.facility.address);
    ward
}

/// What a nurse of the demo does at the station, by its own address.
async fn at_station(ward: &Ward, posts: &[(&str, Value)]) {
    let people = ward.facility.people();
    let nurse = people.iter().find(|p| p["role"] == "nurse" && p["login"].is_string()).unwrap();
    let ca = reqwest::Certificate::from_pem(&std::fs::read(ward.facility.data().join("ca.pem")).unwrap()).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
    let post = |path: &str, cookie: &str, body: &Value| {
        let ask = http.post(format!("{}/station/api/{path}", ward.facility.url())).header("lamplight-station", "1");
        ask.header("cookie", cookie).json(body).send()
    };
    let login = post("login", "", &json!({ "name": nurse["login"], "password": nurse["password"] })).await.unwrap();
    let cookie = login.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    for (path, body) in posts {
        let answer = post(path, &cookie, body).await.unwrap();
        let status = answer.status();
        assert!(status.is_success(), "{path}: {status} {}", answer.text().await.unwrap());
    }
}

fn check(tablet: &Tablet, walk: &Walk, stay: StayId) -> String {
    let seen = Event::Check(Check { place: "bedroom".into(), activity: "resting".into(), evidence: vec![] });
    tablet.record(Some(walk.technician), Auth::Pin, Some(stay), None, seen, None).unwrap().record.to_string()
}

#[tokio::test]
async fn late_checks_of_the_old_ward_reach_both_and_each_board_ends_right() {
    let ward = with_a_second_ward();
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
