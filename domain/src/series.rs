//! A document series, such as the invoices of the house of a year: each document gets the next number, without gaps or duplicates.
//!
//! ```text
//! 0 ──issued──▶ 1 ──issued──▶ 2 … ──skipped──▶ 50 ──issued──▶ 51 …
//! ```
//!
//! Each event has the next version of the stream, so the log itself keeps the numbers without gaps: a document is issued in the
//! same append as its number, or not at all (EU directive 2006/112/EC, article 226 (2)). Only an operator skips numbers, and
//! gives the reason: after a restored backup they may be on documents that the log does not have, and an explained gap is
//! better than a number that two documents have.
//!
//! The house has a series for each kind of document and year, and so has each seller that supplies in its own name.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::decider::{Asked, Decider};
use crate::ids::{CreditNoteId, Id as _, OrderId, SellerId, SeriesId};
use crate::text::{Handle, Reason, Reference};

/// Namespace of the ids; any fixed number would do, and it can never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x6a41_07d5_2c8b_4f0e_9d31_b7f0_48e6_152c);
/// The prefix of the numbers of invoices.
const INVOICES: &str = "INV";
/// The prefix of the numbers of credit notes.
const CREDIT_NOTES: &str = "CN";
/// The minimum number of digits, so that the numbers of a year are in order in a list; larger numbers have more.
const DIGITS: usize = 6;
/// The last number of a series: ten years at a sale per second, and its text still fits a reference.
pub const NUMBER_MAX: i64 = 999_999_999;
/// The maximum number of skipped numbers at once: more than any backup loses, and too few for a typo to end a series.
pub const SKIP_MAX: i64 = 100_000;

/// A document with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Document {
    /// The invoice of an order.
    Invoice {
        /// The order.
        order: OrderId,
        /// The seller whose invoice it is; absent if it is the house's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seller: Option<SellerId>,
    },
    /// A credit note.
    CreditNote {
        /// The note.
        credit_note: CreditNoteId,
        /// The seller whose note it is; absent if it is the house's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seller: Option<SellerId>,
    },
}

impl Document {
    /// The prefix of its numbers.
    fn prefix(self) -> &'static str {
        match self {
            Self::Invoice { .. } => INVOICES,
            Self::CreditNote { .. } => CREDIT_NOTES,
        }
    }

    /// The series of a year that it belongs to.
    pub fn series(self, year: i32) -> SeriesId {
        match self {
            Self::Invoice { seller, .. } => of_invoices(seller, year),
            Self::CreditNote { seller, .. } => of_credit_notes(seller, year),
        }
    }
}

/// The series of the invoices of a year: of a seller, or else of the house.
pub fn of_invoices(seller: Option<SellerId>, year: i32) -> SeriesId {
    named(INVOICES, seller, year)
}

/// The series of the credit notes of a year: of a seller, or else of the house.
pub fn of_credit_notes(seller: Option<SellerId>, year: i32) -> SeriesId {
    named(CREDIT_NOTES, seller, year)
}

fn named(prefix: &str, seller: Option<SellerId>, year: i32) -> SeriesId {
    let name = seller.map_or_else(|| format!("{prefix}:{year}"), |seller| format!("{prefix}:{seller}:{year}"));
    // UUID version 5 of the name (RFC 9562, section 5.5).
    SeriesId::from_uuid(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
}

/// How the numbers of a series begin, such as `INV-2026-` or `INV-COPPER-KETTLES-2026-`.
fn beginning(prefix: &str, handle: Option<&Handle>, year: i32) -> String {
    let of_seller = handle.map(|handle| format!("{}-", handle.as_str().to_uppercase())).unwrap_or_default();
    format!("{prefix}-{of_seller}{year}-")
}

/// A number as documents show it, such as `INV-2026-000042`, or `INV-COPPER-KETTLES-2026-000042` of a seller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// The prefix.
    prefix: &'static str,
    /// The handle of the seller; none for the house.
    pub handle: Option<Handle>,
    /// The year of its series.
    pub year: i32,
    /// The number in its series.
    pub number: i64,
}

