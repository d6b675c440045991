//! The ward's wall clock: hours of the day in the facility's zone, right on clock-change nights.

use super::ZONE;
use chrono::{NaiveDate, NaiveTime, TimeZone, Timelike};
use lamplight_domain::time::Ms;

/// Minutes since midnight on the ward's clock.
pub fn minute_of_day(at: Ms) -> u32 {
    let local = at.utc().with_timezone(&ZONE);
    local.hour() * 60 + local.minute()
}

/// The last moment before `before` at which the clock showed that time.
pub fn last(before: Ms, hour: u32, minute: u32) -> Ms {
    let day = before.date(ZONE);
    [day.succ_opt(), Some(day), day.pred_opt(), day.pred_opt().and_then(|d| d.pred_opt())]
        .into_iter()
        .flatten()
        .filter_map(|d| moment(d, hour, minute))
        .find(|at| *at < before)
        .unwrap_or(before)
}

/// The first moment after `after` at which the clock shows that time.
pub fn next(after: Ms, hour: u32, minute: u32) -> Ms {
    let day = after.date(ZONE);
    [day.pred_opt(), Some(day), day.succ_opt(), day.succ_opt().and_then(|d| d.succ_opt())]
        .into_iter()
        .flatten()
        .filter_map(|d| moment(d, hour, minute))
        .find(|at| *at > after)
        .unwrap_or(after)
}

/// None where the clocks skip that time on that day.
fn moment(day: NaiveDate, hour: u32, minute: u32) -> Option<Ms> {
    let local = day.and_time(NaiveTime::from_hms_opt(hour, minute, 0)?);
    ZONE.from_local_datetime(&local).earliest().map(|t| Ms(t.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lamplight_domain::time::HOUR_MS;

    #[test]
    fn the_clock_is_the_ward_s_and_knows_clock_changes() {
        // 2026-11-01 06:30 UTC: the second 01:30 of that night in New York.
        let at = Ms(1_793_514_600_000);
        assert_eq!(at.clock(ZONE), "01:30");
        assert_eq!(minute_of_day(at), 90);
        assert_eq!(last(at, 1, 30), at - HOUR_MS, "the first of the two");
        assert_eq!((next(at, 7, 0) - last(at, 19, 0)) / HOUR_MS, 13, "a night shift of that night");
        assert_eq!(next(at, 1, 30).clock(ZONE), "01:30");
    }
}
