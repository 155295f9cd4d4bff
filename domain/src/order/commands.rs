//! The commands of an order.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::delivered::LineKeys;
use super::events::{Placement, ReturnLine, SellerInvoice};
use super::status::CancelReason;
use crate::ids::{CartId, CreditNoteId, PaymentId, RefundId, ReturnId, ShipmentId, VariantId};
use crate::issuer::Issuer;
use crate::money::Money;
use crate::quantity::{Demand, Quantity};
use crate::text::{NoteText, Reference};
use crate::{Personal, Subject};

/// The keys that a buyer wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The variant; all of the order if absent.
    pub variant: Option<VariantId>,
    /// The first key, from 1.
    pub from: Quantity,
    /// How many; all that are left if absent.
    pub quantity: Option<Quantity>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { variant: None, from: Quantity::ONE, quantity: None }
    }
}

/// The commands of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Place the order.
    Place(Box<Placement>),
    /// Record that the order is paid.
    MarkPaid {
        /// The payment.
        payment: PaymentId,
        /// The number of the house's invoice; absent for an import, and if sellers supply all of the order.
        invoice: Option<Reference>,
        /// The house as its invoice names it.
        seller: Option<Issuer>,
        /// The invoices of the sellers that supply their parts in their own name.
        invoices: Vec<SellerInvoice>,
        /// The keys of its pieces.
        keys: Vec<LineKeys>,
    },
    /// Show the buyer keys of the order.
    RevealKeys(Wanted),
    /// Record that the payment is authorized.
    MarkAuthorized {
        /// The payment.
        payment: PaymentId,
    },
    /// Release the order, which is paid on delivery; its stock is committed in the same append
    /// ([`settlement::choose`](crate::settlement::choose)).
    Release {
        /// The payment.
        payment: PaymentId,
    },
    /// Record that all goods are handed over at once, without parcels.
    Fulfil {},
    /// Cancel the order; its stock is moved in the same append ([`aftersales::cancel`](crate::aftersales::cancel)).
    Cancel {
        /// The reason.
        reason: CancelReason,
        /// The credit notes for what is left of its payment, if it was paid: one of each supplier.
        credit_notes: Vec<CreditNoteId>,
        /// Whether pieces that had left the stock are put back in it.
        restock: bool,
    },
    /// Cancel some lines.
    CancelLines {
        /// The pieces, with the refunded amount of each line: at most its share.
        lines: Vec<ReturnLine>,
        /// The part of the shipping price that is refunded or no longer due; see
        /// [`Placed::shipping_falls_with`](super::Placed::shipping_falls_with).
        shipping: Option<Money>,
        /// The reason.
        reason: CancelReason,
        /// The refund, if there is one.
        refund: Option<RefundId>,
        /// The credit note, if the order was paid.
        credit_note: Option<CreditNoteId>,
        /// Whether pieces that had left the stock are put back in it.
        restock: bool,
    },
    /// Record a refund.
    MarkRefunded {
        /// The payment.
        payment: PaymentId,
        /// The refund; absent for the whole payment.
        refund: Option<RefundId>,
        /// The amount; the whole payment if absent.
        amount: Option<Money>,
    },
    /// Put pieces in a parcel.
    PrepareParcel {
        /// The parcel.
        shipment: ShipmentId,
        /// The contents.
        lines: Vec<Demand>,
    },
    /// Cancel a parcel that was not handed over.
    DropParcel {
        /// The parcel.
        shipment: ShipmentId,
    },
    /// Record that a parcel was handed over.
    HandOver {
        /// The parcel.
        shipment: ShipmentId,
    },
    /// Record that a parcel was delivered.
    Deliver {
        /// The parcel.
        shipment: ShipmentId,
    },
    /// Record that a parcel was returned to the shop.
    TakeBackParcel {
        /// The parcel.
        shipment: ShipmentId,
    },
    /// Record that a parcel was lost in transit.
    LoseParcel {
        /// The parcel.
        shipment: ShipmentId,
    },
    /// Request a return.
    RequestReturn {
        /// The return.
        return_id: ReturnId,
        /// The lines.
        lines: Vec<Demand>,
        /// Goods that were handed over before this time cannot be returned; without it there is no limit.
        since: Option<DateTime<Utc>>,
    },
    /// Add a note for staff.
    Note {
        /// The text of the note.
        note: Personal<NoteText>,
    },
    /// Record that the guest who placed the order is erased.
    ForgetBuyer {
        /// The subject whose key seals their address.
        subject: Subject,
        /// Whether to erase although the order is not delivered yet, or its payment is disputed.
        force: bool,
        /// Whether its payment is disputed: evidence is sealed with the same key.
        disputed: bool,
    },
    /// Refund an amount without a return or a cancellation.
    Credit {
        /// The credit note.
        credit_note: CreditNoteId,
        /// The refund.
        refund: RefundId,
        /// The amount.
        amount: Money,
        /// Whether it refunds a part of the shipping price.
        shipping: bool,
        /// The pieces whose keys and downloads are revoked with it.
        keys: Vec<Demand>,
        /// The number of the part that it is of; split over all parts if absent.
        part: Option<u16>,
        /// What is taken back of the gift cards among these pieces, per variant.
        taken: Vec<(VariantId, Money)>,
        /// Whether the buyer has the amount already, by a decision of the payment provider or the bank: gift cards do not limit it.
        imposed: bool,
    },
    /// Record that a return was rejected or withdrawn.
    CloseReturn {
        /// The return.
        return_id: ReturnId,
    },
    /// Record returned goods.
    Return {
        /// The credit note for the returned goods.
        credit_note: CreditNoteId,
        /// The returned pieces, with the refunded amount of each line.
        lines: Vec<ReturnLine>,
        /// The refunded amount: the sum of the lines.
        amount: Money,
        /// The pieces that are put back in stock, summed per variant.
        restock: Vec<Demand>,
        /// The refund; absent when it happened elsewhere.
        refund: Option<RefundId>,
        /// The return that this closes.
        return_id: Option<ReturnId>,
    },
    /// Let the buyer pay until a later time.
    ExtendPaymentWindow {
        /// The time.
        pay_by: DateTime<Utc>,
    },
    /// Record that the lines of an unpaid order were put in a cart again.
    MoveToCart {
        /// The cart.
        cart: CartId,
    },
}
