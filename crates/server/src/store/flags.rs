//! Table `flags`: codes of what is odd about a body.

use super::bodies::BodyNo;
use rusqlite::{Connection, params};

pub fn add(db: &Connection, body: BodyNo, code: &str) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO flags (body, code) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![body.0, code])?;
    Ok(())
}

pub fn of(db: &Connection, body: BodyNo) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached("SELECT code FROM flags WHERE body = ?1 ORDER BY code")?
        .query_map([body.0], |r| r.get(0))?
        .collect()
}
