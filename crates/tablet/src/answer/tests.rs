//! The page's commands over a real encrypted file, without a window and without a server.

use crate::file::{bodies, lock};
use crate::testing::*;
use lamplight_domain::ids::{AuthorId, RecordId, StayId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::{Auth, Body, Envelope, Record};
use serde_json::json;
use uuid::Uuid;

fn note(id: u128, words: &str) -> serde_json::Value {
    let id = RecordId(Uuid::from_u128(id));
    json!({ "id": id, "stay": stay(), "entry": { "kind": "note", "words": words }, "observed_at": null })
}

fn draft(id: u128, state: &str) -> serde_json::Value {
    let id = RecordId(Uuid::from_u128(id));
    json!({ "id": id, "stay": stay(), "begun_at": START, "form": "note", "state": state })
}

#[tokio::test]
async fn nothing_is_answered_that_the_state_does_not_allow() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let fresh = open(dir.path(), &clock);
    assert_eq!(call(&fresh, "hello", json!({})).await.unwrap()["joined"], false);
    assert_eq!(call(&fresh, "board", json!({})).await.unwrap_err(), "join.first");
    assert_eq!(call(&fresh, "locked", json!({})).await.unwrap_err(), "join.first");
    drop(fresh);
    let tablet = with_patient(dir.path(), &clock, 1);
    assert_eq!(call(&tablet, "board", json!({})).await.unwrap_err(), "locked");
    assert_eq!(call(&tablet, "save", note(1, "x")).await.unwrap_err(), "locked");
    assert_eq!(call(&tablet, "rm", json!({})).await.unwrap_err(), "command.unknown");
    sign_in(&tablet, technician()).await;
    assert_eq!(call(&tablet, "board", json!({})).await.unwrap()["cards"][0]["name"], "Garcia, Mateo");
    assert_eq!(call(&tablet, "verify", json!({})).await.unwrap_err(), "role.not_allowed");
    assert_eq!(call(&tablet, "save", json!({ "id": 5 })).await.unwrap_err(), "arguments.wrong");
    call(&tablet, "lock", json!({})).await.unwrap();
    assert_eq!(call(&tablet, "board", json!({})).await.unwrap_err(), "locked");
}

#[tokio::test]
async fn the_locked_tablet_shows_no_name_of_a_patient_and_takes_a_call_for_help() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    for (command, args) in [
        ("locked", json!({})),
        ("status", json!({})),
        ("hello", json!({})),
        ("raise", json!({ "what": "not_breathing", "stay": stay(), "place": "" })),
        ("locked", json!({})),
    ] {
        let shown = call(&tablet, command, args).await.unwrap().to_string();
        assert!(!shown.contains("Garcia") && !shown.contains("Mateo"), "{command}: {shown}");
        assert!(!shown.contains("Okafor") && !shown.contains("Lindqvist"), "{command}: {shown}");
    }
    sign_in(&tablet, technician()).await;
    let board = call(&tablet, "board", json!({})).await.unwrap();
    assert_eq!(board["emergencies"][0]["name"], "Garcia, Mateo");
}

#[tokio::test]
async fn saving_a_draft_twice_saves_it_once() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    call(&tablet, "keep_draft", draft(0xD1, "half")).await.unwrap();
    let head = tablet.sync_state().head;
    let first = call(&tablet, "save", note(0xD1, "whole")).await.unwrap();
    assert_eq!(first["words"], "Saved on this tablet 02:47:10");
    clock.pass(3_000);
    let second = call(&tablet, "save", note(0xD1, "whole")).await.unwrap();
    assert_eq!(first["recorded_at"], second["recorded_at"]);
    let other = call(&tablet, "save", note(0xD1, "other words")).await.unwrap_err();
    assert_eq!(other, "entry.other", "what was not saved is never answered by what was");
    assert_eq!(tablet.sync_state().head, head + 1);
    assert_eq!(call(&tablet, "drafts", json!({})).await.unwrap(), json!([]), "the draft is done");
    call(&tablet, "keep_draft", draft(0xD1, "late")).await.unwrap();
    assert_eq!(call(&tablet, "drafts", json!({})).await.unwrap(), json!([]), "and stays done");
}

