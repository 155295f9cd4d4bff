//! The document of the contract says what the program does, and is kept beside the code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use byteshop_gateway::http::openapi::document;
use byteshop_tests::shop::TestShop;
use reqwest::Method;
use serde_json::{Value, json};

/// The paths and methods of the document.
fn operations() -> Vec<(String, Method, Value)> {
    let document: Value = serde_json::from_str(document()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push((path.clone(), method.to_uppercase().parse().unwrap(), operation.clone()));
        }
    }
    operations
}

/// `make openapi` writes the file anew.
#[test]
fn the_document_in_docs_is_the_programs() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    #[expect(clippy::disallowed_methods, reason = "the tests have no configuration but the environment")]
    if std::env::var_os("BYTESHOP_TEST_WRITE").is_some() {
        std::fs::write(&file, format!("{}\n", document())).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.trim_end() == document(), "docs/openapi.json is not what the program serves: run `make openapi`");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_in_the_document_and_there() {
    let shop = TestShop::start().await;
    let served = shop.get("/openapi.json").send().await.expect(200);
    assert_eq!(served.text("/openapi"), "3.1.0");
    for (path, method, _) in operations() {
        let filled = path
            .replace("/products/{id}", "/products/prod_00000000000000000000000001")
            .replace("/variants/{id}", "/variants/var_00000000000000000000000001")
            .replace("{variant}", "var_00000000000000000000000001")
            .replace("{id}", "x");
        let answer = shop.call(method.clone(), &filled).send().await;
        // It is there where the shop is connected to PayPal.
        if path == "/v1/webhooks/paypal" {
            assert_eq!(answer.status, 404, "{method} {path}");
            continue;
        }
        assert_ne!(answer.body["code"], "request.not_found", "{method} {path}");
        assert_ne!(answer.status, 405, "{method} {path}");
        assert!(answer.status < 500, "{method} {path}: {}", answer.body);
    }
}

/// Routes that clients of this part of the shop rely on.
#[test]
fn every_promised_route_is_there() {
    let there: BTreeSet<String> =
        operations().into_iter().map(|(path, method, _)| format!("{method} {path}")).collect();
    for promised in [
        "GET /v1/categories",
        "POST /v1/categories",
        "GET /v1/categories/{id}",
        "PATCH /v1/categories/{id}",
        "POST /v1/categories/{id}/archive",
        "GET /v1/products",
        "POST /v1/products",
        "GET /v1/products/{id}",
        "PATCH /v1/products/{id}",
        "POST /v1/products/{id}/publish",
        "POST /v1/products/{id}/unpublish",
        "POST /v1/products/{id}/archive",
        "POST /v1/products/{id}/variants",
        "PATCH /v1/products/{id}/variants/{variant}",
        "DELETE /v1/products/{id}/variants/{variant}",
        "GET /v1/variants/{id}/stock",
        "POST /v1/variants/{id}/stock",
        "POST /v1/carts",
        "GET /v1/carts/{id}",
        "PUT /v1/carts/{id}/lines/{variant}",
        "DELETE /v1/carts/{id}/lines/{variant}",
        "PUT /v1/carts/{id}/address",
        "POST /v1/carts/{id}/checkout",
        "GET /v1/orders",
        "GET /v1/orders/{id}",
        "POST /v1/orders/{id}/cancel",
        "POST /v1/orders/{id}/fulfil",
        "GET /v1/orders/{id}/history",
        "GET /v1/me/orders",
        "POST /v1/orders/{id}/payments",
        "GET /v1/payments/{id}",
        "POST /v1/payments/{id}/cancel",
        "DELETE /v1/payments/{id}/covers/{value}",
        "GET /v1/admin/sales",
        "GET /v1/admin/views",
        "GET /v1/admin/audit",
        "GET /health/live",
        "GET /health/ready",
        "GET /openapi.json",
        "GET /.well-known/jwks.json",
    ] {
        assert!(there.contains(promised), "{promised}");
    }
}

/// What an operation id begins with: an imperative, so that generated clients read as sentences.
const VERBS: &str = "accept activate add apply approve archive ban block cancel capture change check close confirm create deactivate discard end enrol erase export fulfil \
    get hand import invite issue list log merge move pack pause pay print publish quote reauthenticate receive record redeliver \
    refresh refund register reinstate reject remove reorder replace replay request resend reset resume retry reveal revoke \
    rotate set settle show stream suspend unban unblock unpublish unsubscribe unwatch update upsert void watch withdraw";

fn is_verb_and_noun(id: &str) -> bool {
    let end = id.find(|letter: char| !letter.is_ascii_lowercase()).unwrap_or(id.len());
    let (verb, noun) = id.split_at(end);
    VERBS.split_whitespace().any(|known| known == verb)
        && noun.starts_with(|letter: char| letter.is_ascii_uppercase())
        && noun.chars().all(char::is_alphanumeric)
}

