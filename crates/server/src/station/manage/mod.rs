//! Setting up and changing the facility. Every change and its audit are one transaction; every one answers with the
//! facility as it is then.

pub mod lists;
pub mod staff;
pub mod tablets;
pub mod texts;
pub mod wards;

use super::{Person, Station};
use crate::facility::{FacilityServer, trouble};
use crate::http::Refused;
use crate::store::logins::Login;
use crate::store::{audited, logins};
use axum::Json;
use axum::extract::{Extension, State};
use lamplight_domain::ids::{TabletId, WardId};
use lamplight_domain::kinds::Event;
use lamplight_domain::roster::{Role, Roster, Settings, Staff, Tablet, Ward};
use lamplight_domain::station::{Facility, SettingsSetUp, StaffSetUp, TabletSetUp, WardSetUp};
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{ContactMark, SILENT_AFTER_MS};
use std::collections::HashMap;

pub async fn facility(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
) -> Result<Json<Facility>, Refused> {
    Ok(Json(seen_by(&station, &person.staff).await?))
}

/// The facility as this person is given it: an administrator all of it, a charge nurse what is of their own wards.
pub(super) async fn seen_by(station: &Station, person: &Staff) -> Result<Facility, Refused> {
    let server = station.inner.facility.clone();
    let read = |db: &rusqlite::Connection| Ok((logins::all(db)?, audited::revocations(db)?));
    let (logins, revoked) = server.readers().read(read).await.map_err(trouble)?;
    let reason = |body: lamplight_domain::record::Body| match body.event {
        Some(Event::TabletRevoked { tablet, reason }) => Some((tablet, reason)),
        _ => None,
    };
    // The newest of each comes last.
    let reasons: HashMap<TabletId, String> = revoked.into_iter().filter_map(reason).collect();
    let person = person.clone();
    let made = tokio::task::spawn_blocking(move || view(&server, &person, &logins, &reasons));
    Ok(made.await.map_err(|_| trouble(crate::store::StoreError::NotDone))?)
}

fn view(server: &FacilityServer, person: &Staff, logins: &[Login], reasons: &HashMap<TabletId, String>) -> Facility {
    let (roster, now) = (server.roster(), server.around().now());
    let is_given =
        |wards: &[WardId]| person.role == Role::Administrator || wards.iter().any(|w| person.wards.contains(w));
    let wards = roster.wards.iter().filter(|w| is_given(&[w.id])).map(|w| ward(server, &roster, w)).collect();
    let staff = roster.staff.iter().filter(|s| is_given(&s.wards));
    let staff = staff.map(|s| member(&roster, s, logins.iter().find(|l| l.staff == s.id), now)).collect();
    let mut marks: HashMap<TabletId, ContactMark> = HashMap::new();
    for ward in &roster.wards {
        marks.extend(server.contact_marks(ward.id).into_iter().map(|mark| (mark.tablet, mark)));
    }
    let tablets = roster.tablets.iter().filter(|t| is_given(&[t.ward]));
    let tablets = tablets.map(|t| tablet(&roster, t, marks.get(&t.id), reasons.get(&t.id), now)).collect();
    Facility {
        name: roster.facility.name.clone(),
        zone: roster.facility.zone.name().to_owned(),
        demo: roster.facility.demo,
        version: roster.version,
        wards,
        staff,
        tablets,
        lists: roster.lists.clone(),
        settings: settings(&roster.settings),
    }
}

fn ward(server: &FacilityServer, roster: &Roster, ward: &Ward) -> WardSetUp {
    let patients = server.live().ward(ward.id).with(|records| records.open_stays(roster, ward.id).len());
    WardSetUp { id: ward.id, name: ward.name.clone(), beds: ward.beds.clone(), patients: patients as u32 }
}

fn member(roster: &Roster, person: &Staff, login: Option<&Login>, now: Ms) -> StaffSetUp {
    let until = |until: Ms| {
        let word = if until <= now { "ended" } else { "until" };
        format!("{word} {}", clock(until, now, roster))
    };
    StaffSetUp {
        id: person.id,
        family: person.family.clone(),
        given: person.given.clone(),
        number: person.number.clone(),
        role: person.role,
        wards: person.wards.clone(),
        active: person.active,
        until_words: person.until.map(until).unwrap_or_default(),
        has_pin: person.pin.is_some(),
        login: login.map(|l| l.name.clone()).unwrap_or_default(),
        has_factor: login.is_some_and(|l| l.factor.is_some()),
    }
}

fn tablet(
    roster: &Roster,
    tablet: &Tablet,
    mark: Option<&ContactMark>,
    reason: Option<&String>,
    now: Ms,
) -> TabletSetUp {
    let last = mark.and_then(|m| m.last);
    let silent = !tablet.revoked && last.is_none_or(|last| now - last > SILENT_AFTER_MS);
    let contact = match (tablet.revoked, last) {
        (true, _) => match reason {
            Some(reason) => format!("taken out of use: {reason}"),
            None => "taken out of use".to_owned(),
        },
        (false, None) => "never heard".to_owned(),
        (false, Some(last)) if silent => format!("silent since {}", clock(last, now, roster)),
        (false, Some(_)) => "in touch".to_owned(),
    };
    let confirmed = mark.map_or(0, |m| m.confirmed);
    TabletSetUp {
        id: tablet.id,
        name: tablet.name.clone(),
        ward: tablet.ward,
        revoked: tablet.revoked,
        contact,
        silent,
        last_known: if confirmed == 0 { String::new() } else { format!("last number known: {}", grouped(confirmed)) },
    }
}

/// "1,204"
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "07:30" today, "26 Nov 07:30" on another day.
fn clock(at: Ms, now: Ms, roster: &Roster) -> String {
    let zone = roster.facility.zone;
    if at.date(zone) == now.date(zone) {
        return at.clock(zone);
    }
    at.utc().with_timezone(&zone).format("%-d %b %H:%M").to_string()
}

pub(super) fn settings(settings: &Settings) -> SettingsSetUp {
    SettingsSetUp {
        tolerance_minutes: settings.tolerance_minutes,
        level_stale_minutes: settings.level_stale_minutes,
        limits_minutes: settings.limits_minutes.clone(),
        idle_lock_seconds: settings.idle_lock_seconds,
        holder_max_minutes: settings.holder_max_minutes,
        verification_minutes: settings.verification_minutes,
        offline_sign_in_hours: settings.offline_sign_in_hours,
    }
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1_204, "1,204"), (1_000_000, "1,000,000")] {
            assert_eq!(grouped(number), text);
        }
    }
}
