//! The main job, whole: joins, signs in, walks a round with the network down, and the station has every record.

use crate::ground::{ground, walkable};
use lamplight_tests::facility::lines;
use lamplight_tests::hands::Hands;
use lamplight_tests::page::id;
use lamplight_tests::station::{self, Station};
use lamplight_tests::until::{until, until_blocking};
use serde_json::Value;
use std::collections::BTreeMap;

#[tokio::test]
async fn a_round_from_the_first_tap_to_the_nursing_station() {
    let Some(ground) = ground().await else { return };
    let window = ground.joined().await;
    let hands = Hands { page: &window.page };
    let technician = ground.technician();

    // The locked screen names no patient.
    let names: Vec<String> = ground.second_board().await.cards.iter().map(|c| c.name.clone()).collect();
    let locked = window.page.words().await;
    for name in &names {
        assert!(!locked.contains(name.split(',').next().unwrap()), "the locked screen names {name}");
    }
    assert!(!locked.contains(technician.name.split(". ").nth(1).unwrap()), "no staff surname");

    // A wrong PIN is refused in words, and nothing opens.
    hands.choose(technician).await.unwrap();
    hands.type_pin(if technician.pin == "904417" { "904418" } else { "904417" }).await.unwrap();
    window.page.text_that(&id("pin-message"), "that the PIN is wrong", |t| t.contains('▲')).await.unwrap();
    hands.at("locked").await.unwrap();
    let pin_pad = window.page.see(&id("pin-message")).await.unwrap();
    assert!(!pin_pad.attr("data-code").await.unwrap().unwrap_or_default().is_empty());

    until("the wrong PIN's delay to pass", async || {
        hands.type_pin(&technician.pin).await.ok()?;
        lamplight_tests::until::within(std::time::Duration::from_secs(3), async || {
            window.page.shows("body[data-screen=\"board\"]").await.then_some(())
        })
        .await
    })
    .await;
    let board = ground.second_board().await;
    let mut shown = hands.beds().await.unwrap();
    assert_eq!(shown, board.cards.iter().map(|c| c.bed.clone()).collect::<Vec<_>>(), "walking order");
    shown.sort();
    assert!(shown.len() >= 20, "the whole ward: {shown:?}");
    assert!(window.page.words().await.to_lowercase().contains("demo data"), "demo data says so");
    hands.strip_that("that all is confirmed", |online, waiting| online && waiting == 0).await.unwrap();

    // The network goes. The round goes on.
    ground.cable.cut();
    hands.strip_that("offline", |online, _| !online).await.unwrap();
    let beds = walkable(&board);
    let mut recorded = Vec::new();
    let mut answered = 0;
    let seen = [
        ("bedroom", "resting"),
        ("hallway", "walking"),
        ("day_room", "tv"),
        ("bedroom", "eyes_closed"),
        ("day_room", "calm"),
    ];
    for (bed, (place, activity)) in beds.iter().zip(seen) {
        let before = hands.strip().await.unwrap().1;
        recorded.push((bed.clone(), hands.check(bed, place, activity).await.unwrap()));
        let (_, waiting) = hands.strip_that("one more waiting", |_, waiting| waiting > before).await.unwrap();
        answered = waiting;
        assert_eq!(hands.state(bed).await.unwrap(), "ok", "{bed} was seen just now");
    }
    // A check on the wrong patient, undone: the earlier due time is back.
    let wrong = &beds[5];
    let before = hands.state(wrong).await.unwrap();
    let undone = hands.check(wrong, "hallway", "pacing").await.unwrap();
    hands.undo().await.unwrap();
    until("the earlier state", async || (hands.state(wrong).await.ok()? == before).then_some(())).await;

    // A mood and a behaviour entry.
    hands.open(&beds[0]).await.unwrap();
    hands.tap("add-mood").await.unwrap();
    hands.at("mood").await.unwrap();
    for tap in ["source-patient", "mood-3", "affect-anxious", "harm-asked_said_no"] {
        hands.tap(tap).await.unwrap();
    }
    window.page.type_in(&id("words"), "Cannot sleep, the light in the hallway.").await.unwrap();
    hands.tap("save").await.unwrap();
    hands.at("pad").await.unwrap();
    hands.tap("add-behaviour").await.unwrap();
    hands.at("behaviour").await.unwrap();
    for tap in ["before-noise", "behaviour-shouting", "did-talked", "then-settled", "affected-words_only"] {
        hands.tap(tap).await.unwrap();
    }
    hands.tap("save").await.unwrap();
    hands.at("pad").await.unwrap();
    hands.tap("close").await.unwrap();
    hands.at("board").await.unwrap();
    let (online, waiting) = hands.strip_that("what waits", |_, waiting| waiting > answered).await.unwrap();
    assert!(!online && waiting >= recorded.len() as u64 + 4, "{waiting} wait");
    let words = window.page.text(&id("waiting")).await;
    assert!(words.contains(&waiting.to_string()), "the number waiting is on the screen: {words}");
    assert!(server_has(&ground.facility.export().unwrap(), &recorded[0].1).is_none(), "it cannot be there yet");

    // The network returns; nobody presses anything.
    ground.cable.restore();
    hands.strip_that("that nothing waits", |online, waiting| online && waiting == 0).await.unwrap();
    window
        .page
        .text_that(&id("status-strip"), "n of n confirmed", |t| t.contains("Confirmed by the station"))
        .await
        .unwrap();

    // The second tablet and the station's board show the checks.
    let second = ground.second_board().await;
    for (bed, record) in &recorded {
        let card = second.cards.iter().find(|c| c.bed == *bed).unwrap();
        assert_eq!(&card.last_seen.as_ref().unwrap().record.to_string(), record, "{bed} on the second tablet");
    }
    assert!(second.cards.iter().all(|c| c.last_seen.as_ref().is_none_or(|s| s.record.to_string() != undone)));
    let station = Station::open(ground.facility.folder()).await.unwrap();
    station::visit(&station.page, &ground.facility.url()).await.unwrap();
    station::log_in(&station.page, ground.nurse()).await.unwrap();
    for (bed, _) in &recorded {
        let clock = &second.cards.iter().find(|c| c.bed == *bed).unwrap().last_seen.as_ref().unwrap().clock;
        let row = id(&format!("row-{bed}"));
        station.page.text_that(&row, "when the patient was seen", |t| t.contains(clock.as_str())).await.unwrap();
    }

    // Both databases, record by record and hash by hash.
    hands.lock().await.unwrap();
    let file = window.tablet();
    window.close().await.unwrap();
    let sim = lamplight_tests::programs::path("lamplight-sim");
    let exported = until_blocking("the closed app's file", || {
        let mut command = std::process::Command::new(&sim);
        command.arg("tablet").arg("--dir").arg(&file).arg("export");
        let (status, out, _) = lamplight_tests::process::run(command).unwrap();
        status.success().then(|| lines(&out).unwrap())
    });
    let server = hashes(&ground.facility.export().unwrap());
    let tablet = hashes(&exported);
    assert!(tablet.len() > recorded.len());
    for (id, hash) in &tablet {
        assert_eq!(server.get(id), Some(hash), "{id} on the server");
    }
    for id in recorded.iter().map(|(_, id)| id).chain([&undone]) {
        assert!(tablet.contains_key(id), "{id} in the tablet's own file");
    }
    ground.facility.verify().unwrap();
}

