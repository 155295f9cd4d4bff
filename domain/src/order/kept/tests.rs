//! Rules of what is kept of orders with goods of sellers.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::basis_points::BasisPoints;
use crate::cart::Destination;
use crate::order::{Buyer, CancelReason, Order, ReturnLine};
use crate::pricing::Shipping;
use crate::product::TaxClass;
use crate::tax_rate::TaxRate;
use crate::testing::{cents, id, parcel_at, pieces, price, text};

fn ada() -> SellerId {
    id(71)
}

fn rate(hundredths: u16) -> TaxRate {
    BasisPoints::new(hundredths).unwrap().into()
}

fn taxed(hundredths: u16, amount: i64) -> LineTax {
    let (rate, included) = (rate(hundredths), true);
    LineTax { class: TaxClass::Standard, rate, included, amount: rate.within(cents(amount)).unwrap() }
}

/// A commission of so many cents, with 20 % of tax.
fn commission(amount: i64) -> Commission {
    let tax = CommissionTax { rate: rate(2_000), amount: rate(2_000).of(cents(amount)).unwrap() };
    Commission { amount: cents(amount), tax: Some(tax), rule: None }
}

fn line(variant: u128, number: i64, amount: i64) -> Line {
    Line {
        variant: id(variant),
        product: id(9),
        sku: text("L-1"),
        title: text("Lamp"),
        quantity: pieces(number),
        unit_price: price(amount),
        exact_price: None,
        digital: false,
        keys: false,
        downloads: false,
        gift_cards: false,
        seller: None,
        amount: cents(amount * number),
        discount: None,
        tax: Some(taxed(1_900, amount * number)),
        commission: None,
    }
}

fn sold(variant: u128, number: i64, amount: i64, charged: i64) -> Line {
    Line { seller: Some(ada()), commission: Some(commission(charged)), ..line(variant, number, amount) }
}

/// Of the house 1 × 11.90; of a seller 3 × 1.19 with 0.10 of commission, and 1 × 10.70 at 7 % with 1.00; 2.38 for sending.
fn placement() -> Placement {
    let cheap = Line { tax: Some(taxed(700, 1_070)), ..sold(3, 1, 1_070, 100) };
    let lines = vec![line(1, 1, 1_190), sold(2, 3, 119, 10), cheap];
    let sums = cents(lines.iter().map(|line| line.amount.amount).sum::<i64>() + 238);
    Placement {
        shipping: Some(Shipping { tax: Some(taxed(1_900, 238)), ..parcel_at(238) }),
        total: sums,
        ..Placement::past(Buyer::default(), Destination::to(text("DE")), lines, cents(0), id(3))
    }
}

fn kept(events: &[Event]) -> Kept {
    let history = [&[Event::Placed(placement())], events].concat();
    crate::fold::<Order>(&history).live().unwrap().kept.clone()
}

fn cancelled(variant: u128, number: i64, amount: i64, shipping: Option<i64>) -> Event {
    Event::LinesCancelled {
        lines: vec![ReturnLine { variant: id(variant), quantity: pieces(number), amount: cents(amount) }],
        amount: cents(amount),
        shipping: shipping.map(cents),
        reason: CancelReason::StaffRequest,
        was_paid: true,
        refund: Some(id(4)),
        credit_note: Some(id(5)),
        written_off: vec![],
    }
}

fn credited(amount: i64, shipping: bool, parts: Vec<PartShare>) -> Event {
    let (credit_note, refund, revoked) = (id(6), id(7), vec![]);
    Event::Credited { credit_note, refund, amount: cents(amount), shipping, revoked, downloads: Vec::new(), parts }
}

fn of_ada(amount: i64) -> Vec<PartShare> {
    vec![PartShare { seller: Some(ada()), amount: cents(amount) }]
}

/// Amount, tax, commission, its tax, and what is owed.
fn said(share: &SellerShare) -> [i64; 5] {
    let SellerShare { amount, tax, commission, .. } = share;
    [amount.amount, tax.amount, commission.amount, share.tax_on_commission(), share.owed().amount]
}

/// The taxes as their rates, nets and taxes, and what goes back of the seller.
type Back = (Vec<(u16, i64, i64)>, Vec<[i64; 5]>);

fn back(before: &[Event], after: &[Event]) -> Back {
    let TakenBack { taxes, sellers } = kept(&[before, after].concat()).taken_since(&kept(before), None);
    let taxes = taxes.iter().map(|it| (it.rate.rounded_bps().get(), it.net.amount, it.tax.amount)).collect();
    (taxes, sellers.iter().map(said).collect())
}

#[test]
fn a_seller_has_what_was_paid_without_tax_less_the_commission() {
    // 3.57 and 10.70 of goods, and 1.30 of 2.38 for sending.
    let shares: Vec<_> = kept(&[]).shares().iter().map(said).collect();
    assert_eq!(shares, [[1_557, 57 + 70 + 21, 110, 22, 1_277]]);
    assert_eq!(kept(&[]).amounts(), [1_298, 1_557]);
}

/// The payment of the order, of which the seller supplies its part in its own name.
fn paid_to_ada() -> Event {
    let legal = crate::Personal::new(crate::Subject::from(ada()), "legal");
    let supplier = crate::issuer::Supplier { seller: ada(), handle: text("ada"), legal };
    let invoices = vec![crate::order::SellerInvoice { number: text("INV-ADA-2026-000001"), supplier }];
    let (payment, commit, invoice, seller, keys) = (id(3), vec![], Some(text("INV-2026-000001")), None, vec![]);
    Event::Paid { payment, commit, invoice, seller, invoices, stock_moved: true, keys, in_part: false }
}

