//! Rules of orders, on each of their axes.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::Currency;
use crate::cart::Destination;
use crate::money::ExactPrice;
use crate::testing::{cents, given, golden, id, noon, pieces, price, text, well_said};

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
        commission: None,
        keys: false,
        downloads: false,
        gift_cards: false,
        seller: None,
        amount: cents(amount * number),
        discount: None,
        tax: None,
    }
}

fn placement(lines: Vec<Line>) -> Placement {
    Placement {
        buyer: Buyer::default(),
        cart: Some(id(2)),
        access_hash: Some(text("3q2+7w==")),
        destination: Destination::to(text("DE")),
        total: cents(lines.iter().map(|line| line.amount.amount).sum()),
        lines,
        payment: id(3),
        pay_by: Some(noon()),
        reference: None,
        imported: false,
        part_shipping: vec![],
        tax_rounding: crate::tax_book::Rounding::Line,
        discounts: vec![],
        shipping: None,
        claims: vec![],
    }
}

/// Two lines of one variant, as wholesalers' invoices have them, and one of another: 3 × 10 + 1 × 5.
fn bought() -> Placement {
    placement(vec![line(1, 1, 10), line(2, 1, 5), line(1, 2, 10)])
}

fn imported() -> Placement {
    Placement {
        buyer: Buyer { account: None, reference: Some(text("13085")) },
        cart: None,
        access_hash: None,
        pay_by: None,
        reference: Some(text("489434")),
        imported: true,
        part_shipping: vec![],
        tax_rounding: crate::tax_book::Rounding::Line,
        ..bought()
    }
}

fn demand(variant: u128, number: i64) -> Demand {
    Demand { variant: id(variant), quantity: pieces(number) }
}

fn placed() -> Event {
    Event::Placed(bought())
}

fn paid() -> Event {
    Event::Paid {
        payment: id(3),
        commit: vec![demand(1, 3), demand(2, 1)],
        invoice: None,
        seller: None,
        invoices: vec![],
        stock_moved: true,
        keys: vec![],
        in_part: false,
    }
}

fn fulfilled() -> Event {
    Event::Fulfilled { completed: true, at: Some(noon()) }
}

fn cancelled(reason: CancelReason, was_paid: bool) -> Event {
    Event::Cancelled {
        reason,
        payment: id(3),
        was_paid,
        release: vec![demand(1, 3), demand(2, 1)],
        due: None,
        credit_note: None,
        further_notes: vec![],
        lost: vec![],
        stock_moved: true,
    }
}

fn pay(payment: u128) -> Command {
    Command::MarkPaid { payment: id(payment), invoice: None, seller: None, invoices: vec![], keys: vec![] }
}

fn cancel(reason: CancelReason) -> Command {
    Command::Cancel { reason, credit_notes: vec![], restock: true }
}

fn back(variant: u128, number: i64, amount: i64) -> ReturnLine {
    ReturnLine { variant: id(variant), quantity: pieces(number), amount: cents(amount) }
}

fn give_back(note: u128, lines: &[ReturnLine]) -> Command {
    let amount = cents(lines.iter().map(|line| line.amount.amount).sum());
    let restock = summed(lines.iter().map(|line| Demand { variant: line.variant, quantity: line.quantity })).unwrap();
    Command::Return { credit_note: id(note), lines: lines.to_vec(), amount, restock, refund: None, return_id: None }
}

fn returned(note: u128, lines: &[ReturnLine], restock: &[Demand]) -> Event {
    let amount = cents(lines.iter().map(|line| line.amount.amount).sum());
    let (lines, restock) = (lines.to_vec(), restock.to_vec());
    Event::Returned { credit_note: id(note), lines, amount, restock, refund: None, return_id: None, revoked: vec![] }
}

fn axes(history: &[Event]) -> (Status, PaymentStatus, Fulfilment) {
    let state = crate::fold::<Order>(history);
    let placed = state.live().unwrap();
    (placed.progress.status, placed.progress.payment_status, placed.progress.fulfilment)
}

fn off(variant: u128, number: i64, amount: i64, was_paid: bool) -> Event {
    Event::LinesCancelled {
        lines: vec![back(variant, number, amount)],
        amount: cents(amount),
        shipping: None,
        reason: CancelReason::BuyerRequest,
        was_paid,
        refund: was_paid.then(|| id(4)),
        credit_note: was_paid.then(|| id(5)),
        written_off: vec![],
    }
}

fn seller() -> Issuer {
    Issuer { name: "Lamps Ltd".into(), address: vec!["1 Road".into(), "Town".into()], tax_id: Some("XX1".into()) }
}

fn sending_falls(was_paid: bool) -> Event {
    let Event::LinesCancelled { lines, amount, reason, refund, credit_note, written_off, .. } = off(1, 3, 30, was_paid)
    else {
        panic!("lines are cancelled")
    };
    let shipping = Some(cents(9));
    Event::LinesCancelled { lines, amount, shipping, reason, was_paid, refund, credit_note, written_off }
}

