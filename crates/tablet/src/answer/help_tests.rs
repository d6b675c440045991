//! Help and entries on a disk that takes nothing: what is shown meanwhile, and as what it is written down afterwards.

use crate::tablet::Tablet;
use crate::testing::*;
use lamplight_domain::ids::RecordId;
use lamplight_domain::time::Ms;
use serde_json::{Value, json};
use uuid::Uuid;

/// From now on nothing can be written down.
fn break_disk(tablet: &Tablet) {
    let broken = "CREATE TEMP TRIGGER broken BEFORE INSERT ON links BEGIN SELECT RAISE(ABORT, 'no'); END";
    tablet.0.records.look(|writer| writer.execute_batch(broken)).unwrap();
}
fn mend_disk(tablet: &Tablet) {
    tablet.0.records.look(|writer| writer.execute_batch("DROP TRIGGER broken")).unwrap();
}

fn check_tapped(id: u128, tapped_at: Ms) -> Value {
    let id = RecordId(Uuid::from_u128(id));
    let entry = json!({ "kind": "check", "place": "bedroom", "activity": "resting", "evidence": [] });
    json!({ "id": id, "stay": stay(), "entry": entry, "observed_at": null, "tapped_at": tapped_at })
}

async fn card(tablet: &Tablet) -> Value {
    call(tablet, "board", json!({})).await.unwrap()["cards"][0].clone()
}
async fn newest_row(tablet: &Tablet) -> Value {
    let day = call(tablet, "day", json!({ "stay": stay(), "date": null })).await.unwrap();
    day["rows"].as_array().unwrap().last().unwrap().clone()
}

#[tokio::test]
async fn a_save_that_is_tried_again_much_later_is_a_late_entry_of_the_first_tap() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    break_disk(&tablet);
    assert!(call(&tablet, "save", check_tapped(0xA1, START)).await.is_err());
    clock.pass(31_000);
    mend_disk(&tablet);
    let before = card(&tablet).await["due_at"].clone();
    let saved = call(&tablet, "save", check_tapped(0xA1, START)).await.unwrap();
    assert_eq!(saved["notice"], "Kept as a late entry, seen 02:47.");
    assert_eq!(card(&tablet).await["due_at"], before, "nobody looked again: it closes no gap");
    let row = newest_row(&tablet).await;
    assert_eq!((row["observed_at"].clone(), row["late_entry"] == ""), (json!(START), false), "{row}");
}

#[tokio::test]
async fn a_save_that_is_tried_again_at_once_is_the_check_that_it_was() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    let before = card(&tablet).await["due_at"].clone();
    clock.pass(30_000);
    let saved = call(&tablet, "save", check_tapped(0xA2, START)).await.unwrap();
    assert_eq!(saved["notice"], "");
    assert_ne!(card(&tablet).await["due_at"], before);
    assert_eq!(newest_row(&tablet).await["late_entry"], "");
}

#[tokio::test]
async fn a_half_made_entry_of_long_ago_is_offered_with_its_time_and_the_question_when_it_was_seen() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    let id = RecordId(Uuid::from_u128(0xA3));
    let draft = json!({ "id": id, "stay": stay(), "begun_at": START, "form": "note", "state": "half" });
    call(&tablet, "keep_draft", draft).await.unwrap();
    clock.pass(180_000);
    let kept = call(&tablet, "drafts", json!({})).await.unwrap()[0].clone();
    assert_eq!((kept["begun_clock"].clone(), kept["ask_when_seen"].clone()), (json!("02:47"), json!(false)));
    clock.pass(1);
    assert_eq!(call(&tablet, "drafts", json!({})).await.unwrap()[0]["ask_when_seen"], true);
}

#[tokio::test]
async fn help_that_cannot_be_written_down_is_shown_says_so_and_is_written_down_later_as_it_was() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    break_disk(&tablet);
    let help = json!({ "what": "not_breathing", "stay": stay(), "place": "101A" });
    let raised = call(&tablet, "raise", help).await.unwrap();
    let told = "This tablet has told nobody and could not record it. Use your alarm or shout.";
    assert_eq!(raised["emergency"]["told"], told);
    assert_eq!(raised["emergency"]["recorded"], false);
    assert!(!raised["emergency"]["steps"].as_array().unwrap().is_empty());
    assert_eq!(tablet.signal().level, lamplight_domain::views::SignalLevel::Emergency);
    call(&tablet, "lock", json!({})).await.unwrap();
    clock.pass(60_000);
    let locked = call(&tablet, "locked", json!({})).await.unwrap();
    assert_eq!(locked["emergencies"][0]["told"], told, "still, and while locked");
    assert!(!locked.to_string().contains("Garcia"));
    mend_disk(&tablet);
    clock.pass(3_000);
    sign_in(&tablet, nurse()).await;
    let board = call(&tablet, "board", json!({})).await.unwrap();
    let [shown] = board["emergencies"].as_array().unwrap().as_slice() else { panic!("one: {board}") };
    assert_eq!((&shown["record"], &shown["recorded"]), (&raised["record"], &json!(true)));
    assert_eq!((&shown["at"], &shown["by"]), (&json!(START), &json!("M. Okafor")), "its own time and person");
}

