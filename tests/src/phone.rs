//! What an administrator's phone shows for the second factor: TOTP (RFC 6238: SHA-1, six digits, 30 s), written a second
//! time.

use anyhow::{Context, Result};
use hmac::{Hmac, KeyInit, Mac};

/// The code of this moment for a secret as the page shows it (base32, spaces between).
pub fn code(secret: &str) -> Result<String> {
    let (mut held, mut bits, mut key) = (0_u32, 0, Vec::new());
    for letter in secret.chars().filter(|c| !c.is_whitespace()) {
        let n = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).context("no base32")?;
        held = (held << 5 | n as u32) & 0xffff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            key.push((held >> bits) as u8);
        }
    }
    let step = std::time::UNIX_EPOCH.elapsed()?.as_secs() / 30;
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&key)?;
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 15);
    let word = u32::from_be_bytes(hash[at..at + 4].try_into()?) & 0x7fff_ffff;
    Ok(format!("{:06}", word % 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shared secret of RFC 6238, appendix B, in base32; its times are long ago, so only the form is looked at.
    #[test]
    fn six_digits_of_a_good_secret_and_nothing_of_a_bad_one() {
        let shown = code("GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ").unwrap();
        assert!(shown.len() == 6 && shown.chars().all(|c| c.is_ascii_digit()), "{shown}");
        assert!(code("0189").is_err());
    }
}
