//! Whatever comes in wrong is refused by name, with what to do, and nothing is lost by it.

use crate::fixture::{Ward, ask};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::Trouble;
use lamplight_tablet::{Options, Tablet};
use lamplight_tests::cable::Weather;
use lamplight_tests::facility::{Facility, WARD};
use lamplight_tests::sim::tablet::Walk;
use lamplight_tests::{process, programs};
use serde_json::{Value, json};
use std::os::unix::process::ExitStatusExt;

fn helpful(refused: &Refusal) {
    assert!(!refused.code.is_empty() && !refused.what.is_empty() && !refused.next.is_empty(), "{refused:?}");
}

async fn sign_in(tablet: &Tablet, staff: &str, pin: &str) -> Result<Value, Refusal> {
    ask(tablet, "sign_in", json!({ "staff": staff, "pin": pin })).await
}

#[tokio::test]
async fn wrong_pins_wait_longer_and_longer_and_a_restart_does_not_help() {
    let ward = Ward::open();
    let mut tablet = ward.tablet("a").await;
    let (staff, pin) = ward.login(&tablet, "technician", 0).await;
    let wrong = if pin == "904417" { "904418" } else { "904417" };
    let mut codes = Vec::new();
    for _ in 0..12 {
        let refused = sign_in(&tablet, &staff, wrong).await.expect_err("a wrong PIN");
        helpful(&refused);
        assert!(!refused.to_string().contains(wrong), "the PIN is not repeated");
        codes.push(refused.code);
    }
    assert_ne!(codes.first(), codes.last(), "after many wrong ones it must wait: {codes:?}");
    let refused = sign_in(&tablet, &staff, &pin).await.expect_err("also the right one has to wait now");
    assert_eq!(Some(&refused.code), codes.last());
    tablet = ward.reopen("a", tablet);
    let refused = sign_in(&tablet, &staff, &pin).await.expect_err("the count is durable");
    assert_eq!(Some(&refused.code), codes.last());
    let (other, other_pin) = ward.login(&tablet, "nurse", 0).await;
    sign_in(&tablet, &other, &other_pin).await.expect("others are not locked out");
}

#[tokio::test]
async fn a_try_at_a_pin_counts_though_the_program_is_killed_before_it_answers() {
    let ward = Ward::open();
    let tablet = ward.tablet("a").await;
    let (staff, pin) = ward.login(&tablet, "technician", 0).await;
    drop(tablet);
    let sign_in_program = |pin: &str, ends_at: Option<&str>| {
        let mut command = std::process::Command::new(programs::path("lamplight-sim"));
        command.arg("tablet").arg("--dir").arg(ward.dir("a"));
        command.args(["sign-in", "--staff", &staff, "--pin", pin]);
        if let Some(step) = ends_at {
            command.env("FAILPOINTS", format!("{step}=return"));
        }
        process::run(command).unwrap()
    };
    for _ in 0..3 {
        let (status, out, _) = sign_in_program("904417", Some("pin.counted"));
        assert_eq!((status.signal(), out.as_str()), (Some(6), ""), "killed, and nothing answered");
    }
    let (status, _, err) = sign_in_program(&pin, None);
    assert!(!status.success() && err.contains("[pin.wait]"), "{err}");
    assert!(!err.contains(&pin), "{err}");
}

#[tokio::test]
async fn an_expired_invite_is_refused_and_the_tablet_stays_fresh() {
    let ward = Ward::open();
    let url = ward.cable.url();
    let arguments = ["--ward", WARD, "--url", url.as_str(), "--uses", "1", "--minutes", "0"];
    let made = ward.facility.command_with("invite", &arguments).unwrap();
    let tablet = Tablet::open(&ward.dir("late"), Options::default()).unwrap();
    let refused = tablet.join(made[0]["invite"].as_str().unwrap(), "").await.unwrap_err();
    helpful(&refused);
    assert_eq!(refused.code, "invite.expired");
    let hello: Value = ask(&tablet, "hello", json!({})).await.unwrap();
    assert_eq!(hello["joined"], false);
    tablet.join(&ward.invite, "").await.expect("a good invite still works");
}