#[tokio::test]
async fn a_half_made_entry_survives_lock_change_of_user_and_restart_with_its_author() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    call(&tablet, "keep_draft", draft(0xD2, "half a sentence")).await.unwrap();
    sign_in(&tablet, nurse()).await;
    assert_eq!(call(&tablet, "drafts", json!({})).await.unwrap(), json!([]));
    assert_eq!(call(&tablet, "keep_draft", draft(0xD2, "mine now")).await.unwrap_err(), "draft.other_owner");
    call(&tablet, "drop_draft", json!({ "id": RecordId(Uuid::from_u128(0xD2)) })).await.unwrap();
    drop(tablet);
    let tablet = open(dir.path(), &clock);
    sign_in(&tablet, technician()).await;
    let drafts = call(&tablet, "drafts", json!({})).await.unwrap();
    assert_eq!(drafts[0]["state"], "half a sentence");
    let long = "x".repeat(16 * 1024 + 1);
    assert_eq!(call(&tablet, "keep_draft", draft(0xD3, &long)).await.unwrap_err(), "draft.too_big");
}

#[tokio::test]
async fn a_draft_that_was_saved_just_before_a_crash_is_not_offered_again() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    call(&tablet, "save", note(0xD4, "whole")).await.unwrap();
    let half = serde_json::from_value(draft(0xD4, "half")).unwrap();
    tablet.0.records.write(|to| crate::file::drafts::keep(to, technician(), &half)).unwrap();
    drop(tablet);
    let tablet = open(dir.path(), &clock);
    sign_in(&tablet, technician()).await;
    assert_eq!(call(&tablet, "drafts", json!({})).await.unwrap(), json!([]));
}

#[tokio::test]
async fn the_idle_lock_comes_by_the_boot_clock_and_a_touch_puts_it_off() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    clock.pass(200_000);
    call(&tablet, "touch", json!({})).await.unwrap();
    clock.pass(200_000);
    call(&tablet, "board", json!({})).await.unwrap();
    clock.pass(39_999);
    call(&tablet, "board", json!({})).await.unwrap();
    clock.pass(1);
    assert_eq!(call(&tablet, "board", json!({})).await.unwrap_err(), "locked", "the board's own ticking is no touch");
}

#[tokio::test]
async fn wrong_pins_are_counted_before_they_are_checked_and_wait_longer_and_longer() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    let wrong = json!({ "staff": technician(), "pin": "000000" });
    for _ in 0..3 {
        assert_eq!(call(&tablet, "sign_in", wrong.clone()).await.unwrap_err(), "pin.wrong");
    }
    assert_eq!(call(&tablet, "sign_in", wrong.clone()).await.unwrap_err(), "pin.wait");
    drop(tablet);
    let tablet = open(dir.path(), &clock);
    let right = json!({ "staff": technician(), "pin": PIN });
    assert_eq!(call(&tablet, "sign_in", right.clone()).await.unwrap_err(), "pin.wait", "a restart helps nobody");
    call(&tablet, "sign_in", json!({ "staff": nurse(), "pin": PIN })).await.unwrap();
    clock.pass(5_000);
    call(&tablet, "sign_in", right.clone()).await.unwrap();
    assert_eq!(call(&tablet, "sign_in", wrong).await.unwrap_err(), "pin.wrong", "the count begins anew");
}

#[tokio::test]
async fn a_try_that_was_cut_off_counts() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    // What a kill between counting and checking leaves behind.
    for _ in 0..3 {
        let at = crate::clock::Clock::read(&*clock);
        tablet.0.identity_file.write(|to| crate::file::pin_tries::count_one(to, technician(), &[7; 16], at)).unwrap();
    }
    let right = json!({ "staff": technician(), "pin": PIN });
    assert_eq!(call(&tablet, "sign_in", right).await.unwrap_err(), "pin.wait");
}

