//! How long this tablet has not heard the facility server, and what that means for signing in.
//!
//! Within a boot the boot clock says it, whatever is done to the wall clock. Over a restart of the machine only the wall
//! clock can say how long it was off: so it is noted now and then how long it has been, and a restart adds to that, by
//! the wall clock's own step or the new boot's age, whichever is more. A clock set back takes nothing away again, and one
//! set ahead adds only what it was set ahead while the machine was off.

use crate::contact::Contact;
use crate::file::{Broken, lock, meta};
use crate::tablet::{CONTACT, Inner};
use crate::{trouble, words};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::{Clocks, HOUR_MS, MINUTE_MS};
use serde::{Deserialize, Serialize};

/// Warned so long before nobody can sign in.
const WARN_MS: i64 = 12 * HOUR_MS;
/// Noted this often while the server is not heard.
const NOTED_EVERY_MS: i64 = 15 * MINUTE_MS;
/// Noted in the other file too, this often while the server is heard.
const DOUBLED_EVERY_MS: i64 = HOUR_MS;
/// In the identity file: a damaged records file does not begin the hours anew.
const SILENCE: &str = "silence";

/// The server had not been heard for `elapsed_ms` when the clocks stood so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    pub elapsed_ms: i64,
    pub at: Clocks,
}

impl Silence {
    fn elapsed(&self, now: Clocks) -> i64 {
        let passed = match now.boot_id == self.at.boot_id {
            true => now.boot_ms - self.at.boot_ms,
            false => (now.wall - self.at.wall).max(now.boot_ms),
        };
        self.elapsed_ms.saturating_add(passed.max(0))
    }
}

impl Contact {
    /// None where nothing says since when.
    pub fn silence(&self) -> Option<Silence> {
        self.noted.or_else(|| {
            let heard = self.server_time?;
            let wall = heard.server + self.clock_error_ms.unwrap_or(0);
            Some(Silence { elapsed_ms: 0, at: Clocks { wall, boot_id: heard.boot_id, boot_ms: heard.boot_ms } })
        })
    }
}

impl Silence {
    /// What the other file says is so old, or says so much more, that it is written anew.
    fn is_news_after(&self, doubled: Option<Silence>) -> bool {
        doubled.is_none_or(|before| {
            before.elapsed_ms != self.elapsed_ms
                || before.at.boot_id != self.at.boot_id
                || self.at.boot_ms - before.at.boot_ms >= DOUBLED_EVERY_MS
        })
    }
}

/// May somebody sign in, by how long the server was not heard?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offline {
    Fine,
    /// Not any more in so many ms.
    Ending(i64),
    Ended,
}

fn judge(elapsed_ms: i64, limit_hours: u16) -> Offline {
    let limit = i64::from(limit_hours) * HOUR_MS;
    match limit - elapsed_ms {
        _ if limit == 0 => Offline::Fine,
        left if left <= 0 => Offline::Ended,
        left if left <= WARN_MS => Offline::Ending(left),
        _ => Offline::Fine,
    }
}

impl Inner {
    /// Errors: "sign_in.offline_too_long".
    pub fn may_sign_in_offline(&self) -> Result<(), Refusal> {
        match self.offline() {
            Offline::Ended => Err(too_long(self.offline_limit_hours())),
            Offline::Fine | Offline::Ending(_) => Ok(()),
        }
    }

    /// Says on every screen what is coming.
    pub fn tell_of_being_offline(&self) {
        let offline = self.offline();
        let zone = words::zone(self.roster().as_deref());
        let now = self.now().best();
        let since = lock(&self.contact).last.map(|at| words::clock_and_day(at, now, zone));
        let left = if let Offline::Ending(left) = offline { left } else { 0 };
        self.set_trouble(left > 0, trouble::sign_in_ends(left, since.as_deref()));
        let refusal = too_long(self.offline_limit_hours());
        self.set_trouble(offline == Offline::Ended, refusal);
    }

    /// Notes in the identity file too how long the server has not been heard, where that says something else by now.
    pub fn double_silence(&self) {
        let silence = {
            let contact = lock(&self.contact);
            contact.silence().filter(|silence| silence.is_news_after(contact.doubled))
        };
        let Some(silence) = silence.filter(|_| !self.identity_file.is_frozen()) else { return };
        match self.identity_file.write(|to| meta::set(to, SILENCE, &silence)) {
            Ok(()) => lock(&self.contact).doubled = Some(silence),
            Err(broken) => tracing::warn!(?broken, "how long the server was not heard could not be noted twice"),
        }
    }

