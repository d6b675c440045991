//! What makes a facility that facility: its id, its signing key, its certificate authority. Made once, kept in the
//! encrypted file.

use crate::folder::Folder;
use crate::store::{self, StoreError, meta};
use crate::surroundings::Surroundings;
use crate::tls::Authority;
use lamplight_domain::chain::SigningKey;
use lamplight_domain::ids::FacilityId;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::Roster;
use rusqlite::Connection;
use std::path::Path;
use uuid::Uuid;

#[derive(Clone)]
pub struct Identity {
    pub facility: FacilityId,
    /// Signs receipts and credentials.
    pub key: SigningKey,
    pub authority: Authority,
}

impl Identity {
    pub fn read(db: &Connection) -> Result<Identity, StoreError> {
        let whole = |name| meta::get(db, name)?.ok_or_else(|| StoreError::Broken(format!("meta has no {name}")));
        Ok(Identity {
            facility: FacilityId(Uuid::from_bytes(meta::need(db, meta::FACILITY)?)),
            key: SigningKey::from_seed(&meta::need(db, meta::FACILITY_KEY)?),
            authority: Authority { der: whole(meta::CA_CERTIFICATE)?, key_der: whole(meta::CA_KEY)?.into() },
        })
    }
}

/// Makes a facility in a new folder, with its first roster. Gives back the open file, for whatever else it begins
/// with. Errors: those of [`Folder::make`] and [`store::open`], "database.unreadable".
pub fn found(path: &Path, roster: &Roster, around: &Surroundings) -> Result<(Connection, Identity), Refusal> {
    let folder = Folder::make(path)?;
    let key = folder.make_key(around)?;
    // Made here, so that it and what SQLite puts beside it are for this user only.
    folder.write_private(&folder.database(), b"")?;
    let mut db = store::open(&folder.database(), &key)?;
    let identity = Identity {
        facility: roster.facility.id,
        key: around.signing_key(),
        authority: Authority::make(roster.facility.id, around.now())?,
    };
    folder.write_private(&folder.ca_file(), identity.authority.pem().as_bytes())?;
    let mut write = || -> Result<(), StoreError> {
        let tx = db.transaction()?;
        meta::set(&tx, meta::FACILITY, identity.facility.0.as_bytes())?;
        meta::set(&tx, meta::FACILITY_KEY, &identity.key.seed())?;
        meta::set(&tx, meta::CA_CERTIFICATE, &identity.authority.der)?;
        meta::set(&tx, meta::CA_KEY, &identity.authority.key_der)?;
        meta::begin_generation(&tx, around.uuid(), around.now())?;
        store::roster::put(&tx, roster, around.now(), None)?;
        Ok(tx.commit()?)
    };
    write().map_err(|e| super::damaged(path, &e))?;
    Ok((db, identity))
}
