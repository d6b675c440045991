//! The door: what a page may know before anybody is known, and the first administrator of a facility.

use super::account::{hashed, words_about};
use super::login::{first_of, json_of_anyone, may_try, with_session};
use super::manage::texts::{login_name, person_text, text};
use super::{Station, passwords, sessions};
use crate::facility::is_unset;
use crate::http::throttle::Whose;
use crate::http::{Refused, refused};
use crate::store::logins::{self, Login};
use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use axum::response::Response;
use lamplight_domain::ids::StaffId;
use lamplight_domain::kinds::{Act, Audit};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{Role, Staff};
use lamplight_domain::station::{Door, SetUp};
use std::net::SocketAddr;
use std::time::Instant;
use zeroize::Zeroizing;

pub async fn door(State(station): State<Station>) -> Json<Door> {
    let roster = station.inner.facility.roster();
    let facility = &roster.facility;
    Json(Door { set_up: is_unset(&roster), demo: facility.demo, facility_name: facility.name.clone() })
}

/// Errors: "set_up.done", "login.wait", "set_up.code", "zone.unknown", "text.…", "login.name", "password.weak".
pub async fn set_up(
    State(station): State<Station>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let ask: SetUp = json_of_anyone(body).await?;
    let (code, password) = (Zeroizing::new(ask.code), Zeroizing::new(ask.password));
    let facility = &station.inner.facility;
    if !is_unset(&facility.roster()) {
        return Err(done_before().into());
    }
    let whose = [Whose::Address(from.ip())];
    may_try(&station, &whose)?;
    station.inner.throttle.tried(&whose, Instant::now());
    if !facility.is_set_up_code(&code) {
        let audit = Audit { what: format!("set-up code, from {}", from.ip()), ..Audit::of(Act::SignInFailed) };
        facility.audit(None, audit).await;
        return Err(refused(Refusal::new(
            "set_up.code",
            "This is not the set-up code.",
            "Take the one that lamplight-server printed when it was started last; a new start makes a new one.",
        )));
    }
    station.inner.throttle.right(&whose);
    let name = text(&ask.facility_name, "The facility's name", 80)?;
    let zone: chrono_tz::Tz = ask.zone.trim().parse().map_err(|_| {
        Refusal::new("zone.unknown", "There is no such time zone.", "Give its IANA name, such as Europe/London.")
    })?;
    let person = Staff {
        id: StaffId(facility.around().uuid()),
        family: person_text(&ask.family, "The family name")?,
        given: person_text(&ask.given, "The given name")?,
        number: text(&ask.number, "The staff number", 24)?,
        role: Role::Administrator,
        wards: Vec::new(),
        active: true,
        until: None,
        pin: None,
    };
    let login = login_name(&ask.login)?;
    passwords::may_be(&password, &words_about(&person, &login))?;
    let kept = hashed(&station, password).await?;
    let (added, named) = (person.clone(), login.clone());
    let set = facility.change(Some(person.id), move |changing| {
        // Two pages may have asked at once.
        if !is_unset(&changing.roster) {
            return Err(done_before().into());
        }
        (changing.roster.facility.name, changing.roster.facility.zone) = (name, zone);
        let audit = Audit { staff: Some(added.id), what: "first administrator".into(), ..Audit::of(Act::SetUp) };
        logins::set(changing.db, &named, added.id, &kept, false)?;
        changing.roster.staff.push(added);
        Ok(changing.audit(audit)?)
    });
    set.await?;
    facility.forget_set_up_code();
    tracing::info!(staff = %person.id, "the facility was set up");
    let login = Login { name: login, staff: person.id, password: String::new(), factor: None, must_change: false };
    let first = first_of(&login, &person);
    let before = sessions::key_of(&headers);
    let secret = station.inner.sessions.begin(person.id, first, before, facility.around().bytes());
    Ok(with_session(&station, &person, first, &secret))
}

fn done_before() -> Refusal {
    Refusal::new("set_up.done", "This facility was set up before.", "Log in; an administrator can add you.")
}
