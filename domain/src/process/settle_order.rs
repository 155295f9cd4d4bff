//! Brings an order to its end: money taken or given back, stock committed or released, whatever comes first.
//!
//! ```text
//! payment authorized ─▶ capture ─▶ captured ─▶ mark order paid ─▶ order paid ─▶ commit stock
//!                                                  └ refused, cancelled ─▶ void payment (refunds)
//! payment failed, voided ─▶ cancel order, release its stock ─▶ order cancelled ─▶ void payment
//! order placed ─▶ timer at pay_by ─▶ cancel order
//! refund requested ─▶ refund at the provider ─▶ refunded ─▶ mark order and return refunded
//! authorized for later ─▶ mark order authorized, timer ─▶ request void
//! capture requested (staff, first parcel handed over) ─▶ capture · void requested ─▶ release what is authorized
//! provider silent ─▶ timer ─▶ ask again · simulated parcel handed over ─▶ ask its carrier until it is there
//! attempt made, pending or without answer ─▶ timer ─▶ ask the provider
//! ```

use chrono::{DateTime, TimeDelta, Utc};

use super::{Process, Step};
use crate::ids::{OrderId, PaymentId, ShipmentId};
use crate::order::{CancelReason, Order};
use crate::payment::{Method, RefundCause, VoidReason};
use crate::returns::{self, Return};
use crate::shipment::{self, Carrier};
use crate::work::{Refused, Work};
use crate::{AnyEvent, Decider, aftersales, order, payment, settlement, stock};

/// How long an attempt may go without an outcome before the provider is asked: longer than any call to it may take,
/// so that only an attempt whose caller died is asked for.
const ATTEMPT_GRACE: TimeDelta = TimeDelta::seconds(30);

/// How long a provider may bring up a charge that it did not know, that its buyer left or that it failed at: what arrives later
/// than its answer was waited for.
const STRAY_GRACE: TimeDelta = TimeDelta::minutes(15);

/// The process.
#[derive(Debug, Clone, Copy)]
pub struct SettleOrder;

impl Process for SettleOrder {
    const NAME: &'static str = "settle_order";
    const READS: &'static [&'static str] =
        &[order::Order::CATEGORY, payment::Payment::CATEGORY, shipment::Shipment::CATEGORY];
    const WAITED_FOR: bool = true;

    fn react(event: &AnyEvent, recorded_at: DateTime<Utc>) -> Vec<Step> {
        // What it does not read in `READS` it is not shown; the variants of what it reads are matched below, each of them.
        if let AnyEvent::Order(id, event) = event {
            return order_moved(*id, event);
        }
        if let AnyEvent::Shipment(id, event) = event {
            return shipment_moved(*id, event);
        }
        let AnyEvent::Payment(id, event) = event else { return vec![] };
        payment_moved(*id, event, recorded_at)
    }
}

fn order_moved(order: OrderId, event: &order::Event) -> Vec<Step> {
    match event {
        order::Event::Placed(placement) => {
            let reason = CancelReason::PaymentWindowPassed;
            let wake = |at| Step::Wake { at, key: window(order), step: Box::new(Step::CancelOrder { order, reason }) };
            placement.pay_by.filter(|_| !placement.imported).map(wake).into_iter().collect()
        }
        order::Event::Paid { commit, .. } if !commit.is_empty() => {
            vec![Step::CommitStock { order, lines: commit.clone() }, Step::Forget { key: window(order) }]
        }
        order::Event::Cancelled { payment, was_paid, release, lost, stock_moved, .. }
            if !(release.is_empty() && lost.is_empty()) =>
        {
            let lines = release.clone();
            let stock =
                if *was_paid { Step::ReturnStock { order, lines } } else { Step::ReleaseStock { order, lines } };
            let claims = Step::ReleaseClaims { order };
            let rest = [claims, Step::VoidPayment { payment: *payment }, Step::Forget { key: window(order) }];
            // Of older orders the stock did not move in the same append; and of what is lost nothing comes back.
            let is_left = !stock_moved && !release.is_empty();
            is_left.then_some(stock).into_iter().chain(rest).collect()
        }
        // With a return of ours the stock moves in the same append.
        order::Event::Returned { restock, return_id: None, .. } if !restock.is_empty() => {
            vec![Step::ReturnStock { order, lines: restock.clone() }]
        }
        order::Event::Authorized { .. } => vec![Step::Forget { key: window(order) }],
        // The payment says by itself that it is to be captured for a parcel that is handed over. An import moved its stock itself and has no timer. What concerns parts of an order moved its stock in the same
        // append.
        order::Event::Paid { .. }
        | order::Event::Cancelled { .. }
        | order::Event::LinesCancelled { .. }
        | order::Event::Returned { .. }
        | order::Event::Fulfilled { .. }
        | order::Event::Completed {}
        | order::Event::ParcelPrepared { .. }
        | order::Event::ParcelDropped { .. }
        | order::Event::HandedOver { .. }
        | order::Event::Delivered { .. }
        | order::Event::ParcelReturned { .. }
        | order::Event::ParcelLost { .. }
        | order::Event::ParcelFound { .. }
        | order::Event::Replaced { .. }
        | order::Event::ReturnRequested { .. }
        | order::Event::ReturnClosed { .. }
        | order::Event::BuyerForgotten { .. }
        | order::Event::Noted { .. }
        | order::Event::Credited { .. }
        | order::Event::MovedToCart { .. }
        | order::Event::Refunded { .. } => vec![],
    }
}

