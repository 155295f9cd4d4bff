//! `byteshop views`: where every view stands against the log.

use std::io::Write as _;

use byteshop_projections::{State, Status, Views};
use comfy_table::{Cell, CellAlignment, Color, Table};

use super::failure::Failure;
use super::output::{self, Format, FormatArg};
use super::running::Shop;
use super::{progress, terminal};
use crate::config::Config;
use crate::operator;

/// How to print the views, and which to start again.
#[derive(Debug, clap::Args)]
pub(super) struct ViewsArgs {
    /// Retry a parked view, once its event can be read
    #[arg(long, value_name = "VIEW")]
    retry: Option<String>,
    #[command(flatten)]
    format: FormatArg,
}

pub(super) async fn run(config: &Config, args: ViewsArgs) -> Result<(), Failure> {
    let views = Views::beside(Shop::find(config)?.log(config)?);
    if let Some(view) = &args.retry {
        if !views.unpark(view).await? {
            return Err(Failure::refused(format!("{view} is not parked: `byteshop views` shows what it is doing")));
        }
        operator::note(&format!("an operator retries {view}"));
    }
    let all = views.status().await?;
    let format = args.format.chosen();
    output::list(format, &all, table)?;
    if format == Format::Table {
        let mut out = output::out();
        for (view, advice) in all.iter().filter_map(|view| Some((view, advice(view)?))) {
            let error = view.error.as_deref().unwrap_or("it has stopped");
            writeln!(out, "\n{}: {error}\n  {advice}", terminal::styled(&view.view, terminal::Style::Red))?;
        }
        out.flush()?;
    }
    // Stopped views are the reason for most calls of this command.
    if all.iter().all(|view| advice(view).is_none()) { Ok(()) } else { Err(Failure::FoundWanting) }
}

fn table(views: &[Status]) -> Table {
    let mut table = output::table(["view", "status", "position", "lag", "rate", "last moved"]);
    let number = |number: i64| Cell::new(progress::grouped(number)).set_alignment(CellAlignment::Right);
    for view in views {
        let state = match view.state {
            State::Live => Cell::new(view.state.as_str()),
            State::Parked | State::OtherHistory => Cell::new(view.state.as_str()).fg(Color::Red),
        };
        let moved = view.moved_at.map_or_else(|| "never".to_owned(), |at| at.format("%Y-%m-%d %H:%M:%S").to_string());
        let rate = format!("{}/s", progress::grouped(view.rate));
        table.add_row([
            Cell::new(&view.view),
            state,
            number(view.position),
            number(view.lag),
            Cell::new(rate).set_alignment(CellAlignment::Right),
            Cell::new(moved),
        ]);
    }
    table
}

/// Advice for a view that has stopped.
fn advice(view: &Status) -> Option<String> {
    let name = &view.view;
    match view.state {
        State::Live => None,
        State::Parked => Some(format!(
            "once the cause is fixed, `byteshop views --retry {name}` continues and `byteshop replay {name}` rebuilds"
        )),
        State::OtherHistory => Some(format!("it has read another log; `byteshop replay {name}` rebuilds it")),
    }
}
