//! What the tablet holds in memory to answer at once: the ward's records, the roster, the other tablets' contacts.

use crate::file::{Broken, File};
use crate::file::{bodies, guests, meta, roster};
use crate::tablet::ROSTER;
use lamplight_domain::roster::{Roster, Staff};
use lamplight_domain::time::{HOUR_MS, Ms};
use lamplight_domain::ward::WardRecords;
use lamplight_domain::wire::ContactMark;
use std::sync::Arc;

/// Observations older than this are read from the file when a day is looked at. A day, and a shift before it.
pub const IN_MEMORY_MS: i64 = 36 * HOUR_MS;
pub const CONTACTS: &str = "contacts";

#[derive(Default)]
pub struct Known {
    pub records: WardRecords,
    /// With the people who were given access here and whom the station's does not have yet.
    pub roster: Option<Arc<Roster>>,
    /// The file with everybody's PINs was lost: nobody can sign in until the station has sent the roster anew.
    pub lacks_pins: bool,
    pub contacts: Vec<ContactMark>,
}

impl Known {
    pub fn load(records: &File, identity: &File, now: Ms) -> Result<Known, Broken> {
        let (first, second) = (identity.read(roster::get)?, records.read(|from| meta::get::<Roster>(from, ROSTER))?);
        let lacks_pins = first.is_none() && second.is_some();
        if let (Some(roster), None, false) = (&first, &second, records.is_frozen()) {
            records.write(|to| meta::set(to, ROSTER, roster))?;
        }
        let guests = identity.read(guests::all)?;
        let roster = first.or(second).map(|roster| Arc::new(with_guests(&roster, guests)));
        let mut known = Known { roster, lacks_pins, ..Known::default() };
        let (held, contacts) =
            records.read(|from| Ok((bodies::for_board(from, now - IN_MEMORY_MS)?, meta::get(from, CONTACTS)?)))?;
        for record in held {
            known.records.take(record);
        }
        known.contacts = contacts.unwrap_or_default();
        Ok(known)
    }
}

/// The station's own word about a person goes before what this tablet was told.
pub fn with_guests(roster: &Roster, guests: Vec<Staff>) -> Roster {
    let mut all = roster.clone();
    all.staff.extend(guests.into_iter().filter(|guest| roster.person(guest.id).is_none()));
    all
}
