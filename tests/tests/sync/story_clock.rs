//! A tablet's clocks in a test's own time: ahead of this machine's by what the story tells, wrong by what a flat battery
//! makes of it.

use lamplight_domain::time::{Clocks, MINUTE_MS, Ms};
use lamplight_tablet::{Clock, Options, SystemClock, Tablet};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// A tablet's clocks in the story's time, which runs ahead of this machine's.
pub struct StoryClock {
    machine: SystemClock,
    ahead_ms: Arc<AtomicI64>,
    wrong_by_ms: AtomicI64,
    /// Which boot, and where the machine's own boot clock stood at its beginning.
    boot: Mutex<(Uuid, i64)>,
}

impl StoryClock {
    pub fn of(ahead_ms: &Arc<AtomicI64>) -> Arc<StoryClock> {
        let clock = StoryClock {
            machine: SystemClock::new(),
            ahead_ms: ahead_ms.clone(),
            wrong_by_ms: AtomicI64::new(0),
            boot: Mutex::default(),
        };
        clock.starts_again(0);
        Arc::new(clock)
    }

    /// Its machine was off, and comes up with a wall clock that is wrong by so much.
    pub fn starts_again(&self, wrong_by_ms: i64) {
        self.wrong_by_ms.store(wrong_by_ms, SeqCst);
        let began = self.machine.read().boot_ms + self.ahead_ms.load(SeqCst) - MINUTE_MS;
        *self.boot.lock().unwrap() = (Uuid::new_v4(), began);
    }
}

impl Clock for StoryClock {
    fn read(&self) -> Clocks {
        let (machine, ahead) = (self.machine.read(), self.ahead_ms.load(SeqCst));
        let (boot_id, began) = *self.boot.lock().unwrap();
        let wall = Ms(machine.wall.0 + ahead + self.wrong_by_ms.load(SeqCst));
        Clocks { wall, boot_id, boot_ms: machine.boot_ms + ahead - began }
    }
}

/// A tablet that goes by it.
pub fn opened(dir: &Path, clock: &Arc<StoryClock>) -> Tablet {
    let mut options = Options::default();
    options.clock = clock.clone();
    Tablet::open(dir, options).unwrap()
}
