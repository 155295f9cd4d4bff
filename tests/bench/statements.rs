//! How many SQL statements a checkout and a whole journey take, by Postgres' own log of statements.

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::{Connection as _, PgConnection};

use crate::http::Client;
use crate::journey;
use crate::report::Report;
use crate::shop::{Goods, Shop};

/// Checkouts, one after the other.
const CHECKOUTS: usize = 200;
/// Journeys beside each other.
const JOURNEYS: usize = 1_000;
/// Who make them.
const CLIENTS: usize = 32;
/// How long the shop is watched doing nothing.
const IDLE: Duration = Duration::from_secs(3);
/// How many statements are named.
const NAMED: usize = 12;
/// How much of a statement is shown.
const SHOWN: usize = 96;

/// Counts and reports.
pub async fn run(shop: &Shop, goods: &Arc<Vec<Goods>>, report: &mut Report) -> Result<()> {
    let mut client = Client::connect(&shop.base).await?;
    let mut carts = Vec::with_capacity(CHECKOUTS);
    for number in 0..CHECKOUTS {
        carts.push(journey::full_cart(&mut client, &goods[number % goods.len()]).await?);
    }
    journey::settle(shop).await?;
    let idle = counted(shop, async {
        tokio::time::sleep(IDLE).await;
        Ok(())
    })
    .await?;
    let idle = idle.total() / idle.seconds;
    report.add("statements of a shop at rest", idle, "statements/s");
    let alone = counted(shop, async {
        for (cart, token) in carts {
            client.ask("POST", &format!("{cart}/checkout"), &[("Cart-Token", &token)], None).await?.json(201)?;
        }
        Ok(())
    })
    .await?;
    let of_one = (alone.total() - idle * alone.seconds) / CHECKOUTS as f64;
    report.add("statements of a checkout, 1 client, relay, views and processes included", of_one, "statements");
    alone.print(CHECKOUTS);
    let many = counted(shop, async {
        journey::many(shop, goods, CLIENTS, JOURNEYS).await?;
        Ok(())
    })
    .await?;
    report.add(
        format!("statements of a whole journey, {CLIENTS} clients"),
        many.total() / JOURNEYS as f64,
        "statements",
    );
    many.print(JOURNEYS);
    Ok(())
}

/// What was said to Postgres meanwhile.
struct Counted {
    statements: BTreeMap<String, usize>,
    seconds: f64,
}

impl Counted {
    fn total(&self) -> f64 {
        self.statements.values().sum::<usize>() as f64
    }

    fn print(&self, times: usize) {
        let mut by_count: Vec<_> = self.statements.iter().collect();
        by_count.sort_by(|one, other| other.1.cmp(one.1));
        for (statement, count) in by_count.into_iter().take(NAMED) {
            let shown: String = statement.chars().take(SHOWN).collect();
            println!("    {:>8.3} × {shown}", *count as f64 / times as f64);
        }
    }
}

/// Logs every statement while something happens and until the shop is at rest again.
async fn counted(shop: &Shop, work: impl Future<Output = Result<()>>) -> Result<Counted> {
    let log = shop.data.join("postgres.log");
    let begin = std::fs::metadata(&log)?.len();
    set(shop, "alter system set log_statement = 'all'", "all").await?;
    let started = Instant::now();
    let outcome = work.await;
    let seconds = started.elapsed().as_secs_f64();
    // Views and processes follow within milliseconds of the last answer.
    tokio::time::sleep(Duration::from_millis(300)).await;
    set(shop, "alter system reset log_statement", "none").await?;
    outcome?;
    let mut file = std::fs::File::open(log)?;
    file.seek(SeekFrom::Start(begin))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let mut statements = BTreeMap::new();
    for line in String::from_utf8_lossy(&bytes).lines() {
        let Some((_, said)) = line.split_once("LOG:  ") else { continue };
        let executed = said.strip_prefix("execute ").and_then(|rest| rest.split_once(": ")).map(|(_, text)| text);
        let Some(statement) = executed.or_else(|| said.strip_prefix("statement: ")) else { continue };
        // What is said here to count is not counted.
        if !statement.contains("log_statement") && !statement.contains("pg_reload_conf") {
            *statements.entry(statement.to_owned()).or_default() += 1;
        }
    }
    Ok(Counted { statements, seconds })
}

async fn set(shop: &Shop, statement: &'static str, expected: &str) -> Result<()> {
    let mut connection = PgConnection::connect(&shop.database_url).await?;
    sqlx::raw_sql(statement).execute(&mut connection).await?;
    sqlx::raw_sql("select pg_reload_conf()").execute(&mut connection).await?;
    // Each backend hears of it at its next statement at the latest.
    for _ in 0..100 {
        let now: String =
            sqlx::query_scalar("select current_setting('log_statement')").fetch_one(&mut connection).await?;
        if now == expected {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
