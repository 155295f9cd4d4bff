//! Orders with several sellers: one cart, one checkout and one payment, with a part for each seller.

use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::people::Person;
use byteshop_tests::shop::{Answer, Setup, TestShop, address};
use serde_json::{Value, json};

use super::aftersales::lines;
use super::money::sends;

/// Two sellers beside the house, and a buyer.
pub(super) struct Market {
    pub(super) shop: TestShop,
    /// The owner of the first seller, who sells a kettle for 9.00.
    pub(super) ada: Person,
    /// The owner of the second seller, who sells a pan for 6.00.
    pub(super) eve: Person,
    pub(super) buyer: Person,
    pub(super) kettles: String,
    pub(super) pans: String,
    pub(super) kettle: String,
    pub(super) pan: String,
    /// What the house sells for 3.00.
    pub(super) lamp: String,
}

impl Market {
    /// Sending costs 9.00.
    pub(super) async fn open() -> Self {
        Self::with(TestShop::start()).await
    }

    pub(super) async fn with(setup: Setup) -> Self {
        let shop = setup.await;
        sends(&shop).await;
        let (ada, eve) = (shop.person("ada@example.org").await, shop.person("eve@example.org").await);
        let (kettles, pans) = (shop.seller(&ada, "kettles").await, shop.seller(&eve, "pans").await);
        let (_, kettle) = shop.product_of(&kettles, &ada, "KETTLE", 900, 50).await;
        let (_, pan) = shop.product_of(&pans, &eve, "PAN", 600, 50).await;
        let (_, lamp) = shop.product("LAMP", 300, 50).await;
        let buyer = shop.person("buyer@example.org").await;
        Self { shop, ada, eve, buyer, kettles, pans, kettle, pan, lamp }
    }

    /// An order of one piece of each of these variants, by its path.
    pub(super) async fn ordered(&self, variants: &[&str]) -> String {
        let (shop, token) = (&self.shop, &self.buyer.token);
        let cart = shop.post("/v1/carts").by(token).json(json!({"currency": "EUR"})).send().await.id();
        let cart = format!("/v1/carts/{cart}");
        for variant in variants {
            let line = shop.put(&format!("{cart}/lines/{variant}")).by(token).json(json!({"quantity": 1}));
            line.send().await.expect(200);
        }
        shop.put(&format!("{cart}/address")).by(token).json(address("DE")).send().await.expect(200);
        let service = json!({"service": "flat"});
        shop.put(&format!("{cart}/shipping")).by(token).json(service).send().await.expect(200);
        let placed = shop.post(&format!("{cart}/checkout")).by(token).send().await.expect(201);
        format!("/v1/orders/{}", placed.id())
    }

    pub(super) async fn paid(&self, variants: &[&str]) -> String {
        let order = self.ordered(variants).await;
        self.shop.pay(&self.buyer.token, id_of(&order)).await.expect(201);
        self.becomes(&order, "/payment_status", &json!("paid")).await;
        order
    }

    /// An order as its buyer sees it.
    pub(super) async fn seen(&self, order: &str) -> Value {
        self.shop.get(order).by(&self.buyer.token).send().await.expect(200).body
    }

    pub(super) async fn becomes(&self, order: &str, pointer: &str, wanted: &Value) -> Value {
        eventually(&format!("{pointer} is {wanted}"), async || {
            let order = self.seen(order).await;
            (order.pointer(pointer) == Some(wanted)).then_some(order)
        })
        .await
    }

    pub(super) async fn post(&self, path: &str, person: &Person, body: Value) -> Answer {
        self.shop.post(path).by(&person.token).json(body).send().await
    }
}

pub(super) fn id_of(order: &str) -> &str {
    order.rsplit('/').next().unwrap()
}

