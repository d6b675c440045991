//! Looking: the board, a patient's pad, a patient's day.

use crate::file::bodies;
use crate::known::IN_MEMORY_MS;
use crate::record::{join_first, no_roster};
use crate::tablet::Inner;
use crate::words;
use lamplight_domain::commands::Pad;
use lamplight_domain::ids::{RecordId, StayId};
use lamplight_domain::kinds::{AmendmentAction, Event, Mood, MoodSource};
use lamplight_domain::record::Record;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::{HOUR_MS, Ms, day_bounds};
use lamplight_domain::views::{Board, PatientDay};
use lamplight_domain::ward::{self, WardRecords};
use std::collections::HashSet;

const RECENT_MOODS: u32 = 6;
/// More amendments of one stay than anybody makes; only for finding retracted moods.
const AMENDMENTS_MAX: u32 = 1_000;

impl Inner {
    pub(crate) fn board(&self) -> Result<Board, Refusal> {
        let identity = self.identity().ok_or_else(join_first)?;
        let (view, now) = (self.viewpoint()?, self.now());
        let known = self.known();
        let roster = known.roster.as_deref().ok_or_else(no_roster)?;
        Ok(ward::board(&known.records, roster, identity.ward, &known.contacts, view, now))
    }

    /// The moment that a board is true for.
    pub(super) fn moment(&self) -> Ms {
        let now = self.now();
        ward::moment(&self.known().records, now)
    }

    /// Errors: "date.unknown", "stay.unknown".
    pub(super) fn day(&self, stay: StayId, date: Option<&str>) -> Result<PatientDay, Refusal> {
        let now = self.now().best();
        let zone = words::zone(self.roster().as_deref());
        let (from, to) = match date {
            // The end is not part of the stretch, and what was saved this very moment is.
            None => (now - 24 * HOUR_MS, now + 1),
            Some(text) => day_bounds(text.parse().map_err(|_| date_unknown())?, zone),
        };
        self.stretch(stay, from, to)
    }

    fn stretch(&self, stay: StayId, from: Ms, to: Ms) -> Result<PatientDay, Refusal> {
        let (view, now) = (self.viewpoint()?, self.now());
        let roster = self.roster().ok_or_else(no_roster)?;
        let since = self.kept_since()?.unwrap_or(Ms(i64::MIN));
        // A gap that runs into the stretch began before it.
        if from - now.best() >= 12 * HOUR_MS - IN_MEMORY_MS {
            return ward::day_kept_since(&self.known().records, &roster, stay, (from, to), since, view, now);
        }
        let mut records = WardRecords::default();
        let stays = self.known().records.together(stay);
        for stay in stays {
            for record in self.records.read(|db| bodies::of_stay(db, stay))? {
                records.take(record);
            }
        }
        ward::day_kept_since(&records, &roster, stay, (from, to), since, view, now)
    }

    /// Of any stay that is known, also of one that has left or is on another ward. Errors: "stay.unknown".
    pub(super) fn pad(&self, stay: StayId) -> Result<Pad, Refusal> {
        let identity = self.identity().ok_or_else(join_first)?;
        let (view, now) = (self.viewpoint()?, self.now());
        // The station may have joined it to another since the board was drawn.
        let stay = self.known().records.resolved(stay);
        let moods = self.moods(stay)?;
        let watching = self.running_watch(stay, self.signed_in()?.staff)?.is_some();
        let level_as_of = match self.status().last_contact_clock.as_str() {
            "" => "level not confirmed with the station yet".to_owned(),
            at => format!("level as of {at}"),
        };
        let known = self.known();
        let roster = known.roster.as_deref().ok_or_else(no_roster)?;
        let board = ward::board(&known.records, roster, identity.ward, &known.contacts, view, now);
        let card = match board.cards.into_iter().find(|c| c.stay == stay) {
            Some(card) => card,
            // Whoever has just left was still seen by somebody.
            None => ward::card_of_one_gone(&known.records, roster, stay, view, now)?,
        };
        let parts = ward::pad_parts(&known.records, roster, stay, view, now)?;
        Ok(Pad {
            card,
            mrn: parts.mrn,
            born: parts.born,
            level: parts.level,
            level_as_of,
            watching,
            recent: parts.recent,
            lists: roster.lists.clone(),
            moods,
            draft: self.new_id(self.clock.read().wall)?,
        })
    }

    /// Newest first, without those that were retracted.
    fn moods(&self, stay: StayId) -> Result<Vec<String>, Refusal> {
        let stays = self.known().records.together(stay);
        let (mut moods, amendments) = self.records.read(|from| {
            let (mut moods, mut amendments) = (Vec::new(), Vec::new());
            for stay in &stays {
                moods.extend(bodies::of_stay_and_kind(from, *stay, "mood", RECENT_MOODS)?);
                amendments.extend(bodies::of_stay_and_kind(from, *stay, "amendment", AMENDMENTS_MAX)?);
            }
            Ok((moods, amendments))
        })?;
        moods.sort_by_key(|r| std::cmp::Reverse(r.body.envelope.observed_at));
        moods.truncate(RECENT_MOODS as usize);
        let retracted: HashSet<RecordId> = amendments.iter().filter_map(retracts).collect();
        let zone = words::zone(self.roster().as_deref());
        let now = self.now().best();
        let said = |record: &Record| match &record.body.event {
            Some(Event::Mood(mood)) if !retracted.contains(&record.id()) => {
                let at = words::clock_and_day(record.body.envelope.observed_at, now, zone);
                Some(format!("{} at {at}", mood_in_short(mood)))
            }
            _ => None,
        };
        Ok(moods.iter().filter_map(said).collect())
    }
}

fn retracts(record: &Record) -> Option<RecordId> {
    match &record.body.event {
        Some(Event::Amendment(a)) if a.action == AmendmentAction::Retract => Some(a.of),
        _ => None,
    }
}

fn mood_in_short(mood: &Mood) -> String {
    match (mood.source, mood.score) {
        (MoodSource::Patient, Some(score)) => score.to_string(),
        (MoodSource::Patient, None) => "no number".to_owned(),
        (MoodSource::StaffImpression, _) => "staff impression".to_owned(),
        (MoodSource::DeclinedToSay, _) => "did not say".to_owned(),
    }
}

fn date_unknown() -> Refusal {
    Refusal::new("date.unknown", "This is no date.", "Choose a day from the calendar.")
}
