//! Logging in and out, and who one is.

use super::throttle::Whose;
use super::{Person, Station, passwords, sessions};
use crate::facility::trouble;
use crate::http::{Refused, bodies, refused};
use crate::store::logins;
use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::Staff;
use lamplight_domain::station::{LogIn, StationSession, WardRef};
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Of any question that the station's pages ask.
const ASK_MAX_BYTES: usize = 8 * 1024;

/// A question fits one packet: whoever takes longer holds a connection for nothing.
const ASK_ARRIVAL: Duration = Duration::from_secs(10);

/// Reads a question. Errors: "request.too_big", "request.slow", "request.cut_short", "request.not_json".
pub async fn json<T: DeserializeOwned>(body: Body) -> Result<T, Refused> {
    let bytes = bodies::read_within(body, ASK_MAX_BYTES, ASK_ARRIVAL).await.map_err(|refused| Refused {
        // What to do is another thing than for a tablet.
        refusal: Refusal { next: "Load the page again.".into(), ..refused.refusal },
        ..refused
    })?;
    serde_json::from_slice(&bytes).map_err(|_| {
        Refusal::new("request.not_json", "The question is not what was expected.", "Load the page again.").into()
    })
}

pub async fn log_in(
    State(station): State<Station>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let ask: LogIn = json(body).await?;
    let name = ask.name.trim().to_lowercase();
    let whose = [Whose::Name(name.clone()), Whose::Address(from.ip())];
    let throttle = &station.inner.throttle;
    if let Some(wait) = throttle.wait(&whose, Instant::now()) {
        let seconds = wait.as_secs().max(1);
        return Err(Refused {
            status: StatusCode::TOO_MANY_REQUESTS,
            refusal: Refusal::new(
                "login.wait",
                "Too many wrong passwords.",
                format!("Wait {seconds} s, then try again. An administrator can set a new password."),
            ),
            retry_after_seconds: Some(seconds),
        });
    }
    throttle.tried(&whose, Instant::now());
    let facility = &station.inner.facility;
    let found = facility.readers().read(move |db| Ok(logins::find(db, &name)?)).await.map_err(trouble)?;
    let password = zeroize::Zeroizing::new(ask.password);
    let fits = tokio::task::spawn_blocking(move || {
        let fits = passwords::fits(&password, found.as_ref().map(|(_, kept)| kept.as_str()));
        found.filter(|_| fits).map(|(staff, _)| staff)
    });
    let staff = fits.await.ok().flatten();
    let roster = facility.roster();
    let Some(person) = staff.and_then(|s| roster.person(s)).filter(|p| p.active) else {
        tracing::info!("a wrong name or password at the station");
        return Err(wrong());
    };
    throttle.right(&whose);
    let secret = station.inner.sessions.begin(person.id, sessions::key_of(&headers), facility.around().bytes());
    tracing::info!(staff = %person.id, "logged in at the station");
    let mut response = Json(about(&station, person)).into_response();
    if let Some(cookie) = sessions::cookie(Some(&secret)) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The same for a wrong name and a wrong password: nobody learns who works here.
fn wrong() -> Refused {
    refused(Refusal::new(
        "auth.wrong",
        "The name or the password is wrong.",
        "Try again. An administrator can set a new password.",
    ))
}

pub async fn log_out(State(station): State<Station>, Extension(person): Extension<Person>) -> Response {
    station.inner.sessions.end(&person.session);
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = sessions::cookie(None) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

pub async fn session(State(station): State<Station>, Extension(person): Extension<Person>) -> Json<StationSession> {
    Json(about(&station, &person.staff))
}

fn about(station: &Station, person: &Staff) -> StationSession {
    let roster = station.inner.facility.roster();
    let of_person = roster.wards.iter().filter(|w| person.wards.contains(&w.id));
    StationSession {
        staff: person.id,
        name: person.short(),
        role: person.role,
        facility_name: roster.facility.name.clone(),
        demo: roster.facility.demo,
        wards: of_person.map(|w| WardRef { id: w.id, name: w.name.clone() }).collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        first: None,
    }
}
