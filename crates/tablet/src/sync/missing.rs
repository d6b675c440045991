//! A server that was restored to before what this tablet still keeps: bodies between were pruned, and the server asks
//! for them. Those that nobody has are listed, for a person and on record; the rest is filed under a fresh author.

use super::push::local;
use crate::file::{lock, meta, pruning};
use crate::record::Entry;
use crate::tablet::Inner;
use crate::trouble;
use lamplight_domain::ids::AuthorId;
use lamplight_domain::kinds::{Event, RecordsMissing};
use lamplight_domain::record::Auth;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::{BATCH_MAX_LINKS, Facility, Trouble};
use std::collections::HashSet;
use std::sync::Arc;

/// What was listed, for the screens and so that it is listed once.
const MISSING: &str = "missing";

impl Inner {
    /// After the server lacked a body that is not here either: lists what is missing and takes a fresh author.
    pub(super) async fn go_on_without<F: Facility + Sync>(
        self: &Arc<Self>,
        facility: &F,
        author: AuthorId,
        confirmed: u64,
    ) -> Result<(), Trouble> {
        let list = move |from: &rusqlite::Connection| pruning::missing_after(from, author, confirmed);
        let pruned = self.blocking(move |inner| inner.records.read(list).map_err(local)).await?;
        let mut lacks = HashSet::new();
        for offered in pruned.chunks(BATCH_MAX_LINKS * 4) {
            let bodies = offered.iter().map(|(_, hash)| *hash).collect();
            lacks.extend(self.lacking(facility, author, bodies).await?);
        }
        let numbers: Vec<u64> = pruned.iter().filter(|(_, hash)| lacks.contains(hash)).map(|(seq, _)| *seq).collect();
        if let Some(missing) = RecordsMissing::of(author, &numbers) {
            self.blocking(move |inner| inner.list_missing(missing).map_err(Trouble::Refused)).await?;
        }
        self.begin_healing(author, trouble::went_far_back()).await
    }

    /// On record, and what the screens say of it, in one transaction; once, whatever crashes in between.
    fn list_missing(&self, missing: RecordsMissing) -> Result<(), Refusal> {
        let mut hand = lock(&self.pen);
        let mut listed: Vec<RecordsMissing> = self.records.read(|from| meta::get(from, MISSING))?.unwrap_or_default();
        if listed.contains(&missing) {
            return Ok(());
        }
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
