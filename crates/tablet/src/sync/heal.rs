//! After a fork (this tablet was restored or copied, or its file was damaged): a fresh author, endorsed by the old
//! one, writes down again every own body that the server lacks. Nothing is lost, nothing doubled.

use super::push::{Pushing, local};
use crate::file::{bodies, links, lock, meta};
use crate::tablet::Inner;
use crate::trouble;
use lamplight_domain::chain::{Hash, Head};
use lamplight_domain::wire::{BATCH_MAX_LINKS, Facility, OfferAsk, Trouble};
use std::sync::Arc;

/// Set while own bodies may still be unlinked under the newest author; survives a crash in between.
const HEALING: &str = "healing";
/// Hashes of one offer.
const OFFER_MAX: usize = BATCH_MAX_LINKS * 4;
/// Links of one transaction: a recording waits for one of them at most.
const RELINK_MAX: usize = 200;

impl Inner {
    pub(super) fn is_healing(&self) -> Result<bool, Trouble> {
        Ok(self.records.read(|from| meta::get(from, HEALING)).map_err(local)?.unwrap_or(false))
    }

    /// Durable before the author changes: from here on the healing goes on after any crash.
    pub(super) async fn begin_healing(self: &Arc<Self>) -> Result<(), Trouble> {
        self.blocking(|inner| {
            inner.records.write(|to| meta::set(to, HEALING, &true)).map_err(local)?;
            let mut pen = lock(&inner.pen);
            let identity = inner.identity().ok_or_else(|| Trouble::Refused(crate::record::join_first()))?;
            let fresh = identity.with_fresh_author().map_err(Trouble::Refused)?;
            let identity = inner.set_identity(fresh).map_err(local)?;
            *pen = inner.take_pen(&identity).map_err(local)?;
            tracing::warn!("a fork: this tablet writes under a fresh author from now on");
            inner.set_trouble(true, trouble::fork());
            inner.changed();
            Ok(())
        })
        .await
    }

    pub(super) async fn heal<F: Facility + Sync>(
        self: &Arc<Self>,
        facility: &F,
        pushing: &mut Pushing,
    ) -> Result<(), Trouble> {
        // The server must know the fresh author before it answers an offer of it.
        self.introduce(facility, pushing).await?;
        let own = self.blocking(|inner| inner.records.read(links::own_bodies).map_err(local)).await?;
        for offered in own.chunks(OFFER_MAX) {
            let author = self.sync_state().author.ok_or_else(|| Trouble::Refused(crate::record::join_first()))?;
            let answer = facility.offer(OfferAsk { author, bodies: offered.to_vec() }).await?;
            for lacking in answer.lacks.chunks(RELINK_MAX) {
                let lacking = lacking.to_vec();
                self.blocking(move |inner| inner.relink(&lacking)).await?;
            }
        }
        self.blocking(|inner| inner.records.write(|to| meta::set(to, HEALING, &false)).map_err(local)).await
    }

    /// Links bodies again that the newest author has not linked yet.
    fn relink(&self, lacking: &[Hash]) -> Result<(), Trouble> {
        let mut guard = lock(&self.pen);
        let Some(pen) = guard.as_mut() else { return Ok(()) };
        let mut head = pen.head;
        self.records
            .write(|to| {
                for hash in lacking {
                    if links::is_linked(to, head.author, hash)? {
                        continue;
                    }
                    let Some(bytes) = bodies::bytes(to, hash)? else { continue };
                    let link = crate::tablet::next_link(&head, &bytes);
                    links::insert(to, &link)?;
                    head = Head { seq: link.seq, hash: link.hash(), ..head };
                }
                Ok(())
            })
            .map_err(local)?;
        pen.head = head;
        Ok(())
    }
}
