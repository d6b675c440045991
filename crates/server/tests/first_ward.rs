//! From an empty folder to a ward at work, over the wire: the set-up code, the first administrator, wards, staff, a nurse
//! who admits, orders, pauses and discharges; tablets that join and are replaced; and what is refused on the way.

#![allow(clippy::unwrap_used)] // A test may fail.

mod common;

use common::browser::*;
use common::*;
use lamplight_domain::chain::SigningKey;
use lamplight_domain::ids::{StaffId, WardId};
use lamplight_domain::roster::PinVerifier;
use lamplight_domain::station::path;
use lamplight_domain::wire::Facility;
use lamplight_server::facility::found_if_empty;
use lamplight_server::{Options, Running, Surroundings, serve, verify};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

const OWN: &str = "walnut otter gravel";

/// A facility that was founded and is served, and nobody in it yet.
struct Founded {
    _folder: TempDir,
    path: PathBuf,
    running: Running,
    page: Browser,
    code: String,
}

async fn founded() -> Founded {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    assert!(found_if_empty(&path, &Surroundings::real()).unwrap());
    let mut running = serve(&path, ([127, 0, 0, 1], 0).into(), Options::default()).await.unwrap();
    let code = running.set_up.take().unwrap().to_string();
    let page = Browser::of(&path, &running.url);
    Founded { _folder: folder, path, running, page, code }
}

fn set_up(code: &str) -> Value {
    json!({
        "code": code, "facility_name": " County Hospital ", "zone": "Europe/London", "family": "Reyes", "given": "Joan",
        "number": "ADM 1", "login": "J.Reyes", "password": OWN,
    })
}

/// The first administrator, with a second factor: who may do anything that is no patient's.
async fn administrator(founded: &mut Founded) -> Vec<u8> {
    let code = founded.code.clone();
    let session = founded.page.done(path::SET_UP, &set_up(&code)).await;
    assert_eq!((&session["first"], &session["role"]), (&json!("factor"), &json!("administrator")));
    assert_eq!(session["zone"], "Europe/London", "times are typed by the facility's clocks");
    let begun = founded.page.done(path::FACTOR_BEGIN, &json!({})).await;
    let secret = from_base32(begun["secret"].as_str().unwrap());
    let confirmed = founded.page.done(path::FACTOR_CONFIRM, &json!({ "code": code_of(&secret, 0) })).await;
    assert_eq!(confirmed["first"], Value::Null);
    secret
}

#[tokio::test]
async fn only_the_code_of_this_start_makes_the_first_administrator_and_only_once() {
    let mut founded = founded().await;
    let page = &mut founded.page;
    assert_eq!(page.get(path::DOOR).await, json!({ "set_up": true, "demo": false, "facility_name": "" }));
    assert_eq!(page.refusal(path::SET_UP, &set_up("0000-0000-0000")).await, "set_up.code");
    assert_eq!(page.refusal(path::LOG_IN, &json!({ "name": "admin", "password": "admin" })).await, "auth.wrong");
    for (field, value, code) in [
        ("zone", "Mars/Olympus", "zone.unknown"),
        ("facility_name", " ", "text.empty"),
        ("family", "", "text.empty"),
        ("login", "j r", "login.name"),
        ("password", "short", "password.weak"),
        ("password", "joan-j.reyes-2026", "password.weak"),
    ] {
        let mut ask = set_up(&founded.code);
        ask[field] = json!(value);
        assert_eq!(page.refusal(path::SET_UP, &ask).await, code, "{field}");
    }
    assert!(founded.running.facility().roster().staff.is_empty(), "nothing was done");
    // As somebody types it from paper.
    let typed = founded.code.to_lowercase().replace('-', " ");
    let session = page.done(path::SET_UP, &set_up(&typed)).await;
    assert_eq!((&session["facility_name"], &session["first"]), (&json!("County Hospital"), &json!("factor")));
    assert_eq!(page.get(path::DOOR).await["set_up"], false);
    let mut second = page.beside();
    assert_eq!(second.refusal(path::SET_UP, &set_up(&founded.code)).await, "set_up.done");
    assert!(founded.running.facility().new_set_up_code().is_none(), "no start makes one any more");
    founded.running.stop().await;
    let mut again = serve(&founded.path, ([127, 0, 0, 1], 0).into(), Options::default()).await.unwrap();
    assert!(again.set_up.take().is_none());
    again.stop().await;
    verify(&founded.path).unwrap();
}

