//! `byteshop audit`: who did what, when, by which command, caused by what, and what the thing looked like then.

mod csv;
mod desk;
mod diff;
mod export;
mod filter;
mod log;
mod names;
mod record;
mod reveal;
mod show;
mod state;
mod story;
mod trace;

use byteshop_eventstore::Vault;
use byteshop_projections::Views;
use clap::{Args, Subcommand};

use super::failure::Failure;
use super::running::Shop;
use super::storage;
use crate::config::Config;
use desk::Desk;

/// A question to the log.
#[derive(Debug, Args)]
pub struct AuditArgs {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// List events, newest last
    Log(log::LogArgs),
    /// Show one event in full: who, when, why and by which command
    Show(show::ShowArgs),
    /// Show the tree of causes and effects around an event or an object
    Trace(trace::TraceArgs),
    /// Show the history of an order in sentences, including payments, shipments and returns
    Story(story::StoryArgs),
    /// Show the state of an object, now or at an earlier moment
    State(state::StateArgs),
    /// Show what changed in an object between two moments
    Diff(diff::DiffArgs),
    /// Export events for other programs and spreadsheets
    Export(export::ExportArgs),
}

pub(super) async fn run(config: &Config, args: AuditArgs) -> Result<(), Failure> {
    let log = Shop::find(config)?.log(config)?;
    let vault = storage::known(config)?.map(|keys| Vault::new(log.clone(), keys));
    let desk = Desk { views: Views::beside(log.clone()), log, vault };
    match args.question {
        Question::Log(args) => log::run(&desk, args).await,
        Question::Show(args) => show::run(&desk, args).await,
        Question::Trace(args) => trace::run(&desk, args).await,
        Question::Story(args) => story::run(&desk, args).await,
        Question::State(args) => state::run(&desk, args).await,
        Question::Diff(args) => diff::run(&desk, args).await,
        Question::Export(args) => export::run(&desk, args).await,
    }
}
