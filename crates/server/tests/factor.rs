//! Logging in with a second factor: when it is asked for, what a code is good for, and what a change of one's log-in ends.

#![allow(clippy::unwrap_used)] // A test may fail.

mod common;

use common::browser::*;
use common::*;
use lamplight_domain::ids::StaffId;
use lamplight_domain::roster::Role;
use lamplight_domain::station::path;
use reqwest::{Method, StatusCode};
use serde_json::json;

#[tokio::test]
async fn a_code_is_asked_for_only_behind_the_right_password_and_is_good_once() {
    let house = staffed();
    let (running, mut page) = served(&house).await;
    let code = |said: &serde_json::Value| said["code"].as_str().unwrap_or_default().to_owned();
    let (status, said) = page.log_in("administrator", "wrong").await;
    assert_eq!((status, code(&said)), (StatusCode::UNAUTHORIZED, "auth.wrong".to_owned()));
    let (status, said) = page.log_in_with("administrator", "wrong", &code_of(&FACTOR, 0)).await;
    assert_eq!((status, code(&said)), (StatusCode::UNAUTHORIZED, "auth.wrong".to_owned()), "no word of a code");
    let (status, said) = page.log_in("administrator", PASSWORD).await;
    assert_eq!((status, code(&said)), (StatusCode::UNAUTHORIZED, "auth.code_needed".to_owned()));
    assert!(page.cookie.is_empty());
    let now = code_of(&FACTOR, 0);
    assert_eq!(page.log_in_with("administrator", PASSWORD, &now).await.0, StatusCode::OK);
    let mut other = page.beside();
    let (status, said) = other.log_in_with("administrator", PASSWORD, &now).await;
    assert_eq!((status, code(&said)), (StatusCode::UNAUTHORIZED, "auth.code_wrong".to_owned()), "used up");
    // The one before it is of the past now, though its time is not quite over.
    let (_, said) = other.log_in_with("administrator", PASSWORD, &code_of(&FACTOR, -1)).await;
    assert_eq!(code(&said), "auth.code_wrong");
    running.stop().await;
    // A restart brings none back.
    let (running, mut page) = served(&house).await;
    assert_eq!(code(&page.log_in_with("administrator", PASSWORD, &now).await.1), "auth.code_wrong");
    running.stop().await;
}

#[tokio::test]
async fn wrong_codes_wait_like_wrong_passwords_and_asking_for_one_forgets_none() {
    let house = staffed();
    let (running, mut page) = served(&house).await;
    let mut last = String::new();
    for _ in 0..4 {
        // Whoever knows the password learns that a code is needed; it must not wipe the slate.
        page.log_in("administrator", PASSWORD).await;
        let (_, said) = page.log_in_with("administrator", PASSWORD, "000000").await;
        last = said["code"].as_str().unwrap().to_owned();
    }
    assert_eq!(last, "login.wait");
    running.stop().await;
}

#[tokio::test]
async fn a_changed_password_ends_the_person_s_other_sessions_and_turns_this_one() {
    let house = staffed();
    let (running, mut desk) = served(&house).await;
    let (mut phone, mut colleague) = (desk.beside(), desk.beside());
    desk.log_in_as(&house, Role::Nurse).await;
    phone.log_in_as(&house, Role::Nurse).await;
    colleague.log_in_as(&house, Role::ChargeNurse).await;
    let before = desk.clone();
    desk.done(path::PASSWORD, &json!({ "old": PASSWORD, "new": "walnut otter gravel" })).await;
    let lives = |page: &Browser| {
        let ask = page.ask(Method::GET, path::SESSION);
        async move { ask.send().await.unwrap().status() }
    };
    assert_eq!(lives(&desk).await, StatusCode::OK);
    assert_eq!(lives(&before).await, StatusCode::UNAUTHORIZED, "the old secret");
    assert_eq!(lives(&phone).await, StatusCode::UNAUTHORIZED, "the other session");
    assert_eq!(lives(&colleague).await, StatusCode::OK);
    assert_eq!(phone.log_in("nurse", PASSWORD).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(phone.log_in("nurse", "walnut otter gravel").await.0, StatusCode::OK);
    running.stop().await;
}

#[tokio::test]
async fn a_nurse_may_have_a_factor_too_and_an_administrator_takes_a_lost_one_away() {
    let house = staffed();
    let (running, mut nurse) = served(&house).await;
    let mut administrator = nurse.beside();
    nurse.log_in_as(&house, Role::Nurse).await;
    let begun = nurse.done(path::FACTOR_BEGIN, &json!({})).await;
    let secret = from_base32(begun["secret"].as_str().unwrap());
    assert_eq!(nurse.beside().log_in("nurse", PASSWORD).await.0, StatusCode::OK, "not in force before it was shown");
    nurse.done(path::FACTOR_CONFIRM, &json!({ "code": code_of(&secret, 0) })).await;
    let (_, said) = nurse.beside().log_in("nurse", PASSWORD).await;
    assert_eq!(said["code"], "auth.code_needed");
    administrator.log_in_as(&house, Role::Administrator).await;
    let facility = administrator.done(path::FACTOR_DROP, &json!({ "staff": StaffId(id(41)) })).await;
    let dropped = facility["staff"].as_array().unwrap().iter().find(|s| s["family"] == "Person1").unwrap().clone();
    assert_eq!(dropped["has_factor"], false);
    assert_eq!(nurse.ask(Method::GET, path::SESSION).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(nurse.log_in("nurse", PASSWORD).await.0, StatusCode::OK);
    running.stop().await;
}

/// Nothing of a log-in can be read in the folder: not a password, not a factor's secret, not a session's.
#[tokio::test]
async fn no_secret_lies_open_in_the_folder() {
    let house = staffed();
    let (running, mut page) = served(&house).await;
    page.log_in_as(&house, Role::Administrator).await;
    let session = page.cookie.split_once('=').unwrap().1.to_owned();
    running.stop().await;
    for entry in std::fs::read_dir(&house.path).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in [PASSWORD.as_bytes(), &FACTOR, session.as_bytes(), b"$argon2id$"] {
            assert!(!bytes.windows(secret.len()).any(|w| w == secret));
        }
    }
}
