//! `byteshop config`: the settings in force, and where each comes from.

use serde::Serialize;

use super::failure::Failure;
use super::output::{self, FormatArg};
use crate::config::{Config, InForce};

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
}

pub(super) fn run(config: &Config, args: &ConfigArgs) -> Result<(), Failure> {
    let row = |setting: &'_ InForce| -> (String, Option<String>, String) {
        (setting.name.to_owned(), setting.value.clone(), setting.source.to_string())
    };
    let rows: Vec<_> = config.in_force().iter().map(row).collect();
    let rows: Vec<Row<'_>> = rows
        .iter()
        .map(|(name, value, source)| Row { name, value: value.as_deref(), source: source.clone() })
        .collect();
    output::list(args.format.chosen(), &rows, |rows| {
        let mut table = output::table(["setting", "value", "from"]);
        for row in rows {
            table.add_row([row.name, row.value.unwrap_or("–"), &row.source]);
        }
        table
    })?;
    Ok(())
}
