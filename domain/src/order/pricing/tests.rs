//! The parts of an order are the whole, or it is not placed.

use super::*;
use crate::basis_points::BasisPoints;
use crate::order::{CancelReason, Command, Event, Order, ReturnLine};
use crate::pricing::{Discount, Share};
use crate::product::TaxClass;
use crate::promotion::CouponCode;
use crate::shipping_book::Days;
use crate::testing::{cents, given, golden, id, noon, pieces, price, text};

fn tax(included: bool, amount: i64) -> LineTax {
    let rate = BasisPoints::new(1_900).unwrap().into();
    LineTax { class: TaxClass::Standard, rate, included, amount: cents(amount) }
}

/// Two at 10.00 less 2.00, sent for 4.90 less 0.90; with the tax on top of the goods, and within the price of sending.
fn priced() -> Placement {
    let line = Line {
        variant: id(1),
        product: id(9),
        sku: text("L-1"),
        title: text("Lamp"),
        quantity: pieces(2),
        unit_price: price(1_000),
        exact_price: None,
        amount: cents(2_000),
        discount: Some(cents(200)),
        tax: Some(tax(false, 342)),
        digital: false,
        commission: None,
        keys: false,
        downloads: false,
        gift_cards: false,
        seller: None,
    };
    let discount = Discount {
        promotion: id(8),
        version: 3,
        code: Some(CouponCode::new("SPRING").unwrap()),
        label: text("Spring"),
        amount: cents(290),
        lines: vec![Share { line: 0, amount: cents(200) }],
        shipping: Some(cents(90)),
        of_whole: false,
    };
    let shipping = Shipping {
        zone: text("home"),
        service: text("parcel"),
        name: text("Parcel"),
        carrier: Some(text("Post")),
        weight_g: 1_200,
        days: Days { min: 1, max: 3 },
        price: price(490),
        discount: cents(90),
        tax: Some(tax(true, 64)),
    };
    Placement {
        buyer: Buyer::default(),
        cart: Some(id(2)),
        access_hash: None,
        destination: Destination::to(text("DE")),
        lines: vec![line],
        discounts: vec![discount],
        shipping: Some(shipping),
        claims: vec![id(7)],
        total: cents(2_000 - 200 + 342 + 490 - 90),
        payment: id(3),
        pay_by: Some(noon()),
        reference: None,
        imported: false,
        part_shipping: vec![],
        tax_rounding: crate::tax_book::Rounding::Line,
    }
}

fn place(placement: Placement) -> Command {
    Command::Place(Box::new(placement))
}

#[test]
fn an_order_is_placed_whose_parts_are_the_whole() {
    let order = priced();
    assert_eq!((order.subtotal(), order.discount(), order.tax()), (Ok(cents(2_000)), Ok(cents(290)), Ok(cents(406))));
    given::<Order>([]).when(&place(order.clone())).then([Event::Placed(order)]);
}

#[test]
fn parts_that_are_not_the_whole_are_refused() {
    type Change = fn(&mut Placement);
    let wrong: [(Change, Rejection); 9] = [
        (|it| it.total = cents(2_541), Rejection::WrongTotal),
        (|it| it.lines[0].discount = None, Rejection::WrongAmount { line: 0 }),
        (|it| it.lines[0].discount = Some(cents(201)), Rejection::WrongAmount { line: 0 }),
        (|it| it.lines[0].tax = Some(tax(false, -1)), Rejection::WrongAmount { line: 0 }),
        (|it| it.lines[0].tax = Some(tax(true, 342)), Rejection::WrongTotal),
        (|it| it.discounts[0].lines[0].line = 1, Rejection::WrongAmount { line: 0 }),
        (|it| it.discounts[0].amount = cents(291), Rejection::WrongTotal),
        (|it| it.discounts[0].shipping = None, Rejection::WrongTotal),
        (|it| it.shipping = None, Rejection::WrongTotal),
    ];
    for (change, rejection) in wrong {
        let mut placement = priced();
        change(&mut placement);
        given::<Order>([]).when(&place(placement)).then_refused(rejection);
    }
}

#[test]
fn a_buyer_cannot_cancel_a_part_and_keep_a_discount_for_the_whole() {
    let mut placement = priced();
    let cancel_lines = |reason| {
        let lines = vec![ReturnLine { variant: id(1), quantity: pieces(1), amount: cents(1_071) }];
        Command::CancelLines { lines, shipping: None, reason, refund: None, credit_note: None, restock: true }
    };
    let off = |reason| {
        let Command::CancelLines { lines, .. } = cancel_lines(reason) else { panic!("it cancels lines") };
        let (amount, was_paid) = (cents(1_071), false);
        Event::LinesCancelled {
            lines,
            amount,
            shipping: None,
            reason,
            was_paid,
            refund: None,
            credit_note: None,
            written_off: vec![],
        }
    };
    let (buyer, staff) = (CancelReason::BuyerRequest, CancelReason::StaffRequest);
    given::<Order>([Event::Placed(placement.clone())]).when(&cancel_lines(buyer)).then([off(buyer)]);
    placement.discounts[0].of_whole = true;
    let history = [Event::Placed(placement)];
    given::<Order>(history.clone()).when(&cancel_lines(buyer)).then_refused(Rejection::DiscountOfWhole);
    given::<Order>(history).when(&cancel_lines(staff)).then([off(staff)]);
}

#[test]
fn no_discount_is_more_than_what_it_is_taken_off_of() {
    let mut placement = priced();
    placement.lines[0].discount = Some(cents(2_001));
    placement.discounts[0].lines[0].amount = cents(2_001);
    placement.discounts[0].amount = cents(2_091);
    placement.total = cents(741);
    given::<Order>([]).when(&place(placement)).then_refused(Rejection::WrongAmount { line: 0 });
}

#[test]
fn every_stored_form_is_golden() {
    golden(include_str!("../golden.json"), &[Event::Placed(priced())]);
}
