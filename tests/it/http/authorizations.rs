//! Money that is set aside first and taken later, or let go; and money that goes back in pieces: the provider's books and ours
//! say the same at each step.

use std::collections::BTreeMap;

use byteshop_commands::ports::connected::Provider;
use byteshop_commands::ports::payment_test::FailureModes;
use byteshop_commands::{Intent, Paying};
use byteshop_domain::Actor;
use byteshop_domain::ids::{Id as _, PaymentId, RefundId};
use byteshop_domain::payment::{AUTHORIZED_FOR, CaptureMode};
use byteshop_eventstore::Clock;
use byteshop_gateway::security::token::Role;
use byteshop_gateway::trade::Trade;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{Answer, GuestCart, TestShop};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

/// A shop that takes money when it sends goods.
async fn patient_shop() -> TestShop {
    TestShop::start().trading(Trade { capture: CaptureMode::Manual, ..Trade::default() }).await
}

struct Order {
    path: String,
    payment: String,
    cart: GuestCart,
    staff: String,
}

impl Order {
    async fn of(shop: &TestShop, variant: &str, quantity: i64) -> Self {
        let (placed, cart) = shop.order(variant, quantity).await;
        let path = format!("/v1/orders/{}", placed.text("/id"));
        let payment = placed.text("/payment").to_owned();
        Self { path, payment, cart, staff: shop.token(Role::Support) }
    }

    async fn pay(&self, shop: &TestShop, token: &str) -> Answer {
        let pay = json!({"provider": "test", "token": token});
        shop.post(&format!("{}/payments", self.path)).with(&self.cart).json(pay).send().await
    }

    async fn awaits(&self, shop: &TestShop, pointer: &str, wanted: &str) -> Value {
        eventually(&format!("{pointer} is {wanted}"), async || {
            let order = shop.get(&self.path).with(&self.cart).send().await.expect(200).body;
            (order.pointer(pointer).and_then(Value::as_str) == Some(wanted)).then_some(order)
        })
        .await
    }

    async fn payment(&self, shop: &TestShop) -> Value {
        shop.get(&format!("/v1/payments/{}", self.payment)).with(&self.cart).send().await.expect(200).body
    }

    async fn by_staff(&self, shop: &TestShop, path: &str, body: Value) -> Answer {
        shop.post(path).by(&self.staff).json(body).send().await
    }

    async fn capture(&self, shop: &TestShop) -> Answer {
        self.by_staff(shop, &format!("/v1/payments/{}/capture", self.payment), json!({})).await
    }

    /// The types of what happened to its payment after it was authorized, and the sentences that tell of it to staff.
    async fn after_authorization(&self, shop: &TestShop) -> (Vec<String>, Vec<String>) {
        let told = shop.get(&format!("{}/history?locale=en", self.path)).by(&self.staff).send().await.expect(200);
        let items = told.body["items"].as_array().unwrap();
        let of_payment = items.iter().filter(|it| it["type"].as_str().unwrap().starts_with("payment."));
        let later = of_payment.skip_while(|it| it["type"] != "payment.authorized").skip(1);
        let said = |it: &&Value, field: &str| it[field].as_str().unwrap_or_default().to_owned();
        let later: Vec<&Value> = later.collect();
        (
            later.iter().map(|it| said(it, "type")).collect(),
            later.iter().map(|it| said(it, "text")).filter(|text| !text.is_empty()).collect(),
        )
    }

    async fn refund(&self, shop: &TestShop, amount: i64) -> Answer {
        let body = json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": "a scratch"});
        self.by_staff(shop, &format!("/v1/payments/{}/refunds", self.payment), body).await
    }

    /// A parcel with everything that is left, packed and not handed over.
    async fn pack(&self, shop: &TestShop) -> String {
        let carrier = json!({"carrier": {"kind": "other", "name": "Post"}});
        let made = self.by_staff(shop, &format!("{}/shipments", self.path), carrier).await.expect(201);
        format!("/v1/shipments/{}", made.id())
    }

