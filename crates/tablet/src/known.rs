//! What the tablet holds in memory to answer at once: the ward's records, the roster, the other tablets' contacts.

use crate::file::{Broken, File};
use crate::file::{bodies, meta, roster};
use crate::tablet::ROSTER;
use lamplight_domain::roster::Roster;
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
    pub roster: Option<Arc<Roster>>,
    pub contacts: Vec<ContactMark>,
}

impl Known {
    pub fn load(records: &File, identity: &File, now: Ms) -> Result<Known, Broken> {
        let roster = match identity.read(roster::get)? {
            None => records.read(|from| meta::get(from, ROSTER))?,
            found => found,
        };
        let mut known = Known { roster: roster.map(Arc::new), ..Known::default() };
        let (held, contacts) =
            records.read(|from| Ok((bodies::for_board(from, now - IN_MEMORY_MS)?, meta::get(from, CONTACTS)?)))?;
        for record in held {
            known.records.take(record);
        }
        known.contacts = contacts.unwrap_or_default();
        Ok(known)
    }
}
