//! Rules of the progress of an order, which the list of orders folds as well.

use super::*;

/// The progress of the order with 3 × 10 and 1 × 5 after these events.
fn after(events: &[Event]) -> Progress {
    let mut progress = Progress::new(&bought());
    for event in events {
        progress.note(event);
    }
    let history = [&[placed()], events].concat();
    assert_eq!(crate::fold::<Order>(&history).live().unwrap().progress, progress, "{history:?}");
    progress
}

fn statuses(events: &[Event]) -> (Status, PaymentStatus, Fulfilment) {
    let it = after(events);
    (it.status, it.payment_status, it.fulfilment)
}

fn money(events: &[Event]) -> (PaymentStatus, i64, i64) {
    let it = after(events);
    (it.payment_status, it.payable.amount, it.refunded.amount)
}

fn authorized() -> Event {
    Event::Authorized { payment: id(3) }
}

fn given_back(amount: Option<i64>) -> Event {
    Event::Refunded { payment: id(3), refund: amount.map(|_| id(4)), amount: amount.map(cents) }
}

fn cancelled_with(due: i64) -> Event {
    let Event::Cancelled { reason, payment, was_paid, release, credit_note, lost, stock_moved, .. } =
        cancelled(CancelReason::StaffRequest, true)
    else {
        panic!("an order is cancelled")
    };
    let due = Some(cents(due));
    Event::Cancelled { reason, payment, was_paid, release, due, credit_note, further_notes: vec![], lost, stock_moved }
}

#[test]
fn an_order_is_open_until_it_is_completed_cancelled_or_expired() {
    let over = |reason| cancelled(reason, false);
    let unfulfilled = Fulfilment::Unfulfilled;
    assert_eq!(statuses(&[]), (Status::Open, PaymentStatus::Awaiting, unfulfilled));
    assert_eq!(statuses(&[authorized()]), (Status::Open, PaymentStatus::Authorized, unfulfilled));
    assert_eq!(statuses(&[paid()]), (Status::Open, PaymentStatus::Paid, unfulfilled));
    assert_eq!(statuses(&[paid(), fulfilled()]), (Status::Completed, PaymentStatus::Paid, Fulfilment::Fulfilled));
    for (reason, status) in
        [(CancelReason::BuyerRequest, Status::Cancelled), (CancelReason::PaymentWindowPassed, Status::Expired)]
    {
        assert_eq!(statuses(&[over(reason)]), (status, PaymentStatus::Voided, unfulfilled));
        assert_eq!(after(&[over(reason)]).cancelled, Some(reason));
    }
}

#[test]
fn parcels_fulfil_an_order_and_their_arrival_completes_it() {
    let lines = [demand(1, 3), demand(2, 1)];
    let sent = [paid(), parcel(7, &lines), gone(7, &lines)];
    let all = Event::Fulfilled { completed: false, at: Some(noon()) };
    let sent_all = [&sent[..], &[all]].concat();
    let fulfilment = |events: &[Event], last: Event| after(&[events, &[last]].concat()).fulfilment;
    assert_eq!(after(&sent[..2]).fulfilment, Fulfilment::Unfulfilled);
    assert_eq!(after(&sent).fulfilment, Fulfilment::PartlyFulfilled);
    assert_eq!(statuses(&sent_all), (Status::Open, PaymentStatus::Paid, Fulfilment::Fulfilled));
    let arrived = [&sent_all[..], &[Event::Completed {}]].concat();
    assert_eq!(statuses(&arrived), (Status::Completed, PaymentStatus::Paid, Fulfilment::Fulfilled));
    let (shipment, none) = (id(7), Fulfilment::Unfulfilled);
    assert_eq!(fulfilment(&sent_all, Event::ParcelReturned { shipment, fulfilment: none }), none);
    let lost = Event::ParcelLost { shipment, lines: lines.to_vec(), fulfilment: none };
    assert_eq!(fulfilment(&sent_all, lost.clone()), none);
    let found =
        Event::ParcelFound { shipment, lines: lines.to_vec(), extra: vec![], fulfilment: Fulfilment::PartlyFulfilled };
    assert_eq!(fulfilment(&[&sent_all[..], &[lost]].concat(), found), Fulfilment::PartlyFulfilled);
}

#[test]
fn returned_pieces_count_among_those_that_are_kept() {
    let one = returned(5, &[back(1, 1, 10)], &[]);
    let rest = returned(6, &[back(1, 2, 20), back(2, 1, 5)], &[]);
    let pieces = |events: &[Event]| {
        let it = after(events);
        (it.kept, it.returned, it.fulfilment)
    };
    assert_eq!(pieces(&[]), (4, 0, Fulfilment::Unfulfilled));
    let partly = [paid(), fulfilled(), one];
    assert_eq!(pieces(&partly), (4, 1, Fulfilment::PartlyReturned));
    assert_eq!(pieces(&[&partly[..], &[rest]].concat()), (4, 4, Fulfilment::Returned));
    // All that is left of the order came back before: cancelling the other pieces makes it returned.
    assert_eq!(pieces(&[&partly[..], &[off(1, 2, 20, true)]].concat()), (2, 1, Fulfilment::PartlyReturned));
    let more = [off(1, 2, 20, true), off(2, 1, 5, true)];
    assert_eq!(pieces(&[&partly[..], &more].concat()), (1, 1, Fulfilment::Returned));
}

