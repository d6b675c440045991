//! What the command line does beside serving. Each works while another process serves the same folder.

mod audit;
mod backup;
mod export;
mod invite;
mod make_demo;
mod recover;
mod rotate;
mod tablet;
mod verify;

pub use audit::{Wanted, audit};
pub use backup::{BackedUp, backup, backup_at};
pub use export::export;
pub use invite::{GOOD_FOR_MINUTES, invite, invite_for, ward_named};
pub use make_demo::{DemoMade, make_demo};
pub use recover::{Recovered, recover};
pub use rotate::{
    Rotated, begin_next_authority, finish_next_authority, renew_tablets, rotate_database_key, rotate_encryption_key,
    rotate_facility_key,
};
pub use tablet::{move_tablet, move_tablet_at, revoke_tablet, revoke_tablet_at};
pub use verify::{Restored, Verified, examine, verify};

use crate::facility::{Changing, Identity, OwnAuthor, change, on_record, refused_or_damaged};
use crate::folder::Folder;
use crate::store::{StoreError, keyed};
use crate::surroundings::Surroundings;
use lamplight_domain::kinds::Act;
use lamplight_domain::refusal::Refusal;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// Opens a facility's file beside whoever serves it. Errors: those of [`Folder::existing`] and [`keyed::open`].
fn open_beside(path: &Path) -> Result<Connection, Refusal> {
    Ok(keyed::open(&Folder::existing(path)?)?.db)
}

/// Changes a facility beside whoever serves it, who notices within a second.
fn change_beside<T>(
    path: &Path,
    around: &Surroundings,
    work: impl FnOnce(&mut Changing<'_>) -> Result<T, StoreError>,
) -> Result<T, Refusal> {
    change_in(&mut open_beside(path)?, around, work).map_err(|e| refused_or_damaged(path, e))
}

fn change_in<T>(
    db: &mut Connection,
    around: &Surroundings,
    work: impl FnOnce(&mut Changing<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let identity = Identity::read(db)?;
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let changed = change(&tx, &identity, &OwnAuthor::new(&identity, around), around, None, work)?;
    tx.commit()?;
    Ok(changed.value)
}

/// What the command line did, where it changes nothing else.
fn audit_beside(path: &Path, db: &mut Connection, around: &Surroundings, act: Act, what: &str) -> Result<(), Refusal> {
    on_record(db, around, act, what).map_err(|e| refused_or_damaged(path, e))
}
