//! Folds of purchase_list.

use byteshop_domain::Currency;
use byteshop_domain::ids::{CreditNoteId, Id, PaymentId};
use byteshop_domain::key_pool::KeyRange;
use byteshop_domain::money::{Money, Price};
use byteshop_domain::order::{Buyer, Line, LineKeys, ReturnLine, RevokedKeys};
use byteshop_domain::quantity::{Demand, Quantity};
use uuid::Uuid;

use super::*;
use crate::testing::{event, rows, text};

fn id<I: Id>(number: u128) -> I {
    I::from_uuid(Uuid::from_u128(number))
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn quantity(number: i64) -> Quantity {
    Quantity::new(number).unwrap()
}

fn line(variant: u128, keys: bool) -> Line {
    Line {
        variant: id(variant),
        product: id(5),
        sku: text("KEY"),
        title: text("Key"),
        quantity: quantity(3),
        unit_price: Price::new(eur(500)).unwrap(),
        exact_price: None,
        digital: keys,
        commission: None,
        keys,
        downloads: false,
        gift_cards: false,
        seller: None,
        amount: eur(1_500),
        discount: None,
        tax: None,
    }
}

fn placed(account: Option<u128>, lines: Vec<Line>) -> Event {
    Event::Placed(Placement {
        buyer: Buyer { account: account.map(id), reference: None },
        cart: None,
        access_hash: None,
        destination: serde_json::from_str(r#"{"country":"DE"}"#).unwrap(),
        total: eur(1_500 * i64::try_from(lines.len()).unwrap()),
        lines,
        payment: id::<PaymentId>(3),
        pay_by: None,
        reference: None,
        imported: false,
        part_shipping: vec![],
        tax_rounding: byteshop_domain::tax_book::Rounding::Line,
        discounts: vec![],
        shipping: None,
        claims: vec![],
    })
}

fn paid(keys: Vec<LineKeys>) -> Event {
    let (payment, commit) = (id(3), vec![]);
    Event::Paid {
        payment,
        commit,
        invoice: None,
        seller: None,
        invoices: vec![],
        stock_moved: true,
        keys,
        in_part: false,
    }
}

fn fold(events: &[Event]) -> Vec<Row> {
    rows::<PurchaseList>(events.iter().map(|it| event::<Order>(7, it)).collect()).into_values().collect()
}

#[test]
fn a_row_counts_the_keys_that_were_delivered_shown_and_given_back() {
    let range = |first, count| KeyRange { batch: 1, first, count };
    let keys = vec![LineKeys { variant: id(4), keys: vec![range(0, 2), range(7, 1)], gift_cards: vec![] }];
    let seen = Event::KeysRevealed {
        lines: vec![Demand { variant: id(4), quantity: quantity(2) }],
        at: crate::testing::noon(),
    };
    let back = Event::Returned {
        credit_note: id::<CreditNoteId>(6),
        lines: vec![ReturnLine { variant: id(4), quantity: quantity(1), amount: eur(500) }],
        amount: eur(500),
        restock: vec![],
        refund: None,
        return_id: None,
        revoked: vec![],
    };
    let refunded = Event::Credited {
        credit_note: id::<CreditNoteId>(7),
        refund: id(8),
        amount: eur(500),
        shipping: false,
        revoked: vec![RevokedKeys { variant: id(4), keys: vec![range(1, 1)], revealed: 1, taken: None }],
        downloads: vec![],
        parts: vec![],
    };
    let history = [placed(Some(2), vec![line(4, true), line(8, false)]), paid(keys), seen, back, refunded];
    let rows = fold(&history);
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!((row.account, row.lines.len(), row.paid_at.is_some()), (id(2), 1, true));
    let it = &row.lines[0];
    assert_eq!((it.variant, it.keys, it.revealed, it.revoked), (id(4), 3, 2, 2));
    assert_eq!(fold(&history[..1])[0].paid_at, None);
}

#[test]
fn an_order_of_downloads_has_a_row_once_they_are_granted() {
    let download = Line { digital: true, downloads: true, ..line(4, false) };
    let granted = download::Event::Granted {
        order: id(7),
        variant: id(4),
        limits: byteshop_domain::digital_good::Limits::default(),
        at: crate::testing::noon(),
    };
    let moved = [placed(Some(2), vec![download]), paid(vec![])].map(|it| event::<Order>(7, &it));
    let history = [&moved[..], &[event::<Download>(9, &granted)]].concat();
    let before = rows::<PurchaseList>(moved.to_vec()).into_values().next().unwrap();
    assert_eq!((before.paid_at, before.lines[0].downloads, before.lines[0].keys), (None, true, 0));
    assert!(rows::<PurchaseList>(history).into_values().next().unwrap().paid_at.is_some());
}

#[test]
fn orders_of_guests_and_orders_without_keys_have_no_row() {
    assert_eq!(fold(&[placed(None, vec![line(4, true)]), paid(vec![])]), []);
    assert_eq!(fold(&[placed(Some(2), vec![line(4, false)]), paid(vec![])]), []);
}
