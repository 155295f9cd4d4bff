//! Disputes about payments without a provider: what is disputed is held, and what is lost goes back once.

mod files;

use std::collections::{BTreeMap, BTreeSet};

use byteshop_commands::PayoutRules;
use byteshop_gateway::security::token::Role;
use byteshop_gateway::trade::Trade;
use byteshop_tests::checker::History;
use byteshop_tests::patience::eventually;
use byteshop_tests::payouts::{bank, debtor};
use byteshop_tests::shop::{Answer, TestShop};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::manual_payments::{offers, transfer};
use super::order_parts::{Market, id_of};

/// A market whose buyers pay by bank transfer, and what is delivered there can be paid out at once.
struct Court {
    market: Market,
    staff: String,
}

/// A paid order.
struct Sale {
    order: String,
    payment: String,
}

impl Court {
    async fn open() -> Self {
        let payouts =
            PayoutRules { hold: TimeDelta::zero(), minimum: 1, debtor: Some(debtor()), ..PayoutRules::default() };
        let market = Market::with(TestShop::start().addressed().trading(Trade { payouts, ..Trade::default() })).await;
        offers(&market.shop, &[transfer()]).await.expect(200);
        let staff = market.shop.token(Role::Admin);
        Self { market, staff }
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.market.shop.post(path).by(&self.staff).json(body).send().await
    }

    async fn get(&self, path: &str) -> Value {
        let head = self.market.shop.at_rest().await;
        self.market.shop.get(path).by(&self.staff).after(head).send().await.expect(200).body
    }

    /// An order that is paid by a transfer, of which staff saw the receipt.
    async fn sold(&self, variants: &[&str]) -> Sale {
        let order = self.market.ordered(variants).await;
        let pay = json!({"provider": "manual", "method": "sepa"});
        let chosen = self.market.post(&format!("{order}/payments"), &self.market.buyer, pay).await.expect(201);
        let payment = chosen.id();
        let today = self.market.shop.commands.clock().now().date_naive().to_string();
        let receipt = json!({"amount": chosen.body["amount"], "reference": "statement 1", "received_on": today});
        self.post(&format!("/v1/payments/{payment}/receipts"), receipt).await.expect(201);
        self.market.becomes(&order, "/payment_status", &json!("paid")).await;
        Sale { order, payment }
    }

    async fn refund(&self, sale: &Sale, amount: i64) -> Answer {
        let body = json!({"amount": euro(amount), "reason": "a scratch"});
        self.post(&format!("/v1/payments/{}/refunds", sale.payment), body).await
    }

    /// Staff sends the first refund back.
    async fn settle(&self, sale: &Sale) {
        let payment = self.get(&format!("/v1/payments/{}", sale.payment)).await;
        let refund = payment["refunds"][0]["id"].as_str().unwrap().to_owned();
        let today = self.market.shop.commands.clock().now().date_naive().to_string();
        let body = json!({"reference": "back 1", "settled_on": today});
        self.post(&format!("/v1/payments/{}/refunds/{refund}/settle", sale.payment), body).await.expect(200);
    }

    async fn record(&self, sale: &Sale, amount: i64, reference: &str) -> Answer {
        let body =
            json!({"payment": sale.payment, "amount": euro(amount), "reference": reference, "cause": "not_received"});
        self.post("/v1/admin/disputes", body).await
    }

    async fn conclude(&self, dispute: &str, body: Value) -> Answer {
        self.post(&format!("/v1/admin/disputes/{dispute}/outcome"), body).await
    }

    /// What the payment counts: disputed, refundable, refunded.
    async fn counts(&self, sale: &Sale) -> [i64; 3] {
        let payment = self.get(&format!("/v1/payments/{}", sale.payment)).await;
        ["disputed", "refundable", "refunded"].map(|field| payment[field]["amount"].as_i64().unwrap())
    }

