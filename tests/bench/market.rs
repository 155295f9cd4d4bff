//! Journeys with goods of two sellers and a licence key in one order, beside plain ones with as many requests, and what they cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::http::Client;
use crate::journey::{ADDRESS, settle};
use crate::processes;
use crate::report::{Report, percentile};
use crate::shop::{Goods, Shop, text};

/// Clients at once.
const CLIENTS: usize = 8;
/// Journeys of each kind that are measured, after a tenth of them to warm up.
const JOURNEYS: usize = 1_000;
/// More than all journeys buy.
const STOCK: usize = 100_000;
/// Keys in the pool: one for each journey, and those of the warm-up.
const KEYS: usize = 2 * JOURNEYS;
/// How long an order may take to be paid and to have its key.
const WITHIN: Duration = Duration::from_secs(30);
/// Between two looks at an order.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Measures both kinds, one after the other, twice in turn: the machine may be slower for a while.
pub async fn run(shop: &Shop, goods: &[Goods], report: &mut Report) -> Result<()> {
    let mut staff = Client::connect(&shop.base).await?;
    let house = &goods[..3];
    let mixed = [seller_goods(shop, "kettles").await?, seller_goods(shop, "pans").await?, key(shop, &mut staff).await?];
    let plain = Basket { variants: house.iter().map(|it| it.variant.clone()).collect(), has_key: false };
    let mixed = Basket { variants: mixed.to_vec(), has_key: true };
    let (plain, mixed) = (Arc::new(plain), Arc::new(mixed));
    let mut costs = [[0.0; 2]; 2];
    for round in &mut costs {
        for (basket, cost) in [&plain, &mixed].into_iter().zip(round) {
            *cost = at(shop, basket, report).await?;
        }
    }
    let [plain, mixed] = [0, 1].map(|kind| f64::midpoint(costs[0][kind], costs[1][kind]));
    report.beside("journey with two sellers and a key, against three goods of the house", mixed, "CPU-ms", plain);
    Ok(())
}

/// What is bought in one order.
struct Basket {
    variants: Vec<String>,
    /// Whether a licence key is among it, which the buyer reveals.
    has_key: bool,
}

impl Basket {
    fn name(&self) -> &'static str {
        if self.has_key { "two sellers and a key" } else { "three goods of the house" }
    }
}

/// Journeys with a basket; gives what one costs in milliseconds of processor time.
async fn at(shop: &Shop, basket: &Arc<Basket>, report: &mut Report) -> Result<f64> {
    many(shop, basket, JOURNEYS / 10).await?;
    settle(shop).await?;
    let before = processes::cost(shop.pid)?;
    let mut times = many(shop, basket, JOURNEYS / 2).await?;
    settle(shop).await?;
    let cost = processes::cost(shop.pid)?.since(&before).total() / times.len() as f64;
    times.sort_by(f64::total_cmp);
    let name = |what: &str| format!("journey with {}, {CLIENTS} clients, {what}", basket.name());
    report.add(name("processor"), cost, "CPU-ms");
    for (share, label) in [(0.5, "p50"), (0.99, "p99")] {
        report.add(name(label), percentile(&times, share), "ms");
    }
    Ok(cost)
}

async fn many(shop: &Shop, basket: &Arc<Basket>, journeys: usize) -> Result<Vec<f64>> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut running = JoinSet::new();
    for _ in 0..CLIENTS {
        let (base, basket, next) = (shop.base.clone(), Arc::clone(basket), Arc::clone(&next));
        running.spawn(async move {
            let mut client = Client::connect(&base).await?;
            let mut times = Vec::new();
            while next.fetch_add(1, Ordering::Relaxed) < journeys {
                let started = Instant::now();
                buy(&mut client, &basket).await?;
                times.push(started.elapsed().as_secs_f64() * 1_000.0);
            }
            anyhow::Ok(times)
        });
    }
    let mut all = Vec::new();
    while let Some(times) = running.join_next().await {
        all.extend(times??);
    }
    Ok(all)
}

