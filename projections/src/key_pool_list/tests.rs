//! Folds of key_pool_list.

use byteshop_domain::ids::{Id, OrderId};
use byteshop_domain::key_pool::KeyRange;
use uuid::Uuid;

use super::*;
use crate::testing::{event, rows, text};

fn id<I: Id>(number: u128) -> I {
    I::from_uuid(Uuid::from_u128(number))
}

fn quantity(number: i64) -> Quantity {
    Quantity::new(number).unwrap()
}

fn fold(events: &[Event]) -> Row {
    let rows = rows::<KeyPoolList>(events.iter().map(|it| event::<KeyPool>(7, it)).collect());
    rows.into_values().next().unwrap()
}

#[test]
fn a_row_has_the_numbers_of_its_pool() {
    let range = |first, count| KeyRange { batch: 1, first, count };
    let order: OrderId = id(9);
    let history = [
        Event::Opened { product: id(5), sku: text("KEY") },
        Event::ImportStarted { batch: 1 },
        Event::Imported { batch: 1, count: quantity(10) },
        Event::AlertSet { below: Some(quantity(8)) },
        Event::Assigned { order, keys: vec![range(0, 2)] },
        Event::Withdrawn { keys: range(9, 1), reason: None },
        Event::RanLow { left: 7 },
        Event::Revoked { order, count: quantity(2), revealed: 1, keys: vec![range(0, 2)] },
        Event::ImportStarted { batch: 2 },
        Event::Imported { batch: 2, count: quantity(1) },
    ];
    for length in 1..=history.len() {
        let row = fold(&history[..length]);
        let pool: KeyPool = byteshop_domain::fold(&history[..length]);
        assert_eq!((row.counts(), row.left), (pool.counts, pool.counts.left()));
        assert_eq!((Some(row.product), row.variant), (pool.product, id(7)));
    }
    assert!(fold(&history[..7]).low && !fold(&history).low);
}
