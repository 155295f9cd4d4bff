//! The schemas of request bodies, as the document of the routes has them.

use std::collections::HashMap;

use http::Method;
use serde_json::{Map, Value};

/// Where the document keeps the schema of a body.
const OF_BODY: &str = "/requestBody/content/application~1json/schema";
/// What a reference to a schema begins with.
const NAMED: &str = "#/components/schemas/";

/// The schemas of all bodies that routes take.
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    /// By the route, as `post /v1/orders`.
    by_route: HashMap<String, Value>,
    /// What they refer to, by name.
    named: Map<String, Value>,
}

/// The schema of a body, or of a part of one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema<'a> {
    pub(super) bodies: &'a Bodies,
    pub(super) root: &'a Value,
}

impl Bodies {
    /// Takes them from the document.
    pub(crate) fn of(document: &Value) -> Self {
        let mut bodies = Self::default();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if let Some(schema) = operation.pointer(OF_BODY) {
                    bodies.collect(schema, &document["components"]["schemas"]);
                    bodies.by_route.insert(format!("{method} {path}"), schema.clone());
                }
            }
        }
        bodies
    }

    /// Takes what a schema refers to.
    fn collect(&mut self, schema: &Value, all: &Value) {
        match schema {
            Value::Object(parts) => {
                if let Some(name) = parts.get("$ref").and_then(name_of)
                    && !self.named.contains_key(name)
                {
                    self.named.insert(name.to_owned(), all[name].clone());
                    self.collect(&all[name], all);
                }
                parts.values().for_each(|part| self.collect(part, all));
            }
            Value::Array(parts) => parts.iter().for_each(|part| self.collect(part, all)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// The schema of the body of a route; none when it takes no JSON.
    pub(crate) fn at(&self, method: &Method, path: &str) -> Option<Schema<'_>> {
        Some(Schema { bodies: self, root: self.by_route.get(&route(method, path))? })
    }

    /// What a reference leads to, or the schema itself.
    pub(super) fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        schema.get("$ref").and_then(name_of).and_then(|name| self.named.get(name)).unwrap_or(schema)
    }
}

impl Schema<'_> {
    /// The schema of the elements of a list.
    pub(crate) fn of_items(self) -> Option<Self> {
        let root = self.bodies.resolved(self.root).get("items")?;
        Some(Self { root, ..self })
    }
}

fn route(method: &Method, path: &str) -> String {
    format!("{} {path}", method.as_str().to_ascii_lowercase())
}

fn name_of(reference: &Value) -> Option<&str> {
    reference.as_str()?.strip_prefix(NAMED)
}
