//! The rules for new texts, beside those that also hold for older texts in the log.

use std::borrow::Cow;

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

use super::rules::Rules;
use super::{TextError, country, form};

/// No further rule.
#[expect(clippy::unnecessary_wraps, reason = "it is one of several rules, and the others can refuse")]
pub(super) fn any<'a>(_rules: &Rules, text: &'a str) -> Result<Cow<'a, str>, TextError> {
    Ok(Cow::Borrowed(text))
}

/// It has a visible character.
pub(super) fn seen<'a>(rules: &Rules, text: &'a str) -> Result<Cow<'a, str>, TextError> {
    let seen = text.chars().any(is_seen);
    if seen { Ok(Cow::Borrowed(text)) } else { Err(TextError::Invisible { what: rules.what }) }
}

/// It has a visible character, and stays on one line: U+2028 and U+2029 break lines as a line feed does.
pub(super) fn seen_on_a_line<'a>(rules: &Rules, text: &'a str) -> Result<Cow<'a, str>, TextError> {
    if text.contains(['\u{2028}', '\u{2029}']) {
        return Err(TextError::Characters { what: rules.what, allowed: "printable characters on one line" });
    }
    seen(rules, text)
}

/// An e-mail address whose domain can exist: its Unicode labels have a form in the DNS, and its `xn--` labels stand for
/// something.
pub(super) fn email<'a>(rules: &Rules, text: &'a str) -> Result<Cow<'a, str>, TextError> {
    let domain = text.rsplit_once('@').and_then(|(_, domain)| form::ascii_domain(domain));
    let refused = rules.unfit();
    if domain.is_some() { Ok(Cow::Borrowed(text)) } else { Err(refused) }
}

/// The code of a country, also in small letters.
pub(super) fn country<'a>(_rules: &Rules, text: &'a str) -> Result<Cow<'a, str>, TextError> {
    let code = text.to_ascii_uppercase();
    if country::is_code(&code) { Ok(Cow::Owned(code)) } else { Err(TextError::NoCountry) }
}

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

/// Whether a character leaves a mark. Unicode knows which do not by themselves; it counts the blank of Braille (U+2800) as a
/// pattern, and the frames of annotations (U+FFF9 to U+FFFB) as shown where nothing knows them.
fn is_seen(letter: char) -> bool {
    !letter.is_whitespace()
        && !letter.is_control()
        && !is_ignorable(letter)
        && !matches!(letter, '\u{2800}' | '\u{fff9}'..='\u{fffb}')
}
