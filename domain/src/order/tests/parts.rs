//! Rules of orders with several parts: each line is of one part, and the sums of the parts are those of the order.

use super::*;
use crate::commission::{AppliedRule, Commission, CommissionTax};
use crate::ids::{RefundId, SellerId};
use crate::testing::parcel_at;

fn ada() -> SellerId {
    id(71)
}

fn bob() -> SellerId {
    id(72)
}

fn of(seller: SellerId, line: Line) -> Line {
    Line { seller: Some(seller), ..line }
}

/// 2 × 10 of the house, 3 × 10 and a file for 5 of one seller, 1 × 40 of another, and 10 for sending.
fn of_three() -> Placement {
    let file = of(ada(), Line { digital: true, ..line(3, 1, 5) });
    let lines = vec![line(1, 2, 10), of(ada(), line(2, 3, 10)), file, of(bob(), line(4, 1, 40))];
    let placement = placement(lines);
    Placement { shipping: Some(parcel_at(10)), total: cents(placement.total.amount + 10), ..placement }
}

fn buys() -> Event {
    Event::Placed(of_three())
}

fn pays() -> Event {
    let commit = vec![demand(1, 2), demand(2, 3), demand(3, 1), demand(4, 1)];
    let (invoice, seller, keys) = (None, None, vec![]);
    Event::Paid { payment: id(3), commit, invoice, seller, invoices: vec![], stock_moved: true, keys, in_part: true }
}

fn state(history: &[Event]) -> Placed {
    crate::fold::<Order>(history).live().unwrap().clone()
}

fn sums(history: &[Event], of: impl Fn(&Part) -> Money) -> Vec<i64> {
    state(history).parts.all().iter().map(|part| of(part).amount).collect()
}

#[test]
fn a_part_that_its_seller_ships_has_that_price_and_the_others_share_the_price_of_the_house() {
    let own = |price| crate::pricing::PartShipping { seller: bob(), shipping: parcel_at(price) };
    let whole = of_three();
    let placement = Placement { part_shipping: vec![own(7)], total: cents(whole.total.amount + 7), ..whole.clone() };
    given::<Order>([]).when(&Command::Place(Box::new(placement.clone()))).then([Event::Placed(placement.clone())]);
    let history = [Event::Placed(placement.clone())];
    // The 10 of the house are split as 20 : 30.
    assert_eq!(sums(&history, |it| it.sums.shipping), [4, 6, 7]);
    assert_eq!(sums(&history, |it| it.sums.total), [24, 41, 47]);
    let state = state(&history);
    assert_eq!((state.shipping_left(), state.placement.shipping_price()), (cents(17), cents(17)));
    let mut off = own(7);
    off.shipping.discount = cents(1);
    let discounted = Placement { part_shipping: vec![off], total: cents(placement.total.amount - 1), ..placement };
    given::<Order>([]).when(&Command::Place(Box::new(discounted))).then_refused(Rejection::WrongTotal);
}

fn cancel_lines(lines: &[ReturnLine], shipping: Option<i64>) -> Command {
    let (reason, shipping) = (CancelReason::StaffRequest, shipping.map(cents));
    let (refund, credit_note) = (Some(id(4)), Some(id(5)));
    Command::CancelLines { lines: lines.to_vec(), shipping, reason, refund, credit_note, restock: true }
}

fn cancelled_lines(lines: &[ReturnLine], shipping: Option<i64>) -> Event {
    let amount = cents(lines.iter().map(|line| line.amount.amount).sum());
    let (lines, shipping, reason) = (lines.to_vec(), shipping.map(cents), CancelReason::StaffRequest);
    let (refund, credit_note, written_off) = (Some(id(4)), Some(id(5)), vec![]);
    Event::LinesCancelled { lines, amount, shipping, reason, was_paid: true, refund, credit_note, written_off }
}

fn share(seller: Option<SellerId>, amount: i64) -> PartShare {
    PartShare { seller, amount: cents(amount) }
}

fn credit_of(part: Option<u16>, amount: i64, shipping: bool) -> Command {
    Command::Credit {
        credit_note: id(6),
        refund: id(7),
        amount: cents(amount),
        shipping,
        keys: vec![],
        part,
        taken: vec![],
        imposed: false,
    }
}

fn credits(amount: i64, shipping: bool, parts: Vec<PartShare>) -> Event {
    Event::Credited {
        credit_note: id(6),
        refund: id(7),
        amount: cents(amount),
        shipping,
        revoked: vec![],
        downloads: vec![],
        parts,
    }
}

