//! Folds of promotion_list.

use byteshop_domain::Currency;
use byteshop_domain::cart::Destination;
use byteshop_domain::ids::Id as _;
use byteshop_domain::order::{Buyer, Placement};

use super::*;
use crate::testing::{event, rows, text};

fn terms() -> Terms {
    let json = serde_json::json!({"label": "Spring", "benefit": {"kind": "percent", "percent_bps": 1000}});
    serde_json::from_value(json).unwrap()
}

fn placed(promotion: u128, amount: i64, currency: Currency) -> order::Event {
    let id = |number| PromotionId::from_uuid(uuid::Uuid::from_u128(number));
    let discount = Discount {
        promotion: id(promotion),
        version: 1,
        code: None,
        label: text("Spring"),
        amount: Money::new(amount, currency),
        lines: vec![],
        shipping: None,
        of_whole: false,
    };
    order::Event::Placed(Placement {
        buyer: Buyer::default(),
        cart: None,
        access_hash: None,
        destination: Destination::to(text("DE")),
        lines: vec![],
        discounts: vec![discount],
        shipping: None,
        claims: vec![],
        total: Money::zero(currency),
        payment: byteshop_domain::ids::PaymentId::from_uuid(uuid::Uuid::from_u128(1)),
        pay_by: None,
        reference: None,
        imported: false,
        part_shipping: vec![],
        tax_rounding: byteshop_domain::tax_book::Rounding::Line,
    })
}

#[test]
fn a_promotion_shows_what_it_gave() {
    let rows = rows::<PromotionList>(vec![
        event::<Promotion>(1, &Event::Created { terms: terms() }),
        event::<Promotion>(2, &Event::Created { terms: terms() }),
        event::<Order>(1, &placed(1, 100, Currency::EUR)),
        event::<Order>(2, &placed(1, 50, Currency::GBP)),
        event::<Order>(3, &placed(1, 20, Currency::EUR)),
        // Of a promotion that is not there.
        event::<Order>(4, &placed(9, 20, Currency::EUR)),
        event::<Promotion>(2, &Event::Paused {}),
        event::<Promotion>(1, &Event::Ended {}),
    ]);
    let told: Vec<_> = rows.values().map(|row| (row.status, row.orders, row.given.clone())).collect();
    let given = vec![Money::new(120, Currency::EUR), Money::new(50, Currency::GBP)];
    assert_eq!(told, [(Status::Ended, 3, given), (Status::Paused, 0, vec![])]);
}
