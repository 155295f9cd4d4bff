//! The steps of the process.

use serde::{Deserialize, Serialize};

use crate::ids::{OrderId, PaymentId, RefundId, ReturnId, ShipmentId, StoredValueId};
use crate::money::Money;
use crate::order::CancelReason;
use crate::payment::ProviderReference;
use crate::quantity::Demand;
use crate::stored_value::Cover;

/// A step of the process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Step {
    /// [`settlement::mark_paid`](crate::settlement::mark_paid).
    MarkPaid {
        /// The order.
        order: OrderId,
        /// The payment that was captured.
        payment: PaymentId,
    },
    /// [`order::Command::MarkRefunded`](crate::order::Command::MarkRefunded).
    MarkRefunded {
        /// The order.
        order: OrderId,
        /// The payment that was refunded.
        payment: PaymentId,
        /// The refund; absent if the whole payment was refunded.
        refund: Option<RefundId>,
        /// The amount; absent if the whole payment was refunded.
        amount: Option<Money>,
    },
    /// [`returns::Command::MarkRefunded`](crate::returns::Command::MarkRefunded).
    MarkReturnRefunded {
        /// The return.
        return_id: ReturnId,
        /// The refund.
        refund: RefundId,
    },
    /// [`order::Command::MarkAuthorized`](crate::order::Command::MarkAuthorized).
    MarkAuthorized {
        /// The order.
        order: OrderId,
        /// The payment that was authorized.
        payment: PaymentId,
    },
    /// [`aftersales::cancel`](crate::aftersales::cancel).
    CancelOrder {
        /// The order.
        order: OrderId,
        /// The reason.
        reason: CancelReason,
    },
    /// [`stock::Command::Commit`](crate::stock::Command::Commit) for each line of an older order.
    CommitStock {
        /// The order.
        order: OrderId,
        /// Each variant once.
        lines: Vec<Demand>,
    },
    /// [`stock::Command::Release`](crate::stock::Command::Release) for each line.
    ReleaseStock {
        /// The order.
        order: OrderId,
        /// Each variant once.
        lines: Vec<Demand>,
    },
    /// [`stock::Command::Return`](crate::stock::Command::Return) for each line. The stock cannot tell
    /// whether this is done already, so the step has an idempotency key.
    ReturnStock {
        /// The order.
        order: OrderId,
        /// Each variant once.
        lines: Vec<Demand>,
    },
    /// [`usage::Command::Release`](crate::usage::Command::Release) for everything that the order claimed. The step has
    /// an idempotency key.
    ReleaseClaims {
        /// The order.
        order: OrderId,
    },
    /// Ask the provider to capture, then [`payment::Command::Capture`](crate::payment::Command::Capture), unless that is refused.
    CapturePayment {
        /// The payment.
        payment: PaymentId,
    },
    /// The [reversal](crate::payment::Opened::reversal) of the payment.
    VoidPayment {
        /// The payment.
        payment: PaymentId,
    },
    /// Ask the provider for whatever is next: to look up the last attempt, to capture, to release or to refund; then record the
    /// answer.
    SettlePayment {
        /// The payment.
        payment: PaymentId,
        /// The attempt that a timer asks about: if another one has replaced it, nothing is asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<ProviderReference>,
    },
    /// [`payment::Command::RequestVoid`](crate::payment::Command::RequestVoid) of an authorization that was not captured in time.
    ExpireAuthorization {
        /// The payment.
        payment: PaymentId,
    },
    /// Look up an attempt that came to nothing, and release the amount if it succeeded after all.
    ReleaseStray {
        /// The payment.
        payment: PaymentId,
        /// The attempt.
        reference: ProviderReference,
    },
    /// [`settlement::settle_value`](crate::settlement::settle_value).
    SettleValue {
        /// The payment.
        payment: PaymentId,
        /// The gift card or store credit, and how much of it the event that leads to this is about.
        cover: Cover,
    },
    /// [`stored_value::Command::Expire`](crate::stored_value::Command::Expire).
    ExpireValue {
        /// The gift card.
        value: StoredValueId,
    },
    /// Ask the carrier for the status of a shipment, then [`shipment::Command::Hear`](crate::shipment::Command::Hear).
    TrackShipment {
        /// The shipment.
        shipment: ShipmentId,
    },
}
