//! What records add up to: who is where at which level, what counts as a check, what is due, late, not known.
//! Pure functions of (records, contacts, now); the same on the tablet and on the station.

use crate::ids::{RecordId, StayId, TabletId, WardId};
use crate::kinds::Event;
use crate::record::{Envelope, Record};
use crate::refusal::Refusal;
use crate::roster::Roster;
use crate::time::{Ms, Now};
use crate::views::{Board, Locked, PatientDay};
use crate::wire::ContactMark;

/// Who is looking at the board, and what that machine can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewpoint {
    Station,
    Tablet {
        tablet: TabletId,
        online: bool,
        /// Server time of the last contact: levels and others' checks are as of then.
        last_contact: Option<Ms>,
        /// Own links up to this number are confirmed.
        confirmed: u64,
        silenced_until: Option<Ms>,
    },
}

/// All that is known of one ward. Records may be taken in any order and more than once: the result is the same.
#[derive(Clone, Debug, Default)]
pub struct WardRecords {}

impl WardRecords {
    /// Takes a record in. True where it was new.
    pub fn take(&mut self, _record: Record) -> bool {
        unimplemented!()
    }
    /// Forgets observations older than `before`, except what still counts (each stay's last check, standing records).
    pub fn forget_before(&mut self, _before: Ms) {
        unimplemented!()
    }
    /// The open stays in walking order.
    pub fn open_stays(&self, _roster: &Roster, _ward: WardId) -> Vec<StayId> {
        unimplemented!()
    }
    /// The order in force for a stay: the strictest that holds. It goes into the `order` field of new entries.
    pub fn order_in_force(&self, _stay: StayId) -> Option<RecordId> {
        unimplemented!()
    }
    /// True where nobody may leave the machine asleep: there are patients on the ward.
    pub fn anyone_on_ward(&self) -> bool {
        unimplemented!()
    }
}

pub fn board(
    _records: &WardRecords,
    _roster: &Roster,
    _ward: WardId,
    _contacts: &[ContactMark],
    _view: Viewpoint,
    _now: Now,
) -> Board {
    unimplemented!()
}

/// The locked screen; `waiting` is the number of own links that are not confirmed.
pub fn locked(
    _records: &WardRecords,
    _roster: &Roster,
    _ward: WardId,
    _contacts: &[ContactMark],
    _view: Viewpoint,
    _now: Now,
    _waiting: u64,
) -> Locked {
    unimplemented!()
}

/// A patient's entries that were observed in `from..to`. Errors: "stay.unknown".
#[allow(clippy::too_many_arguments)]
pub fn day(
    _records: &WardRecords,
    _roster: &Roster,
    _stay: StayId,
    _from: Ms,
    _to: Ms,
    _view: Viewpoint,
    _now: Now,
) -> Result<PatientDay, Refusal> {
    unimplemented!()
}

/// May this be recorded? Refuses only what cannot be: a future time, an unknown stay, an empty text where text is
/// the entry, a score without an answer. Returns a notice to show with it (empty for none), such as a repeat within
/// a minute. Everything merely odd is recorded and flagged.
pub fn may_record(
    _records: &WardRecords,
    _roster: &Roster,
    _envelope: &Envelope,
    _event: &Event,
    _now: Now,
) -> Result<String, Refusal> {
    unimplemented!()
}
