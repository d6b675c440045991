//! What this tablet knows of its contact with the facility server, and what its clocks were worth then.

use crate::offline::Silence;
use lamplight_domain::time::{Clocks, HOUR_MS, Ms, Now, SECOND_MS, ServerTime};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Kept in the file, so that after a start the screen still says how old its knowledge is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// The newest request was answered.
    #[serde(skip)]
    pub online: bool,
    /// Server time of the last answer.
    pub last: Option<Ms>,
    pub server_time: Option<ServerTime>,
    /// Wall clock less server time at the last measurement.
    pub clock_error_ms: Option<i64>,
    /// The last measurement that became a record.
    pub measured: Option<Measured>,
    /// How long the server has not been heard, as it was noted since.
    #[serde(default)]
    pub noted: Option<Silence>,
    /// What the identity file says of it, in case the records file is lost.
    #[serde(skip)]
    pub doubled: Option<Silence>,
    /// What the file says of `last`.
    #[serde(skip)]
    pub stored: Option<Ms>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    pub error_ms: i64,
    pub boot_id: Uuid,
    pub boot_ms: i64,
}

/// One request and its answer, by this machine's clocks.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    pub asked: Clocks,
    pub answered: Clocks,
    pub server: Ms,
    /// The server may have waited before it answered: only its end is near `server`.
    pub waited: bool,
}

/// A measurement over a slower exchange says little.
const ROUND_TRIP_MAX_MS: i64 = 2 * SECOND_MS;
/// Of a clock's error against the server; below it is jitter of the network.
const MOVED_MS: i64 = SECOND_MS;

impl Exchange {
    pub fn round_trip_ms(&self) -> i64 {
        self.answered.boot_ms - self.asked.boot_ms
    }
    /// Wall clock at the moment at which the server read its own, half of the round trip allowed for.
    pub fn wall(&self) -> Ms {
        if self.waited { self.answered.wall } else { self.asked.wall + self.round_trip_ms() / 2 }
    }
    /// The wall clock was set while the request was under way, or the answer took too long.
    fn measures_nothing(&self) -> bool {
        let jump = (self.answered.wall - self.asked.wall) - self.round_trip_ms();
        self.waited || self.round_trip_ms() > ROUND_TRIP_MAX_MS || jump.abs() > MOVED_MS
    }
}

impl Contact {
    pub fn now(&self, clocks: Clocks) -> Now {
        Now { clocks, server: self.server_time }
    }

    /// Takes an answer in.
    pub fn heard(&mut self, exchange: &Exchange) {
        self.online = true;
        self.noted = None;
        self.last = Some(exchange.server);
        let half = if exchange.waited { 0 } else { exchange.round_trip_ms() / 2 };
        self.server_time = Some(ServerTime {
            server: exchange.server + half,
            boot_id: exchange.answered.boot_id,
            boot_ms: exchange.answered.boot_ms,
        });
        self.clock_error_ms = Some(exchange.wall() - exchange.server);
    }

    /// Should this exchange become a `clock.measured` record? At the first contact of a boot, when the error moved by
    /// more than a second, else every hour: a record at every contact would be most of what a tablet ever sends, and
    /// between two measurements that agree the error is known anyway.
    pub fn is_worth_recording(&self, exchange: &Exchange) -> bool {
        if exchange.measures_nothing() {
            return false;
        }
        let error = exchange.wall() - exchange.server;
        match self.measured {
            Some(m) if m.boot_id == exchange.answered.boot_id => {
                (error - m.error_ms).abs() > MOVED_MS || exchange.answered.boot_ms - m.boot_ms >= HOUR_MS
            }
            _ => true,
        }
    }

    pub fn recorded(&mut self, exchange: &Exchange) {
        self.measured = Some(Measured {
            error_ms: exchange.wall() - exchange.server,
            boot_id: exchange.answered.boot_id,
            boot_ms: exchange.answered.boot_ms,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(wall: i64, boot_ms: i64, server: i64) -> Exchange {
        let at = |ms: i64| Clocks { wall: Ms(wall + ms), boot_id: Uuid::from_u128(1), boot_ms: boot_ms + ms };
        Exchange { asked: at(0), answered: at(100), server: Ms(server), waited: false }
    }

    #[test]
    fn half_of_the_round_trip_is_allowed_for() {
        let mut contact = Contact::default();
        contact.heard(&exchange(1_000, 0, 1_050));
        assert_eq!(contact.clock_error_ms, Some(0));
        let later = Clocks { wall: Ms(0), boot_id: Uuid::from_u128(1), boot_ms: 600 };
        assert_eq!(contact.now(later).best(), Ms(1_600), "the server's time runs on, whatever the wall clock says");
    }

    #[test]
    fn a_measurement_is_recorded_at_first_when_it_moved_and_hourly() {
        let mut contact = Contact::default();
        let first = exchange(0, 0, 50);
        assert!(contact.is_worth_recording(&first));
        contact.recorded(&first);
        assert!(!contact.is_worth_recording(&exchange(10_900, 10_000, 10_050)), "0.9 s is jitter");
        assert!(contact.is_worth_recording(&exchange(11_100, 10_000, 10_050)));
        assert!(contact.is_worth_recording(&exchange(HOUR_MS, HOUR_MS, HOUR_MS + 50)));
        let slow = Exchange { waited: true, ..exchange(11_100, 10_000, 10_050) };
        assert!(!contact.is_worth_recording(&slow), "a long poll measures nothing");
    }
}
