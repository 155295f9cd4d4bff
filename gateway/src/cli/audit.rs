//! `byteshop audit`: who did what, when, by which command, caused by what, and what the thing looked like then.

mod diff;
mod export;
mod log;
mod record;
mod show;
mod state;
mod trace;

use byteshop_eventstore::{Log, Recorded, StreamId};
use clap::{Args, Subcommand};

use super::failure::Failure;
use super::running::Shop;
use crate::config::Config;

/// A question to the log.
#[derive(Debug, Args)]
pub struct AuditArgs {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// What happened, newest last
    Log(log::LogArgs),
    /// One event, whole: who, when, why and by which command
    Show(show::ShowArgs),
    /// The tree of causes and effects around an event or a thing
    Trace(trace::TraceArgs),
    /// A thing as it is, or as it was
    State(state::StateArgs),
    /// What changed between two moments of a thing
    Diff(diff::DiffArgs),
    /// The whole log, for other programs
    Export(export::ExportArgs),
}

pub(super) async fn run(config: &Config, args: AuditArgs) -> Result<(), Failure> {
    let log = Shop::find(config)?.log(config)?;
    match args.question {
        Question::Log(args) => log::run(&log, args).await,
        Question::Show(args) => show::run(&log, args).await,
        Question::Trace(args) => trace::run(&log, args).await,
        Question::State(args) => state::run(&log, args).await,
        Question::Diff(args) => diff::run(&log, args).await,
        Question::Export(args) => export::run(&log, args).await,
    }
}

/// What an id on the command line names.
#[derive(Debug, Clone)]
struct Thing {
    /// The id as it was given.
    id: String,
    /// Where its events are.
    stream: StreamId,
}

impl std::str::FromStr for Thing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((aggregate, id)) = byteshop_domain::locate(text) {
            return Ok(Self { id: text.to_owned(), stream: StreamId::named(aggregate.category, id) });
        }
        let kind = |it: &byteshop_domain::Aggregate| format!("{}_… ({})", it.prefix, it.category.replace('_', " "));
        let kinds: Vec<String> = byteshop_domain::AGGREGATES.iter().map(kind).collect();
        Err(format!("not an id of ours, which start with {}", kinds.join(", ")))
    }
}

impl Thing {
    /// What to say when the log has nothing of it.
    fn unknown(&self) -> Failure {
        Failure::refused(format!("the log has no {} {}", self.stream.category.replace('_', " "), self.id))
    }

    /// Refuses what the log does not have.
    async fn must_exist(&self, log: &Log) -> Result<(), Failure> {
        if log.read_stream(&self.stream, 0, 1).await?.is_empty() { Err(self.unknown()) } else { Ok(()) }
    }
}

/// Whether a page was read to its end, so that there may be another one.
fn is_full(page: &[Recorded], size: i64) -> bool {
    i64::try_from(page.len()) == Ok(size)
}

/// What to say when the log does not have a position.
async fn no_event(log: &Log, position: i64) -> Failure {
    match log.head().await {
        Ok(0) => Failure::refused("the log is empty"),
        Ok(head) => Failure::refused(format!("the log has no position {position}: it goes from 1 to {head}")),
        Err(error) => error.into(),
    }
}
