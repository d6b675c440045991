//! What is odd about a record, by code. Nothing here stops a record: it is kept, confirmed and shown to a person.

use super::append::Facts;
use super::authors::Author;
use super::standing;
use lamplight_domain::ids::WardId;
use lamplight_domain::kinds::Event;
use lamplight_domain::record::{Auth, Body, Envelope};
use lamplight_domain::roster::{Role, Roster, Staff};
use lamplight_domain::time::{MINUTE_MS, Ms};
use rusqlite::Connection;
use std::collections::HashMap;
use uuid::Uuid;

/// A device's clock may be a little ahead before its times count as future ones.
const FUTURE_MS: i64 = MINUTE_MS;

pub const UNREADABLE: &str = "unreadable";
/// Seen by a ward after the patient had moved to another.
pub const MOVED_STAY: &str = "moved_stay";
/// Two transfers sent the patient to different wards, and neither knew of the other.
pub const TRANSFERS_DISAGREE: &str = "transfers_disagree";
/// An audit record that names a ward or a stay as an entry does: it is of the facility all the same.
pub const AUDIT_OF_WARD: &str = "audit_of_ward";
/// Written by somebody whose access for a time had ended.
pub const ACCESS_ENDED: &str = "access_ended";
/// Two different bodies under one record id: both are kept.
pub const SAME_ID: &str = "same_id";

/// It stands in the facility's own feed, whatever a newer program knows to say in it.
pub fn is_audit(envelope: &Envelope) -> bool {
    envelope.kind == "audit"
}

/// What is known of the stays of one batch: whether they were opened, and when they were closed.
#[derive(Default)]
pub struct Stays(HashMap<Uuid, (bool, Option<Ms>)>);

impl Stays {
    pub fn state(&mut self, db: &Connection, stay: Uuid) -> rusqlite::Result<(bool, Option<Ms>)> {
        if let Some(known) = self.0.get(&stay) {
            return Ok(*known);
        }
        let state = standing::stay_state(db, stay)?;
        self.0.insert(stay, state);
        Ok(state)
    }
}

pub fn codes(
    db: &Connection,
    stays: &mut Stays,
    Facts { facility, roster, .. }: &Facts,
    author: &Author,
    body: Option<&Body>,
    now: Ms,
) -> rusqlite::Result<Vec<&'static str>> {
    let Some(Body { envelope, event }) = body else {
        let mut codes = vec![UNREADABLE];
        codes.extend(of_tablet(roster, author));
        return Ok(codes);
    };
    let mut codes: Vec<&'static str> = of_tablet(roster, author).collect();
    let mut odd = |is: bool, code: &'static str| {
        if is {
            codes.push(code);
        }
    };
    odd(event.is_none(), "unknown_kind");
    odd(envelope.facility != *facility, "other_facility");
    if is_audit(envelope) {
        odd(envelope.ward != WardId::FACILITY || envelope.stay.is_some(), AUDIT_OF_WARD);
    } else {
        odd(roster.ward(envelope.ward).is_none(), "unknown_ward");
        let of_tablet_ward = author.tablet.and_then(|t| roster.tablets.iter().find(|r| r.id == t)).map(|t| t.ward);
        odd(of_tablet_ward.is_some_and(|w| w != envelope.ward), "other_ward");
    }
    odd(envelope.tablet != author.tablet, "other_tablet");
    odd(envelope.observed_at > now + FUTURE_MS || envelope.recorded_at > now + FUTURE_MS, "future_time");
    odd(envelope.observed_at > envelope.recorded_at, "seen_after_written");
    for code in of_person(roster, envelope, event.as_ref()) {
        odd(true, code);
    }
    if let Some(stay) = envelope.stay.filter(|_| !is_audit(envelope)) {
        let (opened, closed) = stays.state(db, stay.0)?;
        let opens = matches!(event, Some(Event::StayOpened(_) | Event::StayProvisional(_)));
        if opens || matches!(event, Some(Event::StayClosed { .. })) {
            // It is another one from here on.
            stays.0.remove(&stay.0);
        }
        odd(!opened && !opens, "unknown_stay");
        odd(closed.is_some_and(|at| at < envelope.observed_at), "closed_stay");
    }
    Ok(codes)
}

fn of_tablet(roster: &Roster, author: &Author) -> impl Iterator<Item = &'static str> {
    let known = author.tablet.map(|t| roster.tablets.iter().find(|r| r.id == t));
    let unknown = matches!(known, Some(None)).then_some("unknown_tablet");
    let revoked = known.flatten().is_some_and(|t| t.revoked).then_some("revoked_tablet");
    unknown.into_iter().chain(revoked)
}

fn of_person(roster: &Roster, envelope: &Envelope, event: Option<&Event>) -> Vec<&'static str> {
    let Some(by) = envelope.by else {
        let mut codes = Vec::new();
        if envelope.auth != Auth::None {
            codes.push("no_person");
        }
        // It closes no gap: whoever saw the patient says so with their name.
        if matches!(event, Some(Event::Check(_))) {
            codes.push("unsigned_check");
        }
        return codes;
    };
    let Some(person) = roster.person(by) else { return vec!["unknown_person"] };
    let mut codes = Vec::new();
    if !person.active {
        codes.push("revoked_person");
    }
    if person.until.is_some_and(|until| until <= envelope.recorded_at) {
        codes.push(ACCESS_ENDED);
    }
    // An administrator sets up every ward.
    let sets_up =
        matches!(event, Some(Event::TabletJoined { .. } | Event::TabletMoved { .. } | Event::TabletRevoked { .. }))
            && person.role == Role::Administrator;
    if !is_audit(envelope) && !sets_up && !person.wards.contains(&envelope.ward) {
        codes.push("person_of_other_ward");
    }
    let for_nurses = matches!(
        event,
        Some(
            Event::StayOpened(_)
                | Event::StayJoined { .. }
                | Event::PatientMerged(_)
                | Event::JoinEnded { .. }
                | Event::StayPlaced { .. }
                | Event::StayClosed { .. }
                | Event::Precautions { .. }
                | Event::Order(_)
                | Event::OrderEnded { .. }
                | Event::PauseStarted(_)
                | Event::PauseEnded { .. }
                | Event::Verified { .. }
        )
    );
    let lets_in = matches!(event, Some(Event::AccessGiven(_)));
    if for_nurses && person.role == Role::Technician || lets_in && !may_let_in(person, envelope.ward) {
        codes.push("beyond_role");
    }
    codes
}

/// Only who answers for the ward lets somebody work on it.
pub fn may_let_in(person: &Staff, ward: WardId) -> bool {
    person.role == Role::ChargeNurse && person.wards.contains(&ward)
}
