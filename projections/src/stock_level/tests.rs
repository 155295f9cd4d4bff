//! Folds of stock_level.

use byteshop_domain::ids::{Id as _, OrderId};
use byteshop_domain::quantity::Quantity;
use uuid::Uuid;

use super::*;
use crate::testing::{event, rows, text};

#[test]
fn a_row_has_what_the_stock_itself_has() {
    let order = OrderId::from_uuid(Uuid::from_u128(9));
    let quantity = |pieces| Quantity::new(pieces).unwrap();
    let history = [
        Event::Opened { product: ProductId::from_uuid(Uuid::from_u128(5)), sku: text("MUG") },
        Event::Received { quantity: quantity(100), reason: None },
        Event::Lost { quantity: quantity(3), reason: None },
        Event::Reserved { order, quantity: quantity(10), expires_at: None },
        Event::Released { order, quantity: quantity(10), reason: None },
        Event::Reserved { order, quantity: quantity(7), expires_at: None },
        Event::Committed { order, quantity: quantity(7) },
        Event::Returned { quantity: quantity(2), order: Some(order), reason: None },
        Event::Reserved { order, quantity: quantity(5), expires_at: None },
        Event::Counted { on_hand: 80 },
    ];
    for length in 1..=history.len() {
        let rows = rows::<StockLevel>(history[..length].iter().map(|it| event::<Stock>(4, it)).collect());
        let row = &rows["var_00000000000000000000000004"];
        let stock: Stock = byteshop_domain::fold(&history[..length]);
        assert_eq!((row.on_hand, row.reserved, row.available), (stock.on_hand, stock.reserved, stock.available()));
    }
}
