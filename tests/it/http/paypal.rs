//! Payments with PayPal, over HTTP against its stand-in: paid once, whatever becomes of answers, webhooks and buyers, and the books of
//! both sides say the same.

mod direct;
mod disputes;
mod fees;
mod hints;
mod money;
mod reconciliation;
mod reversals;

use byteshop_domain::ids::PaymentId;
use byteshop_domain::payment::{CaptureMode, Payment};
use byteshop_gateway::security::token::Role;
use byteshop_gateway::trade::Trade;
use byteshop_tests::patience::eventually;
use byteshop_tests::paypal::{StandIn, kept};
use byteshop_tests::shop::{Answer, GuestCart, TestShop};
use serde_json::{Value, json};

/// A shop that is connected to a stand-in of its own.
struct Connected {
    paypal: StandIn,
    shop: TestShop,
    staff: String,
}

/// An order of a guest.
struct Order {
    path: String,
    payment: String,
    cart: GuestCart,
}

impl Connected {
    async fn start() -> Self {
        Self::with(Trade::default()).await
    }

    /// One that captures when goods are handed over.
    async fn patient() -> Self {
        Self::with(Trade { capture: CaptureMode::Manual, ..Trade::default() }).await
    }

    async fn with(trade: Trade) -> Self {
        let paypal = StandIn::start().await;
        let setup = TestShop::start().addressed().trading(trade).connected_to(paypal.connected().await);
        let shop = setup.await;
        paypal.tells(&shop.url);
        let staff = shop.token(Role::Support);
        Self { paypal, shop, staff }
    }

    async fn order(&self, variant: &str) -> Order {
        let (placed, cart) = self.shop.order(variant, 1).await;
        Order { path: format!("/v1/orders/{}", placed.text("/id")), payment: placed.text("/payment").into(), cart }
    }

    /// Begins a payment; gives the page of PayPal.
    async fn begin(&self, order: &Order) -> String {
        let begun = self.pay(order).await.expect(201);
        assert_eq!(begun.text("/status"), "pending", "{}", begun.body);
        assert_eq!(begun.text("/method"), "paypal");
        begun.text("/action_url").to_owned()
    }

    async fn pay(&self, order: &Order) -> Answer {
        let body = json!({"provider": "paypal"});
        self.shop.post(&format!("{}/payments", order.path)).with(&order.cart).json(body).send().await
    }

    /// The buyer's browser follows to a page of the shop.
    async fn follow(&self, page: &str) -> Answer {
        let path = page.strip_prefix(&self.shop.url).unwrap_or_else(|| panic!("{page} is not a page of the shop"));
        self.shop.get(path).header("Accept", "text/html").send().await
    }

    async fn payment(&self, order: &Order) -> Value {
        let path = format!("/v1/payments/{}", order.payment);
        self.shop.get(&path).by(&self.staff).send().await.expect(200).body
    }

    /// Waits until the order has this status of payment.
    async fn awaits(&self, order: &Order, wanted: &str) {
        eventually(&format!("the order is {wanted}"), async || {
            let it = self.shop.get(&order.path).with(&order.cart).send().await.expect(200).body;
            (it["payment_status"] == wanted).then_some(())
        })
        .await;
    }

    /// Waits until the payment has this status.
    async fn becomes(&self, order: &Order, wanted: &str) {
        eventually(&format!("the payment is {wanted}"), async || {
            (self.payment(order).await["status"] == wanted).then_some(())
        })
        .await;
    }

    /// A paid order.
    async fn paid(&self, variant: &str) -> Order {
        let order = self.order(variant).await;
        let page = self.begin(&order).await;
        self.follow(&self.paypal.choose(&page, "approve").await).await.expect(200);
        self.awaits(&order, "paid").await;
        order
    }

    /// The reference of each attempt of a payment, the last one at the end.
    async fn references(&self, order: &Order) -> Vec<String> {
        let id: PaymentId = order.payment.parse().unwrap();
        let found = self.shop.commands.get::<Payment>(id).await.unwrap().unwrap();
        let opened = found.state.live().unwrap();
        let last = opened.attempt.iter().map(|attempt| attempt.reference.clone());
        opened.earlier.iter().cloned().chain(last).map(|reference| reference.to_string()).collect()
    }

