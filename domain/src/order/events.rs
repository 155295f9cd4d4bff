//! What happens to an order, and what it is made of.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::status::{CancelReason, Fulfilment};
use crate::Personal;
use crate::cart::Destination;
use crate::ids::{
    AccountId, CartId, CreditNoteId, PaymentId, ProductId, RefundId, ReturnId, ShipmentId, UsageId, VariantId,
};
use crate::money::{ExactPrice, Money, Price};
use crate::pricing::{Discount, LineTax, Shipping};
use crate::quantity::{Demand, Quantity};
use crate::seller::Seller;
use crate::tax_book::Rounding;
use crate::text::{Hash, NoteText, Reference, Sku, Title};

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
    /// What the line cost before discounts: the price, exact or not, times the quantity.
    pub amount: Money,
    /// Whether nothing of it travels: it is handed over once it is paid for.
    #[serde(default, skip_serializing_if = "is_false")]
    pub digital: bool,
    /// The discount on it; absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Money>,
    /// Its tax; nothing where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<LineTax>,
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
    /// What was taken off, by promotion, in the order it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<Discount>,
    /// How it is sent, and what that costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Shipping>,
    /// What it uses up of promotions, given back when it is cancelled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<UsageId>,
    /// What is to be paid: lines and shipping, after discounts, with the taxes that prices do not include.
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
    /// Where its taxes are rounded.
    #[serde(default, skip_serializing_if = "Rounding::is_usual")]
    pub tax_rounding: Rounding,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(it: &bool) -> bool {
    !it
}

