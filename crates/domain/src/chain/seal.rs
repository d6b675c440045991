//! Secrets that only the facility can open: HPKE (RFC 9180, base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
//! ChaCha20Poly1305). Whoever seals needs the public key alone, and cannot open what was sealed.

use super::sign::base64_bytes;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{Kem, X25519HkdfSha256};
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal_with_rng};
use std::convert::Infallible;
use zeroize::Zeroizing;

/// Of an encapsulated key: what stands before the sealed bytes.
const ENCAPSULATED: usize = 32;

/// A facility's X25519 public key, 32 bytes; unpadded base64url in JSON.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EncryptionKey(pub [u8; 32]);

base64_bytes!(EncryptionKey, 32);

/// The private half. Prints as `***`; its bytes are zeroed when dropped.
#[derive(Clone)]
pub struct DecryptionKey(Zeroizing<[u8; 32]>);

impl DecryptionKey {
    /// `secret`: 32 random bytes from the caller.
    pub fn from_secret(secret: [u8; 32]) -> DecryptionKey {
        DecryptionKey(Zeroizing::new(secret))
    }
    /// The 32 bytes to store (encrypted).
    pub fn secret(&self) -> &[u8; 32] {
        &self.0
    }
    /// Any 32 bytes are a private key of X25519.
    fn private(&self) -> Option<<X25519HkdfSha256 as Kem>::PrivateKey> {
        <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(&*self.0).ok()
    }
    pub fn public(&self) -> EncryptionKey {
        let public = self.private().map(|private| X25519HkdfSha256::sk_to_pk(&private).to_bytes().into());
        EncryptionKey(public.unwrap_or_default())
    }
    /// What was sealed to this key for this purpose about this thing; None where it was not, or was changed since.
    pub fn open(&self, purpose: &[u8], about: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (encapsulated, sealed) = sealed.split_at_checked(ENCAPSULATED)?;
        let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
        let private = self.private()?;
        single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &private,
            &encapsulated,
            purpose,
            sealed,
            about,
        )
        .map(Zeroizing::new)
        .ok()
    }
}

impl std::fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DecryptionKey(***)")
    }
}

impl EncryptionKey {
    /// Seals `secret` for whoever holds the private half: encapsulated key (32) ‖ ciphertext. `purpose` is HPKE's info,
    /// `about` its associated data. `chance`: 32 fresh random bytes from the caller, never used twice.
    /// None where this is no key that anything can be sealed to.
    pub fn seal(&self, purpose: &[u8], about: &[u8], secret: &[u8], chance: &[u8; 32]) -> Option<Vec<u8>> {
        let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&self.0).ok()?;
        let (encapsulated, sealed) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &public,
            purpose,
            secret,
            about,
            &mut Given(Zeroizing::new(*chance), 0),
        )
        .ok()?;
        Some([encapsulated.to_bytes().as_slice(), &sealed].concat())
    }
}

/// Randomness that the caller brought. HPKE draws 32 bytes, once; whoever drew more would get other bytes than these.
struct Given(Zeroizing<[u8; 32]>, usize);

impl TryRng for Given {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Infallible> {
        assert!(self.1 + into.len() <= self.0.len(), "HPKE draws 32 bytes and no more");
        into.copy_from_slice(&self.0[self.1..self.1 + into.len()]);
        self.1 += into.len();
        Ok(())
    }
}
impl TryCryptoRng for Given {}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> DecryptionKey {
        DecryptionKey::from_secret([n; 32])
    }

    #[test]
    fn what_is_sealed_comes_back_only_to_its_key_for_its_purpose() {
        let sealed = key(1).public().seal(b"recovery", b"about W-1", &[7; 32], &[9; 32]).unwrap();
        assert!(!sealed.windows(32).any(|w| w == [7; 32]));
        assert_eq!(*key(1).open(b"recovery", b"about W-1", &sealed).unwrap(), vec![7; 32]);
        assert!(key(2).open(b"recovery", b"about W-1", &sealed).is_none(), "another facility's key");
        assert!(key(1).open(b"else", b"about W-1", &sealed).is_none(), "another purpose");
        assert!(key(1).open(b"recovery", b"about W-2", &sealed).is_none(), "another tablet's");
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert!(key(1).open(b"recovery", b"about W-1", &bent).is_none(), "byte {at}");
        }
        assert!(key(1).open(b"recovery", b"about W-1", &sealed[..20]).is_none());
        let again = key(1).public().seal(b"recovery", b"about W-1", &[7; 32], &[10; 32]).unwrap();
        assert_ne!(sealed, again);
    }

    /// RFC 9180, A.2.1: the recipient's key pair of the suite that is used here.
    #[test]
    fn the_key_pair_is_the_one_of_the_standard() {
        let secret = hex::decode("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb").unwrap();
        let public = "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a";
        let key = DecryptionKey::from_secret(secret.try_into().unwrap());
        assert_eq!(hex::encode(key.public().0), public);
        assert_eq!(format!("{key:?}"), "DecryptionKey(***)");
    }
}
