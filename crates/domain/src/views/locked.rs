//! The locked screen: rooms and no names.

use super::Signal;
use crate::ids::{RecordId, StaffId};
use crate::kinds::EmergencyKind;
use crate::time::Ms;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a locked tablet may show: rooms, never names, no countdowns, no staff surnames.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct Locked {
    pub ward_name: String,
    pub demo: bool,
    /// The moment that this screen is true for, and the same as "02:47" in the facility's zone.
    pub now: Ms,
    pub clock: String,
    /// "Sunday 22 November"
    pub date: String,
    /// "Room 104A is overdue by 3 minutes"
    pub overdue: Vec<LockedRoom>,
    pub people: Vec<LockedPerson>,
    pub waiting: u64,
    /// Emergencies that this tablet has raised and that have not ended.
    pub emergencies: Vec<LockedEmergency>,
    pub signal: Signal,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct LockedRoom {
    pub bed: String,
    pub words: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct LockedPerson {
    pub staff: StaffId,
    /// Given name only.
    pub given: String,
    /// Told apart by number where two share a given name; else empty.
    pub number: String,
    pub role: String,
    /// "until 07:30" where access is temporary; else empty.
    pub until: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct LockedEmergency {
    pub record: RecordId,
    pub what: EmergencyKind,
    pub title: String,
    pub at: Ms,
    pub acknowledged: bool,
    /// Names no person: "This tablet has told nobody…", "Somebody has answered."
    pub told: String,
    pub steps: Vec<String>,
}
