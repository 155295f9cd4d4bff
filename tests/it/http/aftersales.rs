//! After the order: parcels, parts called off, goods sent back, money given back; and nothing of it twice.

use std::time::Duration;

use byteshop_gateway::edge::limits::Limits;
use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{Answer, GuestCart, TestShop};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// An order of a guest that is paid, its goods out of the stock.
pub(super) struct Paid {
    pub(super) path: String,
    pub(super) payment: String,
    pub(super) cart: GuestCart,
}

pub(super) async fn paid(shop: &TestShop, variant: &str, quantity: i64) -> Paid {
    let (placed, cart) = shop.order(variant, quantity).await;
    let path = format!("/v1/orders/{}", placed.text("/id"));
    let payment = format!("/v1/payments/{}", placed.text("/payment"));
    let pay = json!({"provider": "test", "token": "tok_success"});
    shop.post(&format!("{path}/payments")).with(&cart).json(pay).send().await.expect(201);
    let order = Paid { path, payment, cart };
    order.awaits(shop, "/payment_status", "paid").await;
    let reserved = async || (shop_stock(shop, variant).await.1 == 0).then_some(());
    eventually("the goods have left the stock", reserved).await;
    order
}

impl Paid {
    pub(super) async fn is(&self, shop: &TestShop) -> Value {
        shop.get(&self.path).with(&self.cart).send().await.expect(200).body
    }

    pub(super) async fn awaits(&self, shop: &TestShop, pointer: &str, wanted: &str) -> Value {
        eventually(&format!("{pointer} is {wanted}"), async || {
            let order = self.is(shop).await;
            (order.pointer(pointer).and_then(Value::as_str) == Some(wanted)).then_some(order)
        })
        .await
    }
}

/// What of a variant is on hand and reserved.
pub(super) async fn shop_stock(shop: &TestShop, variant: &str) -> (i64, i64) {
    let staff = shop.token(Role::Admin);
    let stock = shop.get(&format!("/v1/variants/{variant}/stock")).by(&staff).send().await.expect(200).body;
    (stock["on_hand"].as_i64().unwrap(), stock["reserved"].as_i64().unwrap())
}

pub(super) fn lines(variant: &str, quantity: i64) -> Value {
    json!([{"variant": variant, "quantity": quantity}])
}

