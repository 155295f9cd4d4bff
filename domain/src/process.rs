//! Processes: what follows from what happened. Pure: an event in, steps out; the runner takes them.
//!
//! A step that is taken twice changes nothing the second time, as each aggregate sees that it is done.
//! A step that is refused is final too: [`Step::when_refused`] says what to do instead, mostly nothing.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{OrderId, PaymentId, ProductId, RefundId, ReturnId, ShipmentId};
use crate::money::Money;
use crate::order::CancelReason;
use crate::payment::ProviderReference;
use crate::quantity::Demand;
use crate::{AnyEvent, Subject};

pub mod forget_person;
mod notification_task;
pub mod notify;
pub mod schedule_products;
pub mod settle_order;

use notification_task::NotificationTask;

/// What the runner is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Step {
    /// [`order::Command::MarkPaid`](crate::order::Command::MarkPaid).
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
        /// Which piece of it; nothing for all of it.
        refund: Option<RefundId>,
        /// How much; all of it when nothing is said.
        amount: Option<Money>,
    },
    /// [`returns::Command::MarkRefunded`](crate::returns::Command::MarkRefunded).
    MarkReturnRefunded {
        /// The return.
        return_id: ReturnId,
        /// The piece of the payment.
        refund: RefundId,
    },
    /// [`order::Command::MarkAuthorized`](crate::order::Command::MarkAuthorized).
    MarkAuthorized {
        /// The order.
        order: OrderId,
        /// The payment that was set aside.
        payment: PaymentId,
    },
    /// [`aftersales::cancel`](crate::aftersales::cancel).
    CancelOrder {
        /// The order.
        order: OrderId,
        /// Why.
        reason: CancelReason,
    },
    /// [`stock::Command::Commit`](crate::stock::Command::Commit) for each line.
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
    /// [`stock::Command::Return`](crate::stock::Command::Return) for each line. The one step an aggregate cannot see
    /// as done: the runner's key makes it once.
    ReturnStock {
        /// The order.
        order: OrderId,
        /// Each variant once.
        lines: Vec<Demand>,
    },
    /// [`usage::Command::Release`](crate::usage::Command::Release) for everything that the order claimed. The runner's key
    /// makes it once.
    ReleaseClaims {
        /// The order.
        order: OrderId,
    },
    /// The provider captures, then [`payment::Command::Capture`](crate::payment::Command::Capture), unless that is refused.
    CapturePayment {
        /// The payment.
        payment: PaymentId,
    },
    /// Whatever [`payment::Opened::reversal`](crate::payment::Opened::reversal) says.
    VoidPayment {
        /// The payment.
        payment: PaymentId,
    },
    /// Ask the provider for whatever is next: how the last attempt went, to take, to release, or to give back; then write
    /// down what it says.
    SettlePayment {
        /// The payment.
        payment: PaymentId,
    },
    /// [`payment::Command::RequestVoid`](crate::payment::Command::RequestVoid) of an authorization that was not captured in time.
    ExpireAuthorization {
        /// The payment.
        payment: PaymentId,
    },
    /// Ask the provider for an attempt that it did not know, and let go of what it has after all.
    ReleaseStray {
        /// The payment.
        payment: PaymentId,
        /// The attempt.
        reference: ProviderReference,
    },
    /// Ask the carrier how far a shipment is, then [`shipment::Command::Hear`](crate::shipment::Command::Hear).
    TrackShipment {
        /// The shipment.
        shipment: ShipmentId,
    },
    /// Destroy a person's key, so that nothing that was sealed for them can be read again.
    ForgetPerson {
        /// Whose.
        subject: Subject,
    },
    /// Let somebody hear of something.
    Notify(NotificationTask),
    /// [`product::Command::PublishDue`](crate::product::Command::PublishDue).
    PublishProduct {
        /// The product.
        product: ProductId,
        /// The moment that was planned.
        at: DateTime<Utc>,
    },
    /// [`product::Command::UnpublishDue`](crate::product::Command::UnpublishDue).
    UnpublishProduct {
        /// The product.
        product: ProductId,
        /// The moment that was planned.
        until: DateTime<Utc>,
    },
    /// Take a step later: a durable timer. The same key again replaces it.
    Wake {
        /// When.
        at: DateTime<Utc>,
        /// What tells timers apart.
        key: String,
        /// What then.
        step: Box<Step>,
    },
    /// Take back a timer, if it is still there.
    Forget {
        /// Its key.
        key: String,
    },
}

impl Step {
    /// What to do when the step is refused, by the problem code `<category>.<rejection>`.
    pub fn when_refused(&self, code: &str) -> Option<Self> {
        match self {
            // The money came after the order was off: it goes back.
            Self::MarkPaid { payment, .. } | Self::MarkAuthorized { payment, .. }
                if matches!(code, "order.cancelled" | "order.other_payment") =>
            {
                Some(Self::VoidPayment { payment: *payment })
            }
            // The payment was to be void while the provider was still asked.
            Self::CapturePayment { payment } if code == "payment.void_requested" => {
                Some(Self::VoidPayment { payment: *payment })
            }
            Self::MarkPaid { .. }
            | Self::MarkAuthorized { .. }
            | Self::MarkReturnRefunded { .. }
            | Self::ExpireAuthorization { .. }
            | Self::ReleaseStray { .. }
            | Self::TrackShipment { .. }
            | Self::CapturePayment { .. }
            | Self::MarkRefunded { .. }
            | Self::CancelOrder { .. }
            | Self::CommitStock { .. }
            | Self::ReleaseStock { .. }
            | Self::ReturnStock { .. }
            | Self::ReleaseClaims { .. }
            | Self::VoidPayment { .. }
            | Self::SettlePayment { .. }
            | Self::ForgetPerson { .. }
            | Self::Notify(_)
            | Self::PublishProduct { .. }
            | Self::UnpublishProduct { .. }
            | Self::Wake { .. }
            | Self::Forget { .. } => None,
        }
    }
}

/// A process: from what happened to what is to be done.
pub trait Process {
    /// Its name: of its checkpoint, its timers and its actor.
    const NAME: &'static str;
    /// The categories it reads; events of others are not shown to it.
    const READS: &'static [&'static str];
    /// Whether somebody waits for what it does, as a buyer for the order to be paid: then it looks more often.
    const WAITED_FOR: bool = false;

    /// What follows from an event. No memory and no clock: what needs memory is an aggregate.
    fn react(event: &AnyEvent, recorded_at: DateTime<Utc>) -> Vec<Step>;
}
