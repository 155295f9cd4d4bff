//! `byteshop audit export`: events for other programs; never more than a page of them is in memory.

use std::io::Write;

use byteshop_eventstore::read::PAGE;

use super::csv;
use super::desk::{Desk, is_full, whole_number, within};
use super::filter::FilterArgs;
use super::names::Names;
use super::record::Record;
use super::reveal::RevealArg;
use crate::cli::failure::Failure;
use crate::cli::progress::Meter;
use crate::cli::{output, terminal};

/// Which events, and how.
#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// One JSON object per line, or comma-separated values with a header, for spreadsheets
    #[arg(long, value_enum, default_value_t = Form::Jsonl)]
    format: Form,
    /// Start after this position, to continue an earlier export
    #[arg(long, default_value_t = 0, value_name = "POSITION", value_parser = whole_number)]
    after: i64,
    #[command(flatten)]
    reveal: RevealArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    Jsonl,
    Csv,
}

pub(super) async fn run(desk: &Desk, args: ExportArgs) -> Result<(), Failure> {
    let filter = args.filter.resolve(desk).await?;
    let head = desk.log.head().await?;
    within(head, args.after)?;
    let mut out = output::out();
    if args.format == Form::Csv {
        csv::header(&mut out)?;
    }
    // Between the lines of the export itself, a bar would be in the way.
    let meter = (!terminal::is_watched()).then(|| Meter::new("export", "events"));
    let (mut after, mut names) = (args.after, Names::default());
    // What comes in meanwhile is for the next export: this one ends where the log ended when it began.
    while after < head {
        let events = desk.log.read_filtered(after, PAGE, &filter).await?;
        let goes_on = is_full(&events, PAGE);
        after = events.last().map_or(head, |last| last.position);
        let events: Vec<_> = events.into_iter().filter(|event| event.position <= head).collect();
        names.learn(desk, args.reveal, &events).await?;
        for event in &args.reveal.events(desk, events).await? {
            match args.format {
                Form::Jsonl => {
                    serde_json::to_writer(&mut out, &Record::of(event)?.by(&names))?;
                    writeln!(out)?;
                }
                Form::Csv => csv::event(&mut out, event, &names)?,
            }
        }
        if let Some(meter) = &meter {
            meter.at(after.min(head) - args.after, head - args.after);
        }
        if !goes_on {
            break;
        }
    }
    Ok(out.flush()?)
}
