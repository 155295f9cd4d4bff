//! Gift cards as goods: sold, shown to their buyer alone, spent, and taken back with a refund as far as they still hold something.

use std::collections::BTreeSet;

use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{Answer, GuestCart, TestShop};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use super::keys::{Kiosk, keys_of};

/// Orders at once.
const ORDERS: usize = 8;

fn euro(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

fn with_card(code: &str) -> Value {
    json!({"provider": "gift_card", "code": code})
}

/// A shop that sells gift cards for 5.00, and a thing for 4.00.
struct Counter {
    kiosk: Kiosk,
    thing: String,
}

struct Bought {
    path: String,
    payment: String,
    cart: GuestCart,
}

impl Counter {
    async fn open() -> Self {
        let kiosk = Kiosk::open().await;
        let (_, thing) = kiosk.shop.product("THING", 400, 50).await;
        let it = Self { kiosk, thing };
        it.set(json!({"days": 365})).await.expect(200);
        it
    }

    fn shop(&self) -> &TestShop {
        &self.kiosk.shop
    }

    async fn set(&self, body: Value) -> Answer {
        self.shop().put(&format!("{}/gift-cards", self.kiosk.path())).by(&self.kiosk.staff).json(body).send().await
    }

    async fn order(&self, variant: &str, quantity: i64) -> Bought {
        let (placed, cart) = self.shop().order(variant, quantity).await;
        let payment = format!("/v1/payments/{}", placed.text("/payment"));
        Bought { path: format!("/v1/orders/{}", placed.text("/id")), payment, cart }
    }

    /// A paid order of gift cards, and their codes.
    async fn sold(&self, quantity: i64) -> (Bought, Vec<String>) {
        let order = self.order(&self.kiosk.variant, quantity).await;
        self.kiosk.pay(&order.path, &order.cart).await;
        let codes = self.kiosk.revealed(&order.path, &order.cart).await;
        (order, codes)
    }

    async fn pay(&self, order: &Bought, body: Value) -> Answer {
        self.shop().post(&format!("{}/payments", order.path)).with(&order.cart).json(body).send().await
    }

    /// Spends 4.00 of a card.
    async fn spend(&self, code: &str) {
        let order = self.order(&self.thing, 1).await;
        self.pay(&order, with_card(code)).await.expect(201);
        eventually("the order is paid", async || {
            let it = self.shop().get(&order.path).with(&order.cart).send().await.expect(200).body;
            (it["payment_status"] == "paid").then_some(())
        })
        .await;
    }

    async fn refund(&self, order: &Bought, amount: i64, cards: i64) -> Answer {
        let mut body = json!({"amount": euro(amount), "reason": "a mistake"});
        if cards > 0 {
            body["lines"] = json!([{"variant": self.kiosk.variant, "quantity": cards}]);
        }
        self.shop().post(&format!("{}/refunds", order.payment)).by(&self.kiosk.staff).json(body).send().await
    }

    /// What a card has, as everyone who knows its code is told.
    async fn check(&self, code: &str) -> Answer {
        self.shop().post("/v1/gift-cards/check").json(json!({"code": code})).send().await
    }

    async fn account(&self, name: &str) -> i64 {
        let head = self.shop().at_rest().await;
        let ledger =
            self.shop().get("/v1/admin/ledger").by(&self.kiosk.staff).after(head).send().await.expect(200).body;
        let items = ledger["items"].as_array().unwrap();
        let amount = |item: &Value| item["balance"]["amount"].as_i64().unwrap();
        assert_eq!(items.iter().map(amount).sum::<i64>(), 0, "the trial balance is not zero: {ledger}");
        items.iter().filter(|item| item["account"] == name).map(amount).sum()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_piece_is_a_card_that_pays_what_it_cost() {
    let it = Counter::open().await;
    let pool = it.kiosk.pool().await;
    assert_eq!(pool["gift_cards"], json!({"days": 365}));
    let (order, codes) = it.sold(2).await;
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), 2);
    let shown = it.shop().get(&order.path).with(&order.cart).send().await.expect(200).body;
    assert_eq!((&shown["total"], &shown["status"]), (&euro(1_000), &json!("completed")));
    for code in &codes {
        let card = it.check(code).await.expect(200).body;
        assert_eq!(card["available"], euro(500), "{card}");
        assert!(card["expires_at"].is_string(), "{card}");
    }
    // A liability, and no revenue.
    assert_eq!((it.account("gift_cards").await, it.account("sales").await), (-1_000, 0));
    it.spend(&codes[0]).await;
    assert_eq!(it.check(&codes[0]).await.expect(200).body["available"], euro(100));
    assert_eq!((it.account("gift_cards").await, it.account("sales").await), (-600, -400));
    // The second look shows the same codes, and the first one is recorded.
    assert_eq!(it.kiosk.revealed(&order.path, &order.cart).await, codes);
    let events = it.shop().log.read_log(0, 10_000).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.event_type == "keys_revealed").count(), 1);
    // The canary: whatever was written down has no code in it.
    let stored = it.kiosk.everything_stored().await;
    for code in &codes {
        let plain = code.replace('-', "");
        assert!(!stored.contains(code) && !stored.contains(&plain), "a code is stored in the clear");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_is_its_buyers_to_see() {
    let it = Counter::open().await;
    let (shop, staff) = (it.shop(), &it.kiosk.staff);
    let (buyer, other) = (shop.person("buyer@example.org").await, shop.person("other@example.org").await);
    let order = shop.buy(&buyer.token, &it.kiosk.variant, 1).await.expect(201).id();
    shop.pay(&buyer.token, &order).await.expect(201);
    let head = shop.at_rest().await;
    let bought = shop.get("/v1/me/purchases").by(&buyer.token).after(head).send().await.expect(200).body;
    let line = &bought["items"][0]["lines"][0];
    assert_eq!((&bought["items"][0]["order"], &line["keys"], &line["revealed"]), (&json!(order), &json!(1), &json!(0)));
    let path = format!("/v1/orders/{order}/keys/reveal");
    let reveal = || shop.post(&path).json(json!({}));
    reveal().by(&other.token).send().await.expect_problem(404, "order.missing");
    reveal().by(staff).send().await.expect_problem(403, "order.keys_of_buyer");
    reveal().send().await.expect_problem(404, "order.missing");
    let shown = reveal().by(&buyer.token).send().await.expect(200);
    assert_eq!(it.check(&keys_of(&shown.body)[0]).await.expect(200).body["available"], euro(500));
    let (_, codes) = it.sold(1).await;
    shop.at_rest().await;
    let mails = shop.log.kept(None, 20).await.unwrap();
    assert!(mails.iter().all(|mail| !mail.text.contains(&codes[0])), "a mail has a code in it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_takes_back_what_is_left_and_refuses_more() {
    let it = Counter::open().await;
    let (order, codes) = it.sold(2).await;
    it.spend(&codes[1]).await;
    it.refund(&order, 100, 0).await.expect_problem(409, "order.too_much_beside_gift_cards");
    it.refund(&order, 500, 1).await.expect_problem(409, "order.too_much_beside_gift_cards");
    it.refund(&order, 99, 1).await.expect_problem(409, "order.gift_cards_hold");
    // The last card has 1.00 left.
    it.refund(&order, 100, 1).await.expect(201);
    assert_eq!(it.check(&codes[1]).await.expect(200).body["status"], "not_valid");
    assert_eq!(it.kiosk.revealed(&order.path, &order.cart).await, codes[..1]);
    it.refund(&order, 400, 0).await.expect_problem(409, "order.too_much_beside_gift_cards");
    it.refund(&order, 500, 1).await.expect(201);
    assert_eq!((it.account("gift_cards").await, it.account("customers").await), (0, 0));
    let back = json!({"lines": [{"variant": it.kiosk.variant, "quantity": 1}], "reason": "other"});
    let (fresh, _) = it.sold(1).await;
    let back = it.shop().post(&format!("{}/returns", fresh.path)).with(&fresh.cart).json(back).send().await;
    back.expect_problem(409, "order.gift_cards_not_returned");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gift_card_costs_more_than_nothing_and_no_more_than_one_may_be_worth() {
    let it = Counter::open().await;
    let (shop, staff) = (it.shop(), &it.kiosk.staff);
    let path = format!("/v1/products/{}/variants/{}", it.kiosk.product, it.kiosk.variant);
    let price = async |body: Value| shop.patch(&path).by(staff).json(body).send().await;
    let dollars = |amount: i64| json!({"price": {"amount": amount, "currency": "USD"}});
    for amount in [0, 10_000_001] {
        price(json!({"price": euro(amount)})).await.expect_problem(409, "key_pool.gift_card_price");
        let prices = json!({"prices": [{"price": euro(500)}, dollars(amount)]});
        price(prices).await.expect_problem(409, "key_pool.gift_card_price");
    }
    price(json!({"prices": [{"price": euro(10_000_000)}, dollars(1)]})).await.expect(200);
    // Other goods may cost nothing, and then they become no gift cards.
    for amount in [0, 10_000_001] {
        let (product, variant) = shop.product(&format!("CARD-{amount}"), amount, 0).await;
        let path = format!("/v1/products/{product}/variants/{variant}");
        shop.patch(&path).by(staff).json(json!({"physical": false})).send().await.expect(200);
        let path = format!("/v1/variants/{variant}/keys/gift-cards");
        let refused = shop.put(&path).by(staff).json(json!({"days": null})).send().await;
        refused.expect_problem(409, "key_pool.gift_card_price");
    }
}

/// A part of the money goes back by a dispute: the last card is blocked, and the rest is refunded with both.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_dispute_lost_of_cards_is_refunded_once() {
    let it = Counter::open().await;
    let (order, codes) = it.sold(2).await;
    let payment = order.payment.rsplit('/').next().unwrap();
    let body = json!({"payment": payment, "amount": euro(300)});
    let dispute = it.shop().post("/dev/disputes").json(body).send().await.expect(201).id();
    let lose = || it.shop().post(&format!("/dev/disputes/{dispute}")).json(json!({"won": false}));
    for _ in 0..2 {
        lose().send().await.expect(204);
    }
    assert_eq!(it.check(&codes[1]).await.expect(200).body["status"], "not_valid");
    assert_eq!(it.check(&codes[0]).await.expect(200).body["available"], euro(500));
    it.refund(&order, 100, 0).await.expect_problem(409, "order.too_much_beside_gift_cards");
    it.refund(&order, 199, 1).await.expect_problem(409, "order.gift_cards_hold");
    it.refund(&order, 201, 1).await.expect_problem(409, "order.too_much_beside_gift_cards");
    it.refund(&order, 200, 1).await.expect(201);
    it.refund(&order, 500, 0).await.expect(201);
    assert_eq!(it.check(&codes[0]).await.expect(200).body["status"], "not_valid");
    assert_eq!((it.account("gift_cards").await, it.account("sales").await, it.account("customers").await), (0, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_spent_or_refunded_and_not_both() {
    let it = Counter::open().await;
    for _ in 0..4 {
        let (order, codes) = it.sold(1).await;
        let next = it.order(&it.thing, 1).await;
        let (refunded, paid) = join(it.refund(&order, 500, 1), it.pay(&next, with_card(&codes[0]))).await;
        assert_ne!(refunded.status == 201, paid.status == 201, "{} {}", refunded.body, paid.body);
        if paid.status != 201 {
            it.shop().post(&format!("{}/cancel", next.path)).with(&next.cart).json(json!({})).send().await.expect(200);
        }
    }
    it.account("gift_cards").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_are_not_bought_with_cards_and_have_no_discount() {
    let it = Counter::open().await;
    let (_, codes) = it.sold(1).await;
    let order = it.order(&it.kiosk.variant, 1).await;
    it.pay(&order, with_card(&codes[0])).await.expect_problem(409, "stored_value.for_gift_cards");
    let licence = json!({"product": it.kiosk.product, "key": codes[0]});
    let checked = it.shop().post("/v1/licences/check").json(licence).send().await.expect(200);
    assert_eq!(checked.body["status"], "unknown", "a code of a gift card is no licence");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_variant_that_delivers_nothing_else_becomes_a_gift_card() {
    let it = Counter::open().await;
    for days in [0, 3_661] {
        it.set(json!({"days": days})).await.expect(422);
    }
    let changed = it.set(json!({"days": null})).await.expect(200);
    assert_eq!(changed.body["gift_cards"], json!({"days": null}));
    let (staff, shop) = (&it.kiosk.staff, it.shop());
    it.kiosk.send("text/plain", "A").await.expect_problem(409, "key_pool.generated");
    let pattern = shop.put(&format!("{}/pattern", it.kiosk.path())).by(staff).json(json!({"pattern": "ACME-{16}"}));
    pattern.send().await.expect_problem(409, "key_pool.gift_cards");
    let link = json!({"link": "https://files.example.org/a"});
    let link = shop.put(&format!("/v1/variants/{}/downloads/link", it.kiosk.variant)).by(staff).json(link);
    link.send().await.expect_problem(409, "digital_good.gift_cards");
    let path = format!("/v1/variants/{}/keys/gift-cards", it.thing);
    shop.put(&path).by(staff).json(json!({"days": null})).send().await.expect_problem(409, "key_pool.physical");
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_are_paid_at_once_get_cards_of_their_own() {
    let it = Counter::open().await;
    let sold = join_all((0..ORDERS).map(|_| it.sold(2))).await;
    let codes: BTreeSet<&String> = sold.iter().flat_map(|(_, codes)| codes).collect();
    assert_eq!(codes.len(), 2 * ORDERS, "a code was given twice");
    let worth = i64::try_from(2 * ORDERS).unwrap() * 500;
    assert_eq!(it.account("gift_cards").await, -worth);
    let body = json!({"variant": it.kiosk.variant, "from": 1});
    let (order, codes) = &sold[0];
    let again = it.shop().post(&format!("{}/keys/reveal", order.path)).with(&order.cart).json(body).send().await;
    assert_eq!(&keys_of(&again.expect(200).body), codes);
    it.shop().post(&format!("{}/keys/reveal", order.path)).json(json!({})).send().await.expect(404);
}
