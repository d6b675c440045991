//! Staff as a board names them.

use crate::ids::StaffId;
use crate::roster::Roster;

/// "M. Okafor"; empty for nobody.
pub(super) fn short(roster: &Roster, staff: Option<StaffId>) -> String {
    name(roster, staff, |p| p.short())
}

/// "MO"; empty for nobody.
pub(super) fn initials(roster: &Roster, staff: Option<StaffId>) -> String {
    match staff.map(|id| roster.person(id)) {
        None => String::new(),
        Some(None) => "??".to_owned(),
        Some(Some(person)) => person.initials(),
    }
}

/// "M. Okafor, MHT 2304"; empty for nobody.
pub(super) fn full(roster: &Roster, staff: Option<StaffId>) -> String {
    name(roster, staff, |p| format!("{}, {}", p.short(), p.number))
}

fn name(roster: &Roster, staff: Option<StaffId>, of: impl Fn(&crate::roster::Staff) -> String) -> String {
    match staff.map(|id| roster.person(id)) {
        None => String::new(),
        Some(None) => "somebody unknown here".to_owned(),
        Some(Some(person)) => of(person),
    }
}
