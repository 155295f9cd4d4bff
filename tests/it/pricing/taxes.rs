//! Taxes over HTTP: the book, and the tax of carts and orders.

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
        json!({"class": "standard", "rate_bps": 1900, "included": true, "amount": euro(380)})
    );
    let placed = check_out(&shop, &cart).await.expect(201);
    tax(&shop, json!([germany(false)])).await.expect(200);
    let order = shop.get(&format!("/v1/orders/{}", placed.text("/order_id"))).with(&cart).send().await.expect(200);
    assert_eq!((amount(&order, "/tax"), amount(&order, "/total")), (380, 2_380), "the tax of an order is frozen in it");
    let cart = shop.full_cart(&variant, 2).await;
    let on_top = check_out(&shop, &cart).await.expect(201);
    assert_eq!((amount(&on_top, "/order/tax"), amount(&on_top, "/order/total")), (452, 2_832));
    let payment = format!("/v1/payments/{}", on_top.text("/payment_id"));
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

#[tokio::test(flavor = "multi_thread")]
async fn the_book_is_set_whole_and_refuses_what_makes_no_sense() {
    let shop = TestShop::start().await;
    let empty = shop.get("/v1/admin/tax-rates").by(&shop.token(Role::Support)).send().await.expect(200);
    assert_eq!((&empty.body, empty.header("etag")), (&json!({"countries": []}), Some("\"0\"")));
    tax(&shop, json!([germany(true)])).await.expect(200);
    let rate = |rate: i64| json!({"class": "standard", "rate_bps": rate, "valid_from": "2026-01-01"});
    for (wrong, code) in [
        (json!([germany(true), germany(true)]), "tax_book.country_twice"),
        (json!([{"country": "Germany", "rates": []}]), "tax_book.no_code"),
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
    // A shop without books knows nothing of countries.
    assert_eq!(problems(&there("Germany").await.expect(200)), [] as [&str; 0]);
    tax(&shop, json!([germany(false)])).await.expect(200);
    for named in ["Germany", "XX", "de"] {
        assert_eq!(problems(&there(named).await.expect(200)), ["country_unknown"], "{named}");
        check_out(&shop, &cart).await.expect_problem(409, "cart.country_unknown");
    }
    there("DE").await.expect(200);
    assert_eq!(amount(&check_out(&shop, &cart).await.expect(201), "/order/total"), 1_190);
}
