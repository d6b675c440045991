//! Single values by name: the facility's identity and keys, the feeds' generation, the last backup.

use super::StoreError;
use lamplight_domain::chain::DecryptionKey;
use lamplight_domain::time::{HOUR_MS, Ms};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;
use zeroize::Zeroizing;

pub const FACILITY: &str = "facility";
/// Ed25519 seed of the facility's signing key.
pub const FACILITY_KEY: &str = "facility_key";
/// How the facility came to that key, oldest first: JSON.
pub const FACILITY_SUCCESSIONS: &str = "facility_successions";
pub const CA_CERTIFICATE: &str = "ca_certificate";
/// PKCS#8 of the certificate authority's key.
pub const CA_KEY: &str = "ca_key";
/// Which authority of this facility it is: 1 is the first; a number of 4 bytes, none for the first.
pub const CA_NUMBER: &str = "ca_number";
/// The same of an authority that tablets are told of, and that issues nothing yet.
pub const CA_NEXT_CERTIFICATE: &str = "ca_next_certificate";
pub const CA_NEXT_KEY: &str = "ca_next_key";
/// Certificates by which a former authority vouches for its successor, newest first: JSON, DER in hexadecimal.
pub const CA_CROSSED: &str = "ca_crossed";
/// X25519 secrets of 32 bytes each, newest first: tablets seal their keys to the newest.
pub const ENCRYPTION_KEYS: &str = "encryption_keys";
/// Since when tablets are to have fresh database keys, ms UTC; none where that was never asked.
pub const TABLET_KEYS_SINCE: &str = "tablet_keys_since";
/// When what tablets are told of these keys changed last, ms UTC.
pub const TRUST_SINCE: &str = "trust_since";
/// Of the feeds: a new one after every restore.
pub const GENERATION: &str = "generation";
/// When that began, ms UTC; none in a copy that was not served yet.
const GENERATION_SINCE: &str = "generation_since";
/// Everything received before this was in what the generation began with, ms UTC; none where nobody knows.
const BEGAN_WITH: &str = "began_with";
/// A server's clock may have been set back between what it received last and the backup.
const SET_BACK_MS: i64 = 24 * HOUR_MS;
/// Everything received before this is in a backup, ms UTC.
pub const BACKED_UP: &str = "backed_up";

/// When links came last of which receipts show an earlier time of receipt, and the earliest of those times since the last
/// backup; ms UTC.
const CAME_AGAIN: &str = "came_again";
const CAME_AGAIN_FROM: &str = "came_again_from";

pub fn get(db: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    db.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |r| r.get(0)).optional()
}

pub fn set(db: &Connection, name: &str, value: &[u8]) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        params![name, value],
    )?;
    Ok(())
}

/// A value that every facility has.
pub fn need<const N: usize>(db: &Connection, name: &str) -> Result<[u8; N], StoreError> {
    get(db, name)?
        .and_then(|v| v.try_into().ok())
        .ok_or_else(|| StoreError::Broken(format!("meta has no {name} of {N} bytes")))
}

/// What tablets sealed for their facility opens with one of these; newest first. None in a file that this release has not
/// served yet.
pub fn opening(db: &Connection) -> rusqlite::Result<Vec<DecryptionKey>> {
    let keys = Zeroizing::new(get(db, ENCRYPTION_KEYS)?.unwrap_or_default());
    Ok(keys.as_chunks().0.iter().map(|secret| DecryptionKey::from_secret(*secret)).collect())
}

pub fn generation(db: &Connection) -> Result<Uuid, StoreError> {
    Ok(Uuid::from_bytes(need(db, GENERATION)?))
}

pub fn generation_since(db: &Connection) -> Result<Option<Ms>, StoreError> {
    moment(db, GENERATION_SINCE)
}

pub fn begin_generation(db: &Connection, generation: Uuid, now: Ms) -> rusqlite::Result<()> {
    set(db, GENERATION, generation.as_bytes())?;
    set(db, GENERATION_SINCE, &now.0.to_be_bytes())
}

/// The same after this server lost what it had: nobody knows how far what it began with goes.
pub fn begin_generation_after_a_loss(db: &Connection, generation: Uuid, now: Ms) -> rusqlite::Result<()> {
    begin_generation(db, generation, now)?;
    set(db, BEGAN_WITH, &i64::MIN.to_be_bytes())
}

pub fn began_with(db: &Connection) -> Result<Option<Ms>, StoreError> {
    moment(db, BEGAN_WITH)
}

/// A copy's generation begins when it is served first: whatever was given out until then is known to be lost in it.
pub fn generation_of_copy(db: &Connection, generation: Uuid) -> rusqlite::Result<()> {
    set(db, GENERATION, generation.as_bytes())?;
    // A server that was restored itself lacks what it lost then, for whoever has not met it since.
    if get(db, BEGAN_WITH)?.is_none() {
        let newest: Option<i64> = db.query_row("SELECT max(received_at) FROM links", [], |row| row.get(0))?;
        set(db, BEGAN_WITH, &newest.map_or(i64::MIN, |at| at - SET_BACK_MS).to_be_bytes())?;
    }
    forget(db, GENERATION_SINCE)
}

/// For a file that begins to be served. A copy that is served for the first time gets a generation of its own then: the
/// same backup may be put back more than once.
pub fn served_since(db: &Connection, now: Ms, fresh: Uuid) -> Result<(), StoreError> {
    if generation_since(db)?.is_none() {
        set(db, GENERATION, fresh.as_bytes())?;
        set(db, GENERATION_SINCE, &now.0.to_be_bytes())?;
    }
    Ok(())
}

/// Everything whose time of receipt is before this is in a backup. What came once more after a loss keeps its first time
/// of receipt, and is in no backup that was made between.
pub fn backed_up(db: &Connection) -> Result<Option<Ms>, StoreError> {
    let mark = moment(db, BACKED_UP)?;
    let came_again = came_again(db, mark)?;
    Ok(mark.map(|mark| came_again.map_or(mark, |from| mark.min(from))))
}

/// The earliest time of receipt of what came once more and is in no backup, the last of which is marked by `mark`.
fn came_again(db: &Connection, mark: Option<Ms>) -> Result<Option<Ms>, StoreError> {
    match moment(db, CAME_AGAIN)? {
        Some(at) if mark.is_none_or(|mark| mark <= at) => moment(db, CAME_AGAIN_FROM),
        _ => Ok(None),
    }
}

/// In the transaction that files links once more: their receipts' time is `received_at`.
pub fn note_came_again(db: &Connection, received_at: Ms, now: Ms) -> Result<(), StoreError> {
    let before = came_again(db, moment(db, BACKED_UP)?)?;
    let earliest = before.map_or(received_at, |before| before.min(received_at));
    set(db, CAME_AGAIN, &now.0.to_be_bytes())?;
    set(db, CAME_AGAIN_FROM, &earliest.0.to_be_bytes())?;
    Ok(())
}

pub fn forget(db: &Connection, name: &str) -> rusqlite::Result<()> {
    db.execute("DELETE FROM meta WHERE name = ?1", [name]).map(|_| ())
}

pub fn moment(db: &Connection, name: &str) -> Result<Option<Ms>, StoreError> {
    let value = get(db, name)?;
    Ok(value.and_then(|v| v.try_into().ok()).map(|v| Ms(i64::from_be_bytes(v))))
}
