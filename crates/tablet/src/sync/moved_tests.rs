//! A tablet that was moved to another ward, or taken out of use, finds out by itself and loses nothing.

use super::fake::{FakeFacility, State};
use crate::file::lock;
use crate::tablet::Tablet;
use crate::testing::*;
use lamplight_domain::chain::{DecryptionKey, SigningKey, Trust};
use lamplight_domain::ids::WardId;
use lamplight_domain::record::{Auth, Body};
use lamplight_domain::time::{HOUR_MS, Ms};
use lamplight_domain::wire::Trouble;
use serde_json::json;
use std::sync::TryLockError;
use std::time::{Duration, Instant};
use uuid::Uuid;

const OTHER: WardId = WardId(Uuid::from_u128(0xBB));

fn server() -> FakeFacility {
    let server = FakeFacility::default();
    *lock(&server.0) = State { time: START.0, generation: 1, ..State::default() };
    server
}

async fn sync(tablet: &Tablet, server: &FakeFacility) -> Result<(), Trouble> {
    tablet.0.sync_once(server, &mut Default::default(), true).await
}

fn record(tablet: &Tablet) {
    tablet.record(technician(), Auth::Pin, Some(stay()), None, check(), None).unwrap();
}

fn has(tablet: &Tablet, code: &str) -> bool {
    tablet.status().troubles.iter().any(|t| t.code == code)
}

#[tokio::test]
async fn a_moved_tablet_sends_all_it_has_and_takes_the_new_ward_wherever_it_is_cut() {
    for cut_after in 0..9 {
        let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
        let tablet = with_patient(dir.path(), &clock, 1);
        sync(&tablet, &server).await.unwrap();
        sign_in(&tablet, technician()).await;
        let id = Uuid::from_u128(0xD1);
        let begun = json!({ "id": id, "stay": stay(), "begun_at": START, "form": "mood", "state": "half" });
        call(&tablet, "keep_draft", begun).await.unwrap();
        // Out of touch while it is moved: it goes on with its old ward.
        lock(&server.0).moved_to = Some(OTHER);
        record(&tablet);
        record(&tablet);
        assert_eq!((tablet.ward(), tablet.board().unwrap().cards.len()), (Some(ward()), 1));
        lock(&server.0).asked.clear();
        lock(&server.0).cut_after = Some(cut_after);
        let _ = sync(&tablet, &server).await;
        lock(&server.0).cut_after = None;
        sync(&tablet, &server).await.unwrap();
        assert_eq!(tablet.ward(), Some(OTHER), "cut after {cut_after}");
        assert_eq!(tablet.sync_state().waiting, 0);
        let state = lock(&server.0).clone();
        let checks = state.bodies.values().filter_map(|b| Body::parse(b).ok()).filter(|b| b.envelope.kind == "check");
        let wards: Vec<_> = checks.map(|check| check.envelope.ward).collect();
        assert_eq!(wards, [ward(); 2], "where they were seen");
        let first = state.asked.iter().position(|asked| *asked == "feed").unwrap();
        assert!(state.asked[..first].contains(&"push"), "sent before anything else: {:?}", state.asked);
        assert_eq!(tablet.board().unwrap().cards.len(), 0, "the old ward's patients left the board");
        let hello = call(&tablet, "hello", json!({})).await.unwrap();
        assert_eq!((&hello["ward_name"], hello["signed_in"].is_object()), (&json!("Oak Ward"), true));
        let drafts = call(&tablet, "drafts", json!({})).await.unwrap();
        assert_eq!(drafts.as_array().map(Vec::len), Some(1), "half-made entries stay with who began them: {drafts}");
        assert!(has(&tablet, "tablet.moved"));
        drop(tablet);
        let tablet = open(dir.path(), &clock);
        assert_eq!((tablet.ward(), tablet.board().unwrap().cards.len()), (Some(OTHER), 0), "also after a restart");
    }
}

#[tokio::test]
async fn one_that_hears_it_while_it_listens_sends_everything_before_it_goes() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    sync(&tablet, &server).await.unwrap();
    lock(&server.0).moved_to = Some(OTHER);
    record(&tablet);
    let pulled = tablet.0.pull_page(&server, 0, &mut None).await.unwrap();
    assert!(pulled.more && pulled.ask_heads);
    assert_eq!((tablet.ward(), tablet.sync_state().waiting), (Some(OTHER), 0));
}

#[tokio::test]
async fn a_tablet_that_was_not_moved_hears_the_refusal_and_stays() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 2);
    // The roster of the answer does not know it.
    lock(&server.0).moved_to = Some(OTHER);
    let Err(Trouble::Refused(refusal)) = sync(&tablet, &server).await else { panic!("it is refused") };
    assert_eq!((refusal.code.as_str(), tablet.ward()), ("ward.not_yours", Some(ward())));
}

