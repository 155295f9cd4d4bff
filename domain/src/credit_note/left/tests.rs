//! The taxes of credit notes, for any refunds in any order.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::basis_points::BasisPoints;
use crate::cart::Destination;
use crate::credit_note::Line as NoteLine;
use crate::order::{Buyer, CancelReason, Event, Line, Order, Placement};
use crate::pricing::Shipping;
use crate::product::TaxClass;
use crate::quantity::Demand;
use crate::testing::{cents, id, parcel_at, pieces, price, text};

fn tax(rate: u16, included: bool, left: i64) -> LineTax {
    let rate = TaxRate::from(BasisPoints::new(rate).unwrap());
    let amount = if included { rate.within(cents(left)) } else { rate.of(cents(left)) };
    LineTax { class: TaxClass::Standard, rate, included, amount: amount.unwrap() }
}

/// The line of a variant: pieces, price, discount and rate.
#[derive(Debug, Clone, Copy)]
struct Bought(i64, i64, i64, Option<u16>);

fn line(variant: u128, Bought(quantity, unit, off, rate): Bought, included: bool) -> Line {
    let amount = quantity * unit;
    let off = off.min(amount);
    Line {
        variant: id(variant),
        product: id(9),
        sku: text("L-1"),
        title: text("Lamp"),
        quantity: pieces(quantity),
        unit_price: price(unit),
        exact_price: None,
        digital: false,
        commission: None,
        keys: false,
        downloads: false,
        gift_cards: false,
        seller: None,
        amount: cents(amount),
        discount: (off > 0).then(|| cents(off)),
        tax: rate.map(|rate| tax(rate, included, amount - off)),
    }
}

fn sent(costs: i64, included: bool) -> Shipping {
    Shipping { tax: Some(tax(1_900, included, costs)), ..parcel_at(costs) }
}

/// An order of these lines that is paid, with the first piece cancelled if that is said.
fn paid(bought: &[Bought], shipping: Option<i64>, included: bool, less: bool) -> Placed {
    let lines: Vec<Line> = (1..).zip(bought).map(|(variant, bought)| line(variant, *bought, included)).collect();
    let shipping = shipping.map(|costs| sent(costs, included));
    let sums = lines.iter().map(|line| line.total().unwrap()).chain(shipping.iter().map(|it| it.total().unwrap()));
    let placement = Placement {
        total: Money::sum(crate::Currency::EUR, sums).unwrap(),
        lines,
        shipping,
        ..Placement::past(Buyer::default(), Destination::to(text("DE")), vec![], cents(0), id(3))
    };
    let demand = Demand { variant: id(1), quantity: pieces(1) };
    let mut history = vec![Event::Placed(placement)];
    if less {
        let placed = crate::fold::<Order>(&history).live().unwrap().clone();
        let lines = placed.valued(&[demand], placed.payable());
        let (amount, reason) = (lines[0].amount, CancelReason::BuyerRequest);
        let (refund, credit_note) = (None, None);
        history.push(Event::LinesCancelled {
            lines,
            amount,
            shipping: None,
            reason,
            was_paid: false,
            refund,
            credit_note,
            written_off: vec![],
        });
    }
    history.push(Event::Paid {
        payment: id(3),
        commit: vec![],
        invoice: None,
        seller: None,
        invoices: vec![],
        stock_moved: false,
        keys: vec![],
        in_part: false,
    });
    crate::fold::<Order>(&history).live().unwrap().clone()
}

/// A credit note for a line, for shipping, or for money alone.
fn note(order: &Placed, of: Of, amount: i64) -> Content {
    let mut note = Content {
        reference: text("CN-1"),
        buyer: Buyer::default(),
        country: text("DE"),
        lines: vec![],
        shipping: None,
        total: cents(amount),
        taxes: None,
        order: Some(id(4)),
        refund: Some(id(5)),
        dispute: None,
        reason: None,
        supplier: None,
        seller: None,
        sellers: vec![],
        gift_cards: None,
    };
    match of {
        Of::Line(index) => {
            let bought = &order.placement.lines[index % order.placement.lines.len()];
            note.lines.push(NoteLine {
                variant: bought.variant,
                sku: bought.sku.clone(),
                quantity: pieces(1),
                unit_price: bought.unit_price,
                exact_price: None,
                amount: cents(amount),
                share: true,
                order: None,
            });
        }
        Of::Sending => note.shipping = Some(cents(amount)),
        Of::Nothing => {}
    }
    note
}

