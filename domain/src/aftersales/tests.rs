//! Rules of cancellations, refunds and returns over several aggregates: a cancellation moves its stock at once, whole or in
//! part, and a paid one is refunded with a credit note.

use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::cart::Destination;
use crate::decider::{Actor, Asked};
use crate::ids::{PaymentId, RefundId, VariantId};
use crate::order::{Buyer, Line, Placement};
use crate::payment::Method;
use crate::series::{Series, of_credit_notes};
use crate::tax_book::Rounding;
use crate::testing::{cents, id, noon, pieces, price, text};
use crate::text::Reason;
use crate::{AnyEvent, fold};

mod disputes;
mod elsewhere;
mod parts;
mod shipping;
mod suppliers;

const ORDER: u128 = 1;
const PAYMENT: u128 = 2;
const VARIANT: u128 = 3;

fn line(variant: u128, number: i64, amount: i64) -> Line {
    Line {
        variant: id(variant),
        product: id(4),
        sku: text("L-1"),
        title: text("Lamp"),
        quantity: pieces(number),
        unit_price: price(amount),
        exact_price: None,
        digital: false,
        commission: None,
        keys: false,
        downloads: false,
        gift_cards: false,
        seller: None,
        amount: cents(amount * number),
        discount: None,
        tax: None,
    }
}

/// Three lamps for 1.00 each.
fn three_lamps() -> Placement {
    Placement {
        buyer: Buyer::default(),
        cart: None,
        access_hash: None,
        destination: Destination::to(text("DE")),
        lines: vec![line(VARIANT, 3, 100)],
        discounts: vec![],
        shipping: None,
        claims: vec![],
        total: cents(300),
        payment: id(PAYMENT),
        pay_by: None,
        reference: None,
        imported: false,
        part_shipping: vec![],
        tax_rounding: Rounding::Line,
    }
}

/// An order of three lamps, its payment and its stock, before or after the payment.
pub(crate) fn work(is_paid: bool) -> Work {
    work_on(three_lamps(), is_paid)
}

/// An order, its payment and its stock, before or after the payment.
/// Staff refunds an amount to what paid.
fn refund(
    work: &mut Work,
    payment: PaymentId,
    amount: Money,
    reason: &Reason,
    keys: &[Demand],
    part: Option<u16>,
) -> Result<(), Refused> {
    super::refund(work, payment, amount, &Wanted { reason, keys, part, to_credit: false })
}

fn work_on(placement: Placement, is_paid: bool) -> Work {
    let asked = Asked { at: noon(), by: Actor::System { name: "test".to_owned() } };
    let mut last = 100;
    let mut work = Work::new(asked, None, move || {
        last += 1;
        Uuid::from_u128(last)
    });
    let (order, amount): (OrderId, Money) = (id(ORDER), placement.total);
    let demands: Vec<Demand> = placement.lines.iter().map(Line::demand).collect();
    let mut of_payment = vec![payment::Event::Opened { order, amount }];
    let mut of_order = vec![order::Event::Placed(placement)];
    if is_paid {
        of_payment.push(payment::Event::Captured {
            order,
            amount,
            method: Method::Test,
            reference: text("1"),
            covers: vec![],
        });
        of_order.push(order::Event::Paid {
            payment: id(PAYMENT),
            commit: demands.clone(),
            invoice: None,
            seller: None,
            invoices: vec![],
            stock_moved: true,
            keys: vec![],
            in_part: false,
        });
    }
    for Demand { variant, quantity } in demands {
        let mut of_stock = vec![
            stock::Event::Opened { product: id(4), sku: text("L-1") },
            stock::Event::Received { quantity: pieces(10), reason: None },
            stock::Event::Reserved { order, quantity, expires_at: None },
        ];
        of_stock.extend(is_paid.then_some(stock::Event::Committed { order, quantity }));
        work.hold::<StockLevel>(variant, Arc::new(fold(&of_stock)));
    }
    work.hold::<Order>(order, Arc::new(fold(&of_order)));
    work.hold::<Payment>(id(PAYMENT), Arc::new(fold(&of_payment)));
    work.begin::<Series>(of_credit_notes(None, 2026));
    work
}

pub(crate) fn lamps(number: i64) -> Demand {
    Demand { variant: id(VARIANT), quantity: pieces(number) }
}

fn three() -> Demand {
    lamps(3)
}

/// The pieces on hand and reserved after a decision, and the events of the stock.
pub(crate) fn stock_after(work: Work) -> (i64, i64, Vec<stock::Event>) {
    let stock = work.get::<StockLevel>(id::<VariantId>(VARIANT)).unwrap();
    let of_stock = |event: AnyEvent| if let AnyEvent::Stock(_, event) = event { Some(event) } else { None };
    let happened = work.decided().events.into_iter().filter_map(of_stock).collect();
    (stock.on_hand, stock.reserved, happened)
}