#[tokio::test]
async fn who_does_not_work_on_the_ward_does_not_sign_in() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    let sign = |staff| json!({ "staff": staff, "pin": PIN });
    assert_eq!(call(&tablet, "sign_in", sign(manager())).await.unwrap_err(), "role.not_on_tablet");
    let stranger = lamplight_domain::ids::StaffId(Uuid::from_u128(0xBAD));
    assert_eq!(call(&tablet, "sign_in", sign(stranger)).await.unwrap_err(), "staff.unknown");
}

#[tokio::test]
async fn no_verifier_that_works_elsewhere_is_stored() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    let verifier = roster().staff[0].pin.clone().unwrap().argon2id;
    let (stored, text) = tablet
        .0
        .identity_file
        .read(|from| {
            let pin = crate::file::pins::of(from, technician())?.unwrap();
            let text: String = from.query_row("SELECT value FROM roster", (), |row| row.get(0))?;
            Ok((pin.sealed, text))
        })
        .unwrap();
    assert_ne!(stored, verifier);
    assert!(!text.contains("argon2id") && !text.contains(&hex::encode(verifier)));
}

#[tokio::test]
async fn a_technician_says_who_came_and_a_nurse_acknowledges() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    let concern = json!({ "id": RecordId(Uuid::from_u128(0xC1)), "stay": stay(),
        "entry": { "kind": "concern", "words": "cheeking tablets" }, "observed_at": null });
    let of = call(&tablet, "save", concern).await.unwrap()["record"].clone();
    let alone = json!({ "of": of, "came": null });
    assert_eq!(call(&tablet, "acknowledge", alone.clone()).await.unwrap_err(), "acknowledge.who");
    let stranger = json!({ "of": of, "came": Uuid::from_u128(0xBAD) });
    assert_eq!(call(&tablet, "acknowledge", stranger).await.unwrap_err(), "staff.unknown");
    assert_eq!(call(&tablet, "board", json!({})).await.unwrap()["concerns"].as_array().unwrap().len(), 1);
    sign_in(&tablet, nurse()).await;
    call(&tablet, "acknowledge", alone).await.unwrap();
    assert_eq!(call(&tablet, "board", json!({})).await.unwrap()["concerns"], json!([]));
}

#[tokio::test]
async fn undo_gives_back_the_earlier_due_time() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    let due = |board: serde_json::Value| board["cards"][0]["due_at"].clone();
    let before = due(call(&tablet, "board", json!({})).await.unwrap());
    clock.pass(60_000);
    let check = json!({ "id": RecordId(Uuid::from_u128(0xC2)), "stay": stay(),
        "entry": { "kind": "check", "place": "bedroom", "activity": "resting", "evidence": [] }, "observed_at": null });
    let of = call(&tablet, "save", check).await.unwrap()["record"].clone();
    assert_ne!(due(call(&tablet, "board", json!({})).await.unwrap()), before);
    let undo = json!({ "of": of, "action": { "do": "retract" }, "reason": "undo", "words": "" });
    call(&tablet, "amend", undo).await.unwrap();
    assert_eq!(due(call(&tablet, "board", json!({})).await.unwrap()), before);
    let unknown = json!({ "of": Uuid::from_u128(0xBAD), "action": { "do": "retract" }, "reason": "undo", "words": "" });
    assert_eq!(call(&tablet, "amend", unknown).await.unwrap_err(), "record.unknown");
}

