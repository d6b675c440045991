//! The PIN of somebody who was given access on a tablet, on its way to the other tablets of the ward: what its verifier is
//! made of, sealed to the facility. It stands in a record, which every tablet reads; only the facility, which holds
//! everybody's verifiers anyway, can open it.

use crate::chain::{DecryptionKey, EncryptionKey};
use crate::ids::{FacilityId, StaffId};
use crate::roster::PinVerifier;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

const PURPOSE: &[u8] = b"lamplight.given-pin.v1";

/// Prints as `***`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenPin {
    #[serde(with = "hex::serde")]
    pub salt: [u8; 16],
    /// [`EncryptionKey::seal`] of Argon2id(PIN, salt), unpadded base64url.
    pub sealed: String,
}

impl GivenPin {
    /// `chance`: 32 fresh random bytes. None where nothing can be sealed to that key.
    pub fn seal(
        facility: FacilityId,
        staff: StaffId,
        to: EncryptionKey,
        pin: &PinVerifier,
        chance: &[u8; 32],
    ) -> Option<GivenPin> {
        let sealed = to.seal(PURPOSE, &about(facility, staff, &pin.salt), &pin.argon2id, chance)?;
        Some(GivenPin { salt: pin.salt, sealed: URL_SAFE_NO_PAD.encode(sealed) })
    }

    /// None where `with` is not what it was sealed to, it is another person's, or anything in it was changed.
    pub fn open(&self, facility: FacilityId, staff: StaffId, with: &DecryptionKey) -> Option<PinVerifier> {
        let sealed = URL_SAFE_NO_PAD.decode(&self.sealed).ok()?;
        let opened = with.open(PURPOSE, &about(facility, staff, &self.salt), &sealed)?;
        Some(PinVerifier { salt: self.salt, argon2id: opened.as_slice().try_into().ok()? })
    }
}

impl std::fmt::Debug for GivenPin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GivenPin(***)")
    }
}

fn about(facility: FacilityId, staff: StaffId, salt: &[u8; 16]) -> Vec<u8> {
    [facility.0.as_bytes().as_slice(), staff.0.as_bytes(), salt].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_given_pin_is_one_person_s_and_opens_for_the_facility_alone() {
        let ours = DecryptionKey::from_secret([1; 32]);
        let (facility, staff) = (FacilityId(Uuid::from_u128(7)), StaffId(Uuid::from_u128(8)));
        let pin = PinVerifier { salt: [2; 16], argon2id: [5; 32] };
        let given = GivenPin::seal(facility, staff, ours.public(), &pin, &[6; 32]).unwrap();
        let text = serde_json::to_string(&given).unwrap();
        assert!(!text.contains(&hex::encode([5; 32])) && !text.contains(&URL_SAFE_NO_PAD.encode([5; 32])));
        let read: GivenPin = serde_json::from_str(&text).unwrap();
        assert_eq!(read.open(facility, staff, &ours), Some(pin));
        assert_eq!(read.open(facility, staff, &DecryptionKey::from_secret([3; 32])), None);
        assert_eq!(read.open(facility, StaffId(Uuid::from_u128(9)), &ours), None, "nobody else's");
        let other_salt = GivenPin { salt: [4; 16], ..read.clone() };
        assert_eq!(other_salt.open(facility, staff, &ours), None);
        assert_eq!(format!("{read:?}"), "GivenPin(***)");
    }
}
