//! What papers say: of the seller and the payment, of taxes given back, of what lies in a parcel; and the numbers that are
//! left out after a restored backup.

use std::collections::BTreeSet;

use byteshop_commands::Intent;
use byteshop_commands::notify::outside::Outside;
use byteshop_commands::notify::words::ShopDetails;
use byteshop_domain::Actor;
use byteshop_domain::issuer::Issuer;
use byteshop_domain::series::{of_credit_notes, of_invoices};
use byteshop_domain::text::Reason;
use byteshop_eventstore::{Clock, Log};
use byteshop_gateway::security::token::Role;
use byteshop_gateway::trade::Trade;
use byteshop_tests::patience::eventually;
use byteshop_tests::servers::fresh_database;
use byteshop_tests::shop::{GuestCart, TestShop, address};
use chrono::{Datelike as _, Utc};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// An order of a guest.
struct Bought {
    path: String,
    cart: GuestCart,
}

async fn buy(shop: &TestShop, variants: &[(&str, i64)]) -> Bought {
    let cart = shop.guest_cart().await;
    let path = format!("/v1/carts/{}", cart.id);
    for (variant, quantity) in variants {
        let quantity = json!({"quantity": quantity});
        shop.put(&format!("{path}/lines/{variant}")).with(&cart).json(quantity).send().await.expect(200);
    }
    shop.put(&format!("{path}/address")).with(&cart).json(address("DE")).send().await.expect(200);
    let placed = shop.post(&format!("{path}/checkout")).with(&cart).send().await.expect(201);
    Bought { path: format!("/v1/orders/{}", placed.text("/id")), cart }
}

impl Bought {
    async fn is(&self, shop: &TestShop) -> Value {
        shop.get(&self.path).with(&self.cart).send().await.expect(200).body
    }

    /// Pays it, and gives the number of its invoice.
    async fn pay(&self, shop: &TestShop) -> String {
        let pay = json!({"provider": "test", "token": "tok_success"});
        shop.post(&format!("{}/payments", self.path)).with(&self.cart).json(pay).send().await.expect(201);
        eventually("the order has an invoice", async || self.is(shop).await["invoice"].as_str().map(str::to_owned))
            .await
    }

    async fn page(&self, shop: &TestShop, paper: &str) -> String {
        let page = shop.get(&format!("{}/{paper}", self.path)).with(&self.cart).send().await.expect(200);
        page.body.as_str().unwrap().to_owned()
    }

    async fn cancel(&self, shop: &TestShop, body: Value) {
        shop.post(&format!("{}/cancel", self.path)).with(&self.cart).json(body).send().await.expect(200);
    }

    /// The taxes of each credit note as rate, net and tax.
    async fn credited(&self, shop: &TestShop) -> Vec<Vec<[i64; 3]>> {
        let notes = shop.get(&format!("{}/credit-notes", self.path)).with(&self.cart).send().await.expect(200);
        let tax = |tax: &Value| {
            [&tax["rate_bps"], &tax["net"]["amount"], &tax["tax"]["amount"]].map(|it| it.as_i64().unwrap())
        };
        let taxes = |note: &Value| note["taxes"].as_array().unwrap().iter().map(tax).collect();
        notes.body["items"].as_array().unwrap().iter().map(taxes).collect()
    }
}

pub(super) fn shows(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part} in {page}");
    }
}

/// Prices in Germany include 19 % or 7 %.
pub(super) async fn taxed(shop: &TestShop) {
    let rate = |class: &str, rate: u16| json!({"class": class, "rate_bps": rate, "valid_from": "2021-01-01"});
    let rates = [rate("standard", 1_900), rate("reduced", 700)];
    let germany = json!({"country": "DE", "prices_include_tax": true, "rates": rates});
    let admin = shop.token(Role::Admin);
    let taxes = shop.put("/v1/admin/tax-rates").by(&admin).header("If-Match", "*");
    taxes.json(json!({"countries": [germany]})).send().await.expect(200);
}

async fn reduced(shop: &TestShop, sku: &str, price: i64) -> String {
    let (product, variant) = shop.product(sku, price, 10).await;
    let path = format!("/v1/products/{product}/variants/{variant}");
    let class = json!({"tax_class": "reduced"});
    shop.patch(&path).by(&shop.token(Role::Admin)).json(class).send().await.expect(200);
    variant
}

async fn refund(shop: &TestShop, order: &Bought, amount: i64) {
    let payment = order.is(shop).await["payment"].as_str().unwrap().to_owned();
    let body = json!({"amount": {"amount": amount, "currency": "EUR"}, "reason": "a scratch on the lid"});
    let staff = shop.token(Role::Admin);
    shop.post(&format!("/v1/payments/{payment}/refunds")).by(&staff).json(body).send().await.expect(201);
}

