//! After damage: the file is set aside and a fresh one begun. What this tablet itself wrote is taken over from it as far
//! as it can be read; what the server has not confirmed is written down again under a fresh author, also from the
//! second copy; the rest comes from the feed.

use crate::answer::state::THEME;
use crate::failpoint::failpoint;
use crate::file::{Broken, aside, bodies, drafts, heads, held, is_sound, links, lock, meta, pruning, receipts};
use crate::pen::Pen;
use crate::second_copy;
use crate::sync::offer;
use crate::tablet::{Inner, confirmed};
use crate::trouble;
use lamplight_domain::chain::{Credential, Hash, Link, Receipt, SignedHead};
use lamplight_domain::commands::{Draft, Theme};
use lamplight_domain::ids::{AuthorId, RecordId, StaffId};
use lamplight_domain::record::Body;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::{HOUR_MS, Ms};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::atomic::Ordering;
use uuid::Uuid;

/// Of what was set aside, for the screens, also after a restart.
const SET_ASIDE: &str = "set_aside";
/// So long a person is told of it.
const TOLD_MS: i64 = 24 * HOUR_MS;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct SetAside {
    at: Ms,
    /// Entries that waited for the station and were kept.
    kept: u64,
    /// Some of those may be missing.
    incomplete: bool,
}

/// What could be read of a damaged file, but for the bodies.
#[derive(Default)]
struct Salvaged {
    /// Of every own author.
    links: Vec<Link>,
    receipts: Vec<Receipt>,
    drafts: Vec<(StaffId, Draft)>,
    theme: Option<Theme>,
    credentials: Vec<Credential>,
    heads: Vec<SignedHead>,
    /// Of own bodies that were pruned.
    pruned: Vec<RecordId>,
    /// Of the newest author: bodies after the confirmed head.
    waiting: Vec<Hash>,
    /// Some links after the confirmed head cannot be read.
    incomplete: bool,
}

/// Bodies that are carried over in one transaction.
const TOGETHER: usize = 2_000;

impl Inner {
    /// Begins a fresh file in place of the damaged one and picks the pen up again. `hand` is empty after an error.
    /// What is in memory stays: it knows others' records that the fresh file may lack until the feed was read.
    pub fn rebuild(&self, hand: &mut Option<Pen>) -> Result<(), Broken> {
        *hand = None;
        // A disk that damages what was just written is not mended by writing more.
        if self.rebuilding.swap(true, Ordering::SeqCst) {
            return Err(Broken::Damaged("again, while it was mended".to_owned()));
        }
        let done = self.records.start_afresh().map_err(Broken::Refused).and_then(|_| self.pick_up());
        self.rebuilding.store(false, Ordering::SeqCst);
        *hand = done?;
        Ok(())
    }

    pub fn mend_after(&self, refusal: &Refusal) {
        if refusal.code == "file.damaged" {
            self.mend();
        }
    }

    /// After a command or the sync met damage while reading: looks whether the file is damaged still (another thread
    /// may have mended it), and rebuilds it then.
    fn mend(&self) {
        let mut hand = lock(&self.pen);
        if self.is_frozen() || self.identity().is_none() || matches!(self.records.look(is_sound), Ok(true)) {
            return;
        }
        if let Err(broken) = self.rebuild(&mut hand) {
            tracing::error!(?broken, "the damaged records file cannot be replaced");
            lock(&self.troubles).add(broken.refusal());
        }
        self.to_send.notify_one();
        self.changed();
    }

    /// Fills the fresh file from every one that was set aside and was not taken over yet: a crash in between is met by
    /// doing it again. Before joining there is nothing to fill.
    pub fn take_over_what_was_set_aside(&self) -> Result<(), Broken> {
        for away in self.records.not_taken_over()? {
            if self.identity().is_some() {
                self.salvage_from(&away)?;
            }
            aside::taken_over(&away).map_err(|e| Broken::of_io(&e))?;
        }
        Ok(())
    }