#[tokio::test]
async fn wrong_set_up_codes_wait() {
    let mut founded = founded().await;
    let mut last = String::new();
    for _ in 0..12 {
        last = founded.page.refusal(path::SET_UP, &set_up("0000-0000-0000")).await;
    }
    assert_eq!(last, "login.wait");
    let code = founded.code.clone();
    assert_eq!(founded.page.refusal(path::SET_UP, &set_up(&code)).await, "login.wait", "the right one too");
    founded.running.stop().await;
}

#[tokio::test]
async fn until_a_factor_is_set_up_an_administrator_does_nothing_else() {
    let mut founded = founded().await;
    let code = founded.code.clone();
    founded.page.done(path::SET_UP, &set_up(&code)).await;
    let ward = json!({ "id": null, "name": "Willow", "beds": [] });
    assert_eq!(founded.page.refusal(path::WARD_SAVE, &ward).await, "session.first");
    assert_eq!(founded.page.refusal(path::FACTOR_CONFIRM, &json!({ "code": "123456" })).await, "factor.not_begun");
    let before = founded.page.cookie.clone();
    let begun = founded.page.done(path::FACTOR_BEGIN, &json!({})).await;
    let secret = from_base32(begun["secret"].as_str().unwrap());
    assert_eq!(secret.len(), 20);
    assert!(begun["qr_svg"].as_str().unwrap().contains("<svg"));
    assert_eq!(founded.page.refusal(path::FACTOR_CONFIRM, &json!({ "code": "000000" })).await, "auth.code_wrong");
    founded.page.done(path::FACTOR_CONFIRM, &json!({ "code": code_of(&secret, 0) })).await;
    assert_ne!(founded.page.cookie, before, "a new secret of the session");
    founded.page.done(path::WARD_SAVE, &ward).await;
    let mut old = Browser { cookie: before, ..founded.page.clone() };
    assert_eq!(old.refusal(path::WARD_SAVE, &ward).await, "auth.session");
    assert_eq!(founded.page.refusal(path::FACTOR_BEGIN, &json!({})).await, "factor.set");
    founded.running.stop().await;
}

fn bed(label: &str) -> Value {
    json!({ "label": label, "room": label.trim_end_matches(['A', 'B']), "area": "East hallway" })
}

async fn ward_of(page: &mut Browser) -> WardId {
    let ask = json!({ "id": null, "name": "Willow Ward", "beds": [bed("101A"), bed("101B"), bed("102")] });
    let facility = page.done(path::WARD_SAVE, &ask).await;
    serde_json::from_value(facility["wards"][0]["id"].clone()).unwrap()
}

fn person(family: &str, number: &str, role: &str, wards: &[WardId]) -> Value {
    json!({
        "id": null, "family": family, "given": "Sara", "number": number, "role": role, "wards": wards, "active": true,
    })
}

fn staff_id(facility: &Value, family: &str) -> StaffId {
    let found = facility["staff"].as_array().unwrap().iter().find(|s| s["family"] == family).unwrap();
    serde_json::from_value(found["id"].clone()).unwrap()
}

/// A nurse of the ward who has set a password of her own.
async fn nurse(founded: &mut Founded, ward: WardId, role: &str) -> (StaffId, Browser) {
    let page = &mut founded.page;
    let facility = page.done(path::STAFF_SAVE, &person("Lindqvist", "RN 1", role, &[ward])).await;
    let id = staff_id(&facility, "Lindqvist");
    let made = page.done(path::LOGIN, &json!({ "staff": id, "login": "S.Lindqvist" })).await;
    let first = made["secret"].as_str().unwrap();
    let mut own = page.beside();
    let (status, session) = own.log_in("s.lindqvist", first).await;
    assert_eq!((status, &session["first"]), (StatusCode::OK, &json!("password")));
    assert_eq!(own.refusal(path::VERIFY, &json!({ "ward": ward })).await, "session.first");
    assert_eq!(own.refusal(path::PASSWORD, &json!({ "old": "wrong", "new": OWN })).await, "auth.wrong");
    assert_eq!(own.refusal(path::PASSWORD, &json!({ "old": first, "new": first })).await, "password.same");
    assert_eq!(
        own.refusal(path::PASSWORD, &json!({ "old": first, "new": "lindqvist-lindqvist" })).await,
        "password.weak"
    );
    let session = own.done(path::PASSWORD, &json!({ "old": first, "new": "amber-heron-4242" })).await;
    assert_eq!(session["first"], Value::Null);
    (id, own)
}

