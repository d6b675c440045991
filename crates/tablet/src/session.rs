//! Who is signed in, and until when. In memory only: a restart locks.

use lamplight_domain::ids::StaffId;
use lamplight_domain::roster::Role;
use lamplight_domain::time::{Clocks, SECOND_MS};

/// How a person's time at the tablet ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedOut {
    ByButton,
    Idle,
    ChangeOfUser,
}

impl SignedOut {
    pub fn words(self) -> &'static str {
        match self {
            SignedOut::ByButton => "by button",
            SignedOut::Idle => "idle",
            SignedOut::ChangeOfUser => "change of user",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct SignedIn {
    pub staff: StaffId,
    pub role: Role,
    /// Clocks at the newest sign of a person.
    pub touched: Clocks,
}

impl SignedIn {
    /// Nobody touched the tablet for longer than the facility allows. The boot clock counts suspend, so a tablet
    /// that wakes from sleep is locked at once.
    pub fn is_idle(&self, now: Clocks, idle_lock_seconds: u32) -> bool {
        now.boot_id != self.touched.boot_id
            || now.boot_ms - self.touched.boot_ms >= i64::from(idle_lock_seconds) * SECOND_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lamplight_domain::time::Ms;
    use uuid::Uuid;

    #[test]
    fn the_wall_clock_has_no_say_in_the_idle_lock() {
        let at = |wall, boot_ms| Clocks { wall: Ms(wall), boot_id: Uuid::from_u128(1), boot_ms };
        let session = SignedIn { staff: StaffId(Uuid::from_u128(2)), role: Role::Nurse, touched: at(0, 0) };
        assert!(!session.is_idle(at(1_000_000_000, 239_999), 240));
        assert!(session.is_idle(at(0, 240_000), 240));
    }
}
