//! Who may ask the station for what: every route by every role, for their own ward and for another one, against a table
//! that is written out a second time here; and what stands on every answer.

#![allow(clippy::unwrap_used)] // A test may fail.

mod common;

use common::browser::*;
use common::*;
use lamplight_domain::ids::{StaffId, TabletId};
use lamplight_domain::roster::{Role, Tablet};
use lamplight_domain::station::path;
use lamplight_server::station::access::{RULES, Rule};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const OWN_TABLET: TabletId = TabletId(uuid::Uuid::from_u128(70));
const OTHER_TABLET: TabletId = TabletId(uuid::Uuid::from_u128(71));
const OTHER_PERSON: StaffId = StaffId(uuid::Uuid::from_u128(50));

/// Who may, as letters (T N C M A for the roles, * for anybody), and whether it has to be of an own ward. Written out by
/// hand: a route that is not here fails.
fn expected(method: &Method, path: &str) -> (&'static str, bool) {
    match (method.as_str(), path) {
        ("GET", "/" | "/station" | "/station/" | "/assets/*" | "/station/api/door") => ("*", false),
        ("POST", "/station/api/login" | "/station/api/set-up") => ("*", false),
        ("GET", "/station/api/session") => ("TNCMA", false),
        ("POST", "/station/api/logout" | "/station/api/password") => ("TNCMA", false),
        ("POST", "/station/api/factor/begin" | "/station/api/factor/confirm") => ("TNCMA", false),
        ("GET", "/station/api/live") => ("TNC", true),
        ("GET", "/station/api/day") => ("TNCM", true),
        ("POST", "/station/api/acknowledge" | "/station/api/verify" | "/station/api/silence") => ("NC", true),
        ("GET", "/station/api/wards") => ("NC", false),
        ("GET", "/station/api/choices") => ("NC", true),
        ("POST", "/station/api/admit" | "/station/api/order" | "/station/api/precautions") => ("NC", true),
        ("POST", "/station/api/pause" | "/station/api/back" | "/station/api/discharge") => ("NC", true),
        ("POST", "/station/api/place" | "/station/api/join" | "/station/api/merge" | "/station/api/part") => {
            ("NC", true)
        }
        ("GET", "/station/api/facility") => ("CA", false),
        ("POST", "/station/api/facility/pin") => ("CA", true),
        ("POST", "/station/api/facility/tablet/move" | "/station/api/facility/tablet/revoke") => ("CA", true),
        ("POST", "/station/api/invite") => ("NCA", true),
        ("POST", "/station/api/facility/ward" | "/station/api/facility/staff") => ("A", false),
        ("POST", "/station/api/facility/login" | "/station/api/facility/factor") => ("A", false),
        ("POST", "/station/api/facility/lists" | "/station/api/facility/settings") => ("A", false),
        ("GET", "/station/api/audit") => ("MA", false),
        other => panic!("{other:?} has no row in the matrix"),
    }
}

fn letter(role: Role) -> char {
    match role {
        Role::Technician => 'T',
        Role::Nurse => 'N',
        Role::ChargeNurse => 'C',
        Role::Manager => 'M',
        Role::Administrator => 'A',
    }
}

/// What stops somebody before their question is looked at.
const STOPS: [&str; 4] = ["auth.session", "access.role", "ward.not_yours", "session.first"];

fn meant(role: Option<Role>, rule: &Rule, is_own: bool) -> Option<&'static str> {
    let (who, of_ward) = expected(&rule.method, rule.path);
    match role {
        _ if who == "*" => None,
        None => Some("auth.session"),
        Some(role) if !who.contains(letter(role)) => Some("access.role"),
        // An administrator sets up every ward, and is let in to nothing clinical.
        Some(Role::Administrator) => None,
        Some(_) if of_ward && !is_own => Some("ward.not_yours"),
        Some(_) => None,
    }
}

/// A house with a tablet on either ward, and somebody of the other one.
fn both_wards() -> House {
    let house = staffed();
    let db = house.db();
    let mut roster = lamplight_server::store::roster::newest(&db).unwrap();
    for (id, ward, name) in [(OWN_TABLET, WARD, "W-1"), (OTHER_TABLET, OTHER_WARD, "W-2")] {
        roster.tablets.push(Tablet { id, name: name.into(), ward, revoked: false });
    }
    let other = roster.staff[0].clone();
    let number = "N 50".to_owned();
    roster.staff.push(lamplight_domain::roster::Staff { id: OTHER_PERSON, wards: vec![OTHER_WARD], number, ..other });
    roster.version += 1;
    lamplight_server::store::roster::put(&db, &roster, house.now(), None).unwrap();
    house
}