fn payment_moved(payment: PaymentId, event: &payment::Event, recorded_at: DateTime<Utc>) -> Vec<Step> {
    let ask = |at| vec![Step::Wake { at, key: attempt(payment), step: Box::new(Step::SettlePayment { payment }) }];
    let forget = || Step::Forget { key: attempt(payment) };
    match event {
        payment::Event::Attempted { .. } => ask(recorded_at + ATTEMPT_GRACE),
        payment::Event::Pended { check_at, .. }
        | payment::Event::Unresolved { check_at, .. }
        | payment::Event::Delayed { check_at } => ask(*check_at),
        payment::Event::Authorized { order, expires_at: Some(at), .. } => {
            let step = Box::new(Step::ExpireAuthorization { payment });
            let expire = Step::Wake { at: *at, key: attempt(payment), step };
            vec![expire, Step::MarkAuthorized { order: *order, payment }]
        }
        // What is to be captured does not expire any more.
        payment::Event::Authorized { .. } | payment::Event::CaptureRequested { .. } => {
            vec![forget(), Step::CapturePayment { payment }]
        }
        // An attempt in progress is only marked, and its timer asks for its outcome: then this changes nothing.
        payment::Event::VoidRequested { .. } => vec![Step::VoidPayment { payment }],
        payment::Event::Captured { method: Method::Test | Method::Free, order, .. } => {
            vec![Step::MarkPaid { order: *order, payment }]
        }
        payment::Event::RefundRequested { .. } => vec![Step::SettlePayment { payment }],
        payment::Event::Refunded { order, amount, refund, cause } => {
            let amount = refund.map(|_| *amount);
            let mut steps = vec![Step::MarkRefunded { order: *order, payment, refund: *refund, amount }];
            if let (Some(refund), Some(RefundCause::Return { id })) = (refund, cause) {
                steps.push(Step::MarkReturnRefunded { return_id: *id, refund: *refund });
            }
            steps
        }
        payment::Event::Failed { order, .. } => cancel(forget(), *order, CancelReason::PaymentFailed),
        payment::Event::Cancelled { order } => cancel(forget(), *order, CancelReason::PaymentCancelled),
        payment::Event::Declined { reason, reference } if reason.is_in_doubt() => {
            let step = Box::new(Step::ReleaseStray { payment, reference: reference.clone() });
            vec![forget(), Step::Wake { at: recorded_at + STRAY_GRACE, key: stray(reference), step }]
        }
        payment::Event::StrayUnresolved { reference, check_at } => {
            let step = Box::new(Step::ReleaseStray { payment, reference: reference.clone() });
            // Beside the timer that looks once more at the end: an answer before then may still change.
            vec![Step::Wake { at: *check_at, key: stray_again(reference), step }]
        }
        payment::Event::Declined { .. } | payment::Event::Voided { reason: VoidReason::OrderCancelled, .. } => {
            vec![forget()]
        }
        payment::Event::Voided { order, reason: VoidReason::BuyerRequest | VoidReason::StaffRequest } => {
            cancel(forget(), *order, CancelReason::PaymentCancelled)
        }
        payment::Event::Voided { order, reason: VoidReason::Expired } => {
            cancel(forget(), *order, CancelReason::AuthorizationExpired)
        }
        // A payment of the past is recorded together with its order.
        payment::Event::Captured { method: Method::External, .. }
        | payment::Event::Opened { .. }
        | payment::Event::Reduced { .. }
        | payment::Event::RefundFailed { .. }
        | payment::Event::StrayReleased { .. } => vec![],
    }
}