/// A field of each part of an order; of an amount its number.
pub(super) fn of_parts(order: &Value, field: &str) -> Vec<Value> {
    let parts = order["parts"].as_array().unwrap().iter().map(|part| &part[field]);
    parts.map(|it| if it.is_object() { it["amount"].clone() } else { it.clone() }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_has_a_part_for_each_seller_and_their_sums_are_its_own() {
    let market = Market::open().await;
    let Market { shop, ada, eve, kettles, pans, kettle, pan, lamp, .. } = &market;
    let path = market.ordered(&[kettle, pan, lamp]).await;
    let order = market.seen(&path).await;
    assert_eq!(of_parts(&order, "number"), [1, 2, 3]);
    assert_eq!(of_parts(&order, "seller"), [json!(kettles), json!(pans), Value::Null]);
    assert_eq!(of_parts(&order, "seller_name"), [json!("Seller kettles"), json!("Seller pans"), Value::Null]);
    assert_eq!(of_parts(&order, "variants"), [json!([kettle]), json!([pan]), json!([lamp])]);
    // Sending for 9.00 is split as 9 : 6 : 3.
    assert_eq!(of_parts(&order, "shipping"), [450, 300, 150]);
    assert_eq!(of_parts(&order, "total"), [1350, 900, 450]);
    assert_eq!(of_parts(&order, "payment_status"), ["awaiting"; 3]);
    assert_eq!(order["total"]["amount"], 2700);
    // The whole order is its buyer's.
    for seller in [ada, eve] {
        shop.get(&path).by(&seller.token).send().await.expect_problem(404, "order.missing");
    }
    let house = market.seen(&market.ordered(&[lamp]).await).await;
    assert_eq!((of_parts(&house, "payable"), of_parts(&house, "seller")), (vec![json!(1200)], vec![Value::Null]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parcel_and_a_return_are_of_one_part() {
    let market = Market::open().await;
    let Market { shop, buyer, kettle, pan, lamp, .. } = &market;
    let order = market.paid(&[kettle, pan, lamp]).await;
    let staff = shop.token(Role::Support);
    let pack = async |mut body: Value| {
        body["carrier"] = json!({"kind": "other", "name": "Post"});
        shop.post(&format!("{order}/shipments")).by(&staff).json(body).send().await
    };
    pack(json!({})).await.expect_problem(422, "order.several_parts");
    let both = json!([{"variant": kettle, "quantity": 1}, {"variant": pan, "quantity": 1}]);
    pack(json!({"lines": both})).await.expect_problem(422, "order.several_parts");
    for variant in [kettle, pan] {
        let parcel = format!("/v1/shipments/{}", pack(json!({"lines": lines(variant, 1)})).await.expect(201).id());
        let hand_over = shop.post(&format!("{parcel}/hand-over")).by(&staff).json(json!({"tracking": "T-1"}));
        hand_over.send().await.expect(200);
        let status = shop.post(&format!("{parcel}/status")).by(&staff).json(json!({"status": "delivered"}));
        status.send().await.expect(200);
    }
    let sent = market.seen(&order).await;
    assert_eq!(of_parts(&sent, "status"), ["completed", "completed", "open"]);
    assert_eq!(of_parts(&sent, "fulfilment"), ["fulfilled", "fulfilled", "unfulfilled"]);
    let back = async |lines: Value| {
        market.post(&format!("{order}/returns"), buyer, json!({"lines": lines, "reason": "other"})).await
    };
    back(both).await.expect_problem(422, "order.several_parts");
    let returned = back(lines(pan, 1)).await.expect(201).id();
    assert_eq!(of_parts(&market.seen(&order).await, "returns"), [json!([]), json!([returned]), json!([])]);
    // What is left is of one part.
    pack(json!({})).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_goes_back_by_part() {
    let market = Market::open().await;
    let Market { shop, buyer, kettle, pan, lamp, .. } = &market;
    let order = market.paid(&[kettle, pan, lamp]).await;
    let payment = market.seen(&order).await["payment"].as_str().unwrap().to_owned();
    let refund = async |amount: i64, part: Value| {
        let body = json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": "a scratch", "part": part});
        shop.post(&format!("/v1/payments/{payment}/refunds")).by(&shop.token(Role::Support)).json(body).send().await
    };
    refund(451, json!(3)).await.expect_problem(409, "order.too_much_of_part");
    refund(1, json!(4)).await.expect_problem(422, "order.no_such_part");
    refund(50, json!(3)).await.expect(201);
    // 1.00 is split as 13.50 : 9.00 : 4.00.
    refund(100, Value::Null).await.expect(201);
    let after = market.becomes(&order, "/refunded/amount", &json!(150)).await;
    assert_eq!(of_parts(&after, "refunded"), [51, 34, 65]);
    // The buyer cancels a part, and then the rest.
    let cancel = async |body: Value| market.post(&format!("{order}/cancel"), buyer, body).await;
    cancel(json!({"part": 2, "lines": lines(pan, 1)})).await.expect(422);
    cancel(json!({"part": 4})).await.expect_problem(422, "order.no_such_part");
    cancel(json!({"lines": [{"variant": kettle, "quantity": 1}, {"variant": pan, "quantity": 1}]}))
        .await
        .expect_problem(422, "order.several_parts");
    let off = cancel(json!({"part": 2})).await.expect(200);
    assert_eq!(of_parts(&off.body, "credited"), [51, 900, 65]);
    cancel(json!({})).await.expect(200);
    let off = market.becomes(&order, "/payment_status", &json!("refunded")).await;
    assert_eq!(of_parts(&off, "refunded"), [1350, 900, 450]);
    assert_eq!(off["refunded"]["amount"], 2700);
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_are_cancelled_at_the_same_moment_are_refunded_once() {
    let market = Market::open().await;
    let Market { buyer, kettle, pan, lamp, .. } = &market;
    for _ in 0..4 {
        let order = market.paid(&[kettle, pan, lamp]).await;
        let cancel = format!("{order}/cancel");
        let part = |number: u16| market.post(&cancel, buyer, json!({"part": number}));
        let done = tokio::join!(part(1), part(2), part(3));
        for answer in [done.0, done.1, done.2] {
            answer.expect(200);
        }
        // The last of them cancels all that is left.
        let off = market.becomes(&order, "/payment_status", &json!("refunded")).await;
        assert_eq!(
            (&off["status"], of_parts(&off, "refunded")),
            (&json!("cancelled"), vec![json!(1350), json!(900), json!(450)])
        );
    }
}
