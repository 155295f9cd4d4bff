//! The general ledger with a million entries: how fast it is rebuilt, and how long a trial balance takes.

use std::time::Instant;

use anyhow::Result;
use byteshop_projections::Views;
use byteshop_projections::ledger::Query;
use byteshop_projections::replay::Replay;

use crate::machine::Private;
use crate::orders;
use crate::report::Report;

/// Entries: of each order its capture and its sale.
const ENTRIES: i64 = 1_000_000;
/// The view.
const VIEW: &str = "ledger";
/// Trial balances; the best is taken, as for the limit.
const RUNS: usize = 5;

/// Measures and reports.
pub async fn run(private: &Private, report: &mut Report) -> Result<()> {
    let (log, _) = private.database(VIEW).await?;
    let variants = orders::variants();
    orders::fill(&log, ENTRIES / 2, |number| orders::sale(number, &variants)).await?;
    sqlx::raw_sql("vacuum (analyze) log.event").execute(log.pool()).await?;
    let views = Views::beside(log.clone());
    let started = Instant::now();
    let rebuilt = views.replay(VIEW, Replay::Rebuild, &|_| {}).await?;
    report.add("ledger, entries rebuilt from the log", ENTRIES as f64 / started.elapsed().as_secs_f64(), "entries/s");
    anyhow::ensure!(rebuilt.rows == ENTRIES, "{} rows", rebuilt.rows);
    sqlx::raw_sql("vacuum (analyze) read.ledger").execute(log.pool()).await?;
    let middle = log.head().await? / 2;
    let (mut now, mut then, mut scan) = (f64::MAX, f64::MAX, f64::MAX);
    for _ in 0..RUNS {
        let started = Instant::now();
        let balances = views.ledger_balances(None).await?;
        now = now.min(started.elapsed().as_secs_f64());
        anyhow::ensure!(balances.iter().map(|it| it.balance.amount).sum::<i64>() == 0, "{balances:?}");
        let started = Instant::now();
        let balances = views.ledger_balances(Some(middle)).await?;
        then = then.min(started.elapsed().as_secs_f64());
        anyhow::ensure!(!balances.is_empty(), "there are no balances at {middle}");
        let started = Instant::now();
        sqlx::query("select sum(amounts[1]), count(accounts) from read.ledger where posted is not null")
            .fetch_one(log.pool())
            .await?;
        scan = scan.min(started.elapsed().as_secs_f64());
    }
    report.add("ledger, Postgres reads one amount of each entry", scan, "s");
    report.beside("ledger, trial balance of 1,000,000 entries", now, "s", scan);
    report.beside("ledger, trial balance at the middle of the log", then, "s", scan);
    let started = Instant::now();
    let page = views.ledger_entries(&Query::default()).await?;
    anyhow::ensure!(page.rows()?.len() == 20, "a page of entries");
    report.add("ledger, a page of entries", started.elapsed().as_secs_f64() * 1e3, "ms");
    Ok(())
}
