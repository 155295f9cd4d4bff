//! `byteshop audit export`: the whole log, for other programs; never more than a page of it is in memory.

use std::io::Write;

use byteshop_eventstore::envelope::to_hex;
use byteshop_eventstore::read::PAGE;
use byteshop_eventstore::{Log, Recorded};

use super::record::{self, Record};
use crate::cli::failure::Failure;
use crate::cli::output::{self, Out};
use crate::cli::progress::Meter;
use crate::cli::terminal;

/// The columns of CSV.
const COLUMNS: [&str; 15] = [
    "position",
    "recorded_at",
    "occurred_at",
    "subject",
    "version",
    "category",
    "type",
    "schema",
    "actor",
    "command",
    "correlation_id",
    "causation",
    "data",
    "meta",
    "leaf",
];

/// How.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// One JSON object a line, or comma-separated values with a header
    #[arg(long, value_enum, default_value_t = Form::Jsonl)]
    format: Form,
    /// From the one after this position on, to carry on an earlier export
    #[arg(long, default_value_t = 0, value_name = "POSITION", value_parser = clap::value_parser!(i64).range(0..))]
    after: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    Jsonl,
    Csv,
}

pub(super) async fn run(log: &Log, args: ExportArgs) -> Result<(), Failure> {
    let head = log.head().await?;
    let mut out = output::out();
    if args.format == Form::Csv {
        row(&mut out, &COLUMNS)?;
    }
    // Between the lines of the export itself, a bar would be in the way.
    let meter = (!terminal::is_watched()).then(|| Meter::new("export", "events"));
    let mut after = args.after;
    // What comes in meanwhile is for the next export: this one ends where the log ended when it began.
    while after < head {
        let events = log.read_log(after, PAGE.min(head - after)).await?;
        let Some(last) = events.last() else { break };
        after = last.position;
        for event in &events {
            match args.format {
                Form::Jsonl => {
                    serde_json::to_writer(&mut out, &Record::of(event)?)?;
                    writeln!(out)?;
                }
                Form::Csv => csv_row(&mut out, event)?,
            }
        }
        if let Some(meter) = &meter {
            meter.at(after - args.after, head - args.after);
        }
    }
    Ok(out.flush()?)
}

fn csv_row(out: &mut Out, event: &Recorded) -> Result<(), Failure> {
    let meta = event.meta().ok();
    let text = |field: Option<String>| field.unwrap_or_default();
    let time = |time: chrono::DateTime<chrono::Utc>| time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    row(
        out,
        &[
            &event.position.to_string(),
            &time(event.recorded_at),
            &text(meta.as_ref().and_then(|meta| meta.occurred_at).map(time)),
            &record::subject(event),
            &event.version.to_string(),
            &event.category,
            &event.event_type,
            &event.schema.to_string(),
            &record::who(meta.as_ref()),
            &text(meta.as_ref().map(|meta| meta.command.clone())),
            &text(meta.as_ref().map(|meta| meta.correlation_id.to_string())),
            &text(meta.as_ref().and_then(|meta| meta.causation).map(|position| position.to_string())),
            &event.data,
            &event.meta,
            &to_hex(&event.leaf),
        ],
    )
}

fn row(out: &mut Out, fields: &[&str; COLUMNS.len()]) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields)?;
    let bytes = writer.into_inner().map_err(|error| Failure::refused(error.error()))?;
    Ok(out.write_all(&bytes)?)
}