#[test]
fn a_seller_that_supplies_in_its_own_name_has_the_tax_too() {
    let paid = [paid_to_ada()];
    let shares: Vec<_> = kept(&paid).shares().iter().map(said).collect();
    assert_eq!(shares, [[1_557, 57 + 70 + 21, 110, 22, 1_277 + 57 + 70 + 21]]);
    let sums = |taxed: Vec<Taxed>| taxed.iter().map(|it| it.tax.amount).sum::<i64>();
    assert_eq!((sums(kept(&paid).taxed_by(None)), sums(kept(&paid).taxed_by_sellers())), (190 + 17, 57 + 70 + 21));
    let off = [paid_to_ada(), cancelled(2, 1, 119, None)];
    let of = |supplier| kept(&off).taken_since(&kept(&paid), supplier);
    assert_eq!(of(Some(ada())).sellers.iter().map(said).collect::<Vec<_>>(), [[119, 19, 3, 1, 115]]);
    assert_eq!(of(None), TakenBack { taxes: vec![], sellers: vec![] });
}

#[test]
fn returned_pieces_take_back_their_share_of_tax_and_commission() {
    let one = [cancelled(2, 1, 119, None)];
    assert_eq!(back(&[], &one), (vec![(1_900, 100, 19)], vec![[119, 19, 3, 1, 96]]));
    assert_eq!(back(&one, &one), (vec![(1_900, 100, 19)], vec![[119, 19, 4, 0, 96]]));
    let two = [one.clone(), one.clone()].concat();
    assert_eq!(back(&two, &one), (vec![(1_900, 100, 19)], vec![[119, 19, 3, 1, 96]]));
    // What is of the house is not of the seller.
    assert_eq!(back(&[], &[cancelled(1, 1, 1_190, None)]), (vec![(1_900, 1_000, 190)], vec![]));
}

#[test]
fn shipping_has_no_commission() {
    let all = [cancelled(3, 1, 1_070, Some(130))];
    assert_eq!(back(&[], &all), (vec![(1_900, 109, 21), (700, 1_000, 70)], vec![[1_200, 91, 100, 20, 989]]));
    let shipping = [credited(130, true, of_ada(130))];
    assert_eq!(back(&[], &shipping), (vec![(1_900, 109, 21)], vec![[130, 21, 0, 0, 109]]));
}

#[test]
fn money_alone_is_taken_from_everything_that_is_kept_of_its_part() {
    let some = [credited(157, false, of_ada(157))];
    // 0.36 and 1.08 of the goods, 0.13 of the shipping.
    assert_eq!(kept(&some).amounts(), [1_298, 1_400]);
    assert_eq!(back(&[], &some), (vec![(1_900, 41, 8), (700, 101, 7)], vec![[157, 15, 11, 2, 129]]));
    // What exceeds what is kept of a line is taken from the rest of its part.
    let more = [cancelled(3, 1, 1_070, None)];
    let (_, sellers) = back(&some, &more);
    assert_eq!(sellers[0][0], 1_070);
    assert_eq!(kept(&[&some[..], &more].concat()).amounts(), [1_298, 330]);
}

#[test]
fn nothing_is_kept_of_a_cancelled_order() {
    let cancel = Event::Cancelled {
        reason: CancelReason::StaffRequest,
        payment: id(3),
        was_paid: true,
        release: vec![],
        due: None,
        credit_note: Some(id(5)),
        further_notes: vec![],
        lost: vec![],
        stock_moved: true,
    };
    let (taxes, sellers) = back(&[], std::slice::from_ref(&cancel));
    assert_eq!((taxes.len(), sellers), (2, vec![[1_557, 148, 110, 22, 1_277]]));
    assert!(kept(&[cancel]).taxed().is_empty());
}

#[test]
fn orders_without_a_recorded_commission_are_the_houses() {
    let mut old = placement();
    for line in &mut old.lines {
        line.commission = None;
    }
    let order: Order = crate::fold(&[Event::Placed(old)]);
    let placed = order.live().unwrap();
    assert!(!placed.kept.is_shared() && placed.kept.shares().is_empty());
}

proptest! {
    #[test]
    fn what_is_taken_back_in_steps_is_what_was_shared(
        steps in vec((0..3u8, 1..500i64, any::<bool>()), 1..20),
    ) {
        let (whole, mut history, mut before) = (kept(&[]), Vec::new(), kept(&[]));
        let mut taken = [0; 5];
        for (variant, amount, named) in steps {
            let of_seller = before.amounts()[1];
            let amount = amount.min(of_seller);
            let goods = cancelled(u128::from(variant % 2) + 2, 1, amount, None);
            history.push(if named { goods } else { credited(amount, variant == 0, of_ada(amount)) });
            let after = kept(&history);
            let TakenBack { taxes, sellers } = after.taken_since(&before, None);
            let gross: i64 = taxes.iter().map(|it| it.gross().unwrap().amount).sum();
            prop_assert_eq!(gross, amount);
            prop_assert!(taxes.iter().all(|it| it.net.amount >= 0 && it.tax.amount >= 0));
            for share in &sellers {
                prop_assert!(said(share)[..4].iter().all(|it| *it >= 0));
                taken.iter_mut().zip(said(share)).for_each(|(sum, it)| *sum += it);
            }
            let tax: i64 = taxes.iter().map(|it| it.tax.amount).sum();
            prop_assert_eq!(sellers.iter().map(|it| it.tax.amount).sum::<i64>(), tax);
            before = after;
        }
        let left = before.shares().first().map_or([0; 5], said);
        let all = said(&whole.shares()[0]);
        for index in 0..5 {
            prop_assert_eq!(taken[index] + left[index], all[index]);
        }
        if before.amounts()[1] == 0 {
            prop_assert_eq!(left, [0; 5]);
        }
    }
}
