//! The rules of the field that a tap on the tablet could break, asked through the same commands as the screen's.

use crate::fixture::{Ward, ask, board, card, day, pad, save, seen};
use lamplight_domain::commands::{Access, Amend, Command, Draft, Entry, Raised, Save, Saved};
use lamplight_domain::ids::{RecordId, StayId};
use lamplight_domain::kinds::{AmendmentAction, AmendmentReason, EmergencyKind, HarmTalk, Mood, MoodSource};
use lamplight_domain::time::MINUTE_MS;
use lamplight_domain::views::{CardState, DayRowKind};
use lamplight_tablet::Tablet;
use serde_json::{Value, json};
use uuid::Uuid;

/// A tablet with a technician signed in, and a patient whose clock runs.
async fn on_the_ward(ward: &Ward) -> (Tablet, StayId) {
    let tablet = ward.tablet("a").await;
    ward.sign_in(&tablet, "technician").await;
    let board = board(&tablet).await;
    let stay = board.cards.iter().find(|c| c.due_at.is_some()).expect("somebody's clock runs").stay;
    (tablet, stay)
}

fn retract(of: RecordId, reason: AmendmentReason) -> Amend {
    Amend { of, action: AmendmentAction::Retract, reason, words: String::new() }
}

#[tokio::test]
async fn two_taps_make_a_check_now_and_the_patient_is_seen() {
    let ward = Ward::open();
    let (tablet, stay) = on_the_ward(&ward).await;
    let before = card(&tablet, stay).await;
    let saved = save(&tablet, stay, seen()).await.unwrap();
    assert!(saved.words.starts_with("Saved on this tablet"), "{}", saved.words);
    assert_eq!(saved.undo_until - saved.recorded_at, 10_000, "undo stands for ten seconds");
    let after = card(&tablet, stay).await;
    assert_eq!(after.state, CardState::Ok);
    let last = after.last_seen.unwrap();
    assert_eq!((last.record, last.at), (saved.record, saved.recorded_at), "true time is now");
    assert!(after.due_at > before.due_at);
}

#[tokio::test]
async fn saving_a_draft_twice_saves_it_once() {
    let ward = Ward::open();
    let (tablet, stay) = on_the_ward(&ward).await;
    let twice = Save { id: pad(&tablet, stay).await.draft, stay, entry: seen(), observed_at: None, tapped_at: None };
    let first: Saved = ask(&tablet, "save", &twice).await.unwrap();
    let second: Saved = ask(&tablet, "save", &twice).await.unwrap();
    assert_eq!((first.record, first.recorded_at), (second.record, second.recorded_at));
    let rows = day(&tablet, stay).await.rows;
    assert_eq!(rows.iter().filter(|r| r.record == first.record).count(), 1);
}

#[tokio::test]
async fn what_was_not_seen_closes_no_gap() {
    let ward = Ward::open();
    let (tablet, stay) = on_the_ward(&ward).await;
    let due_at = card(&tablet, stay).await.due_at;
    let none_of_them = [
        Entry::Heard { place: "bathroom_heard".into() },
        Entry::CantTell { place: "bedroom".into() },
        Entry::NotDone { reason: "emergency".into(), words: String::new() },
        Entry::Note { words: "Asked for a blanket.".into() },
        Entry::Mood {
            mood: Mood {
                source: MoodSource::Patient,
                score: Some(3),
                affect: vec![],
                words: "Tired of it.".into(),
                harm: Some(HarmTalk::AskedSaidNo),
            },
        },
    ];
    for entry in none_of_them {
        save(&tablet, stay, entry.clone()).await.unwrap();
        assert_eq!(card(&tablet, stay).await.due_at, due_at, "{entry:?} is no check");
    }
    let late = Save {
        id: pad(&tablet, stay).await.draft,
        stay,
        entry: seen(),
        observed_at: Some(board(&tablet).await.now - 2 * MINUTE_MS),
        tapped_at: None,
    };
    let late: Saved = ask(&tablet, "save", late).await.unwrap();
    assert_eq!(card(&tablet, stay).await.due_at, due_at, "a late entry is no check in time");
    let row = day(&tablet, stay).await.rows.into_iter().find(|r| r.record == late.record).unwrap();
    assert!(!row.late_entry.is_empty() && row.gap_minutes.is_none(), "labelled for ever: {row:?}");
}

