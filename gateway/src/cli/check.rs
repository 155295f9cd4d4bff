//! `byteshop check`: whether everything that follows the log has read this log, and after a restored backup, making it so.

use std::io::Write as _;

use byteshop_commands::relay::history;
use byteshop_eventstore::instance::Closed;
use byteshop_eventstore::{Log, Vault};
use byteshop_projections::Views;
use byteshop_projections::replay::Replay;
use comfy_table::{Cell, CellAlignment, Color, Table};
use serde::Serialize;

use super::failure::Failure;
use super::output::{self, Format, FormatArg};
use super::progress::{self, Meter};
use super::running::Shop;
use super::storage::{data_keys, erased_list};
use super::terminal::{self, Style};
use crate::config::Config;
use crate::followers::Followers;
use crate::health::{Follower, Part, Standing};
use crate::operator;

/// Whether to repair, and how to print.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// Trust the log in Postgres: delete a JetStream stream with another history, restart processes that read another history
    /// (their commands are not repeated), and rebuild such views
    #[arg(long)]
    repair: bool,
    /// Record that a backup was restored, if the shop cannot detect it, as with a copy of the whole data directory: payments and
    /// document numbers stop until `byteshop numbers confirm`
    #[arg(long)]
    restored: bool,
    #[command(flatten)]
    format: FormatArg,
}

pub(super) async fn run(config: &Config, args: CheckArgs) -> Result<(), Failure> {
    let shop = Shop::find(config)?;
    let log = shop.log(config)?;
    let nats = shop.nats(config);
    let followers = Followers { views: Views::beside(log.clone()), log, nats };
    let log = followers.log.clone();
    log.recognize().await?;
    if args.restored {
        log.close(&format!("{} says that a backup was restored", operator::actor())).await?;
    }
    let mut all = followers.look().await?;
    let format = args.format.chosen();
    if args.repair {
        operator::note("an operator repairs what follows the log");
        let mut done = erase_again(config, &log).await?;
        for follower in all.iter().filter(|follower| follower.state == Standing::OtherHistory) {
            repair(&followers, follower).await?;
            done.push(repaired(follower));
        }
        if done.is_empty() {
            done.push("there was nothing to repair".to_owned());
        }
        output::remark(format, &done.join("\n"))?;
        all = followers.look().await?;
    }
    let closed = log.closed().await?;
    let mut found: Vec<Finding> = all.iter().map(Finding::of).collect();
    if followers.nats.is_none() {
        found.insert(0, Finding::relay_left_out(&config.nats_stream));
    }
    found.extend(closed.as_ref().map(Finding::stopped));
    output::list(format, &found, table)?;
    if format == Format::Table {
        advise(&all)?;
    }
    if followers.nats.is_none() {
        output::remark(format, &format!("\nthe relay was left out: {NO_NATS}"))?;
    }
    if let Some(closed) = &closed {
        output::remark(format, &said_of(closed))?;
    }
    if found.iter().any(|finding| finding.outcome == Outcome::Failed) { Err(Failure::FoundWanting) } else { Ok(()) }
}

/// Why the relay is not compared.
const NO_NATS: &str =
    "the address of NATS is not known; set BYTESHOP_NATS_URL to compare the stream in JetStream with the log";
/// Why a follower that has read another log does not go on.
const OTHER_LOG: &str = "it has read events that the log does not have";

/// What was found of a part of the shop.
#[derive(Debug, Serialize)]
struct Finding {
    part: &'static str,
    name: String,
    status: &'static str,
    position: Option<i64>,
    lag: Option<i64>,
    lag_seconds: Option<i64>,
    outcome: Outcome,
    /// Why it failed or was left out.
    reason: Option<String>,
}

/// How a part of the shop is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// It has read this log.
    Ok,
    /// It does not go on, or has read another log.
    Failed,
    /// It was not looked at.
    LeftOut,
}

impl Finding {
    fn of(follower: &Follower) -> Self {
        let Follower { part, name, state, position, lag, lag_s, reason } = follower.clone();
        let (status, outcome) = match state {
            Standing::Live => ("live", Outcome::Ok),
            Standing::Stalled => ("stalled", Outcome::Failed),
            Standing::Parked => ("parked", Outcome::Failed),
            Standing::OtherHistory => ("other_history", Outcome::Failed),
            Standing::Unknown => ("unknown", Outcome::Failed),
        };
        let reason = reason.or_else(|| (outcome == Outcome::Failed).then(|| OTHER_LOG.to_owned()));
        Self { part: part.as_str(), name, status, position, lag, lag_seconds: lag_s, outcome, reason }
    }

    /// The relay's stream in a NATS of which nothing is known.
    fn relay_left_out(stream: &str) -> Self {
        Self::beside(Part::Relay.as_str(), stream, "unknown", Outcome::LeftOut, NO_NATS)
    }

    /// Payments and document numbers, while they are stopped.
    fn stopped(closed: &Closed) -> Self {
        Self::beside("shop", "payments and document numbers", "stopped", Outcome::Failed, &closed.reason)
    }

    fn beside(part: &'static str, name: &str, status: &'static str, outcome: Outcome, reason: &str) -> Self {
        let (name, reason) = (name.to_owned(), Some(reason.to_owned()));
        Self { part, name, status, position: None, lag: None, lag_seconds: None, outcome, reason }
    }
}

