//! Who is let in, who is not, for how long, and by whom again.

use crate::file::{identity, lock, pin_tries, pins};
use crate::sync::fake::{FakeFacility, State};
use crate::tablet::Tablet;
use crate::testing::*;
use lamplight_domain::chain::{DecryptionKey, Trust};
use lamplight_domain::ids::{StaffId, StayId};
use lamplight_domain::kinds::{AccessGiven, Act, Event};
use lamplight_domain::record::{Auth, Body};
use lamplight_domain::roster::{PinVerifier, Roster, Staff};
use lamplight_domain::time::{HOUR_MS, MINUTE_MS, Ms};
use serde_json::{Value, json};
use uuid::Uuid;

const WRONG: &str = "918273";

fn with_pin(staff: StaffId, pin: &str) -> Value {
    json!({ "staff": staff, "pin": pin })
}

async fn tries(tablet: &Tablet, staff: StaffId, pin: &str) -> String {
    call(tablet, "sign_in", with_pin(staff, pin)).await.err().unwrap_or_default()
}

/// Nine wrong ones, each after the wait that the last one brought.
async fn nine_wrong(tablet: &Tablet, clock: &HandClock, staff: StaffId) {
    for n in 1..=9 {
        assert_eq!(tries(tablet, staff, WRONG).await, "pin.wrong", "try {n}");
        clock.pass(5 * MINUTE_MS);
    }
}

async fn locked_out(tablet: &Tablet, clock: &HandClock, staff: StaffId) {
    nine_wrong(tablet, clock, staff).await;
    assert_eq!(tries(tablet, staff, WRONG).await, "pin.locked_out");
}

/// As a newer roster of the station says.
fn roster_changed(tablet: &Tablet, change: impl FnOnce(&mut Roster)) {
    let mut newer = roster();
    newer.version = tablet.roster().unwrap().version + 1;
    change(&mut newer);
    tablet.0.take_roster(newer).unwrap();
}

fn person(roster: &mut Roster, id: StaffId) -> &mut Staff {
    roster.staff.iter_mut().find(|p| p.id == id).unwrap()
}

fn new_pin(pin: &str, salt: u8) -> PinVerifier {
    PinVerifier { salt: [salt; 16], argon2id: *crate::sign_in::argon2id(pin, &[salt; 16]).unwrap() }
}

#[tokio::test]
async fn ten_wrong_pins_lock_out_whatever_the_clock_and_the_power_do() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    nine_wrong(&tablet, &clock, technician()).await;
    let refused = tablet.call("sign_in", with_pin(technician(), WRONG)).await.unwrap_err();
    assert_eq!(refused.code, "pin.locked_out");
    for word in ["charge nurse", "station", "Help works"] {
        assert!(refused.next.contains(word), "{refused}");
    }
    drop(tablet);
    let tablet = open(dir.path(), &clock);
    for jump in [0, 400 * 24 * HOUR_MS, -900 * 24 * HOUR_MS] {
        clock.set_wall(START + jump);
        clock.pass(HOUR_MS);
        assert_eq!(tries(&tablet, technician(), PIN).await, "pin.locked_out", "the right PIN does not help either");
    }
    assert_eq!(tries(&tablet, nurse(), PIN).await, "", "nobody else is");
}

#[tokio::test]
async fn the_tenth_right_pin_lets_in_and_the_count_begins_anew() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    nine_wrong(&tablet, &clock, technician()).await;
    assert_eq!(tries(&tablet, technician(), PIN).await, "");
    nine_wrong(&tablet, &clock, technician()).await;
}

#[tokio::test]
async fn the_last_tries_say_how_many_are_left() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    let mut said = Vec::new();
    for _ in 0..9 {
        said.push(tablet.call("sign_in", with_pin(technician(), WRONG)).await.unwrap_err().next);
        clock.pass(5 * MINUTE_MS);
    }
    assert!(said[..6].iter().all(|next| !next.contains("lock")), "{said:?}");
    assert!(said[6].ends_with("3 more lock you out on this tablet."), "{said:?}");
    assert!(said[8].ends_with("One more wrong PIN locks you out on this tablet."), "{said:?}");
}

