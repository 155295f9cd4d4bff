//! What people do in the shop, from the first look to the paid order.

use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{TestShop, address};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_buys_and_the_shop_settles_it() {
    let shop = TestShop::start().await;
    let (product, variant) = shop.product("KNIFE-1", 1999, 10).await;
    // The view may not have seen it yet: the query waits for the end of the log.
    let head = shop.log.head().await.unwrap().to_string();
    let listed = shop.get("/v1/products?q=knife-1&in_stock=true").after(&head).send().await;
    assert_eq!(listed.expect(200).text("/items/0/id"), product);
    let shown = shop.get(&format!("/v1/products/{product}")).send().await.expect(200);
    assert_eq!(shown.body["variants"][0]["available"], 10);

    let cart = shop.guest_cart().await;
    let line = format!("/v1/carts/{}/lines/{variant}", cart.id);
    shop.put(&line).with(&cart).json(json!({"quantity": 1})).send().await.expect(200);
    let changed = shop.put(&line).with(&cart).json(json!({"quantity": 3})).send().await.expect(200);
    assert_eq!(changed.body["total"], json!({"amount": 5997, "currency": "EUR"}));
    assert_eq!(changed.header("etag"), Some("\"3\""));
    shop.put(&format!("/v1/carts/{}/address", cart.id)).with(&cart).json(address("DE")).send().await.expect(200);
    let looked = shop.get(&format!("/v1/carts/{}", cart.id)).with(&cart).send().await.expect(200);
    assert_eq!(looked.body["problems"], json!([]));

    let placed = shop.post(&format!("/v1/carts/{}/checkout", cart.id)).with(&cart).key("once").send().await.expect(201);
    let order = placed.text("/id").to_owned();
    assert_eq!(placed.header("location"), Some(format!("/v1/orders/{order}").as_str()));
    assert!(placed.text("/payment").starts_with("pay_"), "{}", placed.body);
    let stock = shop.get(&format!("/v1/products/{product}")).send().await;
    assert_eq!(stock.body["variants"][0]["available"], 7);

    let pay = json!({"provider": "test", "token": "tok_success"});
    let paid = shop.post(&format!("/v1/orders/{order}/payments")).with(&cart).json(pay).send().await.expect(201);
    assert_eq!(paid.text("/status"), "captured");
    let path = format!("/v1/orders/{order}");
    eventually("the order is paid", || async {
        let order = shop.get(&path).with(&cart).send().await.expect(200);
        (order.text("/payment_status") == "paid").then_some(())
    })
    .await;
    let admin = shop.token(Role::Support);
    let done = shop.post(&format!("{path}/fulfil")).by(&admin).send().await.expect(200);
    assert_eq!((done.text("/status"), done.text("/fulfilment")), ("completed", "fulfilled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orders_history_says_who_did_what_and_why() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("H-1", 500, 5).await;
    let (placed, cart) = shop.order(&variant, 1).await;
    let path = format!("/v1/orders/{}", placed.text("/id"));
    let pay = json!({"provider": "test", "token": "tok_success"});
    shop.post(&format!("{path}/payments")).with(&cart).json(pay).send().await.expect(201);
    let history = eventually("the order is paid", || async {
        let history = shop.get(&format!("{path}/history")).with(&cart).send().await.expect(200);
        let items = history.body["items"].as_array().unwrap();
        items.iter().any(|item| item["type"] == "order.paid").then_some(history)
    })
    .await;
    let last = history.body["items"].as_array().unwrap().iter().find(|item| item["type"] == "order.paid").unwrap();
    let told: Vec<_> = ["actor", "command", "text"].map(|field| last[field].clone()).into();
    let number = shop.get(&path).with(&cart).send().await.expect(200).text("/invoice").to_owned();
    assert_eq!(told, ["shop", "order.mark_paid", &format!("The order was paid. Its invoice is {number}.")]);
    assert!(last["causation"].as_str().is_some_and(|token| token.starts_with("pos_")));
    let story = history.body["story"].to_string();
    for sentence in ["A guest ordered 1 item for €5.00.", "€5.00 was captured by the test provider."] {
        assert!(story.contains(sentence), "{story}");
    }
    assert!(!history.body.to_string().contains("access_hash"), "{}", history.body);
    assert!(!shop.get(&path).with(&cart).send().await.body.to_string().contains("hash"));
    shop.get(&format!("{path}/history")).send().await.expect_problem(404, "order.missing");
    // Staff is told which colleague acted; the buyer is told that staff did.
    let staff = shop.token(Role::Support);
    let cancelled = shop.post(&format!("{path}/cancel")).by(&staff).send().await.expect(200);
    assert_eq!(cancelled.text("/cancel_reason"), "staff_request");
    let history = || shop.get(&format!("{path}/history"));
    let seen = history().by(&staff).send().await.expect(200).body["story"].to_string();
    let told = history().with(&cart).send().await.expect(200).body["story"].to_string();
    assert!(seen.contains(" (support acc_"), "{seen}");
    assert!(told.contains("Staff cancelled") && !told.contains("acc_"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_sees_their_own_orders_and_staff_sees_all() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("C-1", 500, 5).await;
    let [anna, berta] = [Role::Customer; 2].map(|role| shop.token(role));
    let made = shop.post("/v1/carts").by(&anna).json(json!({"currency": "EUR"})).send().await.expect(201);
    assert_eq!(made.body["cart_token"], Value::Null);
    let cart = format!("/v1/carts/{}", made.id());
    shop.put(&format!("{cart}/lines/{variant}")).by(&anna).json(json!({"quantity": 1})).send().await.expect(200);
    shop.put(&format!("{cart}/address")).by(&anna).json(address("FR")).send().await.expect(200);
    let placed = shop.post(&format!("{cart}/checkout")).by(&anna).send().await.expect(201);
    let (order, at) = (placed.text("/id").to_owned(), placed.position().to_string());
    for (path, token, expected) in [
        ("/v1/orders", &anna, 1),
        ("/v1/me/orders?status=open", &anna, 1),
        ("/v1/me/orders?status=cancelled", &anna, 0),
        ("/v1/orders", &berta, 0),
        ("/v1/orders?payment_status=awaiting", &shop.token(Role::Admin), 1),
    ] {
        let listed = shop.get(path).by(token).after(&at).send().await.expect(200);
        assert_eq!(listed.body["items"].as_array().unwrap().len(), expected, "{path}");
    }
    let cancelled = shop.post(&format!("/v1/orders/{order}/cancel")).by(&anna).send().await.expect(200);
    assert_eq!((cancelled.text("/status"), cancelled.text("/cancel_reason")), ("cancelled", "buyer_request"));
    let account = format!("/v1/orders?account={}", "acc_00000000000000000000000001");
    shop.get(&account).by(&berta).send().await.expect_problem(403, "auth.forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_keeps_the_catalog() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let category = |slug: &str, parent: Option<String>| {
        let body = json!({"name": slug, "slug": slug, "parent": parent});
        shop.post("/v1/categories").by(&admin).json(body).send()
    };
    let kitchen = category("kitchen", None).await.expect(201).id();
    let knives = category("knives", Some(kitchen.clone())).await.expect(201).id();
    category("knives", None).await.expect_problem(409, "name.taken");
    let path = format!("/v1/categories/{kitchen}");
    let circle = shop.patch(&path).by(&admin).json(json!({"parent": knives})).send().await;
    circle.expect_problem(422, "category.cycle");
    let renamed = shop.patch(&path).by(&admin).json(json!({"name": "Kitchen things"})).send().await.expect(200);
    assert_eq!(renamed.text("/name"), "Kitchen things");

    let body = json!({"title": "Bread knife", "category": knives, "attributes": {"steel": "x50", "length_mm": 200}});
    let product = shop.post("/v1/products").by(&admin).json(body).send().await.expect(201);
    let path = format!("/v1/products/{}", product.id());
    shop.get(&path).send().await.expect_problem(404, "product.missing");
    shop.get(&path).by(&admin).send().await.expect(200);
    shop.post(&format!("{path}/publish")).by(&admin).send().await.expect_problem(409, "product.no_variant");
    let variant =
        json!({"sku": "BK-200", "price": {"amount": 4900, "currency": "EUR"}, "options": {"edge": "serrated"}});
    let added = shop.post(&format!("{path}/variants")).by(&admin).json(variant.clone()).send().await.expect(201);
    let one = format!("{path}/variants/{}", added.text("/variants/0/id"));
    assert_eq!(added.header("location"), Some(one.as_str()));
    shop.post(&format!("{path}/variants"))
        .by(&admin)
        .json(variant)
        .send()
        .await
        .expect_problem(409, "product.sku_twice");
    let cheaper = json!({"price": {"amount": 4500, "currency": "EUR"}});
    let changed = shop.patch(&one).by(&admin).json(cheaper).send().await.expect(200);
    assert_eq!(changed.body["variants"][0]["price"]["amount"], 4500);
    let published = shop.post(&format!("{path}/publish")).by(&admin).send().await.expect(200);
    shop.delete(&one).by(&admin).send().await.expect_problem(409, "product.last_variant");
    let at = published.position().to_string();
    for (query, expected) in [
        (format!("category={kitchen}"), 1),
        ("q=bread".into(), 1),
        ("q=spoon".into(), 0),
        ("attr.steel=x50".into(), 1),
        // As programs write it that are generated from the OpenAPI document, with and without encoding.
        ("attr[steel]=x50".into(), 1),
        ("attr%5Bsteel%5D=x60&attr.steel=x50".into(), 1),
        ("attr.steel=x60".into(), 0),
        ("price_min=4501".into(), 0),
        ("price_max=4500&sort=price".into(), 1),
        ("in_stock=true".into(), 0),
    ] {
        let listed = shop.get(&format!("/v1/products?{query}")).after(&at).send().await.expect(200);
        assert_eq!(listed.body["items"].as_array().unwrap().len(), expected, "{query}");
    }
    let listed = shop.get("/v1/categories?parent=none").after(&at).send().await.expect(200);
    assert_eq!(listed.body["items"].as_array().unwrap().len(), 1);
    shop.post(&format!("{path}/archive")).by(&admin).send().await.expect(200);
    shop.get(&path).send().await.expect_problem(404, "product.missing");
    shop.post(&format!("/v1/categories/{knives}/archive")).by(&admin).send().await.expect(200);
    let late = json!({"title": "Late", "category": knives});
    shop.post("/v1/products").by(&admin).json(late).send().await.expect_problem(409, "category.archived");
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_moves_by_type() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("S-1", 500, 10).await;
    let admin = shop.token(Role::Admin);
    let path = format!("/v1/variants/{variant}/stock");
    for (kind, quantity, on_hand) in [("lost", 3, 7), ("returned", 1, 8), ("counted", 20, 20), ("received", 5, 25)] {
        let movement = json!({"type": kind, "quantity": quantity, "reason": "a look at the shelf"});
        let stock = shop.post(&path).by(&admin).json(movement).send().await.expect(200);
        assert_eq!(stock.body["on_hand"], on_hand, "{kind}");
    }
    let lost = shop.post(&path).by(&admin).json(json!({"type": "lost", "quantity": 26})).send().await;
    lost.expect_problem(409, "stock.not_enough");
    assert_eq!(shop.get(&path).by(&admin).send().await.expect(200).body["available"], 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_end_as_their_tokens_say() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("P-1", 500, 50).await;
    for (token, status) in [
        ("tok_success", "captured"),
        ("tok_declined", "open"),
        ("tok_insufficient_funds", "open"),
        ("tok_cancelled", "open"),
        ("tok_failure", "open"),
        ("tok_timeout", "unresolved"),
        ("tok_pending_success", "pending"),
        ("tok_pending_failure", "pending"),
    ] {
        let (placed, cart) = shop.order(&variant, 1).await;
        let path = format!("/v1/orders/{}/payments", placed.text("/id"));
        let pay = json!({"provider": "test", "token": token});
        let paid = shop.post(&path).with(&cart).json(pay).send().await.expect(201);
        assert_eq!(paid.text("/status"), status, "{token}");
        let one = format!("/v1/payments/{}", placed.text("/payment"));
        shop.get(&one).with(&cart).send().await.expect(200);
        shop.get(&one).send().await.expect_problem(404, "payment.missing");
        assert!(!paid.body.to_string().contains(token), "the token went further than the provider");
    }
    let (placed, cart) = shop.order(&variant, 1).await;
    let given_up = shop.post(&format!("/v1/payments/{}/cancel", placed.text("/payment"))).with(&cart).send().await;
    assert_eq!(given_up.expect(200).text("/status"), "voided");
    let order = format!("/v1/orders/{}", placed.text("/id"));
    eventually("the order is off", || async {
        (shop.get(&order).with(&cart).send().await.text("/status") == "cancelled").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_reads_the_trail_the_views_and_the_sales() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("A-1", 500, 5).await;
    let (placed, _) = shop.order(&variant, 2).await;
    let (admin, at) = (shop.token(Role::Admin), placed.position().to_string());
    let trail = shop.get("/v1/admin/audit?type=order.placed").by(&admin).send().await.expect(200);
    assert_eq!(trail.text("/items/0/stream"), placed.text("/id"));
    assert_eq!(trail.text("/items/0/command"), "cart.checkout");
    let first = shop.get("/v1/admin/audit?limit=2").by(&admin).send().await.expect(200);
    let next = format!("/v1/admin/audit?limit=2&cursor={}", first.text("/next"));
    assert_eq!(shop.get(&next).by(&admin).send().await.expect(200).body["items"][0]["position"], 3);
    let views = shop.get("/v1/admin/views").by(&admin).send().await.expect(200);
    let names: Vec<_> = views.body["items"].as_array().unwrap().iter().map(|view| view["name"].clone()).collect();
    assert!(names.contains(&json!("order_list")) && names.contains(&json!("sales")), "{names:?}");
    let sales = shop.get("/v1/admin/sales?by=country").by(&admin).after(&at).send().await.expect(200);
    assert_eq!(sales.body["items"][0]["gross"], json!({"amount": 1000, "currency": "EUR"}), "{}", sales.body);
}
