//! The papers of an order: their numbers, without a gap whoever pays at the same time and whatever is read again; their
//! language; and the links that open them.

use std::collections::BTreeSet;

use byteshop_commands::notify::outside::Outside;
use byteshop_domain::Decider as _;
use byteshop_domain::series::Series;
use byteshop_eventstore::Log;
use byteshop_gateway::security::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{Answer, GuestCart, TestShop, address};
use chrono::{Datelike as _, Utc};
use futures_util::future::join_all;
use serde_json::{Value, json};

/// An order that is not paid yet.
struct Bought {
    path: String,
    cart: GuestCart,
}

async fn buy(shop: &TestShop, variant: &str, quantity: i64) -> Bought {
    let (placed, cart) = shop.order(variant, quantity).await;
    Bought { path: format!("/v1/orders/{}", placed.text("/id")), cart }
}

impl Bought {
    async fn pay(&self, shop: &TestShop) {
        let pay = json!({"provider": "test", "token": "tok_success"});
        shop.post(&format!("{}/payments", self.path)).with(&self.cart).json(pay).send().await.expect(201);
    }

    /// The number of its invoice, as soon as it has one.
    async fn number(&self, shop: &TestShop) -> String {
        eventually("the order has an invoice", async || {
            let order = shop.get(&self.path).with(&self.cart).send().await.expect(200);
            order.body["invoice"].as_str().map(str::to_owned)
        })
        .await
    }
}

/// The numbers `INV-2026-000001` and so on.
fn numbers(prefix: &str, from: usize, to: usize) -> BTreeSet<String> {
    let year = Utc::now().year();
    (from..=to).map(|number| format!("{prefix}-{year}-{number:06}")).collect()
}

