//! The events of an order, and the structs that they are made of.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::buyer::Buyer;
use super::delivered::{LineKeys, RevokedKeys};
pub use super::portions::{PartShare, ReturnLine, SellerInvoice};
use super::status::{CancelReason, Fulfilment};
use crate::Personal;
use crate::cart::Destination;
use crate::commission::Commission;
use crate::ids::{
    AccountId, CartId, CreditNoteId, PaymentId, ProductId, RefundId, ReturnId, SellerId, ShipmentId, UsageId, VariantId,
};
use crate::issuer::Issuer;
use crate::money::{ExactPrice, Money, Price};
use crate::pricing::{Discount, LineTax, PartShipping, Shipping};
use crate::quantity::{Demand, Quantity};
use crate::tax_book::Rounding;
use crate::text::{Hash, NoteText, Reference, Sku, Title};

/// A line of an order as it was bought: later changes of the product do not affect it.
#[allow(clippy::struct_excessive_bools, reason = "each says how the pieces are delivered")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The variant.
    pub variant: VariantId,
    /// The product.
    pub product: ProductId,
    /// The SKU.
    pub sku: Sku,
    /// The title at that time.
    pub title: Title,
    /// The quantity.
    pub quantity: Quantity,
    /// The price of one piece, rounded when there is an exact price.
    pub unit_price: Price,
    /// The exact price of one piece in an older system that had more digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact_price: Option<ExactPrice>,
    /// The amount before discounts: the price, exact or not, times the quantity.
    pub amount: Money,
    /// Whether the line is not shipped: it is fulfilled as soon as the order is paid.
    #[serde(default, skip_serializing_if = "is_false")]
    pub digital: bool,
    /// Whether a key of the variant's pool is delivered for each piece.
    #[serde(default, skip_serializing_if = "is_false")]
    pub keys: bool,
    /// Whether its pieces are delivered as downloads.
    #[serde(default, skip_serializing_if = "is_false")]
    pub downloads: bool,
    /// Whether each of its pieces is a gift card, of which a key is the code.
    #[serde(default, skip_serializing_if = "is_false")]
    pub gift_cards: bool,
    /// The seller whose part of the order it belongs to; absent if the house sells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller: Option<SellerId>,
    /// The discount on it; absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Money>,
    /// The tax of the line; absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<LineTax>,
    /// The commission of the house on a line of a seller; absent for goods of the house, and in older events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commission: Option<Commission>,
}

