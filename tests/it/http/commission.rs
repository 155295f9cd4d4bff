//! Commission and the accounts of sellers: what they are charged, what they are owed, and what is taken back.

use std::collections::BTreeMap;

use byteshop_domain::commission::AppliedRule;
use byteshop_domain::ids::OrderId;
use byteshop_domain::order::Order;
use byteshop_gateway::security::token::Role;
use byteshop_projections::View as _;
use byteshop_projections::ledger::Ledger;
use byteshop_projections::replay::Replay;
use byteshop_tests::people::Person;
use byteshop_tests::shop::Answer;
use serde_json::{Value, json};

use super::order_parts::{Market, id_of};

const RULES: &str = "/v1/admin/commission-rules";

impl Market {
    async fn set_rules(&self, body: Value) -> Answer {
        self.shop.put(RULES).by(&self.shop.token(Role::Admin)).header("If-Match", "*").json(body).send().await
    }

    /// A market with 19 % of sales tax in the prices, 10 % of commission, and 8.875 % and 0.25 for the seller of pans. The tax on commissions
    /// is 19 %.
    async fn charging() -> Self {
        let market = Self::open().await;
        let rate = json!({"class": "standard", "rate_bps": 1900, "valid_from": "2020-01-01"});
        let book = json!({"countries": [{"country": "DE", "rates": [rate]}]});
        let shop = &market.shop;
        let put = shop.put("/v1/admin/tax-rates").by(&shop.token(Role::Admin)).header("If-Match", "*").json(book);
        put.send().await.expect(200);
        let fixed = json!([{"amount": 25, "currency": "EUR"}]);
        let of_pans = json!({"rule": "pans", "seller": market.pans, "rate_ppm": 88_750, "fixed": fixed});
        let rules = json!({"rules": [{"rule": "all", "rate_ppm": 100_000}, of_pans], "tax_ppm": 190_000});
        market.set_rules(rules).await.expect(200);
        market
    }

    /// Something of the account of a seller, when the ledger has everything that has happened.
    async fn account(&self, seller: &str, person: &Person, what: &str) -> Answer {
        let head = self.shop.at_rest().await;
        self.shop.get(&format!("/v1/sellers/{seller}/{what}")).by(&person.token).after(head).send().await
    }

    /// What the house owes a seller in euros.
    async fn owes(&self, seller: &str, person: &Person) -> i64 {
        let found = self.account(seller, person, "balance").await.expect(200);
        found.body["items"][0]["owed"]["amount"].as_i64().unwrap_or(0)
    }

    /// The balances of all accounts in euros.
    async fn trial(&self) -> BTreeMap<String, i64> {
        let head = self.shop.at_rest().await;
        let staff = self.shop.token(Role::Support);
        let found = self.shop.get("/v1/admin/ledger").by(&staff).after(head).send().await.expect(200);
        let balance =
            |item: &Value| (item["account"].as_str().unwrap().to_owned(), item["balance"]["amount"].as_i64().unwrap());
        found.body["items"].as_array().unwrap().iter().map(balance).collect()
    }
}

fn number(row: &Value, field: &str) -> i64 {
    row[field]["amount"].as_i64().unwrap()
}