#[tokio::test]
async fn a_tenth_try_that_was_cut_off_between_count_and_answer_counts() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    nine_wrong(&tablet, &clock, technician()).await;
    // What a kill between counting and checking leaves behind.
    let at = crate::clock::Clock::read(&*clock);
    tablet.0.identity_file.write(|to| pin_tries::count_one(to, technician(), &[7; 16], at)).unwrap();
    drop(tablet);
    clock.pass(HOUR_MS);
    assert_eq!(tries(&open(dir.path(), &clock), technician(), PIN).await, "pin.locked_out");
}

#[tokio::test]
async fn a_charge_nurse_lets_somebody_in_again_without_a_network() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    locked_out(&tablet, &clock, technician()).await;
    sign_in(&tablet, nurse()).await;
    let of = json!({ "staff": technician() });
    assert_eq!(call(&tablet, "let_in", of.clone()).await.unwrap_err(), "role.not_allowed");
    sign_in(&tablet, charge_nurse()).await;
    let people = call(&tablet, "people", json!({})).await.unwrap();
    let shown = &people["locked_out"];
    assert_eq!(shown.as_array().unwrap().len(), 1);
    assert_eq!((&shown[0]["staff"], &shown[0]["name"]), (&json!(technician()), &json!("M. Okafor, MHT 2304")));
    assert!(shown[0]["words"].as_str().unwrap().starts_with("technician, 10 wrong PINs, the last "), "{shown}");
    let people = call(&tablet, "let_in", of).await.unwrap();
    assert_eq!(people["locked_out"], json!([]));
    let stranger = json!({ "staff": Uuid::from_u128(0xBAD) });
    assert_eq!(call(&tablet, "let_in", stranger).await.unwrap_err(), "staff.unknown");
    assert_eq!(tries(&tablet, technician(), PIN).await, "");
}

#[tokio::test]
async fn a_new_pin_from_the_station_begins_at_no_tries_and_the_same_one_does_not() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    locked_out(&tablet, &clock, charge_nurse()).await;
    roster_changed(&tablet, |_| {});
    assert_eq!(tries(&tablet, charge_nurse(), PIN).await, "pin.locked_out", "a roster that changes something else");
    roster_changed(&tablet, |roster| person(roster, charge_nurse()).pin = Some(new_pin("351806", 8)));
    assert_eq!(tries(&tablet, charge_nurse(), PIN).await, "pin.wrong", "the old PIN, the first try at the new one");
    assert_eq!(tries(&tablet, charge_nurse(), "351806").await, "");
    assert_eq!(call(&tablet, "people", json!({})).await.unwrap()["locked_out"], json!([]));
}

#[tokio::test]
async fn help_works_for_whoever_is_locked_out() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    for staff in [technician(), nurse(), charge_nurse()] {
        locked_out(&tablet, &clock, staff).await;
    }
    let help = json!({ "what": "need_help", "stay": null, "place": "hallway" });
    assert_eq!(call(&tablet, "raise", help).await.unwrap()["emergency"]["recorded"], true);
}

// --- the end of signing in without the station ---

fn server() -> FakeFacility {
    let server = FakeFacility::default();
    *lock(&server.0) = State { time: START.0, generation: 1, ..State::default() };
    server
}

async fn heard(tablet: &Tablet, clock: &HandClock, server: &FakeFacility) {
    lock(&server.0).time = crate::clock::Clock::read(clock).wall.0;
    tablet.0.sync_once(server, &mut Default::default(), true).await.unwrap();
    // The fake's own roster came with it.
    roster_changed(tablet, |roster| roster.settings.offline_sign_in_hours = 72);
}

