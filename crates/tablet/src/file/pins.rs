//! PIN verifiers as this tablet keeps them: HMAC(device secret, Argon2id(PIN, salt)).

use crate::keys::hmac;
use lamplight_domain::ids::StaffId;
use lamplight_domain::roster::{PinVerifier, Roster};
use rusqlite::{Connection, OptionalExtension, params};

const TAG: &[u8] = b"lamplight.pin.v1\0";

#[derive(Clone, Copy)]
pub struct SealedPin {
    pub salt: [u8; 16],
    pub sealed: [u8; 32],
}

/// What is stored in place of an Argon2id output.
pub fn sealed(secret: &[u8; 32], staff: StaffId, argon2id: &[u8; 32]) -> [u8; 32] {
    hmac(secret, &[TAG, staff.0.as_bytes(), argon2id])
}

/// Takes every verifier out of the roster and seals it.
pub fn seal(secret: &[u8; 32], roster: &mut Roster) -> Vec<(StaffId, SealedPin)> {
    let take = |staff: StaffId, pin: PinVerifier| {
        (staff, SealedPin { salt: pin.salt, sealed: sealed(secret, staff, &pin.argon2id) })
    };
    roster.staff.iter_mut().filter_map(|s| s.pin.take().map(|pin| take(s.id, pin))).collect()
}

/// Replaces all: who is not among them can no longer sign in here.
pub fn replace(to: &Connection, pins: &[(StaffId, SealedPin)]) -> rusqlite::Result<()> {
    to.execute("DELETE FROM pins", ())?;
    let mut insert = to.prepare_cached("INSERT INTO pins (staff, salt, sealed) VALUES (?1, ?2, ?3)")?;
    for (staff, pin) in pins {
        insert.execute(params![staff.0.as_bytes(), pin.salt, pin.sealed])?;
    }
    Ok(())
}

/// The station's, else the one that a guest chose here.
pub fn of(from: &Connection, staff: StaffId) -> rusqlite::Result<Option<SealedPin>> {
    let set = from
        .prepare_cached("SELECT salt, sealed FROM pins WHERE staff = ?1")?
        .query_row([staff.0.as_bytes()], |row| Ok(SealedPin { salt: row.get(0)?, sealed: row.get(1)? }))
        .optional()?;
    if set.is_some() {
        return Ok(set);
    }
    super::guests::pin(from, staff)
}
