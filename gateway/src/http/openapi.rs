//! The contract as OpenAPI 3.1: routes and their documentation are one thing, and what all of them share is added here.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use byteshop_projections::{product_list, sales};
use serde_json::{Value, json};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use super::{
    accounts, admin, api_keys, auth, bulk, carts, categories, commission, digital_goods, disputes, downloads, exports,
    files, gift_cards, images, keys, ledger, licences, matrix, me, notifications, operations, order_keys, orders,
    payment_methods, payments, payouts, paypal, print, products, promotions, provider, receipts, returns, search,
    second_factor, sellers, sessions, shipments, shipping, stock, store_credit, story, tax, unsubscribe, updates,
    variants, webhooks_out,
};
use crate::app::Shared;
use crate::edge::access;
use crate::edge::body::FAULTS_MAX;
use crate::edge::contract::Contract;
use crate::edge::values::{Day, DayOrTime, Limit, Moment, Time};

mod answers;
mod values;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "ByteShop",
        description = "An event-sourced commerce backend. Commands append events to one log and answer with its position; \
            queries read views of the log, and wait for a given position on request.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "catalog", description = "Categories, products and their variants"),
        (name = "stock", description = "On hand, reserved and available quantities"),
        (name = "sellers", description = "Sellers of the marketplace and their members"),
        (name = "licences", description = "Checking and activating licence keys"),
        (name = "carts", description = "Carts and checkout"),
        (name = "shipping", description = "Shipping zones, services and quotes"),
        (name = "promotions", description = "Coupons and automatic promotions"),
        (name = "tax", description = "Tax rates"),
        (name = "orders", description = "Orders, cancellations and returns"),
        (name = "payments", description = "Payments, refunds, gift cards and store credit"),
        (name = "auth", description = "Registration and sessions"),
        (name = "me", description = "The caller's profile, settings and address book"),
        (name = "notifications", description = "Notifications and watches"),
        (name = "webhooks", description = "Outgoing webhooks (Standard Webhooks)"),
        (name = "delivery", description = "Shipments and tracking"),
        (name = "admin", description = "For staff"),
        (name = "operations", description = "For operators"),
    ),
    components(schemas(
        // Only parameters refer to these, which adds no schema by itself.
        product_list::Sort, product_list::Shown, sales::By, Limit, Time, Day, DayOrTime, Moment))
)]
struct Api;

static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::of(&value()));

/// The contract of the routes.
pub fn contract() -> &'static LazyLock<Contract> {
    &CONTRACT
}

/// The document, as JSON text.
pub fn document() -> &'static str {
    CONTRACT.document()
}

/// The document, to be looked into.
fn value() -> Value {
    let (_, api) = routes().split_for_parts();
    let mut document = serde_json::to_value(api).unwrap_or_default();
    values::write_out(&mut document);
    answers::require_null(&mut document);
    complete(&mut document);
    document
}

/// Every route, with its documentation.
pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Api::openapi())
        .merge(categories::routes())
        .merge(products::routes())
        .merge(bulk::routes())
        .merge(images::routes())
        .merge(search::routes())
        .merge(variants::routes())
        .merge(matrix::routes())
        .merge(stock::routes())
        .merge(sellers::routes())
        .merge(keys::routes())
        .merge(digital_goods::routes())
        .merge(files::routes())
        .merge(licences::routes())
        .merge(carts::routes())
        .merge(shipping::routes())
        .merge(promotions::routes())
        .merge(tax::routes())
        .merge(commission::routes())
        .merge(orders::routes())
        .merge(order_keys::routes())
        .merge(downloads::routes())
        .merge(story::routes())
        .merge(returns::routes())
        .merge(payment_methods::routes())
        .merge(payments::routes())
        .merge(receipts::routes())
        .merge(gift_cards::routes())
        .merge(store_credit::routes())
        .merge(auth::routes())
        .merge(sessions::routes())
        .merge(second_factor::routes())
        .merge(me::routes())
        .merge(accounts::routes())
        .merge(api_keys::routes())
        .merge(notifications::routes())
        .merge(unsubscribe::routes())
        .merge(updates::routes())
        .merge(webhooks_out::routes())
        .merge(shipments::routes())
        .merge(print::routes())
        .merge(provider::routes())
        .merge(paypal::routes())
        .merge(admin::routes())
        .merge(ledger::routes())
        .merge(payouts::routes())
        .merge(disputes::routes())
        .merge(exports::routes())
        .merge(operations::routes())
}

