//! Why a text is refused, in words for its sender.

use std::fmt;

/// Why a text is refused. Its alternate form (`{:#}`) does not name the kind of text, for a reader who sees the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextError {
    /// The text is empty.
    Empty {
        /// The kind of text.
        what: &'static str,
    },
    /// The text is too long.
    TooLong {
        /// The kind of text.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// It has a character that is not allowed, or not allowed there.
    Characters {
        /// The kind of text.
        what: &'static str,
        /// The alphabet, in words.
        allowed: &'static str,
    },
    /// It has a character to which Unicode gives no meaning.
    Meaningless {
        /// The kind of text.
        what: &'static str,
        /// The character.
        letter: char,
    },
    /// It is not a single e-mail address.
    NoEmail,
    /// It has too few digits, or too many.
    Digits {
        /// The kind of text.
        what: &'static str,
        /// The fewest.
        least: usize,
        /// The most.
        most: usize,
    },
    /// It has characters, but no visible one.
    Invisible {
        /// The kind of text.
        what: &'static str,
    },
    /// It is not the code of a country.
    NoCountry,
    /// It is not an IBAN: its length is not that of its country, or its check digits do not fit.
    NoIban,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alternate = f.alternate();
        let subject = |what: &str| if alternate { "this".to_owned() } else { format!("the {what}") };
        match self {
            Self::Empty { .. } if alternate => f.write_str("must not be empty"),
            Self::Empty { what } => write!(f, "the {what} is empty"),
            Self::TooLong { what, max } => write!(f, "{} has more than {max} characters", subject(what)),
            Self::Characters { what, allowed } => write!(f, "{} may only hold {allowed}", subject(what)),
            Self::Meaningless { what, letter } => {
                let (subject, code) = (subject(what), u32::from(*letter));
                write!(f, "{subject} has the character U+{code:04X}, which has no meaning in Unicode; remove it")
            }
            Self::NoEmail => f.write_str("must be a single e-mail address such as ada@example.org"),
            Self::Digits { what, least, most } => {
                write!(f, "{} has fewer than {least} or more than {most} digits", subject(what))
            }
            Self::Invisible { what } => write!(f, "{} has no visible character", subject(what)),
            Self::NoCountry => f.write_str(NO_COUNTRY),
            Self::NoIban => f.write_str(
                "must be an IBAN such as DE89 3704 0044 0532 0130 00: its length or its check digits are wrong",
            ),
        }
    }
}

impl std::error::Error for TextError {}

/// The message for a text that is not a country.
pub const NO_COUNTRY: &str = "not a country; use a two-letter ISO 3166 code such as DE";
