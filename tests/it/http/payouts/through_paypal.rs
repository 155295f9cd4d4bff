//! Payouts through PayPal, against its stand-in: each is paid once, and what does not arrive comes back.

use byteshop_commands::PayoutRules;
use byteshop_domain::ids::{Id as _, PayoutId};
use byteshop_domain::money::Money;
use byteshop_domain::payout::{Command, Payout};
use byteshop_domain::{Currency, Subject};
use byteshop_tests::past;
use byteshop_tests::patience::eventually;
use byteshop_tests::payouts::paypal;
use byteshop_tests::paypal::StandIn;
use byteshop_tests::shop::TestShop;
use serde_json::{Value, json};

use super::{Stall, euros, trade};

/// A seller with earnings, which is paid at PayPal under an address.
async fn stall(email: &str, amount: i64) -> (Stall, StandIn) {
    let stand_in = StandIn::start().await;
    let connected = stand_in.connected().await;
    let setup = TestShop::start().trading(trade(&PayoutRules::default())).connected_to(connected);
    let stall = Stall::with(setup).await;
    stall.shop.earned(&stall.seller, amount).await;
    stall.shop.pays_to(&stall.seller, &stall.ada, &paypal(email)).await;
    (stall, stand_in)
}

impl Stall {
    async fn becomes(&self, payout: &str, status: &str) -> Value {
        let path = self.path(&format!("payouts/{payout}"));
        eventually(&format!("the payout is {status}"), async || {
            let shown = self.shop.get(&path).by(&self.ada.token).send().await.expect(200).body;
            (shown["status"] == status).then_some(shown)
        })
        .await
    }
}

/// A payout as if it was requested just before its seller was suspended.
async fn requested_before(stall: &Stall) -> PayoutId {
    let shop = &stall.shop;
    let clock = shop.commands.clock();
    let destination = paypal("ada@example.org");
    let request = Command::Request {
        seller: stall.seller.parse().unwrap(),
        amount: Money::new(3_000, Currency::EUR),
        means: destination.means(),
        destination: shop.commands.vault().seal(Subject::from(stall.ada.id), &destination).await.unwrap(),
    };
    let id = PayoutId::from_uuid(clock.new_id());
    past::record::<Payout>(&shop.log, id, &[request]).await;
    id
}

/// What the stand-in paid out under the ids of payouts, in cents.
async fn paid(stand_in: &StandIn) -> Vec<(String, i64)> {
    let books = stand_in.books().await;
    let success = books["payout_items"].as_array().unwrap().iter().filter(|item| item["status"] == "SUCCESS");
    success.map(|it| (it["sender_item_id"].as_str().unwrap().into(), it["amount"]["minor"].as_i64().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_reaches_an_account_at_paypal() {
    let (stall, stand_in) = stall("ada@example.org", 5_000).await;
    let payout = stall.request(euros(3_000)).await.expect(201).id();
    let shown = stall.becomes(&payout, "paid").await;
    assert!(shown["reference"].is_string(), "{shown}");
    assert_eq!(paid(&stand_in).await, [(payout.clone(), 3_000)]);
    assert_eq!(stall.figures().await, [0, 0, 2_000, 0, 3_000]);
    let ledger = stall.ledger().await;
    assert_eq!((ledger["clearing"], ledger["payouts_in_transit"], ledger["seller"]), (-3_000, 0, 3_000));
    stall.settle(&payout, json!({"outcome": "returned"})).await.expect(200);
    assert_eq!(stall.figures().await, [0, 0, 5_000, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_to_a_suspended_seller() {
    let (stall, stand_in) = stall("ada@example.org", 5_000).await;
    stall.shop.decide(&stall.seller, "suspend").await.expect(200);
    let payout = requested_before(&stall).await;
    stall.shop.at_rest().await;
    let path = format!("/v1/admin/payouts/{payout}");
    let shown = stall.shop.get(&path).by(&stall.staff).send().await.expect(200).body;
    assert_eq!((&shown["status"], paid(&stand_in).await), (&json!("requested"), vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_paypal_does_not_carry_out_is_in_the_balance_again() {
    let (stall, stand_in) = stall("unclaimed@example.org", 5_000).await;
    for (email, failure) in [
        ("unclaimed@example.org", "unclaimed"),
        ("failed@example.org", "refused"),
        ("blocked@example.org", "blocked"),
        ("refunded@example.org", "sent_back"),
    ] {
        stall.shop.pays_to(&stall.seller, &stall.ada, &paypal(email)).await;
        let payout = stall.request(json!({"currency": "EUR"})).await.expect(201).id();
        assert_eq!(stall.becomes(&payout, "failed").await["failure"], failure, "{email}");
        assert_eq!(stall.figures().await, [0, 0, 5_000, 0, 0]);
    }
    assert_eq!(paid(&stand_in).await, []);
    let ledger = stall.ledger().await;
    assert_eq!((ledger["payouts_in_transit"], ledger["seller"]), (0, 0));
}

/// PayPal carries out what is sent, and does not answer: the shop asks again, and nothing is paid twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_payout_whose_answer_is_lost_is_paid_once() {
    let (stall, stand_in) = stall("ada@example.org", 5_000).await;
    stand_in.switch(json!({"silent_percent": 100, "operations": ["payouts.post"]})).await;
    let payout = stall.request(euros(3_000)).await.expect(201).id();
    eventually("PayPal has the payout", async || (!paid(&stand_in).await.is_empty()).then_some(())).await;
    stall.settle(&payout, json!({"outcome": "failed"})).await.expect_problem(409, "payout.automatic");
    stand_in.switch(json!({})).await;
    stall.becomes(&payout, "paid").await;
    assert_eq!(paid(&stand_in).await, [(payout, 3_000)]);
    assert_eq!(stall.figures().await, [0, 0, 2_000, 0, 3_000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_that_paypal_holds_is_waited_for_and_no_file_has_it() {
    let (stall, _stand_in) = stall("onhold@example.org", 5_000).await;
    let payout = stall.request(euros(3_000)).await.expect(201).id();
    stall.becomes(&payout, "submitted").await;
    assert_eq!(stall.figures().await, [0, 0, 2_000, 3_000, 0]);
    stall.create_file(json!({"payouts": [payout]})).await.expect_problem(409, "payout.not_due");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_without_paypal_makes_no_payouts_there() {
    let stall = Stall::with_earnings(5_000).await;
    stall.shop.pays_to(&stall.seller, &stall.ada, &paypal("ada@example.org")).await;
    stall.request(euros(3_000)).await.expect_problem(503, "payment.no_provider");
}
