//! Log-ins beside what hashing passwords alone can do: the shop's own work must not show.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use byteshop_gateway::security::password::{Passwords, at_once};
use serde_json::json;
use tokio::task::JoinSet;

use crate::http::Client;
use crate::report::{Report, percentile};
use crate::shop::Shop;

/// Who log in: enough that one is always ready to be hashed.
const CLIENTS: usize = 8;
/// How long each is measured.
const FOR: Duration = Duration::from_secs(5);

/// Measures and reports.
pub async fn run(shop: &Shop, report: &mut Report) -> Result<()> {
    let mut people = Vec::new();
    for number in 0..CLIENTS {
        let email = format!("login-{number}@example.org");
        let password = shop.account(&email).await?;
        people.push(json!({"email": email, "password": password}).to_string());
    }
    let limit = hashes().await?;
    let started = Instant::now();
    let mut running = JoinSet::new();
    for body in people {
        let base = shop.base.clone();
        running.spawn(async move {
            let mut client = Client::connect(&base).await?;
            let mut times = Vec::new();
            while started.elapsed() < FOR {
                let asked = Instant::now();
                client.ask("POST", "/v1/auth/login", &[], Some(&body)).await?.json(200).context("a log-in")?;
                times.push(asked.elapsed().as_secs_f64() * 1_000.0);
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(some) = running.join_next().await {
        times.extend(some??);
    }
    let rate = times.len() as f64 / started.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    report.beside(format!("log-ins, {CLIENTS} clients, beside Argon2id alone"), rate, "log-ins/s", limit);
    report.add("log-ins, p50", percentile(&times, 0.5), "ms");
    report.add("log-ins, p99", percentile(&times, 0.99), "ms");
    Ok(())
}

/// Passwords that are compared in a second, as many at a time as the shop does.
async fn hashes() -> Result<f64> {
    let passwords = Passwords::new()?;
    let failed = |_| anyhow::anyhow!("a password cannot be hashed");
    let hash = passwords.hash("correct horse battery".to_owned()).await.map_err(failed)?;
    let started = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..at_once() {
        let (passwords, hash) = (passwords.clone(), hash.clone());
        running.spawn(async move {
            let mut count = 0;
            while started.elapsed() < FOR {
                let same = passwords.verify("correct horse battery".to_owned(), Some(hash.clone())).await;
                count += usize::from(same.is_ok());
            }
            count
        });
    }
    let count: usize = running.join_all().await.into_iter().sum();
    Ok(count as f64 / started.elapsed().as_secs_f64())
}
