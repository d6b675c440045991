//! Ed25519 signatures: heads of chains by their author, receipts and credentials by the facility.

use super::Hash;
use crate::ids::{AuthorId, FacilityId, TabletId};
use crate::time::Ms;
use ed25519_dalek::{Signer, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Ed25519 public key, 32 bytes; unpadded base64url in JSON.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// Ed25519 signature, 64 bytes; unpadded base64url in JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

macro_rules! base64_bytes {
    ($name:ident, $size:literal) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, self.0))
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text)
                    .map_err(|e| e.to_string())?;
                bytes.try_into().map(Self).map_err(|_| format!("not {} bytes", $size))
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(super) use base64_bytes;

base64_bytes!(PublicKey, 32);
base64_bytes!(Signature, 64);

/// A private key. Prints as `***`; its bytes are zeroed when dropped.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// `seed`: 32 random bytes from the caller.
    pub fn from_seed(seed: &[u8; 32]) -> SigningKey {
        SigningKey(ed25519_dalek::SigningKey::from_bytes(seed))
    }
    /// The 32 bytes to store (encrypted).
    pub fn seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }
    pub fn author(&self) -> AuthorId {
        author_of(&self.public())
    }
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}
impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

/// An author's id is the first 16 bytes of SHA-256("lamplight.author.v1\0" ‖ public key), marked as UUID version 8.
/// So an id cannot be claimed with another key.
pub fn author_of(key: &PublicKey) -> AuthorId {
    let digest = Sha256::new().chain_update(b"lamplight.author.v1\0").chain_update(key.0).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    AuthorId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// True where `signature` is `key`'s own over exactly `message` (strict: no malleable forms, no weak keys).
pub fn verify(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    VerifyingKey::from_bytes(&key.0)
        .is_ok_and(|k| k.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)).is_ok())
}

/// How far an author's chain goes. `seq` 0 with [`Hash::ZERO`] is an empty chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub author: AuthorId,
    pub seq: u64,
    pub hash: Hash,
}

impl Head {
    pub fn empty(author: AuthorId) -> Head {
        Head { author, seq: 0, hash: Hash::ZERO }
    }
    /// What the author signs: "lamplight.head.v1\0" ‖ facility ‖ author ‖ seq (u64, big-endian) ‖ link hash.
    pub fn message(&self, facility: FacilityId) -> Vec<u8> {
        [
            b"lamplight.head.v1\0".as_slice(),
            facility.0.as_bytes(),
            self.author.0.as_bytes(),
            &self.seq.to_be_bytes(),
            &self.hash.0,
        ]
        .concat()
    }
}

/// The facility's word that it holds an author's chain up to `head`, durably, since `received_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub head: Head,
    /// Server time of the commit that reached this head.
    pub received_at: Ms,
    /// The request that this answers, so that an old answer is never taken for a new one.
    pub request: Uuid,
    /// The facility key over [`Receipt::message`].
    pub signature: Signature,
}

impl Receipt {
    pub fn sign(key: &SigningKey, facility: FacilityId, head: Head, received_at: Ms, request: Uuid) -> Receipt {
        let signature = key.sign(&Self::message(facility, &head, received_at, request));
        Receipt { head, received_at, request, signature }
    }
    pub fn holds(&self, facility_key: &PublicKey, facility: FacilityId) -> bool {
        verify(facility_key, &Self::message(facility, &self.head, self.received_at, self.request), &self.signature)
    }
    /// "lamplight.receipt.v1\0" ‖ facility ‖ author ‖ seq ‖ link hash ‖ received_at (i64, big-endian) ‖ request.
    fn message(facility: FacilityId, head: &Head, received_at: Ms, request: Uuid) -> Vec<u8> {
        [
            b"lamplight.receipt.v1\0".as_slice(),
            facility.0.as_bytes(),
            head.author.0.as_bytes(),
            &head.seq.to_be_bytes(),
            &head.hash.0,
            &received_at.0.to_be_bytes(),
            request.as_bytes(),
        ]
        .concat()
    }
}

/// Who vouches for an author's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endorser {
    /// The facility key, at joining or at a server's start.
    Facility,
    /// The same tablet's former author, after a fork.
    Author(AuthorId),
}