#[tokio::test]
async fn taking_over_watching_and_silencing_are_records_of_the_person() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    let taken = call(&tablet, "take_over", json!({ "census_count": 1 })).await.unwrap();
    assert_eq!(taken["notice"], "");
    let board = call(&tablet, "board", json!({})).await.unwrap();
    assert_eq!(board["holder"]["name"], "M. Okafor");
    assert_eq!(call(&tablet, "hello", json!({})).await.unwrap()["signed_in"]["holds"], true);
    let of_stay = json!({ "stay": stay() });
    assert_eq!(call(&tablet, "end_watch", of_stay.clone()).await.unwrap_err(), "watch.none");
    call(&tablet, "start_watch", of_stay.clone()).await.unwrap();
    assert_eq!(call(&tablet, "pad", of_stay.clone()).await.unwrap()["watching"], true);
    call(&tablet, "end_watch", of_stay.clone()).await.unwrap();
    assert_eq!(call(&tablet, "pad", of_stay.clone()).await.unwrap()["watching"], false);
    assert_eq!(call(&tablet, "end_watch", of_stay).await.unwrap_err(), "watch.none");
    call(&tablet, "silence", json!({})).await.unwrap();
    assert!(tablet.signal().silenced_until.is_some());
    clock.pass(120_000);
    assert!(tablet.signal().silenced_until.is_none(), "for two minutes");
}

#[tokio::test]
async fn the_pad_and_the_day_show_what_was_written_down() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    let mood = json!({ "id": RecordId(Uuid::from_u128(0xC3)), "stay": stay(), "observed_at": null, "entry": {
        "kind": "mood", "mood": { "source": "patient", "score": 3, "affect": [], "words": "", "harm": null } } });
    let of = call(&tablet, "save", mood).await.unwrap()["record"].clone();
    let pad = call(&tablet, "pad", json!({ "stay": stay() })).await.unwrap();
    assert_eq!(pad["moods"], json!(["3 at 02:47"]));
    assert_eq!(pad["card"]["name"], "Garcia, Mateo");
    let retract = json!({ "of": of, "action": { "do": "retract" }, "reason": "wrong_patient", "words": "" });
    call(&tablet, "amend", retract).await.unwrap();
    assert_eq!(call(&tablet, "pad", json!({ "stay": stay() })).await.unwrap()["moods"], json!([]));
    let day = |date: serde_json::Value| call(&tablet, "day", json!({ "stay": stay(), "date": date }));
    let rows = |day: serde_json::Value| day["rows"].as_array().unwrap().len();
    let now = rows(day(json!(null)).await.unwrap());
    assert!(now >= 1);
    assert_eq!(rows(day(json!("2026-11-22")).await.unwrap()), now);
    clock.pass(10 * 24 * 3_600_000);
    call(&tablet, "sign_in", json!({ "staff": technician(), "pin": PIN })).await.unwrap();
    let day = call(&tablet, "day", json!({ "stay": stay(), "date": "2026-11-22" })).await.unwrap();
    assert_eq!(rows(day), now, "from the file");
    let bad = json!({ "stay": stay(), "date": "yesterday" });
    assert_eq!(call(&tablet, "day", bad).await.unwrap_err(), "date.unknown");
}

#[tokio::test]
async fn two_programs_never_write_one_chain() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = joined(dir.path(), &clock, 1);
    let second = crate::Tablet::open(dir.path(), crate::Options::default());
    assert_eq!(second.err().unwrap().code, "tablet.in_use");
    drop(tablet);
    open(dir.path(), &clock);
}

#[tokio::test]
async fn the_chain_goes_on_where_it_was_after_a_restart() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    tablet.record(technician(), Auth::Pin, Some(stay()), None, check(), None).unwrap();
    let before = lock(&tablet.0.pen).as_ref().unwrap().head;
    let mut out = Vec::new();
    assert_eq!(tablet.export(&mut out).unwrap(), 4);
    let lines: Vec<serde_json::Value> =
        String::from_utf8(out).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!((&lines[3]["kind"], &lines[3]["seq"]), (&json!("check"), &json!(1)));
    assert!(lines.iter().all(|l| l["patient"] == json!(Uuid::from_u128(0x99))));
    drop(tablet);
    let tablet = open(dir.path(), &clock);
    assert_eq!(lock(&tablet.0.pen).as_ref().unwrap().head, before);
    assert!(tablet.anyone_on_ward());
}

