//! Observation levels. A level is an order: see [`crate::kinds::Order`].

use crate::time::MINUTE_MS;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use ts_rs::TS;

/// How closely a patient is observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "how", rename_all = "snake_case")]
#[ts(export_to = "level.ts")]
pub enum Level {
    /// Checked again and again; `limit_minutes` is the longest permitted gap between two true times.
    Intermittent { limit_minutes: u16 },
    /// Somebody is with the patient all the time.
    Continuous(Continuous),
}

/// The parts of a continuous level, each said on its own: they are ordered and reviewed separately.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "level.ts")]
pub struct Continuous {
    /// Staff to patients: (1, 1) or (2, 1).
    pub ratio: (u8, u8),
    pub distance: Distance,
    /// What holds in the bathroom, in the order's words; None where the order says nothing.
    pub bathroom: Option<String>,
    /// What holds while the patient sleeps, in the order's words.
    pub sleep: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "level.ts")]
pub enum Distance {
    WithinEyesight,
    WithinArmsLength,
}

impl Level {
    /// Minutes that a limit may have. Which of them are usual is the facility's to say
    /// ([`crate::roster::Settings::limits_minutes`]); what was ordered is written down as it was ordered.
    pub const LIMIT_MINUTES: RangeInclusive<u16> = 1..=24 * 60;

    /// "Q15", "1:1".
    pub fn label(&self) -> String {
        match self {
            Level::Intermittent { limit_minutes } => format!("Q{limit_minutes}"),
            Level::Continuous(c) => format!("{}:{}", c.ratio.0, c.ratio.1),
        }
    }

    /// The limit in milliseconds; None for a continuous level, which has a person instead of a limit.
    pub fn limit_ms(&self) -> Option<i64> {
        match self {
            Level::Intermittent { limit_minutes } => Some(i64::from(*limit_minutes) * MINUTE_MS),
            Level::Continuous(_) => None,
        }
    }

    /// Orders levels by strictness: greater is stricter. Continuous is stricter than any limit, arm's length than
    /// eyesight, more staff for each patient than fewer: 1:2, 1:1, 2:1.
    pub fn strictness(&self) -> (u8, u8, i32) {
        match self {
            Level::Intermittent { limit_minutes } => (0, 0, -i32::from(*limit_minutes)),
            Level::Continuous(c) => {
                // Fine enough that no two different ratios of small numbers fall together.
                let staff_each = i32::from(c.ratio.0) * 65_536 / i32::from(c.ratio.1.max(1));
                (1, u8::from(c.distance == Distance::WithinArmsLength), staff_each)
            }
        }
    }

    /// Levels that a board marks: continuous, and limits under ten minutes.
    pub fn is_close(&self) -> bool {
        match self {
            Level::Intermittent { limit_minutes } => *limit_minutes < 10,
            Level::Continuous(_) => true,
        }
    }
}

impl Distance {
    pub fn words(self) -> &'static str {
        match self {
            Distance::WithinEyesight => "within eyesight",
            Distance::WithinArmsLength => "within arm's length",
        }
    }

    /// For a tile.
    pub fn short(self) -> &'static str {
        match self {
            Distance::WithinEyesight => "eyesight",
            Distance::WithinArmsLength => "arm's length",
        }
    }
}
