//! Rules of orders that are shipped, returned and cancelled in parts.

use chrono::TimeDelta;

use super::*;
use crate::order::{ParcelStage, Stage};

fn prepare(shipment: u128, lines: &[Demand]) -> Command {
    Command::PrepareParcel { shipment: id(shipment), lines: lines.to_vec() }
}

fn hand_over(shipment: u128) -> Command {
    Command::HandOver { shipment: id(shipment) }
}

fn deliver(shipment: u128) -> Command {
    Command::Deliver { shipment: id(shipment) }
}

fn cancel_lines(lines: &[ReturnLine]) -> Command {
    Command::CancelLines {
        lines: lines.to_vec(),
        shipping: None,
        reason: CancelReason::BuyerRequest,
        refund: Some(id(4)),
        credit_note: Some(id(5)),
        restock: true,
    }
}

fn after(history: &[Event], more: &[Event]) -> Vec<Event> {
    [history, more].concat()
}

fn all_gone() -> Event {
    Event::Fulfilled { completed: false, at: Some(noon()) }
}

#[test]
fn it_travels_in_parcels_and_is_fulfilled_with_the_last_one() {
    let paid = [placed(), paid()];
    given::<Order>([placed()]).when(&prepare(1, &[demand(1, 1)])).then_refused(Rejection::NotPaid);
    given::<Order>(paid.clone()).when(&prepare(1, &[])).then_refused(Rejection::EmptyParcel);
    given::<Order>(paid.clone()).when(&prepare(1, &[demand(1, 3)])).then([parcel(1, &[demand(1, 3)])]);
    let packed = after(&paid, &[parcel(1, &[demand(1, 3)])]);
    given::<Order>(packed.clone()).when(&prepare(1, &[demand(1, 3)])).then_nothing();
    given::<Order>(packed.clone()).when(&prepare(1, &[demand(1, 2)])).then_refused(Rejection::Exists);
    let none = Rejection::TooManyShipped { variant: id(1), left: 0 };
    given::<Order>(packed.clone()).when(&prepare(2, &[demand(1, 1)])).then_refused(none);
    let all = after(&packed, &[parcel(2, &[demand(2, 1)])]);
    given::<Order>(all).when(&prepare(3, &[])).then_refused(Rejection::NothingToSend);
    given::<Order>(packed.clone()).when(&hand_over(9)).then_refused(Rejection::NoSuchParcel);
    given::<Order>(packed.clone()).when(&hand_over(1)).then([gone(1, &[demand(1, 3)])]);
    let first = after(&packed, &[gone(1, &[demand(1, 3)]), parcel(2, &[demand(2, 1)])]);
    assert_eq!(axes(&first), (Status::Open, PaymentStatus::Paid, Fulfilment::PartlyFulfilled));
    given::<Order>(first.clone()).when(&hand_over(2)).then([gone(2, &[demand(2, 1)]), all_gone()]);
    let both = after(&first, &[gone(2, &[demand(2, 1)]), all_gone()]);
    assert_eq!(axes(&both), (Status::Open, PaymentStatus::Paid, Fulfilment::Fulfilled));
    assert_eq!(crate::fold::<Order>(&both).live().unwrap().stage(), Stage::Fulfilled);
    given::<Order>(both.clone()).when(&hand_over(2)).then_nothing();
    given::<Order>(both.clone()).when(&deliver(2)).then([there(2)]);
    let last = after(&both, &[there(2)]);
    given::<Order>(last.clone()).when(&deliver(1)).then([there(1), Event::Completed {}]);
    let done = after(&last, &[there(1), Event::Completed {}]);
    given::<Order>(done.clone()).when(&prepare(3, &[demand(1, 1)])).then_refused(Rejection::NothingToSend);
    assert_eq!(axes(&done).0, Status::Completed);
    given::<Order>(done).when(&deliver(1)).then_nothing();
}

