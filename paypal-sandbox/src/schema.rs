//! PayPal's own OpenAPI documents, trimmed to the operations of the sandbox, and the check of a body against them.
//!
//! The check knows the keywords that the documents use, and a test stops at any other. Another test compares its verdicts with those of
//! the crate `jsonschema`, which is not a part of the program because it would add two dozen crates to every build.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::operation::Operation;

/// The documents.
const FILES: [(&str, &str); 5] = [
    ("checkout_orders_v2", include_str!("../openapi/checkout_orders_v2.json")),
    ("payments_payment_v2", include_str!("../openapi/payments_payment_v2.json")),
    ("payments_payouts_batch_v1", include_str!("../openapi/payments_payouts_batch_v1.json")),
    ("customer_disputes_v1", include_str!("../openapi/customer_disputes_v1.json")),
    ("notifications_webhooks_v1", include_str!("../openapi/notifications_webhooks_v1.json")),
];
/// Faults of one body that are told: a longer list is not read.
const FAULTS_MAX: usize = 20;

static DOCUMENTS: LazyLock<HashMap<&'static str, Value>> = LazyLock::new(|| {
    let parsed = FILES.map(|(name, text)| (name, serde_json::from_str(text).expect("a test reads the documents")));
    parsed.into_iter().collect()
});

static PATTERNS: LazyLock<HashMap<String, Regex>> = LazyLock::new(|| {
    let mut patterns = HashMap::new();
    DOCUMENTS.values().for_each(|document| collect(document, &mut patterns));
    patterns
});

fn collect(value: &Value, patterns: &mut HashMap<String, Regex>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(pattern)) = members.get("pattern")
                && !patterns.contains_key(pattern)
            {
                patterns.insert(pattern.clone(), Regex::new(pattern).expect("a test compiles the patterns"));
            }
            members.values().for_each(|member| collect(member, patterns));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, patterns)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A required member is missing.
    Missing,
    /// It is of another type.
    Type,
    /// It is none of the allowed values, or out of range.
    Value,
    /// The text has another form.
    Form,
    /// The text is too short or too long.
    Length,
    /// The list is too short.
    TooFew,
    /// The list is too long.
    TooMany,
}

/// A fault of a body: where, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Breach {
    /// The place, as a JSON pointer.
    pub pointer: String,
    /// What is wrong there.
    pub wrong: Wrong,
}

/// The faults of a request body. A request without a body has none if the document does not require one.
pub(super) fn request(operation: Operation, body: Option<&Value>) -> Vec<Breach> {
    let (document, described) = described(operation);
    let Some(content) = described.get("requestBody") else { return Vec::new() };
    let content = resolve(document, content);
    let Some(body) = body else {
        let is_required = content.get("required").and_then(Value::as_bool).unwrap_or_default();
        let missing = Breach { pointer: String::new(), wrong: Wrong::Missing };
        return if is_required { vec![missing] } else { Vec::new() };
    };
    let schema = content.pointer("/content/application~1json/schema");
    schema.map_or_else(Vec::new, |schema| check(document, schema, body))
}

/// The faults of a response body. A status that the document does not list is held against its `default`.
pub(super) fn response(operation: Operation, status: u16, body: Option<&Value>) -> Vec<Breach> {
    let (document, described) = described(operation);
    let responses = described.get("responses");
    let listed = responses.and_then(|it| it.get(status.to_string()).or_else(|| it.get("default")));
    let unlisted = vec![Breach { pointer: "/status".to_owned(), wrong: Wrong::Value }];
    let Some(listed) = listed else { return if status >= 500 { Vec::new() } else { unlisted } };
    let schema = resolve(document, listed).pointer("/content/application~1json/schema");
    match (schema, body) {
        (Some(schema), Some(body)) => check(document, schema, body),
        (Some(_), None) => vec![Breach { pointer: String::new(), wrong: Wrong::Missing }],
        (None, _) => Vec::new(),
    }
}

/// The document of an operation, and the operation in it.
fn described(operation: Operation) -> (&'static Value, &'static Value) {
    let row = operation.row();
    let document = &DOCUMENTS[row.document];
    (document, &document["paths"][row.path][row.method.to_lowercase()])
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let reference = value.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix('#'));
    reference.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

