//! Settles an order: captures, voids or refunds its payment, and commits or releases its stock.
//!
//! ```text
//! payment authorized ─▶ capture ─▶ captured ─▶ mark order paid, commit its stock
//!                                                  └ refused, cancelled ─▶ void payment (refunds)
//! payment failed, voided ─▶ cancel order, release its stock ─▶ order cancelled ─▶ void payment
//! order placed, payment window extended ─▶ timer at pay_by ─▶ cancel order
//! refund requested ─▶ refund at the provider, or wait for staff ─▶ refunded ─▶ mark order and return refunded
//! paid on delivery ─▶ it does not expire any more
//! authorized for later ─▶ mark order authorized, timer ─▶ request void
//! capture requested (staff, first parcel handed over) ─▶ capture · void requested ─▶ release what is authorized
//! provider silent ─▶ timer ─▶ ask again · simulated parcel handed over ─▶ ask its carrier until it is delivered
//! attempt made, pending or without answer ─▶ timer ─▶ ask the provider
//! captured with, refunded to, or not covered by a stored value any more ─▶ bring that in step
//! gift card issued, sold, or valid again ─▶ timer ─▶ let it expire
//! ```

use chrono::{DateTime, TimeDelta, Utc};

use super::{Process, Reaction};
use crate::gift_card_delivery::Cards;
use crate::ids::{OrderId, PaymentId, ShipmentId, StoredValueId};
use crate::order::{CancelReason, Order};
use crate::payment::{Method, Payment, ProviderReference, RefundCause, VoidReason};
use crate::rejected::Rejected;
use crate::returns::{self, Return};
use crate::shipment::{self, Carrier, Shipment};
use crate::stored_value::{self, Cover, StoredValue};
use crate::work::{Refused, Work};
use crate::{AnyEvent, Reads, aftersales, order, payment, settlement, stock};

mod step;

pub use step::Step;

/// How long an attempt may have no outcome before the provider is asked: longer than any call to the provider may take, so
/// that only attempts whose program died are looked up.
const ATTEMPT_GRACE: TimeDelta = TimeDelta::seconds(30);

/// After this time the provider is asked once more for an attempt that it did not know, that the buyer left or at which it failed:
/// a charge may arrive at the provider after the shop stopped waiting for it.
const STRAY_GRACE: TimeDelta = TimeDelta::minutes(15);

/// The process.
#[derive(Debug, Clone, Copy)]
pub struct SettleOrder;

impl Process for SettleOrder {
    const NAME: &'static str = "settle_order";
    const READS: &'static [Reads] = &[
        Reads::only::<Order>(&[
            "placed",
            "paid",
            "authorized",
            "released",
            "cancelled",
            "returned",
            "payment_window_extended",
        ]),
        Reads::all::<Payment>(),
        Reads::only::<Shipment>(&["handed_over", "waited"]),
        Reads::only::<StoredValue>(&["issued", "sold", "released", "credited"]),
    ];
    const WAITED_FOR: bool = true;
    type Step = Step;

    fn react(event: &AnyEvent, recorded_at: DateTime<Utc>) -> Vec<Reaction<Step>> {
        if let AnyEvent::Order(id, event) = event {
            return order_moved(*id, event);
        }
        if let AnyEvent::Shipment(id, event) = event {
            return shipment_moved(*id, event);
        }
        if let AnyEvent::StoredValue(id, event) = event {
            return value_moved(*id, event);
        }
        let AnyEvent::Payment(id, event) = event else { return vec![] };
        payment_moved(*id, event, recorded_at)
    }

    fn when_refused(step: &Step, rejected: &Rejected) -> Option<Step> {
        match step {
            // The payment came after the order was cancelled: it is voided or refunded.
            Step::MarkPaid { payment, .. } | Step::MarkAuthorized { payment, .. } => {
                let too_late = [order::Rejection::Cancelled, order::Rejection::OtherPayment];
                let is_too_late = too_late.iter().any(|rejection| rejected.is::<Order>(rejection));
                is_too_late.then_some(Step::VoidPayment { payment: *payment })
            }
            // The void was requested while the provider was asked.
            Step::CapturePayment { payment } => {
                let is_to_be_voided = rejected.is::<Payment>(&payment::Rejection::VoidRequested);
                is_to_be_voided.then_some(Step::VoidPayment { payment: *payment })
            }
            Step::MarkRefunded { .. }
            | Step::MarkReturnRefunded { .. }
            | Step::CancelOrder { .. }
            | Step::CommitStock { .. }
            | Step::ReleaseStock { .. }
            | Step::ReturnStock { .. }
            | Step::ReleaseClaims { .. }
            | Step::VoidPayment { .. }
            | Step::SettlePayment { .. }
            | Step::ExpireAuthorization { .. }
            | Step::ReleaseStray { .. }
            | Step::SettleValue { .. }
            | Step::ExpireValue { .. }
            | Step::TrackShipment { .. } => None,
        }
    }
}