#[test]
fn packed_pieces_are_not_cancelled_and_unpacked_ones_are() {
    let packed = [placed(), paid(), parcel(1, &[demand(2, 1)])];
    given::<Order>(packed.clone()).when(&cancel(CancelReason::BuyerRequest)).then_refused(Rejection::BeingShipped);
    given::<Order>(packed.clone()).when(&Command::Fulfil {}).then_refused(Rejection::BeingShipped);
    let on_its_way = after(&packed, &[gone(1, &[demand(2, 1)])]);
    given::<Order>(on_its_way.clone()).when(&Command::Fulfil {}).then_refused(Rejection::BeingShipped);
    // What is left beside a parcel that arrived may be handed over by hand.
    let by_hand = Event::Fulfilled { completed: true, at: Some(noon()) };
    given::<Order>(after(&on_its_way, &[there(1)])).when(&Command::Fulfil {}).then([by_hand]);
    let none = Rejection::TooManyCancelled { variant: id(2), left: 0 };
    given::<Order>(packed.clone()).when(&cancel_lines(&[back(2, 1, 5)])).then_refused(none);
    let drop = Command::DropParcel { shipment: id(1) };
    given::<Order>(packed.clone()).when(&drop).then([Event::ParcelDropped { shipment: id(1) }]);
    let unpacked = after(&packed, &[Event::ParcelDropped { shipment: id(1) }]);
    given::<Order>(unpacked.clone()).when(&drop).then_nothing();
    given::<Order>(unpacked.clone()).when(&hand_over(1)).then_refused(Rejection::ParcelGone);
    let off = cancelled(CancelReason::BuyerRequest, true);
    given::<Order>(unpacked).when(&cancel(CancelReason::BuyerRequest)).then([off]);
    let gone = after(&packed, &[gone(1, &[demand(2, 1)])]);
    given::<Order>(gone.clone()).when(&drop).then_refused(Rejection::ParcelGone);
    given::<Order>(gone).when(&cancel(CancelReason::BuyerRequest)).then_refused(Rejection::AlreadyFulfilled);
}

#[test]
fn a_returned_parcel_is_shipped_again_or_cancelled() {
    let gone = [placed(), paid(), parcel(1, &[demand(1, 3), demand(2, 1)]), gone(1, &[demand(1, 3), demand(2, 1)])];
    let history = after(&gone, &[all_gone()]);
    let returned = Event::ParcelReturned { shipment: id(1), fulfilment: Fulfilment::Unfulfilled };
    given::<Order>(history.clone()).when(&Command::TakeBackParcel { shipment: id(1) }).then([returned.clone()]);
    let here = after(&history, &[returned]);
    assert_eq!(axes(&here), (Status::Open, PaymentStatus::Paid, Fulfilment::Unfulfilled));
    given::<Order>(here.clone()).when(&prepare(2, &[demand(1, 3)])).then([parcel(2, &[demand(1, 3)])]);
    given::<Order>(here.clone()).when(&cancel_lines(&[back(2, 1, 5)])).then([off_of(2, 1, 5)]);
    given::<Order>(here).when(&deliver(1)).then_refused(Rejection::ParcelHere);
}

/// An order whose only parcel is lost.
fn lost_on_its_way() -> Vec<Event> {
    let all = [demand(1, 3), demand(2, 1)];
    let lost = Event::ParcelLost { shipment: id(1), lines: all.to_vec(), fulfilment: Fulfilment::Unfulfilled };
    vec![placed(), paid(), parcel(1, &all), gone(1, &all), all_gone(), lost]
}

fn found(lines: &[Demand], extra: &[Demand], fulfilment: Fulfilment) -> Event {
    Event::ParcelFound { shipment: id(1), lines: lines.to_vec(), extra: extra.to_vec(), fulfilment }
}

fn lose(shipment: u128) -> Command {
    Command::LoseParcel { shipment: id(shipment) }
}