fn codes(tablet: &Tablet) -> Vec<String> {
    tablet.status().troubles.into_iter().map(|t| t.code).filter(|code| code.starts_with("sign_in")).collect()
}

#[tokio::test]
async fn signing_in_ends_72_hours_after_the_station_was_heard_with_a_warning() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    heard(&tablet, &clock, &server).await;
    clock.pass(59 * HOUR_MS);
    assert!(codes(&tablet).is_empty());
    clock.pass(4 * HOUR_MS);
    let told = tablet.status().troubles.into_iter().find(|t| t.code == "sign_in.ends_soon").unwrap();
    assert!(told.what.starts_with("In 9 hours nobody can sign in") && told.what.contains("22 Nov"), "{told}");
    clock.pass(9 * HOUR_MS - 1_000);
    assert_eq!(tries(&tablet, technician(), PIN).await, "");
    clock.pass(1_000);
    assert_eq!(tries(&tablet, nurse(), PIN).await, "sign_in.offline_too_long");
    assert_eq!(codes(&tablet), ["sign_in.offline_too_long"]);
    call(&tablet, "board", json!({})).await.expect("whoever is signed in stays in");
    call(&tablet, "lock", json!({})).await.unwrap();
    assert_eq!(tries(&tablet, technician(), PIN).await, "sign_in.offline_too_long", "until they lock");
    let help = json!({ "what": "need_help", "stay": null, "place": "hallway" });
    call(&tablet, "raise", help).await.expect("help always works");
    heard(&tablet, &clock, &server).await;
    assert!(codes(&tablet).is_empty());
    assert_eq!(tries(&tablet, technician(), PIN).await, "");
}

#[tokio::test]
async fn no_clock_makes_it_longer_and_none_that_the_boot_clock_contradicts_shorter() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    heard(&tablet, &clock, &server).await;
    clock.pass(HOUR_MS);
    clock.set_wall(START + 10_000 * HOUR_MS);
    assert_eq!(tries(&tablet, technician(), PIN).await, "", "a year ahead, an hour by the boot clock");
    clock.pass(70 * HOUR_MS);
    // Another program start in the same boot, with the clock back where it was.
    clock.set_wall(START);
    drop(tablet);
    let tablet = open(dir.path(), &clock);
    assert_eq!(tries(&tablet, technician(), PIN).await, "");
    clock.pass(HOUR_MS);
    assert_eq!(tries(&tablet, technician(), PIN).await, "sign_in.offline_too_long");
    // The machine is restarted with its clock set back by a year.
    drop(tablet);
    clock.reboot(START - 10_000 * HOUR_MS);
    let tablet = open(dir.path(), &clock);
    assert_eq!(tries(&tablet, technician(), PIN).await, "sign_in.offline_too_long", "it is known how long it was");
}

#[tokio::test]
async fn a_restart_goes_on_counting_where_it_was() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    heard(&tablet, &clock, &server).await;
    clock.pass(50 * HOUR_MS);
    assert_eq!(tries(&tablet, technician(), PIN).await, "");
    let wall = crate::clock::Clock::read(&*clock).wall;
    drop(tablet);
    clock.reboot(wall + 20 * HOUR_MS);
    let tablet = open(dir.path(), &clock);
    assert_eq!(tries(&tablet, technician(), PIN).await, "");
    assert_eq!(codes(&tablet), ["sign_in.ends_soon"]);
    clock.pass(2 * HOUR_MS);
    assert_eq!(tries(&tablet, technician(), PIN).await, "sign_in.offline_too_long");
}