/// One lamp for 10.00, with tax on top at so many millionths.
fn with_tax(ppm: u32) -> Placement {
    let rate = crate::tax_rate::TaxRate::new(ppm).unwrap();
    let amount = rate.of(cents(1_000)).unwrap();
    let tax = crate::pricing::LineTax { class: crate::product::TaxClass::Standard, rate, included: false, amount };
    let total = cents(1_000 + amount.amount);
    Placement { total, ..placement(vec![Line { tax: Some(tax), ..line(1, 1, 1_000) }]) }
}

fn parcel(shipment: u128, lines: &[Demand]) -> Event {
    Event::ParcelPrepared { shipment: id(shipment), lines: lines.to_vec() }
}

fn gone(shipment: u128, lines: &[Demand]) -> Event {
    Event::HandedOver { shipment: id(shipment), lines: lines.to_vec(), at: noon(), capture: None }
}

const GUEST: crate::Subject = crate::Subject(uuid::Uuid::from_u128(2));

fn forgotten() -> Event {
    Event::BuyerForgotten { subject: GUEST }
}

fn noted() -> Event {
    let note = crate::Personal::new(crate::Subject(uuid::Uuid::from_u128(2)), "AAECAw");
    Event::Noted { note, by: Some(id(6)), at: noon() }
}

fn there(shipment: u128) -> Event {
    Event::Delivered { shipment: id(shipment), at: noon() }
}

#[test]
fn a_guest_is_forgotten_once_when_nothing_waits_for_their_address() {
    let forget = Command::ForgetBuyer { subject: GUEST, force: false, disputed: false };
    let forced = Command::ForgetBuyer { subject: GUEST, force: true, disputed: true };
    let disputed = Command::ForgetBuyer { subject: GUEST, force: false, disputed: true };
    let of_guest = || {
        let mut bought = bought();
        bought.buyer = Buyer::default();
        Event::Placed(bought)
    };
    given::<Order>([of_guest()]).when(&forget).then_refused(Rejection::UnderWay);
    given::<Order>([of_guest()]).when(&forced).then([forgotten()]);
    let off = cancelled(CancelReason::BuyerRequest, false);
    given::<Order>([of_guest(), off.clone()]).when(&disputed).then_refused(Rejection::Disputed);
    given::<Order>([of_guest(), off.clone()]).when(&forced).then([forgotten()]);
    given::<Order>([of_guest(), off.clone()]).when(&forget).then([forgotten()]);
    given::<Order>([of_guest(), off.clone(), forgotten()]).when(&forget).then([]);
    let mut known = bought();
    known.buyer = Buyer { account: Some(id(6)), reference: None };
    given::<Order>([Event::Placed(known), off]).when(&forced).then_refused(Rejection::NotOfGuest);
}

#[test]
fn an_order_is_waited_for_from_its_payment_until_it_ends() {
    let is = |history: &[Event]| {
        let order = crate::fold::<Order>(history);
        let live = order.live().unwrap();
        (live.is_unpaid(), live.is_waited_for(), live.stage())
    };
    assert_eq!(is(&[placed()]), (true, false, Stage::New));
    assert_eq!(is(&[placed(), paid()]), (false, true, Stage::Paid));
    assert_eq!(is(&[placed(), paid(), fulfilled()]).2, Stage::Completed);
    assert_eq!(is(&[placed(), cancelled(CancelReason::BuyerRequest, false)]), (false, false, Stage::Cancelled));
    assert_eq!(is(&[placed(), paid(), cancelled(CancelReason::BuyerRequest, true)]), (false, false, Stage::Cancelled));
}

#[test]
fn it_is_placed_once() {
    given::<Order>([]).when(&Command::Place(Box::new(bought()))).then([placed()]);
    given::<Order>([placed()]).when(&Command::Place(Box::new(bought()))).then_nothing();
    given::<Order>([placed()]).when(&Command::Place(Box::new(imported()))).then_refused(Rejection::Exists);
    given::<Order>([]).when(&pay(3)).then_refused(Rejection::Missing);
}

#[test]
fn its_sums_are_right() {
    given::<Order>([]).when(&Command::Place(Box::new(placement(vec![])))).then_refused(Rejection::NoLines);
    let mut wrong = bought();
    wrong.lines[1].amount = cents(6);
    given::<Order>([]).when(&Command::Place(Box::new(wrong))).then_refused(Rejection::WrongAmount { line: 1 });
    let wrong = Placement { total: cents(34), ..bought() };
    given::<Order>([]).when(&Command::Place(Box::new(wrong))).then_refused(Rejection::WrongTotal);
    let wrong = Placement { total: Money::new(35, Currency::GBP), ..bought() };
    given::<Order>([]).when(&Command::Place(Box::new(wrong))).then_refused(Rejection::WrongTotal);
}

#[test]
fn an_exact_price_is_rounded_once_per_line() {
    let mut exact = line(1, 100, 3);
    exact.exact_price = Some(ExactPrice::new("0.034").unwrap());
    let wrong = placement(vec![exact.clone()]);
    given::<Order>([]).when(&Command::Place(Box::new(wrong))).then_refused(Rejection::WrongAmount { line: 0 });
    exact.amount = cents(340);
    let right = placement(vec![exact]);
    given::<Order>([]).when(&Command::Place(Box::new(right.clone()))).then([Event::Placed(right)]);
}

