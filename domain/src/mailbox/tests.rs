//! Rules of mailboxes that guests name.

use super::*;
use crate::codec::decode;
use crate::fold;
use crate::order::{self, Order};
use crate::testing::{cents, given, golden, id as id_of, noon, well_said};

fn written(minutes_ago: i64) -> Event {
    Event::Written { at: noon() - TimeDelta::minutes(minutes_ago) }
}

#[test]
fn an_unproven_mailbox_accepts_so_many_mails_an_hour() {
    let full = [written(59), written(30), written(1)];
    given::<Mailbox>(full.clone()).when(&Command::Write {}).then_refused(Rejection::TooMany);
    given::<Mailbox>(full[1..].to_vec()).when(&Command::Write {}).then([written(0)]);
    // The first of them was an hour ago.
    given::<Mailbox>([written(60), written(30), written(1)]).when(&Command::Write {}).then([written(0)]);
}

#[test]
fn a_paid_order_proves_a_mailbox_once_and_for_all() {
    given::<Mailbox>([written(1)]).when(&Command::Prove {}).then([Event::Proven {}]);
    given::<Mailbox>([Event::Proven {}]).when(&Command::Prove {}).then_nothing();
    given::<Mailbox>([written(3), written(2), written(1), Event::Proven {}]).when(&Command::Write {}).then_nothing();
    assert!(fold::<Mailbox>(&[Event::Proven {}]).accepts(noon()));
}

#[test]
fn only_the_last_mails_are_remembered() {
    let many: Vec<Event> = (0..50).rev().map(written).collect();
    assert_eq!(fold::<Mailbox>(&many).written.len(), UNPROVEN_MAX);
}

/// An order whose money is this far.
fn order(payment_status: PaymentStatus) -> Placed {
    let form = crate::catalogue().into_iter().find(|form| (form.category, &*form.event_type) == ("order", "placed"));
    let form = form.unwrap();
    let event: order::Event = decode(&form.event_type, form.schema, &form.example.to_string()).unwrap();
    let placed = fold::<Order>(&[event]).live().unwrap().clone();
    Placed { progress: order::Progress { payment_status, ..placed.progress }, ..placed }
}

#[test]
fn messages_about_unpaid_orders_are_counted_and_their_cancellation_is_not_told() {
    let order_placed = Message::OrderPlaced { order: id_of(2) };
    let cancelled = |by| Message::OrderCancelled { order: id_of(2), by, refund_due: false, amount: None };
    let lines = Message::OrderLinesCancelled {
        order: id_of(2),
        lines: vec![],
        amount: cents(1),
        by: CancelledBy::Buyer,
        refund_due: false,
    };
    let awaiting = order(PaymentStatus::Awaiting);
    assert_eq!(treatment(&awaiting, &order_placed), Treatment::Count);
    assert_eq!(treatment(&awaiting, &lines), Treatment::Count);
    let voided = order(PaymentStatus::Voided);
    for by in [CancelledBy::Buyer, CancelledBy::Payment, CancelledBy::Unpaid] {
        assert_eq!(treatment(&voided, &cancelled(by)), Treatment::Omit);
    }
    assert_eq!(treatment(&voided, &cancelled(CancelledBy::Shop)), Treatment::Count);
}

#[test]
fn messages_about_paid_orders_are_written() {
    for status in [PaymentStatus::Authorized, PaymentStatus::Paid, PaymentStatus::RefundDue, PaymentStatus::Refunded] {
        let message =
            Message::OrderCancelled { order: id_of(2), by: CancelledBy::Buyer, refund_due: true, amount: None };
        assert_eq!(treatment(&order(status), &message), Treatment::Write);
    }
}

#[test]
fn a_mailbox_is_named_by_its_hash() {
    assert_eq!(id("00ff"), id("00ff"));
    assert_ne!(id("00ff"), id("00fe"));
}

#[test]
fn every_stored_form_is_golden() {
    golden(
        include_str!("golden.json"),
        &[Event::Written { at: "2026-01-02T03:04:05Z".parse().unwrap() }, Event::Proven {}],
    );
}

#[test]
fn rejections_are_well_said() {
    well_said(&[Rejection::TooMany]);
}
