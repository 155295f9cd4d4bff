//! Prices in several currencies, and what carts make of them.

use byteshop_gateway::security::token::Role;
use byteshop_tests::shop::TestShop;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_variant_has_a_price_in_each_currency_it_is_sold_in() {
    let shop = TestShop::start().await;
    let (product, variant) = shop.product("P-1", 2000, 9).await;
    let admin = shop.token(Role::Admin);
    let path = format!("/v1/products/{product}/variants/{variant}");
    let change = |body| shop.patch(&path).by(&admin).json(body).send();
    let euros = |amount: i64| json!({"amount": amount, "currency": "EUR"});
    let dollars = |amount: i64| json!({"amount": amount, "currency": "USD"});

    let prices = json!([{"price": dollars(2200)}, {"price": euros(1500), "compare_at": euros(2000)}]);
    let changed = change(json!({"prices": prices, "weight_g": 340, "tax_class": "reduced"})).await.expect(200);
    let shown = &changed.body["variants"][0];
    assert_eq!((&shown["price"], &shown["compare_at"]), (&euros(1500), &euros(2000)));
    let both = json!([
        {"price": euros(1500), "compare_at": euros(2000), "lowest_before": null},
        {"price": dollars(2200), "compare_at": null, "lowest_before": null},
    ]);
    assert_eq!(shown["prices"], both);
    assert_eq!(
        (&shown["weight_g"], &shown["tax_class"], &shown["physical"]),
        (&json!(340), &json!("reduced"), &json!(true))
    );

    // A cart takes the price of its own currency, and refuses what has none in it.
    let cart = |currency: &str| shop.post("/v1/carts").json(json!({"currency": currency})).send();
    for (currency, expected) in [("USD", Some(dollars(4400))), ("EUR", Some(euros(3000))), ("GBP", None)] {
        let made = cart(currency).await.expect(201);
        let line = format!("/v1/carts/{}/lines/{variant}", made.id());
        let token = made.text("/cart_token");
        let put = shop.put(&line).header("Cart-Token", token).json(json!({"quantity": 2})).send().await;
        match expected {
            Some(total) => assert_eq!(put.expect(200).body["total"], total),
            None => drop(put.expect_problem(422, "cart.other_currency")),
        }
    }

    // What is not given up is kept; a price in a new currency is none of `price`.
    change(json!({"price": dollars(2100)})).await.expect(200);
    let other = change(json!({"price": {"amount": 1, "currency": "GBP"}})).await;
    let detail = other.expect_problem(422, "product.other_currency").text("/detail").to_owned();
    let told = "the primary currency of the variant is EUR; send all its prices in `prices`, with one in EUR";
    assert_eq!(detail, told);
    change(json!({"price": euros(2000)})).await.expect_problem(422, "product.compare_at_too_low");
    change(json!({"prices": [{"price": dollars(1)}]})).await.expect_problem(422, "product.other_currency");
    let twice = json!([{"price": euros(1)}, {"price": euros(2)}]);
    change(json!({"prices": twice})).await.expect_problem(422, "product.currency_twice");
    change(json!({"prices": [], "price": euros(1)})).await.expect_problem(422, "request.invalid");
    change(json!({"compare_at": euros(1)})).await.expect_problem(422, "request.invalid");
    change(json!({"weight_g": 1_000_001})).await.expect_problem(422, "product.too_heavy");
    change(json!({"weight_g": -1})).await.expect_problem(422, "request.invalid");
    change(json!({"tax_class": "luxury"})).await.expect_problem(422, "request.invalid");
    let last = change(json!({"price": euros(2000), "compare_at": null, "weight_g": null})).await.expect(200);
    let prices = json!([
        {"price": euros(2000), "compare_at": null, "lowest_before": null},
        {"price": dollars(2100), "compare_at": null, "lowest_before": null},
    ]);
    assert_eq!((&last.body["variants"][0]["prices"], &last.body["variants"][0]["weight_g"]), (&prices, &json!(null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_is_withdrawn_takes_the_goods_out_of_carts_in_its_currency() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let product = shop.post("/v1/products").by(&admin).json(json!({"title": "Mug"})).send().await.expect(201).id();
    let dollars = json!({"amount": 900, "currency": "USD"});
    let body = json!({
        "sku": "MUG", "price": {"amount": 800, "currency": "EUR"}, "prices": [{"price": dollars}],
        "physical": false, "tax_class": "super_reduced",
    });
    let path = format!("/v1/products/{product}");
    let added = shop.post(&format!("{path}/variants")).by(&admin).json(body).send().await.expect(201);
    let variant = added.text("/variants/0/id").to_owned();
    assert_eq!(
        (added.text("/variants/0/tax_class"), &added.body["variants"][0]["physical"]),
        ("super_reduced", &json!(false))
    );
    shop.post(&format!("/v1/variants/{variant}/stock"))
        .by(&admin)
        .json(json!({"type": "received", "quantity": 5}))
        .send()
        .await;
    shop.post(&format!("{path}/publish")).by(&admin).send().await.expect(200);
    let made = shop.post("/v1/carts").json(json!({"currency": "USD"})).send().await.expect(201);
    let (cart, token) = (format!("/v1/carts/{}", made.id()), made.text("/cart_token").to_owned());
    let line = format!("{cart}/lines/{variant}");
    shop.put(&line).header("Cart-Token", &token).json(json!({"quantity": 1})).send().await.expect(200);
    let euros = json!([{"price": {"amount": 800, "currency": "EUR"}}]);
    shop.patch(&format!("{path}/variants/{variant}"))
        .by(&admin)
        .json(json!({"prices": euros}))
        .send()
        .await
        .expect(200);
    let looked = shop.get(&cart).header("Cart-Token", &token).send().await.expect(200);
    assert_eq!(looked.body["problems"][0], json!({"code": "unavailable", "variant": variant}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_in_a_currency_shows_and_counts_what_has_a_price_in_it() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let price = |amount: i64, currency: &str| json!({"amount": amount, "currency": currency});
    let (both, variant) = shop.product("L-1", 2_000, 9).await;
    let (euros, _) = shop.product("L-2", 1_000, 9).await;
    let prices = json!({"prices": [{"price": price(2_000, "EUR")}, {"price": price(2_200, "USD")}]});
    let path = format!("/v1/products/{both}/variants/{variant}");
    let at = shop.patch(&path).by(&admin).json(prices).send().await.expect(200).position();
    let list = async |query: &str, at: i64| {
        let call = shop.get(&format!("/v1/products?{query}")).after(at);
        let found = call.send().await.expect(200).body;
        let row = |row: &Value| {
            let range = [&row["price_min"], &row["price_max"]].map(|it| (it["amount"].clone(), it["currency"].clone()));
            (row["id"].as_str().unwrap().to_owned(), range)
        };
        let rows: Vec<_> = found["items"].as_array().unwrap().iter().map(row).collect();
        assert_eq!(found["total"], rows.len(), "{query}");
        rows
    };
    let of = |id: &str, amount: i64, currency: &str| {
        let range = (json!(amount), json!(currency));
        (id.to_owned(), [range.clone(), range])
    };
    let dollars = vec![of(&both, 2_200, "USD")];
    for query in [
        "currency=USD",
        "currency=USD&sort=price",
        "currency=USD&price_min=2200&price_max=2200",
        "currency=USD&q=thing",
    ] {
        assert_eq!(list(query, at).await, dollars, "{query}");
    }
    assert_eq!(list("currency=EUR&sort=price", at).await, [of(&euros, 1_000, "EUR"), of(&both, 2_000, "EUR")]);
    assert_eq!(list("sort=price_desc", at).await, [of(&both, 2_000, "EUR"), of(&euros, 1_000, "EUR")]);
    assert_eq!(list("currency=GBP", at).await, []);
    let withdrawn = json!({"prices": [{"price": price(2_000, "EUR")}]});
    let at = shop.patch(&path).by(&admin).json(withdrawn).send().await.expect(200).position();
    assert_eq!(list("currency=USD", at).await, []);
}
