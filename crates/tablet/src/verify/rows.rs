//! What the feeds told: it fits the own chains, the receipts, and others' signed heads where their chains are whole.

use super::{Facts, Verified, chains};
use crate::file::{feeds, heads, held, links};
use lamplight_domain::chain::{Hash, feed_hash, link_hash};
use lamplight_domain::findings::{Finding, Findings};
use lamplight_domain::ids::{AuthorId, RecordId};
use lamplight_domain::wire::RowRead;
use rusqlite::{Connection, OptionalExtension};
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

pub(super) fn walk(
    from: &Connection,
    facts: &Facts<'_>,
    verified: &mut Verified,
    found: &mut Findings,
) -> rusqlite::Result<()> {
    // An older program's file names no feeds: its rows have nothing to be compared with but chains.
    let has_feeds = from.table_exists(None, "feeds_read")?;
    if !has_feeds {
        verified.rows = from.query_row("SELECT count(*) FROM held", (), |r| r.get::<_, i64>(0))? as u64;
        return Ok(());
    }
    let rows = held::all(from)?;
    verified.rows = rows.len() as u64;
    let mut places: HashSet<(u64, u64)> = HashSet::new();
    for row in &rows {
        let RowRead { author, seq, n, .. } = *row;
        let add = |code, what: String| Finding::new(code, what).at(author, seq);
        let own = links::at(from, author, seq)?;
        if own.is_some_and(|own| own.body_hash != row.body_hash) {
            let what = format!("link {seq} of author {author} is another one in the feed than in the own chain");
            found.add(add("row.differs", what));
        } else if own.is_none() && !chains::is_here(from, &row.body_hash)? {
            verified.prune(author, seq);
        }
        let receipts = facts.receipts.get(&author).and_then(|all| all.get(&seq));
        if receipts.is_some_and(|all| all.iter().all(|r| r.received_at != row.received_at)) {
            let what =
                format!("link {seq} of author {author} has another time of receipt in the feed than its receipt");
            found.add(add("row.received_at", what));
        }
        if row.feed.is_some_and(|feed| !places.insert((feed, n))) {
            found.add(add("row.repeated", format!("row {n} of a feed stands twice, for link {seq} of {author} too")));
        }
    }
    compare_heads(from, &rows, found)?;
    compare_feeds(from, &rows, found)
}

/// Where all links of another author up to a signed head are known, they lead there.
fn compare_heads(from: &Connection, rows: &[RowRead], found: &mut Findings) -> rusqlite::Result<()> {
    let mut by_author: HashMap<AuthorId, BTreeMap<u64, Hash>> = HashMap::new();
    for row in rows {
        by_author.entry(row.author).or_default().insert(row.seq, row.body_hash);
    }
    let mut signed: HashMap<AuthorId, BTreeMap<u64, Hash>> = HashMap::new();
    for head in heads::all(from)? {
        signed.entry(head.head.author).or_default().insert(head.head.seq, head.head.hash);
    }
    for (author, heads) in &signed {
        let Some(links) = by_author.get(author) else { continue };
        let (mut prev, mut good) = (Hash::ZERO, 0);
        for (i, (seq, body)) in links.iter().enumerate() {
            if *seq != i as u64 + 1 {
                break;
            }
            prev = link_hash(*author, *seq, &prev, body);
            match heads.get(seq) {
                Some(head) if *head != prev => {
                    let first = good + 1;
                    let which = if first == *seq { format!("link {seq}") } else { format!("links {first} to {seq}") };
                    let what = format!("{which} of author {author} do not lead to the head that their author signed");
                    found.add(Finding::new("row.changed", what).at(*author, first));
                    break;
                }
                Some(_) => good = *seq,
                None => {}
            }
        }
    }
    Ok(())
}

/// Where every row of a feed up to the cursor is known, their rolling hash is the cursor's.
fn compare_feeds(from: &Connection, rows: &[RowRead], found: &mut Findings) -> rusqlite::Result<()> {
    for feed in feeds::all_read(from)? {
        let Some(cursor) = feed.cursor else { continue };
        let of_feed: BTreeMap<u64, Hash> =
            rows.iter().filter(|r| r.feed == Some(feed.no) && r.n <= cursor.n).map(|r| (r.n, r.body_hash)).collect();
        if of_feed.len() as u64 != cursor.n {
            continue;
        }
        let mut rolling = Some(Hash::ZERO);
        for (n, body) in &of_feed {
            let id: Option<[u8; 16]> = from
                .prepare_cached("SELECT id FROM bodies WHERE hash = ?1")?
                .query_row([body.0], |row| row.get(0))
                .optional()?;
            rolling = rolling.zip(id).map(|(before, id)| feed_hash(&before, *n, RecordId(Uuid::from_bytes(id)), body));
        }
        // A body that was pruned has no id here.
        if rolling.is_some_and(|hash| hash != cursor.hash) {
            let what = format!("the rows of the feed of ward {} do not lead to its cursor at {}", feed.ward, cursor.n);
            found.add(Finding { seq: Some(cursor.n), ..Finding::new("feed.changed", what) });
        }
    }
    Ok(())
}