fn check(document: &'static Value, schema: &'static Value, body: &Value) -> Vec<Breach> {
    let mut check = Check { document, pointer: String::new(), breaches: Vec::new() };
    check.value(schema, body);
    check.breaches.truncate(FAULTS_MAX);
    check.breaches
}

struct Check {
    document: &'static Value,
    pointer: String,
    breaches: Vec<Breach>,
}

impl Check {
    fn add(&mut self, wrong: Wrong) {
        self.breaches.push(Breach { pointer: self.pointer.clone(), wrong });
    }

    fn at(&mut self, part: &str, check: impl FnOnce(&mut Self)) {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&part.replace('~', "~0").replace('/', "~1"));
        check(self);
        self.pointer.truncate(length);
    }

    fn value(&mut self, schema: &'static Value, value: &Value) {
        let schema = resolve(self.document, schema);
        if let Some(name) = schema.get("type").and_then(Value::as_str)
            && !is_of_type(name, value)
        {
            return self.add(Wrong::Type);
        }
        if schema.get("enum").and_then(Value::as_array).is_some_and(|all| !all.contains(value)) {
            self.add(Wrong::Value);
        }
        for part in list(schema, "allOf") {
            self.value(part, value);
        }
        let fits = |part: &'static Value| check(self.document, part, value).is_empty();
        let any = list(schema, "anyOf");
        let one = list(schema, "oneOf");
        let is_wrong = (!any.is_empty() && !any.iter().any(fits))
            || (!one.is_empty() && one.iter().filter(|part| fits(part)).count() != 1);
        if is_wrong {
            self.add(Wrong::Value);
        }
        match value {
            Value::String(text) => self.text(schema, text),
            Value::Array(items) => self.array(schema, items),
            Value::Object(members) => self.object(schema, members),
            Value::Number(number) => {
                let limit = |name| schema.get(name).and_then(Value::as_i64);
                let below = number.as_i64().zip(limit("minimum")).is_some_and(|(number, least)| number < least);
                let above = number.as_i64().zip(limit("maximum")).is_some_and(|(number, most)| number > most);
                if below || above {
                    self.add(Wrong::Value);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn text(&mut self, schema: &Value, text: &str) {
        let length = text.chars().count();
        if limit(schema, "minLength").is_some_and(|least| length < least)
            || limit(schema, "maxLength").is_some_and(|most| length > most)
        {
            self.add(Wrong::Length);
        }
        let pattern = schema.get("pattern").and_then(Value::as_str).and_then(|pattern| PATTERNS.get(pattern));
        let is_uri = schema.get("format").and_then(Value::as_str) == Some("uri");
        if pattern.is_some_and(|pattern| !pattern.is_match(text)) || (is_uri && reqwest::Url::parse(text).is_err()) {
            self.add(Wrong::Form);
        }
    }

    fn array(&mut self, schema: &'static Value, items: &[Value]) {
        if limit(schema, "minItems").is_some_and(|least| items.len() < least) {
            self.add(Wrong::TooFew);
        }
        if limit(schema, "maxItems").is_some_and(|most| items.len() > most) {
            self.add(Wrong::TooMany);
        }
        let Some(of) = schema.get("items") else { return };
        for (index, item) in items.iter().enumerate() {
            self.at(&index.to_string(), |check| check.value(of, item));
        }
    }

    fn object(&mut self, schema: &'static Value, members: &serde_json::Map<String, Value>) {
        for name in list(schema, "required").iter().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                self.at(name, |check| check.add(Wrong::Missing));
            }
        }
        let Some(known) = schema.get("properties").and_then(Value::as_object) else { return };
        for (name, of) in known {
            if let Some(value) = members.get(name) {
                self.at(name, |check| check.value(of, value));
            }
        }
    }
}

fn list(schema: &'static Value, name: &str) -> &'static [Value] {
    schema.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn limit(schema: &Value, name: &str) -> Option<usize> {
    schema.get(name).and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok())
}

fn is_of_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
