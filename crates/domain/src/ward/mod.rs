//! What records add up to: who is where at which level, what counts as a check, what is due, late, not known.
//! Pure functions of (records, contacts, now); the same on the tablet and on the station.
//!
//! [`records`] folds them, [`situation`] says what holds for one patient, [`card`], [`board`], [`day`] and [`locked`]
//! put it into words, [`may`] says what may be recorded.

mod board;
mod card;
mod day;
mod doubt;
mod emergencies;
mod locked;
mod may;
mod names;
mod records;
mod signal;
mod situation;
mod strip;
mod words;

pub use may::WORDS_MAX;
pub use records::WardRecords;

use crate::ids::{RecordId, StayId, TabletId, WardId};
use crate::kinds::Event;
use crate::record::Envelope;
use crate::refusal::Refusal;
use crate::roster::{Roster, Tablet, Ward};
use crate::time::{MINUTE_MS, Ms, Now};
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

/// After everything that is recorded.
const LATEST: Ms = Ms(i64::MAX);

/// Everything beside the records that a view is made from.
#[derive(Clone, Copy)]
struct Scene<'a> {
    roster: &'a Roster,
    ward_id: WardId,
    ward: Option<&'a Ward>,
    contacts: &'a [ContactMark],
    view: Viewpoint,
    now: Now,
}

impl<'a> Scene<'a> {
    fn new(roster: &'a Roster, ward_id: WardId, contacts: &'a [ContactMark], view: Viewpoint, now: Now) -> Scene<'a> {
        Scene { roster, ward_id, ward: roster.ward(ward_id), contacts, view, now }
    }
    fn zone(&self) -> chrono_tz::Tz {
        self.roster.facility.zone
    }
    fn tolerance_ms(&self) -> i64 {
        i64::from(self.roster.settings.tolerance_minutes) * MINUTE_MS
    }
    /// This tablet; None on the station.
    fn own(&self) -> Option<TabletId> {
        match self.view {
            Viewpoint::Station => None,
            Viewpoint::Tablet { tablet, .. } => Some(tablet),
        }
    }
    /// A tablet that is out of touch itself cannot say who else is: it alarms on what it knows.
    fn knows_contacts(&self) -> bool {
        !matches!(self.view, Viewpoint::Tablet { online: false, .. })
    }
    fn tablets(&self) -> impl Iterator<Item = &'a Tablet> {
        let ward = self.ward_id;
        self.roster.tablets.iter().filter(move |t| t.ward == ward && !t.revoked)
    }
    fn walk_position(&self, bed: &str) -> usize {
        self.ward.and_then(|w| w.beds.iter().position(|b| b.label == bed)).unwrap_or(usize::MAX)
    }
    /// "level as of 01:52" where the tablet is out of touch, or its knowledge is older than the facility allows.
    fn level_as_of(&self) -> String {
        let Viewpoint::Tablet { online, last_contact, .. } = self.view else { return String::new() };
        let Some(last) = last_contact else { return "level not confirmed yet".to_owned() };
        let stale = self.now.best() - last > i64::from(self.roster.settings.level_stale_minutes) * MINUTE_MS;
        if online && !stale {
            String::new()
        } else {
            format!("level as of {}", words::clock_near(last, self.now.best(), self.zone()))
        }
    }
}

impl WardRecords {
    /// The open stays in walking order.
    pub fn open_stays(&self, roster: &Roster, ward: WardId) -> Vec<StayId> {
        let scene = Scene::new(roster, ward, &[], Viewpoint::Station, Now::of_wall(LATEST));
        let mut stays: Vec<_> = self
            .open()
            .map(|(id, stay)| {
                let bed = card::bed_of(stay, LATEST).unwrap_or_default();
                (scene.walk_position(&bed), bed, id)
            })
            .collect();
        stays.sort();
        stays.into_iter().map(|(_, _, id)| id).collect()
    }

    /// The order in force for a stay: the strictest that holds. It goes into the `order` field of new entries.
    pub fn order_in_force(&self, stay: StayId) -> Option<RecordId> {
        situation::order_at(&self.stay(stay)?.orders(), LATEST).0.map(|o| o.id)
    }

    /// The ward of a stay's latest record.
    fn ward_of(&self, stay: StayId) -> Option<WardId> {
        self.stay(stay)?.records.last_key_value().map(|(_, r)| r.body.envelope.ward)
    }

    /// True where nobody may leave the machine asleep: there are patients on the ward.
    pub fn anyone_on_ward(&self) -> bool {
        self.open().next().is_some()
    }
}

pub fn board(
    records: &WardRecords,
    roster: &Roster,
    ward: WardId,
    contacts: &[ContactMark],
    view: Viewpoint,
    now: Now,
) -> Board {
    board::board(records, &Scene::new(roster, ward, contacts, view, now))
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
    locked::locked(records, &Scene::new(roster, ward, contacts, view, now), waiting)
}

/// A patient's entries that were observed in `from..to`. Errors: "stay.unknown".
pub fn day(
    records: &WardRecords,
    roster: &Roster,
    stay: StayId,
    from: Ms,
    to: Ms,
    view: Viewpoint,
    now: Now,
) -> Result<PatientDay, Refusal> {
    let ward = records.ward_of(stay).ok_or_else(may::stay_unknown)?;
    day::day(records, &Scene::new(roster, ward, &[], view, now), stay, from, to)
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
    let view = match envelope.tablet {
        Some(tablet) => {
            Viewpoint::Tablet { tablet, online: false, last_contact: None, confirmed: 0, silenced_until: None }
        }
        None => Viewpoint::Station,
    };
    may::may_record(records, &Scene::new(roster, envelope.ward, &[], view, now), envelope, event)
}
