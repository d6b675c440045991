//! Table `authors`: everybody who ever pushed a link, with the credential that vouches for the key.

use lamplight_domain::chain::{Credential, Endorser, PublicKey, Signature};
use lamplight_domain::ids::{AuthorId, FacilityId, TabletId};
use lamplight_domain::time::Ms;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

/// Row number of an author; smaller than its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AuthorNo(pub i64);

#[derive(Clone, Debug, PartialEq)]
pub struct Author {
    pub no: AuthorNo,
    pub id: AuthorId,
    pub key: PublicKey,
    /// None for an author of a server.
    pub tablet: Option<TabletId>,
    pub endorser: Endorser,
    pub signature: Signature,
}

impl Author {
    pub fn credential(&self, facility: FacilityId) -> Credential {
        let Author { id: author, key, tablet, endorser, signature, .. } = *self;
        Credential { facility, author, key, tablet, endorser, signature }
    }
}

const COLUMNS: &str = "no, id, key, tablet, endorser, signature";

fn read(row: &Row<'_>) -> rusqlite::Result<Author> {
    Ok(Author {
        no: AuthorNo(row.get(0)?),
        id: AuthorId(Uuid::from_bytes(row.get(1)?)),
        key: PublicKey(row.get(2)?),
        tablet: row.get::<_, Option<[u8; 16]>>(3)?.map(|b| TabletId(Uuid::from_bytes(b))),
        endorser: match row.get::<_, Option<[u8; 16]>>(4)? {
            None => Endorser::Facility,
            Some(by) => Endorser::Author(AuthorId(Uuid::from_bytes(by))),
        },
        signature: Signature(row.get(5)?),
    })
}

pub fn find(db: &Connection, id: AuthorId) -> rusqlite::Result<Option<Author>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM authors WHERE id = ?1"))?
        .query_row([id.0.as_bytes()], read)
        .optional()
}

pub fn all(db: &Connection) -> rusqlite::Result<Vec<Author>> {
    db.prepare(&format!("SELECT {COLUMNS} FROM authors ORDER BY no"))?.query_map([], read)?.collect()
}

/// The newest authors of servers, newest first.
pub fn newest_of_server(db: &Connection, limit: usize) -> rusqlite::Result<Vec<Author>> {
    // Not `LIMIT ?1`: SQLite plans anew for each value that it is given, and each page of a feed asks this.
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM authors WHERE tablet IS NULL ORDER BY no DESC"))?
        .query_map([], read)?
        .take(limit)
        .collect()
}

/// The caller has checked that the credential holds.
pub fn insert(db: &Connection, credential: &Credential, now: Ms) -> rusqlite::Result<Author> {
    let endorser = match credential.endorser {
        Endorser::Facility => None,
        Endorser::Author(by) => Some(*by.0.as_bytes()),
    };
    db.prepare_cached(
        "INSERT INTO authors (id, key, tablet, endorser, signature, first_seen_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        credential.author.0.as_bytes(),
        credential.key.0,
        credential.tablet.map(|t| *t.0.as_bytes()),
        endorser,
        credential.signature.0,
        now.0,
    ])?;
    Ok(Author {
        no: AuthorNo(db.last_insert_rowid()),
        id: credential.author,
        key: credential.key,
        tablet: credential.tablet,
        endorser: credential.endorser,
        signature: credential.signature,
    })
}
