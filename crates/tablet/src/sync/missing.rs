//! A server that was restored to before what this tablet still keeps: bodies between were pruned. Those that neither has
//! are listed, for a person and on record.

use super::offer::OFFER_MAX;
use super::push::local;
use crate::file::{lock, meta, pruning, receipts};
use crate::record::Entry;
use crate::tablet::Inner;
use crate::trouble;
use lamplight_domain::ids::AuthorId;
use lamplight_domain::kinds::{Event, RecordsMissing};
use lamplight_domain::record::Auth;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::{Facility, Trouble};
use rusqlite::Connection;
use std::collections::HashSet;
use std::sync::Arc;

/// What was listed, for the screens and so that it is listed once.
const MISSING: &str = "missing";

impl Inner {
    /// Lists what the server once confirmed to the authors before the newest one and lacks now, where its body is not
    /// here either: nobody sends those authors' links any more, so no server would ever ask for it. A server that went
    /// back to before such a link does not know the author after it, and so comes here.
    pub(super) async fn look_for_missing<F: Facility + Sync>(self: &Arc<Self>, facility: &F) -> Result<(), Trouble> {
        let Some(identity) = self.identity() else { return Ok(()) };
        let Some((_, former)) = identity.authors.split_last() else { return Ok(()) };
        for author in former.iter().map(|own| own.credential.author) {
            let gone = move |from: &Connection| {
                let confirmed = receipts::furthest(from, author)?.map_or(0, |receipt| receipt.head.seq);
                pruning::gone(from, author, confirmed)
            };
            let gone = self.blocking(move |inner| inner.records.read(gone).map_err(local)).await?;
            let mut lacks = HashSet::new();
            for offered in gone.chunks(OFFER_MAX) {
                lacks.extend(self.lacking(facility, offered.iter().map(|(_, hash)| *hash).collect()).await?);
            }
            let numbers = gone.iter().filter(|(_, hash)| lacks.contains(hash)).map(|(seq, _)| *seq).collect();
            self.blocking(move |inner| inner.list_missing(author, numbers).map_err(Trouble::Refused)).await?;
        }
        Ok(())
    }

    /// On record, and what the screens say of it, in one transaction; each number once, whatever crashes in between.
    fn list_missing(&self, author: AuthorId, mut numbers: Vec<u64>) -> Result<(), Refusal> {
        let mut hand = lock(&self.pen);
        let mut listed: Vec<RecordsMissing> = self.records.read(|from| meta::get(from, MISSING))?.unwrap_or_default();
        let of_author = listed.iter().filter(|one| one.author == author);
        let ranges: Vec<(u64, u64)> = of_author.flat_map(|one| one.ranges.clone()).collect();
        numbers.retain(|n| !ranges.iter().any(|(first, last)| (*first..=*last).contains(n)));
        let Some(missing) = RecordsMissing::of(author, &numbers) else { return Ok(()) };
        let identity = self.identity().ok_or_else(crate::record::join_first)?;
        let event = Event::RecordsMissing(missing.clone());
        let entry = Entry { by: None, auth: Auth::None, stay: None, id: None, event, observed_at: None };
        let (body, _) = self.body(&identity, &entry, self.clock.read())?;
        let bytes = body.to_bytes().map_err(crate::record::too_big)?;
        listed.push(missing);
        self.append(&mut hand, &[bytes], |to| meta::set(to, MISSING, &listed))?;
        drop(hand);
        tracing::error!("the station lacks entries that this tablet has pruned; they are listed on record");
        self.tell_of_missing()?;
        Ok(())
    }

    /// For every screen, also after a restart.
    pub(crate) fn tell_of_missing(&self) -> Result<(), crate::file::Broken> {
        let listed: Vec<RecordsMissing> = self.records.read(|from| meta::get(from, MISSING))?.unwrap_or_default();
        if !listed.is_empty() {
            lock(&self.troubles).add(trouble::missing(&listed));
        }
        Ok(())
    }
}
