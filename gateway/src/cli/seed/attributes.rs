//! Declares what the products of a category have, so that people can filter by it.

use std::collections::BTreeMap;

use byteshop_commands::use_cases::categories;
use byteshop_commands::{Error, Unit as Work};
use byteshop_domain::Bounded;
use byteshop_domain::category::{AttributeDefinition, AttributeType, Category};
use byteshop_domain::ids::CategoryId;
use byteshop_domain::product::AttributeValue;
use byteshop_domain::text::{AttributeName, Unit};

use super::demo::DemoProduct;

/// The units, by the ending of the attribute's name.
const UNITS: [(&str, &str); 6] =
    [("_mm", "mm"), ("_cm", "cm"), ("_ml", "ml"), ("_l", "l"), ("_g", "g"), ("_gsm", "g/m²")];
/// Names of people are no list to choose from.
const OPEN: [&str; 2] = ["artist", "author"];

/// Declares them, in the order of their names.
pub(super) async fn declare(unit: Work, id: CategoryId, attributes: Vec<AttributeDefinition>) -> Result<(), Error> {
    let mut category = unit.load::<Category>(id).await?;
    categories::declare_attributes(&unit, &mut category, attributes)
}

/// The attributes of these products.
pub(super) fn of<'a>(products: impl Iterator<Item = &'a DemoProduct>) -> Vec<AttributeDefinition> {
    let mut found: BTreeMap<&AttributeName, AttributeDefinition> = BTreeMap::new();
    for (name, value) in products.flat_map(|product| &product.attributes) {
        let definition = found.entry(name).or_insert_with(|| definition(name, value));
        if let AttributeValue::Text(text) = value
            && definition.r#type == AttributeType::Choice
            && !definition.values.contains(text)
        {
            definition.values.extend([text.clone()]);
        }
    }
    found.into_values().collect()
}

fn definition(name: &AttributeName, value: &AttributeValue) -> AttributeDefinition {
    let r#type = match value {
        AttributeValue::Text(_) if OPEN.contains(&name.as_str()) => AttributeType::Text,
        AttributeValue::Text(_) => AttributeType::Choice,
        AttributeValue::Integer(_) => AttributeType::Number,
        AttributeValue::Boolean(_) => AttributeType::Boolean,
    };
    let counts = UNITS.iter().find(|(ending, _)| name.as_str().ends_with(ending));
    AttributeDefinition {
        name: name.clone(),
        r#type,
        values: Bounded::default(),
        unit: counts.and_then(|(_, unit)| Unit::new(unit).ok()),
        required: false,
        filterable: true,
        labels: Bounded::default(),
    }
}
