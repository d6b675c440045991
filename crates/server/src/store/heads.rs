//! Table `heads`: one row a committed batch, with the author's signature over its end and the facility's receipt.

use super::authors::AuthorNo;
use lamplight_domain::chain::{Receipt, Signature};
use lamplight_domain::time::Ms;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

#[derive(Clone, Copy, Debug)]
pub struct SignedHead {
    pub seq: u64,
    pub signature: Signature,
    pub received_at: Ms,
    pub request: Uuid,
    pub receipt: Signature,
    /// Links up to here were received at `proven_at`, as an older receipt shows; 0 for none.
    pub proven_seq: u64,
    pub proven_at: Ms,
    /// The older receipt's request and signature; none where it shows nothing.
    pub proven_by: Option<(Uuid, Signature)>,
}

pub fn insert(
    db: &Connection,
    author: AuthorNo,
    signature: &Signature,
    receipt: &Receipt,
    proven: Option<&Receipt>,
) -> rusqlite::Result<()> {
    let (proven_seq, proven_at) = proven.map(|r| (r.head.seq, r.received_at)).unwrap_or_default();
    db.prepare_cached(
        "INSERT INTO heads (author, seq, signature, received_at, request, receipt, proven_seq, proven_at,
           proven_request, proven_receipt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        author.0,
        receipt.head.seq as i64,
        signature.0,
        receipt.received_at.0,
        receipt.request.as_bytes(),
        receipt.signature.0,
        proven_seq as i64,
        proven_at.0,
        proven.map(|r| *r.request.as_bytes()),
        proven.map(|r| r.signature.0),
    ])?;
    Ok(())
}

/// The number of the last signed link, and the author's signature there.
pub fn newest(db: &Connection, author: AuthorNo) -> rusqlite::Result<Option<(u64, Signature)>> {
    db.prepare_cached("SELECT seq, signature FROM heads WHERE author = ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([author.0], |r| Ok((r.get::<_, i64>(0)? as u64, Signature(r.get(1)?))))
        .optional()
}

/// Of one author, in order.
pub fn all(db: &Connection, author: AuthorNo) -> rusqlite::Result<Vec<SignedHead>> {
    db.prepare(
        "SELECT seq, signature, received_at, request, receipt, proven_seq, proven_at,
           proven_request, proven_receipt
         FROM heads WHERE author = ?1 ORDER BY seq",
    )?
    .query_map([author.0], |r| {
        Ok(SignedHead {
            seq: r.get::<_, i64>(0)? as u64,
            signature: Signature(r.get(1)?),
            received_at: Ms(r.get(2)?),
            request: Uuid::from_bytes(r.get(3)?),
            receipt: Signature(r.get(4)?),
            proven_seq: r.get::<_, i64>(5)? as u64,
            proven_at: Ms(r.get(6)?),
            proven_by: r
                .get::<_, Option<[u8; 16]>>(7)?
                .zip(r.get::<_, Option<[u8; 64]>>(8)?)
                .map(|(request, signature)| (Uuid::from_bytes(request), Signature(signature))),
        })
    })?
    .collect()
}
