//! A tablet's database key for its facility, beside the tablet's files: where the tablet's own way to the key is gone
//! (a key store that was wiped, a broken machine), the facility opens a copy of the folder with it.

use crate::chain::{DecryptionKey, EncryptionKey};
use crate::ids::{FacilityId, TabletId};
use crate::time::Ms;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

/// In a tablet's folder: the database key in the clear, 32 bytes, for this user only.
pub const KEY_FILE: &str = "device.key";
/// Tells a wrong key from a damaged file: [`key_check`].
pub const CHECK_FILE: &str = "device.check";
/// This module's own: [`Recovery`] as JSON.
pub const RECOVERY_FILE: &str = "device.recovery";
/// There only while a fresh key takes the place of the present one: [`NextKey`] as JSON.
pub const NEXT_FILE: &str = "device.next";

const CHECK_TAG: &[u8] = b"lamplight.device.check.v1";
const PURPOSE: &[u8] = b"lamplight.recovery.v1";

/// HMAC-SHA256 of a fixed text under the key, the first 16 bytes: says nothing else about the key.
pub fn key_check(key: &[u8; 32]) -> [u8; 16] {
    let mut out = [0; 16];
    // HMAC takes a key of any length.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) {
        mac.update(CHECK_TAG);
        out.copy_from_slice(&mac.finalize().into_bytes()[..16]);
    }
    out
}

/// The key that takes the present one's place, locked with the present one: whoever has that opens the folder's files,
/// whichever of the two each of them is under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextKey {
    /// 1
    pub v: u16,
    /// Of the present key and of the next: [`key_check`].
    #[serde(with = "hex::serde")]
    pub from: [u8; 16],
    #[serde(with = "hex::serde")]
    pub to: [u8; 16],
    /// Which word of the facility it follows ([`crate::chain::Renewal::since`]).
    pub order: Ms,
    /// Nonce (24) ‖ XChaCha20-Poly1305 of the next key under the present one, with [`NextKey::about`] as associated data.
    #[serde(with = "hex::serde")]
    pub locked: Vec<u8>,
}

impl NextKey {
    /// A file that cannot be read, or of a newer Lamplight, is none.
    pub fn read(text: &[u8]) -> Option<NextKey> {
        serde_json::from_slice(text).ok().filter(|next: &NextKey| next.v == 1)
    }
    /// Is this one of the two?
    pub fn names(&self, key: &[u8; 32]) -> bool {
        [self.from, self.to].contains(&key_check(key))
    }
    /// "lamplight.next-key.v1\0" ‖ from ‖ to
    pub fn about(&self) -> Vec<u8> {
        [b"lamplight.next-key.v1\0".as_slice(), &self.from, &self.to].concat()
    }
}

/// Nothing in it is secret to whoever lacks the facility's key, and nothing is about patients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// 1
    pub v: u16,
    pub facility: FacilityId,
    pub tablet: TabletId,
    /// What it is sealed to.
    pub to: EncryptionKey,
    /// Of the key inside: [`key_check`].
    #[serde(with = "hex::serde")]
    pub check: [u8; 16],
    /// [`EncryptionKey::seal`] of the key, unpadded base64url.
    pub sealed: String,
}

impl Recovery {
    /// `chance`: 32 fresh random bytes. None where nothing can be sealed to that key.
    pub fn seal(
        facility: FacilityId,
        tablet: TabletId,
        to: EncryptionKey,
        key: &[u8; 32],
        chance: &[u8; 32],
    ) -> Option<Recovery> {
        let sealed = to.seal(PURPOSE, &about(facility, tablet), key, chance)?;
        Some(Recovery { v: 1, facility, tablet, to, check: key_check(key), sealed: URL_SAFE_NO_PAD.encode(sealed) })
    }

    /// The key inside; None where `with` is not what it was sealed to, or anything in it was changed.
    pub fn open(&self, with: &DecryptionKey) -> Option<Zeroizing<[u8; 32]>> {
        let sealed = URL_SAFE_NO_PAD.decode(&self.sealed).ok()?;
        let opened = with.open(PURPOSE, &about(self.facility, self.tablet), &sealed)?;
        let key = Zeroizing::new(<[u8; 32]>::try_from(opened.as_slice()).ok()?);
        (key_check(&key) == self.check).then_some(key)
    }

    /// Does it hold this key for that facility key and tablet already?
    pub fn is_for(&self, facility: FacilityId, tablet: TabletId, to: EncryptionKey, key: &[u8; 32]) -> bool {
        (self.v, self.facility, self.tablet, self.to, self.check) == (1, facility, tablet, to, key_check(key))
    }
}

fn about(facility: FacilityId, tablet: TabletId) -> [u8; 32] {
    let mut about = [0; 32];
    about[..16].copy_from_slice(facility.0.as_bytes());
    about[16..].copy_from_slice(tablet.0.as_bytes());
    about
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_tablets_key_comes_back_to_its_facility_alone() {
        let ours = DecryptionKey::from_secret([1; 32]);
        let (facility, tablet) = (FacilityId(Uuid::from_u128(7)), TabletId(Uuid::from_u128(8)));
        let kept = Recovery::seal(facility, tablet, ours.public(), &[5; 32], &[6; 32]).unwrap();
        let text = serde_json::to_string(&kept).unwrap();
        assert!(!text.contains(&hex::encode([5; 32])));
        let read: Recovery = serde_json::from_str(&text).unwrap();
        assert_eq!(*read.open(&ours).unwrap(), [5; 32]);
        assert!(read.is_for(facility, tablet, ours.public(), &[5; 32]));
        assert!(!read.is_for(facility, tablet, ours.public(), &[4; 32]));
        assert!(read.open(&DecryptionKey::from_secret([2; 32])).is_none());
        let moved = Recovery { tablet: TabletId(Uuid::from_u128(9)), ..read.clone() };
        assert!(moved.open(&ours).is_none(), "it names the tablet that it is of");
        let other = Recovery { check: [0; 16], ..read };
        assert!(other.open(&ours).is_none());
    }
}
