//! `byteshop audit`: who did what, when, by which command, caused by what, and what the thing looked like then.

mod csv;
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

use byteshop_eventstore::{Log, Recorded, Vault};
use byteshop_projections::Views;
use clap::{Args, Subcommand};

use super::data_key;
use super::failure::Failure;
use super::running::Shop;
use crate::config::Config;
use crate::lookup::{Finder, LookupError, Thing};

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
    /// Show the tree of causes and effects around an event or a thing
    Trace(trace::TraceArgs),
    /// Tell the history of an order in sentences: payments, shipments and returns included
    Story(story::StoryArgs),
    /// Show a thing as it is, or as it was
    State(state::StateArgs),
    /// Show what changed between two moments of a thing
    Diff(diff::DiffArgs),
    /// Export events, all or some of them, for other programs and spreadsheets
    Export(export::ExportArgs),
}

/// Where questions are answered: the log, and what opens personal data if it is at hand.
pub(super) struct Desk {
    log: Log,
    views: Views,
    vault: Option<Vault>,
}

pub(super) async fn run(config: &Config, args: AuditArgs) -> Result<(), Failure> {
    let log = Shop::find(config)?.log(config)?;
    let vault = data_key::known(config)?.map(|keys| Vault::new(log.clone(), keys));
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

impl Desk {
    fn finder(&self) -> Finder<'_> {
        Finder { log: &self.log, views: &self.views, vault: self.vault.as_ref() }
    }

    /// The thing that a text names.
    async fn thing(&self, name: &Name) -> Result<Thing, Failure> {
        let found = self.finder().things(&name.0).await.map_err(failure)?;
        found.into_iter().next().ok_or_else(|| Failure::refused(format!("the log has nothing named `{}`", name.0)))
    }
}

fn failure(error: LookupError) -> Failure {
    match error {
        error @ (LookupError::Unknown(_) | LookupError::NoDataKey) => Failure::refused(error),
        LookupError::Store(error) => error.into(),
        LookupError::Commands(error) => error.into(),
        LookupError::Json(error) => error.into(),
    }
}

/// What a person calls a thing: its id, or one of its other names.
#[derive(Debug, Clone)]
struct Name(String);

impl std::str::FromStr for Name {
    type Err = String;

    /// Takes any name but an id with a typing error, which could not be anything else.
    fn from_str(text: &str) -> Result<Self, String> {
        let prefix = text.split_once('_').map(|(prefix, _)| prefix);
        let meant = byteshop_domain::AGGREGATES.iter().find(|it| Some(it.prefix) == prefix);
        match meant {
            Some(it) if Thing::of_id(text).is_none() => Err(format!(
                "not a valid id: `{}_` is followed by 26 letters and digits, such as {}",
                it.prefix,
                byteshop_domain::ids::format(it.prefix, EXAMPLE)
            )),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

/// An id as an example of how ids look.
const EXAMPLE: uuid::Uuid = uuid::Uuid::from_u128(0x0188_56a5_ac6d_7ac6_a93a_8b2e_2b97_4a1f);

/// Whether a page was read to its end, so that there may be another one.
fn is_full(page: &[Recorded], size: i64) -> bool {
    i64::try_from(page.len()) == Ok(size)
}

/// A whole number from 0 on.
fn whole_number(text: &str) -> Result<i64, String> {
    text.parse().ok().filter(|number| *number >= 0).ok_or_else(|| "not a whole number such as 100".to_owned())
}

/// Refuses to start after a position that the log does not have: an empty answer would look as if nothing had happened.
fn within(head: i64, after: i64) -> Result<(), Failure> {
    if after <= head {
        return Ok(());
    }
    Err(Failure::refused(format!("the log has no position {after}: it ends at {head}")))
}

/// What to say when the log does not have a position.
async fn no_event(log: &Log, position: i64) -> Failure {
    match log.head().await {
        Ok(0) => Failure::refused("the log is empty"),
        Ok(head) => Failure::refused(format!("the log has no position {position}: it goes from 1 to {head}")),
        Err(error) => error.into(),
    }
}