    /// Of the records file, or of the other one where that was lost: what is known is never less than it was.
    pub fn silence_as_noted(&self, contact: &mut Contact) -> Result<(), Broken> {
        contact.doubled = match self.identity_file.is_frozen() {
            true => None,
            false => self.identity_file.read(|from| meta::get(from, SILENCE))?,
        };
        if contact.silence().is_none() {
            contact.noted = contact.doubled;
        }
        Ok(())
    }

    fn offline_limit_hours(&self) -> u16 {
        self.roster().map_or(0, |roster| roster.settings.offline_sign_in_hours)
    }

    fn offline(&self) -> Offline {
        let now = self.clock.read();
        let limit = self.offline_limit_hours();
        if limit == 0 || self.identity().is_none() {
            return Offline::Fine;
        }
        let noted = {
            let mut contact = lock(&self.contact);
            let silence = contact.silence();
            let elapsed = silence.map_or(0, |silence| silence.elapsed(now));
            // Neither file knows: counted from now on.
            let is_due =
                silence.is_none_or(|s| elapsed - s.elapsed_ms >= NOTED_EVERY_MS || s.at.boot_id != now.boot_id);
            if !is_due {
                return judge(elapsed, limit);
            }
            contact.noted = Some(Silence { elapsed_ms: elapsed, at: now });
            (contact.clone(), elapsed)
        };
        let (contact, elapsed) = noted;
        if !self.is_frozen()
            && let Err(broken) = self.records.write(|to| meta::set(to, CONTACT, &contact))
        {
            tracing::warn!(?broken, "how long the server was not heard could not be noted");
        }
        self.double_silence();
        judge(elapsed, limit)
    }
}

fn too_long(hours: u16) -> Refusal {
    Refusal::new(
        "sign_in.offline_too_long",
        format!("This tablet has not heard the station for over {hours} hours, so nobody can sign in."),
        "Bring it where it has network, or use another tablet. Help works without signing in.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use lamplight_domain::time::Ms;
    use uuid::Uuid;

    fn at(boot: u128, wall_h: i64, boot_h: i64) -> Clocks {
        Clocks { wall: Ms(wall_h * HOUR_MS), boot_id: Uuid::from_u128(boot), boot_ms: boot_h * HOUR_MS }
    }

    #[test]
    fn within_a_boot_only_the_boot_clock_counts() {
        let silence = Silence { elapsed_ms: 0, at: at(1, 1_000, 10) };
        for wall in [0, 1_000, 1_005, 900_000] {
            assert_eq!(silence.elapsed(at(1, wall, 15)), 5 * HOUR_MS, "wall at {wall}");
        }
    }

    #[test]
    fn a_restart_adds_the_wall_clock_s_step_or_the_boot_s_age_and_takes_nothing_away() {
        let silence = Silence { elapsed_ms: 50 * HOUR_MS, at: at(1, 1_000, 10) };
        assert_eq!(silence.elapsed(at(2, 1_008, 1)), 58 * HOUR_MS);
        assert_eq!(silence.elapsed(at(2, 0, 2)), 52 * HOUR_MS, "set back: the boot's age at least");
        assert_eq!(silence.elapsed(at(2, 0, 0)), 50 * HOUR_MS, "and never less than was known");
    }

    #[test]
    fn the_end_is_warned_of_twelve_hours_before_and_zero_never_ends() {
        assert_eq!(judge(60 * HOUR_MS - 1, 72), Offline::Fine);
        assert_eq!(judge(60 * HOUR_MS, 72), Offline::Ending(12 * HOUR_MS));
        assert_eq!(judge(72 * HOUR_MS - 1, 72), Offline::Ending(1));
        assert_eq!(judge(72 * HOUR_MS, 72), Offline::Ended);
        assert_eq!(judge(i64::MAX, 0), Offline::Fine);
        assert_eq!(judge(0, 6), Offline::Ending(6 * HOUR_MS), "a short limit is always near");
    }
}
