//! Checks the evidence in a tablet's folder without changing anything in it: own chains and who vouches for them,
//! bodies, receipts, the second copy, and what the server showed. Every break is said by its code, author and number.

mod bodies;
mod chains;
mod copy;
mod folder;
mod rows;
#[cfg(test)]
mod tests;
mod witness;

use crate::file::{Broken, links, receipts};
use crate::identity::Identity;
use folder::Folder;
use lamplight_domain::chain::{Hash, Head, Receipt};
use lamplight_domain::findings::{Finding, Findings};
use lamplight_domain::ids::AuthorId;
use lamplight_domain::refusal::Refusal;
use rusqlite::Connection;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// So many pruned bodies are listed; all are counted.
const PRUNED_TOLD: usize = 100;

/// What was checked, and what was found. Sound where `broken` is 0.
#[derive(Debug, Default, Serialize)]
pub struct Verified {
    /// That this tablet is or was.
    pub authors: u64,
    /// Own links.
    pub links: u64,
    pub bodies: u64,
    pub receipts: u64,
    /// Of others, signed by them.
    pub heads: u64,
    /// Rows of the feeds.
    pub rows: u64,
    /// Own links that no receipt confirms yet.
    pub waiting: u64,
    /// Own links that a feed shows at the server and no receipt confirms: an answer was lost on the way and is asked
    /// for again, or the last receipts were taken away here.
    pub without_receipt: u64,
    /// Bodies that the server confirmed and that are not here any more.
    pub pruned: u64,
    /// The links of the first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pruned_links: Vec<PrunedLink>,
    /// How many findings there are.
    pub broken: u64,
    /// The first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct PrunedLink {
    pub author: AuthorId,
    pub seq: u64,
}

impl Verified {
    /// Errors: "verify.broken" with the first finding and how many there are.
    pub fn or_refuse(self) -> Result<Verified, Refusal> {
        let Some(first) = self.findings.first() else { return Ok(self) };
        let more = if self.broken > 1 { format!(" ({} findings in all)", self.broken) } else { String::new() };
        Err(Refusal::new(
            "verify.broken",
            format!("The evidence on this tablet is broken: {}{more}.", first.what),
            "Keep its folder as it is, and compare it with the station.",
        ))
    }

    fn prune(&mut self, author: AuthorId, seq: u64) {
        self.pruned += 1;
        if self.pruned_links.len() < PRUNED_TOLD {
            self.pruned_links.push(PrunedLink { author, seq });
        }
    }
}

/// Checks the tablet of a folder, or of a copy of one. Nothing in the folder is written.
///
/// Errors: "tablet.in_use", "key.missing", "key.wrong", "file.newer", "file.damaged", "join.first", "disk.failed".
pub fn verify(dir: &Path) -> Result<Verified, Refusal> {
    let folder = Folder::open(dir)?;
    let Some(identity) = folder.identity()? else { return Err(crate::record::join_first()) };
    let copy = crate::second_copy::read(dir, folder.key()).map_err(|e| Broken::of_io(&e).refusal())?;
    folder.read(|from| {
        let (mut verified, mut found) = (Verified::default(), Findings::default());
        let facts = Facts::of(from, &identity, &mut found)?;
        verified.authors = identity.authors.len() as u64;
        verified.bodies = bodies::walk(from, &mut found)?;
        chains::walk(from, &facts, &mut verified, &mut found)?;
        verified.receipts = chains::walk_receipts(from, &facts, &mut found)?;
        copy::compare(from, &facts, &copy, &mut verified, &mut found)?;
        verified.heads = witness::walk(from, &identity, &mut found)?;
        rows::walk(from, &facts, &mut verified, &mut found)?;
        (verified.broken, verified.findings) = found.into_parts();
        Ok(verified)
    })
}

/// What the walks share.
struct Facts<'a> {
    identity: &'a Identity,
    /// Receipts that hold, by author and number.
    receipts: HashMap<AuthorId, BTreeMap<u64, Vec<Receipt>>>,
}

impl<'a> Facts<'a> {
    fn of(from: &Connection, identity: &'a Identity, found: &mut Findings) -> rusqlite::Result<Facts<'a>> {
        let mut facts = Facts { identity, receipts: HashMap::new() };
        let keys = identity.facility_keys();
        for author in facts.authors() {
            for receipt in receipts::all(from, author)? {
                let Head { seq, .. } = receipt.head;
                if keys.signed(&receipt, identity.facility) {
                    facts.receipts.entry(author).or_default().entry(seq).or_default().push(receipt);
                } else {
                    let what = format!("the receipt for link {seq} of author {author} is not signed by the facility");
                    found.add(Finding::new("receipt.does_not_hold", what).at(author, seq));
                }
            }
        }
        Ok(facts)
    }

    /// Oldest first.
    fn authors(&self) -> Vec<AuthorId> {
        self.identity.authors.iter().map(|own| own.credential.author).collect()
    }

    /// Up to here some receipt that fits the own chain says that the server had it.
    fn confirmed_once(&self, from: &Connection, author: AuthorId) -> rusqlite::Result<u64> {
        for (seq, receipts) in self.receipts.get(&author).into_iter().flatten().rev() {
            let own: Option<Hash> = links::hash_at(from, author, *seq)?;
            if receipts.iter().any(|r| Some(r.head.hash) == own) {
                return Ok(*seq);
            }
        }
        Ok(0)
    }
}
