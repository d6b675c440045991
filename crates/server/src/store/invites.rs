//! Tables `invites` and `joins`: who may join which ward, how often, until when, and who came by which. Codes are kept
//! as hashes only.

use lamplight_domain::chain::{Hash, body_hash};
use lamplight_domain::ids::{AuthorId, StaffId, TabletId, WardId};
use lamplight_domain::time::Ms;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    pub ward: WardId,
    pub uses_left: u32,
    pub expires_at: Ms,
    /// Goes out of use as a tablet comes by this.
    pub replaces: Option<TabletId>,
}

/// Codes are long and random: a plain hash hides them well enough.
fn code_hash(code: &str) -> Hash {
    body_hash(&[b"lamplight.invite.v1\0", code.as_bytes()].concat())
}

pub fn insert(db: &Connection, code: &str, open: &Open, at: Ms, by: Option<StaffId>) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO invites (code_hash, ward, uses_left, made_at, made_by, expires_at, replaces)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            code_hash(code).0,
            open.ward.0.as_bytes(),
            open.uses_left,
            at.0,
            by.map(|s| *s.0.as_bytes()),
            open.expires_at.0,
            open.replaces.map(|t| *t.0.as_bytes()),
        ],
    )?;
    Ok(())
}

pub fn find(db: &Connection, code: &str) -> rusqlite::Result<Option<Open>> {
    db.query_row(
        "SELECT ward, uses_left, expires_at, replaces FROM invites WHERE code_hash = ?1",
        [code_hash(code).0],
        |r| {
            Ok(Open {
                ward: WardId(Uuid::from_bytes(r.get(0)?)),
                uses_left: r.get(1)?,
                expires_at: Ms(r.get(2)?),
                replaces: r.get::<_, Option<[u8; 16]>>(3)?.map(|id| TabletId(Uuid::from_bytes(id))),
            })
        },
    )
    .optional()
}

pub fn use_once(db: &Connection, code: &str) -> rusqlite::Result<bool> {
    let done = db.execute(
        "UPDATE invites SET uses_left = uses_left - 1 WHERE code_hash = ?1 AND uses_left > 0",
        [code_hash(code).0],
    )?;
    Ok(done == 1)
}

/// The author came by this invite; by none before it any more.
pub fn came(db: &Connection, author: AuthorId, code: &str) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO joins (author, code_hash) VALUES (?1, ?2)
         ON CONFLICT (author) DO UPDATE SET code_hash = excluded.code_hash",
        params![author.0.as_bytes(), code_hash(code).0],
    )?;
    Ok(())
}

pub fn came_by(db: &Connection, author: AuthorId, code: &str) -> rusqlite::Result<bool> {
    db.prepare("SELECT 1 FROM joins WHERE author = ?1 AND code_hash = ?2")?
        .exists(params![author.0.as_bytes(), code_hash(code).0])
}
