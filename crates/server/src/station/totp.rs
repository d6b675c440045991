//! Codes of a second factor: RFC 6238 with SHA-1, six digits and 30 s, which is what every authenticator app knows.

use crate::store::logins::FactorSecret;
use hmac::{Hmac, KeyInit, Mac};
use lamplight_domain::time::{Ms, SECOND_MS};
use sha1::Sha1;
use subtle::ConstantTimeEq;

const STEP_MS: i64 = 30 * SECOND_MS;
/// A phone's clock may be one step off, either way.
const SKEW: i64 = 1;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn code(secret: &FactorSecret, step: i64) -> String {
    // A key of any length fits HMAC.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&**secret) else { return String::new() };
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 0xf);
    let four = u32::from_be_bytes([hash[at] & 0x7f, hash[at + 1], hash[at + 2], hash[at + 3]]);
    format!("{:06}", four % 1_000_000)
}

/// The step of time whose code this is, where it is one of now; spaces in it do not matter.
pub fn step_of(secret: &FactorSecret, given: &str, now: Ms) -> Option<i64> {
    let given: String = given.chars().filter(|c| !c.is_whitespace()).collect();
    let current = now.0.div_euclid(STEP_MS);
    let mut found = None;
    for step in current - SKEW..=current + SKEW {
        if bool::from(code(secret, step).as_bytes().ct_eq(given.as_bytes())) {
            found = Some(step);
        }
    }
    found
}

/// In groups of four: "JBSW Y3DP …". Twenty bytes fill 32 characters.
pub fn base32(secret: &FactorSecret) -> String {
    let mut text = String::new();
    for five in secret.chunks(5) {
        let bits = five.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        for n in (0..8).rev() {
            if text.len() % 5 == 4 {
                text.push(' ');
            }
            text.push(char::from(BASE32[(bits >> (5 * n)) as usize & 31]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    /// RFC 6238, appendix B, SHA-1: eight digits there, the last six here.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let secret = Zeroizing::new(*b"12345678901234567890");
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(&secret, seconds / 30), expected);
            assert_eq!(step_of(&secret, expected, Ms(seconds * 1000)), Some(seconds / 30));
        }
        assert_eq!(base32(&secret), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    }

    #[test]
    fn a_code_holds_for_a_step_around_its_own_and_no_longer() {
        let secret = Zeroizing::new(*b"12345678901234567890");
        let now = |step: i64| Ms(step * STEP_MS + 7);
        for (step, holds) in [(98, false), (99, true), (100, true), (101, true), (102, false)] {
            assert_eq!(step_of(&secret, &code(&secret, 100), now(step)).is_some(), holds, "{step}");
        }
        assert_eq!(step_of(&secret, "", now(100)), None);
        let spaced = format!(" {} {}", &code(&secret, 100)[..3], &code(&secret, 100)[3..]);
        assert_eq!(step_of(&secret, &spaced, now(100)), Some(100));
    }
}
