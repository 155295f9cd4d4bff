//! Payouts to sellers: never more than is available, each once, and what does not arrive is in the balance again.

mod destinations;
mod sales;
mod through_paypal;

use std::collections::BTreeMap;

use byteshop_commands::PayoutRules;
use byteshop_gateway::security::token::Role;
use byteshop_gateway::trade::Trade;
use byteshop_tests::payouts::{IBAN, bank, debtor};
use byteshop_tests::people::Person;
use byteshop_tests::shop::{Answer, Setup, TestShop};
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

/// A seller whose owner is Ada.
struct Stall {
    shop: TestShop,
    ada: Person,
    seller: String,
    staff: String,
}

impl Stall {
    async fn open() -> Self {
        Self::with(TestShop::start().trading(trade(&PayoutRules::default()))).await
    }

    async fn with(setup: Setup) -> Self {
        let shop = setup.await;
        let ada = shop.person("ada@example.org").await;
        let seller = shop.seller(&ada, "kettles").await;
        let staff = shop.token(Role::Support);
        Self { shop, ada, seller, staff }
    }

    /// One that has earned so much, and is paid at a bank.
    async fn with_earnings(amount: i64) -> Self {
        let stall = Self::open().await;
        stall.shop.earned(&stall.seller, amount).await;
        stall.shop.pays_to(&stall.seller, &stall.ada, &bank()).await;
        stall
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/sellers/{}/{rest}", self.seller)
    }

    async fn request(&self, body: Value) -> Answer {
        self.shop.post(&self.path("payouts")).by(&self.ada.token).json(body).send().await
    }

    async fn create_file(&self, body: Value) -> Answer {
        self.shop.post("/v1/admin/payout-files").by(&self.staff).json(body).send().await
    }

    async fn settle(&self, payout: &str, body: Value) -> Answer {
        self.shop.post(&format!("/v1/admin/payouts/{payout}/settle")).by(&self.staff).json(body).send().await
    }

    async fn figures(&self) -> [i64; 5] {
        self.shop.balance(&self.seller, &self.ada).await
    }

    /// What an owner was told in the newest message of a template: its subject, and what the log has of it.
    async fn told(&self, template: &str) -> String {
        let head = self.shop.at_rest().await;
        let found = self.shop.get("/v1/me/notifications").by(&self.ada.token).after(head).send().await.expect(200).body;
        let items = found["items"].as_array().unwrap();
        let newest = items.iter().find(|it| it["template"] == template).unwrap_or_else(|| panic!("{found}"));
        let stored: String = sqlx::query_scalar(
            "select data::text from log.event where category = 'notification' and type = 'queued'
                and data::text like '%' || $1 || '%' order by position desc limit 1",
        )
        .bind(template)
        .fetch_one(self.shop.log.pool())
        .await
        .unwrap();
        format!("{newest} {stored}")
    }

    /// The balances of the ledger, debits minus credits; that of the seller as `seller`.
    async fn ledger(&self) -> BTreeMap<String, i64> {
        let head = self.shop.at_rest().await;
        let found = self.shop.get("/v1/admin/ledger").by(&self.staff).after(head).send().await.expect(200).body;
        let balance = |item: &Value| {
            let account =
                item["account"].as_str().unwrap().replace(&format!("seller_payable/{}", self.seller), "seller");
            (account, item["balance"]["amount"].as_i64().unwrap())
        };
        found["items"].as_array().unwrap().iter().map(balance).collect()
    }
}

fn trade(payouts: &PayoutRules) -> Trade {
    Trade { payouts: PayoutRules { debtor: Some(debtor()), ..payouts.clone() }, ..Trade::default() }
}

