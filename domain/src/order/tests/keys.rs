//! Rules of the keys of an order: shown in their order, and given back from the end.

use super::*;
use crate::fold;
use crate::key_pool::KeyRange;
use crate::licence::KeyNumber;
use crate::order::{KEYS_SHOWN_MAX, LineKeys, RevokedKeys, Shown, Wanted};

fn range(batch: u32, first: u32, count: u32) -> KeyRange {
    KeyRange { batch, first, count }
}

/// An order of so many keys that is paid; the first two are the last of their batch.
fn bought(number: i64) -> Vec<Event> {
    let placement = placement(vec![Line { digital: true, keys: true, ..line(1, number, 10) }]);
    let rest = u32::try_from(number).unwrap() - 2;
    let keys = vec![LineKeys { variant: id(1), keys: vec![range(1, 8, 2), range(2, 0, rest)], gift_cards: vec![] }];
    let (payment, commit) = (id(3), vec![demand(1, number)]);
    let paid = Event::Paid {
        payment,
        commit,
        invoice: None,
        seller: None,
        invoices: vec![],
        stock_moved: true,
        keys,
        in_part: false,
    };
    vec![Event::Placed(placement), paid, fulfilled()]
}

fn wanted(from: i64, quantity: Option<i64>) -> Wanted {
    Wanted { variant: Some(id(1)), from: pieces(from), quantity: quantity.map(pieces) }
}

fn revealed(number: i64) -> Event {
    Event::KeysRevealed { lines: vec![demand(1, number)], at: noon() }
}

fn reveal(from: i64, quantity: Option<i64>) -> Command {
    Command::RevealKeys(wanted(from, quantity))
}

fn shown(history: &[Event], wanted: &Wanted) -> Result<Vec<Shown>, Rejection> {
    fold::<Order>(history).live().unwrap().keys_to_show(wanted)
}

#[test]
fn the_keys_come_with_the_payment() {
    let placement = placement(vec![Line { digital: true, keys: true, ..line(1, 2, 10) }, line(2, 1, 5)]);
    let keys = vec![LineKeys { variant: id(1), keys: vec![range(1, 0, 2)], gift_cards: vec![] }];
    let pay = Command::MarkPaid { payment: id(3), invoice: None, seller: None, invoices: vec![], keys: keys.clone() };
    let (payment, commit) = (id(3), vec![demand(1, 2), demand(2, 1)]);
    let paid = Event::Paid {
        payment,
        commit,
        invoice: None,
        seller: None,
        invoices: vec![],
        stock_moved: true,
        keys,
        in_part: true,
    };
    given::<Order>([Event::Placed(placement.clone())]).when(&pay).then([paid.clone()]);
    let state = fold::<Order>(&[Event::Placed(placement), paid]);
    let placed = state.live().unwrap();
    assert_eq!((placed.keyed(), placed.progress.fulfilment), (vec![demand(1, 2)], Fulfilment::PartlyFulfilled));
}

#[test]
fn keys_are_shown_in_their_order_and_recorded_once() {
    let one = |from, keys, more| Ok(vec![Shown { variant: id(1), from, keys, more }]);
    let history = bought(4);
    assert_eq!(shown(&history, &wanted(1, Some(1))), one(1, vec![range(1, 8, 1)], 3));
    given::<Order>(history.clone()).when(&reveal(1, Some(1))).then([revealed(1)]);
    given::<Order>(history.clone()).when(&reveal(2, None)).then_refused(Rejection::KeysInTurn { revealed: 0 });
    let seen = [&history[..], &[revealed(1)]].concat();
    given::<Order>(seen.clone()).when(&reveal(1, Some(1))).then_nothing();
    assert_eq!(shown(&seen, &wanted(2, Some(2))), one(2, vec![range(1, 9, 1), range(2, 0, 1)], 1));
    given::<Order>(seen.clone()).when(&Command::RevealKeys(Wanted::default())).then([revealed(4)]);
    given::<Order>(seen).when(&reveal(5, None)).then_refused(Rejection::NoKeys);
    given::<Order>(history)
        .when(&Command::RevealKeys(Wanted { variant: Some(id(2)), ..Wanted::default() }))
        .then_refused(Rejection::NoKeys);
}

#[test]
fn an_order_without_keys_has_none_to_show() {
    given::<Order>([placed(), paid()]).when(&Command::RevealKeys(Wanted::default())).then_refused(Rejection::NoKeys);
    let unpaid = &bought(3)[..1];
    given::<Order>(unpaid.to_vec()).when(&Command::RevealKeys(Wanted::default())).then_refused(Rejection::NoKeys);
}

#[test]
fn not_more_keys_are_shown_at_once_than_a_page_holds() {
    let history = bought(KEYS_SHOWN_MAX + 5);
    let first = shown(&history, &Wanted::default()).unwrap().remove(0);
    assert_eq!((crate::key_pool::count_of(&first.keys), first.more), (KEYS_SHOWN_MAX, 5));
    given::<Order>(history).when(&Command::RevealKeys(Wanted::default())).then([revealed(KEYS_SHOWN_MAX)]);
}

