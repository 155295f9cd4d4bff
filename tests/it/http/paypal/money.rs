//! Authorized, captured, voided and refunded, with a PayPal that is slow, refuses, or is silent after it carried a request out.

use futures_util::future::join_all;
use serde_json::json;

use super::{Answer, Connected, Order, eventually};

impl Connected {
    async fn refund(&self, order: &Order, amount: i64) -> Answer {
        let body = json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": "a scratch"});
        self.shop.post(&format!("/v1/payments/{}/refunds", order.payment)).by(&self.staff).json(body).send().await
    }

    async fn cancel(&self, order: &Order) {
        self.shop.post(&format!("{}/cancel", order.path)).by(&self.staff).send().await.expect(200);
    }

    /// An order whose amount is authorized.
    async fn held(&self, variant: &str) -> Order {
        let order = self.order(variant).await;
        let page = self.begin(&order).await;
        self.follow(&self.paypal.choose(&page, "approve").await).await.expect(200);
        self.awaits(&order, "authorized").await;
        order
    }

    async fn hand_over(&self, order: &Order) {
        let carrier = json!({"carrier": {"kind": "other", "name": "Post"}});
        let path = format!("{}/shipments", order.path);
        let parcel = self.shop.post(&path).by(&self.staff).json(carrier).send().await.expect(201).id();
        let path = format!("/v1/shipments/{parcel}/hand-over");
        self.shop.post(&path).by(&self.staff).json(json!({"tracking": "T-1"})).send().await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_authorized_is_captured_with_the_parcel_or_voided() {
    let it = Connected::patient().await;
    let (_, variant) = it.shop.product("PM-1", 1999, 9).await;
    let [sent, cancelled] = [it.held(&variant).await, it.held(&variant).await];
    let books = it.paypal.books().await;
    assert_eq!(
        (books["captures"].as_array().unwrap().len(), books["authorizations"].as_array().unwrap().len()),
        (0, 2)
    );
    it.hand_over(&sent).await;
    it.awaits(&sent, "paid").await;
    it.cancel(&cancelled).await;
    it.becomes(&cancelled, "voided").await;
    let books = it.paypal.books().await;
    let states: Vec<_> =
        books["authorizations"].as_array().unwrap().iter().map(|it| it["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["CAPTURED", "VOIDED"]);
    it.books_agree(&[sent, cancelled]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_reach_paypal_in_parts_and_whole() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PM-2", 1999, 9).await;
    let [parts, whole] = [it.paid(&variant).await, it.paid(&variant).await];
    it.refund(&parts, 500).await.expect(201);
    it.awaits(&parts, "partly_refunded").await;
    it.refund(&parts, 1).await.expect(201);
    eventually("both refunds are done", async || (it.payment(&parts).await["refunded"]["amount"] == 501).then_some(()))
        .await;
    it.cancel(&whole).await;
    it.awaits(&whole, "refunded").await;
    let books = it.paypal.books().await;
    let refunds: Vec<_> =
        books["refunds"].as_array().unwrap().iter().map(|it| it["amount"]["minor"].as_i64().unwrap()).collect();
    assert_eq!(refunds, [500, 1, 1999]);
    // What is left goes back when the rest of the order is cancelled.
    it.cancel(&parts).await;
    it.awaits(&parts, "refunded").await;
    it.books_agree(&[parts, whole]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_was_carried_out_without_an_answer_is_found_and_not_repeated() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PM-3", 1999, 9).await;
    let paid = it.paid(&variant).await;
    let order = it.order(&variant).await;
    let page = it.begin(&order).await;
    let back = it.paypal.choose(&page, "approve").await;
    // Nothing that moves money has an answer, and PayPal forgets its idempotency keys before the shop asks again.
    let silent = ["orders.capture", "captures.refund", "orders.create"];
    it.paypal.switch(json!({"operations": silent, "silent_percent": 100})).await;
    let unanswered = it.order(&variant).await;
    let (asked, begun, refunded) = tokio::join!(it.follow(&back), it.pay(&unanswered), it.refund(&paid, 700));
    asked.expect(200);
    refunded.expect(201);
    assert_eq!(begun.expect(201).body["status"], "unresolved");
    eventually("PayPal has captured and refunded", async || {
        let books = it.paypal.books().await;
        let count = |what: &str| books[what].as_array().unwrap().len();
        (count("captures") == 2 && count("refunds") == 1).then_some(())
    })
    .await;
    it.paypal.switch(json!({})).await;
    it.paypal.advance(46 * 24 * 60 * 60).await;
    it.awaits(&order, "paid").await;
    it.awaits(&paid, "partly_refunded").await;
    // No buyer has seen the page of an order whose creation had no answer, so the buyer begins again.
    it.becomes(&unanswered, "open").await;
    let page = it.begin(&unanswered).await;
    it.follow(&it.paypal.choose(&page, "approve").await).await.expect(200);
    it.awaits(&unanswered, "paid").await;
    let books = it.paypal.books().await;
    let count = |what: &str| books[what].as_array().unwrap().len();
    assert_eq!((count("captures"), count("refunds")), (3, 1));
    it.books_agree(&[paid, order, unanswered]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paypal_that_fails_now_and_then_is_asked_again() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PM-4", 1999, 99).await;
    let switches = json!({"seed": 7, "error_percent": 15, "too_many_percent": 10, "latency_ms": 5, "duplicate_percent": 30,
        "reorder_percent": 20, "loss_percent": 5});
    it.paypal.switch(switches).await;
    let orders = join_all((0..12).map(async |number| {
        let order = it.order(&variant).await;
        // A creation that fails three times in a row is begun again by the buyer.
        let page = eventually("the payment is begun", async || {
            let begun = it.pay(&order).await;
            begun.body["action_url"].as_str().map(str::to_owned)
        })
        .await;
        let back = it.paypal.choose(&page, "approve").await;
        if number % 2 == 0 {
            it.follow(&back).await;
        }
        it.awaits(&order, "paid").await;
        if number % 3 == 0 {
            it.refund(&order, 100 + number).await.expect(201);
            it.awaits(&order, "partly_refunded").await;
        }
        order
    }))
    .await;
    it.paypal.switch(json!({})).await;
    it.books_agree(&orders).await;
}
