//! Responses of the shop held against its OpenAPI document: what the document does not allow, no test may see.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::{Draft, Validator};
use reqwest::Method;
use serde_json::{Map, Value, json};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(byteshop_gateway::http::openapi::document()).expect("the document is JSON"));

/// The schemas that were compiled so far, by the JSON pointers to them.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Where the components of the document are.
const COMPONENTS: &str = "/components/schemas/";
/// Where the schema of problems is.
const PROBLEM: &str = "/components/schemas/Problem";
/// Behind the name of a schema of which an object satisfies others as well, so that it may have their fields.
const PART: &str = "+";
/// The most faults of one response that are told.
const FAULTS_MAX: usize = 8;

/// Statuses that no operation lists, and why.
const UNLISTED: [(u16, &str); 2] = [
    (304, "the client has the response already (`If-None-Match`); there is no body to describe"),
    (500, "a fault of the program itself, which a test provokes"),
];

/// How paths begin that are no part of the API: pages for people, and what only a shop in development has.
const PAGES: [&str; 4] = ["/docs", "/problems/", "/dev", "/pay/"];

/// A response, as far as the document speaks of it.
#[derive(Clone, Copy)]
pub struct Response<'a> {
    /// The method of its request.
    pub method: &'a Method,
    /// The path of its request, without the query.
    pub path: &'a str,
    /// Its status.
    pub status: u16,
    /// Its `Content-Type`.
    pub content_type: Option<&'a str>,
    /// Its body: null when there is none, a string when it is not JSON.
    pub body: &'a Value,
}

/// Refuses a response that the document does not allow: an unlisted status or media type, a missing or an unknown field, a value
/// outside of its schema.
///
/// # Panics
/// When it is not allowed.
#[track_caller]
pub fn check(response: Response<'_>) {
    if let Err(wrong) = allowed(response) {
        let Response { method, path, status, body, .. } = response;
        panic!("{method} {path} answers {status}, which is not in the OpenAPI document: {wrong}\n{body}");
    }
}

/// Whether the document allows a response, or what is wrong with it.
pub fn allowed(response: Response<'_>) -> Result<(), String> {
    let Some(at) = operation(response.method, response.path) else { return without_operation(response) };
    if response.is_problem() && !response.path.starts_with("/v1/") {
        return fits(PROBLEM, response.body);
    }
    let status = response.status.to_string();
    let Some((at, listed)) = followed(format!("{at}/responses/{status}")) else {
        let is_known = UNLISTED.iter().any(|(unlisted, _)| *unlisted == response.status);
        return if is_known { Ok(()) } else { Err("the operation does not list this status".to_owned()) };
    };
    let content = listed["content"].as_object();
    if response.body.is_null() {
        let is_silent = *response.method == Method::HEAD || response.media_type() == "text/event-stream";
        return if content.is_none() || is_silent { Ok(()) } else { Err("it has no body".to_owned()) };
    }
    let media_type = response.media_type();
    // A file is of any kind.
    if content.is_none_or(|content| !content.contains_key(media_type) && !content.contains_key("*/*")) {
        return Err(format!("the operation does not list the media type `{media_type}`"));
    }
    if !media_type.ends_with("json") {
        return Ok(());
    }
    fits(&format!("{at}/content/{}/schema", escaped(media_type)), response.body)
}

/// What is asked for at a path that the document does not have: a page, or what a browser asks in advance, or else it is a problem.
fn without_operation(response: Response<'_>) -> Result<(), String> {
    let is_page = response.path == "/" || PAGES.iter().any(|page| response.path.starts_with(page));
    if is_page || *response.method == Method::OPTIONS || response.body.is_null() {
        return Ok(());
    }
    if !response.is_problem() {
        return Err("there is no such operation, and the response is no problem".to_owned());
    }
    fits(PROBLEM, response.body)
}

impl Response<'_> {
    /// Whether it is a problem (RFC 9457).
    fn is_problem(&self) -> bool {
        self.status >= 400 && self.media_type() == "application/problem+json"
    }

    /// The media type, without its parameters.
    fn media_type(&self) -> &str {
        self.content_type.and_then(|it| it.split(';').next()).unwrap_or_default().trim()
    }
}

