//! The rules for new texts, beside those that also hold for older texts in the log.

use std::borrow::Cow;

use super::letter::is_seen;
use super::rules::Rules;
use super::{TextError, country, form, iban};

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

/// An IBAN as machines write it.
#[expect(clippy::unnecessary_wraps, reason = "it is one of several rules, and the others can refuse")]
pub(super) fn iban<'a>(_rules: &Rules, text: &'a str) -> Result<Cow<'a, str>, TextError> {
    Ok(Cow::Owned(iban::compact(text)))
}
