//! Typos: the known word that was almost certainly meant.

use roaring::RoaringBitmap;

use super::asked::{Asked, Part};
use super::lexicon::Lexicon;
use super::wanted::{Stems, Word};

/// Shortest word that is corrected, and that another is corrected to: of shorter ones too many are one typo apart.
const LENGTH_MIN: usize = 4;
/// From this length on two typos are corrected, else one.
const TWO_TYPOS_FROM: usize = 8;
/// From this length on a letter may be another one; shorter words that differ in one letter are mostly different words, such as
/// `iPad` and `iPod`.
const OTHER_LETTER_FROM: usize = 5;
/// A word that is there is a typo only if the other one is so many times as frequent.
const TIMES_AS_FREQUENT: u64 = 10;

/// Rows of keyboards: keys that are struck by mistake lie beside each other.
const KEYBOARDS: [[&str; 3]; 2] =
    [["qwertyuiop", "asdfghjkl", "zxcvbnm"], ["йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю"]];
/// Letters that are confused because they sound alike.
const SOUNDS: [&str; 9] = ["aeiouy", "csz", "ckq", "аоеиыуюяэ", "зс", "дт", "бп", "вф", "гк"];

/// The search text that was almost certainly meant, if the given one has no results among some products: unknown words
/// are replaced; if all are known, those of which another one is far more frequent. None if no word is near.
///
/// Phrases stay as they are, and so do excluded words, stop words, numbers and codes.
pub(super) fn corrected(asked: &Asked, stems: &Stems, lexicon: &Lexicon, among: &RoaringBitmap) -> Option<Asked> {
    let typos = Typos { stems, lexicon, among };
    typos.replaced(asked, 0).or_else(|| typos.replaced(asked, TIMES_AS_FREQUENT))
}

struct Typos<'a> {
    stems: &'a Stems,
    lexicon: &'a Lexicon,
    among: &'a RoaringBitmap,
}

impl Typos<'_> {
    /// Replaces the words for which there is one so many times as frequent; those that are not there, at zero times.
    fn replaced(&self, asked: &Asked, times: u64) -> Option<Asked> {
        let mut changed = false;
        let mut replaced = asked.clone();
        let context = self.context(asked);
        let among = if times == 0 { &context } else { self.among };
        let parts = replaced.alternatives.iter_mut().flatten();
        let is_code = |part: &Part| part.words.iter().any(|word| word.contains(char::is_numeric));
        let parts = parts.filter(|part| !part.excluded && !part.quoted && !is_code(part));
        for word in parts.flat_map(|part| &mut part.words) {
            let unfinished = asked.last_word() == Some(word.as_str());
            let there = self.lexicon.count(&Word { unfinished, ..Word::whole(word, self.stems) }, self.among);
            if (there == 0) != (times == 0) {
                continue;
            }
            if let Some(nearest) = self.nearest(word, there * times, among) {
                nearest.clone_into(word);
                changed = true;
            }
        }
        changed.then_some(replaced)
    }

    /// The products that have the words that are there: what replaces the others stands beside these.
    fn context(&self, asked: &Asked) -> RoaringBitmap {
        let mut context = self.among.clone();
        let [parts] = asked.alternatives.as_slice() else { return context };
        for word in parts.iter().filter(|part| !part.excluded).flat_map(|part| &part.words) {
            let with = self.lexicon.with(&Word::whole(word, self.stems)) & &context;
            if !with.is_empty() && !self.is_stop_word(word) {
                context = with;
            }
        }
        context
    }

    fn is_stop_word(&self, word: &str) -> bool {
        self.stems.get(word).is_some_and(Vec::is_empty)
    }

    /// The nearest word that is at least so frequent among some products, the most frequent one of equally near ones.
    fn nearest(&self, word: &str, least: u64, among: &RoaringBitmap) -> Option<&str> {
        let letters: Vec<char> = word.chars().collect();
        if letters.len() < LENGTH_MIN || self.is_stop_word(word) || !letters.iter().all(|letter| letter.is_alphabetic())
        {
            return None;
        }
        let typos = if letters.len() >= TWO_TYPOS_FROM { 2 } else { 1 };
        let mut best: Option<(usize, u64, &str)> = None;
        for known in self.lexicon.beginning_with(letters[0]) {
            let other: Vec<char> = known.chars().collect();
            let is_word = other.len() >= LENGTH_MIN && other.iter().all(|letter| letter.is_alphabetic());
            if !is_word || other.len().abs_diff(letters.len()) > typos || known == word {
                continue;
            }
            let Some(distance) = distance(&letters, &other).filter(|distance| *distance <= typos) else { continue };
            if best.is_some_and(|(nearest, ..)| nearest < distance) {
                continue;
            }
            let count =
                self.lexicon.count(&Word { text: known.to_owned(), stems: Vec::new(), unfinished: false }, among);
            let nearer = |(nearest, frequent, _): (usize, u64, &str)| distance < nearest || count > frequent;
            if count > 0 && count >= least && best.is_none_or(nearer) {
                best = Some((distance, count, known));
            }
        }
        best.map(|(_, _, known)| known)
    }
}