fn refunds(refund: Option<RefundId>, amount: Option<i64>) -> Event {
    Event::Refunded { payment: id(3), refund, amount: amount.map(cents) }
}

#[test]
fn an_order_has_a_part_for_each_seller_and_the_sums_are_exact() {
    let bought = state(&[buys()]);
    let sellers: Vec<_> = bought.parts.all().iter().map(|part| part.seller).collect();
    assert_eq!(sellers, [None, Some(ada()), Some(bob())]);
    assert_eq!(sums(&[buys()], |it| it.sums.subtotal), [20, 35, 40]);
    // 10 are split as 20 : 30 : 40, as a file is not shipped.
    assert_eq!(sums(&[buys()], |it| it.sums.shipping), [2, 3, 5]);
    assert_eq!(sums(&[buys()], |it| it.sums.total), [22, 38, 45]);
    assert_eq!(bought.parts.of_seller(bob()).map(|(number, part)| (number, part.kept())), Some((3, 1)));
    assert!(bought.parts.of_seller(id(73)).is_none());
    let alone = state(&[placed()]);
    assert_eq!((alone.parts.all().len(), alone.parts.are_several()), (1, false));
    assert_eq!(alone.parts.all()[0].payable, alone.payable());
}

#[test]
fn discounts_and_taxes_of_the_shipping_are_split_as_it_is() {
    let tax = |amount| crate::pricing::LineTax {
        class: crate::product::TaxClass::Standard,
        rate: crate::tax_rate::TaxRate::new(190_000).unwrap(),
        included: false,
        amount: cents(amount),
    };
    let lines = vec![line(1, 1, 10), of(ada(), line(2, 1, 10)), of(bob(), line(4, 1, 10))];
    let shipping = crate::pricing::Shipping { discount: cents(5), tax: Some(tax(1)), ..parcel_at(10) };
    let discount = crate::pricing::Discount {
        promotion: id(8),
        version: 1,
        code: None,
        label: text("Half"),
        amount: cents(5),
        lines: vec![],
        shipping: Some(cents(5)),
        of_whole: false,
    };
    let order = placement(lines);
    let total = cents(order.total.amount + 10 - 5 + 1);
    let order = Event::Placed(Placement { shipping: Some(shipping), discounts: vec![discount], total, ..order });
    let order = [order];
    assert_eq!(sums(&order, |it| it.sums.shipping), [4, 3, 3]);
    assert_eq!(sums(&order, |it| it.sums.discount), [2, 2, 1]);
    assert_eq!(sums(&order, |it| it.sums.shipping_due), [3, 1, 2]);
    assert_eq!(sums(&order, |it| it.sums.tax), [1, 0, 0]);
    assert_eq!(sums(&order, |it| it.sums.total).iter().sum::<i64>(), total.amount);
}

#[test]
fn a_parcel_a_return_and_a_partial_cancellation_are_of_one_part() {
    let both = [demand(1, 1), demand(2, 1)];
    let pack = |lines: &[Demand]| Command::PrepareParcel { shipment: id(8), lines: lines.to_vec() };
    given::<Order>([buys(), pays()]).when(&pack(&both)).then_refused(Rejection::SeveralParts);
    given::<Order>([buys(), pays()]).when(&pack(&both[1..])).then([parcel(8, &both[1..])]);
    let off = cancel_lines(&[back(1, 1, 10), back(4, 1, 40)], None);
    given::<Order>([buys(), pays()]).when(&off).then_refused(Rejection::SeveralParts);
    let there =
        vec![buys(), pays(), parcel(8, &both[..1]), gone(8, &both[..1]), parcel(9, &both[1..]), gone(9, &both[1..])];
    let ask = |lines: &[Demand]| Command::RequestReturn { return_id: id(11), lines: lines.to_vec(), since: None };
    let asked = Event::ReturnRequested { return_id: id(11), lines: both[1..].to_vec() };
    given::<Order>(there.clone()).when(&ask(&both)).then_refused(Rejection::SeveralParts);
    given::<Order>(there.clone()).when(&ask(&both[1..])).then([asked]);
    let back_from_both = give_back(12, &[back(1, 1, 10), back(2, 1, 10)]);
    given::<Order>(there).when(&back_from_both).then_refused(Rejection::SeveralParts);
}

