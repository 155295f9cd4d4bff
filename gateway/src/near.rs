//! Names near a mistyped one, for "did you mean".

/// Typing errors that a short name and a longer one may have.
const SLIPS: (usize, usize) = (2, 3);
/// Letters from which on a name is a longer one.
const LONG: usize = 9;
/// The maximum number of suggestions.
const SUGGESTED: usize = 5;
/// Letters of a word that tells something: `of` and `to` are in too many names.
const WORD_MIN: usize = 3;

/// The known name that was probably meant, if one is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.into_iter().map(|known| (distance(name, known), known));
    near.filter(|(distance, _)| *distance <= slips(name)).min().map(|(_, known)| known)
}

/// The known names that are near, or share words with this one (`price_changed`, `product.price_set`), the nearest first.
pub fn suggestions<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.len() >= WORD_MIN);
        words.map(str::to_lowercase).collect()
    };
    let given = words(name);
    let mut near: Vec<_> = known
        .into_iter()
        .map(|known| {
            let shared = words(known);
            // The first word says what it is about, the others mostly what happened.
            let weights = given.iter().enumerate().map(|(index, word)| (usize::from(index == 0) + 1, word));
            let weight: usize = weights.filter(|(_, word)| shared.contains(word)).map(|(weight, _)| weight).sum();
            (usize::MAX - weight, distance(name, known), known)
        })
        .filter(|(unlike, distance, _)| *unlike < usize::MAX || *distance <= slips(name))
        .collect();
    near.sort_unstable();
    near.into_iter().take(SUGGESTED).map(|(_, _, known)| known).collect()
}

fn slips(name: &str) -> usize {
    if name.len() < LONG { SLIPS.0 } else { SLIPS.1 }
}

/// Letters to insert, delete or replace to turn one text into the other (Levenshtein distance).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut diagonal = index;
        row[0] = index + 1;
        for (column, other) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 5] =
        ["order.placed", "order.paid", "product.price_set", "stock.received", "account.role_changed"];

    #[test]
    fn a_typo_leads_to_the_name_that_was_meant() {
        assert_eq!(nearest("order.palced", KNOWN), Some("order.placed"));
        assert_eq!(nearest("something else", KNOWN), None);
    }

    #[test]
    fn names_that_share_a_word_are_suggested() {
        assert_eq!(suggestions("price_changed", KNOWN), ["product.price_set", "account.role_changed"]);
        assert_eq!(suggestions("order.shipped", KNOWN), ["order.paid", "order.placed"]);
        assert!(suggestions("xyz", KNOWN).is_empty());
    }
}
