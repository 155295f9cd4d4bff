//! What an order can be asked.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::events::{Placement, ReturnLine};
use super::status::CancelReason;
use crate::ids::{CartId, CreditNoteId, PaymentId, RefundId, ReturnId, ShipmentId};
use crate::money::Money;
use crate::quantity::Demand;
use crate::seller::Seller;
use crate::text::{NoteText, Reference};
use crate::{Personal, Subject};

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
        /// The number of its invoice; an import has none.
        invoice: Option<Reference>,
        /// Who sells, as the invoice names them.
        seller: Option<Seller>,
    },
    /// Note that the money for it is set aside.
    MarkAuthorized {
        /// By which payment.
        payment: PaymentId,
    },
    /// Note that the goods are handed over, all at once and without parcels.
    Fulfil {},
    /// Cancel it; its stock is moved in the same append ([`aftersales::cancel`](crate::aftersales::cancel)).
    Cancel {
        /// The reason.
        reason: CancelReason,
        /// The credit note for what is left of its payment, if it was paid for.
        credit_note: Option<CreditNoteId>,
        /// Whether what had left the stock is for sale again.
        restock: bool,
    },
    /// Call some of it off.
    CancelLines {
        /// What, and what is given back for it: no more than it is worth.
        lines: Vec<ReturnLine>,
        /// What goes back of what was paid for sending, or need not be paid for it; see
        /// [`Placed::shipping_falls_with`](super::Placed::shipping_falls_with).
        shipping: Option<Money>,
        /// The reason.
        reason: CancelReason,
        /// The piece of the payment that goes back, if any does.
        refund: Option<RefundId>,
        /// The credit note for it, if it was paid for.
        credit_note: Option<CreditNoteId>,
        /// Whether pieces that had left the stock are for sale again.
        restock: bool,
    },
    /// Note that money is paid back.
    MarkRefunded {
        /// The payment.
        payment: PaymentId,
        /// Which piece of it; nothing for all of it.
        refund: Option<RefundId>,
        /// How much; all of it when nothing is said.
        amount: Option<Money>,
    },
    /// Put some of it in a parcel.
    PrepareParcel {
        /// The parcel.
        shipment: ShipmentId,
        /// The contents.
        lines: Vec<Demand>,
    },
    /// Unpack a parcel that went nowhere.
    DropParcel {
        /// The parcel.
        shipment: ShipmentId,
    },
    /// Note that a parcel is on its way.
    HandOver {
        /// The parcel.
        shipment: ShipmentId,
    },
    /// Note that a parcel has arrived.
    Deliver {
        /// The parcel.
        shipment: ShipmentId,
    },
    /// Note that a parcel came back to us.
    TakeBackParcel {
        /// The parcel.
        shipment: ShipmentId,
    },
    /// Note that a parcel is lost on its way.
    LoseParcel {
        /// The parcel.
        shipment: ShipmentId,
    },
    /// Ask to send goods back.
    RequestReturn {
        /// The return.
        return_id: ReturnId,
        /// The lines.
        lines: Vec<Demand>,
        /// Goods that were handed over before this moment are not taken back; nothing for no such limit.
        since: Option<DateTime<Utc>>,
    },
    /// Write something down about it, for staff.
    Note {
        /// What.
        note: Personal<NoteText>,
    },
    /// Note that the guest who bought it is forgotten.
    ForgetBuyer {
        /// Whose key it is: the one that their address is sealed with.
        subject: Subject,
        /// Although it is under way.
        force: bool,
    },
    /// Give money alone back.
    Credit {
        /// The credit note for it.
        credit_note: CreditNoteId,
        /// The piece of the payment that goes back.
        refund: RefundId,
        /// The amount.
        amount: Money,
        /// Whether it is of what was paid for sending.
        shipping: bool,
    },
    /// Note that nothing comes of a return.
    CloseReturn {
        /// The return.
        return_id: ReturnId,
    },
    /// Take goods back.
    Return {
        /// The credit note for them.
        credit_note: CreditNoteId,
        /// What comes back.
        lines: Vec<ReturnLine>,
        /// What is paid back: the sum of the lines.
        amount: Money,
        /// What of it is for sale again, summed per variant.
        restock: Vec<Demand>,
        /// The piece of the payment that goes back for it; nothing when that happened elsewhere.
        refund: Option<RefundId>,
        /// The return that it ends.
        return_id: Option<ReturnId>,
    },
    /// Note that the lines of an order that was never paid are in a cart again.
    MoveToCart {
        /// The cart.
        cart: CartId,
    },
}