#[tokio::test]
async fn a_nurse_admits_orders_pauses_and_discharges_and_the_board_follows() {
    let mut founded = founded().await;
    administrator(&mut founded).await;
    let ward = ward_of(&mut founded.page).await;
    let (_, mut nurse) = nurse(&mut founded, ward, "nurse").await;
    let server = founded.running.facility().clone();
    let choices = nurse.get(&format!("{}?ward={ward}", path::CHOICES)).await;
    assert_eq!((&choices["limits"], &choices["limit_max"]), (&json!([5, 15, 30, 60]), &json!(1_440)));
    assert_eq!(choices["beds"][0], json!({ "bed": "101A", "taken": false }));
    assert!(choices["precautions"].as_array().unwrap().len() > 3);
    let admit = |mrn: &str, born: &str, bed: &str| json!({ "ward": ward, "mrn": mrn, "family": "Garcia", "given": "Mateo", "born": born, "bed": bed });
    for (ask, code) in [
        (admit("7", "1991-03-12", "999"), "bed.unknown"),
        (admit("7", "2999-01-01", "101A"), "admit.born"),
        (admit(" ", "1991-03-12", "101A"), "text.empty"),
    ] {
        assert_eq!(nurse.refusal(path::ADMIT, &ask).await, code);
    }
    let done = nurse.done(path::ADMIT, &admit("A7", "1991-03-12", "101A")).await;
    assert_eq!(done["notice"], "");
    let stay = serde_json::to_value(server.board(ward).cards[0].stay).unwrap();
    let card = || {
        let cards = server.board(ward).cards;
        let cards = cards.iter().map(|card| serde_json::to_value(card).unwrap());
        cards.into_iter().find(|card| card["stay"] == stay).unwrap()
    };
    assert_eq!(nurse.get(&format!("{}?ward={ward}", path::CHOICES)).await["beds"][0]["taken"], true);
    // The number of somebody who is here is refused with the bed, never with the name.
    let (status, said) = nurse.change(path::ADMIT, &admit(" a7 ", "1991-03-12", "102")).await;
    assert_eq!((status, &said["code"]), (StatusCode::BAD_REQUEST, &json!("admit.number_in_use")));
    assert!(said["what"].as_str().unwrap().contains("101A on Willow Ward") && !said.to_string().contains("Garcia"));
    // A bed that is taken is said and not refused.
    let other =
        json!({ "ward": ward, "mrn": "8", "family": "Ito", "given": "Ken", "born": "1980-01-01", "bed": "101A" });
    assert_eq!(nurse.done(path::ADMIT, &other).await["notice"], "Somebody else is in 101A too, as the census has it.");
    // A level, another in its place, and what is no level.
    let order = |level: Value, until: Value| json!({ "ward": ward, "stay": stay, "level": level, "ordered_by": "Dr A. Patel", "reason": "risk", "until": until });
    let every = |minutes: u32| json!({ "how": "intermittent", "limit_minutes": minutes });
    for (level, until, code) in [
        (every(0), Value::Null, "order.limit"),
        (every(1_441), Value::Null, "order.limit"),
        (every(15), json!(1), "order.until"),
        (
            json!({ "how": "continuous", "ratio": [0, 1], "distance": "within_eyesight", "bathroom": null, "sleep": null }),
            Value::Null,
            "order.ratio",
        ),
    ] {
        assert_eq!(nurse.refusal(path::ORDER, &order(level, until)).await, code);
    }
    nurse.done(path::ORDER, &order(every(30), Value::Null)).await;
    assert_eq!(card()["level"], "Q30");
    nurse.done(path::ORDER, &order(every(60), Value::Null)).await;
    assert_eq!(card()["level"], "Q60", "the stricter one does not hold on");
    let codes = json!({ "ward": ward, "stay": stay, "codes": ["fall", "fall", "seizure"] });
    nurse.done(path::PRECAUTIONS, &codes).await;
    assert_eq!(card()["precautions"], json!(["Seizure", "Fall"]));
    let unknown = json!({ "ward": ward, "stay": stay, "codes": ["dragons"] });
    assert_eq!(nurse.refusal(path::PRECAUTIONS, &unknown).await, "precautions.unknown");
    // Away and back.
    let now = server.around().now();
    let pause = |return_by: i64| json!({ "ward": ward, "stay": stay, "reason": "court", "escort": "R. Chowdhury", "return_by": return_by });
    let back = json!({ "ward": ward, "stay": stay });
    assert_eq!(nurse.refusal(path::BACK, &back).await, "pause.none");
    assert_eq!(nurse.refusal(path::PAUSE, &pause(now.0 - 1)).await, "pause.return_by");
    nurse.done(path::PAUSE, &pause(now.0 + HOUR)).await;
    assert_eq!(nurse.refusal(path::PAUSE, &pause(now.0 + HOUR)).await, "pause.already");
    nurse.done(path::BACK, &back).await;
    assert_eq!(nurse.refusal(path::BACK, &back).await, "pause.none");
    // The bed of somebody cannot be taken away; an empty one can.
    let beds = |labels: &[&str]| {
        let beds: Vec<Value> = labels.iter().map(|l| bed(l)).collect();
        json!({ "id": ward, "name": "Willow Ward", "beds": beds })
    };
    assert_eq!(founded.page.refusal(path::WARD_SAVE, &beds(&["101B", "102"])).await, "bed.in_use");
    let facility = founded.page.done(path::WARD_SAVE, &beds(&["102", "101A"])).await;
    assert_eq!(
        (&facility["wards"][0]["patients"], &facility["wards"][0]["beds"][0]["label"]),
        (&json!(2), &json!("102"))
    );
    // Gone, and here again: the same person in a new stay.
    let gone = json!({ "ward": ward, "stay": stay, "reason": "home" });
    nurse.done(path::DISCHARGE, &gone).await;
    assert_eq!(nurse.refusal(path::DISCHARGE, &gone).await, "stay.closed");
    nurse.done(path::ADMIT, &admit("A7", "1991-03-12", "102")).await;
    let held = server.live().ward(ward);
    let patients: Vec<_> = held.with(|records| {
        let stays = records.open_stays(&server.roster(), ward);
        let own = stays.into_iter().filter_map(|s| records.admitted(s)).find(|o| o.mrn == "A7");
        let before = records.admitted(serde_json::from_value(stay.clone()).unwrap());
        [own, before].into_iter().flatten().map(|o| o.patient).collect()
    });
    assert_eq!(patients.len(), 2);
    assert_eq!(patients[0], patients[1]);
    assert_eq!(
        nurse
            .refusal(
                path::ORDER,
                &json!({
                    "ward": ward, "stay": id(5), "level": every(15), "ordered_by": "Dr A", "reason": "x", "until": null,
                })
            )
            .await,
        "stay.unknown"
    );
    // Whose day is looked at is written down once.
    for _ in 0..3 {
        nurse.get(&format!("{}?ward={ward}&stay={}", path::DAY, stay.as_str().unwrap())).await;
    }
    let viewed = founded.page.get(&format!("{}?act=viewed", path::AUDIT)).await;
    assert_eq!(viewed["rows"].as_array().unwrap().len(), 1);
    assert_eq!((&viewed["rows"][0]["stay"], &viewed["rows"][0]["by"]), (&stay, &json!("S. Lindqvist, RN 1")));
    assert!(!viewed.to_string().contains("Garcia"));
    founded.running.stop().await;
    verify(&founded.path).unwrap();
}

