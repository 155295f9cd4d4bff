//! The general ledger: what each step of an order debits and credits, and the trial balance at any moment.

use std::collections::BTreeMap;

use byteshop_domain::ids::{Id as _, PaymentId};
use byteshop_eventstore::Clock;
use byteshop_eventstore::emulator::Books;
use byteshop_gateway::security::token::Role;
use byteshop_tests::shop::TestShop;
use reqwest::Method;
use serde_json::{Value, json};

use super::aftersales::{Paid, lines, paid};

/// The balances in euros by account: debits minus credits.
async fn balances(shop: &TestShop, at: &str) -> BTreeMap<String, i64> {
    let head = shop.at_rest().await;
    let found = shop.get(&format!("/v1/admin/ledger{at}")).by(&shop.token(Role::Support)).after(head).send().await;
    let found = found.expect(200).body;
    let (mut balances, mut sum) = (BTreeMap::new(), 0);
    for item in found["items"].as_array().unwrap() {
        let amount = |name: &str| item[name]["amount"].as_i64().unwrap();
        assert_eq!(amount("debit") - amount("credit"), amount("balance"), "{item}");
        assert_eq!(item["balance"]["currency"], "EUR");
        sum += amount("balance");
        balances.insert(item["account"].as_str().unwrap().to_owned(), amount("balance"));
    }
    assert_eq!(sum, 0, "{balances:?}");
    balances
}

fn accounts(expected: &[(&str, i64)]) -> BTreeMap<String, i64> {
    expected.iter().map(|(account, amount)| ((*account).to_owned(), *amount)).collect()
}

