//! Somebody whom a charge nurse let work on a ward for some hours: from the record of it on they are on the staff list, so
//! that what they write is theirs, also where whoever let them in may not do that.

use lamplight_domain::ids::WardId;
use lamplight_domain::kinds::AccessGiven;
use lamplight_domain::record::Envelope;
use lamplight_domain::roster::{PinVerifier, Role, Roster, Staff};

/// Of a name or a number: a staff list is read by every tablet.
const MAX_CHARS: usize = 80;

/// The roster with the person in it; None where it knows them already. `pin`: the one that came with the record, where
/// whoever let them in may do that.
pub fn let_in(
    roster: &Roster,
    ward: WardId,
    envelope: &Envelope,
    given: &AccessGiven,
    pin: impl FnOnce() -> Option<PinVerifier>,
) -> Option<Roster> {
    if roster.person(given.staff).is_some() || envelope.facility != roster.facility.id {
        return None;
    }
    let short = |text: &str| text.chars().filter(|c| !c.is_control()).take(MAX_CHARS).collect();
    let mut roster = roster.clone();
    roster.staff.push(Staff {
        id: given.staff,
        family: short(&given.family),
        given: short(&given.given),
        number: short(&given.number),
        role: Role::Technician,
        wards: vec![ward],
        active: true,
        until: Some(given.until),
        // Without it they are known to the tablet on which it was given alone.
        pin: pin(),
    });
    roster.version += 1;
    Some(roster)
}
