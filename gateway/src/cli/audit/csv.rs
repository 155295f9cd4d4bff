//! Events as comma-separated values.

use byteshop_eventstore::Recorded;
use byteshop_eventstore::envelope::to_hex;
use serde_json::{Map, Value};

use super::names::Names;
use super::record;
use crate::cli::failure::Failure;
use crate::cli::output::Out;
use crate::cli::spreadsheet::{harmless, row, time};
use crate::cli::summary;

/// The columns. Times are UTC, as their columns say, since no spreadsheet takes a time with its zone for one; `actor_name` is there
/// where personal data is shown; `amount` is in major units of `currency`, and what the event is about, if that is money.
const COLUMNS: [&str; 17] = [
    "position",
    "recorded_at_utc",
    "occurred_at_utc",
    "stream",
    "version",
    "type",
    "schema",
    "actor",
    "actor_name",
    "command",
    "amount",
    "currency",
    "correlation_id",
    "causation",
    "data",
    "meta",
    "leaf",
];

/// Fields that hold what an event is worth, the most telling first.
const AMOUNTS: [&str; 4] = ["amount", "total", "price", "refund"];

/// Writes the header.
pub(super) fn header(out: &mut Out) -> Result<(), Failure> {
    row(out, &COLUMNS)
}

/// Writes an event.
pub(super) fn event(out: &mut Out, event: &Recorded, names: &Names) -> Result<(), Failure> {
    let meta = event.meta().ok();
    let text = |field: Option<String>| field.unwrap_or_default();
    let (amount, currency) = amount(&event.data).unwrap_or_default();
    row(
        out,
        &[
            &event.position.to_string(),
            &time(event.recorded_at),
            &text(meta.as_ref().and_then(|meta| meta.occurred_at).map(time)),
            &harmless(&record::subject(event)),
            &event.version.to_string(),
            &harmless(&record::what(event)),
            &event.schema.to_string(),
            &harmless(&meta.as_ref().map_or_else(|| "?".to_owned(), |meta| meta.actor.to_string())),
            &harmless(meta.as_ref().and_then(|meta| names.of(&meta.actor)).unwrap_or_default()),
            &harmless(&text(meta.as_ref().map(|meta| meta.command.clone()))),
            &amount,
            &currency,
            &text(meta.as_ref().map(|meta| meta.correlation_id.to_string())),
            &text(meta.as_ref().and_then(|meta| meta.causation).map(|position| position.to_string())),
            &harmless(&event.data),
            &harmless(&event.meta),
            &to_hex(&event.leaf),
        ],
    )
}

/// The amount of an event, as a decimal number and its currency.
fn amount(data: &str) -> Option<(String, String)> {
    let fields: Map<String, Value> = serde_json::from_str(data).ok()?;
    let named = AMOUNTS.iter().find_map(|name| summary::decimal(fields.get(*name)?));
    named.or_else(|| {
        let mut all = fields.values().filter_map(summary::decimal);
        // One of several would be arbitrary.
        all.next().filter(|_| all.next().is_none())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_event_is_worth_is_a_number_and_a_currency() {
        let of = |data: &str| amount(data).map(|(amount, currency)| format!("{amount} {currency}"));
        assert_eq!(of(r#"{"price":{"amount":1999,"currency":"EUR"}}"#).as_deref(), Some("19.99 EUR"));
        assert_eq!(of(r#"{"amount":{"amount":-5,"currency":"EUR"}}"#).as_deref(), Some("-0.05 EUR"));
        assert_eq!(of(r#"{"due":{"amount":500,"currency":"JPY"}}"#).as_deref(), Some("500 JPY"));
        let several = r#"{"a":{"amount":1,"currency":"EUR"},"b":{"amount":2,"currency":"EUR"}}"#;
        assert_eq!(of(several), None);
        assert_eq!(of(r#"{"quantity":2}"#), None);
    }
}
