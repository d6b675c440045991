//! Every screen in both themes through the accessibility scan: no serious and no critical finding.

use crate::ground::{Ground, ground, walkable};
use lamplight_domain::kinds::{EmergencyKind, Event};
use lamplight_domain::record::Auth;
use lamplight_tests::axe::serious_findings;
use lamplight_tests::hands::Hands;
use lamplight_tests::page::{Page, id};
use lamplight_tests::sim::tablet::Walk;
use lamplight_tests::station::{self, Station};
use serde_json::json;

/// Findings of all screens, so that one run tells them all.
#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    async fn look(&mut self, page: &Page, screen: &str) {
        let found = serious_findings(page).await.unwrap_or_else(|e| panic!("{screen}: {e:#}"));
        self.0.extend(found.into_iter().map(|f| format!("{screen}: {f}")));
    }
    fn none(self) {
        assert!(self.0.is_empty(), "{} findings:\n{}", self.0.len(), self.0.join("\n"));
    }
}

#[tokio::test]
async fn every_screen_of_the_tablet_is_accessible_in_both_themes() {
    let Some(ground) = ground().await else { return };
    let mut findings = Findings::default();
    let window = ground.open("first").await;
    let hands = Hands { page: &window.page };
    hands.at("join").await.unwrap();
    findings.look(&window.page, "join").await;
    hands.join(&ground.invite, "W-7").await.unwrap();
    for theme in ["night", "day"] {
        tour(&ground, &window.page, theme, &mut findings).await;
    }
    findings.none();
}

async fn tour(ground: &Ground, page: &Page, theme: &str, findings: &mut Findings) {
    let hands = Hands { page };
    let person = ground.technician();
    hands.sign_in(person).await.unwrap();
    hands.theme(theme).await.unwrap();
    assert_eq!(page.run("return document.documentElement.dataset.theme", vec![]).await.unwrap(), json!(theme));
    findings.look(page, &format!("{theme} board")).await;
    hands.tap("take-over").await.unwrap();
    page.see(&id("census-count")).await.unwrap();
    findings.look(page, &format!("{theme} take over")).await;
    hands.tap("close").await.unwrap();
    hands.tap("status-strip").await.unwrap();
    page.see(&id("theme-day")).await.unwrap();
    findings.look(page, &format!("{theme} status")).await;
    hands.tap("close").await.unwrap();
    for order in ["place", "urgent", "walking"] {
        hands.tap(&format!("order-{order}")).await.unwrap();
        findings.look(page, &format!("{theme} board by {order}")).await;
    }
    let bed = walkable(&ground.second.board().unwrap())[0].clone();
    hands.check(&bed, "bedroom", "resting").await.unwrap();
    findings.look(page, &format!("{theme} saved")).await;
    hands.open(&bed).await.unwrap();
    findings.look(page, &format!("{theme} pad")).await;
    for (button, screen) in [
        ("add-mood", "mood"),
        ("add-behaviour", "behaviour"),
        ("add-note", "note"),
        ("add-concern", "concern"),
        ("not-done", "not_done"),
        ("open-day", "day"),
    ] {
        hands.tap(button).await.unwrap();
        hands.at(screen).await.unwrap();
        page.see(&id("close")).await.unwrap();
        findings.look(page, &format!("{theme} {screen}")).await;
        hands.tap("close").await.unwrap();
        hands.at("pad").await.unwrap();
    }
    hands.tap("close").await.unwrap();
    hands.tap_to("need-help", "emergency").await.unwrap();
    findings.look(page, &format!("{theme} emergency")).await;
    hands.tap_to("end-emergency", "board").await.unwrap();
    hands.lock().await.unwrap();
    findings.look(page, &format!("{theme} locked")).await;
    hands.tap_to("need-help", "emergency").await.unwrap();
    findings.look(page, &format!("{theme} emergency while locked")).await;
    hands.tap("close").await.unwrap();
    hands.sign_in(person).await.unwrap();
    hands.tap_to("emergency-0", "emergency").await.unwrap();
    hands.tap("end-emergency").await.unwrap();
    hands.lock().await.unwrap();
}

#[tokio::test]
async fn every_page_of_the_station_is_accessible_in_both_themes() {
    let Some(ground) = ground().await else { return };
    let mut findings = Findings::default();
    let station = Station::open(ground.facility.folder()).await.unwrap();
    let page = &station.page;
    station::visit(page, &ground.facility.url()).await.unwrap();
    findings.look(page, "login").await;
    station::log_in(page, ground.nurse()).await.unwrap();
    // Something of everything: a concern, an emergency.
    let board = ground.second.board().unwrap();
    let stay = board.cards[0].stay;
    let walk = Walk::of(&ground.second).await.unwrap();
    for (stay, event) in [
        (Some(stay), Event::Concern { words: "Gave away his shoes.".into() }),
        (None, Event::Emergency { what: EmergencyKind::NeedHelp, place: "Day room".into() }),
    ] {
        ground.second.record(Some(walk.technician), Auth::Pin, stay, None, event, None).unwrap();
    }
    ground.second.sync_now().await.unwrap();
    page.see("[data-testid^=\"emergency-\"]").await.unwrap();
    page.see("[data-testid^=\"concern-\"]").await.unwrap();
    let bed = &board.cards[0].bed;
    for theme in ["night", "day"] {
        station::theme(page, theme).await.unwrap();
        findings.look(page, &format!("{theme} station board")).await;
        page.tap(&id(&format!("open-{bed}"))).await.unwrap();
        page.see(&id("day")).await.unwrap();
        findings.look(page, &format!("{theme} station day")).await;
        page.tap(&id("nav-tablets")).await.unwrap();
        page.see("[data-testid^=\"contact-\"]").await.unwrap();
        findings.look(page, &format!("{theme} station tablets")).await;
        page.tap(&id("nav-join")).await.unwrap();
        page.tap(&id("make-invite")).await.unwrap();
        page.see(&id("invite-qr")).await.unwrap();
        findings.look(page, &format!("{theme} station invite")).await;
        page.tap(&id("nav-board")).await.unwrap();
        page.see("[data-testid^=\"row-\"]").await.unwrap();
    }
    findings.none();
}
