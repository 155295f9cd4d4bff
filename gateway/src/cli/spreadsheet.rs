//! Comma-separated values (RFC 4180) that a spreadsheet opens without conversion.

use std::borrow::Cow;
use std::io::Write as _;

use chrono::{DateTime, Utc};

use super::failure::Failure;
use super::output::Out;

/// A time in the form that spreadsheets know: no letters, and milliseconds at most.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

/// A text that no spreadsheet takes for a formula (OWASP, CSV Injection): one that begins like one gets an apostrophe.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Writes a row.
pub(super) fn row<const N: usize>(out: &mut Out, fields: &[&str; N]) -> Result<(), Failure> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(fields)?;
    let bytes = writer.into_inner().map_err(|error| Failure::refused(error.error()))?;
    Ok(out.write_all(&bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_begins_like_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        assert_eq!(harmless("order.placed"), "order.placed");
    }
}
