//! The server's signed word for own heads, in order of arrival. Kept for ever: they prove when the server had what.

use super::links::{number, signed};
use lamplight_domain::chain::{Hash, Head, Receipt, Signature};
use lamplight_domain::ids::AuthorId;
use lamplight_domain::time::Ms;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

const NEWEST: &str = "ORDER BY n DESC LIMIT 1";
const FURTHEST: &str = "ORDER BY seq DESC, n LIMIT 1";
const FURTHEST_WITHIN: &str = "AND seq > ?2 AND seq <= ?3 ORDER BY seq DESC, n LIMIT 1";

/// Keeps a verified receipt, unless the newest one says the same.
pub fn keep(to: &Connection, receipt: &Receipt) -> rusqlite::Result<()> {
    if newest(to, receipt.head.author)?.is_some_and(|r| r.head == receipt.head && r.received_at == receipt.received_at)
    {
        return Ok(());
    }
    to.prepare_cached(
        "INSERT INTO receipts (author, seq, hash, received_at, request, signature) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        receipt.head.author.0.as_bytes(),
        signed(receipt.head.seq),
        receipt.head.hash.0,
        receipt.received_at.0,
        receipt.request.as_bytes(),
        receipt.signature.0,
    ])
    .map(|_| ())
}

/// The receipt that arrived last: where the server stood then, even if it had stood further before.
pub fn newest(from: &Connection, author: AuthorId) -> rusqlite::Result<Option<Receipt>> {
    one(from, author, NEWEST, [author.0.as_bytes()])
}

/// The receipt for the longest stretch of the chain that the server ever held.
pub fn furthest(from: &Connection, author: AuthorId) -> rusqlite::Result<Option<Receipt>> {
    one(from, author, FURTHEST, [author.0.as_bytes()])
}

/// Every receipt of an author, in order of arrival.
pub fn all(from: &Connection, author: AuthorId) -> rusqlite::Result<Vec<Receipt>> {
    from.prepare("SELECT seq, hash, received_at, request, signature FROM receipts WHERE author = ?1 ORDER BY n")?
        .query_map([author.0.as_bytes()], |row| receipt(author, row))?
        .collect()
}

/// The receipt for the longest stretch that ends in `after+1..=upto`.
pub fn furthest_within(
    from: &Connection,
    author: AuthorId,
    after: u64,
    upto: u64,
) -> rusqlite::Result<Option<Receipt>> {
    let values = params![author.0.as_bytes(), signed(after), signed(upto)];
    one(from, author, FURTHEST_WITHIN, values)
}

/// `values`: of the author first.
fn one(
    from: &Connection,
    author: AuthorId,
    which: &str,
    values: impl rusqlite::Params,
) -> rusqlite::Result<Option<Receipt>> {
    from.prepare_cached(&sql(which))?.query_row(values, |row| receipt(author, row)).optional()
}

fn sql(which: &str) -> String {
    format!("SELECT seq, hash, received_at, request, signature FROM receipts WHERE author = ?1 {which}")
}

fn receipt(author: AuthorId, row: &Row<'_>) -> rusqlite::Result<Receipt> {
    Ok(Receipt {
        head: Head { author, seq: number(row.get(0)?), hash: Hash(row.get(1)?) },
        received_at: Ms(row.get(2)?),
        request: Uuid::from_bytes(row.get(3)?),
        signature: Signature(row.get(4)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::{DeviceKey, File, Schema};

    #[test]
    fn none_of_many_receipts_is_found_by_reading_all_of_them() {
        let dir = tempfile::tempdir().unwrap();
        let key = DeviceKey::of(dir.path(), false).unwrap();
        let file = File::open(dir.path().join("records.db"), key, Schema::Records).unwrap().0;
        for (which, index) in [
            (NEWEST, "receipts_by_author (author=?)"),
            (FURTHEST, "receipts_by_seq (author=?)"),
            (FURTHEST_WITHIN, "receipts_by_seq (author=? AND seq>? AND seq<?)"),
        ] {
            let plan = format!("EXPLAIN QUERY PLAN {}", sql(which));
            let steps: Vec<String> = file
                .read(|from| {
                    let mut statement = from.prepare(&plan)?;
                    (1..=statement.parameter_count()).try_for_each(|n| statement.raw_bind_parameter(n, 0))?;
                    statement.raw_query().mapped(|row| row.get(3)).collect()
                })
                .unwrap();
            assert!(steps[0].contains(index), "{which}: {steps:?}");
            let sorts_all = steps.iter().any(|step| step.contains("B-TREE FOR ORDER BY"));
            assert!(!sorts_all, "{which}: {steps:?}");
        }
    }
}
