//! What happens to an order, and what it can be asked.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::cart::Destination;
use crate::ids::{AccountId, CartId, CreditNoteId, PaymentId, ProductId, VariantId};
use crate::money::{ExactPrice, Money, MoneyError, Price};
use crate::quantity::{Demand, Quantity};
use crate::text::{Hash, Reference, Sku, Title};

/// Who buys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buyer {
    /// Their account; nobody's for a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// What an older system called them, such as a customer number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
}

/// A line of an order, as it was bought: nothing of it follows the product any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What.
    pub variant: VariantId,
    /// Its product.
    pub product: ProductId,
    /// Its code.
    pub sku: Sku,
    /// What it was called.
    pub title: Title,
    /// How many.
    pub quantity: Quantity,
    /// What one piece cost, rounded when there is an exact price.
    pub unit_price: Price,
    /// What one piece cost in an older system that had more digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact_price: Option<ExactPrice>,
    /// What the line cost.
    pub amount: Money,
}

impl Line {
    /// What the line must cost: the price, exact or not, times the quantity.
    pub fn due(&self) -> Result<Money, MoneyError> {
        match &self.exact_price {
            Some(exact) => exact.times(self.quantity, self.unit_price.currency()),
            None => self.unit_price.times(self.quantity),
        }
    }

    /// What it wants of the stock.
    pub fn demand(&self) -> Demand {
        Demand { variant: self.variant, quantity: self.quantity }
    }
}

/// What is given back of a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReturnLine {
    /// What.
    pub variant: VariantId,
    /// How many.
    pub quantity: Quantity,
    /// What is paid back for it.
    pub amount: Money,
}

/// Everything that makes an order; the same in the command and in the event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// Who buys.
    pub buyer: Buyer,
    /// The cart it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cart: Option<CartId>,
    /// The hash of the token that lets a guest see it: the one of their cart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_hash: Option<Hash>,
    /// Where the goods go.
    pub destination: Destination,
    /// What is bought.
    pub lines: Vec<Line>,
    /// What it costs: the sum of the lines.
    pub total: Money,
    /// The payment that is opened with it.
    pub payment: PaymentId,
    /// When it is cancelled unless it is paid for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_by: Option<DateTime<Utc>>,
    /// What an older system called it, such as an invoice number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Whether it is an order of the past: its stock is moved in the appends of the import, and no process acts on it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub imported: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(it: &bool) -> bool {
    !it
}

/// Why an order is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// The buyer wants it no more.
    BuyerRequest,
    /// The shop cannot or will not deliver.
    StaffRequest,
    /// The payment failed for good.
    PaymentFailed,
    /// The buyer left the payment.
    PaymentCancelled,
    /// It was not paid for in time.
    PaymentWindowPassed,
    /// It was cancelled in an older system.
    Imported,
}

/// What happened to an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Somebody bought.
    Placed(Placement),
    /// It is paid for.
    Paid {
        /// By which payment.
        payment: PaymentId,
        /// What of the stock leaves with it, summed per variant; nothing for an import.
        commit: Vec<Demand>,
    },
    /// The goods are handed over.
    Fulfilled {},
    /// It is off.
    Cancelled {
        /// Why.
        reason: CancelReason,
        /// The payment that is void, or to be refunded.
        payment: PaymentId,
        /// Whether it was paid for: the stock had left and comes back.
        was_paid: bool,
        /// What of the stock is free again, summed per variant; nothing for an import.
        release: Vec<Demand>,
    },
    /// What was paid for a cancelled order is paid back.
    Refunded {
        /// The payment.
        payment: PaymentId,
    },
    /// Some of the goods came back.
    Returned {
        /// The credit note for them.
        credit_note: CreditNoteId,
        /// What came back.
        lines: Vec<ReturnLine>,
        /// What is paid back: the sum of the lines.
        amount: Money,
        /// What of the stock comes back with it, summed per variant; nothing when it is spoilt, or for an import.
        restock: Vec<Demand>,
    },
}

impl crate::Event for Event {}

/// What an order can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Buy.
    Place(Box<Placement>),
    /// Note that it is paid for.
    MarkPaid {
        /// By which payment.
        payment: PaymentId,
    },
    /// Note that the goods are handed over.
    Fulfil {},
    /// Call it off.
    Cancel {
        /// Why.
        reason: CancelReason,
    },
    /// Note that what was paid for it, once cancelled, is paid back.
    MarkRefunded {
        /// The payment.
        payment: PaymentId,
    },
    /// Take goods back.
    Return {
        /// The credit note for them.
        credit_note: CreditNoteId,
        /// What comes back.
        lines: Vec<ReturnLine>,
        /// What is paid back: the sum of the lines.
        amount: Money,
        /// Whether the goods are for sale again.
        restock: bool,
    },
}