#[derive(Debug, Clone, Copy)]
enum Of {
    Line(usize),
    Sending,
    Nothing,
}

fn of() -> impl Strategy<Value = Of> {
    prop_oneof![(0usize..4).prop_map(Of::Line), Just(Of::Sending), Just(Of::Nothing)]
}

fn said_of(taxes: &[Taxed]) -> Vec<(u16, i64, i64)> {
    taxes.iter().map(|it| (it.rate.rounded_bps().get(), it.net.amount, it.tax.amount)).collect()
}

/// Two lamps at 19 %, a book at 7 % and a stamp without tax, sent for 5.95.
fn shop() -> Placed {
    let bought = [Bought(2, 5_950, 0, Some(1_900)), Bought(1, 1_070, 0, Some(700)), Bought(1, 500, 0, None)];
    paid(&bought, Some(595), true, false)
}

#[test]
fn lines_cancelled_before_the_payment_are_not_invoiced() {
    let order = shop();
    assert_eq!(said_of(&order.invoiced), [(1_900, 10_500, 1_995), (700, 1_000, 70)]);
    let bought = [Bought(2, 5_950, 0, Some(1_900)), Bought(1, 1_070, 0, Some(700))];
    assert_eq!(said_of(&paid(&bought, None, true, true).invoiced), [(1_900, 5_000, 950), (700, 1_000, 70)]);
    let on_top = [Bought(3, 1_000, 1_000, Some(1_900))];
    assert_eq!(said_of(&paid(&on_top, None, false, true).invoiced), [(1_900, 1_334, 253)]);
}

#[test]
fn money_alone_is_split_over_everything_and_the_rest_takes_what_is_left() {
    let order = shop();
    let mut notes = vec![note(&order, Of::Nothing, 1_000)];
    notes[0].taxes = Some(Left::after(&order, []).unwrap().taxes(&notes[0]).unwrap());
    // 124.95, 10.70 and 5.00 of 140.65: 8.88, 0.76 and 0.36.
    assert_eq!(said_of(notes[0].taxes.as_ref().unwrap()), [(1_900, 746, 142), (700, 71, 5)]);
    let left = Left::after(&order, &notes).unwrap();
    let all = left.taxes(&note(&order, Of::Nothing, left.total().unwrap().amount)).unwrap();
    assert_eq!(said_of(&all), [(1_900, 10_500 - 746, 1_995 - 142), (700, 1_000 - 71, 70 - 5)]);
}

#[test]
fn goods_and_sending_take_back_the_tax_that_they_had() {
    let order = shop();
    let left = Left::after(&order, []).unwrap();
    assert_eq!(said_of(&left.taxes(&note(&order, Of::Line(1), 1_070)).unwrap()), [(700, 1_000, 70)]);
    assert_eq!(said_of(&left.taxes(&note(&order, Of::Line(2), 500)).unwrap()), []);
    assert_eq!(said_of(&left.taxes(&note(&order, Of::Sending, 595)).unwrap()), [(1_900, 500, 95)]);
}

#[test]
fn an_order_without_taxes_gives_none_back() {
    let order = paid(&[Bought(2, 5_950, 0, None)], None, true, false);
    let left = Left::after(&order, []).unwrap();
    assert_eq!(left.taxes(&note(&order, Of::Nothing, 100)).unwrap(), []);
    assert_eq!(left.total().unwrap(), cents(11_900));
}

/// Only imported orders have a variant on several lines; the taxes in their prices were not separated.
#[test]
fn a_variant_on_several_lines_gives_back_what_was_paid_and_no_tax() {
    let lines = [Bought(3, 100, 0, None), Bought(2, 90, 0, None)].map(|bought| line(1, bought, true)).to_vec();
    let past = Placement::past(Buyer::default(), Destination::to(text("DE")), lines, cents(480), id(3));
    let history = [
        Event::Placed(past),
        Event::Paid {
            payment: id(3),
            commit: vec![],
            invoice: None,
            seller: None,
            invoices: vec![],
            stock_moved: false,
            keys: vec![],
            in_part: false,
        },
    ];
    let order = crate::fold::<Order>(&history).live().unwrap().clone();
    let notes = [note(&order, Of::Line(1), 90), note(&order, Of::Line(0), 390)];
    assert_eq!(Left::after(&order, &notes[..1]).unwrap().taxes(&notes[1]).unwrap(), []);
    assert_eq!(Left::after(&order, &notes).unwrap().total().unwrap(), cents(0));
}