/// The totals of the credit notes, each with the refunded shipping in it.
fn credited(work: Work) -> Vec<(Money, Option<Money>)> {
    let of_note = |event: AnyEvent| {
        if let AnyEvent::CreditNote(_, crate::credit_note::Event::Issued(note)) = event {
            Some((note.total, note.shipping))
        } else {
            None
        }
    };
    work.decided().events.into_iter().filter_map(of_note).collect()
}

/// A paid order of which 1.00 was to be refunded, and the provider refused it.
fn with_failed_refund() -> (Work, RefundId) {
    let mut work = work(true);
    refund(&mut work, id(PAYMENT), cents(100), &text("a scratch"), &[], None).unwrap();
    // The first new id.
    let asked = id(101);
    let command = payment::Command::RecordRefundOutcome { refund: asked, outcome: payment::RefundOutcome::Refused };
    work.decide::<Payment>(id(PAYMENT), &command).unwrap();
    (work, asked)
}

/// Requests the return of all lamps.
fn send_back(work: &mut Work) -> Result<ReturnId, Refused> {
    request_return(work, id(ORDER), &[three()], returns::Why::ChangedMind, None, noon())
}

const REASON: CancelReason = CancelReason::StaffRequest;

#[test]
fn what_is_reserved_is_released_with_the_cancellation_whole_or_in_part() {
    let order: OrderId = id(ORDER);
    let released = stock::Event::Released { order, quantity: pieces(3), reason: None };
    let mut whole = work(false);
    cancel(&mut whole, order, REASON, true).unwrap();
    assert_eq!(stock_after(whole), (10, 0, vec![released.clone()]));
    // Nothing of it has left the shelf, so nothing of it is spoilt.
    let mut spoilt = work(false);
    cancel(&mut spoilt, order, REASON, false).unwrap();
    assert_eq!(stock_after(spoilt), (10, 0, vec![released.clone()]));
    let mut part = work(false);
    cancel_lines(&mut part, order, &[lamps(1)], REASON, true, None).unwrap();
    let again = stock::Event::Reserved { order, quantity: pieces(2), expires_at: None };
    assert_eq!(stock_after(part), (10, 2, vec![released, again]));
}

#[test]
fn what_had_left_comes_back_with_the_cancellation_whole_or_in_part() {
    let order: OrderId = id(ORDER);
    let back = |number| stock::Event::Returned { quantity: pieces(number), order: Some(order), reason: None };
    let mut whole = work(true);
    cancel(&mut whole, order, REASON, true).unwrap();
    assert_eq!(stock_after(whole), (10, 0, vec![back(3)]));
    let mut part = work(true);
    cancel_lines(&mut part, order, &[lamps(1)], REASON, true, None).unwrap();
    assert_eq!(stock_after(part), (8, 0, vec![back(1)]));
    for line in [lamps(1), three()] {
        let mut spoilt = work(true);
        cancel_lines(&mut spoilt, order, &[line], REASON, false, None).unwrap();
        assert_eq!(stock_after(spoilt), (7, 0, vec![]), "what is spoilt is not for sale again");
    }
}

/// The order, which is paid on delivery: its pieces have left the stock.
fn on_delivery() -> Work {
    let (mut work, order) = (work(false), id(ORDER));
    let choice = payment::Choice {
        method: text("cash"),
        kind: crate::payment_book::ManualKind::CashOnDelivery,
        title: text("Cash on delivery"),
        instructions: text("Pay the carrier."),
        amount: cents(300),
        reference: text("0000-0000-0010"),
        pay_by: None,
    };
    let choose = payment::Command::ChooseMethod { choice: Box::new(choice) };
    work.decide::<Payment>(id(PAYMENT), &choose).unwrap();
    work.decide::<Order>(order, &order::Command::Release { payment: id(PAYMENT) }).unwrap();
    work.move_stock(&[three()], |_| stock::Command::Commit { order }).unwrap();
    work
}

#[test]
fn what_left_to_be_paid_on_delivery_comes_back_with_the_cancellation_whole_or_in_part() {
    let order: OrderId = id(ORDER);
    let pieces_after = |work: Work| {
        let (on_hand, reserved, _) = stock_after(work);
        (on_hand, reserved)
    };
    let due = |work: &Work| work.get::<Payment>(id(PAYMENT)).unwrap().live().unwrap().due();
    let mut whole = on_delivery();
    assert_eq!(due(&whole), cents(300));
    cancel(&mut whole, order, REASON, true).unwrap();
    assert_eq!(credited(on_delivery()), []);
    assert_eq!(pieces_after(whole), (10, 0));
    let mut part = on_delivery();
    cancel_lines(&mut part, order, &[lamps(1)], REASON, true, None).unwrap();
    assert_eq!(due(&part), cents(200));
    assert_eq!(pieces_after(part), (8, 0));
    for line in [lamps(1), three()] {
        let mut spoilt = on_delivery();
        cancel_lines(&mut spoilt, order, &[line], REASON, false, None).unwrap();
        assert_eq!(pieces_after(spoilt), (7, 0), "what is spoilt is not for sale again");
    }
}

