//! Answers of the shop held against its OpenAPI document: what the document does not allow, no test may see.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use reqwest::Method;
use serde_json::{Map, Value};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(byteshop_gateway::http::openapi::document()).expect("the document is JSON"));

/// Deepest nesting that is looked at; no answer has more.
const DEPTH_MAX: usize = 32;

/// Refuses an answer that the document does not allow: another status, a missing or unknown field, a value of another type or
/// outside of its enum.
///
/// # Panics
/// When it is not allowed.
#[track_caller]
pub fn check(method: &Method, path: &str, status: u16, media_type: Option<&str>, body: &Value) {
    let Some(operation) = operation(method, path) else { return };
    let Some(response) = operation["responses"].get(status.to_string()).map(resolved) else {
        panic!("{method} {path} answers {status}, of which the document knows nothing: {body}");
    };
    let media_type = media_type.and_then(|it| it.split(';').next()).unwrap_or_default();
    let Some(content) = response["content"].as_object().filter(|_| !body.is_null()) else { return };
    let Some(content) = content.get(media_type) else {
        panic!("{method} {path} answers {status} as {media_type}, of which the document knows nothing");
    };
    if media_type.ends_with("json")
        && let Err(wrong) = fits(body, &content["schema"], "", 0)
    {
        panic!("{method} {path} answers {status}, and not as the document says: {wrong}\n{body}");
    }
}

/// The operation of a path: where several templates fit, the one with the fewest parameters.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap_or_default();
    let given: Vec<&str> = path.split('/').collect();
    let fitting = DOCUMENT["paths"].as_object()?.iter().filter_map(|(template, item)| {
        let parts: Vec<&str> = template.split('/').collect();
        let is_parameter = |part: &&&str| part.starts_with('{');
        let fits = parts.len() == given.len()
            && parts
                .iter()
                .zip(&given)
                .all(|(part, given)| part == given || (is_parameter(&part) && !given.is_empty()));
        fits.then(|| (parts.iter().filter(is_parameter).count(), item))
    });
    let (_, item) = fitting.min_by_key(|(parameters, _)| *parameters)?;
    item.get(method.as_str().to_lowercase())
}

/// What a reference leads to, or the thing itself.
fn resolved(it: &'static Value) -> &'static Value {
    match it["$ref"].as_str() {
        Some(target) => DOCUMENT.pointer(target.trim_start_matches('#')).expect("references lead somewhere"),
        None => it,
    }
}

/// An object schema with all that `allOf` puts together.
#[derive(Default)]
struct Object {
    properties: BTreeMap<&'static str, &'static Value>,
    required: Vec<&'static str>,
    /// Whether there may be others: of a map, and where a part of it is one of several.
    open: bool,
    values: Option<&'static Value>,
}

impl Object {
    fn add(&mut self, schema: &'static Value) {
        let schema = resolved(schema);
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            self.properties.insert(name, property);
        }
        self.required.extend(schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str));
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.add(part);
        }
        self.open |= schema.get("oneOf").is_some() || schema["additionalProperties"] == true;
        self.values = self.values.or_else(|| schema.get("additionalProperties").filter(|it| it.is_object()));
    }

    fn check(&self, value: &Map<String, Value>, at: &str, depth: usize) -> Result<(), String> {
        if let Some(missing) = self.required.iter().find(|name| !value.contains_key(**name)) {
            return Err(format!("{at}/{missing} is missing"));
        }
        for (name, value) in value {
            let at = format!("{at}/{name}");
            match self.properties.get(name.as_str()).copied().or(self.values) {
                Some(schema) => fits(value, schema, &at, depth)?,
                None if self.open => {}
                None => return Err(format!("{at} is not in the document")),
            }
        }
        Ok(())
    }
}

fn fits(value: &Value, schema: &'static Value, at: &str, depth: usize) -> Result<(), String> {
    let schema = resolved(schema);
    assert!(depth < DEPTH_MAX, "{at} is nested too deeply");
    if let Some(all) = schema["enum"].as_array()
        && !all.contains(value)
    {
        return Err(format!("{at} is {value}, and not one of {}", Value::from(all.clone())));
    }
    if let Some(kinds) = kinds(schema)
        && !kinds.iter().any(|kind| is_of(value, kind))
    {
        return Err(format!("{at} is {value}, and not of type {}", kinds.join(" or ")));
    }
    for several in ["oneOf", "anyOf"] {
        let Some(several) = schema[several].as_array() else { continue };
        let outcomes: Vec<_> = several.iter().map(|one| fits(value, one, at, depth + 1)).collect();
        if outcomes.iter().all(Result::is_err) {
            let wrong: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
            return Err(format!("{at} fits none of several: {}", wrong.join("; ")));
        }
    }
    match value {
        Value::Object(fields) if is_closed(schema) => {
            let mut object = Object::default();
            object.add(schema);
            object.check(fields, at, depth + 1)
        }
        Value::Array(items) if schema.get("items").is_some() => {
            let each = |(index, item)| fits(item, &schema["items"], &format!("{at}/{index}"), depth + 1);
            items.iter().enumerate().try_for_each(each)
        }
        Value::Object(_) | Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Ok(())
        }
    }
}

/// Whether it says which fields there are.
fn is_closed(schema: &Value) -> bool {
    ["properties", "allOf", "additionalProperties"].iter().any(|name| schema.get(name).is_some())
}

fn kinds(schema: &'static Value) -> Option<Vec<&'static str>> {
    match &schema["type"] {
        Value::String(kind) => Some(vec![kind.as_str()]),
        Value::Array(kinds) => Some(kinds.iter().filter_map(Value::as_str).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        _ => value.is_object(),
    }
}