#[tokio::test]
async fn staff_lists_and_settings_keep_their_rules_and_every_change_leaves_a_line() {
    let mut founded = founded().await;
    administrator(&mut founded).await;
    let ward = ward_of(&mut founded.page).await;
    let (nurse_id, mut nurse) = nurse(&mut founded, ward, "charge_nurse").await;
    let page = &mut founded.page;
    for (ask, code) in [
        (json!({ "id": null, "name": "WILLOW ward", "beds": [] }), "ward.name_taken"),
        (json!({ "id": null, "name": "", "beds": [] }), "text.empty"),
        (json!({ "id": null, "name": "Oak", "beds": [bed("1A"), bed("1a")] }), "bed.taken_twice"),
        (json!({ "id": id(5), "name": "Oak", "beds": [] }), "ward.unknown"),
    ] {
        assert_eq!(page.refusal(path::WARD_SAVE, &ask).await, code);
    }
    let facility = page.get(path::FACILITY).await;
    let own = staff_id(&facility, "Reyes");
    let (mut off, mut lower) =
        (person("Reyes", "ADM 1", "administrator", &[]), person("Reyes", "ADM 1", "manager", &[]));
    (off["id"], off["active"], lower["id"]) = (json!(own), json!(false), json!(own));
    for (ask, code) in [
        (person("Twin", "rn 1", "nurse", &[ward]), "staff.number_taken"),
        (person("Far", "X 9", "nurse", &[WardId(id(5))]), "ward.unknown"),
        (off, "staff.self"),
        (lower, "staff.self"),
    ] {
        assert_eq!(page.refusal(path::STAFF_SAVE, &ask).await, code);
    }
    assert_eq!(page.refusal(path::LOGIN, &json!({ "staff": own, "login": "x.y.z" })).await, "staff.self");
    assert_eq!(page.refusal(path::FACTOR_DROP, &json!({ "staff": own })).await, "staff.self");
    let added = page.done(path::STAFF_SAVE, &person("Okafor", "MHT 2", "technician", &[ward])).await;
    let technician = staff_id(&added, "Okafor");
    assert_eq!(page.refusal(path::LOGIN, &json!({ "staff": technician, "login": "s.lindqvist" })).await, "login.taken");
    // A PIN by the charge nurse: six digits, a new salt each time, and no patient's room to guess it in.
    let server = founded.running.facility().clone();
    let verifier = || server.roster().person(technician).unwrap().pin.clone().unwrap();
    let mut seen: Vec<PinVerifier> = Vec::new();
    for _ in 0..2 {
        let made = nurse.done(path::PIN, &json!({ "staff": technician })).await;
        let pin = made["secret"].as_str().unwrap();
        assert!(pin.len() == 6 && pin.bytes().all(|b| b.is_ascii_digit()));
        assert_eq!(made["words"], "PIN of S. Okafor for tablets");
        let kept = verifier();
        assert_eq!(lamplight_server::pins::verifier(pin, kept.salt), Some(kept.clone()));
        seen.push(kept);
    }
    assert_ne!(seen[0].salt, seen[1].salt);
    assert_eq!(nurse.refusal(path::PIN, &json!({ "staff": own })).await, "ward.not_yours", "not an administrator's");
    // What a charge nurse is given: their own wards.
    page.done(path::WARD_SAVE, &json!({ "id": null, "name": "Oak", "beds": [] })).await;
    let theirs = nurse.get(path::FACILITY).await;
    assert_eq!((theirs["wards"].as_array().unwrap().len(), theirs["staff"].as_array().unwrap().len()), (1, 2));
    assert!(theirs["staff"].as_array().unwrap().iter().any(|s| s["has_pin"] == true));
    // Another role ends what was begun under the old one.
    let mut changed = person("Lindqvist", "RN 1", "nurse", &[ward]);
    changed["id"] = json!(nurse_id);
    page.done(path::STAFF_SAVE, &changed).await;
    assert_eq!(nurse.refusal(path::VERIFY, &json!({ "ward": ward })).await, "auth.session");
    assert_eq!(nurse.log_in("s.lindqvist", "amber-heron-4242").await.0, StatusCode::OK);
    changed["active"] = json!(false);
    page.done(path::STAFF_SAVE, &changed).await;
    assert_eq!(nurse.refusal(path::VERIFY, &json!({ "ward": ward })).await, "auth.session");
    assert_eq!(
        nurse.refusal(path::LOG_IN, &json!({ "name": "s.lindqvist", "password": "amber-heron-4242" })).await,
        "auth.wrong"
    );
    assert_eq!(page.refusal(path::PIN, &json!({ "staff": nurse_id })).await, "staff.left");
    // Lists.
    let facility = page.get(path::FACILITY).await;
    let (mut lists, version) = (facility["lists"].clone(), facility["lists"]["version"].as_u64().unwrap());
    lists["version"] = json!(77);
    lists["places"][0]["label"] = json!("Own room");
    let saved = page.done(path::LISTS, &json!({ "lists": lists })).await;
    assert_eq!(
        (&saved["lists"]["version"], &saved["lists"]["places"][0]["label"]),
        (&json!(version + 1), &json!("Own room"))
    );
    let with = |change: &dyn Fn(&mut Value)| {
        let mut lists = saved["lists"].clone();
        change(&mut lists);
        json!({ "lists": lists })
    };
    for (ask, code) in [
        (with(&|l| l["places"][1]["code"] = l["places"][0]["code"].clone()), "lists.code_twice"),
        (with(&|l| l["places"][1]["code"] = json!("Day Room")), "lists.code"),
        (with(&|l| l["activities"] = json!([])), "lists.empty"),
        (with(&|l| l["affect"][0]["label"] = json!("")), "text.empty"),
    ] {
        assert_eq!(page.refusal(path::LISTS, &ask).await, code);
    }
    // Settings.
    let mut settings = saved["settings"].clone();
    settings["tolerance_minutes"] = json!(2);
    let saved = page.done(path::SETTINGS, &settings).await;
    assert_eq!((&saved["settings"]["tolerance_minutes"], server.roster().settings.tolerance_minutes), (&json!(2), 2));
    assert!(!server.roster().settings.emergency_steps.is_empty(), "what is not set there stays");
    settings["tolerance_minutes"] = json!(16);
    assert_eq!(page.refusal(path::SETTINGS, &settings).await, "settings.range");
    settings["tolerance_minutes"] = json!(2);
    for odd in [
        json!([]),
        json!([15, 0]),
        json!([15, 1_441]),
        json!([15, 5]),
        json!([15, 15]),
        json!([1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ] {
        settings["limits_minutes"] = odd.clone();
        assert_eq!(page.refusal(path::SETTINGS, &settings).await, "settings.limits", "{odd}");
    }
    settings["limits_minutes"] = json!([10, 15, 20]);
    page.done(path::SETTINGS, &settings).await;
    assert_eq!(server.roster().settings.limits_minutes, [10, 15, 20]);
    let page_of = founded.page.get(path::AUDIT).await;
    let said: Vec<String> =
        page_of["rows"].as_array().unwrap().iter().rev().map(|r| r["words"].as_str().unwrap().to_owned()).collect();
    for wanted in [
        "set the facility up: J. Reyes (first administrator)",
        "set a second factor: J. Reyes (set up)",
        "changed a ward: Willow Ward (new, 3 beds)",
        "added staff: S. Lindqvist (charge nurse, RN 1)",
        "set a password: S. Lindqvist (first password of s.lindqvist)",
        "set a password: S. Lindqvist",
        "failed to sign in (old password)",
        "set a PIN: S. Okafor",
        "changed staff: S. Lindqvist (role: charge nurse to nurse)",
        "took staff off the list: S. Lindqvist (off the list)",
        "changed the lists (version 2: places)",
        "changed the settings (minutes of tolerance: 0 to 2)",
        "changed the settings (limits that are offered: 5, 15, 30, 60 to 10, 15, 20 minutes)",
    ] {
        assert!(said.iter().any(|s| s == wanted), "{wanted}\n{}", said.join("\n"));
    }
    let secret = seen[1].argon2id.map(|b| format!("{b:02x}")).concat();
    assert!(!page_of.to_string().contains(&secret) && !page_of.to_string().contains(OWN));
    founded.running.stop().await;
    verify(&founded.path).unwrap();
}

#[tokio::test]
async fn a_code_that_entries_use_stays_in_its_list() {
    let house = staffed();
    let db = house.db();
    let mut roster = lamplight_server::store::roster::newest(&db).unwrap();
    roster.lists = lamplight_server::lists::lists();
    roster.version += 1;
    lamplight_server::store::roster::put(&db, &roster, house.now(), None).unwrap();
    let (running, mut page) = served(&house).await;
    page.log_in_as(&house, lamplight_domain::roster::Role::Administrator).await;
    let server = running.facility().clone();
    let code = lamplight_server::invite(&house.path, "Willow Ward", &running.url, 1).unwrap().code;
    let mut pad = Pad::join(&server, &code, 1, "").await;
    let mut bodies = admission(&pad, STAY, server.around().now());
    // In the bedroom.
    bodies.push(pad.check(server.around().now()));
    pad.push(&server, bodies).await;
    let without = |code: &str| {
        let mut lists = serde_json::to_value(lamplight_server::lists::lists()).unwrap();
        lists["places"].as_array_mut().unwrap().retain(|item| item["code"] != code);
        json!({ "lists": lists })
    };
    assert_eq!(page.refusal(path::LISTS, &without("bedroom")).await, "lists.code_in_use");
    page.done(path::LISTS, &without("kitchen")).await;
    running.stop().await;
}

#[tokio::test]
async fn tablets_join_by_an_invite_of_ten_minutes_are_replaced_moved_and_taken_out_of_use() {
    let mut founded = founded().await;
    administrator(&mut founded).await;
    let ward = ward_of(&mut founded.page).await;
    let page = &mut founded.page;
    let server = founded.running.facility().clone();
    let invite = |made: &Value| made["invite"].as_str().unwrap().parse::<lamplight_domain::wire::Invite>().unwrap();
    let made = page.done(path::INVITE, &json!({ "ward": ward })).await;
    let good_for = invite(&made).expires_at - server.around().now();
    assert!((9 * MINUTE..=10 * MINUTE).contains(&good_for), "{good_for}");
    let join = |code: String, seed: u8| {
        let server = server.clone();
        async move { server.join(join_ask(&code, &SigningKey::from_seed(&[seed; 32]), "W-3")).await }
    };
    let first = join(invite(&made).code, 1).await.unwrap();
    assert_eq!(first.name, "W-3");
    assert_eq!(page.refusal(path::INVITE, &json!({ "ward": ward, "replaces": id(5) })).await, "tablet.unknown");
    let made = page.done(path::INVITE, &json!({ "ward": ward, "replaces": first.tablet })).await;
    let second = join(invite(&made).code, 2).await.unwrap();
    assert_eq!(second.name, "W-3", "under the name of the one before");
    let facility = page.get(path::FACILITY).await;
    let tablet = |facility: &Value, id: lamplight_domain::ids::TabletId| {
        let all = facility["tablets"].as_array().unwrap();
        all.iter().find(|t| t["id"] == json!(id)).unwrap().clone()
    };
    let old = tablet(&facility, first.tablet);
    assert_eq!((&old["name"], &old["revoked"]), (&json!("W-3 (old 1)"), &json!(true)));
    assert_eq!(old["contact"], "taken out of use: replaced by another tablet");
    let new = tablet(&facility, second.tablet);
    assert_eq!(
        (&new["contact"], &new["silent"], &new["last_known"]),
        (&json!("never heard"), &json!(true), &json!(""))
    );
    // The same answer again where it was lost, and nobody is taken out of use twice.
    assert_eq!(join(invite(&made).code, 2).await.unwrap().tablet, second.tablet);
    assert!(join(invite(&made).code, 3).await.is_err());
    assert_eq!(page.refusal(path::INVITE, &json!({ "ward": ward, "replaces": first.tablet })).await, "tablet.revoked");
    // It writes: in touch, and how far.
    let mut pad = Pad::of(SigningKey::from_seed(&[2; 32]), second);
    let mut envelope = pad.envelope(server.around().now(), None);
    envelope.facility = server.identity().facility;
    let words = lamplight_domain::kinds::Event::Note { words: "here".into() };
    let body = lamplight_domain::record::Body::new(envelope, words).to_bytes().unwrap();
    let mut batch = pad.batch(vec![body]);
    batch.header.facility = server.identity().facility;
    batch.header.signature = pad.key.sign(&end(&batch).message(server.identity().facility));
    assert_eq!(server.push(batch).await.unwrap().refused, None);
    let new = tablet(&page.get(path::FACILITY).await, pad.tablet);
    assert_eq!((&new["contact"], &new["silent"]), (&json!("in touch"), &json!(false)));
    assert_eq!(new["last_known"], "last number known: 1");
    // Another ward, and out of use.
    let facility = page.done(path::WARD_SAVE, &json!({ "id": null, "name": "Oak", "beds": [] })).await;
    let oak = facility["wards"][1]["id"].clone();
    let moved = page.done(path::TABLET_MOVE, &json!({ "tablet": pad.tablet, "to": oak })).await;
    assert_eq!(tablet(&moved, pad.tablet)["ward"], oak);
    assert_eq!(page.refusal(path::TABLET_MOVE, &json!({ "tablet": pad.tablet, "to": oak })).await, "ward.same");
    let revoke = |reason: &str| json!({ "tablet": pad.tablet, "reason": reason });
    assert_eq!(page.refusal(path::TABLET_REVOKE, &revoke(" ")).await, "reason.missing");
    let gone = page.done(path::TABLET_REVOKE, &revoke("lost on the bus")).await;
    assert_eq!(tablet(&gone, pad.tablet)["contact"], "taken out of use: lost on the bus");
    assert!(server.roster().tablets.iter().find(|t| t.id == pad.tablet).unwrap().revoked);
    let rows = page.get(&format!("{}?act=tablet_revoked", path::AUDIT)).await;
    assert_eq!(rows["rows"][0]["by"], "J. Reyes, ADM 1");
    founded.running.stop().await;
    verify(&founded.path).unwrap();
}

#[tokio::test]
async fn wrong_invites_wait_by_address_and_leave_a_line() {
    let mut founded = founded().await;
    administrator(&mut founded).await;
    let ward = ward_of(&mut founded.page).await;
    let key = SigningKey::from_seed(&[9; 32]);
    let join =
        |code: &str| founded.page.http.post(format!("{}/v1/join", founded.running.url)).json(&join_ask(code, &key, ""));
    let mut codes = Vec::new();
    for n in 0..8 {
        codes.push(founded.page.code(join(&format!("guess{n}"))).await);
    }
    assert_eq!(codes[0], (StatusCode::FORBIDDEN, "invite.unknown".to_owned()));
    assert_eq!(codes.last().unwrap(), &(StatusCode::TOO_MANY_REQUESTS, "invite.wait".to_owned()));
    let made = founded.page.clone().done(path::INVITE, &json!({ "ward": ward })).await;
    let invite: lamplight_domain::wire::Invite = made["invite"].as_str().unwrap().parse().unwrap();
    assert_eq!(founded.page.code(join(&invite.code)).await.1, "invite.wait", "the right one waits too");
    let page = founded.page.get(&format!("{}?act=invite_refused", path::AUDIT)).await;
    assert_eq!(page["rows"].as_array().unwrap().len(), 1, "one a minute: {page}");
    assert_eq!(page["rows"][0]["words"], "was refused with an invite (invite.unknown from 127.0.0.1)");
    founded.running.stop().await;
}

#[tokio::test]
async fn a_demo_is_served_to_this_machine_alone_unless_it_is_said() {
    let mut roster = roster();
    roster.facility.demo = true;
    roster.staff.clear();
    let house = House::of(roster);
    let all = ([0, 0, 0, 0], 0).into();
    let refusal = serve(&house.path, all, Options::default()).await.err().unwrap();
    assert_eq!(refusal.code, "demo.network");
    let said = Options { demo_on_network: true, ..Options::default() };
    let running = serve(&house.path, all, said).await.unwrap();
    assert!(running.set_up.is_none(), "a demo is never set up");
    running.stop().await;
    let (running, mut page) = served(&house).await;
    assert_eq!(page.get(path::DOOR).await["set_up"], false);
    assert_eq!(page.refusal(path::SET_UP, &set_up("0000-0000-0000")).await, "set_up.done");
    running.stop().await;
}
