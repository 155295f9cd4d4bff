//! The statuses of a part of an order, as its goods and its money are.

use super::{Paid, Part};
use crate::order::parcel::ParcelStage;
use crate::order::status::{Fulfilment, PaymentStatus, Status};

impl Part {
    /// The status: the one of the order if that is cancelled; cancelled if nothing is kept of it. What is paid on delivery is completed
    /// when it is paid.
    pub fn status(&self) -> Status {
        match self.cancelled {
            Some(reason) => reason.status(),
            None if self.kept() == 0 => Status::Cancelled,
            None if self.paid == Paid::OnDelivery => Status::Open,
            None if self.given(|stage| stage == ParcelStage::Delivered) == self.kept() => Status::Completed,
            None => Status::Open,
        }
    }

    /// The payment status.
    pub fn payment_status(&self) -> PaymentStatus {
        let is_refunded = self.refunded.amount >= self.payable.amount;
        match (self.paid, self.cancelled) {
            (Paid::Awaiting | Paid::Authorized | Paid::OnDelivery, Some(_)) => PaymentStatus::Voided,
            (Paid::Awaiting, None) => PaymentStatus::Awaiting,
            (Paid::Authorized, None) => PaymentStatus::Authorized,
            (Paid::OnDelivery, None) => PaymentStatus::OnDelivery,
            (Paid::Captured, Some(_)) if is_refunded => PaymentStatus::Refunded,
            (Paid::Captured, Some(_)) => PaymentStatus::RefundDue,
            (Paid::Captured, None) if self.refunded.amount == 0 => PaymentStatus::Paid,
            (Paid::Captured, None) if is_refunded => PaymentStatus::Refunded,
            (Paid::Captured, None) => PaymentStatus::PartlyRefunded,
        }
    }

    /// The status of its goods.
    pub fn fulfilment(&self) -> Fulfilment {
        let (kept, given) = (self.kept(), self.given(ParcelStage::is_gone));
        let fulfilment = match given {
            0 => Fulfilment::Unfulfilled,
            _ if given == kept => Fulfilment::Fulfilled,
            _ => Fulfilment::PartlyFulfilled,
        };
        fulfilment.with_returns(self.goods.values().map(|it| it.returned).sum(), kept)
    }

    /// Whether goods of it are still to be shipped or on their way, and the payment is at least authorized, or made on delivery.
    pub fn must_be_shipped(&self) -> bool {
        let travels = self.goods.values().any(|it| it.travelling() > 0);
        travels && self.paid != Paid::Awaiting && self.status() == Status::Open
    }

    /// The pieces that are handed over: without parcels, with the payment, or in parcels of these stages.
    fn given(&self, counts: impl Fn(ParcelStage) -> bool) -> i64 {
        if self.by_hand {
            return self.kept();
        }
        let weightless = self.goods.values().map(|it| it.weightless()).sum::<i64>();
        let in_parcels = self.parcels.values().filter(|parcel| counts(parcel.stage)).map(|parcel| parcel.pieces);
        in_parcels.sum::<i64>() + if self.paid == Paid::Captured { weightless } else { 0 }
    }
}
