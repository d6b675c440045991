//! One record as a row of a patient's day.

use super::Viewpoint;
use super::look::Look;
use super::{people, words};
use crate::kinds::{Event, Pause};
use crate::level::Level;
use crate::record::Record;
use crate::time::{MINUTE_MS, Ms};
use crate::views::{DayRow, DayRowKind};

/// What a closed gap says on the row that ended it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct GapShown {
    pub minutes: Option<u32>,
    pub late: bool,
    /// The clock was stopped when the patient had not been seen for so long, and that was over the limit.
    pub unseen: Option<u32>,
    /// The check that began the gap, or this one, has a time that cannot be believed.
    pub not_provable: bool,
}

impl Look<'_> {
    pub fn row(&self, seen: Ms, record: &Record, gap: GapShown) -> DayRow {
        let envelope = &record.body.envelope;
        let (kind, mut text) = self.kind_and_words(record);
        // A past time that was given is a late entry. So is one that lies after the moment of writing: somebody gave
        // it on a machine whose clock was behind.
        let given = envelope.observed_at != envelope.recorded_at;
        if let Some(minutes) = gap.unseen {
            let before = if given { "it was written" } else { "it" };
            text += &format!(" · not seen for {minutes} min before {before}");
        }
        let may_amend = match self.view {
            Viewpoint::Tablet { signed_in: Some(person), .. } => self.amendable(Some(person), record.id()).is_ok(),
            _ => false,
        };
        let retracted = self.retracted_words(record);
        let zone = self.zone();
        DayRow {
            record: record.id(),
            kind,
            observed_at: envelope.observed_at,
            clock: words::clock(envelope.observed_at, zone),
            words: text + &self.added_words(record) + &self.claimed_words(record),
            by: people::initials(self.roster, self.made_by(record)),
            by_full: people::full(self.roster, self.made_by(record)),
            gap_minutes: gap.minutes,
            late: gap.late,
            late_entry: if given {
                format!("written at {}", words::clock_near(envelope.recorded_at, seen, zone))
            } else {
                String::new()
            },
            may_amend,
            retracted,
            amended: self.corrected_words(record),
            doubt: self.doubt(record, gap),
            confirmed: self.is_confirmed(record),
        }
    }

    fn doubt(&self, record: &Record, gap: GapShown) -> String {
        let mut doubts = Vec::new();
        if self.is_doubtful(record) {
            doubts.push("clock not certain");
        }
        if matches!(record.body.event, Some(Event::Check(_))) {
            if record.body.envelope.by.is_none() {
                doubts.push("signed by nobody: closes no gap");
            } else if self.frame.is_untimed(record) {
                doubts.push("closes no gap before the station has it");
            }
        }
        if gap.minutes.is_some() && gap.not_provable {
            doubts.push("gap not provable");
        }
        if self.records.held(record.id()).len() > 1 {
            doubts.push("two records have this one's number; both are kept");
        }
        doubts.join("; ")
    }

    pub fn is_doubtful(&self, record: &Record) -> bool {
        self.frame.is_ahead(record) || self.records.is_suspect(record)
    }

    fn retracted_words(&self, record: &Record) -> String {
        self.records.retraction(record.id()).map_or_else(String::new, |(by, amendment)| {
            let why = words::reason(amendment.reason, &amendment.words);
            let who = people::initials(self.roster, by.body.envelope.by);
            format!("retracted {}: {why} ({who})", self.written_clock(by, record))
        })
    }

    fn corrected_words(&self, record: &Record) -> String {
        let Some(Event::Check(check)) = &record.body.event else { return String::new() };
        self.records.correction(record.id()).map_or_else(String::new, |(by, _)| {
            let who = people::initials(self.roster, by.body.envelope.by);
            let was = words::check(self.roster, check);
            format!("corrected {}: was {was} ({who})", self.written_clock(by, record))
        })
    }

    fn added_words(&self, record: &Record) -> String {
        let added = self.records.additions(record.id());
        let one = |(by, text): &(&Record, &str)| {
            let who = people::initials(self.roster, by.body.envelope.by);
            format!(" · added {}: {text} ({who})", self.written_clock(by, record))
        };
        added.iter().map(one).collect()
    }

    fn written_clock(&self, amendment: &Record, of: &Record) -> String {
        words::clock_near(amendment.body.envelope.recorded_at, of.body.envelope.observed_at, self.zone())
    }

    fn kind_and_words(&self, record: &Record) -> (DayRowKind, String) {
        let roster = self.roster;
        let named = |staff| people::short(roster, Some(staff));
        let by = || people::short(roster, record.body.envelope.by);
        let Some(event) = &record.body.event else {
            return (DayRowKind::Unknown, "A kind of record that this version does not know".to_owned());
        };
        match event {
            Event::Check(_) => (DayRowKind::Check, self.check_words(record).unwrap_or_default()),
            Event::Heard { place } => {
                (DayRowKind::Heard, format!("{} · only heard, not seen", words::place(roster, place)))
            }
            Event::CantTell { place } => {
                (DayRowKind::CantTell, format!("{} · could not tell", words::place(roster, place)))
            }
            Event::NotDone { reason, words: text } => {
                (DayRowKind::NotDone, format!("Not done: {}", words::not_done(roster, reason, text)))
            }
            Event::Mood(mood) => (DayRowKind::Mood, words::mood(roster, mood)),
            Event::Behaviour(behaviour) => (DayRowKind::Behaviour, words::behaviour(roster, behaviour)),
            Event::Note { words } => (DayRowKind::Note, words.clone()),
            Event::Concern { words } => (DayRowKind::Concern, words.clone()),
            Event::Emergency { what, place } if place.trim().is_empty() => {
                (DayRowKind::Emergency, what.words().to_owned())
            }
            Event::Emergency { what, place } => (DayRowKind::Emergency, format!("{}: {place}", what.words())),
            Event::EmergencyEnded { words, .. } if words.trim().is_empty() => {
                (DayRowKind::Emergency, "Emergency over".to_owned())
            }
            Event::EmergencyEnded { words, .. } => (DayRowKind::Emergency, format!("Emergency over: {words}")),
            Event::Acknowledged { came: Some(who), .. } => (DayRowKind::Acknowledged, format!("{} came", named(*who))),
            Event::Acknowledged { came: None, .. } => (DayRowKind::Acknowledged, format!("{} took notice", by())),
            Event::Order(order) => {
                let why = if order.reason.is_empty() { String::new() } else { format!(": {}", order.reason) };
                (DayRowKind::Level, format!("{}, {}{why}", words::level(&order.level), order.ordered_by))
            }
            Event::OrderEnded { of, reason } => (
                DayRowKind::Level,
                format!("{} ended: {reason}", self.level_of(*of).unwrap_or_else(|| "Level".to_owned())),
            ),
            Event::OrderAcknowledged { of } => (
                DayRowKind::Level,
                format!("{} read by {}", self.level_of(*of).unwrap_or_else(|| "Level".to_owned()), by()),
            ),
            Event::PauseStarted(pause) => (DayRowKind::Pause, self.pause_words(record, pause)),
            Event::PauseEnded { .. } => (DayRowKind::Pause, "Back on the ward".to_owned()),
            Event::WatchStarted { watcher } => {
                (DayRowKind::Watch, format!("{} is with the patient from now on", named(*watcher)))
            }
            Event::WatchEnded { of } => {
                (DayRowKind::Watch, format!("{} is no longer with the patient", self.watcher_of(*of)))
            }
            Event::StayOpened(_) => (DayRowKind::Census, "Admitted".to_owned()),
            Event::StayProvisional(known) => {
                (DayRowKind::Census, format!("Taken up on the ward, not in the census: {}", known.words))
            }
            Event::StayPlaced { bed, from } => (DayRowKind::Census, self.placed_words(record, bed, *from)),
            Event::StayJoined { .. } => {
                (DayRowKind::Census, format!("Joined to this stay by {}: {}", by(), self.joined_name(record)))
            }
            Event::PatientMerged(_) => (DayRowKind::Census, format!("{} noted that two numbers are one person", by())),
            Event::JoinEnded { reason, .. } if reason.trim().is_empty() => {
                (DayRowKind::Census, format!("{} took a join back", by()))
            }
            Event::JoinEnded { reason, .. } => (DayRowKind::Census, format!("{} took a join back: {reason}", by())),
            Event::StayClosed { reason } if reason.trim().is_empty() => {
                (DayRowKind::Census, "Left the hospital".to_owned())
            }
            Event::StayClosed { reason } => (DayRowKind::Census, format!("Left the hospital: {reason}")),
            Event::Precautions { codes } if codes.is_empty() => {
                (DayRowKind::Census, "No precautions from now on".to_owned())
            }
            Event::Precautions { codes } => {
                (DayRowKind::Census, format!("Precautions: {}", words::precautions(roster, codes).join(", ")))
            }
            Event::HoldingTaken { census_count } => {
                (DayRowKind::Census, format!("{} took over the observations and counted {census_count} patients", by()))
            }
            Event::Verified { note } if note.trim().is_empty() => {
                (DayRowKind::Acknowledged, format!("{} verified the ward's observations", by()))
            }
            Event::Verified { note } => {
                (DayRowKind::Acknowledged, format!("{} verified the ward's observations: {note}", by()))
            }
            Event::Amendment(_) => (DayRowKind::Unknown, "Corrects an entry that is not held here".to_owned()),
            Event::Silenced { .. } => (DayRowKind::Acknowledged, "Signal silenced for two minutes".to_owned()),
            Event::ClockMeasured(_) => (DayRowKind::Unknown, "Clock compared with the server".to_owned()),
            Event::TabletJoined { name, .. } => (DayRowKind::Census, format!("Tablet {name} joined")),
            Event::TabletRevoked { reason, .. } => (DayRowKind::Census, format!("Tablet revoked: {reason}")),
            Event::TabletMoved { .. } => (DayRowKind::Census, "Tablet moved to another ward".to_owned()),
            Event::Claimed { .. } => (DayRowKind::Emergency, format!("{} says that they called for help", by())),
            Event::AccessGiven(given) => {
                (DayRowKind::Census, format!("{} let {}. {} work on a tablet", by(), first(&given.given), given.family))
            }
            Event::Audit(audit) => (DayRowKind::Unknown, format!("{} {}", by(), audit.act.words())),
            Event::RecordsMissing(missing) => {
                (DayRowKind::Unknown, format!("{} entries of a tablet are missing at the station", missing.count))
            }
        }
    }

    fn pause_words(&self, record: &Record, pause: &Pause) -> String {
        let near = record.body.envelope.observed_at;
        let mut text = words::pause_place(pause.reason).to_owned();
        if !pause.escort.trim().is_empty() {
            text += &format!(" · {}", pause.escort);
        }
        text += &format!(" · back by {}", words::clock_near(pause.return_by, near, self.zone()));
        if !self.roster.is_nurse(record.body.envelope.by) {
            text += " · not confirmed by a nurse: the clock runs on";
        }
        text
    }

    fn level_of(&self, order: crate::ids::RecordId) -> Option<String> {
        self.records.held(order).iter().find_map(|r| match &r.body.event {
            Some(Event::Order(order)) => Some(Level::label(&order.level)),
            _ => None,
        })
    }

    fn watcher_of(&self, watch: crate::ids::RecordId) -> String {
        let watcher = self.records.held(watch).iter().find_map(|r| match r.body.event {
            Some(Event::WatchStarted { watcher }) => Some(watcher),
            _ => None,
        });
        watcher.map_or_else(|| "Somebody".to_owned(), |staff| people::short(self.roster, Some(staff)))
    }
}

fn first(given: &str) -> String {
    given.chars().take(1).collect()
}

/// Whole minutes of a gap, rounded down.
pub(super) fn minutes(ms: i64) -> u32 {
    u32::try_from(ms.max(0) / MINUTE_MS).unwrap_or(u32::MAX)
}
