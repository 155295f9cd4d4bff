//! Positions of the log: numbers for staff, and for everybody else nothing that counts what others do.

use byteshop_gateway::security::token::Role;
use byteshop_tests::shop::{Answer, GuestCart, TestShop};
use reqwest::Method;
use serde_json::{Value, json};

/// Everything that a guest can find out about the end of the log with a cart of their own, as text.
async fn observed(shop: &TestShop, cart: &GuestCart) -> Vec<String> {
    let path = format!("/v1/carts/{}", cart.id);
    // It has that currency already, so nothing changes and the answer has the end of the log.
    let unchanged = shop.delete(&format!("{path}/coupons")).with(cart).send().await;
    let mut seen = vec![outline(&unchanged)];
    for number in ["0", "1", "999999999999", "pos_AAAA"] {
        let waits = shop.get("/v1/categories").header("Min-Log-Position", number).send().await;
        let path = format!("{path}?at={number}");
        let then = shop.get(&path).with(cart).send().await.expect(400);
        let head = shop.call(Method::HEAD, &path).with(cart).send().await.expect(400);
        seen.extend([outline(&waits), outline(&then), outline(&head)]);
    }
    let latest = shop.token_at(shop.log.head().await.unwrap());
    let beyond = shop.token_at(i64::MAX);
    for token in [&latest, &beyond] {
        let waits = shop.get("/v1/categories").header("Min-Log-Position", token).send().await;
        seen.push(outline(&waits));
    }
    seen
}

