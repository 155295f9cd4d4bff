//! Each event and what follows from it.

use super::*;
use crate::cart::Destination;
use crate::order::{Buyer, Placement};
use crate::payment::{CaptureMode, DeclineReason, FailureReason};
use crate::quantity::Demand;
use crate::stored_value::Means;
use crate::testing::{cents, id, noon, pieces, text, timer_form};

fn lines() -> Vec<Demand> {
    vec![Demand { variant: id(7), quantity: pieces(2) }]
}

fn on_order(event: order::Event) -> Vec<Reaction<Step>> {
    SettleOrder::react(&AnyEvent::Order(id(1), event), noon())
}

fn on_payment(event: payment::Event) -> Vec<Reaction<Step>> {
    SettleOrder::react(&AnyEvent::Payment(id(2), event), noon())
}

fn placement(imported: bool) -> Placement {
    Placement {
        buyer: Buyer::default(),
        cart: None,
        access_hash: None,
        destination: Destination::to(text("DE")),
        lines: vec![],
        total: cents(0),
        payment: id(2),
        pay_by: Some(noon() + TimeDelta::minutes(15)),
        reference: None,
        imported,
        part_shipping: vec![],
        tax_rounding: crate::tax_book::Rounding::Line,
        discounts: vec![],
        shipping: None,
        claims: vec![],
    }
}

fn forget_window() -> Reaction<Step> {
    clear(window(id(1)))
}

fn forget_attempt() -> Reaction<Step> {
    clear(attempt(id(2)))
}

fn cancel(reason: CancelReason) -> Step {
    Step::CancelOrder { order: id(1), reason }
}

fn void() -> Step {
    Step::VoidPayment { payment: id(2) }
}

fn cancelled(was_paid: bool, release: Vec<Demand>, stock_moved: bool) -> order::Event {
    order::Event::Cancelled {
        reason: CancelReason::BuyerRequest,
        payment: id(2),
        was_paid,
        release,
        due: None,
        credit_note: None,
        further_notes: vec![],
        lost: vec![],
        stock_moved,
    }
}

#[test]
fn stored_values_follow_the_payment() {
    let cover = Cover { means: Means::GiftCard { card: id(9) }, amount: cents(1) };
    let settle = || Reaction::Now(Step::SettleValue { payment: id(2), cover });
    let (method, reference) = (Method::StoredValue, text("stored value"));
    let captured = payment::Event::Captured { order: id(1), amount: cents(1), method, reference, covers: vec![cover] };
    assert_eq!(on_payment(captured), [Reaction::Now(Step::MarkPaid { order: id(1), payment: id(2) }), settle()]);
    assert_eq!(on_payment(payment::Event::Covered { order: id(1), cover }), []);
    assert_eq!(on_payment(payment::Event::Uncovered { order: id(1), cover }), [settle()]);
    let cause = RefundCause::Return { id: id(6) };
    let requested = payment::Event::RefundRequested {
        order: id(1),
        refund: id(4),
        amount: cents(1),
        cause: cause.clone(),
        retries: None,
        manual: false,
        to: Some(cover.means),
        of: Some(id(3)),
    };
    assert_eq!(on_payment(requested), [settle()]);
    // The return is refunded with the first part of its refund.
    let (refund, cause) = (Some(id(4)), Some(cause));
    let of_another =
        payment::Event::Refunded { order: id(1), amount: cents(1), refund, cause, to: None, of: Some(id(3)) };
    let amount = Some(cents(1));
    let noted = Step::MarkRefunded { order: id(1), payment: id(2), refund, amount };
    assert_eq!(on_payment(of_another), [Reaction::Now(noted)]);
}