#[test]
fn a_lost_parcel_is_sent_again_from_the_stock() {
    let lost = lost_on_its_way();
    let (under_way, told) = (&lost[..5], lost[5].clone());
    given::<Order>(under_way.to_vec()).when(&lose(1)).then([told]);
    given::<Order>(lost.clone()).when(&lose(1)).then_nothing();
    given::<Order>(lost.clone()).when(&hand_over(1)).then_refused(Rejection::ParcelGone);
    given::<Order>(lost[..3].to_vec()).when(&lose(1)).then_refused(Rejection::ParcelHere);
    given::<Order>(after(under_way, &[there(1)])).when(&lose(1)).then_refused(Rejection::ParcelHere);
    assert_eq!(axes(&lost), (Status::Open, PaymentStatus::Paid, Fulfilment::Unfulfilled));
    let state = crate::fold::<Order>(&lost);
    let it = state.live().unwrap();
    assert_eq!((it.left_to_ship(id(1)), it.lost_of(id(1)), it.handed_over(id(1))), (3, 3, 0));
    given::<Order>(lost.clone()).when(&Command::Fulfil {}).then_refused(Rejection::PiecesLost);
    let two = [demand(1, 2)];
    let replaced = Event::Replaced { lines: two.to_vec() };
    given::<Order>(lost.clone()).when(&prepare(2, &two)).then([replaced.clone(), parcel(2, &two)]);
    // What was replaced and unpacked again is here, and is not taken from the stock once more.
    let dropped = Event::ParcelDropped { shipment: id(2) };
    let here = after(&lost, &[replaced, parcel(2, &two), dropped]);
    let all = [demand(1, 3)];
    let one_more = Event::Replaced { lines: vec![demand(1, 1)] };
    given::<Order>(here.clone()).when(&prepare(3, &all)).then([one_more, parcel(3, &all)]);
    given::<Order>(here).when(&prepare(3, &two)).then([parcel(3, &two)]);
    let returning = Event::ReturnRequested { return_id: id(1), lines: vec![demand(1, 1)] };
    given::<Order>(after(under_way, &[returning])).when(&lose(1)).then_refused(Rejection::ParcelReturning);
}

#[test]
fn cancelled_pieces_are_written_off_unless_they_were_lost_before() {
    let spoilt = |history: &[Event], pieces| {
        let mut cancel = cancel_lines(&[back(1, pieces, 10)]);
        let Command::CancelLines { restock, .. } = &mut cancel else { panic!("it cancels lines") };
        *restock = false;
        let events = crate::fold::<Order>(history).decide(&cancel, &asked_at_noon()).unwrap();
        let Event::LinesCancelled { written_off, .. } = &events[0] else { panic!("{events:?}") };
        written_off.clone()
    };
    assert_eq!(spoilt(&[placed()], 2), [], "what is only promised is free again");
    assert_eq!(spoilt(&[placed(), paid()], 2), [demand(1, 2)]);
    let replaced = after(&lost_on_its_way(), &[Event::Replaced { lines: vec![demand(1, 1)] }]);
    assert_eq!(spoilt(&replaced, 3), [demand(1, 1)], "two were lost");
}

#[test]
fn a_lost_parcel_is_cancelled_and_none_of_it_returns_to_the_stock() {
    let lost = lost_on_its_way();
    given::<Order>(lost.clone()).when(&cancel_lines(&[back(2, 1, 5)])).then([off_of(2, 1, 5)]);
    let less = after(&lost, &[off_of(2, 1, 5)]);
    let state = crate::fold::<Order>(&less);
    let it = state.live().unwrap();
    assert_eq!((it.lost_of(id(2)), it.left_to_ship(id(2))), (0, 0));
    let off = |release: &[Demand], lost: &[Demand]| Event::Cancelled {
        reason: CancelReason::BuyerRequest,
        payment: id(3),
        was_paid: true,
        release: release.to_vec(),
        due: None,
        credit_note: None,
        further_notes: vec![],
        lost: lost.to_vec(),
        stock_moved: true,
    };
    let all = [demand(1, 3), demand(2, 1)];
    given::<Order>(lost.clone()).when(&cancel(CancelReason::BuyerRequest)).then([off(&[], &all)]);
    // What was replaced is here, and comes back.
    let here = after(&lost, &[Event::Replaced { lines: vec![demand(1, 2)] }]);
    let rest = [demand(1, 1), demand(2, 1)];
    let cancelled = off(&[demand(1, 2)], &rest);
    given::<Order>(here.clone()).when(&cancel(CancelReason::BuyerRequest)).then([cancelled.clone()]);
    let over = after(&here, &[cancelled]);
    assert!(crate::fold::<Order>(&over).live().unwrap().lost.is_empty());
    // A lost piece that is found after the cancellation stays with its finder.
    let extra = found(&[], &all, Fulfilment::Unfulfilled);
    given::<Order>(over).when(&deliver(1)).then([extra, there(1)]);
    // While the money is being taken, what is lost left just as what arrived did.
    let authorization = [placed(), Event::Authorized { payment: id(3) }];
    let unpaid = after(&authorization, &after(&lost[2..4], &lost[5..]));
    for reason in [CancelReason::StaffRequest, CancelReason::AuthorizationExpired] {
        given::<Order>(unpaid.clone()).when(&cancel(reason)).then_refused(Rejection::AlreadyFulfilled);
    }
}

