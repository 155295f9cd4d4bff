//! Rules of the downloads of an order: its buyer has those of paid pieces, until they are given back.

use super::*;
use crate::fold;

/// An order of so many downloads that is paid.
fn bought(number: i64) -> Vec<Event> {
    let placement = placement(vec![Line { digital: true, downloads: true, ..line(1, number, 10) }]);
    let (payment, commit) = (id(3), vec![demand(1, number)]);
    let paid = Event::Paid {
        payment,
        commit,
        invoice: None,
        seller: None,
        invoices: vec![],
        stock_moved: true,
        keys: vec![],
        in_part: false,
    };
    vec![Event::Placed(placement), paid, fulfilled()]
}

fn left(history: &[Event]) -> i64 {
    fold::<Order>(history).live().unwrap().downloads_left(id(1))
}

fn refund(note: u128, pieces: Vec<Demand>) -> Command {
    Command::Credit {
        credit_note: id(note),
        refund: id(4),
        amount: cents(10),
        shipping: false,
        keys: pieces,
        part: None,
        taken: vec![],
        imposed: false,
    }
}

fn refunded(note: u128, downloads: Vec<Demand>) -> Event {
    let (credit_note, amount, revoked) = (id(note), cents(10), vec![]);
    Event::Credited { credit_note, refund: id(4), amount, shipping: false, revoked, downloads, parts: vec![] }
}

fn requested(quantity: i64) -> Event {
    Event::ReturnRequested { return_id: id(8), lines: vec![demand(1, quantity)] }
}

#[test]
fn downloads_come_with_the_payment_and_go_with_the_cancellation() {
    let history = bought(3);
    assert_eq!((left(&history[..1]), left(&history)), (0, 3));
    let cancelled = Event::Cancelled {
        reason: CancelReason::StaffRequest,
        payment: id(3),
        was_paid: true,
        release: vec![],
        due: None,
        credit_note: None,
        further_notes: vec![],
        lost: vec![],
        stock_moved: true,
    };
    assert_eq!(left(&[&history[..2], &[cancelled]].concat()), 0);
    let others = fold::<Order>(&[Event::Placed(placement(vec![line(1, 2, 10)]))]);
    assert_eq!(others.live().unwrap().downloadable(), []);
}

#[test]
fn downloads_are_lost_from_the_request_of_a_return_on() {
    let asked = [&bought(3)[..], &[requested(2)]].concat();
    assert_eq!(left(&asked), 1);
    let rejected = [&asked[..], &[Event::ReturnClosed { return_id: id(8) }]].concat();
    assert_eq!(left(&rejected), 3);
    let lines = vec![back(1, 2, 20)];
    let (amount, restock, refund, return_id, revoked) = (cents(20), vec![], None, Some(id(8)), vec![]);
    let received = Event::Returned { credit_note: id(1), lines, amount, restock, refund, return_id, revoked };
    let state = fold::<Order>(&[&asked[..], &[received]].concat());
    let placed = state.live().unwrap();
    assert_eq!((placed.downloads_left(id(1)), placed.downloads_kept(id(1))), (1, 1));
    assert_eq!(placed.goods_among(vec![demand(1, 1), demand(2, 1)]), [demand(2, 1)]);
}

#[test]
fn a_refund_of_money_alone_revokes_the_downloads_that_it_names() {
    let history = bought(3);
    given::<Order>(history.clone()).when(&refund(1, vec![demand(1, 1)])).then([refunded(1, vec![demand(1, 1)])]);
    given::<Order>(history.clone()).when(&refund(1, vec![])).then([refunded(1, vec![])]);
    let once = [&history[..], &[refunded(1, vec![demand(1, 1)])]].concat();
    let state = fold::<Order>(&once);
    let placed = state.live().unwrap();
    assert_eq!((placed.downloads_left(id(1)), placed.pieces_to_revoke()), (2, vec![demand(1, 2)]));
    let too_many = Rejection::TooManyKeys { variant: id(1), left: 2 };
    given::<Order>(once.clone()).when(&refund(2, vec![demand(1, 3)])).then_refused(too_many);
    // What was refunded so is not returned again.
    let ask = Command::RequestReturn { return_id: id(1), lines: vec![demand(1, 3)], since: None };
    given::<Order>(once).when(&ask).then_refused(Rejection::TooManyReturned { variant: id(1), left: 2 });
}

#[test]
fn what_is_said_of_downloads_is_golden() {
    golden(
        include_str!("../golden.json"),
        &[
            Event::Placed(placement(vec![Line { digital: true, downloads: true, ..line(1, 3, 10) }])),
            refunded(1, vec![demand(1, 1)]),
        ],
    );
}
