//! Folds of order_list.

use byteshop_domain::Currency;
use byteshop_domain::ids::{CreditNoteId, Id as _, ProductId, RefundId, ReturnId, ShipmentId, VariantId};
use byteshop_domain::money::Price;
use byteshop_domain::order::{Buyer, Line, ReturnLine};
use byteshop_domain::payment::{self, RefundCause, whole};
use byteshop_domain::quantity::{Demand, Quantity};
use uuid::Uuid;

use super::*;
use crate::engine::declared::Declared;
use crate::testing::{event, rows};

fn fold(events: &[Event]) -> Row {
    let rows = rows::<OrderList>(events.iter().map(|it| event::<Order>(7, it)).collect());
    rows.into_values().next().unwrap()
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn payment() -> PaymentId {
    PaymentId::from_uuid(Uuid::from_u128(3))
}

fn variant() -> VariantId {
    VariantId::from_uuid(Uuid::from_u128(4))
}

fn placed() -> Event {
    Event::Placed(Placement {
        buyer: Buyer { account: Some(AccountId::from_uuid(Uuid::from_u128(2))), reference: None },
        cart: None,
        access_hash: None,
        destination: serde_json::from_str(r#"{"country":"DE"}"#).unwrap(),
        lines: vec![Line {
            variant: variant(),
            product: ProductId::from_uuid(Uuid::from_u128(5)),
            sku: serde_json::from_str("\"MUG\"").unwrap(),
            title: serde_json::from_str("\"Mug\"").unwrap(),
            quantity: Quantity::new(3).unwrap(),
            unit_price: Price::new(eur(500)).unwrap(),
            exact_price: None,
            digital: false,
            commission: None,
            keys: false,
            downloads: false,
            gift_cards: false,
            seller: None,
            amount: eur(1500),
            discount: None,
            tax: None,
        }],
        total: eur(1500),
        payment: payment(),
        pay_by: None,
        reference: Some(serde_json::from_str("\"489434\"").unwrap()),
        imported: false,
        part_shipping: vec![],
        tax_rounding: byteshop_domain::tax_book::Rounding::Line,
        discounts: vec![],
        shipping: None,
        claims: vec![],
    })
}

fn returned(quantity: i64, amount: i64) -> Event {
    Event::Returned {
        credit_note: CreditNoteId::from_uuid(Uuid::from_u128(6)),
        lines: vec![ReturnLine { variant: variant(), quantity: Quantity::new(quantity).unwrap(), amount: eur(amount) }],
        amount: eur(amount),
        restock: vec![],
        refund: None,
        return_id: None,
        revoked: vec![],
    }
}

fn paid() -> Event {
    Event::Paid {
        payment: payment(),
        commit: vec![],
        invoice: None,
        seller: None,
        invoices: vec![],
        stock_moved: false,
        keys: vec![],
        in_part: false,
    }
}

fn cancelled(reason: CancelReason, was_paid: bool, due: Option<Money>) -> Event {
    Event::Cancelled {
        reason,
        payment: payment(),
        was_paid,
        release: vec![],
        due,
        credit_note: None,
        further_notes: vec![],
        lost: vec![],
        stock_moved: true,
    }
}

fn done() -> Event {
    Event::Fulfilled { completed: true, at: None }
}

fn went(refund: Option<RefundId>, amount: Option<Money>) -> Event {
    Event::Refunded { payment: payment(), refund, amount }
}

fn piece(number: u128, amount: i64) -> Event {
    went(Some(RefundId::from_uuid(Uuid::from_u128(number))), Some(eur(amount)))
}

fn off(was_paid: bool) -> Event {
    Event::LinesCancelled {
        lines: vec![ReturnLine { variant: variant(), quantity: Quantity::ONE, amount: eur(500) }],
        amount: eur(500),
        shipping: None,
        reason: CancelReason::BuyerRequest,
        was_paid,
        refund: None,
        credit_note: None,
        written_off: vec![],
    }
}

fn plain() -> Vec<Vec<Event>> {
    let staff = |was_paid| cancelled(CancelReason::StaffRequest, was_paid, None);
    vec![
        vec![placed()],
        vec![placed(), paid()],
        vec![placed(), staff(false)],
        vec![placed(), paid(), staff(true), went(None, None)],
        vec![placed(), paid(), done()],
        vec![placed(), paid(), done(), returned(1, 500)],
        vec![placed(), paid(), done(), returned(1, 500), returned(2, 1000)],
        vec![placed(), Event::Authorized { payment: payment() }],
        vec![placed(), cancelled(CancelReason::PaymentWindowPassed, false, None)],
    ]
}

fn in_parcels() -> Vec<Vec<Event>> {
    let shipment = ShipmentId::from_uuid(Uuid::from_u128(8));
    let lines = vec![Demand { variant: variant(), quantity: Quantity::new(3).unwrap() }];
    let prepared = Event::ParcelPrepared { shipment, lines: lines.clone() };
    let at = DateTime::UNIX_EPOCH;
    let gone = Event::HandedOver { shipment, lines, at, capture: None };
    let sent = [placed(), paid(), prepared.clone(), gone, Event::Fulfilled { completed: false, at: None }];
    let there = [Event::Delivered { shipment, at }, Event::Completed {}];
    let here = [Event::ParcelReturned { shipment, fulfilment: Fulfilment::Unfulfilled }];
    let lines = vec![Demand { variant: variant(), quantity: Quantity::new(3).unwrap() }];
    let lost = Event::ParcelLost { shipment, lines: lines.clone(), fulfilment: Fulfilment::Unfulfilled };
    let replaced = Event::Replaced { lines: lines.clone() };
    let found = Event::ParcelFound { shipment, lines, extra: vec![], fulfilment: Fulfilment::PartlyFulfilled };
    let again = [lost.clone(), found, there[0].clone(), Event::Fulfilled { completed: false, at: None }];
    let ends = [&there[..], &here, &[lost.clone(), replaced], &again, &[lost, off(true)]];
    let after = ends.map(|end| [&sent[..], end].concat());
    [vec![vec![placed(), paid(), prepared], sent.to_vec()], after.to_vec()].concat()
}

fn piece_by_piece() -> Vec<Vec<Event>> {
    let refund = RefundId::from_uuid(Uuid::from_u128(1));
    let with_return = |refund, amount| Event::Returned {
        credit_note: CreditNoteId::from_uuid(Uuid::from_u128(6)),
        lines: vec![ReturnLine { variant: variant(), quantity: Quantity::ONE, amount: eur(amount) }],
        amount: eur(amount),
        restock: vec![],
        refund,
        return_id: Some(ReturnId::from_uuid(Uuid::from_u128(9))),
        revoked: vec![],
    };
    let part_due = cancelled(CancelReason::StaffRequest, true, Some(eur(1000)));
    vec![
        vec![placed(), paid(), done(), with_return(None, 0)],
        vec![placed(), paid(), done(), with_return(Some(refund), 500), piece(1, 500)],
        vec![placed(), paid(), off(true), piece(1, 500)],
        vec![placed(), off(false), paid(), piece(1, 1000)],
        vec![placed(), paid(), piece(1, 500), part_due.clone()],
        vec![placed(), paid(), piece(1, 500), part_due, piece(2, 1000)],
        vec![placed(), paid(), off(true), done(), returned(2, 1000)],
    ]
}

/// Two pieces come back, and what becomes of the third is heard only then.
fn returned_before_the_rest_is_known() -> Vec<Vec<Event>> {
    let demand = |quantity| vec![Demand { variant: variant(), quantity: Quantity::new(quantity).unwrap() }];
    let (shipment, at) = (ShipmentId::from_uuid(Uuid::from_u128(8)), DateTime::UNIX_EPOCH);
    let other = ShipmentId::from_uuid(Uuid::from_u128(10));
    let all_gone = Event::Fulfilled { completed: false, at: None };
    let mut history = vec![placed(), paid()];
    for (shipment, quantity) in [(other, 2), (shipment, 1)] {
        history.push(Event::ParcelPrepared { shipment, lines: demand(quantity) });
        history.push(Event::HandedOver { shipment, lines: demand(quantity), at, capture: None });
    }
    let lost = Event::ParcelLost { shipment, lines: demand(1), fulfilment: Fulfilment::PartlyFulfilled };
    history.extend([all_gone.clone(), returned(2, 1000), lost]);
    let found =
        Event::ParcelFound { shipment, lines: demand(1), extra: vec![], fulfilment: Fulfilment::PartlyFulfilled };
    let ends = [vec![], vec![off(true), all_gone.clone(), Event::Completed {}], vec![found, all_gone]];
    ends.map(|end| [history.clone(), end].concat()).to_vec()
}

#[test]
fn a_row_says_how_far_an_order_is_as_the_order_itself_does() {
    let histories = [plain(), in_parcels(), piece_by_piece(), returned_before_the_rest_is_known()].concat();
    for history in &histories {
        let row = fold(history);
        let order: Order = byteshop_domain::fold(history);
        let it = order.live().unwrap().progress;
        assert_eq!(
            (row.status, row.payment_status, row.fulfilment, row.cancel_reason),
            (it.status, it.payment_status, it.fulfilment, it.cancelled),
            "{history:?}"
        );
        assert_eq!(
            (row.total, row.refunded, row.quantity, row.returned),
            (it.payable, it.refunded, it.kept, it.returned),
            "{history:?}"
        );
        // A row survives being stored.
        assert_eq!(serde_json::from_str::<Row>(&serde_json::to_string(&row).unwrap()).unwrap(), row);
    }
}

#[test]
fn a_row_is_written_like_this() {
    let text = serde_json::to_string(&fold(&[placed(), paid()])).unwrap();
    assert_eq!(
        text,
        concat!(
            r#"{"id":"ord_00000000000000000000000007","number":"0000-0000-007J","account":"acc_00000000000000000000000002","#,
            r#""status":"open","payment_status":"paid","fulfilment":"unfulfilled","cancel_reason":null,"#,
            r#""total":{"amount":1500,"currency":"EUR"},"refunded":{"amount":0,"currency":"EUR"},"country":"DE","address":null,"#,
            r#""line_count":1,"quantity":3,"returned":0,"payment":"pay_00000000000000000000000003","refunds_failed":[],"#,
            r#""refunds_to_settle":[],"#,
            r#""invoice":null,"invoices":[],"reference":"489434","#,
            r#""placed_at":"2026-01-01T12:00:01.000000Z","paid_at":"2026-01-01T12:00:02.000000Z"}"#
        )
    );
}

fn refund(number: u128) -> RefundId {
    RefundId::from_uuid(Uuid::from_u128(number))
}

fn told(event_of_payment: &payment::Event) -> Recorded {
    event::<Payment>(3, event_of_payment)
}

fn order() -> OrderId {
    OrderId::from_uuid(Uuid::from_u128(7))
}

fn asked(refund: RefundId, retries: Option<RefundId>) -> Recorded {
    let cause = RefundCause::LinesCancelled;
    told(&payment::Event::RefundRequested {
        order: order(),
        refund,
        amount: eur(500),
        cause,
        retries,
        manual: false,
        to: None,
        of: None,
    })
}

fn failed(refund: RefundId) -> Recorded {
    told(&payment::Event::RefundFailed { order: order(), refund, amount: eur(500) })
}

fn went_back(refund: Option<RefundId>) -> Recorded {
    told(&payment::Event::Refunded { order: order(), amount: eur(500), refund, cause: None, to: None, of: None })
}

/// Which refunds count as failed after this, the order being paid for.
fn failed_after<const N: usize>(events: [Recorded; N]) -> Vec<RefundId> {
    let bought = [placed(), paid()].map(|it| event::<Order>(7, &it));
    let rows = rows::<OrderList>(bought.into_iter().chain(events).collect());
    rows[&order().to_string()].refunds_failed.iter().copied().collect()
}

#[test]
fn a_refund_that_failed_counts_until_it_is_tried_again() {
    let [first, second] = [refund(11), refund(12)];
    let again = || asked(second, Some(first));
    assert_eq!(failed_after([asked(first, None)]), []);
    assert_eq!(failed_after([asked(first, None), failed(first)]), [first]);
    assert_eq!(failed_after([asked(first, None), failed(first), again()]), []);
    assert_eq!(failed_after([asked(first, None), failed(first), again(), failed(second)]), [second]);
    assert_eq!(failed_after([asked(first, None), failed(first), again(), went_back(Some(second))]), []);
    // Another one beside it settles nothing.
    assert_eq!(failed_after([failed(first), asked(second, None), went_back(Some(second))]), [first]);
    assert_eq!(failed_after([failed(first), asked(second, None), failed(second)]), [first, second]);
    // It went back after all.
    assert_eq!(failed_after([failed(first), went_back(Some(first))]), []);
}

#[test]
fn a_refund_that_no_provider_makes_waits_until_staff_settles_it() {
    let by_hand = |refund| {
        let (cause, order) = (RefundCause::NotDue, order());
        told(&payment::Event::RefundRequested {
            order,
            refund,
            amount: eur(500),
            cause,
            retries: None,
            manual: true,
            to: None,
            of: None,
        })
    };
    let waiting = |events: Vec<Recorded>| -> (Vec<RefundId>, Vec<RefundId>) {
        let bought = [placed(), paid()].map(|it| event::<Order>(7, &it));
        let row = &rows::<OrderList>(bought.into_iter().chain(events).collect())[&order().to_string()];
        (row.refunds_to_settle.iter().copied().collect(), row.refunds_failed.iter().copied().collect())
    };
    let [first, second, all] = [refund(11), refund(12), whole(payment())];
    assert_eq!(waiting(vec![asked(first, None)]), (vec![], vec![]));
    assert_eq!(waiting(vec![by_hand(first), by_hand(second)]), (vec![first, second], vec![]));
    assert_eq!(waiting(vec![by_hand(first), by_hand(second), went_back(Some(first))]), (vec![second], vec![]));
    // Settled outside the shop although its provider refused it.
    assert_eq!(waiting(vec![failed(first), went_back(Some(first))]), (vec![], vec![]));
    assert_eq!(waiting(vec![failed(first), by_hand(all)]), (vec![all], vec![]));
}

#[test]
fn what_failed_before_all_that_is_left_was_asked_for_counts_no_more() {
    let [first, again, all] = [refund(11), refund(12), whole(payment())];
    assert_eq!(failed_after([failed(first), asked(all, None)]), []);
    assert_eq!(failed_after([failed(first), asked(all, None), went_back(Some(all))]), []);
    assert_eq!(failed_after([failed(first), asked(all, None), failed(all)]), [all]);
    assert_eq!(failed_after([failed(first), asked(all, None), failed(all), asked(again, Some(all))]), []);
    // What was on its way back then is no part of it.
    assert_eq!(failed_after([asked(first, None), asked(all, None), failed(first), went_back(Some(all))]), [first]);
    // Once all of the money is back, none of it failed.
    assert_eq!(failed_after([failed(first), went_back(None)]), []);
    assert_eq!(failed_after([failed(first), event::<Order>(7, &went(None, None))]), []);
    assert_eq!(failed_after([failed(first), event::<Order>(7, &piece(12, 500))]), [first]);
    assert_eq!(failed_after([failed(first), event::<Order>(7, &piece(12, 1500))]), []);
}

#[test]
fn what_else_happens_to_a_payment_is_not_even_read() {
    let unreadable = |event_type: &str| Recorded { event_type: event_type.into(), data: "{".into(), ..went_back(None) };
    assert!(!Declared::of::<OrderList>().concerns(&unreadable("captured")));
    assert!(Declared::of::<OrderList>().concerns(&unreadable("refund_failed")));
    OrderList::read(&unreadable("refund_failed")).unwrap_err();
}