    async fn hand_over(&self, shop: &TestShop, parcel: &str) -> Answer {
        self.by_staff(shop, &format!("{parcel}/hand-over"), json!({"tracking": "T-1"})).await
    }

    /// The charge at the provider: its state, what it is for, and what went back of it.
    async fn charge(&self, shop: &TestShop) -> (String, i64, i64) {
        let id: PaymentId = self.payment.parse().unwrap();
        let charge = shop.commands.emulator().last_of(id).await.unwrap().unwrap();
        (charge.state, charge.amount, charge.refunded)
    }

    /// The pieces that the provider gave back, by their keys.
    async fn given_back(&self, shop: &TestShop) -> BTreeMap<String, i64> {
        let id: PaymentId = self.payment.parse().unwrap();
        let rows: Vec<(Uuid, i64)> = sqlx::query_as(
            "select r.key, r.amount from emulator.refund r join emulator.charge c using (reference) where c.payment = $1",
        )
        .bind(id.uuid())
        .fetch_all(shop.log.pool())
        .await
        .unwrap();
        rows.into_iter().map(|(key, amount)| (RefundId::from_uuid(key).to_string(), amount)).collect()
    }
}

/// What of a variant is on hand and reserved.
async fn stock(shop: &TestShop, variant: &str) -> (i64, i64) {
    let staff = shop.token(Role::Admin);
    let stock = shop.get(&format!("/v1/variants/{variant}/stock")).by(&staff).send().await.expect(200).body;
    (stock["on_hand"].as_i64().unwrap(), stock["reserved"].as_i64().unwrap())
}

async fn stock_is(shop: &TestShop, variant: &str, wanted: (i64, i64)) {
    eventually(&format!("the stock is {wanted:?}"), async || (stock(shop, variant).await == wanted).then_some(()))
        .await;
}

fn captured(amount: i64, refunded: i64) -> (String, i64, i64) {
    ("captured".to_owned(), amount, refunded)
}

