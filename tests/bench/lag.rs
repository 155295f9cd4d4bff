//! How long after its answer a command is seen in a view, at a steady rate, with JetStream and without it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::http::Client;
use crate::report::{Report, percentile};
use crate::shop::{Goods, Shop};
use crate::{journey, processes};

/// Commands a second.
const RATE: u32 = 1_000;
/// For how long.
const SECONDS: u32 = 10;
/// Connections that send them: enough that a slow answer delays nobody.
const CLIENTS: usize = 32;
/// Between two looks at the view, which bounds how exact the figures are.
const LOOK_EVERY: Duration = Duration::from_micros(500);
/// Between two looks for a nats-server that was started again.
const KILL_EVERY: Duration = Duration::from_millis(20);
/// The view that the commands change.
const VIEW: &str = "product_list";
/// How long the view may take to show the last of them.
const SEEN_WITHIN: Duration = Duration::from_secs(30);
/// Commands before the measurement.
const WARM_UP: u32 = 2_000;

/// What is done to nats-server meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nats {
    Up,
    Stopped,
    Killed,
}

/// An answered command: when, and where it stands in the log.
type Answered = (Instant, i64);

/// Measures and reports.
pub async fn run(shop: &Shop, goods: &Arc<Vec<Goods>>, report: &mut Report) -> Result<()> {
    commands(shop, goods, WARM_UP).await?;
    let states = [
        (Nats::Up, "JetStream up"),
        (Nats::Stopped, "JetStream hanging"),
        (Nats::Killed, "JetStream killed over and over"),
    ];
    for (nats, name) in states {
        journey::settle(shop).await?;
        measure(shop, goods, nats, name, report).await.with_context(|| format!("with {name}"))?;
    }
    Ok(())
}

async fn measure(shop: &Shop, goods: &Arc<Vec<Goods>>, nats: Nats, name: &str, report: &mut Report) -> Result<()> {
    let done = Arc::new(AtomicBool::new(false));
    let mut beside = JoinSet::new();
    let watcher = watch(shop.database_url.clone(), Arc::clone(&done));
    let harm = harm(shop.pid, nats, Arc::clone(&done));
    beside.spawn(async move {
        harm.await?;
        anyhow::Ok(Vec::new())
    });
    beside.spawn(watcher);
    let started = Instant::now();
    let answered = commands(shop, goods, RATE * SECONDS).await;
    let seconds = started.elapsed().as_secs_f64();
    let last = answered.as_ref().map(|all| all.iter().map(|(_, position)| *position).max().unwrap_or(0));
    wait(shop, *last.as_ref().unwrap_or(&0)).await?;
    done.store(true, Ordering::Release);
    let mut seen = Vec::new();
    while let Some(task) = beside.join_next().await {
        seen.extend(task??);
    }
    let answered = answered?;
    let mut lags = lags(&answered, &seen);
    lags.sort_by(f64::total_cmp);
    let name = |what: &str| format!("lag, {name}, {what}");
    report.beside(name("commands"), answered.len() as f64 / seconds, "commands/s", f64::from(RATE));
    report.add(name("p50"), percentile(&lags, 0.5), "ms");
    report.add(name("p99"), percentile(&lags, 0.99), "ms");
    report.add(name("max"), percentile(&lags, 1.0), "ms");
    Ok(())
}

/// For each command, the first look at the view that showed it, against its answer; 0 when it was there before.
fn lags(answered: &[Answered], seen: &[Answered]) -> Vec<f64> {
    let lag = |(at, position): &Answered| {
        let first = seen.partition_point(|(_, seen)| seen < position);
        seen.get(first).map(|(look, _)| look.saturating_duration_since(*at).as_secs_f64() * 1_000.0)
    };
    answered.iter().filter_map(lag).collect()
}

/// Sends commands at the rate, each at its own moment however long the others take.
async fn commands(shop: &Shop, goods: &Arc<Vec<Goods>>, count: u32) -> Result<Vec<Answered>> {
    let next = Arc::new(AtomicU32::new(0));
    let started = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..CLIENTS {
        let (next, goods) = (Arc::clone(&next), Arc::clone(goods));
        let (base, bearer) = (shop.base.clone(), format!("Bearer {}", shop.token));
        running.spawn(async move {
            let mut client = Client::connect(&base).await?;
            let mut answered = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return anyhow::Ok(answered);
                }
                tokio::time::sleep_until(started + Duration::from_secs(1) * number / RATE).await;
                let path = format!("/v1/products/{}", goods[number as usize % goods.len()].product);
                let body = json!({"title": format!("Thing at {number} of {:?}", started)}).to_string();
                let answer = client.ask("PATCH", &path, &[("Authorization", &bearer)], Some(&body)).await?;
                let position = answer.header("log-position").and_then(|text| text.parse().ok());
                answered.push((Instant::now(), position.context("a position")?));
                answer.json(200)?;
            }
        });
    }
    let mut all = Vec::new();
    while let Some(answered) = running.join_next().await {
        all.extend(answered??);
    }
    Ok(all)
}

/// Looks at the view again and again; gives the first moment at which each new position was seen.
async fn watch(url: String, done: Arc<AtomicBool>) -> Result<Vec<Answered>> {
    let mut connection = PgConnection::connect(&url).await?;
    let mut seen: Vec<Answered> = Vec::new();
    while !done.load(Ordering::Acquire) {
        let position = position(&mut connection).await?;
        if seen.last().is_none_or(|(_, last)| position > *last) {
            seen.push((Instant::now(), position));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(seen)
}

async fn wait(shop: &Shop, last: i64) -> Result<()> {
    let mut connection = PgConnection::connect(&shop.database_url).await?;
    let started = Instant::now();
    while position(&mut connection).await? < last {
        anyhow::ensure!(started.elapsed() < SEEN_WITHIN, "the view does not get to {last}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // The watcher has a look too.
    tokio::time::sleep(Duration::from_millis(20)).await;
    Ok(())
}

/// The view and its checkpoint move in one transaction, so this is where its rows are.
async fn position(connection: &mut PgConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("select position from read.checkpoint where view = $1")
        .bind(VIEW)
        .fetch_one(connection)
        .await?)
}

async fn harm(shop: u32, nats: Nats, done: Arc<AtomicBool>) -> Result<()> {
    let stopped = if nats == Nats::Stopped { server(shop)? } else { None };
    if let Some(pid) = stopped {
        kill_process(pid, Signal::STOP)?;
    }
    while !done.load(Ordering::Acquire) {
        if nats == Nats::Killed
            && let Some(pid) = server(shop)?
        {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::KILL);
        }
        tokio::time::sleep(KILL_EVERY).await;
    }
    if let Some(pid) = stopped {
        kill_process(pid, Signal::CONT)?;
    }
    Ok(())
}

fn server(shop: u32) -> Result<Option<Pid>> {
    let server = processes::tree(shop)?.into_iter().find(|process| process.name == "nats-server");
    Ok(server.and_then(|process| Pid::from_raw(i32::try_from(process.pid).ok()?)))
}