#[test]
fn a_gift_card_expires_at_its_time_and_later_if_something_came_back() {
    let on_value = |event| SettleOrder::react(&AnyEvent::StoredValue(id(9), event), noon());
    let (amount, later) = (cents(1), noon() + TimeDelta::days(1));
    let expires = |at| vec![timer(at, id::<StoredValueId>(9).to_string(), Step::ExpireValue { value: id(9) })];
    let issued = |expires_at| stored_value::Event::Issued { amount, expires_at, reason: text("a gift") };
    assert_eq!(on_value(issued(None)), []);
    assert_eq!(on_value(issued(Some(noon()))), expires(noon()));
    let released = |expires_at| stored_value::Event::Released { order: id(1), amount, expires_at };
    assert_eq!(on_value(released(None)), []);
    assert_eq!(on_value(released(Some(later))), expires(later));
    let (order, refund, expires_at) = (id(1), id(4), Some(later));
    let credited = stored_value::Event::Credited { order, refund, amount, account: None, expires_at };
    assert_eq!(on_value(credited), expires(later));
}

#[test]
fn a_placed_order_has_its_window_to_be_paid() {
    let ends = timer(noon() + TimeDelta::minutes(15), window(id(1)), cancel(CancelReason::PaymentWindowPassed));
    assert_eq!(on_order(order::Event::Placed(placement(false))), [ends]);
    let pay_by = noon() + TimeDelta::days(7);
    let later = timer(pay_by, window(id(1)), cancel(CancelReason::PaymentWindowPassed));
    assert_eq!(on_order(order::Event::PaymentWindowExtended { pay_by }), [later]);
}

#[test]
fn what_staff_received_marks_the_order_paid_and_what_staff_refunds_waits_for_them() {
    for method in [Method::BankTransfer, Method::Elsewhere] {
        let captured =
            payment::Event::Captured { order: id(1), amount: cents(1), method, reference: text("1"), covers: vec![] };
        let paid = Step::MarkPaid { order: id(1), payment: id(2) };
        assert_eq!(on_payment(captured), [Reaction::Now(paid)]);
    }
    let requested = |cause| payment::Event::RefundRequested {
        order: id(1),
        refund: id(4),
        amount: cents(1),
        cause,
        retries: None,
        manual: true,
        to: None,
        of: None,
    };
    assert_eq!(on_payment(requested(RefundCause::OrderCancelled)), []);
    assert_eq!(on_payment(requested(RefundCause::NotDue)), []);
    // The order never had money that was not due.
    let cause = Some(RefundCause::NotDue);
    assert_eq!(
        on_payment(payment::Event::Refunded {
            order: id(1),
            amount: cents(1),
            refund: Some(id(4)),
            cause,
            to: None,
            of: None
        }),
        []
    );
}

#[test]
fn a_paid_order_has_no_window_any_more_and_an_older_one_commits_its_stock() {
    let paid = |stock_moved| {
        on_order(order::Event::Paid {
            payment: id(2),
            commit: lines(),
            invoice: None,
            seller: None,
            invoices: vec![],
            stock_moved,
            keys: vec![],
            in_part: false,
        })
    };
    assert_eq!(paid(true), [forget_window()]);
    let commit = Step::CommitStock { order: id(1), lines: lines() };
    assert_eq!(paid(false), [Reaction::Now(commit), forget_window()]);
}

#[test]
fn a_cancelled_order_releases_or_takes_back_its_stock_and_its_payment() {
    let release = Reaction::Now(Step::ReleaseStock { order: id(1), lines: lines() });
    let rest = || [Reaction::Now(Step::ReleaseClaims { order: id(1) }), Reaction::Now(void()), forget_window()];
    assert_eq!(on_order(cancelled(false, lines(), false)), [vec![release], rest().to_vec()].concat());
    let take_back = Reaction::Now(Step::ReturnStock { order: id(1), lines: lines() });
    assert_eq!(on_order(cancelled(true, lines(), false)), [vec![take_back], rest().to_vec()].concat());
    // Only of older orders the process moves the stock: otherwise it moved in the same append.
    for was_paid in [false, true] {
        assert_eq!(on_order(cancelled(was_paid, lines(), true)), rest());
    }
}

