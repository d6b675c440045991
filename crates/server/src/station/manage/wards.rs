//! Wards, their beds and the walking order.

use super::super::login::json;
use super::super::{Person, Station};
use super::seen_by;
use super::texts::{short_text, text};
use crate::http::Refused;
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use lamplight_domain::ids::WardId;
use lamplight_domain::kinds::{Act, Audit};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{Bed, Roster, Ward};
use lamplight_domain::station::{Facility, SaveWard};
use lamplight_domain::ward::bed_is_taken;
use std::collections::HashSet;

const WARDS_MAX: usize = 100;
const BEDS_MAX: usize = 200;

/// Errors: "ward.unknown", "ward.name_taken", "ward.too_many", "bed.taken_twice", "bed.too_many", "bed.in_use", "text.…".
pub async fn save(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<Facility>, Refused> {
    let ask: SaveWard = json(body).await?;
    let (name, beds) = (text(&ask.name, "The ward's name", 60)?, checked(&ask.beds)?);
    let facility = &station.inner.facility;
    let (live, fresh) = (facility.live().clone(), WardId(facility.around().uuid()));
    let saved = facility.change(Some(person.staff.id), move |changing| {
        let id = ask.id.unwrap_or(fresh);
        let before = changing.roster.clone();
        let is_named = |w: &&Ward| w.id != id && w.name.to_lowercase() == name.to_lowercase();
        if before.wards.iter().any(|w| is_named(&w)) {
            let what = format!("Another ward is named {name}.");
            return Err(Refusal::new("ward.name_taken", what, "Give this one another name.").into());
        }
        let what = match ask.id {
            None => {
                if before.wards.len() >= WARDS_MAX {
                    return Err(Refusal::new("ward.too_many", "There are too many wards.", "Use one of them.").into());
                }
                changing.roster.wards.push(Ward { id, name, beds: beds.clone() });
                format!("new, {} beds", beds.len())
            }
            Some(_) => {
                let at = before.wards.iter().position(|w| w.id == id).ok_or_else(unknown)?;
                let old = &before.wards[at];
                for gone in old.beds.iter().filter(|b| !beds.iter().any(|new| new.label == b.label)) {
                    // Who is in it, nobody has to know here.
                    if live.ward(id).with(|records| bed_is_taken(records, &before, id, &gone.label, None)) {
                        let what = format!("Somebody is in {}, so it cannot be taken away.", gone.label);
                        let next = "Let a nurse move the patient first, or keep the bed.";
                        return Err(Refusal::new("bed.in_use", what, next).into());
                    }
                }
                let what = difference(old, &name, &beds);
                changing.roster.wards[at] = Ward { id, name, beds: beds.clone() };
                what
            }
        };
        if changing.roster != before {
            changing.audit(Audit { ward: Some(id), what, ..Audit::of(Act::WardChanged) })?;
        }
        Ok(())
    });
    saved.await?;
    Ok(Json(seen_by(&station, &person.staff).await?))
}

fn unknown() -> Refusal {
    Refusal::new("ward.unknown", "There is no such ward.", "Load the page again and choose anew.")
}

fn checked(given: &[Bed]) -> Result<Vec<Bed>, Refusal> {
    if given.len() > BEDS_MAX {
        let what = format!("A ward has {BEDS_MAX} beds at most.");
        return Err(Refusal::new("bed.too_many", what, "Make two wards of it."));
    }
    let (mut beds, mut labels) = (Vec::new(), HashSet::new());
    for bed in given {
        let bed = Bed {
            label: text(&bed.label, "The label of a bed", 12)?,
            room: text(&bed.room, "The room of a bed", 12)?,
            area: short_text(&bed.area, "Where a bed is", 40)?,
        };
        if !labels.insert(bed.label.to_lowercase()) {
            let what = format!("Two beds of the ward are called {}.", bed.label);
            return Err(Refusal::new("bed.taken_twice", what, "Give each its own label, such as 104A and 104B."));
        }
        beds.push(bed);
    }
    Ok(beds)
}

fn difference(old: &Ward, name: &str, beds: &[Bed]) -> String {
    let mut said = Vec::new();
    if old.name != name {
        said.push(format!("name: {} to {name}", old.name));
    }
    let labels = |beds: &[Bed]| beds.iter().map(|b| b.label.clone()).collect::<HashSet<_>>();
    let (before, after) = (labels(&old.beds), labels(beds));
    if before != after {
        said.push(format!("beds: {} to {}", before.len(), after.len()));
    } else if old.beds != beds {
        said.push("walking order, rooms or areas".to_owned());
    }
    said.join("; ")
}

/// Every one of them is a ward of the facility. Errors: "ward.unknown".
pub fn known(roster: &Roster, wards: &[WardId]) -> Result<Vec<WardId>, Refusal> {
    let mut found: Vec<WardId> = Vec::new();
    for ward in wards {
        roster.ward(*ward).ok_or_else(unknown)?;
        if !found.contains(ward) {
            found.push(*ward);
        }
    }
    Ok(found)
}