/// Destroys once more the keys of those who were erased after the backup; gives what was done.
async fn erase_again(config: &Config, log: &Log) -> Result<Vec<String>, Failure> {
    let Ok(keys) = data_keys(config, log).await else {
        let left = "the list of the erased was not applied without the data key; the shop applies it when it starts";
        return Ok(vec![left.to_owned()]);
    };
    let vault = Vault::new(log.clone(), keys);
    vault.list_erased(erased_list(config)?);
    let again = vault.apply_erased().await?.len();
    Ok(match again {
        0 => Vec::new(),
        1 => vec!["destroyed the key of one person who was erased after the backup".to_owned()],
        again => vec![format!("destroyed the keys of {again} people who were erased after the backup")],
    })
}

/// The result of a repair.
fn repaired(follower: &Follower) -> String {
    let name = &follower.name;
    match follower.part {
        Part::Relay => {
            format!("deleted the JetStream stream {name}, which held another history; the relay creates it again")
        }
        Part::Process => {
            format!("restarted the process {name} from the start of the log; its earlier commands are not repeated")
        }
        Part::View => format!("rebuilt the view {name} from the log"),
    }
}

/// The note that payments are stopped, with the reason and the next step.
fn said_of(closed: &Closed) -> String {
    let (since, reason) = (closed.since.format("%Y-%m-%d %H:%M:%S"), &closed.reason);
    let head = terminal::styled("payments and document numbers are stopped", Style::Red);
    let next = "compare with `byteshop numbers`, skip the numbers that were issued since with `byteshop numbers skip`, then run `byteshop numbers confirm`";
    format!("\n{head} since {since}: {reason}\n  {next}")
}

async fn repair(followers: &Followers, follower: &Follower) -> Result<(), Failure> {
    let name = &follower.name;
    match (follower.part, &followers.nats) {
        (Part::Relay, Some(nats)) => history::delete(nats)
            .await
            .map_err(|reason| Failure::refused(format!("the JetStream stream {name} cannot be deleted: {reason}"))),
        (Part::Relay, None) => Ok(()),
        (Part::Process, _) if followers.log.restart_process(name).await? => Ok(()),
        (Part::Process, _) => {
            let way = "stop the shop, start only its servers with `byteshop up --only-servers`, and repeat this";
            Err(Failure::refused(format!("the process {name} is running: {way}")))
        }
        (Part::View, _) => {
            let meter = Meter::new(name, "events");
            let progress = |progress: byteshop_projections::replay::Progress| meter.at(progress.done, progress.total);
            followers.views.replay(name, Replay::Rebuild, &progress).await?;
            meter.finish();
            Ok(())
        }
    }
}

fn table(found: &[Finding]) -> Table {
    let mut table = output::table(["", "name", "status", "position", "lag"]);
    let number = |number: Option<i64>| {
        Cell::new(number.map_or_else(String::new, progress::grouped)).set_alignment(CellAlignment::Right)
    };
    for finding in found {
        let state = match finding.outcome {
            Outcome::Ok => Cell::new(finding.status),
            Outcome::Failed => Cell::new(finding.status.replace('_', " ")).fg(Color::Red),
            Outcome::LeftOut => Cell::new("left out"),
        };
        table.add_row([
            Cell::new(finding.part),
            Cell::new(&finding.name),
            state,
            number(finding.position),
            number(finding.lag),
        ]);
    }
    table
}

/// The reason why a follower does not continue, and advice.
fn advise(followers: &[Follower]) -> Result<(), Failure> {
    let mut out = output::out();
    for follower in followers {
        let advice = match (follower.state, follower.part) {
            (Standing::Live, _) => continue,
            (Standing::OtherHistory, _) => "if the log in Postgres is the right one, run `byteshop check --repair`",
            (Standing::Parked, Part::View) => "once the program is fixed, run `byteshop views --retry`",
            (Standing::Parked, Part::Process | Part::Relay) => {
                "it continues by itself once a program version that can read the event runs"
            }
            // One look does not see that something stands still.
            (Standing::Stalled, _) => "check that a process with this role is running",
            (Standing::Unknown, _) => {
                "check that NATS is running and that the stream belongs to this shop; `byteshop config` shows both"
            }
        };
        let reason = follower.reason.as_deref().unwrap_or(OTHER_LOG);
        writeln!(out, "\n{}: {reason}\n  {advice}", terminal::styled(&follower.name, Style::Red))?;
    }
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follower(part: Part, name: &str, state: Standing) -> Follower {
        Follower { part, name: name.to_owned(), state, position: Some(7), lag: Some(0), lag_s: None, reason: None }
    }

    #[test]
    fn what_stands_still_is_red_and_what_runs_is_not() {
        let standings =
            [(Standing::Parked, "parked"), (Standing::OtherHistory, "other history"), (Standing::Live, "live")];
        for (state, word) in standings {
            let found = [Finding::of(&follower(Part::View, "sales", state))];
            let told = table(&found).force_no_tty().enforce_styling().to_string();
            let line = told.lines().find(|line| line.contains(word)).unwrap_or_default();
            assert_eq!(line.contains("\u{1b}["), state != Standing::Live, "{told}");
        }
    }

    #[test]
    fn a_repair_says_what_was_done_to_each() {
        let done = |part, name| repaired(&follower(part, name, Standing::OtherHistory));
        assert!(done(Part::Relay, "BYTESHOP").contains("deleted the JetStream stream BYTESHOP"));
        assert!(done(Part::Process, "settle_order").contains("restarted the process settle_order"));
        assert_eq!(done(Part::View, "sales"), "rebuilt the view sales from the log");
    }
}
