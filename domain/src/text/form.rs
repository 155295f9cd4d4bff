//! Forms of Unicode text, of passwords and of domains.

use std::borrow::Cow;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// Normalization Form C (UAX #15): letters with marks are one character where Unicode has one. It changes how a text is
/// written, never what it says.
pub fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { ComposingNormalizerBorrowed::new_nfc().normalize(text) }
}

/// Normalization Form KC (UAX #15): besides, full-width letters, ligatures and the like become what they stand for. For codes
/// alone, whose look does not matter.
pub fn nfkc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { ComposingNormalizerBorrowed::new_nfkc().normalize(text) }
}

/// Normalization Form D (UAX #15): letters and marks are characters of their own.
pub(super) fn nfd(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { DecomposingNormalizerBorrowed::new_nfd().normalize(text) }
}

/// The password that a text is, as RFC 8265, section 4.2 (OpaqueString) prepares it: every space is U+0020, and the whole is in
/// Normalization Form C. Capitals and width count.
pub fn opaque(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    // Of white space beyond ASCII only separators of words are spaces (category Zs): U+0085, U+2028 and U+2029 are not.
    let is_space = |letter: char| {
        letter.is_whitespace() && !letter.is_ascii() && !matches!(letter, '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let spaced: String = text.chars().map(|letter| if is_space(letter) { ' ' } else { letter }).collect();
    Cow::Owned(nfc(&spaced).into_owned())
}

/// A domain in the form that the DNS knows, in lower case (UTS #46, non-transitional, with the rules of STD 3):
/// `bücher.example` is `xn--bcher-kva.example`. None if it is not a domain.
///
/// A domain of plain ASCII without `xn--` labels is only put into lower case.
pub fn ascii_domain(domain: &str) -> Option<String> {
    if domain.is_ascii() && !has_punycode(domain) {
        return Some(domain.to_ascii_lowercase());
    }
    idna::domain_to_ascii_strict(domain).ok()
}

/// Whether a domain has a label that stands for one beyond ASCII.
pub(super) fn has_punycode(domain: &str) -> bool {
    let prefix = |label: &str| label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    domain.split('.').any(prefix)
}

/// In lower case and Normalization Form C.
pub(super) fn lower(text: &str) -> String {
    nfc(&nfc(text).to_lowercase()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_composed_and_its_spaces_are_plain() {
        assert_eq!(opaque("pa\u{308}sswo\u{308}rd"), "p\u{e4}ssw\u{f6}rd");
        assert_eq!(opaque("a\u{a0}b\u{3000}ｃ"), "a b ｃ");
        assert_eq!(opaque("Correct  Horse"), "Correct  Horse");
    }
}
