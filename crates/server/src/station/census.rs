//! What a nurse does to the census at the station: another bed or ward, two stays that are one, two patients who are one
//! person, and taking either back.

use super::login::json;
use super::{Person, Station};
use crate::facility::Own;
use crate::http::Refused;
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use lamplight_domain::ids::{StayId, WardId};
use lamplight_domain::kinds::{Event, PatientMerged, StayOpened};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::station::{StationDone, StationJoin, StationPart, StationPlace, WardBeds};
use lamplight_domain::ward::bed_is_taken;

/// All of them: a patient may go to a ward that is not the nurse's own.
pub async fn wards(State(station): State<Station>) -> Json<Vec<WardBeds>> {
    let roster = station.inner.facility.roster();
    let beds = |w: &lamplight_domain::roster::Ward| w.beds.iter().map(|b| b.label.clone()).collect();
    Json(roster.wards.iter().map(|w| WardBeds { id: w.id, name: w.name.clone(), beds: beds(w) }).collect())
}

/// Errors: "stay.unknown", "ward.unknown", "bed.unknown".
pub async fn place(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<StationDone>, Refused> {
    let ask: StationPlace = json(body).await?;
    let facility = &station.inner.facility;
    let roster = facility.roster();
    let anew = "Load the page again and choose anew.";
    let Some(to) = roster.ward(ask.to) else {
        return Err(Refusal::new("ward.unknown", "There is no such ward.", anew).into());
    };
    if !to.beds.iter().any(|b| b.label == ask.bed) {
        return Err(Refusal::new("bed.unknown", "The ward has no such bed.", anew).into());
    }
    let (stay, from) = here(&station, ask.ward, ask.stay)?;
    let from = Some(from).filter(|left| *left != ask.to);
    let event = Event::StayPlaced { bed: ask.bed.clone(), from };
    let mut done = write(&station, &person, ask.ward, Own { ward: ask.to, stay: Some(stay), by: None, event }).await?;
    // Who is in the bed there, only the other ward knows.
    let is_taken = |records: &_| bed_is_taken(records, &roster, ask.to, &ask.bed, Some(stay));
    if from.is_some() && facility.live().ward(ask.to).with(is_taken) {
        done.notice = format!("Somebody else is in {} too, as the census has it.", ask.bed);
    }
    Ok(Json(done))
}

/// Errors: "stay.unknown", "stays.same", "stays.closed", "stays.direction".
pub async fn join(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<StationDone>, Refused> {
    let ask: StationJoin = json(body).await?;
    let ((stay, _), (into, _)) = (here(&station, ask.ward, ask.stay)?, here(&station, ask.ward, ask.into)?);
    let own = Own { ward: ask.ward, stay: Some(stay), by: None, event: Event::StayJoined { into } };
    Ok(Json(write(&station, &person, ask.ward, own).await?))
}

/// Errors: "stay.unknown", "merge.patient", "stays.same".
pub async fn merge(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<StationDone>, Refused> {
    let ask: StationJoin = json(body).await?;
    let ((stay, _), (with, _)) = (here(&station, ask.ward, ask.stay)?, here(&station, ask.ward, ask.into)?);
    let live = station.inner.facility.live().ward(ask.ward);
    let admitted = |stay: StayId| live.with(|records| records.admitted(stay).cloned());
    let (Some(other), Some(kept)) = (admitted(stay), admitted(with)) else {
        return Err(Refusal::new(
            "merge.patient",
            "Only patients of the census can be noted as one person.",
            "Join a provisional stay to the real one instead.",
        )
        .into());
    };
    let StayOpened { patient, mrn, .. } = other;
    let merged = PatientMerged { patient, mrn, into: kept.patient, into_mrn: kept.mrn, with };
    let own = Own { ward: ask.ward, stay: Some(stay), by: None, event: Event::PatientMerged(merged) };
    Ok(Json(write(&station, &person, ask.ward, own).await?))
}

/// Errors: "stay.unknown", "record.unknown", "stays.parted".
pub async fn part(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<StationDone>, Refused> {
    let ask: StationPart = json(body).await?;
    here(&station, ask.ward, ask.stay)?;
    let live = station.inner.facility.live().ward(ask.ward);
    // It stands with the stay that was joined, not with the one whose day the nurse looks at.
    let stay = live.with(|records| records.held(ask.of).first().and_then(|r| r.body.envelope.stay));
    let event = Event::JoinEnded { of: ask.of, reason: ask.reason };
    let own = Own { ward: ask.ward, stay: stay.or(Some(ask.stay)), by: None, event };
    Ok(Json(write(&station, &person, ask.ward, own).await?))
}

/// The stay as it is read on the ward's board, and the ward on which the patient is. Errors: "stay.unknown".
pub(super) fn here(station: &Station, ward: WardId, stay: StayId) -> Result<(StayId, WardId), Refused> {
    let live = station.inner.facility.live().ward(ward);
    let found = live.with(|records| records.ward_of(stay).map(|on| (records.resolved(stay), on)));
    found.ok_or_else(|| {
        Refusal::new(
            "stay.unknown",
            "This patient is not known on this ward.",
            "Load the page again; the board has the newest list.",
        )
        .into()
    })
}

pub(super) async fn write(station: &Station, person: &Person, of: WardId, own: Own) -> Result<StationDone, Refused> {
    let own = Own { by: Some(person.staff.id), ..own };
    let (record, notice) = station.inner.facility.record_on(of, own).await?;
    Ok(StationDone { record, notice })
}
