//! Folds of part_list.

use byteshop_domain::Currency;
use byteshop_domain::ids::{PaymentId, ProductId, ShipmentId, VariantId};
use byteshop_domain::money::{Money, Price};
use byteshop_domain::order::{Buyer, Line};
use byteshop_domain::quantity::{Demand, Quantity};
use uuid::Uuid;

use super::*;
use crate::testing::{event, noon, rows};

fn id<I: byteshop_domain::ids::Id>(number: u128) -> I {
    I::from_uuid(Uuid::from_u128(number))
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn line(variant: u128, seller: Option<SellerId>) -> Line {
    Line {
        variant: id(variant),
        product: id::<ProductId>(variant + 10),
        sku: serde_json::from_str("\"MUG\"").unwrap(),
        title: serde_json::from_str("\"Mug\"").unwrap(),
        quantity: Quantity::ONE,
        unit_price: Price::new(eur(500)).unwrap(),
        exact_price: None,
        digital: false,
        commission: None,
        keys: false,
        downloads: false,
        gift_cards: false,
        seller,
        amount: eur(500),
        discount: None,
        tax: None,
    }
}

fn placed(lines: Vec<Line>) -> Event {
    Event::Placed(Placement {
        buyer: Buyer::default(),
        cart: None,
        access_hash: None,
        destination: serde_json::from_str(r#"{"country":"DE"}"#).unwrap(),
        total: Money::sum(Currency::EUR, lines.iter().map(|line| line.amount)).unwrap(),
        lines,
        payment: id(3),
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

fn paid() -> Event {
    let (payment, commit, keys) = (id::<PaymentId>(3), vec![], vec![]);
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
    rows::<PartList>(events.iter().map(|it| event::<Order>(7, it)).collect()).into_values().collect()
}

fn sent(variant: u128) -> [Event; 3] {
    let (shipment, lines): (ShipmentId, _) =
        (id(9), vec![Demand { variant: id::<VariantId>(variant), quantity: Quantity::ONE }]);
    [
        Event::ParcelPrepared { shipment, lines: lines.clone() },
        Event::HandedOver { shipment, lines, at: noon(), capture: None },
        Event::Delivered { shipment, at: noon() },
    ]
}

#[test]
fn a_row_has_how_far_the_part_of_each_seller_is() {
    let seller: SellerId = id(70);
    let history = [vec![placed(vec![line(1, None), line(2, Some(seller))]), paid()], sent(2).to_vec()].concat();
    let stage =
        |events: &[Event], seller| fold(events)[0].stages.iter().find(|it| it.seller == seller).unwrap().clone();
    let of = |status, payment_status, fulfilment| {
        let (status, payment_status, fulfilment) = (Some(status), Some(payment_status), Some(fulfilment));
        Stage { seller: Some(seller), status, payment_status, fulfilment }
    };
    let (unfulfilled, fulfilled) = (Fulfilment::Unfulfilled, Fulfilment::Fulfilled);
    let stages: Vec<Stage> = (1..=history.len()).map(|end| stage(&history[..end], Some(seller))).collect();
    assert_eq!(stages[0], of(Status::Open, PaymentStatus::Awaiting, unfulfilled));
    assert_eq!(stages[1], of(Status::Open, PaymentStatus::Paid, unfulfilled));
    assert_eq!(stages[3], of(Status::Open, PaymentStatus::Paid, fulfilled));
    assert_eq!(stages[4], of(Status::Completed, PaymentStatus::Paid, fulfilled));
    assert_eq!(stage(&history, None).status, Some(Status::Open));
    let row = &fold(&history)[0];
    assert!(row.paid_at > Some(row.placed_at));
    let (number, part) = row.parts.of_seller(seller).unwrap();
    assert_eq!((number, part.payable), (2, eur(500)));
}

#[test]
fn an_order_of_the_house_alone_has_no_row() {
    let history = [vec![placed(vec![line(1, None)]), paid()], sent(1).to_vec()].concat();
    assert!(fold(&history).is_empty());
}
