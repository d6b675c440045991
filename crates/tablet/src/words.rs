//! Times in words, in the facility's zone.

use chrono_tz::Tz;
use lamplight_domain::kinds::{AmendmentAction, Event};
use lamplight_domain::roster::Roster;
use lamplight_domain::time::Ms;

/// The facility's zone; UTC before joining.
pub fn zone(roster: Option<&Roster>) -> Tz {
    roster.map_or(Tz::UTC, |r| r.facility.zone)
}

/// "02:47:10"
pub fn clock_with_seconds(at: Ms, zone: Tz) -> String {
    at.utc().with_timezone(&zone).format("%H:%M:%S").to_string()
}

/// What is said of an act once it is durable: "Saved on this tablet 02:47:10", "Taken back 02:47:10".
pub fn saved(event: Option<&Event>, at: Ms, zone: Tz) -> String {
    let done = match event {
        Some(Event::Amendment(a)) if a.action == AmendmentAction::Retract => "Taken back",
        Some(Event::Amendment(_)) => "Corrected",
        Some(Event::Acknowledged { came: Some(_), .. }) => "Written down who came",
        Some(Event::Acknowledged { .. }) => "Acknowledged",
        Some(Event::OrderAcknowledged { .. }) => "Level acknowledged",
        Some(Event::EmergencyEnded { .. }) => "Emergency over",
        Some(Event::HoldingTaken { .. }) => "You hold the observations since",
        Some(Event::WatchStarted { .. }) => "With the patient since",
        Some(Event::WatchEnded { .. }) => "Left the patient",
        Some(Event::Verified { .. }) => "Verified",
        Some(Event::Claimed { .. }) => "Written down as your call for help",
        Some(Event::StayProvisional(_)) => "Put on this board",
        _ => "Saved on this tablet",
    };
    format!("{done} {}", clock_with_seconds(at, zone))
}

/// "01:52", or "23 Nov 01:52" where that is not within the last 20 hours.
pub fn clock_and_day(at: Ms, now: Ms, zone: Tz) -> String {
    let format = if now - at < 20 * lamplight_domain::time::HOUR_MS { "%H:%M" } else { "%-d %b %H:%M" };
    at.utc().with_timezone(&zone).format(format).to_string()
}
