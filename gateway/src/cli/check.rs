//! `byteshop check`: whether everything that follows the log has read this log, and after a restored backup, making it so.

use std::io::Write as _;

use byteshop_commands::relay::NatsConfig;
use byteshop_commands::relay::history::{self, History};
use byteshop_eventstore::Log;
use byteshop_projections::replay::Replay;
use byteshop_projections::{State, Views};
use comfy_table::{Cell, CellAlignment, Color, Table};
use serde::Serialize;

use super::failure::Failure;
use super::output::{self, Format, FormatArg};
use super::progress::{self, Meter};
use super::running::Shop;
use super::terminal::{self, Style};
use crate::config::Config;

/// Whether to repair, and how to print.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// Take the log in Postgres for the truth: delete a JetStream stream with another history, let a process that has read
    /// another one begin again (what it did is not done twice), and rebuild such views
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    format: FormatArg,
}

/// What follows the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Relay,
    Process,
    View,
}

/// How one of them stands to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Standing {
    /// It has read this log.
    Live,
    /// It has read this log and cannot read on.
    Parked,
    /// It has read another one.
    OtherHistory,
    /// It cannot be told.
    Unknown,
}

#[derive(Debug, Serialize)]
struct Follower {
    part: Part,
    name: String,
    state: Standing,
    /// The last position that it has read, where that can be told.
    position: Option<i64>,
    /// Events that it has not seen yet.
    lag: Option<i64>,
    /// Why it does not go on.
    reason: Option<String>,
}

/// What is looked at.
struct Followers {
    log: Log,
    views: Views,
    nats: Option<NatsConfig>,
}

pub(super) async fn run(config: &Config, args: CheckArgs) -> Result<(), Failure> {
    let shop = Shop::find(config)?;
    let log = shop.log(config)?;
    let nats = shop.nats_url.map(|url| NatsConfig { stream: config.nats_stream.clone(), ..NatsConfig::new(url) });
    let followers = Followers { views: Views::beside(log.clone()), log, nats };
    let mut all = followers.look().await?;
    if args.repair {
        for follower in all.iter().filter(|follower| follower.state == Standing::OtherHistory) {
            followers.repair(follower).await?;
        }
        all = followers.look().await?;
    }
    let format = args.format.chosen();
    output::list(format, &all, table)?;
    if format == Format::Table {
        advise(&all)?;
    }
    if all.iter().all(|follower| follower.state == Standing::Live) { Ok(()) } else { Err(Failure::FoundWanting) }
}

impl Followers {
    async fn look(&self) -> Result<Vec<Follower>, Failure> {
        let head = self.log.head().await?;
        let mut all = Vec::new();
        if let Some(nats) = &self.nats {
            let (state, position, reason) = match history::compare(&self.log, nats).await {
                History::Same { position } => (Standing::Live, Some(position), None),
                History::Other { reason } => (Standing::OtherHistory, None, Some(reason)),
                History::Unknown { reason } => (Standing::Unknown, None, Some(reason)),
            };
            let lag = position.map(|position| (head - position).max(0));
            all.push(Follower { part: Part::Relay, name: nats.stream.clone(), state, position, lag, reason });
        }
        all.extend(self.log.processes().await?.into_iter().map(|process| {
            let state = match (process.same_history, &process.error) {
                (false, _) => Standing::OtherHistory,
                (true, Some(_)) => Standing::Parked,
                (true, None) => Standing::Live,
            };
            let (position, lag) = (Some(process.position), Some(process.lag));
            Follower { part: Part::Process, name: process.name, state, position, lag, reason: process.error }
        }));
        all.extend(self.views.status().await?.into_iter().map(|view| {
            let state = match view.state {
                State::Live => Standing::Live,
                State::Parked => Standing::Parked,
                State::OtherHistory => Standing::OtherHistory,
            };
            let (position, lag) = (Some(view.position), Some(view.lag));
            Follower { part: Part::View, name: view.view, state, position, lag, reason: view.error }
        }));
        Ok(all)
    }

    async fn repair(&self, follower: &Follower) -> Result<(), Failure> {
        let name = &follower.name;
        match (follower.part, &self.nats) {
            (Part::Relay, Some(nats)) => history::delete(nats)
                .await
                .map_err(|reason| Failure::refused(format!("the JetStream stream {name} cannot be deleted: {reason}"))),
            (Part::Relay, None) => Ok(()),
            (Part::Process, _) if self.log.restart_process(name).await? => Ok(()),
            (Part::Process, _) => {
                Err(Failure::refused(format!("the process {name} runs just now: stop the shop and try again")))
            }
            (Part::View, _) => {
                let meter = Meter::new(name, "events");
                self.views.replay(name, Replay::Rebuild, &|progress| meter.at(progress.done, progress.total)).await?;
                meter.finish();
                Ok(())
            }
        }
    }
}

fn table(followers: &[Follower]) -> Table {
    let mut table = output::table(["", "name", "state", "position", "lag"]);
    let number = |number: Option<i64>| {
        Cell::new(number.map_or_else(String::new, progress::grouped)).set_alignment(CellAlignment::Right)
    };
    for follower in followers {
        let part = match follower.part {
            Part::Relay => "relay",
            Part::Process => "process",
            Part::View => "view",
        };
        let state = match follower.state {
            Standing::Live => Cell::new("live"),
            Standing::Parked => Cell::new("parked").fg(Color::Red),
            Standing::OtherHistory => Cell::new("other history").fg(Color::Red),
            Standing::Unknown => Cell::new("unknown").fg(Color::Red),
        };
        table.add_row([
            Cell::new(part),
            Cell::new(&follower.name),
            state,
            number(follower.position),
            number(follower.lag),
        ]);
    }
    table
}

/// Why something does not go on, and what to do about it.
fn advise(followers: &[Follower]) -> Result<(), Failure> {
    let mut out = output::out();
    for follower in followers {
        let advice = match (follower.state, follower.part) {
            (Standing::Live, _) => continue,
            (Standing::OtherHistory, _) => "if the log in Postgres is right: `byteshop check --repair`",
            (Standing::Parked, Part::View) => "after a repair of the program: `byteshop views --retry`",
            (Standing::Parked, Part::Process | Part::Relay) => {
                "it goes on by itself as soon as a program runs that can read the event"
            }
            (Standing::Unknown, _) => {
                "is NATS running, and is the stream's name the shop's own? `byteshop config` shows both"
            }
        };
        let reason = follower.reason.as_deref().unwrap_or("it has read events that the log does not have");
        writeln!(out, "\n{}: {reason}\n  {advice}", terminal::styled(&follower.name, Style::Red))?;
    }
    Ok(out.flush()?)
}