/// What happened to an order.
#[allow(clippy::large_enum_variant, reason = "most orders have few events, and every one of them has the large one")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The order was placed.
    Placed(Placement),
    /// The order was paid.
    Paid {
        /// By which payment.
        payment: PaymentId,
        /// What of the stock leaves with it, summed per variant; nothing for an import.
        commit: Vec<Demand>,
        /// The number of its invoice; older ones and imports have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invoice: Option<Reference>,
        /// Who sells, as the invoice names them from now on; older ones and imports do not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seller: Option<Seller>,
    },
    /// The money for it is set aside, to be taken later.
    Authorized {
        /// By which payment.
        payment: PaymentId,
    },
    /// Everything that is not cancelled is handed over.
    Fulfilled {
        /// Whether nothing more is to happen: nothing of it travels.
        #[serde(default = "yes", skip_serializing_if = "is_true")]
        completed: bool,
        /// When; not known of older ones.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<DateTime<Utc>>,
    },
    /// Everything that is not cancelled has arrived.
    Completed {},
    /// The order was cancelled, or has expired.
    Cancelled {
        /// Why.
        reason: CancelReason,
        /// The payment that is void, or to be refunded.
        payment: PaymentId,
        /// Whether it was paid for: the stock had left and comes back.
        was_paid: bool,
        /// What of the stock is free again, summed per variant; nothing for an import.
        release: Vec<Demand>,
        /// What of the money is due back, when some of it was given back before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<Money>,
        /// The credit note for it, if it was paid for; older ones have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        credit_note: Option<CreditNoteId>,
        /// What of it was lost on its way, or is spoilt, so that it does not come back to the stock.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lost: Vec<Demand>,
        /// Whether the stock moved in the same append; of older orders a process moved it.
        #[serde(default, skip_serializing_if = "is_false")]
        stock_moved: bool,
    },
    /// Some of it is off.
    LinesCancelled {
        /// What, and what is given back for it, or need not be paid.
        lines: Vec<ReturnLine>,
        /// The sum of the lines.
        amount: Money,
        /// What goes back of what was paid for sending, or need not be paid for it, as nothing is sent any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shipping: Option<Money>,
        /// Why.
        reason: CancelReason,
        /// Whether it was paid for: the stock had left and comes back.
        was_paid: bool,
        /// The piece of the payment that goes back, if any does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refund: Option<RefundId>,
        /// The credit note for it, if it was paid for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        credit_note: Option<CreditNoteId>,
        /// What had left the stock and does not come back to it, other than what was lost on its way.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        written_off: Vec<Demand>,
    },
    /// What was paid is paid back, all of it or a piece.
    Refunded {
        /// The payment.
        payment: PaymentId,
        /// Which piece of it; nothing when all of a cancelled order's money went back at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refund: Option<RefundId>,
        /// How much; all of it when nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<Money>,
    },
    /// Some of it is put in a parcel.
    ParcelPrepared {
        /// The parcel.
        shipment: ShipmentId,
        /// What is in it, summed per variant.
        lines: Vec<Demand>,
    },
    /// A parcel is unpacked before it went anywhere.
    ParcelDropped {
        /// The parcel.
        shipment: ShipmentId,
    },
    /// A parcel is on its way.
    HandedOver {
        /// The parcel.
        shipment: ShipmentId,
        /// What is in it.
        lines: Vec<Demand>,
        /// When.
        at: DateTime<Utc>,
        /// The payment that is to be taken now, if it was only set aside.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        capture: Option<PaymentId>,
    },
    /// A parcel has arrived.
    Delivered {
        /// The parcel.
        shipment: ShipmentId,
        /// When.
        at: DateTime<Utc>,
    },
    /// A parcel was returned to the shop: its contents can be sent again, or cancelled.
    ParcelReturned {
        /// The parcel.
        shipment: ShipmentId,
        /// What has become of the goods by it.
        fulfilment: Fulfilment,
    },
    /// A parcel is lost on its way: what was in it can be sent again, from the stock, or cancelled.
    ParcelLost {
        /// The parcel.
        shipment: ShipmentId,
        /// What was in it.
        lines: Vec<Demand>,
        /// What has become of the goods by it.
        fulfilment: Fulfilment,
    },
    /// Other pieces are taken from the stock for those that were lost.
    Replaced {
        /// What, summed per variant.
        lines: Vec<Demand>,
    },
    /// A lost parcel was found.
    ParcelFound {
        /// The parcel.
        shipment: ShipmentId,
        /// What of it was neither replaced nor cancelled meanwhile: it counts as if it had never been lost.
        lines: Vec<Demand>,
        /// What of it was: these pieces are there beside what the order is of.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        extra: Vec<Demand>,
        /// What has become of the goods by it.
        fulfilment: Fulfilment,
    },
    /// The buyer wants to send goods back.
    ReturnRequested {
        /// With which return.
        return_id: ReturnId,
        /// What.
        lines: Vec<Demand>,
    },
    /// Nothing comes of a return any more.
    ReturnClosed {
        /// Which.
        return_id: ReturnId,
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
        /// The piece of the payment that goes back for it; nothing when that happened elsewhere, or nothing is left.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refund: Option<RefundId>,
        /// The return that it ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        return_id: Option<ReturnId>,
    },
    /// Staff wrote something down about it, for staff.
    Noted {
        /// What, sealed: it may be about people.
        note: Personal<NoteText>,
        /// Who.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<AccountId>,
        /// When.
        at: DateTime<Utc>,
    },
    /// The guest who bought it is forgotten: the key of what is known of them is destroyed, or is about to be.
    BuyerForgotten {
        /// Whose key it is.
        subject: crate::Subject,
    },
    /// Money alone is given back, because the shop wants it so; the payment sees to it.
    Credited {
        /// The credit note for it.
        credit_note: CreditNoteId,
        /// The piece of the payment that goes back.
        refund: RefundId,
        /// How much.
        amount: Money,
        /// Whether it is of what was paid for sending.
        #[serde(default, skip_serializing_if = "is_false")]
        shipping: bool,
    },
    /// Its lines are in a cart again, as it was never paid.
    MovedToCart {
        /// The cart.
        cart: CartId,
    },
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_true(it: &bool) -> bool {
    *it
}

impl crate::Event for Event {}
