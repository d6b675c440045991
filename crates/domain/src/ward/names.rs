//! Names on one ward that are easily taken for each other.

/// A family name as it is compared: letters only, lower case.
pub(super) fn folded(family: &str) -> Vec<char> {
    family.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The same family name, one slip of the pen apart (a letter more, less, other, or two swapped), or the same first
/// three letters and nearly the same length.
pub(super) fn similar(a: &[char], b: &[char]) -> bool {
    if a.is_empty() || b.is_empty() {
        return false;
    }
    let same_start = a.len() >= 3 && b.len() >= 3 && a[..3] == b[..3] && a.len().abs_diff(b.len()) <= 1;
    // Of two-letter names ("Li", "Lu") every pair is one slip apart: marking all of them would mark nothing.
    let long_enough = a.len().min(b.len()) >= 4;
    a == b || same_start || (long_enough && one_slip(a, b))
}

fn one_slip(a: &[char], b: &[char]) -> bool {
    let (a, b) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if b.len() - a.len() > 1 {
        return false;
    }
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[same..], &b[same..]);
    if a.len() < b.len() {
        return a == &b[1..];
    }
    let swapped = a.len() >= 2 && a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..];
    a.is_empty() || a[1..] == b[1..] || swapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_easily_taken_for_each_other() {
        let is_similar = |a: &str, b: &str| {
            let (a, b) = (folded(a), folded(b));
            assert_eq!(similar(&a, &b), similar(&b, &a));
            similar(&a, &b)
        };
        for (a, b) in [
            ("Garcia", "Garcia"),
            ("Garcia", "GARCIA"),
            ("Jansen", "Janssen"),
            ("Petrov", "Petrow"),
            ("Haddad", "Hadadd"),
            ("O'Neil", "Oneil"),
            ("Castro", "Castle"),
            ("Smith", "Smyth"),
        ] {
            assert!(is_similar(a, b), "{a} {b}");
        }
        for (a, b) in
            [("Garcia", "Lopez"), ("Li", "Lu"), ("Castillo", "Castro"), ("Bell", "Tran"), ("", ""), ("Eze", "Ito")]
        {
            assert!(!is_similar(a, b), "{a} {b}");
        }
    }
}
