//! Where things are on Willow Ward, in metres along and across its one long corridor, and how long it takes to walk
//! from one to another. What is recorded must be walkable on this plan.

use lamplight_domain::roster::Bed;

pub const ROOMS: usize = 12;

/// 24 beds in walking order: rooms 101 to 112 with two beds each; the north hallway first.
pub fn beds() -> Vec<Bed> {
    (0..ROOMS * 2)
        .map(|i| {
            let room = format!("{}", 101 + i / 2);
            let area = if i / 2 < ROOMS / 2 { "North hallway" } else { "South hallway" };
            Bed { label: format!("{room}{}", if i % 2 == 0 { "A" } else { "B" }), room, area: area.to_owned() }
        })
        .collect()
}

/// A point on the plan, in metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    pub along: f64,
    pub across: f64,
}

/// Where a patient of that bed (its index in walking order) is when in that place. The hallway is everywhere: a
/// patient in it is met between the own room and the day room.
pub fn spot(place: &str, bed: usize) -> Spot {
    let at = |along, across| Spot { along, across };
    let room = bed / 2;
    // Six rooms on each side of the day room, four metres of corridor each.
    let door = if room < ROOMS / 2 { 4.0 + 4.0 * room as f64 } else { 44.0 + 4.0 * (room - ROOMS / 2) as f64 };
    match place {
        "bedroom" => at(door, if bed.is_multiple_of(2) { 2.0 } else { 3.5 }),
        "bathroom" | "bathroom_heard" => at(door, 4.0),
        "hallway" => at((door + 34.0) / 2.0, 0.0),
        "dining" => at(30.0, -6.0),
        "group_room" => at(40.0, -5.0),
        "courtyard" => at(34.0, -14.0),
        "quiet_room" => at(42.0, 3.0),
        "nurses_station" => at(34.0, 3.0),
        "visitor_room" => at(28.0, 4.0),
        "exam_room" => at(37.0, 4.0),
        "kitchen" => at(27.0, -6.0),
        "seclusion_room" => at(44.0, 4.0),
        // The day room, in the middle.
        _ => at(34.0, -4.0),
    }
}

/// Metres to walk: along the corridor and in and out of rooms, never through walls.
pub fn metres(from: Spot, to: Spot) -> f64 {
    if from.along == to.along {
        (from.across - to.across).abs()
    } else {
        (from.along - to.along).abs() + from.across.abs() + to.across.abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beds_are_in_walking_order() {
        let beds = beds();
        assert_eq!(beds.len(), 24);
        assert_eq!((beds[0].label.as_str(), beds[23].label.as_str()), ("101A", "112B"));
        for pair in (0..beds.len()).collect::<Vec<_>>().windows(2) {
            let (a, b) = (spot("bedroom", pair[0]), spot("bedroom", pair[1]));
            assert!(a.along <= b.along);
        }
    }

    #[test]
    fn walks_go_round_walls() {
        let (a, b) = (spot("bedroom", 0), spot("bedroom", 2));
        assert_eq!(metres(a, b), 8.0, "out of one room, four metres on, into the next");
        assert_eq!(metres(a, a), 0.0);
        assert_eq!(metres(a, b), metres(b, a));
    }
}