#[tokio::test]
async fn a_revoked_tablet_sends_what_it_holds_and_says_that_it_hears_nothing() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    sync(&tablet, &server).await.unwrap();
    record(&tablet);
    lock(&server.0).revoked = true;
    for _ in 0..2 {
        let Err(Trouble::Refused(refusal)) = sync(&tablet, &server).await else { panic!("it may not read") };
        assert_eq!(refusal.code, "tablet.revoked");
    }
    record(&tablet);
    let _ = sync(&tablet, &server).await;
    assert_eq!(tablet.sync_state().waiting, 0, "what it holds is taken");
    let status = tablet.status();
    assert!(has(&tablet, "tablet.revoked") && !status.online, "{}", status.words);
    clock.pass(HOUR_MS);
    drop(tablet);
    let tablet = open(dir.path(), &clock);
    assert!(has(&tablet, "tablet.revoked"), "before it is in touch again");
    lock(&server.0).revoked = false;
    sync(&tablet, &server).await.unwrap();
    assert!(!has(&tablet, "tablet.revoked") && tablet.status().online);
}

#[tokio::test]
async fn a_key_is_let_go_only_where_nothing_waits_nobody_is_signed_in_and_the_facility_could_open_what_is_kept() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    sync(&tablet, &server).await.unwrap();
    lock(&server.0).revoked = true;
    let _ = sync(&tablet, &server).await;
    assert!(has(&tablet, "tablet.revoked") && !tablet.is_handed_over(), "nothing is sealed to the facility");
    let sealing = DecryptionKey::from_secret([4; 32]).public();
    tablet.0.take_trust(Trust::sign(&facility_key(), facility(), Ms(1), &[b"an authority"], sealing)).unwrap();
    record(&tablet);
    assert!(!tablet.0.hand_over().unwrap(), "an entry came after the last answer of the server");
    sign_in(&tablet, technician()).await;
    let _ = sync(&tablet, &server).await;
    assert_eq!((tablet.sync_state().waiting, tablet.is_handed_over()), (0, false), "somebody works with it");
    tablet.lock();
    assert!(!tablet.0.hand_over().unwrap(), "that somebody left is not written down yet");
    tablet.0.note_revoked(false);
    assert!(!tablet.0.hand_over().unwrap(), "it is in use again");
    let _ = sync(&tablet, &server).await;
    assert!(tablet.is_handed_over() && tablet.sync_state().author.is_none());
}

/// Taken out of use, all of it confirmed, and the facility could open its files.
async fn to_be_handed_over(tablet: &Tablet, server: &FakeFacility) {
    sync(tablet, server).await.unwrap();
    lock(&server.0).revoked = true;
    let _ = sync(tablet, server).await;
    let sealing = DecryptionKey::from_secret([4; 32]).public();
    tablet.0.take_trust(Trust::sign(&facility_key(), facility(), Ms(1), &[b"an authority"], sealing)).unwrap();
}

/// Ends where it never comes to be.
fn comes_to_be(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn whether_somebody_is_still_there_is_asked_without_the_pen() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    to_be_handed_over(&tablet, &server).await;
    sign_in(&tablet, technician()).await;
    let _ = sync(&tablet, &server).await;
    clock.pass(HOUR_MS);
    // Somebody is recording.
    let pen = lock(&tablet.0.pen);
    let other = tablet.clone();
    let thread = std::thread::spawn(move || other.0.hand_over());
    comes_to_be("the idle tablet locks while the pen is held", || lock(&tablet.0.session).is_none());
    drop(pen);
    assert!(!thread.join().unwrap().unwrap(), "that it locked is not written down yet");
}

#[tokio::test]
async fn nothing_is_recorded_between_the_decision_and_its_being_forgotten_who_this_is() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    to_be_handed_over(&tablet, &server).await;
    // Whoever looks at the board holds the rest of it up.
    let board = tablet.0.known();
    let other = tablet.clone();
    let thread = std::thread::spawn(move || other.0.hand_over());
    comes_to_be("it forgets who it is", || tablet.0.identity().is_none());
    assert!(matches!(tablet.0.pen.try_lock(), Err(TryLockError::WouldBlock)), "the pen is still held");
    drop(board);
    assert!(thread.join().unwrap().unwrap());
    let refused = tablet.record(technician(), Auth::Pin, Some(stay()), None, check(), None).unwrap_err();
    assert_eq!(refused.code, "join.first");
}

#[tokio::test]
async fn what_the_facility_did_not_sign_or_said_before_changes_nobodys_trust() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    let sealing = DecryptionKey::from_secret([4; 32]).public();
    let said = |by: &SigningKey, since, der: &[u8]| Trust::sign(by, facility(), Ms(since), &[der], sealing);
    let forged = said(&SigningKey::from_seed(&[66; 32]), 9, b"a stranger's");
    assert!(matches!(tablet.0.take_trust(forged), Err(Trouble::NotTheServer(_))));
    assert!(tablet.0.identity().unwrap().ca_pem.is_empty());
    tablet.0.take_trust(said(&facility_key(), 5, b"new")).unwrap();
    let new = tablet.0.identity().unwrap().ca_pem.clone();
    tablet.0.take_trust(said(&facility_key(), 4, b"old, kept and sent again")).unwrap();
    assert_eq!(tablet.0.identity().unwrap().ca_pem, new);
}
