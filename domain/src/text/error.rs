//! Why a text is refused, as its sender reads it.

use std::fmt;

/// Why a text is refused. Its alternate form (`{:#}`) does not name the kind of text, for a reader who sees the field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextError {
    /// Nothing is there.
    Empty {
        /// What the text would be.
        what: &'static str,
    },
    /// There is too much of it.
    TooLong {
        /// What the text would be.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// It has a character that it may not have, or has it in the wrong place.
    Characters {
        /// What the text would be.
        what: &'static str,
        /// The alphabet, in words.
        allowed: &'static str,
    },
    /// It is not the address of one mailbox.
    NoEmail,
    /// It has too few digits, or too many.
    Digits {
        /// What the text would be.
        what: &'static str,
        /// The fewest.
        least: usize,
        /// The most.
        most: usize,
    },
    /// There are characters, and nobody sees any of them.
    Invisible {
        /// What the text would be.
        what: &'static str,
    },
    /// No country has this code.
    NoCountry,
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
            Self::NoEmail => f.write_str("must be a single e-mail address such as ada@example.org"),
            Self::Digits { what, least, most } => {
                write!(f, "{} has fewer than {least} or more than {most} digits", subject(what))
            }
            Self::Invisible { what } => write!(f, "{} has no visible character", subject(what)),
            Self::NoCountry => f.write_str(NO_COUNTRY),
        }
    }
}

impl std::error::Error for TextError {}

/// What is said of a country that is none.
pub const NO_COUNTRY: &str = "not a country; use a two-letter ISO 3166 code such as DE";
