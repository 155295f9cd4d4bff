//! Whole journeys over HTTP, from the list of products to the paid order, with what they cost all processes of the shop.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use byteshop_eventstore::Clock;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::http::Client;
use crate::processes;
use crate::report::{Report, percentile};
use crate::shop::{Goods, Shop, text};
use crate::statements;

/// Things on sale.
const PRODUCTS: usize = 100;
/// More than all journeys buy.
const STOCK: i64 = 1_000_000;
/// Journeys before anything is measured: caches are filled, connections opened, plans made.
const WARM_UP: usize = 500;
/// How many journeys are measured at so many clients; their time is bounded by [`AT_MOST`] too.
const MEASURED: [(usize, usize); 3] = [(1, 3_000), (8, 3_000), (32, 6_000)];
/// The longest that one number of clients is measured.
const AT_MOST: Duration = Duration::from_secs(75);
/// After a run the views and the processes still work for it; this belongs to its cost.
const SETTLED_WITHIN: Duration = Duration::from_secs(30);
/// Nothing is left to do when the log did not grow at so many looks: a process waits less than a tenth of a second before it acts.
const STILL: u32 = 3;
/// How long an order may take to be paid.
const PAID_WITHIN: Duration = Duration::from_secs(10);
/// Before the second question whether the order is paid; twice as long before each later one.
const ASK_AGAIN: Duration = Duration::from_millis(2);
/// Processor milliseconds of a journey of Vendure 3.7.3 on a machine like this one: the least of what was measured.
const VENDURE_MS: f64 = 111.0;
/// A hundredth of it.
const AIM_MS: f64 = 1.2;

/// The steps of a journey.
pub const STEPS: [&str; 9] =
    ["list products", "product", "create cart", "put line", "change quantity", "address", "checkout", "pay", "paid"];

/// What some journeys took.
#[derive(Default)]
pub struct Taken {
    /// Milliseconds of each step, in the order of [`STEPS`]; the last one is all questions until the order is paid.
    pub steps: [Vec<f64>; STEPS.len()],
    /// Requests, questions whether the order is paid included.
    pub requests: usize,
    /// Journeys.
    pub journeys: usize,
}

impl Taken {
    fn add(&mut self, other: Self) {
        for (all, one) in self.steps.iter_mut().zip(other.steps) {
            all.extend(one);
        }
        self.requests += other.requests;
        self.journeys += other.journeys;
    }
}

/// Measures and reports.
pub async fn run(shop: &Shop, goods: &Arc<Vec<Goods>>, report: &mut Report) -> Result<()> {
    many(shop, goods, 8, WARM_UP).await?;
    for (clients, journeys) in MEASURED {
        at(shop, goods, clients, journeys, report).await?;
    }
    statements::run(shop, goods, report).await
}

/// Fills the shop.
pub async fn stock_up(shop: &Shop) -> Result<Vec<Goods>> {
    let mut client = Client::connect(&shop.base).await?;
    let mut goods = Vec::with_capacity(PRODUCTS);
    for number in 0..PRODUCTS {
        goods.push(shop.sell(&mut client, number, STOCK).await?);
    }
    Ok(goods)
}

async fn at(shop: &Shop, goods: &Arc<Vec<Goods>>, clients: usize, journeys: usize, report: &mut Report) -> Result<()> {
    let before = processes::cost(shop.pid)?;
    let started = Instant::now();
    let mut taken = many(shop, goods, clients, journeys).await?;
    let seconds = started.elapsed().as_secs_f64();
    settle(shop).await?;
    let cost = processes::cost(shop.pid)?.since(&before);
    let done = taken.journeys as f64;
    let name = |what: &str| format!("journey, {clients} clients, {what}");
    report.add(name("journeys measured"), done, "journeys");
    report.add(name("rate"), done / seconds, "journeys/s");
    report.add(name("requests"), taken.requests as f64 / seconds, "requests/s");
    report.add(name("requests of one"), taken.requests as f64 / done, "requests");
    for (step, times) in STEPS.iter().zip(&mut taken.steps) {
        times.sort_by(f64::total_cmp);
        for (share, label) in [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")] {
            report.add(name(&format!("{step}, {label}")), percentile(times, share), "ms");
        }
    }
    for (program, spent) in &cost.0 {
        report.add(name(&format!("processor, {program}")), spent / done, "CPU-ms");
    }
    let total = cost.total() / done;
    report.beside(name("processor, against Vendure 3.7.3"), total, "CPU-ms", VENDURE_MS);
    report.beside(name("processor, against our aim"), total, "CPU-ms", AIM_MS);
    for (program, megabytes) in processes::memory(shop.pid)? {
        report.add(name(&format!("memory, {program}")), megabytes, "MB");
    }
    Ok(())
}

/// Many journeys by some clients beside each other.
pub async fn many(shop: &Shop, goods: &Arc<Vec<Goods>>, clients: usize, journeys: usize) -> Result<Taken> {
    let next = Arc::new(AtomicUsize::new(0));
    let deadline = Instant::now() + AT_MOST;
    let mut running = JoinSet::new();
    for _ in 0..clients {
        let (base, goods, next) = (shop.base.clone(), Arc::clone(goods), Arc::clone(&next));
        running.spawn(async move {
            let mut client = Client::connect(&base).await?;
            let mut taken = Taken::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= journeys || Instant::now() > deadline {
                    return anyhow::Ok(taken);
                }
                one(&mut client, &goods[number % goods.len()], &mut taken).await?;
            }
        });
    }
    let mut all = Taken::default();
    while let Some(taken) = running.join_next().await {
        all.add(taken??);
    }
    Ok(all)
}

