//! Why a text is refused, as its sender reads it.

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing is there.
    #[error("the {what} is empty")]
    Empty {
        /// What the text would be.
        what: &'static str,
    },
    /// There is too much of it.
    #[error("the {what} has more than {max} characters")]
    TooLong {
        /// What the text would be.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// It has a character that it may not have, or has it in the wrong place.
    #[error("the {what} may only hold {allowed}")]
    Characters {
        /// What the text would be.
        what: &'static str,
        /// The alphabet, in words.
        allowed: &'static str,
    },
    /// It is not the address of one mailbox.
    #[error("must be a single e-mail address such as ada@example.org")]
    NoEmail,
    /// It has too few digits, or too many.
    #[error("the {what} has fewer than {least} or more than {most} digits")]
    Digits {
        /// What the text would be.
        what: &'static str,
        /// The fewest.
        least: usize,
        /// The most.
        most: usize,
    },
    /// There are characters, and nobody sees any of them.
    #[error("the {what} has no visible character")]
    Invisible {
        /// What the text would be.
        what: &'static str,
    },
    /// No country has this code.
    #[error("{NO_COUNTRY}")]
    NoCountry,
}

/// What is said of a country that is none.
pub const NO_COUNTRY: &str = "not a country; use a two-letter ISO 3166 code such as DE";
