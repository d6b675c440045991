//! I8: what the programs say in their logs, every level of it, names no patient.

use super::ground::CANARY;
use std::io::{Result, Write};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The first line that named one.
static NAMED: Mutex<Option<String>> = Mutex::new(None);
static WATCHED: OnceLock<()> = OnceLock::new();

struct Watch;

impl Write for Watch {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes()) {
            let line = String::from_utf8_lossy(bytes).into_owned();
            NAMED.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(line);
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// From here on every line of this process is looked at, unless somebody else takes the log already.
pub fn watch() {
    WATCHED.get_or_init(|| {
        let watch = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(|| Watch);
        let _ = watch.try_init();
    });
}

/// A line that named a patient.
pub fn named() -> Option<String> {
    NAMED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
