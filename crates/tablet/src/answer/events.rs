//! Writing down what concerns the ward: emergencies, acknowledgements, who holds the observations, who watches whom.

use crate::file::bodies;
use crate::record::Entry;
use crate::tablet::Inner;
use lamplight_domain::commands::{EndEmergency, Raise, Raised, Saved};
use lamplight_domain::ids::{RecordId, StaffId, StayId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::Auth;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::Role;
use lamplight_domain::views::{Board, OpenEmergency};
use std::collections::HashSet;

/// More watches of one stay than the newest ones that can still run.
const WATCHES_MAX: u32 = 200;

impl Inner {
    /// Help is recorded whoever asks: unsigned while locked.
    pub(super) fn raise(&self, raise: Raise) -> Result<Raised, Refusal> {
        let session = self.session();
        let auth = if session.is_some() { Auth::Pin } else { Auth::None };
        let event = Event::Emergency { what: raise.what, place: raise.place };
        let by = session.map(|s| s.staff);
        let saved = self.record(Entry { by, auth, stay: raise.stay, id: None, event, observed_at: None })?;
        let found = self.board()?.emergencies.into_iter().find(|e| e.record == saved.record);
        let emergency = found.ok_or_else(|| {
            Refusal::new(
                "emergency.not_shown",
                "The call for help is saved on this tablet, but cannot be shown.",
                "Use your alarm or shout.",
            )
        })?;
        let emergency = if session.is_some() { emergency } else { without_names(emergency) };
        Ok(Raised { record: saved.record, emergency })
    }

    pub(super) fn take_over(&self, census_count: u16) -> Result<Board, Refusal> {
        self.of_ward(Event::HoldingTaken { census_count })?;
        self.board()
    }

    pub(super) fn verify(&self) -> Result<Saved, Refusal> {
        self.of_ward(Event::Verified { note: String::new() })
    }

    pub(super) fn start_watch(&self, stay: StayId) -> Result<Saved, Refusal> {
        let watcher = self.signed_in()?.staff;
        self.signed(Some(stay), Event::WatchStarted { watcher })
    }

    /// Ends the signed-in person's own watch. Errors: "watch.none".
    pub(super) fn end_watch(&self, stay: StayId) -> Result<Saved, Refusal> {
        let watcher = self.signed_in()?.staff;
        let of = self.running_watch(stay, watcher)?.ok_or_else(|| {
            Refusal::new(
                "watch.none",
                "You are not recorded as being with this patient.",
                "Look at the board for who is with the patient.",
            )
        })?;
        self.signed(Some(stay), Event::WatchEnded { of })
    }

    fn running_watch(&self, stay: StayId, person: StaffId) -> Result<Option<RecordId>, Refusal> {
        let (started, ended) = self.records.read(|from| {
            let of_kind = |kind| bodies::of_stay_and_kind(from, stay, kind, WATCHES_MAX);
            Ok((of_kind("watch.started")?, of_kind("watch.ended")?))
        })?;
        let over: HashSet<RecordId> = ended
            .iter()
            .filter_map(|r| if let Some(Event::WatchEnded { of }) = r.body.event { Some(of) } else { None })
            .collect();
        let is_theirs = |e: &Option<Event>| matches!(e, Some(Event::WatchStarted { watcher }) if *watcher == person);
        Ok(started.iter().find(|r| is_theirs(&r.body.event) && !over.contains(&r.id())).map(|r| r.id()))
    }

    pub(super) fn acknowledge_level(&self, order: RecordId) -> Result<Saved, Refusal> {
        let stay = self.stay_of(order)?;
        self.signed(stay, Event::OrderAcknowledged { of: order })
    }

    /// A nurse takes notice themselves; a technician names who came. Errors: "acknowledge.who", "staff.unknown".
    pub(super) fn acknowledge(&self, of: RecordId, came: Option<StaffId>) -> Result<Saved, Refusal> {
        let session = self.signed_in()?;
        if session.role == Role::Technician && came.is_none() {
            return Err(Refusal::new(
                "acknowledge.who",
                "A nurse acknowledges this, or you say who came.",
                "Choose the person who is here now.",
            ));
        }
        let is_known = |staff| self.roster().is_some_and(|r| r.person(staff).is_some());
        if came.is_some_and(|staff| !is_known(staff)) {
            return Err(Refusal::new(
                "staff.unknown",
                "This tablet does not know that person.",
                "Choose somebody from the list.",
            ));
        }
        let stay = self.stay_of(of)?;
        self.signed(stay, Event::Acknowledged { of, came })
    }

    pub(super) fn end_emergency(&self, end: EndEmergency) -> Result<Saved, Refusal> {
        let stay = self.stay_of(end.of)?;
        self.signed(stay, Event::EmergencyEnded { of: end.of, words: end.words })
    }

    fn of_ward(&self, event: Event) -> Result<Saved, Refusal> {
        self.signed(None, event)
    }

    fn signed(&self, stay: Option<StayId>, event: Event) -> Result<Saved, Refusal> {
        let by = Some(self.signed_in()?.staff);
        self.record(Entry { by, auth: Auth::Pin, stay, id: None, event, observed_at: None })
    }
}

/// As a locked screen may show it: place and state, no names, no times of others.
fn without_names(emergency: OpenEmergency) -> OpenEmergency {
    OpenEmergency {
        name: String::new(),
        last_seen: String::new(),
        by: String::new(),
        acknowledged_by: emergency.acknowledged_by.map(|_| "somebody".to_owned()),
        others_due: Vec::new(),
        ..emergency
    }
}
