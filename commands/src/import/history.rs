//! The lines of an export gathered into documents, in the order in which they happened; every distinct text is kept once.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::ops::Range;

use byteshop_domain::Actor;
use byteshop_domain::money::{ExactPrice, Price};
use byteshop_domain::text::{Country, Reference, Sku, TITLE_MAX, Title, fresh};
use chrono::{DateTime, Utc};

use super::draft::WHO;
use super::file::Export;
use super::price::Decimal;
use super::row::{self, Kind, Refused, Row};

/// The documents of an export, and the lines that cannot be imported.
#[derive(Debug)]
pub struct History {
    export: Export,
    /// The actor of the import.
    pub(super) by: Actor,
    /// Where each line is; the first has the number 2, after the names of the columns.
    places: Vec<Range<usize>>,
    /// The stock codes, in the order in which they appear.
    pub codes: Vec<Code>,
    /// The titles that lines have.
    pub titles: Vec<Title>,
    /// The prices that lines have.
    pub prices: Vec<LinePrice>,
    /// The documents, in the order in which they happened.
    pub invoices: Vec<Invoice>,
    /// The lines that belong to no document.
    pub rejects: Vec<Reject>,
    /// The sum of all lines whose amounts can be read, in minor units, each rounded half-up.
    pub amount: i128,
}

/// A stock code.
#[derive(Debug)]
pub struct Code {
    /// The code.
    pub sku: Sku,
    /// The first description that was not empty, or else the code.
    pub title: Title,
    /// Whether a description was found.
    described: bool,
}

/// A price, as often as it may stand in the file.
#[derive(Debug, Clone)]
pub struct LinePrice {
    /// As written.
    pub decimal: Decimal,
    /// The unit price, rounded.
    pub unit: Price,
    /// As written, when it has more digits.
    pub exact: Option<ExactPrice>,
}

/// A document: an order, or a write-off, or a credit note.
#[derive(Debug)]
pub struct Invoice {
    /// The document number.
    pub reference: Reference,
    /// The kind of document.
    pub kind: Kind,
    /// When it began: a long one was typed over more than a minute.
    pub at: DateTime<Utc>,
    /// The customer.
    pub customer: Option<Reference>,
    /// Where the goods went.
    pub country: Country,
    /// The lines, in the order of the file.
    pub lines: Vec<Line>,
}

/// A line of a document.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// The line number in the file, from 0 after the header.
    pub index: u32,
    /// The stock code.
    pub code: u32,
    /// The title, if there is one.
    pub title: Option<u32>,
    /// The price.
    pub price: u32,
    /// How many; below 0 for what was given back or lost.
    pub quantity: i32,
}

/// A line that was not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The line number in the file, from 0 after the header.
    pub index: u32,
    /// Why.
    pub reason: Cow<'static, str>,
    /// Quantity times price in minor units, if both can be read.
    pub amount: Option<i128>,
}

impl History {
    /// Reads an export to its end. Holds the text, some 60 bytes per line and each distinct text once.
    pub fn of(export: Export) -> Self {
        let mut gathering = Gathering::default();
        let mut rejects = Vec::new();
        let mut amount = 0;
        let places: Vec<Range<usize>> = export.lines().collect();
        for (index, place) in (0u32..).zip(&places) {
            let refused = match row::read(export.bytes(place)) {
                Ok(row) => {
                    let due = row.price.times(row.quantity);
                    match gathering.add(index, &row) {
                        Ok(()) => {
                            amount += due;
                            continue;
                        }
                        Err(reason) => Refused { reason, amount: Some(due) },
                    }
                }
                Err(refused) => refused,
            };
            amount += refused.amount.unwrap_or(0);
            rejects.push(Reject { index, reason: refused.reason, amount: refused.amount });
        }
        let Gathering { codes, titles, prices, mut invoices, .. } = gathering;
        invoices.sort_by_key(|invoice| (invoice.at, invoice.lines.first().map(|line| line.index)));
        let by = Actor::System { name: WHO.to_owned() };
        let (codes, titles, prices) = (codes.all, titles.all, prices.all);
        Self { export, by, places, codes, titles, prices, invoices, rejects, amount }
    }

    /// The same, with the actor of the imported events.
    pub fn by(self, by: Actor) -> Self {
        Self { by, ..self }
    }

    /// How many lines there are, without the names of the columns.
    pub fn lines(&self) -> usize {
        self.places.len()
    }

    /// The bytes of a line.
    pub fn bytes(&self, index: u32) -> &[u8] {
        self.places.get(index as usize).map_or(&[], |place| self.export.bytes(place))
    }

    /// The amount of a line in minor units; negative for returns.
    pub fn amount_of(&self, line: &Line) -> i128 {
        self.price_of(line).decimal.times(i64::from(line.quantity))
    }

