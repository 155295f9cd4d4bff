//! Comma-separated values (RFC 4180) that a spreadsheet opens without conversion.

use std::borrow::Cow;
use std::io;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

/// A time in the form that spreadsheets know: no letters, and milliseconds at most.
pub(crate) fn time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

/// A text that no spreadsheet takes for a formula (OWASP, CSV Injection): one that begins like one gets an apostrophe.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The name of a variant, as in JSON.
pub(crate) fn name(variant: &impl Serialize) -> String {
    let text = serde_json::to_value(variant).ok();
    text.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// An id; nothing if there is none.
pub(crate) fn some(id: Option<impl ToString>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

/// What a person or a bank wrote.
pub(crate) fn text(said: Option<&impl ToString>) -> String {
    said.map(|said| harmless(&said.to_string()).into_owned()).unwrap_or_default()
}

/// A time; nothing if there is none.
pub(crate) fn moment(at: Option<DateTime<Utc>>) -> String {
    at.map(time).unwrap_or_default()
}

/// A row, with its end.
pub(crate) fn row<const N: usize>(fields: &[&str; N]) -> io::Result<Vec<u8>> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(fields)?;
    writer.into_inner().map_err(|error| io::Error::other(error.error().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_begins_like_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        assert_eq!(harmless("order.placed"), "order.placed");
    }
}
