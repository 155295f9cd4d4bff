//! Rules of orders with several parts: what is refunded of a part is limited by what is left of it, and its shipping falls with it.

use super::*;
use crate::testing::parcel_at;

/// The number of the part of the house, and of that of the seller.
const HOUSE: u16 = 1;
const SELLER: u16 = 2;

/// A lamp of the house for 1.00 and two of a seller for 1.00 each, and 0.90 for shipping: 0.30 and 0.60.
fn of_two() -> Placement {
    let lines = vec![line(VARIANT, 1, 100), Line { seller: Some(id(71)), ..line(5, 2, 100) }];
    Placement { lines, shipping: Some(parcel_at(90)), total: cents(390), ..three_lamps() }
}

fn of_seller(number: i64) -> Demand {
    Demand { variant: id(5), quantity: pieces(number) }
}

fn back(work: &mut Work, amount: i64, part: u16) -> Result<(), Refused> {
    refund(work, id(PAYMENT), cents(amount), &text("a scratch"), &[], Some(part))
}

fn left(work: &Work) -> Vec<i64> {
    let order = work.get::<Order>(id::<OrderId>(ORDER)).unwrap();
    order.live().unwrap().parts.all().iter().map(|part| part.left().amount).collect()
}

#[test]
fn a_part_is_cancelled_with_its_shipping_and_the_others_stay() {
    let mut work = work_on(of_two(), true);
    assert_eq!(left(&work), [130, 260]);
    cancel_lines(&mut work, id(ORDER), &[of_seller(1)], REASON, true, None).unwrap();
    assert_eq!(left(&work), [130, 160]);
    cancel_lines(&mut work, id(ORDER), &[of_seller(1)], REASON, true, None).unwrap();
    assert_eq!(left(&work), [130, 0]);
    cancel_lines(&mut work, id(ORDER), &[lamps(1)], REASON, true, None).unwrap();
    assert_eq!(left(&work), [0, 0]);
    let notes = [(cents(100), None), (cents(160), Some(cents(60))), (cents(130), Some(cents(30)))];
    assert_eq!(credited(work), notes);
}

#[test]
fn less_is_due_of_an_unpaid_part_that_is_cancelled() {
    let mut work = work_on(of_two(), false);
    cancel_lines(&mut work, id(ORDER), &[of_seller(2)], REASON, true, None).unwrap();
    assert_eq!(work.get::<Payment>(id(PAYMENT)).unwrap().live().unwrap().amount, cents(130));
    assert_eq!(left(&work), [130, 0]);
}

#[test]
fn goods_are_worth_at_most_what_is_left_of_their_part() {
    let mut work = work_on(of_two(), true);
    back(&mut work, 200, SELLER).unwrap();
    let refused = back(&mut work, 61, SELLER).unwrap_err();
    assert_eq!(refused, Refused::from(order::Rejection::TooMuchOfPart { left: cents(60) }));
    let mut work = work_on(of_two(), true);
    back(&mut work, 200, SELLER).unwrap();
    cancel_lines(&mut work, id(ORDER), &[of_seller(2)], REASON, true, None).unwrap();
    assert_eq!(left(&work), [130, 0]);
    back(&mut work, 130, HOUSE).unwrap();
    assert_eq!(credited(work), [(cents(200), None), (cents(60), None), (cents(130), None)]);
}

#[test]
fn staff_refunds_the_shipping_of_the_part_whose_lines_are_cancelled() {
    let cancel =
        |work: &mut Work, shipping| cancel_lines(work, id(ORDER), &[of_seller(1)], REASON, true, Some(shipping));
    let mut work = work_on(of_two(), true);
    let refused = cancel(&mut work, ShippingBack::Some(cents(61))).unwrap_err();
    assert_eq!(refused, Refused::from(order::Rejection::TooMuchShipping { left: cents(60) }));
    let mut work = work_on(of_two(), true);
    cancel(&mut work, ShippingBack::All).unwrap();
    assert_eq!(left(&work), [130, 100]);
    assert_eq!(credited(work), [(cents(100), None), (cents(60), Some(cents(60)))]);
}

#[test]
fn lines_of_several_parts_are_refused_unless_they_are_all_that_is_left() {
    let mut work = work_on(of_two(), true);
    let refused = cancel_lines(&mut work, id(ORDER), &[lamps(1), of_seller(1)], REASON, true, None).unwrap_err();
    assert_eq!(refused, Refused::from(order::Rejection::SeveralParts));
    let mut work = work_on(of_two(), true);
    cancel_lines(&mut work, id(ORDER), &[lamps(1), of_seller(2)], REASON, true, None).unwrap();
    assert_eq!(left(&work), [0, 0]);
    assert_eq!(credited(work), [(cents(390), Some(cents(90)))]);
}
