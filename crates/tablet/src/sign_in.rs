//! Signing in with a PIN, offline: the try is counted durably before the PIN is looked at.

use crate::file::lock;
use crate::file::pin_tries::{self, Tries};
use crate::file::pins::{self, SealedPin};
use crate::record::{join_first, no_roster};
use crate::session::SignedIn;
use crate::tablet::Inner;
use argon2::{Algorithm, Argon2, Params, Version};
use lamplight_domain::ids::StaffId;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{PinVerifier, Role, Staff};
use lamplight_domain::time::{Clocks, SECOND_MS};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Wrong tries that cost no waiting.
const FREE_TRIES: u32 = 3;
/// Waiting after the third wrong try, the fourth, and so on; the last one stays. A PIN of six digits then takes years
/// to guess at the tablet, and a person in the dark with gloves on loses seconds.
const WAITS_MS: [i64; 4] = [5 * SECOND_MS, 15 * SECOND_MS, 60 * SECOND_MS, 300 * SECOND_MS];
const ROLES: [Role; 3] = [Role::Technician, Role::Nurse, Role::ChargeNurse];

impl Inner {
    /// Blocks for the time of one Argon2id. Changes the user where somebody is signed in.
    ///
    /// Errors: "staff.unknown", "role.not_on_tablet", "pin.wait" with how long, "pin.wrong".
    pub fn sign_in(&self, staff: StaffId, pin: &str) -> Result<SignedIn, Refusal> {
        let identity = self.identity().ok_or_else(join_first)?;
        let roster = self.roster().ok_or_else(no_roster)?;
        let person = roster.person(staff).filter(|p| p.active).ok_or_else(unknown)?;
        if !ROLES.contains(&person.role) {
            return Err(not_on_tablet(person));
        }
        // Counting and judging are one step, so that two calls at once are two tries.
        let guard = self.identity_file.write(|to| {
            let at = self.clock.read();
            let wait = pin_tries::of(to, staff)?.map_or(0, |tries| wait_ms(tries, at));
            if wait == 0 {
                pin_tries::count_one(to, staff, at)?;
            }
            Ok((wait, pins::of(to, staff)?))
        });
        let (wait, stored) = guard.map_err(|b| b.refusal())?;
        if wait > 0 {
            return Err(must_wait(wait));
        }
        let stored = stored.ok_or_else(unknown)?;
        if !fits(&identity.device_secret.0, staff, pin, &stored)? {
            tracing::info!(%staff, "wrong PIN");
            return Err(self.wrong(staff));
        }
        self.identity_file.write(|to| pin_tries::forget(to, staff))?;
        let session = SignedIn { staff, role: person.role, touched: self.clock.read() };
        *lock(&self.session) = Some(session);
        tracing::info!(%staff, "signed in");
        self.changed();
        Ok(session)
    }

    /// "Wrong", and how long the next try has to wait.
    fn wrong(&self, staff: StaffId) -> Refusal {
        let tries = self.identity_file.read(|from| pin_tries::of(from, staff)).ok().flatten();
        let wait = tries.map_or(0, |tries| wait_ms(tries, self.clock.read()));
        let next = match wait {
            0 => "Try again.".to_owned(),
            ms => format!("Wait {}, then try again; the charge nurse can give you a new PIN.", duration(ms)),
        };
        Refusal::new("pin.wrong", "That PIN is not right.", next)
    }
}

/// How long to wait from `now` on. A restart, or a clock set back, never shortens it.
fn wait_ms(tries: Tries, now: Clocks) -> i64 {
    let Some(over) = tries.count.checked_sub(FREE_TRIES) else { return 0 };
    let delay = WAITS_MS[(over as usize).min(WAITS_MS.len() - 1)];
    let passed =
        if tries.at.boot_id == now.boot_id { now.boot_ms - tries.at.boot_ms } else { now.wall - tries.at.wall };
    (delay - passed.max(0)).max(0)
}

fn fits(secret: &[u8; 32], staff: StaffId, pin: &str, stored: &SealedPin) -> Result<bool, Refusal> {
    let hashed = argon2id(pin, &stored.salt)?;
    Ok(pins::sealed(secret, staff, &hashed).ct_eq(&stored.sealed).into())
}

/// Argon2id with the facility's parameters.
pub(crate) fn argon2id(pin: &str, salt: &[u8; 16]) -> Result<Zeroizing<[u8; 32]>, Refusal> {
    let failed = |_| Refusal::new("memory.low", "This tablet has too little memory to check a PIN.", "Restart it.");
    let params =
        Params::new(PinVerifier::MEMORY_KIB, PinVerifier::PASSES, PinVerifier::LANES, Some(32)).map_err(failed)?;
    let mut out = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin.as_bytes(), salt, out.as_mut())
        .map_err(failed)?;
    Ok(out)
}

fn duration(ms: i64) -> String {
    let seconds = (ms + SECOND_MS - 1) / SECOND_MS;
    match seconds {
        1 => "1 second".to_owned(),
        2..=119 => format!("{seconds} seconds"),
        _ => format!("{} minutes", (seconds + 59) / 60),
    }
}

fn must_wait(ms: i64) -> Refusal {
    Refusal::new(
        "pin.wait",
        format!("Too many wrong PINs: wait {}.", duration(ms)),
        "Then try again; the charge nurse can give you a new PIN.",
    )
}
fn unknown() -> Refusal {
    Refusal::new(
        "staff.unknown",
        "This tablet does not know you as staff of its ward.",
        "Ask the charge nurse to add you at the station, then bring the tablet where it has network.",
    )
}
fn not_on_tablet(person: &Staff) -> Refusal {
    Refusal::new(
        "role.not_on_tablet",
        format!("A {} does not sign in on a tablet.", person.role.words()),
        "Use the nursing station's pages.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use lamplight_domain::time::Ms;
    use uuid::Uuid;

    fn at(boot: u128, wall: i64, boot_ms: i64) -> Clocks {
        Clocks { wall: Ms(wall), boot_id: Uuid::from_u128(boot), boot_ms }
    }

    #[test]
    fn the_delay_grows_from_the_third_wrong_try_on() {
        let wait = |count| wait_ms(Tries { count, at: at(1, 0, 0) }, at(1, 0, 0));
        assert_eq!((1..=8).map(wait).collect::<Vec<_>>(), [0, 0, 5_000, 15_000, 60_000, 300_000, 300_000, 300_000]);
    }

    #[test]
    fn neither_a_restart_nor_a_clock_set_back_shortens_the_wait() {
        let tries = Tries { count: 5, at: at(1, 1_000_000, 50_000) };
        assert_eq!(wait_ms(tries, at(1, 0, 60_000)), 50_000, "the wall clock has no say within a boot");
        assert_eq!(wait_ms(tries, at(2, 1_010_000, 0)), 50_000);
        assert_eq!(wait_ms(tries, at(2, 0, 0)), 60_000, "set back: the whole wait again");
    }

    #[test]
    fn waits_read_like_speech() {
        assert_eq!(
            (duration(400), duration(5_000), duration(300_000)),
            ("1 second".into(), "5 seconds".into(), "5 minutes".into())
        );
    }
}