    /// The balance of the first seller is, or becomes, this: pending, available, disputed.
    async fn has(&self, wanted: [i64; 3]) {
        let Market { shop, kettles, ada, .. } = &self.market;
        eventually(&format!("the balance is {wanted:?}"), async || {
            let path = format!("/v1/sellers/{kettles}/balance");
            let found = shop.get(&path).by(&ada.token).send().await.expect(200).body;
            let item = &found["items"][0];
            let figures = ["pending", "available", "disputed"].map(|field| item[field]["amount"].as_i64().unwrap_or(0));
            (figures == wanted).then_some(())
        })
        .await;
        // It is what the ledger says.
        let owed = -self.ledger().await.get("seller").copied().unwrap_or(0);
        assert_eq!(owed, wanted.iter().sum::<i64>());
    }

    /// The balances of the ledger, debits minus credits; that of the first seller as `seller`.
    async fn ledger(&self) -> BTreeMap<String, i64> {
        let found = self.get("/v1/admin/ledger").await;
        let balance = |item: &Value| {
            let account = item["account"].as_str().unwrap();
            let account = account.replace(&format!("seller_payable/{}", self.market.kettles), "seller");
            (account, item["balance"]["amount"].as_i64().unwrap())
        };
        found["items"].as_array().unwrap().iter().map(balance).collect()
    }

    async fn story(&self, sale: &Sale) -> String {
        let Market { shop, buyer, .. } = &self.market;
        let path = format!("{}/history", sale.order);
        shop.get(&path).by(&buyer.token).send().await.expect(200).body["story"].to_string()
    }

    /// The subjects of the mails to staff, once there are so many, newest first.
    async fn told_staff(&self, count: usize) -> Vec<String> {
        eventually(&format!("staff has {count} mails"), async || {
            let sent = self.market.shop.get("/dev/mail?to=staff@example.org").header("Accept", "application/json");
            let sent = sent.send().await.expect(200).body;
            let items = sent["items"].as_array().unwrap();
            let subjects = items.iter().map(|it| it["subject"].as_str().unwrap().to_owned());
            (items.len() == count).then(|| subjects.collect())
        })
        .await
    }

    async fn is_sound(&self) {
        self.market.shop.at_rest().await;
        History::read(&self.market.shop.log).await.assert_sound();
    }
}