/// A payment by the emulated provider that succeeds.
fn test_payment(capture: CaptureMode) -> Paying<'static> {
    Paying { provider: Provider::Test, token: Some("tok_success"), capture, return_url: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_aside_is_taken_when_staff_says_so() {
    let shop = patient_shop().await;
    let (_, variant) = shop.product("A-1", 1000, 9).await;
    let order = Order::of(&shop, &variant, 2).await;
    order.capture(&shop).await.expect_problem(409, "payment.not_authorized");
    let paying = order.pay(&shop, "tok_success").await.expect(201);
    assert_eq!(paying.text("/status"), "authorized");
    order.awaits(&shop, "/payment_status", "authorized").await;
    let payment = order.payment(&shop).await;
    assert_eq!((&payment["captured"]["amount"], payment["expires_at"].is_string()), (&json!(0), true), "{payment}");
    assert_eq!(order.charge(&shop).await, ("authorized".to_owned(), 2000, 0));
    assert_eq!(stock(&shop, &variant).await, (9, 2), "the goods wait for it");
    // Nobody takes it twice, and nothing is given back that was not taken.
    order.refund(&shop, 1).await.expect_problem(409, "payment.not_captured");
    order.pay(&shop, "tok_success").await.expect_problem(409, "order.already_paid");
    let lines = json!({"lines": [{"variant": variant, "quantity": 1}]});
    let off = order.by_staff(&shop, &format!("{}/cancel", order.path), lines).await;
    off.expect_problem(409, "order.awaiting_capture");
    for _ in 0..2 {
        assert_eq!(order.capture(&shop).await.expect(200).text("/status"), "captured");
    }
    order.awaits(&shop, "/payment_status", "paid").await;
    stock_is(&shop, &variant, (7, 0)).await;
    assert_eq!(order.charge(&shop).await, captured(2000, 0));
    let (types, story) = order.after_authorization(&shop).await;
    assert_eq!(types, ["payment.capture_requested", "payment.captured"]);
    let told = ["Staff requested that the payment be captured.", "€20.00 was captured by the test provider."];
    assert_eq!(story, told);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_parcel_that_is_handed_over_takes_the_money() {
    let shop = patient_shop().await;
    let (_, variant) = shop.product("A-2", 1000, 9).await;
    let order = Order::of(&shop, &variant, 2).await;
    order.by_staff(&shop, &format!("{}/shipments", order.path), json!({})).await.expect_problem(409, "order.not_paid");
    // The provider takes its time, and is asked until it says so.
    assert_eq!(order.pay(&shop, "tok_pending_success").await.expect(201).text("/status"), "pending");
    order.awaits(&shop, "/payment_status", "authorized").await;
    let parcel = order.pack(&shop).await;
    assert_eq!(order.charge(&shop).await.0, "authorized");
    order.hand_over(&shop, &parcel).await.expect(200);
    order.awaits(&shop, "/payment_status", "paid").await;
    assert_eq!(order.charge(&shop).await, captured(2000, 0));
    stock_is(&shop, &variant, (7, 0)).await;
    let delivered = json!({"status": "delivered"});
    order.by_staff(&shop, &format!("{parcel}/status"), delivered).await.expect(200);
    order.awaits(&shop, "/status", "completed").await;
    let (types, story) = order.after_authorization(&shop).await;
    assert_eq!(types, ["payment.capture_requested", "payment.captured"]);
    assert_eq!(story[0], "Staff requested that the payment be captured.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_provider_takes_the_money_of_a_parcel_when_it_is_back() {
    let shop = patient_shop().await;
    let (_, variant) = shop.product("A-3", 1000, 9).await;
    let order = Order::of(&shop, &variant, 1).await;
    order.pay(&shop, "tok_success").await.expect(201);
    order.awaits(&shop, "/payment_status", "authorized").await;
    let parcel = order.pack(&shop).await;
    shop.commands.emulator().behave(FailureModes { silent: true, ..FailureModes::default() });
    order.hand_over(&shop, &parcel).await.expect(200);
    let expires_at = order.payment(&shop).await["expires_at"].clone();
    assert_eq!(expires_at, Value::Null, "it does not expire once its capture is requested");
    shop.at_rest().await;
    assert_eq!(order.charge(&shop).await.0, "authorized");
    eventually("its silence is told", async || {
        let types = order.after_authorization(&shop).await.0;
        types.contains(&"payment.delayed".to_owned()).then_some(())
    })
    .await;
    shop.commands.emulator().behave(FailureModes::default());
    order.awaits(&shop, "/payment_status", "paid").await;
    assert_eq!(order.charge(&shop).await, captured(1000, 0));
    let (types, story) = order.after_authorization(&shop).await;
    assert_eq!(types.first().map(String::as_str), Some("payment.capture_requested"));
    assert_eq!(types.last().map(String::as_str), Some("payment.captured"));
    assert!(types[1..types.len() - 1].iter().all(|it| it == "payment.delayed"), "{types:?}");
    assert_eq!(story[1], "The provider did not answer; it will be asked again.");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_aside_for_an_order_that_is_off_is_let_go() {
    let shop = patient_shop().await;
    let (_, variant) = shop.product("A-4", 1000, 9).await;
    let order = Order::of(&shop, &variant, 2).await;
    order.pay(&shop, "tok_success").await.expect(201);
    order.awaits(&shop, "/payment_status", "authorized").await;
    let give_up = format!("/v1/payments/{}/cancel", order.payment);
    shop.post(&give_up).with(&order.cart).send().await.expect_problem(409, "payment.already_authorized");
    shop.post(&format!("{}/cancel", order.path)).with(&order.cart).send().await.expect(200);
    order.awaits(&shop, "/payment_status", "voided").await;
    eventually("the provider let go", async || (order.charge(&shop).await.0 == "voided").then_some(())).await;
    stock_is(&shop, &variant, (9, 0)).await;
    eventually("the payment is void", async || (order.payment(&shop).await["status"] == "voided").then_some(())).await;
    order.capture(&shop).await.expect_problem(409, "payment.closed");
    assert_eq!(order.charge(&shop).await, ("voided".to_owned(), 2000, 0));
    let (types, story) = order.after_authorization(&shop).await;
    assert_eq!(types, ["payment.void_requested", "payment.voided"]);
    let voided = "The payment was voided because the order was cancelled; nothing was captured.";
    assert_eq!(story, ["The shop requested that the payment be voided.", voided]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_provider_releases_an_authorization_when_it_is_back() {
    let shop = patient_shop().await;
    let (_, variant) = shop.product("A-9", 1000, 9).await;
    let order = Order::of(&shop, &variant, 1).await;
    order.pay(&shop, "tok_success").await.expect(201);
    order.awaits(&shop, "/payment_status", "authorized").await;
    shop.commands.emulator().behave(FailureModes { silent: true, ..FailureModes::default() });
    shop.post(&format!("{}/cancel", order.path)).with(&order.cart).send().await.expect(200);
    eventually("its silence is told", async || {
        let types = order.after_authorization(&shop).await.0;
        types.contains(&"payment.delayed".to_owned()).then_some(())
    })
    .await;
    assert_eq!(order.charge(&shop).await.0, "authorized");
    shop.commands.emulator().behave(FailureModes::default());
    eventually("the payment is void", async || (order.payment(&shop).await["status"] == "voided").then_some(())).await;
    assert_eq!(order.charge(&shop).await.0, "voided");
    let (types, _) = order.after_authorization(&shop).await;
    assert_eq!((types[0].as_str(), types[1].as_str()), ("payment.void_requested", "payment.delayed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_was_given_up_while_the_provider_thought_about_it_is_let_go() {
    let shop = patient_shop().await;
    let (_, variant) = shop.product("A-5", 1000, 9).await;
    let order = Order::of(&shop, &variant, 1).await;
    assert_eq!(order.pay(&shop, "tok_pending_success").await.expect(201).text("/status"), "pending");
    let give_up = format!("/v1/payments/{}/cancel", order.payment);
    shop.post(&give_up).with(&order.cart).send().await.expect(200);
    order.awaits(&shop, "/status", "cancelled").await;
    assert_eq!(order.charge(&shop).await.0, "voided");
    stock_is(&shop, &variant, (9, 0)).await;
}

/// Pays so long ago that the provider holds the money only for so long yet; says until when.
async fn pay_long_ago(shop: &TestShop, order: &Order, left: TimeDelta) -> DateTime<Utc> {
    let long_ago = Clock.now() - AUTHORIZED_FOR + left;
    let actor = Actor::System { name: "test".into() };
    let intent = Intent { occurred_at: Some(long_ago), ..Intent::new(actor, "payment.pay", Clock.new_id()) };
    let id = order.path.rsplit('/').next().unwrap().parse().unwrap();
    shop.commands.pay(&intent, id, test_payment(CaptureMode::Manual), |_| Ok(()), |_| ()).await.unwrap();
    long_ago + AUTHORIZED_FOR
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_takes_in_time_is_let_go_and_its_order_is_off() {
    let shop = patient_shop().await;
    let (_, variant) = shop.product("A-6", 1000, 9).await;
    let order = Order::of(&shop, &variant, 2).await;
    pay_long_ago(&shop, &order, TimeDelta::zero()).await;
    let off = order.awaits(&shop, "/status", "expired").await;
    assert_eq!(off["payment_status"], "voided");
    assert_eq!(order.charge(&shop).await, ("voided".to_owned(), 2000, 0));
    assert_eq!(order.payment(&shop).await["status"], "voided");
    stock_is(&shop, &variant, (9, 0)).await;
    order.capture(&shop).await.expect_problem(409, "payment.closed");
    let (types, story) = order.after_authorization(&shop).await;
    assert_eq!(types, ["payment.void_requested", "payment.voided"]);
    let released = "The authorization was released because the payment was not captured in time.";
    assert_eq!(story, ["The shop requested that the payment be voided.", released]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parcel_whose_money_is_let_go_stays_here() {
    let shop = patient_shop().await;
    let (_, variant) = shop.product("A-7", 1000, 9).await;
    let order = Order::of(&shop, &variant, 2).await;
    // While the provider is silent nothing is let go, so there is time to pack.
    let until = pay_long_ago(&shop, &order, TimeDelta::seconds(2)).await;
    shop.commands.emulator().behave(FailureModes { silent: true, ..FailureModes::default() });
    order.awaits(&shop, "/payment_status", "authorized").await;
    let parcel = order.pack(&shop).await;
    eventually("the money was held for too long", async || (Clock.now() > until).then_some(())).await;
    order.hand_over(&shop, &parcel).await.expect_problem(409, "payment.authorization_expired");
    shop.commands.emulator().behave(FailureModes::default());
    order.awaits(&shop, "/status", "expired").await;
    assert_eq!(order.charge(&shop).await.0, "voided");
    order.hand_over(&shop, &parcel).await.expect_problem(409, "order.parcel_gone");
    order.by_staff(&shop, &format!("{parcel}/cancel"), json!({})).await.expect(200);
    stock_is(&shop, &variant, (9, 0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_goes_back_in_pieces_that_the_provider_and_the_shop_agree_on() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("A-8", 1000, 9).await;
    let order = Order::of(&shop, &variant, 2).await;
    order.pay(&shop, "tok_success").await.expect(201);
    order.awaits(&shop, "/payment_status", "paid").await;
    order.refund(&shop, 0).await.expect_problem(422, "payment.not_an_amount");
    order.refund(&shop, -5).await.expect_problem(422, "payment.not_an_amount");
    order.refund(&shop, 2001).await.expect_problem(409, "payment.too_much_refunded");
    let mut sum = 0;
    for amount in [300, 1, 699] {
        sum += amount;
        order.refund(&shop, amount).await.expect(201);
        eventually("the piece is back", async || (order.charge(&shop).await == captured(2000, sum)).then_some(()))
            .await;
    }
    eventually("ours say the same", async || (order.payment(&shop).await["refunded"]["amount"] == sum).then_some(()))
        .await;
    let payment = order.payment(&shop).await;
    let piece = |it: &Value| (it["id"].as_str().unwrap().to_owned(), it["amount"]["amount"].as_i64().unwrap());
    let ours: BTreeMap<String, i64> = payment["refunds"].as_array().unwrap().iter().map(piece).collect();
    assert_eq!((&ours, ours.len()), (&order.given_back(&shop).await, 3));
    order.refund(&shop, 1001).await.expect_problem(409, "payment.too_much_refunded");
    // What the provider refuses stays with the shop, and can be given back later.
    shop.commands.emulator().behave(FailureModes { refuses_refunds: true, ..FailureModes::default() });
    order.refund(&shop, 500).await.expect(201);
    let failed = eventually("it is refused", async || {
        let payment = order.payment(&shop).await;
        let failed = payment["refunds"].as_array().unwrap().iter().find(|it| it["status"] == "failed")?;
        Some(failed["id"].as_str().unwrap().to_owned())
    })
    .await;
    assert_eq!(order.charge(&shop).await, captured(2000, 1000));
    shop.commands.emulator().behave(FailureModes::default());
    order.refund(&shop, 501).await.expect_problem(409, "payment.credited_already");
    order.refund(&shop, 500).await.expect(201);
    let retry = format!("/v1/payments/{}/refunds/{failed}/retry", payment["id"].as_str().unwrap());
    shop.post(&retry).by(&shop.token(Role::Support)).send().await.expect(201);
    order.awaits(&shop, "/payment_status", "refunded").await;
    assert_eq!(order.charge(&shop).await, captured(2000, 2000));
    assert_eq!(order.given_back(&shop).await.values().sum::<i64>(), 2000);
    order.refund(&shop, 1).await.expect_problem(409, "payment.too_much_refunded");
}
