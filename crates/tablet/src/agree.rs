//! Picking the pen up: the records file and the second copy are compared, and whichever lost something gets it back
//! from the other. Only then may anything more be written, so that no number is ever used twice.

use crate::failpoint::failpoint;
use crate::file::{Broken, bodies, links, lock, meta};
use crate::identity::Identity;
use crate::pen::{self, Pen};
use crate::second_copy::{self, Found, Kept, SecondCopy};
use crate::tablet::{Inner, confirmed};
use crate::trouble;
use lamplight_domain::chain::{Hash, Head, body_hash};
use lamplight_domain::ids::AuthorId;
use rusqlite::Connection;
use std::collections::HashSet;

/// Set while own bodies may still be unlinked under the newest author; survives a crash in between.
pub(crate) const HEALING: &str = "healing";
/// Bodies of one transaction while many are written down again.
const TOGETHER: usize = 1_000;

/// What the records file lacks.
#[derive(Default)]
struct Lacking {
    /// Links that follow its head, in order.
    links: Vec<Kept>,
    /// The two do not fit: links are gone that were confirmed, or another one stands under a number.
    astray: bool,
    /// Bodies of other links that no own author has linked.
    loose: Vec<Vec<u8>>,
}

impl Inner {
    /// The pen of the newest author; None before joining. Takes over what was set aside, compares the two copies, and
    /// writes down again what an author before this one had not confirmed.
    pub fn pick_up(&self) -> Result<Option<Pen>, Broken> {
        self.take_over_what_was_set_aside()?;
        let Some(identity) = self.identity() else { return Ok(None) };
        let Some(author) = author_of(&identity) else { return Ok(None) };
        let found = second_copy::read(&self.dir, &self.key).map_err(|e| Broken::of_io(&e))?;
        if found.damaged && found.head.is_some() {
            tracing::error!("the second copy is damaged; it is begun anew");
        }
        let lacking = self.records.read(|from| lacking(from, &links::head(from, author)?, &found))?;
        let put_back = (lacking.links.len() + lacking.loose.len()) as u64;
        let identity = match lacking.astray {
            true => self.take_fresh_author(&identity)?,
            false => {
                self.records.write(|to| pen::write(to, &lacking.links))?;
                identity.as_ref().clone()
            }
        };
        let Some(author) = author_of(&identity) else { return Ok(None) };
        let former = self.records.read(|from| unconfirmed_of_former(from, &identity))?;
        let (head, confirmed) = self.records.read(|from| Ok((links::head(from, author)?, confirmed(from, author)?)))?;
        let copy = match self.go_on(&found, author, &head, confirmed)? {
            Some(copy) if !lacking.astray => copy,
            _ => self.begin_copy_with(&head, confirmed, &found.links)?,
        };
        let mut hand = None;
        self.lay_down(&mut hand, Pen { head, confirmed, copy });
        let again: Vec<Vec<u8>> = if lacking.astray {
            lacking.links.into_iter().map(|(_, bytes)| bytes).chain(lacking.loose).collect()
        } else {
            lacking.loose
        };
        self.write_down_again(&mut hand, again, 0)?;
        for hashes in former.chunks(TOGETHER) {
            let read =
                |from: &Connection| hashes.iter().map(|hash| bodies::bytes(from, hash)).collect::<Result<Vec<_>, _>>();
            let bodies = self.records.read(read)?.into_iter().flatten().collect();
            self.write_down_again(&mut hand, bodies, 0)?;
        }
        if put_back > 0 {
            tracing::error!(put_back, "the records file had lost entries; they were put back from the second copy");
            lock(&self.troubles).add(trouble::put_back(put_back));
        }
        Ok(hand)
    }

    /// Durable before anything is written under it: from here on the healing goes on after any crash.
    pub fn take_fresh_author(&self, identity: &Identity) -> Result<Identity, Broken> {
        let fresh = identity.with_fresh_author(&*self.chance).map_err(Broken::Refused)?;
        self.records.write(|to| meta::set(to, HEALING, &true))?;
        failpoint!("author.healing-set");
        self.set_identity(fresh.clone())?;
        failpoint!("author.taken");
        Ok(fresh)
    }

    /// Links bodies under the newest author, unless it has linked them after this number already.
    pub fn write_down_again(&self, hand: &mut Option<Pen>, bodies: Vec<Vec<u8>>, after: u64) -> Result<(), Broken> {
        for bodies in bodies.chunks(TOGETHER) {
            let Some(author) = hand.as_ref().map(|pen| pen.head.author) else { return Ok(()) };
            let mut seen = HashSet::new();
            let lacking = self.records.read(|from| {
                let mut lacking = Vec::new();
                for bytes in bodies {
                    let hash = body_hash(bytes);
                    if seen.insert(hash) && !links::is_linked_after(from, author, after, &hash)? {
                        lacking.push(bytes.clone());
                    }
                }
                Ok(lacking)
            })?;
            if !lacking.is_empty() {
                self.append(hand, &lacking, |_| Ok(())).map_err(Broken::Refused)?;
            }
        }
        Ok(())
    }

