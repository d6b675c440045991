//! What each patient really did in these twelve hours: where and doing what, by the hour of the ward's clock. Nights
//! are slept in bedrooms, with waking; days have meals, groups, visits, free time. Staff see it only by looking.

use super::census::Patient;
use super::clock;
use super::dice::Dice;
use lamplight_domain::time::{MINUTE_MS, Ms};

/// A stretch of a patient's day. Codes are those of [`super::lists`].
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    pub from: Ms,
    pub place: &'static str,
    pub activity: &'static str,
}

/// Oldest first, without holes from the first stretch on.
#[derive(Clone)]
pub struct Day(Vec<Stretch>);

/// Place, activity, weight, shortest and longest in minutes.
type Choice = (&'static str, &'static str, i64, i64, i64);

const ASLEEP: &[Choice] = &[
    ("bedroom", "eyes_closed", 86, 40, 110),
    ("bedroom", "resting", 6, 8, 20),
    ("bathroom", "hygiene", 4, 3, 6),
    ("hallway", "walking", 1, 4, 8),
    ("day_room", "with_staff", 2, 8, 20),
    ("day_room", "tv", 1, 10, 20),
];
const BADLY_ASLEEP: &[Choice] = &[
    ("bedroom", "eyes_closed", 60, 25, 60),
    ("bedroom", "resting", 15, 8, 25),
    ("bathroom", "hygiene", 7, 3, 7),
    ("hallway", "pacing", 7, 5, 12),
    ("day_room", "with_staff", 6, 8, 20),
    ("bedroom", "tearful", 5, 6, 15),
];
const MEAL: &[Choice] =
    &[("dining", "eating", 86, 20, 40), ("bedroom", "resting", 8, 15, 30), ("day_room", "eating", 6, 15, 30)];
const GROUP: &[Choice] = &[
    ("group_room", "group", 50, 30, 50),
    ("day_room", "games", 12, 15, 35),
    ("bedroom", "resting", 14, 15, 35),
    ("day_room", "tv", 10, 10, 30),
    ("exam_room", "with_staff", 6, 10, 20),
    ("bathroom", "hygiene", 8, 3, 8),
];
const FREE: &[Choice] = &[
    ("day_room", "tv", 20, 10, 30),
    ("day_room", "with_peers", 15, 8, 25),
    ("bedroom", "resting", 18, 10, 35),
    ("bedroom", "eyes_closed", 5, 15, 35),
    ("courtyard", "walking", 9, 8, 20),
    ("courtyard", "with_peers", 6, 8, 20),
    ("hallway", "walking", 6, 4, 10),
    ("day_room", "calm", 8, 8, 20),
    ("quiet_room", "prayer", 3, 8, 15),
    ("day_room", "with_staff", 4, 6, 15),
    ("bathroom", "hygiene", 6, 3, 8),
];
const MEDICATION: &[Choice] = &[
    ("nurses_station", "medication", 30, 3, 7),
    ("day_room", "tv", 25, 10, 25),
    ("bedroom", "resting", 20, 8, 20),
    ("bathroom", "hygiene", 12, 4, 9),
    ("day_room", "with_peers", 13, 8, 20),
];
const VISITS: &[Choice] = &[
    ("visitor_room", "visit", 12, 20, 45),
    ("day_room", "tv", 30, 10, 30),
    ("day_room", "with_peers", 16, 8, 25),
    ("bedroom", "resting", 20, 10, 30),
    ("courtyard", "walking", 8, 8, 15),
    ("hallway", "walking", 6, 4, 8),
    ("bathroom", "hygiene", 8, 3, 8),
];
const EVENING: &[Choice] = &[
    ("day_room", "tv", 30, 10, 30),
    ("bedroom", "resting", 30, 10, 30),
    ("nurses_station", "medication", 12, 3, 6),
    ("bathroom", "hygiene", 12, 4, 9),
    ("day_room", "calm", 10, 8, 20),
    ("bedroom", "tv", 6, 10, 25),
];
const RISING: &[Choice] = &[
    ("bedroom", "resting", 35, 6, 15),
    ("bathroom", "hygiene", 30, 4, 10),
    ("day_room", "calm", 20, 8, 20),
    ("hallway", "walking", 15, 3, 8),
];

/// The ward's day: until which minute of the day, and what there is to do.
const PLAN: [(u32, &[Choice]); 13] = [
    (450, RISING),
    (495, MEAL),
    (570, MEDICATION),
    (640, GROUP),
    (720, FREE),
    (762, MEAL),
    (840, FREE),
    (925, GROUP),
    (1035, FREE),
    (1075, MEAL),
    (1200, VISITS),
    (1260, MEDICATION),
    (1440, EVENING),
];

