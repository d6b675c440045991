//! Tablets that were moved to another ward, and what other processes changed in the roster.

use super::join::revoked;
use super::{FacilityServer, read_again, trouble};
use crate::store::{self, StoreError, moves};
use lamplight_domain::ids::{TabletId, WardId};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::Trouble;
use rusqlite::Connection;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// By tablet, the ward on which it still works: it was moved and has not read its new ward's feed yet.
#[derive(Default)]
pub(super) struct StillOn(RwLock<HashMap<TabletId, WardId>>);

impl StillOn {
    pub fn load(db: &Connection) -> Result<StillOn, StoreError> {
        Ok(StillOn(RwLock::new(moves::all(db)?)))
    }
    pub fn read_again(&self, db: &Connection) -> Result<(), StoreError> {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = moves::all(db)?;
        Ok(())
    }
    pub fn of(&self, tablet: TabletId) -> Option<WardId> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&tablet).copied()
    }
}

impl FacilityServer {
    /// The ward that a tablet belongs to now. Errors: "tablet.revoked", "ward.not_yours" where the roster does not
    /// know it.
    pub(super) fn ward_of(&self, tablet: Option<TabletId>) -> Result<WardId, Refusal> {
        let roster = self.roster();
        match tablet.and_then(|id| roster.tablets.iter().find(|t| t.id == id)) {
            Some(tablet) if tablet.revoked => Err(revoked()),
            Some(tablet) => Ok(tablet.ward),
            None => Err(super::feed::not_yours()),
        }
    }

    /// A tablet reads the feed of the ward that it belongs to: nobody waits for it on another one any more.
    pub(super) async fn has_arrived(&self, tablet: Option<TabletId>) -> Result<(), Trouble> {
        let Some(id) = tablet.filter(|id| self.inner.still_on.of(*id).is_some()) else { return Ok(()) };
        let (still_on, live) = (self.inner.still_on.clone(), self.inner.live.clone());
        let work = move |db: &Connection| {
            moves::arrived(db, id)?;
            still_on.read_again(db)
        };
        self.inner.writer.write(work, move |()| live.bump_all()).await.map_err(trouble)
    }

    /// Takes in what a command beside this process wrote: a roster of another version, and the records of it. True
    /// where there was something.
    pub async fn notice_changes(&self) -> Result<bool, Trouble> {
        let newest = self.inner.readers.read(store::roster::newest_version).await.map_err(trouble)?;
        if newest == self.roster().version {
            return Ok(false);
        }
        let inner = self.inner.clone();
        // On the writer's thread, so that nothing is committed between reading and taking it in.
        let work =
            move |db: &Connection| read_again(db, &inner.live, &inner.roster, &inner.still_on, inner.around.now());
        self.inner.writer.write(work, |()| {}).await.map_err(trouble)?;
        Ok(true)
    }
}