/// Kind, gross, tax, commission, its tax, and the amount of each entry.
fn entries(page: &Answer) -> Vec<(String, [i64; 5])> {
    let items = page.body["items"].as_array().unwrap().iter();
    let fields = ["gross", "tax", "commission", "commission_tax", "amount"];
    items.map(|row| (row["kind"].as_str().unwrap().to_owned(), fields.map(|field| number(row, field)))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sellers_are_owed_what_was_paid_without_tax_and_commission_until_it_goes_back() {
    let market = Market::charging().await;
    let Market { shop, ada, eve, kettles, pans, kettle, pan, lamp, .. } = &market;
    let order = market.paid(&[kettle, pan, lamp]).await;
    let (of_kettles, of_pans) = (format!("seller_payable/{kettles}"), format!("seller_payable/{pans}"));
    let expected = [
        ("clearing", 2_700),
        ("customers", 0),
        (of_kettles.as_str(), -1_044),
        (of_pans.as_str(), -673),
        ("sales", -378),
        ("commission", -76 - 70),
        ("commission_tax/19", -14 - 13),
        ("sales_tax/DE/19", -216 - 144 - 72),
    ];
    let expected: BTreeMap<String, i64> =
        expected.into_iter().map(|(account, sum)| (account.to_owned(), sum)).collect();
    assert_eq!(market.trial().await, expected);
    let shown = market.account(kettles, ada, &format!("orders/{}", id_of(&order))).await.expect(200);
    assert_eq!(["commission", "commission_tax", "owed"].map(|field| number(&shown.body, field)), [76, 14, 1_044]);
    // Another seller cancels its part, and a part of the money goes back.
    let cancel = format!("/v1/sellers/{pans}/orders/{}/cancel", id_of(&order));
    market.post(&cancel, eve, json!({})).await.expect(200);
    market.becomes(&order, "/parts/1/refunded/amount", &json!(900)).await;
    assert_eq!((market.owes(pans, eve).await, market.owes(kettles, ada).await), (0, 1_044));
    let payment = market.seen(&order).await["payment"].as_str().unwrap().to_owned();
    let body = json!({"amount": {"amount": 135, "currency": "EUR"}, "reason": "a scratch", "part": 1});
    let refund = shop.post(&format!("/v1/payments/{payment}/refunds")).by(&shop.token(Role::Support)).json(body);
    refund.send().await.expect(201);
    market.becomes(&order, "/parts/0/refunded/amount", &json!(135)).await;
    let page = market.account(kettles, ada, "statement").await.expect(200);
    let sale = ("sale".to_owned(), [1_350, 216, 76, 14, 1_044]);
    assert_eq!(entries(&page), [("credit_note".to_owned(), [-135, -21, -8, -1, -105]), sale.clone()]);
    assert_eq!(market.owes(kettles, ada).await, 939);
    // All of it goes back: nothing is owed, and nothing was sold.
    shop.post(&format!("{order}/cancel")).by(&shop.token(Role::Support)).send().await.expect(200);
    market.becomes(&order, "/payment_status", &json!("refunded")).await;
    assert_eq!(market.trial().await.into_values().collect::<Vec<_>>(), [0; 8]);
    let report = shop.views.replay(Ledger::NAME, Replay::Check, &|_| {}).await.unwrap();
    assert_eq!((report.different, report.differences), (0, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_listed_by_its_members_and_as_a_file() {
    let market = Market::charging().await;
    let Market { shop, ada, eve, buyer, kettles, pans, kettle, pan, .. } = &market;
    let orders = [market.paid(&[kettle]).await, market.paid(&[kettle, pan]).await, market.paid(&[pan]).await];
    let listed = async |query: &str| market.account(kettles, ada, &format!("statement{query}")).await.expect(200);
    let of = |page: &Answer| -> Vec<String> {
        page.body["items"].as_array().unwrap().iter().map(|row| row["order"].as_str().unwrap().to_owned()).collect()
    };
    let [first, second, _] = orders.each_ref().map(|order| id_of(order).to_owned());
    assert_eq!(of(&listed("").await), [second.clone(), first.clone()]);
    assert_eq!(
        of(&listed(&format!("?order={first}&kind=sale&currency=EUR&from=2020-01-01")).await),
        std::slice::from_ref(&first)
    );
    for nothing in ["?kind=credit_note", "?currency=GBP", "?until=2020-01-01"] {
        assert_eq!(of(&listed(nothing).await), [""; 0], "{nothing}");
    }
    let page = listed("?limit=1").await;
    let rest = listed(&format!("?limit=1&cursor={}", page.text("/next"))).await;
    assert_eq!((of(&page), of(&rest), &rest.body["next"]), (vec![second], vec![first.clone()], &Value::Null));
    // The parts of others are nothing to a seller.
    let shown = listed("").await.body.to_string();
    assert!(!shown.contains("position") && !shown.contains(pans.as_str()), "{shown}");
    let orders = market.account(kettles, ada, "orders.csv").await.expect(200).body.as_str().unwrap().to_owned();
    let (header, rows) = orders.split_once('\n').unwrap();
    assert!(header.starts_with("order,number,part,status,payment_status,fulfilment,"), "{header}");
    assert!(rows.contains(first.as_str()) && !rows.contains(pans.as_str()), "{rows}");
    let file = market.account(kettles, ada, &format!("statement.csv?order={first}")).await.expect(200);
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    let text = file.body.as_str().unwrap();
    let (header, row) = text.trim_end().split_once('\n').unwrap();
    assert_eq!(
        header.trim_end(),
        "occurred_at_utc,kind,order,document,gross,tax,commission,commission_tax,amount,currency"
    );
    let (_, said) = row.split_once(',').unwrap();
    assert!(
        said.starts_with(&format!("sale,{first},INV-")) && said.ends_with(",18.00,2.88,0.76,0.14,14.22,EUR"),
        "{row}"
    );
    for what in ["balance", "statement", "statement.csv", "commission"] {
        for person in [eve, buyer] {
            market.account(kettles, person, what).await.expect_problem(404, "seller.missing");
        }
        let staff = shop.get(&format!("/v1/sellers/{kettles}/{what}")).by(&shop.token(Role::Support)).send().await;
        assert_eq!(staff.status, if what == "commission" { 400 } else { 200 }, "{what}: {}", staff.body);
    }
    for wrong in ["statement?kind=gift", "statement?from=2026-02-01&until=2026-01-01", "statement?cursor=x"] {
        market.account(kettles, ada, wrong).await.expect_problem(400, "request.invalid_query");
    }
}

/// The columns of a statement add up to what is owed: of goods that are all commission, the shipping alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_sale_of_goods_that_are_all_commission_is_in_the_statement() {
    let market = Market::charging().await;
    let Market { shop, ada, kettles, kettle, .. } = &market;
    let all = json!({"rule": "all", "seller": kettles, "rate_ppm": 1_000_000});
    market.set_rules(json!({"rules": [all], "tax_ppm": 190_000})).await.expect(200);
    let order = market.paid(&[kettle]).await;
    let page = market.account(kettles, ada, "statement").await.expect(200);
    let [(kind, [gross, tax, commission, on_it, amount])]: [(String, [i64; 5]); 1] = entries(&page).try_into().unwrap();
    assert_eq!((kind.as_str(), gross, amount), ("sale", 1_800, 756));
    assert_eq!(gross - tax - commission - on_it, amount);
    let file = market.account(kettles, ada, "statement.csv").await.expect(200);
    assert!(file.body.as_str().unwrap().contains(",18.00,") && file.body.as_str().unwrap().contains(",7.56,EUR"));
    shop.post(&format!("{order}/cancel")).by(&shop.token(Role::Support)).send().await.expect(200);
    market.becomes(&order, "/payment_status", &json!("refunded")).await;
    let page = market.account(kettles, ada, "statement").await.expect(200);
    let sums = entries(&page)
        .into_iter()
        .map(|(_, sums)| sums)
        .reduce(|all, more| std::array::from_fn(|nth| all[nth] + more[nth]));
    assert_eq!((entries(&page).len(), sums), (2, Some([0; 5])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_sees_in_advance_what_it_is_charged() {
    let market = Market::charging().await;
    let Market { ada, eve, kettles, pans, kettle, pan, .. } = &market;
    let product = async |variant: &str| {
        market.seen(&market.ordered(&[variant]).await).await["lines"][0]["product"].as_str().unwrap().to_owned()
    };
    let (a_kettle, a_pan) = (product(kettle).await, product(pan).await);
    let shown = async |seller: &str, person: &Person, product: &str, more: &str| {
        market.account(seller, person, &format!("commission?product={product}&amount=756&currency=EUR{more}")).await
    };
    let of = |answer: Answer| {
        let body = answer.expect(200).body;
        (["price", "commission", "commission_tax", "owed"].map(|field| number(&body, field)), body["rule"].clone())
    };
    assert_eq!(of(shown(kettles, ada, &a_kettle, "").await), ([756, 76, 14, 666], json!("all")));
    assert_eq!(of(shown(pans, eve, &a_pan, "&quantity=2").await), ([1_512, 184, 35, 1_293], json!("pans")));
    shown(kettles, ada, &a_pan, "").await.expect_problem(404, "product.missing");
    shown(kettles, ada, &a_kettle, "&quantity=0").await.expect_problem(400, "request.invalid_query");
    for wrong in ["", &format!("?product={a_kettle}&amount=-1&currency=EUR"), "?product=x&amount=1&currency=EUR"] {
        market.account(kettles, ada, &format!("commission{wrong}")).await.expect_problem(400, "request.invalid_query");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_keep_the_rules_and_are_told_what_is_wrong() {
    let market = Market::open().await;
    let shop = &market.shop;
    let all = json!({"rule": "all", "rate_ppm": 100_000});
    let body = json!({"rules": [all], "tax_ppm": 190_000});
    let put = |role| shop.put(RULES).by(&shop.token(role)).json(body.clone());
    put(Role::Admin).send().await.expect_problem(428, "request.precondition_required");
    put(Role::Support).header("If-Match", "*").send().await.expect_problem(403, "auth.forbidden");
    let set = put(Role::Admin).header("If-Match", "\"0\"").send().await.expect(200);
    assert_eq!((set.text("/rules/0/rule"), set.body["tax_ppm"].as_i64()), ("all", Some(190_000)));
    put(Role::Admin).header("If-Match", "\"0\"").send().await.expect(412);
    let read = shop.get(RULES).by(&shop.token(Role::Support)).send().await.expect(200);
    assert_eq!(read.body, set.body);
    // What was read can be sent back.
    assert_eq!(market.set_rules(read.body.clone()).await.expect(200).body, read.body);
    let euros =
        |amounts: &[i64]| -> Value { amounts.iter().map(|it| json!({"amount": it, "currency": "EUR"})).collect() };
    let rule = |field: &str, value: Value| json!({"rule": "some", field: value});
    let band = json!([{"from": {"amount": 5, "currency": "EUR"}, "below": {"amount": 5, "currency": "EUR"}}]);
    for (rule, code, pointer) in [
        (json!({"rule": "all"}), "rule_twice", "/rules/1/rule"),
        (rule("rate_ppm", json!(1_000_001)), "no_rate", "/rules/1/rate_ppm"),
        (rule("bands", band), "no_band", "/rules/1/bands"),
        (rule("fixed", euros(&[1, 2])), "amount_twice", "/rules/1/fixed"),
        (json!({"rule": "x", "minimum": euros(&[2]), "maximum": euros(&[1])}), "no_range", "/rules/1/maximum"),
        (
            json!({"rule": "x", "valid_from": "2026-01-02", "valid_until": "2026-01-01"}),
            "no_period",
            "/rules/1/valid_until",
        ),
    ] {
        let refused = market.set_rules(json!({"rules": [all, rule]})).await;
        let refused = refused.expect_problem(422, &format!("commission_book.{code}"));
        assert_eq!(refused.text("/errors/0/pointer"), pointer, "{}", refused.body);
    }
    let refused = market.set_rules(json!({"rules": [], "tax_ppm": 1_000_001})).await;
    refused.expect_problem(422, "commission_book.no_tax");
    // What is left out stays.
    let kept = market.set_rules(json!({"rules": []})).await.expect(200);
    assert_eq!((&kept.body["rules"], kept.body["tax_ppm"].as_i64()), (&json!([]), Some(190_000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_has_the_commission_of_the_rules_of_its_moment() {
    let market = Market::open().await;
    let mut rates = BTreeMap::from([(None, 0)]);
    for round in 1..=6i64 {
        let rate = round * 10_000;
        let rules = json!({"rules": [{"rule": "all", "rate_ppm": rate}]});
        let wanted = [market.kettle.as_str(), &market.lamp];
        let (order, set) = tokio::join!(market.ordered(&wanted), market.set_rules(rules));
        set.expect(200);
        // The book has one event each time.
        rates.insert(Some(round), rate);
        let id: OrderId = id_of(&order).parse().unwrap();
        let found = market.shop.commands.get::<Order>(id).await.unwrap().unwrap();
        let lines = &found.state.live().unwrap().placement.lines;
        let charged = lines[0].commission.clone().unwrap();
        let version = charged.rule.map(|AppliedRule { version, .. }| version);
        assert_eq!(charged.amount.amount, 900 * rates[&version] / 1_000_000, "{version:?} of {rates:?}");
        assert_eq!(lines[1].commission, None, "the goods of the house");
    }
}
