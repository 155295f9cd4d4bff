//! `byteshop audit diff`: what changed between two moments of a thing, field by field.

use std::collections::BTreeSet;
use std::io::Write as _;

use byteshop_domain::personal::MARK;
use serde::Serialize;
use serde_json::Value;

use super::desk::{Desk, Name};
use super::reveal::RevealArg;
use super::state::{self, Past};
use crate::cli::failure::Failure;
use crate::cli::moment::{self, At};
use crate::cli::output::{self, Format, FormatArg};
use crate::cli::progress::counted;
use crate::cli::summary;
use crate::cli::terminal::{Style, styled};

/// The arguments of `byteshop audit diff`.
#[derive(Debug, clap::Args)]
pub(super) struct DiffArgs {
    /// An id, an e-mail address, a SKU, or an order, invoice or credit note number
    #[arg(value_name = "THING")]
    thing: Name,
    /// The earlier version (2 or v2; 0 is before it existed), a time, or an age (2d)
    #[arg(value_parser = moment::version_or_time)]
    from: At,
    /// The later version, time or age
    #[arg(value_parser = moment::version_or_time)]
    to: At,
    #[command(flatten)]
    reveal: RevealArg,
    #[command(flatten)]
    format: FormatArg,
}

/// A changed field.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Change {
    /// Where it is in the state, as a JSON pointer (RFC 6901).
    path: String,
    /// The earlier value; absent if the field did not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
    /// The later value; absent if the field does not exist any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
}

pub(super) async fn run(desk: &Desk, args: DiffArgs) -> Result<(), Failure> {
    let thing = desk.thing(&args.thing).await?;
    let mut from = state::past(desk, &thing, Some(args.from)).await?;
    let mut to = state::past(desk, &thing, Some(args.to)).await?;
    for past in [&mut from, &mut to] {
        past.state = serde_json::from_str(&args.reveal.json(desk, &past.state.to_string()).await?)?;
    }
    for (asked, past) in [(args.from, &from), (args.to, &to)] {
        if let At::Version(version) = asked
            && version > past.version
        {
            let found = counted(past.version, "version", "versions");
            return Err(Failure::refused(format!("{} has {found}, not {version}", past.id)));
        }
    }
    let mut changes = Vec::new();
    compare("", existing(&from), existing(&to), &mut changes);
    let format = args.format.chosen();
    if format == Format::Table {
        let mut out = output::out();
        let moment = |past: &Past| match past.recorded_at {
            Some(time) => format!("v{} of {}", past.version, time.format("%Y-%m-%d %H:%M:%S")),
            None => "nothing".to_owned(),
        };
        let title = format!("{}  {} → {}", to.id, moment(&from), moment(&to));
        writeln!(out, "{}", styled(&title, Style::Bold))?;
        if changes.is_empty() {
            writeln!(out, "nothing changed")?;
            return Ok(out.flush()?);
        }
        out.flush()?;
    }
    output::list(format, &changes, |changes| {
        let mut table = output::table(["field", "before", "after"]);
        for change in changes {
            let told = |value: &Value| summary::value(value, args.reveal.detail());
            let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "–".to_owned(), told);
            table.add_row([change.path.clone(), shown(&change.before), shown(&change.after)]);
        }
        table
    })?;
    Ok(())
}

/// The state of what exists.
fn existing(past: &Past) -> Option<&Value> {
    (past.version > 0).then_some(&past.state)
}

/// Compares two values field by field, and item by item where both are lists.
fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    if before == after {
        return;
    }
    // What was not there, or is there no more, is told field by field too.
    let (empty_before, empty_after) = (after.and_then(emptied), before.and_then(emptied));
    let (Some(old), Some(new)) = (before.or(empty_before.as_ref()), after.or(empty_after.as_ref())) else {
        return changes.push(change(path, before, after));
    };
    match (old, new) {
        (Value::Object(old), Value::Object(new)) if !is_one_value(old) && !is_one_value(new) => {
            let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
                compare(&path, old.get(name), new.get(name), changes);
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            for index in 0..old.len().max(new.len()) {
                compare(&format!("{path}/{index}"), old.get(index), new.get(index), changes);
            }
        }
        _ => changes.push(change(path, before, after)),
    }
}

/// The same without anything in it: of a thing with fields, or of a list of such things.
fn emptied(value: &Value) -> Option<Value> {
    match value {
        Value::Object(fields) if !fields.is_empty() && !is_one_value(fields) => {
            Some(Value::Object(serde_json::Map::new()))
        }
        Value::Array(items) if items.iter().any(Value::is_object) => Some(Value::Array(Vec::new())),
        Value::Object(_) | Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn change(path: &str, before: Option<&Value>, after: Option<&Value>) -> Change {
    Change { path: path.to_owned(), before: before.cloned(), after: after.cloned() }
}

/// An amount is one value, not two fields, and so is what is sealed.
fn is_one_value(fields: &serde_json::Map<String, Value>) -> bool {
    let is_money = fields.len() == 2 && fields.contains_key("amount") && fields.contains_key("currency");
    is_money || fields.contains_key(MARK)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changes(before: &Value, after: &Value) -> Vec<(String, Option<Value>, Option<Value>)> {
        let mut changes = Vec::new();
        compare("", Some(before), Some(after), &mut changes);
        changes.into_iter().map(|change| (change.path, change.before, change.after)).collect()
    }

    #[test]
    fn only_what_changed_is_told_where_it_is() {
        let before = json!({"a": 1, "b": {"c": [1, 2], "d/e": true}, "price": {"amount": 1, "currency": "EUR"}});
        let after = json!({"a": 1, "b": {"c": [1, 3, 4]}, "price": {"amount": 2, "currency": "EUR"}});
        assert_eq!(
            changes(&before, &after),
            [
                ("/b/c/1".into(), Some(json!(2)), Some(json!(3))),
                ("/b/c/2".into(), None, Some(json!(4))),
                ("/b/d~1e".into(), Some(json!(true)), None),
                (
                    "/price".into(),
                    Some(json!({"amount": 1, "currency": "EUR"})),
                    Some(json!({"amount": 2, "currency": "EUR"}))
                ),
            ]
        );
        assert_eq!(changes(&before, &before), []);
        let sealed = |text: &str| json!({"$sealed": text, "subject": "00000000-0000-0000-0000-000000000007"});
        let (old, new) = (json!({"name": sealed("AA")}), json!({"name": sealed("BB")}));
        assert_eq!(changes(&old, &new), [("/name".into(), Some(sealed("AA")), Some(sealed("BB")))]);
        assert_eq!(changes(&json!({}), &new), [("/name".into(), None, Some(sealed("BB")))]);
        assert_eq!(summary::value(&sealed("AA"), summary::Detail::Brief), summary::SEALED);
        assert_eq!(
            changes(&json!({}), &json!({"lines": [{"a": 1}], "tags": ["x"], "none": {}})),
            [
                ("/lines/0/a".into(), None, Some(json!(1))),
                ("/none".into(), None, Some(json!({}))),
                ("/tags".into(), None, Some(json!(["x"]))),
            ]
        );
    }
}