#[tokio::test]
async fn two_not_done_in_a_row_are_told() {
    let ward = Ward::open();
    let (tablet, stay) = on_the_ward(&ward).await;
    for twice in [false, true] {
        let entry = Entry::NotDone { reason: "alone".into(), words: String::new() };
        save(&tablet, stay, entry).await.unwrap();
        let card = card(&tablet, stay).await;
        assert_eq!(card.not_done_twice, twice);
        assert!(!card.tried.is_empty(), "it shows at once");
    }
}

#[tokio::test]
async fn there_is_no_future() {
    let ward = Ward::open();
    let (tablet, stay) = on_the_ward(&ward).await;
    let future = Save {
        id: pad(&tablet, stay).await.draft,
        stay,
        entry: seen(),
        observed_at: Some(board(&tablet).await.now + 5 * MINUTE_MS),
        tapped_at: None,
    };
    let refused = ask::<Saved>(&tablet, "save", future).await.unwrap_err();
    assert!(!refused.what.is_empty() && !refused.next.is_empty(), "{refused}");
}

#[tokio::test]
async fn a_retracted_check_gives_the_earlier_due_time_back_and_stays_visible() {
    let ward = Ward::open();
    let (tablet, stay) = on_the_ward(&ward).await;
    let before = card(&tablet, stay).await;
    for reason in [AmendmentReason::Undo, AmendmentReason::WrongPatient] {
        let check = save(&tablet, stay, seen()).await.unwrap();
        assert_ne!(card(&tablet, stay).await.due_at, before.due_at);
        let _: Saved = ask(&tablet, "amend", retract(check.record, reason)).await.unwrap();
        let after = card(&tablet, stay).await;
        assert_eq!((after.due_at, &after.last_seen), (before.due_at, &before.last_seen));
        let row = day(&tablet, stay).await.rows.into_iter().find(|r| r.record == check.record).unwrap();
        assert!(!row.retracted.is_empty() && row.gap_minutes.is_none(), "{row:?}");
    }
}

#[tokio::test]
async fn late_stays_late() {
    let ward = Ward::open();
    let tablet = ward.tablet("a").await;
    // A nurse may correct what others wrote; not even she makes it on time.
    ward.sign_in(&tablet, "nurse").await;
    // Of twelve hours by people who walk, some gap is over its limit.
    let mut found = None;
    for stay in board(&tablet).await.cards.iter().map(|c| c.stay) {
        if let Some(row) = day(&tablet, stay).await.rows.into_iter().find(|r| r.late && r.kind == DayRowKind::Check) {
            found = Some((stay, row));
            break;
        }
    }
    let (stay, row) = found.expect("a late check in the demo's history");
    let action = AmendmentAction::CorrectCheck { place: "day_room".into(), activity: "calm".into() };
    let correct = Amend { of: row.record, action, reason: AmendmentReason::MisTap, words: String::new() };
    let _: Saved = ask(&tablet, "amend", correct).await.unwrap();
    let now = day(&tablet, stay).await.rows.into_iter().find(|r| r.record == row.record).unwrap();
    assert!(now.late && now.gap_minutes == row.gap_minutes, "was {row:?}, is {now:?}");
    assert!(!now.amended.is_empty(), "both stay visible");
}

#[tokio::test]
async fn a_repeat_within_a_minute_is_recorded_and_noticed() {
    let ward = Ward::open();
    let (tablet, stay) = on_the_ward(&ward).await;
    let first = save(&tablet, stay, seen()).await.unwrap();
    let second = save(&tablet, stay, seen()).await.unwrap();
    assert_ne!(first.record, second.record, "recorded, not refused");
    assert!(!second.notice.is_empty(), "and said");
}

#[tokio::test]
async fn impossible_entries_are_refused_with_what_to_do() {
    let ward = Ward::open();
    let (tablet, stay) = on_the_ward(&ward).await;
    let mood =
        |source, score| Entry::Mood { mood: Mood { source, score, affect: vec![], words: String::new(), harm: None } };
    let impossible = [
        Entry::Note { words: "  ".into() },
        Entry::Concern { words: String::new() },
        mood(MoodSource::StaffImpression, Some(4)),
        mood(MoodSource::Patient, Some(11)),
    ];
    // The first look at a patient is on record.
    let _: serde_json::Value = ask(&tablet, "pad", serde_json::json!({ "stay": stay })).await.unwrap();
    let before = tablet.sync_state().head;
    for entry in impossible {
        let refused = save(&tablet, stay, entry.clone()).await.expect_err(&format!("{entry:?}"));
        assert!(!refused.code.is_empty() && !refused.what.is_empty() && !refused.next.is_empty(), "{refused}");
    }
    let nobody = StayId(Uuid::from_u128(1));
    let id = RecordId(Uuid::now_v7());
    let unknown = Save { id, stay: nobody, entry: seen(), observed_at: None, tapped_at: None };
    assert!(ask::<Saved>(&tablet, "save", unknown).await.is_err());
    assert_eq!(tablet.sync_state().head, before, "a refusal leaves no record");
}

