//! A browser at the station: cookies, the header of our own page, codes of a second factor.

use super::*;
use hmac::{Hmac, KeyInit, Mac};
use lamplight_domain::roster::Role;
use lamplight_domain::station::path;
use lamplight_server::station::passwords;
use lamplight_server::store::logins::{self, FactorSecret};
use lamplight_server::{Options, Running, serve};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

pub const PASSWORD: &str = "amber-heron-4242";
pub const ROLES: [Role; 5] = [Role::Technician, Role::Nurse, Role::ChargeNurse, Role::Manager, Role::Administrator];
/// Of the administrator of [`staffed`].
pub const FACTOR: [u8; 20] = *b"a secret of 20 bytes";

pub fn login_of(role: Role) -> String {
    role.words().replace(' ', "")
}

/// One person of every role on Willow Ward, each with a password, the administrator with a second factor.
pub fn staffed() -> House {
    let mut roster = roster();
    roster.staff = ROLES
        .iter()
        .enumerate()
        .map(|(n, role)| Staff {
            id: StaffId(id(40 + n as u128)),
            family: format!("Person{n}"),
            number: format!("N {n}"),
            role: *role,
            ..roster.staff[0].clone()
        })
        .collect();
    let house = House::of(roster.clone());
    let db = house.db();
    let password = passwords::hash(PASSWORD, [7; 16]).unwrap();
    for person in roster.staff {
        logins::put(&db, &login_of(person.role), person.id, &password).unwrap();
        if person.role == Role::Administrator {
            logins::set_factor(&db, person.id, Some(&FactorSecret::new(FACTOR)), 0).unwrap();
        }
    }
    house
}

#[derive(Clone)]
pub struct Browser {
    pub http: reqwest::Client,
    pub url: String,
    pub cookie: String,
}

pub async fn served(house: &House) -> (Running, Browser) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let running = serve(&house.path, ([127, 0, 0, 1], 0).into(), Options::default()).await.unwrap();
    let browser = Browser::of(&house.path, &running.url);
    (running, browser)
}

impl Browser {
    pub fn of(path: &Path, url: &str) -> Browser {
        let ca = reqwest::Certificate::from_pem(&std::fs::read(path.join("ca.pem")).unwrap()).unwrap();
        let http = reqwest::Client::builder()
            .tls_certs_only([ca])
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Browser { http, url: url.to_owned(), cookie: String::new() }
    }
    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url))
            .header("lamplight-station", "1")
            .header("cookie", &self.cookie)
            .timeout(Duration::from_secs(30))
    }
    pub async fn log_in(&mut self, name: &str, password: &str) -> (StatusCode, Value) {
        self.log_in_with(name, password, "").await
    }
    pub async fn log_in_with(&mut self, name: &str, password: &str, code: &str) -> (StatusCode, Value) {
        self.change(path::LOG_IN, &json!({ "name": name, "password": password, "code": code })).await
    }
    /// Whoever it is: with a code of now where one is needed, as if none had been used before.
    pub async fn log_in_as(&mut self, house: &House, role: Role) {
        let code = if role == Role::Administrator {
            house.db().execute("UPDATE logins SET factor_step = 0", []).unwrap();
            code_of(&FACTOR, 0)
        } else {
            String::new()
        };
        let (status, said) = self.log_in_with(&login_of(role), PASSWORD, &code).await;
        assert_eq!(status, StatusCode::OK, "{role:?}: {said}");
    }
    /// Posts, and takes the cookie that the answer may set.
    pub async fn change(&mut self, path: &str, ask: &Value) -> (StatusCode, Value) {
        let response = self.ask(Method::POST, path).json(ask).send().await.unwrap();
        let status = response.status();
        if let Some(set) = response.headers().get("set-cookie") {
            self.cookie = set.to_str().unwrap().split(';').next().unwrap().to_owned();
        }
        (status, response.json().await.unwrap_or_default())
    }
    /// What is asked for and given.
    pub async fn done(&mut self, path: &str, ask: &Value) -> Value {
        let (status, said) = self.change(path, ask).await;
        assert!(status.is_success(), "{path} {ask}: {status} {said}");
        said
    }
    /// The code of a refusal.
    pub async fn refusal(&mut self, path: &str, ask: &Value) -> String {
        let (status, said) = self.change(path, ask).await;
        assert!(status.is_client_error(), "{path} {ask}: {status} {said}");
        said["code"].as_str().unwrap().to_owned()
    }
    pub async fn get(&self, path: &str) -> Value {
        let response = self.ask(Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }
    pub async fn code(&self, request: RequestBuilder) -> (StatusCode, String) {
        let response = request.send().await.unwrap();
        let status = response.status();
        let said: Value = response.json().await.unwrap_or_default();
        (status, said["code"].as_str().unwrap_or_default().to_owned())
    }
    pub fn beside(&self) -> Browser {
        Browser { cookie: String::new(), ..self.clone() }
    }
}

/// RFC 6238, written down a second time: what a phone shows now, or `steps` of 30 s from now.
pub fn code_of(secret: &[u8], steps: i64) -> String {
    let step = Surroundings::real().now().0 / 30_000 + steps;
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(secret).unwrap();
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] % 16);
    let word = u32::from_be_bytes(hash[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}

/// The bytes of what a page shows of a secret.
pub fn from_base32(text: &str) -> Vec<u8> {
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for c in text.chars().filter(|c| *c != ' ') {
        let n = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c).unwrap();
        bits = bits << 5 | n as u32;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes
}
