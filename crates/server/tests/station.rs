//! The station: logging in and out, the live board, and what a nurse does there.

#![allow(clippy::unwrap_used)] // A test may fail.

mod common;

use common::browser::*;
use common::*;
use lamplight_domain::ids::{StaffId, StayId, WardId};
use lamplight_domain::kinds::{EmergencyKind, Event, StayProvisional};
use lamplight_domain::record::Body;
use lamplight_domain::roster::Role;
use lamplight_domain::station::path;
use lamplight_domain::wire::Facility;
use lamplight_server::facility::Own;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn logging_in_gives_a_session_that_logging_out_ends() {
    let house = staffed();
    let (running, mut browser) = served(&house).await;
    let (status, session) = browser.log_in(" Nurse ", PASSWORD).await;
    assert_eq!(
        (status, &session["role"], &session["wards"][0]["name"]),
        (StatusCode::OK, &json!("nurse"), &json!("Willow Ward"))
    );
    let session = || browser.ask(Method::GET, path::SESSION);
    assert_eq!(browser.code(session()).await.0, StatusCode::OK);
    let first = browser.cookie.clone();
    let mut again = browser.clone();
    again.log_in("nurse", PASSWORD).await;
    assert_ne!(again.cookie, first, "a new secret at every login");
    assert_eq!(browser.code(session()).await, (StatusCode::UNAUTHORIZED, "auth.session".to_owned()));
    assert_eq!(again.code(again.ask(Method::POST, path::LOG_OUT)).await.0, StatusCode::NO_CONTENT);
    assert_eq!(again.code(again.ask(Method::GET, path::SESSION)).await.0, StatusCode::UNAUTHORIZED);
    running.stop().await;
}

