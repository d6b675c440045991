//! Comparing with what tablets saw: heads that others' authors signed, receipts of this facility, rows of the feeds.
//!
//! Heads and receipts are signed and checked here. The rest is the tablet's own word: where it differs from the server,
//! one of the two was changed, and a person has to look.

use crate::facility::Identity;
use crate::store::authors::{Author, AuthorNo};
use crate::store::{StoreError, feed, links, meta};
use lamplight_domain::chain::{Credential, Hash, Head, is_vouched_for, link_hash};
use lamplight_domain::findings::{Finding, Findings};
use lamplight_domain::ids::{AuthorId, WardId};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{Evidence, RowRead};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::BufRead;
use std::path::Path;
use uuid::Uuid;

/// A tablet knew the feeds in another generation: the server was restored from a backup since, or its file was put in
/// place by hand.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Restored {
    /// The tablet: "W-1".
    pub seen_by: String,
    pub ward: WardId,
    pub was: Uuid,
    pub is: Uuid,
}

/// What an export says, but for the records themselves.
pub(super) struct Export {
    name: String,
    pub evidence: Evidence,
    /// The id of each record by its body's hash.
    ids: HashMap<Hash, Uuid>,
}

#[derive(Deserialize)]
struct Line {
    id: Option<Uuid>,
    hash: Hash,
    #[serde(default)]
    evidence: Option<Evidence>,
}

impl Export {
    pub fn read(path: &Path) -> Result<Export, Refusal> {
        let name = path.display().to_string();
        let unreadable = |why: String| {
            Refusal::new(
                "against.unreadable",
                format!("{name} cannot be read as a tablet's export ({why})."),
                "Export again from the tablet: lamplight-sim tablet --dir FOLDER export > FILE.",
            )
        };
        let file = std::fs::File::open(path).map_err(|e| unreadable(e.to_string()))?;
        let (mut ids, mut evidence) = (HashMap::new(), None);
        for (i, line) in std::io::BufReader::new(file).lines().enumerate() {
            let line = line.map_err(|e| unreadable(e.to_string()))?;
            // Where it is wrong, never what stands there.
            let wrong = |e: serde_json::Error| unreadable(format!("line {}, column {}", i + 1, e.column()));
            let line: Line = serde_json::from_str(&line).map_err(wrong)?;
            ids.extend(line.id.map(|id| (line.hash, id)));
            evidence = line.evidence.or(evidence);
        }
        let Some(evidence) = evidence else {
            return Err(Refusal::new(
                "against.no_evidence",
                format!("{name} is not a whole export of a tablet: what it can prove stands on its last line."),
                "Export again from the tablet, with a program of this release.",
            ));
        };
        Ok(Export { name, evidence, ids })
    }

    pub fn of_another_facility(&self) -> Refusal {
        Refusal::new(
            "against.other_facility",
            format!("{} is of a tablet of another facility.", self.name),
            "Compare with exports of this facility's tablets.",
        )
    }

    fn credential(&self, author: AuthorId) -> Option<Credential> {
        self.evidence.credentials.iter().find(|c| c.author == author).cloned()
    }
}

/// All exports together: what one saw may be missing in another.
#[derive(Default)]
struct Seen {
    /// (author, number) of what the server once held: the body, as the feed or a receipt for an own link tells.
    links: BTreeMap<AuthorId, BTreeMap<u64, Hash>>,
    /// Heads that were signed: by the author, or by this facility in a receipt.
    heads: BTreeMap<AuthorId, BTreeMap<u64, BTreeSet<Hash>>>,
    /// When the server had a head, by its receipts.
    received: BTreeMap<(AuthorId, u64, Hash), BTreeSet<Ms>>,
    ids: HashMap<Hash, Uuid>,
    /// Some tablet knew the server in another generation than it has now, or in more than one.
    restored: bool,
}

