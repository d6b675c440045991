//! A patient's card and the strip of true times on it.

use crate::ids::{RecordId, StayId};
use crate::time::Ms;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One patient on a board.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct Card {
    pub stay: StayId,
    /// "104A"; "no bed" where the census gives none.
    pub bed: String,
    pub room: String,
    pub area: String,
    /// "Garcia, Mateo"
    pub name: String,
    /// Another patient of the ward has a name that is easily taken for this one.
    pub similar_name: bool,
    /// "Q15", "1:1", "Leave", "ED"; "no level" where no order holds (shown loudly).
    pub level: String,
    /// Continuous, or a limit under ten minutes.
    pub level_close: bool,
    /// A raised or new level that no technician has acknowledged yet.
    pub level_unacknowledged: Option<RecordId>,
    /// "level as of 01:52", only where it is older than the facility allows; else empty.
    pub level_as_of: String,
    /// Two orders hold at once; the strictest counts.
    pub level_conflict: bool,
    /// Nobody has joined it to a stay of the census yet.
    pub provisional: bool,
    /// What the census leaves open: "provisional, Q15 until ordered", "also sent to Oak Ward at 10:40: look where the
    /// patient is", "same person as 104A"; else empty.
    pub census: String,
    /// Labels, most serious first, never cut off.
    pub precautions: Vec<String>,
    pub last_seen: Option<LastSeen>,
    /// "02:41 Bedroom · breathing seen", or who is with the patient, or where the patient is.
    pub line: String,
    pub state: CardState,
    /// "9 min left", "due in 2 min", "overdue 3 min", "no check known for 18 min"; within a facility's tolerance "past
    /// the limit by 1 min".
    pub words: String,
    /// When the limit runs out; None where no clock runs.
    pub due_at: Option<Ms>,
    /// Share of the limit that is left, 0 to 100; 0 when late.
    pub left_percent: u8,
    /// Sorts "most urgent": smaller is more urgent.
    pub urgency: i64,
    /// Latest not-done, heard only or can't tell since the last check: "not done 03:15: emergency"; else empty.
    pub tried: String,
    /// Two not-done in a row.
    pub not_done_twice: bool,
    /// The last check is within a minute of another tablet's: "also checked 14:02 by JR"; else empty.
    pub also: String,
    /// Room for a day's strip on the station: each check at its true time, last four hours.
    pub strip: Vec<StripMark>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct LastSeen {
    pub record: RecordId,
    pub at: Ms,
    pub clock: String,
    /// "Bedroom · breathing seen"
    pub words: String,
    /// "MO"
    pub by: String,
}

/// Colour, shape and word go by this; the words are in [`Card::words`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "views.ts")]
pub enum CardState {
    /// Within the first two thirds of the limit.
    Ok,
    /// The last third of the limit.
    Due,
    /// Past the limit.
    Overdue,
    /// Past the limit while a tablet of the ward is out of touch: alarms and escalates exactly like overdue.
    NotKnown,
    /// Continuous level with a person recorded with the patient.
    Watched,
    /// Continuous level, nobody recorded with the patient: an alarm.
    Unwatched,
    /// A confirmed pause; the clock stands still.
    Paused,
    /// Past the time of return of a pause: an alarm.
    DueBack,
    /// No order holds: an alarm, since nobody knows how often to look.
    NoLevel,
}

impl CardState {
    /// States that sound the ward's signal.
    pub fn alarms(self) -> bool {
        matches!(
            self,
            CardState::Overdue | CardState::NotKnown | CardState::Unwatched | CardState::DueBack | CardState::NoLevel
        )
    }
}

/// One mark or bar of a true-time strip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct StripMark {
    pub from: Ms,
    /// Equal to `from` for a check.
    pub to: Ms,
    pub what: StripKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "views.ts")]
pub enum StripKind {
    Check,
    /// From the limit's end to the check that closed the gap, or to now.
    Late,
    Pause,
    Watched,
    NotDone,
    /// Heard only or can't tell.
    Tried,
    LateEntry,
}
