//! Gift cards while the shop is killed: what a card holds pays one order, refunds come back once, and the ledger has what the cards have.

use std::collections::BTreeSet;
use std::time::Duration;

use byteshop_tests::patience::eventually;
use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::keys::{Kiosk, assert_nothing_is_in_the_clear, buy_while_killed};

/// The price of a piece.
const PRICE: i64 = 500;
/// Orders in a round, each for 10.00.
const ORDERS: usize = 6;
/// The value of the card of a round: enough for some of the orders, and a part of another one.
const VALUE: i64 = 2_550;

/// Buyers of a round, and the card that all of them use.
struct Round {
    card: String,
    code: String,
    /// Each order, with the token that opens it.
    orders: Vec<(String, String)>,
}

impl Kiosk {
    async fn round(&self) -> Round {
        let body = json!({"amount": {"amount": VALUE, "currency": "EUR"}, "reason": "a gift"});
        let card = self.staff(Method::POST, "/v1/gift-cards", body).await;
        let text = |name: &str| card[name].as_str().unwrap().to_owned();
        let mut orders = Vec::new();
        for _ in 0..ORDERS {
            orders.push(self.order().await);
        }
        Round { card: text("id"), code: text("code"), orders }
    }

    /// A buyer uses the card, and pays the rest; whatever the shop has done of it already is refused.
    async fn pay_with(&self, code: &str, (path, token): &(String, String)) {
        let payments = format!("{path}/payments");
        self.guest(Method::POST, &payments, token, json!({"provider": "gift_card", "code": code})).await;
        self.guest(Method::POST, &payments, token, json!({"provider": "test", "token": "tok_success"})).await;
    }

    async fn card(&self, id: &str) -> (i64, i64) {
        let card = self.staff(Method::GET, &format!("/v1/gift-cards/{id}"), json!({})).await;
        (card["balance"]["amount"].as_i64().unwrap(), card["held"]["amount"].as_i64().unwrap())
    }

    /// The balance of an account of the ledger, which is in balance itself; none while its view is behind.
    async fn balance(&self, account: &str) -> i64 {
        let ledger = self.staff(Method::GET, "/v1/admin/ledger", json!({})).await;
        let items = ledger["items"].as_array().unwrap();
        let amount = |item: &Value| item["balance"]["amount"].as_i64().unwrap();
        assert_eq!(items.iter().map(amount).sum::<i64>(), 0, "the trial balance is not zero: {ledger}");
        items.iter().filter(|item| item["account"] == account).map(amount).sum()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gift_card_pays_each_cent_once_whatever_is_killed() {
    let mut chance = crate::chance("gift cards");
    let mut kiosk = Kiosk::open().await;
    kiosk.staff(Method::PUT, &format!("{}/pattern", kiosk.keys()), json!({"pattern": "CARD-{16}"})).await;
    let mut left = 0;
    for number in 0..crate::rounds(2) {
        let round = kiosk.round().await;
        eprintln!("round {number}: the cards before have {left}");
        pay_while_killed(&mut kiosk, &round, chance.between(5, 400)).await;
        let covered = paid(&kiosk, &round).await;
        assert_eq!(covered.iter().sum::<i64>(), VALUE, "{covered:?}");
        eventually("the card is redeemed", async || (kiosk.card(&round.card).await == (0, 0)).then_some(())).await;
        left += refund_while_killed(&mut kiosk, &round, chance.between(5, 300)).await;
        let books = async || (kiosk.balance("gift_cards").await == -left).then_some(());
        eventually(&format!("the ledger has {left} on gift cards"), books).await;
    }
    kiosk.program.interrupt().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_gift_card_that_was_bought_is_issued_once_whatever_is_killed() {
    let mut chance = crate::chance("gift cards as goods");
    let mut kiosk = Kiosk::open().await;
    kiosk.staff(Method::PUT, &format!("{}/gift-cards", kiosk.keys()), json!({"days": 365})).await;
    let mut codes = BTreeSet::new();
    for round in 0..crate::rounds(2) {
        eprintln!("round {round}: {} gift cards are sold", codes.len());
        for code in buy_while_killed(&mut kiosk, chance.between(5, 400)).await {
            assert!(codes.insert(code.clone()), "{code} was sold twice");
        }
    }
    let worth = i64::try_from(codes.len()).unwrap() * PRICE;
    let books = async || (kiosk.balance("gift_cards").await == -worth).then_some(());
    eventually(&format!("the ledger has {worth} on gift cards"), books).await;
    for code in &codes {
        let (status, card) =
            kiosk.guest(Method::POST, "/v1/gift-cards/check", "", json!({"code": code})).await.unwrap();
        // The shop limits how often an address may ask.
        if status == StatusCode::OK {
            assert_eq!(card["available"]["amount"], PRICE, "{card}");
        }
    }
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    assert_nothing_is_in_the_clear(&kiosk, &codes).await;
    kiosk.program.interrupt().await;
}

/// All buyers pay at once while the shop is killed, and again once it is back.
async fn pay_while_killed(kiosk: &mut Kiosk, round: &Round, after_ms: u64) {
    {
        let paying = join_all(round.orders.iter().map(|order| kiosk.pay_with(&round.code, order)));
        tokio::select! {
            _ = paying => {}
            () = sleep(Duration::from_millis(after_ms)) => {}
        }
    }
    kiosk.restart().await;
}

/// Waits until every order is paid; gives what the card paid of each.
async fn paid(kiosk: &Kiosk, round: &Round) -> Vec<i64> {
    let mut covered = Vec::new();
    for order in &round.orders {
        let (path, token) = order;
        let is_paid = eventually("the order is paid", async || {
            kiosk.pay_with(&round.code, order).await;
            let (_, shown) = kiosk.guest(Method::GET, path, token, json!({})).await?;
            (shown["payment_status"] == "paid").then_some(shown)
        });
        let shown = is_paid.await;
        let payment = format!("/v1/payments/{}", shown["payment"].as_str().unwrap());
        let payment = kiosk.staff(Method::GET, &payment, json!({})).await;
        let covers = payment["covers"].as_array().unwrap();
        covered.push(covers.iter().map(|cover| cover["amount"]["amount"].as_i64().unwrap()).sum());
    }
    covered
}

/// Staff refunds all orders while the shop is killed, and again once it is back; gives what came back to the card: all of it.
async fn refund_while_killed(kiosk: &mut Kiosk, round: &Round, after_ms: u64) -> i64 {
    let refund = async |kiosk: &Kiosk, path: &str, token: &str| {
        let (_, shown) = kiosk.guest(Method::GET, path, token, json!({})).await?;
        let url = format!("{}/v1/payments/{}/refunds", kiosk.base(), shown["payment"].as_str()?);
        let all = json!({"amount": {"amount": 1_000, "currency": "EUR"}, "reason": "the shop closes"});
        let staff = kiosk.program.say(&["token", "admin"]);
        // What was refunded already is refused.
        kiosk.http.post(url).bearer_auth(staff).json(&all).send().await.ok()?;
        (shown["payment_status"] == "refunded").then_some(())
    };
    {
        let refunding = join_all(round.orders.iter().map(|(path, token)| refund(kiosk, path, token)));
        tokio::select! {
            _ = refunding => {}
            () = sleep(Duration::from_millis(after_ms)) => {}
        }
    }
    kiosk.restart().await;
    for (path, token) in &round.orders {
        eventually("the order is refunded", async || refund(kiosk, path, token).await).await;
    }
    eventually("all of it came back", async || (kiosk.card(&round.card).await == (VALUE, 0)).then_some(VALUE)).await
}
