//! Logging in and out, and who one is.

use super::{Person, Station, passwords, sessions, totp};
use crate::facility::trouble;
use crate::http::throttle::Whose;
use crate::http::{Refused, bodies, refused};
use crate::store::logins::{self, Login};
use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lamplight_domain::ids::StaffId;
use lamplight_domain::kinds::{Act, Audit};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{Role, Staff};
use lamplight_domain::station::{First, LogIn, StationSession, WardRef};
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Of any question of somebody who is not known.
const ASK_MAX_BYTES: usize = 8 * 1024;
/// The longest question there is; what may be how long is judged before.
const READ_MAX_BYTES: usize = 256 * 1024;
/// A question fits one packet: whoever takes longer holds a connection for nothing.
const ASK_ARRIVAL: Duration = Duration::from_secs(10);

/// The bytes of a question. Errors: "request.too_big", "request.slow", "request.cut_short".
pub async fn read(body: Body, max_bytes: usize) -> Result<Vec<u8>, Refused> {
    bodies::read_within(body, max_bytes, ASK_ARRIVAL).await.map_err(|refused| Refused {
        // What to do is another thing than for a tablet.
        refusal: Refusal { next: "Load the page again.".into(), ..refused.refusal },
        ..refused
    })
}

/// Reads a question whose bytes came in before. Errors: "request.not_json".
pub async fn json<T: DeserializeOwned>(body: Body) -> Result<T, Refused> {
    question(&read(body, READ_MAX_BYTES).await?)
}

/// Reads a question of somebody who is not known. Errors: those of [`read`], "request.not_json".
pub async fn json_of_anyone<T: DeserializeOwned>(body: Body) -> Result<T, Refused> {
    question(&read(body, ASK_MAX_BYTES).await?)
}

fn question<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(bytes).map_err(|_| {
        Refusal::new("request.not_json", "The question is not what was expected.", "Load the page again.").into()
    })
}

/// Errors: "login.wait" with how long.
pub fn may_try(station: &Station, whose: &[Whose]) -> Result<(), Refused> {
    let Some(wait) = station.inner.throttle.wait(whose, Instant::now()) else { return Ok(()) };
    let seconds = wait.as_secs().max(1);
    Err(Refused {
        status: StatusCode::TOO_MANY_REQUESTS,
        refusal: Refusal::new(
            "login.wait",
            "Too many wrong passwords.",
            format!("Wait {seconds} s, then try again. An administrator can set a new password."),
        ),
        retry_after_seconds: Some(seconds),
        written_as: None,
    })
}

pub async fn log_in(
    State(station): State<Station>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let ask: LogIn = json_of_anyone(body).await?;
    let name = ask.name.trim().to_lowercase();
    let whose = [Whose::Name(name.clone()), Whose::Address(from.ip())];
    may_try(&station, &whose)?;
    let throttle = &station.inner.throttle;
    throttle.tried(&whose, Instant::now());
    let facility = &station.inner.facility;
    let found = facility.readers().read(move |db| Ok(logins::find(db, &name)?)).await.map_err(trouble)?;
    let meant = found.as_ref().map(|login| login.staff);
    let login = fits(Zeroizing::new(ask.password), found).await;
    let roster = facility.roster();
    let person = login.as_ref().and_then(|l| roster.working(l.staff, facility.around().now()));
    let (Some(login), Some(person)) = (&login, person) else {
        failed(&station, meant, from, "name or password").await;
        return Err(wrong());
    };
    if let Some(secret) = &login.factor {
        if ask.code.trim().is_empty() {
            throttle.neither(&whose);
            return Err(code_needed());
        }
        let step = totp::step_of(secret, &ask.code, facility.around().now());
        if !uses_up(&station, person.id, step).await? {
            failed(&station, meant, from, "code").await;
            return Err(code_wrong());
        }
    }
    throttle.right(&whose);
    let first = first_of(login, person);
    facility.audit(Some(person.id), Audit { what: "at the station".into(), ..Audit::of(Act::SignedIn) }).await;
    let before = sessions::key_of(&headers);
    let secret = station.inner.sessions.begin(person.id, first, before, facility.around().bytes());
    tracing::info!(staff = %person.id, "logged in at the station");
    Ok(with_session(&station, person, first, &secret))
}

/// The log-in where the password is its own; takes as long where there is none.
pub async fn fits(password: Zeroizing<String>, login: Option<Login>) -> Option<Login> {
    let work = move || {
        let fits = passwords::fits(&password, login.as_ref().map(|l| l.password.as_str()));
        login.filter(|_| fits)
    };
    tokio::task::spawn_blocking(work).await.ok().flatten()
}

/// False for no code, and for one that was used before. Durable: a restart brings no code back.
pub async fn uses_up(station: &Station, staff: StaffId, step: Option<i64>) -> Result<bool, Refused> {
    let Some(step) = step else { return Ok(false) };
    let used = station.inner.facility.change(None, move |changing| Ok(logins::use_step(changing.db, staff, step)?));
    Ok(used.await?)
}

/// What the person has to do before anything else.
pub fn first_of(login: &Login, person: &Staff) -> Option<First> {
    if login.must_change {
        return Some(First::Password);
    }
    (person.role == Role::Administrator && login.factor.is_none()).then_some(First::Factor)
}

async fn failed(station: &Station, meant: Option<StaffId>, from: SocketAddr, what: &str) {
    tracing::info!("a wrong name, password or code at the station");
    let what = format!("at the station, {what}, from {}", from.ip());
    station.inner.facility.audit(None, Audit { staff: meant, what, ..Audit::of(Act::SignInFailed) }).await;
}

/// The same for a wrong name and a wrong password: nobody learns who works here.
fn wrong() -> Refused {
    refused(Refusal::new(
        "auth.wrong",
        "The name or the password is wrong.",
        "Try again. An administrator can set a new password.",
    ))
}

fn code_needed() -> Refused {
    refused(Refusal::new(
        "auth.code_needed",
        "This log-in has a second factor.",
        "Give the six digits that your authenticator shows now.",
    ))
}

pub fn code_wrong() -> Refused {
    refused(Refusal::new(
        "auth.code_wrong",
        "The code is wrong, or was used before.",
        "Wait for the next code of your authenticator and give that one.",
    ))
}

pub async fn log_out(State(station): State<Station>, Extension(person): Extension<Person>) -> Response {
    station.inner.sessions.end(&person.session);
    let audit = Audit { what: "at the station".into(), ..Audit::of(Act::SignedOut) };
    station.inner.facility.audit(Some(person.staff.id), audit).await;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = sessions::cookie(None) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

pub async fn session(State(station): State<Station>, Extension(person): Extension<Person>) -> Json<StationSession> {
    Json(about(&station, &person.staff, person.first))
}

/// An answer that gives the session's secret.
pub fn with_session(station: &Station, person: &Staff, first: Option<First>, secret: &str) -> Response {
    let mut response = Json(about(station, person, first)).into_response();
    if let Some(cookie) = sessions::cookie(Some(secret)) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

fn about(station: &Station, person: &Staff, first: Option<First>) -> StationSession {
    let roster = station.inner.facility.roster();
    let of_person = roster.wards.iter().filter(|w| person.wards.contains(&w.id));
    StationSession {
        staff: person.id,
        name: person.short(),
        role: person.role,
        facility_name: roster.facility.name.clone(),
        zone: roster.facility.zone.name().to_owned(),
        demo: roster.facility.demo,
        wards: of_person.map(|w| WardRef { id: w.id, name: w.name.clone() }).collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        first,
    }
}
