//! Rules of orders that are paid on delivery: their goods leave before the money is there.

use super::*;

fn all() -> Vec<Demand> {
    vec![demand(1, 3), demand(2, 1)]
}

fn released() -> Event {
    Event::Released { payment: id(3), commit: all() }
}

fn release(payment: u128) -> Command {
    Command::Release { payment: id(payment) }
}

/// The order with all of it in one parcel that was handed over.
fn sent() -> Vec<Event> {
    let all_handed_over = Event::Fulfilled { completed: false, at: Some(noon()) };
    vec![placed(), released(), parcel(1, &all()), gone(1, &all()), all_handed_over]
}

/// Paid, with nothing that has not left the stock before.
fn collected() -> Event {
    Event::Paid {
        payment: id(3),
        commit: vec![],
        invoice: None,
        seller: None,
        invoices: vec![],
        stock_moved: false,
        keys: vec![],
        in_part: false,
    }
}

fn state(history: &[Event]) -> Placed {
    crate::fold::<Order>(history).live().unwrap().clone()
}

#[test]
fn it_is_released_once_while_it_waits_for_its_payment() {
    given::<Order>([placed()]).when(&release(3)).then([released()]);
    given::<Order>([placed(), released()]).when(&release(3)).then_nothing();
    given::<Order>([placed()]).when(&release(4)).then_refused(Rejection::OtherPayment);
    given::<Order>([placed(), paid()]).when(&release(3)).then_refused(Rejection::AlreadyPaid);
    let off = [placed(), cancelled(CancelReason::BuyerRequest, false)];
    given::<Order>(off).when(&release(3)).then_refused(Rejection::Cancelled);
    assert_eq!(axes(&[placed(), released()]), (Status::Open, PaymentStatus::OnDelivery, Fulfilment::Unfulfilled));
}

#[test]
fn it_does_not_expire_and_is_not_paid_in_another_way() {
    let history = [placed(), released()];
    let window = CancelReason::PaymentWindowPassed;
    given::<Order>(history.clone()).when(&cancel(window)).then_refused(Rejection::AlreadyPaid);
    let extend = Command::ExtendPaymentWindow { pay_by: noon() + TimeDelta::days(1) };
    given::<Order>(history.clone()).when(&extend).then_refused(Rejection::AlreadyPaid);
    given::<Order>(history.clone()).when(&Command::MarkAuthorized { payment: id(3) }).then_nothing();
    given::<Order>(history.clone()).when(&Command::Fulfil {}).then_refused(Rejection::NotPaid);
    given::<Order>(history).when(&Command::MoveToCart { cart: id(9) }).then_refused(Rejection::NotCancelled);
}

#[test]
fn it_is_shipped_before_it_is_paid_and_completed_with_both() {
    let prepare = Command::PrepareParcel { shipment: id(1), lines: all() };
    given::<Order>([placed(), released()]).when(&prepare).then([parcel(1, &all())]);
    let deliver = Command::Deliver { shipment: id(1) };
    given::<Order>(sent()).when(&deliver).then([there(1)]);
    let delivered = [sent(), vec![there(1)]].concat();
    assert_eq!(axes(&delivered), (Status::Open, PaymentStatus::OnDelivery, Fulfilment::Fulfilled));
    given::<Order>(delivered.clone()).when(&pay(3)).then([collected(), Event::Completed {}]);
    // The carrier was faster with the money than with its report.
    given::<Order>(sent()).when(&pay(3)).then([collected()]);
    let paid_first = [sent(), vec![collected()]].concat();
    given::<Order>(paid_first).when(&deliver).then([there(1), Event::Completed {}]);
    // Nothing goes back that never came.
    let request = Command::RequestReturn { return_id: id(8), lines: all(), since: None };
    given::<Order>(delivered).when(&request).then_refused(Rejection::NotPaid);
}

