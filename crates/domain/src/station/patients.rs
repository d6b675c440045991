//! What a nurse does to patients by hand where no hospital system feeds the census. Every answer is a
//! [`super::StationDone`].

use crate::ids::{StayId, WardId};
use crate::kinds::{Code, PauseReason};
use crate::level::Level;
use crate::time::Ms;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A patient comes onto a ward. A check is due at once, and a level has to be ordered. Prints as `***`.
#[derive(Clone, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct StationAdmit {
    pub ward: WardId,
    /// The hospital's number of the patient.
    pub mrn: String,
    pub family: String,
    pub given: String,
    /// "1991-03-12"
    #[ts(type = "string")]
    pub born: NaiveDate,
    pub bed: String,
}

impl std::fmt::Debug for StationAdmit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StationAdmit(***)")
    }
}

/// An order that takes the place of every order in force.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct StationOrder {
    pub ward: WardId,
    pub stay: StayId,
    pub level: Level,
    /// As written in the order: "Dr A. Patel".
    pub ordered_by: String,
    pub reason: String,
    pub until: Option<Ms>,
}

/// All precautions that hold from now on.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct StationPrecautions {
    pub ward: WardId,
    pub stay: StayId,
    pub codes: Vec<Code>,
}

/// The patient is away, confirmed by a nurse: the clock stops until then.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct StationPause {
    pub ward: WardId,
    pub stay: StayId,
    pub reason: PauseReason,
    pub escort: String,
    pub return_by: Ms,
}

/// The patient is back on the ward; a check is due at once.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct StationBack {
    pub ward: WardId,
    pub stay: StayId,
}

/// The patient leaves the hospital.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct StationDischarge {
    pub ward: WardId,
    pub stay: StayId,
    pub reason: String,
}

/// What the forms of a ward's patients offer to choose from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct PatientChoices {
    pub precautions: Vec<Choice>,
    /// Limits in minutes that the facility orders, strictest first.
    pub limits: Vec<u16>,
    /// The longest limit that can be ordered, in minutes.
    pub limit_max: u16,
    /// The ward's beds in walking order, and whether the census has somebody in them.
    pub beds: Vec<crate::commands::BedChoice>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct Choice {
    pub code: Code,
    pub label: String,
}
