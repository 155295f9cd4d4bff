//! Webhooks of PayPal: hints that are verified, followed once, and made up for when they are lost.

use byteshop_commands::ports::connected::Provider;
use byteshop_commands::ports::paypal::webhook::Hint;
use byteshop_commands::{Error, Intent};
use byteshop_domain::dispute::{self, Dispute};
use byteshop_domain::payment;
use byteshop_eventstore::Clock;
use byteshop_tests::shop::Call;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Connected, Order, eventually};

/// A webhook with a signature of something else.
fn unsigned(it: &Connected, time: &str, certificate: &str, body: &Value) -> Call {
    it.shop
        .post("/v1/webhooks/paypal")
        .header("paypal-transmission-id", "69cd13f0-d67a-11e5-baa3-778b53f4ae55")
        .header("paypal-transmission-time", time)
        .header("paypal-transmission-sig", "AAAA")
        .header("paypal-auth-algo", "SHA256withRSA")
        .header("paypal-cert-url", certificate)
        .json(body.clone())
}

async fn approve_and_close_the_browser(it: &Connected, variant: &str) -> Order {
    let order = it.order(variant).await;
    let page = it.begin(&order).await;
    it.paypal.choose(&page, "approve").await;
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_pays_the_order_of_a_buyer_who_does_not_come_back() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PW-1", 1999, 9).await;
    let order = approve_and_close_the_browser(&it, &variant).await;
    it.awaits(&order, "paid").await;
    it.books_agree(&[order]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_webhook_would_have_told_is_found_by_asking() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PW-2", 1999, 9).await;
    it.paypal.switch(json!({"loss_percent": 100})).await;
    let order = approve_and_close_the_browser(&it, &variant).await;
    it.awaits(&order, "paid").await;
    it.books_agree(&[order]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_are_repeated_late_and_out_of_order_change_nothing_twice() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PW-3", 1999, 99).await;
    it.paypal.switch(json!({"duplicate_percent": 100, "reorder_percent": 50, "seed": 3})).await;
    let orders = join_all((0..8).map(|_| approve_and_close_the_browser(&it, &variant))).await;
    for order in &orders {
        it.awaits(order, "paid").await;
        let history = it.shop.get(&format!("{}/history", order.path)).with(&order.cart).send().await.expect(200);
        let items = history.body["items"].as_array().unwrap().clone();
        let count = |kind: &str| items.iter().filter(|it| it["type"] == kind).count();
        assert_eq!((count("payment.authorized"), count("payment.captured"), count("order.paid")), (1, 1, 1));
    }
    eventually("every webhook is delivered", async || {
        (it.paypal.books().await["pending_deliveries"] == 0).then_some(())
    })
    .await;
    it.shop.at_rest().await;
    it.books_agree(&orders).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_paypal_did_not_sign_is_refused_and_asks_nothing() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PW-4", 1999, 9).await;
    let order = it.order(&variant).await;
    it.begin(&order).await;
    let reference = it.references(&order).await.remove(0);
    let resource = json!({"id": "3C679366HH908993F", "custom_id": order.payment, "invoice_id": reference});
    let body = json!({"id": "WH-1", "event_type": "PAYMENT.CAPTURE.COMPLETED", "resource": resource});
    let refused = async |call: Call, said: &str| {
        let refused = call.send().await.expect_problem(401, "webhook.not_signed");
        assert!(refused.text("/detail").contains(said), "{}", refused.body);
    };
    refused(it.shop.post("/v1/webhooks/paypal").json(body.clone()), "paypal-transmission-id").await;
    let now = Clock.now().to_rfc3339();
    for (time, certificate, said) in [
        ("2020-01-01T00:00:00Z", "https://evil.example/v1/notifications/certs/CERT-1", "more than four days ago"),
        (&now, "https://evil.example/v1/notifications/certs/CERT-1", "not an address of PayPal's certificates"),
    ] {
        refused(unsigned(&it, time, certificate, &body), said).await;
    }
    // PayPal is asked for a certificate that it does not have, and the webhook is not followed.
    let unknown = format!("{}/v1/notifications/certs/CERT-1", it.paypal.url);
    unsigned(&it, &now, &unknown, &body).send().await.expect_problem(503, "payment.provider_unavailable");
    let before = it.shop.at_rest().await;
    assert_eq!(it.payment(&order).await["status"], "pending");
    assert_eq!(it.shop.log.head().await.unwrap(), before);
}

/// A refusal that ends is not the last word about an event: the same event is followed when it comes again.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_refused_for_now_is_followed_when_it_comes_again() {
    let it = Connected::start().await;
    let (_, variant) = it.shop.product("PW-5", 1999, 9).await;
    let order = it.paid(&variant).await;
    let mut open = Vec::new();
    for _ in 0..payment::DISPUTES_MAX {
        open.push(it.disputes(&order, Some("1.00")).await);
    }
    let known = async |named: &str| {
        let id = dispute::id_at(Provider::Paypal, &named.parse().unwrap());
        it.shop.commands.get::<Dispute>(id).await.unwrap().map(|found| found.state.live().unwrap().status)
    };
    for named in &open {
        eventually("the dispute is recorded", async || known(named).await).await;
    }
    it.paypal.switch(json!({"loss_percent": 100})).await;
    let late = it.disputes(&order, Some("1.00")).await;
    let hint = Hint {
        event: "WH-LATE".into(),
        payment: None,
        reference: None,
        capture: None,
        dispute: Some(late.parse().unwrap()),
    };
    let follow = async || {
        let intent = Intent::new(Provider::Paypal.actor(), "payment.hear", Clock.new_id());
        it.shop.commands.follow_hint(&intent, &hint).await
    };
    for _ in 0..2 {
        let refused = follow().await.unwrap_err();
        assert!(matches!(&refused, Error::NotYet(it) if it.code == "payment.too_many_disputes"), "{refused:?}");
    }
    assert_eq!(known(&late).await, None);
    it.paypal.switch(json!({})).await;
    it.decides(&open[0], "RESOLVED_SELLER_FAVOUR").await;
    eventually("a dispute is decided", async || (known(&open[0]).await == Some(dispute::Status::Won)).then_some(()))
        .await;
    follow().await.unwrap();
    assert_eq!(known(&late).await, Some(dispute::Status::Open));
    // Now it is written down.
    let head = it.shop.at_rest().await;
    follow().await.unwrap();
    assert_eq!(it.shop.log.head().await.unwrap(), head);
}