#[test]
fn it_does_not_have_endless_lines() {
    let many = placement((0..=LINES_MAX).map(|_| line(1, 1, 1)).collect());
    given::<Order>([]).when(&Command::Place(Box::new(many))).then_refused(Rejection::TooManyLines);
    let much = placement(vec![line(1, 1_000_000, 0), line(1, 1, 0)]);
    given::<Order>([]).when(&Command::Place(Box::new(much))).then_refused(Rejection::TooManyLines);
}

#[test]
fn it_is_paid_once_by_its_own_payment() {
    given::<Order>([placed()]).when(&pay(3)).then([paid()]);
    given::<Order>([placed(), paid()]).when(&pay(3)).then_nothing();
    given::<Order>([placed()]).when(&pay(4)).then_refused(Rejection::OtherPayment);
}

#[test]
fn a_cancelled_order_is_never_paid() {
    let history = [placed(), cancelled(CancelReason::BuyerRequest, false)];
    given::<Order>(history.clone()).when(&pay(3)).then_refused(Rejection::Cancelled);
    given::<Order>(history.clone()).when(&Command::Fulfil {}).then_refused(Rejection::Cancelled);
    assert_eq!(axes(&history), (Status::Cancelled, PaymentStatus::Voided, Fulfilment::Unfulfilled));
}

#[test]
fn it_is_cancelled_until_it_is_fulfilled() {
    use CancelReason::{BuyerRequest, StaffRequest};
    given::<Order>([placed()]).when(&cancel(BuyerRequest)).then([cancelled(BuyerRequest, false)]);
    given::<Order>([placed(), paid()]).when(&cancel(StaffRequest)).then([cancelled(StaffRequest, true)]);
    let off = [placed(), cancelled(BuyerRequest, false)];
    given::<Order>(off).when(&cancel(StaffRequest)).then_nothing();
    let done = [placed(), paid(), fulfilled()];
    given::<Order>(done).when(&cancel(BuyerRequest)).then_refused(Rejection::AlreadyFulfilled);
}

#[test]
fn a_paid_order_is_cancelled_with_a_credit_note() {
    let reason = CancelReason::StaffRequest;
    let with_note = Command::Cancel { reason, credit_notes: vec![id(5)], restock: true };
    let off = |was_paid, credit_note| Event::Cancelled {
        reason,
        payment: id(3),
        was_paid,
        release: vec![demand(1, 3), demand(2, 1)],
        due: None,
        credit_note,
        further_notes: vec![],
        lost: vec![],
        stock_moved: true,
    };
    given::<Order>([placed(), paid()]).when(&with_note).then([off(true, Some(id(5)))]);
    let state = crate::fold::<Order>(&[placed(), paid(), off(true, Some(id(5)))]);
    assert_eq!(state.live().unwrap().credit_notes, [id(5)]);
    // Without an invoice there is nothing to credit.
    given::<Order>([placed()]).when(&with_note).then([off(false, None)]);
}

#[test]
fn the_number_of_its_invoice_comes_with_its_payment() {
    let invoice = Some(text("INV-2026-000042"));
    let pay =
        Command::MarkPaid { payment: id(3), invoice: invoice.clone(), seller: None, invoices: vec![], keys: vec![] };
    let paid = Event::Paid {
        payment: id(3),
        commit: vec![demand(1, 3), demand(2, 1)],
        invoice: invoice.clone(),
        seller: None,
        invoices: vec![],
        stock_moved: true,
        keys: vec![],
        in_part: false,
    };
    given::<Order>([placed()]).when(&pay).then([paid.clone()]);
    given::<Order>([placed(), paid.clone()]).when(&pay).then_nothing();
    assert_eq!(crate::fold::<Order>(&[placed(), paid]).live().unwrap().invoice, invoice);
}

#[test]
fn a_timer_that_comes_late_cancels_nothing_that_is_paid() {
    use CancelReason::{PaymentCancelled, PaymentFailed, PaymentWindowPassed};
    for reason in [PaymentCancelled, PaymentFailed, PaymentWindowPassed] {
        given::<Order>([placed()]).when(&cancel(reason)).then([cancelled(reason, false)]);
        given::<Order>([placed(), paid()]).when(&cancel(reason)).then_refused(Rejection::AlreadyPaid);
    }
}

