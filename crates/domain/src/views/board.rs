//! The ward's board: who holds it, what is open on it, its one signal.

use super::Card;
use crate::ids::{RecordId, StaffId, StayId, TabletId, WardId};
use crate::kinds::EmergencyKind;
use crate::time::Ms;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A ward at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct Board {
    pub ward: WardId,
    pub ward_name: String,
    pub facility_name: String,
    /// Invented people: the screen must say so.
    pub demo: bool,
    /// The moment that this board is true for, and the same as "02:47" in the facility's zone.
    pub now: Ms,
    pub clock: String,
    /// "facility tolerance 1 min", to be shown and printed; empty where there is none.
    pub tolerance: String,
    /// None: nobody holds the observations, which is an alarm.
    pub holder: Option<Holder>,
    /// Patients whom this round owes a look, and how many of them it has seen.
    pub round_of: u32,
    pub round_seen: u32,
    /// Cards that are overdue, due, not known; counted from `cards`.
    pub overdue: u32,
    pub due: u32,
    pub not_known: u32,
    /// In walking order.
    pub cards: Vec<Card>,
    /// Whom to look at next; None when nobody is owed a look.
    pub next: Option<StayId>,
    /// Concerns that nobody has acknowledged, oldest first.
    pub concerns: Vec<OpenConcern>,
    /// Emergencies that have not ended, newest first.
    pub emergencies: Vec<OpenEmergency>,
    pub contacts: Vec<Contact>,
    pub verification: Verification,
    /// Does the ward's one signal sound now, and how urgently.
    pub signal: Signal,
}

/// The person who holds the ward's observations now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct Holder {
    pub staff: StaffId,
    /// "M. Okafor"
    pub name: String,
    pub since: Ms,
    pub since_clock: String,
    /// Past the facility's maximum time for one holder.
    pub too_long: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct OpenConcern {
    pub record: RecordId,
    pub stay: Option<StayId>,
    pub bed: String,
    pub at: Ms,
    pub clock: String,
    pub words: String,
    /// "M. Okafor"
    pub by: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct OpenEmergency {
    pub record: RecordId,
    pub what: EmergencyKind,
    /// "Patient not found"
    pub title: String,
    pub stay: Option<StayId>,
    /// "104A", or the place that was given; empty where neither is known.
    pub place: String,
    /// "Garcia, Mateo"; empty where no patient is meant.
    pub name: String,
    /// "02:29 hallway"; empty where never seen.
    pub last_seen: String,
    pub at: Ms,
    pub clock: String,
    /// "M. Okafor"; "not signed in" for help from a locked tablet; "M. Okafor, as they said afterwards" once somebody has
    /// claimed it.
    pub by: String,
    /// Nobody signed it or has claimed it, and whoever is signed in here may say that it was them.
    pub may_claim: bool,
    /// "S. Lindqvist": the named person who took notice; None until then.
    pub acknowledged_by: Option<String>,
    /// False while the tablet that raised it could not write it down: nobody else can have it, and nothing can be
    /// added to it. On the station always true.
    pub recorded: bool,
    /// The facility server has it (receipt), so other screens can show it. On the station always true.
    pub sent: bool,
    /// "This tablet has told nobody: it is offline since 01:52. Use your alarm or shout."
    pub told: String,
    /// The facility's own steps.
    pub steps: Vec<String>,
    /// Others who still need their check while this goes on: "102A in 2 min".
    pub others_due: Vec<String>,
}

/// When a tablet was last in touch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct Contact {
    pub tablet: TabletId,
    /// "W-3"
    pub name: String,
    pub last: Option<Ms>,
    pub last_clock: String,
    /// Silent for more than 60 s, and not revoked.
    pub silent: bool,
    pub revoked: bool,
    /// How many of its own links the server holds.
    pub confirmed: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct Verification {
    pub last_clock: String,
    pub last_by: String,
    pub due_at: Option<Ms>,
    pub due_clock: String,
    pub overdue: bool,
}

/// The ward's one signal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct Signal {
    pub level: SignalLevel,
    /// Rooms (not names) that it is about, most urgent first.
    pub rooms: Vec<String>,
    /// "2 overdue, 1 not known". On a tablet it may say what does not sound there: "observations held for over 2 hours".
    pub words: String,
    /// Silenced until then, on this device or at the ward's station; colours stay.
    pub silenced_until: Option<Ms>,
    /// "Sound silenced 02:47 by S. Lindqvist until 02:49", at the station; else empty.
    pub silenced_by: String,
}

impl Signal {
    /// Of this level, about no room by name, and not silenced.
    pub fn of(level: SignalLevel, words: &str) -> Signal {
        Signal { level, rooms: Vec::new(), words: words.to_owned(), silenced_until: None, silenced_by: String::new() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "views.ts")]
pub enum SignalLevel {
    Quiet,
    /// Somebody is past the limit, for less than half of it.
    Overdue,
    /// Past the limit by half of it or more, or nobody with a patient on a continuous level.
    Urgent,
    Emergency,
}
