//! The document of the contract says what the program does, and is kept beside the code.

use std::collections::BTreeSet;
use std::path::PathBuf;

use byteshop_gateway::http::openapi::document;
use byteshop_tests::shop::TestShop;
use reqwest::Method;
use serde_json::Value;

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
const VERBS: &str = "add approve archive ban cancel capture change check confirm create discard end enrol erase export fulfil \
    get hand list log merge move pack pause pay print publish quote reauthenticate receive record redeliver \
    refresh refund register reject remove reorder replace replay request resend reset resume retry revoke \
    rotate set stream unban unpublish unsubscribe unwatch update upsert watch withdraw";

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

/// The longest summary: one line beside the path in a list of operations.
const SUMMARY_MAX: usize = 90;

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