async fn issued(shop: &TestShop) -> i64 {
    sqlx::query_scalar("select count(*) from log.event where category = $1")
        .bind(Series::CATEGORY)
        .fetch_one(shop.log.pool())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payments_at_the_same_time_take_numbers_without_a_gap() {
    const ORDERS: usize = 64;
    let shop = TestShop::start().await;
    let beside = shop.beside().await;
    let (_, variant) = shop.product("N-1", 1_000, 1_000).await;
    let orders = join_all((0..ORDERS).map(|_| buy(&shop, &variant, 1))).await;
    // Both processes take payments; one of them leads in settling them.
    join_all(orders.iter().enumerate().map(|(number, order)| order.pay([&shop, &beside][number % 2]))).await;
    let given: BTreeSet<String> = join_all(orders.iter().map(|order| order.number(&shop))).await.into_iter().collect();
    assert_eq!(given, numbers("INV", 1, ORDERS));
    assert_eq!(issued(&shop).await, i64::try_from(ORDERS).unwrap());
    // Nothing of what follows from a payment waits for the series: each order is paid once.
    let staff = shop.token(Role::Admin);
    let head = shop.log.head().await.unwrap().to_string();
    for number in &given {
        let path = format!("/v1/orders?invoice={number}");
        let found = shop.get(&path).by(&staff).after(&head).send().await.expect(200);
        assert_eq!(found.body["items"].as_array().unwrap().len(), 1, "{number}");
        assert_eq!(found.text("/items/0/invoice"), number);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_read_again_takes_no_number_and_a_new_process_goes_on_where_the_series_is() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("N-2", 1_000, 1_000).await;
    for number in 1..=3 {
        let order = buy(&shop, &variant, 1).await;
        order.pay(&shop).await;
        assert!(numbers("INV", number, number).contains(&order.number(&shop).await));
    }
    let last = buy(&shop, &variant, 1).await;
    shop.at_rest().await;
    let database = shop.database.clone();
    drop(shop);
    // As after a crash that lost all that the processes knew of how far they were: every event is read again.
    let log = Log::open(&database).unwrap();
    sqlx::query("delete from log.process").execute(log.pool()).await.unwrap();
    let shop = TestShop::on(database).reaching(Outside::kept(&log)).await;
    shop.at_rest().await;
    assert_eq!(issued(&shop).await, 3);
    last.pay(&shop).await;
    assert!(numbers("INV", 4, 4).contains(&last.number(&shop).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credit_notes_at_the_same_time_in_two_processes_have_a_series_of_their_own() {
    const NOTES: usize = 24;
    let shop = TestShop::start().await;
    let beside = shop.beside().await;
    let (_, variant) = shop.product("N-3", 1_000, 1_000).await;
    let orders = join_all((0..NOTES).map(|_| buy(&shop, &variant, 2))).await;
    for order in &orders {
        order.pay(&shop).await;
        order.number(&shop).await;
    }
    let staff = shop.token(Role::Admin);
    let body = json!({"lines": [{"variant": variant, "quantity": 1}]});
    join_all(orders.iter().enumerate().map(async |(number, order)| {
        let at = [&shop, &beside][number % 2];
        at.post(&format!("{}/cancel", order.path)).by(&staff).json(body.clone()).send().await.expect(200);
    }))
    .await;
    let mut given = BTreeSet::new();
    for order in &orders {
        let notes = shop.get(&format!("{}/credit-notes", order.path)).with(&order.cart).send().await.expect(200);
        given.insert(notes.text("/items/0/number").to_owned());
    }
    assert_eq!(given, numbers("CN", 1, NOTES));
}

/// An order of somebody who reads this language.
async fn buy_in(shop: &TestShop, variant: &str, language: &str) -> Bought {
    let cart = shop.full_cart(variant, 2).await;
    let path = format!("/v1/carts/{}", cart.id);
    let call = shop.put(&format!("{path}/address")).with(&cart).header("Accept-Language", language);
    call.json(address("DE")).send().await.expect(200);
    let placed = shop.post(&format!("{path}/checkout")).with(&cart).send().await.expect(201);
    Bought { path: format!("/v1/orders/{}", placed.text("/id")), cart }
}

fn shows(page: &Answer, parts: &[&str]) {
    let text = page.body.as_str().unwrap();
    for part in parts {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn papers_and_stories_speak_the_language_of_the_order_or_the_one_that_is_asked_for() {
    let shop = TestShop::start().await;
    let staff = shop.token(Role::Support);
    let (_, variant) = shop.product("N-4", 61_750, 10).await;
    let order = buy_in(&shop, &variant, "ru-RU,ru;q=0.9").await;
    let page = async |path: &str| shop.get(&format!("{}{path}", order.path)).with(&order.cart).send().await.expect(200);
    let before = page("/invoice").await;
    shows(&before, &["<html lang=\"ru\">", "Предварительный счёт", "Это не налоговый документ", "Оплатить до"]);
    for missing in ["INV-", "None", "none<", "undefined"] {
        assert!(!before.body.as_str().unwrap().contains(missing), "{missing}");
    }
    order.pay(&shop).await;
    let number = order.number(&shop).await;
    let russian = page("/invoice").await;
    assert_eq!(russian.header("content-language"), Some("ru"));
    shows(&russian, &[&number, "<h1>Счёт</h1>", "Германия", "617,50\u{a0}€", "1\u{a0}235,00\u{a0}€", "оплачен"]);
    shows(&page("/invoice?locale=en").await, &[&number, "<h1>Invoice</h1>", "Germany", "€1,235.00"]);
    let call = shop.get(&format!("{}/invoice", order.path)).with(&order.cart).header("Accept-Language", "en-GB");
    shows(&call.send().await.expect(200), &["<html lang=\"en\">", "Bill to"]);
    page("/invoice").await;
    shop.get(&format!("{}/invoice?locale=de", order.path))
        .with(&order.cart)
        .send()
        .await
        .expect_problem(400, "request.invalid_query");
    let told = async |path: &str| page(path).await.body["story"].to_string();
    let story = told("/history").await;
    for sentence in ["Гость заказал 2 товара на сумму 1\u{a0}235,00\u{a0}€.", &format!("Номер счёта: {number}.")]
    {
        assert!(story.contains(sentence), "{sentence} in {story}");
    }
    let story = told("/history?locale=en").await;
    assert!(story.contains(&format!("The order was paid. Its invoice is {number}.")), "{story}");
    // Whoever packs reads their own language, and a carrier English.
    let packing = shop.get(&format!("{}/packing-list?locale=ru", order.path)).by(&staff).send().await.expect(200);
    shows(&packing, &["Упаковочный лист", "2 штуки", "Германия"]);
    let one = json!({"lines": [{"variant": variant, "quantity": 1}]});
    shop.post(&format!("{}/cancel", order.path)).with(&order.cart).json(one.clone()).send().await.expect(200);
    shows(&page("/credit-notes/print").await, &["Кредит-нота", &number, "617,50\u{a0}€", "Германия"]);
    let parcel = shop.post(&format!("{}/shipments", order.path)).by(&staff).json(one).send().await.expect(201).id();
    let label = shop.get(&format!("/v1/shipments/{parcel}/label?locale=ru")).by(&staff).send().await.expect(200);
    shows(&label, &["Отправитель", "1 штука", "Germany"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_its_own_paper_until_it_ends() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("N-6", 1_000, 10).await;
    let (order, other) = (buy(&shop, &variant, 1).await, buy(&shop, &variant, 1).await);
    order.pay(&shop).await;
    let number = order.number(&shop).await;
    let seen = shop.get(&order.path).with(&order.cart).send().await.expect(200);
    let link = seen.text("/papers/invoice").to_owned();
    assert_eq!(seen.body["papers"]["credit_notes"], Value::Null);
    let opened = shop.get(&link).send().await.expect(200);
    shows(&opened, &[&number, "Invoice"]);
    assert_eq!(opened.header("cache-control"), Some("private, no-store"));
    assert_eq!(opened.header("referrer-policy"), Some("no-referrer"));
    shows(&shop.get(&format!("{link}&locale=ru")).send().await.expect(200), &["Счёт"]);

    let (path, query) = link.split_once('?').unwrap();
    let until: i64 = query.split(['=', '&']).nth(1).unwrap().parse().unwrap();
    let seal = query.rsplit('=').next().unwrap();
    let longer = format!("{path}?until={}&seal={seal}", until + 1);
    let broken = format!("{path}?until={until}&seal={}", seal.chars().rev().collect::<String>());
    let never = [
        format!("{}/invoice?{query}", other.path),
        format!("{}/credit-notes/print?{query}", order.path),
        longer,
        broken,
        format!("{path}?until={until}"),
        format!("{path}?seal={seal}"),
        format!("{path}?until=-9223372036854775808&seal="),
    ];
    for link in &never {
        shop.get(link).send().await.expect_problem(403, "link.invalid");
        // A link is judged alone, so a wrong one does not become right for the owner.
        shop.get(link).with(&order.cart).send().await.expect_problem(403, "link.invalid");
    }
    shop.get(&format!("{path}?until=soon&seal={seal}")).send().await.expect_problem(400, "request.invalid_query");
    shop.get(path).send().await.expect_problem(404, "order.missing");
    let gone = "/v1/orders/ord_00000000000000000000000001/invoice";
    shop.get(&format!("{gone}?{query}")).send().await.expect_problem(403, "link.invalid");

    let past = Utc::now().timestamp() - 1;
    let seal = shop.commands.vault().blind("paper", &format!("{path} {past}")).await.unwrap();
    let ended = format!("{path}?until={past}&seal={seal}");
    shop.get(&ended).send().await.expect_problem(403, "link.expired");
    let looked = shop.get(&ended).header("Accept", "text/html,*/*").header("Accept-Language", "ru").send().await;
    let looked = looked.expect(403);
    shows(&looked, &["Срок действия ссылки истёк"]);
    assert!(!looked.body.as_str().unwrap().contains(&number));
    let looked = shop.get(&never[0]).header("Accept", "text/html").send().await.expect(403);
    shows(&looked, &["This link does not work"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_order_that_is_called_off_has_one_credit_note_for_all_that_is_left() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("N-9", 1_000, 10).await;
    let order = buy(&shop, &variant, 3).await;
    order.pay(&shop).await;
    order.number(&shop).await;
    let cancel = |body: Value| shop.post(&format!("{}/cancel", order.path)).with(&order.cart).json(body).send();
    cancel(json!({"lines": [{"variant": variant, "quantity": 1}]})).await.expect(200);
    cancel(json!({})).await.expect(200);
    // Asked twice, it is off already.
    let off = cancel(json!({})).await.expect(200);
    assert_eq!(off.body["credit_notes"].as_array().unwrap().len(), 2, "{}", off.body);
    let notes = shop.get(&format!("{}/credit-notes/print", order.path)).with(&order.cart).send().await.expect(200);
    let numbers: Vec<String> = numbers("CN", 1, 2).into_iter().collect();
    shows(&notes, &[&numbers[0], &numbers[1], "€10.00", "€20.00"]);
    eventually("the money is back", async || {
        let order = shop.get(&order.path).with(&order.cart).send().await.expect(200);
        (order.body["refunded"]["amount"] == 3_000).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_paid_has_no_invoice_once_it_is_off() {
    let shop = TestShop::start().await;
    let (_, variant) = shop.product("N-7", 1_000, 10).await;
    let order = buy(&shop, &variant, 1).await;
    shop.post(&format!("{}/cancel", order.path)).with(&order.cart).json(json!({})).send().await.expect(200);
    let path = format!("{}/invoice", order.path);
    shop.get(&path).with(&order.cart).send().await.expect_problem(409, "order.not_paid");
    let seen = shop.get(&order.path).with(&order.cart).send().await.expect(200);
    assert_eq!((&seen.body["papers"]["invoice"], &seen.body["invoice"]), (&Value::Null, &Value::Null));
    assert_eq!(issued(&shop).await, 0);
}
