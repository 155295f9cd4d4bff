//! `byteshop replay`: builds views again from the log while the shop is open, checks them, or dates them back.

use std::io::Write as _;

use byteshop_projections::Views;
use byteshop_projections::replay::{Replay, Report, Until};
use comfy_table::Table;

use super::failure::Failure;
use super::moment::{self, Moment};
use super::output::{self, Format, FormatArg};
use super::progress::{self, Meter};
use super::running::Shop;
use super::terminal::{self, Style};
use crate::config::Config;

/// Which views, and what for.
#[derive(Debug, clap::Args)]
pub(super) struct ReplayArgs {
    /// The views, as `byteshop views` names them
    #[arg(required_unless_present = "all", value_name = "VIEW")]
    views: Vec<String>,
    /// Every view
    #[arg(long, conflicts_with = "views")]
    all: bool,
    /// Change nothing: build beside, compare row by row, and end with 1 when a row differs
    #[arg(long, conflicts_with = "until")]
    check: bool,
    /// Change nothing: build beside as it was at a position of the log or a time, into the table that is named in the end
    #[arg(long, value_name = "POSITION|TIME", value_parser = moment::moment)]
    until: Option<Moment>,
    #[command(flatten)]
    format: FormatArg,
}

pub(super) async fn run(config: &Config, args: ReplayArgs) -> Result<(), Failure> {
    let views = Views::beside(Shop::find(config)?.log(config)?);
    let known = views.names();
    if let Some(unknown) = args.views.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(Failure::Usage(format!("there is no view {unknown}; the views are {}", known.join(", "))));
    }
    let names = if args.all { known.iter().map(|name| (*name).to_owned()).collect() } else { args.views };
    let what = match (args.check, args.until) {
        (true, _) => Replay::Check,
        (false, None) => Replay::Rebuild,
        (false, Some(Moment::Position(position))) => Replay::Until(Until::Position(position)),
        (false, Some(Moment::Time(time))) => Replay::Until(Until::Time(time)),
    };
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

fn table(reports: &[Report], what: Replay) -> Table {
    let mut table = output::table(["view", "position", "rows", "outcome"]);
    for report in reports {
        let outcome = match (what, &report.table) {
            (Replay::Check, _) if report.different == 0 => "equal, row by row".to_owned(),
            (Replay::Check, _) => format!("{} rows differ", progress::grouped(report.different)),
            (Replay::Rebuild, _) => "rebuilt and swapped in".to_owned(),
            (Replay::Until(_), Some(table)) => format!("built into {table}"),
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
        writeln!(out, "`byteshop replay {}` puts the rebuilt rows in their place", report.view)?;
    }
    out.flush()
}
