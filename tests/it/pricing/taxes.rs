//! Taxes over HTTP: the book, and the tax of carts and orders.

use std::sync::Arc;

use byteshop_eventstore::append::append;
use byteshop_eventstore::{Append, Clock, NewEvent, Outcome, StreamId};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn tax_is_within_the_price_or_comes_on_top_and_the_order_keeps_it() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("T-1", 1_190, 50).await;
    tax(&shop, json!([germany(true)])).await.expect(200);
    let cart = shop.full_cart(&variant, 2).await;
    let within = look(&shop, &cart).await;
    assert_eq!((amount(&within, "/tax"), amount(&within, "/total")), (380, 2_380));
    assert_eq!(
        within.body["lines"][0]["tax"],
        json!({"class": "standard", "rate_bps": 1900, "rate_ppm": null, "included": true, "amount": euro(380)})
    );
    let placed = check_out(&shop, &cart).await.expect(201);
    tax(&shop, json!([germany(false)])).await.expect(200);
    let order = shop.get(&format!("/v1/orders/{}", placed.text("/id"))).with(&cart).send().await.expect(200);
    assert_eq!((amount(&order, "/tax"), amount(&order, "/total")), (380, 2_380), "the tax of an order is frozen in it");
    let cart = shop.full_cart(&variant, 2).await;
    let on_top = check_out(&shop, &cart).await.expect(201);
    assert_eq!((amount(&on_top, "/tax"), amount(&on_top, "/total")), (452, 2_832));
    let payment = format!("/v1/payments/{}", on_top.text("/payment"));
    assert_eq!(shop.get(&payment).with(&cart).send().await.expect(200).body["amount"], euro(2_832));
}

#[tokio::test(flavor = "multi_thread")]
async fn classes_regions_and_discounts_have_their_tax() {
    let shop = TestShop::start().await;
    let (product, variant) = shop.product("T-2", 10_700, 50).await;
    let path = format!("/v1/products/{product}/variants/{variant}");
    shop.patch(&path).by(&shop.token(Role::Admin)).json(json!({"tax_class": "reduced"})).send().await.expect(200);
    let mut country = germany(true);
    country["regions"] = json!([{"name": "Island", "areas": ["274"], "rates": [
        {"class": "standard", "rate_bps": 0, "valid_from": "2007-01-01"}
    ]}]);
    tax(&shop, json!([country])).await.expect(200);
    let cart = shop.full_cart(&variant, 1).await;
    assert_eq!(amount(&look(&shop, &cart).await, "/tax"), 700);
    let address = format!("/v1/carts/{}/address", cart.id);
    for (place, expected) in [
        (json!({"country": "DE", "postal_code": "27498"}), 0),
        (json!({"country": "DE", "postal_code": "28195"}), 700),
        (json!({"country": "CH"}), 0),
        (json!({"country": "DE"}), 700),
    ] {
        let there = shop.put(&address).with(&cart).json(place.clone()).send().await.expect(200);
        assert_eq!((amount(&there, "/tax"), amount(&there, "/total")), (expected, 10_700), "{place}");
    }
    promotion(&shop, json!({"benefit": {"kind": "percent", "percent_bps": 5000}})).await;
    let half = look(&shop, &cart).await;
    assert_eq!((amount(&half, "/tax"), amount(&half, "/total")), (350, 5_350));
}

/// A rate in the USA, where taxes come on top of prices, and a parcel there for 5.00.
async fn america(shop: &TestShop, rate: &Value, rounding: Option<&str>) -> Answer {
    let mut rate = rate.clone();
    rate["class"] = json!("standard");
    rate["valid_from"] = json!("2020-01-01");
    let mut book = json!({"countries": [{"country": "US", "prices_include_tax": false, "rates": [rate]}]});
    if let Some(rounding) = rounding {
        book["rounding"] = json!(rounding);
    }
    let service = json!({"service": "flat", "name": "Flat", "days": {"min": 1, "max": 3},
        "bands": [{"up_to_g": 10_000, "prices": [euro(500)]}]});
    zones(shop, json!([{"zone": "usa", "name": "USA", "countries": ["US"], "services": [service]}])).await.expect(200);
    shop.put("/v1/admin/tax-rates").by(&shop.token(Role::Admin)).header("If-Match", "*").json(book).send().await
}

