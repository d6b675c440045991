//! Who a patient is and where: what the census does not know yet, what was found to be one, and what may be written
//! down about either.

use super::bed_is_taken;
use super::card::Reading;
use super::look::{Look, Patient};
use super::may::{record_unknown, stay_unknown};
use super::people;
use super::timeline::Standing;
use crate::ids::{RecordId, StayId, WardId};
use crate::kinds::{Event, PatientMerged, StayProvisional};
use crate::record::{Envelope, Record};
use crate::refusal::Refusal;
use crate::views::JoinShown;
use std::collections::HashMap;

pub(super) const NOT_KNOWN: &str = "not known";
/// What is known of a provisional patient stands where other patients have their name.
const KNOWN_AS_MAX_CHARS: usize = 80;

impl Look<'_> {
    /// What a card says of the census: empty where it is plain who this is and where.
    pub fn census_words(&self, patient: &Patient, standing: &Standing) -> String {
        let mut said = Vec::new();
        if standing.order.is_some_and(|o| o.is_provisional()) && standing.pause.is_none() {
            let level = standing.order.map(|o| o.order.level.label()).unwrap_or_default();
            said.push(format!("provisional, {level} until ordered"));
        } else if patient.is_provisional() {
            said.push("provisional".to_owned());
        }
        if let Some(other) = patient.also_sent_to {
            let (ward, at) = (self.ward_name(other.body.envelope.ward), self.clock(self.frame.shown(other)));
            said.push(format!("also sent to {ward} at {at}: look where the patient is"));
        }
        said.join(" · ")
    }

    /// Two open stays of one person: what is entered in one is not seen in the other until they are joined.
    pub fn mark_same_person(&self, patients: &[Patient], readings: &mut [Reading]) {
        let mut stays: HashMap<_, Vec<usize>> = HashMap::new();
        for (i, person) in patients.iter().enumerate().filter_map(|(i, p)| Some((i, p.person()?))) {
            stays.entry(self.records.person(person.patient)).or_default().push(i);
        }
        for at in stays.into_values().filter(|at| at.len() > 1) {
            for i in &at {
                let others: Vec<&str> = at.iter().filter(|j| *j != i).map(|j| patients[*j].bed_label()).collect();
                let census = &mut readings[*i].card.census;
                let before = if census.is_empty() { "" } else { " · " };
                *census += &format!("{before}same person as {}", others.join(", "));
            }
        }
    }

    /// "4471, also 2210"; each number as `shown`.
    pub fn number(&self, patient: &Patient, shown: impl Fn(&str) -> String) -> String {
        let own = patient.person().map_or_else(|| NOT_KNOWN.to_owned(), |p| shown(&p.mrn));
        let others = self.records.other_numbers(patient.stay, patient.person());
        others.into_iter().fold(own, |all, mrn| format!("{all}, also {}", shown(mrn)))
    }

    /// What holds now of the joins and merges of this stay, each with what takes it back.
    pub fn joins_shown(&self, patient: &Patient) -> Vec<JoinShown> {
        let joins = self.records.joins_of(patient.stay);
        let merges = patient.person().map(|p| self.records.merges_of(p.patient)).unwrap_or_default();
        let shown = |record: &Record| {
            let what = match record.body.event {
                Some(Event::StayJoined { .. }) => self.joined_name(record),
                _ => "two numbers are one person".to_owned(),
            };
            let (at, by) = (self.clock(self.frame.shown(record)), people::short(self.roster, record.body.envelope.by));
            JoinShown { record: record.id(), words: format!("{what}, joined {at} by {by}") }
        };
        joins.into_iter().chain(merges).map(|r| shown(r)).collect()
    }

    /// The joined stay in words: who it was taken for, and since when.
    pub fn joined_name(&self, join: &Record) -> String {
        let log = join.body.envelope.stay.and_then(|stay| Some((stay, self.records.stays.get(&stay)?)));
        let Some(patient) = log.and_then(|(stay, log)| Patient::of(stay, log)) else {
            return "a stay that is not held here".to_owned();
        };
        let name = patient.name();
        if patient.is_provisional() { format!("“{name}”") } else { format!("{name} in {}", patient.bed_label()) }
    }

    pub fn placed_words(&self, record: &Record, bed: &str, from: Option<WardId>) -> String {
        let ward = record.body.envelope.ward;
        match from.filter(|left| *left != ward) {
            None => format!("In bed {bed} from now on"),
            Some(left) => format!("From {} to {}, bed {bed}", self.ward_name(left), self.ward_name(ward)),
        }
    }

    /// Errors: "words.empty", "words.too_long", "bed.unknown".
    pub(super) fn may_take_up(&self, ward: WardId, known: &StayProvisional) -> Result<String, Refusal> {
        if known.words.trim().is_empty() {
            return Err(Refusal::new(
                "words.empty",
                "Nothing is written of this patient.",
                "Write a name, or what can be seen: “woman, about 30”.",
            ));
        }
        if known.words.chars().count() > KNOWN_AS_MAX_CHARS {
            return Err(Refusal::new(
                "words.too_long",
                format!("This is longer than {KNOWN_AS_MAX_CHARS} characters."),
                "Write what tells this patient from others, and the rest as a note.",
            ));
        }
        if known.bed.is_empty() {
            return Ok(String::new());
        }
        // It is chosen from the ward's own list.
        if !self.has_bed(ward, &known.bed) {
            return Err(Refusal::new("bed.unknown", "The ward has no such bed.", "Choose one of its beds, or none."));
        }
        Ok(self.bed_notice(ward, &known.bed, None))
    }

    pub(super) fn place_notice(&self, envelope: &Envelope, bed: &str) -> String {
        let stay = envelope.stay.map(|stay| self.records.resolved(stay));
        let patient = stay.and_then(|stay| self.records.patient(stay));
        if patient.is_some_and(|p| p.ward == envelope.ward && p.bed == Some(bed)) {
            return "The patient was in this bed already.".to_owned();
        }
        self.bed_notice(envelope.ward, bed, stay)
    }

    /// Whether somebody else has the bed is said, not refused: beds change hands before the census says so. So is a bed
    /// that the ward's list does not have: the list may be behind.
    fn bed_notice(&self, ward: WardId, bed: &str, but: Option<StayId>) -> String {
        if !self.has_bed(ward, bed) {
            return format!("The ward's list has no bed {bed}.");
        }
        let is_taken = bed_is_taken(self.records, self.roster, ward, bed, but);
        if is_taken { format!("Somebody else is in {bed} too, as the census has it.") } else { String::new() }
    }

    fn has_bed(&self, ward: WardId, bed: &str) -> bool {
        self.roster.ward(ward).is_some_and(|w| w.beds.iter().any(|b| b.label == bed))
    }

    /// Errors: "stay.unknown", "stays.same", "stays.closed", "stays.direction".
    pub(super) fn may_join(&self, envelope: &Envelope, into: StayId) -> Result<(), Refusal> {
        let stay = envelope.stay.ok_or_else(stay_unknown)?;
        let (joined, kept) = (self.records.patient(stay), self.records.patient(into));
        let (joined, kept) = (joined.ok_or_else(stay_unknown)?, kept.ok_or_else(stay_unknown)?);
        let refused = |code, what, next| Err(Refusal::new(code, what, next));
        if joined.stay == kept.stay {
            return refused("stays.same", "These two are one stay already.", "Choose another stay, or leave it.");
        }
        if !kept.is_open {
            return refused(
                "stays.closed",
                "That patient has left: nobody would look at this one any more.",
                "Choose the stay of somebody who is here.",
            );
        }
        if kept.is_provisional() && !joined.is_provisional() {
            return refused(
                "stays.direction",
                "A stay of the census cannot become part of a provisional one.",
                "Join the provisional stay to this one.",
            );
        }
        Ok(())
    }

    /// Errors: "stay.unknown", "merge.patient", "stays.same".
    pub(super) fn may_merge(&self, envelope: &Envelope, merged: &PatientMerged) -> Result<(), Refusal> {
        let of = |stay: StayId| self.records.patient(stay).and_then(|p| p.person()).map(|p| p.patient);
        let (stay, with) = (envelope.stay.ok_or_else(stay_unknown)?, merged.with);
        self.records.patient(stay).and(self.records.patient(with)).ok_or_else(stay_unknown)?;
        if of(stay) != Some(merged.patient) || of(with) != Some(merged.into) {
            return Err(Refusal::new(
                "merge.patient",
                "Only patients of the census can be noted as one person.",
                "Join a provisional stay to the real one instead.",
            ));
        }
        if self.records.person(merged.patient) == self.records.person(merged.into) {
            return Err(Refusal::new("stays.same", "These two are one person already.", "There is nothing to do."));
        }
        Ok(())
    }

    /// Errors: "record.unknown", "stays.parted".
    pub(super) fn may_part(&self, of: RecordId) -> Result<(), Refusal> {
        let is_join = |e: &Event| matches!(e, Event::StayJoined { .. } | Event::PatientMerged(_));
        if !self.records.held(of).iter().any(|r| r.body.event.as_ref().is_some_and(is_join)) {
            return Err(record_unknown());
        }
        if self.records.is_taken_back(of) {
            return Err(Refusal::new(
                "stays.parted",
                "This join was taken back already.",
                "Load the page again; it has what is known now.",
            ));
        }
        Ok(())
    }
}
