//! Rules of the shipping price: it goes with the last piece that is shipped, as far as something is left of the payment.

use super::*;
use crate::testing::parcel_at;

/// A book that is shipped, for 0.30, a file that is not, for 0.20, and 0.09 for shipping.
fn book_and_file() -> Placement {
    let lines = vec![line(VARIANT, 1, 30), Line { digital: true, ..line(5, 1, 20) }];
    Placement { lines, shipping: Some(parcel_at(9)), total: cents(59), ..three_lamps() }
}

/// Cancels the book.
fn cancel_book(work: &mut Work, shipping: Option<ShippingBack>) -> Result<(), Refused> {
    cancel_lines(work, id(ORDER), &[lamps(1)], REASON, true, shipping)
}

/// The paid order after a refund of 0.25: 0.34 are left.
fn partly_refunded() -> Work {
    let mut work = work_on(book_and_file(), true);
    refund(&mut work, id(PAYMENT), cents(25), &text("a scratch"), &[], None).unwrap();
    work
}

#[test]
fn shipping_is_no_longer_due_once_nothing_of_an_unpaid_order_is_shipped() {
    let mut work = work_on(book_and_file(), false);
    cancel_book(&mut work, None).unwrap();
    assert_eq!(work.get::<Payment>(id(PAYMENT)).unwrap().live().unwrap().amount, cents(20));
}

#[test]
fn shipping_is_refunded_with_the_last_shipped_piece_as_far_as_something_is_left_of_the_payment() {
    let mut work = partly_refunded();
    cancel_book(&mut work, None).unwrap();
    assert_eq!(credited(work), [(cents(25), None), (cents(34), Some(cents(4)))]);
}

#[test]
fn more_shipping_than_is_left_of_the_payment_is_refused_as_too_much_shipping() {
    let mut work = partly_refunded();
    let refused = cancel_book(&mut work, Some(ShippingBack::Some(cents(5)))).unwrap_err();
    assert_eq!(refused, Refused::from(order::Rejection::TooMuchShipping { left: cents(4) }));
    let mut work = partly_refunded();
    cancel_book(&mut work, Some(ShippingBack::Some(cents(4)))).unwrap();
    assert_eq!(credited(work), [(cents(25), None), (cents(30), None), (cents(4), Some(cents(4)))]);
}
