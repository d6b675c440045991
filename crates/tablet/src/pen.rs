//! The pen: the one way into this tablet's own chain. What it has written is durable twice, in the records file and in
//! the second copy, before anybody is told.

use crate::failpoint::failpoint;
use crate::file::{Broken, bodies, links, lock};
use crate::reserve;
use crate::second_copy::{Kept, SecondCopy};
use crate::tablet::{Inner, next_link};
use lamplight_domain::chain::Head;
use lamplight_domain::ids::AuthorId;
use lamplight_domain::refusal::Refusal;
use rusqlite::Transaction;

/// Who writes, and what was written last.
pub(crate) struct Pen {
    pub head: Head,
    /// Own links up to here are confirmed.
    pub confirmed: u64,
    pub copy: SecondCopy,
}

/// Where the own chain stands, for whoever must not wait for a recording: screens and the alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub author: AuthorId,
    pub head: u64,
    pub confirmed: u64,
}

impl Inner {
    /// Writes bodies down as the next links, and whatever `also` does in the same transaction. Durable twice when it
    /// returns. `hand` holds the pen before and after; it is empty after an error that leaves open what stands on the
    /// disk, and the next call picks the pen up again from what does.
    ///
    /// Errors: after any of them none of the bodies counts as written. "join.first" before joining.
    pub fn append(
        &self,
        hand: &mut Option<Pen>,
        bodies: &[Vec<u8>],
        also: impl Fn(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), Refusal> {
        let done = self.try_append(hand, bodies, &also);
        // The reserve is kept for this moment: checks go on while somebody makes room.
        match done {
            Err(Broken::Full) if reserve::free(&self.dir) => self.try_append(hand, bodies, &also),
            done => done,
        }
        .map_err(|broken| {
            tracing::error!(?broken, "an entry could not be saved");
            broken.not_saved()
        })
    }

    /// The same, and what the reserve is kept for is left alone.
    pub fn try_append(
        &self,
        hand: &mut Option<Pen>,
        bodies: &[Vec<u8>],
        also: impl Fn(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), Broken> {
        if self.is_frozen() {
            return Err(Broken::Refused(crate::trouble::newer_file()));
        }
        let mut pen = match hand.take() {
            Some(pen) => pen,
            None => self.pick_up()?.ok_or_else(|| Broken::Refused(crate::record::join_first()))?,
        };
        let links = next_links(&pen.head, bodies);
        if let Err(broken) = self.copy(&mut pen, &links) {
            // Nothing of it is in the records file; the pen is as good as before.
            self.lay_down(hand, pen);
            return Err(broken);
        }
        failpoint!("pen.copied");
        let written = self.records.write(|to| {
            write(to, &links)?;
            also(to)?;
            failpoint!("pen.written");
            Ok(())
        });
        failpoint!("pen.committed");
        match written {
            Ok(()) => {}
            Err(Broken::Damaged(name)) => {
                tracing::error!(fault = %name, "the records file is damaged");
                // The fresh file takes them from the second copy.
                self.rebuild(hand)?;
                return self.records.write(also);
            }
            Err(Broken::Io(name)) if self.is_kept_after_all(&links) => {
                tracing::error!(fault = %name, "the disk failed during a save, which was kept");
            }
            Err(broken) => {
                // What cannot be taken back is begun anew without it, at the latest by the next start.
                if pen.copy.take_back(&links).is_ok() {
                    self.lay_down(hand, pen);
                }
                return Err(broken);
            }
        }
        if let Some((last, _)) = links.last() {
            pen.head = Head { author: last.author, seq: last.seq, hash: last.hash() };
        }
        self.lay_down(hand, pen);
        Ok(())
    }

    /// Into the second copy, durably. One whose last write failed is begun anew first.
    fn copy(&self, pen: &mut Pen, links: &[Kept]) -> Result<(), Broken> {
        if pen.copy.is_broken() {
            pen.copy = self.begin_copy(&pen.head, pen.confirmed)?;
        }
        pen.copy.add(links).map_err(|e| Broken::of_io(&e))
    }

    /// After an I/O error nobody knows whether the commit was kept: open the file again, look, and sync what is there.
    fn is_kept_after_all(&self, links: &[Kept]) -> bool {
        let Some((last, _)) = links.last() else { return true };
        let look = |from: &rusqlite::Connection| links::hash_at(from, last.author, last.seq);
        let held = self.records.reopen().and_then(|()| self.records.look(look));
        held == Ok(Some(last.hash())) && self.records.settle().is_ok()
    }

    /// The pen back where the next one finds it, and where it stands for all to see.
    pub fn lay_down(&self, hand: &mut Option<Pen>, pen: Pen) {
        let (author, head) = (pen.head.author, pen.head.seq);
        *lock(&self.standing) = Some(Standing { author, head, confirmed: pen.confirmed });
        *hand = Some(pen);
    }
}

/// Into the records file; their numbers follow its head.
pub(crate) fn write(to: &Transaction<'_>, links: &[Kept]) -> rusqlite::Result<()> {
    for (link, bytes) in links {
        bodies::insert(to, bytes)?;
        links::insert(to, link)?;
    }
    Ok(())
}

fn next_links(head: &Head, bodies: &[Vec<u8>]) -> Vec<Kept> {
    let mut head = *head;
    let next = |bytes: &Vec<u8>| {
        let link = next_link(&head, bytes);
        head = Head { seq: link.seq, hash: link.hash(), ..head };
        (link, bytes.clone())
    };
    bodies.iter().map(next).collect()
}
