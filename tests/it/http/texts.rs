//! Titles and names that nobody could read are refused wherever a person writes one.

use byteshop_gateway::security::token::Role;
use byteshop_tests::shop::{Call, TestShop};
use reqwest::Method;
use serde_json::{Value, json};

/// Texts that are none for people: nothing to see, two lines in one, an order of letters turned round, a bell.
const ODD: [&str; 8] = [
    "\u{200b}",
    "\u{3164}\u{2800}",
    "\u{2060}\u{feff}",
    "a\u{2028}b",
    "a\u{2029}b",
    "a\u{202e}b",
    "a\u{2066}b",
    "a\u{7}b",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_title_that_nobody_can_read_is_refused_everywhere() {
    let shop = TestShop::start().await;
    let (admin, ada) = (shop.token(Role::Admin), shop.person("ada@example.org").await);
    let (product, variant) = shop.product("T-1", 500, 5).await;
    let category = shop.post("/v1/categories").by(&admin).json(json!({"name": "Things", "slug": "things"})).send();
    let category = category.await.expect(201).id();
    let guest = shop.guest_cart().await;
    let places = places(&product, &variant, &category, &guest.id);
    for (method, path, body, pointer) in &places {
        for odd in ODD {
            let body = fill(body, odd);
            let call = by_whom(shop.call(method.clone(), path), path, &admin, &ada.token).json(body.clone());
            let call = if path.starts_with("/v1/carts") { call.with(&guest) } else { call };
            let refused = call.send().await.expect_problem(422, "request.invalid");
            assert_eq!(refused.text("/errors/0/pointer"), *pointer, "{path}: {body}");
        }
        let fine = by_whom(shop.call(method.clone(), path), path, &admin, &ada.token).json(fill(body, "Fine"));
        // A book is replaced whole, and only by who says which one.
        let fine = if path.starts_with("/v1/admin/shipping") { fine.header("If-Match", "*") } else { fine };
        let fine = if path.starts_with("/v1/carts") { fine.with(&guest) } else { fine }.send().await;
        assert!(fine.status < 300, "{path}: {}", fine.body);
    }
    // Joined letters, other scripts and pictures are fine; a description may be many lines, however they end.
    for fine in ["می\u{200c}خواهم", "👩\u{200d}🍳 Set", "Ёлка", "灯"] {
        let body = json!({"title": fine, "description": "one\u{2028}two"});
        let made = shop.post("/v1/products").by(&admin).json(body).send().await.expect(201);
        assert_eq!(made.text("/title"), fine);
    }
    let rows = json!([{"title": "\u{200b}"}, {"title": "Fine"}]);
    let rows = shop.post("/v1/products/bulk").by(&admin).json(rows).send().await.expect(200);
    assert_eq!((&rows.body["rows"][0]["status"], &rows.body["rows"][1]["status"]), (&json!(422), &json!(201)));
}

/// Where somebody writes a title or a name, with a mark in its place.
fn places(product: &str, variant: &str, category: &str, cart: &str) -> Vec<(Method, String, Value, &'static str)> {
    let price = json!({"amount": 100, "currency": "EUR"});
    vec![
        (Method::POST, "/v1/products".into(), json!({"title": "§"}), "/title"),
        (Method::PATCH, format!("/v1/products/{product}"), json!({"title": "§"}), "/title"),
        (Method::PATCH, format!("/v1/products/{product}"), json!({"attributes": {"wood": "§"}}), "/attributes/wood"),
        (Method::POST, format!("/v1/products/{product}/variants"), json!({"sku": "§", "price": price}), "/sku"),
        (
            Method::POST,
            format!("/v1/products/{product}/variants"),
            json!({"sku": "T-2", "title": "§", "price": price}),
            "/title",
        ),
        (Method::PATCH, format!("/v1/products/{product}/variants/{variant}"), json!({"title": "§"}), "/title"),
        (Method::POST, "/v1/categories".into(), json!({"name": "§", "slug": "odd"}), "/name"),
        (Method::PATCH, format!("/v1/categories/{category}"), json!({"name": "§"}), "/name"),
        (
            Method::PUT,
            format!("/v1/categories/{category}/attributes"),
            json!({"attributes": [{"name": "wood", "type": "choice", "values": ["§"]}]}),
            "/attributes/0/values/0",
        ),
        (
            Method::POST,
            "/v1/admin/promotions".into(),
            json!({"label": "§", "benefit": {"kind": "percent", "percent_bps": 100}}),
            "/label",
        ),
        (
            Method::PUT,
            "/v1/admin/shipping".into(),
            json!({"zones": [{"zone": "eu", "name": "§", "countries": ["DE"], "services": []}]}),
            "/zones/0/name",
        ),
        (Method::POST, "/v1/admin/api-keys".into(), json!({"name": "§", "scopes": ["stock:read"]}), "/name"),
        (Method::PATCH, "/v1/me".into(), json!({"profile": {"name": "§"}}), "/profile/name"),
        (Method::POST, "/v1/me/addresses".into(), json!({"country": "DE", "name": "§"}), "/name"),
        (Method::POST, "/v1/me/addresses".into(), json!({"country": "DE", "lines": ["§"]}), "/lines/0"),
        (Method::PUT, format!("/v1/carts/{cart}/address"), json!({"country": "DE", "city": "§"}), "/city"),
        (
            Method::POST,
            "/v1/auth/register".into(),
            json!({"email": "eve@example.org", "password": "correct horse battery", "name": "§"}),
            "/name",
        ),
    ]
}

fn by_whom(call: Call, path: &str, admin: &str, member: &str) -> Call {
    match path {
        _ if path.starts_with("/v1/me") => call.by(member),
        _ if path.starts_with("/v1/carts") || path.starts_with("/v1/auth") => call,
        _ => call.by(admin),
    }
}

/// The body with a text in the place of the mark.
fn fill(body: &Value, text: &str) -> Value {
    match body {
        Value::String(mark) if mark == "§" => text.into(),
        Value::Array(items) => items.iter().map(|item| fill(item, text)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), fill(field, text))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => body.clone(),
    }
}
