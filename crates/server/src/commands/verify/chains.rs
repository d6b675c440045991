//! Chains: who vouches for each author, numbers without holes, hashes that follow from each other, signed ends, times
//! of receipt as they were given out.
//!
//! The walk goes on after a break, and names the broken link only: what follows it is compared with each hash that the
//! broken one may have had.

use super::{count, fixed};
use crate::facility::Identity;
use crate::store::StoreError;
use crate::store::authors::Author;
use crate::store::heads::{self, SignedHead};
use lamplight_domain::chain::{Endorser, FacilityKeys, Hash, Head, Receipt, is_vouched_for, link_hash, verify};
use lamplight_domain::findings::{Finding, Findings};
use lamplight_domain::time::Ms;
use rusqlite::Connection;
use std::iter::Peekable;
use std::slice::Iter;
use uuid::Uuid;

/// Hashes that a run of broken links may have had.
const MAYBE_MAX: usize = 64;

/// Returns how many links there are.
pub(super) fn walk(
    db: &Connection,
    identity: &Identity,
    all: &[Author],
    found: &mut Findings,
) -> Result<u64, StoreError> {
    for author in all {
        vouched(identity, author, all, found);
        let heads = heads::all(db, author.no)?;
        Walk { identity, keys: identity.keys(), author, heads: heads.iter().peekable(), signed_before: 0, found }
            .chain(db)?;
    }
    for table in ["links", "heads", "bodies"] {
        let sql = format!(
            "SELECT t.author, count(*) FROM {table} t LEFT JOIN authors a ON a.no = t.author WHERE a.no IS NULL
             GROUP BY t.author"
        );
        let mut statement = db.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (no, n): (i64, i64) = (row.get(0)?, row.get(1)?);
            let what = format!("author no. {no} is gone, and {n} rows of {table} are of it");
            found.add(Finding::new("author.missing", what));
        }
    }
    Ok(count(db, "SELECT count(*) FROM links")?)
}

/// Somebody trusted vouches for the author's key.
fn vouched(identity: &Identity, author: &Author, all: &[Author], found: &mut Findings) {
    // Somebody who was here before: nobody vouches for themselves, not in a circle either.
    let former = |id| all.iter().find(|a| a.id == id && a.no.0 < author.no.0).map(|a| a.credential(identity.facility));
    let credential = author.credential(identity.facility);
    // Each endorser is judged when its own turn comes.
    let holds = match author.endorser {
        Endorser::Facility => is_vouched_for(&credential, identity.facility, &identity.keys(), |_| None),
        Endorser::Author(by) => former(by).is_some_and(|f| f.tablet == credential.tablet && credential.holds(&f.key)),
    };
    if !holds {
        let what = format!("author {} has a credential that does not hold", author.id);
        found.add(Finding { author: Some(author.id), ..Finding::new("author.not_vouched", what) });
    }
}

struct Walk<'a> {
    identity: &'a Identity,
    keys: FacilityKeys,
    author: &'a Author,
    /// Those that cover links from here on.
    heads: Peekable<Iter<'a, SignedHead>>,
    signed_before: u64,
    found: &'a mut Findings,
}

/// A link as it is read.
struct Read {
    seq: u64,
    received_at: Ms,
    /// Its hash; of a broken link also what it would be if it followed from what stands before it.
    maybe: Vec<Hash>,
    record: Option<Uuid>,
}