/// The kinds of the entries that a query finds, the newest first.
async fn kinds(shop: &TestShop, query: &str) -> Vec<String> {
    let head = shop.at_rest().await;
    let path = format!("/v1/admin/ledger/entries?{query}");
    let found = shop.get(&path).by(&shop.token(Role::Support)).after(head).send().await.expect(200).body;
    found["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap().to_owned()).collect()
}

async fn taxed_shop() -> (TestShop, String) {
    let shop = TestShop::start().await;
    let rate = json!({"class": "standard", "rate_bps": 1900, "valid_from": "2020-01-01"});
    let book = json!({"countries": [{"country": "DE", "prices_include_tax": true, "rates": [rate]}]});
    let admin = shop.token(Role::Admin);
    shop.put("/v1/admin/tax-rates").by(&admin).header("If-Match", "*").json(book).send().await.expect(200);
    let (_, variant) = shop.product("LEDGER-1", 1_190, 50).await;
    (shop, variant)
}

async fn refund(shop: &TestShop, order: &Paid, amount: i64) {
    let body = json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": "goodwill"});
    shop.post(&format!("{}/refunds", order.payment)).by(&shop.token(Role::Support)).json(body).send().await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_of_an_order_has_its_entry_and_the_balances_are_known_at_any_moment() {
    let (shop, variant) = taxed_shop().await;
    assert_eq!(balances(&shop, "").await, BTreeMap::new());
    let order = paid(&shop, &variant, 2).await;
    order.awaits(&shop, "/payment_status", "paid").await;
    let sold = accounts(&[("clearing", 2_380), ("customers", 0), ("sales", -2_000), ("sales_tax/DE/19", -380)]);
    assert_eq!(balances(&shop, "").await, sold);
    let after_the_sale = shop.log.head().await.unwrap();
    refund(&shop, &order, 119).await;
    order.awaits(&shop, "/payment_status", "partly_refunded").await;
    let refunded = accounts(&[("clearing", 2_261), ("customers", 0), ("sales", -1_900), ("sales_tax/DE/19", -361)]);
    assert_eq!(balances(&shop, "").await, refunded);
    // The rest is cancelled: nothing was sold.
    shop.post(&format!("{}/cancel", order.path)).by(&shop.token(Role::Support)).send().await.expect(200);
    order.awaits(&shop, "/payment_status", "refunded").await;
    let nothing = accounts(&[("clearing", 0), ("customers", 0), ("sales", 0), ("sales_tax/DE/19", 0)]);
    assert_eq!(balances(&shop, "").await, nothing);
    assert_eq!(balances(&shop, &format!("?at={after_the_sale}")).await, sold);
    assert_eq!(balances(&shop, "?at=2020-01-01T00:00:00Z").await, BTreeMap::new());

    let id = order.path.rsplit('/').next().unwrap();
    let all = ["refund", "credit_note", "refund", "credit_note", "sale", "capture"];
    assert_eq!(kinds(&shop, &format!("order={id}")).await, all);
    assert_eq!(kinds(&shop, "account=sales_tax/DE").await, ["credit_note", "credit_note", "sale"]);
    assert_eq!(kinds(&shop, "account=sales_ta").await, [""; 0]);
    assert_eq!(kinds(&shop, "kind=capture").await, ["capture"]);
    assert_eq!(kinds(&shop, "until=2020-01-01T00:00:00Z").await, [""; 0]);
    assert_eq!(kinds(&shop, "from=2020-01-01T00:00:00Z&limit=2").await, all[..2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_names_its_document_and_a_failed_refund_is_owed_to_the_customer() {
    let (shop, variant) = taxed_shop().await;
    let order = paid(&shop, &variant, 1).await;
    order.awaits(&shop, "/payment_status", "paid").await;
    shop.put("/dev/provider").json(json!({"refuses_refunds": true})).send().await.expect(200);
    refund(&shop, &order, 1_190).await;
    let owed = balances(&shop, "").await;
    assert_eq!((owed["clearing"], owed["customers"], owed["sales"]), (1_190, -1_190, 0));
    let head = shop.at_rest().await;
    let found = shop.get("/v1/admin/ledger/entries?kind=sale").by(&shop.token(Role::Admin)).after(head).send().await;
    let sale: Value = found.expect(200).body["items"][0].clone();
    let invoice = order.is(&shop).await["invoice"].clone();
    assert_eq!((&sale["document"], &sale["currency"]), (&invoice, &json!("EUR")));
    let zero = json!({"amount": 0, "currency": "EUR"});
    let line =
        |account: &str, debit: &Value, credit: &Value| json!({"account": account, "debit": debit, "credit": credit});
    let euro = |amount: i64| json!({"amount": amount, "currency": "EUR"});
    assert_eq!(
        sale["lines"],
        json!([
            line("customers", &euro(1_190), &zero),
            line("sales", &zero, &euro(1_000)),
            line("sales_tax/DE/19", &zero, &euro(190)),
        ])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_were_cancelled_before_the_payment_are_not_sold() {
    let (shop, variant) = taxed_shop().await;
    let (placed, cart) = shop.order(&variant, 3).await;
    let path = format!("/v1/orders/{}", placed.text("/id"));
    let one = json!({"lines": lines(&variant, 1)});
    shop.post(&format!("{path}/cancel")).with(&cart).json(one).send().await.expect(200);
    let token = json!({"provider": "test", "token": "tok_success"});
    shop.post(&format!("{path}/payments")).with(&cart).json(token).send().await.expect(201);
    let expected = accounts(&[("clearing", 2_380), ("customers", 0), ("sales", -2_000), ("sales_tax/DE/19", -380)]);
    assert_eq!(balances(&shop, "").await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_of_the_provider_are_compared_charge_by_charge() {
    let (shop, variant) = taxed_shop().await;
    let compare = async || {
        let head = shop.at_rest().await;
        let path = "/v1/admin/ledger/reconciliation";
        shop.get(path).by(&shop.token(Role::Support)).after(head).send().await
    };
    let first = paid(&shop, &variant, 1).await;
    first.awaits(&shop, "/payment_status", "paid").await;
    let second = paid(&shop, &variant, 2).await;
    second.awaits(&shop, "/payment_status", "paid").await;
    refund(&shop, &first, 190).await;
    first.awaits(&shop, "/payment_status", "partly_refunded").await;
    assert_eq!(compare().await.expect(200).body, json!({"charges": 2, "different": 0, "items": [], "next": null}));
    // Someone refunds a charge at the provider, past the shop.
    let books = Books::beside(&shop.log);
    let payment: PaymentId = second.payment.rsplit('/').next().unwrap().parse().unwrap();
    let charge = books.last_of(payment.uuid()).await.unwrap().unwrap();
    assert!(books.refund(&charge.reference, Clock.new_id(), Some(80), Clock.now()).await.unwrap());
    let found = compare().await.expect(200).body;
    let euro = |amount: i64| json!({"amount": amount, "currency": "EUR"});
    let order = second.path.rsplit('/').next().unwrap();
    let item = json!({"reference": charge.reference, "order": order, "ledger": euro(2_380), "provider": euro(2_300),
        "ledger_fee": null, "provider_fee": null});
    assert_eq!(found, json!({"charges": 2, "different": 1, "items": [item], "next": null}));
    shop.put("/dev/provider").json(json!({"silent": true})).send().await.expect(200);
    compare().await.expect_problem(503, "payment.provider_unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_is_for_staff_and_tells_what_is_wrong_with_a_query() {
    let shop = TestShop::start().await;
    for path in ["/v1/admin/ledger", "/v1/admin/ledger/entries", "/v1/admin/ledger/reconciliation"] {
        shop.get(path).send().await.expect_problem(401, "auth.missing");
        shop.get(path).by(&shop.token(Role::Customer)).send().await.expect_problem(403, "auth.forbidden");
    }
    let support = shop.token(Role::Support);
    for query in [
        "?at=tomorrow",
        "?at=999999999",
        "/entries?kind=gift",
        "/entries?account=",
        "/entries?account=%00",
        "/entries?order=7",
        "/entries?from=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z",
        "/entries?from=-100000-01-01T00:00:00Z",
        "/entries?cursor=x",
        "/entries?limit=0",
        "/entries?unheard_of=1",
    ] {
        let path = format!("/v1/admin/ledger{query}");
        shop.call(Method::GET, &path).by(&support).send().await.expect_problem(400, "request.invalid_query");
    }
}
