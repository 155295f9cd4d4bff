//! `byteshop replay`: builds views again from the log while the shop is open, checks them, or dates them back.

use std::error::Error as _;
use std::io::Write as _;

use byteshop_projections::replay::{Replay, Report, Until};
use byteshop_projections::{Error, Views};
use comfy_table::Table;
use serde::Serialize;

use super::failure::Failure;
use super::moment::{self, Moment};
use super::output::{self, Format, FormatArg};
use super::progress::{self, Meter};
use super::running::Shop;
use super::terminal::{self, Style};
use crate::config::Config;
use crate::{near, operator};

/// Which views, and what for.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct ReplayArgs {
    /// The views, as `byteshop views` names them
    #[arg(required_unless_present_any = ["all", "leftovers"], value_name = "VIEW")]
    views: Vec<String>,
    /// Every view
    #[arg(long, conflicts_with = "views")]
    all: bool,
    /// Change nothing: build beside the live view, compare row by row, and exit with 1 if a row differs
    #[arg(long, conflicts_with = "until")]
    check: bool,
    /// Change nothing: build the view as it was at a position of the log or a time, into a table that the output names
    #[arg(long, value_name = "POSITION|TIME", value_parser = moment::moment)]
    until: Option<Moment>,
    /// List the tables that earlier runs with --until have left; with --drop, drop those of the given views, or all of them
    #[arg(long, conflicts_with_all = ["check", "until"])]
    leftovers: bool,
    /// Drop the tables that --leftovers lists
    #[arg(long, requires = "leftovers")]
    drop: bool,
    #[command(flatten)]
    format: FormatArg,
}

pub(super) async fn run(config: &Config, args: ReplayArgs) -> Result<(), Failure> {
    let views = Views::beside(Shop::find(config)?.log(config)?);
    let known = views.names();
    if let Some(unknown) = args.views.iter().find(|name| !known.contains(&name.as_str())) {
        let hint = near::nearest(unknown, known.iter().copied());
        let hint =
            hint.map_or_else(|| format!("the views are {}", known.join(", ")), |near| format!("did you mean {near}?"));
        return Err(Failure::Usage(format!("there is no view {unknown}; {hint}")));
    }
    let names = if args.all { known.iter().map(|name| (*name).to_owned()).collect() } else { args.views };
    if args.leftovers {
        let names = if names.is_empty() { known.iter().map(|name| (*name).to_owned()).collect() } else { names };
        return leftovers(&views, &names, args.drop, args.format).await;
    }
    let what = match (args.check, args.until) {
        (true, _) => Replay::Check,
        (false, None) => Replay::Rebuild,
        (false, Some(Moment::Position(position))) => Replay::Until(Until::Position(position)),
        (false, Some(Moment::Time(time))) => Replay::Until(Until::Time(time)),
    };
    if what == Replay::Rebuild {
        operator::note(&format!("an operator rebuilds {}", names.join(", ")));
    }
    let (mut rows, mut failed) = (Vec::new(), None);
    for name in &names {
        let meter = Meter::new(name, "events");
        let done = views.replay(name, what, &|progress| meter.at(progress.done, progress.total)).await;
        meter.finish();
        match done {
            Ok(report) => rows.push(Row::of(report, what)),
            Err(error) => {
                rows.push(Row::failed(name, &error));
                let is_outage = error.is_outage();
                failed.get_or_insert(error);
                if is_outage {
                    break;
                }
            }
        }
    }
    let format = args.format.chosen();
    output::list(format, &rows, table)?;
    if format == Format::Table {
        differences(&rows)?;
    }
    match failed {
        Some(error) => Err(error.into()),
        None if rows.iter().any(|row| row.outcome == Outcome::Different) => Err(Failure::FoundWanting),
        None => Ok(()),
    }
}

/// What became of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// Rebuilt and swapped in.
    Rebuilt,
    /// Built beside the live one.
    Built,
    /// Compared, and equal row by row.
    Equal,
    /// Compared, and not equal.
    Different,
    /// Nothing was changed.
    Failed,
}