#[test]
fn a_timer_of_the_window_as_it_was_cancels_nothing_that_can_still_be_paid() {
    use CancelReason::{BuyerRequest, PaymentWindowPassed};
    let (later, extend) = (noon() + TimeDelta::days(7), |pay_by| Command::ExtendPaymentWindow { pay_by });
    let extended = Event::PaymentWindowExtended { pay_by: later };
    given::<Order>([placed()]).when(&extend(later)).then([extended.clone()]);
    given::<Order>([placed()]).when(&extend(noon())).then_nothing();
    let history = [placed(), extended.clone()];
    given::<Order>(history.clone()).when(&extend(later)).then_nothing();
    given::<Order>(history.clone()).when(&extend(noon())).then_nothing();
    given::<Order>(history.clone()).when(&cancel(PaymentWindowPassed)).then_refused(Rejection::WindowOpen);
    given::<Order>(history).when(&cancel(BuyerRequest)).then([cancelled(BuyerRequest, false)]);
    let over = Event::PaymentWindowExtended { pay_by: noon() - TimeDelta::seconds(1) };
    given::<Order>([placed(), over]).when(&cancel(PaymentWindowPassed)).then([cancelled(PaymentWindowPassed, false)]);
    given::<Order>([placed(), paid()]).when(&extend(later)).then_refused(Rejection::AlreadyPaid);
    let off = [placed(), cancelled(BuyerRequest, false)];
    given::<Order>(off).when(&extend(later)).then_refused(Rejection::Cancelled);
    given::<Order>([Event::Placed(imported())]).when(&extend(later)).then_nothing();
}

#[test]
fn a_time_to_pay_counts_from_the_order_and_never_shortens_its_window() {
    let order = crate::fold::<Order>(&[placed()]);
    let within = |id: OrderId, days| order.live().unwrap().pay_by_within(id, days, noon()).unwrap();
    assert_eq!(within(id(1), None), noon());
    assert_eq!(within(id(1), Some(7)), noon() + TimeDelta::days(7));
    // An id that tells when the order was placed: 2022-02-22T19:22:22Z.
    let placed_long_ago: OrderId = "ord_01fwhe4ydgfk1shh6w1g60eecf".parse().unwrap();
    assert_eq!(within(placed_long_ago, Some(7)), noon());
}

#[test]
fn a_packed_parcel_stays_in_the_shop_when_its_authorization_expires() {
    let authorization = Event::Authorized { payment: id(3) };
    let packed = vec![placed(), authorization, parcel(7, &[demand(1, 3)])];
    given::<Order>(packed.clone()).when(&cancel(CancelReason::BuyerRequest)).then_refused(Rejection::BeingShipped);
    let expired = CancelReason::AuthorizationExpired;
    let dropped = Event::ParcelDropped { shipment: id(7) };
    given::<Order>(packed.clone()).when(&cancel(expired)).then([dropped.clone(), cancelled(expired, false)]);
    let off = [packed, vec![dropped, cancelled(expired, false)]].concat();
    given::<Order>(off).when(&Command::HandOver { shipment: id(7) }).then_refused(Rejection::ParcelGone);
}

#[test]
fn a_piece_comes_back_with_its_parcel_or_with_a_return() {
    let sent = vec![placed(), paid(), parcel(7, &[demand(1, 3)]), gone(7, &[demand(1, 3)])];
    let back = Command::TakeBackParcel { shipment: id(7) };
    let asked = Event::ReturnRequested { return_id: id(4), lines: vec![demand(1, 1)] };
    let asking = [sent.clone(), vec![asked]].concat();
    given::<Order>(asking.clone()).when(&back).then_refused(Rejection::ParcelReturning);
    let here = Event::ParcelReturned { shipment: id(7), fulfilment: Fulfilment::Unfulfilled };
    let withdrawn = [asking, vec![Event::ReturnClosed { return_id: id(4) }]].concat();
    given::<Order>(withdrawn).when(&back).then([here]);
    let returned = [sent, vec![returned(5, &[self::back(1, 1, 10)], &[demand(1, 1)])]].concat();
    given::<Order>(returned).when(&back).then_refused(Rejection::ParcelReturning);
}

#[test]
fn an_order_is_complete_when_it_is_paid_after_everything_has_arrived() {
    let mixed = placement(vec![line(1, 1, 10), Line { digital: true, ..line(2, 1, 5) }]);
    let paying = |history: &[Event]| given::<Order>(history.to_vec()).when(&pay(3));
    let paid = |commit: Vec<Demand>| Event::Paid {
        payment: id(3),
        commit,
        invoice: None,
        seller: None,
        invoices: vec![],
        stock_moved: true,
        keys: vec![],
        in_part: false,
    };
    let all = || vec![demand(1, 1), demand(2, 1)];
    let sent = vec![
        Event::Placed(mixed.clone()),
        Event::Authorized { payment: id(3) },
        parcel(7, &[demand(1, 1)]),
        gone(7, &[demand(1, 1)]),
    ];
    let handed_over = || Event::Fulfilled { completed: false, at: Some(noon()) };
    paying(&sent).then([paid(all()), handed_over()]);
    let arrived = [sent, vec![there(7)]].concat();
    paying(&arrived).then([paid(all()), handed_over(), Event::Completed {}]);
    // What would have travelled is off: nothing is left to send.
    let off = Event::LinesCancelled {
        lines: vec![back(1, 1, 10)],
        amount: cents(10),
        shipping: None,
        reason: CancelReason::BuyerRequest,
        was_paid: false,
        refund: None,
        credit_note: None,
        written_off: vec![],
    };
    paying(&[Event::Placed(mixed), off]).then([paid(vec![demand(2, 1)]), fulfilled()]);
}

