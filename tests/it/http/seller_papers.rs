//! Papers of orders with several sellers: who supplies a part issues its invoice and its credit notes, each in a series of its own.

use std::collections::BTreeSet;

use byteshop_gateway::security::token::Role;
use byteshop_projections::View as _;
use byteshop_projections::ledger::Ledger;
use byteshop_projections::order_list::OrderList;
use byteshop_projections::replay::Replay;
use byteshop_tests::patience::eventually;
use byteshop_tests::people::Person;
use byteshop_tests::shop::{Answer, TestShop, address};
use chrono::{Datelike as _, Utc};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::order_parts::{Market, id_of, of_parts};
use super::papers::{mail_to, shows, taxed};

fn legal(name: &str, tax_id: &str) -> Value {
    json!({"name": name, "address": ["Yard 7", "10115 Berlin", "Germany"], "tax_id": tax_id})
}

impl Market {
    /// The first seller supplies in its own name from now on.
    async fn with_kettles_supplying() -> Self {
        let market = Self::open().await;
        taxed(&market.shop).await;
        market.gives(&market.kettles, &market.ada, legal("Copper Kettles GmbH", "DE123456789")).await.expect(200);
        market
    }

    async fn gives(&self, seller: &str, owner: &Person, legal: Value) -> Answer {
        self.shop.put(&format!("/v1/sellers/{seller}/legal-data")).by(&owner.token).json(legal).send().await
    }

    /// A printable page as a person sees it.
    async fn page(&self, path: &str, reader: &Person) -> String {
        let page = self.shop.get(path).by(&reader.token).send().await.expect(200);
        page.body.as_str().unwrap().to_owned()
    }

    /// The numbers, sellers and totals of the credit notes of an order.
    async fn notes(&self, path: &str, reader: &Person) -> Vec<(String, Value, i64)> {
        let found = self.shop.get(path).by(&reader.token).send().await.expect(200);
        let note = |it: &Value| {
            (it["number"].as_str().unwrap().to_owned(), it["seller"].clone(), it["total"]["amount"].as_i64().unwrap())
        };
        found.body["items"].as_array().unwrap().iter().map(note).collect()
    }

