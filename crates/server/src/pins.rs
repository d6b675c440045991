//! PINs for tablets: six digits that nobody guesses, and the verifiers by which tablets know them.

use crate::surroundings::Surroundings;
use argon2::{Algorithm, Argon2, Params, Version};
use lamplight_domain::pin::is_weak;
use lamplight_domain::roster::PinVerifier;
use zeroize::Zeroizing;

/// A new one by chance, never a weak one.
pub fn fresh(around: &Surroundings) -> Zeroizing<String> {
    loop {
        let pin = Zeroizing::new(format!("{:06}", u64::from_be_bytes(around.bytes()) % 1_000_000));
        if !is_weak(&pin) {
            return pin;
        }
    }
}

/// None only where the constants of [`PinVerifier`] are ones that Argon2 refuses.
pub fn verifier(pin: &str, salt: [u8; 16]) -> Option<PinVerifier> {
    let params = Params::new(PinVerifier::MEMORY_KIB, PinVerifier::PASSES, PinVerifier::LANES, Some(32)).ok()?;
    let mut argon2id = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin.as_bytes(), &salt, &mut argon2id)
        .ok()?;
    Some(PinVerifier { salt, argon2id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_pin_is_six_digits_and_never_a_weak_one() {
        let around = Surroundings::real();
        let pins: Vec<_> = (0..500).map(|_| fresh(&around)).collect();
        assert!(pins.iter().all(|p| p.len() == 6 && p.bytes().all(|b| b.is_ascii_digit()) && !is_weak(p)));
        // The dice say 123456 first.
        let rolls = std::sync::atomic::AtomicU64::new(123_456);
        let loaded = Surroundings::new(
            || lamplight_domain::time::Ms(0),
            move |bytes| {
                let roll = rolls.swap(482_913, std::sync::atomic::Ordering::SeqCst).to_be_bytes();
                bytes.copy_from_slice(&roll[..bytes.len()]);
            },
        );
        assert_eq!(*fresh(&loaded), "482913");
    }

    #[test]
    fn a_verifier_knows_its_pin_and_no_other() {
        let salt = [7; 16];
        assert_eq!(verifier("482913", salt), verifier("482913", salt));
        assert_ne!(verifier("482913", salt), verifier("482914", salt));
        assert_ne!(verifier("482913", salt), verifier("482913", [8; 16]));
    }
}