#[test]
fn pieces_that_are_given_back_give_up_the_last_keys() {
    let history = [&bought(4)[..], &[revealed(3)]].concat();
    let state = fold::<Order>(&history);
    let placed = state.live().unwrap();
    let used = |quantity| placed.keys_given_up_with(&[demand(1, quantity)])[0].revealed;
    assert_eq!([used(1), used(2), used(4)], [0, 1, 3]);
    let across = RevokedKeys { variant: id(1), keys: vec![range(1, 9, 1), range(2, 0, 2)], revealed: 2, taken: None };
    assert_eq!(placed.keys_given_up_with(&[demand(1, 3), demand(2, 1)]), [across]);
    let requested = Event::ReturnRequested { return_id: id(1), lines: vec![demand(1, 1)] };
    let asked = [&history[..], &[requested]].concat();
    assert_eq!(fold::<Order>(&asked).live().unwrap().keys_left(id(1)), 3);
    let last = RevokedKeys { variant: id(1), keys: vec![range(2, 0, 2)], revealed: 1, taken: None };
    given::<Order>(history.clone()).when(&give_back(1, &[back(1, 2, 20)])).then([two_back(vec![last])]);
    let one_back = [&history[..], &[returned(1, &[back(1, 2, 20)], &[])]].concat();
    let state = fold::<Order>(&one_back);
    let placed = state.live().unwrap();
    assert_eq!((placed.keys_left(id(1)), placed.revoked_keys(id(1))), (2, (2, 1)));
    assert_eq!(placed.keys_given_up_with(&[demand(1, 9)])[0].revealed, 2);
    assert_eq!(placed.goods_among(vec![demand(1, 1), demand(2, 1)]), [demand(2, 1)]);
}

/// Two pieces of 10 that come back with their keys.
fn two_back(revoked: Vec<RevokedKeys>) -> Event {
    let lines = vec![back(1, 2, 20)];
    let (amount, restock, refund, return_id) = (cents(20), vec![demand(1, 2)], None, None);
    Event::Returned { credit_note: id(1), lines, amount, restock, refund, return_id, revoked }
}

fn refund(note: u128, keys: Vec<Demand>) -> Command {
    Command::Credit {
        credit_note: id(note),
        refund: id(4),
        amount: cents(10),
        shipping: false,
        keys,
        part: None,
        taken: vec![],
        imposed: false,
    }
}

fn refunded(note: u128, revoked: Vec<RevokedKeys>) -> Event {
    let (credit_note, amount, downloads) = (id(note), cents(10), vec![]);
    Event::Credited { credit_note, refund: id(4), amount, shipping: false, revoked, downloads, parts: vec![] }
}

#[test]
fn a_refund_of_money_alone_revokes_the_keys_that_it_names() {
    let history = [&bought(4)[..], &[revealed(4)]].concat();
    let last = |first, count| RevokedKeys {
        variant: id(1),
        keys: vec![range(2, first, count)],
        revealed: count.into(),
        taken: None,
    };
    given::<Order>(history.clone()).when(&refund(1, vec![demand(1, 1)])).then([refunded(1, vec![last(1, 1)])]);
    given::<Order>(history.clone()).when(&refund(1, vec![])).then([refunded(1, vec![])]);
    let none = Rejection::TooManyKeys { variant: id(2), left: 0 };
    given::<Order>(history.clone()).when(&refund(1, vec![demand(2, 1)])).then_refused(none);
    let refunded_once = [&history[..], &[refunded(1, vec![last(1, 1)])]].concat();
    let state = fold::<Order>(&refunded_once);
    let placed = state.live().unwrap();
    assert_eq!((placed.keys_left(id(1)), placed.revoked_keys(id(1))), (3, (1, 1)));
    let shows = |batch, number| placed.shows(KeyNumber { variant: id(1), batch, number });
    assert_eq!([shows(1, 8), shows(1, 9), shows(2, 0)], [Some(true); 3]);
    assert_eq!([shows(2, 1), shows(2, 2), shows(1, 0)], [Some(false), None, None]);
    assert_eq!(placed.pieces_with_keys(), [demand(1, 3)]);
    given::<Order>(refunded_once.clone()).when(&reveal(4, None)).then_refused(Rejection::NoKeys);
    let too_many = Rejection::TooManyKeys { variant: id(1), left: 3 };
    given::<Order>(refunded_once.clone()).when(&refund(2, vec![demand(1, 4)])).then_refused(too_many);
    // What was refunded so is not returned again, also not by a return that was requested before.
    let ask = Command::RequestReturn { return_id: id(1), lines: vec![demand(1, 4)], since: None };
    let refused = Rejection::TooManyReturned { variant: id(1), left: 3 };
    given::<Order>(refunded_once).when(&ask).then_refused(refused);
}

#[test]
fn what_is_said_of_keys_is_golden() {
    let keys = vec![LineKeys { variant: id(1), keys: vec![range(1, 8, 2), range(2, 0, 1)], gift_cards: vec![] }];
    let (payment, commit) = (id(3), vec![demand(1, 3)]);
    golden(
        include_str!("../golden.json"),
        &[
            Event::Placed(placement(vec![Line { digital: true, keys: true, ..line(1, 3, 10) }])),
            Event::Paid {
                payment,
                commit,
                invoice: None,
                seller: None,
                invoices: vec![],
                stock_moved: true,
                keys,
                in_part: true,
            },
            revealed(2),
            two_back(vec![RevokedKeys {
                variant: id(1),
                keys: vec![range(1, 9, 1), range(2, 0, 1)],
                revealed: 0,
                taken: None,
            }]),
            refunded(1, vec![RevokedKeys { variant: id(1), keys: vec![range(2, 0, 1)], revealed: 1, taken: None }]),
        ],
    );
}