#[test]
fn only_what_is_cancelled_before_the_payment_need_not_be_paid() {
    assert_eq!(money(&[]), (PaymentStatus::Awaiting, 35, 0));
    assert_eq!(money(&[off(1, 1, 10, false)]), (PaymentStatus::Awaiting, 25, 0));
    // Three pieces for 30, and 9 for sending.
    assert_eq!(money(&[sending_falls(false)]).1, 35 - 30 - 9);
    assert_eq!(money(&[paid(), off(1, 1, 10, true)]), (PaymentStatus::Paid, 35, 0));
    assert_eq!(money(&[paid(), sending_falls(true)]).1, 35);
    assert_eq!(after(&[off(1, 1, 10, false)]).kept, 3);
    assert_eq!(after(&[paid(), sending_falls(true)]).kept, 1);
}

#[test]
fn a_payment_is_refunded_once_all_that_was_to_be_paid_went_back() {
    use PaymentStatus::{PartlyRefunded, RefundDue, Refunded};
    assert_eq!(money(&[paid(), given_back(Some(10))]), (PartlyRefunded, 35, 10));
    assert_eq!(money(&[paid(), given_back(Some(10)), given_back(Some(25))]), (Refunded, 35, 35));
    assert_eq!(money(&[off(1, 1, 10, false), paid(), given_back(Some(25))]), (Refunded, 25, 25));
    // A refund is due until nothing of it is left.
    let all_due = cancelled(CancelReason::StaffRequest, true);
    assert_eq!(money(&[paid(), all_due.clone()]), (RefundDue, 35, 0));
    assert_eq!(money(&[paid(), all_due, given_back(None)]), (Refunded, 35, 35));
    let rest_due = [paid(), given_back(Some(10)), cancelled_with(25)];
    assert_eq!(money(&rest_due), (RefundDue, 35, 10));
    assert_eq!(money(&[&rest_due[..], &[given_back(Some(20))]].concat()), (RefundDue, 35, 30));
    assert_eq!(money(&[&rest_due[..], &[given_back(Some(25))]].concat()), (Refunded, 35, 35));
    assert_eq!(money(&[paid(), given_back(Some(35)), cancelled_with(0)]), (Refunded, 35, 35));
}

#[test]
fn the_money_of_a_return_counts_with_the_goods_only_if_no_provider_gives_it_back() {
    use PaymentStatus::{Paid, PartlyRefunded};
    let sold = [paid(), fulfilled()];
    let elsewhere = returned(5, &[back(1, 1, 10)], &[]);
    let Event::Returned { credit_note, lines, amount, restock, refund, .. } = elsewhere.clone() else {
        panic!("goods are returned")
    };
    let here = Event::Returned { credit_note, lines, amount, restock, refund, return_id: Some(id(8)), revoked: vec![] };
    assert_eq!(money(&[&sold[..], &[here]].concat()), (Paid, 35, 0));
    assert_eq!(money(&[&sold[..], &[elsewhere]].concat()), (PartlyRefunded, 35, 10));
}

/// Every stored event of an order.
fn examples() -> Vec<(String, Event)> {
    let forms = crate::catalogue().into_iter().filter(|form| form.category == Order::CATEGORY);
    let read = |form: crate::Form| {
        let event = crate::codec::decode(&form.event_type, form.schema, &form.example.to_string()).unwrap();
        (form.event_type, event)
    };
    forms.map(read).collect()
}

#[test]
fn a_fold_changes_with_exactly_the_events_that_it_declares() {
    let lines = [demand(1, 3), demand(2, 1)];
    let sent = [paid(), gone(7, &lines), Event::Fulfilled { completed: false, at: None }];
    // The parcel of the examples.
    let packed = [paid(), parcel(1, &lines)];
    let starts = [&sent[..0], &sent[..1], &sent[..2], &sent, &packed].map(|history| [&[placed()], history].concat());
    let changed = |event: &Event| {
        let orders = starts.iter().map(|history| crate::fold::<Order>(history).live().unwrap().clone());
        let changes = orders.map(|Placed { progress, sold, parts, .. }| {
            let (mut new_progress, mut new_sold, mut new_parts) = (progress, sold, parts.clone());
            new_progress.note(event);
            new_sold.note(event);
            new_parts.note(event);
            (new_progress != progress, new_sold != sold, new_parts != parts)
        });
        changes.fold((false, false, false), |any, one| (any.0 || one.0, any.1 || one.1, any.2 || one.2))
    };
    let [mut progress, mut sold, mut parts] = [(); 3].map(|()| BTreeSet::from(["placed".to_owned()]));
    for (event_type, event) in examples() {
        let (of_progress, of_sold, of_parts) = changed(&event);
        progress.extend(of_progress.then(|| event_type.clone()));
        sold.extend(of_sold.then(|| event_type.clone()));
        parts.extend(of_parts.then_some(event_type));
    }
    let declared = |types: &[&str]| types.iter().map(|&it| it.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(progress, declared(Progress::READS));
    assert_eq!(sold, declared(Sold::READS));
    assert_eq!(parts, declared(Parts::READS));
}

#[test]
fn the_json_of_an_order_has_its_statuses_beside_its_other_fields() {
    let state = crate::fold::<Order>(&[placed(), off(1, 1, 10, false)]);
    let json = serde_json::to_value(state).unwrap();
    assert_eq!((&json["status"], &json["payment_status"]), (&"open".into(), &"awaiting".into()));
    assert_eq!((&json["total"]["amount"], &json["reduced"]["amount"]), (&35.into(), &10.into()));
    assert_eq!((&json["refunded"]["amount"], &json["cancelled"]), (&0.into(), &serde_json::Value::Null));
    assert!(json["returned"].is_object() && json.get("payable").is_none() && json.get("kept").is_none());
}
