//! The machine's clocks. Everything else takes the time as a value, so that tests can set it.

use lamplight_domain::time::{Clocks, Ms};
use rustix::time::{ClockId, Timespec, clock_gettime};
use uuid::Uuid;

pub trait Clock: Send + Sync {
    fn read(&self) -> Clocks;
}

/// The wall clock, and CLOCK_BOOTTIME, which counts suspend too (`Instant` does not).
pub struct SystemClock {
    boot_id: Uuid,
}

impl SystemClock {
    pub fn new() -> SystemClock {
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .ok()
            .and_then(|text| Uuid::parse_str(text.trim()).ok())
            // Without the kernel's id every start of the program counts as a boot: boot times then compare less
            // often, never wrongly.
            .unwrap_or_else(Uuid::new_v4);
        SystemClock { boot_id }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    fn read(&self) -> Clocks {
        let wall = millis(clock_gettime(ClockId::Realtime));
        Clocks { wall: Ms(wall), boot_id: self.boot_id, boot_ms: millis(clock_gettime(ClockId::Boottime)) }
    }
}

fn millis(t: Timespec) -> i64 {
    t.tv_sec * 1_000 + t.tv_nsec / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_clock_never_goes_back_within_one_boot() {
        let clock = SystemClock::new();
        let (a, b) = (clock.read(), clock.read());
        assert_eq!(a.boot_id, b.boot_id);
        assert!(a.boot_ms <= b.boot_ms && a.boot_ms > 0);
    }
}
