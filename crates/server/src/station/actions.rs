//! What the station's pages ask for once somebody is logged in: looking and acting. Role and ward were judged before, in
//! [`super::access`].

use super::access::Asked;
use super::login::json;
use super::{Person, Station};
use crate::facility::{Own, trouble};
use crate::http::{Refused, refused};
use crate::store::reach::{self, Reach};
use crate::store::{StoreError, bodies, feed, standing};
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Sse;
use axum::response::sse::Event as Sent;
use chrono::NaiveDate;
use lamplight_domain::ids::{StayId, WardId};
use lamplight_domain::kinds::{Act, Audit, Event};
use lamplight_domain::record::Record;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::station::{OfWard, StationAcknowledge};
use lamplight_domain::time::{HOUR_MS, Now, day_bounds};
use lamplight_domain::views::{PatientDay, SignalLevel};
use lamplight_domain::ward::{self, Viewpoint, WardRecords};
use serde::Deserialize;
use std::convert::Infallible;
use tokio_stream::{Stream, StreamExt, wrappers::WatchStream};

/// Records this long before and after a day still say something about it.
const AROUND_DAY_MS: i64 = 36 * HOUR_MS;

pub async fn live(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    Asked(of): Asked<OfWard>,
) -> Result<Sse<impl Stream<Item = Result<Sent, Infallible>>>, Refused> {
    let boards = WatchStream::new(station.inner.boards.look(of.ward));
    // Logged out, at the end of the shift, or no longer one of the ward's people: the stream ends.
    let still = move || {
        let facility = &station.inner.facility;
        let session = station.inner.sessions.of(&person.session);
        let staff = session.and_then(|(id, _)| facility.roster().working(id, facility.around().now()).cloned());
        staff.is_some_and(|p| p.role == person.staff.role && p.wards.contains(&of.ward))
    };
    let sent = boards
        .take_while(move |_| still())
        .filter_map(|board| board.map(|text| Ok(Sent::default().event("board").data(&*text))));
    Ok(Sse::new(sent))
}

#[derive(Deserialize)]
pub struct OfDay {
    ward: WardId,
    stay: StayId,
    /// Today where it is not given.
    date: Option<NaiveDate>,
}

pub async fn day(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    Asked(of): Asked<OfDay>,
) -> Result<Json<PatientDay>, Refused> {
    let facility = &station.inner.facility;
    let (roster, now) = (facility.roster(), facility.around().now());
    let zone = roster.facility.zone;
    let (from, to) = day_bounds(of.date.unwrap_or_else(|| now.date(zone)), zone);
    let read = move |db: &rusqlite::Connection| {
        let reach = Reach::of(db, of.stay, None)?;
        // A patient who was never on that ward is none of its people's business.
        if !reach.wards.contains(&of.ward) {
            return Ok(Vec::new());
        }
        let stays: Vec<_> = reach.stays.iter().map(|stay| stay.0).collect();
        feed::of_stays(db, &stays, from - AROUND_DAY_MS, to + AROUND_DAY_MS)
    };
    let rows = facility.readers().read(read).await.map_err(trouble)?;
    let made = tokio::task::spawn_blocking(move || {
        let mut records = WardRecords::default();
        for sent in rows {
            let row = sent.row;
            if let Ok(record) = Record::parse(&sent.bytes, row.author, row.seq, Some(row.received_at)) {
                records.take(record);
            }
        }
        ward::day(&records, &roster, of.stay, from, to, Viewpoint::Station, Now::of_wall(now))
    });
    let day = made.await.map_err(|_| trouble(StoreError::NotDone))??;
    if station.inner.sessions.looks_at(&person.session, of.stay) {
        let audit = Audit { stay: Some(of.stay), ward: Some(of.ward), ..Audit::of(Act::Viewed) };
        facility.audit(Some(person.staff.id), audit).await;
    }
    Ok(Json(day))
}

pub async fn acknowledge(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<StatusCode, Refused> {
    let ask: StationAcknowledge = json(body).await?;
    let facility = &station.inner.facility;
    let (of, staff) = (ask.of, person.staff.id);
    let read = move |db: &rusqlite::Connection| {
        Ok((bodies::record(db, of)?, reach::holding(db, of)?, standing::is_claimed_by(db, of, staff)?))
    };
    let (answered, wards, is_claimed) = facility.readers().read(read).await.map_err(trouble)?;
    // A patient's concerns went with them to this ward.
    let Some(answered) = answered.filter(|_| wards.contains(&ask.ward)) else {
        return Err(refused(Refusal::new(
            "record.unknown",
            "The facility server does not hold that entry.",
            "Load the page again and look once more.",
        )));
    };
    let event = match answered.body.event {
        Some(Event::Emergency { .. }) if answered.body.envelope.by.map_or(is_claimed, |by| by == person.staff.id) => {
            return Err(refused(Refusal::new(
                "acknowledge.own",
                "You called for help yourself, so you cannot answer it.",
                "Somebody else has to acknowledge it.",
            )));
        }
        Some(Event::Concern { .. } | Event::Emergency { .. }) => Event::Acknowledged { of, came: None },
        _ => {
            return Err(refused(Refusal::new(
                "entry.not_open",
                "That entry is neither a concern nor an emergency.",
                "Load the page again and look once more.",
            )));
        }
    };
    written(&station, &person, ask.ward, answered.body.envelope.stay, event).await
}

/// What this person did on a ward, as a record of the station.
async fn written(
    station: &Station,
    person: &Person,
    ward: WardId,
    stay: Option<StayId>,
    event: Event,
) -> Result<StatusCode, Refused> {
    station.inner.facility.record(Own { ward, stay, by: Some(person.staff.id), event }).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn verify(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<StatusCode, Refused> {
    let ask: OfWard = json(body).await?;
    written(&station, &person, ask.ward, None, Event::Verified { note: String::new() }).await
}

/// Every station of the ward, not this one alone: it is one signal. It lasts as long as the ward's board says.
pub async fn silence(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<StatusCode, Refused> {
    let ask: OfWard = json(body).await?;
    let looked = station.inner.facility.clone();
    let board = tokio::task::spawn_blocking(move || looked.board(ask.ward));
    let level = board.await.map_err(|_| trouble(StoreError::NotDone))?.signal.level;
    match level {
        SignalLevel::Emergency => Err(refused(Refusal::new(
            "signal.emergency",
            "An emergency that nobody has answered cannot be silenced.",
            "Go there, or send somebody, and acknowledge it.",
        ))),
        SignalLevel::Quiet => {
            Err(refused(Refusal::new("signal.quiet", "The ward's signal does not sound.", "There is nothing to do.")))
        }
        SignalLevel::Overdue | SignalLevel::Urgent => {
            written(&station, &person, ask.ward, None, Event::Silenced { level: Some(level) }).await
        }
    }
}