#[test]
fn a_lost_parcel_that_is_found_counts_for_what_was_not_settled_meanwhile() {
    let lost = lost_on_its_way();
    let all = [demand(1, 3), demand(2, 1)];
    let whole = found(&all, &[], Fulfilment::PartlyFulfilled);
    let arrived = [whole, there(1), all_gone(), Event::Completed {}];
    given::<Order>(lost.clone()).when(&deliver(1)).then(arrived.clone());
    let done = after(&lost, &arrived);
    assert_eq!(axes(&done), (Status::Completed, PaymentStatus::Paid, Fulfilment::Fulfilled));
    assert_eq!(crate::fold::<Order>(&done).live().unwrap().left_to_return(id(1)), 3);
    given::<Order>(done).when(&deliver(1)).then_nothing();
    // Two were sent again: of the parcel one of them and the other variant are still wanted.
    let two = [demand(1, 2)];
    let again = after(&lost, &[Event::Replaced { lines: two.to_vec() }, parcel(2, &two), gone(2, &two)]);
    let some = found(&[demand(1, 1), demand(2, 1)], &two, Fulfilment::PartlyFulfilled);
    given::<Order>(again.clone()).when(&deliver(1)).then([some.clone(), there(1), all_gone()]);
    let both = after(&again, &[some, there(1), all_gone()]);
    given::<Order>(both.clone()).when(&deliver(2)).then([there(2), Event::Completed {}]);
    assert_eq!(crate::fold::<Order>(&both).live().unwrap().handed_over(id(1)), 3);
    // It may be here again instead.
    let here = found(&all, &[], Fulfilment::Unfulfilled);
    let returned = Event::ParcelReturned { shipment: id(1), fulfilment: Fulfilment::Unfulfilled };
    let take_back = Command::TakeBackParcel { shipment: id(1) };
    given::<Order>(lost.clone()).when(&take_back).then([here.clone(), returned.clone()]);
    let back = after(&lost, &[here, returned]);
    given::<Order>(back).when(&prepare(2, &all)).then([parcel(2, &all)]);
}

#[test]
fn a_found_parcel_neither_fulfils_nor_completes_an_order_of_which_more_is_to_be_sent() {
    let one = [demand(2, 1)];
    let lost = Event::ParcelLost { shipment: id(1), lines: one.to_vec(), fulfilment: Fulfilment::Unfulfilled };
    let history = [placed(), paid(), parcel(1, &one), gone(1, &one), lost];
    given::<Order>(history).when(&deliver(1)).then([found(&one, &[], Fulfilment::PartlyFulfilled), there(1)]);
}

#[test]
fn a_found_parcel_neither_fulfils_nor_completes_an_order_again() {
    let (three, one) = ([demand(1, 3)], [demand(2, 1)]);
    let lost = Event::ParcelLost { shipment: id(1), lines: one.to_vec(), fulfilment: Fulfilment::PartlyFulfilled };
    let sent =
        [placed(), paid(), parcel(1, &one), gone(1, &one), parcel(2, &three), gone(2, &three), all_gone(), there(2)];
    let cancelled = [lost, off_of(2, 1, 5), all_gone(), Event::Completed {}];
    let arrived = [found(&[], &one, Fulfilment::Fulfilled), there(1)];
    given::<Order>(after(&sent, &cancelled)).when(&deliver(1)).then(arrived);
}

