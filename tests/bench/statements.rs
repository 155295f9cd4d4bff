//! How many SQL statements an add-to-cart, a checkout and a whole journey take, by Postgres' own log of statements.

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

/// Checkouts, and lines put into carts, one after the other.
const CHECKOUTS: usize = 200;
/// What a line in a cart, and what a checkout, may take.
const ADD_AT_MOST: f64 = 3.0;
const CHECKOUT_AT_MOST: f64 = 6.0;
/// Journeys beside each other.
const JOURNEYS: usize = 1_000;
/// Who make them.
const CLIENTS: usize = 32;
/// How long the shop is watched doing nothing.
const IDLE: Duration = Duration::from_secs(3);
/// Connections report what they did once a second, and those at rest after ten (PGSTAT_IDLE_INTERVAL).
const REPORTED_WITHIN: Duration = Duration::from_secs(11);
/// How many statements are named.
const NAMED: usize = 16;
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
    let added = counted(shop, async {
        for (number, (cart, token)) in carts.iter().enumerate() {
            let line = format!("{cart}/lines/{}", goods[(number + 1) % goods.len()].variant);
            client.ask("PUT", &line, &[("Cart-Token", token)], Some(r#"{"quantity":1}"#)).await?.json(200)?;
        }
        Ok(())
    })
    .await?;
    let of_one = (added.total() - idle * added.seconds) / CHECKOUTS as f64;
    report.beside(
        "statements of an add-to-cart, 1 client, relay, views and processes included",
        of_one,
        "statements",
        ADD_AT_MOST,
    );
    added.print(CHECKOUTS);
    let alone = counted(shop, async {
        for (cart, token) in carts {
            client.ask("POST", &format!("{cart}/checkout"), &[("Cart-Token", &token)], None).await?.json(201)?;
        }
        Ok(())
    })
    .await?;
    let of_one = (alone.total() - idle * alone.seconds) / CHECKOUTS as f64;
    report.beside(
        "statements of a checkout, 1 client, relay, views and processes included",
        of_one,
        "statements",
        CHECKOUT_AT_MOST,
    );
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

/// What the log and Postgres have counted since they were made.
pub struct Totals {
    /// Events in the log.
    pub events: f64,
    /// Transactions that were committed, those that only read included.
    pub transactions: f64,
}

impl Totals {
    /// Reads them, when every connection has reported what it did.
    pub async fn read(shop: &Shop) -> Result<Self> {
        tokio::time::sleep(REPORTED_WITHIN).await;
        let (events, transactions): (i64, i64) = sqlx::query_as(
            "select position, (select xact_commit from pg_stat_database where datname = current_database()) from log.head",
        )
        .fetch_one(&mut PgConnection::connect(&shop.database_url).await?)
        .await?;
        Ok(Self { events: events as f64, transactions: transactions as f64 })
    }

    /// What was added since an earlier reading.
    pub fn since(&self, earlier: &Self) -> Self {
        Self { events: self.events - earlier.events, transactions: self.transactions - earlier.transactions }
    }
}

/// What was said to Postgres meanwhile.
pub struct Counted {
    statements: BTreeMap<String, Said>,
    seconds: f64,
}

/// One statement.
#[derive(Default)]
struct Said {
    times: usize,
    /// What it took in Postgres, parsing, planning and the writing of the log included.
    milliseconds: f64,
}

impl Counted {
    /// How many statements.
    pub fn total(&self) -> f64 {
        self.statements.values().map(|said| said.times).sum::<usize>() as f64
    }

    fn print(&self, times: usize) {
        let mut by_cost: Vec<_> = self.statements.iter().collect();
        by_cost.sort_by(|one, other| other.1.milliseconds.total_cmp(&one.1.milliseconds));
        for (statement, said) in by_cost.into_iter().take(NAMED) {
            // What is selected says less than whence and which.
            let words = statement.split_whitespace().collect::<Vec<_>>().join(" ");
            let shown = words.split_once(" from log.event").map(|(_, rest)| format!("select … from log.event{rest}"));
            let shown: String = shown.unwrap_or(words).chars().take(SHOWN).collect();
            let each = |all: f64| all / times as f64;
            println!("    {:>8.3} ×, {:>7.3} ms  {shown}", each(said.times as f64), each(said.milliseconds));
        }
    }
}

/// Logs every statement while something happens and until the shop is at rest again.
pub async fn counted<T>(shop: &Shop, work: impl Future<Output = Result<T>>) -> Result<Counted> {
    let log = shop.data.join("postgres.log");
    let begin = std::fs::metadata(&log)?.len();
    set(shop, "alter system set log_min_duration_statement = 0", "0").await?;
    let started = Instant::now();
    let outcome = work.await;
    let seconds = started.elapsed().as_secs_f64();
    // Views and processes follow within milliseconds of the last answer.
    tokio::time::sleep(Duration::from_millis(300)).await;
    set(shop, "alter system reset log_min_duration_statement", "-1").await?;
    outcome?;
    let mut file = std::fs::File::open(log)?;
    file.seek(SeekFrom::Start(begin))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let mut statements = BTreeMap::<String, Said>::new();
    // A statement goes on in lines that begin with a tab.
    let said = String::from_utf8_lossy(&bytes).replace("\n\t", " ");
    for line in said.lines() {
        let Some((duration, phase, statement)) = parsed(line) else { continue };
        // What is said here to count is not counted.
        if !statement.contains("log_min_duration_statement") && !statement.contains("pg_reload_conf") {
            let said = statements.entry(statement.to_owned()).or_default();
            said.times += usize::from(phase != "parse" && phase != "bind");
            said.milliseconds += duration;
        }
    }
    Ok(Counted { statements, seconds })
}

/// A line such as `… LOG:  duration: 0.021 ms  bind sqlx_s_1: select 1`: the milliseconds, the phase and the statement.
fn parsed(line: &str) -> Option<(f64, &str, &str)> {
    let (_, said) = line.split_once("LOG:  duration: ")?;
    let (duration, said) = said.split_once(" ms  ")?;
    let (phase, statement) = said.split_once(": ")?;
    Some((duration.parse().ok()?, phase.split(' ').next()?, statement))
}

async fn set(shop: &Shop, statement: &'static str, expected: &str) -> Result<()> {
    let mut connection = PgConnection::connect(&shop.database_url).await?;
    sqlx::raw_sql(statement).execute(&mut connection).await?;
    sqlx::raw_sql("select pg_reload_conf()").execute(&mut connection).await?;
    // Each backend hears of it at its next statement at the latest.
    for _ in 0..100 {
        let now: String = sqlx::query_scalar("select current_setting('log_min_duration_statement')")
            .fetch_one(&mut connection)
            .await?;
        if now == expected {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
