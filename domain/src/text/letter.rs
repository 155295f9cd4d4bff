//! What Unicode says about a character.

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Whether Unicode gives a character a meaning. Those for private use (Co) mean what a font makes of them; unassigned ones and
/// noncharacters (Cn) mean nothing yet, or never will. RFC 8264, section 4.3, refuses them in free text too.
pub(super) fn has_meaning(letter: char) -> bool {
    let category = |letter| CodePointMapData::<GeneralCategory>::new().get(letter);
    letter.is_ascii() || !matches!(category(letter), GeneralCategory::PrivateUse | GeneralCategory::Unassigned)
}

/// Whether Unicode counts a character among those that nothing shows (Default_Ignorable_Code_Point).
pub fn is_ignorable(letter: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(letter)
}

/// Whether no reader sees that a character is there: it is neither a mark nor a space within a line.
pub fn is_hidden(letter: char) -> bool {
    let is_space = letter.is_whitespace() && !matches!(letter, '\u{2028}' | '\u{2029}');
    !is_space && !letter.is_control() && !is_seen(letter)
}

/// Whether a character leaves a mark. Unicode knows which do not by themselves; it counts the blank of Braille (U+2800) as a
/// pattern, and the frames of annotations (U+FFF9 to U+FFFB) as shown where nothing knows them.
pub(super) fn is_seen(letter: char) -> bool {
    !letter.is_whitespace()
        && !letter.is_control()
        && !is_ignorable(letter)
        && !matches!(letter, '\u{2800}' | '\u{fff9}'..='\u{fffb}')
}