    /// The code of a line.
    pub fn code_of(&self, line: &Line) -> &Code {
        &self.codes[line.code as usize]
    }

    /// The price of a line.
    pub fn price_of(&self, line: &Line) -> &LinePrice {
        &self.prices[line.price as usize]
    }

    /// The description of a line, if it has one.
    pub fn described(&self, line: &Line) -> Option<&Title> {
        line.title.map(|title| &self.titles[title as usize])
    }

    /// The title of a line: its own description, or else the title of the product.
    pub fn title_of(&self, line: &Line) -> &Title {
        self.described(line).unwrap_or(&self.code_of(line).title)
    }

    /// Rejects every line of some codes.
    pub fn refuse_codes(&mut self, codes: &HashSet<u32>, reason: &'static str) {
        if codes.is_empty() {
            return;
        }
        let mut refused: Vec<Line> = Vec::new();
        for invoice in &mut self.invoices {
            let (gone, kept): (Vec<Line>, Vec<Line>) =
                invoice.lines.iter().partition(|line| codes.contains(&line.code));
            invoice.lines = kept;
            refused.extend(gone);
        }
        self.invoices.retain(|invoice| !invoice.lines.is_empty());
        let rejects = refused.iter().map(|line| self.reject(line, reason.into())).collect::<Vec<_>>();
        self.rejects.extend(rejects);
    }

    /// A line of a document as a reject.
    pub fn reject(&self, line: &Line, reason: Cow<'static, str>) -> Reject {
        Reject { index: line.index, reason, amount: Some(self.amount_of(line)) }
    }
}

/// Distinct things by what names them, numbered as they come.
#[derive(Debug)]
struct Distinct<K, T> {
    numbers: HashMap<K, u32>,
    all: Vec<T>,
}

impl<K, T> Default for Distinct<K, T> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), all: Vec::new() }
    }
}

impl<K: Hash + Eq, T> Distinct<K, T> {
    fn push(&mut self, key: K, one: T) -> u32 {
        // A text of at most a gibibyte has fewer than 2^32 lines, and each brings at most one.
        let number = u32::try_from(self.all.len()).expect("fewer things than bytes");
        self.numbers.insert(key, number);
        self.all.push(one);
        number
    }
}

#[derive(Default)]
struct Gathering {
    codes: Distinct<String, Code>,
    titles: Distinct<String, Title>,
    prices: Distinct<Decimal, LinePrice>,
    invoices: Vec<Invoice>,
    numbers: HashMap<String, usize>,
}

type Reason = Cow<'static, str>;

impl Gathering {
    fn add(&mut self, index: u32, row: &Row<'_>) -> Result<(), Reason> {
        // What belongs to the document is checked before anything of the line is kept.
        let invoice = self.invoice(row)?;
        let price = self.price(row.price)?;
        let title = self.title(&row.description);
        let code = self.code(&row.code, title)?;
        let quantity = i32::try_from(row.quantity).map_err(|_| "the quantity is too large")?;
        let line = Line { index, code, title, price, quantity };
        let invoice = match invoice {
            Ok(known) => &mut self.invoices[known],
            Err(new) => {
                self.numbers.insert(row.invoice.to_string(), self.invoices.len());
                self.invoices.push(new);
                let last = self.invoices.len() - 1;
                &mut self.invoices[last]
            }
        };
        invoice.at = invoice.at.min(row.at);
        invoice.lines.push(line);
        Ok(())
    }

    /// The place of the line's document, or the document when the line is its first.
    fn invoice(&self, row: &Row<'_>) -> Result<Result<usize, Invoice>, Reason> {
        if let Some(&known) = self.numbers.get(row.invoice.as_ref()) {
            let invoice = &self.invoices[known];
            if invoice.customer.as_ref().map_or("", Reference::as_str) != row.customer {
                return Err("the invoice's first line has another customer".into());
            }
            if invoice.country.as_str() != row.country {
                return Err("the invoice's first line has another country".into());
            }
            return Ok(Ok(known));
        }
        let said = |error: byteshop_domain::text::TextError| Reason::from(error.to_string());
        let customer = if row.customer.is_empty() { None } else { Some(Reference::new(&row.customer).map_err(said)?) };
        Ok(Err(Invoice {
            reference: Reference::new(&row.invoice).map_err(said)?,
            kind: row.kind,
            at: row.at,
            customer,
            country: Country::new(&row.country).map_err(said)?,
            lines: Vec::new(),
        }))
    }

    fn price(&mut self, decimal: Decimal) -> Result<u32, Reason> {
        if let Some(&known) = self.prices.numbers.get(&decimal) {
            return Ok(known);
        }
        let unit = decimal.price().ok_or("the price is out of range")?;
        Ok(self.prices.push(decimal, LinePrice { decimal, unit, exact: decimal.exact() }))
    }