fn server_has(export: &[Value], id: &str) -> Option<Value> {
    export.iter().find(|l| l["id"] == id).cloned()
}

fn hashes(export: &[Value]) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    export.iter().map(|line| (text(&line["id"]), text(&line["hash"]))).collect()
}

#[tokio::test]
async fn help_with_the_network_down_says_that_nobody_was_told() {
    let Some(ground) = ground().await else { return };
    let window = ground.joined().await;
    let hands = Hands { page: &window.page };
    ground.cable.cut();
    // Locked, and nobody signed in.
    hands.tap_to("need-help", "emergency").await.unwrap();
    window.page.text_that(&id("told"), "told nobody", |t| t.contains("told nobody")).await.unwrap();
    let words = window.page.words().await;
    let board = ground.second.board().unwrap();
    for card in &board.cards {
        assert!(!words.contains(card.name.split(',').next().unwrap()), "a locked tablet names {}", card.bed);
    }
    hands.tap("close").await.unwrap();
    hands.sign_in(ground.technician()).await.unwrap();
    window.page.see(&id("emergency-0")).await.unwrap();
    ground.cable.restore();
    // The station hears of it by itself.
    until("the emergency on the second tablet", async || {
        (!ground.second_board().await.emergencies.is_empty()).then_some(())
    })
    .await;
}
