//! Keeps the machine from sleeping while there are patients on the ward: a sleeping tablet sounds no alarm.

use keepawake::{Builder, KeepAwake};
use lamplight_tablet::Tablet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// The census changes rarely; a machine does not fall asleep within this.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The sleep states that the kernel offers; empty or missing on a machine that cannot sleep at all.
const POWER_STATES: &str = "/sys/power/state";

/// Starts the thread. It ends with the process, and the machine may sleep again.
pub fn watch(tablet: Tablet) -> std::io::Result<()> {
    std::thread::Builder::new().name("awake".into()).spawn(move || {
        let mut awake = Awake::default();
        loop {
            // Whoever cannot be counted may be there.
            awake.hold(catch_unwind(AssertUnwindSafe(|| tablet.anyone_on_ward())).unwrap_or(true));
            tablet.report_awake(awake.holds() || !can_sleep(POWER_STATES));
            std::thread::sleep(LOOK_EVERY);
        }
    })?;
    Ok(())
}

/// What the desktop has granted. The machine and its screen are asked for apart: many tablets have only the first.
#[derive(Default)]
struct Awake {
    wanted: bool,
    machine: Option<KeepAwake>,
    screen: Option<KeepAwake>,
}

impl Awake {
    fn hold(&mut self, wanted: bool) {
        if wanted == self.wanted && (!wanted || self.machine.is_some()) {
            return;
        }
        let first = wanted != self.wanted;
        self.wanted = wanted;
        if !wanted {
            for held in [self.machine.take(), self.screen.take()].into_iter().flatten() {
                // It panics where the desktop that granted it is gone.
                let _ = catch_unwind(AssertUnwindSafe(|| drop(held)));
            }
            return;
        }
        let ask = || {
            let mut builder = Builder::default();
            builder
                .app_name("Lamplight")
                .app_reverse_domain("care.lamplight.tablet")
                .reason("Patients are on the ward");
            builder
        };
        self.machine = ask().idle(true).sleep(true).create().map_err(|error| say(first, "machine", &error)).ok();
        if self.screen.is_none() {
            self.screen = ask().display(true).create().map_err(|error| say(first, "screen", &error)).ok();
        }
    }

    /// False where the machine may fall asleep although there are patients on the ward.
    fn holds(&self) -> bool {
        !self.wanted || self.machine.is_some()
    }
}

fn can_sleep(states: &str) -> bool {
    std::fs::read_to_string(states).is_ok_and(|states| !states.trim().is_empty())
}

fn say(first: bool, what: &str, error: &keepawake::Error) {
    if first {
        tracing::warn!(what, %error, "cannot be kept awake");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_sleep_states_stays_awake_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        let state = |text: &str| {
            let path = dir.path().join("state");
            std::fs::write(&path, text).unwrap();
            can_sleep(path.to_str().unwrap())
        };
        assert!(state("freeze mem disk\n"));
        assert!(!state("\n"));
        assert!(!can_sleep(dir.path().join("missing").to_str().unwrap()));
    }

    #[test]
    fn nobody_is_told_of_sleep_while_nobody_is_on_the_ward() {
        let mut awake = Awake::default();
        awake.hold(false);
        assert!(awake.holds());
    }
}
