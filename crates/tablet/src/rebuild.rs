//! After damage: the file is set aside, a fresh one is started, and everything that can still be read of the old one
//! and that the server has not confirmed is written down again under a fresh author. The rest comes from the feed.

use crate::file::{Broken, bodies, drafts, is_sound, links, lock, receipts};
use crate::tablet::{Inner, Pen, next_link};
use crate::trouble;
use lamplight_domain::chain::{Head, Link, body_hash};
use lamplight_domain::commands::Draft;
use lamplight_domain::ids::{AuthorId, StaffId};
use lamplight_domain::refusal::Refusal;
use rusqlite::Connection;
use std::path::Path;

/// What could be read of a damaged file.
#[derive(Default)]
struct Salvaged {
    bodies: Vec<Vec<u8>>,
    drafts: Vec<(StaffId, Draft)>,
    /// Something could not be read, so nobody can say what was lost.
    incomplete: bool,
}

impl Inner {
    /// While the program runs: the pen is held by the caller and continues in the fresh file.
    pub fn rebuild(&self, pen: &mut Pen) -> Result<(), Refusal> {
        let away = self.records.start_afresh()?;
        self.rebuild_from(&away)?;
        let identity = self.identity().ok_or_else(crate::record::join_first)?;
        if let Some(fresh) = self.take_pen(&identity)? {
            *pen = fresh;
        }
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
        let mut guard = lock(&self.pen);
        let Some(pen) = guard.as_mut() else { return };
        let is_sound = self.records.look(is_sound);
        if matches!(is_sound, Ok(true)) {
            return;
        }
        if let Err(refusal) = self.rebuild(pen) {
            tracing::error!(code = %refusal.code, "the damaged records file cannot be replaced");
            lock(&self.troubles).add(refusal);
        }
        self.to_send.notify_one();
        self.changed();
    }

    /// Fills the fresh file from one that was set aside. Before joining there is nothing to fill.
    pub fn rebuild_from(&self, away: &Path) -> Result<(), Refusal> {
        let Some(identity) = self.identity() else { return Ok(()) };
        let salvaged = self
            .records
            .salvage(away, |from| Ok(read_what_can_be(from, identity.author().map(|a| a.credential.author))))
            .unwrap_or(Salvaged { incomplete: true, ..Salvaged::default() });
        // The old author's newest links may be lost, and another link must never get their numbers: a fresh author.
        let identity = self.set_identity(identity.with_fresh_author()?)?;
        let Some(author) = identity.author() else { return Ok(()) };
        let mut head = Head::empty(author.credential.author);
        self.records.write(|to| {
            for bytes in &salvaged.bodies {
                let link = next_link(&head, bytes);
                bodies::insert(to, bytes)?;
                links::insert(to, &link)?;
                head = Head { seq: link.seq, hash: link.hash(), ..head };
            }
            for (staff, draft) in &salvaged.drafts {
                drafts::keep(to, *staff, draft)?;
            }
            Ok(())
        })?;
        tracing::error!(
            kept = salvaged.bodies.len(),
            incomplete = salvaged.incomplete,
            "the records file was set aside"
        );
        lock(&self.troubles).add(trouble::records_set_aside(salvaged.bodies.len() as u64, salvaged.incomplete));
        Ok(())
    }
}

/// Own bodies after the confirmed head, as far as they can be read and still hash to their link. Without a readable
/// receipt all own bodies count as unconfirmed: the server recognises what it has.
fn read_what_can_be(from: &Connection, author: Option<AuthorId>) -> Salvaged {
    let mut out = Salvaged::default();
    let Some(author) = author else { return out };
    let confirmed = receipts::newest(from, author).ok().flatten().map_or(0, |r| r.head.seq);
    let head = match links::head(from, author) {
        Ok(head) => head,
        Err(_) => return Salvaged { incomplete: true, ..out },
    };
    for seq in confirmed + 1..=head.seq {
        match link_with_body(from, author, seq) {
            Ok(Some((link, bytes))) if body_hash(&bytes) == link.body_hash => out.bodies.push(bytes),
            _ => out.incomplete = true,
        }
    }
    match drafts::all(from) {
        Ok(drafts) => out.drafts = drafts,
        Err(_) => out.incomplete = true,
    }
    out
}

fn link_with_body(from: &Connection, author: AuthorId, seq: u64) -> Result<Option<(Link, Vec<u8>)>, Broken> {
    let found = links::after(from, author, seq - 1, 1, usize::MAX).map_err(|_| Broken::Closed)?;
    Ok(found.into_iter().next().filter(|(link, _)| link.seq == seq).and_then(|(link, bytes)| Some((link, bytes?))))
}
