//! Station passwords: Argon2id with OWASP's second recommended setting, kept as PHC strings.

use crate::store::StoreError;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use lamplight_domain::roster::PinVerifier;

/// Longest password that is looked at: work on an endless one would be somebody's way to stop the server.
pub const MAX_BYTES: usize = 256;

fn argon2id() -> Argon2<'static> {
    let params =
        Params::new(PinVerifier::MEMORY_KIB, PinVerifier::PASSES, PinVerifier::LANES, Some(32)).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Takes about as long as a blink; off the async threads, please.
pub fn hash(password: &str, salt: [u8; 16]) -> Result<String, StoreError> {
    let hash: Result<PasswordHash, _> = argon2id().hash_password_with_salt(password.as_bytes(), &salt);
    hash.map(|h| h.to_string()).map_err(|e| StoreError::Broken(format!("a password could not be hashed ({e})")))
}

/// Takes as long for a name that does not exist (`kept` None) as for one that does.
pub fn fits(password: &str, kept: Option<&str>) -> bool {
    if password.len() > MAX_BYTES {
        return false;
    }
    match kept {
        Some(kept) => argon2id().verify_password(password.as_bytes(), kept).is_ok(),
        None => {
            let _ = hash(password, [0; 16]);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_hash_only() {
        let kept = hash("amber-heron-42", [7; 16]).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(fits("amber-heron-42", Some(&kept)));
        assert!(!fits("amber-heron-43", Some(&kept)));
        assert!(!fits("amber-heron-42", Some("not a hash")));
        assert!(!fits("amber-heron-42", None));
    }
}
