//! The papers of an order: their numbers, without a gap whoever pays at the same time and whatever is read again.

use std::collections::BTreeSet;

use byteshop_commands::notify::Outside;
use byteshop_domain::Decider as _;
use byteshop_domain::series::Series;
use byteshop_gateway::token::Role;
use byteshop_tests::patience::eventually;
use byteshop_tests::shop::{GuestCart, TestShop};
use chrono::{Datelike as _, Utc};
use futures_util::future::join_all;
use serde_json::json;

/// An order that is not paid yet.
struct Bought {
    path: String,
    cart: GuestCart,
}

async fn buy(shop: &TestShop, variant: &str, quantity: i64) -> Bought {
    let (placed, cart) = shop.order(variant, quantity).await;
    Bought { path: format!("/v1/orders/{}", placed.text("/order_id")), cart }
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
        let found = shop.get(&path).by(&staff).header("Min-Log-Position", &head).send().await.expect(200);
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
    let (database, log) = (shop.database.clone(), shop.log.clone());
    drop(shop);
    // As after a crash that lost all that the processes knew of how far they were: every event is read again.
    let again = eventually("the processes of the first shop are gone", async || {
        sqlx::query("delete from log.process").execute(log.pool()).await.unwrap();
        let leads: i64 = sqlx::query_scalar("select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())")
            .fetch_one(log.pool()).await.unwrap();
        (leads == 0).then_some(())
    });
    again.await;
    let shop = TestShop::reaching(database, Outside::kept(&log)).await;
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
        let page = shop.get(&format!("{}/credit-notes/print", order.path)).with(&order.cart).send().await.expect(200);
        let page = page.body.as_str().unwrap().to_owned();
        let at = page.find("CN-").unwrap();
        given.insert(page[at..].split('<').next().unwrap().trim().to_owned());
    }
    assert_eq!(given, numbers("CN", 1, NOTES));
}