#[test]
fn operation_ids_are_unique_and_read_as_a_verb_and_a_noun() {
    let mut seen = BTreeSet::new();
    for (path, method, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap_or_default();
        assert!(is_verb_and_noun(id), "{method} {path}: `{id}` is not lowerCamelCase of a verb and a noun");
        assert!(seen.insert(id.to_owned()), "{method} {path}: `{id}` names another operation too");
    }
}

#[test]
fn every_parameter_is_named_once() {
    let document: Value = serde_json::from_str(document()).unwrap();
    for (path, method, operation) in operations() {
        let mut seen = BTreeSet::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let named = parameter["$ref"].as_str().map_or(parameter, |it| document.pointer(&it[1..]).unwrap());
            let name = (named["in"].to_string(), named["name"].to_string());
            assert!(seen.insert(name.clone()), "{method} {path}: {name:?} is there twice");
        }
    }
}

/// The longest summary: one line beside the path in a list of operations.
const SUMMARY_MAX: usize = 90;

#[test]
fn a_generated_client_knows_the_server_what_needs_no_credentials_and_what_is_binary() {
    let document: Value = serde_json::from_str(document()).unwrap();
    assert_eq!(document["servers"][0]["url"], "/");
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(document["paths"][path]["get"]["security"], json!([]), "{path}");
    }
    let bytes = &document["components"]["schemas"]["Binary"];
    assert_eq!((&bytes["type"], &bytes["format"]), (&json!("string"), &json!("binary")));
    let is_binary = |kind: &str| kind.starts_with("image/") || kind == "application/octet-stream";
    let mut binary = 0;
    for (path, _, operation) in operations() {
        let bodies = operation["responses"].as_object().unwrap().values().chain(operation.get("requestBody"));
        let contents = bodies.filter_map(|body| body["content"].as_object()).flatten();
        for (kind, content) in contents.filter(|(kind, _)| is_binary(kind)) {
            assert_eq!(content["schema"]["$ref"], "#/components/schemas/Binary", "{path} {kind}");
            binary += 1;
        }
    }
    assert!(binary > 0, "no operation sends bytes");
}

#[test]
fn every_summary_is_one_short_plain_sentence() {
    for (path, method, operation) in operations() {
        let summary = operation["summary"].as_str().unwrap_or_default();
        let sentence = summary.ends_with('.') && summary.matches(". ").count() == 0 && !summary.contains('\n');
        assert!(sentence && summary.len() <= SUMMARY_MAX, "{method} {path}: not one short sentence: {summary}");
        assert!(!summary.contains('`') || summary.contains("`test`"), "{method} {path}: shown as it is: {summary}");
    }
}

#[test]
fn every_operation_says_what_can_go_wrong() {
    for (path, method, operation) in operations() {
        assert!(operation["summary"].is_string(), "{method} {path} has no summary");
        if !path.starts_with("/v1/") {
            continue;
        }
        let responses = operation["responses"].as_object().unwrap();
        let mut expected = vec!["400", "429", "503"];
        if method != Method::GET {
            expected.extend(["409", "413", "415", "422"]);
        }
        if path.contains('{') {
            expected.push("404");
        }
        for status in expected {
            assert!(responses.contains_key(status), "{method} {path} says nothing of {status}");
        }
        assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path} never succeeds");
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document: Value = serde_json::from_str(document()).unwrap();
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(target)) = fields.get("$ref") {
                    let found = document.pointer(target.trim_start_matches('#'));
                    assert!(found.is_some(), "{target} leads nowhere");
                }
                open.extend(fields.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
}

/// The fields of an object, with those of its parts and whether each is always there.
fn fields(schema: &Value) -> Vec<(&str, &Value, bool)> {
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|it| it == name));
    let own = schema["properties"].as_object().into_iter().flatten();
    let mut found: Vec<_> = own.map(|(name, it)| (name.as_str(), it, required(name))).collect();
    for several in ["allOf", "oneOf", "anyOf"] {
        found.extend(schema[several].as_array().into_iter().flatten().flat_map(fields));
    }
    found
}

/// A thing is called by its name, not by the word for its id; these are ids of other kinds.
const IDS: [&str; 4] = ["request_id", "correlation_id", "trace_id", "tax_id"];
/// Names that something else is called by everywhere: quantity, status, account, reason.
const OTHER_NAMES: [&str; 8] = ["units", "pieces", "lost_units", "state", "owner", "buyer", "because", "codes"];

#[test]
fn each_concept_has_one_name() {
    let document: Value = serde_json::from_str(document()).unwrap();
    for (schema, it) in document["components"]["schemas"].as_object().unwrap() {
        for (name, _, _) in fields(it) {
            let is_id = name.ends_with("_id") && !IDS.contains(&name);
            assert!(!is_id && !OTHER_NAMES.contains(&name), "{schema}.{name} is called otherwise elsewhere");
        }
    }
    for (path, method, operation) in operations() {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default();
            let is_other = ["state", "since", "to"].contains(&name) || name.ends_with("_id");
            assert!(!is_other, "{method} {path}?{name}= is called otherwise elsewhere");
        }
    }
}

