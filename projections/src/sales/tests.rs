//! Folds of sales.

use byteshop_domain::Currency;
use byteshop_domain::ids::{CreditNoteId, OrderId, PaymentId, ProductId, RefundId, VariantId};
use byteshop_domain::money::{Money, Price};
use byteshop_domain::order::{Buyer, CancelReason, Line, Placement};
use byteshop_domain::quantity::Quantity;
use uuid::Uuid;

use super::*;
use crate::testing::{event, occurred, rows, text};

fn placed(stream: u128, quantity: i64) -> Recorded {
    let total = Money::new(500 * quantity, Currency::GBP);
    let placement = Placement {
        buyer: Buyer::default(),
        cart: None,
        access_hash: None,
        destination: serde_json::from_str(r#"{"country":"United Kingdom"}"#).unwrap(),
        lines: vec![Line {
            variant: VariantId::from_uuid(Uuid::from_u128(4)),
            product: ProductId::from_uuid(Uuid::from_u128(5)),
            sku: text("MUG"),
            title: text("Mug"),
            quantity: Quantity::new(quantity).unwrap(),
            unit_price: Price::new(Money::new(500, Currency::GBP)).unwrap(),
            exact_price: None,
            digital: false,
            commission: None,
            keys: false,
            downloads: false,
            gift_cards: false,
            seller: None,
            amount: total,
            discount: None,
            tax: None,
        }],
        total,
        payment: PaymentId::from_uuid(Uuid::from_u128(3)),
        pay_by: None,
        reference: None,
        imported: false,
        part_shipping: vec![],
        tax_rounding: byteshop_domain::tax_book::Rounding::Line,
        discounts: vec![],
        shipping: None,
        claims: vec![],
    };
    event::<Order>(stream, &order::Event::Placed(placement))
}

fn cancelled(stream: u128, was_paid: bool, credit_note: Option<CreditNoteId>) -> Recorded {
    let cancelled = order::Event::Cancelled {
        reason: CancelReason::BuyerRequest,
        payment: PaymentId::from_uuid(Uuid::from_u128(3)),
        was_paid,
        release: vec![],
        due: None,
        credit_note,
        further_notes: vec![],
        lost: vec![],
        stock_moved: true,
    };
    event::<Order>(stream, &cancelled)
}

#[test]
fn an_order_counts_on_its_day_until_it_is_cancelled() {
    let day = "2010-03-17T23:59:59Z";
    let orders = [1, 2, 3, 4].map(|stream| occurred(placed(stream, 2), day));
    let note = CreditNoteId::from_uuid(Uuid::from_u128(9));
    let events =
        [orders.as_slice(), &[cancelled(1, false, None), cancelled(2, true, None), cancelled(4, true, Some(note))]]
            .concat();
    let rows = rows::<Sales>(events);
    let row = |number| {
        let row = &rows[&OrderId::from_uuid(Uuid::from_u128(number)).to_string()];
        Row { sold: None, ..row.clone() }
    };
    assert_eq!(rows.len(), 3);
    let sold = Row {
        day: "2010-03-17".into(),
        country: "United Kingdom".into(),
        currency: "GBP".into(),
        orders: 1,
        units: 2,
        gross: 1000,
        ..Row::default()
    };
    assert_eq!(row(3), sold);
    assert_eq!(row(2), Row { cancelled_orders: 1, cancelled: -1000, ..sold.clone() });
    // Its credit note takes the money off.
    assert_eq!(row(4), Row { cancelled_orders: 1, ..sold });
}

#[test]
fn a_sale_comes_off_once_in_whatever_order_it_is_refunded_and_cancelled() {
    let note = |number| CreditNoteId::from_uuid(Uuid::from_u128(number));
    let refund = |number, amount| {
        let (credit_note, refund) = (note(number), RefundId::from_uuid(Uuid::from_u128(number)));
        let amount = Money::new(amount, Currency::GBP);
        let credited = order::Event::Credited {
            credit_note,
            refund,
            amount,
            shipping: false,
            revoked: vec![],
            downloads: vec![],
            parts: vec![],
        };
        event::<Order>(1, &credited)
    };
    let issued = |stream, amount: i64| {
        let content = format!(
            r#"{{"issued":{{"reference":"CN-1","buyer":{{}},"country":"FR","lines":[],
            "total":{{"amount":{amount},"currency":"GBP"}}}}}}"#
        );
        event::<CreditNote>(stream, &serde_json::from_str(&content).unwrap())
    };
    let done = event::<Order>(
        1,
        &order::Event::Refunded { payment: PaymentId::from_uuid(Uuid::from_u128(3)), refund: None, amount: None },
    );
    for history in [
        // All of it was refunded: requested, or done as well.
        vec![placed(1, 2), refund(8, 1000), issued(8, 1000), cancelled(1, true, None)],
        vec![placed(1, 2), refund(8, 1000), issued(8, 1000), done, cancelled(1, true, None)],
        // Some of it was, and the cancellation has a note of its own.
        vec![placed(1, 2), refund(8, 400), issued(8, 400), cancelled(1, true, Some(note(9))), issued(9, 600)],
        vec![placed(1, 2), cancelled(1, true, Some(note(9))), issued(9, 1000)],
        // An older cancellation has none.
        vec![placed(1, 2), refund(8, 400), issued(8, 400), cancelled(1, true, None)],
        vec![placed(1, 2), cancelled(1, true, None)],
    ] {
        let rows = rows::<Sales>(history.clone());
        let left: i64 = rows.values().map(|row| row.gross + row.cancelled + row.credited).sum();
        assert_eq!(left, 0, "{history:?}");
    }
}

