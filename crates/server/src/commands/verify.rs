//! `verify`: walks every chain, every signature, every body and every feed, and names the first break.

use super::open_beside;
use crate::facility::{Identity, damaged};
use crate::store::authors::{self, Author};
use crate::store::bodies::Columns;
use crate::store::{StoreError, feed, heads};
use lamplight_domain::chain::{Endorser, Hash, Head, Receipt, body_hash, feed_hash, link_hash, verify as signed};
use lamplight_domain::ids::RecordId;
use lamplight_domain::record::Body;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::Ms;
use rusqlite::{Connection, params};
use serde::Serialize;
use std::path::Path;
use uuid::Uuid;

/// What was walked, all of it sound.
#[derive(Debug, Serialize)]
pub struct Verified {
    pub authors: u64,
    pub links: u64,
    pub bodies: u64,
    pub feed_rows: u64,
}

/// Why a walk ends early.
enum Stop {
    /// The first break, by name.
    Break(String),
    Store(StoreError),
}

impl<E: Into<StoreError>> From<E> for Stop {
    fn from(e: E) -> Stop {
        Stop::Store(e.into())
    }
}

fn at(broken: impl Into<String>) -> Stop {
    Stop::Break(broken.into())
}

/// Errors: "verify.broken" with the first break, and those of opening.
pub fn verify(path: &Path) -> Result<Verified, Refusal> {
    let db = open_beside(path)?;
    let walk = || -> Result<Verified, Stop> {
        let db = db.unchecked_transaction()?;
        let identity = Identity::read(&db)?;
        let authors = authors::all(&db)?;
        let bodies = walk_bodies(&db)?;
        let (mut links, mut signed_heads) = (0, 0);
        for author in &authors {
            vouched(&identity, author, &authors)?;
            let heads = heads::all(&db, author.no)?;
            links += walk_chain(&db, &identity, author, &heads)?;
            signed_heads += heads.len() as u64;
        }
        first_links(&db)?;
        let feed_rows = walk_feeds(&db)?;
        for (table, walked, whose) in [
            ("links", links, "an author"),
            ("heads", signed_heads, "an author"),
            ("bodies", bodies, "an author"),
            ("feed", feed_rows, "a ward"),
        ] {
            let held = db.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get::<_, i64>(0))? as u64;
            if held != walked {
                return Err(at(format!("{table} holds {held} rows and {walked} of them belong to {whose}")));
            }
        }
        Ok(Verified { authors: authors.len() as u64, links, bodies, feed_rows })
    };
    walk().map_err(|stop| match stop {
        Stop::Break(broken) => Refusal::new(
            "verify.broken",
            format!("The evidence is broken: {broken}."),
            "Keep this folder as it is, and compare it with a backup and with the tablets' exports.",
        ),
        Stop::Store(e) => damaged(path, &e),
    })
}

/// Every body hashes to its hash, and its columns say what its bytes say.
fn walk_bodies(db: &Connection) -> Result<u64, Stop> {
    let mut statement =
        db.prepare("SELECT no, hash, id, kind, stay, observed_at, recorded_at, bytes FROM bodies ORDER BY no")?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let no: i64 = row.get(0)?;
        let (hash, bytes) = (Hash(row.get(1)?), row.get::<_, Vec<u8>>(7)?);
        let id = Uuid::from_bytes(row.get(2)?);
        if body_hash(&bytes) != hash {
            return Err(at(format!("body {no} (record {id}) is not the one that was hashed as {hash}")));
        }
        let body = Body::parse(&bytes).ok();
        let columns = Columns::of(body.as_ref().map(|b| &b.envelope));
        let stay = row.get::<_, Option<[u8; 16]>>(4)?.map(Uuid::from_bytes);
        let same = columns.id.0 == id
            && columns.kind == row.get::<_, String>(3)?
            && columns.stay.map(|s| s.0) == stay
            && columns.observed_at == Ms(row.get(5)?)
            && columns.recorded_at == Ms(row.get(6)?);
        if !same {
            return Err(at(format!("body {no} (record {id}) is filed under something that its bytes do not say")));
        }
        count += 1;
    }
    Ok(count)
}

/// Somebody trusted vouches for the author's key.
fn vouched(identity: &Identity, author: &Author, all: &[Author]) -> Result<(), Stop> {
    let by = match author.endorser {
        Endorser::Facility => Some(identity.key.public()),
        Endorser::Author(id) => {
            // Somebody who was here before: nobody vouches for themselves, not in a circle either.
            let before = |a: &&Author| a.id == id && a.tablet == author.tablet && a.no.0 < author.no.0;
            all.iter().find(before).map(|a| a.key)
        }
    };
    let holds = by.is_some_and(|key| author.credential(identity.facility).holds(&key));
    if holds { Ok(()) } else { Err(at(format!("author {} has a credential that does not hold", author.id))) }
}

