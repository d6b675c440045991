//! Who is on duty and in which part: three technicians a shift (07 to 19, 19 to 07 on the ward's clock) who change
//! parts about every hour and three quarters, so that nobody holds the observations or sits a 1:1 for over two hours.

use super::clock;
use super::dice::Dice;
use super::people::People;
use lamplight_domain::ids::StaffId;
use lamplight_domain::roster::Role;
use lamplight_domain::time::{HOUR_MS, MINUTE_MS, Ms};

/// One stretch with the same parts.
#[derive(Clone, Copy, Debug)]
pub struct Duty {
    /// When the change is planned; it happens once the holder is between two checks.
    pub from: Ms,
    /// Walks the ward.
    pub holder: StaffId,
    /// Sits with the 1:1.
    pub watcher: StaffId,
    /// Helps where needed; walks along at times.
    pub float: StaffId,
}

/// Longest stretch of one part.
const STRETCH_MS: i64 = 106 * MINUTE_MS;

/// The duties from `begin` to `end`, the first of them from `begin` on.
pub fn duties(people: &People, dice: &mut Dice, begin: Ms, end: Ms) -> Vec<Duty> {
    let all: Vec<StaffId> = people.roster.staff.iter().filter(|s| s.role == Role::Technician).map(|s| s.id).collect();
    let mut duties = Vec::new();
    let mut shift = clock::last(begin, 7, 0).max(clock::last(begin, 19, 0));
    while shift < end {
        let next_shift = clock::next(shift, 7, 0).min(clock::next(shift, 19, 0));
        let crew = if is_day(shift + HOUR_MS) { &all[..3] } else { &all[3..] };
        let parts = (next_shift - shift + STRETCH_MS - 1) / STRETCH_MS;
        for part in 0..parts {
            // Whoever was with the 1:1 comes to walk; the walker helps next; the helper goes to the 1:1.
            let of = |offset: usize| crew[(part as usize + offset) % 3];
            let late = if part == 0 { dice.range(0, 5) } else { dice.range(-3, 1) };
            let from = shift + part * (next_shift - shift) / parts + late * MINUTE_MS;
            duties.push(Duty { from, holder: of(0), watcher: of(1), float: of(2) });
        }
        shift = next_shift;
    }
    // The parts in force at the beginning are dated to it, and a change just before the end has happened by then.
    let first = duties.partition_point(|d| d.from <= begin + 12 * MINUTE_MS).max(1) - 1;
    let mut duties: Vec<Duty> = duties.into_iter().skip(first).take_while(|d| d.from < end).collect();
    duties[0].from = begin;
    for duty in &mut duties[1..] {
        duty.from = duty.from.min(end - 7 * MINUTE_MS);
    }
    duties
}

/// The nurse who answers at that moment: by day the second nurse, at night the night nurse.
pub fn nurse(people: &People, at: Ms) -> StaffId {
    let nurses: Vec<StaffId> = people.roster.staff.iter().filter(|s| s.role == Role::Nurse).map(|s| s.id).collect();
    if is_day(at) { nurses[0] } else { nurses[1] }
}

fn is_day(at: Ms) -> bool {
    (7 * 60..19 * 60).contains(&clock::minute_of_day(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::people;

    #[test]
    fn nobody_holds_too_long_and_parts_are_three_people() {
        let people = people::people(3);
        // Plain days and both clock-change nights.
        for end in [1_795_376_820_000, 1_772_971_200_000, 1_793_534_400_000] {
            for hour in 0..24 {
                let end = Ms(end) + hour * HOUR_MS;
                let begin = end - 12 * HOUR_MS;
                let duties = duties(&people, &mut Dice::new(3, "duty"), begin, end);
                assert_eq!(duties[0].from, begin);
                assert!(end - duties[duties.len() - 1].from <= 118 * MINUTE_MS);
                for d in &duties {
                    assert!(d.holder != d.watcher && d.watcher != d.float && d.float != d.holder);
                }
                for pair in duties.windows(2) {
                    assert!(pair[1].from - pair[0].from <= 118 * MINUTE_MS, "{pair:?}");
                    assert!(pair[1].from - pair[0].from >= 8 * MINUTE_MS, "{pair:?}");
                }
            }
        }
    }
}
