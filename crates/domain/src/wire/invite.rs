//! An invite: all that a fresh tablet needs to find the facility server, to know it when it sees it, and to be let in.
//! One line of text, short enough for a QR code: `lamplight:` and the base64url of a small JSON.

use crate::chain::PublicKey;
use crate::ids::FacilityId;
use crate::refusal::Refusal;
use crate::time::Ms;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

const PREFIX: &str = "lamplight:";
/// Longest invite that is read: a QR code holds less than 3 KiB.
const MAX_CHARS: usize = 8 * 1024;

/// The name in the facility server's certificate, whatever its address is today: tablets check this, not the address.
pub fn server_name(facility: FacilityId) -> String {
    format!("lamplight-{}.internal", facility.0)
}

/// Prints as the invite itself; its code is a secret until it is used or expires, so `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    #[serde(rename = "f")]
    pub facility: FacilityId,
    /// Where the server is: "https://10.0.4.7:7443". Its host says where to connect, never whom to trust.
    #[serde(rename = "u")]
    pub url: String,
    /// Random; good for as many joinings as the station allowed, until `expires_at`.
    #[serde(rename = "c")]
    pub code: String,
    /// The certificate authority (DER) that the server's certificate must come from.
    #[serde(rename = "a", with = "base64url")]
    pub ca_der: Vec<u8>,
    /// Signs receipts and credentials.
    #[serde(rename = "k")]
    pub facility_key: PublicKey,
    /// The server decides; here only so that a tablet can say so without a network.
    #[serde(rename = "e")]
    pub expires_at: Ms,
}

impl std::fmt::Display for Invite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let json = serde_json::to_vec(self).map_err(|_| std::fmt::Error)?;
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(json))
    }
}

impl std::fmt::Debug for Invite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Invite({}, ***)", self.facility)
    }
}

impl std::str::FromStr for Invite {
    type Err = Refusal;

    /// Spaces and line breaks from copying are ignored. Errors: "invite.unreadable".
    fn from_str(text: &str) -> Result<Invite, Refusal> {
        let unreadable = || {
            Refusal::new(
                "invite.unreadable",
                "This is not a whole Lamplight invite.",
                "Copy it again from its first letter to its last, or scan the code at the nursing station.",
            )
        };
        if text.len() > MAX_CHARS {
            return Err(unreadable());
        }
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let encoded = text.strip_prefix(PREFIX).ok_or_else(unreadable)?;
        let json = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| unreadable())?;
        let invite: Invite = serde_json::from_slice(&json).map_err(|_| unreadable())?;
        if !invite.url.starts_with("https://") || invite.ca_der.is_empty() || invite.code.is_empty() {
            return Err(unreadable());
        }
        Ok(invite)
    }
}

mod base64url {
    use super::{Engine, URL_SAFE_NO_PAD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        URL_SAFE_NO_PAD.decode(String::deserialize(d)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::SigningKey;
    use uuid::Uuid;

    fn invite() -> Invite {
        Invite {
            facility: FacilityId(Uuid::from_u128(7)),
            url: "https://127.0.0.1:7443".into(),
            code: "k3-long-and-random".into(),
            ca_der: vec![0x30; 400],
            facility_key: SigningKey::from_seed(&[1; 32]).public(),
            expires_at: Ms(1_000),
        }
    }

    #[test]
    fn an_invite_survives_copying_and_fits_a_qr_code() {
        let text = invite().to_string();
        assert!(text.len() < 2_000, "{}", text.len());
        assert_eq!(text.parse::<Invite>().unwrap(), invite());
        let wrapped = format!("  {}\n {}\n", &text[..40], &text[40..]);
        assert_eq!(wrapped.parse::<Invite>().unwrap(), invite());
        assert!(!format!("{:?}", invite()).contains("k3-long"), "the code is a secret");
    }

    #[test]
    fn what_is_cut_or_foreign_is_refused_by_name() {
        let text = invite().to_string();
        for bad in ["", "lamplight:", "hello", &text[..text.len() - 1], &text[1..], "lamplight:bm90IGpzb24"] {
            assert_eq!(bad.parse::<Invite>().unwrap_err().code, "invite.unreadable", "{bad}");
        }
        let plain = Invite { url: "http://10.0.0.1".into(), ..invite() }.to_string();
        assert_eq!(plain.parse::<Invite>().unwrap_err().code, "invite.unreadable", "never without TLS");
    }
}
