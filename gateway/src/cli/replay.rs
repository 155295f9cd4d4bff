//! `byteshop replay`: builds views again from the log while the shop is open, checks them, or dates them back.

use std::io::Write as _;

use byteshop_projections::Views;
use byteshop_projections::replay::{Replay, Report, Until};
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
    let mut reports = Vec::new();
    for name in &names {
        let meter = Meter::new(name, "events");
        let report = views.replay(name, what, &|progress| meter.at(progress.done, progress.total)).await?;
        meter.finish();
        reports.push(report);
    }
    let format = args.format.chosen();
    output::list(format, &reports, |reports| table(reports, what))?;
    let wanting = reports.iter().any(|report| report.different > 0);
    if wanting && format == Format::Table {
        differences(&reports)?;
    }
    if wanting { Err(Failure::FoundWanting) } else { Ok(()) }
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

fn table(reports: &[Report], what: Replay) -> Table {
    let mut table = output::table(["view", "position", "rows", "outcome"]);
    for report in reports {
        let outcome = match (what, &report.table) {
            (Replay::Check, _) if report.different == 0 => "equal, row by row".to_owned(),
            (Replay::Check, _) => format!("{} rows differ", progress::grouped(report.different)),
            (Replay::Rebuild, _) => "rebuilt and swapped in".to_owned(),
            (Replay::Until(_), Some(table)) => {
                format!("built into {table}; `byteshop replay --leftovers --drop` drops it")
            }
            (Replay::Until(_), None) => "built beside".to_owned(),
        };
        table.add_row([
            report.view.to_owned(),
            progress::grouped(report.position),
            progress::grouped(report.rows),
            outcome,
        ]);
    }
    table
}

/// The first rows that differ, live above rebuilt.
fn differences(reports: &[Report]) -> std::io::Result<()> {
    let mut out = output::out();
    let fit = |text: &str| terminal::width().map_or_else(|| text.to_owned(), |width| terminal::cut(text, width));
    for report in reports.iter().filter(|report| report.different > 0) {
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
