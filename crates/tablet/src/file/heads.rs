//! Others' signed heads and credentials, as the server showed them. Kept for ever: they prove what the server had.

use super::links::{number, signed};
use lamplight_domain::chain::{Credential, Hash, Head, Signature, SignedHead};
use lamplight_domain::ids::AuthorId;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

/// Keeps a head that holds. True where another one with the same number was kept before: one of the two histories was
/// rewritten.
pub fn keep(to: &Connection, shown: &SignedHead) -> rusqlite::Result<bool> {
    let Head { author, seq, hash } = shown.head;
    let added = to
        .prepare_cached("INSERT OR IGNORE INTO heads_seen (author, seq, hash, signature) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![author.0.as_bytes(), signed(seq), hash.0, shown.signature.0])?;
    if added == 0 {
        return Ok(false);
    }
    to.prepare_cached("SELECT EXISTS (SELECT 1 FROM heads_seen WHERE author = ?1 AND seq = ?2 AND hash <> ?3)")?
        .query_row(params![author.0.as_bytes(), signed(seq), hash.0], |row| row.get(0))
}

/// In order of arrival.
pub fn all(from: &Connection) -> rusqlite::Result<Vec<SignedHead>> {
    from.prepare("SELECT author, seq, hash, signature FROM heads_seen ORDER BY n")?
        .query_map((), |row| {
            let author = AuthorId(Uuid::from_bytes(row.get(0)?));
            let head = Head { author, seq: number(row.get(1)?), hash: Hash(row.get(2)?) };
            Ok(SignedHead { head, signature: Signature(row.get(3)?) })
        })?
        .collect()
}

/// Keeps a credential that proved itself; the first one stays.
pub fn keep_credential(to: &Connection, credential: &Credential) -> rusqlite::Result<()> {
    to.prepare_cached("INSERT OR IGNORE INTO authors_seen (author, credential) VALUES (?1, ?2)")?
        .execute(params![credential.author.0.as_bytes(), serde_json::to_string(credential).unwrap_or_default()])
        .map(|_| ())
}

/// None where it is not kept, or what stands there cannot be understood.
pub fn credential(from: &Connection, author: AuthorId) -> rusqlite::Result<Option<Credential>> {
    let text: Option<String> = from
        .prepare_cached("SELECT credential FROM authors_seen WHERE author = ?1")?
        .query_row([author.0.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Every kept credential with the author that it stands under; None where it cannot be understood.
pub fn credentials(from: &Connection) -> rusqlite::Result<Vec<(AuthorId, Option<Credential>)>> {
    from.prepare("SELECT author, credential FROM authors_seen ORDER BY author")?
        .query_map((), |row| {
            let text: String = row.get(1)?;
            Ok((AuthorId(Uuid::from_bytes(row.get(0)?)), serde_json::from_str(&text).ok()))
        })?
        .collect()
}
