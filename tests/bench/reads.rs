//! What the two most frequent pages of a shop cost: the list of products, and one product.

use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::http::Client;
use crate::processes;
use crate::report::{Report, percentile};
use crate::shop::{Goods, Shop};

/// Requests of each kind that are measured, one after the other.
const REQUESTS: usize = 5_000;
/// Requests before anything is measured.
const WARM_UP: usize = 500;

/// Measures and reports; a list stands beside one product.
pub async fn run(shop: &Shop, goods: &[Goods], report: &mut Report) -> Result<()> {
    let product = goods.first().context("the shop sells something")?;
    let one = measured(shop, &format!("/v1/products/{}", product.product), "one product", report).await?;
    let all = measured(shop, "/v1/products?limit=20", "list of 20 products with facets", report).await?;
    report.beside("list of 20 products with facets, against one product", all, "CPU-ms", one);
    let rows = measured(shop, "/v1/products?limit=20&facets=false", "list of 20 products", report).await?;
    report.beside("list of 20 products, against one product", rows, "CPU-ms", one);
    Ok(())
}

/// Processor milliseconds of one request.
async fn measured(shop: &Shop, path: &str, what: &str, report: &mut Report) -> Result<f64> {
    let mut client = Client::connect(&shop.base).await?;
    for _ in 0..WARM_UP {
        client.ask("GET", path, &[], None).await?.json(200)?;
    }
    let (before, mut times) = (processes::cost(shop.pid)?, Vec::with_capacity(REQUESTS));
    for _ in 0..REQUESTS {
        let asked = Instant::now();
        let answer = client.ask("GET", path, &[], None).await?;
        times.push(asked.elapsed().as_secs_f64() * 1_000.0);
        anyhow::ensure!(answer.status == 200, "{path} gave {}", answer.status);
    }
    let cost = processes::cost(shop.pid)?.since(&before).total() / REQUESTS as f64;
    times.sort_by(f64::total_cmp);
    for (share, label) in [(0.5, "p50"), (0.99, "p99")] {
        report.add(format!("{what}, {label}"), percentile(&times, share), "ms");
    }
    report.add(format!("{what}, processor"), cost, "CPU-ms");
    Ok(cost)
}
