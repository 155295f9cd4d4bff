//! Disputes at PayPal: heard of by webhooks or by asking, answered once, and lost or won in the books of both sides.

use byteshop_eventstore::Clock;
use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Client;
use serde_json::{Value, json};

use super::{Connected, Order, eventually};

impl Connected {
    /// A request to the stand-in, as a buyer or PayPal itself makes one.
    pub(super) async fn at_paypal(&self, path: &str, body: &Value) -> Value {
        let answer = Client::new().post(format!("{}/sandbox/{path}", self.paypal.url)).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    /// The buyer disputes an amount, in major units, or all that is left; gives what PayPal calls it.
    pub(super) async fn disputes(&self, order: &Order, amount: Option<&str>) -> String {
        let books = self.paypal.books().await;
        let captures = books["captures"].as_array().unwrap();
        let capture = captures.iter().find(|it| it["custom_id"] == order.payment.as_str()).unwrap();
        let path = format!("captures/{}/disputes", capture["id"].as_str().unwrap());
        let body = json!({"amount": amount, "reason": "UNAUTHORISED"});
        self.at_paypal(&path, &body).await["dispute_id"].as_str().unwrap().to_owned()
    }

    pub(super) async fn decides(&self, dispute: &str, outcome: &str) {
        let body = json!({"outcome": outcome});
        self.at_paypal(&format!("disputes/{dispute}/decide"), &body).await;
    }

    /// The dispute that the shop has recorded of an order, once it has this status.
    pub(super) async fn recorded(&self, order: &Order, status: &str) -> Value {
        let id = order.path.rsplit('/').next().unwrap();
        eventually(&format!("a dispute is {status}"), async || {
            let head = self.shop.log.head().await.unwrap();
            let path = format!("/v1/admin/disputes?order={id}");
            let found = self.shop.get(&path).by(&self.staff).after(head).send().await.expect(200).body;
            let item = found["items"][0].clone();
            (item["status"] == status).then_some(item)
        })
        .await
    }

    async fn answer(&self, dispute: &Value, rest: &str, body: Value) {
        let path = format!("/v1/admin/disputes/{}/{rest}", dispute["id"].as_str().unwrap());
        let answer = self.shop.post(&path).by(&self.staff).json(body).send().await;
        assert!(matches!(answer.status, 200 | 201), "{}", answer.body);
    }

    pub(super) async fn counts(&self, order: &Order) -> [i64; 3] {
        let payment = self.payment(order).await;
        ["disputed", "refundable", "refunded"].map(|field| payment[field]["amount"].as_i64().unwrap())
    }

    async fn of_books(&self, dispute: &str) -> Value {
        let books = self.paypal.books().await;
        books["disputes"].as_array().unwrap().iter().find(|it| it["id"] == dispute).unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_tells_of_a_dispute_and_evidence_reaches_paypal_once() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PD-1", 1999, 9).await;
    let order = it.paid(&variant).await;
    let named = it.disputes(&order, Some("15.00")).await;
    let dispute = it.recorded(&order, "open").await;
    assert_eq!((&dispute["reference"], &dispute["cause"]), (&json!(named), &json!("unauthorized")));
    assert!(dispute["respond_by"].is_string(), "{dispute}");
    assert_eq!(it.counts(&order).await, [1_500, 499, 0]);
    // PayPal decides, and not staff.
    let path = format!("/v1/admin/disputes/{}/outcome", dispute["id"].as_str().unwrap());
    let body = json!({"outcome": "won"});
    it.shop.post(&path).by(&it.staff).json(body).send().await.expect_problem(409, "dispute.of_provider");
    it.answer(&dispute, "evidence", json!({"text": "Signed by the buyer: \"thank you\"."})).await;
    eventually("PayPal has the evidence", async || {
        (it.of_books(&named).await["evidence"].as_array().unwrap().len() == 1).then_some(())
    })
    .await;
    it.decides(&named, "RESOLVED_SELLER_FAVOUR").await;
    it.recorded(&order, "won").await;
    assert_eq!(it.counts(&order).await, [0, 1_999, 0]);
    it.books_agree(&[order]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_reach_paypal_once_beside_texts() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PD-5", 1999, 9).await;
    let order = it.paid(&variant).await;
    let named = it.disputes(&order, None).await;
    let dispute = it.recorded(&order, "open").await;
    let path = format!("/v1/admin/disputes/{}/evidence", dispute["id"].as_str().unwrap());
    let upload = async |name: &str, content: &[u8]| {
        let call = it.shop.post(&format!("{path}/files?name={name}")).by(&it.staff);
        call.body_raw(content.to_vec()).send().await.expect(201);
    };
    it.paypal.switch(json!({"operations": ["disputes.provide-evidence"], "error_percent": 100})).await;
    let photo = b"\xff\xd8\xff\xe0\0 --\r\n--".as_slice();
    let document = [b"%PDF-1.7".as_slice(), &vec![b' '; 200_000]].concat();
    upload("Ada%20Lovelace%20at%20home.jpg", photo).await;
    upload("B%C3%BCcher.pdf", &document).await;
    it.shop.at_rest().await;
    it.paypal.switch(json!({})).await;
    // It gets all that it does not have.
    it.answer(&dispute, "evidence", json!({"text": "Signed by the buyer."})).await;
    let books = eventually("PayPal has the evidence", async || {
        let books = it.of_books(&named).await;
        (!books["evidence"].as_array().unwrap().is_empty()).then_some(books)
    })
    .await;
    let evidence = json!([
        {"evidence_type": "OTHER", "documents": [{"name": "evidence-1.jpg"}]},
        {"evidence_type": "OTHER", "documents": [{"name": "evidence-2.pdf"}]},
        {"evidence_type": "OTHER", "notes": "Signed by the buyer."},
    ]);
    assert_eq!(books["evidence"], evidence);
    let files = json!([
        {"name": "evidence-1.jpg", "media_type": "image/jpeg", "bytes": photo.len()},
        {"name": "evidence-2.pdf", "media_type": "application/pdf", "bytes": document.len()},
    ]);
    assert_eq!(books["files"], files);
    it.shop.at_rest().await;
    it.decides(&named, "RESOLVED_SELLER_FAVOUR").await;
    it.recorded(&order, "won").await;
    assert_eq!(it.of_books(&named).await["files"], files);
    it.books_agree(&[order]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_that_is_accepted_or_lost_is_a_refund_in_both_books() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PD-2", 1999, 9).await;
    let [accepted, lost] = [it.paid(&variant).await, it.paid(&variant).await];
    it.disputes(&accepted, None).await;
    let named = it.disputes(&lost, Some("5.00")).await;
    it.answer(&it.recorded(&accepted, "open").await, "accept", json!({})).await;
    it.recorded(&lost, "open").await;
    it.decides(&named, "RESOLVED_BUYER_FAVOUR").await;
    let dispute = it.recorded(&accepted, "lost").await;
    assert_eq!(dispute["lost"]["amount"], 1_999);
    it.recorded(&lost, "lost").await;
    assert_eq!((it.counts(&accepted).await, it.counts(&lost).await), ([0, 0, 1_999], [0, 1_499, 500]));
    it.awaits(&accepted, "refunded").await;
    it.awaits(&lost, "partly_refunded").await;
    it.books_agree(&[accepted, lost]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disputes_whose_webhooks_are_lost_are_found_in_the_list() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PD-3", 1999, 99).await;
    let (open, lost) = (it.paid(&variant).await, it.paid(&variant).await);
    it.paypal.switch(json!({"loss_percent": 100})).await;
    let won = it.disputes(&open, None).await;
    let named = it.disputes(&lost, None).await;
    it.decides(&named, "RESOLVED_BUYER_FAVOUR").await;
    it.shop.commands.follow_changed_disputes(Clock.now() - TimeDelta::days(7)).await.unwrap();
    it.recorded(&open, "open").await;
    it.recorded(&lost, "lost").await;
    it.shop.commands.follow_changed_disputes(Clock.now() - TimeDelta::days(7)).await.unwrap();
    assert_eq!((it.counts(&open).await, it.counts(&lost).await), ([1_999, 0, 0], [0, 0, 1_999]));
    // The outcome of one that is known is found there, too.
    it.decides(&won, "RESOLVED_SELLER_FAVOUR").await;
    it.shop.commands.follow_changed_disputes(Clock.now() - TimeDelta::days(7)).await.unwrap();
    it.recorded(&open, "won").await;
    assert_eq!(it.counts(&open).await, [0, 1_999, 0]);
    it.books_agree(&[open, lost]).await;
}

/// PayPal refuses to refund what is disputed, and that is how the shop hears of the dispute.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_is_refused_tells_of_a_dispute() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PD-9", 1999, 9).await;
    let order = it.paid(&variant).await;
    it.paypal.switch(json!({"loss_percent": 100})).await;
    it.disputes(&order, None).await;
    let body = json!({"amount": {"amount": 500, "currency": "EUR"}, "reason": "a scratch"});
    let path = format!("/v1/payments/{}/refunds", order.payment);
    it.shop.post(&path).by(&it.staff).json(body).send().await.expect(201);
    it.recorded(&order, "open").await;
    assert_eq!(it.counts(&order).await, [1_999, 0, 0]);
    // What is disputed does not go back a second time by hand.
    let payment = it.payment(&order).await;
    let refund = payment["refunds"][0]["id"].as_str().unwrap();
    let settled = json!({"reference": "bank 1", "settled_on": "2026-01-01"});
    let settle = it.shop.post(&format!("{path}/{refund}/settle")).by(&it.staff).json(settled).send().await;
    assert_eq!(settle.status, 409, "{}", settle.body);
    it.books_agree(&[order]).await;
}

/// Refunds and disputes of the same payments at one moment, with webhooks that come twice and in any order.
#[tokio::test(flavor = "multi_thread")]
async fn refunds_beside_disputes_take_no_cent_twice() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PD-4", 1999, 99).await;
    it.paypal.switch(json!({"duplicate_percent": 50, "reorder_percent": 30, "seed": 5})).await;
    let orders = join_all((0..6).map(async |number| {
        let order = it.paid(&variant).await;
        let body = json!({"amount": {"amount": 1_000, "currency": "EUR"}, "reason": "a scratch"});
        let path = format!("/v1/payments/{}/refunds", order.payment);
        let refund = it.shop.post(&path).by(&it.staff).json(body).send();
        let (_, named) = tokio::join!(refund, it.disputes(&order, Some("9.99")));
        it.decides(&named, if number % 2 == 0 { "RESOLVED_BUYER_FAVOUR" } else { "RESOLVED_SELLER_FAVOUR" }).await;
        it.recorded(&order, if number % 2 == 0 { "lost" } else { "won" }).await;
        order
    }))
    .await;
    it.shop.at_rest().await;
    for order in &orders {
        eventually("no refund is under way", async || {
            let payment = it.payment(order).await;
            let refunds = payment["refunds"].as_array().unwrap().clone();
            refunds.iter().all(|refund| refund["status"] != "requested").then_some(())
        })
        .await;
    }
    it.books_agree(&orders).await;
}