#[tokio::test]
async fn a_records_file_that_is_lost_does_not_begin_the_hours_anew() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    heard(&tablet, &clock, &server).await;
    let lose_records = || {
        for file in ["records.db", "records.db-wal", "records.db-shm"] {
            _ = std::fs::remove_file(dir.path().join(file));
        }
        std::fs::write(dir.path().join("records.db"), [0x5a; 40_000]).unwrap();
    };
    clock.pass(60 * HOUR_MS);
    assert_eq!(tries(&tablet, technician(), PIN).await, "");
    drop(tablet);
    lose_records();
    let tablet = open(dir.path(), &clock);
    assert_eq!(codes(&tablet), ["sign_in.ends_soon"], "what was noted holds");
    clock.pass(12 * HOUR_MS);
    assert_eq!(tries(&tablet, technician(), PIN).await, "sign_in.offline_too_long");
    // And what was heard since takes it back, in both files.
    heard(&tablet, &clock, &server).await;
    drop(tablet);
    lose_records();
    let tablet = open(dir.path(), &clock);
    assert_eq!((tries(&tablet, technician(), PIN).await, codes(&tablet)), (String::new(), vec![]));
}

#[tokio::test]
async fn a_facility_that_sets_nothing_ends_nothing() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    heard(&tablet, &clock, &server).await;
    roster_changed(&tablet, |roster| roster.settings.offline_sign_in_hours = 0);
    clock.pass(9_000 * HOUR_MS);
    assert_eq!((tries(&tablet, technician(), PIN).await, codes(&tablet)), (String::new(), vec![]));
}

// --- access for a shift ---

fn access(hours: u8, pin: &str) -> Value {
    json!({ "family": "Novak", "given": " Eva ", "number": "Northstaff 118", "pin": pin, "hours": hours })
}

async fn let_work(tablet: &Tablet, hours: u8) -> StaffId {
    sign_in(tablet, charge_nurse()).await;
    let people = call(tablet, "give_access", access(hours, "351806")).await.unwrap();
    serde_json::from_value(people["guests"][0]["staff"].clone()).unwrap()
}

async fn on_the_list(tablet: &Tablet, staff: StaffId) -> Option<String> {
    let locked = call(tablet, "locked", json!({})).await.unwrap();
    let person = locked["people"].as_array().unwrap().iter().find(|p| p["staff"] == json!(staff))?.clone();
    Some(person["until"].as_str().unwrap().to_owned())
}

fn given(tablet: &Tablet) -> Vec<(Body, AccessGiven)> {
    let mut found = Vec::new();
    let each = |_: crate::file::bodies::Origin, bytes: &[u8]| found.extend(Body::parse(bytes));
    tablet.0.records.read(|from| crate::file::bodies::walk_kind(from, "access.given", each)).unwrap();
    let of = |body: Body| match body.event.clone() {
        Some(Event::AccessGiven(given)) => (body, given),
        other => panic!("{other:?}"),
    };
    found.into_iter().map(of).collect()
}

#[tokio::test]
async fn a_guest_works_here_at_once_and_until_the_end_of_the_shift() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    let guest = let_work(&tablet, 8).await;
    assert_eq!(on_the_list(&tablet, guest).await.as_deref(), Some("until 10:47"));
    let (body, record) = given(&tablet).remove(0);
    let said = (record.staff, record.family.as_str(), record.given.as_str(), record.number.as_str(), record.until);
    assert_eq!(said, (guest, "Novak", "Eva", "Northstaff 118", START + 8 * HOUR_MS));
    let (by, auth, at) = (body.envelope.by, body.envelope.auth, body.envelope.ward);
    assert_eq!((by, auth, at), (Some(charge_nurse()), Auth::Pin, ward()));
    assert_eq!(tries(&tablet, guest, PIN).await, "pin.wrong");
    assert_eq!(tries(&tablet, guest, "351806").await, "");
    let session = call(&tablet, "hello", json!({})).await.unwrap()["signed_in"].clone();
    assert_eq!((&session["name"], &session["role"]), (&json!("E. Novak"), &json!("technician")));
    assert_eq!(call(&tablet, "verify", json!({})).await.unwrap_err(), "role.not_allowed", "a guest is a technician");
    drop(tablet);
    let tablet = open(dir.path(), &clock);
    assert_eq!(tries(&tablet, guest, "351806").await, "", "also after a restart");
    clock.pass(8 * HOUR_MS);
    assert_eq!(tries(&tablet, guest, "351806").await, "access.ended");
    assert_eq!(on_the_list(&tablet, guest).await, None);
    sign_in(&tablet, charge_nurse()).await;
    let people = call(&tablet, "people", json!({})).await.unwrap();
    assert_eq!(people["guests"][0]["words"], "ended 10:47");
}

