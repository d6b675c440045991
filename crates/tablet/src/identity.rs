//! Who this tablet is, from joining on: its facility, its ward, its keys.

use crate::keys::Chance;
use lamplight_domain::chain::{Credential, Endorser, FacilityKeys, PublicKey, SigningKey, Succession, Trust};
use lamplight_domain::ids::{AuthorId, FacilityId, TabletId, WardId};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::Ms;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// Kept encrypted. Prints without its secrets.
#[derive(Clone, Serialize, Deserialize)]
pub struct Identity {
    pub facility: FacilityId,
    /// Verifies receipts and credentials.
    pub facility_key: PublicKey,
    /// How the facility came to it, oldest first.
    #[serde(default)]
    pub successions: Vec<Succession>,
    /// Where the server was reached last; its host is an address, not a name to trust.
    pub url: String,
    /// Certificate authorities to trust, PEM.
    pub ca_pem: Vec<String>,
    pub tablet: TabletId,
    /// "W-1"
    pub name: String,
    pub ward: WardId,
    /// Binds PIN verifiers to this device.
    pub device_secret: Secret,
    /// Server time at joining: no certificate is judged by an earlier time.
    pub joined_at: Ms,
    /// What the facility said last of its keys. None before a server of this release was met.
    #[serde(default)]
    pub trust: Option<Trust>,
    /// The facility's newest word for a fresh database key that this tablet followed ([`crate::renewal`]).
    #[serde(default)]
    pub renewed: Option<Ms>,
    /// All authors that this tablet was; the last one writes.
    pub authors: Vec<OwnAuthor>,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct OwnAuthor {
    pub seed: Secret,
    pub credential: Credential,
}

/// 32 secret bytes, zeroed when dropped; hexadecimal in the encrypted file, `***` elsewhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(#[serde(with = "hex::serde")] pub [u8; 32]);

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
impl Secret {
    pub fn random(chance: &Chance) -> Result<Secret, Refusal> {
        let mut secret = Secret([0; 32]);
        chance(&mut secret.0)?;
        Ok(secret)
    }
}

impl OwnAuthor {
    pub fn key(&self) -> SigningKey {
        SigningKey::from_seed(&self.seed.0)
    }
}

impl Identity {
    /// For what is kept: the present key and those before it.
    pub fn facility_keys(&self) -> FacilityKeys {
        FacilityKeys::new(self.facility_key, &self.successions)
    }
    pub fn author(&self) -> Option<&OwnAuthor> {
        self.authors.last()
    }
    /// The author of this id, if this tablet is or was it.
    pub fn author_of(&self, id: AuthorId) -> Option<&OwnAuthor> {
        self.authors.iter().rev().find(|own| own.credential.author == id)
    }
    /// The same tablet under a fresh author, endorsed by the one that wrote until now.
    pub fn with_fresh_author(&self, chance: &Chance) -> Result<Identity, Refusal> {
        let seed = Secret::random(chance)?;
        let mut next = self.clone();
        if let Some(former) = self.author() {
            let key = SigningKey::from_seed(&seed.0);
            let endorser = Endorser::Author(former.credential.author);
            let credential = Credential::sign(&former.key(), endorser, self.facility, key.public(), Some(self.tablet));
            next.authors.push(OwnAuthor { seed, credential });
        }
        Ok(next)
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({}, {}, {} authors)", self.facility, self.name, self.authors.len())
    }
}
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}