    fn title(&mut self, description: &str) -> Option<u32> {
        if let Some(&known) = self.titles.numbers.get(description) {
            return Some(known);
        }
        let title = Title::new(&one_line(description)).ok()?;
        Some(self.titles.push(description.to_owned(), title))
    }

    fn code(&mut self, text: &str, title: Option<u32>) -> Result<u32, Reason> {
        let words = |titles: &[Title], number: u32| titles[number as usize].clone();
        if let Some(&known) = self.codes.numbers.get(text) {
            let code = &mut self.codes.all[known as usize];
            if let (false, Some(title)) = (code.described, title) {
                code.title = words(&self.titles.all, title);
                code.described = true;
            }
            return Ok(known);
        }
        let sku = fresh(|| Sku::new(text)).map_err(|error| error.to_string())?;
        let title_or_code = match title {
            Some(title) => words(&self.titles.all, title),
            None => Title::new(text).map_err(|error| error.to_string())?,
        };
        let code = Code { sku, title: title_or_code, described: title.is_some() };
        Ok(self.codes.push(text.to_owned(), code))
    }
}

/// A text without line breaks and other things that cannot be printed, as long as a title may be.
fn one_line(text: &str) -> String {
    let blank = |letter: char| letter.is_control() || letter.is_whitespace();
    let hidden = |letter: &char| !matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let words = text.split(blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    words.chars().filter(hidden).take(TITLE_MAX).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COLUMNS: &str = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\r\n";

    fn history(lines: &str) -> History {
        History::of(Export::of_bytes(format!("{COLUMNS}{lines}").into_bytes()).unwrap())
    }

    #[test]
    fn an_invoice_is_gathered_from_wherever_its_lines_are() {
        let history = history(
            "2,B,,1,2010-01-01 10:00:00,1.00,7,EIRE\n\
             1,A, LAMP\u{7}  RED ,1,2010-01-01 09:01:00,1.00,,EIRE\n\
             2,A,,2,2010-01-01 10:00:00,1.00,7,EIRE\n\
             1,B,OTHER,3,2010-01-01 09:00:00,0.034,,EIRE\n\
             1,B,OTHER,3,2010-01-01 09:00:00,0.034,9,EIRE",
        );
        let gathered: Vec<(&str, usize)> =
            history.invoices.iter().map(|invoice| (invoice.reference.as_str(), invoice.lines.len())).collect();
        assert_eq!(gathered, [("1", 2), ("2", 2)]);
        assert_eq!(history.invoices[0].at.to_rfc3339(), "2010-01-01T09:00:00+00:00");
        let titles: Vec<&str> = history.codes.iter().map(|code| code.title.as_str()).collect();
        assert_eq!(titles, ["OTHER", "LAMP RED"]);
        assert_eq!(history.rejects[0].reason, "the invoice's first line has another customer");
        assert_eq!((history.lines(), history.amount), (5, 100 + 100 + 200 + 10 + 10));
        assert_eq!(history.bytes(4), b"1,B,OTHER,3,2010-01-01 09:00:00,0.034,9,EIRE");
    }

    proptest! {
        /// Whatever is in the file: each line is in exactly one document or reject, and no amount is lost.
        #[test]
        fn no_line_is_lost(lines in proptest::collection::vec(
            prop_oneof![
                Just(b"1,A,LAMP,1,2010-01-01 09:00:00,1.00,7,EIRE".to_vec()),
                Just(b"1,A,LAMP,1,2010-01-01 09:00:00,1.00,8,EIRE".to_vec()),
                Just(b"C1,A,\"LAMP, RED\",-1,2010-01-01 09:00:00,1.00,7,EIRE".to_vec()),
                Just(b"2,A,gone,-1,2010-01-01 09:00:00,0,,EIRE".to_vec()),
                proptest::collection::vec(any::<u8>().prop_filter("one line", |byte| *byte != b'\n'), 0..60),
            ], 0..40)
        ) {
            let mut text = COLUMNS.as_bytes().to_vec();
            for line in &lines {
                text.extend(line);
                text.push(b'\n');
            }
            let history = History::of(Export::of_bytes(text).unwrap());
            prop_assert_eq!(history.lines(), lines.len());
            let documents = history.invoices.iter().flat_map(|invoice| &invoice.lines).map(|line| line.index);
            let mut seen: Vec<u32> = documents.chain(history.rejects.iter().map(|reject| reject.index)).collect();
            seen.sort_unstable();
            prop_assert!(seen.into_iter().eq(0..u32::try_from(lines.len()).unwrap()));
            let kept: i128 = history.invoices.iter().flat_map(|invoice| &invoice.lines).map(|line| history.amount_of(line)).sum();
            let refused: i128 = history.rejects.iter().filter_map(|reject| reject.amount).sum();
            prop_assert_eq!(kept + refused, history.amount);
        }
    }
}
