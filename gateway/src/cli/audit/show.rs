//! `byteshop audit show`: one event, whole: who, when, why and by which command.

use std::io::Write;

use byteshop_eventstore::envelope::to_hex;
use byteshop_eventstore::{Meta, Recorded};
use serde_json::Value;

use super::desk::{Desk, no_event};
use super::names::Names;
use super::record::{self, Record};
use super::reveal::{RevealArg, without_ciphertext};
use crate::cli::failure::Failure;
use crate::cli::output::{self, Format, FormatArg, Out};
use crate::cli::terminal::{Style, styled};
use crate::lookup::Thing;

/// Which event.
#[derive(Debug, clap::Args)]
pub(super) struct ShowArgs {
    /// The position in the log, as `byteshop audit log` shows it
    #[arg(value_parser = position)]
    position: i64,
    #[command(flatten)]
    reveal: RevealArg,
    #[command(flatten)]
    format: FormatArg,
}

/// A position; for an id the error names the commands that take one.
fn position(text: &str) -> Result<i64, String> {
    if let Some(position) = text.parse().ok().filter(|position| *position > 0) {
        return Ok(position);
    }
    match Thing::of_id(text) {
        Some(Thing { id, .. }) => Err(format!(
            "an event is shown by its position, a number; `byteshop audit log --stream {id}` lists the events of {id}, and `byteshop audit state {id}` shows its state"
        )),
        None => Err("not a position of the log: positions are numbers from 1 on, as `byteshop audit log` lists them; \
            `byteshop audit state` shows the state of an object"
            .to_owned()),
    }
}

pub(super) async fn run(desk: &Desk, args: ShowArgs) -> Result<(), Failure> {
    let log = &desk.log;
    let Some(event) = log.event_at(args.position).await? else {
        return Err(no_event(log, args.position).await);
    };
    // Of what is stored, and not of what is shown of it.
    let genuine = event.computed_leaf()[..] == event.leaf[..];
    let mut names = Names::default();
    names.learn(desk, args.reveal, std::slice::from_ref(&event)).await?;
    let data = args.reveal.json(desk, &event.data).await?;
    let event = Recorded { data, ..event };
    match args.format.chosen() {
        Format::Table => {
            let meta = event.meta().ok();
            let cause = match meta.as_ref().and_then(|meta| meta.causation) {
                Some(position) => log.event_at(position).await?,
                None => None,
            };
            let mut out = output::out();
            let cause = Cause { of: cause.as_ref(), names: &names };
            print(&mut out, &event, meta.as_ref(), &cause, genuine)?;
            out.flush()?;
        }
        Format::Json | Format::Jsonl => output::json(&Record::of(&event)?.by(&names))?,
    }
    if genuine { Ok(()) } else { Err(Failure::FoundWanting) }
}

/// The cause of the event: another event, or a person.
struct Cause<'a> {
    of: Option<&'a Recorded>,
    names: &'a Names,
}

fn print(
    out: &mut Out,
    event: &Recorded,
    meta: Option<&Meta>,
    cause: &Cause<'_>,
    genuine: bool,
) -> std::io::Result<()> {
    let subject = record::subject(event);
    let title = format!("event {}  {}", event.position, record::what(event));
    writeln!(out, "{}", styled(&title, Style::Bold))?;
    field(out, "to", &format!("{subject}, its version {}", event.version))?;
    field(out, "recorded", &event.recorded_at.format("%Y-%m-%d %H:%M:%S%.6f UTC").to_string())?;
    if let Some(meta) = meta {
        if let Some(moment) = meta.occurred_at {
            field(out, "happened", &moment.format("%Y-%m-%d %H:%M:%S%.f UTC").to_string())?;
        }
        field(out, "who", &cause.names.actor(&meta.actor))?;
        field(out, "command", &meta.command)?;
        field(out, "why", &why(meta, cause))?;
        field(out, "request", &meta.request_id.to_string())?;
        field(out, "chain", &meta.correlation_id.to_string())?;
        if let Some(trace) = &meta.trace_id {
            field(out, "trace", trace)?;
        }
    } else {
        field(out, "meta", &event.meta)?;
    }
    field(out, "id", &event.id.to_string())?;
    let verdict = if genuine {
        styled("matches its content", Style::Green)
    } else {
        styled("DOES NOT MATCH its content: the table was changed", Style::Red)
    };
    field(out, "leaf", &format!("{}  {verdict}", to_hex(&event.leaf)))?;
    writeln!(out, "\n{}", styled(&format!("data, schema {}", event.schema), Style::Bold))?;
    writeln!(out, "{}", indented(&without_ciphertext(&event.data)))?;
    let position = event.position;
    let hints = [
        format!("byteshop audit state {subject} --at {position}    its state after this event"),
        format!("byteshop audit diff {subject} {} {}    what this event changed", event.version - 1, event.version),
        format!("byteshop audit trace {position}    causes and effects"),
    ];
    writeln!(out, "\n{}", styled(&hints.join("\n"), Style::Dim))
}

fn field(out: &mut Out, name: &str, value: &str) -> std::io::Result<()> {
    writeln!(out, "  {}  {value}", styled(&format!("{name:<8}"), Style::Dim))
}

fn why(meta: &Meta, cause: &Cause<'_>) -> String {
    match (meta.causation, cause.of) {
        (Some(position), Some(cause)) => {
            format!("because of event {position}, {} of {}", record::what(cause), record::subject(cause))
        }
        (Some(position), None) => format!("because of event {position}"),
        (None, _) => format!("requested by {}", cause.names.actor(&meta.actor)),
    }
}

/// JSON with one field a line; text that is no JSON stays as it is.
fn indented(data: &str) -> String {
    let pretty = serde_json::from_str::<Value>(data).and_then(|value| serde_json::to_string_pretty(&value));
    let text = pretty.unwrap_or_else(|_| data.to_owned());
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