    fn salvage_from(&self, away: &Path) -> Result<(), Broken> {
        let Some(identity) = self.identity() else { return Ok(()) };
        let copy = second_copy::read(&self.dir, &self.key).map_err(|e| Broken::of_io(&e))?;
        second_copy::keep_beside(&self.dir, away).map_err(|e| Broken::of_io(&e))?;
        let authors: Vec<AuthorId> = identity.authors.iter().map(|own| own.credential.author).collect();
        let copy_head = |author| {
            let begun = copy.head.filter(|head| head.author == author).map_or(0, |head| head.seq);
            let written = copy.links.iter().filter(|(link, _)| link.author == author).map(|(link, _)| link.seq);
            written.max().unwrap_or(0).max(begun)
        };
        let salvaged = self
            .records
            .salvage(away, |from| {
                self.carry_over_bodies(from);
                Ok(read_what_can_be(from, &authors, copy_head))
            })
            .unwrap_or(Salvaged { incomplete: true, ..Salvaged::default() });
        failpoint!("rebuild.carried-over");
        // The old author's newest links may be lost, and another link must never get their numbers: a fresh author.
        self.take_fresh_author(&identity)?;
        let kept = self.records.read(|from| {
            let found = salvaged.waiting.iter().map(|hash| bodies::is_held(from, hash));
            found.collect::<Result<Vec<_>, _>>().map(|all| all.into_iter().filter(|held| *held).count())
        })?;
        let whole_copy = !copy.damaged && copy.head.is_some();
        let told = SetAside {
            at: self.now().best(),
            kept: if whole_copy { copy.links.len() } else { kept } as u64,
            incomplete: !whole_copy && (salvaged.incomplete || kept < salvaged.waiting.len()),
        };
        self.records.write(|to| {
            for link in &salvaged.links {
                if links::hash_at(to, link.author, link.seq)?.is_none() {
                    links::insert(to, link)?;
                }
            }
            salvaged.receipts.iter().try_for_each(|receipt| receipts::keep(to, receipt))?;
            salvaged.credentials.iter().try_for_each(|credential| heads::keep_credential(to, credential))?;
            salvaged.heads.iter().try_for_each(|head| heads::keep(to, head).map(|_| ()))?;
            for (staff, draft) in &salvaged.drafts {
                drafts::keep(to, *staff, draft)?;
            }
            pruning::note_ids(to, &salvaged.pruned)?;
            if let Some(theme) = &salvaged.theme {
                meta::set(to, THEME, theme)?;
            }
            // Which generation was read last is gone with the file: what others wrote is offered to whichever comes.
            meta::set(to, offer::GENERATION, &Uuid::nil())?;
            meta::set(to, SET_ASIDE, &told)
        })?;
        failpoint!("rebuild.filled");
        tracing::error!(kept = told.kept, incomplete = told.incomplete, "the records file was set aside");
        self.tell_of(told);
        Ok(())
    }

    /// Own and others' bodies, each as far as it can be read, so that the board stands also without a network. Those
    /// that are missing come from the feed, or from the second copy.
    fn carry_over_bodies(&self, from: &Connection) {
        let newest = bodies::newest(from).unwrap_or(0);
        for first in (1..=newest).step_by(TOGETHER) {
            let numbers = first..(first + TOGETHER as i64).min(newest + 1);
            let found: Vec<_> = numbers.filter_map(|n| bodies::numbered(from, n).ok().flatten()).collect();
            let written = self.records.write(|to| {
                for (hash, bytes) in &found {
                    bodies::insert_read(to, hash, bytes, Body::parse(bytes).ok().as_ref())?;
                    if let Some(row) = held::of_body(from, hash).ok().flatten() {
                        held::note(to, &row, hash, None)?;
                    }
                }
                Ok(())
            });
            if let Err(broken) = written {
                tracing::error!(?broken, "not everything of the damaged file could be carried over");
                return;
            }
        }
    }

    /// What a person is still to be told of, after a restart.
    pub fn tell_of_what_was_set_aside(&self) -> Result<(), Broken> {
        let told = self.records.read(|from| meta::get::<SetAside>(from, SET_ASIDE))?;
        if let Some(told) = told.filter(|told| self.now().best() - told.at < TOLD_MS) {
            self.tell_of(told);
        }
        Ok(())
    }

    fn tell_of(&self, told: SetAside) {
        lock(&self.troubles).add(trouble::records_set_aside(told.kept, told.incomplete));
    }
}

/// `copy_head` says how far an author's chain went by the second copy, for a file whose own head cannot be read.
fn read_what_can_be(from: &Connection, authors: &[AuthorId], copy_head: impl Fn(AuthorId) -> u64) -> Salvaged {
    let mut out = Salvaged { theme: meta::get(from, THEME).ok().flatten(), ..Salvaged::default() };
    // A file of an older program has none.
    out.credentials = heads::credentials(from).unwrap_or_default().into_iter().filter_map(|(_, c)| c).collect();
    out.heads = heads::all(from).unwrap_or_default();
    out.pruned = pruning::all_ids(from).unwrap_or_default();
    match drafts::all(from) {
        Ok(drafts) => out.drafts = drafts,
        Err(_) => out.incomplete = true,
    }
    for author in authors {
        // Without a readable receipt all own bodies count as unconfirmed: the server recognises what it has.
        let confirmed = confirmed(from, *author).unwrap_or(0);
        let furthest = receipts::furthest(from, *author).ok().flatten().map_or(0, |r| r.head.seq);
        let head = links::head(from, *author).map(|head| head.seq).inspect_err(|_| out.incomplete = true);
        let head = head.unwrap_or(0).max(furthest).max(copy_head(*author));
        for seq in 1..=head {
            let found = links::at(from, *author, seq).ok().flatten();
            if seq > confirmed && Some(author) == authors.last() {
                out.incomplete |= found.is_none();
                out.waiting.extend(found.map(|link| link.body_hash));
            }
            out.links.extend(found);
        }
        out.receipts.extend(receipts::all(from, *author).unwrap_or_default());
    }
    out
}
