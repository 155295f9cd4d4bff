//! Shipping over HTTP: the book, the options of a cart, and what sending adds to an order.

use super::*;

async fn choose(shop: &TestShop, cart: &GuestCart, service: &str) -> Answer {
    let path = format!("/v1/carts/{}/shipping", cart.id);
    shop.put(&path).with(cart).json(json!({"service": service})).send().await
}

async fn weigh(shop: &TestShop, product: &str, variant: &str, change: Value) {
    let path = format!("/v1/products/{product}/variants/{variant}");
    shop.patch(&path).by(&shop.token(Role::Admin)).json(change).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_is_sent_by_a_service_and_paid_for() {
    let shop = TestShop::start().await;
    let (product, variant) = shop.product("D-1", 1_000, 50).await;
    weigh(&shop, &product, &variant, json!({"weight_g": 900})).await;
    zones(&shop, json!([parcel()])).await.expect(200);
    let cart = shop.full_cart(&variant, 2).await;
    assert_eq!(problems(&look(&shop, &cart).await), ["shipping_not_chosen"]);
    check_out(&shop, &cart).await.expect_problem(409, "cart.shipping_not_chosen");
    let options = shop.get(&format!("/v1/carts/{}/shipping-options", cart.id)).with(&cart).send().await.expect(200);
    let told: Vec<_> =
        options.body["items"].as_array().unwrap().iter().map(|it| (&it["service"], &it["price"]["amount"])).collect();
    assert_eq!(told, [(&json!("parcel"), &json!(490)), (&json!("express"), &json!(1490))]);
    assert!(options.text("/items/0/earliest") <= options.text("/items/0/latest"));
    choose(&shop, &cart, "boat").await.expect_problem(422, "cart.shipping_gone");
    let chosen = choose(&shop, &cart, "parcel").await.expect(200);
    assert_eq!((amount(&chosen, "/shipping"), amount(&chosen, "/total")), (490, 2_490));
    // Heavier goods cost more to send, and some are too heavy for a service.
    let line = format!("/v1/carts/{}/lines/{variant}", cart.id);
    let heavier = shop.put(&line).with(&cart).json(json!({"quantity": 3})).send().await.expect(200);
    assert_eq!(amount(&heavier, "/total"), 3_990);
    let free = shop.put(&line).with(&cart).json(json!({"quantity": 10})).send().await.expect(200);
    assert_eq!((amount(&free, "/shipping"), amount(&free, "/total")), (0, 10_000));
    let placed = check_out(&shop, &cart).await.expect(201);
    assert_eq!(placed.text("/delivery/service"), "parcel");
    assert_eq!(placed.body["delivery"]["weight_g"], 9_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_gone_is_a_problem() {
    let shop = TestShop::start().await;
    let (product, variant) = shop.product("D-2", 1_000, 50).await;
    weigh(&shop, &product, &variant, json!({"weight_g": 900})).await;
    zones(&shop, json!([parcel()])).await.expect(200);
    let cart = shop.full_cart(&variant, 2).await;
    choose(&shop, &cart, "express").await.expect(200);
    let line = format!("/v1/carts/{}/lines/{variant}", cart.id);
    let heavy = shop.put(&line).with(&cart).json(json!({"quantity": 6})).send().await.expect(200);
    assert_eq!(problems(&heavy), ["shipping_gone"]);
    check_out(&shop, &cart).await.expect_problem(409, "cart.shipping_gone");
    let address = format!("/v1/carts/{}/address", cart.id);
    let abroad = shop.put(&address).with(&cart).json(to("FR")).send().await.expect(200);
    assert_eq!(problems(&abroad), ["no_shipping"]);
    check_out(&shop, &cart).await.expect_problem(409, "cart.no_shipping");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_data_is_not_sent() {
    let shop = TestShop::start().await;
    let (product, variant) = shop.product("D-3", 1_000, 50).await;
    weigh(&shop, &product, &variant, json!({"physical": false})).await;
    zones(&shop, json!([parcel()])).await.expect(200);
    let cart = shop.full_cart(&variant, 1).await;
    assert_eq!(problems(&look(&shop, &cart).await), [] as [&str; 0]);
    assert_eq!(amount(&check_out(&shop, &cart).await.expect(201), "/total"), 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_may_ask_what_sending_costs() {
    let shop = TestShop::start().await;
    let (product, variant) = shop.product("D-4", 1_000, 50).await;
    weigh(&shop, &product, &variant, json!({"weight_g": 3_000})).await;
    zones(&shop, json!([parcel()])).await.expect(200);
    let quote = |body: Value| shop.post("/v1/delivery/quotes").json(body).send();
    let of_weight = quote(json!({"country": "DE", "currency": "EUR", "weight_g": 1_500})).await.expect(200);
    assert_eq!((amount(&of_weight, "/items/0/price"), of_weight.body["weight_g"].as_i64()), (490, Some(1_500)));
    let lines = json!([{"variant": variant, "quantity": 2}]);
    let of_lines = quote(json!({"country": "DE", "postal_code": "10115", "currency": "EUR", "lines": lines})).await;
    assert_eq!(of_lines.expect(200).body["items"].as_array().unwrap().len(), 1);
    for (country, currency) in [("FR", "EUR"), ("DE", "JPY")] {
        let nothing = quote(json!({"country": country, "currency": currency})).await.expect(200);
        assert_eq!(nothing.body["items"], json!([]));
    }
    for wrong in [
        json!({"country": "DE"}),
        json!({"country": "DE", "currency": "EUR", "weight_g": -1}),
        json!({"country": "DE", "currency": "EUR", "weight_g": 99_999_999_999i64}),
        json!({"country": "DE", "currency": "EUR", "lines": [{"variant": variant, "quantity": 0}]}),
    ] {
        quote(wrong).await.expect_problem(422, "request.invalid");
    }
    let unknown = json!([{"variant": "var_00000000000000000000000001", "quantity": 1}]);
    quote(json!({"country": "DE", "currency": "EUR", "lines": unknown})).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_book_is_set_whole_and_refuses_what_makes_no_sense() {
    let shop = TestShop::start().await;
    let set = zones(&shop, json!([parcel()])).await.expect(200);
    let again = zones(&shop, json!([parcel()])).await.expect(200);
    assert_eq!((set.header("etag"), set.position()), (again.header("etag"), again.position()));
    let support = shop.token(Role::Support);
    let kept = shop.get("/v1/admin/shipping").by(&support).send().await.expect(200);
    assert_eq!(kept.body, set.body);
    shop.put("/v1/admin/shipping")
        .by(&support)
        .json(json!({"zones": []}))
        .send()
        .await
        .expect_problem(403, "auth.forbidden");
    let admin = shop.token(Role::Admin);
    let replace = |zones: Value| shop.put("/v1/admin/shipping").by(&admin).json(json!({"zones": zones}));
    let blind = replace(json!([])).send().await.expect_problem(428, "request.precondition_required");
    assert!(blind.text("/detail").contains("If-Match"), "{}", blind.body);
    let stale = replace(json!([])).header("If-Match", "\"7\"").send().await;
    stale.expect_problem(412, "request.version_mismatch");
    // Of two who have read the same book, the second does not write over what the first wrote.
    let seen = kept.header("etag").unwrap();
    replace(json!([parcel()])).header("If-Match", seen).send().await.expect(200);
    let other = json!([{"zone": "germany", "name": "Germany", "countries": ["DE"], "services": []}]);
    replace(other.clone()).header("If-Match", seen).send().await.expect(200);
    replace(json!([])).header("If-Match", seen).send().await.expect_problem(412, "request.version_mismatch");
    replace(json!([parcel()])).header("If-Match", "*").send().await.expect(200);
    let world = json!({"zone": "world", "name": "World", "services": []});
    let changed = |change: fn(&mut Value)| {
        let mut zone = parcel();
        change(&mut zone);
        zone
    };
    for (wrong, code) in [
        (json!([parcel(), parcel()]), "shipping_book.zone_twice"),
        (json!([world, changed(|it| it["countries"] = json!([]))]), "shipping_book.overlap"),
        (json!([changed(|it| it["countries"] = json!(["Germany"]))]), "request.country_unknown"),
        (json!([changed(|it| it["services"][0]["bands"] = json!([]))]), "shipping_book.no_service"),
        (json!([changed(|it| it["services"][0]["days"] = json!({"min": 5, "max": 1}))]), "shipping_book.no_service"),
        (json!([changed(|it| it["services"][0]["bands"][0]["prices"][0]["amount"] = json!(-1))]), "request.invalid"),
        (json!([changed(|it| it["colour"] = json!(1))]), "request.invalid"),
    ] {
        zones(&shop, wrong).await.expect_problem(422, code);
    }
    zones(&shop, json!([])).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_may_give_shipping_back_and_never_more_than_was_paid() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("D-9", 1_000, 50).await;
    zones(&shop, json!([parcel()])).await.expect(200);
    let cart = shop.full_cart(&variant, 4).await;
    choose(&shop, &cart, "parcel").await.expect(200);
    let placed = check_out(&shop, &cart).await.expect(201);
    let order = format!("/v1/orders/{}", placed.text("/id"));
    let off = |quantity: i64, shipping: Value| json!({"lines": [{"variant": variant, "quantity": quantity}], "shipping": shipping});
    let cancel = |body: Value| shop.post(&format!("{order}/cancel")).by(&staff).json(body);
    cancel(off(1, json!(true))).send().await.expect_problem(409, "order.not_paid");
    let pay = json!({"provider": "test", "token": "tok_success"});
    shop.post(&format!("{order}/payments")).with(&cart).json(pay).send().await.expect(201);
    shop.at_rest().await;
    let buyer = shop.post(&format!("{order}/cancel")).with(&cart).json(off(1, json!(true))).send().await;
    buyer.expect_problem(403, "auth.forbidden");
    for (wrong, status, code) in [
        (json!({"amount": 1_000_000, "currency": "EUR"}), 409, "order.too_much_shipping"),
        (json!({"amount": -1, "currency": "EUR"}), 422, "payment.not_an_amount"),
        (json!({"amount": 1, "currency": "GBP"}), 422, "payment.not_an_amount"),
        (json!("all"), 422, "request.invalid"),
        (json!(490), 422, "request.invalid"),
    ] {
        let refused = cancel(off(1, wrong)).send().await.expect_problem(status, code);
        assert_eq!(refused.text("/errors/0/pointer"), "/shipping", "{}", refused.body);
    }
    let refused = cancel(off(1, json!({"amount": 491, "currency": "EUR"}))).send().await;
    assert!(refused.text("/detail").starts_with("only 4.90 EUR of the shipping"), "{}", refused.body);
    let nothing = cancel(json!({"lines": []})).send().await.expect_problem(422, "order.no_lines");
    assert_eq!((nothing.text("/detail"), nothing.text("/errors/0/pointer")), ("name at least one line", "/lines"));
    let refunded = async |amount: i64| {
        byteshop_tests::patience::eventually(&format!("{amount} are refunded"), async || {
            let order = shop.get(&order).with(&cart).send().await.expect(200).body;
            (order["refunded"]["amount"] == amount).then_some(order)
        })
        .await
    };
    // Nothing said: shipping stays paid.
    shop.post(&format!("{order}/cancel"))
        .with(&cart)
        .json(json!({"lines": [{"variant": variant, "quantity": 1}]}))
        .send()
        .await
        .expect(200);
    refunded(1_000).await;
    cancel(off(1, json!({"amount": 90, "currency": "EUR"}))).send().await.expect(200);
    let some = refunded(2_090).await;
    assert_eq!(some["credit_notes"].as_array().unwrap().len(), 3);

    // What is left of it goes back with the goods that come back.
    shop.post(&format!("{order}/fulfil")).by(&staff).send().await.expect(200);
    let back = json!({"lines": [{"variant": variant, "quantity": 1}], "reason": "damaged"});
    let back = shop.post(&format!("{order}/returns")).with(&cart).json(back).send().await.expect(201);
    let path = format!("/v1/returns/{}", back.id());
    shop.post(&format!("{path}/approve")).by(&staff).send().await.expect(200);
    let line = json!({"variant": variant, "quantity": 1, "condition": "used", "restock": true});
    let receive = |shipping: Value| {
        shop.post(&format!("{path}/receive")).by(&staff).json(json!({"lines": [line.clone()], "shipping": shipping}))
    };
    let too_much = json!({"amount": 401, "currency": "EUR"});
    receive(too_much).send().await.expect_problem(409, "order.too_much_shipping");
    let nothing = shop.post(&format!("{path}/receive")).by(&staff).json(json!({"lines": []})).send().await;
    assert_eq!(nothing.expect_problem(422, "order.no_lines").text("/detail"), "name at least one line");
    receive(json!(true)).send().await.expect(200);
    refunded(3_490).await;
    let notes = shop.get(&format!("{order}/credit-notes")).with(&cart).send().await.expect(200);
    let totals: Vec<_> =
        notes.body["items"].as_array().unwrap().iter().map(|it| it["total"]["amount"].as_i64().unwrap()).collect();
    assert_eq!(totals, [1_000, 1_000, 90, 1_000, 400]);
    let payment = shop.get(&format!("/v1/payments/{}", placed.text("/payment"))).with(&cart).send().await.expect(200);
    assert_eq!(payment.body["refundable"]["amount"], 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parcel_needs_an_address_and_a_guest_is_written_to() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("D-4", 1_000, 50).await;
    let cart = shop.guest_cart().await;
    let path = format!("/v1/carts/{}", cart.id);
    let put = |part: &str, body| shop.put(&format!("{path}/{part}")).with(&cart).json(body).send();
    assert_eq!(problems(&look(&shop, &cart).await), [] as [&str; 0]);
    let nowhere = put(&format!("lines/{variant}"), json!({"quantity": 1})).await.expect(200);
    assert_eq!(problems(&nowhere), ["no_destination"]);
    check_out(&shop, &cart).await.expect_problem(422, "cart.no_destination");
    put("shipping", json!({"service": "parcel"})).await.expect_problem(422, "cart.no_destination");
    let bare = put("address", json!({"country": "DE", "company": "Byte GmbH"})).await.expect(200);
    let missing = json!([{"code": "address_incomplete", "missing": ["lines", "city", "email"]}]);
    assert_eq!(bare.body["problems"], missing);
    check_out(&shop, &cart).await.expect_problem(409, "cart.address_incomplete");
    assert_eq!(problems(&put("address", to("DE")).await.expect(200)), [] as [&str; 0]);
    check_out(&shop, &cart).await.expect(201);
}