#[test]
fn returned_goods_go_back_on_the_shelf_unless_they_are_spoilt() {
    let returned = |restock| order::Event::Returned {
        credit_note: id(5),
        lines: vec![],
        amount: cents(0),
        restock,
        refund: None,
        return_id: None,
        revoked: vec![],
    };
    let take_back = Step::ReturnStock { order: id(1), lines: lines() };
    assert_eq!(on_order(returned(lines())), [Reaction::Now(take_back)]);
    assert_eq!(on_order(returned(vec![])), []);
}

#[test]
fn nothing_follows_from_an_import() {
    let reference = text("489434");
    assert_eq!(on_order(order::Event::Placed(placement(true))), []);
    assert_eq!(
        on_order(order::Event::Paid {
            payment: id(2),
            commit: vec![],
            invoice: None,
            seller: None,
            invoices: vec![],
            stock_moved: false,
            keys: vec![],
            in_part: false
        }),
        []
    );
    assert_eq!(on_order(cancelled(true, vec![], true)), []);
    let method = Method::External;
    assert_eq!(
        on_payment(payment::Event::Captured { order: id(1), amount: cents(1), method, reference, covers: vec![] }),
        []
    );
}

#[test]
fn an_attempt_without_an_outcome_is_asked_for() {
    let settle = || Step::SettlePayment { payment: id(2), attempt: Some(text("1")) };
    let ask = |at| timer(at, attempt(id(2)), settle());
    let attempted = payment::Event::Attempted {
        method: Method::Test,
        reference: text("1"),
        capture: CaptureMode::Automatic,
        return_url: None,
    };
    assert_eq!(on_payment(attempted), [ask(noon() + ATTEMPT_GRACE)]);
    let check_at = noon() + TimeDelta::seconds(5);
    assert_eq!(on_payment(payment::Event::Pended { reference: text("1"), check_at }), [ask(check_at)]);
    assert_eq!(on_payment(payment::Event::Unresolved { reference: text("1"), check_at }), [ask(check_at)]);
}

#[test]
fn money_that_is_set_aside_is_captured_and_then_the_order_is_paid() {
    let authorized = payment::Event::Authorized { order: id(1), reference: text("1"), expires_at: None };
    assert_eq!(on_payment(authorized), [forget_attempt(), Reaction::Now(Step::CapturePayment { payment: id(2) })]);
    let method = Method::Test;
    let captured =
        payment::Event::Captured { order: id(1), amount: cents(1), method, reference: text("1"), covers: vec![] };
    assert_eq!(on_payment(captured), [Reaction::Now(Step::MarkPaid { order: id(1), payment: id(2) })]);
}

#[test]
fn a_payment_that_ends_without_money_cancels_the_order() {
    let failed = payment::Event::Failed { order: id(1), reason: FailureReason::ProviderError };
    assert_eq!(on_payment(failed), [forget_attempt(), Reaction::Now(cancel(CancelReason::PaymentFailed))]);
    let left = payment::Event::Cancelled { order: id(1) };
    assert_eq!(on_payment(left), [forget_attempt(), Reaction::Now(cancel(CancelReason::PaymentCancelled))]);
    let voided = |reason| payment::Event::Voided { order: id(1), reason };
    let by_buyer = on_payment(voided(VoidReason::BuyerRequest));
    assert_eq!(by_buyer, [forget_attempt(), Reaction::Now(cancel(CancelReason::PaymentCancelled))]);
    assert_eq!(on_payment(voided(VoidReason::OrderCancelled)), [forget_attempt()]);
}

#[test]
fn a_declined_attempt_leaves_the_order_waiting_for_another() {
    let declined = payment::Event::Declined { reference: text("1"), reason: DeclineReason::Declined };
    assert_eq!(on_payment(declined), [forget_attempt()]);
}

