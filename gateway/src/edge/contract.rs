//! The contract of the routes: their document, the callers of each route, and which routes have parameters.

use std::collections::HashSet;
use std::sync::OnceLock;

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use super::access::{self, Access, Table};
use super::body::schema::{Bodies, Schema};
use super::caching;

/// The contract of the routes.
#[derive(Debug)]
pub struct Contract {
    document: String,
    /// The document in gzip, compressed at the first use.
    compressed: OnceLock<Option<Bytes>>,
    access: Table,
    /// The operations that take parameters, as `get /v1/orders`; each of them reads its own.
    taking: HashSet<String>,
    bodies: Bodies,
}

impl Contract {
    /// Reads the document that the routes make.
    pub fn of(document: &Value) -> Self {
        Self {
            document: serde_json::to_string_pretty(document).unwrap_or_default(),
            compressed: OnceLock::new(),
            access: access::read(document),
            taking: taking(document),
            bodies: Bodies::of(document),
        }
    }

    /// The document, as JSON text.
    pub fn document(&self) -> &str {
        &self.document
    }

    /// The document in gzip; none when it cannot be compressed.
    pub(crate) fn compressed(&self) -> Option<&Bytes> {
        self.compressed.get_or_init(|| caching::compressed(self.document.as_bytes())).as_ref()
    }

    /// Every route with who may call it.
    pub fn routes(&self) -> &Table {
        &self.access
    }

    /// The callers of a route; none if it is not in the document. The route of a GET serves HEAD as well.
    pub fn access(&self, method: &str, path: &str) -> Option<&Access> {
        let method = if method == "HEAD" { "GET" } else { method };
        self.access.get(&(method.to_owned(), path.to_owned()))
    }

    /// The schema of the body of a route; none when it takes no JSON.
    pub(crate) fn body(&self, method: &Method, path: &str) -> Option<Schema<'_>> {
        self.bodies.at(method, path)
    }

    /// Whether a route takes parameters in its query. The route of a GET answers HEAD too.
    pub(super) fn takes_parameters(&self, method: &Method, path: &str) -> bool {
        let method = match *method {
            Method::HEAD => "get".to_owned(),
            ref method => method.as_str().to_ascii_lowercase(),
        };
        self.taking.contains(&format!("{method} {path}"))
    }
}

fn taking(document: &Value) -> HashSet<String> {
    let mut taking = HashSet::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let mut parameters = operation["parameters"].as_array().into_iter().flatten();
            if parameters.any(|parameter| parameter["in"] == "query") {
                taking.insert(format!("{method} {path}"));
            }
        }
    }
    taking
}
