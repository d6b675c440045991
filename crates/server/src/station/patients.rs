//! Patients by hand, where no hospital system feeds the census: admitted, put under a level, paused, back, discharged.

use super::access::Asked;
use super::census::{here, write};
use super::login::json;
use super::manage::texts::{short_text, text};
use super::{Person, Station};
use crate::facility::Own;
use crate::http::Refused;
use crate::store::bodies;
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use chrono::NaiveDate;
use lamplight_domain::commands::BedChoice;
use lamplight_domain::ids::{PatientId, RecordId, StayId, WardId};
use lamplight_domain::kinds::{Code, Event, Order, Pause, StayOpened};
use lamplight_domain::level::Level;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::station::{
    Choice, OfWard, PatientChoices, StationAdmit, StationBack, StationDischarge, StationDone, StationOrder,
    StationPause, StationPrecautions,
};
use lamplight_domain::time::Now;
use lamplight_domain::ward::{bed_is_taken, bed_of, orders_in_force, pause_in_force};

/// Nobody is older.
const BORN_FIRST_YEAR: i32 = 1890;
const WORDS_MAX: usize = 400;

pub async fn choices(State(station): State<Station>, Asked(of): Asked<OfWard>) -> Json<PatientChoices> {
    let facility = &station.inner.facility;
    let roster = facility.roster();
    let choice =
        |item: &lamplight_domain::roster::ListItem| Choice { code: item.code.clone(), label: item.label.clone() };
    let live = facility.live().ward(of.ward);
    let beds = roster.ward(of.ward).map_or(&[][..], |ward| &ward.beds).iter();
    let beds = live.with(|records| {
        let taken = |bed: &str| bed_is_taken(records, &roster, of.ward, bed, None);
        beds.map(|b| BedChoice { bed: b.label.clone(), taken: taken(&b.label) }).collect()
    });
    Json(PatientChoices {
        precautions: roster.lists.precautions.iter().map(choice).collect(),
        limits: roster.settings.limits_minutes.clone(),
        limit_max: *Level::LIMIT_MINUTES.end(),
        beds,
    })
}

