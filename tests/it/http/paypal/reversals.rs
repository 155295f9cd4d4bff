//! Money that PayPal gave back without being asked by the shop: a refund that it made, recorded once, whatever else moves the same money.

use byteshop_eventstore::Clock;
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Connected, Order, eventually};

impl Connected {
    /// What PayPal calls the capture of an order.
    async fn capture_of(&self, order: &Order) -> String {
        let books = self.paypal.books().await;
        let captures = books["captures"].as_array().unwrap();
        let capture = captures.iter().find(|it| it["custom_id"] == order.payment.as_str()).unwrap();
        capture["id"].as_str().unwrap().to_owned()
    }

    /// PayPal takes back what is left of a capture.
    pub(super) async fn reverses(&self, order: &Order) -> Value {
        self.at_paypal(&format!("captures/{}/reverse", self.capture_of(order).await), &json!({})).await
    }

    /// Someone refunds an amount, in major units, in PayPal's own pages.
    pub(super) async fn refunds_at_paypal(&self, order: &Order, value: &str) -> Value {
        let path = format!("/v2/payments/captures/{}/refund", self.capture_of(order).await);
        self.past_the_shop(&path, &json!({"amount": {"currency_code": "EUR", "value": value}})).await
    }

    /// The refunds of the payment with this cause that are done: their amounts.
    async fn refunds(&self, order: &Order, cause: &str) -> Vec<i64> {
        let payment = self.payment(order).await;
        let refunds = payment["refunds"].as_array().unwrap().iter();
        let ours = refunds.filter(|it| it["cause"]["kind"] == cause && it["status"] == "done");
        ours.map(|it| it["amount"]["amount"].as_i64().unwrap()).collect()
    }

    async fn refunded(&self, order: &Order, cents: i64) {
        eventually(&format!("{cents} cents are refunded"), async || {
            (self.payment(order).await["refunded"]["amount"] == cents).then_some(())
        })
        .await;
    }

    /// The totals of the credit notes of an order.
    async fn credited(&self, order: &Order) -> Vec<i64> {
        self.shop.at_rest().await;
        let found =
            self.shop.get(&format!("{}/credit-notes", order.path)).by(&self.staff).send().await.expect(200).body;
        found["items"].as_array().unwrap().iter().map(|it| it["total"]["amount"].as_i64().unwrap()).collect()
    }

