//! One line of an export: its validated fields, or the reason why it cannot be imported.

use std::borrow::Cow;

use byteshop_domain::quantity::QUANTITY_MAX;
use chrono::{DateTime, Datelike as _, NaiveDateTime, Utc};

use super::price::Decimal;

/// The columns of a transaction export, in their order.
pub const COLUMNS: [&str; 8] =
    ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"];
/// How an export writes a moment; it names no zone, and is read as UTC.
const MOMENT: &str = "%Y-%m-%d %H:%M:%S";
/// The years of a shop that keeps electronic books; anything else is a slip that would stand at an end of every list.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2199;

/// A line whose fields can be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<'a> {
    /// The number of the invoice.
    pub invoice: Cow<'a, str>,
    /// Which of the documents it belongs to.
    pub kind: Kind,
    /// The stock code.
    pub code: Cow<'a, str>,
    /// The description; may be empty.
    pub description: Cow<'a, str>,
    /// How many: never 0; below it for what was given back or lost.
    pub quantity: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// The unit price, never below 0.
    pub price: Decimal,
    /// The customer's number, if it is known.
    pub customer: Cow<'a, str>,
    /// Where the goods went.
    pub country: Cow<'a, str>,
}

/// The kind of an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Goods were sold, or written off where quantities are negative.
    Sale,
    /// Goods came back.
    CreditNote,
}

/// A line that cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: Cow<'static, str>,
    /// Quantity times price in minor units, if both can be read.
    pub amount: Option<i128>,
}

/// Reads a line.
pub fn read(line: &[u8]) -> Result<Row<'_>, Refused> {
    let fail = |reason| Refused { reason: Cow::Borrowed(reason), amount: None };
    if line.iter().all(u8::is_ascii_whitespace) {
        return Err(fail("the line is empty"));
    }
    let text = std::str::from_utf8(line).map_err(|_| fail("the line is not UTF-8"))?;
    let fields = split(text).ok_or_else(|| fail("a quotation mark is missing or in the wrong place"))?;
    let columns = fields.len();
    let Ok([invoice, code, description, quantity, at, price, customer, country]) =
        <[Cow<'_, str>; COLUMNS.len()]>::try_from(fields)
    else {
        let reason = format!("the line has {columns} columns instead of {}", COLUMNS.len());
        return Err(Refused { reason: reason.into(), amount: None });
    };
    let number = read_quantity(quantity.trim());
    let decimal = Decimal::read(price.trim());
    let amount = number.zip(decimal).map(|(pieces, price)| price.times(pieces));
    let refuse = |reason| Refused { reason: Cow::Borrowed(reason), amount };
    let quantity = number.ok_or_else(|| refuse("the quantity must be an integer between -1000000 and 1000000"))?;
    let price =
        decimal.ok_or_else(|| refuse("the price must be a decimal number with at most 9 digits on each side"))?;
    let at = NaiveDateTime::parse_from_str(at.trim(), MOMENT)
        .ok()
        .filter(|at| YEARS.contains(&at.year()))
        .ok_or_else(|| refuse("the date must have the form 2010-12-31 23:59:59 and be in the years 1900 to 2199"))?;
    let (invoice, code, customer, country) = (trim(invoice), trim(code), trim(customer), trim(country));
    if invoice.is_empty() {
        return Err(refuse("the invoice has no number"));
    }
    if code.is_empty() {
        return Err(refuse("the stock code is missing"));
    }
    let kind = match invoice.as_bytes()[0] {
        b'A' => return Err(refuse("an accounting adjustment is not a sale")),
        b'C' => Kind::CreditNote,
        _ => Kind::Sale,
    };
    if price.is_negative() {
        return Err(refuse("the price is negative"));
    }
    if quantity == 0 {
        return Err(refuse("the quantity is 0"));
    }
    if kind == Kind::CreditNote && quantity > 0 {
        return Err(refuse("a cancellation must have a negative quantity"));
    }
    Ok(Row { invoice, kind, code, description, quantity, at: at.and_utc(), price, customer, country })
}

/// A whole number that a document can hold, of either sign.
fn read_quantity(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    // No plus sign and no endless zeros: what a program wrote, not what a person may type.
    let plain = !digits.is_empty() && digits.len() <= 9 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = plain.then(|| text.parse().ok()).flatten()?;
    (-QUANTITY_MAX..=QUANTITY_MAX).contains(&number).then_some(number)
}