/// From the cart to the paid order, and to the key if there is one.
async fn buy(client: &mut Client, basket: &Basket) -> Result<()> {
    let cart = client.ask("POST", "/v1/carts", &[], Some(r#"{"currency":"EUR"}"#)).await?.json(201)?;
    let token = text(&cart, "cart_token")?;
    let headers = [("Cart-Token", token.as_str())];
    let cart = format!("/v1/carts/{}", text(&cart, "id")?);
    for variant in &basket.variants {
        let line = format!("{cart}/lines/{variant}");
        client.ask("PUT", &line, &headers, Some(r#"{"quantity":1}"#)).await?.json(200)?;
    }
    client.ask("PUT", &format!("{cart}/address"), &headers, Some(ADDRESS)).await?.json(200)?;
    let order = client.ask("POST", &format!("{cart}/checkout"), &headers, None).await?.json(201)?;
    let order = format!("/v1/orders/{}", text(&order, "id")?);
    let payment = r#"{"provider":"test","token":"tok_success"}"#;
    client.ask("POST", &format!("{order}/payments"), &headers, Some(payment)).await?.json(201)?;
    let (started, reveal) = (Instant::now(), format!("{order}/keys/reveal"));
    loop {
        let is_done = if basket.has_key {
            let answer = client.ask("POST", &reveal, &headers, Some("{}")).await?;
            ensure!([200, 409].contains(&answer.status), "{} for a key", answer.status);
            answer.status == 200
        } else {
            client.ask("GET", &order, &headers, None).await?.json(200)?["payment_status"] == "paid"
        };
        if is_done {
            return Ok(());
        }
        if started.elapsed() > WITHIN {
            bail!("the order is not paid within {WITHIN:?}");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A new seller, and something that it sells; gives the variant.
async fn seller_goods(shop: &Shop, handle: &str) -> Result<String> {
    let email = format!("{handle}@example.org");
    let password = shop.account(&email).await?;
    let mut client = Client::connect(&shop.base).await?;
    let keys = json!({"email": email, "password": password}).to_string();
    let keys = client.ask("POST", "/v1/auth/login", &[], Some(&keys)).await?.json(200)?;
    let bearer = format!("Bearer {}", text(&keys, "access_token")?);
    let application = json!({"handle": handle, "name": handle, "description": "Made by hand", "country": "DE",
        "contact_email": email});
    let seller = ask(&mut client, &bearer, "/v1/sellers", &application, 201).await?;
    let seller = text(&seller, "id")?;
    shop.staff(&mut client, "POST", &format!("/v1/admin/sellers/{seller}/approve"), &json!({}), 200).await?;
    let product = json!({"title": format!("Something of {handle}"), "seller": seller});
    let product = ask(&mut client, &bearer, "/v1/products", &product, 201).await?;
    let path = format!("/v1/products/{}", text(&product, "id")?);
    let variant = json!({"sku": handle, "price": {"amount": 900, "currency": "EUR"}});
    let shown = ask(&mut client, &bearer, &format!("{path}/variants"), &variant, 201).await?;
    let variant = text(&shown["variants"][0], "id")?;
    ask(&mut client, &bearer, &format!("{path}/publish"), &json!({}), 200).await?;
    let moved = json!({"type": "received", "quantity": STOCK});
    ask(&mut client, &bearer, &format!("/v1/variants/{variant}/stock"), &moved, 200).await?;
    Ok(variant)
}

/// A licence key of the house; gives the variant.
async fn key(shop: &Shop, client: &mut Client) -> Result<String> {
    let Goods { variant, .. } = shop.sell_keys(client, "A licence", "LICENCE").await?;
    let keys: Vec<String> = (0..KEYS).map(|number| format!("{number:07}-LICENCE-KEY")).collect();
    let bearer = format!("Bearer {}", shop.token);
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "text/plain")];
    let answer =
        client.send("POST", &format!("/v1/variants/{variant}/keys"), &headers, &keys.join("\n")).await?.json(200)?;
    ensure!(answer["imported"] == KEYS, "{answer}");
    Ok(variant)
}

async fn ask(client: &mut Client, bearer: &str, path: &str, body: &Value, expected: u16) -> Result<Value> {
    let answer = client.ask("POST", path, &[("Authorization", bearer)], Some(&body.to_string())).await?;
    answer.json(expected).with_context(|| path.to_owned())
}