#[tokio::test]
async fn the_alarm_sounds_while_a_save_hangs() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    break_disk(&tablet);
    call(&tablet, "raise", json!({ "what": "need_help", "stay": null, "place": "" })).await.unwrap();
    clock.pass(10_000);
    // As long as a disk does not answer, whoever saves holds the pen.
    let hand = crate::file::lock(&tablet.0.pen);
    let (told, heard) = std::sync::mpsc::channel();
    let alarm = tablet.clone();
    std::thread::spawn(move || told.send(alarm.signal().level));
    let level = heard.recv_timeout(std::time::Duration::from_secs(20));
    drop(hand);
    assert_eq!(level, Ok(lamplight_domain::views::SignalLevel::Emergency));
}

#[tokio::test]
async fn naming_the_patient_of_an_emergency_keeps_its_time_and_leaves_one() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    let help = json!({ "what": "not_found", "stay": null, "place": "" });
    let before = call(&tablet, "raise", help).await.unwrap()["record"].clone();
    clock.pass(90_000);
    let named = json!({ "what": "not_found", "stay": stay(), "place": "", "instead_of": before });
    let raised = call(&tablet, "raise", named).await.unwrap();
    assert_eq!(raised["emergency"]["at"], json!(START));
    let board = call(&tablet, "board", json!({})).await.unwrap();
    let open: Vec<_> = board["emergencies"].as_array().unwrap().iter().map(|e| e["record"].clone()).collect();
    assert_eq!(open, [raised["record"].clone()]);
}

#[tokio::test]
async fn the_pad_opens_for_a_patient_who_has_just_left() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    let left = lamplight_domain::kinds::Event::StayClosed { reason: "discharged".into() };
    let bytes = foreign(0xCEF, left, START - 1);
    let record =
        lamplight_domain::record::Record::parse(&bytes, lamplight_domain::ids::AuthorId(Uuid::nil()), 9, Some(START));
    tablet.0.known_mut().records.take(record.unwrap());
    assert_eq!(call(&tablet, "board", json!({})).await.unwrap()["cards"], json!([]));
    let pad = call(&tablet, "pad", json!({ "stay": stay() })).await.unwrap();
    assert_eq!(pad["card"]["words"], "has left the ward");
    assert_eq!((&pad["card"]["state"], &pad["card"]["due_at"]), (&json!("paused"), &Value::Null));
    let saved = call(&tablet, "save", check_tapped(0xA4, START)).await.unwrap();
    assert!(saved["notice"].as_str().unwrap().contains("has left"), "{saved}");
    let nobody = Uuid::from_u128(0xBAD);
    assert_eq!(call(&tablet, "pad", json!({ "stay": nobody })).await.unwrap_err(), "stay.unknown");
}

#[tokio::test]
async fn every_act_says_what_was_done_and_a_differing_census_is_said() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    let of = call(&tablet, "save", check_tapped(0xA5, START)).await.unwrap()["record"].clone();
    let undo = json!({ "of": of, "action": { "do": "retract" }, "reason": "undo", "words": "" });
    assert_eq!(call(&tablet, "amend", undo).await.unwrap()["words"], "Taken back 02:47:10");
    let taken = call(&tablet, "take_over", json!({ "census_count": 3 })).await.unwrap();
    assert_eq!(taken["words"], "You hold the observations since 02:47:10");
    assert!(taken["notice"].as_str().unwrap().starts_with("You counted 3; the list has 1"), "{taken}");
    let help = json!({ "what": "need_help", "stay": null, "place": "" });
    let of = call(&tablet, "raise", help).await.unwrap()["record"].clone();
    let ended = call(&tablet, "end_emergency", json!({ "of": of, "words": "" })).await.unwrap();
    assert_eq!(ended["words"], "Emergency over 02:47:10");
}