/// A view and what became of it.
#[derive(Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    of: Of,
    outcome: Outcome,
    /// Why it failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The result for a view, or its name alone.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Of {
    Report(Report),
    View { view: String },
}

impl Row {
    fn of(report: Report, what: Replay) -> Self {
        let outcome = match what {
            Replay::Check if report.different == 0 => Outcome::Equal,
            Replay::Check => Outcome::Different,
            Replay::Rebuild => Outcome::Rebuilt,
            Replay::Until(_) => Outcome::Built,
        };
        let differ =
            || format!("{} of the live view", progress::counted(report.different, "row differs", "rows differ"));
        let reason = (outcome == Outcome::Different).then(differ);
        Self { outcome, reason, of: Of::Report(report) }
    }

    fn failed(view: &str, error: &Error) -> Self {
        let reason = Some(words(error));
        Self { of: Of::View { view: view.to_owned() }, outcome: Outcome::Failed, reason }
    }
}

/// An error with its causes.
fn words(error: &Error) -> String {
    let (mut told, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        let text = error.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        cause = error.source();
    }
    told
}

/// A table that a replay up to a moment has left.
#[derive(Debug, Serialize)]
struct Leftover {
    view: String,
    table: String,
    dropped: bool,
}

async fn leftovers(views: &Views, names: &[String], drop: bool, format: FormatArg) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for view in names {
        let Some(table) = views.leftover(view).await? else { continue };
        if drop {
            views.drop_leftover(view).await?;
        }
        rows.push(Leftover { view: view.clone(), table, dropped: drop });
    }
    output::list(format.chosen(), &rows, |rows| {
        let mut table = output::table(["view", "table", "outcome"]);
        for row in rows {
            let outcome = if row.dropped { "dropped" } else { "kept; --drop drops it" };
            table.add_row([row.view.as_str(), &row.table, outcome]);
        }
        table
    })?;
    Ok(())
}

fn table(rows: &[Row]) -> Table {
    let mut table = output::table(["view", "position", "rows", "outcome"]);
    for row in rows {
        let (view, position, count, built) = match &row.of {
            Of::Report(Report { view, position, rows, table, .. }) => {
                (*view, progress::grouped(*position), progress::grouped(*rows), table.as_deref())
            }
            Of::View { view } => (view.as_str(), String::new(), String::new(), None),
        };
        let reason = row.reason.as_deref().unwrap_or_default();
        let outcome = match (row.outcome, built) {
            (Outcome::Equal, _) => "equal, row by row".to_owned(),
            (Outcome::Different, _) => reason.to_owned(),
            (Outcome::Rebuilt, _) => "rebuilt and swapped in".to_owned(),
            (Outcome::Built, Some(table)) => {
                format!("built into {table}; `byteshop replay --leftovers --drop` drops it")
            }
            (Outcome::Built, None) => "built beside".to_owned(),
            (Outcome::Failed, _) => format!("failed: {reason}"),
        };
        table.add_row([view.to_owned(), position, count, outcome]);
    }
    table
}

/// The first rows that differ, live above rebuilt.
fn differences(rows: &[Row]) -> std::io::Result<()> {
    let mut out = output::out();
    let fit = |text: &str| terminal::width().map_or_else(|| text.to_owned(), |width| terminal::cut(text, width));
    let reports = rows.iter().filter_map(|row| match &row.of {
        Of::Report(report) => Some(report),
        Of::View { .. } => None,
    });
    for report in reports.filter(|report| report.different > 0) {
        writeln!(out, "\n{}", terminal::styled(report.view, Style::Bold))?;
        for difference in &report.differences {
            let row = |row: &Option<String>| row.as_deref().unwrap_or("no row").to_owned();
            writeln!(out, "  {}", difference.key)?;
            let (live, rebuilt) =
                (format!("  − live    {}", row(&difference.live)), format!("  + rebuilt {}", row(&difference.rebuilt)));
            writeln!(out, "{}", terminal::styled(&fit(&live), Style::Red))?;
            writeln!(out, "{}", terminal::styled(&fit(&rebuilt), Style::Green))?;
        }
        writeln!(out, "`byteshop replay {}` replaces them with the rebuilt rows", report.view)?;
    }
    out.flush()
}
