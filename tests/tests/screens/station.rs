//! The station in a real Chromium: live, honest about its own age, and acknowledged by named persons.

use crate::ground::{ground, walkable};
use lamplight_domain::kinds::{EmergencyKind, Event};
use lamplight_domain::record::Auth;
use lamplight_tests::cable::Cable;
use lamplight_tests::page::id;
use lamplight_tests::sim::tablet::Walk;
use lamplight_tests::station::{self, Station};
use lamplight_tests::until::until;

#[tokio::test]
async fn the_board_is_live_and_says_when_it_is_not() {
    let Some(ground) = ground().await else { return };
    let cable = Cable::to(ground.facility.address).unwrap();
    let station = Station::open(ground.facility.folder()).await.unwrap();
    let page = &station.page;
    station::visit(page, &cable.url()).await.unwrap();
    page.type_in(&id("login-name"), &ground.nurse().login).await.unwrap();
    page.type_in(&id("login-password"), "not the password").await.unwrap();
    page.tap(&id("login-submit")).await.unwrap();
    page.see(&id("refusal")).await.unwrap();
    station::log_in(page, ground.nurse()).await.unwrap();
    assert!(page.words().await.to_lowercase().contains("demo data"), "demo data says so");

    let bed = walkable(&ground.second.board().unwrap())[0].clone();
    let walk = Walk::of(&ground.second).await.unwrap();
    let stay = ground.second.board().unwrap().cards.into_iter().find(|c| c.bed == bed).unwrap().stay;
    let nth = walk.stays.iter().position(|s| *s == stay).unwrap();
    let check = walk.check(&ground.second, nth).unwrap();
    ground.second.sync_now().await.unwrap();
    let seen = ground.second.board().unwrap().cards.into_iter().find(|c| c.bed == bed).unwrap().last_seen.unwrap();
    assert_eq!(seen.record.to_string(), check);
    let row = id(&format!("row-{bed}"));
    page.text_that(&row, "the check, by itself", |t| t.contains(&seen.clock)).await.unwrap();

    cable.cut();
    page.see(&id("stale-banner")).await.unwrap();
    cable.restore();
    page.see_gone(&id("stale-banner")).await.unwrap();
}

#[tokio::test]
async fn an_emergency_stays_until_a_named_person_acknowledges_it() {
    let Some(ground) = ground().await else { return };
    let station = Station::open(ground.facility.folder()).await.unwrap();
    let page = &station.page;
    station::visit(page, &ground.facility.url()).await.unwrap();
    station::log_in(page, ground.nurse()).await.unwrap();
    let walk = Walk::of(&ground.second).await.unwrap();
    let event = Event::Emergency { what: EmergencyKind::Danger, place: "Day room".into() };
    let raised = ground.second.record(Some(walk.technician), Auth::Pin, None, None, event, None).unwrap().record;
    ground.second.sync_now().await.unwrap();
    page.see(&id(&format!("emergency-{raised}"))).await.unwrap();
    page.tap(&id(&format!("ack-{raised}"))).await.unwrap();
    let by = until("the acknowledgement on the tablet", async || {
        let open = ground.second_board().await.emergencies;
        open.into_iter().find(|e| e.record == raised)?.acknowledged_by
    })
    .await;
    assert_eq!(by, ground.nurse().name, "a named person");
}