/// A guest's cart with one piece of each, to be sent to the USA.
async fn to_america(shop: &TestShop, variants: &[&str]) -> (GuestCart, Answer) {
    let cart = shop.guest_cart().await;
    let path = format!("/v1/carts/{}", cart.id);
    for variant in variants {
        let one = json!({"quantity": 1});
        shop.put(&format!("{path}/lines/{variant}")).with(&cart).json(one).send().await.expect(200);
    }
    shop.put(&format!("{path}/address")).with(&cart).json(to("US")).send().await.expect(200);
    let flat = json!({"service": "flat"});
    let shown = shop.put(&format!("{path}/shipping")).with(&cart).json(flat).send().await.expect(200);
    (cart, shown)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_with_three_decimals_of_a_percent_is_exact() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("T-8", 100_000, 50).await;
    america(&shop, &json!({"rate_bps": 887.5}), None).await.expect_problem(422, "request.invalid");
    america(&shop, &json!({"rate_bps": 887, "rate_ppm": 88_750}), None).await.expect_problem(422, "request.invalid");
    america(&shop, &json!({}), None).await.expect_problem(422, "request.invalid");
    let set = america(&shop, &json!({"rate_ppm": 88_750}), None).await.expect(200);
    let rate = &set.body["countries"][0]["rates"][0];
    assert_eq!((&rate["rate_bps"], &rate["rate_ppm"]), (&json!(888), &json!(88_750)));
    let (cart, shown) = to_america(&shop, &[&variant]).await;
    assert_eq!((amount(&shown, "/tax"), amount(&shown, "/total")), (8_919, 109_419));
    let placed = check_out(&shop, &cart).await.expect(201);
    assert_eq!(placed.body["lines"][0]["tax"]["rate_ppm"], 88_750);
    let invoice = shop.get(&format!("/v1/orders/{}/invoice?locale=en", placed.text("/id"))).with(&cart);
    assert!(invoice.send().await.expect(200).body.as_str().unwrap().contains("8.875 %"));
}

