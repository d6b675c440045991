//! Bodies: their bytes, what they are filed under, the link that brought each, and the feed that it stands in.

use super::fixed;
use crate::store::StoreError;
use crate::store::bodies::Columns;
use lamplight_domain::chain::{Hash, body_hash};
use lamplight_domain::findings::{Finding, Findings};
use lamplight_domain::ids::AuthorId;
use lamplight_domain::record::Body;
use lamplight_domain::time::Ms;
use rusqlite::Connection;
use uuid::Uuid;

/// Every body hashes to its hash, and its columns say what its bytes say.
pub(super) fn walk(db: &Connection, found: &mut Findings) -> Result<u64, StoreError> {
    let mut statement = db.prepare(
        "SELECT b.no, b.hash, b.id, b.kind, b.stay, b.observed_at, b.recorded_at, b.bytes, a.id, b.seq
         FROM bodies b LEFT JOIN authors a ON a.no = b.author ORDER BY b.no",
    )?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        count += 1;
        let (hash, bytes) = (Hash(fixed(row, 1)?), row.get::<_, Vec<u8>>(7)?);
        let id = Uuid::from_bytes(fixed(row, 2)?);
        let (author, seq) = (AuthorId(Uuid::from_bytes(fixed(row, 8)?)), row.get::<_, i64>(9)? as u64);
        if body_hash(&bytes) != hash {
            let what =
                format!("the body of record {id} (link {seq} of author {author}) is not the one that was hashed");
            found.add(Finding::new("body.changed", what).at(author, seq).record(Some(id)));
            continue;
        }
        let body = Body::parse(&bytes).ok();
        let columns = Columns::of(body.as_ref().map(|b| &b.envelope));
        let has_stay = !matches!(row.get_ref(4)?, rusqlite::types::ValueRef::Null);
        let stay = if has_stay { Some(Uuid::from_bytes(fixed(row, 4)?)) } else { None };
        let same = columns.id.0 == id
            && columns.kind == row.get::<_, String>(3)?
            && columns.stay.map(|s| s.0) == stay
            && columns.observed_at == Ms(row.get(5)?)
            && columns.recorded_at == Ms(row.get(6)?);
        if !same {
            let id = columns.id.0;
            let what = format!("record {id} (link {seq} of author {author}) is filed under what its bytes do not say");
            found.add(Finding::new("body.misfiled", what).at(author, seq).record(Some(id)));
        }
    }
    Ok(count)
}

/// Every body was brought by the link that it names, and stands in a feed.
pub(super) fn walk_origins(db: &Connection, found: &mut Findings) -> Result<(), StoreError> {
    let mut statement = db.prepare(
        "SELECT b.no, l.body, (SELECT count(*) FROM feed f WHERE f.body = b.no), b.id, a.id, b.seq FROM bodies b
         LEFT JOIN links l ON l.author = b.author AND l.seq = b.seq LEFT JOIN authors a ON a.no = b.author
         ORDER BY b.no",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id = Uuid::from_bytes(fixed(row, 3)?);
        let (author, seq) = (AuthorId(Uuid::from_bytes(fixed(row, 4)?)), row.get::<_, i64>(5)? as u64);
        if row.get::<_, Option<i64>>(1)? != Some(row.get(0)?) {
            let what = format!("record {id} says that link {seq} of author {author} brought it, which did not");
            found.add(Finding::new("body.stray", what).at(author, seq).record(Some(id)));
        }
        if row.get::<_, i64>(2)? == 0 {
            let what = format!("record {id} (link {seq} of author {author}) is in no feed");
            found.add(Finding::new("body.in_no_feed", what).at(author, seq).record(Some(id)));
        }
    }
    Ok(())
}
