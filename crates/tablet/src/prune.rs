//! Pruning: the least data on a tablet. Bodies go that are more than 30 days old and that the server had before it was
//! last backed up; links, receipts, and what still stands stay.
//!
//! Time here is the server's, as of the last contact: a clock that jumps ahead makes nothing old.

use crate::file::pruning::{self, At, Bounds, Old};
use crate::file::{Broken, bodies, feeds, kept, lock, meta};
use crate::sync::offer;
use crate::tablet::{Inner, Tablet};
use lamplight_domain::ids::WardId;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::Ms;
use lamplight_domain::wire::KEEP_MS;
use rusqlite::Connection;
use std::time::Duration;

/// Bodies of one transaction: a recording waits for one of them at most.
const TOGETHER: u32 = 200;
/// Between two transactions, so that a recording that waits gets its turn.
const BREATH: Duration = Duration::from_millis(5);
/// The file's pages that a pruning freed are used again by what is written next, so the file stays as long as its
/// fullest 30 days. It is not made shorter: moving pages costs writes and a longer lock, and brings nothing back that
/// the next month would not take.
const PRUNED: &str = "pruned";

impl Tablet {
    /// Prunes what may go and returns how many bodies that was. Blocks, in small transactions; [`Tablet::run`] does it
    /// every hour. Errors: "disk.failed", "disk.full", "file.damaged".
    pub fn prune(&self) -> Result<u64, Refusal> {
        Ok(self.0.prune()?)
    }
}

impl Inner {
    pub(crate) fn prune(&self) -> Result<u64, Broken> {
        if self.is_frozen() {
            return Ok(0);
        }
        let (Some(bounds), Some(identity)) = (self.bounds()?, self.identity()) else { return Ok(0) };
        let stays = match self.roster() {
            Some(roster) => self.known().records.open_stays(&roster, identity.ward),
            None => return Ok(0),
        };
        let last = self.records.read(|from| pruning::last_checks(from, &stays, bodies::LAST_OF_STAY))?;
        let (mut count, mut after) = (0, pruning::START);
        loop {
            let next: Option<At>;
            let old: Vec<Old>;
            (old, next) = self.records.read(|from| pruning::passing(from, &bounds, &last, after, TOGETHER))?;
            count += self.let_go(&old, identity.ward)?;
            match next {
                Some(at) => after = at,
                None => break,
            }
        }
        for stay in self.records.read(|from| pruning::stays_with_old(from, bounds.before))? {
            if self.known().records.may_be_forgotten(stay, identity.ward) {
                let old = self.records.read(|from| pruning::whole_stay(from, &bounds, stay))?;
                count += self.let_go(&old, identity.ward)?;
            }
        }
        loop {
            let old = self.records.read(|from| pruning::of_the_ward(from, &bounds, TOGETHER))?;
            let gone = self.let_go(&old, identity.ward)?;
            if gone == 0 {
                break;
            }
            count += gone;
        }
        if count > 0 {
            self.shorten_the_copy();
            tracing::info!(count, "old records that the server has backed up were pruned");
        }
        Ok(count)
    }

    /// None where nothing may go: nothing is known to be backed up, or a restored server may still lack something.
    fn bounds(&self) -> Result<Option<Bounds>, Broken> {
        let Some(identity) = self.identity() else { return Ok(None) };
        let Some(now) = lock(&self.contact).last else { return Ok(None) };
        let sync = self.sync_state();
        let Some(author) = sync.author else { return Ok(None) };
        let (backed_up, is_unsettled, restored) = self.records.read(|from| {
            let backed_up = feeds::backed_up(from, identity.ward)?;
            Ok((backed_up, offer::is_unsettled(from)?, offer::restored_at(from)?))
        })?;
        let Some(backed_up) = backed_up.filter(|_| !is_unsettled) else { return Ok(None) };
        // What went to a restored server once more is in a backup that was made after that, not by its first date.
        if restored.is_some_and(|at| backed_up <= at) {
            if sync.waiting == 0 {
                self.records.write(|to| offer::is_restored(to, now))?;
            }
            return Ok(None);
        }
        Ok(Some(Bounds { before: now - KEEP_MS, backed_up, author, confirmed: sync.confirmed }))
    }

    /// How many of these went: all, or none where the other half of the sync has heard meanwhile that the server went
    /// back to a backup. What these bounds were read from is no more then.
    pub(crate) fn let_go(&self, old: &[Old], ward: WardId) -> Result<u64, Broken> {
        let Some(newest) = old.iter().map(|body| body.observed_at).max() else { return Ok(0) };
        let count = self.records.write(|to| {
            if offer::is_unsettled(to)? {
                return Ok(0);
            }
            pruning::remove(to, old)?;
            kept::pruned(to, newest + 1)?;
            feeds::pruned_but_for(to, ward)?;
            let before: u64 = meta::get(to, PRUNED)?.unwrap_or(0);
            let count = old.len() as u64;
            meta::set(to, PRUNED, &(before + count))?;
            Ok(count)
        })?;
        std::thread::sleep(BREATH);
        Ok(count)
    }

    /// The second copy may hold bodies that were confirmed long ago: where nothing waits it is begun anew.
    fn shorten_the_copy(&self) {
        let mut hand = lock(&self.pen);
        let Some(mut pen) = hand.take_if(|pen| pen.head.seq == pen.confirmed) else { return };
        match self.begin_copy(&pen.head, pen.confirmed) {
            Ok(copy) => pen.copy = copy,
            Err(broken) => {
                tracing::error!(?broken, "the second copy cannot be begun anew");
                pen.copy.doubt();
            }
        }
        self.lay_down(&mut hand, pen);
    }

    /// Since when everything of the own ward is kept here.
    pub(crate) fn kept_since(&self) -> Result<Option<Ms>, Broken> {
        let Some(identity) = self.identity() else { return Ok(None) };
        // A file of the first release says nothing: it began with the opening at its joining.
        let joined = identity.joined_at - lamplight_domain::wire::OPENING_MS;
        let since = |from: &Connection| kept::since(from, identity.ward);
        Ok(Some(self.records.read(since)?.unwrap_or(joined)))
    }
}
