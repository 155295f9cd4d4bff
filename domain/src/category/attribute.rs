//! The attributes that a category declares for its products; its descendants inherit them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::rejections::{DEFINITIONS_MAX, Rejection, VALUES_MAX};
use crate::Locale;
use crate::bounded::Bounded;
use crate::text::{AttributeName, Label, Unit};

/// The maximum number of labels of an attribute: one for each language.
pub const LABELS_MAX: usize = Locale::ALL.len();

/// An attribute of the products of a category, as it was set: what was left out is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttributeDefinition {
    /// The name used in products and filters.
    pub name: AttributeName,
    /// The type of its values.
    pub r#type: AttributeType,
    /// The allowed values of a choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Bounded<Vec<Label>, { VALUES_MAX }>,
    /// The unit, such as `mm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub unit: Option<Unit>,
    /// Whether it is required for publishing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// Whether it is offered as a filter.
    #[serde(default, skip_serializing_if = "is_false")]
    pub filterable: bool,
    /// The label by language: `en` and `ru`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: Bounded<BTreeMap<Locale, Label>, { LABELS_MAX }>,
}

/// The type of an attribute's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeType {
    /// Text.
    Text,
    /// A whole number.
    Number,
    /// True or false.
    Boolean,
    /// One of the allowed texts.
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

/// The definitions that apply to a category: its own and those of its ancestors; of several with one name, the nearest one.
/// `nearest_first` are the definitions of the category itself, of its parent, and so on.
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