#[test]
fn it_is_fulfilled_once_it_is_paid() {
    given::<Order>([placed()]).when(&Command::Fulfil {}).then_refused(Rejection::NotPaid);
    given::<Order>([placed(), paid()]).when(&Command::Fulfil {}).then([fulfilled()]);
    given::<Order>([placed(), paid(), fulfilled()]).when(&Command::Fulfil {}).then_nothing();
    assert_eq!(axes(&[placed(), paid()]), (Status::Open, PaymentStatus::Paid, Fulfilment::Unfulfilled));
    let done = axes(&[placed(), paid(), fulfilled()]);
    assert_eq!(done, (Status::Completed, PaymentStatus::Paid, Fulfilment::Fulfilled));
}

#[test]
fn the_money_of_a_cancelled_order_goes_back() {
    let refund = Command::MarkRefunded { payment: id(3), refund: None, amount: None };
    let history = [placed(), paid(), cancelled(CancelReason::StaffRequest, true)];
    assert_eq!(axes(&history).1, PaymentStatus::RefundDue);
    let refunded = Event::Refunded { payment: id(3), refund: None, amount: None };
    given::<Order>(history.clone()).when(&refund).then([refunded.clone()]);
    let after = [&history[..], &[refunded]].concat();
    assert_eq!(axes(&after).1, PaymentStatus::Refunded);
    given::<Order>(after).when(&refund).then_nothing();
    given::<Order>([placed(), paid()]).when(&refund).then_refused(Rejection::NotCancelled);
    let other = Command::MarkRefunded { payment: id(4), refund: None, amount: None };
    given::<Order>(history).when(&other).then_refused(Rejection::OtherPayment);
}

#[test]
fn goods_come_back_in_parts_and_never_more_than_were_bought() {
    let done = [placed(), paid(), fulfilled()];
    let first = returned(1, &[back(1, 2, 20)], &[demand(1, 2)]);
    given::<Order>(done.clone()).when(&give_back(1, &[back(1, 2, 20)])).then([first.clone()]);
    let after = [&done[..], &[first]].concat();
    assert_eq!(axes(&after), (Status::Completed, PaymentStatus::PartlyRefunded, Fulfilment::PartlyReturned));
    given::<Order>(after.clone()).when(&give_back(1, &[back(1, 2, 20)])).then_nothing();
    let too_many = Rejection::TooManyReturned { variant: id(1), left: 1 };
    given::<Order>(after.clone()).when(&give_back(2, &[back(1, 2, 0)])).then_refused(too_many);
    let unknown = Rejection::TooManyReturned { variant: id(8), left: 0 };
    given::<Order>(after.clone()).when(&give_back(2, &[back(8, 1, 0)])).then_refused(unknown);
    let rest = returned(2, &[back(1, 1, 10), back(2, 1, 5)], &[demand(1, 1), demand(2, 1)]);
    given::<Order>(after.clone()).when(&give_back(2, &[back(1, 1, 10), back(2, 1, 5)])).then([rest.clone()]);
    let all = [&after[..], &[rest]].concat();
    assert_eq!(axes(&all), (Status::Completed, PaymentStatus::Refunded, Fulfilment::Returned));
}

#[test]
fn never_more_is_paid_back_than_was_paid() {
    let done = [placed(), paid(), fulfilled()];
    given::<Order>(done.clone()).when(&give_back(1, &[back(1, 1, 36)])).then_refused(Rejection::TooMuchRefunded);
    given::<Order>(done.clone()).when(&give_back(1, &[back(1, 1, -1)])).then_refused(Rejection::WrongTotal);
    given::<Order>(done.clone()).when(&give_back(1, &[])).then_refused(Rejection::NoLines);
    let wrong = Command::Return {
        credit_note: id(1),
        lines: vec![back(1, 1, 9)],
        amount: cents(10),
        restock: vec![],
        refund: None,
        return_id: None,
    };
    given::<Order>(done).when(&wrong).then_refused(Rejection::WrongTotal);
    given::<Order>([placed(), paid()]).when(&give_back(1, &[back(1, 1, 1)])).then_refused(Rejection::NotFulfilled);
}

#[test]
fn a_payment_of_which_more_than_all_went_back_is_refunded() {
    // A refund without goods, and then a return: neither counts against the other.
    let credited = Event::Refunded { payment: id(3), refund: Some(id(4)), amount: Some(cents(30)) };
    let history = [placed(), paid(), fulfilled(), credited, returned(5, &[back(1, 1, 10)], &[])];
    assert_eq!(axes(&history).1, PaymentStatus::Refunded);
}

#[test]
fn spoilt_goods_are_not_for_sale_again() {
    let lines = vec![back(1, 1, 10)];
    let spoilt = Command::Return {
        credit_note: id(1),
        lines: lines.clone(),
        amount: cents(10),
        restock: vec![],
        refund: None,
        return_id: None,
    };
    given::<Order>([placed(), paid(), fulfilled()]).when(&spoilt).then([returned(1, &lines, &[])]);
}

