//! Orders that are paid on delivery: their goods leave first, and staff records the money that the carrier collected.

use std::collections::BTreeMap;

use byteshop_gateway::security::token::Role;
use byteshop_tests::checker::History;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{Answer, GuestCart, TestShop};
use chrono::{DateTime, Utc};
use futures_util::future::join;
use serde_json::{Value, json};

use super::aftersales::shop_stock;

const INSTRUCTIONS: &str = "Pay the carrier in cash.";

fn euro(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

/// Up to 50.00 in Germany.
fn cash() -> Value {
    json!({"method": "cash", "kind": "cash_on_delivery", "title": "Cash on delivery", "instructions": INSTRUCTIONS,
        "countries": ["DE"], "currencies": ["EUR"], "max_total": euro(5_000)})
}

async fn offers(shop: &TestShop, methods: &[Value]) -> Answer {
    let book = shop.put("/v1/admin/payment-methods").by(&shop.token(Role::Admin)).header("If-Match", "*");
    book.json(json!({"methods": methods})).send().await
}

/// A shop that offers cash on delivery, and its staff.
struct Desk {
    shop: TestShop,
    staff: String,
    product: String,
    variant: String,
}

struct Bought {
    path: String,
    payment: String,
    cart: GuestCart,
}

impl Desk {
    /// Nine pieces for 10.00 each.
    async fn open() -> Self {
        let shop = TestShop::start().await;
        offers(&shop, &[cash()]).await.expect(200);
        let (product, variant) = shop.product("COD-1", 1_000, 9).await;
        let staff = shop.token(Role::Support);
        Self { shop, staff, product, variant }
    }

    async fn order(&self, variant: &str, quantity: i64) -> Bought {
        let (placed, cart) = self.shop.order(variant, quantity).await;
        let path = format!("/v1/orders/{}", placed.text("/id"));
        Bought { path, payment: format!("/v1/payments/{}", placed.text("/payment")), cart }
    }

    async fn choose(&self, order: &Bought) -> Answer {
        let body = json!({"provider": "manual", "method": "cash"});
        self.shop.post(&format!("{}/payments", order.path)).with(&order.cart).json(body).send().await
    }

    /// An order of these pieces that is released.
    async fn released(&self, quantity: i64) -> Bought {
        let order = self.order(&self.variant, quantity).await;
        assert_eq!(self.choose(&order).await.expect(201).text("/status"), "on_delivery");
        order
    }

    /// A parcel of these pieces, on its way.
    async fn send(&self, order: &Bought, quantity: i64) -> String {
        let body = json!({"carrier": {"kind": "other", "name": "Post"},
            "lines": [{"variant": self.variant, "quantity": quantity}]});
        let made = self.shop.post(&format!("{}/shipments", order.path)).by(&self.staff).json(body).send().await;
        let parcel = format!("/v1/shipments/{}", made.expect(201).id());
        let tracking = json!({"tracking": "T-1"});
        self.shop.post(&format!("{parcel}/hand-over")).by(&self.staff).json(tracking).send().await.expect(200);
        parcel
    }

    async fn tell(&self, parcel: &str, status: &str) {
        let body = json!({"status": status});
        self.shop.post(&format!("{parcel}/status")).by(&self.staff).json(body).send().await.expect(200);
    }

    async fn receive(&self, order: &Bought, amount: i64, reference: &str) -> Answer {
        let today = self.shop.commands.clock().now().date_naive().to_string();
        let body = json!({"amount": euro(amount), "reference": reference, "received_on": today});
        self.shop.post(&format!("{}/receipts", order.payment)).by(&self.staff).json(body).send().await
    }

    async fn cancel(&self, order: &Bought, body: Value) -> Answer {
        self.shop.post(&format!("{}/cancel", order.path)).by(&self.staff).json(body).send().await
    }

    async fn is(&self, order: &Bought) -> Value {
        self.shop.get(&order.path).with(&order.cart).send().await.expect(200).body
    }

    async fn awaits(&self, order: &Bought, pointer: &str, wanted: &str) -> Value {
        eventually(&format!("{pointer} is {wanted}"), async || {
            let order = self.is(order).await;
            (order.pointer(pointer).and_then(Value::as_str) == Some(wanted)).then_some(order)
        })
        .await
    }

    /// What of the variant is on hand and reserved.
    async fn stock(&self) -> (i64, i64) {
        shop_stock(&self.shop, &self.variant).await
    }

    /// The kinds of the entries of an order in the ledger, the oldest first.
    async fn entries(&self, order: &Bought) -> Vec<String> {
        let head = self.shop.at_rest().await;
        let path = format!("/v1/admin/ledger/entries?order={}", order.path.rsplit('/').next().unwrap());
        let found = self.shop.get(&path).by(&self.staff).after(head).send().await.expect(200).body;
        let kinds = found["items"].as_array().unwrap().iter().rev();
        kinds.map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect()
    }

    async fn methods(&self, order: &Bought) -> Vec<Value> {
        let path = format!("{}/payment-methods", order.path);
        let offered = self.shop.get(&path).with(&order.cart).send().await.expect(200);
        offered.body["items"].as_array().unwrap().iter().map(|it| it["method"].clone()).collect()
    }

    async fn is_sound(&self) {
        self.shop.at_rest().await;
        History::read(&self.shop.log).await.assert_sound();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_leave_before_they_are_paid_and_the_money_is_recorded_afterwards() {
    let desk = Desk::open().await;
    let order = desk.order(&desk.variant, 3).await;
    assert_eq!(desk.methods(&order).await, [Value::Null, json!("cash")]);
    let chosen = desk.choose(&order).await.expect(201);
    let told = &chosen.body["manual"];
    assert_eq!((&told["kind"], &told["pay_by"]), (&json!("cash_on_delivery"), &Value::Null));
    assert_eq!((&chosen.body["due"], &chosen.body["captured"]), (&euro(3_000), &euro(0)));
    let is = desk.is(&order).await;
    assert_eq!((&is["payment_status"], &is["pay_by"]), (&json!("on_delivery"), &Value::Null));
    // The goods are sold, and the order does not expire.
    assert_eq!(desk.stock().await, (6, 0));
    eventually("no timer ends the order", async || {
        let due: Option<DateTime<Utc>> =
            sqlx::query_scalar("select due_at from log.timer where key = $1 and process = $2")
                .bind(order.path.trim_start_matches("/v1/orders/"))
                .bind("settle_order")
                .fetch_optional(desk.shop.log.pool())
                .await
                .unwrap();
        due.is_none().then_some(())
    })
    .await;
    eventually("the mail is sent", async || {
        let mails = desk.shop.log.kept(None, 10).await.unwrap();
        let is_it = |text: &str| text.contains(INSTRUCTIONS) && text.contains("is delivered");
        mails.iter().find(|mail| is_it(&mail.text)).map(drop)
    })
    .await;
    let paper = desk.shop.get(&format!("{}/invoice", order.path)).with(&order.cart).send().await.expect(200);
    assert!(paper.body.as_str().unwrap().contains(INSTRUCTIONS), "{}", paper.body);
    assert_eq!(desk.methods(&order).await, Vec::<Value>::new());

    let (first, second) = (desk.send(&order, 2).await, desk.send(&order, 1).await);
    for parcel in [&first, &second] {
        desk.tell(parcel, "delivered").await;
    }
    // It is delivered and not paid, so nothing is sold in the ledger yet.
    let is = desk.is(&order).await;
    assert_eq!((&is["status"], &is["fulfilment"]), (&json!("open"), &json!("fulfilled")));
    assert_eq!(desk.entries(&order).await, Vec::<String>::new());
    let back = json!({"lines": [{"variant": desk.variant, "quantity": 1}], "reason": "other"});
    let back = desk.shop.post(&format!("{}/returns", order.path)).with(&order.cart).json(back).send().await;
    back.expect_problem(409, "order.not_paid");

    let part = desk.receive(&order, 1_000, "tour 1").await.expect(201);
    assert_eq!((part.text("/status"), &part.body["due"]), ("on_delivery", &euro(2_000)));
    desk.receive(&order, 1_000, "tour 1").await.expect_problem(409, "payment.reference_received");
    let whole = desk.receive(&order, 2_000, "tour 2").await.expect(201);
    assert_eq!((whole.text("/status"), whole.text("/method")), ("captured", "cash_on_delivery"));
    let is = desk.awaits(&order, "/payment_status", "paid").await;
    assert!(is["status"] == "completed" && is["invoice"].is_string(), "{is}");
    assert_eq!(desk.entries(&order).await, ["receipt", "receipt", "sale"]);
    assert_eq!(desk.stock().await, (6, 0));
    let paper = desk.shop.get(&format!("{}/invoice", order.path)).with(&order.cart).send().await.expect(200);
    assert!(paper.body.as_str().unwrap().contains("cash on delivery"), "{}", paper.body);
    let history = desk.shop.get(&format!("{}/history?locale=en", order.path)).by(&desk.staff).send().await.expect(200);
    let story = history.body["items"].to_string();
    assert!(story.contains("The order is paid on delivery") && story.contains("was paid on delivery"), "{story}");
    desk.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parcel_that_is_refused_at_the_door_ends_its_order_without_money() {
    let desk = Desk::open().await;
    let order = desk.released(2).await;
    let parcel = desk.send(&order, 2).await;
    desk.cancel(&order, json!({})).await.expect_problem(409, "order.already_fulfilled");
    desk.tell(&parcel, "returning_to_sender").await;
    desk.tell(&parcel, "returned").await;
    assert_eq!(desk.stock().await, (7, 0), "the pieces can be sent again");
    desk.cancel(&order, json!({})).await.expect(200);
    let is = desk.awaits(&order, "/payment_status", "voided").await;
    assert_eq!((&is["status"], &is["invoice"]), (&json!("cancelled"), &Value::Null));
    assert_eq!(desk.stock().await, (9, 0));
    assert_eq!(desk.entries(&order).await, Vec::<String>::new());
    // Money that comes nevertheless is returned.
    let payment = eventually("the payment is voided", async || {
        let payment = desk.shop.get(&order.payment).by(&desk.staff).send().await.expect(200).body;
        (payment["status"] == "voided").then_some(payment)
    })
    .await;
    assert_eq!(payment["due"], euro(0));
    desk.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_parcels_one_is_refused_and_the_other_one_is_paid() {
    let desk = Desk::open().await;
    let order = desk.released(3).await;
    let (kept, refused) = (desk.send(&order, 1).await, desk.send(&order, 2).await);
    desk.tell(&kept, "delivered").await;
    desk.tell(&refused, "returning_to_sender").await;
    desk.tell(&refused, "returned").await;
    // The money of the first parcel is recorded before the rest is cancelled.
    assert_eq!(desk.receive(&order, 1_000, "tour 1").await.expect(201).text("/status"), "on_delivery");
    let lines = json!({"lines": [{"variant": desk.variant, "quantity": 2}]});
    desk.cancel(&order, lines).await.expect(200);
    let is = desk.awaits(&order, "/payment_status", "paid").await;
    assert_eq!((&is["status"], &is["fulfilment"]), (&json!("completed"), &json!("fulfilled")));
    assert_eq!(desk.stock().await, (8, 0));
    assert_eq!(desk.entries(&order).await, ["receipt", "sale"]);
    desk.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_offered_for_shipped_goods_up_to_its_maximum_and_ends_the_choice() {
    let desk = Desk::open().await;
    let (large, order) = (desk.order(&desk.variant, 6).await, desk.order(&desk.variant, 2).await);
    assert_eq!(desk.methods(&large).await, [Value::Null]);
    desk.choose(&large).await.expect_problem(422, "payment_book.not_offered");
    let digital = json!({"sku": "COD-FILE", "price": euro(500), "physical": false});
    let path = format!("/v1/products/{}/variants", desk.product);
    let added = desk.shop.post(&path).by(&desk.staff).json(digital).send().await.expect(201);
    let variants = added.body["variants"].as_array().unwrap();
    let file = variants.iter().find(|it| it["sku"] == "COD-FILE").unwrap()["id"].as_str().unwrap().to_owned();
    let received = json!({"type": "received", "quantity": 5});
    desk.shop.post(&format!("/v1/variants/{file}/stock")).by(&desk.staff).json(received).send().await.expect(200);
    let digital = desk.order(&file, 1).await;
    assert_eq!(desk.methods(&digital).await, [Value::Null]);
    desk.choose(&digital).await.expect_problem(422, "payment_book.not_offered");

    desk.choose(&order).await.expect(201);
    desk.choose(&order).await.expect_problem(409, "payment.paid_on_delivery");
    let card = json!({"provider": "test", "token": "tok_success"});
    let paying = desk.shop.post(&format!("{}/payments", order.path)).with(&order.cart).json(card).send().await;
    paying.expect_problem(409, "payment.paid_on_delivery");
    let void = desk.shop.post(&format!("{}/cancel", order.payment)).by(&desk.staff).json(json!({})).send().await;
    void.expect_problem(409, "payment.paid_on_delivery");
    let capture = desk.shop.post(&format!("{}/capture", order.payment)).by(&desk.staff).json(json!({})).send().await;
    capture.expect_problem(409, "payment.not_authorized");
    // Staff can record that it was paid before it left.
    desk.receive(&order, 2_000, "counter").await.expect(201);
    desk.awaits(&order, "/payment_status", "paid").await;
    desk.send(&order, 2).await;
    for order in [large, digital] {
        desk.shop.post(&format!("{}/cancel", order.path)).with(&order.cart).json(json!({})).send().await.expect(200);
    }
    desk.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maximum_needs_one_currency_and_cash_on_delivery_no_days() {
    let shop = TestShop::start().await;
    let changed = |changes: &[(&str, Value)]| {
        let mut method = cash();
        for (field, value) in changes {
            method[*field] = value.clone();
        }
        method
    };
    let whole = offers(&shop, &[cash()]).await.expect(200);
    assert_eq!(whole.body["methods"][0]["max_total"], euro(5_000));
    let codes: BTreeMap<&str, Value> = BTreeMap::from([
        ("payment_book.no_days", changed(&[("days", json!(7))])),
        ("payment_book.wrong_maximum", changed(&[("currencies", json!([]))])),
    ]);
    for (code, method) in codes {
        offers(&shop, &[method]).await.expect_problem(422, code);
    }
    offers(&shop, &[changed(&[("max_total", euro(0))])]).await.expect_problem(422, "payment_book.wrong_maximum");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parcel_leaves_or_the_order_is_cancelled_and_money_counts_once() {
    let desk = Desk::open().await;
    for number in 0..4 {
        let order = desk.released(1).await;
        let parcel = json!({"carrier": {"kind": "other", "name": "Post"}});
        let pack = desk.shop.post(&format!("{}/shipments", order.path)).by(&desk.staff).json(parcel).send();
        let cancel = desk.shop.post(&format!("{}/cancel", order.path)).with(&order.cart).json(json!({})).send();
        let (packed, cancelled) = join(pack, cancel).await;
        assert_ne!(packed.status == 201, cancelled.status == 200, "{} {}", packed.body, cancelled.body);
        if packed.status == 201 {
            let parcel = format!("/v1/shipments/{}", packed.id());
            let tracking = json!({"tracking": "T-1"});
            desk.shop.post(&format!("{parcel}/hand-over")).by(&desk.staff).json(tracking).send().await.expect(200);
            let reference = format!("tour {number}");
            let (one, other) =
                join(desk.receive(&order, 1_000, &reference), desk.receive(&order, 1_000, &reference)).await;
            assert_ne!(one.status == 201, other.status == 201, "{} {}", one.body, other.body);
        }
    }
    desk.is_sound().await;
}
