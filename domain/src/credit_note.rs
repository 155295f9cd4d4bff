//! A credit note: the document of cancelled or returned goods, or of a refund alone, which never changes.
//!
//! ```text
//! (missing) ──issued──▶ issued (final)
//! ```

use serde::{Deserialize, Serialize};

use crate::decider::{Asked, Decider};
use crate::ids::{CreditNoteId, DisputeId, OrderId, RefundId, VariantId};
use crate::issuer::{Issuer, Supplier};
use crate::money::{ExactPrice, Money, MoneyError, Price};
use crate::order::{Buyer, SellerShare, Taxed};
use crate::quantity::Quantity;
use crate::text::{Country, Reason, Reference, Sku};

mod left;

pub use left::{Left, said};

/// The maximum number of lines of a credit note: as many as an order has.
pub const LINES_MAX: usize = crate::order::LINES_MAX;

/// A line of a credit note. Amounts are paid to the buyer, so they are positive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The variant.
    pub variant: VariantId,
    /// The SKU.
    pub sku: Sku,
    /// The quantity.
    pub quantity: Quantity,
    /// The price of one piece, rounded when there is an exact price.
    pub unit_price: Price,
    /// The exact price of one piece in an older system that had more digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact_price: Option<ExactPrice>,
    /// The amount that is given back for the line.
    pub amount: Money,
    /// Whether the amount is the line's share of what was paid, after discounts and with tax, and not its price times its
    /// quantity.
    #[serde(default, skip_serializing_if = "is_false")]
    pub share: bool,
    /// The order, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
}

/// Everything that makes a credit note; the same in the command and in the event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// The number.
    pub reference: Reference,
    /// The buyer.
    pub buyer: Buyer,
    /// The country of the destination.
    pub country: Country,
    /// The lines; empty when an amount is refunded without goods.
    pub lines: Vec<Line>,
    /// The refunded part of the shipping price; a refund without goods may consist of it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Money>,
    /// The sum of the lines and the shipping, if there are lines.
    pub total: Money,
    /// The tax in the total, by rate; absent in older events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taxes: Option<Vec<Taxed>>,
    /// What it takes back of each seller; empty in older events, and if all of it is the house's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sellers: Vec<SellerShare>,
    /// What it takes back of gift cards, which were sold without tax; absent if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gift_cards: Option<Money>,
    /// The order, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The refund, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<RefundId>,
    /// The dispute that was lost, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispute: Option<DisputeId>,
    /// The reason of a refund without goods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The house, as the document shows it; absent in older documents, in those of an older system, and if a seller supplied the goods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller: Option<Issuer>,
    /// The seller that supplied the goods in its own name; absent if the house did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier: Option<Supplier>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(it: &bool) -> bool {
    !it
}

/// What happened to a credit note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The credit note was issued.
    Issued(Content),
}

impl crate::Event for Event {}

/// The commands of a credit note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Issue the credit note.
    Issue(Content),
}

/// The state of a credit note.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum CreditNote {
    /// The credit note does not exist.
    #[default]
    Missing,
    /// The credit note exists.
    Issued(Box<Content>),
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        Exists => Conflict: "the credit note already exists";
        NoLines => Invalid at "/lines": "a credit note has at least one line";
        TooManyLines => Invalid at "/lines": "a credit note has at most {LINES_MAX} lines";
        WrongAmount { line: usize } => Invalid at "/lines/{line}/amount":
            "the amount of line {line} is not its price times its quantity";
        WrongTotal => Invalid at "/total":
            "the total is not the sum of the lines and the shipping in one currency, or less than what is taxed";
    }
}

impl Decider for CreditNote {
    const CATEGORY: &'static str = "credit_note";
    type Id = CreditNoteId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Issue(content) => match self {
                Self::Missing => issue(content),
                // The same again: already done.
                Self::Issued(known) if **known == *content => Ok(vec![]),
                Self::Issued(_) => Err(Rejection::Exists),
            },
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Issued(content) => Self::Issued(Box::new(content.clone())),
        }
    }
}

impl CreditNote {
    /// Its content, if it exists.
    pub fn issued(&self) -> Option<&Content> {
        match self {
            Self::Missing => None,
            Self::Issued(content) => Some(content),
        }
    }
}

fn issue(content: &Content) -> Result<Vec<Event>, Rejection> {
    let Content { lines, shipping, total, .. } = content;
    if !taxes_fit(content) {
        return Err(Rejection::WrongTotal);
    }
    let money_alone = lines.is_empty() && content.refund.is_some() && total.amount > 0;
    if money_alone {
        let right = shipping.is_none_or(|shipping| shipping == *total);
        return if right { Ok(vec![Event::Issued(content.clone())]) } else { Err(Rejection::WrongTotal) };
    }
    if lines.is_empty() {
        return Err(Rejection::NoLines);
    }
    if lines.len() > LINES_MAX {
        return Err(Rejection::TooManyLines);
    }
    if let Some(line) = lines.iter().position(|line| !line.is_right()) {
        return Err(Rejection::WrongAmount { line });
    }
    let parts = lines.iter().map(|line| line.amount).chain(*shipping);
    if shipping.is_some_and(|shipping| shipping.amount <= 0) || Money::sum(total.currency, parts) != Ok(*total) {
        return Err(Rejection::WrongTotal);
    }
    Ok(vec![Event::Issued(content.clone())])
}

/// Whether the taxed amounts are at most the total.
fn taxes_fit(content: &Content) -> bool {
    let Some(taxes) = &content.taxes else { return true };
    let zero = Money::zero(content.total.currency);
    let sum = taxes.iter().try_fold(zero, |sum, it| sum.plus(it.gross()?));
    let positive = taxes.iter().all(|it| it.net.amount >= 0 && it.tax.amount >= 0);
    positive && (taxes.is_empty() || sum.is_ok_and(|sum| sum.amount <= content.total.amount))
}

impl Line {
    fn is_right(&self) -> bool {
        if self.share { self.amount.amount >= 0 } else { self.due() == Ok(self.amount) }
    }

    /// The amount that the line must give back: the price, exact or not, times the quantity.
    pub fn due(&self) -> Result<Money, MoneyError> {
        match &self.exact_price {
            Some(exact) => exact.times(self.quantity, self.unit_price.currency()),
            None => self.unit_price.times(self.quantity),
        }
    }
}

#[cfg(test)]
mod tests;
