//! What a screen shows: plain data, words included, made by [`crate::ward`] from (records, contacts, now). The same
//! views serve the tablet and the station; a screen adds nothing but layout.

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
    /// "M. Okafor"; "not signed in" for help from a locked tablet.
    pub by: String,
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

/// One patient's day, or any stretch of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct PatientDay {
    pub stay: StayId,
    pub name: String,
    pub bed: String,
    pub mrn: String,
    pub born: String,
    pub demo: bool,
    pub precautions: Vec<String>,
    /// "Sunday 22 November 2026"
    pub date: String,
    pub from: Ms,
    pub to: Ms,
    /// Levels that held, in order: "Q15 from 19:20, Dr A. Patel: new leaving risk".
    pub levels: Vec<LevelSpan>,
    /// Oldest first.
    pub rows: Vec<DayRow>,
    pub strip: Vec<StripMark>,
    pub totals: DayTotals,
    /// "facility tolerance 1 min", to be shown and printed with the totals; empty where there is none.
    pub tolerance: String,
    /// What the totals do not say by themselves, each to be printed with them: "at 03:00 not seen for 47 min, past the
    /// limit", "1 gap is not provable: a clock was not certain".
    pub remarks: Vec<String>,
    /// Ticks of the strip: whole hours with their label; on clock-change nights with the offset.
    pub hours: Vec<HourTick>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct HourTick {
    pub at: Ms,
    pub label: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct LevelSpan {
    pub from: Ms,
    pub to: Option<Ms>,
    pub level: String,
    pub limit_minutes: Option<u16>,
    pub words: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct DayRow {
    pub record: RecordId,
    pub kind: DayRowKind,
    pub observed_at: Ms,
    pub clock: String,
    /// "Hallway · pacing"
    pub words: String,
    /// "MO"; empty for a machine's record.
    pub by: String,
    /// "M. Okafor, MHT 2304"
    pub by_full: String,
    /// Minutes since the moment the gap began that ended here, rounded down: a check closed it, or this row stopped the
    /// clock (a pause, a continuous level, the end of the order or of the stay).
    pub gap_minutes: Option<u32>,
    /// That gap was over the limit. It stays so.
    pub late: bool,
    /// "written at 03:10": a late entry, labelled for ever; else empty.
    pub late_entry: String,
    /// "retracted 02:50: wrong patient (MO)"; else empty. A retracted row stays visible.
    pub retracted: String,
    /// "corrected 02:50: was Day room · pacing"; else empty.
    pub amended: String,
    /// "clock not certain"; else empty.
    pub doubt: String,
    /// The server holds it.
    pub confirmed: bool,
    /// The person who is signed in may take it back or correct it. Never at the station.
    pub may_amend: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "views.ts")]
pub enum DayRowKind {
    Check,
    Heard,
    CantTell,
    NotDone,
    Mood,
    Behaviour,
    Note,
    Concern,
    Emergency,
    Level,
    Pause,
    Watch,
    Census,
    Acknowledged,
    /// A kind that this program does not know: shown, never hidden.
    Unknown,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct DayTotals {
    pub checks: u32,
    /// Gaps that ended, by a check or because the clock was stopped, and the one that runs at the end where it is past
    /// its limit: that one is told on both sides of midnight. Each is within its limit, late or not provable.
    pub gaps: u32,
    pub gaps_within_limit: u32,
    pub gaps_late: u32,
    /// Not late by the times that were recorded, one of which cannot be believed.
    pub not_provable: u32,
    /// Also of the gap that runs at the end, late or not.
    pub longest_gap_minutes: u32,
    pub not_done: u32,
    pub heard_or_cant_tell: u32,
    pub late_entries: u32,
    pub retracted: u32,
}