    /// What the poller does, with all events of the last days.
    async fn polls(&self) -> bool {
        self.shop.commands.follow_missed_events(Clock.now() - TimeDelta::days(1)).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reversal_is_a_refund_that_paypal_made() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PR-1", 1999, 9).await;
    let order = it.paid(&variant).await;
    it.paypal.switch(json!({"duplicate_percent": 100})).await;
    it.reverses(&order).await;
    it.awaits(&order, "refunded").await;
    assert_eq!(it.counts(&order).await, [0, 0, 1_999]);
    assert_eq!((it.refunds(&order, "provider").await, it.credited(&order).await), (vec![1_999], vec![1_999]));
    assert!(it.polls().await, "the events are followed already");
    assert_eq!(it.credited(&order).await, [1_999]);
    // The story says who did it, and the clearing account that PayPal keeps its fee.
    let path = format!("{}/history", order.path);
    let story = it.shop.get(&path).by(&it.staff).send().await.expect(200).body.to_string();
    assert!(story.contains("The payment provider gave"), "{story}");
    it.clearing_agrees().await;
    it.books_agree(&[order]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_in_the_pages_of_paypal_is_recorded_beside_those_of_the_shop() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PR-2", 1999, 9).await;
    let order = it.paid(&variant).await;
    it.refunds_at_paypal(&order, "5.00").await;
    it.refunded(&order, 500).await;
    it.awaits(&order, "partly_refunded").await;
    // The shop cannot refund that again, and PayPal gets a refund of the rest.
    let refund = async |amount: i64| {
        let body = json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": "a scratch"});
        it.shop.post(&format!("/v1/payments/{}/refunds", order.payment)).by(&it.staff).json(body).send().await
    };
    refund(1_500).await.expect_problem(409, "payment.too_much_refunded");
    refund(1_000).await.expect(201);
    it.refunded(&order, 1_500).await;
    it.refunds_at_paypal(&order, "1.00").await;
    it.refunded(&order, 1_600).await;
    it.reverses(&order).await;
    it.awaits(&order, "refunded").await;
    let mut made = it.refunds(&order, "provider").await;
    made.sort_unstable();
    assert_eq!((made, it.refunds(&order, "staff").await), (vec![100, 399, 500], vec![1_000]));
    assert_eq!(it.credited(&order).await.iter().sum::<i64>(), 1_999);
    it.clearing_agrees().await;
    it.books_agree(&[order]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lost_webhooks_would_have_told_is_found_in_the_list_of_events() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PR-3", 1999, 9).await;
    let [reversed, refunded] = [it.paid(&variant).await, it.paid(&variant).await];
    it.paypal.switch(json!({"loss_percent": 100})).await;
    it.reverses(&reversed).await;
    it.refunds_at_paypal(&refunded, "7.00").await;
    for _ in 0..2 {
        assert!(it.polls().await);
        assert_eq!((it.counts(&reversed).await, it.counts(&refunded).await), ([0, 0, 1_999], [0, 1_299, 700]));
    }
    assert_eq!((it.credited(&reversed).await, it.credited(&refunded).await), (vec![1_999], vec![700]));
    it.clearing_agrees().await;
    it.books_agree(&[reversed, refunded]).await;
}

/// PayPal tells of the money of a lost dispute as of a reversal, before it tells of the dispute, or instead of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_money_of_a_dispute_is_not_recorded_in_addition_to_it() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PR-4", 1999, 9).await;
    let order = it.paid(&variant).await;
    it.paypal.switch(json!({"loss_percent": 100})).await;
    let lost = it.disputes(&order, Some("5.00")).await;
    it.decides(&lost, "RESOLVED_BUYER_FAVOUR").await;
    // The same amount goes back once more, and is no part of the dispute.
    it.refunds_at_paypal(&order, "5.00").await;
    assert!(it.polls().await);
    it.recorded(&order, "lost").await;
    assert_eq!(it.counts(&order).await, [0, 999, 1_000]);
    assert_eq!((it.refunds(&order, "dispute").await, it.refunds(&order, "provider").await), (vec![500], vec![500]));
    // While another dispute is open, what goes back may be what it is about.
    let open = it.disputes(&order, Some("3.00")).await;
    it.refunds_at_paypal(&order, "2.00").await;
    assert!(!it.polls().await);
    assert_eq!(it.counts(&order).await, [300, 699, 1_000]);
    it.decides(&open, "RESOLVED_SELLER_FAVOUR").await;
    assert!(it.polls().await);
    assert_eq!(it.counts(&order).await, [0, 799, 1_200]);
    assert_eq!(it.credited(&order).await, [500, 500, 200]);
    it.clearing_agrees().await;
    it.books_agree(&[order]).await;
}

/// Refunds of the shop, refunds in PayPal's pages, reversals and disputes at one moment, with webhooks that are repeated, lost and late.
#[tokio::test(flavor = "multi_thread")]
async fn no_cent_goes_back_twice_whoever_gives_it_back() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PR-5", 1999, 99).await;
    let switches = json!({"duplicate_percent": 50, "reorder_percent": 30, "loss_percent": 20, "seed": 11});
    it.paypal.switch(switches).await;
    let orders = join_all((0..6).map(async |number| {
        let order = it.paid(&variant).await;
        let body = json!({"amount": {"amount": 700, "currency": "EUR"}, "reason": "a scratch"});
        let refund = it.shop.post(&format!("/v1/payments/{}/refunds", order.payment)).by(&it.staff).json(body).send();
        match number % 3 {
            0 => drop(tokio::join!(refund, it.refunds_at_paypal(&order, "4.00"))),
            1 => drop(tokio::join!(refund, it.reverses(&order))),
            _ => {
                let (_, named, _) =
                    tokio::join!(refund, it.disputes(&order, Some("4.00")), it.refunds_at_paypal(&order, "4.00"));
                it.decides(&named, "RESOLVED_BUYER_FAVOUR").await;
            }
        }
        order
    }))
    .await;
    it.paypal.switch(json!({})).await;
    eventually("everything is followed", async || {
        it.shop.commands.follow_changed_disputes(Clock.now() - TimeDelta::days(7)).await.unwrap();
        it.polls().await.then_some(())
    })
    .await;
    for order in &orders {
        eventually("no refund is under way", async || {
            let payment = it.payment(order).await;
            payment["refunds"].as_array().unwrap().iter().all(|refund| refund["status"] != "requested").then_some(())
        })
        .await;
    }
    assert!(it.polls().await);
    it.clearing_agrees().await;
    it.books_agree(&orders).await;
}
