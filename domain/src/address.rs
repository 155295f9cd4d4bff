//! An address: the recipient of the goods and of the mails about them, and the destination. It is sealed wherever it is stored.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::bounded::Bounded;
use crate::text::{AddressLine, Country, Email, Name, Phone, PostalCode};

/// The maximum number of address lines, beside the town and the postal code: as many as fit a label.
pub const LINES_MAX: usize = 4;

/// The recipient and destination of an order: the parts that were not given are absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(example = json!({"country": "DE", "name": "Ada Lovelace", "email": "ada@example.org", "lines": ["Invalidenstraße 43"],
        "postal_code": "10115", "city": "Berlin"}))
)]
pub struct Address {
    /// The name of the recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub name: Option<Name>,
    /// The company of the recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub company: Option<Name>,
    /// The address for order mails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub email: Option<Email>,
    /// The phone number for the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub phone: Option<Phone>,
    /// Street and house number, and further lines.
    #[serde(default, skip_serializing_if = "Lines::is_empty")]
    pub lines: Lines,
    /// The postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub postal_code: Option<PostalCode>,
    /// The town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub city: Option<Name>,
    /// The state or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub region: Option<Name>,
    /// ISO 3166 alpha-2 country code; addresses from before codes were required may hold a name in answers.
    pub country: Country,
}

impl Address {
    /// A country, without further details.
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

    /// The missing parts that a parcel or a mail needs.
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

/// A part of an address that a parcel or a mail needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// A name, or a company.
    Name,
    /// A street and house number.
    Lines,
    /// A town.
    City,
    /// An e-mail address.
    Email,
}

impl Part {
    /// Its name in messages.
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

#[cfg(feature = "openapi")]
crate::openapi::value!(
    Lines,
    <Bounded<Vec<AddressLine>, LINES_MAX> as crate::openapi::PartialSchema>::schema(),
    AddressLine
);

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::text;

    #[test]
    fn an_address_lacks_what_a_parcel_or_a_mail_needs() {
        let bare = Address::to(text("DE"));
        assert_eq!(bare.lacks(), [Part::Name, Part::Lines, Part::City, Part::Email].into());
        let lines = Lines::try_from(vec![text::<AddressLine>("Invalidenstraße 43")]).unwrap();
        let whole = Address {
            company: Some(text("Ada Ltd")),
            lines,
            city: Some(text("Berlin")),
            email: Some(text("ada@example.org")),
            ..bare.clone()
        };
        assert!(whole.lacks().is_empty());
        let person = Address { name: Some(text("Ada")), company: None, ..whole };
        assert!(person.lacks().is_empty());
    }

    #[test]
    fn the_lines_of_an_address_are_written_as_they_are_read() {
        let line = |number: usize| text::<AddressLine>(&format!("line {number}"));
        let most: Vec<AddressLine> = (0..LINES_MAX).map(line).collect();
        let lines = Lines::try_from(most.clone()).unwrap();
        assert_eq!(Vec::from(lines.clone()), most);
        assert_eq!(serde_json::from_value::<Lines>(serde_json::to_value(&lines).unwrap()).unwrap(), lines);
        assert_eq!(Lines::try_from((0..=LINES_MAX).map(line).collect::<Vec<_>>()), Err(TooManyLines));
    }
}
