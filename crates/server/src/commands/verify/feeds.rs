//! Feeds: numbers without holes, the rolling hash of every ward's feed, each body once.

use super::{count, fixed};
use crate::store::{StoreError, feed};
use lamplight_domain::chain::{Hash, feed_hash};
use lamplight_domain::findings::{Finding, Findings};
use lamplight_domain::ids::{RecordId, WardId};
use rusqlite::{Connection, params};
use std::collections::HashSet;
use uuid::Uuid;

/// Hashes that a run of broken rows may have had.
const MAYBE_MAX: usize = 64;

/// Returns how many rows there are.
pub(super) fn walk(db: &Connection, found: &mut Findings) -> Result<u64, StoreError> {
    let wards = feed::wards(db)?;
    for (no, ward) in &wards {
        walk_ward(db, *no, *ward, found)?;
    }
    let strays = count(db, "SELECT count(*) FROM feed WHERE ward NOT IN (SELECT no FROM wards)")?;
    if strays > 0 {
        found.add(Finding::new("feed.ward_missing", format!("{strays} rows of feeds are of a ward that is gone")));
    }
    Ok(count(db, "SELECT count(*) FROM feed")?)
}

fn walk_ward(db: &Connection, no: feed::WardNo, ward: WardId, found: &mut Findings) -> Result<(), StoreError> {
    let mut statement = db.prepare(
        "SELECT f.n, f.hash, f.observed_at, b.id, b.hash, b.observed_at, f.body FROM feed f
         LEFT JOIN bodies b ON b.no = f.body WHERE f.ward = ?1 ORDER BY f.n",
    )?;
    let mut rows = statement.query(params![no.0])?;
    let (mut last, mut before, mut stood) = (0, vec![Hash::ZERO], HashSet::new());
    while let Some(row) = rows.next()? {
        let n = row.get::<_, i64>(0)? as u64;
        if n != last + 1 {
            let (first, upto) = (last + 1, n.saturating_sub(1));
            let which = if first == upto { format!("row {first}") } else { format!("rows {first} to {upto}") };
            let what = format!("the feed of ward {ward} has no {which}");
            found.add(Finding { seq: Some(first), ..Finding::new("feed.missing", what) });
            before.clear();
        }
        last = n;
        let hash = Hash(fixed(row, 1)?);
        if matches!(row.get_ref(3)?, rusqlite::types::ValueRef::Null) {
            found.add(of_row(ward, n, "feed.body_missing", None, "has lost its body"));
            before = vec![hash];
            continue;
        }
        let id = Uuid::from_bytes(fixed(row, 3)?);
        let body = Hash(fixed(row, 4)?);
        if !stood.insert(row.get::<_, i64>(6)?) {
            found.add(of_row(ward, n, "feed.repeated", Some(id), "repeats an earlier row"));
        }
        let follows = |prev: &Hash| feed_hash(prev, n, RecordId(id), &body);
        let is_next = before.is_empty() || before.iter().any(|prev| follows(prev) == hash);
        if !is_next || row.get::<_, i64>(2)? != row.get::<_, i64>(5)? {
            found.add(of_row(ward, n, "feed.changed", Some(id), "is not the one that was given out"));
        }
        if is_next {
            before = vec![hash];
        } else {
            let maybe: Vec<Hash> = before.iter().map(follows).collect();
            before.push(hash);
            before.extend(maybe);
            before.truncate(MAYBE_MAX);
        }
    }
    Ok(())
}

fn of_row(ward: WardId, n: u64, code: &'static str, record: Option<Uuid>, what: &str) -> Finding {
    let what = format!("row {n} of the feed of ward {ward} {what}");
    Finding { seq: Some(n), ..Finding::new(code, what) }.record(record)
}
