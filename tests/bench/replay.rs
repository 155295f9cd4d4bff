//! Rebuilding the list of orders from a million events, against the least that moving these bytes takes.

use std::time::Instant;

use anyhow::Result;
use byteshop_eventstore::Log;
use byteshop_projections::Views;
use byteshop_projections::replay::Replay;
use futures_util::TryStreamExt as _;
use sqlx::postgres::PgPoolCopyExt as _;

use crate::machine::Private;
use crate::report::Report;
use crate::{orders, processes};

/// Events that the view reads.
const EVENTS: i64 = 1_000_002;
/// The view.
const VIEW: &str = "order_list";
/// Rebuilds; the best is taken, as for the limit.
const RUNS: usize = 3;

/// Measures and reports.
pub async fn run(private: &Private, report: &mut Report) -> Result<()> {
    let (log, _) = private.database("replay").await?;
    let started = Instant::now();
    let variants = orders::variants();
    orders::fill(&log, EVENTS / orders::EVENTS_EACH, |number| orders::order(number, &variants)).await?;
    let filled = started.elapsed().as_secs_f64();
    report.add("orders decided and appended for the replay", EVENTS as f64 / filled, "events/s");
    sqlx::raw_sql("vacuum (analyze) log.event").execute(log.pool()).await?;
    let views = Views::beside(log.clone());
    let (mut best, mut peak, mut rows) = (f64::MAX, 0f64, 0);
    for _ in 0..RUNS {
        let before = processes::forget_peak()?;
        let started = Instant::now();
        let rebuilt = views.replay(VIEW, Replay::Rebuild, &|_| {}).await?;
        best = best.min(started.elapsed().as_secs_f64());
        peak = peak.max(processes::own_peak()? - before);
        rows = rebuilt.rows;
    }
    anyhow::ensure!(rows == EVENTS / orders::EVENTS_EACH, "{rows} rows");
    let (mut out, mut back) = (f64::MAX, f64::MAX);
    for _ in 0..RUNS {
        out = out.min(copy_out(&log).await?);
        back = back.min(copy_in(&log).await?);
    }
    report.add("replay, rate", EVENTS as f64 / best, "events/s");
    report.add("replay, COPY of the events out", out, "s");
    report.add("replay, COPY of the rows in, with their indexes", back, "s");
    report.beside(format!("replay of {VIEW} over {EVENTS} events (at most 3)"), best, "s", out + back);
    report.add("replay, memory beyond what there was before, at most", peak, "MB");
    Ok(())
}

async fn copy_out(log: &Log) -> Result<f64> {
    let started = Instant::now();
    let statement = "copy (select * from log.event where category = 'order' order by position) to stdout";
    let mut copied = log.pool().copy_out_raw(statement).await?;
    while copied.try_next().await?.is_some() {}
    Ok(started.elapsed().as_secs_f64())
}

async fn copy_in(log: &Log) -> Result<f64> {
    let rows = format!("copy (select key, row, position from read.{VIEW}) to stdout");
    let mut copied = log.pool().copy_out_raw(&rows).await?;
    let mut text = Vec::new();
    while let Some(bytes) = copied.try_next().await? {
        text.extend_from_slice(&bytes);
    }
    drop(copied);
    sqlx::raw_sql(
        "drop table if exists read.bench_rows; create table read.bench_rows (like read.order_list including all)",
    )
    .execute(log.pool())
    .await?;
    let started = Instant::now();
    let mut copy = log.pool().copy_in_raw("copy read.bench_rows (key, row, position) from stdin").await?;
    for chunk in text.chunks(1 << 18) {
        copy.send(chunk).await?;
    }
    copy.finish().await?;
    let seconds = started.elapsed().as_secs_f64();
    sqlx::raw_sql("drop table read.bench_rows").execute(log.pool()).await?;
    Ok(seconds)
}
