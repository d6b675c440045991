//! Changes of what the facility set up: the roster, what belongs to it, and the records that say so, in one transaction.
//! The one way for the station and for the command line.

use super::own::{Own, OwnAuthor, body_of};
use super::{FacilityServer, Identity, trouble};
use crate::store::append::{Appended, Facts, NewRow, Prepared, append};
use crate::store::{self, StoreError};
use crate::surroundings::Surroundings;
use lamplight_domain::ids::{FacilityId, RecordId, StaffId, StayId, WardId};
use lamplight_domain::kinds::{Audit, Event};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::Roster;
use lamplight_domain::time::Ms;
use lamplight_domain::wire::Trouble;
use rusqlite::Connection;
use std::sync::{Arc, PoisonError};

/// A change under way. Where it ends with an error, nothing of it was done.
pub struct Changing<'a> {
    pub db: &'a Connection,
    /// As it is now; what it is at the end holds from then on, under the next version.
    pub roster: Roster,
    pub by: Option<StaffId>,
    pub now: Ms,
    around: &'a Surroundings,
    facility: FacilityId,
    bodies: Vec<Vec<u8>>,
}

impl Changing<'_> {
    /// Of a ward as a whole. Errors: "entry.too_long".
    pub fn record(&mut self, ward: WardId, event: Event) -> Result<RecordId, Refusal> {
        self.record_of(ward, None, event)
    }
    /// Errors: "entry.too_long".
    pub fn record_of(&mut self, ward: WardId, stay: Option<StayId>, event: Event) -> Result<RecordId, Refusal> {
        let own = Own { ward, stay, by: self.by, event };
        let (id, bytes) = body_of(self.around, self.facility, own)?;
        self.bodies.push(bytes);
        Ok(id)
    }
    /// Errors: "entry.too_long".
    pub fn audit(&mut self, audit: Audit) -> Result<(), Refusal> {
        self.record(WardId::FACILITY, Event::Audit(audit)).map(|_| ())
    }
}

/// What a change came to.
pub struct Changed<T> {
    pub value: T,
    /// Where it is another one.
    pub roster: Option<Arc<Roster>>,
    pub rows: Vec<NewRow>,
}

/// For whoever writes, inside a transaction.
pub fn change<T>(
    db: &Connection,
    identity: &Identity,
    author: &OwnAuthor,
    around: &Surroundings,
    by: Option<StaffId>,
    work: impl FnOnce(&mut Changing<'_>) -> Result<T, StoreError>,
) -> Result<Changed<T>, StoreError> {
    let before = store::roster::newest(db)?;
    let (roster, facility) = (before.clone(), identity.facility);
    let mut changing = Changing { db, roster, by, now: around.now(), around, facility, bodies: Vec::new() };
    let value = work(&mut changing)?;
    let Changing { mut roster, by, now, bodies, .. } = changing;
    let is_new = roster != before;
    if is_new {
        roster.version = before.version + 1;
        store::roster::put(db, &roster, now, by)?;
    }
    let roster = Arc::new(roster);
    let mut done = Appended::default();
    if !bodies.is_empty() {
        let batch = author.batch(author.head(db)?, bodies, around.uuid());
        let facts = Facts { facility: identity.facility, key: identity.key.clone(), roster: roster.clone() };
        done = append(db, &facts, &Prepared::new(batch, identity.facility), now)?;
        if let Some(refused) = done.refused {
            return Err(StoreError::Broken(format!("own record not taken: {refused:?}")));
        }
    }
    Ok(Changed { value, roster: Some(roster).filter(|_| is_new), rows: done.rows })
}

impl FacilityServer {
    /// Done and durable when this returns, for every reader. Errors: those of `work`.
    pub async fn change<T: Send + 'static>(
        &self,
        by: Option<StaffId>,
        work: impl FnOnce(&mut Changing<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Trouble> {
        let inner = &self.inner;
        let (identity, own, around) = (inner.identity.clone(), inner.own.clone(), inner.around.clone());
        let (live, newest, still_on) = (inner.live.clone(), inner.roster.clone(), inner.still_on.clone());
        let changed = inner
            .writer
            .write(
                move |db| {
                    let changed = change(db, &identity, &own, &around, by, work)?;
                    still_on.read_again(db)?;
                    Ok(changed)
                },
                move |changed| {
                    live.take(&changed.rows);
                    if let Some(roster) = &changed.roster {
                        *newest.write().unwrap_or_else(PoisonError::into_inner) = roster.clone();
                        live.bump_all();
                    }
                },
            )
            .await;
        Ok(changed.map_err(trouble)?.value)
    }
}