#[test]
fn money_given_back_is_noted_on_the_order() {
    let refunded =
        payment::Event::Refunded { order: id(1), amount: cents(1), refund: None, cause: None, to: None, of: None };
    let note = |refund, amount| Reaction::Now(Step::MarkRefunded { order: id(1), payment: id(2), refund, amount });
    assert_eq!(on_payment(refunded), [note(None, None)]);
    let piece = |cause| payment::Event::Refunded {
        order: id(1),
        amount: cents(1),
        refund: Some(id(4)),
        cause,
        to: None,
        of: None,
    };
    assert_eq!(on_payment(piece(None)), [note(Some(id(4)), Some(cents(1)))]);
    let of_return = piece(Some(RefundCause::Return { id: id(6) }));
    let told = Reaction::Now(Step::MarkReturnRefunded { return_id: id(6), refund: id(4) });
    assert_eq!(on_payment(of_return), [note(Some(id(4)), Some(cents(1))), told]);
}

#[test]
fn money_is_given_back_once_that_is_written_down_and_asked_for_again_when_the_provider_is_silent() {
    let cause = RefundCause::OrderCancelled;
    let requested = payment::Event::RefundRequested {
        order: id(1),
        refund: id(4),
        amount: cents(1),
        cause,
        retries: None,
        manual: false,
        to: None,
        of: None,
    };
    let settle = || Step::SettlePayment { payment: id(2), attempt: None };
    assert_eq!(on_payment(requested), [Reaction::Now(settle())]);
    let check_at = noon() + TimeDelta::seconds(5);
    let again = timer(check_at, attempt(id(2)), settle());
    assert_eq!(on_payment(payment::Event::Delayed { check_at }), [again]);
}

#[test]
fn money_that_is_set_aside_for_later_is_taken_with_the_first_parcel_or_let_go_in_time() {
    let at = noon() + TimeDelta::days(6);
    let authorized = payment::Event::Authorized { order: id(1), reference: text("1"), expires_at: Some(at) };
    let expire = timer(at, attempt(id(2)), Step::ExpireAuthorization { payment: id(2) });
    let mark = Step::MarkAuthorized { order: id(1), payment: id(2) };
    assert_eq!(on_payment(authorized), [expire, Reaction::Now(mark.clone())]);
    assert_eq!(SettleOrder::when_refused(&mark, &order::Rejection::Cancelled.into()), Some(void()));
    assert_eq!(on_order(order::Event::Authorized { payment: id(2) }), [forget_window()]);
    // The payment says by itself that it is to be captured for a parcel.
    let gone = order::Event::HandedOver { shipment: id(3), lines: lines(), at: noon(), capture: Some(id(2)) };
    assert_eq!(on_order(gone), []);
    let requested = payment::Event::CaptureRequested { order: id(1) };
    assert_eq!(on_payment(requested), [forget_attempt(), Reaction::Now(Step::CapturePayment { payment: id(2) })]);
    // The timer of an attempt in progress stays: it asks for the outcome.
    assert_eq!(on_payment(payment::Event::VoidRequested { reason: VoidReason::Expired }), [Reaction::Now(void())]);
    let voided = payment::Event::Voided { order: id(1), reason: VoidReason::Expired };
    assert_eq!(on_payment(voided), [forget_attempt(), Reaction::Now(cancel(CancelReason::AuthorizationExpired))]);
}

#[test]
fn a_charge_that_the_provider_did_not_know_or_its_buyer_left_is_looked_for_once_more() {
    let release = || Step::ReleaseStray { payment: id(2), reference: text("1") };
    for reason in [DeclineReason::NotReceived, DeclineReason::BuyerLeft, DeclineReason::ProviderError] {
        let declined = payment::Event::Declined { reference: text("1"), reason };
        let look = timer(noon() + STRAY_GRACE, stray(&text("1")), release());
        assert_eq!(on_payment(declined), [forget_attempt(), look]);
    }
    let silent = payment::Event::StrayUnresolved { reference: text("1"), check_at: noon() };
    // Beside the look at the end, which an early answer does not replace.
    assert_eq!(on_payment(silent), [timer(noon(), stray_again(&text("1")), release())]);
}

