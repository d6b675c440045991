//! Moments, and the clocks they come from. Nothing in this crate reads a clock.

use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::ops::{Add, Sub};
use ts_rs::TS;
use uuid::Uuid;

/// A moment: milliseconds since 1970-01-01T00:00:00Z. Differences of two moments are plain `i64` milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(transparent)]
#[ts(type = "number", export_to = "time.ts")]
pub struct Ms(pub i64);

pub const SECOND_MS: i64 = 1_000;
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;

impl Sub for Ms {
    type Output = i64;
    fn sub(self, earlier: Ms) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}
impl Add<i64> for Ms {
    type Output = Ms;
    fn add(self, ms: i64) -> Ms {
        Ms(self.0.saturating_add(ms))
    }
}
impl Sub<i64> for Ms {
    type Output = Ms;
    fn sub(self, ms: i64) -> Ms {
        Ms(self.0.saturating_sub(ms))
    }
}

impl Ms {
    /// The same moment in UTC; a moment outside chrono's range (year 262,000) is shown as its nearest end. The last
    /// two days at either end are left out, so that every zone has a local time for it.
    pub fn utc(self) -> DateTime<Utc> {
        let edge = chrono::Duration::days(2);
        let (first, last) = (DateTime::<Utc>::MIN_UTC + edge, DateTime::<Utc>::MAX_UTC - edge);
        let ms = self.0.clamp(first.timestamp_millis(), last.timestamp_millis());
        Utc.timestamp_millis_opt(ms).single().unwrap_or_default()
    }

    /// "02:47", in the facility's zone.
    pub fn clock(self, zone: Tz) -> String {
        self.utc().with_timezone(&zone).format("%H:%M").to_string()
    }

    /// The calendar day in the facility's zone.
    pub fn date(self, zone: Tz) -> NaiveDate {
        self.utc().with_timezone(&zone).date_naive()
    }
}

/// What a machine's clocks say at one moment. `boot_ms` is CLOCK_BOOTTIME, which counts suspend; it compares only
/// within one `boot_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    pub wall: Ms,
    pub boot_id: Uuid,
    pub boot_ms: i64,
}

/// The facility server's time at a moment of this machine's boot clock: the best answer to "what time is it" when
/// the wall clock is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerTime {
    pub server: Ms,
    pub boot_id: Uuid,
    pub boot_ms: i64,
}

/// The moment for which a board or a due time is worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    pub clocks: Clocks,
    /// Last contact with the server in this boot, if there was one.
    pub server: Option<ServerTime>,
}

impl Now {
    /// A machine whose wall clock is the authority: the server itself, and tests.
    pub fn of_wall(wall: Ms) -> Now {
        Now { clocks: Clocks { wall, boot_id: Uuid::nil(), boot_ms: 0 }, server: None }
    }

    /// The best known true time: the server's last time plus boot time elapsed, else the wall clock.
    pub fn best(&self) -> Ms {
        match self.server {
            Some(s) if s.boot_id == self.clocks.boot_id => s.server + (self.clocks.boot_ms - s.boot_ms),
            _ => self.clocks.wall,
        }
    }
}

/// The two ends of a calendar day in the facility's zone: 23 h, 24 h or 25 h apart. Where midnight itself is
/// skipped by a clock change, the day begins at the first moment that exists.
pub fn day_bounds(date: NaiveDate, zone: Tz) -> (Ms, Ms) {
    let start_of = |d: NaiveDate| {
        let midnight = d.and_hms_opt(0, 0, 0).unwrap_or_default();
        (0..=120)
            .find_map(|m| zone.from_local_datetime(&(midnight + chrono::Duration::minutes(m))).earliest())
            .map_or_else(|| Ms(midnight.and_utc().timestamp_millis()), |t| Ms(t.timestamp_millis()))
    };
    (start_of(date), start_of(date.succ_opt().unwrap_or(date)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_as_long_as_the_zone_says() {
        let zone = chrono_tz::America::New_York;
        for (y, m, d, quarters) in [(2026, 3, 8, 92), (2026, 11, 1, 100), (2026, 11, 2, 96)] {
            let (from, to) = day_bounds(NaiveDate::from_ymd_opt(y, m, d).unwrap(), zone);
            assert_eq!((to - from) / (15 * MINUTE_MS), quarters, "{y}-{m}-{d}");
            assert_eq!(from.clock(zone), "00:00");
        }
    }

    #[test]
    fn a_day_without_a_midnight_begins_at_its_first_moment() {
        // Santiago skips 00:00 to 01:00 when summer time begins.
        let zone = chrono_tz::America::Santiago;
        let (from, to) = day_bounds(NaiveDate::from_ymd_opt(2026, 9, 6).unwrap(), zone);
        assert_eq!(from.clock(zone), "01:00");
        assert_eq!((to - from) / HOUR_MS, 23);
    }

    #[test]
    fn the_server_s_time_wins_over_a_wrong_wall_clock_of_the_same_boot() {
        let boot_id = Uuid::from_u128(1);
        let clocks = Clocks { wall: Ms(0), boot_id, boot_ms: 5_000 };
        let server = ServerTime { server: Ms(1_000_000), boot_id, boot_ms: 2_000 };
        assert_eq!(Now { clocks, server: Some(server) }.best(), Ms(1_003_000));
        let other_boot = ServerTime { boot_id: Uuid::from_u128(2), ..server };
        assert_eq!(Now { clocks, server: Some(other_boot) }.best(), Ms(0));
    }
}
