//! What a check pad shows beside the card: the last rows, the level in full, earlier answers about mood.

use super::identity::NOT_KNOWN;
use super::log::Shelf;
use super::look::Look;
use super::words;
use crate::ids::StayId;
use crate::kinds::Event;
use crate::refusal::Refusal;
use crate::time::HOUR_MS;
use crate::views::{Card, CardState, DayRow, DayRowKind};

const RECENT_ROWS: usize = 6;
const RECENT_MOODS: usize = 6;
const RECENT_MS: i64 = 24 * HOUR_MS;

/// The parts of [`crate::commands::Pad`] that follow from the records.
#[derive(Clone, Debug, PartialEq)]
pub struct PadParts {
    /// "MRN …4471"
    pub mrn: String,
    /// "born 1991-03-12"
    pub born: String,
    /// "Q15 since 19:20, Dr A. Patel"; "no level ordered".
    pub level: String,
    pub level_as_of: String,
    /// Newest first, at most six, of the last 24 hours, without handovers and moves.
    pub recent: Vec<DayRow>,
    /// Newest first, at most six: "3 at 21:10".
    pub moods: Vec<String>,
}

impl Look<'_> {
    /// Errors: "stay.unknown".
    pub fn card_of_one_gone(&self, stay: StayId) -> Result<Card, Refusal> {
        let patient = self.records.patient(stay).ok_or_else(super::may::stay_unknown)?;
        let words = match (patient.is_open, self.ward_name(patient.ward)) {
            (false, _) => "has left the ward".to_owned(),
            (true, ward) if ward.is_empty() => "on another ward now".to_owned(),
            (true, ward) => format!("on {ward} now"),
        };
        let seen = self.read(&patient, &[]).card;
        let line = seen.last_seen.as_ref().map_or_else(String::new, |l| format!("{} {}", l.clock, l.words));
        // Its clock is not this ward's any more, whatever the last order said.
        let (due_at, level_unacknowledged) = (None, None);
        Ok(Card { state: CardState::Paused, words, line, due_at, left_percent: 0, level_unacknowledged, ..seen })
    }

    /// Errors: "stay.unknown".
    pub fn pad_parts(&self, stay: StayId) -> Result<PadParts, Refusal> {
        let patient = self.records.patient(stay).ok_or_else(super::may::stay_unknown)?;
        let line = self.records.timeline(&patient, self.roster, self.frame);
        let now = self.now();
        let level = line.at(now).order.map_or_else(
            || "no level ordered".to_owned(),
            |o| format!("{} since {}, {}", words::level(&o.order.level), self.clock(o.from), o.order.ordered_by),
        );
        let moods = patient.log.all(Shelf::Mood).rev().filter(|r| !self.records.is_retracted(r.id()));
        let said = moods.filter_map(|record| match &record.body.event {
            Some(Event::Mood(mood)) => {
                Some(format!("{} at {}", words::mood_in_short(mood), self.clock(self.frame.shown(record))))
            }
            _ => None,
        });
        Ok(PadParts {
            mrn: format!("MRN {}", self.number(&patient, last_four)),
            born: format!("born {}", patient.person().map_or_else(|| NOT_KNOWN.to_owned(), |p| p.born.to_string())),
            level,
            level_as_of: self.level_as_of(),
            recent: self
                .rows(&patient, now - RECENT_MS, now, &self.gaps(&patient, &line, now - RECENT_MS, now))
                .into_iter()
                .rev()
                .filter(|row| row.kind != DayRowKind::Census)
                .take(RECENT_ROWS)
                .collect(),
            moods: said.take(RECENT_MOODS).collect(),
        })
    }
}

/// "…4471"
fn last_four(mrn: &str) -> String {
    let digits: Vec<char> = mrn.chars().collect();
    format!("…{}", digits[digits.len().saturating_sub(4)..].iter().collect::<String>())
}
