//! What a category asks of its products: attributes with a type each, which its subcategories inherit.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::rejections::{DEFINITIONS_MAX, Rejection, VALUES_MAX};
use crate::Locale;
use crate::bounded::Bounded;
use crate::text::{AttributeName, Label, Unit};

/// Most labels of an attribute: one for each language.
pub const LABELS_MAX: usize = Locale::ALL.len();

/// An attribute that the products of a category have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeDefinition {
    /// Its name in products and filters.
    pub name: AttributeName,
    /// What its values are.
    pub r#type: AttributeType,
    /// The values there can be, in their order, when it is a choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Bounded<Vec<Label>, VALUES_MAX>,
    /// What its numbers count, such as `mm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// Whether a product is published only with it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// Whether people filter by it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub filterable: bool,
    /// What people call it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: Bounded<BTreeMap<Locale, Label>, LABELS_MAX>,
}

/// What the values of an attribute are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeType {
    /// Any text.
    Text,
    /// Whole numbers.
    Number,
    /// Yes or no.
    Boolean,
    /// One of some texts.
    Choice,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference to the field")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// Refuses definitions that contradict each other or themselves.
pub(super) fn check(definitions: &[AttributeDefinition]) -> Result<(), Rejection> {
    if definitions.len() > DEFINITIONS_MAX {
        return Err(Rejection::TooManyAttributes);
    }
    let mut names = BTreeSet::new();
    for (at, definition) in definitions.iter().enumerate() {
        if !names.insert(&definition.name) {
            return Err(Rejection::AttributeTwice { at });
        }
        let different = definition.values.iter().collect::<BTreeSet<_>>().len();
        let fits = match definition.r#type {
            AttributeType::Choice => (1..=VALUES_MAX).contains(&different) && different == definition.values.len(),
            AttributeType::Text | AttributeType::Number | AttributeType::Boolean => different == 0,
        };
        if !fits {
            return Err(Rejection::AttributeValues { at });
        }
    }
    Ok(())
}

/// What counts for a category: its own definitions and those of the categories above it, of which the nearest of a name
/// is the one that counts. `nearest_first` are the definitions of the category itself, of its parent, and so on.
pub fn effective<'a>(
    nearest_first: impl IntoIterator<Item = &'a [AttributeDefinition]>,
) -> Vec<&'a AttributeDefinition> {
    let mut found: Vec<&AttributeDefinition> = Vec::new();
    for definition in nearest_first.into_iter().flatten() {
        if found.iter().all(|known| known.name != definition.name) {
            found.push(definition);
        }
    }
    found
}
