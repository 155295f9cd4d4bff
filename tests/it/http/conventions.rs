//! Idempotency, versions, positions, pages and the past: what every route does alike.

use byteshop_gateway::edge::limits::Limits;
use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::people::PASSWORD;
use byteshop_tests::shop::TestShop;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Connection as _;

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_gets_the_first_answer_again() {
    let shop = TestShop::start().await;
    let make = || shop.post("/v1/carts").key("k-1").json(json!({"currency": "EUR"})).send();
    let (first, again) = (make().await.expect(201), make().await.expect(201));
    assert_eq!(first.body, again.body);
    for header in ["etag", "location"] {
        assert_eq!(first.header(header), again.header(header), "{header}");
    }
    assert_eq!(first.position(), again.position());
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), (None, Some("true")));
    assert_eq!(shop.log.head().await.unwrap(), 1, "the cart was made once");
    let other = shop.post("/v1/carts").key("k-1").json(json!({"currency": "USD"})).send().await;
    other.expect_problem(422, "idempotency.key_reused");
    let elsewhere = shop.post("/v1/carts/x/checkout").key("k-1").send().await;
    elsewhere.expect_problem(404, "cart.missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_repeated_like_any_answer() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("R-1", 500, 1).await;
    let cart = shop.full_cart(&variant, 1).await;
    let rival = shop.full_cart(&variant, 1).await;
    shop.post(&format!("/v1/carts/{}/checkout", rival.id)).with(&rival).send().await.expect(201);
    let path = format!("/v1/carts/{}/checkout", cart.id);
    let first = shop.post(&path).with(&cart).key("k").send().await.expect_problem(409, "cart.not_enough");
    let stock = json!({"type": "received", "quantity": 5});
    let admin = shop.token(Role::Admin);
    shop.post(&format!("/v1/variants/{variant}/stock")).by(&admin).json(stock).send().await.expect(200);
    // It would go through now, but this request was answered.
    let again = shop.post(&path).with(&cart).key("k").send().await.expect_problem(409, "cart.not_enough");
    assert_eq!(first.body["detail"], again.body["detail"]);
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), (None, Some("true")));
    shop.post(&path).with(&cart).key("k-2").send().await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_sent_many_times_at_once_is_carried_out_once() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("R-2", 500, 100).await;
    let cart = shop.full_cart(&variant, 1).await;
    let path = format!("/v1/carts/{}/checkout", cart.id);
    let calls = (0..32).map(|_| shop.post(&path).with(&cart).key("k").send());
    let answers = futures_util::future::join_all(calls).await;
    let mut orders: Vec<String> = Vec::new();
    for answer in answers {
        match answer.status {
            201 => orders.push(answer.text("/id").to_owned()),
            _ => assert!(answer.expect_problem(409, "idempotency.in_flight").header("retry-after").is_some()),
        }
    }
    orders.dedup();
    assert_eq!(orders.len(), 1, "{orders:?}");
    let pay = format!("/v1/orders/{}/payments", orders[0]);
    let body = json!({"provider": "test", "token": "tok_success"});
    let paid = shop.post(&pay).with(&cart).key("pay").json(body.clone()).send().await.expect(201);
    let again = shop.post(&pay).with(&cart).key("pay").json(body).send().await.expect(201);
    assert_eq!((paid.body, again.header("idempotency-replayed")), (again.body.clone(), Some("true")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_has_moved_on_is_refused() {
    let shop = TestShop::start().await;
    let (product, _) = shop.product("V-1", 500, 1).await;
    let (admin, path) = (shop.token(Role::Admin), format!("/v1/products/{product}"));
    let seen = shop.get(&path).send().await.expect(200).header("etag").unwrap().to_owned();
    let change = |title: &str, version: &str| {
        shop.patch(&path).by(&admin).header("If-Match", version).json(json!({"title": title})).send()
    };
    let changed = change("One", &seen).await.expect(200);
    let head = shop.log.head().await.unwrap();
    let refused = change("Two", &seen).await.expect_problem(412, "request.version_mismatch");
    assert_eq!(refused.header("etag"), changed.header("etag"));
    assert_eq!(shop.log.head().await.unwrap(), head);
    change("Two", changed.header("etag").unwrap()).await.expect(200);
    change("Three", "*").await.expect(200);
    let now = shop.get(&path).send().await.expect(200).header("etag").unwrap().to_owned();
    for other in [format!("W/{now}"), "\"x\"".to_owned(), "\"1\", \"2\"".to_owned()] {
        change("Four", &other).await.expect_problem(412, "request.version_mismatch");
    }
    for malformed in ["3", "\"3", "\"1\" \"2\""] {
        change("Four", malformed).await.expect_problem(400, "request.invalid_if_match");
    }
    change("Four", &format!("\"1\", {now}")).await.expect(200);
    let nothing = shop.patch("/v1/products/prod_00000000000000000000000001").by(&admin);
    let nothing = nothing.header("If-Match", "\"1\"").json(json!({"title": "x"})).send().await;
    nothing.expect_problem(404, "product.missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_changes_nothing_still_says_where_the_log_is() {
    let shop = TestShop::start().await;
    let (product, _) = shop.product("N-1", 500, 0).await;
    let head = shop.log.head().await.unwrap();
    let again = shop.post(&format!("/v1/products/{product}/publish")).by(&shop.token(Role::Admin)).send().await;
    assert_eq!(again.expect(200).position(), head);
    assert_eq!(shop.log.head().await.unwrap(), head);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_waits_for_the_position_it_is_given() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    for number in 0..20 {
        let (product, variant) = shop.product(&format!("W-{number}"), 500, 1).await;
        let (placed, _) = shop.order(&variant, 1).await;
        let at = placed.position().to_string();
        let listed = shop.get("/v1/products?limit=1").after(&at).send().await.expect(200);
        assert_eq!(listed.text("/items/0/id"), product);
        let listed = shop.get("/v1/orders?limit=1").by(&admin).after(&at).send().await.expect(200);
        assert_eq!(listed.text("/items/0/id"), placed.text("/id"));
    }
    let cart = shop.guest_cart().await;
    for path in ["/v1/products".to_owned(), "/v1/categories".into(), format!("/v1/carts/{}", cart.id)] {
        // The shop may still write about the orders, and so reach the next positions.
        let head = shop.log.head().await.unwrap();
        let beyond = shop.get(&path).with(&cart).after(head + 1_000).send().await;
        beyond.expect_problem(400, "request.invalid_min_log_position");
        shop.get(&path).with(&cart).after(0).send().await.expect(200);
        for malformed in
            ["2999-01-01T00:00:00Z", "x", "-1", "1.5", "", "99999999999999999999", "999999999", "1", "pos_1"]
        {
            let refused = shop.get(&path).with(&cart).header("Min-Log-Position", malformed).send().await;
            refused.expect_problem(400, "request.invalid_min_log_position");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_can_be_asked_for() {
    let shop = TestShop::start().await;
    let (product, variant) = shop.product("T-1", 500, 5).await;
    let admin = shop.token(Role::Admin);
    let path = format!("/v1/products/{product}");
    let before = shop.log.head().await.unwrap();
    let when = byteshop_eventstore::Clock.now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let price = json!({"price": {"amount": 900, "currency": "EUR"}});
    shop.patch(&format!("{path}/variants/{variant}")).by(&admin).json(price).send().await.expect(200);
    let price = |body: &Value| body["variants"][0]["price"]["amount"].as_i64();
    assert_eq!(price(&shop.get(&path).send().await.body), Some(900));
    for at in [shop.token_at(before), when] {
        let then = shop.get(&format!("{path}?at={at}")).send().await.expect(200);
        assert_eq!((price(&then.body), &then.body["variants"][0]["available"]), (Some(500), &Value::Null), "{at}");
    }
    shop.get(&format!("{path}?at=1")).by(&admin).send().await.expect(200);
    let first = shop.token_at(1);
    shop.get(&format!("{path}?at={first}")).send().await.expect_problem(404, "product.missing");
    shop.get(&format!("{path}?at=0")).by(&admin).send().await.expect_problem(404, "product.missing");
    shop.get(&format!("{path}?at=1970-01-01T00:00:00Z")).by(&admin).send().await.expect_problem(404, "product.missing");
    for malformed in ["x", "-1", "2026-13-01T00:00:00Z", "99999999999999999999999", "2026-01-01", "1", "pos_1"] {
        let refused = shop.get(&format!("{path}?at={malformed}")).send().await;
        refused.expect_problem(400, "request.invalid_query");
    }
    let (placed, cart) = shop.order(&variant, 1).await;
    let pay = json!({"provider": "test", "token": "tok_success"});
    let order = format!("/v1/orders/{}", placed.text("/id"));
    shop.post(&format!("{order}/payments")).with(&cart).json(pay).send().await.expect(201);
    let at = placed.header("log-position").unwrap();
    let then = shop.get(&format!("/v1/payments/{}?at={at}", placed.text("/payment")));
    assert_eq!(then.with(&cart).send().await.expect(200).text("/status"), "open");
    let at = shop.token_at(placed.position() - 10);
    let then = shop.get(&format!("/v1/carts/{}?at={at}", cart.id)).with(&cart).send().await;
    assert!(then.status == 404 || then.body["order"] == Value::Null, "{}", then.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_on_where_they_ended() {
    let shop = TestShop::start().await;
    for number in 0..7 {
        shop.product(&format!("L-{number}"), 100 * (number % 3), 0).await;
    }
    let at = shop.log.head().await.unwrap().to_string();
    for sort in ["newest", "price", "price_desc", "title"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/products?limit=3&sort={sort}{cursor}");
            let page = shop.get(&path).after(&at).send().await.expect(200);
            seen.extend(page.body["items"].as_array().unwrap().iter().map(|item| item["id"].to_string()));
            match page.body["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen.len(), 7, "{sort}");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 7, "{sort}: something twice");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_an_id_and_its_problem_names_it() {
    let shop = TestShop::start().await;
    let id = "018f3e5c-0000-7000-8000-000000000001";
    let missing = shop.get("/v1/nothing").header("X-Request-Id", id).send().await;
    let missing = missing.expect_problem(404, "request.not_found");
    let own = missing.header("x-request-id").unwrap();
    assert_ne!(own, id, "a client does not choose the shop's id");
    assert_eq!(missing.body["instance"], format!("urn:uuid:{own}"));
    assert_eq!(missing.body["type"], "/problems/request.not_found");
    let page = shop.get(missing.text("/type")).send().await.expect(200);
    let page = page.body.as_str().unwrap();
    assert!(page.contains("<h1>Not found</h1>") && page.contains("request.not_found"), "{page}");
    for unknown in ["%3Cscript%3E", "nonsense.code"] {
        assert_eq!(shop.get(&format!("/problems/{unknown}")).send().await.status, 404, "{unknown}");
    }
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let ask = || shop.post("/v1/carts").header("traceparent", trace).header("X-Request-Id", id);
    let made = ask().json(json!({"currency": "EUR"})).send().await.expect(201);
    let event = shop.log.event_at(1).await.unwrap().unwrap();
    let meta = event.meta().unwrap();
    assert_eq!(meta.trace_id.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    assert_eq!(Some(meta.request_id.to_string().as_str()), made.header("x-request-id"));
    assert_eq!(meta.client_request_id.unwrap().to_string(), id);
    assert_eq!(meta.command, "cart.create");
    // Two requests of one name stay two, and what is no UUID is no name.
    ask().json(json!({"currency": "EUR"})).send().await.expect(201);
    shop.post("/v1/carts").header("X-Request-Id", "no uuid").json(json!({"currency": "EUR"})).send().await.expect(201);
    let meta_at = async |at| shop.log.event_at(at).await.unwrap().unwrap().meta().unwrap();
    let (second, third) = (meta_at(2).await, meta_at(3).await);
    assert_eq!(second.client_request_id, meta.client_request_id);
    assert_ne!((second.request_id, second.correlation_id), (meta.request_id, meta.correlation_id));
    assert_eq!(third.client_request_id, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_too_much_is_told_when_to_come_back() {
    // A list costs six units.
    let shop = TestShop::start().limits(Limits::per_minute(18, 2)).await;
    let customer = shop.token(Role::Customer);
    let first = shop.get("/v1/products").send().await.expect(200);
    assert_eq!(first.header("ratelimit-policy"), Some("\"address\";q=18;w=60"));
    assert_eq!(first.header("ratelimit"), Some("\"address\";r=12;t=20"));
    shop.get("/v1/me/orders").by(&customer).send().await.expect(200);
    shop.get("/v1/me/orders").by(&customer).send().await.expect(200);
    let refused = shop.get("/v1/products").send().await.expect_problem(429, "request.too_many");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() <= 21);
    let shop = TestShop::start().limits(Limits::per_minute(0, 1)).await;
    let customer = shop.token(Role::Customer);
    shop.get("/v1/me/orders").by(&customer).send().await.expect(200);
    let refused = shop.get("/v1/me/orders").by(&customer).send().await.expect_problem(429, "request.too_many");
    assert_eq!(refused.header("ratelimit"), None);
    shop.get("/v1/me/orders").by(&shop.token(Role::Customer)).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy_visitors_are_told_apart_and_nobody_else_is_believed() {
    let behind = |proxies: &str| Limits::per_minute(12, 0).behind(proxies.parse().unwrap());
    let ask = async |shop: &TestShop, from: &str| {
        shop.get("/v1/products").header("X-Forwarded-For", from).send().await.status
    };
    let shop = TestShop::start().limits(behind("127.0.0.0/8, 10.0.0.1")).await;
    for visitor in ["203.0.113.1", "203.0.113.2"] {
        assert_eq!((ask(&shop, visitor).await, ask(&shop, visitor).await, ask(&shop, visitor).await), (200, 200, 429));
        assert_eq!(ask(&shop, &format!("8.8.8.8, {visitor}, 10.0.0.1")).await, 429, "what a visitor made up");
    }
    let shop = TestShop::start().limits(behind("192.0.2.1")).await;
    assert_eq!((ask(&shop, "203.0.113.1").await, ask(&shop, "203.0.113.2").await), (200, 200));
    assert_eq!(ask(&shop, "203.0.113.3").await, 429, "the header of a stranger");

    // A session was begun by the visitor and not by the proxy.
    let shop = TestShop::start().limits(Limits::default().behind("127.0.0.1".parse().unwrap())).await;
    let ada = shop.person("ada@example.org").await;
    let right = json!({"email": ada.email, "password": PASSWORD});
    shop.post("/v1/auth/login").header("X-Forwarded-For", "203.0.113.7").json(right).send().await.expect(200);
    let sessions = shop.get("/v1/me/sessions").by(&ada.token).send().await.expect(200);
    let from = |at: usize| sessions.body["items"][at]["client"]["address"].as_str();
    assert_eq!((from(0), from(1)), (Some("203.0.113.7"), Some("127.0.0.1")), "the newest first");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_metrics_and_keys_are_there_for_machines() {
    use byteshop_gateway::health::RoleState;
    let shop = TestShop::start().await;
    shop.get("/health/live").send().await.expect(200);
    shop.ask_operations("/health/live").send().await.expect(200);
    let detail = async || shop.ask_operations("/health/ready").send().await;
    let well = eventually("the shop is ready", || async {
        let ready = detail().await;
        (ready.status == 200 && ready.body["followers"].as_array().is_some_and(|all| !all.is_empty())).then_some(ready)
    })
    .await;
    assert_eq!((well.body["ready"].as_bool(), well.text("/status")), (Some(true), "ready"));
    let up = json!({"status": "up"});
    assert_eq!(well.body["roles"], json!({"http": up, "postgres": up, "views": up}));
    // The public port says no more than whether to send requests, and how much the shop sells to nobody.
    assert_eq!(shop.get("/health/ready").send().await.expect(200).body, json!({"status": "ready"}));
    shop.get("/metrics").send().await.expect_problem(404, "request.not_found");
    // Without views there are commands.
    shop.health.set("views", RoleState::Down { reason: "they were stopped".into() });
    let without = detail().await.expect(200);
    assert_eq!((without.body["ready"].as_bool(), without.text("/status")), (Some(true), "degraded"));
    assert_eq!(without.text("/roles/views/reason"), "they were stopped");
    assert_eq!(shop.get("/health/ready").send().await.expect(200).body, json!({"status": "ready"}));
    shop.health.set("relay", RoleState::Starting);
    assert_eq!(detail().await.expect(503).text("/status"), "unavailable");
    let not_yet = shop.get("/health/ready").send().await.expect(503);
    assert_eq!((&not_yet.body, not_yet.header("retry-after")), (&json!({"status": "unavailable"}), Some("1")));
    let metrics = shop.ask_operations("/metrics").send().await.expect(200);
    assert!(metrics.header("content-type").unwrap().starts_with("text/plain"));
    assert_eq!(metrics.header("x-content-type-options"), Some("nosniff"));
    let keys = shop.get("/.well-known/jwks.json").send().await.expect(200);
    assert_eq!(keys.body["keys"][0]["alg"], "EdDSA");
    assert_eq!(keys.body["keys"][0].get("d"), None, "the private part");
    let head = shop.call(Method::HEAD, "/v1/products").send().await.expect(200);
    assert_eq!(head.body, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_of_a_view_that_stands_still_is_told_to_come_back() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("STILL-1", 500, 1).await;
    // Another process holds the view, and does not move it.
    let mut other = sqlx::PgConnection::connect_with(shop.log.options()).await.unwrap();
    sqlx::query("begin").execute(&mut other).await.unwrap();
    sqlx::query("lock table read.order_list in access exclusive mode").execute(&mut other).await.unwrap();
    let (placed, _) = shop.order(&variant, 1).await;
    let at = placed.position().to_string();
    let orders = || shop.get("/v1/orders").by(&shop.token(Role::Admin)).after(&at);
    let late = orders().send().await.expect_problem(503, "query.not_caught_up");
    assert_eq!(late.header("retry-after"), Some("1"));
    sqlx::query("rollback").execute(&mut other).await.unwrap();
    orders().send().await.expect(200);
}
