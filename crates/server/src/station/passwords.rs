//! Station passwords: Argon2id with OWASP's second recommended setting, kept as PHC strings; which ones nobody may have;
//! and first ones, for people to change.

use crate::store::StoreError;
use crate::surroundings::Surroundings;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::PinVerifier;
use zeroize::Zeroizing;

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

/// Fewest characters, for somebody's own choice.
const MIN_CHARS: usize = 15;
/// Fewest different characters.
const MIN_DIFFERENT: usize = 5;
/// What the commonest long passwords are made of; a password that is little else is one of them.
const COMMON: &[&str] = &[
    "password",
    "passw0rd",
    "p@ssword",
    "p@ssw0rd",
    "qwertyuiop",
    "qwerty",
    "asdfghjkl",
    "zxcvbnm",
    "1q2w3e4r5t",
    "letmein",
    "welcome",
    "iloveyou",
    "administrator",
    "admin",
    "changeme",
    "default",
    "secret",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "trustno1",
    "monkey",
    "dragon",
    "hospital",
    "lamplight",
    "correcthorsebatterystaple",
    "1234567890",
    "0123456789",
    "abcdefghij",
    "123456",
    "abc123",
    "abcd",
    "1111",
    "0000",
];
/// What is left of a password without these must still be worth something.
const LEFT_MIN: usize = 6;

/// May this be somebody's password? `about`: their names, numbers and log-in. Errors: "password.weak".
pub fn may_be(password: &str, about: &[&str]) -> Result<(), Refusal> {
    let weak = |what: &str| {
        let next = "Take three or four words that have nothing to do with you or this house.";
        Err(Refusal::new("password.weak", what, next))
    };
    let chars = password.chars().count();
    if chars < MIN_CHARS {
        return weak(&format!("The password has {chars} characters; it needs {MIN_CHARS} or more."));
    }
    if password.len() > MAX_BYTES {
        return weak("The password is longer than can be kept.");
    }
    let lower = password.to_lowercase();
    if about.iter().map(|a| a.trim().to_lowercase()).any(|a| a.chars().count() > 2 && lower.contains(&a)) {
        return weak("The password has your name, number or log-in in it.");
    }
    let different: std::collections::BTreeSet<char> = lower.chars().collect();
    let mut left = lower;
    for common in COMMON {
        left = left.replace(common, "");
    }
    let left = left.chars().filter(|c| c.is_alphabetic()).count();
    if different.len() < MIN_DIFFERENT || left < LEFT_MIN && chars < 20 {
        return weak("The password is one of those that are tried first.");
    }
    Ok(())
}

const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
const VOWELS: &[u8; 5] = b"aeiou";
/// 6.3 bits each: 63 in all.
const SYLLABLES: usize = 10;

/// A first password by chance that can be read out and typed: "tabu-kire-molo-sefa-nude".
pub fn fresh(around: &Surroundings) -> Zeroizing<String> {
    let mut password = Zeroizing::new(String::new());
    let mut syllables = 0;
    while syllables < SYLLABLES {
        let [byte] = around.bytes::<1>();
        // Three times 80: every syllable is as likely.
        if byte >= 240 {
            continue;
        }
        if syllables > 0 && syllables.is_multiple_of(2) {
            password.push('-');
        }
        let n = usize::from(byte) % 80;
        password.push(char::from(CONSONANTS[n / 5]));
        password.push(char::from(VOWELS[n % 5]));
        syllables += 1;
    }
    password
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_passwords_are_refused_in_words() {
        let about = ["Lindqvist", "Sara", "RN 1108", "s.lindqvist"];
        for weak in [
            "short",
            "elevenchars",
            "Password1234",
            "qwertyuiop123",
            "123456789012",
            "aaaaaaaaaaaaaaaa",
            "abababababab",
            "lindqvist-at-home",
            "walnut-sara-walnut",
            "rn 1108 rn 1108",
            "Administrator1!",
            "P@ssw0rdP@ssw0rd",
        ] {
            assert_eq!(may_be(weak, &about).unwrap_err().code, "password.weak", "{weak}");
        }
        for good in ["amber-heron-4242", "walnut otter gravel", "Kürbis-Ofen-Zange"] {
            assert_eq!(may_be(good, &about), Ok(()), "{good}");
        }
        assert!(may_be(&"walnut otter gravel ".repeat(20), &about).is_err());
    }

    #[test]
    fn first_passwords_differ_and_may_be_ones() {
        let around = Surroundings::real();
        let all: std::collections::BTreeSet<String> = (0..100).map(|_| fresh(&around).to_string()).collect();
        assert_eq!(all.len(), 100);
        for one in all {
            assert_eq!((one.len(), one.split('-').count()), (24, 5), "{one}");
            assert_eq!(may_be(&one, &["j.reyes"]), Ok(()));
        }
    }

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