async fn asked(browser: &Browser, rule: &Rule, is_own: bool) -> (StatusCode, String) {
    let (ward, staff, tablet) = match is_own {
        true => (WARD, StaffId(id(40)), OWN_TABLET),
        false => (OTHER_WARD, OTHER_PERSON, OTHER_TABLET),
    };
    let path = rule.path.replace('*', "x.js");
    let clinical = [path::LIVE, path::DAY, path::CHOICES].contains(&rule.path);
    let query = if clinical { format!("?ward={ward}&stay={STAY}") } else { String::new() };
    let ask = browser.ask(rule.method.clone(), &format!("{path}{query}"));
    let question = json!({ "ward": ward, "of": STAY, "staff": staff, "tablet": tablet, "to": ward });
    let ask = if rule.method == Method::POST { ask.json(&question) } else { ask };
    let response = ask.send().await.unwrap();
    let status = response.status();
    for (name, value) in GUARDS {
        let got = response.headers().get(name).map(|v| v.to_str().unwrap());
        assert_eq!(got, Some(value), "{name} of {} {}, {status}", rule.method, rule.path);
    }
    if status.is_success() || status.is_redirection() {
        // A live board never ends.
        return (status, String::new());
    }
    let said: Value = response.json().await.unwrap_or_default();
    (status, said["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn every_route_lets_in_whom_the_matrix_says_and_nobody_else() {
    let house = both_wards();
    let (running, mut browser) = served(&house).await;
    let mut wrong = Vec::new();
    for role in std::iter::once(None).chain(ROLES.map(Some)) {
        browser.cookie.clear();
        for (rule, is_own) in RULES.iter().flat_map(|rule| [(rule, true), (rule, false)]) {
            let is_over = browser.ask(Method::GET, path::SESSION).send().await.unwrap().status().is_client_error();
            if let Some(role) = role.filter(|_| is_over) {
                browser.log_in_as(&house, role).await;
            }
            let (status, code) = asked(&browser, rule, is_own).await;
            let stopped = STOPS.into_iter().find(|stop| *stop == code);
            let meant = meant(role, rule, is_own);
            let fits = match stopped {
                Some("auth.session") => status == StatusCode::UNAUTHORIZED,
                Some(_) => status == StatusCode::FORBIDDEN,
                None => true,
            };
            if stopped != meant || !fits {
                wrong.push(format!(
                    "{} {} {role:?} own: {is_own}: {status} {code}, not {meant:?}",
                    rule.method, rule.path
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    running.stop().await;
}

/// What is routed but has no rule would be refused to everybody; what has a rule but no route, answered by nobody.
#[test]
fn every_route_has_its_rule_and_every_rule_its_route() {
    let source = include_str!("../src/station/mod.rs");
    assert_eq!(source.matches(".route(").count(), RULES.len());
    let mut seen = std::collections::HashSet::new();
    assert!(RULES.iter().all(|rule| seen.insert((rule.method.clone(), rule.path))), "one rule a route");
}

#[tokio::test]
async fn a_ward_that_is_named_twice_or_badly_opens_no_door() {
    let house = both_wards();
    let (running, mut browser) = served(&house).await;
    browser.log_in_as(&house, Role::Nurse).await;
    let not_yours = (StatusCode::FORBIDDEN, "ward.not_yours".to_owned());
    for query in [
        format!("ward={WARD}&ward={OTHER_WARD}&stay={STAY}"),
        format!("ward={OTHER_WARD}&ward={WARD}&stay={STAY}"),
        format!("Ward={WARD}&stay={STAY}"),
        format!("ward={WARD}'%20OR%201=1--&stay={STAY}"),
        "ward=00000000-0000-0000-0000-000000000000".to_owned(),
        String::new(),
    ] {
        let ask = browser.ask(Method::GET, &format!("{}?{query}", path::DAY));
        assert_eq!(browser.code(ask).await, not_yours, "{query}");
    }
    // The key twice in one question: neither way lets a foreign ward in.
    for (first, second) in [(WARD, OTHER_WARD), (OTHER_WARD, WARD)] {
        let text = format!("{{\"ward\":\"{first}\",\"ward\":\"{second}\"}}");
        let ask = browser.ask(Method::POST, path::VERIFY).header("content-type", "application/json").body(text);
        assert!(browser.code(ask).await.0.is_client_error());
    }
    for question in [json!({ "ward": [WARD] }), json!({ "ward": null }), json!([]), json!({})] {
        let ask = browser.ask(Method::POST, path::VERIFY).json(&question);
        assert_eq!(browser.code(ask).await, not_yours, "{question}");
    }
    let deep = format!("{}{}", "[".repeat(4_000), "]".repeat(4_000));
    let ask = browser.ask(Method::POST, path::VERIFY).body(deep);
    assert_eq!(browser.code(ask).await, not_yours);
    running.stop().await;
}

/// Refused once is written down once, with who it was; a flood of the same leaves one line a minute.
#[tokio::test]
async fn what_was_refused_is_in_the_audit_and_a_flood_does_not_fill_it() {
    let house = both_wards();
    let (running, mut browser) = served(&house).await;
    browser.log_in_as(&house, Role::Nurse).await;
    for _ in 0..30 {
        browser.refusal(path::STAFF_SAVE, &json!({})).await;
    }
    for _ in 0..30 {
        let nobody = browser.beside();
        nobody.ask(Method::POST, path::ORDER).json(&json!({ "ward": WARD })).send().await.unwrap();
    }
    browser.log_in_as(&house, Role::Administrator).await;
    let page = browser.get(&format!("{}?act=refused", path::AUDIT)).await;
    let rows: Vec<(&str, &str)> = page["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["by"].as_str().unwrap(), r["words"].as_str().unwrap()))
        .collect();
    assert_eq!(
        rows,
        [
            ("nobody signed in", "was refused (/station/api/order: auth.session from 127.0.0.1)"),
            ("A. Person1, N 1", "was refused (/station/api/facility/staff: access.role from 127.0.0.1)"),
        ]
    );
    running.stop().await;
}

/// Too long to be read, from somebody who is known all the same.
#[tokio::test]
async fn a_question_that_could_not_be_read_is_in_the_audit_with_who_asked() {
    let house = both_wards();
    let (running, mut browser) = served(&house).await;
    browser.log_in_as(&house, Role::Nurse).await;
    let long = json!({ "ward": WARD, "reason": "x".repeat(9_000) });
    assert_eq!(browser.refusal(path::ORDER, &long).await, "request.too_big");
    browser.log_in_as(&house, Role::Administrator).await;
    let page = browser.get(&format!("{}?act=refused", path::AUDIT)).await;
    let row = &page["rows"][0];
    assert_eq!(
        (row["by"].as_str(), row["words"].as_str()),
        (Some("A. Person1, N 1"), Some("was refused (/station/api/order: request.too_big from 127.0.0.1)"))
    );
    running.stop().await;
}

/// Deny by default: somebody who was put on no ward is given nothing.
#[tokio::test]
async fn a_manager_reads_of_their_own_wards_and_an_administrator_of_all() {
    let house = both_wards();
    let (running, mut browser) = served(&house).await;
    browser.log_in_as(&house, Role::Administrator).await;
    for tablet in [OWN_TABLET, OTHER_TABLET] {
        browser.done(path::TABLET_REVOKE, &json!({ "tablet": tablet, "reason": "lost" })).await;
    }
    let read = async |browser: &Browser| {
        let page = browser.get(&format!("{}?act=tablet_revoked", path::AUDIT)).await;
        let words = page["rows"].as_array().unwrap().iter().map(|r| r["words"].as_str().unwrap().to_owned());
        words.collect::<Vec<_>>()
    };
    let (own, other) = ("took a tablet out of use: W-1 (lost)", "took a tablet out of use: W-2 (lost)");
    assert_eq!(read(&browser).await, [other, own]);
    browser.log_in_as(&house, Role::Manager).await;
    assert_eq!(read(&browser).await, [own]);
    let mut of_none = running.facility().roster().person(StaffId(id(43))).unwrap().clone();
    of_none.wards.clear();
    let change = json!({ "id": of_none.id, "family": of_none.family, "given": of_none.given, "number": of_none.number,
        "role": "manager", "wards": [], "active": true });
    let mut administrator = browser.beside();
    administrator.log_in_as(&house, Role::Administrator).await;
    administrator.done(path::STAFF_SAVE, &change).await;
    assert_eq!(read(&browser).await, [""; 0]);
    running.stop().await;
}
