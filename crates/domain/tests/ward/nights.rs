//! Midnight and the two nights on which the clocks change, in New York and London.

use crate::ground::*;
use chrono::NaiveDate;
use chrono_tz::Tz;
use lamplight_domain::time::{MINUTE_MS, Ms, day_bounds};
use lamplight_domain::views::CardState;

fn night(zone: Tz, year: i32, month: u32, day: u32) -> (Ms, Ms) {
    day_bounds(NaiveDate::from_ymd_opt(year, month, day).unwrap(), zone)
}

/// A patient who is checked every quarter of an hour of this day, from its first moment on.
fn checked_all_day(zone: Tz, from: Ms, to: Ms) -> lamplight_domain::views::PatientDay {
    let mut ground = Ground::new();
    ground.roster.facility.zone = zone;
    let stay = ground.admit("Garcia", "Mateo", "104A", from - 60 * MINUTE_MS);
    ground.order(stay, from - 60 * MINUTE_MS, 15);
    let mut when = from - 15 * MINUTE_MS;
    while when < to {
        ground.check(stay, when);
        when = when + 15 * MINUTE_MS;
    }
    assert_eq!(ground.card(stay, to).state, CardState::Due);
    ground.day(stay, from, to, to + 1)
}

/// Zone, day, quarters, and the labels of two hours that follow each other.
type Night = (Tz, (i32, u32, u32), usize, &'static str, &'static str);

const NIGHTS: [Night; 6] = [
    (Tz::America__New_York, (2026, 3, 8), 92, "01:00", "03:00"),
    (Tz::America__New_York, (2026, 11, 1), 100, "01:00 −04:00", "01:00 −05:00"),
    (Tz::America__New_York, (2026, 11, 22), 96, "01:00", "02:00"),
    (Tz::Europe__London, (2026, 3, 29), 92, "00:00", "02:00"),
    (Tz::Europe__London, (2026, 10, 25), 100, "01:00 +01:00", "01:00 +00:00"),
    (Tz::Europe__London, (2026, 7, 1), 96, "01:00", "02:00"),
];

#[test]
fn a_day_has_as_many_quarters_as_its_night_gives_it_and_no_gap_is_longer_for_it() {
    for (zone, (y, m, d), quarters, ..) in NIGHTS {
        let (from, to) = night(zone, y, m, d);
        let day = checked_all_day(zone, from, to);
        assert_eq!(day.rows.len(), quarters, "{zone} {y}-{m}-{d}");
        assert!(day.rows.iter().all(|r| r.gap_minutes == Some(15) && !r.late), "{zone} {y}-{m}-{d}");
        assert_eq!((day.totals.gaps, day.totals.gaps_within_limit), (quarters as u32, quarters as u32));
        assert_eq!(day.hours.len() * 4, quarters);
    }
}

#[test]
fn the_hour_that_comes_twice_carries_its_offset_and_no_other_does() {
    for (zone, (y, m, d), _, one, two) in NIGHTS {
        let (from, to) = night(zone, y, m, d);
        let day = checked_all_day(zone, from, to);
        let labels: Vec<_> = day.hours.iter().map(|h| h.label.as_str()).collect();
        let first = labels.iter().position(|l| *l == one).unwrap_or_else(|| panic!("{zone}: {labels:?}"));
        assert_eq!(labels[first + 1], two, "{labels:?}");
        assert_eq!(labels.iter().filter(|l| l.len() > 5).count(), if one.len() > 5 { 2 } else { 0 });
        let mut clocks: Vec<_> = day.rows.iter().map(|r| r.clock.clone()).collect();
        clocks.sort();
        clocks.dedup();
        assert_eq!(clocks.len(), day.rows.len(), "no two rows print the same time");
    }
}

#[test]
fn a_gap_runs_through_midnight_and_is_told_on_the_day_it_ended() {
    let zone = chrono_tz::America::New_York;
    let (_, midnight) = night(zone, 2026, 11, 21);
    let mut ground = Ground::new();
    let stay = ground.admit("Garcia", "Mateo", "104A", midnight - 60 * MINUTE_MS);
    ground.order(stay, midnight - 60 * MINUTE_MS, 15);
    ground.check(stay, midnight - 10 * MINUTE_MS);
    let after = ground.check(stay, midnight + 8 * MINUTE_MS);
    let now = midnight + 9 * MINUTE_MS;
    let (from, to) = night(zone, 2026, 11, 22);
    let day = ground.day(stay, from, to, now);
    assert_eq!(day.rows.len(), 1);
    assert_eq!((day.rows[0].record, day.rows[0].gap_minutes, day.rows[0].late), (after, Some(18), true));
    assert_eq!(day.rows[0].clock, "00:08");
    let (from, to) = night(zone, 2026, 11, 21);
    let before = ground.day(stay, from, to, now);
    assert_eq!(before.totals.gaps, 1, "the gap from the order to the check");
    // The strip of the day before shows no lateness yet: the limit ran out after midnight.
    assert!(before.strip.iter().all(|m| m.from < midnight));
    assert_eq!(ground.card(stay, now).last_seen.unwrap().clock, "00:08");
}

#[test]
fn a_time_of_another_night_carries_its_day() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    assert_eq!(ground.card(stay, at(60)).last_seen.unwrap().clock, "02:00");
    assert_eq!(ground.card(stay, at(24 * 60)).last_seen.unwrap().clock, "22 Nov 02:00");
}
