//! `byteshop config`: the settings of the shop that runs, what each means, how it is set and where its value comes from.

use std::io::Write as _;
use std::time::Duration;

use serde_json::json;

use super::failure::Failure;
use super::output::{self, Format, FormatArg};
use super::running::Run;
use super::terminal::{Style, styled};
use crate::config::{Config, Shown};

/// How long a process may take to answer: it has its settings in memory.
const PATIENCE: Duration = Duration::from_secs(3);

/// The arguments of `byteshop config`.
#[derive(Debug, clap::Args)]
pub(super) struct ConfigArgs {
    /// Show the settings of this command, even if a shop runs in the data directory
    #[arg(long, conflicts_with = "at")]
    own: bool,
    /// Ask the process with this operations address, which it prints when it starts, such as http://127.0.0.1:9464
    #[arg(long, value_name = "URL")]
    at: Option<String>,
    #[command(flatten)]
    format: FormatArg,
}

pub(super) async fn run(config: &Config, args: &ConfigArgs) -> Result<(), Failure> {
    let (shown, of) = settings(config, args).await?;
    let format = args.format.chosen();
    if format != Format::Table {
        eprintln!("{of}");
    }
    Ok(match format {
        Format::Table => print(&shown, &of),
        Format::Json => print_json(&shown),
        Format::Jsonl => print_lines(&shown),
    }?)
}

/// One object, as at the operations address.
fn print_json(shown: &Shown) -> std::io::Result<()> {
    let mut out = output::out();
    serde_json::to_writer_pretty(&mut out, shown)?;
    writeln!(out)?;
    out.flush()
}

/// A line for each setting, then one for each warning.
fn print_lines(shown: &Shown) -> std::io::Result<()> {
    let mut out = output::out();
    for row in &shown.settings {
        serde_json::to_writer(&mut out, row)?;
        writeln!(out)?;
    }
    for warning in &shown.warnings {
        serde_json::to_writer(&mut out, &json!({"warning": warning}))?;
        writeln!(out)?;
    }
    out.flush()
}

/// The settings, and whose they are.
async fn settings(config: &Config, args: &ConfigArgs) -> Result<(Shown, String), Failure> {
    let data = config.data.display();
    let run = if args.own || args.at.is_some() { None } else { Run::find(&config.data)? };
    let operations = args.at.clone().or(run.map(|run| run.operations)).filter(|address| !address.is_empty());
    let Some(operations) = operations else {
        let of = if args.own {
            "settings of this command".to_owned()
        } else if config.database_url.is_some() {
            "settings of a process started here\n\
             for a running process: byteshop config --at URL, with its operations address"
                .to_owned()
        } else {
            format!("no shop runs in {data}; these are the settings of a shop started here")
        };
        return Ok((Shown::of(config), of));
    };
    let is_url = |text: &str| reqwest::Url::parse(text).is_ok_and(|url| url.scheme() == "http" && url.has_host());
    if !is_url(&operations) {
        let text = format!("an operations address is a URL such as http://127.0.0.1:9464, not `{operations}`");
        return Err(Failure::Usage(text));
    }
    let shown = ask(&operations).await.map_err(|error| {
        Failure::refused(format!(
            "the process at {operations} did not return its settings ({error}); `byteshop config --own` shows those \
            of this command"
        ))
    })?;
    let of = format!("settings of the running process {}, asked at {operations}", shown.pid);
    Ok((shown, of))
}

async fn ask(operations: &str) -> reqwest::Result<Shown> {
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
    let url = format!("{}/config", operations.trim_end_matches('/'));
    client.get(url).send().await?.error_for_status()?.json().await
}

/// Two lines each: a table with as many columns would be wider than most terminals.
fn print(shown: &Shown, of: &str) -> std::io::Result<()> {
    let mut out = output::out();
    let width = shown.settings.iter().map(|row| row.variable.len()).max().unwrap_or_default();
    writeln!(out, "{of}")?;
    let mut group = "";
    for row in &shown.settings {
        if row.group != group {
            group = &row.group;
            writeln!(out, "\n{}", styled(group, Style::Bold))?;
        }
        let value = row.value.as_deref().unwrap_or("–");
        writeln!(out, "{:width$}  {value}  {}", row.variable, styled(&row.origin(), Style::Dim))?;
        writeln!(out, "    {}", styled(&row.means, Style::Dim))?;
    }
    let hint = "set BYTESHOP_PORT=8090 in the environment, or port = 8090 in byteshop.toml, and restart the process";
    writeln!(out, "\n{}", styled(hint, Style::Dim))?;
    for warning in &shown.warnings {
        writeln!(out, "\n{}", styled(&warning.replace(": ", ":\n"), Style::Red))?;
    }
    out.flush()
}
