//! The nursing station without a browser: what its page asks, over HTTPS.

use crate::facility::Facility;
use anyhow::{Context, Result, ensure};
use lamplight_domain::station::{CSRF_HEADER, path};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// As long as anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The browser's clock is the facility's, where a test has it run ahead of this machine's.
#[derive(Debug)]
struct FacilityTime(i64);

impl TimeProvider for FacilityTime {
    fn current_time(&self) -> Option<UnixTime> {
        let now = SystemTime::UNIX_EPOCH.elapsed().ok()? + Duration::from_millis(self.0.try_into().ok()?);
        Some(UnixTime::since_unix_epoch(now))
    }
}

#[derive(Clone)]
pub struct Desk {
    http: reqwest::Client,
    pub url: String,
    pub cookie: String,
}

impl Desk {
    /// Nobody is logged in. `url`: the server itself, or a cable to it.
    pub fn at(facility: &Facility, url: &str) -> Result<Desk> {
        let mut roots = RootCertStore::empty();
        for ca in CertificateDer::pem_file_iter(facility.data().join("ca.pem"))? {
            roots.add(ca?)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_details(provider, Arc::new(FacilityTime(facility.ahead_ms())))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let http = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().timeout(PATIENCE);
        let http = http.redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Desk { http, url: url.to_owned(), cookie: String::new() })
    }

    /// Somebody of the demo with this role ("charge_nurse") is logged in.
    pub async fn log_in(facility: &Facility, url: &str, role: &str) -> Result<Desk> {
        let people = facility.people();
        let person =
            people.iter().find(|p| p["role"] == role && p["login"].is_string()).context("nobody has the role")?;
        let mut desk = Desk::at(facility, url)?;
        desk.done(path::LOG_IN, &json!({ "name": person["login"], "password": person["password"] })).await?;
        Ok(desk)
    }

    pub fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let ask = self.http.request(method, format!("{}{path}", self.url)).header(CSRF_HEADER, "1");
        if self.cookie.is_empty() { ask } else { ask.header("cookie", &self.cookie) }
    }

    /// Posts, and takes the cookie that the answer may set.
    pub async fn post(&mut self, path: &str, question: &Value) -> Result<(StatusCode, Value)> {
        let answer = self.ask(Method::POST, path).json(question).send().await?;
        if let Some(set) = answer.headers().get("set-cookie") {
            self.cookie = set.to_str()?.split(';').next().unwrap_or_default().to_owned();
        }
        let status = answer.status();
        Ok((status, answer.json().await.unwrap_or_default()))
    }

    /// What is asked for and given.
    pub async fn done(&mut self, path: &str, question: &Value) -> Result<Value> {
        let (status, said) = self.post(path, question).await?;
        ensure!(status.is_success(), "{path}: {status} {said}");
        Ok(said)
    }

    pub async fn get(&self, path: &str) -> Result<Value> {
        let answer = self.ask(Method::GET, path).send().await?;
        let status = answer.status();
        let said = answer.json().await.unwrap_or_default();
        ensure!(status.is_success(), "{path}: {status} {said}");
        Ok(said)
    }

    /// The first board that the page of this ward is sent.
    pub async fn board(&self, ward: &str) -> Result<Value> {
        let mut stream = self.ask(Method::GET, &format!("{}?ward={ward}", path::LIVE)).send().await?;
        ensure!(stream.status().is_success(), "no live board: {}", stream.status());
        let mut said = String::new();
        loop {
            let piece = stream.chunk().await?.context("the live board ended")?;
            said += &String::from_utf8_lossy(&piece);
            if let Some((event, _)) = said.split_once("\n\n")
                && let Some(board) = event.lines().find_map(|line| line.strip_prefix("data:"))
            {
                return Ok(serde_json::from_str(board.trim())?);
            }
        }
    }
}

/// The status and the code of a refusal, which says what is wrong and what to do next.
pub async fn refusal(answer: Response) -> Result<(u16, String)> {
    let status = answer.status().as_u16();
    let said: Value = answer.json().await.with_context(|| format!("{status} without a refusal in JSON"))?;
    let text = |name: &str| said[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    ensure!(text("what").is_some() && text("next").is_some(), "{status}: {said}");
    Ok((status, text("code").context("a refusal without a code")?))
}