#[tokio::test]
async fn a_locked_tablet_shows_no_patient_and_answers_nobody() {
    let ward = Ward::open();
    let (tablet, stay) = on_the_ward(&ward).await;
    let names: Vec<String> = board(&tablet).await.cards.iter().map(|c| c.name.clone()).collect();
    let staff: Vec<String> = ward.facility.people().iter().map(|p| p["name"].as_str().unwrap().to_owned()).collect();
    tablet.call("lock", json!({})).await.unwrap();
    for command in ["locked", "hello", "status"] {
        let shown = tablet.call(command, json!({})).await.unwrap().to_string();
        for name in &names {
            let family = name.split(',').next().unwrap();
            assert!(!shown.contains(&format!("\"{name}\"")) && !shown.contains(&format!("{family},")), "{command}");
        }
        for name in &staff {
            assert!(!shown.contains(name.as_str()), "{command} shows a staff surname");
        }
    }
    // Arguments that fit, so that it is the lock that refuses and nothing else.
    let args = json!({
        "stay": stay, "of": Uuid::now_v7(), "record": Uuid::now_v7(), "id": Uuid::now_v7(), "date": null,
        "entry": { "kind": "note", "words": "x" }, "observed_at": null, "came": null, "words": "x", "census_count": 1,
        "action": { "do": "retract" }, "reason": "undo", "begun_at": 0, "form": "note", "state": "{}",
    });
    for command in Command::ALL {
        if let Access::Roles(_) = command.access() {
            let refused = tablet.call(command.name(), args.clone()).await.expect_err(command.name());
            assert_ne!(refused.code, "arguments.wrong", "{}: the lock comes first", command.name());
        }
    }
    assert!(tablet.call("no_such_command", json!({})).await.is_err());
}

#[tokio::test]
async fn a_technician_does_not_verify() {
    let ward = Ward::open();
    let (tablet, _) = on_the_ward(&ward).await;
    let refused = tablet.call("verify", json!({})).await.unwrap_err();
    assert!(!refused.next.is_empty(), "{refused}");
    tablet.call("lock", json!({})).await.unwrap();
    ward.sign_in(&tablet, "nurse").await;
    tablet.call("verify", json!({})).await.unwrap();
}

#[tokio::test]
async fn help_from_an_offline_tablet_says_that_nobody_was_told() {
    let ward = Ward::open();
    let tablet = ward.tablet("a").await;
    ward.cable.cut();
    let _ = tablet.sync_now().await;
    // Nobody is signed in: help needs no sign-in.
    for what in [EmergencyKind::NeedHelp, EmergencyKind::NotBreathing] {
        let ask_for = json!({ "what": what, "stay": null, "place": "hallway" });
        let raised: Raised = ask(&tablet, "raise", ask_for).await.unwrap();
        assert!(raised.emergency.told.contains("told nobody"), "{}", raised.emergency.told);
        assert!(!raised.emergency.sent && raised.emergency.acknowledged_by.is_none());
        assert!(!raised.emergency.steps.is_empty(), "the facility's own steps");
    }
}

#[tokio::test]
async fn help_reaches_the_other_tablet_and_its_acknowledgement_comes_back() {
    let ward = Ward::open();
    let (a, b) = (ward.tablet("a").await, ward.tablet("b").await);
    ward.sign_in(&a, "technician").await;
    ward.sign_in(&b, "nurse").await;
    let raised: Raised =
        ask(&a, "raise", json!({ "what": "danger", "stay": null, "place": "day room" })).await.unwrap();
    a.sync_now().await.unwrap();
    let told = &board(&a).await.emergencies[0].told;
    assert!(!told.contains("told nobody") || told.contains("nobody has answered"), "{told}");
    b.sync_now().await.unwrap();
    let there = board(&b).await.emergencies.into_iter().find(|e| e.record == raised.record).unwrap();
    assert_eq!(there.acknowledged_by, None, "shown is not acknowledged");
    let _: Saved = ask(&b, "acknowledge", json!({ "of": raised.record, "came": null })).await.unwrap();
    b.sync_now().await.unwrap();
    a.sync_now().await.unwrap();
    let here = board(&a).await.emergencies.into_iter().find(|e| e.record == raised.record).unwrap();
    assert!(here.acknowledged_by.is_some(), "a named person");
}

