//! Bodies: their bytes, what they are filed under, and that somebody brought each.

use lamplight_domain::chain::{Hash, body_hash};
use lamplight_domain::findings::{Finding, Findings};
use lamplight_domain::ids::AuthorId;
use lamplight_domain::record::Body;
use rusqlite::{Connection, Row};
use uuid::Uuid;

/// Returns how many there are.
pub(super) fn walk(from: &Connection, found: &mut Findings) -> rusqlite::Result<u64> {
    let mut statement = from.prepare(
        "SELECT b.n, b.hash, b.id, b.kind, b.stay, b.observed_at, b.bytes,
           coalesce((SELECT author FROM links WHERE body_hash = b.hash LIMIT 1),
             (SELECT author FROM held WHERE body_hash = b.hash LIMIT 1)),
           coalesce((SELECT seq FROM links WHERE body_hash = b.hash LIMIT 1),
             (SELECT seq FROM held WHERE body_hash = b.hash LIMIT 1))
         FROM bodies b ORDER BY b.n",
    )?;
    let mut rows = statement.query(())?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        count += 1;
        let bytes = row.get_ref(6)?.as_blob().unwrap_or_default();
        let body = Body::parse(bytes).ok();
        let envelope = body.as_ref().map(|b| &b.envelope);
        let filed = Uuid::from_bytes(row.get(2)?);
        let id = envelope.map_or(filed, |e| e.id.0);
        let place = place(row)?;
        let add = |code, what: String| match place {
            Some((author, seq)) => Finding::new(code, what).at(author, seq).record(Some(id)),
            None => Finding::new(code, what).record(Some(id)),
        };
        if body_hash(bytes) != Hash(row.get(1)?) {
            found.add(add("body.changed", format!("the body of record {filed} is not the one that was hashed")));
            continue;
        }
        if place.is_none() {
            found.add(add("body.stray", format!("record {id} was brought by no link and no feed")));
        }
        let same = envelope.map_or(Uuid::nil(), |e| e.id.0) == filed
            && envelope.map_or("", |e| e.kind.as_str()) == row.get::<_, String>(3)?
            && envelope.and_then(|e| e.stay).map(|s| s.0) == row.get::<_, Option<[u8; 16]>>(4)?.map(Uuid::from_bytes)
            && envelope.map_or(0, |e| e.observed_at.0) == row.get::<_, i64>(5)?;
        if !same {
            found.add(add("body.misfiled", format!("record {id} is filed under what its bytes do not say")));
        }
    }
    Ok(count)
}

/// The link that it is known by.
fn place(row: &Row<'_>) -> rusqlite::Result<Option<(AuthorId, u64)>> {
    let author = row.get::<_, Option<[u8; 16]>>(7)?.map(|b| AuthorId(Uuid::from_bytes(b)));
    Ok(author.zip(row.get::<_, Option<i64>>(8)?.map(crate::file::links::number)))
}
