//! Writing down what concerns the ward: acknowledgements, ends of emergencies, who holds the observations, who watches whom.

use crate::file::bodies;
use crate::record::{Entry, join_first, no_roster};
use crate::tablet::Inner;
use lamplight_domain::commands::{BedChoice, EndEmergency, Saved, TakeUp, TakenUp};
use lamplight_domain::ids::{RecordId, StaffId, StayId};
use lamplight_domain::kinds::{Event, StayProvisional};
use lamplight_domain::record::Auth;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{Bed, Role};
use lamplight_domain::ward::bed_is_taken;
use std::collections::HashSet;

/// More watches of one stay than the newest ones that can still run.
const WATCHES_MAX: u32 = 200;

impl Inner {
    /// Errors: those of [`lamplight_domain::ward::may_record`].
    pub(super) fn take_up(&self, ask: TakeUp) -> Result<TakenUp, Refusal> {
        let by = Some(self.signed_in()?.staff);
        let stay = StayId(self.new_id(self.clock.read().wall)?.0);
        let known = StayProvisional { words: ask.words.trim().to_owned(), bed: ask.bed };
        let event = Event::StayProvisional(known);
        let saved = self.record(Entry { by, auth: Auth::Pin, stay: Some(stay), id: None, event, observed_at: None })?;
        Ok(TakenUp { stay, saved })
    }

    pub(super) fn beds(&self) -> Result<Vec<BedChoice>, Refusal> {
        let ward = self.identity().ok_or_else(join_first)?.ward;
        let known = self.known();
        let roster = known.roster.as_deref().ok_or_else(no_roster)?;
        let choice = |bed: &Bed| BedChoice {
            bed: bed.label.clone(),
            taken: bed_is_taken(&known.records, roster, ward, &bed.label, None),
        };
        Ok(roster.ward(ward).into_iter().flat_map(|w| &w.beds).map(choice).collect())
    }

    pub(super) fn take_over(&self, census_count: u16) -> Result<Saved, Refusal> {
        self.of_ward(Event::HoldingTaken { census_count })
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

    pub(super) fn running_watch(&self, stay: StayId, person: StaffId) -> Result<Option<RecordId>, Refusal> {
        let stays = self.known().records.together(stay);
        let (started, ended) = self.records.read(|from| {
            let (mut started, mut ended) = (Vec::new(), Vec::new());
            for stay in &stays {
                started.extend(bodies::of_stay_and_kind(from, *stay, "watch.started", WATCHES_MAX)?);
                ended.extend(bodies::of_stay_and_kind(from, *stay, "watch.ended", WATCHES_MAX)?);
            }
            Ok((started, ended))
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

    /// Errors: "claim.…", "record.unknown".
    pub(super) fn claim(&self, of: RecordId) -> Result<Saved, Refusal> {
        let stay = self.stay_of(of)?;
        self.signed(stay, Event::Claimed { of })
    }

    fn of_ward(&self, event: Event) -> Result<Saved, Refusal> {
        self.signed(None, event)
    }

    fn signed(&self, stay: Option<StayId>, event: Event) -> Result<Saved, Refusal> {
        let by = Some(self.signed_in()?.staff);
        self.record(Entry { by, auth: Auth::Pin, stay, id: None, event, observed_at: None })
    }
}