#[tokio::test]
async fn a_half_made_entry_survives_lock_change_of_user_and_restart_and_stays_with_its_author() {
    let ward = Ward::open();
    let (tablet, stay) = on_the_ward(&ward).await;
    let id = pad(&tablet, stay).await.draft;
    let now = board(&tablet).await.now;
    let draft = Draft { id, stay, begun_at: now, form: "behaviour".into(), state: "{\"words\":\"Threw a\"}".into() };
    let _: Value = ask(&tablet, "keep_draft", &draft).await.unwrap();
    tablet.call("lock", json!({})).await.unwrap();
    ward.sign_in(&tablet, "nurse").await;
    let others: Vec<Draft> = ask(&tablet, "drafts", json!({})).await.unwrap();
    assert!(others.is_empty(), "somebody else's half-made entry is nobody's business");
    let tablet = ward.reopen("a", tablet);
    ward.sign_in(&tablet, "technician").await;
    let kept: Vec<Draft> = ask(&tablet, "drafts", json!({})).await.unwrap();
    assert_eq!(kept, vec![draft]);
    let words = Entry::Note { words: "Threw a cup.".into() };
    let _: Saved =
        ask(&tablet, "save", Save { id, stay, entry: words, observed_at: None, tapped_at: None }).await.unwrap();
    let left: Vec<Draft> = ask(&tablet, "drafts", json!({})).await.unwrap();
    assert!(left.is_empty(), "saved is no longer half-made");
}

#[tokio::test]
async fn whoever_takes_over_holds_the_observations_and_the_census_is_compared() {
    let ward = Ward::open();
    let tablet = ward.tablet("a").await;
    let (staff, pin) = ward.login(&tablet, "technician", 1).await;
    tablet.call("sign_in", json!({ "staff": staff, "pin": pin })).await.unwrap();
    let patients = board(&tablet).await.cards.len();
    tablet.call("take_over", json!({ "census_count": patients })).await.unwrap();
    let holder = board(&tablet).await.holder.expect("somebody holds them");
    assert_eq!(json!(holder.staff), staff);
}

#[tokio::test]
async fn a_concern_stays_on_top_until_a_nurse_took_notice() {
    let ward = Ward::open();
    let (tablet, stay) = on_the_ward(&ward).await;
    let concern = save(&tablet, stay, Entry::Concern { words: "Gave away his shoes.".into() }).await.unwrap();
    let open = board(&tablet).await.concerns;
    assert!(open.iter().any(|c| c.record == concern.record));
    tablet.call("lock", json!({})).await.unwrap();
    ward.sign_in(&tablet, "nurse").await;
    let _: Saved = ask(&tablet, "acknowledge", json!({ "of": concern.record, "came": null })).await.unwrap();
    assert!(board(&tablet).await.concerns.iter().all(|c| c.record != concern.record));
}

#[tokio::test]
async fn two_tablets_that_check_one_patient_are_both_kept_and_shown() {
    let ward = Ward::open();
    let (a, b) = (ward.tablet("a").await, ward.tablet("b").await);
    ward.sign_in(&a, "technician").await;
    ward.sign_in(&b, "nurse").await;
    let stay = board(&a).await.cards.iter().find(|c| c.due_at.is_some()).unwrap().stay;
    let one = save(&a, stay, seen()).await.unwrap();
    let two = save(&b, stay, seen()).await.unwrap();
    for tablet in [&a, &b, &a] {
        tablet.sync_now().await.unwrap();
    }
    for tablet in [&a, &b] {
        let rows = day(tablet, stay).await.rows;
        for id in [one.record, two.record] {
            assert!(rows.iter().any(|r| r.record == id && r.kind == DayRowKind::Check));
        }
        assert!(card(tablet, stay).await.also.contains("also checked"), "{:?}", card(tablet, stay).await.also);
    }
}
