//! Brings an order to its end: money taken or given back, stock committed or released, whatever comes first.
//!
//! ```text
//! payment authorized ─▶ capture ─▶ captured ─▶ mark order paid ─▶ order paid ─▶ commit stock
//!                                                  └ refused, cancelled ─▶ void payment (refunds)
//! payment failed, cancelled, voided ─▶ cancel order ─▶ order cancelled ─▶ release or return stock, void payment
//! order placed ─▶ timer at pay_by ─▶ cancel order
//! attempt made, pending or without answer ─▶ timer ─▶ ask the provider
//! ```

use chrono::{DateTime, TimeDelta, Utc};

use super::{Process, Step};
use crate::ids::{OrderId, PaymentId};
use crate::order::CancelReason;
use crate::payment::{Method, VoidReason};
use crate::{AnyEvent, Decider, order, payment};

/// How long an attempt may go without an outcome before the provider is asked: longer than any call to it may take,
/// so that only an attempt whose caller died is asked for.
const ATTEMPT_GRACE: TimeDelta = TimeDelta::seconds(30);

/// The process.
#[derive(Debug, Clone, Copy)]
pub struct SettleOrder;

impl Process for SettleOrder {
    const NAME: &'static str = "settle_order";
    const READS: &'static [&'static str] = &[order::Order::CATEGORY, payment::Payment::CATEGORY];

    fn react(event: &AnyEvent, recorded_at: DateTime<Utc>) -> Vec<Step> {
        // What it does not read in `READS` it is not shown; the variants of what it reads are matched below, each of them.
        if let AnyEvent::Order(id, event) = event {
            return order_moved(*id, event);
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
        order::Event::Cancelled { payment, was_paid, release, .. } if !release.is_empty() => {
            let lines = release.clone();
            let stock =
                if *was_paid { Step::ReturnStock { order, lines } } else { Step::ReleaseStock { order, lines } };
            vec![stock, Step::VoidPayment { payment: *payment }, Step::Forget { key: window(order) }]
        }
        order::Event::Returned { restock, .. } if !restock.is_empty() => {
            vec![Step::ReturnStock { order, lines: restock.clone() }]
        }
        // An import moved its stock itself and has no timer.
        order::Event::Paid { .. }
        | order::Event::Cancelled { .. }
        | order::Event::Returned { .. }
        | order::Event::Fulfilled {}
        | order::Event::Refunded { .. } => vec![],
    }
}

fn payment_moved(payment: PaymentId, event: &payment::Event, recorded_at: DateTime<Utc>) -> Vec<Step> {
    let ask = |at| vec![Step::Wake { at, key: attempt(payment), step: Box::new(Step::SettlePayment { payment }) }];
    let forget = || Step::Forget { key: attempt(payment) };
    match event {
        payment::Event::Attempted { .. } => ask(recorded_at + ATTEMPT_GRACE),
        payment::Event::Pended { check_at, .. } | payment::Event::Unresolved { check_at, .. } => ask(*check_at),
        payment::Event::Authorized { .. } => vec![forget(), Step::CapturePayment { payment }],
        payment::Event::Captured { method: Method::Test, order, .. } => vec![Step::MarkPaid { order: *order, payment }],
        payment::Event::Refunded { order, .. } => vec![Step::MarkRefunded { order: *order, payment }],
        payment::Event::Failed { order, .. } => cancel(forget(), *order, CancelReason::PaymentFailed),
        payment::Event::Cancelled { order } => cancel(forget(), *order, CancelReason::PaymentCancelled),
        payment::Event::Declined { .. } | payment::Event::Voided { reason: VoidReason::OrderCancelled, .. } => {
            vec![forget()]
        }
        payment::Event::Voided { order, reason: VoidReason::BuyerRequest | VoidReason::StaffRequest } => {
            cancel(forget(), *order, CancelReason::PaymentCancelled)
        }
        // A payment of the past is recorded together with its order.
        payment::Event::Captured { method: Method::External, .. }
        | payment::Event::Opened { .. }
        | payment::Event::VoidRequested { .. } => vec![],
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

#[cfg(test)]
mod tests;