fn euros(amount: i64) -> Value {
    json!({"currency": "EUR", "amount": {"amount": amount, "currency": "EUR"}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_goes_through_a_file_of_the_bank_and_may_come_back() {
    let stall = Stall::with_earnings(12_345).await;
    assert_eq!(stall.figures().await, [0, 0, 12_345, 0, 0]);
    let made = stall.request(json!({"currency": "EUR"})).await.expect(201);
    assert_eq!((made.text("/status"), made.text("/means")), ("requested", "sepa"));
    assert_eq!(made.body["destination"]["iban"], IBAN);
    assert_eq!(stall.figures().await, [0, 0, 0, 12_345, 0]);
    let (payout, path) = (made.id(), stall.path(&format!("payouts/{}", made.id())));
    assert_eq!(made.header("location"), Some(path.as_str()));

    let file = stall.create_file(json!({})).await.expect(201);
    assert_eq!((file.body["payouts"].clone(), &file.body["total"]["amount"]), (json!([payout]), &json!(12_345)));
    let transfers = format!("/v1/admin/payout-files/{}/transfers", file.id());
    let xml = stall.shop.get(&transfers).by(&stall.staff).send().await.expect(200);
    assert_eq!(xml.header("content-type"), Some("application/xml"));
    let xml = xml.body.as_str().unwrap().to_owned();
    assert_eq!(crate::bank_files::faults(&xml), None);
    for part in [
        "<InstdAmt Ccy=\"EUR\">123.45</InstdAmt>",
        &format!("<IBAN>{IBAN}</IBAN>"),
        "<Nm>Ada + Sohne .GmbH.</Nm>",
        &format!("<EndToEndId>{}</EndToEndId>", payout.replace('_', "-")),
    ] {
        assert!(xml.contains(part), "{part} in {xml}");
    }
    // A payout is in one file, also when it is named.
    stall.create_file(json!({})).await.expect_problem(409, "payout_file.nothing_due");
    stall.create_file(json!({"payouts": [payout]})).await.expect_problem(409, "payout.not_due");

    let paid = json!({"outcome": "paid", "reference": "statement 118, line 4"});
    assert_eq!(stall.settle(&payout, paid.clone()).await.expect(200).text("/status"), "paid");
    stall.settle(&payout, paid).await.expect(200);
    assert_eq!(stall.figures().await, [0, 0, 0, 0, 12_345]);
    let ledger = stall.ledger().await;
    assert_eq!((ledger["bank"], ledger["payouts_in_transit"], ledger["seller"]), (-12_345, 0, 12_345));
    // What was paid is not in the file any more, should it be downloaded again.
    let again = stall.shop.get(&transfers).by(&stall.staff).send().await;
    again.expect_problem(409, "payout_file.nothing_left");

    let back = json!({"outcome": "returned", "reference": "statement 121", "reason": "the account is closed"});
    let shown = stall.settle(&payout, back.clone()).await.expect(200);
    assert_eq!((shown.text("/status"), shown.text("/failure")), ("returned", "sent_back"));
    assert_eq!((shown.text("/reference"), shown.text("/return_reference")), ("statement 118, line 4", "statement 121"));
    stall.settle(&payout, back).await.expect(200);
    let other = json!({"outcome": "returned", "reference": "statement 122"});
    stall.settle(&payout, other).await.expect_problem(409, "payout.ended");
    assert_eq!(stall.figures().await, [0, 0, 12_345, 0, 0]);
    let ledger = stall.ledger().await;
    assert_eq!((ledger["bank"], ledger["payouts_in_transit"], ledger["seller"]), (0, 0, 0));
    stall.settle(&payout, json!({"outcome": "paid", "reference": "x"})).await.expect_problem(409, "payout.ended");

    // The entries are joined with the payout, and with the statements of the bank.
    let head = stall.shop.at_rest().await;
    let statement = stall.shop.get(&stall.path("statement")).by(&stall.ada.token).after(head).send().await.expect(200);
    let documents = [0, 1].map(|nth: usize| statement.body["items"][nth]["document"].clone());
    assert_eq!(documents, [json!("statement 121"), json!("statement 118, line 4")]);
    let csv = stall.shop.get(&stall.path("statement.csv")).by(&stall.ada.token).after(head).send().await.expect(200);
    let csv = csv.body.as_str().unwrap().to_owned();
    assert!(csv.contains("statement 121") && csv.contains("statement 118, line 4") && !csv.contains(&payout), "{csv}");
    let file = stall.shop.get(&stall.path("payouts.csv")).by(&stall.ada.token).after(head).send().await.expect(200);
    let own = file.body.as_str().unwrap().to_owned();
    let all = stall.shop.get("/v1/admin/payouts.csv?status=returned").by(&stall.staff).send().await.expect(200);
    assert_eq!(all.body.as_str().unwrap(), own);
    let row: Vec<&str> = own.lines().nth(1).unwrap().split(',').collect();
    assert_eq!((row[0], row[2], row[3]), (payout.as_str(), "returned", "sepa"), "{own}");
    assert!(own.contains("the account is closed"), "{own}");
    let told = stall.told("payout_failed").await;
    for said in ["came back", "the account is closed", &payout] {
        assert!(told.contains(said), "{said} in {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_that_the_bank_refused_is_in_the_balance_again() {
    let stall = Stall::with_earnings(5_000).await;
    let payout = stall.request(euros(3_000)).await.expect(201).id();
    assert_eq!(stall.figures().await, [0, 0, 2_000, 3_000, 0]);
    stall.settle(&payout, json!({"outcome": "paid"})).await.expect(422);
    // What never arrived cannot come back.
    let back = json!({"outcome": "returned", "reason": "unknown account"});
    stall.settle(&payout, back).await.expect_problem(409, "payout.not_paid");
    let refused = json!({"outcome": "failed", "reference": "statement 9", "reason": "unknown account"});
    let failed = stall.settle(&payout, refused).await.expect(200);
    assert_eq!((failed.text("/reason"), failed.text("/reference")), ("unknown account", "statement 9"));
    assert_eq!((failed.text("/status"), failed.text("/failure")), ("failed", "refused"));
    assert_eq!(stall.figures().await, [0, 0, 5_000, 0, 0]);
    // Its file is empty, and it is in no other.
    stall.create_file(json!({})).await.expect_problem(409, "payout_file.nothing_due");
    // Both entries name the transfer, and one that was only requested its own id.
    let open = stall.request(euros(1_000)).await.expect(201).id();
    let head = stall.shop.at_rest().await;
    let statement = stall.shop.get(&stall.path("statement")).by(&stall.ada.token).after(head).send().await.expect(200);
    let documents = [0, 1, 2].map(|nth: usize| statement.body["items"][nth]["document"].clone());
    assert_eq!(documents, [json!(open), json!("statement 9"), json!("statement 9")]);
}

/// Fifty requests for a tenth each: ten are paid out.
#[tokio::test(flavor = "multi_thread")]
async fn requests_at_one_moment_never_take_more_than_is_available() {
    let stall = Stall::with_earnings(10_000).await;
    let answers = join_all((0..50).map(|_| stall.request(euros(1_000)))).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 10, "{statuses:?}");
    for refused in answers.into_iter().filter(|answer| answer.status != 201) {
        let refused = refused.expect(409);
        assert!(
            ["balance.not_enough", "balance.nothing_available"].contains(&refused.text("/code")),
            "{}",
            refused.body
        );
    }
    assert_eq!(stall.figures().await, [0, 0, 0, 10_000, 0]);
    let ledger = stall.ledger().await;
    assert_eq!((ledger["payouts_in_transit"], ledger["seller"]), (-10_000, 10_000));
    // Two members of staff create a file at the same moment: each payout is in one of them.
    let files = join_all((0..2).map(|_| stall.create_file(json!({})))).await;
    let in_files = files.iter().filter_map(|file| Some(file.body["payouts"].as_array()?.len())).sum::<usize>();
    assert_eq!(in_files, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_answered_once_for_each_key() {
    let stall = Stall::with_earnings(5_000).await;
    let ask = || stall.shop.post(&stall.path("payouts")).by(&stall.ada.token).key("one").json(euros(1_000)).send();
    let (first, again) = (ask().await.expect(201).id(), ask().await.expect(201).id());
    assert_eq!(first, again);
    assert_eq!(stall.figures().await, [0, 0, 4_000, 1_000, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_paid_out_is_refused() {
    let stall = Stall::open().await;
    let all = || stall.request(json!({"currency": "EUR"}));
    all().await.expect_problem(409, "payout_account.no_destination");
    stall.shop.pays_to(&stall.seller, &stall.ada, &bank()).await;
    all().await.expect_problem(409, "balance.missing");
    stall.shop.earned(&stall.seller, 2_000).await;
    stall.request(euros(2_001)).await.expect_problem(409, "balance.not_enough");
    stall.request(euros(999)).await.expect_problem(409, "balance.below_minimum");
    stall.request(json!({"currency": "USD"})).await.expect_problem(409, "payout_account.not_in_currency");
    let mixed = json!({"currency": "EUR", "amount": {"amount": 2_000, "currency": "USD"}});
    assert_eq!(stall.request(mixed).await.expect(422).body["errors"][0]["pointer"], "/amount/currency");
    stall.shop.decide(&stall.seller, "suspend").await.expect(200);
    all().await.expect_problem(409, "seller.not_active");
    stall.shop.decide(&stall.seller, "reinstate").await.expect(200);
    // A seller that is closed gets what it has earned.
    stall.shop.post(&stall.path("close")).by(&stall.ada.token).send().await.expect(200);
    all().await.expect(201);
    let nothing = all().await.expect(409).body;
    assert_eq!((&nothing["code"], &nothing["errors"]), (&json!("balance.nothing_available"), &json!([])));
    stall.shop.earned(&stall.seller, 999).await;
    all().await.expect_problem(409, "balance.too_little");
}

#[tokio::test(flavor = "multi_thread")]
async fn payouts_are_listed_for_their_seller_and_for_staff() {
    let stall = Stall::with_earnings(9_000).await;
    let Stall { shop, ada, .. } = &stall;
    let (eve, bob) = (shop.person("eve@example.org").await, shop.person("bob@example.org").await);
    let pans = shop.seller(&eve, "pans").await;
    shop.join(&stall.seller, ada, &bob, "staff").await;
    let one = stall.request(euros(2_000)).await.expect(201).id();
    let two = stall.request(euros(3_000)).await.expect(201).id();
    stall.settle(&one, json!({"outcome": "failed"})).await.expect(200);
    let head = shop.at_rest().await;
    let ids = async |path: String, token: &str| {
        let found = shop.get(&path).by(token).after(head).send().await.expect(200).body;
        found["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(stall.path("payouts"), &bob.token).await, [two.clone(), one.clone()]);
    assert_eq!(ids(stall.path("payouts?status=failed"), &ada.token).await, std::slice::from_ref(&one));
    assert_eq!(
        ids("/v1/admin/payouts?status=requested&means=sepa".into(), &stall.staff).await,
        std::slice::from_ref(&two)
    );
    assert_eq!(ids(format!("/v1/admin/payouts?seller={pans}"), &stall.staff).await, [""; 0]);
    // Staff of the seller sees the payout, and not where it goes.
    let path = stall.path(&format!("payouts/{two}"));
    assert_eq!(shop.get(&path).by(&bob.token).send().await.expect(200).body["destination"], Value::Null);
    assert_eq!(shop.get(&path).by(&ada.token).send().await.expect(200).body["destination"]["kind"], "iban");
    shop.get(&path).by(&eve.token).send().await.expect_problem(404, "seller.missing");
    let foreign = format!("/v1/sellers/{pans}/payouts/{two}");
    shop.get(&foreign).by(&eve.token).send().await.expect_problem(404, "payout.missing");
    shop.post(&stall.path("payouts"))
        .by(&bob.token)
        .json(euros(2_000))
        .send()
        .await
        .expect_problem(403, "seller.owners_only");
}

/// The house may have a reason to keep the money of a suspended seller, which it requested before.
#[tokio::test(flavor = "multi_thread")]
async fn payouts_of_a_suspended_seller_wait() {
    let stall = Stall::with_earnings(5_000).await;
    let eve = stall.shop.person("eve@example.org").await;
    let pans = stall.shop.seller(&eve, "pans").await;
    stall.shop.earned(&pans, 3_000).await;
    stall.shop.pays_to(&pans, &eve, &bank()).await;
    let payout = stall.request(euros(2_000)).await.expect(201).id();
    stall.shop.decide(&stall.seller, "suspend").await.expect(200);
    stall.create_file(json!({})).await.expect_problem(409, "payout_file.nothing_due");
    stall.create_file(json!({"payouts": [payout]})).await.expect_problem(409, "seller.not_active");
    let request = stall.shop.post(&format!("/v1/sellers/{pans}/payouts")).by(&eve.token).json(euros(2_000));
    let other = request.send().await.expect(201).id();
    let file = stall.create_file(json!({})).await.expect(201);
    assert_eq!(file.body["payouts"], json!([other]));
    stall.shop.decide(&stall.seller, "reinstate").await.expect(200);
    let file = stall.create_file(json!({})).await.expect(201);
    assert_eq!(file.body["payouts"], json!([payout]));
    // The newest file is first.
    let head = stall.shop.at_rest().await;
    let files = stall.shop.get("/v1/admin/payout-files").by(&stall.staff).after(head).send().await.expect(200).body;
    assert_eq!((&files["items"][0]["id"], &files["items"][0]["payouts"]), (&json!(file.id()), &json!(1)));
    assert_eq!((files["items"].as_array().unwrap().len(), &files["next"]), (2, &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_names_payouts_and_a_day_within_a_year() {
    let stall = Stall::with_earnings(5_000).await;
    let payout = stall.request(euros(2_000)).await.expect(201).id();
    let empty = stall.create_file(json!({"payouts": []})).await.expect(422);
    assert_eq!(empty.body["errors"][0]["pointer"], "/payouts");
    for (day, code) in [("9999-12-31", "payout_file.too_far_ahead"), ("2020-01-01", "payout_file.in_the_past")] {
        let body = json!({"execute_on": day, "payouts": [payout]});
        stall.create_file(body).await.expect_problem(422, code);
    }
}

/// A schedule whose moment has passed is run once, and has a next moment.
#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_pays_out_all_that_is_available() {
    use byteshop_domain::ids::SellerId;
    use byteshop_domain::payout_account::{self, Command, PayoutAccount, Schedule};
    use byteshop_eventstore::Clock;
    use byteshop_tests::past::record_at;
    use byteshop_tests::patience::eventually;

    let stall = Stall::with_earnings(5_000).await;
    let seller: SellerId = stall.seller.parse().unwrap();
    let weekly = Command::Schedule { schedule: Schedule::Weekly };
    let at = Clock.now() - TimeDelta::days(8);
    record_at::<PayoutAccount>(&stall.shop.log, payout_account::id(seller), &[weekly], at).await;
    eventually("the payout is made", async || (stall.figures().await == [0, 0, 0, 5_000, 0]).then_some(())).await;
    let account = async || stall.shop.get(&stall.path("payout-account")).by(&stall.ada.token).send().await.expect(200);
    let next = eventually("there is a next moment", async || {
        let next = account().await.text("/next_payout_at").to_owned();
        (next > Clock.now().to_rfc3339()).then_some(next)
    })
    .await;
    assert!(next.contains("T04:00:00"), "{next}");
    // What is earned later is paid out with the next one.
    stall.shop.earned(&stall.seller, 2_000).await;
    stall.shop.at_rest().await;
    assert_eq!(stall.figures().await, [0, 0, 2_000, 5_000, 0]);
    let off = json!({"schedule": "on_request"});
    let path = stall.path("payout-account/schedule");
    let shown = stall.shop.put(&path).by(&stall.ada.token).json(off).send().await.expect(200);
    assert_eq!(shown.body["next_payout_at"], Value::Null);
}