#[test]
fn a_simulated_parcel_is_followed_until_it_is_there() {
    let on_shipment = |event| SettleOrder::react(&AnyEvent::Shipment(id(3), event), noon());
    let gone = |carrier| shipment::Event::HandedOver {
        order: id(1),
        carrier,
        tracking: text("T"),
        tracking_url: None,
        at: noon(),
    };
    let track = || Step::TrackShipment { shipment: id(3) };
    assert_eq!(on_shipment(gone(Carrier::Simulated { story: None })), [Reaction::Now(track())]);
    assert_eq!(on_shipment(gone(Carrier::Other { name: text("Post") })), []);
    let again = timer(noon(), id::<ShipmentId>(3).to_string(), track());
    assert_eq!(on_shipment(shipment::Event::Waited { check_at: noon() }), [again]);
    assert_eq!(on_shipment(shipment::Event::Delivered { order: id(1), at: noon() }), []);
}

#[test]
fn money_that_comes_too_late_goes_back() {
    let instead = |step: &Step, rejected: Rejected| SettleOrder::when_refused(step, &rejected);
    let pay = Step::MarkPaid { order: id(1), payment: id(2) };
    assert_eq!(instead(&pay, order::Rejection::Cancelled.into()), Some(void()));
    assert_eq!(instead(&pay, order::Rejection::OtherPayment.into()), Some(void()));
    assert_eq!(instead(&pay, order::Rejection::Missing.into()), None);
    let capture = Step::CapturePayment { payment: id(2) };
    assert_eq!(instead(&capture, payment::Rejection::VoidRequested.into()), Some(void()));
    assert_eq!(instead(&capture, payment::Rejection::Closed.into()), None);
    assert_eq!(instead(&cancel(CancelReason::PaymentFailed), order::Rejection::AlreadyPaid.into()), None);
}

#[test]
fn a_step_in_a_timer_keeps_its_stored_form() {
    timer_form(
        &cancel(CancelReason::PaymentWindowPassed),
        r#"{"do":"cancel_order","order":"ord_00000000000000000000000001","reason":"payment_window_passed"}"#,
    );
    timer_form(
        &Step::SettlePayment { payment: id(2), attempt: None },
        r#"{"do":"settle_payment","payment":"pay_00000000000000000000000002"}"#,
    );
    timer_form(
        &Step::SettlePayment { payment: id(2), attempt: Some(text("1")) },
        r#"{"do":"settle_payment","payment":"pay_00000000000000000000000002","attempt":"1"}"#,
    );
    timer_form(
        &Step::ExpireAuthorization { payment: id(2) },
        r#"{"do":"expire_authorization","payment":"pay_00000000000000000000000002"}"#,
    );
    timer_form(
        &Step::ReleaseStray { payment: id(2), reference: text("1") },
        r#"{"do":"release_stray","payment":"pay_00000000000000000000000002","reference":"1"}"#,
    );
    timer_form(
        &Step::ExpireValue { value: id(9) },
        r#"{"do":"expire_value","value":"val_00000000000000000000000009"}"#,
    );
    timer_form(
        &Step::TrackShipment { shipment: id(3) },
        r#"{"do":"track_shipment","shipment":"shp_00000000000000000000000003"}"#,
    );
}

/// Timers that wait in Postgres are found again by their keys.
#[test]
fn the_keys_of_timers_never_change() {
    assert_eq!(window(id(1)), id::<OrderId>(1).to_string());
    assert_eq!(attempt(id(2)), id::<PaymentId>(2).to_string());
    assert_eq!(stray(&text("r-1")), "stray r-1");
    assert_ne!(stray(&text("r-1")), stray_again(&text("r-1")));
    assert_ne!(stray_again(&text("r-1")), stray_again(&text("r-2")));
}
