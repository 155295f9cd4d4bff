//! `byteshop seed orders FILE`: a retailer's real orders become products, orders, losses and credit notes in the log.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use byteshop_commands::import::{Export, History, Pace, Report, Tally};
use comfy_table::CellAlignment;
use serde_json::json;

use super::failure::Failure;
use super::operating::with_commands;
use super::output::{self, Format, FormatArg};
use super::progress::{Meter, grouped};
use crate::config::Config;
use crate::operator;

/// Which file to import.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The file has the columns Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country.\n\
    Running an import again does not duplicate anything, and an import that was interrupted resumes where it stopped."
)]
pub(super) struct OrdersArgs {
    /// A transaction export as CSV in UTF-8, plain or packed with gzip
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where to write rejected lines [default: in the current directory, named like FILE and ending in .rejects.csv]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    #[command(flatten)]
    format: FormatArg,
}

pub(super) async fn run(config: &Config, args: OrdersArgs) -> Result<(), Failure> {
    let started = Instant::now();
    let place = args.rejects.clone().unwrap_or_else(|| rejects_of(&args.file));
    // A place that cannot be written is told before anything is imported.
    let mut rejects = Rejects::open(place)?;
    let file = args.file.display().to_string();
    let history = read(args.file).await.map_err(|error| Failure::Refused(error.context(file)))?.by(operator::actor());
    let importing = with_commands(config, async |commands| {
        let meter = Meter::new("import", "lines");
        let lines = i64::try_from(history.lines()).unwrap_or(i64::MAX);
        let progress = |done| meter.at(i64::try_from(done).unwrap_or(i64::MAX), lines);
        let outcome = commands.import(history, Pace::default(), &progress).await;
        outcome.context("stopped; run the import again to resume from here").map_err(Failure::Refused)
    });
    let report = importing.await?;
    rejects.write(&report)?;
    print(&report, &rejects, started.elapsed(), args.format.chosen())?;
    Ok(())
}

/// Reads the file on a thread of its own: unpacking and parsing take their time.
async fn read(file: PathBuf) -> anyhow::Result<History> {
    let reading = tokio::task::spawn_blocking(move || Export::open(&file).map(History::of));
    Ok(reading.await.context("the file could not be read")??)
}

/// `shop/orders.csv.gz` has its rejects in `orders.rejects.csv`, here: the place of the file may belong to others.
fn rejects_of(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = name.strip_suffix(".csv").unwrap_or(name);
    PathBuf::from(format!("{stem}.rejects.csv"))
}

/// The file of rejects, which is there only when there are some.
struct Rejects {
    place: PathBuf,
    fresh: PathBuf,
    written: bool,
}

impl Rejects {
    fn open(place: PathBuf) -> Result<Self, Failure> {
        let mut fresh = place.clone().into_os_string();
        fresh.push(".new");
        let fresh = PathBuf::from(fresh);
        let hint = || format!("{} cannot be written: name another file with --rejects", place.display());
        fs::File::create(&fresh).with_context(hint).map_err(Failure::Refused)?;
        Ok(Self { place, fresh, written: false })
    }

    fn write(&mut self, report: &Report) -> Result<(), Failure> {
        let stale = fs::remove_file(&self.place);
        if let Err(error) = stale
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(error.into());
        }
        if !report.rejects.is_empty() {
            report.write_rejects(std::io::BufWriter::new(fs::File::create(&self.fresh)?))?;
            fs::rename(&self.fresh, &self.place)?;
            self.written = true;
        }
        Ok(())
    }
}

impl Drop for Rejects {
    fn drop(&mut self) {
        // It is renamed when it is needed.
        let _ = fs::remove_file(&self.fresh);
    }
}

fn print(report: &Report, rejects: &Rejects, took: Duration, format: Format) -> std::io::Result<()> {
    let rejected = report.rejected();
    let rate = u128::from(report.imported) * 1_000 / took.as_millis().max(1);
    if format != Format::Table {
        let part = |tally: Tally| {
            let amount = json!({"amount": i64::try_from(tally.amount.0).ok(), "currency": "GBP"});
            json!({"documents": tally.documents, "lines": tally.lines, "amount": amount})
        };
        return output::json(&json!({
            "lines": report.lines, "imported": report.imported, "imported_before": report.known,
            "rejected": rejected.lines, "products": report.products, "events": report.events,
            "orders": part(report.orders), "credit_notes": part(report.credit_notes), "losses": part(report.losses),
            "rejects": part(rejected), "rejects_file": rejects.written.then(|| rejects.place.display().to_string()),
            "amount": {"amount": i64::try_from(report.amount.0).ok(), "currency": "GBP"},
            "took_ms": u64::try_from(took.as_millis()).ok(), "lines_per_second": u64::try_from(rate).ok(),
        }));
    }
    let mut table = output::table(["", "documents", "lines", "amount"]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let parts = [("orders", report.orders), ("credit notes", report.credit_notes), ("losses", report.losses)];
    for (name, tally) in parts {
        table.add_row([name.to_owned(), count(tally.documents), count(tally.lines), tally.amount.to_string()]);
    }
    table.add_row(["rejects".to_owned(), String::new(), count(rejected.lines), rejected.amount.to_string()]);
    table.add_row(["the file".to_owned(), String::new(), count(report.lines), report.amount.to_string()]);
    let mut out = output::out();
    writeln!(out, "{}\n", output::laid_out(table))?;
    writeln!(
        out,
        "{} imported now + {} before + {} rejected = {} lines; {} new products, {} events in {}.{} s, {} lines/s",
        count(report.imported),
        count(report.known),
        count(rejected.lines),
        count(report.lines),
        count(report.products),
        count(report.events),
        took.as_millis() / 1_000,
        took.as_millis() / 100 % 10,
        count(u64::try_from(rate).unwrap_or(u64::MAX)),
    )?;
    if rejects.written {
        writeln!(out, "the rejected lines and why: {}", rejects.place.display())?;
    }
    out.flush()
}

fn count(number: u64) -> String {
    grouped(i64::try_from(number).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rejects_are_written_where_the_command_runs() {
        for (file, rejects) in [
            ("/data/a/orders.csv", "orders.rejects.csv"),
            ("a/orders.csv.gz", "orders.rejects.csv"),
            ("orders.2010", "orders.2010.rejects.csv"),
        ] {
            assert_eq!(rejects_of(Path::new(file)), Path::new(rejects));
        }
    }
}
