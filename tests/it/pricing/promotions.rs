//! Promotions over HTTP: made, entered, shown in the cart, kept in the order, and refused when they do not apply.

use byteshop_commands::Intent;
use byteshop_commands::use_cases::promotions;
use byteshop_domain::Actor;
use byteshop_domain::promotion as rules;
use byteshop_tests::patience::eventually;
use chrono::DateTime;
use futures_util::future::join_all;
use reqwest::Method;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_code_takes_off_what_it_says_and_the_order_keeps_it() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("P-1", 1_000, 50).await;
    let coupon = promotion(&shop, json!({"code": "spring-26", "label": "Spring sale"})).await;
    let cart = shop.full_cart(&variant, 3).await;
    enter(&shop, &cart, "nobody-has-this").await.expect_problem(422, "cart.coupon_unknown");
    let entered = enter(&shop, &cart, "Spring-26").await.expect(200);
    assert_eq!(entered.body["coupons"], json!(["SPRING-26"]));
    let nothing = shop.put(&format!("/v1/carts/{}/coupons", cart.id)).with(&cart).json(json!({})).send().await;
    assert_eq!(nothing.expect(422).text("/errors/0/pointer"), "/coupons");
    assert_eq!(
        (amount(&entered, "/subtotal"), amount(&entered, "/discount"), amount(&entered, "/total")),
        (3_000, 300, 2_700)
    );
    let seen = look(&shop, &cart).await;
    assert_eq!((&seen.body["discounts"], &seen.body["total"]), (&entered.body["discounts"], &entered.body["total"]));
    assert_eq!(seen.text("/discounts/0/label"), "Spring sale");
    let placed = check_out(&shop, &cart).await.expect(201);
    assert_eq!((amount(&placed, "/total"), amount(&placed, "/discount")), (2_700, 300));
    assert_eq!(placed.text("/discounts/0/promotion"), coupon);
    assert_eq!(placed.body["discounts"][0]["version"], 1);
    assert_eq!(amount(&placed, "/lines/0/discount"), 300);
    let payment = format!("/v1/payments/{}", placed.text("/payment"));
    let payment = shop.get(&payment).with(&cart).send().await.expect(200);
    assert_eq!(payment.body["amount"], euro(2_700), "the payment is of what is to be paid");
    // Later changes of the promotion do not reach the order.
    let path = format!("/v1/admin/promotions/{coupon}");
    let admin = shop.token(Role::Admin);
    let half = terms(&json!({"code": "SPRING-26", "benefit": {"kind": "percent", "percent_bps": 5000}}));
    shop.put(&path).by(&admin).json(half).send().await.expect(200);
    let order = shop.get(&format!("/v1/orders/{}", placed.text("/id"))).with(&cart).send().await.expect(200);
    assert_eq!(amount(&order, "/total"), 2_700);
    let listed = shop.get("/v1/admin/promotions").by(&admin).after(placed.position());
    let listed = listed.send().await.expect(200);
    assert_eq!((&listed.body["items"][0]["orders"], &listed.body["items"][0]["given"][0]), (&json!(1), &euro(300)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_by_itself_is_given_to_all_until_it_is_paused_or_ends() {
    let shop = TestShop::start().await;
    let (product, variant) = shop.product("P-2", 1_000, 50).await;
    let (_, other) = shop.product("P-3", 500, 50).await;
    let of = json!({"target": {"kind": "products", "products": [product]}});
    let sale = promotion(&shop, of).await;
    let cart = shop.full_cart(&variant, 1).await;
    let line = format!("/v1/carts/{}/lines/{other}", cart.id);
    shop.put(&line).with(&cart).json(json!({"quantity": 1})).send().await.expect(200);
    let total = async || amount(&look(&shop, &cart).await, "/total");
    assert_eq!(total().await, 1_400);
    let admin = shop.token(Role::Admin);
    for (step, expected) in [("pause", 1_500), ("resume", 1_400), ("end", 1_500)] {
        shop.post(&format!("/v1/admin/promotions/{sale}/{step}")).by(&admin).send().await.expect(200);
        assert_eq!(total().await, expected, "{step}");
    }
    let again = shop.post(&format!("/v1/admin/promotions/{sale}/resume")).by(&admin).send().await;
    again.expect_problem(409, "promotion.ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_category_holds_what_is_under_it() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let category = async |slug: &str, parent: Value| {
        let body = json!({"name": slug, "slug": slug, "parent": parent});
        shop.post("/v1/categories").by(&admin).json(body).send().await.expect(201).id()
    };
    let kitchen = category("kitchen", Value::Null).await;
    let knives = category("knives", json!(kitchen)).await;
    let (product, variant) = shop.product("P-4", 1_000, 5).await;
    let path = format!("/v1/products/{product}");
    shop.patch(&path).by(&admin).json(json!({"category": knives})).send().await.expect(200);
    promotion(&shop, json!({"target": {"kind": "categories", "categories": [kitchen]}})).await;
    let cart = shop.full_cart(&variant, 1).await;
    assert_eq!(amount(&look(&shop, &cart).await, "/total"), 900);
    assert_eq!(amount(&check_out(&shop, &cart).await.expect(201), "/total"), 900);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_for_each_customer_once_asks_who_it_is() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("P-8", 1_000, 50).await;
    for (code, fields) in [
        ("ONCE", json!({"code": "ONCE", "limits": {"per_customer": 1}})),
        ("FIRST", json!({"code": "FIRST", "conditions": {"first_order": true}})),
    ] {
        promotion(&shop, fields).await;
        let cart = shop.full_cart(&variant, 2).await;
        let nobody = json!({"country": "DE", "name": "Anna", "lines": ["Mauerstraße 1"], "city": "Berlin"});
        let path = format!("/v1/carts/{}/address", cart.id);
        shop.put(&path).with(&cart).json(nobody).send().await.expect(200);
        let entered = enter(&shop, &cart, code).await.expect(200);
        assert_eq!(problems(&entered), ["address_incomplete", "coupon_needs_email"]);
        check_out(&shop, &cart).await.expect_problem(409, "cart.address_incomplete");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_of_a_group_and_a_fifth_of_it_for_nothing() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let category = json!({"name": "Clothes", "slug": "clothes"});
    let clothes = shop.post("/v1/categories").by(&admin).json(category).send().await.expect(201).id();
    let mut goods = Vec::new();
    for (sku, price) in [("TROUSERS", 3_000), ("SHIRT", 1_500)] {
        let (product, variant) = shop.product(sku, price, 50).await;
        let path = format!("/v1/products/{product}");
        shop.patch(&path).by(&admin).json(json!({"category": clothes})).send().await.expect(200);
        goods.push((product, variant));
    }
    let benefit = json!({"kind": "buy_get", "buy": 4, "get": 1, "percent_bps": 10_000,
        "of": {"kind": "products", "products": [goods[1].0]}});
    let target = json!({"kind": "categories", "categories": [clothes]});
    promotion(&shop, json!({"code": "FIVE", "target": target, "benefit": benefit})).await;
    for (trousers, shirts) in [(4, 1), (0, 5), (3, 2)] {
        let cart = shop.guest_cart().await;
        for ((_, variant), quantity) in goods.iter().zip([trousers, shirts]) {
            if quantity > 0 {
                let line = format!("/v1/carts/{}/lines/{variant}", cart.id);
                shop.put(&line).with(&cart).json(json!({"quantity": quantity})).send().await.expect(200);
            }
        }
        let entered = enter(&shop, &cart, "FIVE").await.expect(200);
        assert_eq!(amount(&entered, "/discount"), 1_500, "{trousers} trousers, {shirts} shirts");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_order_is_the_first_of_a_mailbox_however_it_is_written() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("P-9", 1_000, 50).await;
    let cart_of = async |email: &str| {
        let cart = shop.full_cart(&variant, 1).await;
        let address =
            json!({"country": "DE", "name": "Anna", "lines": ["Mauerstraße 1"], "city": "Berlin", "email": email});
        let path = format!("/v1/carts/{}/address", cart.id);
        shop.put(&path).with(&cart).json(address).send().await.expect(200);
        cart
    };
    for _ in 0..2 {
        let cart = cart_of("old@example.org").await;
        let placed = check_out(&shop, &cart).await.expect(201);
        let pay = format!("/v1/orders/{}/payments", placed.text("/id"));
        let token = json!({"provider": "test", "token": "tok_success"});
        shop.post(&pay).with(&cart).json(token).send().await.expect(201);
    }
    promotion(&shop, json!({"code": "FIRST1", "conditions": {"first_order": true}})).await;
    for email in ["old@example.org", "OLD@Example.ORG"] {
        let third = cart_of(email).await;
        let entered = enter(&shop, &third, "FIRST1").await.expect(200);
        assert_eq!(problems(&entered), ["coupon_not_applicable"]);
        assert_eq!(entered.body["problems"][0]["reason"], "first_order");
        check_out(&shop, &third).await.expect_problem(409, "cart.coupon_not_applicable");
    }
    // A new one gets it, once; an order that is cancelled before it is paid was none.
    for attempt in 0..3 {
        let first = cart_of("new@example.org").await;
        let entered = enter(&shop, &first, "FIRST1").await.expect(200);
        if attempt == 2 {
            assert_eq!(entered.body["problems"][0]["reason"], "first_order");
            break;
        }
        assert_eq!(amount(&entered, "/total"), 900);
        let placed = check_out(&shop, &first).await.expect(201);
        if attempt == 0 {
            let cancel = format!("/v1/orders/{}/cancel", placed.text("/id"));
            shop.post(&cancel).with(&first).send().await.expect(200);
            shop.at_rest().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_does_not_apply_is_a_problem_and_keeps_the_order_from_being_placed() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("P-5", 1_000, 50).await;
    let cases = [
        ("EARLY", json!({"from": "2999-01-01T00:00:00Z"}), "coupon_too_early", Value::Null),
        ("LATE", json!({"until": "2020-01-01T00:00:00Z"}), "coupon_expired", Value::Null),
        (
            "MUCH",
            json!({"conditions": {"minimum_subtotal": [euro(5_000)]}}),
            "coupon_not_applicable",
            json!("minimum_subtotal"),
        ),
        ("MANY", json!({"conditions": {"minimum_quantity": 5}}), "coupon_not_applicable", json!("minimum_quantity")),
        ("ABROAD", json!({"conditions": {"countries": ["FR"]}}), "coupon_not_applicable", json!("country")),
        ("POUNDS", json!({"conditions": {"currencies": ["GBP"]}}), "coupon_not_applicable", json!("currency")),
        (
            "ANNA",
            json!({"conditions": {"customers": ["acc_00000000000000000000000001"]}}),
            "coupon_not_applicable",
            json!("customer"),
        ),
    ];
    for (code, fields, problem, because) in cases {
        let mut fields = fields;
        fields["code"] = json!(code);
        if code == "LATE" {
            made_in_the_past(&shop, &fields).await;
        } else {
            promotion(&shop, fields).await;
        }
        let cart = shop.full_cart(&variant, 2).await;
        let entered = enter(&shop, &cart, code).await.expect(200);
        assert_eq!((problems(&entered), &entered.body["problems"][0]["reason"]), (vec![problem.to_owned()], &because));
        assert_eq!(amount(&entered, "/total"), 2_000);
        check_out(&shop, &cart).await.expect_problem(409, &format!("cart.{problem}"));
        shop.delete(&format!("/v1/carts/{}/coupons", cart.id)).with(&cart).send().await.expect(200);
        check_out(&shop, &cart).await.expect(201);
    }
}

/// A promotion that began, and may have been over, long ago.
async fn made_in_the_past(shop: &TestShop, fields: &Value) -> String {
    let terms: rules::Terms = serde_json::from_value(terms(fields)).unwrap();
    let actor = Actor::System { name: "test".into() };
    let long_ago = DateTime::parse_from_rfc3339("2019-01-01T00:00:00Z").unwrap().to_utc();
    let intent = Intent::new(actor, "promotion.create", shop.commands.clock().new_id());
    let intent = Intent { occurred_at: Some(long_ago), ..intent };
    let terms = &terms;
    let made = shop.commands.run(&intent, |unit| async move {
        let promotion = promotions::create(&unit, terms.clone()).await?;
        Ok(promotion.id.to_string())
    });
    made.await.unwrap().answer
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_promotion_stands_follows_the_clock() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let past = json!({"until": "2020-01-01T00:00:00Z"});
    let over = made_in_the_past(&shop, &past).await;
    let over_and_paused = made_in_the_past(&shop, &past).await;
    let [active, scheduled, paused, ended] = [
        promotion(&shop, json!({"until": "2999-01-01T00:00:00Z"})).await,
        promotion(&shop, json!({"from": "2999-01-01T00:00:00Z"})).await,
        promotion(&shop, json!({})).await,
        promotion(&shop, json!({})).await,
    ];
    let change = |id: &str, how: &str| shop.post(&format!("/v1/admin/promotions/{id}/{how}")).by(&admin).send();
    change(&over_and_paused, "pause").await.expect(200);
    change(&paused, "pause").await.expect(200);
    let position = change(&ended, "end").await.expect(200).position().to_string();
    let expected = [
        (&over, "over"),
        (&over_and_paused, "over"),
        (&active, "active"),
        (&scheduled, "scheduled"),
        (&paused, "paused"),
        (&ended, "ended"),
    ];
    let list = |query: String| shop.get(&format!("/v1/admin/promotions{query}")).by(&admin).after(&position).send();
    let all = list(String::new()).await.expect(200);
    for (id, status) in expected {
        let one = shop.get(&format!("/v1/admin/promotions/{id}")).by(&admin).send().await.expect(200);
        assert_eq!(one.body["status"], status);
        let row = all.body["items"].as_array().unwrap().iter().find(|row| row["id"] == **id).unwrap();
        assert_eq!(row["status"], status);
    }
    for status in ["over", "active", "scheduled", "paused", "ended"] {
        let mut wanted: Vec<&String> = expected.iter().filter(|it| it.1 == status).map(|it| it.0).collect();
        wanted.sort_by(|one, other| other.cmp(one));
        let mut found = Vec::new();
        let mut next = String::new();
        loop {
            let page = list(format!("?status={status}&limit=1{next}")).await.expect(200);
            let items = page.body["items"].as_array().unwrap();
            found.extend(items.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
            let Some(cursor) = page.body["next"].as_str() else { break };
            next = format!("&cursor={cursor}");
        }
        assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{status}");
    }
    list("?status=gone".into()).await.expect_problem(400, "request.invalid_query");
    let then = format!("/v1/admin/promotions/{over}?at=2019-06-01T00:00:00Z");
    shop.get(&then).by(&admin).send().await.expect(404);
    // Its end is followed by its entry in the book.
    let then = format!("/v1/admin/promotions/{ended}?at={}", position.parse::<i64>().unwrap() - 2);
    assert_eq!(shop.get(&then).by(&admin).send().await.expect(200).body["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_taken_by_one_promotion_until_it_ends() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let first = promotion(&shop, json!({"code": "TWICE"})).await;
    let again = shop.post("/v1/admin/promotions").by(&admin).json(terms(&json!({"code": "twice"}))).send().await;
    again.expect_problem(409, "name.taken");
    let other = terms(&json!({"code": "OTHER"}));
    let path = format!("/v1/admin/promotions/{first}");
    shop.put(&path).by(&admin).json(other).send().await.expect_problem(422, "promotion.code_stays");
    let stale = shop.put(&path).by(&admin).header("If-Match", "\"9\"").json(terms(&json!({"code": "TWICE"}))).send();
    stale.await.expect_problem(412, "request.version_mismatch");
    shop.post(&format!("{path}/end")).by(&admin).send().await.expect(200);
    promotion(&shop, json!({"code": "Twice"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_that_make_no_sense_are_refused() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    for (fields, code) in [
        (json!({"benefit": {"kind": "percent", "percent_bps": 10_001}}), "request.invalid"),
        (json!({"benefit": {"kind": "percent", "percent_bps": -1}}), "request.invalid"),
        (json!({"benefit": {"kind": "fixed", "amounts": [euro(-5)]}}), "request.invalid"),
        (json!({"benefit": {"kind": "fixed", "amounts": [euro(i64::MAX)]}}), "request.invalid"),
        (json!({"benefit": {"kind": "fixed", "amounts": []}}), "promotion.gives_nothing"),
        (json!({"benefit": {"kind": "buy_get", "buy": 0, "get": 1, "percent_bps": 1}}), "request.invalid"),
        (json!({"code": "a b"}), "request.invalid"),
        (json!({"code": "x"}), "request.invalid"),
        (json!({"limits": {"total": 0}}), "promotion.limit"),
        (json!({"colour": "red"}), "request.invalid"),
        (json!({"from": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}), "promotion.period"),
        (json!({"until": "2026-01-01T00:00:00Z"}), "promotion.past"),
    ] {
        let refused = shop.post("/v1/admin/promotions").by(&admin).json(terms(&fields)).send().await;
        refused.expect_problem(422, code);
    }
    let customer = shop.token(Role::Customer);
    let refused = shop.post("/v1/admin/promotions").by(&customer).json(terms(&json!({}))).send().await;
    refused.expect_problem(403, "auth.forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_uses_it_once_and_again_when_its_order_is_cancelled() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("P-6", 1_000, 50).await;
    let coupon =
        promotion(&shop, json!({"code": "HELLO", "conditions": {"first_order": true}, "limits": {"total": 10}})).await;
    let anna = shop.token(Role::Customer);
    let cart = async || {
        let made = shop.post("/v1/carts").by(&anna).json(json!({"currency": "EUR"})).send().await;
        let path = format!("/v1/carts/{}", made.id());
        for (part, body) in [
            (format!("lines/{variant}"), json!({"quantity": 1})),
            ("address".into(), to("DE")),
            ("coupons".into(), json!({"coupons": ["HELLO"]})),
        ] {
            shop.put(&format!("{path}/{part}")).by(&anna).json(body).send().await.expect(200);
        }
        path
    };
    let check_out = async |cart: &str| shop.post(&format!("{cart}/checkout")).by(&anna).send().await;
    let placed = check_out(&cart().await).await.expect(201);
    assert_eq!(amount(&placed, "/total"), 900);
    let second = cart().await;
    check_out(&second).await.expect_problem(409, "cart.coupon_not_applicable");
    let used = async || {
        let path = format!("/v1/admin/promotions/{coupon}");
        shop.get(&path).by(&shop.token(Role::Support)).send().await.expect(200).body["used"].as_i64()
    };
    assert_eq!(used().await, Some(1));
    let order = format!("/v1/orders/{}/cancel", placed.text("/id"));
    shop.post(&order).by(&anna).send().await.expect(200);
    eventually("the use is given back", || async { (used().await == Some(0)).then_some(()) }).await;
    // Its total was shown without the discount.
    check_out(&second).await.expect_problem(409, "cart.total_changed");
    assert_eq!(amount(&shop.get(&second).by(&anna).send().await.expect(200), "/total"), 900);
    assert_eq!(amount(&check_out(&second).await.expect(201), "/total"), 900);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_known_by_their_address_and_uses_it_once() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("P-7", 1_000, 50).await;
    promotion(&shop, json!({"code": "GUEST", "limits": {"per_customer": 1}})).await;
    let cart = async |email: &str| {
        let cart = shop.full_cart(&variant, 1).await;
        let path = format!("/v1/carts/{}/address", cart.id);
        let mut address = to("DE");
        address["email"] = json!(email);
        shop.put(&path).with(&cart).json(address).send().await.expect(200);
        enter(&shop, &cart, "GUEST").await.expect(200);
        cart
    };
    check_out(&shop, &cart("Ada@example.org").await).await.expect(201);
    let again = cart("ada@EXAMPLE.org").await;
    assert_eq!(problems(&look(&shop, &again).await), ["coupon_used_up"]);
    check_out(&shop, &again).await.expect_problem(409, "cart.coupon_used_up");
    check_out(&shop, &cart("eve@example.org").await).await.expect(201);
    // With an account of that address it is used as well, and what an account used its owner cannot use as a guest.
    let with_account = async |email: &str| {
        let person = shop.person(email).await;
        let made = shop.post("/v1/carts").by(&person.token).json(json!({"currency": "EUR"})).send().await;
        let path = format!("/v1/carts/{}", made.id());
        let coupon = json!({"coupons": ["GUEST"]});
        for (part, body) in [
            (format!("lines/{variant}"), json!({"quantity": 1})),
            ("address".into(), to("DE")),
            ("coupons".into(), coupon),
        ] {
            shop.put(&format!("{path}/{part}")).by(&person.token).json(body).send().await.expect(200);
        }
        shop.post(&format!("{path}/checkout")).by(&person.token).send().await
    };
    with_account("eve@example.org").await.expect_problem(409, "cart.coupon_used_up");
    with_account("max@example.org").await.expect(201);
    check_out(&shop, &cart("Max@example.org").await).await.expect_problem(409, "cart.coupon_used_up");
    // One mailbox, however its domain is written.
    check_out(&shop, &cart("a@bücher.example").await).await.expect(201);
    let spelled = cart("a@xn--bcher-kva.example").await;
    check_out(&shop, &spelled).await.expect_problem(409, "cart.coupon_used_up");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_placed_at_another_total_than_was_shown() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("P-8", 1_000, 50).await;
    let sale = promotion(&shop, json!({})).await;
    let cart = shop.full_cart(&variant, 1).await;
    let shown = look(&shop, &cart).await.body["total"].clone();
    assert_eq!(shown, euro(900));
    shop.post(&format!("/v1/admin/promotions/{sale}/end")).by(&shop.token(Role::Admin)).send().await.expect(200);
    let path = format!("/v1/carts/{}/checkout", cart.id);
    let check_out = |total: Value| shop.post(&path).with(&cart).json(json!({"expected_total": total})).send();
    let refused = check_out(shown).await.expect_problem(409, "cart.total_changed");
    assert!(refused.text("/detail").contains("10.00 EUR"), "{}", refused.body);
    for wrong in [json!({"amount": 1_000, "currency": "GBP"}), euro(-1), euro(999)] {
        check_out(wrong).await.expect_problem(409, "cart.total_changed");
    }
    check_out(euro(1_000)).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_guessed_only_so_often() {
    use byteshop_gateway::edge::limits::Limits;
    let shop = TestShop::start().limits(Limits::default().with_auth(1, 0).with_coupons(3)).await;
    let cart = shop.guest_cart().await;
    for guess in ["GUESS-1", "GUESS-2", "GUESS-3"] {
        enter(&shop, &cart, guess).await.expect_problem(422, "cart.coupon_unknown");
    }
    enter(&shop, &cart, "GUESS-4").await.expect_problem(429, "request.too_many");
    // Logging in is counted by itself.
    let log_in = json!({"email": "ada@example.org", "password": "a wrong password"});
    shop.post("/v1/auth/login").json(log_in).send().await.expect_problem(401, "auth.wrong_credentials");
    let path = format!("/v1/carts/{}/coupons", cart.id);
    for (method, body) in [(Method::PUT, json!({"coupons": ["a\nb"]})), (Method::PUT, json!({"coupons": 5}))] {
        let refused = as_guest(shop.call(method, &path), &cart).json(body).send().await;
        refused.expect_problem(422, "request.invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_called_off_line_by_line_gives_back_what_it_claimed() {
    let shop = TestShop::start().await;
    let (_, first) = shop.product("L-1", 1_000, 10).await;
    let (_, second) = shop.product("L-2", 500, 10).await;
    let coupon = promotion(&shop, json!({"code": "ONE-USE", "limits": {"total": 1, "per_customer": 1}})).await;
    let used = async || {
        let path = format!("/v1/admin/promotions/{coupon}");
        shop.get(&path).by(&shop.token(Role::Support)).send().await.expect(200).body["used"].as_i64()
    };
    for (number, pay) in [false, true].into_iter().enumerate() {
        let cart = shop.full_cart(&first, 1).await;
        let line = format!("/v1/carts/{}/lines/{second}", cart.id);
        shop.put(&line).with(&cart).json(json!({"quantity": 2})).send().await.expect(200);
        let mut address = to("DE");
        address["email"] = json!(format!("buyer{number}@example.org"));
        shop.put(&format!("/v1/carts/{}/address", cart.id)).with(&cart).json(address).send().await.expect(200);
        enter(&shop, &cart, "ONE-USE").await.expect(200);
        let placed = check_out(&shop, &cart).await.expect(201);
        assert_eq!(used().await, Some(1));
        let order = format!("/v1/orders/{}", placed.text("/id"));
        if pay {
            let pay = json!({"provider": "test", "token": "tok_success"});
            shop.post(&format!("{order}/payments")).with(&cart).json(pay).send().await.expect(201);
            shop.at_rest().await;
        }
        for variant in [&first, &second, &second] {
            assert_eq!(used().await, Some(1), "some of the order goes on");
            let off = json!({"lines": [{"variant": variant, "quantity": 1}]});
            shop.post(&format!("{order}/cancel")).with(&cart).json(off).send().await.expect(200);
        }
        let over = shop.get(&order).with(&cart).send().await.expect(200);
        assert_eq!(over.text("/status"), "cancelled");
        eventually("the use is given back", || async { (used().await == Some(0)).then_some(()) }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_order_is_one_of_guest_and_account_and_of_many_at_once() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("P-10", 1_000, 90).await;
    promotion(&shop, json!({"code": "FIRST2", "conditions": {"first_order": true}})).await;
    let with = |email: &str| {
        let mut address = to("DE");
        address["email"] = json!(email);
        address
    };
    let guest = async |email: &str| {
        let cart = shop.full_cart(&variant, 1).await;
        let path = format!("/v1/carts/{}/address", cart.id);
        shop.put(&path).with(&cart).json(with(email)).send().await.expect(200);
        enter(&shop, &cart, "FIRST2").await.expect(200);
        cart
    };
    let account = async |email: &str| {
        let person = shop.person(email).await;
        let made = shop.post("/v1/carts").by(&person.token).json(json!({"currency": "EUR"})).send().await;
        let path = format!("/v1/carts/{}", made.id());
        for (part, body) in [
            (format!("lines/{variant}"), json!({"quantity": 1})),
            ("address".into(), with(email)),
            ("coupons".into(), json!({"coupons": ["FIRST2"]})),
        ] {
            shop.put(&format!("{path}/{part}")).by(&person.token).json(body).send().await.expect(200);
        }
        shop.post(&format!("{path}/checkout")).by(&person.token).send().await
    };
    assert_eq!(amount(&check_out(&shop, &guest("ada@example.org").await).await.expect(201), "/total"), 900);
    account("Ada@example.org").await.expect_problem(409, "cart.coupon_not_applicable");
    assert_eq!(amount(&account("eve@example.org").await.expect(201), "/total"), 900);
    let second = guest("eve@EXAMPLE.org").await;
    check_out(&shop, &second).await.expect_problem(409, "cart.coupon_not_applicable");
    // At once, in two spellings.
    for round in 0..5 {
        let mut carts = Vec::new();
        for spelling in ["new", "NEW", "New", "nEW"] {
            carts.push(guest(&format!("{spelling}-{round}@example.org")).await);
        }
        let placed = join_all(carts.iter().map(|cart| check_out(&shop, cart))).await;
        assert_eq!(placed.iter().filter(|it| it.status == 201).count(), 1, "round {round}");
        for refused in placed.into_iter().filter(|it| it.status != 201) {
            refused.expect_problem(409, "cart.coupon_not_applicable");
        }
    }
}
