//! The contract as OpenAPI 3.1: routes and their documentation are one thing, and what all of them share is added here.

use std::sync::LazyLock;

use axum::Router;
use axum::middleware::from_fn;
use axum::response::Redirect;
use axum::routing::get;
use serde_json::{Value, json};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::access;

mod bounds;

pub(super) use bounds::max;

use super::{
    Shared, accounts, admin, api_keys, auth, bulk, carts, categories, dev_mail, images, local, matrix, me,
    notifications, operations, orders, payments, print, products, promotions, provider, returns, search, sessions,
    shipments, shipping, stock, story, tax, variants, webhooks_out,
};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "ByteShop",
        description = "An event-sourced shop. Commands append to one log and answer with its position; \
            queries read views of it, and wait for a position when asked to.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "catalog", description = "Categories, products and their variants"),
        (name = "stock", description = "What is on hand, reserved and available"),
        (name = "carts", description = "What somebody means to buy"),
        (name = "shipping", description = "How things are sent, where to and at what price"),
        (name = "promotions", description = "Coupons, and what is given by itself"),
        (name = "tax", description = "What is taxed at which rate"),
        (name = "orders", description = "What somebody bought"),
        (name = "payments", description = "What is paid for an order"),
        (name = "auth", description = "How somebody gets an account, and gets in"),
        (name = "me", description = "What is kept of whoever asks"),
        (name = "notifications", description = "What people are told, and what they want to hear"),
        (name = "webhooks", description = "Other programs that are told what happens (Standard Webhooks)"),
        (name = "delivery", description = "How it gets to people"),
        (name = "admin", description = "For staff"),
        (name = "operations", description = "For those who run the shop"),
    ),
    components(schemas(super::show::Money))
)]
struct Api;

static DOCUMENT: LazyLock<String> = LazyLock::new(|| serde_json::to_string_pretty(&value()).unwrap_or_default());

/// The document, as JSON text.
pub fn document() -> &'static str {
    &DOCUMENT
}

/// The document, to be looked into.
pub(crate) fn value() -> Value {
    let (_, api) = routes().split_for_parts();
    let mut document = serde_json::to_value(api).unwrap_or_default();
    bounds::settle(&mut document);
    complete(&mut document);
    document
}

/// Every route, with its documentation.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Api::openapi())
        .merge(categories::routes())
        .merge(products::routes())
        .merge(bulk::routes())
        .merge(images::routes())
        .merge(search::routes())
        .merge(variants::routes())
        .merge(matrix::routes())
        .merge(stock::routes())
        .merge(carts::routes())
        .merge(shipping::routes())
        .merge(promotions::routes())
        .merge(tax::routes())
        .merge(orders::routes())
        .merge(story::routes())
        .merge(returns::routes())
        .merge(payments::routes())
        .merge(auth::routes())
        .merge(sessions::routes())
        .merge(me::routes())
        .merge(accounts::routes())
        .merge(api_keys::routes())
        .merge(notifications::routes())
        .merge(webhooks_out::routes())
        .merge(shipments::routes())
        .merge(print::routes())
        .merge(provider::routes())
        .merge(admin::routes())
        .merge(operations::routes())
}

/// The page that shows the document to people; all of it comes from this program.
pub(super) fn pages() -> Router<Shared> {
    let docs: Router<Shared> = SwaggerUi::new("/docs").config(Config::from("/openapi.json")).into();
    // Whoever follows the address that `up` prints finds out where they are.
    docs.route("/", get(async || Redirect::temporary("/docs/")))
}

/// The pages of development.
pub(super) fn development() -> Router<Shared> {
    dev_mail::routes().merge(provider::pages()).route_layer(from_fn(local::only))
}

/// Adds to every operation what the conventions give it: headers, and the problems it can answer with.
fn complete(document: &mut Value) {
    document["components"]["schemas"]["Problem"] = problem();
    document["components"]["securitySchemes"] = json!({
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "An access token: EdDSA, ten minutes"},
        "api_key": {"type": "http", "scheme": "bearer", "description": "The key of a program, bsk_…; the scope that it needs is named beside it"},
        "cart_token": {"type": "apiKey", "in": "header", "name": "Cart-Token", "description": "The token of a guest's cart, told once when it was made"}
    });
    add_shared(&mut document["components"]);
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for (path, item) in paths {
        let Some(methods) = item.as_object_mut() else { continue };
        for (method, operation) in methods {
            if path.starts_with("/v1/") {
                let scope = access::scope_by_tag(method, path, operation);
                if let (Some(scope), Some(ways)) = (scope, operation["security"].as_array_mut()) {
                    ways.push(json!({"api_key": [scope.as_str()]}));
                }
                describe(path, method, operation);
            }
        }
    }
}

