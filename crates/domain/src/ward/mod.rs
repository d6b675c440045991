//! What records add up to: who is where at which level, what counts as a check, what is due, late, not known.
//! Pure functions of (records, contacts, now); the same on the tablet and on the station.
//!
//! Read in this order: `log` (where records stand), `joins` (which stays are one), `frame` (when was it seen), `counts`
//! (what closes a gap),
//! `timeline` (what held when), `gap` (**where lateness is decided**), `state` (how a patient stands now), `card`, `board`.

mod board;
mod card;
mod claims;
mod clocks;
mod contacts;
mod counts;
mod day;
mod emergencies;
mod frame;
mod gap;
mod given;
mod identity;
mod in_force;
mod joins;
mod locked;
mod log;
mod look;
mod may;
mod names;
mod pad;
mod people;
mod records;
mod rounds;
mod rows;
mod signal;
mod state;
mod strip;
mod timeline;
mod watch;
mod words;

pub use given::WORDS_MAX_CHARS;
pub use in_force::{bed_of, orders_in_force, pause_in_force};
pub use log::refers_to;
pub use pad::PadParts;
pub use records::WardRecords;

use crate::ids::{AuthorId, StaffId, StayId, TabletId, WardId};
use crate::kinds::Event;
use crate::record::{Body, Envelope};
use crate::refusal::Refusal;
use crate::roster::Roster;
use crate::time::{Ms, Now};
use crate::views::{Board, Card, Locked, OpenEmergency, PatientDay};
use crate::wire::ContactMark;
use look::Look;

/// Who is looking at the board, and what that machine can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewpoint {
    Station,
    Tablet {
        tablet: TabletId,
        online: bool,
        /// Server time of the last contact: levels and others' checks are as of then.
        last_contact: Option<Ms>,
        /// Who numbers this tablet's links now; None before it has written any.
        author: Option<AuthorId>,
        /// That author's links up to this number are confirmed.
        confirmed: u64,
        silenced_until: Option<Ms>,
        /// None while locked.
        signed_in: Option<StaffId>,
    },
}

pub fn board(
    records: &WardRecords,
    roster: &Roster,
    ward: WardId,
    contacts: &[ContactMark],
    view: Viewpoint,
    now: Now,
) -> Board {
    Look::new(records, roster, view, now).board(ward, contacts)
}

/// The locked screen; `waiting` is the number of own links that are not confirmed.
pub fn locked(
    records: &WardRecords,
    roster: &Roster,
    ward: WardId,
    contacts: &[ContactMark],
    view: Viewpoint,
    now: Now,
    waiting: u64,
) -> Locked {
    Look::new(records, roster, view, now).locked(ward, contacts, waiting)
}

/// A patient's entries that were observed in `from..to`, up to and with now where `to` is now or later.
/// Errors: "stay.unknown".
#[allow(clippy::too_many_arguments)]
pub fn day(
    records: &WardRecords,
    roster: &Roster,
    stay: StayId,
    from: Ms,
    to: Ms,
    view: Viewpoint,
    now: Now,
) -> Result<PatientDay, Refusal> {
    Look::new(records, roster, view, now).day(stay, from, to)
}

/// The same on a machine that keeps what was observed only from `kept_since` on: nothing is counted of the time before,
/// for what is not kept is not known to be missing. A remark says so. Errors: "stay.unknown".
#[allow(clippy::too_many_arguments)]
pub fn day_kept_since(
    records: &WardRecords,
    roster: &Roster,
    stay: StayId,
    (from, to): (Ms, Ms),
    kept_since: Ms,
    view: Viewpoint,
    now: Now,
) -> Result<PatientDay, Refusal> {
    Look::new(records, roster, view, now).day_kept_since(stay, from, to, kept_since)
}

/// What a check pad shows beside the card. Errors: "stay.unknown".
pub fn pad_parts(
    records: &WardRecords,
    roster: &Roster,
    stay: StayId,
    view: Viewpoint,
    now: Now,
) -> Result<PadParts, Refusal> {
    Look::new(records, roster, view, now).pad_parts(stay)
}

/// The card of a stay that is not on the ward's board any more, because the patient has left or is on another ward:
/// what was seen of them can still be written down. Errors: "stay.unknown".
pub fn card_of_one_gone(
    records: &WardRecords,
    roster: &Roster,
    stay: StayId,
    view: Viewpoint,
    now: Now,
) -> Result<Card, Refusal> {
    Look::new(records, roster, view, now).card_of_one_gone(stay)
}

/// A call for help that the tablet could not write down, as it is shown meanwhile. None where `body` is no call for help.
#[allow(clippy::too_many_arguments)]
pub fn emergency_not_recorded(
    records: &WardRecords,
    roster: &Roster,
    ward: WardId,
    contacts: &[ContactMark],
    view: Viewpoint,
    now: Now,
    body: Body,
) -> Option<OpenEmergency> {
    Look::new(records, roster, view, now).not_recorded(ward, contacts, body)
}

/// Somebody else has the bed, as the census has it.
pub fn bed_is_taken(records: &WardRecords, roster: &Roster, ward: WardId, bed: &str, but: Option<StayId>) -> bool {
    records.patients(roster, ward).iter().any(|p| p.bed == Some(bed) && Some(p.stay) != but)
}

/// The moment that a board is true for.
pub fn moment(records: &WardRecords, now: Now) -> Ms {
    frame::Frame::of(now, records.latest_receipt).now
}

/// May this be recorded? Refuses only what cannot be: a future time, an unknown stay, an empty text where text is
/// the entry, a score without an answer. Returns a notice to show with it (empty for none), such as a repeat within
/// a minute. Everything merely odd is recorded and flagged.
pub fn may_record(
    records: &WardRecords,
    roster: &Roster,
    envelope: &Envelope,
    event: &Event,
    now: Now,
) -> Result<String, Refusal> {
    Look::new(records, roster, may::NOBODY, now).may_record(envelope, event)
}