#[tokio::test(flavor = "multi_thread")]
async fn taxes_are_rounded_where_the_book_says_and_orders_keep_that() {
    let shop = TestShop::start().await;
    let mut variants = Vec::new();
    for sku in ["T-9", "T-10", "T-11"] {
        variants.push(shop.product(sku, 13, 50).await.1);
    }
    let variants: Vec<&str> = variants.iter().map(String::as_str).collect();
    let rate = json!({"rate_bps": 1900});
    america(&shop, &rate, None).await.expect(200);
    let (cart, by_line) = to_america(&shop, &variants).await;
    // 19 % of 0.13 is 0.0247, of 5.00 it is 0.95; of 5.39 it is 1.0241.
    assert_eq!(amount(&by_line, "/tax"), 2 + 2 + 2 + 95);
    let placed = check_out(&shop, &cart).await.expect(201);
    let set = america(&shop, &rate, Some("rate")).await.expect(200);
    assert_eq!(set.body["rounding"], "rate");
    let (cart, by_rate) = to_america(&shop, &variants).await;
    assert_eq!((amount(&by_rate, "/tax"), amount(&by_rate, "/total")), (102, 641));
    let kept = shop.get(&format!("/v1/orders/{}", placed.text("/id"))).with(&cart);
    kept.send().await.expect_problem(404, "order.missing");
    assert_eq!((&placed.body["tax_rounding"], amount(&placed, "/tax")), (&json!("line"), 101));
    let placed = check_out(&shop, &cart).await.expect(201);
    assert_eq!((&placed.body["tax_rounding"], amount(&placed, "/tax")), (&json!("rate"), 102));
    // Left out, it stays as it is.
    assert_eq!(america(&shop, &rate, None).await.expect(200).body["rounding"], "rate");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_book_is_set_whole_and_refuses_what_makes_no_sense() {
    let shop = TestShop::start().await;
    let empty = shop.get("/v1/admin/tax-rates").by(&shop.token(Role::Support)).send().await.expect(200);
    assert_eq!(empty.body, json!({"countries": [], "rounding": "line"}));
    let admin = shop.token(Role::Admin);
    let replace = || shop.put("/v1/admin/tax-rates").by(&admin).json(json!({"countries": [germany(true)]}));
    replace().send().await.expect_problem(428, "request.precondition_required");
    replace().header("If-Match", empty.header("etag").unwrap()).send().await.expect(200);
    let rate = |rate: i64| json!({"class": "standard", "rate_bps": rate, "valid_from": "2026-01-01"});
    for (wrong, code) in [
        (json!([germany(true), germany(true)]), "tax_book.country_twice"),
        (json!([{"country": "Germany", "rates": []}]), "request.country_unknown"),
        (json!([{"country": "FR", "rates": [rate(1), rate(2)]}]), "tax_book.rate_twice"),
        (json!([{"country": "FR", "rates": [rate(10_001)]}]), "request.invalid"),
        (json!([{"country": "FR", "rates": [rate(-1)]}]), "request.invalid"),
        (json!([{"country": "FR"}]), "request.invalid"),
    ] {
        tax(&shop, wrong).await.expect_problem(422, code);
    }
    let kept = shop.get("/v1/admin/tax-rates").by(&shop.token(Role::Support)).send().await.expect(200);
    assert_eq!(kept.body["countries"][0]["country"], "DE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_country_that_is_none_is_no_way_around_taxes() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("T-3", 1_000, 50).await;
    let cart = shop.full_cart(&variant, 1).await;
    let address = format!("/v1/carts/{}/address", cart.id);
    let there = |country: &str| shop.put(&address).with(&cart).json(to(country)).send();
    tax(&shop, json!([germany(false)])).await.expect(200);
    for (named, meant) in
        [("Germany", "DE"), ("Германия", "DE"), ("UK", "GB"), ("XX", "such as DE"), ("DEU", "such as DE")]
    {
        let refused = there(named).await.expect_problem(422, "request.country_unknown");
        assert_eq!(refused.text("/errors/0/pointer"), "/country", "{named}");
        assert!(refused.text("/detail").ends_with(meant), "{named}: {}", refused.text("/detail"));
    }
    assert_eq!(there("de").await.expect(200).text("/address/country"), "DE");
    // A cart from before there was the rule.
    name_country(&shop, &cart.id, "Germany").await;
    assert_eq!(problems(&look(&shop, &cart).await), ["country_unknown"]);
    check_out(&shop, &cart).await.expect_problem(409, "cart.country_unknown");
    there("DE").await.expect(200);
    assert_eq!(amount(&check_out(&shop, &cart).await.expect(201), "/total"), 1_190);
}

/// Says the destination of a cart once more, with a country as it was once taken.
async fn name_country(shop: &TestShop, cart: &str, country: &str) {
    let (aggregate, id) = byteshop_domain::locate(cart).unwrap();
    let stream = StreamId::named(aggregate.category, id);
    let events = shop.log.read_stream(&stream, 0, 100).await.unwrap();
    let last = events.last().unwrap().version;
    let set = events.iter().find(|event| event.event_type == "destination_set").unwrap();
    let mut data: Value = serde_json::from_str(&set.data).unwrap();
    data["destination"]["country"] = json!(country);
    let event = NewEvent {
        id: Clock.new_id(),
        stream: stream.clone(),
        version: last + 1,
        event_type: set.event_type.clone(),
        schema: set.schema,
        data: data.to_string(),
        meta: Arc::from(set.meta.as_str()),
        correlation: set.meta().unwrap().correlation_id,
        recorded_at: Clock.now(),
    };
    let mut writer = shop.log.writer().await.unwrap();
    let batch = [Append { expect: vec![(stream, last)], events: vec![event], receipt: None }];
    let outcome = append(&mut writer, &batch).await.unwrap();
    assert!(matches!(outcome[..], [Outcome::Accepted { .. }]), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_country_is_a_code_wherever_it_comes_in() {
    let shop = TestShop::start().await;
    let ada = shop.person("ada@example.org").await;
    let admin = shop.token(Role::Admin);
    let zone =
        |country: &str| json!({"zones": [{"zone": "eu", "name": "Europe", "countries": [country], "services": []}]});
    let coupon = json!({"label": "Alps", "benefit": {"kind": "percent", "percent_bps": 500}, "conditions": {"countries": ["Austria"]}});
    for (call, pointer, meant) in [
        (shop.post("/v1/me/addresses").by(&ada.token).json(json!({"country": "France"})), "/country", "FR"),
        (shop.post("/v1/delivery/quotes").json(json!({"country": "Italy", "currency": "EUR"})), "/country", "IT"),
        (
            shop.put("/v1/admin/tax-rates").by(&admin).json(json!({"countries": [{"country": "Malta", "rates": []}]})),
            "/countries/0/country",
            "MT",
        ),
        (shop.put("/v1/admin/shipping").by(&admin).json(zone("Spain")), "/zones/0/countries/0", "ES"),
        (shop.post("/v1/admin/promotions").by(&admin).json(coupon), "/conditions/countries/0", "AT"),
    ] {
        let refused = call.send().await.expect_problem(422, "request.country_unknown");
        let pointers = refused.body["errors"].as_array().unwrap().iter().map(|fault| &fault["pointer"]);
        assert!(pointers.into_iter().any(|it| it == pointer), "{}", refused.body);
        assert!(refused.text("/detail").ends_with(meant), "{}", refused.body);
    }
    let kept = shop.post("/v1/me/addresses").by(&ada.token).json(json!({"country": "fr"})).send().await.expect(201);
    assert!(kept.body.to_string().contains("\"country\":\"FR\""), "{}", kept.body);
}
