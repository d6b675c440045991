//! What somebody does about their own log-in: another password, a second factor. Either turns the session's secret, and the
//! person's other sessions end.

use super::login::{code_wrong, first_of, fits, json, may_try, with_session};
use super::{Person, Station, passwords, totp};
use crate::facility::trouble;
use crate::http::throttle::Whose;
use crate::http::{Refused, refused};
use crate::store::StoreError;
use crate::store::logins::{self, Login};
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::response::Response;
use lamplight_domain::kinds::{Act, Audit};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::Staff;
use lamplight_domain::station::{ChangePassword, FactorBegun, FactorCode};
use qrcode::{EcLevel, QrCode, render::svg};
use std::time::Instant;
use zeroize::Zeroizing;

/// Errors: "login.wait", "auth.wrong", "password.weak", "password.same".
pub async fn password(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Response, Refused> {
    let ask: ChangePassword = json(body).await?;
    let (old, new) = (Zeroizing::new(ask.old), Zeroizing::new(ask.new));
    let login = own(&station, &person.staff).await?;
    let whose = [Whose::Name(login.name.clone())];
    may_try(&station, &whose)?;
    station.inner.throttle.tried(&whose, Instant::now());
    let is_same = *old == *new;
    let Some(login) = fits(old, Some(login)).await else {
        let audit = Audit { what: "old password".into(), ..Audit::of(Act::SignInFailed) };
        station.inner.facility.audit(Some(person.staff.id), audit).await;
        return Err(refused(Refusal::new("auth.wrong", "The old password is wrong.", "Try again.")));
    };
    station.inner.throttle.right(&whose);
    passwords::may_be(&new, &words_about(&person.staff, &login.name))?;
    if is_same {
        let refusal = Refusal::new("password.same", "The new password is the old one.", "Choose another one.");
        return Err(refusal.into());
    }
    let kept = hashed(&station, new).await?;
    let (staff, name) = (person.staff.id, login.name.clone());
    let set = station.inner.facility.change(Some(staff), move |changing| {
        logins::set(changing.db, &name, staff, &kept, false)?;
        Ok(changing.audit(Audit { staff: Some(staff), ..Audit::of(Act::PasswordSet) })?)
    });
    set.await?;
    turned(&station, &person, Login { must_change: false, ..login })
}

/// What a password may not be made of.
pub fn words_about<'a>(person: &'a Staff, login: &'a str) -> [&'a str; 4] {
    [&person.family, &person.given, &person.number, login]
}

/// The hash to keep; takes a blink, off the async threads.
pub async fn hashed(station: &Station, password: Zeroizing<String>) -> Result<String, Refused> {
    let salt = station.inner.facility.around().bytes();
    let hashed = tokio::task::spawn_blocking(move || passwords::hash(&password, salt));
    Ok(hashed.await.map_err(|_| trouble(StoreError::NotDone))?.map_err(trouble)?)
}

/// A new secret, which holds nothing yet.
pub async fn factor_begin(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
) -> Result<Json<FactorBegun>, Refused> {
    let login = own(&station, &person.staff).await?;
    if login.factor.is_some() {
        return Err(refused(Refusal::new(
            "factor.set",
            "You have a second factor already.",
            "Where you have lost it, another administrator can take it away.",
        )));
    }
    let facility = &station.inner.facility;
    let secret = Zeroizing::new(facility.around().bytes::<20>());
    let shown = totp::base32(&secret);
    let name = facility.roster().facility.name.clone();
    let issuer = encoded(&format!("Lamplight {name}"));
    let plain = Zeroizing::new(shown.replace(' ', ""));
    let address = Zeroizing::new(format!(
        "otpauth://totp/{issuer}:{}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
        encoded(&login.name),
        *plain
    ));
    let qr = QrCode::with_error_correction_level(address.as_bytes(), EcLevel::L);
    let qr = qr.map_err(|_| Refusal::new("factor.too_long", "It does not fit a QR code.", "Type the secret in."))?;
    station.inner.sessions.begin_factor(&person.session, secret);
    let qr_svg = qr.render::<svg::Color<'_>>().min_dimensions(320, 320).build();
    Ok(Json(FactorBegun { secret: shown, qr_svg }))
}

/// Errors: "factor.not_begun", "login.wait", "auth.code_wrong".
pub async fn factor_confirm(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Response, Refused> {
    let ask: FactorCode = json(body).await?;
    let Some(secret) = station.inner.sessions.begun_factor(&person.session) else {
        return Err(refused(Refusal::new("factor.not_begun", "No second factor was begun.", "Begin it again.")));
    };
    let login = own(&station, &person.staff).await?;
    let whose = [Whose::Name(login.name.clone())];
    may_try(&station, &whose)?;
    station.inner.throttle.tried(&whose, Instant::now());
    let facility = &station.inner.facility;
    let Some(step) = totp::step_of(&secret, &ask.code, facility.around().now()) else { return Err(code_wrong()) };
    station.inner.throttle.right(&whose);
    let (staff, kept) = (person.staff.id, secret.clone());
    let set = facility.change(Some(staff), move |changing| {
        logins::set_factor(changing.db, staff, Some(&kept), step)?;
        Ok(changing.audit(Audit { staff: Some(staff), what: "set up".into(), ..Audit::of(Act::FactorSet) })?)
    });
    set.await?;
    turned(&station, &person, Login { factor: Some(secret), ..login })
}

async fn own(station: &Station, person: &Staff) -> Result<Login, Refused> {
    let id = person.id;
    let found =
        station.inner.facility.readers().read(move |db| Ok(logins::of_staff(db, id)?)).await.map_err(trouble)?;
    found.ok_or_else(|| {
        refused(Refusal::new("auth.session", "Your log-in was taken away.", "Ask an administrator for a new one."))
    })
}

/// The session goes on under another secret; every other one of the person ends.
fn turned(station: &Station, person: &Person, login: Login) -> Result<Response, Refused> {
    let first = first_of(&login, &person.staff);
    let random = station.inner.facility.around().bytes();
    let secret = station.inner.sessions.rotate(&person.session, first, random);
    let over = || refused(Refusal::new("auth.session", "It is done, but your session is over.", "Log in again."));
    Ok(with_session(station, &person.staff, first, &secret.ok_or_else(over)?))
}

/// For a part of an address.
fn encoded(text: &str) -> String {
    let byte = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(b).to_string(),
        _ => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}