pub(super) fn compare(
    db: &Connection,
    identity: &Identity,
    authors: &[Author],
    exports: &[Export],
    found: &mut Findings,
) -> Result<Vec<Restored>, StoreError> {
    if exports.is_empty() {
        return Ok(Vec::new());
    }
    let generation = meta::generation(db)?;
    let (mut seen, mut restored) = (Seen::default(), Vec::new());
    for export in exports {
        for feed in export.evidence.feeds.iter().filter(|feed| feed.generation != generation) {
            let seen_by = export.evidence.name.clone();
            restored.push(Restored { seen_by, ward: feed.ward, was: feed.generation, is: generation });
        }
        seen.take(export, identity, found);
    }
    seen.restored = !restored.is_empty();
    let held = Held { db, authors: authors.iter().map(|a| (a.id, (a.no, a.tablet.is_some()))).collect() };
    seen.compare_links(&held, found)?;
    seen.compare_heads(&held, found)?;
    seen.compare_receipts(&held, found)?;
    for export in exports {
        compare_rows(&held, export, generation, found)?;
        compare_cursors(db, export, generation, found)?;
    }
    Ok(restored)
}

impl Seen {
    /// Believes what is signed, and says what of the export itself does not hold.
    fn take(&mut self, export: &Export, identity: &Identity, found: &mut Findings) {
        let evidence = &export.evidence;
        let (facility, keys) = (identity.facility, identity.keys());
        self.ids.extend(export.ids.iter().map(|(hash, id)| (*hash, *id)));
        let of_export = |author: AuthorId, seq: u64, what: &str| {
            let what = format!("the export of {} {what} (link {seq} of author {author})", evidence.name);
            Finding::new("export.does_not_hold", what).at(author, seq)
        };
        for row in &evidence.rows {
            self.links.entry(row.author).or_default().insert(row.seq, row.body_hash);
        }
        for signed in &evidence.heads {
            let Head { author, seq, hash } = signed.head;
            let holds = export.credential(author).is_some_and(|c| {
                is_vouched_for(&c, facility, &keys, |id| export.credential(id)) && signed.holds(&c.key, facility)
            });
            if holds {
                self.heads.entry(author).or_default().entry(seq).or_default().insert(hash);
            } else {
                found.add(of_export(author, seq, "shows a head that does not hold"));
            }
        }
        let mut confirmed: HashMap<AuthorId, BTreeMap<u64, Hash>> = HashMap::new();
        for receipt in &evidence.receipts {
            let Head { author, seq, hash } = receipt.head;
            if !keys.signed(receipt, facility) {
                found.add(of_export(author, seq, "shows a receipt that this facility did not sign"));
            } else if seq > 0 {
                self.heads.entry(author).or_default().entry(seq).or_default().insert(hash);
                self.received.entry((author, seq, hash)).or_default().insert(receipt.received_at);
                confirmed.entry(author).or_default().insert(seq, hash);
            }
        }
        for chain in &evidence.chains {
            let Some(receipts) = confirmed.get(&chain.author) else { continue };
            let Some(upto) = receipts.keys().next_back() else { continue };
            let mut at = Head::empty(chain.author);
            let mut sure = Vec::new();
            for body in chain.bodies.iter().take(*upto as usize) {
                at.seq += 1;
                at.hash = link_hash(at.author, at.seq, &at.hash, body);
                sure.push((at.seq, *body));
                match receipts.get(&at.seq) {
                    // Everything up to here is what the facility signed for.
                    Some(hash) if *hash == at.hash => {
                        self.links.entry(at.author).or_default().extend(sure.drain(..));
                    }
                    Some(_) => {
                        found.add(of_export(at.author, at.seq, "has a chain that its own receipts do not fit"));
                        break;
                    }
                    None => {}
                }
            }
        }
    }