/// An author's passport. It proves itself, so it survives a server that was restored to a time before the joining.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    pub facility: FacilityId,
    pub author: AuthorId,
    pub key: PublicKey,
    /// None for an author of the server.
    pub tablet: Option<TabletId>,
    pub endorser: Endorser,
    /// The endorser over [`Credential::message`].
    pub signature: Signature,
}

impl Credential {
    pub fn sign(
        by: &SigningKey,
        endorser: Endorser,
        facility: FacilityId,
        key: PublicKey,
        tablet: Option<TabletId>,
    ) -> Credential {
        let author = author_of(&key);
        let signature = by.sign(&Self::message(facility, author, &key, tablet));
        Credential { facility, author, key, tablet, endorser, signature }
    }
    /// True where the author id belongs to the key and `endorser_key` vouches for both.
    pub fn holds(&self, endorser_key: &PublicKey) -> bool {
        self.author == author_of(&self.key)
            && verify(endorser_key, &Self::message(self.facility, self.author, &self.key, self.tablet), &self.signature)
    }
    /// "lamplight.credential.v1\0" ‖ facility ‖ author ‖ public key ‖ tablet (16 zero bytes where there is none).
    fn message(facility: FacilityId, author: AuthorId, key: &PublicKey, tablet: Option<TabletId>) -> Vec<u8> {
        let tablet = tablet.map_or(Uuid::nil(), |t| t.0);
        [b"lamplight.credential.v1\0".as_slice(), facility.0.as_bytes(), author.0.as_bytes(), &key.0, tablet.as_bytes()]
            .concat()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{facility, key};
    use super::*;

    fn head() -> Head {
        Head { author: key(1).author(), seq: 3, hash: Hash([9; 32]) }
    }

    #[test]
    fn an_author_id_belongs_to_one_key() {
        assert_ne!(key(1).author(), key(2).author());
        assert_eq!(key(1).author(), author_of(&key(1).public()));
        assert_eq!(key(1).author().0.get_version_num(), 8);
    }

    #[test]
    fn a_receipt_holds_only_as_it_was_signed() {
        let receipt = Receipt::sign(&key(5), facility(), head(), Ms(1_000), Uuid::from_u128(1));
        let facility_key = key(5).public();
        assert!(receipt.holds(&facility_key, facility()));
        assert!(!receipt.holds(&key(6).public(), facility()), "another facility's key");
        assert!(!receipt.holds(&facility_key, FacilityId(Uuid::from_u128(8))), "another facility");
        let changed: [fn(&mut Receipt); 5] = [
            |r| r.head.seq += 1,
            |r| r.head.hash = Hash::ZERO,
            |r| r.head.author = key(2).author(),
            |r| r.received_at = Ms(999),
            |r| r.request = Uuid::from_u128(2),
        ];
        for change in changed {
            let mut other = receipt;
            change(&mut other);
            assert!(!other.holds(&facility_key, facility()), "{other:?}");
        }
    }

    #[test]
    fn a_credential_cannot_be_bent_to_another_key_or_tablet() {
        let tablet = Some(TabletId(Uuid::from_u128(3)));
        let credential = Credential::sign(&key(5), Endorser::Facility, facility(), key(1).public(), tablet);
        assert!(credential.holds(&key(5).public()));
        assert!(!Credential { tablet: None, ..credential.clone() }.holds(&key(5).public()));
        assert!(!Credential { author: key(2).author(), ..credential.clone() }.holds(&key(5).public()));
        assert!(!Credential { key: key(2).public(), author: key(2).author(), ..credential }.holds(&key(5).public()));
    }

    #[test]
    fn keys_and_signatures_survive_json() {
        let signature = key(1).sign(b"x");
        let text = serde_json::to_string(&(key(1).public(), signature)).unwrap();
        let (public, back): (PublicKey, Signature) = serde_json::from_str(&text).unwrap();
        assert!(verify(&public, b"x", &back));
        assert!(!verify(&public, b"y", &back));
        assert_eq!(format!("{:?}", key(1)), "SigningKey(***)");
    }
}
