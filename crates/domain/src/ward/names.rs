//! Names that are easily taken for one another.

use crate::views::Card;

/// Marks every card whose family name is like another's on the ward.
pub(super) fn mark_similar(cards: &mut [Card]) {
    let families: Vec<String> = cards.iter().map(|c| plain(c.name.split(',').next().unwrap_or_default())).collect();
    for (n, card) in cards.iter_mut().enumerate() {
        card.similar_name = families.iter().enumerate().any(|(m, other)| m != n && alike(&families[n], other));
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The same, one letter apart (two where both are long), or the same first four letters.
fn alike(a: &str, b: &str) -> bool {
    if a.is_empty() || b.is_empty() {
        return false;
    }
    let shorter = a.chars().count().min(b.chars().count());
    let start = |s: &str| s.chars().take(4).collect::<String>();
    let apart = if shorter >= 8 { 2 } else { 1 };
    a == b || (shorter >= 4 && (start(a) == start(b) || distance(a, b) <= apart))
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_mixed_up_in_the_dark_are_alike() {
        for (a, b) in [("Okafor", "Okafor"), ("Miller", "Muller"), ("Garcia", "Garcia-Lopez"), ("Petrov", "Petrow")] {
            assert!(alike(&plain(a), &plain(b)), "{a} {b}");
        }
        for (a, b) in [("Ito", "Eze"), ("Bell", "Tran"), ("Garcia", "Haddad"), ("", "")] {
            assert!(!alike(&plain(a), &plain(b)), "{a} {b}");
        }
    }
}