/// The edit distance between two words: insertions, deletions, swaps of neighbours and replacements (optimal string
/// alignment). None if the shortest way replaces a letter by one that is not a likely typo.
fn distance(one: &[char], other: &[char]) -> Option<usize> {
    let any = alignment(one, other, |_, _| 1);
    let may_differ = one.len() >= OTHER_LETTER_FROM;
    let likely =
        alignment(one, other, |one, other| if may_differ && are_confused(one, other) { 1 } else { one_more(any) });
    (any == likely).then_some(any)
}

fn one_more(distance: usize) -> usize {
    distance.saturating_add(1)
}

fn alignment(one: &[char], other: &[char], replacing: impl Fn(char, char) -> usize) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, theirs) in other.iter().enumerate() {
            let replaced = above[column] + if letter == theirs { 0 } else { replacing(*letter, *theirs) };
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

/// Whether one letter is typed for the other: by a finger beside its key, or by the sound.
fn are_confused(one: char, other: char) -> bool {
    SOUNDS.iter().any(|sounds| sounds.contains(one) && sounds.contains(other)) || are_neighbours(one, other)
}

fn are_neighbours(one: char, other: char) -> bool {
    let key = |letter: char| {
        KEYBOARDS.iter().enumerate().find_map(|(keyboard, rows)| {
            let in_row =
                |(row, keys): (usize, &&str)| keys.chars().position(|key| key == letter).map(|place| (row, place));
            rows.iter().enumerate().find_map(in_row).map(|(row, place)| (keyboard, row, place))
        })
    };
    let (Some((keyboard, row, place)), Some((other_keyboard, other_row, other_place))) = (key(one), key(other)) else {
        return false;
    };
    // A lower row begins half a key further to the right: below `s` lie `z` and `x`.
    let beside = match row.cmp(&other_row) {
        std::cmp::Ordering::Equal => place.abs_diff(other_place) == 1,
        std::cmp::Ordering::Less => other_row - row == 1 && (other_place == place || other_place + 1 == place),
        std::cmp::Ordering::Greater => row - other_row == 1 && (other_place == place || place + 1 == other_place),
    };
    keyboard == other_keyboard && beside
}

#[cfg(test)]
mod tests {
    use super::super::words::{FIELD, Vocabulary};
    use super::*;

    /// Words that are stems of their own, each so often in products of its own.
    fn shop(words: &[(&str, u32)]) -> (Lexicon, u32) {
        let (mut shop, mut product) = (Lexicon::default(), 0);
        for (word, count) in words {
            for _ in 0..*count {
                let (mut vocabulary, mut text) = (Vocabulary::default(), Vec::new());
                vocabulary.write(word, &mut text);
                let numbers: Vec<u32> =
                    vocabulary.words().iter().map(|it| shop.learn(it, (*it != "with").then_some(it))).collect();
                let known = |number: &u32| if *number >= FIELD { *number } else { numbers[*number as usize] };
                shop.put(product, text.iter().map(known).collect());
                product += 1;
            }
        }
        (shop, product)
    }

    fn corrected_in(words: &[(&str, u32)], typed: &str) -> Option<String> {
        let (shop, products) = shop(words);
        let asked = Asked::read(typed);
        let words = asked.parts().flat_map(|part| &part.words);
        let stems = words.map(|word| (word.clone(), vec![word.clone()])).collect();
        corrected(&asked, &stems, &shop, &(0..products).collect()).map(|asked| asked.to_string())
    }

    const CATALOG: [(&str, u32); 16] = [
        ("coffee", 3),
        ("grinder", 2),
        ("filter", 1),
        ("книга", 1),
        ("рецептов", 1),
        ("елка", 1),
        ("lamp", 2),
        ("antigua", 1),
        ("toffee", 1),
        ("phones", 9),
        ("commuter", 2),
        ("ipod", 5),
        ("damascus", 1),
        ("gs-100x", 1),
        ("with", 4),
        ("headphones", 2),
    ];

    #[test]
    fn typos_are_corrected_in_both_languages() {
        for (typed, meant) in [
            ("cofee", "coffee"),
            ("coffe grindr", "coffee grinder"),
            ("coffeee filtr", "coffee filter"),
            ("lmap", "lamp"),
            ("кинга", "книга"),
            ("рицептов", "рецептов"),
            ("елкка", "елка"),
            ("damascsu", "damascus"),
            ("grindwr", "grinder"),
            ("hedphnoes", "headphones"),
            ("grindre -lamp", "grinder -lamp"),
        ] {
            assert_eq!(corrected_in(&CATALOG, typed).as_deref(), Some(meant), "{typed}");
        }
    }

    #[test]
    fn what_may_mean_something_else_stays() {
        for typed in [
            "coffee",
            "cof",
            "att",
            "ipad",
            "computer",
            "drones",
            "xoffee",
            "lam",
            "lxmp",
            "gs100y",
            "sg-100x",
            "12345",
            "\"cofee\"",
            "-cofee",
            "wiht",
            "grinbfr",
            "",
        ] {
            assert_eq!(corrected_in(&CATALOG, typed), None, "{typed}");
        }
        assert_eq!(corrected_in(&[("toffee", 3)], "coffee"), None);
    }

    #[test]
    fn the_most_frequent_of_equally_near_words_is_meant() {
        assert_eq!(corrected_in(&[("lamps", 1), ("lampe", 3)], "lamp"), None, "it may be a beginning");
        assert_eq!(corrected_in(&[("carpet", 1), ("carper", 3)], "carpe ").as_deref(), Some("carper"));
        // The words beside it say which one.
        let trees = [("gift of three", 1), ("tree", 5)];
        assert_eq!(corrected_in(&trees, "trhee").as_deref(), Some("tree"));
        assert_eq!(corrected_in(&trees, "gift trhee").as_deref(), Some("gift three"));
        // One that is there is corrected when the other one is far more frequent.
        assert_eq!(corrected_in(&[("steel", 10), ("steal", 1)], "steal ").as_deref(), Some("steel"));
        assert_eq!(corrected_in(&[("steel", 9), ("steal", 1)], "steal "), None);
    }

    #[test]
    fn a_swap_is_one_typo_and_far_letters_are_none() {
        let of =
            |one: &str, other: &str| distance(&one.chars().collect::<Vec<_>>(), &other.chars().collect::<Vec<_>>());
        assert_eq!([of("grinder", "grindre"), of("lamp", "lap"), of("lamp", "lamp")], [Some(1), Some(1), Some(0)]);
        assert_eq!([of("grinder", "grindet"), of("grinder", "grindex"), of("lamp", "lump")], [Some(1), None, None]);
    }
}