#[test]
fn each_part_has_statuses_of_its_own() {
    use Fulfilment::{Fulfilled, PartlyFulfilled, PartlyReturned, Unfulfilled};
    use PaymentStatus::{Awaiting, Paid, PartlyRefunded, RefundDue, Refunded, Voided};
    let statuses = |history: &[Event]| -> Vec<_> {
        state(history).parts.all().iter().map(|part| (part.status(), part.fulfilment())).collect()
    };
    let (open, over) = (Status::Open, Status::Completed);
    let mut history = vec![buys(), pays()];
    // The file is handed over with the payment.
    assert_eq!(statuses(&history), [(open, Unfulfilled), (open, PartlyFulfilled), (open, Unfulfilled)]);
    let lines = [demand(1, 2)];
    history.extend([parcel(8, &lines), gone(8, &lines)]);
    assert_eq!(statuses(&history)[0], (open, Fulfilled));
    history.push(Event::Delivered { shipment: id(8), at: noon() });
    assert_eq!(statuses(&history)[0], (over, Fulfilled));
    history.push(cancelled_lines(&[back(4, 1, 40)], Some(5)));
    assert_eq!(statuses(&history)[2], (Status::Cancelled, Unfulfilled));
    history.push(returned(13, &[back(1, 1, 10)], &[]));
    assert_eq!(statuses(&history)[0], (over, PartlyReturned));
    let parts = state(&history).parts;
    let to_ship: Vec<bool> = parts.all().iter().map(Part::must_be_shipped).collect();
    assert_eq!(to_ship, [false, true, false]);
    assert!(!state(&[buys()]).parts.all()[0].must_be_shipped(), "it is not paid");
    let off = [buys(), cancelled(CancelReason::PaymentWindowPassed, false)];
    assert!(state(&off).parts.all().iter().all(|part| part.status() == Status::Expired));
    let paid = |history: &[Event]| -> Vec<_> { state(history).parts.all().iter().map(Part::payment_status).collect() };
    assert_eq!((paid(&[buys()]), paid(&off)), (vec![Awaiting; 3], vec![Voided; 3]));
    assert_eq!(paid(&history), [PartlyRefunded, Paid, Paid]);
    history.push(refunds(Some(id(4)), Some(45)));
    assert_eq!(paid(&history), [PartlyRefunded, Paid, Refunded]);
    let all_off = [buys(), pays(), cancelled(CancelReason::StaffRequest, true)];
    assert_eq!(paid(&all_off), [RefundDue; 3]);
    assert_eq!(paid(&[&all_off[..], &[refunds(None, None)]].concat()), [Refunded; 3]);
}

#[test]
fn the_shipping_of_a_part_falls_with_its_last_piece_that_is_sent() {
    let placed = state(&[buys(), pays()]);
    assert!(placed.shipping_falls_with(&[demand(4, 1)]) && !placed.shipping_falls_with(&[demand(2, 2)]));
    assert_eq!(placed.shipping_left_with(&[demand(4, 1)]), cents(5));
    let off = |shipping| cancel_lines(&[back(4, 1, 40)], Some(shipping));
    given::<Order>([buys(), pays()]).when(&off(5)).then([cancelled_lines(&[back(4, 1, 40)], Some(5))]);
    given::<Order>([buys(), pays()]).when(&off(6)).then_refused(Rejection::TooMuchShipping { left: cents(5) });
    let history = [buys(), pays(), cancelled_lines(&[back(4, 1, 40)], Some(5))];
    assert_eq!(sums(&history, |it| it.credited), [0, 0, 45]);
    assert_eq!(sums(&history, Part::shipping_left), [2, 3, 0]);
    assert_eq!(state(&history).shipping_left(), cents(5));
}