fn seller() -> Issuer {
    Issuer {
        name: "Knob & Sons".into(),
        address: vec!["Yard 7".into(), "10115 Berlin".into()],
        tax_id: Some("DE123456789".into()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_notes_take_back_the_tax_that_was_paid_and_no_more() {
    let shop = TestShop::start().await;
    taxed(&shop).await;
    let (_, lamp) = shop.product("T-1", 11_900, 10).await;
    let book = reduced(&shop, "T-2", 1_070).await;
    let order = buy(&shop, &[(&lamp, 2), (&book, 1)]).await;
    order.pay(&shop).await;
    shows(&order.page(&shop, "invoice").await, &["net €100.00", "19 % tax on €200.00", "€38.00", "€0.70"]);
    // 1.00 of 248.70: 0.96 of it at 19 %, 0.04 at 7 %.
    refund(&shop, &order, 100).await;
    assert_eq!(order.credited(&shop).await, [vec![[1_900, 81, 15], [700, 4, 0]]]);
    shows(&order.page(&shop, "credit-notes/print").await, &["a scratch on the lid", "19 % tax on €0.81", "€0.15"]);
    order.cancel(&shop, json!({"lines": [{"variant": lamp, "quantity": 1}]})).await;
    assert_eq!(order.credited(&shop).await[1], [[1_900, 10_000, 1_900]]);
    // What is left goes back, although not all of the money has gone yet: less the 1.00 that has its document.
    order.cancel(&shop, json!({})).await;
    let notes = order.credited(&shop).await;
    for (rate, net, tax) in [(1_900, 20_000, 3_800), (700, 1_000, 70)] {
        let back =
            notes.iter().flatten().filter(|it| it[0] == rate).fold([0; 2], |sum, it| [sum[0] + it[1], sum[1] + it[2]]);
        assert_eq!(back, [net, tax], "{notes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_taxes_what_is_paid_and_not_what_was_called_off_before() {
    let shop = TestShop::start().await;
    taxed(&shop).await;
    let (_, lamp) = shop.product("T-3", 11_900, 10).await;
    let order = buy(&shop, &[(&lamp, 3)]).await;
    order.cancel(&shop, json!({"lines": [{"variant": lamp, "quantity": 1}]})).await;
    shows(&order.page(&shop, "invoice").await, &["Cancelled before payment", "19 % tax on €200.00"]);
    order.pay(&shop).await;
    shows(&order.page(&shop, "invoice").await, &["19 % tax on €200.00", "€38.00", "€238.00"]);
    order.cancel(&shop, json!({})).await;
    assert_eq!(order.credited(&shop).await, [vec![[1_900, 20_000, 3_800]]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_tells_how_it_was_paid_and_who_sells_and_staff_what_is_lacking() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("S-1", 1_000, 10).await;
    let order = buy(&shop, &[(&variant, 1)]).await;
    assert!(!order.page(&shop, "invoice").await.contains("Paid on"));
    order.pay(&shop).await;
    let reference = "select data ->> 'reference' from log.event where category = 'payment' and type = 'captured'";
    let reference: String = sqlx::query_scalar(reference).fetch_one(shop.log.pool()).await.unwrap();
    let today = Utc::now().format("%-d %B %Y").to_string();
    let page = order.page(&shop, "invoice").await;
    shows(&page, &["Paid on", &today, "test provider", "Reference", &reference]);
    // Whoever buys is not told what the shop has left undone, and staff is; not through a buyer's link.
    let lacks = ["BYTESHOP_SELLER_ADDRESS", "BYTESHOP_SELLER_TAX_ID"];
    let staff = shop.token(Role::Support);
    let as_staff = async |shop: &TestShop, path: &str| {
        shop.get(path).by(&staff).send().await.expect(200).body.as_str().unwrap().to_owned()
    };
    refund(&shop, &order, 100).await;
    for paper in ["invoice", "credit-notes/print"] {
        shows(&as_staff(&shop, &format!("{}/{paper}", order.path)).await, &lacks);
        assert!(!order.page(&shop, paper).await.contains("BYTESHOP_"));
    }
    let link = order.is(&shop).await["papers"]["invoice"].as_str().unwrap().to_owned();
    assert!(!as_staff(&shop, &link).await.contains("BYTESHOP_"));
    let complete = shop.beside().trading(Trade { issuer: seller(), ..Trade::default() }).await;
    // What was issued before stays as it was.
    assert!(!as_staff(&complete, &format!("{}/invoice", order.path)).await.contains("Knob"));
    let next = buy(&complete, &[(&variant, 1)]).await;
    let page = as_staff(&complete, &format!("{}/invoice", next.path)).await;
    shows(&page, &["Knob &amp; Sons", "Yard 7", "10115 Berlin", "DE123456789"]);
    assert!(!page.contains("BYTESHOP_"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_costs_nothing_says_that_there_was_nothing_to_pay() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("S-2", 0, 10).await;
    let order = buy(&shop, &[(&variant, 1)]).await;
    eventually("it is paid", async || order.is(&shop).await["invoice"].as_str().map(drop)).await;
    let page = order.page(&shop, "invoice").await;
    shows(&page, &["nothing to pay"]);
    assert!(!page.contains("Reference"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_packing_list_of_a_prepared_parcel_lists_its_pieces() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let ((_, cup), (_, pot)) = (shop.product("PACK-CUP", 1_000, 10).await, shop.product("PACK-POT", 2_000, 10).await);
    let order = buy(&shop, &[(&cup, 3), (&pot, 1)]).await;
    order.pay(&shop).await;
    let list = async || {
        let path = format!("{}/packing-list", order.path);
        shop.get(&path).by(&staff).send().await.expect(200).body.as_str().unwrap().to_owned()
    };
    shows(&list().await, &["4 items to pack", "PACK-CUP", "PACK-POT"]);
    let prepare = async |body: Value| {
        shop.post(&format!("{}/shipments", order.path)).by(&staff).json(body).send().await.expect(201).id()
    };
    let first = prepare(json!({"lines": [{"variant": cup, "quantity": 2}]})).await;
    shows(&list().await, &["4 items to pack", "2 items</h2>", "PACK-CUP", "PACK-POT"]);
    let lines = json!({"lines": [{"variant": cup, "quantity": 1}, {"variant": pot, "quantity": 1}]});
    prepare(lines).await;
    let all = list().await;
    shows(&all, &["4 items to pack", "PACK-CUP", "PACK-POT"]);
    assert_eq!(all.matches("2 items</h2>").count(), 2, "{all}");
    assert!(!all.contains("Nothing is left"), "{all}");
    let first = format!("/v1/shipments/{first}");
    shop.post(&format!("{first}/pack")).by(&staff).json(json!({"weight_g": 900})).send().await.expect(200);
    shop.post(&format!("{first}/hand-over")).by(&staff).send().await.expect(200);
    let rest = eventually("the parcel is on its way", async || {
        let rest = list().await;
        rest.contains("2 items, handed over</h2>").then_some(rest)
    })
    .await;
    shows(&rest, &["2 items to pack", "PACK-CUP", "PACK-POT"]);
}

/// The mails to whoever buys here, once one of them has this subject.
async fn mail(shop: &TestShop, subject: &str) -> Value {
    mail_to(shop, "rahel@example.org", subject).await
}

/// A mail to an address with this subject.
pub(super) async fn mail_to(shop: &TestShop, to: &str, subject: &str) -> Value {
    eventually(&format!("a mail {subject}"), async || {
        let path = format!("/dev/mail?to={to}");
        let mails = shop.get(&path).header("Accept", "application/json").send().await.expect(200);
        let all = mails.body["items"].as_array().unwrap().clone();
        all.into_iter().find(|mail| mail["subject"].as_str().unwrap().contains(subject))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_of_a_whole_cancellation_tells_what_is_cancelled_now() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let ((_, cup), (_, pot)) = (shop.product("MAIL-CUP", 1_000, 10).await, shop.product("MAIL-POT", 2_000, 10).await);
    for paid in [true, false] {
        let order = buy(&shop, &[(&cup, 2), (&pot, 1)]).await;
        if paid {
            order.pay(&shop).await;
        }
        order.cancel(&shop, json!({"lines": [{"variant": cup, "quantity": 1}, {"variant": pot, "quantity": 1}]})).await;
        // A guest who cancels an unpaid order themselves is not told.
        shop.post(&format!("{}/cancel", order.path)).by(&staff).json(json!({})).send().await.expect(200);
        let number = order.is(&shop).await["number"].as_str().unwrap().to_owned();
        let mail = mail(&shop, &format!("Order {number} is cancelled")).await;
        let text = mail["text"].as_str().unwrap();
        shows(text, &["1 × Thing MAIL-CUP: €10.00", "Total: €10.00"]);
        assert!(!text.contains("MAIL-POT"), "{text}");
    }
    let order = buy(&shop, &[(&cup, 2), (&pot, 1)]).await;
    shop.post(&format!("{}/cancel", order.path)).by(&staff).json(json!({})).send().await.expect(200);
    let number = order.is(&shop).await["number"].as_str().unwrap().to_owned();
    let mail = mail(&shop, &format!("Order {number} is cancelled")).await;
    shows(mail["text"].as_str().unwrap(), &["2 × Thing MAIL-CUP: €20.00", "1 × Thing MAIL-POT: €20.00", "€40.00"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_of_an_accepted_return_says_where_to() {
    let database = fresh_database().await;
    let log = Log::open(&database).unwrap();
    let return_address = vec!["Knob & Sons, returns".to_owned(), "Yard 7".into()];
    let details = ShopDetails { name: "ByteShop".into(), return_address, ..ShopDetails::default() };
    let shop = TestShop::on(database).reaching(Outside { details, ..Outside::kept(&log) }).await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("BACK-1", 1_000, 10).await;
    let order = buy(&shop, &[(&variant, 1)]).await;
    order.pay(&shop).await;
    shop.post(&format!("{}/fulfil", order.path)).by(&staff).send().await.expect(200);
    let body = json!({"lines": [{"variant": variant, "quantity": 1}], "reason": "changed_mind"});
    let back = shop.post(&format!("{}/returns", order.path)).with(&order.cart).json(body).send().await.expect(201).id();
    let approved = shop.post(&format!("/v1/returns/{back}/approve")).by(&staff).send().await.expect(200);
    let warning = approved.text("/warnings/0");
    assert!(warning.contains("BYTESHOP_RETURN_ADDRESS"), "the settings of this shop have none: {warning}");
    let mail = mail(&shop, "is approved").await;
    shows(mail["text"].as_str().unwrap(), &["Send them to:", "Knob & Sons, returns\nYard 7"]);
    shows(mail["html"].as_str().unwrap(), &["Knob &amp; Sons, returns<br>"]);
}

fn operator() -> Intent {
    Intent::new(Actor::System { name: "operator".into() }, "series.skip", Clock.new_id())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_that_are_left_out_while_the_shop_is_open_are_given_to_nobody() {
    const ORDERS: usize = 24;
    let shop = TestShop::start().await;
    let beside = shop.beside().await;
    let (_, variant) = shop.product("GAP-1", 1_000, 1_000).await;
    let wanted = [(variant.as_str(), 1)];
    let orders = join_all((0..ORDERS).map(|_| buy(&shop, &wanted))).await;
    let (year, reason) = (Utc::now().year(), Reason::new("backup of 3 May restored").unwrap());
    // The numbers from some moment of the sale up to 1000 are on papers that the log does not know.
    let paying = join_all(orders.iter().enumerate().map(|(at, order)| order.pay([&shop, &beside][at % 2])));
    let intent = operator();
    let skipping = beside.commands.skip_numbers(&intent, of_invoices(None, year), 1_000, &reason);
    let (given, skipped) = tokio::join!(paying, skipping);
    assert_eq!(skipped.unwrap(), 1_000);
    let given: BTreeSet<i64> = given.iter().map(|it| it.rsplit('-').next().unwrap().parse().unwrap()).collect();
    assert_eq!(given.len(), ORDERS, "a number was given twice");
    let before = given.iter().filter(|number| **number <= 1_000).count();
    let expected = (1..=before).chain(1_001..=1_000 + ORDERS - before).map(|it| i64::try_from(it).unwrap());
    assert_eq!(given, expected.collect());
    // Said once more it changes nothing, and nobody goes back.
    let last = beside.commands.skip_numbers(&operator(), of_invoices(None, year), 1_000, &reason).await;
    assert!(last.is_err(), "{last:?}");
    let other = of_credit_notes(None, year);
    for _ in 0..2 {
        assert_eq!(shop.commands.skip_numbers(&operator(), other, 7, &reason).await.unwrap(), 7);
    }
    refund(&shop, &orders[0], 100).await;
    let notes = shop.get(&format!("{}/credit-notes", orders[0].path)).with(&orders[0].cart).send().await.expect(200);
    assert_eq!(notes.text("/items/0/number"), format!("CN-{year}-000008"));
    let gaps: Vec<(Value, Value)> = sqlx::query_as(
        "select data, meta from log.event where category = 'series' and type = 'skipped' order by position",
    )
    .fetch_all(shop.log.pool())
    .await
    .unwrap();
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    assert_eq!((&gaps[0].0["to"], &gaps[0].0["reason"]), (&json!(1_000), &json!("backup of 3 May restored")));
    assert_eq!(gaps[0].1["actor"]["name"], "operator");
}
