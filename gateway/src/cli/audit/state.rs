//! `byteshop audit state`: a thing as it is, or as it was at any moment of its history.

use byteshop_eventstore::StoreError;
use byteshop_eventstore::read::PAGE;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::desk::{Desk, Name, is_full, no_event};
use super::reveal::RevealArg;
use crate::cli::failure::Failure;
use crate::cli::moment::{self, At, Moment};
use crate::cli::output::{self, Format, FormatArg};
use crate::cli::progress::counted;
use crate::cli::summary::{self, Detail};
use crate::lookup::Thing;

/// The arguments of `byteshop audit state`.
#[derive(Debug, clap::Args)]
pub(super) struct StateArgs {
    /// An id (var_… is the stock of a variant), an e-mail address, a SKU, or an order, invoice or credit note number
    #[arg(value_name = "THING")]
    thing: Name,
    /// When: a version (v3), a position of the log (12), a time, the end of a day, month or year (UTC), or an age (2d)
    #[arg(long, value_name = "vN|POSITION|TIME", value_parser = moment::at)]
    at: Option<At>,
    #[command(flatten)]
    reveal: RevealArg,
    #[command(flatten)]
    format: FormatArg,
}

/// A thing at a moment of its history.
#[derive(Debug, Serialize)]
pub(super) struct Past {
    /// The id.
    pub(super) id: String,
    /// The kind of object.
    pub(super) kind: String,
    /// The version at that moment; 0 if the object did not exist.
    pub(super) version: i64,
    /// The position of the last event that is counted.
    pub(super) position: Option<i64>,
    /// When that was recorded.
    pub(super) recorded_at: Option<DateTime<Utc>>,
    /// The state.
    pub(super) state: Value,
}

pub(super) async fn run(desk: &Desk, args: StateArgs) -> Result<(), Failure> {
    if let Some(At::Moment(Moment::Position(position))) = args.at
        && position > desk.log.head().await?
    {
        return Err(no_event(&desk.log, position).await);
    }
    let thing = desk.thing(&args.thing).await?;
    let mut past = past(desk, &thing, args.at).await?;
    match (past.version, args.at) {
        (0, _) => return Err(Failure::refused(format!("{} did not exist yet at that moment", thing.id))),
        (found, Some(At::Version(asked))) if found < asked => {
            return Err(Failure::refused(format!(
                "{} has {}, not {asked}",
                thing.id,
                counted(found, "version", "versions")
            )));
        }
        _ => {}
    }
    past.state = serde_json::from_str(&args.reveal.json(desk, &past.state.to_string()).await?)?;
    match args.format.chosen() {
        Format::Table => print(&past, args.reveal.detail()),
        Format::Json => Ok(output::pretty(&past)?),
        Format::Jsonl => Ok(output::json_line(&past)?),
    }
}

/// Prints one field a line, for people.
fn print(past: &Past, detail: Detail) -> Result<(), Failure> {
    let recorded = past.recorded_at.map(|at| at.format("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default();
    let position = past.position.map(|position| position.to_string()).unwrap_or_default();
    let kind = past.kind.replace('_', " ");
    output::line(&format!("{kind} {}  version {} of {recorded} UTC, position {position}", past.id, past.version))?;
    let mut table = output::table(["field", "value"]);
    for (name, value) in past.state.as_object().into_iter().flatten() {
        fields(name, value, &mut |name, value| {
            table.add_row([name.to_owned(), summary::value(value, detail)]);
        });
    }
    Ok(output::line(&output::laid_out(table))?)
}

/// Goes through a value: one of many fields, or one that is filed under ids, field by field, since one line would not hold it.
fn fields(name: &str, value: &Value, show: &mut impl FnMut(&str, &Value)) {
    match value.as_object() {
        Some(inner) if !summary::fits_one_line(inner) => {
            for (key, value) in inner {
                fields(&format!("{name}/{key}"), value, show);
            }
        }
        Some(_) | None => show(name, value),
    }
}

/// Folds the history of a thing up to a moment, a page at a time.
pub(super) async fn past(desk: &Desk, thing: &Thing, at: Option<At>) -> Result<Past, Failure> {
    let Some(mut state) = byteshop_domain::begin(&thing.stream.category) else {
        return Err(Failure::refused(format!("{} has no state", thing.id)));
    };
    let mut past = Past {
        id: thing.id.clone(),
        kind: thing.stream.category.clone().into_owned(),
        version: 0,
        position: None,
        recorded_at: None,
        state: Value::Null,
    };
    loop {
        let events = desk.log.read_stream(&thing.stream, past.version, PAGE).await?;
        let mut goes_on = is_full(&events, PAGE);
        for event in &events {
            let passed = match at {
                None => false,
                Some(At::Version(version)) => event.version > version,
                Some(At::Moment(Moment::Position(position))) => event.position > position,
                Some(At::Moment(Moment::Time(time))) => event.recorded_at > time,
            };
            if passed {
                goes_on = false;
                break;
            }
            state
                .take(&event.event_type, event.schema, &event.data)
                .map_err(|source| StoreError::Unreadable { position: event.position, source })?;
            (past.version, past.position, past.recorded_at) =
                (event.version, Some(event.position), Some(event.recorded_at));
        }
        if !goes_on {
            past.state = state.json().map_err(Failure::refused)?;
            return Ok(past);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_filed_under_ids_is_shown_with_its_ids_and_whole() {
        let variant = "var_01m8kxs3cbecrt6fg91vwt0nnt";
        let price = json!({"amount": 1999, "currency": "EUR"});
        let state = json!({"variants": {variant: {"sku": "BRUSH-1", "price": price, "weight_g": 50, "active": true}}});
        let mut rows = Vec::new();
        for (name, value) in [("product", &state), ("returned", &json!({variant: 1})), ("size", &json!({"x": 1}))] {
            fields(name, value, &mut |name, value| rows.push((name.to_owned(), summary::value(value, Detail::Brief))));
        }
        let of = |name: &str| rows.iter().find(|row| row.0 == name).map(|row| row.1.as_str());
        assert_eq!(of(&format!("product/variants/{variant}/price")), Some("19.99 EUR"), "{rows:?}");
        assert_eq!(of(&format!("product/variants/{variant}/sku")), Some("BRUSH-1"));
        assert_eq!((of(&format!("returned/{variant}")), of("size")), (Some("1"), Some("{x 1}")));
    }
}
