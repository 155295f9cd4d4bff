//! The languages of the shop.

use serde::{Deserialize, Serialize};

/// A language, by its BCP 47 tag.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// Russian.
    Ru,
}

impl Locale {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::En, Self::Ru];

    /// Its tag.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ru => "ru",
        }
    }

    /// The first language of an `Accept-Language` header that the shop has (RFC 9110, section 12.5.4). Clients list their
    /// preferred language first, so weights are ignored.
    pub fn accepted(header: &str) -> Option<Self> {
        header.split(',').find_map(|range| {
            let tag = range.split(';').next()?.trim();
            let primary = tag.split('-').next()?;
            Self::ALL.into_iter().find(|locale| primary.eq_ignore_ascii_case(locale.as_str()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_language_is_taken() {
        assert_eq!(Locale::accepted("ru-RU,ru;q=0.9,en;q=0.8"), Some(Locale::Ru));
        assert_eq!(Locale::accepted("de-DE, en-GB;q=0.5"), Some(Locale::En));
        assert_eq!(Locale::accepted("*"), None);
        assert_eq!(Locale::accepted(""), None);
    }
}
