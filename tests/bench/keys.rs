//! Keys: how fast a million of them is imported and with how much memory, and how soon after a payment a buyer sees one.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::http::Client;
use crate::journey;
use crate::processes;
use crate::report::{Report, percentile};
use crate::shop::{Goods, Shop, text};

/// Keys in the file.
const KEYS: usize = 1_000_000;
/// Buyers at once.
const BUYERS: usize = 64;
/// Orders of each buyer.
const EACH: usize = 20;
/// How long a payment may take to be settled.
const WITHIN: Duration = Duration::from_secs(30);
/// Between two looks at an order: all buyers look, and looking must not be what is measured.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Measures and reports.
pub async fn run(shop: &Shop, report: &mut Report) -> Result<()> {
    let mut staff = Client::connect(&shop.base).await?;
    let goods = shop.sell_keys(&mut staff, "A key", "KEY-BENCH").await?;
    import(shop, &goods, report).await?;
    let started = Instant::now();
    let mut buying = JoinSet::new();
    for _ in 0..BUYERS {
        let (base, goods) = (shop.base.clone(), goods.clone());
        buying.spawn(async move {
            let mut client = Client::connect(&base).await?;
            let mut times = Vec::new();
            for _ in 0..EACH {
                times.push(buy(&mut client, &goods).await?);
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(some) = buying.join_next().await {
        times.extend(some??);
    }
    let rate = times.len() as f64 / started.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    report.add(format!("keys bought from one pool, {BUYERS} buyers, with cart and checkout"), rate, "keys/s");
    report.add("from the payment to the revealed key, p50", percentile(&times, 0.5), "ms");
    report.add("from the payment to the revealed key, p99", percentile(&times, 0.99), "ms");
    Ok(())
}

async fn import(shop: &Shop, goods: &Goods, report: &mut Report) -> Result<()> {
    let before = processes::forget_peak_of(shop.pid)?;
    let started = Instant::now();
    let answer = upload(shop, &format!("/v1/variants/{}/keys", goods.variant)).await?;
    let seconds = started.elapsed().as_secs_f64();
    ensure!(answer["imported"] == KEYS, "{answer}");
    report.add(format!("import of {KEYS} keys"), seconds, "s");
    report.add("import of keys, rate", KEYS as f64 / seconds, "keys/s");
    report.add("import of keys, memory of the shop at most", processes::peak_of(shop.pid)?, "MB");
    report.add("import of keys, of which it had before", before, "MB");
    Ok(())
}

/// Sends the file as it is made, so that this program does not hold it either.
async fn upload(shop: &Shop, path: &str) -> Result<Value> {
    let host = shop.base.strip_prefix("http://").context("plain HTTP")?.trim_end_matches('/');
    let mut stream = TcpStream::connect(host).await?;
    let line = |number: usize| format!("{number:07}-AAAA-BBBB-CCCC-DDDD\n");
    let length = KEYS * line(0).len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n",
        shop.token
    );
    stream.write_all(head.as_bytes()).await?;
    for first in (0..KEYS).step_by(1_000) {
        let piece: String = (first..first + 1_000).map(line).collect();
        stream.write_all(piece.as_bytes()).await?;
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let text = String::from_utf8(answer)?;
    let (head, body) = text.split_once("\r\n\r\n").context("an answer")?;
    ensure!(head.starts_with("HTTP/1.1 200"), "{text}");
    Ok(serde_json::from_str(body)?)
}

/// Buys a key; gives the milliseconds from the payment to the key.
async fn buy(client: &mut Client, goods: &Goods) -> Result<f64> {
    let (cart, token) = journey::full_cart(client, goods).await?;
    let headers = [("Cart-Token", token.as_str())];
    let order = client.ask("POST", &format!("{cart}/checkout"), &headers, None).await?.json(201)?;
    let path = format!("/v1/orders/{}", text(&order, "id")?);
    let paid = Instant::now();
    let body = json!({"provider": "test", "token": "tok_success"}).to_string();
    client.ask("POST", &format!("{path}/payments"), &headers, Some(&body)).await?.json(201)?;
    loop {
        let answer = client.ask("POST", &format!("{path}/keys/reveal"), &headers, Some("{}")).await?;
        if answer.status == 200 {
            return Ok(paid.elapsed().as_secs_f64() * 1_000.0);
        }
        if answer.status != 409 || paid.elapsed() > WITHIN {
            bail!("{} for a key: {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
