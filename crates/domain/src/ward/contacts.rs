//! When each tablet of the ward was last in touch, and which are silent.

use super::Viewpoint;
use super::log::Shelf;
use super::look::Look;
use crate::ids::{TabletId, WardId};
use crate::kinds::Event;
use crate::time::Ms;
use crate::views::Contact;
use crate::wire::{ContactMark, SILENT_AFTER_MS};

impl Look<'_> {
    /// The ward's tablets by name. A tablet out of touch says of others what it knew at its own last contact.
    pub fn contacts(&self, ward: WardId, marks: &[ContactMark]) -> Vec<Contact> {
        let mut contacts: Vec<Contact> = self
            .roster
            .tablets
            .iter()
            // A mark of the server's says that a tablet which was moved still works here.
            .filter(|t| t.ward == ward || marks.iter().any(|mark| mark.tablet == t.id))
            .map(|tablet| {
                let revoked = tablet.revoked || self.is_revoked(ward, tablet.id);
                let mark = marks.iter().filter(|m| m.tablet == tablet.id).max_by_key(|m| (m.last, m.confirmed));
                let (last, confirmed) = self.last_contact(tablet.id, mark);
                let silent = match self.view {
                    Viewpoint::Tablet { tablet: own, online, .. } if own == tablet.id => !online,
                    _ => last.is_none_or(|last| self.contacts_as_of() - last > SILENT_AFTER_MS),
                };
                Contact {
                    tablet: tablet.id,
                    name: tablet.name.clone(),
                    last,
                    last_clock: last.map(|at| self.clock(at)).unwrap_or_default(),
                    silent: silent && !revoked,
                    revoked,
                    confirmed,
                }
            })
            .collect();
        contacts.sort_by(|a, b| (&a.name, a.tablet).cmp(&(&b.name, b.tablet)));
        contacts
    }

    /// Tablets that may hold a check which is not known here: silent since before `due_at`. A tablet that is out of
    /// touch itself does not guess about others: it alarms on what it knows.
    pub fn silent_since<'c>(&self, contacts: &'c [Contact], due_at: Ms) -> Vec<&'c str> {
        let own = match self.view {
            Viewpoint::Tablet { online: false, .. } => return Vec::new(),
            Viewpoint::Tablet { tablet, .. } => Some(tablet),
            Viewpoint::Station => None,
        };
        let is_meant = |c: &&Contact| c.silent && Some(c.tablet) != own && c.last.is_none_or(|last| last < due_at);
        contacts.iter().filter(is_meant).map(|c| c.name.as_str()).collect()
    }

    fn contacts_as_of(&self) -> Ms {
        match self.view {
            Viewpoint::Tablet { online: false, last_contact: Some(last), .. } => last,
            _ => self.now(),
        }
    }

    fn last_contact(&self, tablet: TabletId, mark: Option<&ContactMark>) -> (Option<Ms>, u64) {
        let (last, known) = (mark.and_then(|m| m.last), mark.map_or(0, |m| m.confirmed));
        match self.view {
            Viewpoint::Tablet { tablet: own, last_contact, confirmed, .. } if own == tablet => {
                (last_contact.or(last), confirmed)
            }
            _ => (last, known),
        }
    }

    fn is_revoked(&self, ward: WardId, tablet: TabletId) -> bool {
        let Some(log) = self.ward_log(ward) else { return false };
        let revokes =
            |e: &Option<Event>| matches!(e, Some(Event::TabletRevoked { tablet: revoked, .. }) if *revoked == tablet);
        log.all(Shelf::Tablet).any(|r| revokes(&r.body.event))
    }
}