fn euro(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

/// The failure of other systems: a dispute beside a refund debits the seller twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_beside_a_refund_debits_the_seller_once() {
    let court = Court::open().await;
    // A kettle for 9.00, and sending for 9.00: all of it is the seller's.
    let sale = court.sold(&[&court.market.kettle]).await;
    court.has([1_800, 0, 0]).await;
    court.refund(&sale, 500).await.expect(201);
    court.settle(&sale).await;
    court.has([1_300, 0, 0]).await;
    let dispute = court.record(&sale, 1_800, "recall 1").await.expect(201);
    assert_eq!((&dispute.body["held"], dispute.text("/status")), (&euro(1_300), "open"));
    let shares = |lost: Value| json!([{"seller": court.market.kettles, "amount": euro(1_300), "lost": lost}]);
    assert_eq!(dispute.body["shares"], shares(Value::Null));
    assert_eq!(court.counts(&sale).await, [1_300, 0, 500]);
    court.has([0, 0, 1_300]).await;
    let ledger = court.ledger().await;
    assert_eq!((ledger["bank"], ledger["disputes"]), (0, 1_300));
    let lost = court.conclude(&dispute.id(), json!({"outcome": "lost", "fee": euro(1_500)})).await.expect(200);
    assert_eq!((lost.text("/status"), &lost.body["lost"], &lost.body["fee"]), ("lost", &euro(1_300), &euro(1_500)));
    assert_eq!(lost.body["shares"], shares(euro(1_300)));
    court.has([0, 0, 0]).await;
    assert_eq!(court.counts(&sale).await, [0, 0, 1_800]);
    let ledger = court.ledger().await;
    // The house bears the fee.
    let of_house = ["bank", "disputes", "provider_fees", "customers"].map(|account| ledger[account]);
    assert_eq!(of_house, [-1_500, 0, 1_500, 0]);
    court.market.becomes(&sale.order, "/payment_status", &json!("refunded")).await;
    let notes = court.get(&sale.order).await["credit_notes"].as_array().unwrap().len();
    assert_eq!(notes, 2);
    let [ended, opened] = <[String; 2]>::try_from(court.told_staff(2).await).unwrap();
    assert!(opened.ends_with(": a payment is disputed") && ended.ends_with(": a dispute is lost"), "{opened} {ended}");
    let story = court.story(&sale).await;
    for part in ["A dispute about €18.00 was opened", "€13.00 went back by a dispute."] {
        assert!(story.contains(part), "{part} in {story}");
    }
    court.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_one_dispute_lost_is_not_released_by_another() {
    let court = Court::open().await;
    let sale = court.sold(&[&court.market.kettle]).await;
    court.has([1_800, 0, 0]).await;
    let first = court.record(&sale, 1_800, "recall 7").await.expect(201).id();
    court.has([0, 0, 1_800]).await;
    let again = court.record(&sale, 1_800, "recall-7").await.expect(201);
    assert_eq!(again.body["held"], euro(0));
    court.conclude(&again.id(), json!({"outcome": "lost"})).await.expect(200);
    court.conclude(&first, json!({"outcome": "won"})).await.expect(200);
    assert_eq!(court.counts(&sale).await, [0, 0, 1_800]);
    // What was kept back is pending again, and the loss was taken from what was available: together nothing is owed.
    court.has([1_800, -1_800, 0]).await;
    court.refund(&sale, 1).await.expect_problem(409, "payment.too_much_refunded");
    assert_eq!(court.ledger().await["bank"], 0);
    court.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_disputed_is_held_until_it_is_won() {
    let court = Court::open().await;
    let Market { shop, kettle, lamp, ada, kettles, .. } = &court.market;
    shop.pays_to(kettles, ada, &bank()).await;
    // 9.00 and 3.00, and sending for 9.00: 6.75 and 2.25.
    let sale = court.sold(&[kettle, lamp]).await;
    let parcel = json!({"carrier": {"kind": "other", "name": "Post"}});
    let path = format!("/v1/sellers/{kettles}/orders/{}/shipments", id_of(&sale.order));
    let parcel = format!("/v1/shipments/{}", court.market.post(&path, ada, parcel).await.expect(201).id());
    court.market.post(&format!("{parcel}/hand-over"), ada, json!({"tracking": "T-1"})).await.expect(200);
    court.market.post(&format!("{parcel}/status"), ada, json!({"status": "delivered"})).await.expect(200);
    court.has([0, 1_575, 0]).await;
    let dispute = court.record(&sale, 1_050, "recall 2").await.expect(201).id();
    court.has([0, 787, 788]).await;
    // What is disputed is not paid out.
    let payout = |amount: i64| json!({"currency": "EUR", "amount": euro(amount)});
    let payouts = format!("/v1/sellers/{kettles}/payouts");
    court.market.post(&payouts, ada, payout(788)).await.expect_problem(409, "balance.not_enough");
    // Nor is it refunded, nor are goods of it taken back.
    court.refund(&sale, 1_051).await.expect_problem(409, "payment.too_much_refunded");
    for (rest, body) in [("cancel", json!({})), ("cancel", json!({"lines": [{"variant": lamp, "quantity": 1}]}))] {
        let refused = court.post(&format!("{}/{rest}", sale.order), body).await;
        refused.expect_problem(409, "payment.disputed");
    }
    let evidence = json!({"text": "Signed by the buyer."});
    let path = format!("/v1/admin/disputes/{dispute}");
    let answered = court.post(&format!("{path}/evidence"), evidence).await.expect(201);
    assert_eq!((answered.text("/status"), answered.text("/evidence/0/text")), ("answered", "Signed by the buyer."));
    court.conclude(&dispute, json!({"outcome": "won"})).await.expect(200);
    court.has([0, 1_575, 0]).await;
    assert_eq!(court.counts(&sale).await, [0, 2_100, 0]);
    assert_eq!(court.ledger().await["disputes"], 0);
    court.market.post(&payouts, ada, payout(1_575)).await.expect(201);
    assert!(court.story(&sale).await.contains("A dispute ended; €10.50 stays with the shop."));
    // It has one outcome.
    court.conclude(&dispute, json!({"outcome": "won"})).await.expect(200);
    correct(&court, &dispute, 5).await.expect_problem(409, "dispute.not_lost");
    court.conclude(&dispute, json!({"outcome": "lost"})).await.expect_problem(409, "dispute.ended");
    court.post(&format!("{path}/accept"), json!({})).await.expect_problem(409, "dispute.ended");
    let late = court.post(&format!("{path}/evidence"), json!({"text": "More."})).await;
    late.expect_problem(409, "dispute.ended");
    court.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_accepts_a_dispute_and_mistakes_are_told() {
    let court = Court::open().await;
    let sale = court.sold(&[&court.market.lamp]).await;
    court.record(&sale, 1_201, "recall 3").await.expect_problem(422, "payment.too_much_disputed");
    let dispute = court.record(&sale, 1_200, "recall 3").await.expect(201);
    court.record(&sale, 1_200, "recall 3").await.expect_problem(409, "dispute.exists");
    let id = dispute.id();
    let wrong = court.conclude(&id, json!({"outcome": "lost", "amount": euro(1_201)})).await;
    assert_eq!(wrong.expect_problem(422, "dispute.not_an_amount").text("/errors/0/pointer"), "/amount");
    let wrong = court.conclude(&id, json!({"outcome": "lost", "fee": {"amount": 5, "currency": "USD"}})).await;
    wrong.expect_problem(422, "dispute.not_a_fee");
    court.conclude(&id, json!({"outcome": "won", "fee": euro(5)})).await.expect(422);
    let accepted = court.post(&format!("/v1/admin/disputes/{id}/accept"), json!({})).await.expect(200);
    assert_eq!((accepted.text("/status"), &accepted.body["lost"]), ("lost", &euro(1_200)));
    assert_eq!(court.counts(&sale).await, [0, 0, 1_200]);
    // A provider reports its disputes itself.
    let order = court.market.paid(&[&court.market.lamp]).await;
    let payment = court.market.seen(&order).await["payment"].as_str().unwrap().to_owned();
    let other = Sale { order, payment };
    court.record(&other, 100, "recall 4").await.expect_problem(409, "dispute.of_provider");
    // Nor has the emulated provider disputes of what others were paid.
    let dispute = court.post("/dev/disputes", json!({"payment": sale.payment})).await;
    assert_eq!(dispute.expect_problem(422, "request.invalid").text("/errors/0/pointer"), "/payment");
    let unpaid = court.market.ordered(&[&court.market.lamp]).await;
    let payment = court.market.seen(&unpaid).await["payment"].as_str().unwrap().to_owned();
    court.record(&Sale { order: unpaid, payment }, 100, "x").await.expect_problem(409, "payment.not_captured");
    court.is_sound().await;
}

async fn correct(court: &Court, dispute: &str, fee: i64) -> Answer {
    let path = format!("/v1/admin/disputes/{dispute}/fee");
    court.market.shop.put(&path).by(&court.staff).json(json!({"fee": euro(fee)})).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_loss_is_refused_and_a_wrong_fee_is_corrected() {
    let court = Court::open().await;
    let sale = court.sold(&[&court.market.lamp]).await;
    let id = court.record(&sale, 1_000, "recall 5").await.expect(201).id();
    correct(&court, &id, 1_200).await.expect_problem(409, "dispute.not_lost");
    let lost = json!({"outcome": "lost", "amount": euro(400), "fee": euro(1_500)});
    let first = court.conclude(&id, lost.clone()).await.expect(200);
    let again = court.conclude(&id, lost.clone()).await.expect(200);
    assert_eq!((&first.body, first.header("etag")), (&again.body, again.header("etag")));
    for (amount, fee) in [(None, None), (Some(1_000), None), (Some(401), Some(1_500)), (Some(400), Some(1_200))] {
        let body = json!({"outcome": "lost", "amount": amount.map(euro), "fee": fee.map(euro)});
        let refused = court.conclude(&id, body).await.expect_problem(409, "dispute.lost_otherwise");
        let said = refused.text("/detail");
        assert!(said.contains("4.00") && said.contains("15.00") && said.contains("/fee"), "{said}");
    }
    assert_eq!(court.counts(&sale).await, [0, 800, 400]);
    let fees = async || {
        let ledger = court.ledger().await;
        [ledger["provider_fees"], ledger["bank"]]
    };
    // The buyer's 12.00 came to the bank, and 4.00 went back.
    assert_eq!(fees().await, [1_500, -700]);
    for (fee, shown) in [(2_000, euro(2_000)), (1_200, euro(1_200)), (1_200, euro(1_200)), (0, Value::Null)] {
        let corrected = correct(&court, &id, fee).await.expect(200);
        assert_eq!(corrected.body["fee"], shown);
        assert_eq!(fees().await, [fee, 800 - fee]);
    }
    let listed = court.get(&format!("/v1/admin/disputes?order={}", id_of(&sale.order))).await;
    assert_eq!((&listed["items"][0]["fee"], &listed["items"][0]["lost"]), (&Value::Null, &euro(400)));
    correct(&court, &id, -1).await.expect_problem(422, "dispute.not_a_fee");
    court.conclude(&id, json!({"outcome": "lost", "amount": euro(400)})).await.expect(200);
    court.conclude(&id, json!({"outcome": "won"})).await.expect_problem(409, "dispute.ended");
    let kinds = court.get("/v1/admin/ledger/entries?limit=100").await;
    let kinds = kinds["items"].as_array().unwrap().iter().filter(|it| it["kind"] == "dispute_fee").count();
    assert_eq!(kinds, 4);
    court.is_sound().await;
}

/// A refund and a dispute of all, and two outcomes, each at one moment.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_and_a_dispute_at_one_moment_take_no_cent_twice() {
    let court = Court::open().await;
    for number in 0..5 {
        let sale = court.sold(&[&court.market.kettle]).await;
        let reference = format!("recall {number}");
        let (refund, dispute) = tokio::join!(court.refund(&sale, 1_000), court.record(&sale, 1_800, &reference));
        let refunded = if refund.status == 201 { 1_000 } else { 0 };
        if refund.status != 201 {
            refund.expect_problem(409, "payment.too_much_refunded");
        }
        let dispute = dispute.expect(201);
        assert_eq!(dispute.body["held"], euro(1_800 - refunded));
        let (won, lost) = tokio::join!(
            court.conclude(dispute.text("/id"), json!({"outcome": "won"})),
            court.conclude(dispute.text("/id"), json!({"outcome": "lost"})),
        );
        let mut statuses = [won.status, lost.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{} {}", won.body, lost.body);
        let expected = if lost.status == 200 { [0, 0, 1_800 - refunded] } else { [0, 1_800 - refunded, 0] };
        assert_eq!(court.counts(&sale).await, expected);
    }
    let ledger = court.ledger().await;
    assert_eq!(ledger["disputes"], 0);
    court.is_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disputes_are_listed_for_staff_and_for_their_sellers() {
    let court = Court::open().await;
    let Market { shop, kettle, pan, ada, eve, kettles, pans, .. } = &court.market;
    let (one, both) = (court.sold(&[kettle]).await, court.sold(&[kettle, pan]).await);
    let first = court.record(&one, 100, "a").await.expect(201).id();
    let second = court.record(&both, 2_400, "b").await.expect(201).id();
    court.conclude(&first, json!({"outcome": "won"})).await.expect(200);
    let ids = async |path: String, token: &str| {
        let head = shop.at_rest().await;
        let found = shop.get(&path).by(token).after(head).send().await.expect(200).body;
        found["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let staff = &court.staff;
    assert_eq!(ids("/v1/admin/disputes".into(), staff).await, [second.clone(), first.clone()]);
    assert_eq!(ids("/v1/admin/disputes?status=won".into(), staff).await, std::slice::from_ref(&first));
    assert_eq!(ids(format!("/v1/admin/disputes?seller={pans}"), staff).await, std::slice::from_ref(&second));
    let of_order = format!("/v1/admin/disputes?order={}", id_of(&one.order));
    assert_eq!(ids(of_order, staff).await, std::slice::from_ref(&first));
    assert_eq!(ids(format!("/v1/sellers/{kettles}/disputes"), &ada.token).await, [second.clone(), first]);
    let path = format!("/v1/sellers/{pans}/disputes?status=open");
    let seen = shop.get(&path).by(&eve.token).send().await.expect(200).body;
    let file = async |path: &str, token: &str| {
        let answer = shop.get(path).by(token).send().await.expect(200);
        assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
        answer.body.as_str().unwrap().to_owned()
    };
    let all = file("/v1/admin/disputes.csv?from=2026-01-01", staff).await;
    let lines: Vec<Vec<&str>> = all.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!((lines.len(), lines[0][0], lines[1][0], lines[2][6]), (3, "dispute", second.as_str(), "won"), "{all}");
    assert_eq!((lines[1][7], lines[1][11]), ("24.00", "EUR"), "{all}");
    let none = file("/v1/admin/disputes.csv?until=2026-01-01", staff).await;
    assert_eq!(none.lines().count(), 1, "{none}");
    let own = file(&format!("/v1/sellers/{pans}/disputes.csv"), &eve.token).await;
    assert!(own.contains(",9.60,,EUR,") && !own.contains("24.00") && own.lines().count() == 2, "{own}");
    let path_of_file = format!("/v1/sellers/{pans}/disputes.csv");
    shop.get(&path_of_file).by(&ada.token).send().await.expect_problem(404, "seller.missing");
    // The other seller's share and the amount of the buyer are not shown.
    let shown = &seen["items"][0];
    assert_eq!((shown["id"].as_str(), &shown["amount"]), (Some(second.as_str()), &euro(960)));
    let fields: BTreeSet<&str> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    let known = ["amount", "cause", "changed_at", "id", "lost", "opened_at", "order", "respond_by", "status"];
    assert_eq!((fields, &shown["lost"]), (BTreeSet::from(known), &Value::Null));
    shop.get(&path).by(&ada.token).send().await.expect_problem(404, "seller.missing");
    // Once some of it is lost, each seller sees what that took.
    let lost = court.conclude(&second, json!({"outcome": "lost", "amount": euro(1_200)})).await.expect(200);
    let share = |seller: &str| {
        let shares = lost.body["shares"].as_array().unwrap();
        shares.iter().find(|it| it["seller"] == seller).unwrap().clone()
    };
    let taken = share(pans)["lost"].clone();
    let both = [share(pans), share(kettles)].map(|it| it["lost"]["amount"].as_i64().unwrap());
    assert!(taken["amount"].as_i64().unwrap() < 960 && both.iter().all(|it| *it > 0), "{}", lost.body);
    let head = shop.at_rest().await;
    let path = format!("/v1/sellers/{pans}/disputes?status=lost");
    let seen = shop.get(&path).by(&eve.token).after(head).send().await.expect(200).body;
    assert_eq!((&seen["items"][0]["amount"], &seen["items"][0]["lost"]), (&euro(960), &taken));
    let own = file(&path_of_file, &eve.token).await;
    let cents = taken["amount"].as_i64().unwrap();
    assert!(own.contains(&format!(",9.60,{}.{:02},EUR,", cents / 100, cents % 100)), "{own}");
}
