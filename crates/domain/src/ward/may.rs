//! May this be recorded? Only what cannot be is refused; what is merely odd is recorded and said.

use super::Viewpoint;
use super::card::REPEAT_MS;
use super::counts::is_amendable;
use super::given::says_enough;
use super::log::refers_to;
use super::look::{Look, Patient};
use crate::ids::{RecordId, StaffId, StayId};
use crate::kinds::{Amendment, AmendmentAction, Check, Event};
use crate::level::Level;
use crate::record::{Envelope, Record};
use crate::refusal::Refusal;
use crate::roster::{ListItem, Makes};
use crate::time::SECOND_MS;
use std::sync::Arc;

impl Look<'_> {
    pub fn may_record(&self, envelope: &Envelope, event: &Event) -> Result<String, Refusal> {
        // Help is never refused, whatever is odd about it.
        if matches!(event, Event::Emergency { .. }) {
            return Ok(String::new());
        }
        // A time that a person gave. What is written down as it is seen carries the clock as it is, right or wrong.
        if envelope.observed_at != envelope.recorded_at && envelope.observed_at > self.now() {
            return Err(Refusal::new(
                "time.future",
                "This time has not come yet.",
                "Give the time when it was seen, or leave it at now.",
            ));
        }
        says_enough(event)?;
        let mut notices = Vec::new();
        match (envelope.stay, event) {
            (Some(_), Event::StayOpened(_)) => {}
            (Some(_), Event::StayProvisional(known)) => notices.push(self.may_take_up(envelope.ward, known)?),
            (Some(stay), _) => notices.push(self.stay_notice(stay, envelope, event)?),
            (None, _) if needs_stay(event) => {
                return Err(Refusal::new(
                    "stay.missing",
                    "This entry names no patient.",
                    "Open the patient's card and record it there.",
                ));
            }
            (None, _) => {}
        }
        notices.push(self.notice(envelope, event)?);
        notices.retain(|n| !n.is_empty());
        Ok(notices.join(" "))
    }

    fn stay_notice(&self, stay: StayId, envelope: &Envelope, event: &Event) -> Result<String, Refusal> {
        let moves = matches!(event, Event::StayPlaced { .. });
        let patient = self.records.patient(stay).ok_or_else(stay_unknown)?;
        Ok(if !patient.is_open {
            "This patient has left; a nurse will see that this was recorded afterwards.".to_owned()
        } else if patient.ward != envelope.ward && !moves {
            "This patient is on another ward now; it is recorded all the same.".to_owned()
        } else {
            String::new()
        })
    }

    fn notice(&self, envelope: &Envelope, event: &Event) -> Result<String, Refusal> {
        if let Some(of) = refers_to(event)
            && self.records.held(of).is_empty()
        {
            return Err(record_unknown());
        }
        match event {
            Event::Check(check) => {
                self.is_seen(check)?;
                Ok(envelope.stay.map(|stay| self.repeat_notice(stay)).unwrap_or_default())
            }
            Event::Amendment(amendment) => self.may_amend(envelope.by, amendment).map(|()| String::new()),
            Event::Claimed { of } => self.may_claim(envelope.by, *of).map(|()| String::new()),
            Event::Acknowledged { of, came } => self.acknowledgement_notice(*of, *came, envelope.by),
            Event::WatchStarted { watcher } => Ok(self.watch_notice(envelope, *watcher)),
            Event::PauseStarted(_) if !self.roster.is_nurse(envelope.by) => {
                Ok("The clock runs on until a nurse confirms this.".to_owned())
            }
            Event::StayPlaced { bed, .. } => Ok(self.place_notice(envelope, bed)),
            Event::StayJoined { into } => self.may_join(envelope, *into).map(|()| String::new()),
            Event::PatientMerged(merged) => self.may_merge(envelope, merged).map(|()| String::new()),
            Event::JoinEnded { of, .. } => self.may_part(*of).map(|()| String::new()),
            Event::HoldingTaken { census_count } => Ok(self.census_notice(envelope, *census_count)),
            _ => Ok(String::new()),
        }
    }

    /// A place where the patient was only heard, and an activity that says "can't tell", make no check.
    fn is_seen(&self, check: &Check) -> Result<(), Refusal> {
        let lists = &self.roster.lists;
        let makes = |items: &[ListItem], code| items.iter().find(|i| &i.code == code).map(|i| i.makes);
        let (place, activity) = (makes(&lists.places, &check.place), makes(&lists.activities, &check.activity));
        let no_check = |m: Option<Makes>| matches!(m, Some(Makes::Heard | Makes::CantTell));
        if no_check(place) || no_check(activity) {
            return Err(Refusal::new(
                "check.not_seen",
                "A patient who was not seen cannot be recorded as checked.",
                "Go closer and look, or record that you only heard or could not tell.",
            ));
        }
        Ok(())
    }

    fn repeat_notice(&self, stay: StayId) -> String {
        let Some(log) = self.records.log(stay) else { return String::new() };
        match self.records.last_counted(log, self.frame, self.now()) {
            Some((at, _)) if self.now() - at < REPEAT_MS => {
                format!("Another check of this patient {} s ago", (self.now() - at) / SECOND_MS)
            }
            _ => String::new(),
        }
    }

    fn may_amend(&self, by: Option<StaffId>, amendment: &Amendment) -> Result<(), Refusal> {
        let event = self.amendable(by, amendment.of)?;
        let fits = match amendment.action {
            AmendmentAction::Retract => true,
            AmendmentAction::CorrectCheck { .. } => matches!(event, Event::Check(_)),
            AmendmentAction::Add { .. } => {
                matches!(event, Event::Note { .. } | Event::Mood(_) | Event::Behaviour(_) | Event::Concern { .. })
            }
        };
        if !fits {
            return Err(Refusal::new(
                "amendment.kind",
                "This kind of entry cannot be corrected in this way.",
                "Take it back, or write a note that says what is right.",
            ));
        }
        if let AmendmentAction::CorrectCheck { place, activity } = &amendment.action {
            self.is_seen(&Check { place: place.clone(), activity: activity.clone(), evidence: Vec::new() })?;
        }
        Ok(())
    }

    /// An entry that this person may amend in some way: what a person observed, not taken back, and theirs unless a
    /// nurse does it.
    pub fn amendable(&self, by: Option<StaffId>, of: RecordId) -> Result<&Event, Refusal> {
        let held: &[Arc<Record>] = self.records.held(of);
        let record = held.first().ok_or_else(record_unknown)?;
        let event = record.body.event.as_ref().filter(|e| is_amendable(e)).ok_or_else(|| {
            Refusal::new("amendment.kind", "This entry cannot be corrected.", "Write a note that says what is right.")
        })?;
        if self.records.is_retracted(of) {
            return Err(Refusal::new(
                "amendment.retracted",
                "This entry was taken back already; it stays so.",
                "Record what you see now as a new entry.",
            ));
        }
        let is_author = by.is_some() && held.iter().any(|r| r.body.envelope.by == by);
        if !is_author && !self.roster.is_nurse(by) {
            return Err(Refusal::new(
                "amendment.not_yours",
                "Only the person who wrote this entry, or a nurse, can correct it.",
                "Ask one of them.",
            ));
        }
        Ok(event)
    }

    fn acknowledgement_notice(
        &self,
        of: RecordId,
        came: Option<StaffId>,
        by: Option<StaffId>,
    ) -> Result<String, Refusal> {
        let event = self.records.held(of).iter().find_map(|r| r.body.event.as_ref());
        match event {
            Some(Event::Concern { .. }) if !self.roster.is_nurse(by) => {
                Ok("A concern stays on top until a nurse acknowledges it.".to_owned())
            }
            Some(Event::Concern { .. }) => Ok(String::new()),
            Some(Event::Emergency { .. }) => {
                let raised_by = self.records.held(of).first().and_then(|r| self.made_by(r));
                let same = raised_by.is_some() && came.or(by) == raised_by;
                Ok(if same { "Whoever called for help has not been answered yet.".to_owned() } else { String::new() })
            }
            _ => Err(Refusal::new(
                "acknowledge.kind",
                "This is neither a concern nor an emergency.",
                "Go back to the board and choose one that is open.",
            )),
        }
    }

    /// The same person with two patients is recorded and said, not refused.
    fn watch_notice(&self, envelope: &Envelope, watcher: StaffId) -> String {
        let patients = self.records.patients(self.roster, envelope.ward);
        let mut said = Vec::new();
        let stay = envelope.stay.map(|stay| self.records.resolved(stay));
        let own = patients.iter().find(|p| Some(p.stay) == stay);
        let is_continuous = |p: &Patient| {
            let line = self.records.timeline(p, self.roster, self.frame);
            line.at(self.now()).order.is_some_and(|o| matches!(o.order.level, Level::Continuous(_)))
        };
        if own.is_some_and(|p| !is_continuous(p)) {
            said.push("This patient is not on a continuous level: checks are still due.".to_owned());
        }
        let elsewhere = patients.iter().filter(|p| Some(p.stay) != stay).filter(|p| {
            let line = self.records.timeline(p, self.roster, self.frame);
            let Some(Level::Continuous(level)) = line.at(self.now()).order.map(|o| &o.order.level) else {
                return false;
            };
            self.records.watching(p.log, &line, self.frame, level.ratio.0).iter().any(|w| w.staff == watcher)
        });
        said.extend(elsewhere.map(|p| format!("Also recorded with the patient in {}.", p.bed_label())));
        said.join(" ")
    }

    fn census_notice(&self, envelope: &Envelope, counted: u16) -> String {
        let patients = self.records.patients(self.roster, envelope.ward);
        let is_here = |p: &&Patient| self.records.timeline(p, self.roster, self.frame).at(self.now()).pause.is_none();
        let (all, here) = (patients.len(), patients.iter().filter(is_here).count());
        if [all, here].contains(&usize::from(counted)) {
            return String::new();
        }
        format!("You counted {counted}; the list has {here} on the ward and {all} in all. Count again together.")
    }
}

fn needs_stay(event: &Event) -> bool {
    is_amendable(event) && !matches!(event, Event::Note { .. } | Event::Concern { .. })
        || matches!(
            event,
            Event::StayOpened(_)
                | Event::StayProvisional(_)
                | Event::StayJoined { .. }
                | Event::PatientMerged(_)
                | Event::JoinEnded { .. }
                | Event::StayPlaced { .. }
                | Event::StayClosed { .. }
                | Event::Precautions { .. }
                | Event::Order(_)
                | Event::PauseStarted(_)
                | Event::WatchStarted { .. }
        )
}

pub(super) fn stay_unknown() -> Refusal {
    Refusal::new(
        "stay.unknown",
        "This patient is not known on this ward.",
        "Go back to the board; it has the newest list.",
    )
}

pub(super) fn record_unknown() -> Refusal {
    Refusal::new(
        "record.unknown",
        "The entry that this is about is not held here.",
        "Go back to the board; it has what is known now.",
    )
}

/// Nobody looks: what may be recorded does not depend on it.
pub(super) const NOBODY: Viewpoint = Viewpoint::Station;
