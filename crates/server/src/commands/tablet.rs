//! `tablet move` and `tablet revoke`: the roster and the record of it, in one transaction. Whoever serves the folder
//! meanwhile notices within a second.

use super::{change_beside, ward_named};
use crate::facility::{tablet_moved, tablet_revoked};
use crate::surroundings::Surroundings;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{Roster, Tablet};
use std::path::Path;

/// Errors: "tablet.unknown", "tablet.revoked", "ward.unknown", "ward.same", and those of a folder that cannot be used.
pub fn move_tablet(path: &Path, name: &str, ward: &str) -> Result<Tablet, Refusal> {
    move_tablet_at(path, name, ward, &Surroundings::real())
}

/// The same by another clock than this machine's.
pub fn move_tablet_at(path: &Path, name: &str, ward: &str, around: &Surroundings) -> Result<Tablet, Refusal> {
    change_beside(path, around, |changing| {
        let to = ward_named(&changing.roster, ward)?.id;
        let tablet = tablet_named(&changing.roster, name)?.id;
        tablet_moved(changing, tablet, to)
    })
}

/// What it still holds is taken and flagged; it may not read any more.
/// Errors: "tablet.unknown", "tablet.revoked", "reason.missing", and those of a folder that cannot be used.
pub fn revoke_tablet(path: &Path, name: &str, reason: &str) -> Result<Tablet, Refusal> {
    revoke_tablet_at(path, name, reason, &Surroundings::real())
}

/// The same by another clock than this machine's.
pub fn revoke_tablet_at(path: &Path, name: &str, reason: &str, around: &Surroundings) -> Result<Tablet, Refusal> {
    change_beside(path, around, |changing| {
        let tablet = tablet_named(&changing.roster, name)?.id;
        tablet_revoked(changing, tablet, reason)
    })
}

/// A tablet by its name, capitals or not; one in use before one that is not. Errors: "tablet.unknown".
fn tablet_named<'a>(roster: &'a Roster, name: &str) -> Result<&'a Tablet, Refusal> {
    let is_named = |t: &Tablet| t.name.to_lowercase() == name.trim().to_lowercase();
    let names: Vec<&str> = roster.tablets.iter().filter(|t| !t.revoked).map(|t| t.name.as_str()).collect();
    let unknown = Refusal::new(
        "tablet.unknown",
        format!("There is no tablet named {name}."),
        format!("Name one of these: {}.", names.join(", ")),
    );
    let in_use = roster.tablets.iter().position(|t| is_named(t) && !t.revoked);
    let at = in_use.or_else(|| roster.tablets.iter().position(is_named)).ok_or(unknown)?;
    Ok(&roster.tablets[at])
}