#[test]
fn a_buyer_cannot_cancel_a_lost_and_replaced_parcel_that_arrived_and_staff_can() {
    let all = [demand(1, 3), demand(2, 1)];
    let extra = found(&[], &all, Fulfilment::Unfulfilled);
    let replaced = [Event::Replaced { lines: all.to_vec() }, parcel(2, &all)];
    let unpacked = [extra, there(1), Event::ParcelDropped { shipment: id(2) }];
    let history = [lost_on_its_way(), replaced.to_vec(), unpacked.to_vec()].concat();
    let cancel = |reason| Command::Cancel { reason, credit_notes: vec![], restock: true };
    given::<Order>(history.clone()).when(&cancel(CancelReason::BuyerRequest)).then_refused(Rejection::ArrivedAfterAll);
    given::<Order>(history.clone()).when(&cancel_lines(&[back(1, 1, 10)])).then_refused(Rejection::ArrivedAfterAll);
    let done = Event::Fulfilled { completed: true, at: Some(noon()) };
    given::<Order>(history.clone()).when(&Command::Fulfil {}).then([done.clone()]);
    let ask = Command::RequestReturn { return_id: id(1), lines: vec![demand(1, 1)], since: None };
    let asked = Event::ReturnRequested { return_id: id(1), lines: vec![demand(1, 1)] };
    given::<Order>(after(&history, &[done])).when(&ask).then([asked]);
    // Staff, who can see where the goods are, may call it off.
    let off = crate::fold::<Order>(&history).decide(&cancel(CancelReason::StaffRequest), &asked_at_noon());
    assert!(off.is_ok(), "{off:?}");
}

#[test]
fn returns_are_asked_for_so_often_and_no_oftener() {
    let mut history = vec![placed(), paid(), parcel(1, &[demand(1, 2)]), gone(1, &[demand(1, 2)])];
    for number in 1..=100 {
        history.push(Event::ReturnRequested { return_id: id(number), lines: vec![demand(1, 1)] });
        history.push(Event::ReturnClosed { return_id: id(number) });
    }
    let ask = Command::RequestReturn { return_id: id(101), lines: vec![demand(1, 1)], since: None };
    given::<Order>(history).when(&ask).then_refused(Rejection::TooManyReturns);
}

#[test]
fn what_came_back_says_more_than_what_becomes_of_the_rest() {
    let (three, one) = ([demand(1, 3)], [demand(2, 1)]);
    let sent =
        [placed(), paid(), parcel(1, &one), gone(1, &one), parcel(2, &three), gone(2, &three), all_gone(), there(2)];
    let came_back = |number| returned(1, &[back(1, number, number * 10)], &[]);
    let lost = |fulfilment| Event::ParcelLost { shipment: id(1), lines: one.to_vec(), fulfilment };
    let history = after(&sent, &[came_back(2)]);
    given::<Order>(history.clone()).when(&lose(1)).then([lost(Fulfilment::PartlyReturned)]);
    // Before it knew better it said this.
    let history = after(&history, &[lost(Fulfilment::PartlyFulfilled)]);
    assert_eq!(axes(&history).2, Fulfilment::PartlyReturned);
    let off = [off_of(2, 1, 5), all_gone(), Event::Completed {}];
    given::<Order>(history.clone()).when(&cancel_lines(&[back(2, 1, 5)])).then(off.clone());
    assert_eq!(
        axes(&after(&history, &off)),
        (Status::Completed, PaymentStatus::PartlyRefunded, Fulfilment::PartlyReturned)
    );
    let arrived = [found(&one, &[], Fulfilment::PartlyReturned), there(1), all_gone(), Event::Completed {}];
    given::<Order>(history.clone()).when(&deliver(1)).then(arrived.clone());
    assert_eq!(axes(&after(&history, &arrived)).2, Fulfilment::PartlyReturned);
    // With the rest off, everything is back.
    let all_back = after(&sent, &[came_back(3), lost(Fulfilment::PartlyReturned)]);
    assert_eq!(axes(&after(&all_back, &off)).2, Fulfilment::Returned);
}

