//! Staff: who is on the list with which role and wards, their PINs for tablets, their log-ins for the station.

use super::super::account::hashed;
use super::super::login::json;
use super::super::{Person, Station, passwords};
use super::seen_by;
use super::texts::{login_name, person_text, text};
use super::wards::known;
use crate::facility::trouble;
use crate::http::Refused;
use crate::pins;
use crate::store::{StoreError, logins};
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use lamplight_domain::ids::StaffId;
use lamplight_domain::kinds::{Act, Audit};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{Role, Roster, Staff};
use lamplight_domain::station::{Facility, OfStaff, SaveStaff, SecretMade, SetLogin};

const STAFF_MAX: usize = 2_000;

/// Errors: "staff.unknown", "staff.number_taken", "staff.self", "staff.last_administrator", "staff.too_many",
/// "ward.unknown", "text.…".
pub async fn save(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<Facility>, Refused> {
    let ask: SaveStaff = json(body).await?;
    let (family, given) = (person_text(&ask.family, "The family name")?, person_text(&ask.given, "The given name")?);
    let number = text(&ask.number, "The staff number", 24)?;
    let facility = &station.inner.facility;
    let (own, fresh) = (person.staff.id, StaffId(facility.around().uuid()));
    let saved = facility.change(Some(own), move |changing| {
        let wards = known(&changing.roster, &ask.wards)?;
        let id = ask.id.unwrap_or(fresh);
        let has_number = |s: &&Staff| s.id != id && s.number.to_lowercase() == number.to_lowercase();
        if changing.roster.staff.iter().any(|s| has_number(&s)) {
            let what = format!("Somebody else has the staff number {number}.");
            return Err(Refusal::new("staff.number_taken", what, "Give this person another one.").into());
        }
        let old = match ask.id {
            Some(id) => Some(changing.roster.person(id).cloned().ok_or_else(unknown)?),
            None => None,
        };
        let new = Staff {
            id,
            family,
            given,
            number,
            role: ask.role,
            wards,
            active: ask.active,
            until: old.as_ref().and_then(|o| o.until),
            pin: old.as_ref().and_then(|o| o.pin.clone()),
        };
        let Some(old) = old else {
            if changing.roster.staff.len() >= STAFF_MAX {
                return Err(Refusal::new("staff.too_many", "The staff list is full.", "Tell whoever keeps it.").into());
            }
            let what = format!("{}, {}", new.role.words(), new.number);
            changing.roster.staff.push(new);
            changing.audit(Audit { staff: Some(id), what, ..Audit::of(Act::StaffAdded) })?;
            return Ok(None);
        };
        if old == new {
            return Ok(None);
        }
        if id == own && (new.role != old.role || !new.active) {
            return Err(yourself("You cannot take yourself off the list, or change your own role.").into());
        }
        let (role_changed, left) = (new.role != old.role, old.active && !new.active);
        let audit =
            Audit { staff: Some(id), what: difference(&changing.roster, &old, &new), ..Audit::of(Act::StaffChanged) };
        changing.roster.staff.iter_mut().filter(|s| s.id == id).for_each(|s| *s = new.clone());
        // Somebody must be able to let others in.
        if !changing.roster.staff.iter().any(is_administrator) {
            return Err(Refusal::new(
                "staff.last_administrator",
                "This is the last administrator.",
                "Make somebody else an administrator first.",
            )
            .into());
        }
        changing.audit(if left { Audit { act: Act::StaffRevoked, ..audit } } else { audit })?;
        Ok((role_changed || left).then_some(id))
    });
    if let Some(changed) = saved.await? {
        station.inner.sessions.end_of(changed);
    }
    Ok(Json(seen_by(&station, &person.staff).await?))
}

fn is_administrator(person: &Staff) -> bool {
    person.role == Role::Administrator && person.active && person.until.is_none()
}

fn difference(roster: &Roster, old: &Staff, new: &Staff) -> String {
    let mut said = Vec::new();
    if (&old.family, &old.given) != (&new.family, &new.given) {
        said.push(format!("name: {} to {}", old.short(), new.short()));
    }
    if old.number != new.number {
        said.push(format!("number: {} to {}", old.number, new.number));
    }
    if old.role != new.role {
        said.push(format!("role: {} to {}", old.role.words(), new.role.words()));
    }
    if old.wards != new.wards {
        let names = |person: &Staff| {
            let names: Vec<&str> = person.wards.iter().filter_map(|w| Some(roster.ward(*w)?.name.as_str())).collect();
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        };
        said.push(format!("wards: {} to {}", names(old), names(new)));
    }
    match (old.active, new.active) {
        (true, false) => said.push("off the list".to_owned()),
        (false, true) => said.push("on the list again".to_owned()),
        _ => {}
    }
    said.join("; ")
}

fn unknown() -> Refusal {
    Refusal::new("staff.unknown", "Nobody on the staff list is meant.", "Load the page again and choose anew.")
}

fn yourself(what: &str) -> Refusal {
    Refusal::new("staff.self", what, "Ask another administrator.")
}

/// A person of the list who may still sign in. Errors: "staff.unknown", "staff.left".
fn working(roster: &Roster, id: StaffId) -> Result<&Staff, Refusal> {
    let person = roster.person(id).ok_or_else(unknown)?;
    if person.active {
        return Ok(person);
    }
    Err(Refusal::new("staff.left", "This person was taken off the list.", "Put them on the list again first."))
}

/// Errors: "staff.unknown", "staff.left".
pub async fn pin(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<SecretMade>, Refused> {
    let OfStaff { staff } = json(body).await?;
    let facility = &station.inner.facility;
    let around = facility.around().clone();
    let made = tokio::task::spawn_blocking(move || {
        let pin = pins::fresh(&around);
        pins::verifier(&pin, around.bytes()).map(|verifier| (pin, verifier))
    });
    let (pin, verifier) = made.await.ok().flatten().ok_or_else(|| trouble(StoreError::NotDone))?;
    let set = facility.change(Some(person.staff.id), move |changing| {
        let name = working(&changing.roster, staff)?.short();
        changing.roster.staff.iter_mut().filter(|s| s.id == staff).for_each(|s| s.pin = Some(verifier.clone()));
        changing.audit(Audit { staff: Some(staff), ..Audit::of(Act::PinSet) })?;
        Ok(name)
    });
    let words = format!("PIN of {} for tablets", set.await?);
    Ok(Json(SecretMade { secret: pin.to_string(), words, facility: seen_by(&station, &person.staff).await? }))
}

/// Errors: "staff.unknown", "staff.left", "staff.self", "login.name", "login.taken".
pub async fn login(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<SecretMade>, Refused> {
    let SetLogin { staff, login } = json(body).await?;
    let (facility, own) = (&station.inner.facility, person.staff.id);
    if staff == own {
        return Err(yourself("You cannot make your own log-in anew, or take it away.").into());
    }
    let made = if login.trim().is_empty() {
        let removed = facility.change(Some(own), move |changing| {
            let name = changing.roster.person(staff).ok_or_else(unknown)?.short();
            if logins::of_staff(changing.db, staff)?.is_some() {
                logins::remove(changing.db, staff)?;
                let what = "log-in taken away".to_owned();
                changing.audit(Audit { staff: Some(staff), what, ..Audit::of(Act::PasswordSet) })?;
            }
            Ok(name)
        });
        (String::new(), format!("{} cannot log in at the station any more", removed.await?))
    } else {
        let login = login_name(&login)?;
        let password = passwords::fresh(facility.around());
        let (kept, named) = (hashed(&station, password.clone()).await?, login.clone());
        let set = facility.change(Some(own), move |changing| {
            let name = working(&changing.roster, staff)?.short();
            if logins::find(changing.db, &named)?.is_some_and(|other| other.staff != staff) {
                let what = format!("Somebody else logs in as {named}.");
                return Err(Refusal::new("login.taken", what, "Choose another name.").into());
            }
            logins::set(changing.db, &named, staff, &kept, true)?;
            let what = format!("first password of {named}");
            changing.audit(Audit { staff: Some(staff), what, ..Audit::of(Act::PasswordSet) })?;
            Ok(name)
        });
        let words = format!("First password of {}, who logs in as {login} and then sets another", set.await?);
        (password.to_string(), words)
    };
    station.inner.sessions.end_of(staff);
    let (secret, words) = made;
    Ok(Json(SecretMade { secret, words, facility: seen_by(&station, &person.staff).await? }))
}

/// Errors: "staff.unknown", "staff.self".
pub async fn factor_drop(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<Facility>, Refused> {
    let OfStaff { staff } = json(body).await?;
    if staff == person.staff.id {
        return Err(yourself("You cannot take your own second factor away.").into());
    }
    let dropped = station.inner.facility.change(Some(person.staff.id), move |changing| {
        changing.roster.person(staff).ok_or_else(unknown)?;
        logins::set_factor(changing.db, staff, None, 0)?;
        let what = "taken away".to_owned();
        Ok(changing.audit(Audit { staff: Some(staff), what, ..Audit::of(Act::FactorSet) })?)
    });
    dropped.await?;
    station.inner.sessions.end_of(staff);
    Ok(Json(seen_by(&station, &person.staff).await?))
}
