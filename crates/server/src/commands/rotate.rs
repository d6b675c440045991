//! `rotate`: a key of the facility takes another's place. Nobody serves the folder meanwhile; tablets hear of it at their
//! next contact, and one that was away all the while comes back all the same.

use super::{backup_at, open_beside};
use crate::facility::{
    self, Changing, Identity, OwnAuthor, add_encryption_key, begin_authority, damaged, end_rotation, finish_authority,
    renew_tablet_keys, succeed_key,
};
use crate::folder::Folder;
use crate::store::{StoreError, keyed};
use crate::surroundings::Surroundings;
use crate::tls::Authority;
use lamplight_domain::kinds::{Act, Audit};
use lamplight_domain::refusal::Refusal;
use rusqlite::{Connection, TransactionBehavior};
use serde::Serialize;
use std::path::Path;
use zeroize::Zeroizing;

#[derive(Debug, Serialize)]
pub struct Rotated {
    /// "authority", "encryption-key"
    pub what: &'static str,
    /// Of the authority: "begun" while tablets are told of the next one, "finished" once it issues.
    pub state: &'static str,
    /// How many authorities tablets are told to trust.
    pub authorities: usize,
    /// What becomes of copies that were made before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backups: Option<&'static str>,
}

const EARLIER_BACKUPS: &str = "Tablets that heard of the fresh key do not believe a server that is put back from a backup \
    made before it: use the one that was made now, or later ones.";
const BACKUPS: &str = "Each backup made before opens with the server.key that lies in it, and with no other. Make one \
    now, and destroy those that nobody is to open any more.";

/// Makes the next authority and tells tablets of it; the present one goes on issuing. Errors: "rotate.begun",
/// "folder.in_use", and those of a folder that cannot be used.
pub fn begin_next_authority(path: &Path, around: &Surroundings) -> Result<Rotated, Refusal> {
    change(path, around, "authority", "begun", |db, identity| {
        if identity.next_authority.is_some() {
            return Err(Refusal::new(
                "rotate.begun",
                "Tablets are told of a next authority already.",
                "Once those in use were in touch: lamplight-server rotate authority --finish.",
            ));
        }
        let next = Authority::make(identity.facility, identity.authority.number + 1, around.now())?;
        begin_authority(db, &next, around).map_err(|e| damaged(path, &e.into()))
    })
}

/// From the next start on the next authority issues, and the key of the one before is gone; its certificate for its
/// successor lets tablets that know only it come back. Errors: "rotate.not_begun", "folder.in_use", and those of a folder
/// that cannot be used.
pub fn finish_next_authority(path: &Path, around: &Surroundings) -> Result<Rotated, Refusal> {
    change(path, around, "authority", "finished", |db, identity| {
        let next = identity.next_authority.as_ref().ok_or_else(|| {
            Refusal::new(
                "rotate.not_begun",
                "There is no next authority.",
                "Begin with lamplight-server rotate authority, and finish once the tablets in use were in touch.",
            )
        })?;
        let vouched = identity.authority.vouch_for(next, identity.facility, around.now())?;
        finish_authority(db, next, vouched, around).map_err(|e| damaged(path, &e))
    })
}

/// Tablets seal their keys to a fresh one from their next contact on; what was sealed before still opens. Errors:
/// "folder.in_use", and those of a folder that cannot be used.
pub fn rotate_encryption_key(path: &Path, around: &Surroundings) -> Result<Rotated, Refusal> {
    change(path, around, "encryption-key", "finished", |db, _| {
        add_encryption_key(db, around).map_err(|e| damaged(path, &e.into()))
    })
}

/// A fresh key signs for the facility from the next start on; tablets are led to it at their next contact by what the
/// former one signed last. A copy with the fresh key is made at once: tablets that heard of it believe no server without
/// it. Errors: "folder.in_use", "rotate.not_backed_up", and those of [`Folder::make`] and of a folder that cannot be used.
pub fn rotate_facility_key(path: &Path, backup: &Path, around: &Surroundings) -> Result<Rotated, Refusal> {
    // Whether a copy can be made there is asked before anything is changed.
    Folder::existing(path)?;
    Folder::make(backup)?;
    let rotated = change(path, around, "facility-key", "finished", |db, identity| {
        succeed_key(db, identity, around).map_err(|e| damaged(path, &e))
    })?;
    backup_at(path, backup, around).map_err(|refusal| {
        Refusal::new(
            "rotate.not_backed_up",
            format!("The facility has a fresh key, and no backup has it. {}", refusal.what),
            "Back up to another folder before you serve: tablets that hear of it believe no server without it.",
        )
    })?;
    Ok(Rotated { backups: Some(EARLIER_BACKUPS), ..rotated })
}

/// Each tablet takes a fresh key for its own files at its first start after it heard of this, and says so on record.
/// Errors: "folder.in_use", and those of a folder that cannot be used.
pub fn renew_tablets(path: &Path, around: &Surroundings) -> Result<Rotated, Refusal> {
    change(path, around, "tablet-keys", "begun", |db, _| {
        renew_tablet_keys(db, around).map_err(|e| damaged(path, &e.into()))
    })
}

/// The facility's file opens with a fresh key, and with the former one not any more. Wherever it is cut off, the folder
/// is served as before, with the key that fits. Errors: "folder.in_use", "rotate.in_use", "rotate.failed", and those of a
/// folder that cannot be used.
pub fn rotate_database_key(path: &Path, around: &Surroundings) -> Result<Rotated, Refusal> {
    let folder = Folder::existing(path)?;
    let _lock = folder.lock()?;
    let mut keyed = keyed::open(&folder)?;
    // What was cut off before is ended first: there is room for one next key.
    end_rotation(&folder, &mut keyed, around)?;
    super::audit_beside(path, &mut keyed.db, around, Act::KeyRotated, "database-key, begun")?;
    let mut keyed = keyed::rekey(&folder, keyed, Zeroizing::new(around.bytes()))?;
    end_rotation(&folder, &mut keyed, around)?;
    let identity = Identity::read(&keyed.db).map_err(|e| damaged(path, &e))?;
    let authorities = identity.authorities().count();
    Ok(Rotated { what: "database-key", state: "finished", authorities, backups: Some(BACKUPS) })
}

/// With its line of audit in one transaction.
fn change(
    path: &Path,
    around: &Surroundings,
    what: &'static str,
    state: &'static str,
    change: impl FnOnce(&Connection, &Identity) -> Result<(), Refusal>,
) -> Result<Rotated, Refusal> {
    let broken = |e: StoreError| damaged(path, &e);
    let folder = Folder::existing(path)?;
    // Whoever serves has the keys in memory.
    let _lock = folder.lock()?;
    let mut db = open_beside(path)?;
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| broken(e.into()))?;
    let identity = Identity::read(&tx).map_err(broken)?;
    change(&tx, &identity)?;
    // Whoever signs from now on signs the line of it too.
    let identity = Identity::read(&tx).map_err(broken)?;
    let audit = Audit { what: format!("{what}, {state}"), ..Audit::of(Act::KeyRotated) };
    let line = |changing: &mut Changing<'_>| Ok(changing.audit(audit)?);
    facility::change(&tx, &identity, &OwnAuthor::new(&identity, around), around, None, line).map_err(broken)?;
    tx.commit().map_err(|e| broken(e.into()))?;
    let identity = Identity::read(&db).map_err(broken)?;
    folder.keep_ca(&identity.ca_pem())?;
    Ok(Rotated { what, state, authorities: identity.authorities().count(), backups: None })
}