#[test]
fn an_order_is_cancelled_once() {
    let mut twice = work(true);
    for _ in 0..2 {
        cancel(&mut twice, id(ORDER), REASON, true).unwrap();
    }
    let events = twice.decided().events;
    let notes = events.iter().filter(|event| matches!(event, AnyEvent::CreditNote(..))).count();
    let numbers = events.iter().filter(|event| matches!(event, AnyEvent::Series(..))).count();
    let returned = events.iter().filter(|event| matches!(event, AnyEvent::Stock(..))).count();
    assert_eq!((notes, numbers, returned), (1, 1, 1), "{events:?}");
}

#[test]
fn an_order_that_is_about_to_hear_of_its_payment_is_asked_again() {
    let mut work = work(false);
    let captured = payment::Event::Captured {
        order: id(ORDER),
        amount: cents(300),
        method: Method::Test,
        reference: text("1"),
        covers: vec![],
    };
    let history = [payment::Event::Opened { order: id(ORDER), amount: cents(300) }, captured];
    work.hold::<Payment>(id(PAYMENT), Arc::new(fold(&history)));
    let refused = cancel_lines(&mut work, id(ORDER), &[lamps(1)], REASON, true, None).unwrap_err();
    assert!(matches!(&refused, Refused::NotYet(rejected) if rejected.code == "order.not_paid"), "{refused:?}");
    assert!(refund(&mut work, id(PAYMENT), cents(1), &text("a scratch"), &[], None).is_err());
    assert!(work.decided().events.is_empty());
}

#[test]
fn a_refund_has_a_credit_note_with_the_next_number() {
    let mut work = work(true);
    refund(&mut work, id(PAYMENT), cents(100), &text("a scratch"), &[], None).unwrap();
    let events = work.decided().events;
    let kinds: Vec<&str> = events.iter().map(AnyEvent::category).collect();
    assert_eq!(kinds, ["payment", "order", "series", "credit_note"]);
    let Some(AnyEvent::CreditNote(_, crate::credit_note::Event::Issued(note))) = events.last() else {
        panic!("{events:?}")
    };
    assert_eq!((note.reference.as_str(), note.total), ("CN-2026-000001", cents(100)));
}

#[test]
fn a_failed_refund_is_retried_for_its_amount_under_its_credit_note() {
    let (mut work, asked) = with_failed_refund();
    let failed = |work: &Work| {
        let payment = work.get::<Payment>(id::<crate::ids::PaymentId>(PAYMENT)).unwrap();
        payment.live().unwrap().failed_refunds().map(|(id, _)| id).collect::<Vec<_>>()
    };
    assert_eq!(failed(&work), [asked]);
    retry_refund(&mut work, id(PAYMENT), asked).unwrap();
    assert_eq!(failed(&work), []);
    let amounts = |event: &AnyEvent| {
        if let AnyEvent::Payment(_, payment::Event::RefundRequested { amount, .. }) = event {
            Some(*amount)
        } else {
            None
        }
    };
    let events = work.decided().events;
    assert_eq!(events.iter().filter_map(amounts).collect::<Vec<_>>(), [cents(100), cents(100)]);
    assert_eq!(events.iter().filter(|event| matches!(event, AnyEvent::CreditNote(..))).count(), 1);
}

#[test]
fn an_amount_is_refunded_as_far_as_no_credit_note_covers_it() {
    let (mut work, failed) = with_failed_refund();
    let refused = refund(&mut work, id(PAYMENT), cents(201), &text("another"), &[], None).unwrap_err();
    let Refused::Rejected(rejected) = refused else { panic!("{refused:?}") };
    assert_eq!(rejected.code, "payment.credited_already");
    assert!(rejected.detail.contains(&failed.to_string()), "{}", rejected.detail);
    let (mut work, _) = with_failed_refund();
    refund(&mut work, id(PAYMENT), cents(200), &text("another"), &[], None).unwrap();
    assert_eq!(credited(work), [(cents(100), None), (cents(200), None)]);
}

#[test]
fn returned_goods_are_refunded_as_far_as_no_credit_note_covers_them() {
    let (mut work, _) = with_failed_refund();
    work.decide::<Order>(id(ORDER), &order::Command::Fulfil {}).unwrap();
    let back = send_back(&mut work).unwrap();
    work.decide::<Return>(back, &returns::Command::Approve {}).unwrap();
    let Demand { variant, quantity } = three();
    let received = Received { variant, quantity, condition: returns::Condition::New, restock: true };
    receive_return(&mut work, back, &[received], None).unwrap();
    assert_eq!(credited(work), [(cents(100), None), (cents(200), None)]);
}

#[test]
fn the_pieces_of_a_closed_return_can_be_returned_again() {
    let mut work = work(true);
    work.decide::<Order>(id(ORDER), &order::Command::Fulfil {}).unwrap();
    let first = send_back(&mut work).unwrap();
    assert!(send_back(&mut work).is_err(), "all pieces are to be returned");
    close_return(&mut work, first, &returns::Command::Withdraw {}).unwrap();
    assert_eq!(work.get::<Return>(first).unwrap().live().unwrap().progress, returns::Progress::Withdrawn);
    send_back(&mut work).unwrap();
}