    /// Every link that a tablet saw: the same body under the same number, or, where the server was restored, the body
    /// at least.
    fn compare_links(&self, held: &Held<'_>, found: &mut Findings) -> Result<(), StoreError> {
        for (author, links) in &self.links {
            for (seq, body) in links {
                let id = self.ids.get(body).copied();
                match held.body_of(*author, *seq)? {
                    Some(at) if at == *body => {}
                    // Another copy of that tablet wrote under the number after the restore.
                    Some(_) if self.restored && held.is_tablet(*author) && held.has_body(body)? => {}
                    Some(_) => {
                        let what = format!("link {seq} of author {author} named another record when a tablet saw it");
                        found.add(Finding::new("history.rewritten", what).at(*author, *seq).record(id));
                    }
                    // Filed again since, by whoever still had it.
                    None if self.restored && held.has_body(body)? => {}
                    None if self.restored => {
                        let what = format!(
                            "the server was restored and lacks a record that a tablet saw (link {seq} of author {author})"
                        );
                        found.add(Finding::new("record.lost", what).at(*author, *seq).record(id));
                    }
                    None => {
                        let what = format!("link {seq} of author {author} is gone, and a tablet saw it");
                        found.add(Finding::new("chain.cut_off", what).at(*author, *seq).record(id));
                    }
                }
            }
        }
        Ok(())
    }

    /// Every head that was signed is a link of the server's.
    fn compare_heads(&self, held: &Held<'_>, found: &mut Findings) -> Result<(), StoreError> {
        let none = BTreeMap::new();
        for (author, heads) in &self.heads {
            let known = self.links.get(author).unwrap_or(&none);
            // Where the record itself is known, it was named already.
            let mut differs_from = None;
            for (at, body) in known {
                if differs_from.is_none() && held.body_of(*author, *at)?.is_some_and(|b| b != *body) {
                    differs_from = Some(*at);
                }
            }
            for (seq, hashes) in heads {
                let here = held.hash_of(*author, *seq)?;
                let differs = hashes.len() > 1 || here.is_some_and(|here| !hashes.contains(&here));
                if differs && differs_from.is_none_or(|at| at > *seq) {
                    let what = format!("a tablet saw another history of author {author}, up to link {seq}");
                    found.add(Finding::new("history.rewritten", what).at(*author, *seq));
                }
            }
            let furthest = heads.keys().next_back().copied().unwrap_or(0);
            // Links that no tablet can name one by one.
            let mut first = held.end(*author)? + 1;
            while known.contains_key(&first) {
                first += 1;
            }
            if first <= furthest {
                let why = if self.restored { "the server was restored, and" } else { "it was signed, and" };
                let what = format!(
                    "author {author} had {furthest} links when a tablet saw it; {why} links from {first} on are gone"
                );
                found.add(Finding::new("chain.cut_off", what).at(*author, first));
            }
        }
        Ok(())
    }

    /// The time of receipt is one that this facility gave out.
    fn compare_receipts(&self, held: &Held<'_>, found: &mut Findings) -> Result<(), StoreError> {
        for ((author, seq, hash), times) in &self.received {
            let same = held.hash_of(*author, *seq)? == Some(*hash);
            if same && held.received_at(*author, *seq)?.is_some_and(|at| !times.contains(&at)) {
                let what = format!("link {seq} of author {author} says another time of receipt than its receipt does");
                found.add(Finding::new("link.received_at", what).at(*author, *seq));
            }
        }
        Ok(())
    }
}

/// Rows of the present generation stand as they were read.
fn compare_rows(held: &Held<'_>, export: &Export, generation: Uuid, found: &mut Findings) -> Result<(), StoreError> {
    let name = &export.evidence.name;
    let mut feeds = HashMap::new();
    for read in export.evidence.feeds.iter().filter(|f| f.generation == generation) {
        feeds.insert(read.no, (read.ward, feed::ward(held.db, read.ward)?));
    }
    for row in &export.evidence.rows {
        let Some((ward, no)) = row.feed.and_then(|feed| feeds.get(&feed)) else { continue };
        let id = export.ids.get(&row.body_hash).copied();
        let RowRead { author, seq, n, .. } = *row;
        let here = no.map(|no| row_body(held.db, no, n)).transpose()?.flatten();
        if here != Some(row.body_hash) {
            let (code, what) = match here {
                Some(_) => ("feed.changed", "was another one"),
                None => ("feed.cut_off", "is gone, and was there"),
            };
            let what =
                format!("row {n} of the feed of ward {ward} {what} when {name} read it (link {seq} of {author})");
            found.add(Finding::new(code, what).at(author, seq).record(id));
        }
        let same = held.body_of(author, seq)? == Some(row.body_hash);
        if same && held.received_at(author, seq)? != Some(row.received_at) {
            let what = format!("link {seq} of author {author} says another time of receipt than {name} read");
            found.add(Finding::new("link.received_at", what).at(author, seq).record(id));
        }
    }
    Ok(())
}

