//! The words of what is sold, and which of them somebody may have meant.

use std::collections::BTreeMap;

/// Shortest word that is corrected: of shorter ones too many lie one slip apart.
const LENGTH_MIN: usize = 3;
/// From this length on two slips are forgiven, else one.
const TWO_SLIPS_FROM: usize = 6;

/// Words, with how often each is there.
#[derive(Debug, Default)]
pub(super) struct Words {
    known: BTreeMap<String, Known>,
}

#[derive(Debug, Default)]
struct Known {
    count: u32,
    letters: u64,
    length: usize,
}

/// The words of a text, in small letters, with е for ё.
pub(super) fn split(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).map(folded)
}

/// A text in small letters, with е for ё, as people type it.
pub(super) fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(|letter| if letter == 'ё' { 'е' } else { letter }).collect()
}

impl Words {
    /// Takes in the words of a text.
    pub fn add(&mut self, text: &str) {
        for word in split(text).filter(|word| word.chars().count() >= LENGTH_MIN) {
            let (letters, length) = (letters(&word), word.chars().count());
            self.known.entry(word).or_insert(Known { count: 0, letters, length }).count += 1;
        }
    }

    /// Forgets the words of a text that was taken in.
    pub fn remove(&mut self, text: &str) {
        for word in split(text) {
            if let Some(known) = self.known.get_mut(&word) {
                known.count -= 1;
                if known.count == 0 {
                    self.known.remove(&word);
                }
            }
        }
    }

    /// What somebody may have meant: each word that is not known replaced by the nearest one. None when nothing is near,
    /// or every word is known.
    pub fn corrected(&self, text: &str) -> Option<String> {
        let mut changed = false;
        let count = split(text).count();
        let words: Vec<String> = split(text)
            .enumerate()
            .map(|(index, word)| match self.nearest(&word, index + 1 == count) {
                Some(nearest) => {
                    changed = true;
                    nearest
                }
                None => word,
            })
            .collect();
        changed.then(|| words.join(" "))
    }

    /// The word nearest to one that is not known, nor the beginning of one; the most frequent of equals. The last word may
    /// still be being typed, so it is compared with beginnings too.
    fn nearest(&self, word: &str, unfinished: bool) -> Option<String> {
        let length = word.chars().count();
        let starts = self.known.range(word.to_owned()..).next().is_some_and(|(known, _)| known.starts_with(word));
        if length < LENGTH_MIN || starts || word.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let slips = if length >= TWO_SLIPS_FROM { 2 } else { 1 };
        let (mask, letters_of): (u64, Vec<char>) = (letters(word), word.chars().collect());
        let mut best: Option<(usize, u32, &str)> = None;
        for (known, it) in &self.known {
            let longer = unfinished && it.length > length + slips;
            // Each slip changes at most two of the letters there are.
            let missing = (mask & !it.letters).count_ones() as usize;
            if missing > slips || it.length + slips < length || (!longer && it.length > length + slips) {
                continue;
            }
            let other: Vec<char> = known.chars().take(if longer { length } else { it.length }).collect();
            let distance = distance(&letters_of, &other) + usize::from(longer);
            let nearer =
                |(least, count, _): (usize, u32, &str)| (distance, u32::MAX - it.count) < (least, u32::MAX - count);
            if distance <= slips + usize::from(longer) && best.is_none_or(nearer) {
                best = Some((distance, it.count, known));
            }
        }
        best.map(|(_, _, known)| known.to_owned())
    }
}

/// Which letters a word has, as bits: words without a letter in common are told apart at once.
fn letters(word: &str) -> u64 {
    word.chars().fold(0, |bits, letter| bits | 1 << (u32::from(letter) % 64))
}

/// Letters to insert, delete, replace or swap with their neighbour to turn one word into the other (optimal string
/// alignment distance).
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, theirs) in other.iter().enumerate() {
            let replaced = above[column] + usize::from(letter != theirs);
            let mut least = replaced.min(above[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *letter == other[column - 1] && one[row - 1] == *theirs {
                least = least.min(before[column - 1] + 1);
            }
            current.push(least);
        }
        before = std::mem::replace(&mut above, current);
    }
    above[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        let mut words = Words::default();
        for title in ["Coffee grinder", "Coffee filter", "Книга рецептов", "Ёлка", "Desk lamp"] {
            words.add(title);
        }
        words
    }

    #[test]
    fn slips_are_forgiven_in_both_languages() {
        for (typed, meant) in [
            ("cofee", "coffee"),
            ("coffe grindr", "coffe grinder"),
            ("cofeee filtr", "coffee filter"),
            ("lmap", "lamp"),
            ("кинга", "книга"),
            ("рецетов", "рецептов"),
            ("елкка", "елка"),
            ("grnid", "grinder"),
        ] {
            assert_eq!(words().corrected(typed).as_deref(), Some(meant), "{typed}");
        }
    }

    #[test]
    fn what_is_known_or_far_from_everything_stays() {
        for typed in ["coffee", "cof", "книга", "елка", "xylophone", "la", "12345", ""] {
            assert_eq!(words().corrected(typed), None, "{typed}");
        }
        let mut words = words();
        words.remove("Desk lamp");
        assert_eq!(words.corrected("lmap"), None);
    }

    #[test]
    fn a_swap_is_one_slip() {
        let of =
            |one: &str, other: &str| distance(&one.chars().collect::<Vec<_>>(), &other.chars().collect::<Vec<_>>());
        assert_eq!([of("ab", "ba"), of("", "abc"), of("abc", "abc"), of("kitten", "sitting")], [1, 3, 0, 3]);
    }
}