/// Everything that makes an order; the same in the command and in the event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// The buyer.
    pub buyer: Buyer,
    /// The cart that became the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cart: Option<CartId>,
    /// The hash of the token that gives a guest access: the one of their cart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_hash: Option<Hash>,
    /// The destination of the goods.
    pub destination: Destination,
    /// The lines.
    pub lines: Vec<Line>,
    /// The discounts, by promotion, in the order in which they were applied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<Discount>,
    /// The shipping service of the house and its price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Shipping>,
    /// The shipping of the parts of sellers that ship at prices of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub part_shipping: Vec<PartShipping>,
    /// The uses of promotions that the order claims; a cancellation gives them back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<UsageId>,
    /// The amount to pay: lines and shipping, after discounts, with the taxes that prices do not include.
    pub total: Money,
    /// The payment that is opened with the order.
    pub payment: PaymentId,
    /// When the order expires unless it is paid; `payment_window_extended` says if that is later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_by: Option<DateTime<Utc>>,
    /// The number of the order in an older system, such as an invoice number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Whether the order was imported: the import moves its stock in its own appends, and no process acts on it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub imported: bool,
    /// How its taxes are rounded.
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
        /// The payment.
        payment: PaymentId,
        /// The pieces that leave the stock with it, summed per variant; empty for an import.
        commit: Vec<Demand>,
        /// The number of the house's invoice; absent in older events, in imports, and if sellers supply all of the order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invoice: Option<Reference>,
        /// The house as its invoice names it; absent in older events and in imports.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seller: Option<Issuer>,
        /// The invoices of the sellers that supply their parts in their own name.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        invoices: Vec<SellerInvoice>,
        /// Whether the stock was committed in the same append; of older orders a process committed it.
        #[serde(default, skip_serializing_if = "is_false")]
        stock_moved: bool,
        /// The keys of its pieces, if their variants have pools of keys.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        keys: Vec<LineKeys>,
        /// Whether pieces that are not shipped were handed over with the payment, and others are left; older events do not say.
        #[serde(default, skip_serializing_if = "is_false")]
        in_part: bool,
    },
    /// The payment of the order was authorized; it is captured later.
    Authorized {
        /// The payment.
        payment: PaymentId,
    },
    /// The order is paid on delivery: its goods leave before the money is there, and its stock was committed in the same append.
    Released {
        /// The payment.
        payment: PaymentId,
        /// The pieces that leave the stock with it, summed per variant.
        commit: Vec<Demand>,
    },
    /// All goods of the order that are not cancelled were handed over.
    Fulfilled {
        /// Whether the order is completed by this: none of its goods are in transit.
        #[serde(default = "yes", skip_serializing_if = "is_true")]
        completed: bool,
        /// The time; absent in older events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<DateTime<Utc>>,
    },
    /// All goods of the order that are not cancelled have arrived.
    Completed {},
    /// The order was cancelled, or has expired.
    Cancelled {
        /// The reason.
        reason: CancelReason,
        /// The payment, which is voided or to be refunded.
        payment: PaymentId,
        /// Whether the order was paid. If so, and if it is paid on delivery, its stock had left and comes back.
        was_paid: bool,
        /// The pieces that are available again, summed per variant; empty for an import.
        release: Vec<Demand>,
        /// The amount that is due for a refund, when a part was refunded before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<Money>,
        /// The credit note, if the order was paid; absent in older events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        credit_note: Option<CreditNoteId>,
        /// Further credit notes: one of each further supplier.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        further_notes: Vec<CreditNoteId>,
        /// The pieces that were lost in transit or written off, so they do not come back to the stock.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lost: Vec<Demand>,
        /// Whether the stock moved in the same append; of older orders a process moved it.
        #[serde(default, skip_serializing_if = "is_false")]
        stock_moved: bool,
    },
    /// Some lines of the order were cancelled.
    LinesCancelled {
        /// The cancelled pieces, with the amount of each line that is refunded or no longer due.
        lines: Vec<ReturnLine>,
        /// The sum of the lines.
        amount: Money,
        /// The part of the shipping price that is refunded or no longer due, as nothing is shipped any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shipping: Option<Money>,
        /// The reason.
        reason: CancelReason,
        /// Whether the order was paid. If so, and if it is paid on delivery, its stock had left and comes back.
        was_paid: bool,
        /// The refund, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refund: Option<RefundId>,
        /// The credit note, if the order was paid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        credit_note: Option<CreditNoteId>,
        /// The pieces that had left the stock and do not come back to it, other than those lost in transit.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        written_off: Vec<Demand>,
    },
    /// The payment of the order was refunded, in full or in part.
    Refunded {
        /// The payment.
        payment: PaymentId,
        /// The refund; absent when the whole payment of a cancelled order was refunded at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refund: Option<RefundId>,
        /// The amount; the whole payment if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<Money>,
    },
    /// Pieces of the order were put in a parcel.
    ParcelPrepared {
        /// The parcel.
        shipment: ShipmentId,
        /// The contents, summed per variant.
        lines: Vec<Demand>,
    },
    /// A parcel was cancelled before it was handed over.
    ParcelDropped {
        /// The parcel.
        shipment: ShipmentId,
    },
    /// A parcel was handed over to its carrier.
    HandedOver {
        /// The parcel.
        shipment: ShipmentId,
        /// The contents.
        lines: Vec<Demand>,
        /// The time.
        at: DateTime<Utc>,
        /// The payment that is to be captured now, if it was only authorized.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        capture: Option<PaymentId>,
    },
    /// A parcel was delivered.
    Delivered {
        /// The parcel.
        shipment: ShipmentId,
        /// The time.
        at: DateTime<Utc>,
    },
    /// A parcel was returned to the shop: its contents can be shipped again, or cancelled.
    ParcelReturned {
        /// The parcel.
        shipment: ShipmentId,
        /// The fulfilment of the order after this.
        fulfilment: Fulfilment,
    },
    /// A parcel was lost in transit: its contents can be shipped again from the stock, or cancelled.
    ParcelLost {
        /// The parcel.
        shipment: ShipmentId,
        /// The contents.
        lines: Vec<Demand>,
        /// The fulfilment of the order after this.
        fulfilment: Fulfilment,
    },
    /// Other pieces are taken from the stock to replace those that were lost.
    Replaced {
        /// The pieces, summed per variant.
        lines: Vec<Demand>,
    },
    /// A lost parcel was found.
    ParcelFound {
        /// The parcel.
        shipment: ShipmentId,
        /// The pieces that were neither replaced nor cancelled in the meantime: they count as if they had never been lost.
        lines: Vec<Demand>,
        /// The pieces that were replaced or cancelled in the meantime: they are surplus to the order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        extra: Vec<Demand>,
        /// The fulfilment of the order after this.
        fulfilment: Fulfilment,
    },
    /// The buyer requested a return.
    ReturnRequested {
        /// The return.
        return_id: ReturnId,
        /// The lines.
        lines: Vec<Demand>,
    },
    /// A return was rejected or withdrawn.
    ReturnClosed {
        /// The return.
        return_id: ReturnId,
    },
    /// Goods of the order were returned.
    Returned {
        /// The credit note for the returned goods.
        credit_note: CreditNoteId,
        /// The returned pieces, with the refunded amount of each line.
        lines: Vec<ReturnLine>,
        /// The refunded amount: the sum of the lines.
        amount: Money,
        /// The pieces that are put back in stock, summed per variant; empty if they are written off, or for an import.
        restock: Vec<Demand>,
        /// The refund; absent when it happened elsewhere, or nothing is left to refund.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refund: Option<RefundId>,
        /// The return that this closes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        return_id: Option<ReturnId>,
        /// The keys that are revoked with it; older events do not say it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        revoked: Vec<RevokedKeys>,
    },
    /// Staff added a note for other staff.
    Noted {
        /// The text of the note, sealed, as it may contain personal data.
        note: Personal<NoteText>,
        /// The staff account.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<AccountId>,
        /// The time.
        at: DateTime<Utc>,
    },
    /// The guest who placed the order was erased: the key of their personal data is destroyed, or is about to be.
    BuyerForgotten {
        /// The subject whose key it is.
        subject: crate::Subject,
    },
    /// Money was refunded without a return or a cancellation, by decision of the shop; the payment carries it out.
    Credited {
        /// The credit note.
        credit_note: CreditNoteId,
        /// The refund.
        refund: RefundId,
        /// The amount.
        amount: Money,
        /// Whether it refunds a part of the shipping price.
        #[serde(default, skip_serializing_if = "is_false")]
        shipping: bool,
        /// The keys that are revoked with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        revoked: Vec<RevokedKeys>,
        /// The pieces without keys whose downloads are revoked with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        downloads: Vec<Demand>,
        /// What each part of the order has of the amount; empty if the order has one part.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        parts: Vec<PartShare>,
    },
    /// The order can be paid longer, as its buyer chose a method that takes longer.
    PaymentWindowExtended {
        /// When the order expires now unless it is paid.
        pay_by: DateTime<Utc>,
    },
    /// The buyer was shown keys of the order.
    KeysRevealed {
        /// How many keys of each variant the buyer has been shown, from the first one on.
        lines: Vec<Demand>,
        /// The time.
        at: DateTime<Utc>,
    },
    /// The lines of the unpaid order were put in a cart again.
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