fn off_of(variant: u128, number: i64, amount: i64) -> Event {
    off(variant, number, amount, true)
}

#[test]
fn some_lines_are_cancelled_and_the_rest_continues() {
    let history = [placed(), paid()];
    given::<Order>(history.clone()).when(&cancel_lines(&[back(1, 1, 10)])).then([off_of(1, 1, 10)]);
    let less = after(&history, &[off_of(1, 1, 10)]);
    given::<Order>(less.clone()).when(&cancel_lines(&[back(1, 1, 10)])).then_nothing();
    let state = crate::fold::<Order>(&less);
    let it = state.live().unwrap();
    assert_eq!((it.left_to_ship(id(1)), it.credited, it.payable()), (2, cents(10), cents(35)));
    assert_eq!(it.demands(), [demand(1, 2), demand(2, 1)]);
    // What is off before it is paid need not be paid.
    let unpaid = crate::fold::<Order>(&[placed(), off(1, 1, 10, false)]);
    assert_eq!(unpaid.live().unwrap().payable(), cents(25));
    given::<Order>(history.clone())
        .when(&cancel_lines(&[back(1, 3, 30), back(2, 1, 5)]))
        .then_refused(Rejection::NothingLeft);
    let authorization = [placed(), Event::Authorized { payment: id(3) }];
    given::<Order>(authorization).when(&cancel_lines(&[back(1, 1, 10)])).then_refused(Rejection::AwaitingCapture);
    // With the rest off, what has gone is all there is.
    let first = after(&history, &[parcel(1, &[demand(1, 3)]), gone(1, &[demand(1, 3)]), there(1)]);
    given::<Order>(first).when(&cancel_lines(&[back(2, 1, 5)])).then([
        off_of(2, 1, 5),
        all_gone(),
        Event::Completed {},
    ]);
}

#[test]
fn what_was_handed_over_can_come_back_for_a_while() {
    let ask = |number, since| Command::RequestReturn { return_id: id(1), lines: vec![demand(1, number)], since };
    given::<Order>([placed(), paid()]).when(&ask(1, None)).then_refused(Rejection::NotFulfilled);
    let gone = [placed(), paid(), parcel(1, &[demand(1, 2)]), gone(1, &[demand(1, 2)])];
    let requested = Event::ReturnRequested { return_id: id(1), lines: vec![demand(1, 2)] };
    given::<Order>(gone.clone()).when(&ask(2, Some(noon()))).then([requested.clone()]);
    let late = noon() + TimeDelta::days(1);
    given::<Order>(gone.clone()).when(&ask(2, Some(late))).then_refused(Rejection::ReturnWindowPassed);
    let two = Rejection::TooManyReturned { variant: id(1), left: 2 };
    given::<Order>(gone.clone()).when(&ask(3, None)).then_refused(two);
    let asked = after(&gone, &[requested]);
    given::<Order>(asked.clone()).when(&ask(1, None)).then_nothing();
    let other = Command::RequestReturn { return_id: id(2), lines: vec![demand(1, 1)], since: None };
    let none = Rejection::TooManyReturned { variant: id(1), left: 0 };
    given::<Order>(asked.clone()).when(&other).then_refused(none);
    let close = Command::CloseReturn { return_id: id(1) };
    let closed = Event::ReturnClosed { return_id: id(1) };
    given::<Order>(asked.clone()).when(&close).then([closed.clone()]);
    let over = after(&asked, &[closed]);
    given::<Order>(over.clone()).when(&close).then_nothing();
    given::<Order>(over).when(&other).then([Event::ReturnRequested { return_id: id(2), lines: vec![demand(1, 1)] }]);
    let receive = Command::Return {
        credit_note: id(2),
        lines: vec![back(1, 2, 20)],
        amount: cents(20),
        restock: vec![demand(1, 1)],
        refund: Some(id(4)),
        return_id: Some(id(1)),
    };
    given::<Order>(gone).when(&receive).then_refused(Rejection::NoSuchReturn);
    let state = asked
        .iter()
        .chain(&crate::fold::<Order>(&asked).decide(&receive, &asked_at_noon()).unwrap())
        .fold(Order::default(), Order::evolve);
    let it = state.live().unwrap();
    // The money is only promised: it is given back when the payment says so.
    assert_eq!(
        (it.credited, it.progress.refunded, it.progress.payment_status),
        (cents(20), cents(0), PaymentStatus::Paid)
    );
    assert!(it.returning.is_empty());
}