/// The feed's hash is the one that the tablet worked out for itself.
fn compare_cursors(db: &Connection, export: &Export, generation: Uuid, found: &mut Findings) -> Result<(), StoreError> {
    for read in &export.evidence.feeds {
        let Some(cursor) = read.cursor.filter(|cursor| cursor.generation == generation && cursor.n > 0) else {
            continue;
        };
        let here = feed::ward(db, read.ward)?.map(|no| feed::hash_at(db, no, cursor.n)).transpose()?.flatten();
        if here != Some(cursor.hash) {
            let how = if here.is_none() { "went further" } else { "was another one" };
            let (n, ward, name) = (cursor.n, read.ward, &export.evidence.name);
            let what = format!("the feed of ward {ward} {how} when {name} read it up to row {n}");
            let code = if here.is_none() { "feed.cut_off" } else { "feed.rewritten" };
            found.add(Finding { seq: Some(n), ..Finding::new(code, what) });
        }
    }
    Ok(())
}

fn row_body(db: &Connection, ward: feed::WardNo, n: u64) -> rusqlite::Result<Option<Hash>> {
    db.prepare_cached("SELECT b.hash FROM feed f JOIN bodies b ON b.no = f.body WHERE f.ward = ?1 AND f.n = ?2")?
        .query_row(params![ward.0, n as i64], |r| Ok(Hash(super::fixed(r, 0)?)))
        .optional()
}

/// What the server has.
struct Held<'a> {
    db: &'a Connection,
    /// And whether it is of a tablet.
    authors: HashMap<AuthorId, (AuthorNo, bool)>,
}

impl Held<'_> {
    fn is_tablet(&self, author: AuthorId) -> bool {
        self.authors.get(&author).is_some_and(|(_, of_tablet)| *of_tablet)
    }
    fn has_body(&self, hash: &Hash) -> rusqlite::Result<bool> {
        Ok(crate::store::bodies::find(self.db, hash)?.is_some())
    }
    fn hash_of(&self, author: AuthorId, seq: u64) -> rusqlite::Result<Option<Hash>> {
        let Some((no, _)) = self.authors.get(&author) else { return Ok(None) };
        links::hash_at(self.db, *no, seq)
    }
    fn end(&self, author: AuthorId) -> rusqlite::Result<u64> {
        let Some((no, _)) = self.authors.get(&author) else { return Ok(0) };
        Ok(links::head(self.db, *no, author)?.map_or(0, |(head, _)| head.seq))
    }
    /// Of the body that the link names.
    fn body_of(&self, author: AuthorId, seq: u64) -> rusqlite::Result<Option<Hash>> {
        let Some((no, _)) = self.authors.get(&author) else { return Ok(None) };
        self.db
            .prepare_cached(
                "SELECT b.hash FROM links l JOIN bodies b ON b.no = l.body WHERE l.author = ?1 AND l.seq = ?2",
            )?
            .query_row(params![no.0, seq as i64], |r| Ok(Hash(super::fixed(r, 0)?)))
            .optional()
    }
    fn received_at(&self, author: AuthorId, seq: u64) -> rusqlite::Result<Option<Ms>> {
        let Some((no, _)) = self.authors.get(&author) else { return Ok(None) };
        self.db
            .prepare_cached("SELECT received_at FROM links WHERE author = ?1 AND seq = ?2")?
            .query_row(params![no.0, seq as i64], |r| Ok(Ms(r.get(0)?)))
            .optional()
    }
}
