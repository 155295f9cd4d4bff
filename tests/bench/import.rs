//! Importing a transaction export: lines a second, and how large the database grows.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use byteshop_commands::import::{Export, History, Pace};
use byteshop_commands::{Appender, Commands, Connected};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::machine::Private;
use crate::processes;
use crate::report::Report;

/// What is imported when no whole file is named: enough to see that it works, too little for a rate.
const EXCERPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/online_retail_excerpt.csv");

/// Measures and reports.
pub async fn run(private: &Private, report: &mut Report) -> Result<()> {
    #[expect(clippy::disallowed_methods, reason = "a program of its own, without the shop's configuration")]
    let named = std::env::var_os("BYTESHOP_BENCH_ORDERS").filter(|name| !name.is_empty());
    let whole = named.is_some();
    let file = named.map_or_else(|| PathBuf::from(EXCERPT), PathBuf::from);
    let (log, _) = private.database("import").await?;
    let cancel = CancellationToken::new();
    let (appender, appending) = Appender::new(log.clone(), |_| {}, cancel.clone());
    let mut running = JoinSet::new();
    running.spawn(appending);
    let commands = Commands::new(log.clone(), appender, byteshop_tests::servers::data_keys(), Connected::emulators());
    let empty = size(&log).await?;
    let before = processes::forget_peak()?;
    let started = Instant::now();
    let history = History::of(Export::open(&file)?);
    let read = started.elapsed().as_secs_f64();
    let imported = commands.import(history, Pace::default(), &|_| {}).await?;
    let seconds = started.elapsed().as_secs_f64();
    cancel.cancel();
    running.join_all().await;
    let events = log.head().await? as f64;
    let what = if whole { "import of the whole file" } else { "import of the excerpt" };
    let name = |figure: &str| format!("{what}, {figure}");
    report.add(name("lines"), imported.lines as f64, "lines");
    report.add(name("lines rejected"), imported.rejects.len() as f64, "lines");
    report.add(name("events"), events, "events");
    report.add(name("reading"), read, "s");
    report.add(name("in all"), seconds, "s");
    report.add(name("rate"), imported.lines as f64 / seconds, "lines/s");
    report.add(name("memory beyond what there was before, at most"), processes::own_peak()? - before, "MB");
    report.add(name("database, by event"), (size(&log).await? - empty) / events, "bytes");
    Ok(())
}

/// Everything in the database, indexes and receipts included.
async fn size(log: &byteshop_eventstore::Log) -> Result<f64> {
    let bytes: i64 = sqlx::query_scalar("select pg_database_size(current_database())").fetch_one(log.pool()).await?;
    Ok(bytes as f64)
}
