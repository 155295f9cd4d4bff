//! The form in which banks read names: the characters that each bank in SEPA must support (EPC217-08).

use icu_normalizer::DecomposingNormalizerBorrowed;

use super::HOLDER_MAX;
use super::search::{is_mark, plain};

/// Brings a name to the characters of SEPA, so that no bank refuses a whole file because of it: letters lose their accents, and what no
/// bank has to read becomes a full stop. It is not longer than the name of a holder may be.
pub fn bank_form(name: &str) -> String {
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(name);
    let mut form = String::with_capacity(name.len());
    for letter in decomposed.chars().filter(|letter| !is_mark(*letter)) {
        let lower = letter.to_lowercase().next().unwrap_or(letter);
        match (letter, plain(lower)) {
            ('a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '-' | '?' | ':' | '(' | ')' | '.' | ',' | '\'' | '+', _) => {
                form.push(letter);
            }
            ('&', _) => form.push('+'),
            // A name must not begin or end with a slash, nor have two of them.
            ('_' | '/', _) => form.push('-'),
            (_, Some(plain)) if letter == lower => form.push_str(plain),
            (_, Some(plain)) => form.push_str(&plain.to_ascii_uppercase()),
            (_, None) => form.push('.'),
        }
    }
    form.truncate(HOLDER_MAX);
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_characters_of_sepa_alone() {
        for (name, form) in [
            ("Ada Lovelace", "Ada Lovelace"),
            ("M\u{fc}ller & S\u{f6}hne", "Muller + Sohne"),
            ("\u{141}\u{f3}d\u{17a} Stra\u{df}e \u{c6}r\u{f8}", "Lodz Strasse AEro"),
            ("\u{6f22}\u{5b57}\u{1f44d}<>", "....."),
            ("/A//B/ \"C\" _", "-A--B- .C. -"),
        ] {
            assert_eq!(bank_form(name), form, "{name}");
        }
        assert_eq!(bank_form(&"\u{df}".repeat(HOLDER_MAX)).len(), HOLDER_MAX);
    }
}