/// The JSON pointer to the operation of a path: where several templates fit, the one with the fewest parameters.
fn operation(method: &Method, path: &str) -> Option<String> {
    let given: Vec<&str> = path.split('/').collect();
    let fitting = DOCUMENT["paths"].as_object()?.iter().filter_map(|(template, item)| {
        let parts: Vec<&str> = template.split('/').collect();
        let is_parameter = |part: &str| part.starts_with('{');
        let mut pairs = parts.iter().zip(&given);
        let fits = parts.len() == given.len()
            && pairs.all(|(part, given)| part == given || (is_parameter(part) && !given.is_empty()));
        fits.then(|| (parts.iter().filter(|part| is_parameter(part)).count(), template, item))
    });
    let (_, template, item) = fitting.min_by_key(|(parameters, ..)| *parameters)?;
    // The handlers of GET answer HEAD.
    let method = if *method == Method::HEAD { "get".to_owned() } else { method.as_str().to_lowercase() };
    item.get(&method).map(|_| format!("/paths/{}/{method}", escaped(template)))
}

/// A name as part of a JSON pointer (RFC 6901, section 3).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// What is at a JSON pointer of the document, and where it really is if that is a reference.
fn followed(at: String) -> Option<(String, &'static Value)> {
    let there = DOCUMENT.pointer(&at)?;
    match there["$ref"].as_str() {
        Some(target) => followed(target.trim_start_matches('#').to_owned()),
        None => Some((at, there)),
    }
}

/// Holds a value against the schema at a JSON pointer of the document.
fn fits(at: &str, value: &Value) -> Result<(), String> {
    let (at, _) = followed(at.to_owned()).ok_or_else(|| format!("{at} leads nowhere"))?;
    let validator = validator(at)?;
    let wrong: Vec<String> = validator
        .iter_errors(value)
        .take(FAULTS_MAX)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

/// The compiled schema at a JSON pointer of the document, which is compiled once.
fn validator(at: String) -> Result<Arc<Validator>, String> {
    if let Some(known) = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner).get(&at) {
        return Ok(Arc::clone(known));
    }
    let made = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .build(&schema(&at))
        .map(Arc::new)
        .map_err(|error| format!("the schema at {at} cannot be compiled: {error}"))?;
    VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner).insert(at, Arc::clone(&made));
    Ok(made)
}

/// The schema at a JSON pointer of the document as one of its own, with all that it refers to, closed to unknown fields.
fn schema(at: &str) -> Value {
    let mut definitions = Map::new();
    let mut schema = closed(DOCUMENT.pointer(at).unwrap_or(&Value::Null), false, &mut definitions);
    schema["$defs"] = definitions.into();
    schema
}

/// A schema that refuses unknown fields, unless it describes a part of an object alone. What it refers to is added to the definitions.
fn closed(schema: &Value, is_part: bool, definitions: &mut Map<String, Value>) -> Value {
    let Some(keywords) = schema.as_object() else { return schema.clone() };
    let is_object = keywords.contains_key("properties") || keywords.contains_key("allOf");
    let mut made = Map::new();
    for (keyword, value) in keywords {
        let value = match (keyword.as_str(), value) {
            ("$ref", Value::String(target)) => defined(target, is_part, definitions).into(),
            ("allOf" | "anyOf" | "oneOf", Value::Array(all)) => {
                all.iter().map(|one| closed(one, is_part || is_object, definitions)).collect()
            }
            ("properties", Value::Object(fields)) => {
                let fields = fields.iter().map(|(name, it)| (name.clone(), closed(it, false, definitions)));
                Value::Object(fields.collect())
            }
            ("items" | "additionalProperties", value) => closed(value, false, definitions),
            (_, value) => value.clone(),
        };
        made.insert(keyword.clone(), value);
    }
    if is_object && !is_part && !made.contains_key("additionalProperties") {
        made.insert("unevaluatedProperties".to_owned(), json!(false));
    }
    // What belongs to all of an object cannot be said of a part of it.
    if is_part && made.get("additionalProperties") == Some(&json!(false)) {
        made.remove("additionalProperties");
    }
    Value::Object(made)
}

/// Adds what a reference leads to, and gives the reference to it.
fn defined(target: &str, is_part: bool, definitions: &mut Map<String, Value>) -> String {
    let name = target.rsplit('/').next().unwrap_or_default();
    let key = format!("{name}{}", if is_part { PART } else { "" });
    if !definitions.contains_key(&key) {
        // Before what it refers to, which may be itself.
        definitions.insert(key.clone(), Value::Bool(true));
        let there = DOCUMENT.pointer(&format!("{COMPONENTS}{name}")).expect("references lead somewhere");
        let made = closed(there, is_part, definitions);
        definitions.insert(key.clone(), made);
    }
    format!("#/$defs/{key}")
}
