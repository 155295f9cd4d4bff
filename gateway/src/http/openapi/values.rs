//! Values in the document: ids, texts, numbers and lists of them have their schemas written out wherever they are used.
//!
//! A derived schema refers to the type of each field. For a value that would be one more name to look up for every id, so the reference
//! gives way to what it leads to, with the description of the field.

use byteshop_domain::openapi::{CARRIED, VALUE};
use serde_json::{Map, Value, json};

/// Where the schemas of the document are.
const SCHEMAS: &str = "#/components/schemas/";
/// Keywords of a schema in the order in which they are written; the others follow.
const ORDER: [&str; 5] = ["$ref", "type", "format", "items", "description"];

/// Writes out every value of the document, and takes the schemas of values off the list.
pub(super) fn write_out(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let (values, others): (Map<_, _>, Map<_, _>) =
        std::mem::take(schemas).into_iter().partition(|(name, _)| name.starts_with(VALUE));
    *schemas = others;
    replace(document, &values);
}

/// Replaces references to values in a part of the document.
fn replace(part: &mut Value, values: &Map<String, Value>) {
    match part {
        Value::Object(keywords) => {
            keywords.values_mut().for_each(|inner| replace(inner, values));
            if let Some(value) = referred(keywords, values) {
                *keywords = with_field(value, keywords);
            }
            if let Some(nullable) = nullable(keywords) {
                *keywords = nullable;
            }
            if let Some(carried) = carried(keywords) {
                keywords.shift_remove("default");
                keywords.extend(carried);
            }
            // The default of an optional field of a struct with defaults, which says nothing.
            if keywords.get("default") == Some(&Value::Null) {
                keywords.shift_remove("default");
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|inner| replace(inner, values)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The schema of the value that is referred to, with the values in it written out.
fn referred(keywords: &Map<String, Value>, values: &Map<String, Value>) -> Option<Map<String, Value>> {
    let name = keywords.get("$ref")?.as_str()?.strip_prefix(SCHEMAS)?;
    let mut value = values.get(name)?.clone();
    replace(&mut value, values);
    value.as_object().cloned()
}

/// The schema of a value with what is said of the field beside the reference.
fn with_field(mut value: Map<String, Value>, field: &Map<String, Value>) -> Map<String, Value> {
    let said = field.iter().filter(|(keyword, _)| *keyword != "$ref");
    value.extend(said.map(|(keyword, said)| (keyword.clone(), said.clone())));
    if let Some(carried) = carried(&value) {
        value.shift_remove("default");
        value.extend(carried);
    }
    ordered(value)
}

/// The keywords that travel as a default value.
fn carried(schema: &Map<String, Value>) -> Option<Map<String, Value>> {
    schema.get("default")?.get(CARRIED)?.as_object().cloned()
}

fn ordered(mut schema: Map<String, Value>) -> Map<String, Value> {
    let first = ORDER.iter().filter_map(|keyword| schema.shift_remove_entry(*keyword));
    let mut all: Map<String, Value> = first.collect();
    all.extend(schema);
    all
}

/// "This value or null" as one schema of two types.
fn nullable(keywords: &Map<String, Value>) -> Option<Map<String, Value>> {
    let [value, null] = keywords.get("oneOf")?.as_array()?.as_slice() else { return None };
    let value = value.as_object().filter(|it| it.contains_key("type") && !it.contains_key("properties"))?;
    if *null != json!({"type": "null"}) || value.contains_key("enum") {
        return None;
    }
    let mut field: Map<String, Value> = keywords.clone();
    field.shift_remove("oneOf");
    let mut value = with_field(value.clone(), &field);
    let kind = value.get("type")?.clone();
    value.insert("type".to_owned(), json!([kind, "null"]));
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a document with one field becomes.
    fn written(field: &Value) -> Value {
        let mut document = json!({"field": field, "components": {"schemas": {
            "value.Id": {"type": "string", "example": "ord_1"},
            "value.Ids": {"type": "array", "items": {"$ref": "#/components/schemas/value.Id"}, "maxItems": 3},
            "value.Sealed": {"$ref": "#/components/schemas/Profile"},
            "Profile": {"type": "object"},
        }}});
        write_out(&mut document);
        assert_eq!(document["components"]["schemas"], json!({"Profile": {"type": "object"}}));
        document["field"].take()
    }

    fn reference(name: &str) -> Value {
        json!({"$ref": format!("{SCHEMAS}{name}"), "description": "Which."})
    }

    #[test]
    fn a_value_is_written_out_where_it_is_used() {
        let order = json!({"type": "string", "description": "Which.", "example": "ord_1"});
        assert_eq!(written(&reference("value.Id")).to_string(), order.to_string());
        let items = json!({"type": "string", "example": "ord_1"});
        let orders = json!({"type": "array", "items": items, "description": "Which.", "maxItems": 3});
        assert_eq!(written(&reference("value.Ids")).to_string(), orders.to_string());
        assert_eq!(written(&reference("value.Sealed")), reference("Profile"));
        assert_eq!(written(&reference("Profile")), reference("Profile"));
    }

    #[test]
    fn an_optional_value_is_of_two_types() {
        let id =
            json!({"oneOf": [reference("value.Id"), {"type": "null"}], "default": {CARRIED: {"example": "ord_2"}}});
        let written_out = written(&id);
        assert_eq!(written_out, json!({"type": ["string", "null"], "description": "Which.", "example": "ord_2"}));
        // What is no value stays as it is.
        let profile = json!({"oneOf": [reference("value.Sealed"), {"type": "null"}]});
        assert_eq!(written(&profile), json!({"oneOf": [reference("Profile"), {"type": "null"}]}));
    }
}
