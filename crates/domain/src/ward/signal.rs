//! The ward's one signal: does it sound, how urgently, and about which rooms.

use super::Viewpoint;
use super::card::Reading;
use super::look::Look;
use super::words::stretch_long;
use crate::time::MINUTE_MS;
use crate::views::{CardState, Holder, OpenEmergency, Signal, SignalLevel};

impl Look<'_> {
    /// Silencing stops the sound on one device for two minutes; level and rooms stay as they are. An emergency that
    /// nobody has answered cannot be silenced.
    pub fn signal(&self, readings: &[Reading], emergencies: &[OpenEmergency], holder: Option<&Holder>) -> Signal {
        let unanswered = emergencies.iter().filter(|e| e.acknowledged_by.is_none()).count();
        let unheld = holder.is_none() && !readings.is_empty();
        let held_too_long = holder.is_some_and(|h| h.too_long) && !readings.is_empty();
        let mut alarming: Vec<&Reading> = readings.iter().filter(|r| self.alarms(r)).collect();
        alarming.sort_by_key(|r| (r.card.urgency, r.card.stay));
        let mut level = alarming.iter().map(|r| level_of(r)).max().unwrap_or(SignalLevel::Quiet);
        // To relieve the holder is for the charge nurse: it sounds at the station and is said everywhere.
        if unheld || (held_too_long && self.view == Viewpoint::Station) {
            level = level.max(SignalLevel::Overdue);
        }
        if unanswered > 0 {
            level = SignalLevel::Emergency;
        }
        let silenced_until = match self.view {
            Viewpoint::Tablet { silenced_until, .. } => silenced_until.filter(|until| *until > self.now()),
            Viewpoint::Station => None,
        };
        Signal {
            level,
            rooms: rooms(readings, emergencies, &alarming),
            words: words(readings, unanswered, self.holding_words(unheld, held_too_long)),
            silenced_until: silenced_until.filter(|_| level != SignalLevel::Emergency),
        }
    }

    fn holding_words(&self, unheld: bool, too_long: bool) -> Option<String> {
        let most_ms = i64::from(self.roster.settings.holder_max_minutes) * MINUTE_MS;
        match (unheld, too_long) {
            (true, _) => Some("nobody holds the observations".to_owned()),
            (false, true) => Some(format!("observations held for over {}", stretch_long(most_ms))),
            (false, false) => None,
        }
    }

    /// A second not-done in a row is for the charge nurse: it sounds at the station, and not in the hand of the
    /// person who has just said so.
    fn alarms(&self, reading: &Reading) -> bool {
        let told_to_charge_nurse = self.view == Viewpoint::Station && reading.card.not_done_twice;
        reading.card.state.alarms() || told_to_charge_nurse
    }
}

/// Beds, those that called for help first; each once.
fn rooms(readings: &[Reading], emergencies: &[OpenEmergency], alarming: &[&Reading]) -> Vec<String> {
    let unanswered = emergencies.iter().filter(|e| e.acknowledged_by.is_none());
    let called = unanswered.filter_map(|e| readings.iter().find(|r| Some(r.card.stay) == e.stay));
    let mut rooms: Vec<String> = Vec::new();
    for reading in called.chain(alarming.iter().copied()) {
        if !rooms.contains(&reading.card.bed) {
            rooms.push(reading.card.bed.clone());
        }
    }
    rooms
}

fn level_of(reading: &Reading) -> SignalLevel {
    match reading.card.state {
        CardState::Unwatched => SignalLevel::Urgent,
        CardState::Overdue | CardState::NotKnown if reading.past_ms.saturating_mul(2) >= reading.limit_ms => {
            SignalLevel::Urgent
        }
        _ => SignalLevel::Overdue,
    }
}

/// "1 emergency, 2 overdue, 1 not known".
fn words(readings: &[Reading], unanswered: usize, holding: Option<String>) -> String {
    let of = |state: CardState| readings.iter().filter(|r| r.card.state == state).count();
    let twice: Vec<&str> = readings.iter().filter(|r| r.card.not_done_twice).map(|r| r.card.bed.as_str()).collect();
    let counted = [
        (unanswered, if unanswered == 1 { "emergency" } else { "emergencies" }),
        (of(CardState::Unwatched), "with nobody recorded"),
        (of(CardState::Overdue), "overdue"),
        (of(CardState::NotKnown), "not known"),
        (of(CardState::DueBack), "due back"),
        (of(CardState::NoLevel), "without a level"),
    ];
    let mut parts: Vec<String> =
        counted.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if !twice.is_empty() {
        parts.push(format!("not done twice: {}", twice.join(", ")));
    }
    parts.extend(holding);
    parts.join(", ")
}