fn asked_at_noon() -> Asked {
    Asked { at: noon(), by: crate::Actor::System { name: "test".to_owned() } }
}

#[test]
fn what_does_not_travel_is_handed_over_once_it_is_paid_for() {
    let digital = Line { digital: true, ..line(1, 1, 10) };
    let key = Event::Placed(placement(vec![digital.clone()]));
    let done = [
        Event::Paid {
            payment: id(3),
            commit: vec![demand(1, 1)],
            invoice: None,
            seller: None,
            invoices: vec![],
            stock_moved: true,
            keys: vec![],
            in_part: false,
        },
        fulfilled(),
    ];
    given::<Order>([key]).when(&pay(3)).then(done);
    let mixed = [Event::Placed(placement(vec![digital, line(2, 1, 5)])), paid()];
    let none = Rejection::TooManyShipped { variant: id(1), left: 0 };
    given::<Order>(mixed.clone()).when(&prepare(1, &[demand(1, 1)])).then_refused(none);
    given::<Order>(mixed.clone()).when(&cancel(CancelReason::StaffRequest)).then_refused(Rejection::AlreadyFulfilled);
    let packed = after(&mixed, &[parcel(1, &[demand(2, 1)])]);
    given::<Order>(packed.clone()).when(&hand_over(1)).then([gone(1, &[demand(2, 1)]), all_gone()]);
    let sent = after(&packed, &[gone(1, &[demand(2, 1)]), all_gone()]);
    given::<Order>(sent).when(&deliver(1)).then([there(1), Event::Completed {}]);
}

#[test]
fn an_authorized_payment_is_captured_with_the_first_parcel() {
    let authorized = Event::Authorized { payment: id(3) };
    let mark = Command::MarkAuthorized { payment: id(3) };
    given::<Order>([placed()]).when(&mark).then([authorized.clone()]);
    let authorization = [placed(), authorized];
    given::<Order>(authorization.clone()).when(&mark).then_nothing();
    let window = cancel(CancelReason::PaymentWindowPassed);
    given::<Order>(authorization.clone()).when(&window).then_refused(Rejection::AlreadyPaid);
    let expired = CancelReason::AuthorizationExpired;
    given::<Order>(authorization.clone()).when(&cancel(expired)).then([cancelled(expired, false)]);
    assert_eq!(axes(&[placed(), cancelled(expired, false)]).0, Status::Expired);
    let packed = after(&authorization, &[parcel(1, &[demand(1, 3)])]);
    let taken = Event::HandedOver { shipment: id(1), lines: vec![demand(1, 3)], at: noon(), capture: Some(id(3)) };
    given::<Order>(packed).when(&hand_over(1)).then([taken]);
    given::<Order>(authorization).when(&pay(3)).then([paid()]);
}

