//! `invite`: lets tablets join a ward.

use super::{change_in, open_beside};
use crate::facility::{Identity, Inviting, damaged, make_invite, refused_or_damaged};
use crate::http::hosts::host_of;
use crate::surroundings::Surroundings;
use lamplight_domain::kinds::{Act, Audit};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{Roster, Ward};
use lamplight_domain::time::MINUTE_MS;
use lamplight_domain::wire::Invite;
use std::path::Path;

/// As long as one that is made at the station, where nothing else is said.
pub const GOOD_FOR_MINUTES: u32 = 10;

/// Good for ten minutes. Errors: those of [`invite_for`].
pub fn invite(path: &Path, ward: &str, url: &str, uses: u32) -> Result<Invite, Refusal> {
    invite_for(path, ward, url, uses, GOOD_FOR_MINUTES)
}

/// Errors: "ward.unknown", "url.not_https", "invite.uses".
pub fn invite_for(path: &Path, ward: &str, url: &str, uses: u32, minutes: u32) -> Result<Invite, Refusal> {
    host_of(url)?;
    if uses == 0 {
        return Err(Refusal::new("invite.uses", "An invite for no tablet lets nobody in.", "Give --uses 1 or more."));
    }
    let around = Surroundings::real();
    let mut db = open_beside(path)?;
    let identity = Identity::read(&db).map_err(|e| damaged(path, &e))?;
    let made = change_in(&mut db, &around, |changing| {
        let ward = ward_named(&changing.roster, ward)?.id;
        let what = format!("for {uses} tablets, good for {minutes} min");
        changing.audit(Audit { ward: Some(ward), what, ..Audit::of(Act::InviteMade) })?;
        let good_for_ms = i64::from(minutes) * MINUTE_MS;
        let inviting = Inviting { ward, url, uses, good_for_ms, by: None, replaces: None };
        make_invite(changing.db, &identity, &around, &inviting)
    });
    made.map_err(|e| refused_or_damaged(path, e))
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