#[tokio::test]
async fn after_damage_recording_goes_on_and_what_was_not_confirmed_is_kept() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    for _ in 0..3 {
        tablet.record(technician(), Auth::Pin, Some(stay()), None, check(), None).unwrap();
    }
    let author = tablet.sync_state().author;
    {
        let mut hand = lock(&tablet.0.pen);
        tablet.0.rebuild(&mut hand).unwrap();
    }
    assert_ne!(tablet.sync_state().author, author, "a number is never given twice");
    assert_eq!((tablet.sync_state().head, tablet.sync_state().waiting), (3, 3));
    sign_in(&tablet, technician()).await;
    call(&tablet, "save", note(0xD9, "after the damage")).await.unwrap();
    assert!(tablet.status().troubles.iter().any(|t| t.code == "file.set_aside"));
    drop(tablet);
    assert_eq!(open(dir.path(), &clock).sync_state().head, 5, "with the sign-in");
}

#[tokio::test]
async fn a_damaged_records_file_at_start_costs_neither_the_enrolment_nor_the_sign_in() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    drop(with_patient(dir.path(), &clock, 1));
    std::fs::write(dir.path().join("records.db"), vec![0x5A; 40_000]).unwrap();
    let tablet = open(dir.path(), &clock);
    assert!(tablet.status().troubles.iter().any(|t| t.code == "file.set_aside"));
    sign_in(&tablet, technician()).await;
    let help = json!({ "what": "need_help", "stay": null, "place": "east hallway" });
    call(&tablet, "raise", help).await.unwrap();
    assert_eq!(tablet.sync_state().head, 2, "the sign-in and the call for help");
}

#[tokio::test]
async fn damage_that_is_met_while_reading_is_mended_too() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    for _ in 0..200 {
        tablet.record(technician(), Auth::Pin, Some(stay()), None, check(), None).unwrap();
    }
    drop(tablet);
    let tablet = open(dir.path(), &clock);
    clock.pass(10 * 24 * 3_600_000);
    sign_in(&tablet, technician()).await;
    tablet.0.records.settle().unwrap();
    bend_pages(&dir.path().join("records.db"));
    // Out of the page cache, so that the disk is read.
    tablet.0.records.read(|from| from.execute_batch("PRAGMA shrink_memory")).unwrap();
    tablet.0.records.look(|from| from.execute_batch("PRAGMA shrink_memory")).unwrap();
    let day = json!({ "stay": stay(), "date": "2026-11-22" });
    assert_eq!(call(&tablet, "day", day.clone()).await.unwrap_err(), "file.damaged");
    assert!(tablet.status().troubles.iter().any(|t| t.code == "file.set_aside"));
    call(&tablet, "save", note(0xDA, "after the damage")).await.unwrap();
    call(&tablet, "day", day).await.map(|_| ()).unwrap_or_else(|code| assert_eq!(code, "stay.unknown"));
    assert_eq!(std::fs::read_dir(dir.path().join("set-aside")).unwrap().count(), 1, "set aside once");
}

#[tokio::test]
async fn damage_in_the_middle_of_the_file_does_not_keep_a_tablet_from_starting() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    for _ in 0..200 {
        tablet.record(technician(), Auth::Pin, Some(stay()), None, check(), None).unwrap();
    }
    drop(tablet);
    bend_pages(&dir.path().join("records.db"));
    let tablet = open(dir.path(), &clock);
    assert!(tablet.status().troubles.iter().any(|t| t.code == "file.set_aside"));
    sign_in(&tablet, technician()).await;
    call(&tablet, "raise", json!({ "what": "need_help", "stay": null, "place": "" })).await.unwrap();
}