pub(super) async fn story(shop: &TestShop, order: &Paid) -> String {
    let history = shop.get(&format!("{}/history", order.path)).with(&order.cart).send().await.expect(200);
    history.body["story"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_travels_in_parcels_until_all_of_them_have_arrived() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("P-1", 1000, 9).await;
    let order = paid(&shop, &variant, 3).await;
    let shipments = format!("{}/shipments", order.path);
    let prepare = |body: Value| shop.post(&shipments).by(&staff).json(body);
    prepare(json!({"lines": lines(&variant, 4)})).send().await.expect_problem(409, "order.too_many_shipped");
    prepare(json!({"carrier": {"kind": "simulated", "story": "never"}})).send().await.expect(422);
    let first = prepare(json!({"lines": lines(&variant, 1)})).send().await.expect(201);
    let cancel = shop.post(&format!("{}/cancel", order.path)).with(&order.cart).send().await;
    cancel.expect_problem(409, "order.being_shipped");
    let first = format!("/v1/shipments/{}", first.id());
    shop.post(&format!("{first}/pack")).by(&staff).json(json!({"weight_g": 900})).send().await.expect(200);
    shop.post(&format!("{first}/hand-over")).by(&staff).send().await.expect(200);
    order.awaits(&shop, "/fulfilment", "partly_fulfilled").await;
    let other = json!({"carrier": {"kind": "other", "name": "Post"}});
    let second = format!("/v1/shipments/{}", prepare(other).send().await.expect(201).id());
    let hand_over = shop.post(&format!("{second}/hand-over")).by(&staff);
    hand_over.send().await.expect_problem(422, "shipment.tracking_needed");
    let hand_over = |body: Value| shop.post(&format!("{second}/hand-over")).by(&staff).json(body).send();
    hand_over(json!({"tracking": "T-1", "weight_g": 1_000_001})).await.expect_problem(422, "request.invalid");
    for _ in 0..2 {
        // It was never packed.
        let handed = hand_over(json!({"tracking": "T-1", "weight_g": 750})).await.expect(200);
        assert_eq!(handed.body["weight_g"], 750);
    }
    hand_over(json!({"tracking": "T-1", "weight_g": 751})).await.expect_problem(409, "shipment.handed_over");
    assert_eq!(order.is(&shop).await["stage"], "fulfilled");
    for status in ["in_transit", "delivered", "in_transit"] {
        let told = shop.post(&format!("{second}/status")).by(&staff).json(json!({"status": status}));
        told.send().await.expect(200);
    }
    let done = order.awaits(&shop, "/status", "completed").await;
    assert_eq!(done["lines"][0]["handed_over"], 3);
    let seen = shop.get(&shipments).with(&order.cart).send().await.expect(200);
    for parcel in seen.body["items"].as_array().unwrap() {
        assert_eq!(parcel["status"], "delivered");
    }
    let told = story(&shop, &order).await;
    for sentence in ["Staff put 1 item in a parcel.", "The parcel was delivered.", "All items have arrived."] {
        assert!(told.contains(sentence), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parcel_that_nobody_takes_comes_back_and_is_sent_again_or_called_off() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("P-2", 1000, 9).await;
    let order = paid(&shop, &variant, 2).await;
    let back = json!({"carrier": {"kind": "simulated", "story": "returned"}});
    let made = shop.post(&format!("{}/shipments", order.path)).by(&staff).json(back).send().await.expect(201);
    let parcel = format!("/v1/shipments/{}", made.id());
    shop.post(&format!("{parcel}/hand-over")).by(&staff).send().await.expect(200);
    eventually("the carrier gives up", async || {
        let parcel = shop.get(&parcel).with(&order.cart).send().await.expect(200);
        (parcel.body["status"] == "returning").then_some(())
    })
    .await;
    let here = shop.post(&format!("{parcel}/status")).by(&staff).json(json!({"status": "returned"}));
    here.send().await.expect(200);
    assert_eq!(order.is(&shop).await["fulfilment"], "unfulfilled");
    // One piece is spoilt and given back, the other is sent again.
    let off = json!({"lines": lines(&variant, 1), "restock": false});
    shop.post(&format!("{}/cancel", order.path)).by(&staff).json(off).send().await.expect(200);
    let again = json!({"carrier": {"kind": "other", "name": "Post"}});
    let made = shop.post(&format!("{}/shipments", order.path)).by(&staff).json(again).send().await.expect(201);
    let parcel = format!("/v1/shipments/{}", made.id());
    let hand_over = shop.post(&format!("{parcel}/hand-over")).by(&staff).json(json!({"tracking": "T-2"}));
    hand_over.send().await.expect(200);
    shop.post(&format!("{parcel}/status")).by(&staff).json(json!({"status": "delivered"})).send().await.expect(200);
    let done = order.awaits(&shop, "/payment_status", "partly_refunded").await;
    assert_eq!((done["status"].as_str(), done["refunded"]["amount"].as_i64()), (Some("completed"), Some(1000)));
    assert_eq!(shop_stock(&shop, &variant).await, (7, 0));
    let told = story(&shop, &order).await;
    assert!(told.contains("€10.00 will be refunded. 1 item was written off."), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_buys_one_to_get_another_does_not_keep_the_other_alone() {
    let shop = TestShop::start().await;
    let (product, variant) = shop.product("P-9", 1000, 10).await;
    let admin = shop.token(Role::Admin);
    let target = json!({"kind": "products", "products": [product]});
    let benefit = json!({"kind": "buy_get", "buy": 1, "get": 1, "percent_bps": 10_000});
    let terms = json!({"label": "two for one", "benefit": benefit, "target": target});
    shop.post("/v1/admin/promotions").by(&admin).json(terms).send().await.expect(201);
    let (placed, cart) = shop.order(&variant, 2).await;
    assert_eq!(placed.body["discounts"][0]["of_whole"], true);
    let cancel = format!("/v1/orders/{}/cancel", placed.text("/id"));
    let part = json!({"lines": lines(&variant, 1)});
    let by_buyer = shop.post(&cancel).with(&cart).json(part.clone()).send().await;
    by_buyer.expect_problem(409, "order.discount_of_whole");
    shop.post(&cancel).by(&admin).json(part).send().await.expect(200);
    shop.post(&cancel).with(&cart).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn some_of_an_order_is_called_off_before_and_after_it_is_paid() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("P-3", 999, 10).await;
    let (placed, cart) = shop.order(&variant, 4).await;
    let path = format!("/v1/orders/{}", placed.text("/id"));
    let off =
        |quantity| shop.post(&format!("{path}/cancel")).with(&cart).json(json!({"lines": lines(&variant, quantity)}));
    off(5).send().await.expect_problem(409, "order.too_many_cancelled");
    off(0).send().await.expect(422);
    let less = off(1).send().await.expect(200);
    assert_eq!((&less.body["payable"]["amount"], &less.body["lines"][0]["cancelled"]), (&json!(2997), &json!(1)));
    assert_eq!(shop_stock(&shop, &variant).await, (10, 3));
    let pay = json!({"provider": "test", "token": "tok_success"});
    shop.post(&format!("{path}/payments")).with(&cart).json(pay).send().await.expect(201);
    let payment = format!("/v1/payments/{}", placed.text("/payment"));
    let order = Paid { path: path.clone(), payment, cart: cart.clone() };
    order.awaits(&shop, "/payment_status", "paid").await;
    assert_eq!(shop.get(&order.payment).with(&cart).send().await.expect(200).body["captured"]["amount"], 2997);
    eventually("the goods have left", async || (shop_stock(&shop, &variant).await == (7, 0)).then_some(())).await;
    off(1).send().await.expect(200);
    let some = order.awaits(&shop, "/payment_status", "partly_refunded").await;
    assert_eq!((&some["refunded"]["amount"], some["credit_notes"].as_array().unwrap().len()), (&json!(999), 1));
    assert_eq!(shop_stock(&shop, &variant).await, (8, 0));
    // All that is left: the order is off as a whole, and all of the money goes back.
    off(2).send().await.expect(200);
    let all = order.awaits(&shop, "/payment_status", "refunded").await;
    assert_eq!((&all["status"], &all["refunded"]["amount"]), (&json!("cancelled"), &json!(2997)));
    eventually("the goods are back", async || (shop_stock(&shop, &variant).await == (10, 0)).then_some(())).await;
    off(1).send().await.expect_problem(409, "order.cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_come_back_once_and_their_money_goes_back_once() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("P-4", 333, 10).await;
    let order = paid(&shop, &variant, 3).await;
    let returns = format!("{}/returns", order.path);
    let ask = |quantity| {
        let body = json!({"lines": lines(&variant, quantity), "reason": "damaged"});
        shop.post(&returns).with(&order.cart).json(body)
    };
    ask(1).send().await.expect_problem(409, "order.not_fulfilled");
    shop.post(&format!("{}/fulfil", order.path)).by(&staff).send().await.expect(200);
    ask(4).send().await.expect_problem(409, "order.too_many_returned");
    let asked = ask(2).send().await.expect(201);
    assert_eq!(asked.body["status"], "requested");
    // Those two are on their way; only one is left to ask for.
    ask(2).send().await.expect_problem(409, "order.too_many_returned");
    let path = format!("/v1/returns/{}", asked.id());
    let came = |quantity, restock| {
        let line = json!({"variant": variant, "quantity": quantity, "condition": "used", "restock": restock});
        shop.post(&format!("{path}/receive")).by(&staff).json(json!({"lines": [line]}))
    };
    came(2, true).send().await.expect_problem(409, "return.not_approved");
    shop.post(&format!("{path}/approve")).by(&staff).send().await.expect(200);
    came(3, true).send().await.expect_problem(422, "return.too_many");
    // The parcel is unpacked by two people at once.
    let both = join_all([came(2, true).send(), came(2, true).send()]).await;
    let mut statuses: Vec<u16> = both.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let some = order.awaits(&shop, "/payment_status", "partly_refunded").await;
    assert_eq!((&some["refunded"]["amount"], &some["fulfilment"]), (&json!(666), &json!("partly_returned")));
    eventually("the return is settled", async || {
        let it = shop.get(&path).with(&order.cart).send().await.expect(200);
        (it.body["status"] == "refunded").then_some(())
    })
    .await;
    assert_eq!(shop_stock(&shop, &variant).await, (9, 0));
    // The last one is refused, asked for again, and kept after all.
    let asked = ask(1).send().await.expect(201);
    let reject = shop.post(&format!("/v1/returns/{}/reject", asked.id())).by(&staff);
    reject.json(json!({"reason": "it was worn"})).send().await.expect(200);
    let asked = ask(1).send().await.expect(201);
    shop.post(&format!("/v1/returns/{}/withdraw", asked.id())).with(&order.cart).send().await.expect(200);
    let seen = shop.get(&returns).with(&order.cart).send().await.expect(200);
    let statuses: Vec<&Value> = seen.body["items"].as_array().unwrap().iter().map(|it| &it["status"]).collect();
    assert_eq!(statuses, ["refunded", "rejected", "withdrawn"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn never_more_is_given_back_than_was_paid_however_many_ask_at_once() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("P-5", 1000, 10).await;
    let order = paid(&shop, &variant, 1).await;
    let give = |amount: Value| {
        let body = json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": "a scratch"});
        shop.post(&format!("{}/refunds", order.payment)).by(&staff).json(body)
    };
    for amount in [json!(0), json!(-1)] {
        give(amount).send().await.expect_problem(422, "payment.not_an_amount");
    }
    for amount in [json!(1001), json!(i64::MAX)] {
        give(amount).send().await.expect_problem(409, "payment.too_much_refunded");
    }
    give(json!(1.5)).send().await.expect(422);
    let pounds = json!({"amount": {"amount": 1, "currency": "GBP"}, "reason": "a scratch"});
    let pounds = shop.post(&format!("{}/refunds", order.payment)).by(&staff).json(pounds).send().await;
    pounds.expect_problem(422, "payment.not_an_amount");
    give(json!(100)).send().await.expect(201);
    // All of what is left, eight times at once: exactly one gets it.
    let answers: Vec<Answer> = join_all((0..8).map(|_| give(json!(900)).send())).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 409)));
    order.awaits(&shop, "/payment_status", "refunded").await;
    let payment = shop.get(&order.payment).with(&order.cart).send().await.expect(200).body;
    assert_eq!((&payment["refunded"]["amount"], &payment["refundable"]["amount"]), (&json!(1000), &json!(0)));
    assert_eq!(payment["refunds"].as_array().unwrap().len(), 2);
    assert_eq!(order.is(&shop).await["credit_notes"].as_array().unwrap().len(), 2);
    let notes = shop.get(&format!("{}/credit-notes", order.path)).with(&order.cart).send().await.expect(200);
    assert_eq!((notes.text("/items/0/reason"), &notes.body["items"][0]["total"]["amount"]), ("a scratch", &json!(100)));
    assert!(notes.text("/items/0/number").starts_with("CN-"), "{}", notes.body);
    assert_eq!(
        (&notes.body["items"][1]["total"]["amount"], &notes.body["items"][1]["lines"]),
        (&json!(900), &json!([]))
    );
    shop.get(&format!("{}/credit-notes", order.path)).by(&shop.token(Role::Customer)).send().await.expect(404);
    // A key makes a repetition harmless.
    let again = |key: &str| give(json!(1)).key(key).send();
    let (first, second) = (again("r-1").await, again("r-1").await);
    assert_eq!((first.status, second.status), (409, 409));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_an_order_that_is_spoilt_is_not_for_sale_again_and_its_shipping_goes_back_whole() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("SPOILT", 1_000, 10).await;
    for named in [true, false] {
        let before = shop_stock(&shop, &variant).await.0;
        let order = paid(&shop, &variant, 2).await;
        let cancel = |body: Value| shop.post(&format!("{}/cancel", order.path)).by(&staff).json(body).send();
        let lines = if named { json!({"lines": lines(&variant, 2)}) } else { json!({}) };
        let with = |more: Value| {
            let mut body = lines.clone();
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let some = json!({"shipping": {"amount": 1, "currency": "EUR"}});
        assert_eq!(cancel(with(some)).await.status, 422);
        cancel(with(json!({"restock": false}))).await.expect(200);
        order.awaits(&shop, "/payment_status", "refunded").await;
        shop.at_rest().await;
        assert_eq!(shop_stock(&shop, &variant).await, (before - 2, 0));
        let told = story(&shop, &order).await;
        assert!(told.contains("2 items were written off."), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_credited_is_what_goes_back_when_staff_gives_money_back_to_an_order_that_is_called_off() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("CREDIT-RACE", 1_000, 100).await;
    let (mut given, mut refused) = (0, 0);
    for _ in 0..10 {
        let order = paid(&shop, &variant, 3).await;
        let refund = json!({"amount": {"amount": 7, "currency": "EUR"}, "reason": "a scratch"});
        let give = || shop.post(&format!("{}/refunds", order.payment)).by(&staff).json(refund.clone()).send();
        let cancel = shop.post(&format!("{}/cancel", order.path)).with(&order.cart);
        let (gifts, cancelled) = tokio::join!(join_all((0..4).map(|_| give())), cancel.send());
        cancelled.expect(200);
        for answer in gifts {
            if answer.status == 201 {
                given += 1;
            } else {
                // All that is left goes back by itself, or has.
                let why = answer.text("/code");
                assert!(["order.cancelled", "payment.too_much_refunded"].contains(&why), "{answer:?}");
                refused += 1;
            }
        }
        order.awaits(&shop, "/payment_status", "refunded").await;
        let notes = shop.get(&format!("{}/credit-notes", order.path)).by(&staff).send().await.expect(200).body;
        let credited: i64 =
            notes["items"].as_array().unwrap().iter().map(|it| it["total"]["amount"].as_i64().unwrap()).sum();
        assert_eq!(credited, 3_000, "{notes}");
    }
    assert_eq!(given + refused, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_cancelled_while_it_is_paid_ends_one_way() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("P-6", 1000, 40).await;
    for _ in 0..8 {
        let (placed, cart) = shop.order(&variant, 1).await;
        let path = format!("/v1/orders/{}", placed.text("/id"));
        let payment = format!("/v1/payments/{}", placed.text("/payment"));
        let order = Paid { path, payment, cart };
        let pay = json!({"provider": "test", "token": "tok_success"});
        let pay = shop.post(&format!("{}/payments", order.path)).with(&order.cart).json(pay);
        let cancel = shop.post(&format!("{}/cancel", order.path)).with(&order.cart);
        let (_, cancelled) = tokio::join!(pay.send(), cancel.send());
        cancelled.expect(200);
        eventually("nothing is kept", async || {
            let payment = shop.get(&order.payment).with(&order.cart).send().await.expect(200).body;
            let kept = payment["captured"]["amount"].as_i64()? - payment["refunded"]["amount"].as_i64()?;
            let order = order.is(&shop).await;
            let over = matches!(order["payment_status"].as_str(), Some("voided" | "refunded"));
            (kept == 0 && over && order["status"] == "cancelled").then_some(())
        })
        .await;
    }
    eventually("the goods are back", async || (shop_stock(&shop, &variant).await == (40, 0)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_for_staff_and_sealed_in_the_log() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("P-7", 1000, 10).await;
    let (placed, cart) = shop.order(&variant, 1).await;
    let path = format!("/v1/orders/{}", placed.text("/id"));
    let note = shop.post(&format!("{path}/notes")).by(&staff).json(json!({"text": "Ada rang: leave it next door"}));
    let shown = note.send().await.expect(200);
    assert_eq!(shown.body["notes"][0]["text"], "Ada rang: leave it next door");
    let seen = shop.get(&path).by(&staff).send().await.expect(200);
    assert_eq!(seen.body["notes"][0]["text"], "Ada rang: leave it next door");
    let theirs = shop.get(&path).with(&cart).send().await.expect(200);
    assert_eq!(theirs.body.get("notes"), None);
    let told = shop.get(&format!("{path}/history")).with(&cart).send().await.expect(200);
    assert!(!told.body.to_string().contains("noted"), "{}", told.body);
    for event in shop.log.read_log(0, 100).await.unwrap() {
        assert!(!event.data.contains("Ada rang"), "{}", event.data);
    }
    let empty = shop.post(&format!("{path}/notes")).by(&staff).json(json!({"text": " "})).send().await;
    empty.expect(422);

    // Why staff called it off is written down in the same append, once.
    let cancel = |note: Value| shop.post(&format!("{path}/cancel")).json(json!({"text": note}));
    cancel(json!("I want to")).with(&cart).send().await.expect_problem(403, "auth.forbidden");
    cancel(json!("")).by(&staff).send().await.expect(422);
    let before = shop.at_rest().await;
    cancel(json!("Ada rang: the wrong colour")).by(&staff).send().await.expect(200);
    cancel(json!("the same again")).by(&staff).send().await.expect(200);
    let off = shop.get(&path).by(&staff).send().await.expect(200).body;
    assert_eq!(off["notes"].as_array().unwrap().len(), 2, "{off}");
    assert_eq!(off["notes"][1]["text"], "Ada rang: the wrong colour");
    let events = shop.log.read_log(before, 100).await.unwrap();
    let of = |kind: &str| events.iter().find(|event| event.event_type == kind).unwrap();
    assert_eq!(of("cancelled").meta, of("noted").meta, "who, when and by which request");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_found_by_its_number_however_it_is_written() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("P-8", 1000, 10).await;
    let (placed, cart) = shop.order(&variant, 1).await;
    shop.order(&variant, 1).await;
    let path = format!("/v1/orders/{}", placed.text("/id"));
    let number = shop.get(&path).with(&cart).send().await.expect(200).text("/number").to_owned();
    let position = shop.log.head().await.unwrap().to_string();
    for written in [number.clone(), number.to_lowercase(), number.replace('-', "")] {
        let found = shop.get(&format!("/v1/orders?number={written}")).by(&staff);
        let found = found.after(&position).send().await.expect(200);
        let ids: Vec<&str> =
            found.body["items"].as_array().unwrap().iter().filter_map(|it| it["id"].as_str()).collect();
        assert_eq!(ids, [placed.text("/id")]);
    }
    shop.get("/v1/orders?number=7K3Q").by(&staff).send().await.expect_problem(400, "request.invalid_query");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_changes_of_an_order_are_told_as_they_happen_and_again_from_where_one_was() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("P-9", 1000, 10).await;
    let (placed, cart) = shop.order(&variant, 1).await;
    let path = format!("/v1/orders/{}", placed.text("/id"));
    let follow = async |last: Option<String>, wanted: usize| {
        let request =
            reqwest::Client::new().get(format!("{}{path}/stream", shop.url)).header("Cart-Token", &cart.token);
        let request = match last {
            Some(last) => request.header("Last-Event-ID", last),
            None => request,
        };
        let mut response = request.send().await.unwrap().error_for_status().unwrap();
        let mut text = String::new();
        let reading = async {
            while text.matches("\n\n").count() < wanted {
                text.push_str(std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap());
            }
        };
        tokio::time::timeout(Duration::from_secs(20), reading).await.unwrap();
        text
    };
    let first = follow(None, 1).await;
    assert!(first.contains("event: order.placed") && first.contains("\"stage\":\"new\""), "{first}");
    let seen = first.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
    let pay = json!({"provider": "test", "token": "tok_success"});
    let (more, _) =
        tokio::join!(follow(Some(seen), 1), shop.post(&format!("{path}/payments")).with(&cart).json(pay).send());
    assert!(more.contains("event: order.paid") && !more.contains("order.placed"), "{more}");
    let wrong = shop.get(&format!("{path}/stream")).with(&cart).header("Last-Event-ID", "x").send().await;
    wrong.expect_problem(400, "request.invalid_header");
    shop.get(&format!("{path}/stream")).send().await.expect_problem(404, "order.missing");
    // Nobody takes all the streams there are.
    let one_more =
        || reqwest::Client::new().get(format!("{}{path}/stream", shop.url)).header("Cart-Token", &cart.token).send();
    let open = join_all((0..byteshop_gateway::edge::limits::STREAMS_EACH).map(|_| one_more())).await;
    let refused = shop.get(&format!("{path}/stream")).with(&cart).send().await;
    refused.expect_problem(429, "request.too_many");
    drop(open);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_many_answers_unread_gets_no_more_until_they_are_gone() {
    let shop = TestShop::start().limits(Limits::per_minute(1_000_000, 0).with_under_way(2)).await;
    let (_, variant) = shop.product("P-11", 1000, 10).await;
    let (placed, cart) = shop.order(&variant, 1).await;
    let url = format!("{}/v1/orders/{}/stream", shop.url, placed.body["id"].as_str().unwrap());
    let follow = || reqwest::Client::new().get(&url).header("Cart-Token", &cart.token).send();
    let open = join_all((0..2).map(|_| follow())).await;
    assert!(open.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.status() == 200)));
    let asked = || shop.get("/health/live").send();
    asked().await.expect_problem(429, "request.too_many");
    drop(open);
    eventually("the answers are gone", async || (asked().await.status == 200).then_some(())).await;
    // What is sent whole says how long it is, as without a limit.
    assert!(shop.get("/v1/products").send().await.expect(200).headers.contains_key("content-length"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_concerns_other_peoples_orders_is_not_there_and_staffs_work_is_staffs() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("P-10", 1000, 10).await;
    let order = paid(&shop, &variant, 2).await;
    // A carrier that says nothing by itself, so that only a refusal could write.
    let post = json!({"carrier": {"kind": "other", "name": "Post"}});
    let made = shop.post(&format!("{}/shipments", order.path)).by(&staff).json(post).send().await.expect(201);
    let parcel = format!("/v1/shipments/{}", made.id());
    let hand_over = shop.post(&format!("{parcel}/hand-over")).by(&staff).json(json!({"tracking": "T-3"}));
    hand_over.send().await.expect(200);
    let body = json!({"lines": lines(&variant, 1), "reason": "damaged"});
    let asked = shop.post(&format!("{}/returns", order.path)).with(&order.cart).json(body.clone()).send().await;
    let back = format!("/v1/returns/{}", asked.expect(201).id());
    let (other, customer) = (shop.guest_cart().await, shop.token(Role::Customer));
    let head = shop.at_rest().await;
    for (method, path, body, code) in [
        (Method::GET, format!("{}/shipments", order.path), None, "order.missing"),
        (Method::GET, format!("{}/returns", order.path), None, "order.missing"),
        (Method::GET, format!("{}/stream", order.path), None, "order.missing"),
        (Method::POST, format!("{}/returns", order.path), Some(body), "order.missing"),
        (Method::GET, parcel.clone(), None, "shipment.missing"),
        (Method::GET, back.clone(), None, "return.missing"),
        (Method::POST, format!("{back}/withdraw"), None, "return.missing"),
    ] {
        for stranger in [None, Some(&other)] {
            let call = shop.call(method.clone(), &path);
            let call =
                stranger.map_or_else(|| shop.call(method.clone(), &path).by(&customer), |other| call.with(other));
            let call = if let Some(body) = &body { call.json(body.clone()) } else { call };
            call.send().await.expect_problem(404, code);
        }
    }
    let amount = json!({"amount": {"amount": 1, "currency": "EUR"}, "reason": "x"});
    for (path, body, status) in [
        (format!("{}/shipments", order.path), json!({}), 403),
        (format!("{}/notes", order.path), json!({"text": "x"}), 403),
        (format!("{}/refunds", order.payment), amount, 403),
        (format!("{}/capture", order.payment), json!({}), 403),
        // The members of a seller handle its parcels and returns, so they are not there for others.
        (format!("{parcel}/pack"), json!({}), 404),
        (format!("{parcel}/cancel"), json!({}), 404),
        (format!("{parcel}/hand-over"), json!({}), 404),
        (format!("{parcel}/status"), json!({"status": "delivered"}), 404),
        (format!("{back}/approve"), json!({}), 404),
        (format!("{back}/reject"), json!({"reason": "x"}), 404),
        (format!("{back}/receive"), json!({"lines": []}), 404),
    ] {
        // The buyer themselves may not do what is the shop's to do.
        let refused = shop.post(&path).by(&customer).json(body.clone()).send().await;
        assert_eq!(refused.status, status, "{path}: {}", refused.body);
        assert_eq!(shop.post(&path).with(&order.cart).json(body).send().await.status, 401, "{path}");
    }
    assert_eq!(shop.log.head().await.unwrap(), head, "a refusal wrote something");
    for path in ["/v1/shipments/shp_00000000000000000000000001", "/v1/shipments/ret_00000000000000000000000001"] {
        shop.get(path).by(&staff).send().await.expect_problem(404, "shipment.missing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invoice_packing_list_and_label_are_pages_that_print_and_escape_what_they_show() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("P-11", 1999, 9).await;
    let cart = shop.full_cart(&variant, 2).await;
    let address = json!({
        "country": "DE", "postal_code": "10115", "city": "Berlin", "name": "<b>Ada</b> & Söhne",
        "lines": ["Invalidenstraße 43"], "email": "ada@example.org",
    });
    shop.put(&format!("/v1/carts/{}/address", cart.id)).with(&cart).json(address).send().await.expect(200);
    let placed = shop.post(&format!("/v1/carts/{}/checkout", cart.id)).with(&cart).send().await.expect(201);
    let path = format!("/v1/orders/{}", placed.text("/id"));
    let invoice = || shop.get(&format!("{path}/invoice")).with(&cart).send();
    let before = invoice().await.expect(200);
    assert!(before.body.as_str().unwrap().contains("Pro forma invoice"));
    let payment = format!("/v1/payments/{}", placed.text("/payment"));
    let order = Paid { path: path.clone(), payment, cart: cart.clone() };
    let pay = json!({"provider": "test", "token": "tok_success"});
    shop.post(&format!("{path}/payments")).with(&cart).json(pay).send().await.expect(201);
    order.awaits(&shop, "/payment_status", "paid").await;
    let made = shop.post(&format!("{path}/shipments")).by(&staff).json(json!({"lines": lines(&variant, 1)}));
    let parcel = format!("/v1/shipments/{}", made.send().await.expect(201).id());
    let pages = [
        (invoice().await, "€39.98"),
        (shop.get(&format!("{path}/packing-list")).by(&staff).send().await, "2 items to pack"),
        (shop.get(&format!("{parcel}/label")).by(&staff).send().await, "<svg"),
    ];
    for (page, shows) in pages {
        let page = page.expect(200);
        assert!(page.header("content-type").unwrap().starts_with("text/html"));
        assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
        let text = page.body.as_str().unwrap();
        assert!(text.contains("&lt;b&gt;Ada") && !text.contains("<b>Ada"), "{text}");
        assert!(text.contains(shows) && text.contains("Invalidenstraße 43"), "{text}");
    }
    let (other, customer) = (shop.guest_cart().await, shop.token(Role::Customer));
    shop.get(&format!("{path}/invoice")).with(&other).send().await.expect_problem(404, "order.missing");
    shop.get(&format!("{path}/packing-list")).by(&customer).send().await.expect(403);
    shop.get(&format!("{parcel}/label")).by(&customer).send().await.expect(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn invoice_and_credit_notes_say_what_is_taxed_to_the_cent() {
    let shop = TestShop::start().await;
    let admin = shop.token(Role::Admin);
    let rate = json!({"class": "standard", "rate_bps": 1900, "valid_from": "2021-01-01"});
    let taxes = json!({"countries": [{"country": "DE", "rates": [rate]}]});
    shop.put("/v1/admin/tax-rates").by(&admin).header("If-Match", "*").json(taxes).send().await.expect(200);
    let (_, variant) = shop.product("P-12", 1999, 9).await;
    let (placed, cart) = shop.order(&variant, 2).await;
    let path = format!("/v1/orders/{}", placed.text("/id"));
    let page = async |name: &str| {
        let page = shop.get(&format!("{path}/{name}")).with(&cart).send().await.expect(200);
        page.body.as_str().unwrap().to_owned()
    };
    assert!(page("credit-notes/print").await.contains("has no credit notes"));
    let pay = json!({"provider": "test", "token": "tok_success"});
    shop.post(&format!("{path}/payments")).with(&cart).json(pay).send().await.expect(201);
    let payment = format!("/v1/payments/{}", placed.text("/payment"));
    let order = Paid { path: path.clone(), payment, cart: cart.clone() };
    order.awaits(&shop, "/payment_status", "paid").await;
    // 39.98 holds 6.38 of tax at 19 percent, and half of it 3.19.
    let invoice = page("invoice").await;
    assert!(invoice.contains("of which 19 % tax on €33.60") && invoice.contains("€6.38"), "{invoice}");
    let some = json!({"lines": lines(&variant, 1)});
    shop.post(&format!("{path}/cancel")).with(&cart).json(some).send().await.expect(200);
    assert_eq!(page("invoice").await, invoice, "what was issued stays as it is");
    let notes = page("credit-notes/print").await;
    for shown in ["CN-", "€19.99", "of which 19 % tax on €16.80", "€3.19", "P-12"] {
        assert!(notes.contains(shown), "{shown} in {notes}");
    }
    let (other, path) = (shop.guest_cart().await, format!("{path}/credit-notes/print"));
    shop.get(&path).with(&other).send().await.expect_problem(404, "order.missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_is_asked_about_again_and_again_waits_once_in_the_story() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("P-13", 1999, 9).await;
    let (placed, cart) = shop.order(&variant, 1).await;
    let path = format!("/v1/orders/{}", placed.text("/id"));
    let pay = json!({"provider": "test", "token": "tok_redirect"});
    shop.post(&format!("{path}/payments")).with(&cart).json(pay).send().await.expect(201);
    let told = eventually("it is asked about twice", || async {
        let told = shop.get(&format!("{path}/history")).with(&cart).send().await.expect(200);
        let items = told.body["items"].as_array().unwrap();
        let pended = items.iter().filter(|it| it["type"] == "payment.pended").count();
        (pended > 1).then_some(told)
    })
    .await;
    let waits = |line: &&Value| line.as_str().unwrap().contains("waiting for the provider");
    assert_eq!(told.body["story"].as_array().unwrap().iter().filter(waits).count(), 1, "{}", told.body["story"]);
}
