//! What the audit is read from: records of kind `audit`, and those about tablets and access that say as much. Newest first,
//! by the time at which they say that they were written.

use super::bodies::BodyNo;
use super::{StoreError, flags};
use lamplight_domain::ids::{AuthorId, TabletId};
use lamplight_domain::record::{Body, Record};
use lamplight_domain::time::Ms;
use rusqlite::{Connection, params};
use uuid::Uuid;

/// As the index `bodies_audited` says it, word for word: else it is not used.
const KINDS: &str = "kind IN ('audit', 'tablet.joined', 'tablet.moved', 'tablet.revoked', 'access.given')";

#[derive(Debug)]
pub struct Audited {
    pub record: Record,
    /// The tablet that wrote it; none for a server.
    pub tablet: Option<TabletId>,
    pub flags: Vec<String>,
}

/// Those written in `from..to`, to `take` until it says false.
pub fn read(
    db: &Connection,
    (from, to): (Ms, Ms),
    mut take: impl FnMut(Audited) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT b.no, b.bytes, a.id, b.seq, l.received_at, a.tablet FROM bodies b INDEXED BY bodies_audited
           JOIN authors a ON a.no = b.author JOIN links l ON l.author = b.author AND l.seq = b.seq
         WHERE b.{KINDS} AND b.recorded_at >= ?1 AND b.recorded_at < ?2 ORDER BY b.recorded_at DESC, b.no DESC"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params![from.0, to.0])?;
    while let Some(row) = rows.next()? {
        let (author, seq) = (AuthorId(Uuid::from_bytes(row.get(2)?)), row.get::<_, i64>(3)? as u64);
        let Ok(record) =
            Record::parse(row.get_ref(1)?.as_blob().unwrap_or_default(), author, seq, Some(Ms(row.get(4)?)))
        else {
            continue;
        };
        let tablet = row.get::<_, Option<[u8; 16]>>(5)?.map(|id| TabletId(Uuid::from_bytes(id)));
        let flags = flags::of(db, BodyNo(row.get(0)?))?;
        if !take(Audited { record, tablet, flags })? {
            break;
        }
    }
    Ok(())
}

/// What the newest record about a tablet that was taken out of use says.
pub fn revocations(db: &Connection) -> Result<Vec<Body>, StoreError> {
    let sql = format!(
        "SELECT bytes FROM bodies INDEXED BY bodies_audited WHERE {KINDS} AND kind = 'tablet.revoked'
         ORDER BY recorded_at, no"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.extend(Body::parse(row.get_ref(0)?.as_blob().unwrap_or_default()));
    }
    Ok(found)
}
