//! What makes a facility that facility: its id, its signing key, its certificate authority, and what its tablets seal
//! their keys to. Kept in the encrypted file.

use crate::store::{StoreError, meta};
use crate::surroundings::Surroundings;
use crate::tls::Authority;
use lamplight_domain::chain::{DecryptionKey, FacilityKeys, Renewal, SigningKey, Succession, Trust};
use lamplight_domain::ids::FacilityId;
use lamplight_domain::time::Ms;
use rusqlite::{Connection, TransactionBehavior};
use uuid::Uuid;
use zeroize::Zeroizing;

/// So many former authorities vouch for their successors to tablets that were away meanwhile.
const CROSSED_KEPT: usize = 4;

#[derive(Clone)]
pub struct Identity {
    pub facility: FacilityId,
    /// Signs receipts and credentials.
    pub key: SigningKey,
    /// How the facility came to it, oldest first.
    pub successions: Vec<Succession>,
    /// Issues the server's certificate.
    pub authority: Authority,
    /// Tablets are told of it; it issues nothing yet.
    pub next_authority: Option<Authority>,
    /// Former authorities' certificates for their successors (DER), newest first.
    pub crossed: Vec<Vec<u8>>,
    /// Open what tablets sealed for their facility; newest first. None in a file that this release has not served yet.
    pub opening: Vec<DecryptionKey>,
    trust_since: Ms,
    tablet_keys_since: Option<Ms>,
}

impl Identity {
    pub fn read(db: &Connection) -> Result<Identity, StoreError> {
        let whole = |name| meta::get(db, name)?.ok_or_else(|| StoreError::Broken(format!("meta has no {name}")));
        let number = match meta::get(db, meta::CA_NUMBER)? {
            None => 1,
            Some(_) => u32::from_be_bytes(meta::need(db, meta::CA_NUMBER)?),
        };
        let next = meta::get(db, meta::CA_NEXT_CERTIFICATE)?;
        let next = next.zip(meta::get(db, meta::CA_NEXT_KEY)?);
        Ok(Identity {
            facility: FacilityId(Uuid::from_bytes(meta::need(db, meta::FACILITY)?)),
            key: SigningKey::from_seed(&Zeroizing::new(meta::need(db, meta::FACILITY_KEY)?)),
            successions: successions(db)?,
            authority: Authority { der: whole(meta::CA_CERTIFICATE)?, key_der: whole(meta::CA_KEY)?.into(), number },
            next_authority: next.map(|(der, key)| Authority { der, key_der: key.into(), number: number + 1 }),
            crossed: crossed(db)?,
            opening: meta::opening(db)?,
            trust_since: meta::moment(db, meta::TRUST_SINCE)?.unwrap_or(Ms(0)),
            tablet_keys_since: meta::moment(db, meta::TABLET_KEYS_SINCE)?,
        })
    }

    /// All that this facility ever signed with.
    pub fn keys(&self) -> FacilityKeys {
        FacilityKeys::new(self.key.public(), &self.successions)
    }

    /// What tablets are told of these keys.
    pub fn trust(&self) -> Option<Trust> {
        let authorities: Vec<&[u8]> = self.authorities().map(|authority| authority.der.as_slice()).collect();
        let sealing = self.opening.first()?.public();
        let trust = Trust::sign(&self.key, self.facility, self.trust_since, &authorities, sealing);
        let renewal = self.tablet_keys_since.map(|since| Renewal::sign(&self.key, self.facility, since));
        Some(trust.with_renewal(renewal))
    }

    /// The same for a reader who says what it has; None where that is as new.
    pub fn trust_after(&self, known: Option<Ms>) -> Option<Trust> {
        known.filter(|since| *since < self.trust_since).and_then(|_| self.trust())
    }

    /// Of all that are to be trusted, for browsers: what stands in [`crate::folder::Folder::ca_file`].
    pub fn ca_pem(&self) -> String {
        self.authorities().map(Authority::pem).collect()
    }

    /// All that tablets are to trust.
    pub fn authorities(&self) -> impl Iterator<Item = &Authority> {
        std::iter::once(&self.authority).chain(&self.next_authority)
    }
}

fn crossed(db: &Connection) -> Result<Vec<Vec<u8>>, StoreError> {
    let broken = || StoreError::Broken(format!("meta has no readable {}", meta::CA_CROSSED));
    let Some(text) = meta::get(db, meta::CA_CROSSED)? else { return Ok(Vec::new()) };
    let all: Vec<String> = serde_json::from_slice(&text).map_err(|_| broken())?;
    all.iter().map(|der| hex::decode(der).map_err(|_| broken())).collect()
}