impl Day {
    pub fn of(patient: &Patient, dice: &mut Dice, from: Ms, to: Ms) -> Day {
        let precautions = patient.precautions();
        let sleeps_badly = precautions.contains(&"withdrawal") || dice.chance(25);
        let rises = dice.range(375, 455) as u32;
        let bedtime = dice.range(1_290, 1_415) as u32;
        let burden: &[(&str, &str)] =
            if precautions.contains(&"safety_of_others") || precautions.contains(&"leaving_risk") {
                &[("hallway", "pacing"), ("day_room", "pacing")]
            } else if precautions.contains(&"suicide") || precautions.contains(&"self_harm") {
                &[("bedroom", "tearful"), ("day_room", "tearful")]
            } else {
                &[("bedroom", "tearful"), ("day_room", "hearing"), ("hallway", "pacing")]
            };
        let burdened_percent = if precautions.is_empty() { 3 } else { 9 };
        let mut stretches = Vec::new();
        let mut at = from;
        while at < to {
            let minute = clock::minute_of_day(at);
            let asleep = minute >= bedtime || minute < rises;
            let until = PLAN.iter().map(|(until, _)| *until).find(|until| minute < *until).unwrap_or(1_440);
            let options = match PLAN.iter().find(|(until, _)| minute < *until) {
                _ if asleep && sleeps_badly => BADLY_ASLEEP,
                _ if asleep => ASLEEP,
                Some((_, options)) => options,
                None => EVENING,
            };
            let (place, activity, shortest, longest) =
                dice.weighed(&options.iter().map(|o| ((o.0, o.1, o.3, o.4), o.2)).collect::<Vec<_>>());
            let (place, activity) = if !asleep && options.len() > 3 && dice.chance(burdened_percent) {
                *dice.pick(burden)
            } else {
                (place, activity)
            };
            stretches.push(Stretch { from: at, place, activity });
            let mut minutes = dice.range(shortest, longest);
            // Meals, groups and rising end with the clock, give or take a few minutes.
            let left = i64::from(if asleep && minute < rises { rises } else { until }) - i64::from(minute);
            if left > 0 && minutes > left + 6 {
                minutes = left + dice.range(0, 6);
            }
            at = at + minutes * MINUTE_MS + dice.range(0, 59_999);
        }
        Day(stretches)
    }

    pub fn at(&self, at: Ms) -> Stretch {
        let next = self.0.partition_point(|s| s.from <= at);
        self.0[next.saturating_sub(1)]
    }

    /// Puts something else between `from` and `to`; what would have been goes on afterwards.
    pub fn put(&mut self, from: Ms, to: Ms, place: &'static str, activity: &'static str) {
        let after = Stretch { from: to, ..self.at(to) };
        self.0.retain(|s| s.from < from || s.from > to);
        self.0.extend([Stretch { from, place, activity }, after]);
        self.0.sort_by_key(|s| s.from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{ZONE, census};
    use lamplight_domain::time::HOUR_MS;

    const TO: Ms = Ms(1_795_376_820_000);

    #[test]
    fn nights_are_slept_and_meals_are_eaten() {
        let from = TO - 24 * HOUR_MS;
        let (mut eating, mut sleeping, mut all) = (0, 0, 0);
        for (i, patient) in census::patients(7, TO).iter().enumerate() {
            let day = Day::of(patient, &mut Dice::new(7, &format!("day {i}")), from, TO);
            let when =
                |clock: &str| (0..24 * 60).map(|m| from + m * MINUTE_MS).find(|t| t.clock(ZONE) == clock).unwrap();
            eating += u32::from(day.at(when("07:45")).activity == "eating");
            sleeping += u32::from(day.at(when("03:00")).activity == "eyes_closed");
            all += 1;
        }
        assert!(eating * 2 > all, "{eating} of {all} at breakfast");
        assert!(sleeping * 4 > all * 3, "{sleeping} of {all} asleep at three");
    }

    #[test]
    fn what_is_put_in_holds_for_its_time_only() {
        let from = TO - 12 * HOUR_MS;
        let mut day = Day::of(&census::patients(1, TO)[0], &mut Dice::new(1, "day"), from, TO);
        let (a, b) = (from + HOUR_MS, from + HOUR_MS + 10 * MINUTE_MS);
        let (before, after) = (day.at(a - 1).activity, day.at(b).activity);
        day.put(a, b, "quiet_room", "shouting");
        assert_eq!((day.at(a).place, day.at(b - 1).activity), ("quiet_room", "shouting"));
        assert_eq!((day.at(a - 1).activity, day.at(b).activity), (before, after));
    }
}
