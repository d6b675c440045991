//! `invite`: lets tablets join a ward.

use super::open_beside;
use crate::facility::{Identity, Inviting, damaged, make_invite};
use crate::http::hosts::host_of;
use crate::store;
use crate::surroundings::Surroundings;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{Roster, Ward};
use lamplight_domain::time::MINUTE_MS;
use lamplight_domain::wire::Invite;
use std::path::Path;

/// An invite of the command line is carried to the tablet by hand, so it lives for a day where nothing else is said.
pub const GOOD_FOR_MINUTES: u32 = 24 * 60;

/// Good for a day. Errors: those of [`invite_for`].
pub fn invite(path: &Path, ward: &str, url: &str, uses: u32) -> Result<Invite, Refusal> {
    invite_for(path, ward, url, uses, GOOD_FOR_MINUTES)
}

/// Errors: "ward.unknown", "url.not_https", "invite.uses".
pub fn invite_for(path: &Path, ward: &str, url: &str, uses: u32, minutes: u32) -> Result<Invite, Refusal> {
    host_of(url)?;
    if uses == 0 {
        return Err(Refusal::new("invite.uses", "An invite for no tablet lets nobody in.", "Give --uses 1 or more."));
    }
    let db = open_beside(path)?;
    let broken = |e| damaged(path, &e);
    let roster = store::roster::newest(&db).map_err(broken)?;
    let ward = ward_named(&roster, ward)?.id;
    let identity = Identity::read(&db).map_err(broken)?;
    let inviting = Inviting { ward, url, uses, good_for_ms: i64::from(minutes) * MINUTE_MS, by: None };
    make_invite(&db, &identity, &Surroundings::real(), &inviting).map_err(broken)
}

/// A ward by its name, capitals or not. Errors: "ward.unknown".
pub fn ward_named<'a>(roster: &'a Roster, name: &str) -> Result<&'a Ward, Refusal> {
    roster.wards.iter().find(|w| w.name.to_lowercase() == name.trim().to_lowercase()).ok_or_else(|| {
        let names: Vec<&str> = roster.wards.iter().map(|w| w.name.as_str()).collect();
        Refusal::new(
            "ward.unknown",
            format!("There is no ward named {name}."),
            format!("Name one of these: {}.", names.join(", ")),
        )
    })
}