fn trim(field: Cow<'_, str>) -> Cow<'_, str> {
    match field {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// The fields of a line (RFC 4180, section 2, but that a field ends with its line), none when a quotation mark is out
/// of place. A line break inside quotation marks would make one stray mark swallow the rest of the file.
pub fn split(line: &str) -> Option<Vec<Cow<'_, str>>> {
    let mut fields = Vec::with_capacity(COLUMNS.len());
    let mut rest = line;
    loop {
        let (field, left) = if let Some(quoted) = rest.strip_prefix('"') {
            let end = closing(quoted)?;
            let inside = &quoted[..end];
            let field =
                if inside.contains('"') { Cow::Owned(inside.replace("\"\"", "\"")) } else { Cow::Borrowed(inside) };
            (field, &quoted[end + 1..])
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            if rest[..end].contains('"') {
                return None;
            }
            (Cow::Borrowed(&rest[..end]), &rest[end..])
        };
        fields.push(field);
        match left.strip_prefix(',') {
            Some(next) => rest = next,
            None if left.is_empty() => return Some(fields),
            None => return None,
        }
    }
}

/// Where the mark is that ends a quoted field: the first one that is not doubled.
fn closing(quoted: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + quoted[from..].find('"')?;
        if quoted[at + 1..].starts_with('"') {
            from = at + 2;
        } else {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str =
        r#"489434,22041,"RECORD FRAME 7"" SINGLE SIZE ",48,2009-12-01 07:45:00,2.100,13085,United Kingdom"#;

    fn reason(line: &str) -> String {
        read(line.as_bytes()).unwrap_err().reason.into_owned()
    }

    #[test]
    fn a_good_line_is_read() {
        let row = read(GOOD.as_bytes()).unwrap();
        assert_eq!((row.kind, row.quantity, row.price.times(48)), (Kind::Sale, 48, 10_080));
        assert_eq!(row.description, "RECORD FRAME 7\" SINGLE SIZE ");
        assert_eq!(row.at.to_rfc3339(), "2009-12-01T07:45:00+00:00");
    }

    #[test]
    fn every_fault_has_its_reason() {
        for (line, expected) in [
            ("", "the line is empty"),
            ("1,2,3", "the line has 3 columns instead of 8"),
            (&GOOD.replace("United", "\"United"), "a quotation mark is missing or in the wrong place"),
            (&GOOD.replace("48,", "4.5,"), "the quantity must be an integer between -1000000 and 1000000"),
            (&GOOD.replace("48,", "0,"), "the quantity is 0"),
            (&GOOD.replace("2.100", "free"), "the price must be a decimal number with at most 9 digits on each side"),
            (&GOOD.replace("2.100", "-2.100"), "the price is negative"),
            (
                &GOOD.replace("2009-12-01", "2009-02-30"),
                "the date must have the form 2010-12-31 23:59:59 and be in the years 1900 to 2199",
            ),
            (
                &GOOD.replace("2009-12-01", "9999-12-01"),
                "the date must have the form 2010-12-31 23:59:59 and be in the years 1900 to 2199",
            ),
            (&GOOD.replace("489434", ""), "the invoice has no number"),
            (&GOOD.replace("22041", " "), "the stock code is missing"),
            (&GOOD.replace("489434", "A489434"), "an accounting adjustment is not a sale"),
            (&GOOD.replace("489434", "C489434"), "a cancellation must have a negative quantity"),
        ] {
            assert_eq!(reason(line), expected, "{line}");
        }
        assert_eq!(read(b"\xa3,,,,,,,").unwrap_err().reason, "the line is not UTF-8");
        let adjusted = read(b"A506401,B,Adjust bad debt,1,2010-04-29 13:36:00,-53594.360,,United Kingdom");
        assert_eq!(adjusted.unwrap_err().amount, Some(-5_359_436));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&line);
        }

        #[test]
        fn anything_like_a_line_is_read_or_refused(line in "[AC\"]?[0-9]{0,7},[a-zA-Z0-9 \"]{0,6},[^\\n]{0,20},-?[0-9.]{0,12},[0-9: -]{0,20},-?[0-9.]{0,12},[0-9]{0,5},[A-Z\"]{0,10}") {
            let _ = read(line.as_bytes());
        }

        #[test]
        fn what_was_quoted_comes_back(fields in proptest::collection::vec("[^\\n]{0,12}", 1..10)) {
            let quoted: Vec<String> = fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
            let line = quoted.join(",");
            prop_assert_eq!(split(&line).unwrap(), fields);
        }
    }
}
