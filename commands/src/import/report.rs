//! The result of an import, in which every line and every penny is accounted for.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

use super::history::{History, Invoice, Reject};
use super::price::CURRENCY;
use super::row::Kind;
use crate::notify::format::grouped;

/// An amount of minor units that may be a sum over a whole file; shown like 1,019.99 GBP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Total(pub i128);

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let minor = self.0.unsigned_abs();
        let whole = grouped(&(minor / 100).to_string(), ',');
        write!(f, "{sign}{whole}.{:02} {}", minor % 100, CURRENCY.code())
    }
}

/// How many documents and lines of a sort, and what they come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Documents.
    pub documents: u64,
    /// Lines.
    pub lines: u64,
    /// The sum of the lines, each rounded half-up; below 0 for what was given back.
    pub amount: Total,
}

/// A line that was not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The line number in the file; the header is line 1.
    pub line: u64,
    /// Why.
    pub reason: Cow<'static, str>,
    /// Quantity times price, if both can be read.
    pub amount: Option<Total>,
    /// The line as it stands.
    pub text: Vec<u8>,
}

/// The result of an import.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Lines in the file, without the names of the columns.
    pub lines: u64,
    /// Lines that were imported now.
    pub imported: u64,
    /// Lines that had been imported before.
    pub known: u64,
    /// Orders, imported now or before.
    pub orders: Tally,
    /// Credit notes, imported now or before.
    pub credit_notes: Tally,
    /// Losses, imported now or before.
    pub losses: Tally,
    /// The rejected lines, in the order of the file.
    pub rejects: Vec<Rejected>,
    /// Products made now.
    pub products: u64,
    /// Events appended now.
    pub events: u64,
    /// The sum of all lines that can be read, counted while reading.
    pub amount: Total,
}

impl Report {
    /// The lines that were not imported, as a sum.
    pub fn rejected(&self) -> Tally {
        let amount = self.rejects.iter().filter_map(|reject| reject.amount).map(|amount| amount.0).sum();
        Tally { documents: 0, lines: self.rejects.len() as u64, amount: Total(amount) }
    }

    /// The lines whose outcome is known.
    pub fn settled_lines(&self) -> u64 {
        self.imported + self.known + self.rejects.len() as u64
    }

    /// Enters a document that is in the log.
    pub(super) fn count(&mut self, history: &History, invoice: &Invoice, known: bool) {
        let (mut sold, mut lost, mut back) = (Tally::default(), Tally::default(), Tally::default());
        for line in &invoice.lines {
            let tally = match invoice.kind {
                Kind::CreditNote => &mut back,
                Kind::Sale if line.quantity > 0 => &mut sold,
                Kind::Sale => &mut lost,
            };
            tally.documents = 1;
            tally.lines += 1;
            tally.amount.0 += history.amount_of(line);
        }
        self.orders.add(sold);
        self.losses.add(lost);
        self.credit_notes.add(back);
        let lines = if known { &mut self.known } else { &mut self.imported };
        *lines += invoice.lines.len() as u64;
    }

    /// Enters what was not imported.
    pub(super) fn refuse(&mut self, history: &History, reject: Reject) {
        self.rejects.push(Rejected {
            line: u64::from(reject.index) + 2,
            reason: reject.reason,
            amount: reject.amount.map(Total),
            text: history.bytes(reject.index).to_vec(),
        });
    }

    /// Sorts the rejects, and checks that no line and no penny is missing.
    ///
    /// # Panics
    /// When one is: the import counts wrong, and nothing that it says can be trusted.
    pub(super) fn close(&mut self) {
        self.rejects.sort_by_key(|reject| reject.line);
        let rejected = self.rejected();
        assert_eq!(self.settled_lines(), self.lines, "every line is imported or rejected, once");
        let parts = [self.orders, self.credit_notes, self.losses, rejected];
        let sum: i128 = parts.iter().map(|part| part.amount.0).sum();
        assert_eq!(sum, self.amount.0, "the parts come to the sum of the file");
    }

    /// Writes the rejects as CSV: line number, reason and the line as it stands, byte by byte.
    pub fn write_rejects(&self, mut out: impl Write) -> io::Result<()> {
        out.write_all(b"line,reason,text\n")?;
        for reject in &self.rejects {
            write!(out, "{},", reject.line)?;
            quote(&mut out, reject.reason.as_bytes())?;
            out.write_all(b",")?;
            quote(&mut out, &reject.text)?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.documents += other.documents;
        self.lines += other.lines;
        self.amount.0 += other.amount.0;
    }
}

fn quote(out: &mut impl Write, text: &[u8]) -> io::Result<()> {
    out.write_all(b"\"")?;
    for part in text.split_inclusive(|byte| *byte == b'"') {
        out.write_all(part)?;
        if part.ends_with(b"\"") {
            out.write_all(b"\"")?;
        }
    }
    out.write_all(b"\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_are_quoted_byte_by_byte() {
        let reject = Rejected { line: 7, reason: "so, so".into(), amount: None, text: b"a\"b\xa3".to_vec() };
        let report = Report { rejects: vec![reject], ..Report::default() };
        let mut out = Vec::new();
        report.write_rejects(&mut out).unwrap();
        assert_eq!(out, b"line,reason,text\n7,\"so, so\",\"a\"\"b\xa3\"\n");
    }

    #[test]
    fn amounts_have_two_digits_and_a_sign() {
        assert_eq!(Total(953_948_462).to_string(), "9,539,484.62 GBP");
        assert_eq!(Total(-5).to_string(), "-0.05 GBP");
        assert_eq!(Total(-123_456).to_string(), "-1,234.56 GBP");
    }
}
