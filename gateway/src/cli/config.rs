//! `byteshop config`: the settings in force, what each means, and where its value comes from.

use std::io::Write as _;

use serde::Serialize;

use super::failure::Failure;
use super::output::{self, Format, FormatArg};
use super::terminal::{Style, styled};
use crate::config::{Config, InForce, Source};

/// How to print the settings.
#[derive(Debug, clap::Args)]
pub(super) struct ConfigArgs {
    #[command(flatten)]
    format: FormatArg,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    value: Option<&'a str>,
    source: String,
    default: Option<&'a str>,
    means: &'a str,
}

impl<'a> Row<'a> {
    fn of(setting: &'a InForce) -> Self {
        let InForce { name, means, default, value, source } = setting;
        Self { name, value: value.as_deref(), source: source.to_string(), default: *default, means }
    }
}

pub(super) fn run(config: &Config, args: &ConfigArgs) -> Result<(), Failure> {
    let format = args.format.chosen();
    if format == Format::Table {
        return Ok(print(config.in_force(), &config.warnings())?);
    }
    let rows: Vec<Row<'_>> = config.in_force().iter().map(Row::of).collect();
    Ok(output::list(format, &rows, |_| output::table([""]))?)
}

/// Two lines each: a table with as many columns would be wider than most terminals.
fn print(settings: &[InForce], warnings: &[String]) -> std::io::Result<()> {
    let mut out = output::out();
    let width = settings.iter().map(|setting| setting.name.len()).max().unwrap_or_default();
    for setting in settings {
        let value = setting.value.as_deref().unwrap_or("–");
        writeln!(out, "{:width$}  {value}  {}", setting.name, styled(&origin(setting), Style::Dim))?;
        writeln!(out, "{:width$}  {}", "", styled(setting.means, Style::Dim))?;
    }
    let hint = "a setting is given as BYTESHOP_PORT in the environment, or as port in byteshop.toml";
    writeln!(out, "\n{}", styled(hint, Style::Dim))?;
    for warning in warnings {
        writeln!(out, "\n{}", styled(&warning.replace(": ", ":\n"), Style::Red))?;
    }
    out.flush()
}

/// Where the value comes from, and what it would be otherwise.
fn origin(setting: &InForce) -> String {
    match (&setting.source, setting.default) {
        (Source::Default, None) => "(not set)".to_owned(),
        (source @ (Source::Default | Source::Dev), _) => format!("({source})"),
        (source, Some(default)) => format!("(from {source}; the default is {default})"),
        (source, None) => format!("(from {source})"),
    }
}
