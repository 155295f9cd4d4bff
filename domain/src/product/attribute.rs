//! The value of an attribute: a text, a whole number or a yes or no.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::text::{AttributeName, LABEL_MAX, Label};

/// What a product is, beside its texts.
pub type Attributes = BTreeMap<AttributeName, AttributeValue>;

/// The value of an attribute; its type is the one it has in JSON.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum AttributeValue {
    /// Such as `"oak"`.
    Text(Label),
    /// Such as `40`; fractions are counted in a smaller unit.
    Integer(i64),
    /// Such as `true`.
    Boolean(bool),
}

#[cfg(feature = "openapi")]
crate::openapi::value!(
    AttributeValue,
    crate::openapi::one_of([
        <Label as crate::openapi::PartialSchema>::schema(),
        <i64 as crate::openapi::PartialSchema>::schema(),
        <bool as crate::openapi::PartialSchema>::schema(),
    ])
);

impl fmt::Display for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Integer(number) => number.fmt(f),
            Self::Boolean(yes) => yes.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for AttributeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ByType)
    }
}

/// Written by hand, as serde's untagged enums cannot say what was expected.
struct ByType;

impl Visitor<'_> for ByType {
    type Value = AttributeValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a text of at most {LABEL_MAX} characters, a whole number of 64 bits, or true or false")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<AttributeValue, E> {
        Label::new(text).map(AttributeValue::Text).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<AttributeValue, E> {
        Ok(AttributeValue::Integer(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<AttributeValue, E> {
        let number = i64::try_from(number);
        number.map(AttributeValue::Integer).map_err(|_| E::custom("a whole number of more than 64 bits"))
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<AttributeValue, E> {
        Ok(AttributeValue::Boolean(yes))
    }
}