#[tokio::test]
async fn a_guest_who_is_in_is_warned_and_may_finish() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    let guest = let_work(&tablet, 1).await;
    clock.pass(20 * MINUTE_MS);
    assert_eq!(tries(&tablet, guest, "351806").await, "");
    let told = |tablet: &Tablet| tablet.status().troubles.into_iter().find(|t| t.code.starts_with("access"));
    assert_eq!(told(&tablet), None);
    let touch_for = async |minutes: i64| {
        for _ in 0..minutes {
            clock.pass(MINUTE_MS);
            call(&tablet, "touch", json!({})).await.unwrap();
        }
    };
    touch_for(15).await;
    assert_eq!(told(&tablet).unwrap().what, "Your access ends at 03:47.");
    touch_for(25).await;
    let ended = told(&tablet).unwrap();
    assert_eq!(ended.code, "access.ended");
    assert!(ended.what.contains("kept and marked"), "{ended}");
    let note = json!({ "id": Uuid::from_u128(0xE1), "stay": stay(), "entry": { "kind": "note", "words": "slept" },
        "observed_at": null });
    call(&tablet, "save", note).await.expect("what was seen is kept");
    call(&tablet, "lock", json!({})).await.unwrap();
    assert_eq!(told(&tablet), None);
    assert_eq!(tries(&tablet, guest, "351806").await, "access.ended");
}

#[tokio::test]
async fn what_is_not_given() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, nurse()).await;
    assert_eq!(call(&tablet, "give_access", access(8, "351806")).await.unwrap_err(), "role.not_allowed");
    sign_in(&tablet, charge_nurse()).await;
    let ask = async |ask: Value| call(&tablet, "give_access", ask).await.err().unwrap_or_default();
    assert_eq!(ask(access(0, "351806")).await, "access.hours");
    assert_eq!(ask(access(14, "351806")).await, "access.hours");
    assert_eq!(ask(access(8, "123456")).await, "pin.weak");
    assert_eq!(ask(access(8, "35180")).await, "pin.digits");
    for field in ["family", "given", "number"] {
        let mut without = access(8, "351806");
        without[field] = json!(" \n");
        assert_eq!(ask(without).await, "access.name", "{field}");
    }
    assert!(given(&tablet).is_empty(), "nothing was written down");
    assert_eq!(ask(access(13, "351806")).await, "");
    assert_eq!(ask(access(13, "709264")).await, "access.given_already");
    assert_eq!(given(&tablet).len(), 1);
}

#[tokio::test]
async fn the_station_s_roster_brings_the_guest_once_and_decides() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    let guest = let_work(&tablet, 8).await;
    let entry = tablet.roster().unwrap().person(guest).unwrap().clone();
    let count = |tablet: &Tablet| tablet.roster().unwrap().staff.iter().filter(|p| p.id == guest).count();
    roster_changed(&tablet, |_| {});
    assert_eq!((count(&tablet), tries(&tablet, guest, "351806").await), (1, String::new()), "not known there yet");
    roster_changed(&tablet, |roster| roster.staff.push(Staff { number: "Agency 7".into(), ..entry.clone() }));
    assert_eq!(count(&tablet), 1);
    assert_eq!(tablet.roster().unwrap().person(guest).unwrap().number, "Agency 7");
    assert_eq!(tries(&tablet, guest, "351806").await, "", "the PIN that they chose here holds");
    roster_changed(&tablet, |roster| {
        roster.staff.push(Staff { until: Some(START + HOUR_MS), ..entry.clone() });
    });
    drop(tablet);
    let tablet = open(dir.path(), &clock);
    clock.pass(HOUR_MS);
    assert_eq!((count(&tablet), tries(&tablet, guest, "351806").await), (1, "access.ended".to_owned()));
    roster_changed(&tablet, |roster| roster.staff.push(Staff { active: false, ..entry }));
    assert_eq!(tries(&tablet, guest, "351806").await, "staff.unknown", "taken off the list");
}