    async fn refund_of(&self, order: &str, amount: i64, part: Value) {
        let payment = self.seen(order).await["payment"].as_str().unwrap().to_owned();
        let body = json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": "a scratch", "part": part});
        let path = format!("/v1/payments/{payment}/refunds");
        self.shop.post(&path).by(&self.shop.token(Role::Admin)).json(body).send().await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_supplier_of_an_order_issues_its_own_invoice() {
    let market = Market::with_kettles_supplying().await;
    let Market { shop, ada, eve, buyer, kettles, pans, kettle, pan, lamp, .. } = &market;
    let year = Utc::now().year();
    let (own, house) = (format!("INV-KETTLES-{year}-000001"), format!("INV-{year}-000001"));
    let order = market.paid(&[kettle, pan, lamp]).await;
    let seen = market.seen(&order).await;
    assert_eq!(of_parts(&seen, "invoice"), [json!(own), json!(house), json!(house)]);
    assert_eq!(of_parts(&seen, "supplied_by_seller"), [json!(true), json!(false), json!(false)]);
    assert_eq!(seen["invoice"], house);
    // The buyer sees both.
    let note = "in the name and for the account of the seller";
    let all = market.page(&format!("{order}/invoice"), buyer).await;
    shows(&all, &[&own, &house, "Copper Kettles GmbH", "DE123456789", "KETTLE", "LAMP", note, "rahel@example.org"]);
    assert_eq!(all.matches("<section").count(), 2, "{all}");
    let one = market.page(&format!("{order}/invoice?part=1"), buyer).await;
    // 9.00 and 4.50 of the shipping.
    shows(&one, &[&own, "Yard 7", "€13.50", "19 % tax on €11.34", "€2.16"]);
    assert!(!one.contains("LAMP") && !one.contains(&house), "{one}");
    let other = market.page(&format!("{order}/invoice?part=2"), buyer).await;
    shows(&other, &[&house, "PAN", "LAMP", "€13.50"]);
    assert!(!other.contains("KETTLE") && !other.contains(note), "{other}");
    let wrong = shop.get(&format!("{order}/invoice?part=4")).by(&buyer.token).send().await;
    wrong.expect_problem(400, "request.invalid_query");
    // Staff finds the order by both numbers.
    for number in [&own, &house] {
        let path = format!("/v1/orders?invoice={number}");
        let head = shop.at_rest().await;
        let found = shop.get(&path).by(&shop.token(Role::Support)).after(head).send().await.expect(200);
        assert_eq!(found.body["items"][0]["invoices"], json!([house, own]), "{}", found.body);
    }
    // The mail about the payment names both.
    let mail = mail_to(shop, "buyer@example.org", "is paid").await;
    shows(mail["text"].as_str().unwrap(), &[&own, &house]);
    // Each seller sees its own, without the address of the buyer's mailbox.
    let at = |seller: &str, rest: &str| format!("/v1/sellers/{seller}/orders/{}{rest}", id_of(&order));
    let its = market.page(&at(kettles, "/invoice"), ada).await;
    shows(&its, &[&own, "KETTLE"]);
    assert!(!its.contains("LAMP") && !its.contains("rahel@example.org"), "{its}");
    shop.get(&at(kettles, "/invoice")).by(&eve.token).send().await.expect_problem(404, "seller.missing");
    shop.get(&at(pans, "/invoice")).by(&eve.token).send().await.expect_problem(404, "seller.no_invoice");
    let its = shop.get(&at(kettles, "")).by(&ada.token).send().await.expect(200);
    assert_eq!((&its.body["invoice"], its.text("/id")), (&json!(own), id_of(&order)));
    // An order of that seller alone has no invoice of the house.
    let alone = market.paid(&[kettle]).await;
    let second = format!("INV-KETTLES-{year}-000002");
    assert_eq!(market.seen(&alone).await["invoice"], second);
    shows(&market.page(&format!("{alone}/invoice"), buyer).await, &[&second, "Copper Kettles GmbH", note]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_supplier_gives_back_is_on_its_own_credit_notes_and_it_owes_the_tax() {
    let market = Market::with_kettles_supplying().await;
    let Market { shop, ada, eve, buyer, kettles, pans, kettle, pan, lamp, .. } = &market;
    let year = Utc::now().year();
    let order = market.paid(&[kettle, pan, lamp]).await;
    let (own, house) = (|at: u8| format!("CN-KETTLES-{year}-00000{at}"), |at: u8| format!("CN-{year}-00000{at}"));
    // 1.00 of all is split as 13.50 : 9.00 : 4.50, and the parts that the house supplies have notes of their own, too.
    market.refund_of(&order, 100, Value::Null).await;
    market.refund_of(&order, 50, json!(1)).await;
    let cancel = async |body: Value| market.post(&format!("{order}/cancel"), buyer, body).await;
    cancel(json!({"part": 2})).await.expect(200);
    cancel(json!({})).await.expect(200);
    let notes = market.notes(&format!("{order}/credit-notes"), buyer).await;
    let of_kettles = json!(kettles);
    let expected = [
        (own(1), of_kettles.clone(), 50),
        (house(1), Value::Null, 33),
        (house(2), Value::Null, 17),
        (own(2), of_kettles.clone(), 50),
        (house(3), Value::Null, 867),
        (own(3), of_kettles.clone(), 1_250),
        (house(4), Value::Null, 433),
    ];
    assert_eq!(notes, expected);
    assert_eq!(notes.iter().map(|(_, _, total)| total).sum::<i64>(), 2_700);
    let off = market.becomes(&order, "/payment_status", &json!("refunded")).await;
    assert_eq!(of_parts(&off, "refunded"), [1_350, 900, 450]);
    let page = market.page(&format!("{order}/credit-notes/print"), buyer).await;
    shows(&page, &[&own(3), &house(4), &format!("INV-KETTLES-{year}-000001"), "Copper Kettles GmbH", "DE123456789"]);
    // A seller sees its own alone.
    let at = |seller: &str, rest: &str| format!("/v1/sellers/{seller}/orders/{}/{rest}", id_of(&order));
    let its = market.notes(&at(kettles, "credit-notes"), ada).await;
    assert_eq!(its.iter().map(|note| note.2).collect::<Vec<_>>(), [50, 50, 1_250]);
    assert_eq!(market.notes(&at(pans, "credit-notes"), eve).await, []);
    let its = market.page(&at(kettles, "credit-notes/print"), ada).await;
    assert!(its.contains(&own(3)) && !its.contains(&house(4)) && !its.contains("rahel@example.org"), "{its}");
    shop.get(&at(kettles, "credit-notes")).by(&eve.token).send().await.expect_problem(404, "seller.missing");
    // All of the tax went back, and no cent of it was the seller's to the house.
    assert_eq!(balances(shop).await, []);
    let sold = market.paid(&[kettle, pan]).await;
    let seen = market.seen(&sold).await;
    let tax = |at: usize| seen["parts"][at]["tax"]["amount"].as_i64().unwrap();
    let total = |at: usize| seen["parts"][at]["total"]["amount"].as_i64().unwrap();
    let mut expected = vec![
        (format!("seller_payable/{kettles}"), total(0)),
        (format!("seller_payable/{pans}"), total(1) - tax(1)),
        ("sales_tax/DE/19".to_owned(), tax(1)),
    ];
    expected.sort();
    assert_eq!(balances(shop).await, expected);
    let statement = shop.get(&format!("/v1/sellers/{kettles}/statement?kind=sale")).by(&ada.token).send().await;
    assert_eq!(statement.expect(200).text("/items/0/document"), format!("INV-KETTLES-{year}-000002"));
    for view in [Ledger::NAME, OrderList::NAME] {
        let report = shop.views.replay(view, Replay::Check, &|_| {}).await.unwrap();
        assert!(report.differences.is_empty(), "{view}: {report:?}");
    }
}

/// The accounts of sellers and of taxes that the ledger has a balance on: what is owed.
async fn balances(shop: &TestShop) -> Vec<(String, i64)> {
    let head = shop.at_rest().await;
    let found = shop.get("/v1/admin/ledger").by(&shop.token(Role::Support)).after(head).send().await.expect(200);
    let owed = found.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["account"].as_str().unwrap().to_owned(), -item["balance"]["amount"].as_i64().unwrap()));
    let is_wanted = |account: &str| account.starts_with("seller_payable/") || account.starts_with("sales_tax/");
    let mut owed: Vec<_> = owed.filter(|(account, sum)| is_wanted(account) && *sum != 0).collect();
    owed.sort();
    owed
}

#[tokio::test(flavor = "multi_thread")]
async fn legal_data_is_given_by_owners_and_counts_from_then_on() {
    let market = Market::open().await;
    let Market { shop, ada, eve, buyer, kettles, kettle, .. } = &market;
    let before = market.paid(&[kettle]).await;
    let data = legal("Copper Kettles GmbH", "DE123456789");
    market.gives(kettles, eve, data.clone()).await.expect_problem(404, "seller.missing");
    let bare = json!({"name": "Copper Kettles GmbH", "address": [], "tax_id": "DE123456789"});
    market.gives(kettles, ada, bare).await.expect(422);
    let given = market.gives(kettles, ada, data.clone()).await.expect(200);
    assert_eq!(given.body["details"]["legal_data"], data);
    // The public does not see it, and the log has it encrypted.
    let public = shop.get(&format!("/v1/sellers/{kettles}")).by(&buyer.token).send().await.expect(200);
    assert_eq!(public.body["details"], Value::Null);
    let stored = "select data::text from log.event where type in ('legal_data_given', 'paid')";
    market.paid(&[kettle]).await;
    let stored: Vec<String> = sqlx::query_scalar(stored).fetch_all(shop.log.pool()).await.unwrap();
    assert!(stored.iter().all(|data| !data.contains("DE123456789")), "{stored:?}");
    // What was paid before keeps the invoice that it has.
    let year = Utc::now().year();
    assert_eq!(market.seen(&before).await["invoice"], format!("INV-{year}-000001"));
    assert!(!market.page(&format!("{before}/invoice"), buyer).await.contains("Copper Kettles GmbH"));
    let supplied = market.paid(&[kettle]).await;
    assert_eq!(market.seen(&supplied).await["invoice"], format!("INV-KETTLES-{year}-000002"));
    shop.delete(&format!("/v1/sellers/{kettles}/legal-data")).by(&ada.token).send().await.expect(200);
    let after = market.paid(&[kettle]).await;
    assert_eq!(market.seen(&after).await["invoice"], format!("INV-{year}-000002"));
    // A credit note is of whoever issued the invoice.
    market.refund_of(&supplied, 100, Value::Null).await;
    let notes = market.notes(&format!("{supplied}/credit-notes"), buyer).await;
    assert_eq!(notes, [(format!("CN-KETTLES-{year}-000001"), json!(kettles), 100)]);
}

/// An order of one piece of each of these variants, by its path.
async fn placed(shop: &TestShop, person: &Person, variants: &[&str]) -> String {
    let cart = shop.post("/v1/carts").by(&person.token).json(json!({"currency": "EUR"})).send().await.id();
    let cart = format!("/v1/carts/{cart}");
    for variant in variants {
        let line = shop.put(&format!("{cart}/lines/{variant}")).by(&person.token).json(json!({"quantity": 1}));
        line.send().await.expect(200);
    }
    shop.put(&format!("{cart}/address")).by(&person.token).json(address("DE")).send().await.expect(200);
    shop.put(&format!("{cart}/shipping")).by(&person.token).json(json!({"service": "flat"})).send().await.expect(200);
    shop.post(&format!("{cart}/checkout")).by(&person.token).send().await.expect(201).id()
}

/// Pays an order, and gives the invoices of its parts.
async fn paid(shop: &TestShop, order: &str, token: &str) -> Vec<Value> {
    shop.pay(token, order).await.expect(201);
    let path = format!("/v1/orders/{order}");
    eventually("the order is paid", async || {
        let seen = shop.get(&path).by(token).send().await.expect(200).body;
        (seen["payment_status"] == "paid").then(|| of_parts(&seen, "invoice"))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_that_are_paid_at_the_same_moment_leave_no_gap_in_any_series() {
    const BUYERS: usize = 10;
    const EACH: usize = 5;
    let market = Market::with_kettles_supplying().await;
    let Market { shop, eve, pans, kettle, pan, lamp, .. } = &market;
    market.gives(pans, eve, legal("Pans Ltd", "IE1234567T")).await.expect(200);
    let mut orders = Vec::new();
    for at in 0..BUYERS {
        let person = shop.person(&format!("buyer{at}@example.org")).await;
        for _ in 0..EACH {
            orders.push((placed(shop, &person, &[kettle, pan, lamp]).await, person.token.clone()));
        }
    }
    let given = join_all(orders.iter().map(|(order, token)| paid(shop, order, token))).await;
    let year = Utc::now().year();
    for (at, start) in ["INV-KETTLES", "INV-PANS", "INV"].into_iter().enumerate() {
        let numbers: BTreeSet<&str> = given.iter().map(|invoices| invoices[at].as_str().unwrap()).collect();
        let expected: Vec<String> = (1..=BUYERS * EACH).map(|number| format!("{start}-{year}-{number:06}")).collect();
        assert_eq!(numbers.into_iter().collect::<Vec<_>>(), expected);
    }
}