impl Printed {
    /// Parses a number, in capitals or not; none if the text is not one.
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.trim().rsplitn(3, '-');
        let (number, year, head) = (parts.next()?, parts.next()?, parts.next()?);
        let (prefix, handle) = head.split_once('-').map_or((head, None), |(prefix, handle)| (prefix, Some(handle)));
        let handle = handle.map(|handle| Handle::new(&handle.to_lowercase())).transpose().ok()?;
        let prefix = [INVOICES, CREDIT_NOTES].into_iter().find(|known| prefix.eq_ignore_ascii_case(known))?;
        let digits = |text: &str, least| text.len() >= least && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(year, 4) || !digits(number, DIGITS) {
            return None;
        }
        Some(Self { prefix, handle, year: year.parse().ok()?, number: number.parse().ok()? })
    }

    /// The series that it belongs to, if it is one of this seller, or else of the house.
    pub fn series(&self, seller: Option<SellerId>) -> SeriesId {
        named(self.prefix, seller, self.year)
    }
}

/// What happened to a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A document took the next number.
    Issued {
        /// The number: 1, 2, 3 … as the version of the stream.
        number: i64,
        /// The number as documents show it, such as `INV-2026-000042`.
        reference: Reference,
        /// The document.
        document: Document,
    },
    /// Numbers were skipped: no document of this log will have them.
    Skipped {
        /// The first skipped number.
        from: i64,
        /// The last skipped number.
        to: i64,
        /// The reason of the gap, for the record.
        reason: Reason,
    },
}

impl crate::Event for Event {}

/// The commands of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Give a document the next number. The caller makes sure that the document has none yet.
    Issue {
        /// The document.
        document: Document,
        /// The year of the series.
        year: i32,
        /// The handle of the seller whose document it is; none for the house.
        handle: Option<Handle>,
    },
    /// Skip numbers.
    Skip {
        /// The last skipped number: the next document gets the one after it.
        to: i64,
        /// The reason.
        reason: Reason,
    },
}

/// The state of a series.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Series {
    /// The number that was issued or skipped last.
    pub last: i64,
    /// The number that was issued last, as documents show it; absent before the first, or after skipped ones.
    pub reference: Option<Reference>,
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        Exhausted => Conflict: "the series ends with number {NUMBER_MAX}";
        NotAbove { last: i64 } => Conflict: "the series is already at number {last}";
        TooFar { last: i64 } => Conflict:
            "the series is at number {last}; at most {SKIP_MAX} numbers can be skipped at once";
    }
}

impl Decider for Series {
    const CATEGORY: &'static str = "series";
    const SINGLETON: bool = true;
    const LAST_EVENT_IS_SNAPSHOT: bool = true;
    type Id = SeriesId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Issue { document, year, handle } => {
                let number = self.last + 1;
                let text = format!("{}{number:0DIGITS$}", beginning(document.prefix(), handle.as_ref(), *year));
                match Reference::new(&text) {
                    Ok(reference) if number <= NUMBER_MAX => {
                        Ok(vec![Event::Issued { number, reference, document: *document }])
                    }
                    Ok(_) | Err(_) => Err(Rejection::Exhausted),
                }
            }
            Command::Skip { to, reason } => self.skip(*to, reason),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Issued { number, reference, .. } => Self { last: *number, reference: Some(reference.clone()) },
            Event::Skipped { to, .. } => Self { last: *to, reference: None },
        }
    }
}

impl Series {
    fn skip(&self, to: i64, reason: &Reason) -> Result<Vec<Event>, Rejection> {
        let last = self.last;
        // The next document gets the number after it anyway.
        if to == last {
            return Ok(vec![]);
        }
        if to < last {
            return Err(Rejection::NotAbove { last });
        }
        if to - last > SKIP_MAX {
            return Err(Rejection::TooFar { last });
        }
        if to >= NUMBER_MAX {
            return Err(Rejection::Exhausted);
        }
        Ok(vec![Event::Skipped { from: last + 1, to, reason: reason.clone() }])
    }
}

#[cfg(test)]
mod tests;
