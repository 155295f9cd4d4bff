//! The form in which texts are searched and sorted: spellings that people do not distinguish have the same form.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

/// Brings a text to the form in which it is searched. Texts that are searched and texts that people type both go through it.
///
/// It is compatibility normalization (NFKC) and full case folding (Unicode, section 3.13), without accents on letters other
/// than Cyrillic ones, and without invisible characters. Of the Cyrillic letters `ё` becomes `е`; `й` and `ї` are letters of
/// their own, and stress marks are removed. Letters that Unicode does not decompose become what people type for them: `ł` is
/// `l`, `ß` is `ss`. The dotted and the dotless Turkish `i` are both `i`. Trademark signs are spaces.
pub fn search_form(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    // They would become letters behind the name that they stand at.
    let text = text.replace(['™', '℠'], " ");
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(&text);
    let mut base = ' ';
    let mut folded = String::with_capacity(decomposed.len());
    for letter in decomposed.chars().filter(|letter| !ignorable.contains(*letter)) {
        if is_mark(letter) {
            if belongs_to(letter, base) {
                folded.push(letter);
            }
            continue;
        }
        base = letter;
        // Upper case first: that makes `ss` of `ß`, one letter of both forms of sigma, and `i` of the dotless one.
        for letter in letter.to_uppercase().flat_map(char::to_lowercase) {
            match plain(letter) {
                Some(plain) => folded.push_str(plain),
                None => folded.push(letter),
            }
        }
    }
    ComposingNormalizerBorrowed::new_nfc().normalize(&folded).into_owned()
}

/// Whether it is an accent. Signs of vowels in the scripts of India and voicing marks of Japanese are none.
pub(super) fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}')
}

/// Whether a mark makes another letter of its base: the breve of `й` and `ў`, the dots of `ї`.
fn belongs_to(mark: char, base: char) -> bool {
    let cyrillic = matches!(base, '\u{400}'..='\u{52f}');
    cyrillic && (mark == '\u{306}' || (mark == '\u{308}' && !matches!(base, 'е' | 'Е')))
}

/// What people type for a letter that has no decomposition.
pub(super) fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ŧ' => "t",
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::search_form;

    #[test]
    fn what_people_do_not_tell_apart_is_the_same() {
        for (text, form) in [
            ("AT&T", "at&t"),
            ("Café", "cafe"),
            ("Cafe\u{301}", "cafe"),
            ("GRÖSSE", "grosse"),
            ("Größe", "grosse"),
            ("\u{130}stanbul", "istanbul"),
            ("i\u{307}stanbul", "istanbul"),
            ("ISTANBUL", "istanbul"),
            ("ısparta", "isparta"),
            ("Łódź", "lodz"),
            ("Đakovo Ŧ Ħ", "dakovo t h"),
            ("Smørrebrød", "smorrebrod"),
            ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
            ("Σίσυφος", "σισυφοσ"),
            ("Ёлка", "елка"),
            ("за\u{301}мок", "замок"),
            ("Чай", "чай"),
            ("Чаи\u{306}", "чай"),
            ("їжа", "їжа"),
            ("ﬁlter", "filter"),
            ("Ｓ７", "s7"),
            ("½ l", "1⁄2 l"),
            ("Insignia™ 27\"", "insignia  27\""),
            ("soft\u{ad}ware", "software"),
            ("ガラス", "ガラス"),
            ("ｶﾞﾗｽ", "ガラス"),
            ("हिन्दी", "हिन्दी"),
            ("", ""),
        ] {
            assert_eq!(search_form(text), form, "{text}");
        }
    }

    #[test]
    fn the_form_of_a_form_is_itself() {
        for text in ["Größe", "\u{130}I\u{307}ıi", "ﷺ", "Ǆ", "ŉ", "ΐ", "ẞ", "ᾳ", "Ꭰꭰ", "\u{1f600}", "й\u{301}"]
        {
            let form = search_form(text);
            assert_eq!(search_form(&form), form, "{text}");
        }
    }
}
