//! How the maximum of a type gets into the document.
//!
//! The attributes of a schema take `max_length`, `max_items` and `max_properties` as literals only, which could say something else
//! than the type that is read. So a field names its type, `default = max::<Title>`: the maximum travels as the default value of
//! the field and is put in its place here. No field has a real default that is an object with this key.

use byteshop_domain::Limited;
use serde_json::{Map, Value, json};

/// The key under which a maximum travels.
const CARRIED: &str = "x-max";

/// The maximum of a type, to be put in its place by [`settle`].
pub(in crate::http) fn max<T: Limited>() -> Value {
    json!({CARRIED: T::MAX})
}

/// Adds every maximum: `maxLength` of a text, `maxItems` of a list, `maxProperties` of a map.
pub(super) fn settle(document: &mut Value) {
    match document {
        Value::Object(schema) => {
            place(schema);
            schema.values_mut().for_each(settle);
        }
        Value::Array(all) => all.iter_mut().for_each(settle),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn place(schema: &mut Map<String, Value>) {
    let Some(max) = schema.get("default").and_then(|carried| carried.get(CARRIED)).cloned() else { return };
    schema.shift_remove("default");
    // A type that may be null is a list of two.
    let is = |kind: &str| {
        let several = schema["type"].as_array().is_some_and(|kinds| kinds.iter().any(|known| known == kind));
        several || schema["type"] == kind
    };
    let keyword = if is("array") {
        "maxItems"
    } else if is("object") {
        "maxProperties"
    } else {
        "maxLength"
    };
    schema.insert(keyword.to_owned(), max);
}

#[cfg(test)]
mod tests {
    use byteshop_domain::Bounded;
    use byteshop_domain::text::Name;

    use super::*;

    #[test]
    fn a_maximum_is_put_where_the_type_of_the_field_says() {
        let list = max::<Bounded<Vec<u8>, 7>>;
        let mut document = json!({"a": {"type": ["string", "null"], "default": max::<Name>()},
            "b": {"type": "array", "items": {"type": "object", "default": list()}, "default": list()},
            "c": {"type": "integer", "default": 20}});
        settle(&mut document);
        assert_eq!(
            document,
            json!({"a": {"type": ["string", "null"], "maxLength": 120},
                "b": {"type": "array", "items": {"type": "object", "maxProperties": 7}, "maxItems": 7},
                "c": {"type": "integer", "default": 20}})
        );
    }
}
