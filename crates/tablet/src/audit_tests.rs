//! What is written down of people: each in the own chain, in nobody's way, and on no board.

use crate::file::{bodies, lock};
use crate::sync::fake::{FakeFacility, State};
use crate::tablet::Tablet;
use crate::testing::*;
use lamplight_domain::ids::{RecordId, StaffId, WardId};
use lamplight_domain::kinds::{Act, Audit, Event};
use lamplight_domain::record::{Auth, Body};
use lamplight_domain::time::HOUR_MS;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// Everything of it that stands in the file, oldest first.
fn written(tablet: &Tablet) -> Vec<(Body, Audit)> {
    let mut found = Vec::new();
    tablet
        .0
        .records
        .read(|from| bodies::walk_kind(from, "audit", |_, bytes| found.extend(Body::parse(bytes))))
        .unwrap();
    let audit = |body: Body| match body.event.clone() {
        Some(Event::Audit(audit)) => (body, audit),
        other => panic!("{other:?}"),
    };
    found.into_iter().map(audit).collect()
}

/// The acts in order, each with who did it and what it says.
fn acts(tablet: &Tablet) -> Vec<(Act, Option<StaffId>, String)> {
    written(tablet).into_iter().map(|(body, audit)| (audit.act, body.envelope.by, audit.what)).collect()
}

fn act(act: Act, by: Option<StaffId>, what: &str) -> (Act, Option<StaffId>, String) {
    (act, by, what.to_owned())
}

fn check(id: u128) -> serde_json::Value {
    json!({ "id": RecordId(Uuid::from_u128(id)), "stay": stay(), "observed_at": null,
        "entry": { "kind": "check", "place": "bedroom", "activity": "resting", "evidence": [] } })
}

#[tokio::test]
async fn signing_in_looking_and_leaving_are_records_of_the_person() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    let (tech, nurse) = (Some(technician()), Some(nurse()));
    sign_in(&tablet, technician()).await;
    for command in ["pad", "day", "pad"] {
        call(&tablet, command, json!({ "stay": stay(), "date": null })).await.unwrap();
    }
    sign_in(&tablet, crate::testing::nurse()).await;
    call(&tablet, "day", json!({ "stay": stay(), "date": null })).await.unwrap();
    call(&tablet, "lock", json!({})).await.unwrap();
    assert_eq!(
        acts(&tablet),
        [
            act(Act::SignedIn, tech, ""),
            act(Act::Viewed, tech, ""),
            act(Act::SignedOut, tech, "change of user"),
            act(Act::SignedIn, nurse, ""),
            act(Act::Viewed, nurse, ""),
            act(Act::SignedOut, nurse, "by button"),
        ]
    );
    let all = written(&tablet);
    for (body, audit) in &all {
        let envelope = &body.envelope;
        assert_eq!((envelope.ward, envelope.stay, envelope.auth), (WardId::FACILITY, None, Auth::Pin));
        assert_eq!((audit.ward, audit.tablet), (Some(ward()), envelope.tablet));
    }
    assert_eq!(all.iter().map(|(_, a)| a.stay).collect::<Vec<_>>()[1], Some(stay()));
    assert_eq!(tablet.sync_state().head, 6, "in the own chain");
}

#[tokio::test]
async fn the_idle_lock_is_written_down_with_the_next_thing_that_is() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    clock.pass(240_000);
    // The alarm is the first to look.
    tablet.signal();
    assert_eq!(acts(&tablet).len(), 1, "the alarm waits for no disk");
    sign_in(&tablet, technician()).await;
    let by = Some(technician());
    let expected = [act(Act::SignedIn, by, ""), act(Act::SignedOut, by, "idle"), act(Act::SignedIn, by, "")];
    assert_eq!(acts(&tablet), expected);
    let at: Vec<_> = written(&tablet).iter().map(|(body, _)| body.envelope.recorded_at).collect();
    assert!(at.is_sorted());
}

#[tokio::test]
async fn a_wrong_pin_names_whose_it_was_to_be_and_nobody_as_its_author() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    let wrong = json!({ "staff": technician(), "pin": "918273" });
    call(&tablet, "sign_in", wrong).await.unwrap_err();
    let (body, audit) = written(&tablet).remove(0);
    assert_eq!((audit.act, audit.staff, audit.what.as_str()), (Act::SignInFailed, Some(technician()), "wrong PIN"));
    assert_eq!((body.envelope.by, body.envelope.auth), (None, Auth::None));
    let text = String::from_utf8(body.to_bytes().unwrap()).unwrap();
    assert!(!text.contains("918273") && !text.contains("Okafor"), "{text}");
}

#[tokio::test]
async fn what_a_role_may_not_is_noted_once_a_minute() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    let refused = async || assert_eq!(call(&tablet, "verify", json!({})).await.unwrap_err(), "role.not_allowed");
    for _ in 0..5 {
        refused().await;
    }
    clock.pass(60_000);
    refused().await;
    call(&tablet, "lock", json!({})).await.unwrap();
    let noted = acts(&tablet).into_iter().filter(|(act, ..)| *act == Act::Refused).collect::<Vec<_>>();
    assert_eq!(noted, vec![act(Act::Refused, Some(technician()), "command verify"); 2]);
}

