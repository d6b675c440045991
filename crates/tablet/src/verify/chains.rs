//! Own chains, of every author that this tablet is or was, and the receipts for them.

use super::{Facts, Verified};
use crate::file::{bodies, links};
use lamplight_domain::chain::{Credential, Hash, is_vouched_for, link_hash};
use lamplight_domain::findings::{Finding, Findings};
use lamplight_domain::ids::AuthorId;
use rusqlite::Connection;
use uuid::Uuid;

/// Hashes that a run of broken links may have had.
const MAYBE_MAX: usize = 64;

pub(super) fn walk(
    from: &Connection,
    facts: &Facts<'_>,
    verified: &mut Verified,
    found: &mut Findings,
) -> rusqlite::Result<()> {
    let identity = facts.identity;
    let credentials: Vec<&Credential> = identity.authors.iter().map(|own| &own.credential).collect();
    for (i, own) in identity.authors.iter().enumerate() {
        let author = own.credential.author;
        // Who was here before vouches.
        let former = |id| credentials[..i].iter().find(|c| c.author == id).map(|c| Credential::clone(c));
        let holds = is_vouched_for(&own.credential, identity.facility, &identity.facility_keys(), former)
            && own.credential.tablet == Some(identity.tablet)
            && own.key().public() == own.credential.key;
        if !holds {
            let what = format!("author {author} has a credential that does not hold");
            found.add(Finding { author: Some(author), ..Finding::new("author.not_vouched", what) });
        }
        walk_one(from, facts, author, verified, found)?;
    }
    let mut statement = from.prepare("SELECT author, min(seq), count(*) FROM links GROUP BY author")?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let author = AuthorId(Uuid::from_bytes(row.get(0)?));
        if identity.author_of(author).is_none() {
            let n: i64 = row.get(2)?;
            let what = format!("{n} links are of author {author}, whom this tablet never was");
            found.add(Finding::new("author.missing", what).at(author, links::number(row.get(1)?)));
        }
    }
    Ok(())
}

fn walk_one(
    from: &Connection,
    facts: &Facts<'_>,
    author: AuthorId,
    verified: &mut Verified,
    found: &mut Findings,
) -> rusqlite::Result<()> {
    let confirmed = facts.confirmed_once(from, author)?;
    let mut statement = from.prepare(
        "SELECT l.seq, l.prev, l.body_hash, l.hash, b.id FROM links l LEFT JOIN bodies b ON b.hash = l.body_hash
         WHERE l.author = ?1 ORDER BY l.seq",
    )?;
    let mut rows = statement.query([author.0.as_bytes()])?;
    let (mut last, mut before) = (0, vec![Hash::ZERO]);
    while let Some(row) = rows.next()? {
        verified.links += 1;
        let seq = links::number(row.get(0)?);
        if seq != last + 1 {
            found.add(missing(author, last + 1, seq.saturating_sub(1)));
            before.clear();
        }
        last = seq;
        let (prev, body, hash) = (Hash(row.get(1)?), Hash(row.get(2)?), Hash(row.get(3)?));
        let record = row.get::<_, Option<[u8; 16]>>(4)?.map(Uuid::from_bytes);
        let worked_out = link_hash(author, seq, &prev, &body);
        if worked_out == hash && (before.is_empty() || before.contains(&prev)) {
            before = vec![hash];
        } else {
            let what = format!("link {seq} of author {author} does not follow from the one before and its body");
            found.add(Finding::new("link.changed", what).at(author, seq).record(record));
            before.extend(before.clone().iter().map(|prev| link_hash(author, seq, prev, &body)));
            before.extend([hash, worked_out]);
            before.truncate(MAYBE_MAX);
        }
        if record.is_none() {
            if seq <= confirmed {
                verified.prune(author, seq);
            } else {
                let what = format!("link {seq} of author {author}, which no receipt confirms, has lost its body");
                found.add(Finding::new("body.missing", what).at(author, seq));
            }
        }
    }
    let furthest = facts.receipts.get(&author).and_then(|r| r.keys().next_back()).copied().unwrap_or(0);
    let in_feed: i64 = from
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM held WHERE author = ?1")?
        .query_row([author.0.as_bytes()], |row| row.get(0))?;
    verified.without_receipt += links::number(in_feed).min(last).saturating_sub(furthest);
    let once = furthest.max(links::number(in_feed));
    if once > last {
        let what = format!("the server had {once} links of author {author}, and those from {} on are gone", last + 1);
        found.add(Finding::new("chain.cut_off", what).at(author, last + 1));
    }
    Ok(())
}

fn missing(author: AuthorId, first: u64, upto: u64) -> Finding {
    let which = if first == upto { format!("link {first}") } else { format!("links {first} to {upto}") };
    Finding::new("link.missing", format!("author {author} has no {which}")).at(author, first)
}

/// Every receipt holds, fits the own chain, and none is missing between others. Returns how many there are.
pub(super) fn walk_receipts(from: &Connection, facts: &Facts<'_>, found: &mut Findings) -> rusqlite::Result<u64> {
    for (author, by_seq) in &facts.receipts {
        for (seq, receipts) in by_seq {
            let own = links::hash_at(from, *author, *seq)?;
            if own.is_some_and(|own| receipts.iter().any(|r| r.head.hash != own)) {
                let what = format!("the receipt for link {seq} of author {author} is for another link");
                found.add(Finding::new("receipt.does_not_fit", what).at(*author, *seq));
            }
        }
    }
    let mut statement = from.prepare("SELECT n, author, seq FROM receipts ORDER BY n")?;
    let mut rows = statement.query(())?;
    let (mut count, mut last) = (0, 0);
    while let Some(row) = rows.next()? {
        let (n, author, seq): (i64, [u8; 16], i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (author, seq) = (AuthorId(Uuid::from_bytes(author)), links::number(seq));
        if n != last + 1 {
            let what =
                format!("receipts {} to {} are gone, before the one for link {seq} of {author}", last + 1, n - 1);
            found.add(Finding::new("receipt.missing", what).at(author, seq));
        }
        if facts.identity.author_of(author).is_none() {
            let what = format!("a receipt is for link {seq} of author {author}, whom this tablet never was");
            found.add(Finding::new("receipt.does_not_fit", what).at(author, seq));
        }
        (count, last) = (count + 1, n);
    }
    Ok(count)
}

/// Is the body of this hash here?
pub(super) fn is_here(from: &Connection, body: &Hash) -> rusqlite::Result<bool> {
    bodies::is_held(from, body)
}