fn describe(path: &str, method: &str, operation: &mut Value) {
    let command = method != "get";
    // What is kept of whoever asks is one thing, too.
    let one = path.contains('{') || path.starts_with("/v1/me");
    let security = operation.get("security").map(Value::to_string).unwrap_or_default();
    let mut problems = vec![400, 429, 503];
    if !security.is_empty() {
        problems.push(401);
    }
    let public = security.is_empty() || security.contains("{}");
    if !public {
        // A role or the key of a program that may not.
        problems.push(403);
    }
    if one {
        problems.push(404);
    }
    if command {
        problems.extend([408, 409, 413, 415, 422]);
        if one {
            problems.push(412);
        }
    }
    // Where a route says when it answers so, it still answers in the one form.
    let said = PROBLEMS.into_iter().filter(|status| operation["responses"].get(status.to_string()).is_some());
    problems.extend(said.collect::<Vec<_>>());
    problems.sort_unstable();
    problems.dedup();
    for status in problems {
        operation["responses"][status.to_string()] = reference("responses", &format!("Problem{status}"));
    }
    if let Some(responses) = operation["responses"].as_object_mut().filter(|_| command) {
        for (_, response) in responses.iter_mut().filter(|(status, _)| status.starts_with('2')) {
            for (name, _, _) in COMMAND_HEADERS {
                response["headers"][name] = reference("headers", name);
            }
        }
    }
    let names: &[&str] = match (command, one) {
        (true, true) => &["X-Request-Id", "Idempotency-Key", "If-Match"],
        (true, false) => &["X-Request-Id", "Idempotency-Key"],
        (false, _) => &["X-Request-Id", "Min-Log-Position"],
    };
    let parameters = names.iter().map(|name| reference("parameters", name));
    match operation["parameters"].as_array_mut() {
        Some(known) => known.extend(parameters),
        None => operation["parameters"] = parameters.collect(),
    }
}

/// Headers of requests: name, meaning, type.
const PARAMETERS: [(&str, &str, &str); 4] = [
    ("X-Request-Id", "A UUID that names the request; a new one otherwise", "string"),
    ("Idempotency-Key", "The same request with the same key gets the first answer again", "string"),
    ("If-Match", "The version that was seen, such as \"3\"; another one is refused", "string"),
    ("Min-Log-Position", "The position that the answer must include", "integer"),
];

/// Headers of what a command answers.
const COMMAND_HEADERS: [(&str, &str, &str); 3] = [
    ("Log-Position", "The position of the command's last event", "integer"),
    ("ETag", "The version of what was changed", "string"),
    ("Idempotency-Replayed", "`true` when this is the first answer again", "string"),
];

/// Everything that a problem can be answered with.
const PROBLEMS: [u16; 12] = [400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 429, 503];

fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

/// What the operations refer to.
fn add_shared(components: &mut Value) {
    for (name, description, kind) in PARAMETERS {
        components["parameters"][name] = json!({
            "name": name, "in": "header", "required": false, "description": description, "schema": {"type": kind}
        });
    }
    for (name, description, kind) in COMMAND_HEADERS {
        components["headers"][name] = json!({"description": description, "schema": {"type": kind}});
    }
    components["headers"]["Retry-After"] = json!({"description": "Seconds to wait", "schema": {"type": "integer"}});
    for status in PROBLEMS {
        let mut response = json!({
            "description": meaning(status),
            "content": {"application/problem+json": {"schema": reference("schemas", "Problem")}}
        });
        if status == 429 || status == 503 {
            response["headers"]["Retry-After"] = reference("headers", "Retry-After");
        }
        components["responses"][format!("Problem{status}")] = response;
    }
}

fn meaning(status: u16) -> &'static str {
    match status {
        400 => "A header, the query or the JSON cannot be read",
        401 => "No credentials, or bad ones",
        403 => "Not with this role",
        404 => "There is no such thing, or not for the one who asks",
        408 => "The body did not arrive in time",
        409 => "The state of things is in the way",
        412 => "The version is another than If-Match says",
        413 => "The body is too large",
        415 => "The body is not JSON",
        422 => "The rules refuse what the body says",
        429 => "Too many requests",
        _ => "Not now: come back after Retry-After",
    }
}

/// The schema of problems (RFC 9457, section 3.1).
fn problem() -> Value {
    json!({
        "type": "object",
        "description": "What is in the way (RFC 9457)",
        "required": ["type", "title", "status", "detail", "code", "errors", "instance"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference", "example": "/problems/order.already_paid"},
            "title": {"type": "string", "example": "order already paid"},
            "status": {"type": "integer", "example": 409},
            "detail": {"type": "string", "example": "the order is paid already"},
            "code": {"type": "string", "description": "Stable, for programs", "example": "order.already_paid"},
            "errors": {"type": "array", "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "A JSON pointer into the body", "example": "/price/amount"},
                    "parameter": {"type": "string", "description": "The name of a parameter of the query", "example": "limit"},
                    "detail": {"type": "string"}
                }
            }},
            "instance": {"type": "string", "description": "The request", "example": "urn:uuid:018f3e5c-0000-7000-8000-000000000000"}
        }
    })
}
