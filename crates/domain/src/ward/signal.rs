//! The ward's one signal: does it sound, how urgently, and about which rooms.

use super::card::Reading;
use super::log::Shelf;
use super::look::Look;
use super::words::stretch_long;
use super::{Viewpoint, people};
use crate::ids::WardId;
use crate::kinds::Event;
use crate::record::Auth;
use crate::time::{MINUTE_MS, Ms};
use crate::views::{CardState, Holder, OpenEmergency, Signal, SignalLevel};

/// How long the ward's stations stay quiet once a nurse has silenced them there.
const SILENCE_MS: i64 = 2 * MINUTE_MS;

impl Look<'_> {
    /// Silencing stops the sound for two minutes, of one tablet or of the ward's stations; level and rooms stay as they
    /// are. An emergency that nobody has answered cannot be silenced.
    pub fn signal(
        &self,
        ward: WardId,
        readings: &[Reading],
        emergencies: &[OpenEmergency],
        holder: Option<&Holder>,
    ) -> Signal {
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
        let silenced = match self.view {
            Viewpoint::Tablet { silenced_until, .. } => {
                silenced_until.filter(|until| *until > self.now()).map(|until| (until, String::new()))
            }
            Viewpoint::Station => self.silenced_at_station(ward, level),
        };
        let (silenced_until, silenced_by) = silenced.filter(|_| level != SignalLevel::Emergency).unzip();
        Signal {
            level,
            rooms: rooms(readings, emergencies, &alarming),
            words: words(readings, unanswered, self.holding_words(unheld, held_too_long)),
            silenced_until,
            silenced_by: silenced_by.unwrap_or_default(),
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

    /// Until when, and who did it in words. Only the newest counts, only a nurse's, and only for a signal that is not
    /// more urgent than the one that was silenced.
    fn silenced_at_station(&self, ward: WardId, level: SignalLevel) -> Option<(Ms, String)> {
        let machines = self.frame.within(self.ward_log(ward)?, Shelf::Machine, self.now() - SILENCE_MS + 1, self.now());
        let (at, by, silenced) = machines.into_iter().rev().find_map(|(at, record)| {
            let envelope = &record.body.envelope;
            let Some(Event::Silenced { level }) = record.body.event else { return None };
            let at_station = envelope.auth == Auth::Station && envelope.tablet.is_none();
            let by = envelope.by.filter(|by| at_station && self.roster.is_nurse(Some(*by)))?;
            Some((at, by, level.unwrap_or(SignalLevel::Overdue)))
        })?;
        let until = at + SILENCE_MS;
        let name = people::short(self.roster, Some(by));
        let words = format!("Sound silenced {} by {name} until {}", self.clock(at), self.clock(until));
        (level <= silenced).then_some((until, words))
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