#[test]
fn an_order_of_the_past_moves_no_stock_by_itself() {
    let was_placed = Event::Placed(imported());
    let was_paid = Event::Paid {
        payment: id(3),
        commit: vec![],
        invoice: None,
        seller: None,
        invoices: vec![],
        stock_moved: false,
        keys: vec![],
        in_part: false,
    };
    given::<Order>([was_placed.clone()]).when(&pay(3)).then([was_paid.clone()]);
    let reason = CancelReason::Imported;
    let off = Event::Cancelled {
        reason,
        payment: id(3),
        was_paid: true,
        release: vec![],
        due: None,
        credit_note: None,
        further_notes: vec![],
        lost: vec![],
        stock_moved: true,
    };
    given::<Order>([was_placed.clone(), was_paid.clone()]).when(&cancel(reason)).then([off]);
    let lines = [back(1, 1, 10)];
    let done = Event::Fulfilled { completed: true, at: None };
    given::<Order>([was_placed, was_paid, done]).when(&give_back(1, &lines)).then([returned(1, &lines, &[])]);
}

fn credited(note: u128, amount: i64, shipping: bool) -> Event {
    Event::Credited {
        credit_note: id(note),
        refund: id(4),
        amount: cents(amount),
        shipping,
        revoked: vec![],
        downloads: vec![],
        parts: vec![],
    }
}

fn credit(note: u128, amount: i64, shipping: bool) -> Command {
    Command::Credit {
        credit_note: id(note),
        refund: id(4),
        amount: cents(amount),
        shipping,
        keys: vec![],
        part: None,
        taken: vec![],
        imposed: false,
    }
}

#[test]
fn money_alone_is_given_back_and_of_the_shipping_no_more_than_was_paid() {
    let paid_for = || vec![placed(), paid()];
    given::<Order>(paid_for()).when(&credit(1, 10, false)).then([credited(1, 10, false)]);
    given::<Order>(paid_for()).when(&credit(1, 0, false)).then_refused(Rejection::WrongTotal);
    given::<Order>(paid_for()).when(&credit(1, -1, false)).then_refused(Rejection::WrongTotal);
    given::<Order>([]).when(&credit(1, 10, false)).then_refused(Rejection::Missing);
    let again = [placed(), paid(), credited(1, 10, false)];
    given::<Order>(again).when(&credit(1, 10, false)).then_nothing();
    // Nothing was paid for sending this one.
    given::<Order>(paid_for()).when(&credit(1, 1, true)).then_refused(Rejection::TooMuchShipping { left: cents(0) });

    let mut sent = bought();
    sent.shipping = Some(crate::pricing::Shipping {
        zone: text("home"),
        service: text("standard"),
        name: text("Standard"),
        carrier: None,
        weight_g: 100,
        days: crate::shipping_book::Days { min: 1, max: 3 },
        price: price(400),
        discount: cents(0),
        tax: None,
    });
    sent.total = cents(sent.total.amount + 400);
    let sent = Event::Placed(sent);
    let order = |notes: &[Event]| given::<Order>([sent.clone(), paid()].into_iter().chain(notes.iter().cloned()));
    order(&[]).when(&credit(1, 400, true)).then([credited(1, 400, true)]);
    order(&[]).when(&credit(1, 401, true)).then_refused(Rejection::TooMuchShipping { left: cents(400) });
    let some = [credited(1, 150, true), credited(2, 30, false)];
    order(&some).when(&credit(3, 250, true)).then([credited(3, 250, true)]);
    order(&some).when(&credit(3, 251, true)).then_refused(Rejection::TooMuchShipping { left: cents(250) });
}

#[test]
fn spoilt_pieces_of_a_cancelled_order_are_not_put_back_in_stock() {
    let reason = CancelReason::StaffRequest;
    let off = |was_paid: bool, release: Vec<Demand>, lost: Vec<Demand>| Event::Cancelled {
        reason,
        payment: id(3),
        was_paid,
        release,
        due: None,
        credit_note: None,
        further_notes: vec![],
        lost,
        stock_moved: true,
    };
    let all = vec![demand(1, 3), demand(2, 1)];
    let spoilt = Command::Cancel { reason, credit_notes: vec![], restock: false };
    given::<Order>([placed(), paid()]).when(&spoilt).then([off(true, vec![], all.clone())]);
    // What is only promised has not left the shelf.
    given::<Order>([placed()]).when(&spoilt).then([off(false, all, vec![])]);
}

#[test]
fn what_is_left_of_a_cancelled_order_goes_back_once() {
    let off = [placed(), paid(), cancelled(CancelReason::StaffRequest, true)];
    given::<Order>(off).when(&credit(3, 1, false)).then_refused(Rejection::Cancelled);
    // It never had the money.
    let off = [placed(), cancelled(CancelReason::StaffRequest, false)];
    given::<Order>(off).when(&credit(3, 1, false)).then_refused(Rejection::Cancelled);
}