#[test]
fn money_alone_is_of_one_part_or_split_over_what_is_left_of_each() {
    let paid = || vec![buys(), pays()];
    let split = vec![share(None, 21), share(Some(ada()), 36), share(Some(bob()), 43)];
    given::<Order>(paid()).when(&credit_of(None, 100, false)).then([credits(100, false, split)]);
    let of_bob = vec![share(Some(bob()), 45)];
    given::<Order>(paid()).when(&credit_of(Some(3), 45, false)).then([credits(45, false, of_bob.clone())]);
    let more = Rejection::TooMuchOfPart { left: cents(45) };
    given::<Order>(paid()).when(&credit_of(Some(3), 46, false)).then_refused(more);
    given::<Order>(paid()).when(&credit_of(Some(4), 1, false)).then_refused(Rejection::NoSuchPart);
    given::<Order>(paid()).when(&credit_of(Some(0), 1, false)).then_refused(Rejection::NoSuchPart);
    given::<Order>(paid()).when(&credit_of(None, 106, false)).then_refused(Rejection::TooMuchRefunded);
    let of_shipping = Rejection::TooMuchShipping { left: cents(3) };
    given::<Order>(paid()).when(&credit_of(Some(2), 4, true)).then_refused(of_shipping);
    let history = [buys(), pays(), credits(45, false, of_bob)];
    assert_eq!(sums(&history, Part::left), [22, 38, 0]);
    // An order of one part has nothing to split.
    given::<Order>([placed(), super::paid()]).when(&credit_of(Some(1), 5, false)).then([credits(5, false, vec![])]);
}

#[test]
fn a_refund_counts_for_the_part_that_it_is_of_whenever_it_is_made() {
    let history =
        [buys(), pays(), cancelled_lines(&[back(4, 1, 40)], Some(5)), credits(9, false, vec![share(None, 9)])];
    let made = |more: &[Event]| sums(&[&history[..], more].concat(), |it| it.refunded);
    assert_eq!(made(&[]), [0, 0, 0]);
    assert_eq!(made(&[refunds(Some(id(7)), Some(9))]), [9, 0, 0]);
    // The refund of the house's part failed and is retried under another id.
    assert_eq!(made(&[refunds(Some(id(99)), Some(9)), refunds(Some(id(4)), Some(45))]), [9, 0, 45]);
    assert_eq!(made(&[refunds(Some(id(98)), Some(45))]), [0, 0, 45]);
    // The order is cancelled while they are requested: the rest goes back with it.
    let off = cancelled(CancelReason::StaffRequest, true);
    let rest = refunds(Some(id(97)), Some(105 - 45 - 9));
    assert_eq!(made(&[off.clone(), rest.clone()]), [13, 38, 0]);
    assert_eq!(made(&[off.clone(), rest, refunds(Some(id(7)), Some(9)), refunds(Some(id(4)), Some(45))]), [22, 38, 45]);
    assert_eq!(made(&[off, refunds(None, None)]), [22, 38, 45]);
}

#[test]
fn only_the_tax_of_the_shipping_that_is_waived_is_not_charged() {
    let lines = vec![line(1, 1, 100), of(ada(), line(2, 1, 100))];
    let tax = crate::pricing::LineTax {
        class: crate::product::TaxClass::Standard,
        rate: crate::tax_rate::TaxRate::new(190_000).unwrap(),
        included: true,
        amount: cents(16),
    };
    let order = placement(lines);
    let shipping = crate::pricing::Shipping { tax: Some(tax), ..parcel_at(100) };
    let order = Event::Placed(Placement { shipping: Some(shipping), total: cents(300), ..order });
    let off = |number: u128| Event::LinesCancelled {
        lines: vec![back(number, 1, 100)],
        amount: cents(100),
        shipping: Some(cents(50)),
        reason: CancelReason::StaffRequest,
        was_paid: false,
        refund: None,
        credit_note: None,
        written_off: vec![],
    };
    let taxed = |history: &[Event]| -> Vec<_> {
        let taxed = state(history).taxed_of_payable().unwrap();
        taxed.iter().map(|it| (it.net.amount, it.tax.amount)).collect()
    };
    assert_eq!(taxed(std::slice::from_ref(&order)), [(84, 16)]);
    assert_eq!(taxed(&[order, off(2)]), [(42, 8)]);
}

#[test]
fn every_stored_form_is_golden() {
    let parts = vec![share(None, 4), share(Some(ada()), 5)];
    let rate = crate::tax_rate::TaxRate::new(190_000).unwrap();
    let charged = Commission {
        amount: cents(3),
        tax: Some(CommissionTax { rate, amount: cents(1) }),
        rule: Some(AppliedRule { rule: text("lamps"), version: 2 }),
    };
    let of_ada = Line { commission: Some(charged), ..of(ada(), line(1, 3, 10)) };
    let of_bob = Line { commission: Some(Commission::none(crate::Currency::EUR)), ..of(bob(), line(2, 1, 40)) };
    let shared = Event::Placed(placement(vec![of_ada, of_bob]));
    golden(include_str!("../golden.json"), &[buys(), credits(9, false, parts), shared]);
}
