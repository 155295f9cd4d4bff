//! What an answer has is always there: a field that may be null is null and not absent.
//!
//! A derived schema takes every `Option` for a field that may be absent, as it is in requests. Serde writes them in answers, unless a
//! field says otherwise, and then its schema says `nullable = false`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// Where the schemas of the document are.
const SCHEMAS: &str = "#/components/schemas/";

/// Requires every field that may be null of the schemas that answers alone have.
pub(super) fn require_null(document: &mut Value) {
    let (mut asked, mut answered) = (BTreeSet::new(), BTreeSet::new());
    for item in document["paths"].as_object().into_iter().flat_map(|paths| paths.values()) {
        for operation in item.as_object().into_iter().flat_map(|methods| methods.values()) {
            reach(document, &operation["requestBody"], &mut asked);
            reach(document, &operation["responses"], &mut answered);
        }
    }
    for name in answered.difference(&asked) {
        require(&mut document["components"]["schemas"][name]);
    }
}

/// Names of the schemas that a part of the document leads to.
fn reach(document: &Value, from: &Value, found: &mut BTreeSet<String>) {
    match from {
        Value::Object(inner) => {
            let target = inner.get("$ref").and_then(Value::as_str);
            if let Some(name) = target.and_then(|target| target.strip_prefix(SCHEMAS))
                && found.insert(name.to_owned())
            {
                reach(document, &document["components"]["schemas"][name], found);
            }
            inner.values().for_each(|it| reach(document, it, found));
        }
        Value::Array(items) => items.iter().for_each(|it| reach(document, it, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Requires the fields of an object, and of the parts that it is made of, that may be null.
fn require(schema: &mut Value) {
    for several in ["allOf", "oneOf", "anyOf"] {
        schema.get_mut(several).and_then(Value::as_array_mut).into_iter().flatten().for_each(require);
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let is_listed = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|known| known == name));
    let required: Vec<&String> =
        properties.iter().filter(|(name, it)| is_listed(name) || may_be_null(it)).map(|(name, _)| name).collect();
    let required = json!(required);
    if required != json!([]) {
        schema["required"] = required;
    }
}

fn may_be_null(schema: &Value) -> bool {
    let is_null = |it: &Value| it == "null" || it.as_array().is_some_and(|all| all.iter().any(|it| it == "null"));
    let several = [&schema["oneOf"], &schema["anyOf"]].into_iter().filter_map(Value::as_array).flatten();
    is_null(&schema["type"]) || several.into_iter().any(|it| is_null(&it["type"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_an_answer_that_may_be_null_is_required() {
        let number = json!({"type": ["integer", "null"]});
        let of = |name: &str| json!({"schema": {"$ref": format!("{SCHEMAS}{name}")}});
        let object =
            json!({"required": ["b"], "properties": {"a": number, "b": {"type": "string"}, "c": {"type": "string"}}});
        let mut document = json!({
            "paths": {"/things": {"post": {"requestBody": of("Asked"), "responses": {"200": of("Answered")}}}},
            "components": {"schemas": {"Asked": object, "Answered": object}},
        });
        require_null(&mut document);
        let required = |name: &str| document["components"]["schemas"][name]["required"].clone();
        assert_eq!((required("Answered"), required("Asked")), (json!(["a", "b"]), json!(["b"])));
    }
}