/// One journey: nine kinds of requests, each with what a careful client sends.
async fn one(client: &mut Client, goods: &Goods, taken: &mut Taken) -> Result<()> {
    let mut journey = Journey { client, taken, token: String::new() };
    journey.step(0, "GET", "/v1/products?limit=20", None, 200).await?;
    journey.step(1, "GET", &format!("/v1/products/{}", goods.product), None, 200).await?;
    let cart = journey.step(2, "POST", "/v1/carts", Some(r#"{"currency":"EUR"}"#), 201).await?;
    journey.token = text(&cart, "cart_token")?;
    let cart = format!("/v1/carts/{}", text(&cart, "id")?);
    let line = format!("{cart}/lines/{}", goods.variant);
    journey.step(3, "PUT", &line, Some(r#"{"quantity":1}"#), 200).await?;
    journey.step(4, "PUT", &line, Some(r#"{"quantity":2}"#), 200).await?;
    journey.step(5, "PUT", &format!("{cart}/address"), Some(ADDRESS), 200).await?;
    let order = journey.step(6, "POST", &format!("{cart}/checkout"), None, 201).await?;
    let order = format!("/v1/orders/{}", text(&order, "id")?);
    journey.step(7, "POST", &format!("{order}/payments"), Some(PAYMENT), 201).await?;
    journey.paid(&order).await?;
    taken.journeys += 1;
    Ok(())
}

/// Where it goes.
pub const ADDRESS: &str = r#"{"country":"DE","postal_code":"10115","city":"Berlin","name":"Ada Lovelace","lines":["Invalidenstraße 43"],
"email":"ada@example.org"}"#;
const PAYMENT: &str = r#"{"provider":"test","token":"tok_success"}"#;

struct Journey<'a> {
    client: &'a mut Client,
    taken: &'a mut Taken,
    token: String,
}

impl Journey<'_> {
    async fn step(
        &mut self,
        step: usize,
        method: &str,
        path: &str,
        body: Option<&str>,
        expected: u16,
    ) -> Result<Value> {
        let asked = Instant::now();
        let value = self.ask(method, path, body, expected).await?;
        self.taken.steps[step].push(milliseconds(asked));
        Ok(value)
    }

    async fn ask(&mut self, method: &str, path: &str, body: Option<&str>, expected: u16) -> Result<Value> {
        let key = if method == "POST" { Clock.new_id().to_string() } else { String::new() };
        let headers = [("Cart-Token", self.token.as_str()), ("Idempotency-Key", key.as_str())];
        let headers: Vec<_> = headers.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        self.taken.requests += 1;
        let answer = self.client.ask(method, path, &headers, body).await?;
        answer.json(expected).with_context(|| format!("{method} {path}"))
    }

    /// Asks until the order is paid.
    async fn paid(&mut self, order: &str) -> Result<()> {
        let (asked, mut pause) = (Instant::now(), ASK_AGAIN);
        loop {
            let shown = self.ask("GET", order, None, 200).await?;
            if shown["payment_status"] == "paid" {
                self.taken.steps[STEPS.len() - 1].push(milliseconds(asked));
                return Ok(());
            }
            if asked.elapsed() > PAID_WITHIN {
                bail!("it is never paid: {shown}");
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }
}

/// A cart that is ready for checkout: its path and its token.
pub async fn full_cart(client: &mut Client, goods: &Goods) -> Result<(String, String)> {
    let mut taken = Taken::default();
    let mut journey = Journey { client, taken: &mut taken, token: String::new() };
    let cart = journey.ask("POST", "/v1/carts", Some(r#"{"currency":"EUR"}"#), 201).await?;
    journey.token = text(&cart, "cart_token")?;
    let cart = format!("/v1/carts/{}", text(&cart, "id")?);
    journey.ask("PUT", &format!("{cart}/lines/{}", goods.variant), Some(r#"{"quantity":1}"#), 200).await?;
    journey.ask("PUT", &format!("{cart}/address"), Some(ADDRESS), 200).await?;
    Ok((cart, journey.token))
}

/// Waits until the shop has nothing left to do: the log stands still and every view is at its end.
pub async fn settle(shop: &Shop) -> Result<()> {
    use sqlx::Connection as _;
    let mut connection = sqlx::PgConnection::connect(&shop.database_url).await?;
    let (started, mut seen, mut still) = (Instant::now(), 0, 0);
    while started.elapsed() < SETTLED_WITHIN {
        let (head, behind): (i64, i64) = sqlx::query_as(
            "select position, (select count(*) from read.checkpoint c where c.position < h.position) from log.head h",
        )
        .fetch_one(&mut connection)
        .await?;
        still = if behind == 0 && seen == head { still + 1 } else { 0 };
        if still == STILL {
            return Ok(());
        }
        seen = head;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("the views are still behind after {SETTLED_WITHIN:?}");
    Ok(())
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}
