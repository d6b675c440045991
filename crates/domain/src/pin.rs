//! Which PINs may be set: six digits that are not among the first that somebody would try.

use crate::refusal::Refusal;

pub const DIGITS: usize = 6;

/// Errors: "pin.digits", "pin.weak".
pub fn may_be_set(pin: &str) -> Result<(), Refusal> {
    if pin.len() != DIGITS || !pin.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Refusal::new("pin.digits", "A PIN is six digits.", "Type six digits."));
    }
    if is_weak(pin) {
        return Err(Refusal::new(
            "pin.weak",
            "That PIN is easy to guess.",
            "Choose one without runs, repeated digits or a year.",
        ));
    }
    Ok(())
}

/// Of six digits: few different ones, runs up or down, halves or thirds that repeat, or a year at either end.
pub fn is_weak(pin: &str) -> bool {
    let d: Vec<i32> = pin.bytes().map(|b| i32::from(b) - i32::from(b'0')).collect();
    if d.len() != DIGITS {
        return true;
    }
    let mut different = d.clone();
    different.sort_unstable();
    different.dedup();
    let steps: Vec<i32> = d.windows(2).map(|w| w[1] - w[0]).collect();
    let longest_run = |step: i32| {
        steps.iter().fold((0, 0), |(run, most), s| if *s == step { (run + 1, most.max(run + 1)) } else { (0, most) }).1
    };
    let year = |digits: &[i32]| (1930..=2030).contains(&digits.iter().fold(0, |year, d| year * 10 + d));
    different.len() < 4
        || longest_run(1) >= 3
        || longest_run(-1) >= 3
        || d[..3] == d[3..]
        || (d[..2] == d[2..4] && d[2..4] == d[4..])
        || year(&d[..4])
        || year(&d[2..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_that_a_patient_would_guess_are_not_set() {
        let code = |pin: &str| may_be_set(pin).err().map(|r| r.code).unwrap_or_default();
        for pin in ["123456", "654321", "000000", "121212", "482482", "345692", "198427", "271990", "112233", "911119"]
        {
            assert_eq!(code(pin), "pin.weak", "{pin}");
        }
        for pin in ["", "48291", "4829133", "48291a", "４８２９１３", "482 13"] {
            assert_eq!(code(pin), "pin.digits", "{pin}");
        }
        for pin in ["482913", "709264", "351806"] {
            assert_eq!(code(pin), "", "{pin}");
        }
    }
}