#[tokio::test]
async fn no_pin_of_a_guest_is_stored_or_sent() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    let guest = let_work(&tablet, 8).await;
    let (pin, value) = tablet
        .0
        .identity_file
        .read(|from| {
            let value: String = from.query_row("SELECT value FROM guests", (), |row| row.get(0))?;
            Ok((pins::of(from, guest)?.unwrap(), value))
        })
        .unwrap();
    let hashed = crate::sign_in::argon2id("351806", &pin.salt).unwrap();
    assert_ne!(pin.sealed, *hashed, "worthless on another device");
    assert!(!value.contains("351806") && !value.contains("pin"), "{value}");
    tablet.0.sync_once(&server, &mut Default::default(), true).await.unwrap();
    for bytes in lock(&server.0).bodies.values() {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains("351806") && !text.contains(&hex::encode(pin.sealed)), "{text}");
    }
}

#[tokio::test]
async fn the_pin_of_a_guest_goes_to_the_facility_sealed_where_it_has_said_what_to_seal_to() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    let ours = DecryptionKey::from_secret([4; 32]);
    tablet.0.take_trust(Trust::sign(&facility_key(), facility(), Ms(1), &[b"an authority"], ours.public())).unwrap();
    let guest = let_work(&tablet, 8).await;
    let (_, record) = given(&tablet).remove(0);
    let sealed = record.pin.unwrap();
    let pin = sealed.open(facility(), guest, &ours).unwrap();
    assert_eq!(*crate::sign_in::argon2id("351806", &pin.salt).unwrap(), pin.argon2id);
    assert!(sealed.open(facility(), guest, &DecryptionKey::from_secret([5; 32])).is_none());
    // As another tablet of the ward gets it, and this one too.
    let entry = Staff { pin: Some(pin), ..tablet.roster().unwrap().person(guest).unwrap().clone() };
    let second = tempfile::tempdir().unwrap();
    let other = with_patient(second.path(), &clock, 2);
    for tablet in [&tablet, &other] {
        roster_changed(tablet, |roster| roster.staff.push(entry.clone()));
        assert_eq!(tries(tablet, guest, PIN).await, "pin.wrong");
        assert_eq!(tries(tablet, guest, "351806").await, "");
    }
}

#[tokio::test]
async fn a_guest_of_another_ward_is_no_guest_here() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    let guest = let_work(&tablet, 8).await;
    let other = lamplight_domain::ids::WardId(Uuid::from_u128(0xBB));
    let mut moved = tablet.0.identity().unwrap().as_ref().clone();
    moved.ward = other;
    tablet.0.identity_file.write(|to| identity::set(to, &moved)).unwrap();
    tablet.0.set_identity(moved).unwrap();
    assert_eq!(tries(&tablet, guest, "351806").await, "staff.unknown");
}

// --- whoever is taken off the list while signed in ---

#[tokio::test]
async fn a_person_taken_off_the_list_finishes_and_does_not_come_back() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, charge_nurse()).await;
    roster_changed(&tablet, |roster| person(roster, charge_nurse()).active = false);
    // Recorded, and flagged by the server: a hard end would cost what was seen.
    let note = json!({ "id": Uuid::from_u128(0xE2), "stay": stay(), "entry": { "kind": "note", "words": "awake" },
        "observed_at": null });
    call(&tablet, "save", note).await.unwrap();
    // Who may come in is no observation.
    assert_eq!(call(&tablet, "give_access", access(8, "351806")).await.unwrap_err(), "role.not_allowed");
    assert_eq!(call(&tablet, "let_in", json!({ "staff": technician() })).await.unwrap_err(), "role.not_allowed");
    clock.pass(240_000);
    assert_eq!(call(&tablet, "board", json!({})).await.unwrap_err(), "locked");
    assert_eq!(tries(&tablet, charge_nurse(), PIN).await, "staff.unknown");
}