#[tokio::test]
async fn a_damaged_identity_file_is_found_again_in_the_records_file() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    let author = tablet.sync_state().author;
    drop(tablet);
    let path = dir.path().join("identity.db");
    let size = std::fs::metadata(&path).unwrap().len() as usize;
    std::fs::write(&path, vec![0x5A; size]).unwrap();
    let tablet = open(dir.path(), &clock);
    assert_eq!(tablet.sync_state().author, author);
    assert!(tablet.status().troubles.iter().any(|t| t.code == "identity.set_aside"));
}

/// Bends every page from the sixth on.
fn bend_pages(path: &std::path::Path) {
    use std::io::{Seek, SeekFrom, Write};
    let size = std::fs::metadata(path).unwrap().len();
    let mut raw = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    for page in 6..size / 4096 {
        raw.seek(SeekFrom::Start(page * 4096 + 50)).unwrap();
        raw.write_all(&[0xA5; 8]).unwrap();
    }
}

#[tokio::test]
async fn somebody_unknown_is_taken_up_and_read_with_the_stay_that_the_station_joins_them_to() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    assert_eq!(call(&tablet, "take_up", json!({ "words": "woman", "bed": "" })).await.unwrap_err(), "locked");
    sign_in(&tablet, technician()).await;
    assert_eq!(call(&tablet, "take_up", json!({ "words": " ", "bed": "" })).await.unwrap_err(), "words.empty");
    assert_eq!(call(&tablet, "take_up", json!({ "words": "woman", "bed": "999Z" })).await.unwrap_err(), "bed.unknown");
    let beds = call(&tablet, "beds", json!({})).await.unwrap();
    assert_eq!(beds[0], json!({ "bed": "101A", "taken": true }));
    let taken = call(&tablet, "take_up", json!({ "words": "woman, about 30", "bed": "" })).await.unwrap();
    let woman: StayId = taken["stay"].as_str().unwrap().parse().unwrap();
    let board = tablet.board().unwrap();
    let card = board.cards.iter().find(|c| c.stay == woman).unwrap();
    assert_eq!((card.name.as_str(), card.words.as_str()), ("woman, about 30", "check now"));
    clock.pass(60_000);
    let seen = tablet.record(technician(), Auth::Pin, Some(woman), None, check(), None).unwrap().record;
    drop(tablet);

    // It is there after a start, and after the station has said who it is.
    let tablet = open(dir.path(), &clock);
    assert!(tablet.board().unwrap().cards.iter().any(|c| c.stay == woman));
    let joined =
        Envelope { stay: Some(woman), ..Body::parse(&foreign(0xCE10, check(), START + 60_000)).unwrap().envelope };
    let bytes = Body::new(joined, Event::StayJoined { into: stay() }).to_bytes().unwrap();
    tablet.0.records.write(|to| bodies::insert(to, &bytes)).unwrap();
    let record = Record::parse(&bytes, AuthorId(Uuid::nil()), 9, Some(START + 60_000)).unwrap();
    tablet.0.known_mut().records.take(record);
    let board = tablet.board().unwrap();
    assert_eq!(board.cards.iter().map(|c| c.stay).collect::<Vec<_>>(), [stay()]);
    assert_eq!(board.cards[0].last_seen.as_ref().unwrap().record, seen);
    sign_in(&tablet, technician()).await;
    // The page may still hold the old card.
    let pad = call(&tablet, "pad", json!({ "stay": woman })).await.unwrap();
    assert_eq!(pad["card"]["stay"], json!(stay()));
    // A day so long ago that it is read from the file.
    clock.pass(10 * 24 * 3_600_000);
    sign_in(&tablet, technician()).await;
    let day = call(&tablet, "day", json!({ "stay": stay(), "date": "2026-11-22" })).await;
    let rows = day.map(|d| d["rows"].as_array().unwrap().iter().filter(|r| r["record"] == json!(seen)).count());
    assert_eq!(rows, Ok(1));
}