/// Adds to every operation what the conventions give it: headers, and the problems it can answer with.
fn complete(document: &mut Value) {
    document["components"]["schemas"]["Problem"] = problem();
    document["components"]["securitySchemes"] = json!({
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "An access token: EdDSA, valid for ten minutes"},
        "api_key": {"type": "http", "scheme": "bearer", "description": "An API key, bsk_…; the required scope is listed with each operation"},
        "cart_token": {"type": "apiKey", "in": "header", "name": "Cart-Token", "description": "The token of a guest's cart, shown only once when the cart is created"}
    });
    add_shared(&mut document["components"]);
    // The server that serves the document, wherever it is.
    document["servers"] = json!([{"url": "/", "description": "This server"}]);
    let all_optional = without_required(&document["components"]["schemas"]);
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for (path, item) in paths {
        let Some(methods) = item.as_object_mut() else { continue };
        for (method, operation) in methods {
            if operation.get("security").is_none() {
                operation["security"] = json!([]);
            }
            if let Some(body) = operation.get_mut("requestBody")
                && body["content"]["application/json"]["schema"]["$ref"]
                    .as_str()
                    .is_some_and(|it| all_optional.contains(it))
            {
                // No body at all is the same as an empty object, except to change something.
                body["required"] = json!(method == "patch");
            }
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

/// References to the schemas of objects that may be empty.
fn without_required(schemas: &Value) -> BTreeSet<String> {
    let empty = |schema: &Value| schema["type"] == "object" && schema["required"].as_array().is_none_or(Vec::is_empty);
    let schemas = schemas.as_object().into_iter().flatten();
    schemas.filter(|(_, schema)| empty(schema)).map(|(name, _)| format!("#/components/schemas/{name}")).collect()
}

fn describe(path: &str, method: &str, operation: &mut Value) {
    let command = method != "get";
    // The caller's own data is one resource, too.
    let one = path.contains('{') || path.starts_with("/v1/me");
    let requires_version = operation["responses"].get("428").is_some();
    // Where everybody may ask, a role can still be too low for what is asked for, and the key of a program without the scope.
    let mut problems = vec![400, 401, 403, 429, 503];
    if one || command {
        // The thing itself, or one that the body names.
        problems.push(404);
    }
    if command {
        problems.extend([408, 409, 413, 415, 422]);
        if one || requires_version {
            problems.push(412);
        }
    }
    // Where a route says when it answers so, it still answers in the one form.
    let said = PROBLEMS.into_iter().filter(|status| operation["responses"].get(status.to_string()).is_some());
    problems.extend(said.collect::<Vec<_>>());
    problems.sort_unstable();
    problems.dedup();
    let is_page = operation["responses"]["200"]["content"].get("text/html").is_some();
    let form = if is_page { "Page" } else { "Problem" };
    for status in problems {
        operation["responses"][status.to_string()] = reference("responses", &format!("{form}{status}"));
    }
    if let Some(responses) = operation["responses"].as_object_mut().filter(|_| command) {
        for (_, response) in responses.iter_mut().filter(|(status, _)| status.starts_with('2')) {
            for (name, _, _) in COMMAND_HEADERS {
                response["headers"][name] = reference("headers", name);
            }
        }
    }
    let names: &[&str] = match (command, one && !requires_version) {
        (true, true) => &["X-Request-Id", "Idempotency-Key", "If-Match"],
        (true, false) => &["X-Request-Id", "Idempotency-Key"],
        (false, _) => &["X-Request-Id", "Min-Log-Position"],
    };
    let required = requires_version.then(required_version);
    let parameters = names.iter().map(|name| reference("parameters", name)).chain(required);
    match operation["parameters"].as_array_mut() {
        Some(known) => known.extend(parameters),
        None => operation["parameters"] = parameters.collect(),
    }
}

/// Headers of requests: name, meaning, type.
const PARAMETERS: [(&str, &str, &str); 4] = [
    ("X-Request-Id", "A UUID chosen by the client; the log records it beside the id that the shop assigns", "string"),
    ("Idempotency-Key", "A repeated request with the same key gets the first answer again", "string"),
    ("If-Match", "The expected version such as \"3\"; the command is refused if it differs", "string"),
    ("Min-Log-Position", "A `Log-Position` that the shop sent; the response includes everything up to it", "string"),
];

/// `If-Match` of an operation that is refused without it.
fn required_version() -> Value {
    json!({"name": "If-Match", "in": "header", "required": true, "schema": {"type": "string"},
        "description": "The `ETag` of the version that was read, or `*` to replace every version"})
}

/// Headers of what a command answers.
const COMMAND_HEADERS: [(&str, &str, &str); 3] = [
    (
        "Log-Position",
        "The position of the command's last event: a number for staff, an opaque token for everybody else",
        "string",
    ),
    ("ETag", "The version of the resource after the command", "string"),
    ("Idempotency-Replayed", "`true` if this is a repeated answer", "string"),
];

/// Everything that a problem can be answered with.
const PROBLEMS: [u16; 14] = [400, 401, 403, 404, 408, 409, 412, 413, 415, 416, 422, 428, 429, 503];

fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

/// Adds the components that operations refer to.
fn add_shared(components: &mut Value) {
    for (name, description, kind) in PARAMETERS {
        components["parameters"][name] = json!({
            "name": name, "in": "header", "required": false, "description": description, "schema": {"type": kind}
        });
    }
    for (name, description, kind) in COMMAND_HEADERS {
        components["headers"][name] = json!({"description": description, "schema": {"type": kind}});
    }
    components["headers"]["Retry-After"] =
        json!({"description": "Seconds to wait before retrying", "schema": {"type": "integer"}});
    for status in PROBLEMS {
        let mut response = json!({
            "description": meaning(status),
            "content": {"application/problem+json": {"schema": reference("schemas", "Problem")}}
        });
        if status == 429 || status == 503 {
            response["headers"]["Retry-After"] = reference("headers", "Retry-After");
        }
        components["responses"][format!("Problem{status}")] = response.clone();
        // A page tells a browser about it in another page.
        response["content"]["text/html"] = json!({"schema": {"type": "string"}});
        components["responses"][format!("Page{status}")] = response;
    }
}

fn meaning(status: u16) -> &'static str {
    match status {
        400 => "A header, the query or the JSON is malformed",
        401 => "Authentication is required, or the credentials are invalid",
        403 => "The role does not permit this",
        404 => "Not found, or not visible to the caller",
        408 => "The body did not arrive in time",
        409 => "The current state conflicts with the request",
        412 => "The version differs from `If-Match`",
        413 => "The body is too large",
        415 => "The media type of the body is not supported",
        416 => "The file does not have the range",
        422 => "The body is valid JSON that the rules refuse",
        428 => "`If-Match` is missing",
        429 => "Too many requests",
        _ => "Temporarily unavailable: retry after `Retry-After`",
    }
}

/// The schema of problems (RFC 9457, section 3.1).
fn problem() -> Value {
    json!({
        "type": "object",
        "description": "A problem (RFC 9457)",
        "required": ["type", "title", "status", "detail", "code", "errors", "instance"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference", "example": "/problems/order.already_paid"},
            "title": {"type": "string", "example": "Order already paid"},
            "status": {"type": "integer", "example": 409},
            "detail": {"type": "string", "example": "the order is already paid"},
            "code": {"type": "string", "description": "A stable code for programs", "example": "order.already_paid"},
            "errors": {"type": "array", "maxItems": FAULTS_MAX,
                "description": "What is wrong with the body or the query, all of it at once; `code` and `detail` are those of one of them",
                "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "A JSON pointer into the body", "example": "/price/amount"},
                    "parameter": {"type": "string", "description": "The name of a query parameter", "example": "limit"},
                    "detail": {"type": "string", "description": "What is wrong with it"}
                }
            }},
            "instance": {"type": "string", "description": "The request", "example": "urn:uuid:018f3e5c-0000-7000-8000-000000000000"}
        }
    })
}
