//! Moving a tablet to another ward, and taking one out of use.

use super::Changing;
use crate::store::{StoreError, moves};
use lamplight_domain::ids::{TabletId, WardId};
use lamplight_domain::kinds::Event;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{Roster, Tablet};

/// Longest reason.
const REASON_MAX_CHARS: usize = 200;

/// Errors: "tablet.unknown", "tablet.revoked", "ward.unknown", "ward.same".
pub fn tablet_moved(changing: &mut Changing<'_>, tablet: TabletId, to: WardId) -> Result<Tablet, StoreError> {
    if changing.roster.ward(to).is_none() {
        return Err(
            Refusal::new("ward.unknown", "There is no such ward.", "Choose one of the facility's wards.").into()
        );
    }
    let found = of_id(&mut changing.roster, tablet)?;
    if found.revoked {
        return Err(Refusal::new(
            "tablet.revoked",
            format!("{} was taken out of use.", found.name),
            "Let it join anew with an invite of the ward that it is to work on.",
        )
        .into());
    }
    let from = std::mem::replace(&mut found.ward, to);
    if from == to {
        return Err(Refusal::new(
            "ward.same",
            format!("{} is a tablet of that ward already.", found.name),
            "Name the ward that it is to work on.",
        )
        .into());
    }
    let found = found.clone();
    moves::moved(changing.db, tablet, from, to)?;
    for ward in [from, to] {
        changing.record(ward, Event::TabletMoved { tablet, from, to })?;
    }
    Ok(found)
}

/// Errors: "tablet.unknown", "tablet.revoked", "reason.missing", "words.too_long".
pub fn tablet_revoked(changing: &mut Changing<'_>, tablet: TabletId, reason: &str) -> Result<Tablet, StoreError> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(Refusal::new("reason.missing", "No reason was given.", "Say why, such as \"lost\".").into());
    }
    if reason.chars().count() > REASON_MAX_CHARS {
        return Err(Refusal::new(
            "words.too_long",
            format!("The reason is longer than {REASON_MAX_CHARS} characters."),
            "Shorten it.",
        )
        .into());
    }
    let found = of_id(&mut changing.roster, tablet)?;
    if std::mem::replace(&mut found.revoked, true) {
        return Err(Refusal::new(
            "tablet.revoked",
            format!("{} was taken out of use before.", found.name),
            "Nothing is left to do.",
        )
        .into());
    }
    let found = found.clone();
    changing.record(found.ward, Event::TabletRevoked { tablet, reason: reason.to_owned() })?;
    Ok(found)
}

fn of_id(roster: &mut Roster, tablet: TabletId) -> Result<&mut Tablet, Refusal> {
    let unknown = || Refusal::new("tablet.unknown", "There is no such tablet.", "Load the page again and choose anew.");
    roster.tablets.iter_mut().find(|t| t.id == tablet).ok_or_else(unknown)
}
