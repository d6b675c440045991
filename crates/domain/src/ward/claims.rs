//! Who called for help: whoever signed the call, or who said afterwards that it was theirs. A claim moves no time and takes
//! nobody's answer away.

use super::log::Shelf;
use super::look::Look;
use super::may::record_unknown;
use super::{people, words};
use crate::ids::{RecordId, StaffId};
use crate::kinds::Event;
use crate::record::Record;
use crate::refusal::Refusal;

impl<'a> Look<'a> {
    /// Who made a record. Of a call for help that nobody signed: who claimed it, where somebody has.
    pub fn made_by(&self, record: &Record) -> Option<StaffId> {
        record.body.envelope.by.or_else(|| self.claim(record)?.body.envelope.by)
    }

    /// The first claim of a call for help that nobody signed. Whoever had answered the call before did not make it.
    pub fn claim(&self, call: &Record) -> Option<&'a Record> {
        if Shelf::of(call) != Shelf::Emergency || call.body.envelope.by.is_some() {
            return None;
        }
        let when = |r: &Record| (self.frame.seen(r), r.id(), r.hash);
        let about = self.records.about(call.id());
        let answered = |claim: &Record| {
            let by = claim.body.envelope.by;
            about.iter().any(|r| answers(r).is_some_and(|who| Some(who) == by) && when(r) < when(claim))
        };
        let claims = about.iter().map(AsRef::as_ref).filter(|r: &&Record| {
            matches!(r.body.event, Some(Event::Claimed { .. })) && r.body.envelope.by.is_some() && !answered(r)
        });
        claims.min_by_key(|r| when(r))
    }

    /// May this person say that the call for help was theirs? Errors: "claim.kind", "claim.who", "claim.signed",
    /// "claim.taken", "claim.answered", "record.unknown".
    pub fn may_claim(&self, by: Option<StaffId>, of: RecordId) -> Result<(), Refusal> {
        let held = self.records.held(of);
        let call = held.first().ok_or_else(record_unknown)?;
        if Shelf::of(call) != Shelf::Emergency {
            return Err(Refusal::new(
                "claim.kind",
                "This is no call for help.",
                "Go back to the board and choose a call for help.",
            ));
        }
        let Some(by) = by else {
            return Err(Refusal::new(
                "claim.who",
                "Nobody is signed in, so nobody can say that this call was theirs.",
                "Sign in first.",
            ));
        };
        if let Some(signed) = held.iter().find_map(|r| r.body.envelope.by) {
            return Err(Refusal::new(
                "claim.signed",
                format!("{} signed this call for help.", people::short(self.roster, Some(signed))),
                "Nothing has to be claimed.",
            ));
        }
        if let Some(claim) = self.claim(call) {
            let who = people::short(self.roster, claim.body.envelope.by);
            return Err(Refusal::new(
                "claim.taken",
                format!("{who} has said already that they called."),
                "If that is wrong, write a note that says what is right.",
            ));
        }
        if self.records.about(of).iter().any(|r| answers(r) == Some(by)) {
            return Err(Refusal::new(
                "claim.answered",
                "You answered this call for help, so it cannot be your own.",
                "Ask whoever called to say so.",
            ));
        }
        Ok(())
    }

    /// " · not signed then; M. Okafor said 02:14 that they called"; empty where nothing was claimed.
    pub fn claimed_words(&self, record: &Record) -> String {
        self.claim(record).map_or_else(String::new, |claim| {
            let who = people::short(self.roster, claim.body.envelope.by);
            let (written, call) = (claim.body.envelope.recorded_at, record.body.envelope.observed_at);
            let at = words::clock_near(written, call, self.zone());
            format!(" · not signed then; {who} said {at} that they called")
        })
    }
}

/// Who took notice, or came, by this record.
pub(super) fn answers(record: &Record) -> Option<StaffId> {
    match record.body.event {
        Some(Event::Acknowledged { came, .. }) => came.or(record.body.envelope.by),
        _ => None,
    }
}
