//! `tablet move` and `tablet revoke`: the roster and the record of it, in one transaction. Whoever serves the folder
//! meanwhile notices within a second.

use super::{open_beside, ward_named};
use crate::facility::{Identity, Own, OwnAuthor, body_of, damaged};
use crate::store::append::{Facts, Prepared, append};
use crate::store::{self, StoreError, moves};
use crate::surroundings::Surroundings;
use lamplight_domain::ids::WardId;
use lamplight_domain::kinds::Event;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{Roster, Tablet};
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;
use std::sync::Arc;

/// Errors: "tablet.unknown", "tablet.revoked", "ward.unknown", "ward.same", and those of a folder that cannot be used.
pub fn move_tablet(path: &Path, name: &str, ward: &str) -> Result<Tablet, Refusal> {
    move_tablet_at(path, name, ward, &Surroundings::real())
}

/// The same by another clock than this machine's.
pub fn move_tablet_at(path: &Path, name: &str, ward: &str, around: &Surroundings) -> Result<Tablet, Refusal> {
    change(path, around, |db, roster| {
        let to = ward_named(roster, ward)?.id;
        let tablet = tablet_named(roster, name)?;
        if tablet.revoked {
            return Err(Refusal::new(
                "tablet.revoked",
                format!("{} was taken out of use.", tablet.name),
                "Let it join anew with an invite of the ward that it is to work on.",
            ));
        }
        let from = std::mem::replace(&mut tablet.ward, to);
        if from == to {
            return Err(Refusal::new(
                "ward.same",
                format!("{} is a tablet of that ward already.", tablet.name),
                "Name the ward that it is to work on.",
            ));
        }
        let tablet = tablet.clone();
        moves::moved(db, tablet.id, from, to).map_err(|e| damaged(path, &e))?;
        let event = Event::TabletMoved { tablet: tablet.id, from, to };
        Ok((tablet, vec![from, to], event))
    })
}

/// What it still holds is taken and flagged; it may not read any more.
/// Errors: "tablet.unknown", "tablet.revoked", "reason.missing", and those of a folder that cannot be used.
pub fn revoke_tablet(path: &Path, name: &str, reason: &str) -> Result<Tablet, Refusal> {
    revoke_tablet_at(path, name, reason, &Surroundings::real())
}

/// The same by another clock than this machine's.
pub fn revoke_tablet_at(path: &Path, name: &str, reason: &str, around: &Surroundings) -> Result<Tablet, Refusal> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(Refusal::new("reason.missing", "No reason was given.", "Say why with --reason, such as \"lost\"."));
    }
    change(path, around, |_, roster| {
        let tablet = tablet_named(roster, name)?;
        if std::mem::replace(&mut tablet.revoked, true) {
            return Err(Refusal::new(
                "tablet.revoked",
                format!("{} was taken out of use before.", tablet.name),
                "Nothing is left to do.",
            ));
        }
        let tablet = tablet.clone();
        let event = Event::TabletRevoked { tablet: tablet.id, reason: reason.to_owned() };
        let ward = tablet.ward;
        Ok((tablet, vec![ward], event))
    })
}

/// `change` gives back the tablet, and what is recorded in which wards.
fn change(
    path: &Path,
    around: &Surroundings,
    change: impl FnOnce(&Connection, &mut Roster) -> Result<(Tablet, Vec<WardId>, Event), Refusal>,
) -> Result<Tablet, Refusal> {
    let broken = |e: StoreError| damaged(path, &e);
    let mut db = open_beside(path)?;
    let identity = Identity::read(&db).map_err(broken)?;
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| broken(e.into()))?;
    let mut roster = store::roster::newest(&tx).map_err(broken)?;
    let (tablet, wards, event) = change(&tx, &mut roster)?;
    roster.version += 1;
    let record = || -> Result<(), StoreError> {
        store::roster::put(&tx, &roster, around.now(), None)?;
        let mut bodies = Vec::new();
        for ward in &wards {
            let own = Own { ward: *ward, stay: None, by: None, event: event.clone() };
            let (_, bytes) = body_of(around, identity.facility, own).map_err(|e| StoreError::Broken(e.code))?;
            bodies.push(bytes);
        }
        let author = OwnAuthor::new(&identity, around);
        let batch = author.batch(author.head(&tx)?, bodies, around.uuid());
        let facts = Facts { facility: identity.facility, key: identity.key.clone(), roster: Arc::new(roster.clone()) };
        match append(&tx, &facts, &Prepared::new(batch, identity.facility), around.now())?.refused {
            None => Ok(()),
            refused => Err(StoreError::Broken(format!("own record not taken: {refused:?}"))),
        }
    };
    record().map_err(broken)?;
    tx.commit().map_err(|e| broken(e.into()))?;
    Ok(tablet)
}

/// A tablet by its name, capitals or not; one in use before one that is not. Errors: "tablet.unknown".
fn tablet_named<'a>(roster: &'a mut Roster, name: &str) -> Result<&'a mut Tablet, Refusal> {
    let is_named = |t: &Tablet| t.name.to_lowercase() == name.trim().to_lowercase();
    let names: Vec<&str> = roster.tablets.iter().filter(|t| !t.revoked).map(|t| t.name.as_str()).collect();
    let unknown = Refusal::new(
        "tablet.unknown",
        format!("There is no tablet named {name}."),
        format!("Name one of these: {}.", names.join(", ")),
    );
    let in_use = roster.tablets.iter().position(|t| is_named(t) && !t.revoked);
    let at = in_use.or_else(|| roster.tablets.iter().position(is_named)).ok_or(unknown)?;
    Ok(&mut roster.tablets[at])
}