#[tokio::test]
async fn a_used_invite_is_refused_and_the_tablet_stays_fresh() {
    let ward = Ward::open();
    let once = ward.facility.invite(&ward.cable.url(), 1).unwrap();
    let first = Tablet::open(&ward.dir("first"), Options::default()).unwrap();
    first.join(&once, "").await.unwrap();
    let second = Tablet::open(&ward.dir("second"), Options::default()).unwrap();
    let refused = second.join(&once, "").await.unwrap_err();
    helpful(&refused);
    assert!(refused.code.starts_with("invite."), "{refused}");
    let hello: Value = ask(&second, "hello", json!({})).await.unwrap();
    assert_eq!(hello["joined"], false);
    second.join(&ward.invite, "").await.expect("a good invite still works");
}

#[tokio::test]
async fn joining_says_what_is_in_the_way() {
    let ward = Ward::open();
    let tablet = Tablet::open(&ward.dir("a"), Options::default()).unwrap();
    let mut codes = Vec::new();
    for weather in [Weather::Cut, Weather::LoginPage] {
        ward.cable.set(weather);
        let refused = tablet.join(&ward.invite, "").await.unwrap_err();
        helpful(&refused);
        codes.push(refused.code);
    }
    let other = Facility::demo_with(&["--seed", "8"]).unwrap();
    ward.cable.lead_to(other.address);
    ward.cable.restore();
    let refused = tablet.join(&ward.invite, "").await.unwrap_err();
    helpful(&refused);
    assert_ne!(codes[0], refused.code, "nobody there and somebody else there are different things");
    ward.cable.lead_to(ward.facility.address);
    tablet.join(&ward.invite, "").await.unwrap();
}

#[tokio::test]
async fn a_login_page_or_another_server_is_not_the_facility_server() {
    let ward = Ward::open();
    let tablet = ward.tablet("a").await;
    let walk = Walk::of(&tablet).await.unwrap();
    walk.check(&tablet, 0).unwrap();
    let waiting = tablet.sync_state().waiting;
    assert!(waiting > 0);

    ward.cable.set(Weather::LoginPage);
    let trouble = tablet.sync_now().await.unwrap_err();
    assert!(matches!(trouble, Trouble::NotTheServer(_) | Trouble::Unreachable(_)), "{trouble:?}");
    assert_eq!(tablet.sync_state().waiting, waiting, "a 200 with HTML confirms nothing");

    let other = Facility::demo_with(&["--seed", "9"]).unwrap();
    ward.cable.lead_to(other.address);
    ward.cable.restore();
    let trouble = tablet.sync_now().await.unwrap_err();
    assert!(matches!(trouble, Trouble::NotTheServer(_)), "{trouble:?}");
    assert_eq!(tablet.sync_state().waiting, waiting);
    assert!(!tablet.status().online);

    ward.cable.lead_to(ward.facility.address);
    // An open connection to the other one must not be used on.
    ward.cable.cut();
    ward.cable.restore();
    tablet.sync_now().await.unwrap();
    assert_eq!(tablet.sync_state().waiting, 0);
}

#[tokio::test]
async fn what_is_too_long_to_send_is_not_recorded() {
    let ward = Ward::open();
    let tablet = ward.tablet("a").await;
    let walk = Walk::of(&tablet).await.unwrap();
    let before = tablet.sync_state().head;
    let long = lamplight_domain::kinds::Event::Note { words: "x".repeat(70_000) };
    let by = Some(walk.technician);
    let auth = lamplight_domain::record::Auth::Pin;
    let refused = tablet.record(by, auth, Some(walk.stays[0]), None, long, None).unwrap_err();
    helpful(&refused);
    assert_eq!(tablet.sync_state().head, before);
}

#[test]
fn the_server_names_what_is_in_its_way() {
    let ward = Ward::open();
    let listen = ward.facility.address.to_string();
    let refusals = [
        ("serve", vec!["--listen", listen.as_str()], "a busy port, or a folder that another server has"),
        ("invite", vec!["--ward", "No Such Ward", "--url", "https://127.0.0.1:1"], "an unknown ward"),
        ("invite", vec!["--ward", "Willow Ward", "--url", "http://127.0.0.1:1"], "an address without TLS"),
    ];
    for (command, arguments, what) in refusals {
        let (status, out, err) = ward.facility.run(command, &arguments).unwrap();
        assert!(!status.success(), "{what} is refused");
        assert!(out.is_empty() && err.len() > 20, "{what}: stdout {out:?}, stderr {err:?}");
    }
}
