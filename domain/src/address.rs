//! An address: who gets the goods and the mails about them, and where they are. Sealed wherever it is stored.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::bounded::Bounded;
use crate::text::{AddressLine, Country, Email, Name, Phone, PostalCode};

/// Lines of an address at most, beside the town and the postal code: what fits a label.
pub const LINES_MAX: usize = 4;

/// A person and where they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// What they are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// The company they are at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<Name>,
    /// Where mails about an order go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// Whom the carrier calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// Street and house, and whatever else stands there; at most [`LINES_MAX`].
    #[serde(default, skip_serializing_if = "Lines::is_empty")]
    pub lines: Lines,
    /// The postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<PostalCode>,
    /// The town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<Name>,
    /// The state or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Name>,
    /// The country.
    pub country: Country,
}

impl Address {
    /// A country, and nothing else.
    pub fn to(country: Country) -> Self {
        Self {
            name: None,
            company: None,
            email: None,
            phone: None,
            lines: Lines::default(),
            postal_code: None,
            city: None,
            region: None,
            country,
        }
    }

    /// What nobody said, of what a parcel or a mail needs.
    pub fn lacks(&self) -> BTreeSet<Part> {
        let parts = [
            (Part::Name, self.name.is_some() || self.company.is_some()),
            (Part::Lines, !self.lines.is_empty()),
            (Part::City, self.city.is_some()),
            (Part::Email, self.email.is_some()),
        ];
        parts.into_iter().filter(|(_, there)| !there).map(|(part, _)| part).collect()
    }
}

/// What of an address a parcel or a mail needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// A name, or a company.
    Name,
    /// A street and a house.
    Lines,
    /// A town.
    City,
    /// Where mails go.
    Email,
}

impl Part {
    /// What people call it.
    pub fn for_people(self) -> &'static str {
        match self {
            Self::Name => "a name",
            Self::Lines => "a street in `lines`",
            Self::City => "a city",
            Self::Email => "an e-mail address",
        }
    }
}

/// The lines of an address, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Bounded<Vec<AddressLine>, LINES_MAX>", into = "Vec<AddressLine>")]
pub struct Lines(Vec<AddressLine>);

/// There are more lines than fit a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an address has at most {LINES_MAX} lines")]
pub struct TooManyLines;

impl Lines {
    /// The lines.
    pub fn as_slice(&self) -> &[AddressLine] {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<Vec<AddressLine>> for Lines {
    type Error = TooManyLines;
    fn try_from(lines: Vec<AddressLine>) -> Result<Self, TooManyLines> {
        if lines.len() <= LINES_MAX { Ok(Self(lines)) } else { Err(TooManyLines) }
    }
}

impl TryFrom<Bounded<Vec<AddressLine>, LINES_MAX>> for Lines {
    type Error = TooManyLines;
    fn try_from(lines: Bounded<Vec<AddressLine>, LINES_MAX>) -> Result<Self, TooManyLines> {
        Self::try_from(lines.into_inner())
    }
}

impl From<Lines> for Vec<AddressLine> {
    fn from(lines: Lines) -> Self {
        lines.0
    }
}