fn timer(at: DateTime<Utc>, key: String, step: Step) -> Reaction<Step> {
    Reaction::SetTimer { at, key, step }
}

fn clear(key: String) -> Reaction<Step> {
    Reaction::ClearTimer { key }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
fn order_moved(order: OrderId, event: &order::Event) -> Vec<Reaction<Step>> {
    match event {
        order::Event::Placed(placement) => {
            let pay_by = placement.pay_by.filter(|_| !placement.imported);
            pay_by.map(|at| end_of_window(order, at)).into_iter().collect()
        }
        order::Event::PaymentWindowExtended { pay_by } => vec![end_of_window(order, *pay_by)],
        order::Event::Paid { commit, stock_moved, .. } if !commit.is_empty() => {
            // For older orders the stock did not move in the same append.
            let commit = (!stock_moved).then(|| Step::CommitStock { order, lines: commit.clone() });
            commit.map(Reaction::Now).into_iter().chain([clear(window(order))]).collect()
        }
        order::Event::Cancelled { payment, was_paid, release, lost, stock_moved, .. }
            if !(release.is_empty() && lost.is_empty()) =>
        {
            let lines = release.clone();
            let stock =
                if *was_paid { Step::ReturnStock { order, lines } } else { Step::ReleaseStock { order, lines } };
            // For older orders the stock did not move in the same append. Lost pieces do not come back.
            let is_left = !stock_moved && !release.is_empty();
            let rest = [Step::ReleaseClaims { order }, Step::VoidPayment { payment: *payment }];
            let steps = is_left.then_some(stock).into_iter().chain(rest);
            steps.map(Reaction::Now).chain([clear(window(order))]).collect()
        }
        // For a return that the shop knows the stock moves in the same append.
        order::Event::Returned { restock, return_id: None, .. } if !restock.is_empty() => {
            vec![Reaction::Now(Step::ReturnStock { order, lines: restock.clone() })]
        }
        order::Event::Authorized { .. } | order::Event::Released { .. } => vec![clear(window(order))],
        // The payment says by itself that it is to be captured for a parcel that is handed over. An import moved its stock itself
        // and has no timer. What concerns parts of an order moved its stock in the same append.
        _ => vec![],
    }
}

fn payment_moved(payment: PaymentId, event: &payment::Event, recorded_at: DateTime<Utc>) -> Vec<Reaction<Step>> {
    let settle = |attempt: Option<&ProviderReference>| Step::SettlePayment { payment, attempt: attempt.cloned() };
    let ask = |at, reference: &ProviderReference| vec![timer(at, attempt(payment), settle(Some(reference)))];
    let forget = || clear(attempt(payment));
    match event {
        payment::Event::Attempted { reference, .. } => ask(recorded_at + ATTEMPT_GRACE, reference),
        payment::Event::Pended { reference, check_at } | payment::Event::Unresolved { reference, check_at } => {
            ask(*check_at, reference)
        }
        payment::Event::Delayed { check_at } => vec![timer(*check_at, attempt(payment), settle(None))],
        payment::Event::Authorized { order, expires_at: Some(at), .. } => {
            let expire = timer(*at, attempt(payment), Step::ExpireAuthorization { payment });
            vec![expire, Reaction::Now(Step::MarkAuthorized { order: *order, payment })]
        }
        // A requested capture does not expire.
        payment::Event::Authorized { .. } | payment::Event::CaptureRequested { .. } => {
            vec![forget(), Reaction::Now(Step::CapturePayment { payment })]
        }
        // For an attempt in progress this changes nothing: its timer looks up the outcome.
        payment::Event::VoidRequested { .. } => vec![Reaction::Now(Step::VoidPayment { payment })],
        // An imported payment is recorded together with its order.
        payment::Event::Captured { method: Method::External, .. } => vec![],
        payment::Event::Captured { order, covers, .. } => {
            let paid = Step::MarkPaid { order: *order, payment };
            let redeem = covers.iter().map(|cover| Step::SettleValue { payment, cover: *cover });
            [paid].into_iter().chain(redeem).map(Reaction::Now).collect()
        }
        payment::Event::Uncovered { cover, .. } => vec![Reaction::Now(Step::SettleValue { payment, cover: *cover })],
        payment::Event::RefundRequested { .. } | payment::Event::Refunded { .. } => refund_moved(payment, event),
        payment::Event::Failed { order, .. } => cancel(forget(), *order, CancelReason::PaymentFailed),
        payment::Event::Cancelled { order } => cancel(forget(), *order, CancelReason::PaymentCancelled),
        payment::Event::Declined { reason, reference } if reason.is_in_doubt() => {
            let release = Step::ReleaseStray { payment, reference: reference.clone() };
            vec![forget(), timer(recorded_at + STRAY_GRACE, stray(reference), release)]
        }
        payment::Event::StrayUnresolved { reference, check_at } => {
            let release = Step::ReleaseStray { payment, reference: reference.clone() };
            // In addition to the timer that asks once more at the end: an answer before then may still change.
            vec![timer(*check_at, stray_again(reference), release)]
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
        payment::Event::Opened { .. }
        | payment::Event::Registered { .. }
        | payment::Event::Covered { .. }
        | payment::Event::Reduced { .. }
        | payment::Event::RefundFailed { .. }
        | payment::Event::FeeCharged { .. }
        | payment::Event::SellerPaid { .. }
        | payment::Event::SellerCharged { .. }
        | payment::Event::StrayReleased { .. }
        // The order says by itself that its payment window is longer, and receipts that they captured the payment.
        | payment::Event::MethodChosen { .. }
        | payment::Event::ReceiptRecorded { .. }
        | payment::Event::ReceiptVoided { .. }
        | payment::Event::RefundSettled { .. }
        // The outcome of a dispute says what follows.
        | payment::Event::Disputed { .. }
        | payment::Event::DisputeReleased { .. } => vec![],
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events of refunds come here")]
fn refund_moved(payment: PaymentId, event: &payment::Event) -> Vec<Reaction<Step>> {
    match event {
        // Money that was not due was never part of the order; and staff settles by hand what no provider refunds.
        payment::Event::Refunded { cause: Some(RefundCause::NotDue), .. }
        | payment::Event::RefundRequested { manual: true, .. } => vec![],
        payment::Event::RefundRequested { to: Some(means), amount, .. } => {
            let cover = Cover { means: *means, amount: *amount };
            vec![Reaction::Now(Step::SettleValue { payment, cover })]
        }
        payment::Event::RefundRequested { .. } => vec![Reaction::Now(Step::SettlePayment { payment, attempt: None })],
        payment::Event::Refunded { order, amount, refund, cause, to: _, of } => {
            let amount = refund.map(|_| *amount);
            let mut steps = vec![Step::MarkRefunded { order: *order, payment, refund: *refund, amount }];
            // A return is refunded with the first part of its refund.
            if let (Some(refund), Some(RefundCause::Return { id }), None) = (refund, cause, of) {
                steps.push(Step::MarkReturnRefunded { return_id: *id, refund: *refund });
            }
            steps.into_iter().map(Reaction::Now).collect()
        }
        _ => vec![],
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
fn value_moved(value: StoredValueId, event: &stored_value::Event) -> Vec<Reaction<Step>> {
    let until = match event {
        stored_value::Event::Issued { expires_at, .. }
        | stored_value::Event::Sold { expires_at, .. }
        | stored_value::Event::Released { expires_at, .. }
        | stored_value::Event::Credited { expires_at, .. } => *expires_at,
        _ => None,
    };
    until.map(|at| timer(at, value.to_string(), Step::ExpireValue { value })).into_iter().collect()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
fn shipment_moved(shipment: ShipmentId, event: &shipment::Event) -> Vec<Reaction<Step>> {
    let track = Step::TrackShipment { shipment };
    match event {
        shipment::Event::HandedOver { carrier: Carrier::Simulated { .. }, .. } => vec![Reaction::Now(track)],
        shipment::Event::Waited { check_at } => vec![timer(*check_at, shipment.to_string(), track)],
        _ => vec![],
    }
}

fn end_of_window(order: OrderId, pay_by: DateTime<Utc>) -> Reaction<Step> {
    timer(pay_by, window(order), Step::CancelOrder { order, reason: CancelReason::PaymentWindowPassed })
}

fn cancel(forget: Reaction<Step>, order: OrderId, reason: CancelReason) -> Vec<Reaction<Step>> {
    vec![forget, Reaction::Now(Step::CancelOrder { order, reason })]
}

/// The timer of an order's payment window.
pub fn window(order: OrderId) -> String {
    order.to_string()
}

/// The timer of a payment's attempt.
pub fn attempt(payment: PaymentId) -> String {
    payment.to_string()
}

/// The timer of an attempt that came to nothing.
pub fn stray(reference: &payment::ProviderReference) -> String {
    format!("stray {reference}")
}

/// The timer that asks for such an attempt again, after the provider did not answer.
pub fn stray_again(reference: &payment::ProviderReference) -> String {
    format!("stray again {reference}")
}

/// Decides a step that needs no answer from outside, on states that were loaded before.
pub fn carry_out(work: &mut Work, step: &Step) -> Result<(), Refused> {
    match step {
        Step::MarkPaid { order, payment } => settlement::mark_paid(work, *order, *payment, &Cards::new()),
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
        Step::SettleValue { payment, cover } => settlement::settle_value(work, *payment, cover.means),
        Step::ExpireValue { value } => work.decide::<StoredValue>(*value, &stored_value::Command::Expire {}).map(drop),
        // These ask the provider or the carrier.
        Step::CapturePayment { .. }
        | Step::VoidPayment { .. }
        | Step::SettlePayment { .. }
        | Step::ExpireAuthorization { .. }
        | Step::ReleaseStray { .. }
        | Step::TrackShipment { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests;
