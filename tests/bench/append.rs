//! Appending one event per call, against one insert per transaction and against COPY, on the same server and table.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use byteshop_commands::Appender;
use byteshop_eventstore::{Append, Clock, Log, NewEvent, Outcome, StreamId};
use sqlx::Connection as _;
use sqlx::postgres::{PgConnection, PgPoolCopyExt as _};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::machine::Private;
use crate::report::{Report, percentile};

const DURATION: Duration = Duration::from_secs(4);
const COPY_ROWS: usize = 200_000;
const DATA: &str =
    r#"{"variant":"var_01h455vb4pex5vsknk084sn02q","quantity":2,"unit_price":{"amount":1999,"currency":"EUR"}}"#;
const META: &str = r#"{"actor":{"kind":"customer","id":"acc_01h455vb4pex5vsknk084sn02q"},"command":"cart.set_line","request_id":"01890a5d-ac96-774b-bcce-b302099a8057","correlation_id":"01890a5d-ac96-774b-bcce-b302099a8057"}"#;

fn event(clock: Clock, meta: &Arc<str>) -> NewEvent {
    let id = clock.new_id();
    NewEvent {
        id,
        stream: StreamId { category: "bench".into(), id },
        version: 1,
        event_type: "line_set".into(),
        schema: 1,
        data: DATA.into(),
        meta: meta.clone(),
        correlation: id,
        recorded_at: clock.now(),
    }
}

/// Measures and reports.
pub async fn run(private: &Private, report: &mut Report) -> Result<()> {
    let (log, url) = private.database("append").await?;
    let single = inserts(&url, 32).await?;
    report.add("one insert per transaction, 32 clients", single, "events/s");
    let copy = copy(&log).await?;
    report.add("COPY of the same rows with the same indexes", copy, "events/s");
    let cancel = CancellationToken::new();
    let (appender, appending) = Appender::new(log.clone(), |_| {}, cancel.clone());
    let mut running = JoinSet::new();
    running.spawn(appending);
    for callers in [1, 32, 256, 2_000] {
        let (rate, latencies) = group(&appender, callers).await?;
        report.beside(format!("append, {callers} callers, against single inserts"), rate, "events/s", single);
        report.beside(format!("append, {callers} callers, against COPY"), rate, "events/s", copy);
        report.add(format!("append, {callers} callers, p50"), percentile(&latencies, 0.5), "ms");
        report.add(format!("append, {callers} callers, p99"), percentile(&latencies, 0.99), "ms");
    }
    cancel.cancel();
    running.join_all().await;
    Ok(())
}

async fn group(appender: &Appender, callers: usize) -> Result<(f64, Vec<f64>)> {
    let started = Instant::now();
    let meta: Arc<str> = META.into();
    let tasks: JoinSet<_> = (0..callers)
        .map(|_| {
            let (appender, meta) = (appender.clone(), meta.clone());
            async move {
                let mut latencies = Vec::new();
                while started.elapsed() < DURATION {
                    let event = event(Clock, &meta);
                    let append = Append { expect: vec![(event.stream.clone(), 0)], events: vec![event], receipt: None };
                    let asked = Instant::now();
                    let outcome = appender.submit(append).outcome().await;
                    assert!(matches!(outcome, Ok(Outcome::Accepted { .. })), "{outcome:?}");
                    latencies.push(asked.elapsed().as_secs_f64() * 1_000.0);
                }
                latencies
            }
        })
        .collect();
    let mut latencies: Vec<f64> = tasks.join_all().await.into_iter().flatten().collect();
    let rate = latencies.len() as f64 / started.elapsed().as_secs_f64();
    latencies.sort_by(f64::total_cmp);
    Ok((rate, latencies))
}

/// What pgbench would do: each client inserts one event per transaction into a table like the log's.
async fn inserts(url: &str, clients: usize) -> Result<f64> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(
        "drop table if exists bench_single; create table bench_single (like log.event including all);
         create sequence if not exists bench_position; alter table bench_single alter position set default nextval('bench_position')",
    )
    .execute(&mut connection)
    .await?;
    let started = Instant::now();
    let tasks: JoinSet<_> = (0..clients)
        .map(|_| {
            let url = url.to_owned();
            async move {
                let mut connection = PgConnection::connect(&url).await?;
                let (meta, mut inserted) = (META.into(), 0u64);
                while started.elapsed() < DURATION {
                    let event = event(Clock, &meta);
                    sqlx::query(
                        "insert into bench_single (id, category, stream, version, type, schema, data, meta, correlation, recorded_at, leaf)
                         values ($1, $2, $3, $4, $5, $6, $7::json, $8::json, $9, $10, $11)",
                    )
                    .bind(event.id)
                    .bind(event.stream.category.as_ref())
                    .bind(event.stream.id)
                    .bind(event.version)
                    .bind(&event.event_type)
                    .bind(event.schema)
                    .bind(&event.data)
                    .bind(&*event.meta)
                    .bind(event.correlation)
                    .bind(event.recorded_at)
                    .bind(event.leaf().to_vec())
                    .execute(&mut connection)
                    .await?;
                    inserted += 1;
                }
                anyhow::Ok(inserted)
            }
        })
        .collect();
    let mut inserted = 0;
    for task in tasks.join_all().await {
        inserted += task?;
    }
    let rate = inserted as f64 / started.elapsed().as_secs_f64();
    sqlx::raw_sql("drop table bench_single").execute(&mut connection).await?;
    Ok(rate)
}

async fn copy(log: &Log) -> Result<f64> {
    sqlx::raw_sql("drop table if exists bench_copy; create table bench_copy (like log.event including all)")
        .execute(log.pool())
        .await?;
    let meta: Arc<str> = META.into();
    let mut text = String::new();
    for position in 1..=COPY_ROWS {
        use std::fmt::Write as _;
        let e = event(Clock, &meta);
        let leaf = byteshop_eventstore::envelope::to_hex(&e.leaf());
        writeln!(
            text,
            "{position}\t{}\tbench\t{}\t1\t{}\t1\t{}\t{}\t{}\t{}\t\\\\x{leaf}",
            e.id,
            e.stream.id,
            e.event_type,
            e.data,
            e.meta,
            e.correlation,
            e.recorded_at.to_rfc3339(),
        )?;
    }
    let started = Instant::now();
    let mut copy = log
        .pool()
        .copy_in_raw("copy bench_copy (position, id, category, stream, version, type, schema, data, meta, correlation, recorded_at, leaf) from stdin")
        .await?;
    for chunk in text.as_bytes().chunks(1 << 18) {
        copy.send(chunk).await?;
    }
    copy.finish().await?;
    let rate = COPY_ROWS as f64 / started.elapsed().as_secs_f64();
    sqlx::raw_sql("drop table bench_copy").execute(log.pool()).await?;
    Ok(rate)
}