#[tokio::test]
async fn wrong_passwords_wait_and_say_nothing_about_names() {
    let house = staffed();
    let (running, mut browser) = served(&house).await;
    let wrong = browser.log_in("nurse", "wrong").await;
    assert_eq!((wrong.0, &wrong.1["code"]), (StatusCode::UNAUTHORIZED, &json!("auth.wrong")));
    assert_eq!(browser.log_in("nobody", "wrong").await, wrong, "the same for a name that does not exist");
    for _ in 0..2 {
        browser.log_in("nurse", "wrong").await;
    }
    let (status, refusal) = browser.log_in("nurse", PASSWORD).await;
    assert_eq!((status, &refusal["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("login.wait")));
    assert_eq!(browser.log_in("manager", PASSWORD).await.0, StatusCode::OK, "others go on");
    running.stop().await;
}

#[tokio::test]
async fn a_foreign_page_can_do_nothing() {
    let house = staffed();
    let (running, mut browser) = served(&house).await;
    browser.log_in("nurse", PASSWORD).await;
    let foreign = (StatusCode::FORBIDDEN, "access.foreign_page".to_owned());
    let post = || {
        let ask = browser.http.post(format!("{}{}", browser.url, path::VERIFY)).header("cookie", &browser.cookie);
        ask.json(&json!({ "ward": WARD }))
    };
    assert_eq!(browser.code(post()).await, foreign, "without our header");
    let from = |origin: &str| post().header("lamplight-station", "1").header("origin", origin);
    for origin in ["https://elsewhere.example", "null", "http://127.0.0.1", "https://127.0.0.1:1"] {
        assert_eq!(browser.code(from(origin)).await, foreign, "{origin}");
    }
    assert_eq!(browser.code(from(&browser.url)).await.0, StatusCode::NO_CONTENT);
    running.stop().await;
}

/// Reads events until one is as wanted.
async fn until(stream: &mut reqwest::Response, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut text = String::new();
    loop {
        let chunk = tokio::time::timeout(Duration::from_secs(20), stream.chunk()).await.expect("the board goes on");
        text.push_str(std::str::from_utf8(&chunk.unwrap().expect("the stream goes on")).unwrap());
        while let Some((event, rest)) = text.split_once("\n\n") {
            let board =
                event.strip_prefix("event: board\ndata: ").map(|data| serde_json::from_str::<Value>(data).unwrap());
            text = rest.to_owned();
            if let Some(board) = board.filter(&wanted) {
                return board;
            }
        }
    }
}

#[tokio::test]
async fn the_board_is_live_and_a_named_nurse_answers_what_is_on_it() {
    let house = staffed();
    let (running, mut browser) = served(&house).await;
    browser.log_in("chargenurse", PASSWORD).await;
    let server = running.facility().clone();
    let code = lamplight_server::invite(&house.path, "Willow Ward", &running.url, 1).unwrap().code;
    let mut pad = Pad::join(&server, &code, 1, "").await;
    let mut stream = browser
        .ask(Method::GET, &format!("{}?ward={WARD}", path::LIVE))
        .timeout(Duration::from_secs(3_600))
        .send()
        .await
        .unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    until(&mut stream, |b| b["cards"] == json!([])).await;
    let now = server.around().now();
    let mut bodies = admission(&pad, STAY, now);
    let concern = pad.body(now, Some(STAY), Event::Concern { words: "very quiet".into() });
    let alarm = pad.body(now, None, Event::Emergency { what: EmergencyKind::NeedHelp, place: "Day room".into() });
    let ids = [&concern, &alarm].map(|b| Body::parse(b).unwrap().envelope.id);
    bodies.extend([concern, alarm]);
    pad.push(&server, bodies).await;
    let board = until(&mut stream, |b| b["concerns"].as_array().unwrap().len() == 1).await;
    assert_eq!(board["cards"][0]["name"], "Garcia, Mateo");
    assert_eq!(board["emergencies"][0]["acknowledged_by"], Value::Null);
    for of in ids {
        let ask = browser.ask(Method::POST, path::ACKNOWLEDGE).json(&json!({ "ward": WARD, "of": of }));
        assert_eq!(browser.code(ask).await.0, StatusCode::NO_CONTENT);
    }
    let ask = browser.ask(Method::POST, path::VERIFY).json(&json!({ "ward": WARD }));
    assert_eq!(browser.code(ask).await.0, StatusCode::NO_CONTENT);
    let answered = |b: &Value| {
        b["concerns"] == json!([])
            && b["emergencies"][0]["acknowledged_by"] == "A. Person2"
            && b["verification"]["last_by"] == "A. Person2"
    };
    until(&mut stream, answered).await;
    // Whoever calls for help cannot answer it.
    let own = Body::new(
        lamplight_domain::record::Envelope { by: Some(StaffId(id(42))), ..pad.envelope(now, None) },
        Event::Emergency { what: EmergencyKind::Danger, place: "Hallway".into() },
    );
    let of = own.envelope.id;
    pad.push(&server, vec![own.to_bytes().unwrap()]).await;
    let ask = browser.ask(Method::POST, path::ACKNOWLEDGE).json(&json!({ "ward": WARD, "of": of }));
    assert_eq!(browser.code(ask).await, (StatusCode::BAD_REQUEST, "acknowledge.own".to_owned()));
    // What cannot be answered is refused by name.
    for (of, code) in [
        (StayId(id(999)).0, "record.unknown"),
        (board["cards"][0]["stay"].as_str().unwrap().parse().unwrap(), "record.unknown"),
    ] {
        let ask = browser.ask(Method::POST, path::ACKNOWLEDGE).json(&json!({ "ward": WARD, "of": of }));
        assert_eq!(browser.code(ask).await, (StatusCode::NOT_FOUND, code.to_owned()));
    }
    // The tablet reads the nurse's answer, signed by this server's own author.
    let (pages, _) = pad.opening(&server, 100).await;
    let nurse = StaffId(id(42));
    let by_nurse = bytes_of(&pages).iter().filter(|b| Body::parse(b).unwrap().envelope.by == Some(nurse)).count();
    assert_eq!(by_nurse, 4, "two answers, a verification, a call for help");
    // Logging out ends the stream.
    browser.ask(Method::POST, path::LOG_OUT).send().await.unwrap();
    let ended = async { while let Ok(Some(_)) = stream.chunk().await {} };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("the stream ends with the session");
    running.stop().await;
    lamplight_server::verify(&house.path).unwrap();
}

async fn live(browser: &Browser) -> reqwest::Response {
    let ask = browser.ask(Method::GET, &format!("{}?ward={WARD}", path::LIVE)).timeout(Duration::from_secs(3_600));
    ask.send().await.unwrap()
}

async fn post(browser: &Browser, path: &str) -> (StatusCode, String) {
    browser.code(browser.ask(Method::POST, path).json(&json!({ "ward": WARD }))).await
}

#[tokio::test]
async fn silence_is_the_ward_s_and_a_named_nurse_s_and_never_an_emergency_s() {
    let house = staffed();
    let (running, mut first) = served(&house).await;
    let mut second = first.beside();
    first.log_in("nurse", PASSWORD).await;
    second.log_in("technician", PASSWORD).await;
    let server = running.facility().clone();
    let code = lamplight_server::invite(&house.path, "Willow Ward", &running.url, 1).unwrap().code;
    let mut pad = Pad::join(&server, &code, 1, "").await;
    assert_eq!(post(&first, path::SILENCE).await, (StatusCode::BAD_REQUEST, "signal.quiet".to_owned()));
    // Nobody holds the observations of somebody who was looked at just now.
    let now = server.around().now();
    let mut bodies = admission(&pad, STAY, now);
    bodies.push(pad.check(now));
    pad.push(&server, bodies).await;
    let mut others = live(&second).await;
    until(&mut others, |b| b["signal"]["level"] == "overdue" && b["signal"]["silenced_until"].is_null()).await;
    assert_eq!(post(&second, path::SILENCE).await, (StatusCode::FORBIDDEN, "access.role".to_owned()));
    assert_eq!(post(&first, path::SILENCE).await.0, StatusCode::NO_CONTENT);
    let silent = until(&mut others, |b| !b["signal"]["silenced_until"].is_null()).await;
    let said = silent["signal"]["silenced_by"].as_str().unwrap();
    assert!(said.starts_with("Sound silenced ") && said.contains(" by A. Person1 until "), "{said}");
    assert_eq!(silent["signal"]["level"], "overdue");
    let help = pad.body(now, None, Event::Emergency { what: EmergencyKind::NeedHelp, place: "Day room".into() });
    pad.push(&server, vec![help]).await;
    until(&mut others, |b| b["signal"]["level"] == "emergency" && b["signal"]["silenced_until"].is_null()).await;
    assert_eq!(post(&first, path::SILENCE).await, (StatusCode::BAD_REQUEST, "signal.emergency".to_owned()));
    running.stop().await;
    let mut out = Vec::new();
    lamplight_server::export(&house.path, &mut out).unwrap();
    let lines: Vec<Value> = String::from_utf8(out).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let silenced: Vec<&Value> = lines.iter().filter(|l| l["kind"] == "silenced").collect();
    assert_eq!(silenced.len(), 1);
    assert_eq!(silenced[0]["by"], StaffId(id(41)).to_string());
}

#[tokio::test]
async fn whoever_left_or_went_to_another_ward_sees_no_more_of_it() {
    for leaves in [true, false] {
        let house = staffed();
        let (running, mut browser) = served(&house).await;
        browser.log_in("nurse", PASSWORD).await;
        let mut stream = live(&browser).await;
        until(&mut stream, |b| b["ward_name"] == "Willow Ward").await;
        let db = house.db();
        let mut roster = lamplight_server::store::roster::newest(&db).unwrap();
        let nurse = roster.staff.iter_mut().find(|s| s.role == Role::Nurse).unwrap();
        if leaves {
            nurse.active = false;
        } else {
            nurse.wards = vec![OTHER_WARD];
        }
        roster.version += 1;
        lamplight_server::store::roster::put(&db, &roster, START, None).unwrap();
        drop(db);
        // A joining makes the server look at the newest roster.
        let code = lamplight_server::invite(&house.path, "Willow Ward", &running.url, 1).unwrap().code;
        Pad::join(running.facility(), &code, 1, "").await;
        let ended = async { while let Ok(Some(_)) = stream.chunk().await {} };
        tokio::time::timeout(Duration::from_secs(20), ended).await.expect("the stream ends");
        running.stop().await;
    }
}

#[tokio::test]
async fn a_patient_s_day_and_an_invite_for_a_tablet() {
    let house = staffed();
    let (running, mut browser) = served(&house).await;
    browser.log_in("nurse", PASSWORD).await;
    let server = running.facility().clone();
    let ask = browser.ask(Method::POST, path::INVITE).json(&json!({ "ward": WARD }));
    let made: Value = ask.send().await.unwrap().json().await.unwrap();
    assert!(made["qr_svg"].as_str().unwrap().contains("<svg"));
    let invite: lamplight_domain::wire::Invite = made["invite"].as_str().unwrap().parse().unwrap();
    assert_eq!(invite.url, running.url);
    let mut pad = Pad::join(&server, &invite.code, 1, "").await;
    let late = lamplight_domain::chain::SigningKey::from_seed(&[2; 32]);
    assert!(server.join(join_ask(&invite.code, &late, "")).await.is_err(), "for one tablet");
    let now = server.around().now();
    let mut bodies = admission(&pad, STAY, now);
    bodies.push(pad.check(now));
    pad.push(&server, bodies).await;
    let date = now.date(server.roster().facility.zone);
    for query in [String::new(), format!("&date={date}")] {
        let ask = browser.ask(Method::GET, &format!("{}?ward={WARD}&stay={STAY}{query}", path::DAY));
        let day: Value = ask.send().await.unwrap().json().await.unwrap();
        assert_eq!((&day["name"], &day["totals"]["checks"]), (&json!("Garcia, Mateo"), &json!(1)));
    }
    // The day says what was of the ward as a whole, and what its clocks were worth.
    let wall = now + 5 * MINUTE;
    let measured = lamplight_domain::kinds::ClockMeasured { server: now, wall, round_trip_ms: 10 };
    let of_ward = [Event::HoldingTaken { census_count: 1 }, Event::ClockMeasured(measured)];
    let of_ward = of_ward.into_iter().map(|e| pad.body(now, None, e)).collect();
    pad.push(&server, of_ward).await;
    let ask = browser.ask(Method::GET, &format!("{}?ward={WARD}&stay={STAY}", path::DAY));
    let day: Value = ask.send().await.unwrap().json().await.unwrap();
    let rows = day["rows"].as_array().unwrap();
    assert!(rows.iter().any(|r| r["words"].as_str().unwrap().contains("took over the observations")), "{day}");
    let check = rows.iter().find(|r| r["kind"] == "check").unwrap();
    assert!(check["doubt"].as_str().unwrap().starts_with("clock not certain"), "{check}");
    let before = date.pred_opt().unwrap();
    let ask = browser.ask(Method::GET, &format!("{}?ward={WARD}&stay={STAY}&date={before}", path::DAY));
    let day: Value = ask.send().await.unwrap().json().await.unwrap();
    assert_eq!(day["totals"]["checks"], 0);
    let unknown = browser.ask(Method::GET, &format!("{}?ward={WARD}&stay={}", path::DAY, id(5)));
    assert_eq!(browser.code(unknown).await, (StatusCode::NOT_FOUND, "stay.unknown".to_owned()));
    running.stop().await;
}

#[tokio::test]
async fn a_caller_who_goes_away_in_the_middle_of_a_commit_stops_nobody_after_them() {
    let house = House::new();
    let server = house.open();
    let own = || Own { ward: WARD, stay: None, by: Some(NURSE), event: Event::Verified { note: String::new() } };
    server.record(own()).await.unwrap();
    // Somebody else holds the file, so that the commit waits.
    let other = house.db();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    {
        let asked = std::pin::pin!(server.record(own()));
        tokio::select! {
            biased;
            done = asked => panic!("not while the file is held: {done:?}"),
            () = std::future::ready(()) => {}
        }
    }
    other.execute_batch("COMMIT").unwrap();
    server.record(own()).await.unwrap();
    server.close().await;
    assert_eq!(lamplight_server::verify(&house.path).unwrap().links, 3, "what was under way is written too");
}

/// What a nurse does to the census, over the wire: the boards of both wards follow.
#[tokio::test]
async fn a_nurse_moves_a_patient_joins_a_provisional_stay_and_takes_it_back() {
    let house = staffed();
    let (running, mut browser) = served(&house).await;
    browser.log_in("nurse", PASSWORD).await;
    let server = running.facility().clone();
    let code = lamplight_server::invite(&house.path, "Willow Ward", &running.url, 1).unwrap().code;
    let mut pad = Pad::join(&server, &code, 1, "").await;
    let now = server.around().now();
    let woman = StayId(id(31));
    let known = StayProvisional { words: "woman, about 30".into(), bed: String::new() };
    let mut bodies = admission(&pad, STAY, now);
    bodies.push(pad.body(now, Some(woman), Event::StayProvisional(known)));
    pad.push(&server, bodies).await;
    let stays = |ward| server.board(ward).cards.into_iter().map(|c| c.stay).collect::<Vec<_>>();
    assert_eq!(stays(WARD), [STAY, woman]);
    let post = |path: &'static str, ask: Value| browser.code(browser.ask(Method::POST, path).json(&ask));
    let join = |stay: StayId, into: StayId| json!({ "ward": WARD, "stay": stay, "into": into });
    let refused = |code: &str| (StatusCode::BAD_REQUEST, code.to_owned());
    assert_eq!(post(path::JOIN, join(STAY, woman)).await, refused("stays.direction"));
    assert_eq!(post(path::MERGE, join(STAY, woman)).await, refused("merge.patient"));
    assert_eq!(post(path::JOIN, join(woman, STAY)).await.0, StatusCode::OK);
    assert_eq!(stays(WARD), [STAY]);
    let day = browser.ask(Method::GET, &format!("{}?ward={WARD}&stay={woman}", path::DAY)).send().await.unwrap();
    let day: Value = day.json().await.unwrap();
    assert_eq!(day["stay"], json!(STAY));
    assert!(day["joins"][0]["words"].as_str().unwrap().starts_with("“woman, about 30”, joined"), "{day}");
    let part = json!({ "ward": WARD, "stay": STAY, "of": day["joins"][0]["record"], "reason": "" });
    assert_eq!(post(path::PART, part.clone()).await.0, StatusCode::OK);
    assert_eq!(stays(WARD), [STAY, woman]);
    assert_eq!(post(path::PART, part).await, refused("stays.parted"));
    // To the other ward, where somebody has the bed already.
    let place = |to: WardId, bed: &str| json!({ "ward": WARD, "stay": STAY, "to": to, "bed": bed });
    let said = browser.ask(Method::POST, path::PLACE).json(&place(WARD, "101A")).send().await.unwrap();
    assert_eq!(said.json::<Value>().await.unwrap()["notice"], "The patient was in this bed already.");
    assert_eq!(post(path::PLACE, place(OTHER_WARD, "999Z")).await.1, "bed.unknown");
    assert_eq!(post(path::PLACE, place(WardId(id(999)), "101A")).await.1, "ward.unknown");
    let wards: Value = browser.ask(Method::GET, path::WARDS).send().await.unwrap().json().await.unwrap();
    assert_eq!(wards[1]["beds"], json!(["101A"]));
    assert_eq!(post(path::PLACE, place(OTHER_WARD, "101A")).await.0, StatusCode::OK);
    assert_eq!((stays(WARD), stays(OTHER_WARD)), (vec![woman], vec![STAY]));
    running.stop().await;
    lamplight_server::verify(&house.path).unwrap();
}