/// An answer without what is new in each: its ids, times and quotas. A position counts by its shape alone.
fn outline(answer: &Answer) -> String {
    let mut body = answer.body.clone();
    if let Value::Object(fields) = &mut body {
        fields.remove("instance");
    }
    let position = answer.header("log-position").map(|text| {
        assert!(text.starts_with("pos_") && text.parse::<i64>().is_err(), "{text}");
        text.len()
    });
    format!("{} {position:?} {body}", answer.status)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_about_an_address_moves_nothing_that_a_stranger_can_see() {
    let shop = TestShop::start().await;
    shop.person("ada@example.org").await;
    let cart = shop.guest_cart().await;
    shop.at_rest().await;
    let before = observed(&shop, &cart).await;
    for address in ["ada@example.org", "nobody@example.org"] {
        let head = shop.at_rest().await;
        shop.log_in(address, "wrong password").await.expect_problem(401, "auth.wrong_credentials");
        let forgot = shop.post("/v1/auth/password/forgot").json(json!({"email": address})).send().await.expect(202);
        assert_eq!(forgot.header("log-position"), None);
        assert_eq!(shop.register(address).await.expect(202).header("log-position"), None);
        assert!(shop.at_rest().await > head, "the questions made events, which is what is not to be seen");
        assert_eq!(observed(&shop, &cart).await, before, "{address}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_method_of_a_route_with_a_moment_takes_the_number_of_a_stranger() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let (product, variant) = shop.product("MOMENT-1", 500, 5).await;
    let (placed, cart) = shop.order(&variant, 1).await;
    let order = placed.text("/id").to_owned();
    let slug = json!({"slug": "knives", "name": "Knives"});
    let category = shop.post("/v1/categories").by(&admin).json(slug).send().await.expect(201).id();
    let document: Value = serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap();
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let is_moment = |it: &Value| it["in"] == "query" && it["name"] == "at";
        let takes = |it: &&Value| it["parameters"].as_array().is_some_and(|all| all.iter().any(is_moment));
        let Some(of) = item.as_object().unwrap().values().find(takes) else { continue };
        assert!(item["get"] == *of, "{path} takes a moment to change something");
        let id = match path.split('/').nth(2) {
            Some("products") => &product,
            Some("categories") => &category,
            Some("carts") => &cart.id,
            _ => &order,
        };
        let path = path.replace("{id}", id);
        for method in [Method::GET, Method::HEAD, Method::POST, Method::DELETE] {
            for number in ["0", "1", "999999999999"] {
                let then = shop.call(method.clone(), &format!("{path}?at={number}")).with(&cart).send().await;
                assert_eq!(then.status, 400, "{method} {path}?at={number}");
            }
        }
        asked += 1;
    }
    assert!(asked >= 9, "{asked}");
    // Of staff a number is what it says, for HEAD too, and of others a token that the shop made.
    let head = shop.log.head().await.unwrap();
    for (at, status) in [(head, 200), (head + 1_000, 400)] {
        let path = format!("/v1/orders/{order}?at={at}");
        shop.call(Method::HEAD, &path).by(&admin).send().await.expect(status);
        let path = format!("/v1/products/{product}?at={}", shop.token_at(at));
        shop.call(Method::HEAD, &path).send().await.expect(status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_is_a_number_for_staff_and_a_new_token_each_time_for_others() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let (product, variant) = shop.product("POS-1", 500, 5).await;
    let (placed, cart) = shop.order(&variant, 1).await;
    let order = format!("/v1/orders/{}", placed.text("/id"));

    let made = shop.post("/v1/categories").by(&admin).json(json!({"slug": "a", "name": "A"})).send().await.expect(201);
    let number = made.header("log-position").unwrap();
    assert_eq!(number.parse::<i64>().unwrap(), made.position());
    shop.get("/v1/categories").by(&admin).header("Min-Log-Position", number).send().await.expect(200);
    shop.get(&format!("{order}?at={number}")).by(&admin).send().await.expect(200);
    let refused = shop.get("/v1/categories").header("Min-Log-Position", number).send().await;
    refused.expect_problem(400, "request.invalid_min_log_position");
    let refused = shop.get(&format!("{order}?at={number}")).with(&cart).send().await;
    assert_eq!(refused.expect_problem(400, "request.invalid_query").body["errors"][0]["parameter"], "at");

    // The answer again has the position again, and still another token.
    let line = format!("/v1/carts/{}/lines/{variant}", shop.guest_cart().await.id);
    assert_eq!(shop.put(&line).json(json!({"quantity": 1})).send().await.expect(404).header("log-position"), None);
    let again = async || shop.post("/v1/carts").key("once").json(json!({"currency": "EUR"})).send().await.expect(201);
    let (first, second) = (again().await, again().await);
    assert_eq!(first.position(), second.position());
    assert_ne!(first.header("log-position"), second.header("log-position"));
    let token = second.header("log-position").unwrap();
    shop.get("/v1/products").header("Min-Log-Position", token).send().await.expect(200);
    shop.get(&format!("{order}?at={token}")).with(&cart).send().await.expect(200);

    // Causes can be followed within a story, by tokens; staff has the numbers.
    let told = shop.get(&format!("{order}/history")).with(&cart).send().await.expect(200).body;
    let staffs = shop.get(&format!("{order}/history")).by(&admin).send().await.expect(200).body;
    let of = |body: &Value, field: &str| -> Vec<Value> {
        body["items"].as_array().unwrap().iter().map(|item| item[field].clone()).collect()
    };
    assert!(of(&staffs, "position").iter().all(Value::is_i64), "{staffs}");
    let positions = of(&told, "position");
    assert!(positions.iter().all(|it| it.as_str().is_some_and(|it| it.starts_with("pos_"))), "{told}");
    for cause in of(&told, "causation").iter().filter(|cause| positions.contains(cause)) {
        assert!(cause.is_string());
    }
    let listed = shop.get("/v1/products").after(made.position()).send().await.expect(200).body;
    assert_eq!(listed["items"][0]["id"], product.as_str());
    assert!(!listed.to_string().contains("serial"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_of_what_was_withdrawn_is_for_staff() {
    let shop = TestShop::start().await;
    let (admin, seller) = (shop.token(Role::Admin), shop.token(Role::Seller));
    let (product, _) = shop.product("PAST-1", 500, 0).await;
    let path = format!("/v1/products/{product}");
    let slug = json!({"slug": "knives", "name": "Knives"});
    let category = shop.post("/v1/categories").by(&admin).json(slug).send().await.expect(201).id();
    let (category, head) = (format!("/v1/categories/{category}"), shop.log.head().await.unwrap());
    let (at, number) = (shop.token_at(head), head.to_string());
    for path in [&path, &category] {
        shop.get(&format!("{path}?at={at}")).send().await.expect(200);
    }
    shop.post(&format!("{path}/unpublish")).by(&admin).send().await.expect(200);
    shop.post(&format!("{category}/archive")).by(&admin).send().await.expect(200);
    for (path, code) in [(&path, "product.missing"), (&category, "category.missing")] {
        let then = format!("{path}?at={at}");
        shop.get(&then).send().await.expect_problem(404, code);
        shop.get(&then).by(&seller).send().await.expect_problem(404, code);
        shop.get(&format!("{path}?at={number}")).by(&admin).send().await.expect(200);
    }
    // What is for sale again has its past back.
    shop.post(&format!("{path}/publish")).by(&admin).send().await.expect(200);
    shop.get(&format!("{path}?at={at}")).send().await.expect(200);
}
