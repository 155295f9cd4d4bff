//! A series of documents, such as the invoices of a year: each takes the next number, and none is left out or given twice.
//!
//! ```text
//! 0 ──issued──▶ 1 ──issued──▶ 2 …
//! ```
//!
//! The version of the stream is the number of its last document, so the log itself keeps the numbers without a gap: whoever
//! issues a document appends to its series in the same append, or not at all (EU directive 2006/112/EC, article 226 (2)).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::decider::{Asked, Decider};
use crate::ids::{CreditNoteId, Id as _, OrderId, SeriesId};
use crate::text::Reference;

/// Namespace of the ids; any fixed number would do, and it can never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x6a41_07d5_2c8b_4f0e_9d31_b7f0_48e6_152c);
/// Digits of a number at least, so that the numbers of a year stand in order in a list; a larger one is as long as it is.
const DIGITS: usize = 6;
/// The last number of a series: ten years of a sale each second, and its text still fits wherever a reference does.
pub const NUMBER_MAX: i64 = 999_999_999;

/// What is numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Document {
    /// The invoice of an order.
    Invoice {
        /// The order.
        order: OrderId,
    },
    /// A credit note.
    CreditNote {
        /// The note.
        credit_note: CreditNoteId,
    },
}

impl Document {
    /// What the numbers of its series begin with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Invoice { .. } => "INV",
            Self::CreditNote { .. } => "CN",
        }
    }

    /// The series that it belongs to, of those of a year.
    pub fn series(self, year: i32) -> SeriesId {
        // UUID version 5 of the name (RFC 9562, section 5.5).
        let name = format!("{}:{year}", self.prefix());
        SeriesId::from_uuid(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
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
        /// The number as people read it, such as `INV-2026-000042`.
        reference: Reference,
        /// Which document.
        document: Document,
    },
}

impl crate::Event for Event {}

/// What a series can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Give a document the next number. Whoever asks sees to it that the document has none yet.
    Issue {
        /// Which document.
        document: Document,
        /// The year of the series.
        year: i32,
    },
}

/// A series as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Series {
    /// The number that was given last.
    pub last: i64,
    /// The same as people read it; nothing before the first.
    pub reference: Option<Reference>,
}

/// What can be in the way.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// There are no more numbers.
    #[error("the series ends with number {NUMBER_MAX}")]
    Exhausted,
}

impl crate::Rejection for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
        }
    }

    fn kind(&self) -> crate::Kind {
        match self {
            Self::Exhausted => crate::Kind::Conflict,
        }
    }
}

impl Decider for Series {
    const CATEGORY: &'static str = "series";
    const ONE_OF_A_KIND: bool = true;
    const LAST_SAYS_ALL: bool = true;
    type Id = SeriesId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Issue { document, year } => {
                let number = self.last + 1;
                let text = format!("{}-{year}-{number:0DIGITS$}", document.prefix());
                match Reference::new(&text) {
                    Ok(reference) if number <= NUMBER_MAX => {
                        Ok(vec![Event::Issued { number, reference, document: *document }])
                    }
                    Ok(_) | Err(_) => Err(Rejection::Exhausted),
                }
            }
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Issued { number, reference, .. } => Self { last: *number, reference: Some(reference.clone()) },
        }
    }
}

#[cfg(test)]
mod tests;