    /// What PayPal holds of each order is what the shop believes, to the cent, in both directions; and nothing is left authorized.
    async fn books_agree(&self, orders: &[Order]) {
        let books = self.paypal.books().await;
        let mut theirs = kept(&books, "invoice_id");
        for order in orders {
            let payment = self.payment(order).await;
            let believed =
                payment["captured"]["amount"].as_i64().unwrap() - payment["refunded"]["amount"].as_i64().unwrap();
            let mut held = 0;
            for reference in self.references(order).await {
                held += theirs.remove(&reference).unwrap_or_default();
            }
            assert_eq!(held, believed, "{payment}");
        }
        theirs.retain(|_, held| *held != 0);
        assert!(theirs.is_empty(), "PayPal holds what the shop knows nothing about: {theirs:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_approves_at_paypal_and_the_order_is_paid() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PP-1", 1999, 9).await;
    let order = it.order(&variant).await;
    let offered = it.shop.get(&format!("{}/payment-methods", order.path)).with(&order.cart).send().await.expect(200);
    let names: Vec<_> = offered.body["items"].as_array().unwrap().iter().map(|it| it["provider"].clone()).collect();
    assert_eq!(names, [json!("test"), json!("paypal")]);
    let page = it.begin(&order).await;
    assert!(page.starts_with(&it.paypal.url), "{page}");
    // An approval alone is not money.
    let back = it.paypal.choose(&page, "approve").await;
    assert!(back.starts_with(&format!("{}/pay/{}/return?", it.shop.url, order.payment)), "{back}");
    let shown = it.follow(&back).await.expect(200);
    assert!(shown.body.as_str().unwrap().contains("Thank you for your payment"), "{}", shown.body);
    it.awaits(&order, "paid").await;
    let paid = it.payment(&order).await;
    assert_eq!(
        (&paid["status"], &paid["method"], &paid["action_url"]),
        (&json!("captured"), &json!("paypal"), &Value::Null)
    );
    // Coming back twice is coming back once.
    it.follow(&back).await.expect(200);
    let history = it.shop.get(&format!("{}/history", order.path)).with(&order.cart).send().await.expect(200);
    let count = |kind: &str| history.body["items"].as_array().unwrap().iter().filter(|it| it["type"] == kind).count();
    assert_eq!((count("payment.registered"), count("payment.captured"), count("order.paid")), (1, 1, 1));
    it.books_agree(&[order]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_is_sent_to_the_shops_own_page_and_nowhere_else() {
    let paypal = StandIn::start().await;
    let setup = TestShop::start().addressed().open_to("https://shop.example.org".parse().unwrap());
    let shop = setup.connected_to(paypal.connected().await).await;
    let (_, variant) = shop.product("PP-2", 1999, 9).await;
    let (placed, cart) = shop.order(&variant, 1).await;
    let pay = |url: &str| {
        let body = json!({"provider": "paypal", "return_url": url});
        shop.post(&format!("/v1/orders/{}/payments", placed.text("/id"))).with(&cart).json(body).send()
    };
    pay("https://evil.example/").await.expect_problem(422, "request.invalid");
    let page = pay("https://shop.example.org/thanks?order=1").await.expect(201).text("/action_url").to_owned();
    let back = paypal.choose(&page, "approve").await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let sent = client.get(&back).send().await.unwrap();
    assert_eq!(
        (sent.status().as_u16(), &sent.headers()["location"]),
        (303, &"https://shop.example.org/thanks?order=1".parse().unwrap())
    );
    // Who does not know the id of the order at PayPal learns and changes nothing.
    let payment = placed.text("/payment");
    for path in [
        format!("/pay/{payment}/return"),
        format!("/pay/{payment}/return?token=5O190127TN364715T"),
        format!("/pay/{payment}/cancel?token="),
        format!("/pay/{payment}/other?token=5O190127TN364715T"),
        "/pay/x/return?token=1".to_owned(),
        "/pay/pay_00000000000000000000000001/return?token=1".to_owned(),
    ] {
        shop.get(&path).send().await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_who_is_declined_or_leaves_pays_in_another_way() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PP-3", 1999, 9).await;
    let mut orders = Vec::new();
    for (choice, reason, said) in
        [("decline", "declined", "The order is not paid yet"), ("cancel", "buyer_left", "The order is not paid yet")]
    {
        let order = it.order(&variant).await;
        let page = it.begin(&order).await;
        let shown = it.follow(&it.paypal.choose(&page, choice).await).await.expect(200);
        assert!(shown.body.as_str().unwrap().contains(said), "{}", shown.body);
        let open = it.payment(&order).await;
        assert_eq!((&open["status"], &open["decline_reason"]), (&json!("open"), &json!(reason)));
        let page = it.begin(&order).await;
        it.follow(&it.paypal.choose(&page, "approve").await).await.expect(200);
        it.awaits(&order, "paid").await;
        orders.push(order);
    }
    it.books_agree(&orders).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_approved_too_late_is_not_captured() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PP-4", 1999, 9).await;
    // The buyer began again, and approves the first page after all.
    let again = it.order(&variant).await;
    let first = it.begin(&again).await;
    let second = it.begin(&again).await;
    assert_ne!(first, second);
    it.follow(&it.paypal.choose(&first, "approve").await).await.expect(200);
    assert_eq!(it.payment(&again).await["status"], "pending");
    it.follow(&it.paypal.choose(&second, "approve").await).await.expect(200);
    it.awaits(&again, "paid").await;
    // The order was cancelled meanwhile.
    let cancelled = it.order(&variant).await;
    let page = it.begin(&cancelled).await;
    it.shop.post(&format!("{}/cancel", cancelled.path)).with(&cancelled.cart).send().await.expect(200);
    // Until the void is requested, what is approved is captured, and refunded then.
    it.shop.at_rest().await;
    let shown = it.follow(&it.paypal.choose(&page, "approve").await).await.expect(200);
    assert!(shown.body.as_str().unwrap().contains("can no longer be paid"), "{}", shown.body);
    it.becomes(&cancelled, "voided").await;
    it.shop.at_rest().await;
    assert_eq!(it.paypal.books().await["captures"].as_array().unwrap().len(), 1);
    it.books_agree(&[again, cancelled]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_that_paypal_does_not_take_is_neither_offered_nor_begun() {
    let it = Connected::start().await;
    let admin = it.shop.token(Role::Admin);
    let mut at = 0;
    for (currency, amount, is_offered) in [("KWD", 5_000, false), ("HUF", 199_950, false), ("HUF", 199_900, true)] {
        at += 1;
        let made = it.shop.post("/v1/products").by(&admin).json(json!({"title": "Thing"})).send().await.expect(201);
        let product = made.id();
        let variant = json!({"sku": format!("PP-5-{at}"), "price": {"amount": amount, "currency": currency}});
        let path = format!("/v1/products/{product}");
        let added = it.shop.post(&format!("{path}/variants")).by(&admin).json(variant).send().await.expect(201);
        let variant = added.body["variants"][0]["id"].as_str().unwrap().to_owned();
        it.shop.post(&format!("{path}/publish")).by(&admin).send().await.expect(200);
        let stock = json!({"type": "received", "quantity": 5});
        it.shop.post(&format!("/v1/variants/{variant}/stock")).by(&admin).json(stock).send().await.expect(200);
        let made = it.shop.post("/v1/carts").json(json!({"currency": currency})).send().await.expect(201);
        let cart = GuestCart { id: made.id(), token: made.text("/cart_token").to_owned() };
        let cart_path = format!("/v1/carts/{}", cart.id);
        let line = it.shop.put(&format!("{cart_path}/lines/{variant}")).with(&cart).json(json!({"quantity": 1}));
        line.send().await.expect(200);
        let address = byteshop_tests::shop::address("DE");
        it.shop.put(&format!("{cart_path}/address")).with(&cart).json(address).send().await.expect(200);
        let placed = it.shop.post(&format!("{cart_path}/checkout")).with(&cart).send().await.expect(201);
        let order = format!("/v1/orders/{}", placed.text("/id"));
        let offered = it.shop.get(&format!("{order}/payment-methods")).with(&cart).send().await.expect(200).body;
        let is_listed = offered["items"].as_array().unwrap().iter().any(|it| it["provider"] == "paypal");
        assert_eq!(is_listed, is_offered, "{offered}");
        let body = json!({"provider": "paypal"});
        let begun = it.shop.post(&format!("{order}/payments")).with(&cart).json(body).send().await;
        if is_offered {
            let page = begun.expect(201).text("/action_url").to_owned();
            it.follow(&it.paypal.choose(&page, "approve").await).await.expect(200);
            let captures = it.paypal.books().await["captures"].clone();
            assert_eq!(captures[0]["amount"]["minor"], 1_999, "{captures}");
        } else {
            let refused = begun.expect_problem(422, "payment.amount_not_accepted");
            assert!(refused.text("/detail").contains(currency), "{}", refused.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn paypal_is_offered_where_the_book_allows_it() {
    let it = Connected::start().await;
    let (admin, path) = (it.shop.token(Role::Admin), "/v1/admin/payment-methods");
    let set = async |providers: Value| {
        let body = json!({"methods": [], "providers": providers});
        it.shop.put(path).by(&admin).header("If-Match", "*").json(body).send().await
    };
    let (_, variant) = it.shop.product("PP-6", 1999, 9).await;
    let order = it.order(&variant).await;
    for (limit, is_offered) in [
        (json!({"provider": "paypal", "countries": ["AT"]}), false),
        (json!({"provider": "paypal", "currencies": ["GBP", "USD"]}), false),
        (json!({"provider": "paypal", "countries": ["AT", "DE"], "currencies": ["EUR"]}), true),
    ] {
        set(json!([limit])).await.expect(200);
        let offered =
            it.shop.get(&format!("{}/payment-methods", order.path)).with(&order.cart).send().await.expect(200);
        let is_listed = offered.body["items"].as_array().unwrap().iter().any(|it| it["provider"] == "paypal");
        assert_eq!(is_listed, is_offered, "{limit}");
        if !is_offered {
            it.pay(&order).await.expect_problem(422, "payment_book.provider_not_offered");
        }
    }
    it.begin(&order).await;
    let shown = it.shop.get(path).by(&admin).send().await.expect(200);
    assert_eq!(shown.body["providers"][0]["countries"], json!(["AT", "DE"]));
    let twice = json!([{"provider": "test"}, {"provider": "test"}]);
    set(twice).await.expect_problem(422, "payment_book.provider_twice");
    let nowhere = json!([{"provider": "paypal", "countries": ["Atlantis"]}]);
    set(nowhere).await.expect(422);
    assert_eq!(set(json!([])).await.expect(200).body["providers"], json!([]));
}
