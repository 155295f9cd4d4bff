//! Folds of assigned_keys.

use byteshop_domain::ids::{Id, VariantId};
use uuid::Uuid;

use super::*;
use crate::testing::{event, rows};

fn id<I: Id>(number: u128) -> I {
    I::from_uuid(Uuid::from_u128(number))
}

#[test]
fn each_range_of_an_order_has_a_row() {
    let range = |batch, first, count| KeyRange { batch, first, count };
    let assigned = |order, keys: &[KeyRange]| Event::Assigned { order: id(order), keys: keys.to_vec() };
    let history = [assigned(1, &[range(1, 8, 2), range(2, 0, 1)]), assigned(2, &[range(2, 1, 3)])];
    let rows = rows::<AssignedKeys>(history.iter().map(|fact| event::<KeyPool>(7, fact)).collect());
    let of = |batch, number| {
        let key = KeyNumber { variant: id::<VariantId>(7), batch, number };
        rows.values().find(|row| row.has(key)).map(|row| row.order)
    };
    assert_eq!(rows.len(), 3);
    assert_eq!([of(1, 8), of(1, 9), of(2, 0)], [Some(id(1)); 3]);
    assert_eq!([of(2, 1), of(2, 3)], [Some(id(2)); 2]);
    assert_eq!([of(1, 7), of(1, 10), of(2, 4), of(3, 0)], [None; 4]);
}

#[test]
fn the_keys_of_rows_are_in_the_order_of_the_numbers() {
    let key = |batch, number| key_of(KeyNumber { variant: id::<VariantId>(7), batch, number });
    assert!(key(1, 2) < key(1, 10) && key(1, 999_999_999) < key(2, 0) && key(2, 0) < key(10, 0));
}
