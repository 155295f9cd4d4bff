//! A coupon code: capitals, width and the kind of hyphens do not count.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::text::nfkc;

/// The fewest characters of a code: shorter ones can be guessed.
const MIN: usize = 3;
/// The most characters of a code, as a person types it from paper.
const MAX: usize = 40;

/// A coupon code in its stored form, in capitals.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CouponCode(Arc<str>);

/// A text that is no coupon code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a code must have {MIN} to {MAX} letters from A to Z, digits, hyphens or underscores")]
pub struct CouponCodeError;

impl CouponCode {
    /// Checks the text and brings it to its form: without space around it, in capitals, in Normalization Form KC, and with
    /// plain hyphens, since programs for mail and text replace them by typographic ones.
    pub fn new(text: &str) -> Result<Self, CouponCodeError> {
        // U+2010 to U+2015 are hyphens and dashes; U+2212 is the minus sign.
        let hyphen = |letter| if matches!(letter, '\u{2010}'..='\u{2015}' | '\u{2212}') { '-' } else { letter };
        let text: String = nfkc(text.trim()).chars().map(hyphen).collect();
        let text = text.trim();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if (MIN..=MAX).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_ascii_uppercase().into()))
        } else {
            Err(CouponCodeError)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(feature = "openapi")]
crate::openapi::value!(CouponCode, crate::openapi::text(MIN, MAX).pattern(Some("^[A-Za-z0-9_-]+$")));

impl TryFrom<String> for CouponCode {
    type Error = CouponCodeError;
    fn try_from(text: String) -> Result<Self, CouponCodeError> {
        Self::new(&text)
    }
}

impl FromStr for CouponCode {
    type Err = CouponCodeError;
    fn from_str(text: &str) -> Result<Self, CouponCodeError> {
        Self::new(text)
    }
}

impl From<CouponCode> for String {
    fn from(code: CouponCode) -> Self {
        code.0.as_ref().to_owned()
    }
}

impl fmt::Display for CouponCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CouponCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_and_space_around_it_do_not_count() {
        assert_eq!(CouponCode::new(" spring-26 ").unwrap().as_str(), "SPRING-26");
        for written in ["ｓｐｒｉｎｇ－２６", "spring\u{2011}26", "Spring\u{2013}26\u{a0}"] {
            assert_eq!(CouponCode::new(written).unwrap().as_str(), "SPRING-26", "{written}");
        }
        assert_eq!(serde_json::to_string(&CouponCode::new("abc").unwrap()).unwrap(), r#""ABC""#);
        for text in ["", "ab", "a b c", "ßßß", "a\nb", &"x".repeat(41)] {
            assert_eq!(CouponCode::new(text), Err(CouponCodeError), "{text:?}");
        }
    }
}
