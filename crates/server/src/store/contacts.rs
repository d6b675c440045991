//! Table `contacts`: when each tablet was last in touch. Written down now and then; the running server knows better.

use lamplight_domain::ids::{AuthorId, TabletId};
use lamplight_domain::time::Ms;
use rusqlite::{Connection, params};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contact {
    pub tablet: TabletId,
    /// The author that the tablet writes as now.
    pub author: AuthorId,
    pub last: Ms,
    /// How many links of that author are held.
    pub confirmed: u64,
}

pub fn put(db: &Connection, contact: &Contact) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO contacts (tablet, author, last) VALUES (?1, ?2, ?3)
         ON CONFLICT (tablet) DO UPDATE SET author = excluded.author, last = excluded.last",
    )?
    .execute(params![contact.tablet.0.as_bytes(), contact.author.0.as_bytes(), contact.last.0])?;
    Ok(())
}

pub fn all(db: &Connection) -> rusqlite::Result<Vec<Contact>> {
    db.prepare(
        "SELECT c.tablet, c.author, c.last,
                (SELECT l.seq FROM links l JOIN authors a ON a.no = l.author WHERE a.id = c.author
                 ORDER BY l.seq DESC LIMIT 1)
         FROM contacts c",
    )?
    .query_map([], |r| {
        Ok(Contact {
            tablet: TabletId(Uuid::from_bytes(r.get(0)?)),
            author: AuthorId(Uuid::from_bytes(r.get(1)?)),
            last: Ms(r.get(2)?),
            confirmed: r.get::<_, Option<i64>>(3)?.unwrap_or(0) as u64,
        })
    })?
    .collect()
}