#[test]
fn losses_of_a_day_are_summed() {
    let lost = |quantity, at| {
        let event =
            event::<StockLevel>(4, &stock::Event::Lost { quantity: Quantity::new(quantity).unwrap(), reason: None });
        occurred(event, at)
    };
    let on_its_way = |what: &stock::Event, at| occurred(event::<StockLevel>(4, what), at);
    let (order, quantity) = (OrderId::from_uuid(uuid::Uuid::from_u128(2)), Quantity::new(3).unwrap());
    let rows = rows::<Sales>(vec![
        lost(5, "2010-03-01T08:00:00Z"),
        lost(7, "2010-03-01T18:00:00Z"),
        lost(1, "2010-03-02T08:00:00Z"),
        // On their way too, until they are found; what goes out in their place is no loss.
        on_its_way(&stock::Event::LostInTransit { order, quantity }, "2010-03-02T09:00:00Z"),
        on_its_way(&stock::Event::Replaced { order, quantity }, "2010-03-02T10:00:00Z"),
        on_its_way(&stock::Event::FoundInTransit { order, quantity }, "2010-03-03T09:00:00Z"),
    ]);
    let units: Vec<_> = rows.iter().map(|(key, row)| (key.as_str(), row.lost_units)).collect();
    assert_eq!(units, [("lost_2010-03-01", 12), ("lost_2010-03-02", 4), ("lost_2010-03-03", -3)]);
}

#[test]
fn a_credit_note_comes_off_on_its_own_day() {
    let content = r#"{"issued":{"reference":"C489449","buyer":{},"country":"Australia","lines":[],
        "total":{"amount":1995,"currency":"GBP"}}}"#;
    let issued: credit_note::Event = serde_json::from_str(content).unwrap();
    let rows = rows::<Sales>(vec![occurred(event::<CreditNote>(6, &issued), "2009-12-01T10:33:00Z")]);
    let row = &rows["crn_00000000000000000000000006"];
    assert_eq!(
        (row.day.as_str(), row.country.as_str(), row.credited, row.credit_notes),
        ("2009-12-01", "Australia", -1995, 1)
    );
    assert_eq!((row.orders, row.gross), (0, 0));
}
