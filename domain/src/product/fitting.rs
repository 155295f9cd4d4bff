//! Whether a product's attributes match the definitions of its category.

use super::{AttributeValue, Created, Rejection};
use crate::category::{AttributeDefinition, AttributeType};

impl Created {
    /// Refuses attributes that the category does not have, or that have another type; and, once the product is to be published,
    /// missing ones.
    ///
    /// `definitions` are those that apply to the category; without any, all attributes are allowed.
    pub fn check_attributes(&self, definitions: &[&AttributeDefinition]) -> Result<(), Rejection> {
        if definitions.is_empty() {
            return Ok(());
        }
        for (name, value) in &self.attributes {
            let definition = definitions.iter().find(|definition| definition.name == *name);
            let definition = definition.ok_or_else(|| Rejection::AttributeUnknown { name: name.clone() })?;
            check(definition, value)?;
        }
        let missing = |it: &&&AttributeDefinition| it.required && !self.attributes.contains_key(&it.name);
        match definitions.iter().find(missing) {
            Some(definition) if self.is_to_be_seen() => {
                Err(Rejection::AttributeMissing { name: definition.name.clone() })
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn check(definition: &AttributeDefinition, value: &AttributeValue) -> Result<(), Rejection> {
    let mistyped = |expected| Err(Rejection::AttributeType { name: definition.name.clone(), expected });
    match (definition.r#type, value) {
        (AttributeType::Text, AttributeValue::Text(_))
        | (AttributeType::Number, AttributeValue::Integer(_))
        | (AttributeType::Boolean, AttributeValue::Boolean(_)) => Ok(()),
        (AttributeType::Choice, AttributeValue::Text(text)) if definition.values.contains(text) => Ok(()),
        (AttributeType::Choice, AttributeValue::Text(_)) => {
            Err(Rejection::AttributeChoice { name: definition.name.clone() })
        }
        (AttributeType::Text | AttributeType::Choice, AttributeValue::Integer(_) | AttributeValue::Boolean(_)) => {
            mistyped("a text")
        }
        (AttributeType::Number, AttributeValue::Text(_) | AttributeValue::Boolean(_)) => mistyped("a whole number"),
        (AttributeType::Boolean, AttributeValue::Text(_) | AttributeValue::Integer(_)) => mistyped("true or false"),
    }
}