    /// A second copy that holds what is not confirmed of the records file.
    pub fn begin_copy(&self, head: &Head, confirmed: u64) -> Result<SecondCopy, Broken> {
        // Read only where it matters: it may hold weeks.
        let before = match self.records.read(is_healing)? {
            true => second_copy::read(&self.dir, &self.key).map_err(|e| Broken::of_io(&e))?,
            false => Found::default(),
        };
        self.begin_copy_with(head, confirmed, &before.links)
    }

    /// While an author before this one is being healed, what `before` holds of it goes along.
    fn begin_copy_with(&self, head: &Head, confirmed: u64, before: &[Kept]) -> Result<SecondCopy, Broken> {
        let (kept, is_healing) = self.records.read(|from| {
            let waiting = links::after(from, head.author, confirmed, usize::MAX, usize::MAX)?;
            Ok((waiting, is_healing(from)?))
        })?;
        let mut all: Vec<Kept> = Vec::new();
        if is_healing {
            all.extend(before.iter().filter(|(link, _)| link.author != head.author).cloned());
        }
        all.extend(kept.into_iter().filter_map(|(link, bytes)| Some((link, bytes?))));
        SecondCopy::begin(&self.dir, &self.key, head, &all).map_err(|e| Broken::of_io(&e))
    }

    /// The file as it is, where it holds all that is not confirmed.
    fn go_on(
        &self,
        found: &Found,
        author: AuthorId,
        head: &Head,
        confirmed: u64,
    ) -> Result<Option<SecondCopy>, Broken> {
        let holds: HashSet<u64> =
            found.links.iter().filter(|(link, _)| link.author == author).map(|(link, _)| link.seq).collect();
        if !(confirmed + 1..=head.seq).all(|seq| holds.contains(&seq)) {
            return Ok(None);
        }
        SecondCopy::go_on(&self.dir, &self.key, found).map_err(|e| Broken::of_io(&e))
    }
}

pub(crate) fn is_healing(from: &Connection) -> rusqlite::Result<bool> {
    Ok(meta::get(from, HEALING)?.unwrap_or(false))
}

fn author_of(identity: &Identity) -> Option<AuthorId> {
    identity.author().map(|own| own.credential.author)
}

fn lacking(from: &Connection, head: &Head, found: &Found) -> rusqlite::Result<Lacking> {
    let (mut lacking, mut at) = (Lacking::default(), *head);
    for (link, bytes) in &found.links {
        if link.author != head.author {
            if !links::is_linked_at_all(from, &link.body_hash)? {
                lacking.loose.push(bytes.clone());
            }
        } else if link.seq == at.seq + 1 && link.prev == at.hash {
            at = Head { seq: link.seq, hash: link.hash(), ..at };
            lacking.links.push((*link, bytes.clone()));
        } else if link.seq > at.seq || hash_in(from, &lacking, link.author, link.seq)? != Some(link.hash()) {
            lacking.astray = true;
            if !links::is_linked_at_all(from, &link.body_hash)? {
                lacking.loose.push(bytes.clone());
            }
        }
    }
    // The head as it was when the second copy was begun: also what was confirmed must be there.
    if let Some(then) = found.head.filter(|then| then.author == head.author) {
        lacking.astray |= hash_in(from, &lacking, then.author, then.seq)? != Some(then.hash);
    }
    Ok(lacking)
}

/// The link hash at `seq` once the lacking links are back.
fn hash_in(from: &Connection, lacking: &Lacking, author: AuthorId, seq: u64) -> rusqlite::Result<Option<Hash>> {
    let first = lacking.links.first().map_or(u64::MAX, |(link, _)| link.seq);
    match seq.checked_sub(first).and_then(|n| lacking.links.get(n as usize)) {
        Some((link, _)) => Ok(Some(link.hash())),
        None => links::hash_at(from, author, seq),
    }
}

/// What earlier authors wrote and had not confirmed, while that is being healed.
fn unconfirmed_of_former(from: &Connection, identity: &Identity) -> rusqlite::Result<Vec<Hash>> {
    let mut out = Vec::new();
    let Some((newest, former)) = identity.authors.split_last() else { return Ok(out) };
    if !is_healing(from)? {
        return Ok(out);
    }
    let newest = newest.credential.author;
    for author in former.iter().map(|own| own.credential.author) {
        for hash in links::bodies_after(from, author, confirmed(from, author)?)? {
            if !links::is_linked_after(from, newest, 0, &hash)? {
                out.push(hash);
            }
        }
    }
    Ok(out)
}
