//! A patient's day: rows, gaps, totals.

use super::StripMark;
use crate::ids::{RecordId, StayId};
use crate::time::Ms;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

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
    /// Stays that are read as part of this one, and numbers that are one person: "“woman, about 30”, joined 02:40 by
    /// S. Lindqvist". Each can be taken back.
    pub joins: Vec<JoinShown>,
    /// Ticks of the strip: whole hours with their label; on clock-change nights with the offset.
    pub hours: Vec<HourTick>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "views.ts")]
pub struct JoinShown {
    pub record: RecordId,
    pub words: String,
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