#[test]
fn pieces_of_the_money_go_back_one_after_the_other() {
    let piece = |refund, amount| Command::MarkRefunded {
        payment: id(3),
        refund: Some(id(refund)),
        amount: Some(cents(amount)),
    };
    let went =
        |refund, amount| Event::Refunded { payment: id(3), refund: Some(id(refund)), amount: Some(cents(amount)) };
    let history = [placed(), paid()];
    given::<Order>(history.clone()).when(&piece(1, 10)).then([went(1, 10)]);
    let some = after(&history, &[went(1, 10)]);
    given::<Order>(some.clone()).when(&piece(1, 10)).then_nothing();
    assert_eq!(axes(&some).1, PaymentStatus::PartlyRefunded);
    let off = Event::Cancelled {
        reason: CancelReason::StaffRequest,
        payment: id(3),
        was_paid: true,
        release: vec![demand(1, 3), demand(2, 1)],
        due: Some(cents(25)),
        credit_note: None,
        further_notes: vec![],
        lost: vec![],
        stock_moved: true,
    };
    given::<Order>(some.clone()).when(&cancel(CancelReason::StaffRequest)).then([off.clone()]);
    let cancelled = after(&some, &[off]);
    assert_eq!(axes(&cancelled).1, PaymentStatus::RefundDue);
    assert_eq!(axes(&after(&cancelled, &[went(2, 25)])).1, PaymentStatus::Refunded);
    given::<Order>([placed()]).when(&piece(1, 10)).then_refused(Rejection::NotPaid);
}

#[test]
fn each_piece_of_a_line_has_its_own_share_whether_those_before_were_cancelled_or_returned() {
    // Three pieces for 10: they have shares of 3, 3 and 4.
    let discounted = Line { discount: Some(cents(2)), ..line(1, 3, 4) };
    let placed = Event::Placed(Placement { total: cents(10), ..placement(vec![discounted]) });
    let one = [demand(1, 1)];
    let sent = [placed, paid(), off_of(1, 1, 3), parcel(1, &one), gone(1, &one)];
    let share = |history: &[Event]| crate::fold::<Order>(history).live().unwrap().worth(demand(1, 1));
    assert_eq!((share(&sent[..2]), share(&sent)), (cents(3), cents(3)));
    let came_back = returned(1, &[back(1, 1, 3)], &[]);
    assert_eq!(share(&after(&sent, &[came_back])), cents(4));
}

#[test]
fn parcels_know_where_they_are() {
    assert!(ParcelStage::Delivered.is_gone() && !ParcelStage::Prepared.is_gone());
    assert!(ParcelStage::Returned.is_empty() && !ParcelStage::HandedOver.is_empty());
    assert!(ParcelStage::Lost.is_empty() && !ParcelStage::Lost.is_gone());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever comes off or back, in however many steps, is worth exactly what was paid for it.
    #[test]
    fn the_pieces_are_worth_the_whole(
        bought in proptest::collection::vec((1..4u128, 1..9i64, 0..500i64), 1..6),
        discount in 0..200i64,
        steps in proptest::collection::vec((1..4u128, 1..4i64), 0..60),
    ) {
        let lines: Vec<Line> = bought.iter().map(|(variant, number, amount)| line(*variant, *number, *amount)).collect();
        let mut placement = placement(lines);
        let mut discount = discount;
        for line in &mut placement.lines {
            let off = discount.min(line.amount.amount);
            line.discount = Some(cents(off)).filter(|off| off.amount > 0);
            discount -= off;
            placement.total.amount -= off;
        }
        let total = placement.total;
        let mut state = Order::default().evolve(&Event::Placed(placement)).evolve(&paid());
        let mut given_back = 0;
        let rest = (1..4).flat_map(|variant| (0..40).map(move |_| (variant, 1)));
        for (variant, number) in steps.iter().copied().chain(rest) {
            let it = state.live().unwrap();
            let left = it.bought(id(variant)) - it.off(id(variant));
            if left == 0 {
                continue;
            }
            let wanted = demand(variant, number.min(left));
            let worth = it.worth(wanted);
            prop_assert!(worth.amount >= 0);
            given_back += worth.amount;
            state = state.evolve(&Event::LinesCancelled {
                lines: vec![ReturnLine { variant: wanted.variant, quantity: wanted.quantity, amount: worth }],
                amount: worth,
                shipping: None,
                reason: CancelReason::BuyerRequest,
                was_paid: true,
                refund: None,
                credit_note: None,
                written_off: vec![],
            });
            prop_assert!(given_back <= total.amount);
        }
        if bought.iter().any(|(_, _, amount)| *amount > 0) {
            prop_assert_eq!(given_back, total.amount);
        }
    }
}
