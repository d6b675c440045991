//! Offering: the server says which bodies it lacks, and those are linked again. After a fork it is asked about the own
//! ones; after it was restored from a backup, about everything that this tablet holds since then, whoever wrote it: the
//! tablet that did may be gone.

use super::push::{Pushing, local};
use crate::agree;
use crate::failpoint::failpoint;
use crate::file::{bodies, feeds, held, lock, meta};
use crate::tablet::Inner;
use lamplight_domain::chain::Hash;
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{BATCH_MAX_LINKS, Facility, FeedNext, OfferAsk, Trouble};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// Hashes of one offer.
pub(super) const OFFER_MAX: usize = BATCH_MAX_LINKS * 4;
/// Links of one transaction: a recording waits for one of them at most.
const RELINK_MAX: usize = 200;

/// The feed's generation when a page was last read.
pub(crate) const GENERATION: &str = "generation";
/// Set while a restored server may still lack what this tablet holds; survives a crash in between.
const OFFERING: &str = "offering";

/// Server time by which a restored server held everything again; [`NOT_YET`] until then.
const RESTORED: &str = "restored";
/// It has answered every offer, and what it lacked is on its way.
const NOT_YET: Ms = Ms(i64::MAX);

/// Is something held that this server may lack, beside what waits?
pub(crate) fn is_unsettled(from: &Connection) -> rusqlite::Result<bool> {
    Ok(agree::is_healing(from)? || meta::get::<Option<Offering>>(from, OFFERING)?.flatten().is_some())
}

pub(crate) fn restored_at(from: &Connection) -> rusqlite::Result<Option<Ms>> {
    meta::get(from, RESTORED)
}

/// It holds everything: nothing waits. It was heard last at `now`, server time.
pub(crate) fn is_restored(to: &Connection, now: Ms) -> rusqlite::Result<()> {
    if restored_at(to)? == Some(NOT_YET) { meta::set(to, RESTORED, &now) } else { Ok(()) }
}

fn generation(from: &Connection) -> rusqlite::Result<Option<Uuid>> {
    meta::get(from, GENERATION)
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Offering {
    /// What the server received before this was in what it began with. None: nothing is known to be.
    #[serde(alias = "backed_up")]
    began_with: Option<Ms>,
}

/// In the transaction that stores a page: did the server go back to a backup since the last one? A generation that was
/// never read from is no restored one.
pub(super) fn notice(to: &Connection, next: &FeedNext, began_with: Option<Ms>) -> rusqlite::Result<bool> {
    let now = match next {
        FeedNext::Cursor(cursor) => cursor.generation,
        FeedNext::Opening(mark) => mark.end.generation,
    };
    let before = generation(to)?;
    let went_back = before.is_some_and(|before| before != now);
    if before != Some(now) {
        meta::set(to, GENERATION, &now)?;
    }
    if went_back {
        // Its own word for how far it goes. What it or the one before it says to be backed up is no measure: the backup
        // that was restored need not be the newest one, and may have been backed up again since.
        let earlier: Option<Offering> = meta::get::<Option<Offering>>(to, OFFERING)?.flatten();
        // Of two restores in a row the one that went back further; None is before every time.
        let began_with = earlier.map_or(began_with, |earlier| began_with.min(earlier.began_with));
        meta::set(to, OFFERING, &Some(Offering { began_with }))?;
        // The mark of a server that is no more says nothing of this one.
        feeds::forget_backed_up(to)?;
    }
    Ok(went_back)
}

impl Inner {
    /// What is to be offered, and the generation that it was read in: that first, so that a server that is restored once
    /// more between the two is found to be another one in the end.
    fn offering(&self) -> Result<Option<(Offering, Option<Uuid>)>, Trouble> {
        let begun = self.records.read(generation).map_err(local)?;
        let offering = self.records.read(|from| meta::get::<Option<Offering>>(from, OFFERING)).map_err(local)?;
        Ok(offering.flatten().map(|offering| (offering, begun)))
    }

    /// Where the server was restored since: everything held that its backup may lack.
    pub(super) async fn offer_after_a_restore<F: Facility + Sync>(
        self: &Arc<Self>,
        facility: &F,
        pushing: &mut Pushing,
    ) -> Result<(), Trouble> {
        let Some((offering, begun)) = self.blocking(|inner| inner.offering()).await? else { return Ok(()) };
        let list = move |from: &Connection| bodies::not_received_before(from, offering.began_with);
        let hashes = self.blocking(move |inner| inner.records.read(list).map_err(local)).await?;
        tracing::warn!(offered = hashes.len(), "the server was restored; it is asked for what it lacks");
        match self.offer(facility, &hashes).await {
            // It went back to before this author came.
            Err(Trouble::Refused(refusal)) if refusal.code == "auth.author" => {
                self.introduce(facility, pushing).await?;
                self.offer(facility, &hashes).await?;
            }
            done => done?,
        }
        failpoint!("offer.done");
        self.blocking(move |inner| {
            let settle = |to: &rusqlite::Transaction<'_>| {
                // The answers are of a server that was restored once more while they were under way.
                if generation(to)? != begun {
                    return Ok(());
                }
                meta::set(to, OFFERING, &None::<Offering>)?;
                // Not when this tablet last heard a time: that may have been before the server was backed up again.
                meta::set(to, RESTORED, &NOT_YET)
            };
            inner.records.write(settle).map_err(local)
        })
        .await
    }

    /// Asks which of these the server lacks, and links them under the newest author.
    pub(super) async fn offer<F: Facility + Sync>(
        self: &Arc<Self>,
        facility: &F,
        hashes: &[Hash],
    ) -> Result<(), Trouble> {
        for offered in hashes.chunks(OFFER_MAX) {
            let lacks = self.lacking(facility, offered.to_vec()).await?;
            failpoint!("offer.answered");
            for lacking in lacks.chunks(RELINK_MAX) {
                let lacking = lacking.to_vec();
                self.blocking(move |inner| inner.relink(&lacking)).await?;
            }
        }
        Ok(())
    }

    /// Those of the bodies that the server does not hold.
    pub(super) async fn lacking<F: Facility + Sync>(
        self: &Arc<Self>,
        facility: &F,
        bodies: Vec<Hash>,
    ) -> Result<Vec<Hash>, Trouble> {
        let author = self.sync_state().author.ok_or_else(|| Trouble::Refused(crate::record::join_first()))?;
        let request = self.request_id().map_err(Trouble::Refused)?;
        let answer = facility.offer(OfferAsk { author, bodies, request }).await?;
        super::pull::answers(request, answer.request)?;
        Ok(answer.lacks)
    }

    /// Links bodies again that the newest author has not linked yet, or whose link the server had confirmed and lost.
    fn relink(&self, lacking: &[Hash]) -> Result<(), Trouble> {
        let mut hand = lock(&self.pen);
        if hand.is_none() {
            *hand = self.pick_up().map_err(local)?;
        }
        // A link that still waits brings it there by itself.
        let after = hand.as_ref().map_or(0, |pen| pen.confirmed);
        let bodies: Vec<Option<Vec<u8>>> = self
            .records
            .write(|to| {
                // Whatever its feed once told: it does not hold these any more.
                lacking.iter().try_for_each(|hash| held::forget(to, hash))?;
                lacking.iter().map(|hash| bodies::bytes(to, hash)).collect()
            })
            .map_err(local)?;
        failpoint!("offer.forgotten");
        self.write_down_again(&mut hand, bodies.into_iter().flatten().collect(), after).map_err(local)
    }
}