fn successions(db: &Connection) -> Result<Vec<Succession>, StoreError> {
    let broken = |_| StoreError::Broken(format!("meta has no readable {}", meta::FACILITY_SUCCESSIONS));
    meta::get(db, meta::FACILITY_SUCCESSIONS)?
        .map_or(Ok(Vec::new()), |text| serde_json::from_slice(&text).map_err(broken))
}

/// A fresh key signs from now on; the former one's last signature is for it, and its secret is gone.
pub fn succeed_key(db: &Connection, identity: &Identity, around: &Surroundings) -> Result<(), StoreError> {
    let next = around.signing_key();
    // Also where this clock was ahead once: no receipt of the former key is later.
    let newest: Option<i64> = db.query_row("SELECT max(received_at) FROM heads", [], |row| row.get(0))?;
    let since = Ms(around.now().0.max(newest.unwrap_or(0)));
    let mut all = identity.successions.clone();
    all.push(Succession::sign(&identity.key, identity.facility, &next, since));
    meta::set(db, meta::FACILITY_SUCCESSIONS, &serde_json::to_vec(&all).unwrap_or_default())?;
    Ok(meta::set(db, meta::FACILITY_KEY, &*Zeroizing::new(next.seed()))?)
}

/// One more key that tablets seal theirs to; those before it stay, for what was sealed to them. In the caller's
/// transaction, as the others.
pub fn add_encryption_key(db: &Connection, around: &Surroundings) -> rusqlite::Result<()> {
    let mut keys = Zeroizing::new(around.bytes::<32>().to_vec());
    keys.extend(Zeroizing::new(meta::get(db, meta::ENCRYPTION_KEYS)?.unwrap_or_default()).iter());
    meta::set(db, meta::ENCRYPTION_KEYS, &keys)?;
    trust_changed(db, around)
}

/// Tablets are told to take fresh database keys.
pub fn renew_tablet_keys(db: &Connection, around: &Surroundings) -> rusqlite::Result<()> {
    trust_changed(db, around)?;
    // As late as the word that tells it: later than every one before.
    let since = meta::get(db, meta::TRUST_SINCE)?.unwrap_or_default();
    meta::set(db, meta::TABLET_KEYS_SINCE, &since)
}

/// Tablets are told of it from now on.
pub fn begin_authority(db: &Connection, next: &Authority, around: &Surroundings) -> rusqlite::Result<()> {
    meta::set(db, meta::CA_NEXT_CERTIFICATE, &next.der)?;
    meta::set(db, meta::CA_NEXT_KEY, &next.key_der)?;
    trust_changed(db, around)
}

/// The next authority takes the place of the one that issued until now, whose key goes. `crossed`: its certificate for
/// its successor.
pub fn finish_authority(
    db: &Connection,
    next: &Authority,
    vouched: Vec<u8>,
    around: &Surroundings,
) -> Result<(), StoreError> {
    let mut all = crossed(db)?;
    all.insert(0, vouched);
    all.truncate(CROSSED_KEPT);
    let all: Vec<String> = all.iter().map(hex::encode).collect();
    meta::set(db, meta::CA_CROSSED, &serde_json::to_vec(&all).unwrap_or_default())?;
    meta::set(db, meta::CA_CERTIFICATE, &next.der)?;
    meta::set(db, meta::CA_KEY, &next.key_der)?;
    meta::set(db, meta::CA_NUMBER, &next.number.to_be_bytes())?;
    meta::forget(db, meta::CA_NEXT_CERTIFICATE)?;
    meta::forget(db, meta::CA_NEXT_KEY)?;
    Ok(trust_changed(db, around)?)
}

/// Later than any statement before, whatever the clock says.
fn trust_changed(db: &Connection, around: &Surroundings) -> rusqlite::Result<()> {
    let before = meta::get(db, meta::TRUST_SINCE)?.and_then(|v| v.try_into().ok()).map_or(0, i64::from_be_bytes);
    meta::set(db, meta::TRUST_SINCE, &around.now().0.max(before + 1).to_be_bytes())
}

/// A facility of an older release gets what it lacks, once. What a copy says of its keys is said anew when it is served
/// first: tablets may have heard a later word since it was made.
pub fn complete(db: &mut Connection, around: &Surroundings) -> Result<(), StoreError> {
    let lacks_key = meta::get(db, meta::ENCRYPTION_KEYS)?.is_none();
    if lacks_key || meta::generation_since(db)?.is_none() {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if lacks_key {
            add_encryption_key(&tx, around)?;
        } else {
            trust_changed(&tx, around)?;
        }
        tx.commit()?;
    }
    Ok(())
}