fn shipment_moved(shipment: ShipmentId, event: &shipment::Event) -> Vec<Step> {
    let track = || Step::TrackShipment { shipment };
    match event {
        shipment::Event::HandedOver { carrier: Carrier::Simulated { .. }, .. } => vec![track()],
        shipment::Event::Waited { check_at } => {
            vec![Step::Wake { at: *check_at, key: shipment.to_string(), step: Box::new(track()) }]
        }
        shipment::Event::HandedOver { carrier: Carrier::Other { .. }, .. }
        | shipment::Event::Prepared { .. }
        | shipment::Event::Packed { .. }
        | shipment::Event::Cancelled { .. }
        | shipment::Event::Moved { .. }
        | shipment::Event::AttemptFailed { .. }
        | shipment::Event::Delivered { .. }
        | shipment::Event::ReturningToSender { .. }
        | shipment::Event::Lost { .. }
        | shipment::Event::ReturnedToSender { .. } => vec![],
    }
}

fn cancel(forget: Step, order: OrderId, reason: CancelReason) -> Vec<Step> {
    vec![forget, Step::CancelOrder { order, reason }]
}

/// The timer of an order's payment window.
pub fn window(order: OrderId) -> String {
    order.to_string()
}

/// The timer of a payment's attempt.
pub fn attempt(payment: PaymentId) -> String {
    payment.to_string()
}

/// The timer of a charge that the provider did not know.
pub fn stray(reference: &payment::ProviderReference) -> String {
    format!("stray {reference}")
}

/// The timer that asks again for such a charge, after the provider was silent.
pub fn stray_again(reference: &payment::ProviderReference) -> String {
    format!("stray again {reference}")
}

/// Carries out a step that asks nobody outside: the decision of it, on states that were loaded before.
pub fn carry_out(work: &mut Work, step: &Step) -> Result<(), Refused> {
    match step {
        Step::MarkPaid { order, payment } => settlement::mark_paid(work, *order, *payment),
        Step::MarkRefunded { order, payment, refund, amount } => {
            let command = order::Command::MarkRefunded { payment: *payment, refund: *refund, amount: *amount };
            work.decide::<Order>(*order, &command).map(drop)
        }
        Step::MarkReturnRefunded { return_id, refund } => {
            let command = returns::Command::MarkRefunded { refund: *refund };
            work.decide::<Return>(*return_id, &command).map(drop)
        }
        Step::MarkAuthorized { order, payment } => {
            let command = order::Command::MarkAuthorized { payment: *payment };
            work.decide::<Order>(*order, &command).map(drop)
        }
        Step::CancelOrder { order, reason } => aftersales::cancel(work, *order, *reason, true),
        Step::CommitStock { order, lines } => work.move_stock(lines, |_| stock::Command::Commit { order: *order }),
        Step::ReleaseStock { order, lines } => {
            work.move_stock(lines, |_| stock::Command::Release { order: *order, reason: None })
        }
        Step::ReturnStock { order, lines } => work.put_back(*order, lines),
        Step::ReleaseClaims { order } => settlement::release_claims(work, *order),
        // These ask the provider or the carrier, belong to other processes, or are timers.
        Step::CapturePayment { .. }
        | Step::VoidPayment { .. }
        | Step::SettlePayment { .. }
        | Step::ExpireAuthorization { .. }
        | Step::ReleaseStray { .. }
        | Step::TrackShipment { .. }
        | Step::ForgetPerson { .. }
        | Step::Notify(_)
        | Step::PublishProduct { .. }
        | Step::UnpublishProduct { .. }
        | Step::Wake { .. }
        | Step::Forget { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests;
