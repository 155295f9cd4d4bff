//! Rules of what sending costs, of what does not travel, and of what an order counts as sold.

use super::*;
use crate::testing::parcel_at;

/// A book that is sent and a file that is not: 1 × 30 + 1 × 20, and 9 for sending.
fn book_and_file() -> Placement {
    let lines = vec![line(1, 1, 30), Line { digital: true, ..line(2, 1, 20) }];
    Placement { shipping: Some(parcel_at(9)), total: cents(59), ..placement(lines) }
}

fn buys() -> Event {
    Event::Placed(book_and_file())
}

fn pays() -> Event {
    Event::Paid {
        payment: id(3),
        commit: vec![demand(1, 1), demand(2, 1)],
        invoice: None,
        seller: None,
        invoices: vec![],
        stock_moved: true,
        keys: vec![],
        in_part: false,
    }
}

fn cancel_lines(lines: &[ReturnLine], shipping: Option<i64>, was_paid: bool) -> Command {
    let (refund, credit_note) = (was_paid.then(|| id(4)), was_paid.then(|| id(5)));
    let (reason, shipping) = (CancelReason::BuyerRequest, shipping.map(cents));
    Command::CancelLines { lines: lines.to_vec(), shipping, reason, refund, credit_note, restock: true }
}

fn state(history: &[Event]) -> Placed {
    crate::fold::<Order>(history).live().unwrap().clone()
}

fn done(history: &[Event], command: &Command) -> Vec<Event> {
    let asked = Asked { at: noon(), by: crate::Actor::System { name: "test".to_owned() } };
    let events = crate::fold::<Order>(history).decide(command, &asked).unwrap();
    [history, &events].concat()
}

#[test]
fn shipping_falls_with_the_last_piece_that_is_sent() {
    let placed = state(&[buys()]);
    assert!(placed.shipping_falls_with(&[demand(1, 1)]));
    assert!(!placed.shipping_falls_with(&[demand(2, 1)]));
    assert!(!state(&[placed_of_two()]).shipping_falls_with(&[demand(1, 1)]));
    // Before it is paid, less is to be paid.
    let less = done(&[buys()], &cancel_lines(&[back(1, 1, 30)], Some(9), false));
    let it = state(&less);
    assert_eq!((it.payable(), it.shipping_left(), it.sold.left()), (cents(20), cents(0), cents(20)));
    assert!(!it.shipping_falls_with(&[demand(2, 1)]), "it falls once");
    // Afterwards it goes back with it.
    let back_again = done(&[buys(), pays()], &cancel_lines(&[back(1, 1, 30)], Some(9), true));
    let it = state(&back_again);
    assert_eq!((it.payable(), it.shipping_left(), it.sold.left()), (cents(59), cents(0), cents(20)));
    assert_eq!((it.credited, it.shipping_credited), (cents(30), cents(9)));
}

/// Two books, of which one can stay.
fn placed_of_two() -> Event {
    Event::Placed(Placement { total: cents(69), lines: vec![line(1, 2, 30)], ..book_and_file() })
}

#[test]
fn shipping_falls_neither_early_nor_twice_nor_by_more_than_it_cost() {
    let refused = |command: &Command, rejection| {
        given::<Order>([buys(), pays()]).when(command).then_refused(rejection);
    };
    let more = Rejection::TooMuchShipping { left: cents(9) };
    refused(&cancel_lines(&[back(1, 1, 30)], Some(10), true), more);
    refused(&cancel_lines(&[back(1, 1, 30)], Some(0), true), Rejection::WrongTotal);
    given::<Order>([placed_of_two(), pays()])
        .when(&cancel_lines(&[back(1, 1, 30)], Some(9), true))
        .then_refused(Rejection::WrongTotal);
    // Staff gave it back before.
    let given_back = [buys(), pays(), credited(1, 9, true)];
    let none = Rejection::TooMuchShipping { left: cents(0) };
    given::<Order>(given_back).when(&cancel_lines(&[back(1, 1, 30)], Some(9), true)).then_refused(none);
}