#[tokio::test]
async fn a_file_that_takes_no_audit_keeps_nobody_out_and_gets_it_later() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    // No page more for anything new.
    let pages = |most: i64| {
        tablet.0.records.look(|db| db.query_row(&format!("PRAGMA max_page_count = {most}"), (), |_| Ok(()))).unwrap();
    };
    let fill = "CREATE TABLE filler (x BLOB); INSERT INTO filler VALUES (zeroblob(200000))";
    tablet.0.records.look(|db| db.execute_batch(fill)).unwrap();
    pages(1);
    let reserve = dir.path().join("reserve");
    assert!(reserve.exists());
    let mut signed_in = 0;
    // Until the free room of the last page is used up.
    while !tablet.status().troubles.iter().any(|t| t.code == "audit.not_written") {
        sign_in(&tablet, technician()).await;
        signed_in += 1;
        assert!(signed_in < 200, "the file takes everything");
    }
    clock.pass(5_000);
    sign_in(&tablet, technician()).await;
    assert!(reserve.exists(), "the reserve is for what was seen");
    let before = acts(&tablet).len();
    assert!(before <= signed_in);
    pages(1_000_000);
    clock.pass(5_000);
    call(&tablet, "lock", json!({})).await.unwrap();
    assert_eq!(acts(&tablet).len(), signed_in + 2, "all of it, and the way out");
    assert!(tablet.status().troubles.iter().all(|t| t.code != "audit.not_written"));
}

#[tokio::test]
async fn nobody_waits_for_a_pen_that_is_in_use() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    {
        let _hand = lock(&tablet.0.pen);
        tablet.0.sign_in(technician(), PIN).unwrap();
        assert!(acts(&tablet).is_empty());
    }
    sign_in(&tablet, nurse()).await;
    assert_eq!(acts(&tablet).len(), 3);
}

async fn sync(tablet: &Tablet, server: &FakeFacility) {
    tablet.0.sync_once(server, &mut Default::default(), true).await.unwrap();
}

fn server() -> FakeFacility {
    let server = FakeFacility::default();
    *lock(&server.0) = State { time: START.0, generation: 1, ..State::default() };
    server
}

fn pass(clock: &Arc<HandClock>, server: &FakeFacility, ms: i64) {
    clock.pass(ms);
    lock(&server.0).time += ms;
}

#[tokio::test]
async fn it_is_sent_like_any_own_record_and_never_in_memory() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    let in_memory = tablet.0.known().records.len();
    sign_in(&tablet, technician()).await;
    call(&tablet, "pad", json!({ "stay": stay() })).await.unwrap();
    assert_eq!(tablet.0.known().records.len(), in_memory);
    assert_eq!(tablet.status().waiting, 2);
    // Queued while nobody could write: the sender does.
    clock.pass(240_000);
    tablet.signal();
    sync(&tablet, &server).await;
    assert_eq!(tablet.sync_state().waiting, 0);
    let held = lock(&server.0).bodies.values().filter(|b| String::from_utf8_lossy(b).contains("\"audit\"")).count();
    assert_eq!(held, 3);
    let head = tablet.sync_state().head;
    drop(tablet);
    let tablet = open(dir.path(), &clock);
    assert_eq!((tablet.sync_state().head, tablet.sync_state().waiting), (head, 0));
    let of_audit =
        |tablet: &Tablet| written(tablet).iter().any(|(b, _)| !tablet.0.known().records.held(b.envelope.id).is_empty());
    assert!(!of_audit(&tablet), "nor after a start");
    assert_eq!(tablet.board().unwrap().cards.len(), 1);
}

#[tokio::test]
async fn it_survives_a_lost_file_by_the_second_copy() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    let before = written(&tablet);
    drop(tablet);
    std::fs::write(dir.path().join("records.db"), vec![0x5A; 40_000]).unwrap();
    let tablet = open(dir.path(), &clock);
    assert_eq!(written(&tablet), before);
    assert_eq!(tablet.sync_state().waiting, 1);
}

#[tokio::test]
async fn it_goes_with_the_month_by_the_receipt_for_it_and_not_before() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    call(&tablet, "save", check(0xA1)).await.unwrap();
    sync(&tablet, &server).await;
    let months = 31 * 24 * HOUR_MS;
    pass(&clock, &server, months);
    sign_in(&tablet, nurse()).await;
    sync(&tablet, &server).await;
    assert_eq!(tablet.prune().unwrap(), 0, "no backup is known");
    let heard = START + months;
    lock(&server.0).backed_up = Some(heard - HOUR_MS);
    pass(&clock, &server, 120_000);
    sync(&tablet, &server).await;
    assert_eq!(acts(&tablet).len(), 3);
    tablet.prune().unwrap();
    let left: Vec<_> = acts(&tablet).into_iter().map(|(act, by, _)| (act, by)).collect();
    assert_eq!(left, [(Act::SignedOut, Some(technician())), (Act::SignedIn, Some(nurse()))], "the old one is gone");
    let head = tablet.sync_state().head;
    drop(tablet);
    assert_eq!(open(dir.path(), &clock).sync_state().head, head, "its link is not");
}

#[tokio::test]
async fn what_waits_never_goes_however_old_it_is() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    sync(&tablet, &server).await;
    clock.pass(-40 * 24 * HOUR_MS);
    sign_in(&tablet, technician()).await;
    clock.pass(40 * 24 * HOUR_MS);
    lock(&server.0).backed_up = Some(START + HOUR_MS);
    pass(&clock, &server, 120_000);
    let mut pulled = None;
    tablet.0.pull_page(&server, 0, &mut pulled).await.unwrap();
    assert_eq!(tablet.sync_state().waiting, 1);
    tablet.prune().unwrap();
    assert_eq!(acts(&tablet).len(), 1);
}
