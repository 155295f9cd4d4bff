//! Every way in which a request can be wrong: a problem with a code, never a 5xx, and nothing appended.

use byteshop_gateway::edge::body::BODY_MAX;
use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::servers::shared;
use byteshop_tests::shop::{Answer, Call, TestShop};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Connection as _;

/// A shop with something of everything, and the paths of it.
struct Stage {
    shop: TestShop,
    admin: String,
    cart: byteshop_tests::shop::GuestCart,
    product: String,
    variant: String,
    order: String,
    payment: String,
}

impl Stage {
    async fn set() -> Self {
        let shop = TestShop::start().await;
        let (product, variant) = shop.product("E-1", 500, 5).await;
        let (placed, _) = shop.order(&variant, 1).await;
        let cart = shop.full_cart(&variant, 1).await;
        let admin = shop.token(Role::Admin);
        let (order, payment) = (placed.text("/id").to_owned(), placed.text("/payment").to_owned());
        Self { shop, admin, cart, product, variant, order, payment }
    }

    /// A request by somebody who may do everything.
    fn call(&self, method: &Method, path: &str) -> Call {
        self.shop.call(method.clone(), path).by(&self.admin).with(&self.cart)
    }

    /// The routes that take a body, with one that is right.
    fn commands(&self) -> Vec<(Method, String, Value)> {
        let price = json!({"amount": 1, "currency": "EUR"});
        let (product, variant, cart) = (&self.product, &self.variant, &self.cart.id);
        vec![
            (Method::POST, "/v1/categories".into(), json!({"name": "A", "slug": "a"})),
            (Method::POST, "/v1/products".into(), json!({"title": "A"})),
            (Method::PATCH, format!("/v1/products/{product}"), json!({"title": "B"})),
            (Method::POST, format!("/v1/products/{product}/variants"), json!({"sku": "E-2", "price": price})),
            (Method::PATCH, format!("/v1/products/{product}/variants/{variant}"), json!({"price": price})),
            (Method::POST, format!("/v1/variants/{variant}/stock"), json!({"type": "received", "quantity": 1})),
            (Method::POST, "/v1/carts".into(), json!({"currency": "EUR"})),
            (Method::PUT, format!("/v1/carts/{cart}/lines/{variant}"), json!({"quantity": 2})),
            (Method::PUT, format!("/v1/carts/{cart}/address"), json!({"country": "FR"})),
            (
                Method::POST,
                format!("/v1/orders/{}/payments", self.order),
                json!({"provider": "test", "token": "tok_success"}),
            ),
            (Method::POST, format!("/v1/orders/{}/cancel", self.order), json!({})),
            (Method::POST, format!("/v1/carts/{cart}/checkout"), json!({})),
        ]
    }

    /// How much somebody did: what the shop tells people of it follows in its own time.
    async fn head(&self) -> i64 {
        self.shop.at_rest().await;
        sqlx::query_scalar("select count(*) from log.event where category <> 'notification'")
            .fetch_one(self.shop.log.pool())
            .await
            .unwrap()
    }
}

