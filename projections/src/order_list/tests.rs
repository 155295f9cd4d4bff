//! Folds of order_list.

use byteshop_domain::Currency;
use byteshop_domain::ids::{CreditNoteId, Id as _, ProductId, VariantId};
use byteshop_domain::money::Price;
use byteshop_domain::order::ReturnLine;
use byteshop_domain::quantity::Quantity;
use uuid::Uuid;

use super::*;
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
            amount: eur(1500),
        }],
        total: eur(1500),
        payment: payment(),
        pay_by: None,
        reference: Some(serde_json::from_str("\"489434\"").unwrap()),
        imported: false,
    })
}

fn returned(quantity: i64, amount: i64) -> Event {
    Event::Returned {
        credit_note: CreditNoteId::from_uuid(Uuid::from_u128(6)),
        lines: vec![ReturnLine { variant: variant(), quantity: Quantity::new(quantity).unwrap(), amount: eur(amount) }],
        amount: eur(amount),
        restock: vec![],
    }
}

fn paid() -> Event {
    Event::Paid { payment: payment(), commit: vec![] }
}

#[test]
fn a_row_says_how_far_an_order_is_as_the_order_itself_does() {
    let cancelled = |was_paid| Event::Cancelled {
        reason: CancelReason::StaffRequest,
        payment: payment(),
        was_paid,
        release: vec![],
    };
    let histories: [Vec<Event>; 7] = [
        vec![placed()],
        vec![placed(), paid()],
        vec![placed(), cancelled(false)],
        vec![placed(), paid(), cancelled(true), Event::Refunded { payment: payment() }],
        vec![placed(), paid(), Event::Fulfilled {}],
        vec![placed(), paid(), Event::Fulfilled {}, returned(1, 500)],
        vec![placed(), paid(), Event::Fulfilled {}, returned(1, 500), returned(2, 1000)],
    ];
    for history in &histories {
        let row = fold(history);
        let order: Order = byteshop_domain::fold(history);
        let order = order.placed().unwrap();
        assert_eq!(
            (row.status, row.payment_status, row.fulfilment, row.refunded, row.cancelled),
            (order.status, order.payment_status, order.fulfilment, order.refunded, order.cancelled),
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
            r#"{"id":"ord_00000000000000000000000007","buyer":{"account":"acc_00000000000000000000000002"},"#,
            r#""status":"open","payment_status":"paid","fulfilment":"unfulfilled","#,
            r#""total":{"amount":1500,"currency":"EUR"},"refunded":{"amount":0,"currency":"EUR"},"country":"DE","#,
            r#""lines":1,"units":3,"returned":0,"payment":"pay_00000000000000000000000003","reference":"489434","#,
            r#""placed_at":"2026-01-01T12:00:01.000000Z","paid_at":"2026-01-01T12:00:02.000000Z"}"#
        )
    );
}