#[test]
fn what_does_not_travel_can_be_cancelled_until_it_is_paid() {
    let file = [back(2, 1, 20)];
    let unpaid = done(&[buys()], &cancel_lines(&file, None, false));
    assert_eq!((state(&unpaid).payable(), state(&unpaid).demands()), (cents(39), vec![demand(1, 1)]));
    given::<Order>(unpaid.clone())
        .when(&cancel_lines(&file, None, false))
        .then_refused(Rejection::TooManyCancelled { variant: id(2), left: 0 });
    let paid = done(&unpaid, &pay(3));
    assert_eq!((state(&paid).progress.fulfilment, state(&paid).handed_over(id(2))), (Fulfilment::Unfulfilled, 0));
    assert_eq!(state(&paid).left_to_ship(id(1)), 1);
    // With its payment it is handed over.
    let left = Rejection::TooManyCancelled { variant: id(2), left: 0 };
    given::<Order>([buys(), pays()]).when(&cancel_lines(&file, None, true)).then_refused(left);
}

#[test]
fn the_lines_of_an_order_that_was_never_paid_are_moved_to_a_cart_once() {
    let to = |cart| Command::MoveToCart { cart: id(cart) };
    let moved = Event::MovedToCart { cart: id(6) };
    given::<Order>([]).when(&to(6)).then_refused(Rejection::Missing);
    given::<Order>([placed()]).when(&to(6)).then_refused(Rejection::NotCancelled);
    given::<Order>([placed(), paid()]).when(&to(6)).then_refused(Rejection::AlreadyPaid);
    given::<Order>([Event::Placed(imported())]).when(&to(6)).then_refused(Rejection::Imported);
    let authorization = Event::Authorized { payment: id(3) };
    given::<Order>([placed(), authorization]).when(&to(6)).then_refused(Rejection::AlreadyPaid);
    let was_paid = cancelled(CancelReason::StaffRequest, true);
    given::<Order>([placed(), paid(), was_paid]).when(&to(6)).then_refused(Rejection::AlreadyPaid);
    for reason in [CancelReason::BuyerRequest, CancelReason::PaymentWindowPassed, CancelReason::PaymentCancelled] {
        let off = vec![placed(), cancelled(reason, false)];
        given::<Order>(off.clone()).when(&to(6)).then([moved.clone()]);
        let over = [off, vec![moved.clone()]].concat();
        given::<Order>(over.clone()).when(&to(7)).then_nothing();
        assert_eq!(state(&over).moved_to, Some(id(6)));
    }
}

#[test]
fn its_invoice_names_the_seller_of_that_day() {
    let invoice = Some(text("INV-2026-000043"));
    let pay = Command::MarkPaid {
        payment: id(3),
        invoice: invoice.clone(),
        seller: Some(seller()),
        invoices: vec![],
        keys: vec![],
    };
    let paid = done(&[buys()], &pay);
    assert_eq!((state(&paid).seller, state(&paid).invoice), (Some(seller()), invoice));
}

#[test]
fn a_sale_comes_off_once_whatever_comes_first() {
    let off = |credit_note| Event::Cancelled {
        reason: CancelReason::BuyerRequest,
        payment: id(3),
        was_paid: true,
        release: vec![],
        due: None,
        credit_note,
        further_notes: vec![],
        lost: vec![],
        stock_moved: true,
    };
    let sold = |history: &[Event]| {
        let it = state(history).sold;
        (it.ordered.amount, it.credited.amount, it.cancelled.amount, it.left().amount)
    };
    assert_eq!(sold(&[buys()]), (59, 0, 0, 59));
    assert_eq!(sold(&[buys(), cancelled(CancelReason::BuyerRequest, false)]), (0, 0, 0, 0));
    assert_eq!(sold(&[buys(), pays(), off(Some(id(5)))]), (59, 59, 0, 0));
    // All of it was refunded, and the provider has yet to do so: its document is over all of it already.
    assert_eq!(sold(&[buys(), pays(), credited(1, 59, false), off(None)]), (59, 59, 0, 0));
    assert_eq!(sold(&[buys(), pays(), credited(1, 40, false), off(Some(id(5)))]), (59, 59, 0, 0));
    // Older cancellations have no document.
    assert_eq!(sold(&[buys(), pays(), credited(1, 40, false), off(None)]), (59, 40, 19, 0));
    assert_eq!(sold(&[buys(), sending_falls(false)]), (20, 0, 0, 20));
    assert_eq!(sold(&[buys(), pays(), sending_falls(true)]), (59, 39, 0, 20));
    let back = Event::Refunded { payment: id(3), refund: Some(id(4)), amount: Some(cents(59)) };
    assert_eq!(sold(&[buys(), pays(), credited(1, 59, false), back, off(None)]), (59, 59, 0, 0));
}