/// Its stock was committed by a process.
fn older_paid(commit: Vec<Demand>, invoice: Option<Reference>, seller: Option<Issuer>) -> Event {
    Event::Paid {
        payment: id(3),
        commit,
        invoice,
        seller,
        invoices: vec![],
        stock_moved: false,
        keys: vec![],
        in_part: false,
    }
}

/// A seller that supplies its part in its own name.
fn supplier() -> crate::issuer::Supplier {
    let legal = crate::Personal::new(crate::Subject::from(id::<crate::ids::SellerId>(71)), "legal");
    crate::issuer::Supplier { seller: id(71), handle: text("copper-kettles"), legal }
}

fn shipped_by_seller() -> Event {
    let lines = vec![line(1, 3, 10), Line { seller: Some(id(71)), ..line(2, 1, 5) }];
    let own = crate::pricing::PartShipping { seller: id(71), shipping: crate::testing::parcel_at(5) };
    Event::Placed(Placement { part_shipping: vec![own], total: cents(40), ..placement(lines) })
}

fn paid_to_seller() -> Event {
    let invoices = vec![SellerInvoice { number: text("INV-COPPER-KETTLES-2026-000001"), supplier: supplier() }];
    let (commit, keys) = (vec![demand(1, 3)], vec![]);
    Event::Paid {
        payment: id(3),
        commit,
        invoice: None,
        seller: None,
        invoices,
        stock_moved: true,
        keys,
        in_part: false,
    }
}

fn cancelled_of_one(credit_note: Option<CreditNoteId>) -> Event {
    Event::Cancelled {
        reason: CancelReason::StaffRequest,
        payment: id(3),
        was_paid: true,
        release: vec![demand(2, 1)],
        due: Some(cents(5)),
        credit_note,
        further_notes: vec![],
        lost: vec![],
        stock_moved: true,
    }
}

fn cancelled_of_two() -> Event {
    Event::Cancelled {
        reason: CancelReason::StaffRequest,
        payment: id(3),
        was_paid: true,
        release: vec![demand(1, 3)],
        due: None,
        credit_note: Some(id(5)),
        further_notes: vec![id(6)],
        lost: vec![],
        stock_moved: true,
    }
}

#[test]
fn every_stored_form_is_golden() {
    let mut exact = imported();
    exact.buyer.account = Some(id(5));
    exact.lines.truncate(1);
    exact.lines[0].exact_price = Some(ExactPrice::new("0.095").unwrap());
    golden(
        include_str!("golden.json"),
        // On the heap, as there are many and some are large.
        &vec![
            placed(),
            Event::Placed(exact),
            paid(),
            older_paid(vec![demand(1, 3), demand(2, 1)], None, None),
            older_paid(vec![], None, None),
            Event::Fulfilled { completed: true, at: None },
            fulfilled(),
            Event::Fulfilled { completed: false, at: Some(noon()) },
            Event::Completed {},
            Event::Authorized { payment: id(3) },
            Event::Released { payment: id(3), commit: vec![demand(1, 3)] },
            cancelled(CancelReason::AuthorizationExpired, false),
            cancelled_of_one(None),
            cancelled_of_one(Some(id(5))),
            shipped_by_seller(),
            paid_to_seller(),
            cancelled_of_two(),
            older_paid(vec![demand(1, 3), demand(2, 1)], Some(text("INV-2026-000042")), None),
            off(1, 1, 10, true),
            off(1, 1, 10, false),
            Event::Refunded { payment: id(3), refund: Some(id(4)), amount: Some(cents(10)) },
            Event::ReturnRequested { return_id: id(1), lines: vec![demand(1, 1)] },
            Event::ReturnClosed { return_id: id(1) },
            noted(),
            forgotten(),
            Event::Returned {
                credit_note: id(2),
                lines: vec![back(1, 1, 10)],
                amount: cents(10),
                restock: vec![],
                refund: Some(id(4)),
                return_id: Some(id(1)),
                revoked: vec![],
            },
            cancelled(CancelReason::BuyerRequest, true),
            cancelled(CancelReason::StaffRequest, true),
            cancelled(CancelReason::PaymentFailed, false),
            cancelled(CancelReason::PaymentCancelled, false),
            cancelled(CancelReason::PaymentWindowPassed, false),
            cancelled(CancelReason::Imported, false),
            Event::Refunded { payment: id(3), refund: None, amount: None },
            returned(1, &[back(1, 2, 20)], &[demand(1, 2)]),
            credited(1, 10, false),
            credited(1, 10, true),
        ],
    );
}

#[test]
fn what_is_said_of_money_is_golden() {
    golden(
        include_str!("golden.json"),
        &[
            older_paid(vec![], Some(text("INV-2026-000043")), Some(seller())),
            sending_falls(true),
            sending_falls(false),
            Event::MovedToCart { cart: id(6) },
            Event::PaymentWindowExtended { pay_by: noon() },
            Event::Placed(Placement { tax_rounding: crate::tax_book::Rounding::Rate, ..with_tax(88_750) }),
        ],
    );
}