fn blamed(answer: &Answer) -> Option<&str> {
    answer.body["errors"][0]["pointer"].as_str()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_json_is_refused_everywhere() {
    let stage = Stage::set().await;
    let head = stage.head().await;
    let deep = format!("{{\"a\":{}", "[".repeat(15_000));
    for (method, path, _) in stage.commands() {
        for body in ["{", "nonsense", "{\"a\": }", "{\"a\": \"\u{1}\"}", &deep] {
            let refused = stage.call(&method, &path).body(body.to_owned()).send().await;
            assert!(
                refused.status == 400 || (refused.status == 422 && refused.body["code"] == "request.invalid"),
                "{method} {path} {body:.30}: {}",
                refused.body
            );
        }
        for body in [&b"\xff\xfe"[..], b"{\"title\": \"\xff\"}", b"\x00"] {
            let refused = stage.call(&method, &path).body(body.to_vec()).send().await;
            assert!([400, 422].contains(&refused.status), "{method} {path}: {}", refused.body);
        }
    }
    assert_eq!(stage.head().await, head, "a refusal wrote something");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_shapes_and_unknown_fields_are_refused_everywhere() {
    let stage = Stage::set().await;
    let head = stage.head().await;
    for (method, path, body) in stage.commands() {
        for wrong in [json!([]), json!("text"), json!(1), Value::Null, json!([1, 2]), json!([["x"]])] {
            let refused = stage.call(&method, &path).json(wrong.clone()).send().await;
            refused.expect_problem(422, "request.invalid");
        }
        let mut unknown = body.clone();
        unknown["unheard_of"] = json!(1);
        let refused = stage.call(&method, &path).json(unknown).send().await.expect_problem(422, "request.invalid");
        assert_eq!(blamed(&refused), Some("/unheard_of"), "{method} {path}");
        for (field, value) in body.as_object().unwrap() {
            for wrong in [json!({"x": {}}), json!([[]]), json!(1.5), json!(true)] {
                if *value == wrong || (field == "price" && wrong.is_object()) {
                    continue;
                }
                let mut changed = body.clone();
                changed[field] = wrong;
                let refused = stage.call(&method, &path).json(changed).send().await;
                let refused = refused.expect_problem(422, "request.invalid");
                assert!(
                    blamed(&refused).unwrap().starts_with(&format!("/{field}")),
                    "{method} {path}: {}",
                    refused.body
                );
            }
        }
    }
    assert_eq!(stage.head().await, head, "a refusal wrote something");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_too_large_or_no_json_type_are_refused() {
    let stage = Stage::set().await;
    let head = stage.head().await;
    for (method, path, _) in stage.commands() {
        let huge = format!("{{\"title\": \"{}\"}}", "x".repeat(BODY_MAX));
        let refused = stage.call(&method, &path).body(huge).send().await;
        refused.expect_problem(413, "request.too_large");
        for media in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data"] {
            let refused = stage.shop.call(method.clone(), &path).by(&stage.admin).with(&stage.cart);
            let refused = refused.header("Content-Type", media).body_raw("{}").send().await;
            refused.expect_problem(415, "request.unsupported_media_type");
        }
    }
    assert_eq!(stage.head().await, head, "a refusal wrote something");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_the_rules_refuse_are_named() {
    let stage = Stage::set().await;
    let head = stage.head().await;
    let (product, variant, cart) = (&stage.product, &stage.variant, &stage.cart.id);
    let variants = format!("/v1/products/{product}/variants");
    let (line, stock) = (format!("/v1/carts/{cart}/lines/{variant}"), format!("/v1/variants/{variant}/stock"));
    let pay = format!("/v1/orders/{}/payments", stage.order);
    let price = |amount: Value| json!({"sku": "X", "price": {"amount": amount, "currency": "EUR"}});
    let unknown = "cat_00000000000000000000000009";
    let cases = [
        (Method::PUT, line.as_str(), json!({"quantity": 0}), "/quantity"),
        (Method::PUT, &line, json!({"quantity": -1}), "/quantity"),
        (Method::PUT, &line, json!({"quantity": 1_000_001}), "/quantity"),
        (Method::PUT, &line, json!({"quantity": i64::MAX}), "/quantity"),
        (Method::PUT, &line, json!({"quantity": u64::MAX}), "/quantity"),
        (Method::PUT, &line, json!({"quantity": 1e30}), "/quantity"),
        (Method::PUT, &line, json!({}), "/quantity"),
        (Method::POST, &stock, json!({"type": "received", "quantity": 0}), "/quantity"),
        (Method::POST, &stock, json!({"type": "lost", "quantity": -5}), "/quantity"),
        (Method::POST, &stock, json!({"type": "received", "quantity": i64::MAX}), "/quantity"),
        (Method::POST, &stock, json!({"type": "stolen", "quantity": 1}), "/type"),
        (Method::POST, &variants, price(json!(-1)), "/price"),
        (Method::POST, &variants, price(json!(i64::MAX)), "/price"),
        (Method::POST, &variants, price(json!(u64::MAX)), "/price/amount"),
        (Method::POST, &variants, price(json!("1")), "/price/amount"),
        (Method::POST, &variants, json!({"sku": "X", "price": {"amount": 1, "currency": "eur"}}), "/price/currency"),
        (Method::POST, &variants, json!({"sku": "X", "price": {"amount": 1, "currency": "ZZZ"}}), "/price/currency"),
        (Method::POST, &variants, json!({"sku": "X", "price": {"amount": 1}}), "/price/currency"),
        (Method::POST, &variants, json!({"sku": "", "price": {"amount": 1, "currency": "EUR"}}), "/sku"),
        (Method::POST, &variants, json!({"sku": " X", "price": {"amount": 1, "currency": "EUR"}}), "/sku"),
        (Method::POST, &variants, json!({"sku": "X".repeat(65), "price": {"amount": 1, "currency": "EUR"}}), "/sku"),
        (Method::POST, "/v1/products", json!({"title": ""}), "/title"),
        (Method::POST, "/v1/products", json!({"title": "x".repeat(201)}), "/title"),
        (Method::POST, "/v1/products", json!({"title": "x\u{0}y"}), "/title"),
        (Method::POST, "/v1/products", json!({"title": "A", "category": "x"}), "/category"),
        (Method::POST, "/v1/products", json!({"title": "A", "category": variant}), "/category"),
        (Method::POST, "/v1/products", json!({"title": "A", "attributes": {"A": 1}}), "/attributes/A"),
        (Method::POST, "/v1/products", json!({"title": "A", "attributes": {"a": 1.5}}), "/attributes/a"),
        (Method::POST, "/v1/categories", json!({"name": "A", "slug": "A b"}), "/slug"),
        (Method::POST, "/v1/carts", json!({"currency": "XXXX"}), "/currency"),
        (Method::PUT, &format!("/v1/carts/{cart}/address"), json!({"country": ""}), "/country"),
        (
            Method::PUT,
            &format!("/v1/carts/{cart}/address"),
            json!({"country": "DE", "postal_code": "<script>"}),
            "/postal_code",
        ),
        (Method::POST, &pay, json!({"provider": "gold", "token": "tok_success"}), "/provider"),
        (Method::POST, &pay, json!({"provider": "test", "token": ""}), "/token"),
        (Method::POST, &pay, json!({"provider": "test", "token": "x".repeat(256)}), "/token"),
    ];
    for (method, path, body, pointer) in cases {
        let refused = stage.call(&method, path).json(body.clone()).send().await;
        let refused = refused.expect_problem(422, "request.invalid");
        assert_eq!(blamed(&refused), Some(pointer), "{body}: {}", refused.body);
    }
    for (path, body, code) in [
        ("/v1/products", json!({"title": "A", "category": unknown}), "category.missing"),
        ("/v1/categories", json!({"name": "A", "slug": "a", "parent": unknown}), "category.missing"),
        (&pay, json!({"provider": "test", "token": "tok_unheard_of"}), "payment.unknown_token"),
        (&stock, json!({"type": "counted", "quantity": -1}), "stock.out_of_range"),
        (&stock, json!({"type": "counted", "quantity": 1_000_000_001}), "stock.out_of_range"),
    ] {
        stage.call(&Method::POST, path).json(body).send().await.expect_problem(422, code);
    }
    assert_eq!(stage.head().await, head, "a refusal wrote something");
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_name_nothing_are_not_found() {
    let stage = Stage::set().await;
    let head = stage.head().await;
    let Stage { product, variant, order, payment, .. } = &stage;
    let pay = json!({"provider": "test", "token": "tok_success"});
    for (method, prefix, suffix, kind, body) in [
        (Method::GET, "/v1/categories/", "", "category", None),
        (Method::PATCH, "/v1/categories/", "", "category", Some(json!({"name": "x"}))),
        (Method::POST, "/v1/categories/", "/archive", "category", None),
        (Method::GET, "/v1/products/", "", "product", None),
        (Method::PATCH, "/v1/products/", "", "product", Some(json!({"title": "x"}))),
        (Method::POST, "/v1/products/", "/publish", "product", None),
        (Method::POST, "/v1/products/", "/unpublish", "product", None),
        (Method::POST, "/v1/products/", "/archive", "product", None),
        (Method::GET, "/v1/carts/", "", "cart", None),
        (Method::POST, "/v1/carts/", "/checkout", "cart", None),
        (Method::PUT, "/v1/carts/", "/address", "cart", Some(json!({"country": "DE"}))),
        (Method::GET, "/v1/orders/", "", "order", None),
        (Method::GET, "/v1/orders/", "/history", "order", None),
        (Method::POST, "/v1/orders/", "/cancel", "order", None),
        (Method::POST, "/v1/orders/", "/fulfil", "order", None),
        (Method::POST, "/v1/orders/", "/payments", "order", Some(pay)),
        (Method::GET, "/v1/payments/", "", "payment", None),
        (Method::POST, "/v1/payments/", "/cancel", "payment", None),
    ] {
        let prefix_of =
            [("category", "cat"), ("product", "prod"), ("cart", "cart"), ("order", "ord"), ("payment", "pay")];
        let prefix_of = prefix_of.iter().find(|(name, _)| *name == kind).unwrap().1;
        let unknown = format!("{prefix_of}_00000000000000000000000009");
        for id in ["x", "1", "%00", "..%2F..", variant, &unknown, "ord_é", &"x".repeat(3_000)] {
            let mut call = stage.call(&method, &format!("{prefix}{id}{suffix}"));
            if let Some(body) = &body {
                call = call.json(body.clone());
            }
            call.send().await.expect_problem(404, &format!("{kind}.missing"));
        }
    }
    let line = |cart: &str, variant: &str| format!("/v1/carts/{cart}/lines/{variant}");
    let quantity = json!({"quantity": 1});
    let unknown = "var_00000000000000000000000009";
    for id in ["x", product, order, payment, unknown] {
        let set = stage.call(&Method::PUT, &line(&stage.cart.id, id)).json(quantity.clone()).send().await;
        set.expect_problem(404, "variant.missing");
    }
    let change = stage.call(&Method::PATCH, &format!("/v1/products/{product}/variants/{unknown}"));
    change.json(json!({"title": "x"})).send().await.expect_problem(404, "product.no_such_variant");
    let stock = format!("/v1/variants/{unknown}/stock");
    stage.call(&Method::GET, &stock).send().await.expect_problem(404, "stock.missing");
    let movement = json!({"type": "received", "quantity": 1});
    stage.call(&Method::POST, &stock).json(movement).send().await.expect_problem(404, "stock.missing");
    assert_eq!(stage.head().await, head, "a refusal wrote something");
}

#[tokio::test(flavor = "multi_thread")]
async fn states_in_the_way_are_conflicts() {
    let stage = Stage::set().await;
    let (line, variant) = (format!("/v1/carts/{}/lines/{}", stage.cart.id, stage.variant), &stage.variant);
    let head = stage.head().await;
    let many = stage.call(&Method::PUT, &line).json(json!({"quantity": 100})).send().await;
    many.expect_problem(409, "stock.not_enough");
    let empty = stage.shop.guest_cart().await;
    let path = format!("/v1/carts/{}/checkout", empty.id);
    stage.shop.post(&path).with(&empty).send().await.expect_problem(422, "cart.empty");
    let fulfil = format!("/v1/orders/{}/fulfil", stage.order);
    stage.call(&Method::POST, &fulfil).send().await.expect_problem(409, "order.not_paid");
    assert_eq!(stage.head().await, head + 1, "only the empty cart was written");
    let without = stage.shop.guest_cart().await;
    let put = stage.shop.put(&format!("/v1/carts/{}/lines/{variant}", without.id)).with(&without);
    put.json(json!({"quantity": 1})).send().await.expect(200);
    let path = format!("/v1/carts/{}/checkout", without.id);
    stage.shop.post(&path).with(&without).send().await.expect_problem(422, "cart.no_destination");
    let path = format!("/v1/carts/{}/checkout", stage.cart.id);
    let placed = stage.shop.post(&path).with(&stage.cart).send().await.expect(201);
    let gone = stage.shop.post(&path).with(&stage.cart).send().await.expect_problem(409, "cart.checked_out");
    assert!(gone.text("/detail").contains(placed.text("/id")), "{}", gone.body);
    let again = stage.shop.put(&line).with(&stage.cart).json(json!({"quantity": 1})).send().await;
    again.expect_problem(409, "cart.checked_out");
    let dollars = stage.shop.post("/v1/carts").json(json!({"currency": "USD"})).send().await.expect(201);
    let put = stage.shop.put(&format!("/v1/carts/{}/lines/{variant}", dollars.id()));
    let put = put.header("Cart-Token", dollars.text("/cart_token")).json(json!({"quantity": 1})).send().await;
    put.expect_problem(422, "cart.other_currency");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_value_is_said_in_words_for_whoever_sent_it() {
    let stage = Stage::set().await;
    let variants = format!("/v1/products/{}/variants", stage.product);
    let address = format!("/v1/carts/{}/address", stage.cart.id);
    let shipments = format!("/v1/orders/{}/shipments", stage.order);
    let weighs = |weight: Value| json!({"sku": "W", "price": {"amount": 1, "currency": "EUR"}, "weight_g": weight});
    let lives = |field: &str, value: &str| json!({"country": "DE", field: value});
    let long = "x".repeat(121);
    let coupon = |benefit: Value| json!({"label": "Sale", "benefit": benefit});
    for (method, path, body, pointer, detail) in [
        (
            Method::POST,
            shipments.as_str(),
            json!({"carrier": "dhl"}),
            "/carrier",
            "must be an object with a `kind`, `simulated` or `other`, not the string \"dhl\"",
        ),
        (
            Method::POST,
            "/v1/admin/promotions",
            coupon(json!("10%")),
            "/benefit",
            "must be an object with a `kind`, such as `percent`, not the string \"10%\"",
        ),
        (Method::POST, &variants, weighs(json!(-4)), "/weight_g", "must be an integer between 0 and 1000000, not `-4`"),
        (Method::POST, &variants, weighs(json!(1.5)), "/weight_g", "must be an integer, not `1.5`"),
        (Method::PUT, &address, lives("city", &long), "/city", "this has more than 120 characters"),
        (Method::PUT, &address, lives("region", " "), "/region", "must not be empty"),
        (Method::PUT, &address, lives("phone", &"1".repeat(33)), "/phone", "this has more than 32 characters"),
        (Method::PUT, &address, lives("phone", "12"), "/phone", "this has fewer than 3 or more than 15 digits"),
    ] {
        let refused = stage.call(&method, path).json(body.clone()).send().await;
        let refused = refused.expect_problem(422, "request.invalid");
        assert_eq!((blamed(&refused), refused.text("/detail")), (Some(pointer), detail), "{body}");
    }
    let returns = format!("/v1/orders/{}/returns", stage.order);
    let nothing = json!({"lines": [], "reason": "damaged"});
    let refused = stage.call(&Method::POST, &returns).json(nothing).send().await.expect_problem(422, "order.no_lines");
    assert_eq!((blamed(&refused), refused.text("/detail")), (Some("/lines"), "name at least one line"));
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_that_cannot_be_read_are_refused() {
    let stage = Stage::set().await;
    for query in [
        "/v1/products?limit=0",
        "/v1/products?limit=101",
        "/v1/products?limit=-1",
        "/v1/products?limit=x",
        "/v1/products?cursor=x",
        "/v1/products?cursor=%00",
        "/v1/products?price_min=1.5",
        "/v1/products?price_max=99999999999999999999",
        "/v1/products?in_stock=maybe",
        "/v1/products?sort=colour",
        "/v1/products?category=x",
        "/v1/products?status=x",
        "/v1/products?unheard_of=1",
        "/v1/products?attr.=x",
        "/v1/products?attr.%00=%00",
        "/v1/categories?parent=x",
        "/v1/categories?archived=x",
        "/v1/orders?status=x",
        "/v1/orders?account=x",
        "/v1/orders?unheard_of=1",
        "/v1/orders?cursor=AAAA",
        "/v1/admin/sales?from=yesterday",
        "/v1/admin/sales?from=2026-02-30",
        "/v1/admin/sales?by=colour",
        "/v1/admin/audit?from=x",
        "/v1/admin/audit?from=-100000-01-01T00:00:00Z",
        "/v1/admin/audit?cursor=x",
        "/v1/admin/audit?stream=x",
        "/v1/admin/audit?limit=1000",
        "/v1/admin/audit?actor=%00",
        "/v1/admin/audit?type=%00",
        "/v1/admin/audit?from=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z",
        "/v1/admin/sales?from=2026-02-01&until=2026-01-01",
        "/v1/admin/sales?until=-200000-01-01",
        "/v1/admin/accounts?role=king",
        "/v1/admin/accounts?limit=",
        "/v1/admin/notifications?status=lost",
        "/v1/admin/promotions?status=gone",
        "/v1/admin/api-keys?cursor=x",
        "/v1/orders?limit=20&limit=30",
        "/v1/orders?number=7",
    ] {
        let refused = stage.call(&Method::GET, query).send().await.expect_problem(400, "request.invalid_query");
        let asked = query.split(['?', '&']).skip(1).filter_map(|part| part.split_once('='));
        let named: Vec<_> = asked.map(|(name, _)| name.replace("%00", "\0")).collect();
        assert!(named.iter().any(|name| refused.text("/errors/0/parameter") == name), "{query}: {}", refused.body);
    }
    // Where there are no parameters, any is a slip.
    for (method, path) in [
        (Method::GET, "/v1/admin/views?status=parked"),
        (Method::GET, "/v1/admin/tax-rates?country=DE"),
        (Method::GET, "/v1/me?fields=email"),
        (Method::POST, "/v1/carts?currency=EUR"),
        (Method::GET, "/v1/webhook-endpoints?limit=5&page=2"),
    ] {
        let refused = stage.call(&method, path).send().await.expect_problem(400, "request.invalid_query");
        assert!(refused.text("/detail").starts_with("unknown query parameter "), "{path}: {}", refused.body);
    }
    for query in ["q=%00", "q=%27%22%3B--", "q=%25", "q=", "q=%F0%9F%94%AA", "q=-", "q=%22"] {
        stage.call(&Method::GET, &format!("/v1/products?{query}")).send().await.expect(200);
    }
    for query in ["type=.", "type=placed.", "type=order.plcaed", "actor=x%27", "actor=nobody@example.org", "stream=ABC"]
    {
        let path = format!("/v1/admin/audit?{query}");
        stage.call(&Method::GET, &path).send().await.expect_problem(400, "request.invalid_query");
    }
    for query in ["type=order.*", "type=placed", "actor=admin", "actor=process"] {
        stage.call(&Method::GET, &format!("/v1/admin/audit?{query}")).send().await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_paths_and_methods_that_do_not_fit_are_refused() {
    let stage = Stage::set().await;
    let head = stage.head().await;
    for key in ["", "a b", "é", &"x".repeat(256)] {
        let call =
            stage.call(&Method::POST, "/v1/carts").header("Idempotency-Key", key).json(json!({"currency": "EUR"}));
        call.send().await.expect_problem(400, "idempotency.invalid_key");
    }
    for path in ["/v1", "/v1/", "/v2/products", "/v1/products/", "/v1/carts//lines", "/V1/products"] {
        stage.call(&Method::GET, path).send().await.expect_problem(404, "request.not_found");
    }
    let refused = stage.call(&Method::DELETE, "/v1/products").send().await;
    let refused = refused.expect_problem(405, "request.method_not_allowed");
    let allowed = refused.header("allow").unwrap();
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
    stage.call(&Method::PUT, "/v1/carts").send().await.expect_problem(405, "request.method_not_allowed");
    let made_up = Method::from_bytes(b"BREW").unwrap();
    stage.call(&made_up, "/v1/carts").send().await.expect_problem(405, "request.method_not_allowed");
    assert_eq!(stage.head().await, head, "a refusal wrote something");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_away_is_said_to_be_and_health_knows() {
    let stage = Stage::set().await;
    let database = stage.shop.log.options().get_database().unwrap().to_owned();
    let mut elsewhere = sqlx::PgConnection::connect(&shared().await.database_url).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "alter database {database} with allow_connections false;
         select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database}'"
    )))
    .execute(&mut elsewhere)
    .await
    .unwrap();
    for path in [format!("/v1/orders/{}", stage.order), "/v1/admin/audit".into()] {
        let away = stage.call(&Method::GET, &path).send().await.expect_problem(503, "store.unavailable");
        assert_eq!(away.header("retry-after"), Some("1"));
        assert!(!away.body["detail"].as_str().unwrap().contains("pool"), "{}", away.body);
    }
    let told = eventually("readiness knows", || async {
        let told = stage.shop.get("/health/ready").send().await;
        (told.status == 503).then_some(told.body)
    });
    assert_eq!(told.await, json!({"status": "unavailable"}));
    let detail = stage.shop.ask_operations("/health/ready").send().await.expect(503);
    assert!(!detail.text("/roles/postgres/reason").is_empty());
    stage.shop.get("/health/live").send().await.expect(200);
}
