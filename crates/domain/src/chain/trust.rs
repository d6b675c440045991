//! What the facility says of its own keys: which authorities to trust, and what to seal secrets to. Signed by the
//! facility key, so that nobody between changes it; carried to tablets at joining and with their pages.

use super::{EncryptionKey, PublicKey, Signature, SigningKey, verify};
use crate::ids::FacilityId;
use crate::time::Ms;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    pub facility: FacilityId,
    /// Server time of the last change: the later statement holds.
    pub since: Ms,
    /// Certificate authorities (DER, unpadded base64url) that a server's certificate may come from.
    pub authorities: Vec<String>,
    /// What a tablet seals its database key to.
    pub encryption_key: EncryptionKey,
    /// The facility key over [`Trust::message`].
    pub signature: Signature,
    /// That tablets are to take fresh database keys. Signed by itself, so that a reader that does not know of it finds
    /// the rest as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<Renewal>,
}

/// A tablet whose database key was made for an earlier one of these, or for none, takes a fresh one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// Server time.
    pub since: Ms,
    /// The facility key over "lamplight.renewal.v1\0" ‖ facility ‖ since (i64, big-endian).
    pub signature: Signature,
}

impl Renewal {
    pub fn sign(by: &SigningKey, facility: FacilityId, since: Ms) -> Renewal {
        Renewal { since, signature: by.sign(&Self::message(facility, since)) }
    }
    fn holds(&self, facility_key: &PublicKey, facility: FacilityId) -> bool {
        verify(facility_key, &Self::message(facility, self.since), &self.signature)
    }
    fn message(facility: FacilityId, since: Ms) -> Vec<u8> {
        [b"lamplight.renewal.v1\0".as_slice(), facility.0.as_bytes(), &since.0.to_be_bytes()].concat()
    }
}

impl Trust {
    pub fn sign(
        by: &SigningKey,
        facility: FacilityId,
        since: Ms,
        authorities: &[&[u8]],
        encryption_key: EncryptionKey,
    ) -> Trust {
        let signature = by.sign(&Self::message(facility, since, authorities, &encryption_key));
        let authorities = authorities.iter().map(|der| URL_SAFE_NO_PAD.encode(der)).collect();
        Trust { facility, since, authorities, encryption_key, signature, renewal: None }
    }

    pub fn with_renewal(self, renewal: Option<Renewal>) -> Trust {
        Trust { renewal, ..self }
    }

    /// The authorities (DER), where the facility signed all of this and names at least one.
    pub fn authorities(&self, facility_key: &PublicKey, facility: FacilityId) -> Option<Vec<Vec<u8>>> {
        let read: Vec<Vec<u8>> =
            self.authorities.iter().map(|text| URL_SAFE_NO_PAD.decode(text).ok()).collect::<Option<_>>()?;
        let parts: Vec<&[u8]> = read.iter().map(Vec::as_slice).collect();
        let message = Self::message(self.facility, self.since, &parts, &self.encryption_key);
        let renewal_holds = self.renewal.as_ref().is_none_or(|renewal| renewal.holds(facility_key, facility));
        let holds = self.facility == facility && verify(facility_key, &message, &self.signature) && renewal_holds;
        (holds && !read.is_empty()).then_some(read)
    }

    /// "lamplight.trust.v1\0" ‖ facility ‖ since (i64, big-endian) ‖ encryption key ‖ SHA-256 of each authority.
    fn message(facility: FacilityId, since: Ms, authorities: &[&[u8]], encryption_key: &EncryptionKey) -> Vec<u8> {
        let mut message =
            [b"lamplight.trust.v1\0".as_slice(), facility.0.as_bytes(), &since.0.to_be_bytes(), &encryption_key.0]
                .concat();
        for der in authorities {
            message.extend_from_slice(&Sha256::digest(der));
        }
        message
    }
}

/// A certificate in the form that files hold (PEM).
pub fn pem(der: &[u8]) -> String {
    use base64::engine::general_purpose::STANDARD;
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|i| &text[i..(i + 64).min(text.len())]).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_statement_holds_only_as_the_facility_signed_it() {
        let (key, facility) = (SigningKey::from_seed(&[5; 32]), FacilityId(Uuid::from_u128(7)));
        let said = Trust::sign(&key, facility, Ms(1_000), &[b"old", b"new"], EncryptionKey([3; 32]));
        let read = |said: &Trust| said.authorities(&key.public(), facility);
        assert_eq!(read(&said).unwrap(), vec![b"old".to_vec(), b"new".to_vec()]);
        let without: Trust = serde_json::from_str(&serde_json::to_string(&said).unwrap()).unwrap();
        assert_eq!(without, said);
        let said = said.with_renewal(Some(Renewal::sign(&key, facility, Ms(900))));
        assert!(read(&said).is_some());
        let changes: [fn(&mut Trust); 8] = [
            |t| t.renewal.as_mut().unwrap().since = Ms(901),
            |t| t.renewal = Some(Renewal::sign(&SigningKey::from_seed(&[6; 32]), t.facility, Ms(900))),
            |t| t.since = Ms(1_001),
            |t| t.encryption_key = EncryptionKey([4; 32]),
            |t| t.authorities.truncate(1),
            |t| t.authorities.swap(0, 1),
            |t| t.authorities.push("bm93".to_owned()),
            |t| t.facility = FacilityId(Uuid::from_u128(8)),
        ];
        for change in changes {
            let mut other = said.clone();
            change(&mut other);
            assert_eq!(read(&other), None, "{other:?}");
        }
        assert_eq!(said.authorities(&SigningKey::from_seed(&[6; 32]).public(), facility), None);
        let nobody = Trust::sign(&key, facility, Ms(1_000), &[], EncryptionKey([3; 32]));
        assert_eq!(read(&nobody), None, "a tablet that trusts nobody never comes back");
    }
}