#[test]
fn what_is_said_of_parcels_is_golden() {
    golden(
        include_str!("golden.json"),
        &[
            parcel(1, &[demand(1, 3)]),
            Event::ParcelDropped { shipment: id(1) },
            gone(1, &[demand(1, 3)]),
            Event::HandedOver { shipment: id(1), lines: vec![demand(1, 3)], at: noon(), capture: Some(id(3)) },
            there(1),
            Event::ParcelReturned { shipment: id(1), fulfilment: Fulfilment::Unfulfilled },
            Event::ParcelLost { shipment: id(1), lines: vec![demand(1, 2)], fulfilment: Fulfilment::Unfulfilled },
            Event::Replaced { lines: vec![demand(1, 1)] },
            Event::LinesCancelled {
                lines: vec![back(1, 1, 10)],
                amount: cents(10),
                shipping: None,
                reason: CancelReason::StaffRequest,
                was_paid: true,
                refund: Some(id(4)),
                credit_note: Some(id(5)),
                written_off: vec![demand(1, 1)],
            },
            Event::ParcelFound {
                shipment: id(1),
                lines: vec![demand(1, 2)],
                extra: vec![],
                fulfilment: Fulfilment::PartlyFulfilled,
            },
            Event::ParcelFound {
                shipment: id(1),
                lines: vec![demand(1, 1)],
                extra: vec![demand(1, 1)],
                fulfilment: Fulfilment::PartlyFulfilled,
            },
            Event::Cancelled {
                reason: CancelReason::StaffRequest,
                payment: id(3),
                was_paid: true,
                release: vec![],
                due: None,
                credit_note: None,
                further_notes: vec![],
                lost: vec![demand(1, 3)],
                stock_moved: true,
            },
        ],
    );
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[
        R::Missing,
        R::Exists,
        R::NoLines,
        R::TooManyLines,
        R::WrongAmount { line: 0 },
        R::WrongTotal,
        R::NotPaid,
        R::AlreadyPaid,
        R::Cancelled,
        R::NotCancelled,
        R::OtherPayment,
        R::AlreadyFulfilled,
        R::NothingToSend,
        R::EmptyParcel,
        R::NotFulfilled,
        R::TooManyReturned { variant: id(1), left: 0 },
        R::TooManyGiftCards,
        R::GiftCardsNotReturned,
        R::GiftCardsHold { left: cents(40) },
        R::TooMuchBesideGiftCards { left: cents(40) },
        R::PartNeeded,
        R::TooManyReturns,
        R::ArrivedAfterAll,
        R::WindowOpen,
        R::TooMuchRefunded,
        R::TooMuchShipping { left: cents(0) },
        R::BeingShipped,
        R::AwaitingCapture,
        R::DiscountOfWhole,
        R::TooManyCancelled { variant: id(1), left: 0 },
        R::SeveralParts,
        R::NoSuchPart,
        R::TooMuchOfPart { left: cents(0) },
        R::NothingLeft,
        R::TooManyShipped { variant: id(1), left: 0 },
        R::NoSuchParcel,
        R::ParcelGone,
        R::ParcelHere,
        R::ParcelReturning,
        R::PiecesLost,
        R::NoSuchReturn,
        R::ReturnWindowPassed,
        R::TooManyNotes,
        R::Imported,
        R::NotOfGuest,
        R::NoKeys,
        R::KeysOfBuyer,
        R::TooManyKeys { variant: id(1), left: 0 },
        R::KeysInTurn { revealed: 0 },
        R::UnderWay,
        R::Disputed,
    ]);
}

mod downloads;
mod keys;
mod on_delivery;
mod parts;
mod progress;
mod sending;
mod shipping;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_lines_make_the_total_and_returns_never_exceed_it(
        bought in proptest::collection::vec((1..4u128, 1..9i64, 0..500i64), 1..8),
        returns in proptest::collection::vec((1..4u128, 1..9i64, 0..900i64), 0..12),
    ) {
        let lines = bought.iter().map(|(variant, number, amount)| line(*variant, *number, *amount)).collect();
        let placement = placement(lines);
        let sum: i64 = bought.iter().map(|(_, number, amount)| number * amount).sum();
        prop_assert_eq!(placement.total, cents(sum));
        let asked = Asked { at: noon(), by: crate::Actor::System { name: "test".to_owned() } };
        let mut state = Order::default();
        for command in [Command::Place(Box::new(placement)), pay(3), Command::Fulfil {}] {
            state = state.decide(&command, &asked).unwrap().iter().fold(state, Order::evolve);
        }
        for (note, (variant, number, amount)) in (0u128..).zip(&returns) {
            if let Ok(events) = state.decide(&give_back(note, &[back(*variant, *number, *amount)]), &asked) {
                state = events.iter().fold(state, Order::evolve);
            }
            let placed = state.live().unwrap();
            prop_assert!(placed.progress.refunded.amount <= sum);
            for variant in 1..4 {
                prop_assert!(placed.left_to_return(id(variant)) >= 0);
            }
        }
    }
}
