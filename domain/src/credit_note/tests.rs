//! Rules of credit notes.

use super::*;
use crate::basis_points::BasisPoints;
use crate::codec::{decode, encode};
use crate::commission::CommissionTax;
use crate::ids::SellerId;
use crate::testing::{cents, given, golden, id, pieces, price, text, well_said};
use crate::{Personal, Subject};

fn line(number: i64, amount: i64) -> Line {
    Line {
        variant: id(1),
        sku: text("85123A"),
        quantity: pieces(number),
        unit_price: price(amount),
        exact_price: None,
        share: false,
        amount: cents(number * amount),
        order: None,
    }
}

fn content() -> Content {
    let lines = vec![line(2, 10), Line { order: Some(id(4)), ..line(1, 5) }];
    let buyer = Buyer { account: None, reference: Some(text("16321")) };
    Content {
        reference: text("C489449"),
        buyer,
        country: text("Australia"),
        lines,
        shipping: None,
        total: cents(25),
        taxes: None,
        order: None,
        refund: None,
        dispute: None,
        reason: None,
        seller: None,
        supplier: None,
        sellers: vec![],
        gift_cards: None,
    }
}

fn taxed(net: i64, tax: i64) -> Taxed {
    Taxed { rate: BasisPoints::new(1_900).unwrap().into(), included: true, net: cents(net), tax: cents(tax) }
}

#[test]
fn it_is_issued_once() {
    given::<CreditNote>([]).when(&Command::Issue(content())).then([Event::Issued(content())]);
    given::<CreditNote>([Event::Issued(content())]).when(&Command::Issue(content())).then_nothing();
    let other = Content { reference: text("C1"), ..content() };
    given::<CreditNote>([Event::Issued(content())]).when(&Command::Issue(other)).then_refused(Rejection::Exists);
}

#[test]
fn its_sums_are_right() {
    let refused = |content, rejection| given::<CreditNote>([]).when(&Command::Issue(content)).then_refused(rejection);
    refused(Content { lines: vec![], ..content() }, Rejection::NoLines);
    refused(Content { total: cents(24), ..content() }, Rejection::WrongTotal);
    let mut wrong = content();
    wrong.lines[1].amount = cents(6);
    refused(wrong, Rejection::WrongAmount { line: 1 });
    refused(Content { lines: vec![line(1, 0); LINES_MAX + 1], ..content() }, Rejection::TooManyLines);
    let total = cents(i64::try_from(LINES_MAX).unwrap());
    let most = Content { lines: vec![line(1, 1); LINES_MAX], total, ..content() };
    given::<CreditNote>([]).when(&Command::Issue(most.clone())).then([Event::Issued(most)]);
}

#[test]
fn what_was_paid_for_sending_counts_in() {
    let with = |shipping, total| Content { shipping: Some(cents(shipping)), total: cents(total), ..content() };
    given::<CreditNote>([]).when(&Command::Issue(with(5, 30))).then([Event::Issued(with(5, 30))]);
    for wrong in [with(5, 25), with(0, 25), with(-5, 20)] {
        given::<CreditNote>([]).when(&Command::Issue(wrong)).then_refused(Rejection::WrongTotal);
    }
}

#[test]
fn what_is_taxed_is_no_more_than_the_total() {
    let alone = |total, taxes: Vec<Taxed>, shipping| {
        let refund = Some(id(5));
        Content { lines: vec![], total: cents(total), taxes: Some(taxes), shipping, refund, ..content() }
    };
    for right in [alone(119, vec![taxed(100, 19)], None), alone(120, vec![taxed(100, 19)], Some(cents(120)))] {
        given::<CreditNote>([]).when(&Command::Issue(right.clone())).then([Event::Issued(right)]);
    }
    let many = alone(119, vec![taxed(100, 19), taxed(1, 0)], None);
    for wrong in [many, alone(119, vec![taxed(-1, 19)], None), alone(119, vec![], Some(cents(118)))] {
        given::<CreditNote>([]).when(&Command::Issue(wrong)).then_refused(Rejection::WrongTotal);
    }
}

#[test]
fn an_exact_price_is_rounded_once_per_line() {
    let exact = ExactPrice::new("0.034").unwrap();
    let line = Line { exact_price: Some(exact), amount: cents(340), ..line(100, 3) };
    let content = Content { lines: vec![line], total: cents(340), ..content() };
    given::<CreditNote>([]).when(&Command::Issue(content.clone())).then([Event::Issued(content)]);
}

/// Two pieces for 0.10 each, for which 0.19 was paid.
fn of_share() -> Content {
    Content { lines: vec![Line { share: true, amount: cents(19), ..line(2, 10) }], total: cents(19), ..content() }
}

#[test]
fn a_line_that_refunds_a_share_of_the_payment_is_stored_as_such() {
    let issued = Event::Issued(of_share());
    let stored = encode(&issued).unwrap();
    assert_eq!(decode::<Event>("issued", 1, &stored.data).unwrap(), issued);
    // A line that refunds its price times its quantity has no such field.
    assert!(!encode(&Event::Issued(content())).unwrap().data.contains("share"));
}

#[test]
fn every_stored_form_is_golden() {
    let sent = Content { shipping: Some(cents(5)), total: cents(30), ..content() };
    let (refund, taxes) = (Some(id(5)), Some(vec![taxed(21, 4)]));
    let alone = Content { lines: vec![], taxes, refund, reason: Some(text("a scratch")), ..content() };
    let of_dispute = Content { dispute: Some(id(8)), ..alone.clone() };
    let amount = cents(4);
    let commission_tax = Some(CommissionTax { rate: taxed(21, 4).rate, amount: cents(1) });
    let of_seller = SellerShare {
        seller: id(71),
        amount: cents(25),
        tax: amount,
        commission: cents(3),
        commission_tax,
        supplies: false,
    };
    let shared = Content { sellers: vec![of_seller], taxes: Some(vec![taxed(21, 4)]), ..content() };
    let legal = Personal::new(Subject::from(id::<SellerId>(71)), "legal");
    let supplier = Supplier { seller: id(71), handle: text("copper-kettles"), legal };
    let own = Content {
        reference: text("CN-COPPER-KETTLES-2026-000001"),
        sellers: vec![SellerShare { supplies: true, ..of_seller }],
        supplier: Some(supplier),
        ..shared.clone()
    };
    golden(
        include_str!("golden.json"),
        &[content(), sent, alone, of_share(), shared, own, of_dispute].map(Event::Issued),
    );
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[R::Exists, R::NoLines, R::TooManyLines, R::WrongAmount { line: 0 }, R::WrongTotal]);
}
