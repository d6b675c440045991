//! When each tablet was last in touch. Kept in memory at every request; written down every few seconds.

use super::FacilityServer;
use crate::store::StoreError;
use crate::store::authors::Author;
use crate::store::contacts::{self, Contact};
use lamplight_domain::chain::Head;
use lamplight_domain::ids::{TabletId, WardId};
use lamplight_domain::time::Ms;
use lamplight_domain::wire::ContactMark;
use rusqlite::Connection;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

#[derive(Default)]
pub struct Contacts {
    by: Mutex<HashMap<TabletId, Known>>,
}

struct Known {
    contact: Contact,
    written: bool,
}

impl Contacts {
    pub fn load(db: &Connection) -> Result<Contacts, StoreError> {
        let known = contacts::all(db)?.into_iter().map(|contact| (contact.tablet, Known { contact, written: true }));
        Ok(Contacts { by: Mutex::new(known.collect()) })
    }

    fn of(&self, tablet: TabletId) -> Option<Contact> {
        self.by.lock().unwrap_or_else(PoisonError::into_inner).get(&tablet).map(|k| k.contact)
    }

    fn touch(&self, tablet: TabletId, author: &Author, now: Ms) {
        let mut by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = Contact { tablet, author: author.id, last: now, confirmed: 0 };
        let known = by.entry(tablet).or_insert(Known { contact: fresh, written: false });
        if known.contact.author != author.id {
            // After a fork the tablet writes as somebody new.
            known.contact = fresh;
        }
        known.contact.last = known.contact.last.max(now);
        known.written = false;
    }

    /// A head of the tablet's author that is committed.
    pub fn confirm(&self, tablet: TabletId, head: &Head, now: Ms) {
        let mut by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = Contact { tablet, author: head.author, last: now, confirmed: head.seq };
        let known = by.entry(tablet).or_insert(Known { contact: fresh, written: false });
        known.contact = Contact { last: known.contact.last.max(now), ..fresh };
        known.written = false;
    }

    /// What is not written down yet; from now on it counts as written.
    fn take_unwritten(&self) -> Vec<Contact> {
        let mut by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        let unwritten = by.values_mut().filter(|k| !k.written);
        unwritten
            .map(|k| {
                k.written = true;
                k.contact
            })
            .collect()
    }
}

impl FacilityServer {
    /// A tablet was in touch: its request was signed by its author.
    pub fn touch(&self, author: &Author) {
        if let Some(tablet) = author.tablet {
            self.inner.contacts.touch(tablet, author, self.inner.around.now());
        }
    }

    /// When a tablet was last in touch, and the number up to which its newest author's entries are held: what was written
    /// after it may be on the tablet alone. None for one that was never in touch.
    pub fn last_known(&self, tablet: TabletId) -> Option<(Ms, u64)> {
        self.inner.contacts.of(tablet).map(|known| (known.last, known.confirmed))
    }

    /// All tablets of a ward, as of now.
    pub fn contact_marks(&self, ward: WardId) -> Vec<ContactMark> {
        let roster = self.roster();
        // A tablet that was moved works on its old ward until it hears of it.
        let still_on = self.inner.still_on.clone();
        let of_ward = roster.tablets.iter().filter(|t| t.ward == ward || still_on.of(t.id) == Some(ward));
        of_ward
            .map(|t| {
                let known = self.inner.contacts.of(t.id);
                ContactMark { tablet: t.id, last: known.map(|k| k.last), confirmed: known.map_or(0, |k| k.confirmed) }
            })
            .collect()
    }

    /// Writes down what changed since the last time.
    pub async fn write_contacts(&self) {
        let unwritten = self.inner.contacts.take_unwritten();
        if unwritten.is_empty() {
            return;
        }
        let written = self.inner.writer.write(
            move |db| {
                for contact in &unwritten {
                    contacts::put(db, contact)?;
                }
                Ok(())
            },
            |()| {},
        );
        if let Err(e) = written.await {
            tracing::warn!(error = %e, "contacts were not written down");
        }
    }
}