#[test]
fn a_parcel_that_was_refused_at_the_door_comes_back_and_its_order_is_cancelled_without_money() {
    given::<Order>(sent()).when(&cancel(CancelReason::StaffRequest)).then_refused(Rejection::AlreadyFulfilled);
    let refused = Event::ParcelReturned { shipment: id(1), fulfilment: Fulfilment::Unfulfilled };
    given::<Order>(sent()).when(&Command::TakeBackParcel { shipment: id(1) }).then([refused.clone()]);
    let here = [sent(), vec![refused]].concat();
    let off = cancelled(CancelReason::StaffRequest, false);
    given::<Order>(here.clone()).when(&cancel(CancelReason::StaffRequest)).then([off.clone()]);
    let over = [here, vec![off]].concat();
    assert_eq!(axes(&over), (Status::Cancelled, PaymentStatus::Voided, Fulfilment::Unfulfilled));
    given::<Order>(over).when(&pay(3)).then_refused(Rejection::Cancelled);
}

#[test]
fn what_was_lost_on_its_way_does_not_keep_it_from_being_cancelled() {
    let lost = Event::ParcelLost { shipment: id(1), lines: all(), fulfilment: Fulfilment::Unfulfilled };
    let history = [sent(), vec![lost]].concat();
    let Event::Cancelled { reason, payment, was_paid, due, credit_note, stock_moved, .. } =
        cancelled(CancelReason::BuyerRequest, false)
    else {
        panic!("an order is cancelled")
    };
    let off = Event::Cancelled {
        reason,
        payment,
        was_paid,
        release: vec![],
        due,
        credit_note,
        further_notes: vec![],
        lost: all(),
        stock_moved,
    };
    given::<Order>(history).when(&cancel(CancelReason::BuyerRequest)).then([off]);
}

#[test]
fn lines_that_are_cancelled_before_the_payment_are_no_longer_due() {
    let first = [demand(1, 3)];
    let history = vec![placed(), released(), parcel(1, &first), gone(1, &first), there(1)];
    let off = |restock| Command::CancelLines {
        lines: vec![back(2, 1, 5)],
        shipping: None,
        reason: CancelReason::StaffRequest,
        refund: None,
        credit_note: None,
        restock,
    };
    let recorded = |written_off| Event::LinesCancelled {
        lines: vec![back(2, 1, 5)],
        amount: cents(5),
        shipping: None,
        reason: CancelReason::StaffRequest,
        was_paid: false,
        refund: None,
        credit_note: None,
        written_off,
    };
    let all_gone = Event::Fulfilled { completed: false, at: Some(noon()) };
    given::<Order>(history.clone()).when(&off(true)).then([recorded(vec![]), all_gone.clone()]);
    given::<Order>(history.clone()).when(&off(false)).then([recorded(vec![demand(2, 1)]), all_gone.clone()]);
    let left = [history, vec![recorded(vec![]), all_gone]].concat();
    assert_eq!((state(&left).payable(), state(&left).progress.status), (cents(30), Status::Open));
    given::<Order>(left).when(&pay(3)).then([collected(), Event::Completed {}]);
}

#[test]
fn only_shipped_goods_of_the_house_can_be_paid_on_delivery() {
    let can = |lines| state(&[Event::Placed(placement(lines))]).sale().can_be_paid_on_delivery;
    assert!(can(vec![line(1, 1, 10), line(2, 1, 5)]));
    assert!(!can(vec![line(1, 1, 10), Line { digital: true, ..line(2, 1, 5) }]));
    assert!(!can(vec![line(1, 1, 10), Line { seller: Some(id(7)), ..line(2, 1, 5) }]));
}

#[test]
fn its_part_waits_for_the_money_as_well() {
    let part = |history: &[Event]| {
        let it = state(history);
        let part = it.parts.number(1).unwrap();
        (part.status(), part.payment_status())
    };
    let delivered = [sent(), vec![there(1)]].concat();
    assert_eq!(part(&delivered), (Status::Open, PaymentStatus::OnDelivery));
    let paid = [delivered, vec![collected(), Event::Completed {}]].concat();
    assert_eq!(part(&paid), (Status::Completed, PaymentStatus::Paid));
    let off = [placed(), released(), cancelled(CancelReason::BuyerRequest, false)];
    assert_eq!(part(&off), (Status::Cancelled, PaymentStatus::Voided));
}
