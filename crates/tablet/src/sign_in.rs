//! Signing in with a PIN, offline: the try is counted durably before the PIN is looked at.

use crate::failpoint::failpoint;
use crate::file::pin_tries::{self, Tries};
use crate::file::pins::{self, SealedPin};
use crate::file::{Broken, lock};
use crate::record::{join_first, no_roster};
use crate::session::{SignedIn, SignedOut};
use crate::tablet::Inner;
use crate::{reserve, words};
use argon2::{Algorithm, Argon2, Params, Version};
use lamplight_domain::ids::StaffId;
use lamplight_domain::kinds::{Act, Audit};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{PinVerifier, Role, Staff};
use lamplight_domain::time::{Clocks, SECOND_MS};
use rusqlite::Transaction;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Wrong tries that cost no waiting.
const FREE_TRIES: u32 = 3;
/// Waiting after the third wrong try, the fourth, and so on; the last one stays. A PIN of six digits then takes years
/// to guess at the tablet, and a person in the dark with gloves on loses seconds.
const WAITS_MS: [i64; 4] = [5 * SECOND_MS, 15 * SECOND_MS, 60 * SECOND_MS, 300 * SECOND_MS];
/// After so many wrong tries a charge nurse has to let the person in again, or the station to set a new PIN: no waiting
/// ends it. By then more than twenty minutes have gone by.
pub(crate) const TRIES_MAX: u32 = 10;
/// Told how many are left from here on.
const TRIES_WARN: u32 = 7;

/// What stands before a try.
enum Gate {
    /// Counted already.
    Try(SealedPin, u32),
    Wait(i64),
    LockedOut,
    NoPin,
}

impl Inner {
    /// Blocks for the time of one Argon2id. Changes the user where somebody is signed in.
    ///
    /// Errors: "staff.unknown", "role.not_on_tablet", "access.ended", "sign_in.offline_too_long", "pin.wait" with how
    /// long, "pin.wrong", "pin.locked_out".
    pub fn sign_in(&self, staff: StaffId, pin: &str) -> Result<SignedIn, Refusal> {
        let identity = self.identity().ok_or_else(join_first)?;
        let role = self.may_try(staff).inspect_err(|refusal| self.note_refused_sign_in(staff, refusal))?;
        // Counting and judging are one step, so that two calls at once are two tries.
        let gate = self.write_identity(|to| {
            let at = self.clock.read();
            let Some(pin) = pins::of(to, staff)? else { return Ok(Gate::NoPin) };
            let tries = pin_tries::of(to, staff, &pin.salt)?;
            let count = tries.map_or(0, |tries| tries.count);
            let wait = tries.map_or(0, |tries| wait_ms(tries, at));
            if count >= TRIES_MAX {
                return Ok(Gate::LockedOut);
            }
            if wait > 0 {
                return Ok(Gate::Wait(wait));
            }
            pin_tries::count_one(to, staff, &pin.salt, at)?;
            Ok(Gate::Try(pin, count + 1))
        })?;
        failpoint!("pin.counted");
        let (stored, count) = match gate {
            Gate::Try(stored, count) => (stored, count),
            Gate::Wait(ms) => return Err(must_wait(ms)),
            Gate::LockedOut => {
                let refusal = locked_out();
                self.note_refused_sign_in(staff, &refusal);
                return Err(refusal);
            }
            Gate::NoPin => return Err(unknown()),
        };
        if !fits(&identity.device_secret.0, staff, pin, &stored)? {
            tracing::info!(%staff, count, "wrong PIN");
            return Err(self.wrong(staff, &stored, count));
        }
        self.write_identity(|to| pin_tries::forget(to, staff))?;
        let session = SignedIn { staff, role, touched: self.clock.read() };
        if self.session().is_some_and(|before| before.staff != staff) {
            self.end_session(SignedOut::ChangeOfUser);
        }
        *lock(&self.session) = Some(session);
        lock(&self.viewed).clear();
        tracing::info!(%staff, "signed in");
        self.audit(Some(staff), Audit::of(Act::SignedIn));
        self.changed();
        Ok(session)
    }

    /// The role of somebody who may try their PIN here now.
    fn may_try(&self, staff: StaffId) -> Result<Role, Refusal> {
        let (identity, roster) = (self.identity().ok_or_else(join_first)?, self.roster().ok_or_else(no_roster)?);
        let is_of_ward = |p: &&Staff| p.active && (p.wards.contains(&identity.ward) || !p.role.signs_in_on_tablets());
        let person = roster.person(staff).filter(is_of_ward).ok_or_else(unknown)?;
        if !person.role.signs_in_on_tablets() {
            return Err(not_on_tablet(person));
        }
        let now = self.now().best();
        if let Some(until) = person.until.filter(|until| now >= *until) {
            return Err(ended(&words::clock_and_day(until, now, words::zone(Some(&roster)))));
        }
        self.may_sign_in_offline()?;
        Ok(person.role)
    }

    /// On a full disk from the reserve: nobody is kept from a round by it.
    fn write_identity<T>(&self, work: impl Fn(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, Refusal> {
        match self.identity_file.write(&work) {
            Err(Broken::Full) if reserve::free(&self.dir) => self.identity_file.write(&work),
            done => done,
        }
        .map_err(|broken| broken.refusal())
    }

    /// "Wrong", and how long the next try has to wait.
    fn wrong(&self, staff: StaffId, pin: &SealedPin, count: u32) -> Refusal {
        let what = "wrong PIN".to_owned();
        self.note(None, Audit { staff: Some(staff), what, ..Audit::of(Act::SignInFailed) });
        if count >= TRIES_MAX {
            self.note(None, Audit { staff: Some(staff), ..Audit::of(Act::LockedOut) });
        }
        self.write_audits();
        if count >= TRIES_MAX {
            tracing::warn!(%staff, "locked out");
            return locked_out();
        }
        let tries = self.identity_file.read(|from| pin_tries::of(from, staff, &pin.salt)).ok().flatten();
        let wait = tries.map_or(0, |tries| wait_ms(tries, self.clock.read()));
        let mut next = match wait {
            0 => "Try again.".to_owned(),
            ms => format!("Wait {}, then try again; the charge nurse can give you a new PIN.", duration(ms)),
        };
        if count >= TRIES_WARN {
            let left = TRIES_MAX - count;
            let more = if left == 1 { "One more wrong PIN locks".to_owned() } else { format!("{left} more lock") };
            next = format!("{next} {more} you out on this tablet.");
        }
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
fn locked_out() -> Refusal {
    Refusal::new(
        "pin.locked_out",
        format!("{TRIES_MAX} wrong PINs: you are locked out on this tablet."),
        "A charge nurse can let you in: on this tablet, or with a new PIN at the station. Help works without signing in.",
    )
}
fn ended(at: &str) -> Refusal {
    Refusal::new(
        "access.ended",
        format!("Your access ended at {at}."),
        "A charge nurse can give it again, on this tablet or at the station.",
    )
}
pub(crate) fn unknown() -> Refusal {
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