// --- no lock in the middle of a round ---

/// Seconds from one tap to the next: along a corridor, a talk at a door, somebody in the bathroom, a dropped tray.
const PAUSES: [i64; 11] = [20, 35, 25, 50, 110, 30, 40, 225, 25, 70, 180];

#[tokio::test]
async fn a_whole_ward_is_walked_with_one_sign_in_and_locks_when_it_is_laid_down() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    let stays: Vec<_> = (0..22).map(|n| StayId(Uuid::from_u128(0x5100 + n))).collect();
    for (n, stay) in stays.iter().enumerate() {
        admitted(&tablet, 0xCF00 + 16 * n as u128, *stay);
    }
    sign_in(&tablet, technician()).await;
    let mut pauses = PAUSES.iter().cycle().copied();
    // What the page asks for by itself meanwhile.
    let mut walk = async || {
        for _ in 0..pauses.next().unwrap() / 5 {
            clock.pass(5_000);
            for command in ["status", "board"] {
                call(&tablet, command, json!({})).await.expect("not locked in the middle of the round");
            }
        }
    };
    for (n, stay) in stays.iter().enumerate() {
        walk().await;
        let pad = call(&tablet, "pad", json!({ "stay": stay })).await.unwrap();
        walk().await;
        let check = json!({ "id": pad["draft"], "stay": stay, "observed_at": null,
            "entry": { "kind": "check", "place": "hallway", "activity": "resting", "evidence": [] } });
        call(&tablet, "save", check).await.unwrap_or_else(|code| panic!("patient {n}: {code}"));
    }
    let (mut checks, mut sign_ins) = (0, 0);
    let of_kind = |kind, count: &mut dyn FnMut(Body)| {
        let each = |_: crate::file::bodies::Origin, bytes: &[u8]| count(Body::parse(bytes).unwrap());
        tablet.0.records.read(|from| crate::file::bodies::walk_kind(from, kind, each)).unwrap();
    };
    of_kind("check", &mut |_| checks += 1);
    of_kind("audit", &mut |body| {
        sign_ins += usize::from(matches!(&body.event, Some(Event::Audit(a)) if a.act == Act::SignedIn))
    });
    assert_eq!((checks, sign_ins), (22, 1));
    clock.pass(240_000);
    assert_eq!(call(&tablet, "board", json!({})).await.unwrap_err(), "locked");
}

#[tokio::test]
async fn a_round_at_walking_pace_is_never_locked_out_of_and_a_tablet_laid_down_is() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), HandClock::new());
    let tablet = with_patient(dir.path(), &clock, 1);
    sign_in(&tablet, technician()).await;
    // What the page asks for by itself meanwhile, every few seconds.
    let walk = async |ms: i64| {
        for _ in 0..ms / 10_000 {
            clock.pass(10_000);
            for command in ["status", "board", "hello", "drafts"] {
                call(&tablet, command, json!({})).await.unwrap();
            }
        }
    };
    for n in 0..24u128 {
        walk(3 * MINUTE_MS).await;
        call(&tablet, "pad", json!({ "stay": stay() })).await.unwrap();
        walk(3 * MINUTE_MS).await;
        let check = json!({ "id": Uuid::from_u128(0xF00 + n), "stay": stay(), "observed_at": null,
            "entry": { "kind": "check", "place": "hallway", "activity": "resting", "evidence": [] } });
        call(&tablet, "save", check).await.unwrap();
    }
    walk(230_000).await;
    clock.pass(10_000);
    assert_eq!(call(&tablet, "board", json!({})).await.unwrap_err(), "locked", "its own ticking is nobody's finger");
}