impl Walk<'_> {
    fn chain(&mut self, db: &Connection) -> Result<(), StoreError> {
        let id = self.author.id;
        let mut statement = db.prepare(
            "SELECT l.seq, l.hash, l.received_at, b.hash, b.id FROM links l LEFT JOIN bodies b ON b.no = l.body
             WHERE l.author = ?1 ORDER BY l.seq",
        )?;
        let mut rows = statement.query([self.author.no.0])?;
        // What the link before may hash to; empty where it is missing.
        let (mut last, mut before) = (0, vec![Hash::ZERO]);
        while let Some(row) = rows.next()? {
            let seq = row.get::<_, i64>(0)? as u64;
            if seq != last + 1 {
                self.missing(last + 1, seq.saturating_sub(1));
                before.clear();
            }
            last = seq;
            let hash = Hash(fixed(row, 1)?);
            let has_body = !matches!(row.get_ref(3)?, rusqlite::types::ValueRef::Null);
            let body = if has_body { Some(Hash(fixed(row, 3)?)) } else { None };
            let record = if has_body { Some(Uuid::from_bytes(fixed(row, 4)?)) } else { None };
            let mut link = Read { seq, received_at: Ms(row.get(2)?), maybe: vec![hash], record };
            match body {
                None => {
                    self.add("body.missing", &link, "has lost its body");
                    before = vec![hash];
                }
                Some(body) => {
                    let follows = |prev: &Hash| link_hash(id, seq, prev, &body);
                    if before.is_empty() || before.iter().any(|prev| follows(prev) == hash) {
                        before = vec![hash];
                    } else {
                        self.add("link.changed", &link, "does not follow from the one before and its body");
                        link.maybe.extend(before.iter().map(follows));
                        before.extend(link.maybe.iter().copied());
                        before.truncate(MAYBE_MAX);
                    }
                }
            }
            self.signed(&link);
        }
        if let Some(lost) = self.heads.by_ref().last() {
            let (first, end) = (last + 1, lost.seq);
            let what = format!("author {id} signed head {end}, and its links from {first} on are gone");
            self.found.add(Finding::new("chain.cut_off", what).at(id, first));
        }
        Ok(())
    }

    fn add(&mut self, code: &'static str, link: &Read, what: &str) {
        let (id, seq) = (self.author.id, link.seq);
        let what = format!("link {seq} of author {id} {what}");
        self.found.add(Finding::new(code, what).at(id, seq).record(link.record));
    }

    fn missing(&mut self, first: u64, upto: u64) {
        let id = self.author.id;
        let which = if first == upto { format!("link {first}") } else { format!("links {first} to {upto}") };
        self.found.add(Finding::new("link.missing", format!("author {id} has no {which}")).at(id, first));
        while let Some(head) = self.heads.next_if(|head| head.seq <= upto) {
            self.signed_before = head.seq;
        }
    }

    /// The link is under a signature, and was received when the receipt for it says.
    fn signed(&mut self, link: &Read) {
        while let Some(odd) = self.heads.next_if(|head| head.seq < link.seq) {
            // Only a head number below 1 comes here.
            let odd = Read { seq: odd.seq, maybe: Vec::new(), record: None, ..*link };
            self.add("head.signature", &odd, "has a head that no author signs");
        }
        let Some(head) = self.heads.peek().copied().copied() else {
            return self.add("link.unsigned", link, "is under no signature");
        };
        let is_its_own = head.proven_seq == 0 || (head.proven_seq > self.signed_before && head.proven_seq <= head.seq);
        if !is_its_own && link.seq == head.seq {
            self.add("head.older_receipt", link, "has a head that names an older receipt for other links");
        }
        let given = if is_its_own && link.seq <= head.proven_seq { head.proven_at } else { head.received_at };
        if link.received_at != given {
            self.add("link.received_at", link, "says another time of receipt than was given out");
        }
        if is_its_own && link.seq == head.proven_seq {
            let older = head.proven_by.is_some_and(|(request, signature)| {
                self.receipt_holds(link, |head_at| Receipt {
                    head: head_at,
                    received_at: head.proven_at,
                    request,
                    signature,
                })
            });
            if !older {
                self.add("head.older_receipt", link, "has no older receipt that shows when it was received");
            }
        }
        if link.seq == head.seq {
            self.end(link, &head);
            self.signed_before = link.seq;
            self.heads.next();
        }
    }

    fn end(&mut self, link: &Read, head: &SignedHead) {
        let (key, facility) = (self.author.key, self.identity.facility);
        let by_author = self.heads_at(link).any(|at| verify(&key, &at.message(facility), &head.signature));
        if !by_author {
            self.add("head.signature", link, "is the end of a batch that its author did not sign so");
        }
        let by_facility = self.receipt_holds(link, |at| Receipt {
            head: at,
            received_at: head.received_at,
            request: head.request,
            signature: head.receipt,
        });
        if !by_facility {
            self.add("head.receipt", link, "has a receipt that does not hold");
        }
    }

    fn heads_at<'l>(&self, link: &'l Read) -> impl Iterator<Item = Head> + use<'l> {
        let (author, seq) = (self.author.id, link.seq);
        link.maybe.iter().map(move |hash| Head { author, seq, hash: *hash })
    }

    fn receipt_holds(&self, link: &Read, receipt: impl Fn(Head) -> Receipt) -> bool {
        self.heads_at(link).any(|at| self.keys.signed(&receipt(at), self.identity.facility))
    }
}
