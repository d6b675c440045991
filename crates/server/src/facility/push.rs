//! Push and confirm: a batch into the chains, a signed receipt out of them, after the commit.

use super::feed::Lost;
use super::{FacilityServer, trouble};
use crate::store::StoreError;
use crate::store::append::{Appended, Prepared, append};
use lamplight_domain::wire::{Batch, Blob, PushAnswer, Trouble};
use rusqlite::Connection;
use std::sync::PoisonError;

const SMALL_LINKS: usize = 8;
const SMALL_BYTES: usize = 8 * 1024;

impl FacilityServer {
    pub(super) async fn take_push(&self, batch: Batch) -> Result<PushAnswer, Trouble> {
        let _under_way = self.inner.pushes.begin();
        let facility = self.inner.identity.facility;
        let author = batch.header.author;
        let prepared = match is_small(&batch) {
            true => Prepared::new(batch, facility),
            false => tokio::task::spawn_blocking(move || Prepared::new(batch, facility))
                .await
                .map_err(|_| trouble(StoreError::NotDone))?,
        };
        let appended = self.append(move |_| Ok(prepared)).await.map_err(trouble)?;
        if let Some(had_at) = appended.lost {
            self.new_generation(Lost::Links(had_at)).await?;
        }
        if let Some(refused) = appended.refused {
            tracing::info!(%author, ?refused, "a batch was not taken");
        }
        Ok(PushAnswer { receipt: appended.receipt, refused: appended.refused, server_time: self.inner.around.now() })
    }

    /// Commits a batch, then lets the boards and the waiting readers know. `batch` is asked for inside the transaction.
    pub(super) async fn append(
        &self,
        batch: impl FnOnce(&Connection) -> Result<Prepared, StoreError> + Send + 'static,
    ) -> Result<Appended, StoreError> {
        let (facts, around) = (self.facts(), self.inner.around.clone());
        let (live, contacts) = (self.inner.live.clone(), self.inner.contacts.clone());
        let newest = self.inner.roster.clone();
        let clock = self.inner.around.clone();
        self.inner
            .writer
            .write(
                move |db| append(db, &facts, &batch(db)?, around.now()),
                move |done| {
                    if let (Some(tablet), Some(receipt)) = (done.tablet, &done.receipt) {
                        contacts.confirm(tablet, &receipt.head, clock.now());
                    }
                    live.take(&done.rows);
                    if let Some(roster) = &done.roster {
                        *newest.write().unwrap_or_else(PoisonError::into_inner) = roster.clone();
                        live.bump_all();
                    }
                },
            )
            .await
    }
}

/// Hashed and read sooner than handed to another thread: an entry or a few, as they come all day.
fn is_small(batch: &Batch) -> bool {
    let size = |blob: &Blob| if let Blob::Bytes(bytes) = blob { bytes.len() } else { 0 };
    batch.bodies.len() <= SMALL_LINKS && batch.bodies.iter().map(size).sum::<usize>() <= SMALL_BYTES
}