#[test]
fn credit_notes_that_do_not_say_their_tax_had_it_within_their_lines() {
    let order = shop();
    let old = [note(&order, Of::Line(0), 5_950), note(&order, Of::Nothing, 100)];
    assert_eq!(said_of(&said(&order, &old[0]).unwrap()), [(1_900, 5_000, 950)]);
    assert_eq!(said(&order, &old[1]).unwrap(), []);
    let left = Left::after(&order, &old).unwrap();
    assert_eq!(left.total().unwrap(), cents(6_545 + 1_070 + 400));
}

fn bought() -> impl Strategy<Value = Bought> {
    let rates = prop_oneof![Just(None), Just(Some(0)), Just(Some(700)), Just(Some(1_900)), Just(Some(2_550))];
    (1i64..4, 0i64..4_000, 0i64..500, rates).prop_map(|(quantity, unit, off, rate)| Bought(quantity, unit, off, rate))
}

proptest! {
    #[test]
    fn no_more_tax_goes_back_than_was_paid_and_with_all_of_the_money_all_of_it(
        bought in vec(bought(), 1..5),
        shipping in option::of(0i64..900),
        included: bool,
        less: bool,
        steps in vec((of(), 0i64..=100), 0..8),
    ) {
        let order = paid(&bought, shipping, included, less);
        let sum = |taxes: &[Taxed]| taxes.iter().map(|it| it.gross().unwrap().amount).sum::<i64>();
        prop_assert!(sum(&order.invoiced) <= order.payable().amount);
        let mut notes: Vec<Content> = vec![];
        for (of, percent) in steps.into_iter().chain([(Of::Nothing, 100)]) {
            let left = Left::after(&order, &notes).unwrap();
            let before = left.total().unwrap().amount;
            let amount = before * percent / 100;
            let mut it = note(&order, of, amount);
            let taxes = left.taxes(&it).unwrap();
            for taxed in &taxes {
                let there = left.taxed.iter().find(|it| kind(it) == kind(taxed)).unwrap();
                prop_assert!((0..=there.tax.amount).contains(&taxed.tax.amount), "{taxed:?} of {there:?}");
                prop_assert!((0..=there.net.amount).contains(&taxed.net.amount), "{taxed:?} of {there:?}");
                if let Of::Nothing = of {
                    // In proportion to what is left, to less than a cent.
                    let gross = |it: &Taxed| i128::from(it.gross().unwrap().amount);
                    let exact = i128::from(amount) * gross(there);
                    prop_assert!((gross(taxed) * i128::from(before) - exact).abs() < i128::from(before));
                }
            }
            prop_assert!(sum(&taxes) <= amount);
            it.taxes = Some(taxes);
            notes.push(it);
            let after = Left::after(&order, &notes).unwrap().total().unwrap().amount;
            prop_assert_eq!(after, before - amount, "what goes back is not what was left");
        }
        for paid in &order.invoiced {
            let back = notes.iter().flat_map(|note| note.taxes.iter().flatten()).filter(|it| kind(it) == kind(paid));
            let (net, tax) = back.fold((0, 0), |(net, tax), it| (net + it.net.amount, tax + it.tax.amount));
            prop_assert_eq!((net, tax), (paid.net.amount, paid.tax.amount));
        }
    }

    #[test]
    fn what_credit_notes_say_is_what_they_are_issued_with(bought in vec(bought(), 1..5), of in of(), percent in 1i64..=100) {
        let order = paid(&bought, Some(500), true, false);
        let left = Left::after(&order, []).unwrap();
        let mut it = note(&order, of, left.total().unwrap().amount * percent / 100);
        prop_assume!(it.total.amount > 0);
        it.taxes = Some(left.taxes(&it).unwrap());
        prop_assert!(super::super::issue(&it).is_ok());
    }
}