/// Errors: "bed.unknown", "admit.born", "admit.number_in_use", "text.…".
pub async fn admit(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<StationDone>, Refused> {
    let ask: StationAdmit = json(body).await?;
    let (ward, bed) = (ask.ward, ask.bed.clone());
    let opened = StayOpened {
        patient: PatientId(station.inner.facility.around().uuid()),
        mrn: text(&ask.mrn, "The patient's number", 40)?,
        family: text(&ask.family, "The family name", 80)?,
        given: text(&ask.given, "The given name", 80)?,
        born: ask.born,
    };
    let facility = &station.inner.facility;
    let (live, stay) = (facility.live().clone(), StayId(facility.around().uuid()));
    let admitted = facility.change(Some(person.staff.id), move |changing| {
        let roster = changing.roster.clone();
        may_be_born(opened.born, changing.now.date(roster.facility.zone))?;
        if !roster.ward(ward).is_some_and(|w| w.beds.iter().any(|b| b.label == bed)) {
            return Err(bed_unknown().into());
        }
        for other in &roster.wards {
            let bed = live.ward(other.id).with(|records| {
                let has = |stay: &StayId| {
                    records.admitted(*stay).is_some_and(|o| o.mrn.trim().eq_ignore_ascii_case(&opened.mrn))
                };
                let found = records.open_stays(&roster, other.id).into_iter().find(has)?;
                Some(bed_of(records, found).unwrap_or("no bed").to_owned())
            });
            if let Some(bed) = bed {
                // Where, never who: whoever may see the patient looks there.
                return Err(Refusal::new(
                    "admit.number_in_use",
                    format!("A patient with this number is here already: {bed} on {}.", other.name),
                    "Look whether it is the same person; else check the number.",
                )
                .into());
            }
        }
        let patient = bodies::patient_of(changing.db, &opened.mrn)?.unwrap_or(opened.patient);
        let is_taken = live.ward(ward).with(|records| bed_is_taken(records, &roster, ward, &bed, None));
        let notice =
            if is_taken { format!("Somebody else is in {bed} too, as the census has it.") } else { String::new() };
        let record = changing.record_of(ward, Some(stay), Event::StayOpened(StayOpened { patient, ..opened }))?;
        changing.record_of(ward, Some(stay), Event::StayPlaced { bed, from: None })?;
        Ok(StationDone { record, notice })
    });
    Ok(Json(admitted.await?))
}

fn bed_unknown() -> Refusal {
    Refusal::new("bed.unknown", "The ward has no such bed.", "Load the page again and choose anew.")
}

fn may_be_born(born: NaiveDate, today: NaiveDate) -> Result<(), Refusal> {
    use chrono::Datelike;
    if born <= today && born.year() >= BORN_FIRST_YEAR {
        return Ok(());
    }
    Err(Refusal::new("admit.born", "Nobody was born on that day.", "Check the date of birth."))
}

/// Errors: "order.limit", "order.ratio", "order.until", "stay.unknown", "text.…".
pub async fn order(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<StationDone>, Refused> {
    let ask: StationOrder = json(body).await?;
    let now = station.inner.facility.around().now();
    may_be_ordered(&ask.level)?;
    if ask.until.is_some_and(|until| until <= now) {
        let refusal =
            Refusal::new("order.until", "The order would end before it begins.", "Give a later time, or none.");
        return Err(refusal.into());
    }
    let (stay, ward) = here(&station, ask.ward, ask.stay)?;
    let roster = station.inner.facility.roster();
    let live = station.inner.facility.live().ward(ask.ward);
    let replaces = live.with(|records| orders_in_force(records, &roster, stay, Now::of_wall(now)));
    let order = Order {
        level: ask.level,
        ordered_by: text(&ask.ordered_by, "Who ordered it", 80)?,
        reason: text(&ask.reason, "The reason", WORDS_MAX)?,
        until: ask.until,
        replaces,
    };
    let own = Own { ward, stay: Some(stay), by: None, event: Event::Order(order) };
    Ok(Json(write(&station, &person, ask.ward, own).await?))
}

fn may_be_ordered(level: &Level) -> Result<(), Refusal> {
    match level {
        Level::Intermittent { limit_minutes } if !Level::LIMIT_MINUTES.contains(limit_minutes) => {
            let (least, most) = (Level::LIMIT_MINUTES.start(), Level::LIMIT_MINUTES.end());
            let what = format!("A limit goes from {least} to {most} minutes, and {limit_minutes} was given.");
            Err(Refusal::new("order.limit", what, "Give the minutes of the order."))
        }
        Level::Intermittent { .. } => Ok(()),
        Level::Continuous(level) => {
            if ![level.ratio.0, level.ratio.1].iter().all(|n| (1..=4).contains(n)) {
                return Err(Refusal::new(
                    "order.ratio",
                    "A ratio is of one to four to one to four.",
                    "Give it as ordered.",
                ));
            }
            for words in [&level.bathroom, &level.sleep].into_iter().flatten() {
                short_text(words, "What holds in the bathroom or asleep", WORDS_MAX)?;
            }
            Ok(())
        }
    }
}

/// Errors: "precautions.unknown", "stay.unknown".
pub async fn precautions(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<StationDone>, Refused> {
    let ask: StationPrecautions = json(body).await?;
    let roster = station.inner.facility.roster();
    let mut codes: Vec<Code> = Vec::new();
    for code in ask.codes {
        if !roster.lists.precautions.iter().any(|item| item.code == code) {
            let next = "Load the page again and choose anew.";
            return Err(Refusal::new("precautions.unknown", "The facility's list has no such precaution.", next).into());
        }
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    let (stay, ward) = here(&station, ask.ward, ask.stay)?;
    let own = Own { ward, stay: Some(stay), by: None, event: Event::Precautions { codes } };
    Ok(Json(write(&station, &person, ask.ward, own).await?))
}

/// Errors: "pause.return_by", "pause.already", "stay.unknown", "text.…".
pub async fn pause(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<StationDone>, Refused> {
    let ask: StationPause = json(body).await?;
    if ask.return_by <= station.inner.facility.around().now() {
        let refusal =
            Refusal::new("pause.return_by", "That time of return is past.", "Give when the patient is due back.");
        return Err(refusal.into());
    }
    let escort = text(&ask.escort, "Who is with the patient", 80)?;
    let (stay, ward) = here(&station, ask.ward, ask.stay)?;
    if paused(&station, ask.ward, stay).is_some() {
        let what = "The patient is away already.";
        return Err(Refusal::new("pause.already", what, "Say that they are back first, then pause anew.").into());
    }
    let event = Event::PauseStarted(Pause { reason: ask.reason, escort, return_by: ask.return_by });
    Ok(Json(write(&station, &person, ask.ward, Own { ward, stay: Some(stay), by: None, event }).await?))
}

/// Errors: "pause.none", "stay.unknown".
pub async fn back(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<StationDone>, Refused> {
    let ask: StationBack = json(body).await?;
    let (stay, ward) = here(&station, ask.ward, ask.stay)?;
    let Some(of) = paused(&station, ask.ward, stay) else {
        return Err(Refusal::new("pause.none", "The patient is not away.", "Load the page again and look.").into());
    };
    let own = Own { ward, stay: Some(stay), by: None, event: Event::PauseEnded { of } };
    Ok(Json(write(&station, &person, ask.ward, own).await?))
}

fn paused(station: &Station, ward: WardId, stay: StayId) -> Option<RecordId> {
    let facility = &station.inner.facility;
    let (roster, now) = (facility.roster(), facility.around().now());
    facility.live().ward(ward).with(|records| pause_in_force(records, &roster, stay, Now::of_wall(now)))
}

/// Errors: "stay.closed", "stay.unknown", "text.…".
pub async fn discharge(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<StationDone>, Refused> {
    let ask: StationDischarge = json(body).await?;
    let reason = text(&ask.reason, "The reason", 200)?;
    let (stay, ward) = here(&station, ask.ward, ask.stay)?;
    let roster = station.inner.facility.roster();
    let live = station.inner.facility.live().ward(ask.ward);
    if live.with(|records| !records.open_stays(&roster, ward).contains(&stay)) {
        return Err(Refusal::new("stay.closed", "The patient has left already.", "There is nothing left to do.").into());
    }
    let own = Own { ward, stay: Some(stay), by: None, event: Event::StayClosed { reason } };
    Ok(Json(write(&station, &person, ask.ward, own).await?))
}
