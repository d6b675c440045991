//! The facility's lists and settings.

use super::super::login::json;
use super::super::{Person, Station};
use super::texts::{short_text, text};
use super::{seen_by, settings};
use crate::http::Refused;
use crate::store::{StoreError, bodies};
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use lamplight_domain::kinds::{Act, Audit};
use lamplight_domain::level::Level;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{ListItem, Lists, Makes};
use lamplight_domain::station::{Facility, SaveLists, SettingsSetUp};
use std::collections::HashSet;
use std::ops::RangeInclusive;

const ITEMS_MAX: usize = 80;
/// More are not found at a glance; any other is typed in.
const LIMITS_MAX: usize = 8;

/// Every list with what people call it.
fn each(lists: &Lists) -> [(&'static str, &[ListItem]); 10] {
    [
        ("places", &lists.places),
        ("activities", &lists.activities),
        ("precautions", &lists.precautions),
        ("reasons for a check that was not done", &lists.not_done),
        ("affect", &lists.affect),
        ("what was before", &lists.before),
        ("behaviours", &lists.behaviours),
        ("what staff did", &lists.staff_did),
        ("what was then", &lists.then),
        ("who or what was affected", &lists.affected),
    ]
}

/// Errors: "lists.code", "lists.code_twice", "lists.code_in_use", "lists.empty", "lists.too_long", "text.…".
pub async fn save(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<Facility>, Refused> {
    let SaveLists { lists: asked } = json(body).await?;
    for (name, items) in each(&asked) {
        checked(name, items)?;
    }
    for (name, items) in each(&asked).into_iter().take(2) {
        if !items.iter().any(|item| item.makes == Makes::Check) {
            let what = format!("Nothing in the list of {name} makes a check.");
            return Err(Refusal::new("lists.empty", what, "Without it nobody can be checked: add an item.").into());
        }
    }
    let facility = &station.inner.facility;
    let saved = facility.change(Some(person.staff.id), move |changing| {
        let old = changing.roster.lists.clone();
        let mut new = asked;
        new.version = old.version;
        if new == old {
            return Ok(());
        }
        let mut said = Vec::new();
        for ((name, before), (_, after)) in each(&old).into_iter().zip(each(&new)) {
            for gone in before.iter().filter(|item| !after.iter().any(|a| a.code == item.code)) {
                if bodies::uses_code(changing.db, &gone.code.0)? {
                    let what = format!("Entries use \"{}\" of the list of {name}.", gone.label);
                    let next = "Keep it, with another label or not among the common ones.";
                    return Err(Refusal::new("lists.code_in_use", what, next).into());
                }
            }
            if before != after {
                said.push(name);
            }
        }
        new.version += 1;
        let what = format!("version {}: {}", new.version, said.join("; "));
        changing.roster.lists = new;
        Ok(changing.audit(Audit { what, ..Audit::of(Act::ListsChanged) })?)
    });
    saved.await?;
    Ok(Json(seen_by(&station, &person.staff).await?))
}

fn checked(name: &str, items: &[ListItem]) -> Result<(), Refusal> {
    if items.len() > ITEMS_MAX {
        let what = format!("The list of {name} has more than {ITEMS_MAX} items.");
        return Err(Refusal::new("lists.too_long", what, "Nobody finds anything in it: take some out."));
    }
    let mut codes = HashSet::new();
    for item in items {
        let code = &item.code.0;
        let fits =
            (1..=40).contains(&code.len()) && code.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if !fits {
            let what = format!("\"{}\" in the list of {name} has no code that can be kept.", item.label);
            return Err(Refusal::new("lists.code", what, "Give it one of small letters, digits and underscores."));
        }
        if !codes.insert(code) {
            let what = format!("Two items of the list of {name} have the code {code}.");
            return Err(Refusal::new("lists.code_twice", what, "Give each its own."));
        }
        text(&item.label, &format!("A label in the list of {name}"), 40)?;
        short_text(&item.hint, &format!("A hint in the list of {name}"), 60)?;
        text(&item.short, &format!("A short label in the list of {name}"), 4)?;
    }
    Ok(())
}

/// What each number means, and what it may be.
fn ranges(asked: &SettingsSetUp) -> [(&'static str, u32, RangeInclusive<u32>); 6] {
    [
        ("minutes of tolerance", asked.tolerance_minutes.into(), 0..=10),
        ("minutes until levels are old", asked.level_stale_minutes.into(), 5..=1_440),
        ("seconds until an idle tablet locks", asked.idle_lock_seconds, 30..=3_600),
        ("minutes that one person may hold the observations", asked.holder_max_minutes.into(), 15..=720),
        ("minutes between verifications", asked.verification_minutes.into(), 15..=720),
        ("hours of signing in without the server", asked.offline_sign_in_hours.into(), 1..=168),
    ]
}

/// Errors: "settings.limits".
fn may_be_offered(limits: &[u16]) -> Result<(), Refusal> {
    let (least, most) = (Level::LIMIT_MINUTES.start(), Level::LIMIT_MINUTES.end());
    let refuse = |what: String| {
        let next = format!("Give one to {LIMITS_MAX} limits from {least} to {most} minutes, the strictest first.");
        Err(Refusal::new("settings.limits", what, next))
    };
    if let Some(odd) = limits.iter().find(|limit| !Level::LIMIT_MINUTES.contains(limit)) {
        return refuse(format!("A limit of {odd} minutes cannot be ordered."));
    }
    if limits.is_empty() || limits.len() > LIMITS_MAX {
        return refuse(format!("{} limits would be offered to whoever orders a level.", limits.len()));
    }
    match limits.windows(2).find(|two| two[0] >= two[1]) {
        Some(two) => refuse(format!("{} stands before {}.", two[0], two[1])),
        None => Ok(()),
    }
}

/// "5, 15, 30, 60"
fn listed(limits: &[u16]) -> String {
    limits.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

/// Errors: "settings.range", "settings.limits".
pub async fn save_settings(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<Facility>, Refused> {
    let ask: SettingsSetUp = json(body).await?;
    for (what, given, range) in ranges(&ask) {
        if !range.contains(&given) {
            let said = format!("The {what} go from {} to {}.", range.start(), range.end());
            return Err(Refusal::new("settings.range", said, "Give a number in between.").into());
        }
    }
    may_be_offered(&ask.limits_minutes)?;
    let saved = station.inner.facility.change(Some(person.staff.id), move |changing| {
        let before = settings(&changing.roster.settings);
        let changed = ranges(&ask).into_iter().zip(ranges(&before)).filter(|(new, old)| new.1 != old.1);
        let mut said: Vec<String> =
            changed.map(|((what, new, _), (_, old, _))| format!("{what}: {old} to {new}")).collect();
        if ask.limits_minutes != before.limits_minutes {
            let (old, new) = (listed(&before.limits_minutes), listed(&ask.limits_minutes));
            said.push(format!("limits that are offered: {old} to {new} minutes"));
        }
        if said.is_empty() {
            return Ok(());
        }
        let set = &mut changing.roster.settings;
        set.tolerance_minutes = ask.tolerance_minutes;
        set.level_stale_minutes = ask.level_stale_minutes;
        set.limits_minutes = ask.limits_minutes;
        set.idle_lock_seconds = ask.idle_lock_seconds;
        set.holder_max_minutes = ask.holder_max_minutes;
        set.verification_minutes = ask.verification_minutes;
        set.offline_sign_in_hours = ask.offline_sign_in_hours;
        Ok::<(), StoreError>(changing.audit(Audit { what: said.join("; "), ..Audit::of(Act::SettingsChanged) })?)
    });
    saved.await?;
    Ok(Json(seen_by(&station, &person.staff).await?))
}