/// A text that was copied to a field of another name says something else than what the field is.
#[test]
fn no_two_fields_of_different_names_have_one_description() {
    let document: Value = serde_json::from_str(document()).unwrap();
    let mut named: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, field, _) in schemas.values().flat_map(fields) {
        if let Some(description) = field["description"].as_str() {
            named.entry(description).or_default().insert(name);
        }
    }
    for (description, names) in named {
        // `class` of a rate is the `tax_class` of a variant.
        let last = |name: &str| name.rsplit('_').next().unwrap_or_default().to_owned();
        let kinds: BTreeSet<String> = names.iter().map(|name| last(name)).collect();
        assert!(kinds.len() == 1, "{names:?} cannot all be described by: {description}");
    }
}

/// Schemas of which a field may be absent from an answer, and why; this list may only become shorter.
const MAY_LACK: [&str; 16] = [
    // What only some may see: notes, the packing list, a secret that is shown once.
    "Order",
    "Papers",
    "Endpoint",
    // One of several kinds, each with fields of its own.
    "Benefit",
    "CartPriceProblem",
    // Sealed as its owner wrote it.
    "Address",
    "ProfileShown",
    "ClientShown",
    // Set by staff and shown as it was set, so that it can be sent back.
    "AttributeDefinition",
    "Terms",
    "Conditions",
    "Limits",
    "CountryTax",
    "TaxRate",
    "ShippingZone",
    "ShippingService",
];

/// Names of the schemas that a part of the document leads to.
fn reached<'a>(document: &'a Value, from: &'a Value, found: &mut BTreeSet<&'a str>) {
    match from {
        Value::Object(inner) => {
            if let Some(target) = inner.get("$ref").and_then(Value::as_str)
                && let Some(name) = target.strip_prefix("#/components/schemas/")
                && found.insert(name)
            {
                reached(document, &document["components"]["schemas"][name], found);
            }
            inner.values().for_each(|it| reached(document, it, found));
        }
        Value::Array(items) => items.iter().for_each(|it| reached(document, it, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn what_may_be_missing_from_an_answer_is_null_and_there() {
    let document: Value = serde_json::from_str(document()).unwrap();
    let operations = operations();
    let mut answers = BTreeSet::new();
    for (_, _, operation) in &operations {
        reached(&document, &operation["responses"], &mut answers);
    }
    assert!(answers.len() > 50, "{answers:?}");
    for name in answers.iter().filter(|name| **name != "Problem") {
        for (field, schema, required) in fields(&document["components"]["schemas"][*name]) {
            let kinds = [&schema["oneOf"], &schema["anyOf"]].into_iter().filter_map(Value::as_array).flatten();
            let is_null =
                |it: &Value| it == "null" || it.as_array().is_some_and(|all| all.iter().any(|it| it == "null"));
            let nullable = is_null(&schema["type"]) || kinds.clone().any(|it| is_null(&it["type"]));
            assert!(required || !nullable, "{name}.{field} is optional and nullable: which of the two is meant?");
            assert!(required || MAY_LACK.contains(name), "{name}.{field} may be absent: let it be null");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_the_document_needs_nobody_else() {
    let shop = TestShop::start().await;
    let page = shop.get("/docs/").send().await.expect(200);
    let html = page.body.as_str().unwrap();
    assert!(html.contains("swagger-ui"), "{html}");
    assert!(!html.contains("https://"), "the page loads something from elsewhere: {html}");
    shop.get("/docs/swagger-ui-bundle.js").send().await.expect(200);
    let start = shop.get("/docs/swagger-initializer.js").send().await.expect(200);
    assert!(start.body.as_str().unwrap().contains("/openapi.json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_and_its_pages_are_served_with_links_for_people() {
    let shop = TestShop::start().await;
    let plain = shop.get("/docs/api/orders.md").send().await.expect(200);
    assert!(plain.header("content-type").unwrap().starts_with("text/plain"));
    assert!(plain.body.as_str().unwrap().starts_with("# "), "{}", plain.body);
    let page = shop.get("/docs/API.md").header("Accept", "text/html").send().await.expect(200);
    let html = page.body.as_str().unwrap();
    assert!(html.contains("<a href=\"api&#x2f;orders.md\">Orders</a>"), "{html}");
    shop.get("/docs/openapi.json").send().await.expect(200);
    shop.get("/docs/nothing.md").send().await.expect_problem(404, "request.not_found");
    let nothing = shop.get("/docs/nothing.md").header("Accept", "text/html").send().await.expect(404);
    assert!(nothing.body.as_str().unwrap().contains("<html"), "{}", nothing.body);
}

#[test]
fn a_header_that_is_required_is_a_parameter() {
    let mut required = 0;
    for (path, method, operation) in operations() {
        let if_match = operation["parameters"].as_array().into_iter().flatten().find(|it| it["name"] == "If-Match");
        let refuses = operation["responses"].get("428").is_some();
        assert_eq!(if_match.is_some_and(|it| it["required"] == true), refuses, "{method} {path}");
        required += usize::from(refuses);
    }
    assert!(required >= 2, "{required}");
}
