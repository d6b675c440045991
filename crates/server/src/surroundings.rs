//! The clock and the dice: the only places where this crate asks the machine for time or chance, so that a simulation
//! can put its own in their place.

use lamplight_domain::chain::SigningKey;
use lamplight_domain::ids::RecordId;
use lamplight_domain::time::Ms;
use std::sync::Arc;
use uuid::{Builder, Uuid};

type Clock = dyn Fn() -> Ms + Send + Sync;
/// Fills the bytes.
type Dice = dyn Fn(&mut [u8]) + Send + Sync;

#[derive(Clone)]
pub struct Surroundings {
    clock: Arc<Clock>,
    dice: Arc<Dice>,
}

impl Surroundings {
    /// This machine's clock and its source of randomness.
    pub fn real() -> Surroundings {
        Surroundings::new(
            || {
                let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                // A clock before 1970 is wrong, and shown as 1970: the server never stops for it.
                Ms(since.map_or(0, |d| d.as_millis() as i64) + ahead_ms())
            },
            |bytes| {
                // Without randomness no key may be made at all: there is nothing to fall back to.
                #[allow(clippy::expect_used)]
                getrandom::fill(bytes).expect("the system gives no randomness")
            },
        )
    }

    pub fn new(
        clock: impl Fn() -> Ms + Send + Sync + 'static,
        dice: impl Fn(&mut [u8]) + Send + Sync + 'static,
    ) -> Surroundings {
        Surroundings { clock: Arc::new(clock), dice: Arc::new(dice) }
    }

    pub fn now(&self) -> Ms {
        (self.clock)()
    }
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.dice)(&mut bytes);
        bytes
    }
    pub fn uuid(&self) -> Uuid {
        Builder::from_random_bytes(self.bytes()).into_uuid()
    }
    /// A UUIDv7 of now.
    pub fn record_id(&self) -> RecordId {
        RecordId(Builder::from_unix_timestamp_millis(self.now().0.max(0) as u64, &self.bytes()).into_uuid())
    }
    pub fn signing_key(&self) -> SigningKey {
        SigningKey::from_seed(&self.bytes())
    }
}

/// How far a debug build is told to be ahead of this machine (`LAMPLIGHT_CLOCK_AHEAD_MS`), so that a test of a month need
/// not wait for one. A release program goes by the machine's clock alone.
#[cfg(debug_assertions)]
fn ahead_ms() -> i64 {
    static AHEAD: std::sync::OnceLock<i64> = std::sync::OnceLock::new();
    let told = || std::env::var("LAMPLIGHT_CLOCK_AHEAD_MS").ok()?.parse().ok();
    *AHEAD.get_or_init(|| told().unwrap_or(0))
}
#[cfg(not(debug_assertions))]
const fn ahead_ms() -> i64 {
    0
}