/// Numbers without holes, hashes that follow from each other, signed ends, times of receipt as they were given out.
fn walk_chain(db: &Connection, identity: &Identity, author: &Author, heads: &[heads::SignedHead]) -> Result<u64, Stop> {
    let id = author.id;
    let mut head = heads.iter();
    let mut covering = head.next();
    let (mut end, mut signed_before) = (Head::empty(id), 0);
    let mut statement = db.prepare(
        "SELECT l.seq, l.hash, l.received_at, b.hash FROM links l LEFT JOIN bodies b ON b.no = l.body
         WHERE l.author = ?1 ORDER BY l.seq",
    )?;
    let mut rows = statement.query([author.no.0])?;
    while let Some(row) = rows.next()? {
        let seq = row.get::<_, i64>(0)? as u64;
        if seq != end.seq + 1 {
            return Err(at(format!("author {id} has no link {}", end.seq + 1)));
        }
        let Some(body) = row.get::<_, Option<[u8; 32]>>(3)? else {
            return Err(at(format!("link {seq} of author {id} has lost its body")));
        };
        let hash = Hash(row.get(1)?);
        if link_hash(id, seq, &end.hash, &Hash(body)) != hash {
            return Err(at(format!("link {seq} of author {id} does not follow from the one before and its body")));
        }
        end = Head { author: id, seq, hash };
        let Some(signed_head) = covering else {
            return Err(at(format!("link {seq} of author {id} is under no signature")));
        };
        let received_at = Ms(row.get(2)?);
        let is_its_own = signed_head.proven_seq == 0
            || (signed_head.proven_seq > signed_before && signed_head.proven_seq <= signed_head.seq);
        if !is_its_own {
            return Err(at(format!("head {} of author {id} names an older receipt for other links", signed_head.seq)));
        }
        let given = if seq <= signed_head.proven_seq { signed_head.proven_at } else { signed_head.received_at };
        if received_at != given {
            return Err(at(format!("link {seq} of author {id} says another time of receipt than was given out")));
        }
        if seq == signed_head.proven_seq {
            let older = signed_head.proven_by.map(|(request, signature)| Receipt {
                head: end,
                received_at: signed_head.proven_at,
                request,
                signature,
            });
            if !older.is_some_and(|r| r.holds(&identity.key.public(), identity.facility)) {
                return Err(at(format!("no older receipt shows when link {seq} of author {id} was received")));
            }
        }
        if seq == signed_head.seq {
            if !signed(&author.key, &end.message(identity.facility), &signed_head.signature) {
                return Err(at(format!("head {seq} of author {id} is not signed by its author")));
            }
            let receipt = Receipt {
                head: end,
                received_at: signed_head.received_at,
                request: signed_head.request,
                signature: signed_head.receipt,
            };
            if !receipt.holds(&identity.key.public(), identity.facility) {
                return Err(at(format!("the receipt for head {seq} of author {id} does not hold")));
            }
            signed_before = seq;
            covering = head.next();
        }
    }
    match covering {
        Some(lost) => Err(at(format!("author {id} signed head {} and its links are gone", lost.seq))),
        None => Ok(end.seq),
    }
}

/// Every body was brought by the link that it names, and stands in a feed.
fn first_links(db: &Connection) -> Result<(), Stop> {
    let mut statement = db.prepare(
        "SELECT b.no, l.body, (SELECT count(*) FROM feed f WHERE f.body = b.no) FROM bodies b
         LEFT JOIN links l ON l.author = b.author AND l.seq = b.seq ORDER BY b.no",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let no: i64 = row.get(0)?;
        if row.get::<_, Option<i64>>(1)? != Some(no) {
            return Err(at(format!("body {no} was brought by no link")));
        }
        if row.get::<_, i64>(2)? == 0 {
            return Err(at(format!("body {no} is in no feed")));
        }
    }
    Ok(())
}

/// Numbers without holes and the rolling hash of every ward's feed.
fn walk_feeds(db: &Connection) -> Result<u64, Stop> {
    let mut count = 0;
    for (no, ward) in feed::wards(db)? {
        let mut statement = db.prepare(
            "SELECT f.n, f.hash, f.observed_at, b.id, b.hash, b.observed_at FROM feed f
             LEFT JOIN bodies b ON b.no = f.body WHERE f.ward = ?1 ORDER BY f.n",
        )?;
        let mut rows = statement.query(params![no.0])?;
        let (mut last, mut rolling) = (0, Hash::ZERO);
        while let Some(row) = rows.next()? {
            let n = row.get::<_, i64>(0)? as u64;
            if n != last + 1 {
                return Err(at(format!("the feed of ward {ward} has no row {}", last + 1)));
            }
            let Some(id) = row.get::<_, Option<[u8; 16]>>(3)? else {
                return Err(at(format!("row {n} of the feed of ward {ward} has lost its body")));
            };
            rolling = feed_hash(&rolling, n, RecordId(Uuid::from_bytes(id)), &Hash(row.get(4)?));
            let same = rolling == Hash(row.get(1)?) && row.get::<_, i64>(2)? == row.get::<_, i64>(5)?;
            if !same {
                return Err(at(format!("row {n} of the feed of ward {ward} is not the one that was given out")));
            }
            last = n;
            count += 1;
        }
    }
    Ok(count)
}
