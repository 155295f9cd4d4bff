//! How texts become words: in the form in which they are searched, and split at everything that is neither letter nor digit.

use std::collections::HashMap;

use byteshop_domain::text::search_form;

/// Stands between words that do not follow each other, so that no phrase reaches across it.
pub(super) const BREAK: u32 = u32::MAX;
/// Stands between the fields of a product.
pub(super) const FIELD: u32 = u32::MAX - 1;

/// The words of a part of a text between two spaces, such as `usb` and `c` of `USB-C`.
///
/// A point between two digits belongs to the number.
pub(super) fn words(part: &str) -> Vec<String> {
    let form: Vec<char> = search_form(part).chars().collect();
    let mut found: Vec<String> = Vec::new();
    let mut inside = false;
    for (place, letter) in form.iter().copied().enumerate() {
        let is_digit = |place: Option<usize>| place.and_then(|it| form.get(it)).is_some_and(char::is_ascii_digit);
        let in_number = letter == '.' && is_digit(place.checked_sub(1)) && is_digit(place.checked_add(1));
        if letter.is_alphanumeric() || in_number {
            match found.last_mut().filter(|_| inside) {
                Some(word) => word.push(letter),
                None => found.push(letter.to_string()),
            }
            inside = true;
        } else {
            inside = false;
        }
    }
    found
}

/// Words with a number each, while products are read.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    numbers: HashMap<String, u32>,
    words: Vec<String>,
}

impl Vocabulary {
    /// The words, by their numbers.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Writes the words of a text as numbers. Those that are joined by punctuation are there as one word, too, and both parts of a
    /// number with a point.
    pub fn write(&mut self, text: &str, into: &mut Vec<u32>) {
        let mut others = Vec::new();
        for part in text.split_whitespace() {
            let words = words(part);
            if words.len() > 1 {
                others.push(words.concat());
            }
            let numbers = words.iter().filter(|word| word.contains('.'));
            others.extend(numbers.flat_map(|number| number.split('.')).map(str::to_owned));
            into.extend(words.into_iter().map(|word| self.number(word)));
        }
        into.push(BREAK);
        for word in others {
            into.extend([self.number(word), BREAK]);
        }
    }

    /// Writes a code: its words, and all of it without what stands between them.
    pub fn write_code(&mut self, code: &str, into: &mut Vec<u32>) {
        let words: Vec<String> = code.split_whitespace().flat_map(words).collect();
        let whole = self.number(words.concat());
        if words.len() > 1 {
            into.extend(words.into_iter().map(|word| self.number(word)));
            into.push(BREAK);
        }
        into.extend([whole, BREAK]);
    }

    fn number(&mut self, word: String) -> u32 {
        if let Some(number) = self.numbers.get(&word) {
            return *number;
        }
        let number = u32::try_from(self.words.len()).unwrap_or(FIELD);
        self.words.push(word.clone());
        self.numbers.insert(word, number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_where_neither_a_letter_nor_a_digit_stands() {
        for (part, expected) in [
            ("USB-C", &["usb", "c"][..]),
            ("AT&T", &["at", "t"]),
            ("L'Oréal", &["l", "oreal"]),
            ("women’s", &["women", "s"]),
            ("4.7\"", &["4.7"]),
            ("4,7", &["4", "7"]),
            ("v2.", &["v2"]),
            (".5", &["5"]),
            ("black/white", &["black", "white"]),
            ("'quoted'", &["quoted"]),
            ("Ёлочный", &["елочный"]),
            ("-", &[]),
            ("", &[]),
            ("😀", &[]),
            ("हिन्दी", &["हिन", "दी"]),
        ] {
            assert_eq!(words(part), expected, "{part}");
        }
    }

    #[test]
    fn what_punctuation_joins_is_one_word_too() {
        let mut vocabulary = Vocabulary::default();
        let mut text = Vec::new();
        vocabulary.write("Wi-Fi router", &mut text);
        assert_eq!(text, [0, 1, 2, BREAK, 3, BREAK]);
        assert_eq!(vocabulary.words(), ["wi", "fi", "router", "wifi"]);
        let mut code = Vec::new();
        vocabulary.write_code("WI 100-x", &mut code);
        assert_eq!((vocabulary.words()[4..].join(" "), code), ("wi100x 100 x".into(), vec![0, 5, 6, BREAK, 4, BREAK]));
        let mut number = Vec::new();
        vocabulary.write("1.7", &mut number);
        assert_eq!(vocabulary.words()[7..].join(" "), "1.7 1 7");
        assert_eq!(number, [7, BREAK, 8, BREAK, 9, BREAK]);
    }
}
