//! One product that everybody wants: far more checkouts than there is stock, and not one too many succeeds.

use std::time::Instant;

use anyhow::{Result, bail};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::http::Client;
use crate::journey;
use crate::report::{Report, percentile};
use crate::shop::Shop;

/// How many there are.
const STOCK: i64 = 500;
/// How many want one.
const ATTEMPTS: usize = 2_000;
/// Who want it at the same time.
const CLIENTS: usize = 32;
/// No other product has it.
const NUMBER: usize = 1_000_000;

/// Measures and reports.
pub async fn run(shop: &Shop, report: &mut Report) -> Result<()> {
    let mut staff = Client::connect(&shop.base).await?;
    let goods = shop.sell(&mut staff, NUMBER, STOCK).await?;
    let mut filling = JoinSet::new();
    for _ in 0..CLIENTS {
        let (base, goods) = (shop.base.clone(), goods.clone());
        filling.spawn(async move {
            let mut client = Client::connect(&base).await?;
            let mut carts = Vec::new();
            for _ in 0..ATTEMPTS.div_ceil(CLIENTS) {
                carts.push(journey::full_cart(&mut client, &goods).await?);
            }
            anyhow::Ok((client, carts))
        });
    }
    let mut ready = Vec::new();
    while let Some(carts) = filling.join_next().await {
        ready.push(carts??);
    }
    let started = Instant::now();
    let mut buying = JoinSet::new();
    let mut left = ATTEMPTS;
    for (mut client, mut carts) in ready {
        carts.truncate(left);
        left -= carts.len();
        buying.spawn(async move {
            let (mut sold, mut times) = (0, Vec::new());
            for (cart, token) in carts {
                let asked = Instant::now();
                let answer = client.ask("POST", &format!("{cart}/checkout"), &[("Cart-Token", &token)], None).await?;
                times.push(asked.elapsed().as_secs_f64() * 1_000.0);
                match answer.status {
                    201 => sold += 1,
                    409 => {}
                    status => bail!("{status} for a checkout: {}", String::from_utf8_lossy(&answer.body)),
                }
            }
            Ok((sold, times))
        });
    }
    let (mut sold, mut times) = (0, Vec::new());
    while let Some(bought) = buying.join_next().await {
        let (one, took) = bought??;
        sold += one;
        times.extend(took);
    }
    let rate = times.len() as f64 / started.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    let bearer = format!("Bearer {}", shop.token);
    let path = format!("/v1/variants/{}/stock", goods.variant);
    let stock: Value = staff.ask("GET", &path, &[("Authorization", &bearer)], None).await?.json(200)?;
    anyhow::ensure!(sold == STOCK, "{sold} of {STOCK} were sold");
    anyhow::ensure!(stock["available"] == 0 && stock["reserved"] == STOCK, "the stock afterwards: {stock}");
    report.beside(
        format!("hot product, sold in {ATTEMPTS} attempts by {CLIENTS} clients"),
        sold as f64,
        "sold",
        STOCK as f64,
    );
    report.add("hot product, attempts", rate, "attempts/s");
    report.add("hot product, checkout, p50", percentile(&times, 0.5), "ms");
    report.add("hot product, checkout, p99", percentile(&times, 0.99), "ms");
    Ok(())
}
