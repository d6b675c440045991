//! What a nurse's next order or return is about: what holds for a stay now.

use super::look::Look;
use super::may::NOBODY;
use super::records::WardRecords;
use crate::ids::{RecordId, StayId};
use crate::roster::Roster;
use crate::time::Now;

/// The orders that hold now: a new one takes the place of all of them. Empty for a stay that is not known.
pub fn orders_in_force(records: &WardRecords, roster: &Roster, stay: StayId, now: Now) -> Vec<RecordId> {
    let look = Look::new(records, roster, NOBODY, now);
    let Some(patient) = records.patient(records.resolved(stay)) else { return Vec::new() };
    let line = records.timeline(&patient, roster, look.frame);
    let holds = |from, to: Option<_>| from <= look.now() && to.is_none_or(|to| to > look.now());
    line.orders.iter().filter(|o| holds(o.from, o.to) && !o.is_provisional()).map(|o| o.record.id()).collect()
}

/// The confirmed absence that holds now. None where the patient is here, or is not known.
pub fn pause_in_force(records: &WardRecords, roster: &Roster, stay: StayId, now: Now) -> Option<RecordId> {
    let look = Look::new(records, roster, NOBODY, now);
    let patient = records.patient(records.resolved(stay))?;
    let line = records.timeline(&patient, roster, look.frame);
    line.at(look.now()).pause.map(|pause| pause.record.id())
}

/// The bed of a stay, as the census has it. None where it gives none, or the stay is not known.
pub fn bed_of(records: &WardRecords, stay: StayId) -> Option<&str> {
    records.patient(records.resolved(stay))?.bed
}
