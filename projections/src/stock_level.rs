//! How many pieces of each variant are there, and how many can be had?

use byteshop_domain::Reads;
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::{ProductId, VariantId};
use byteshop_domain::stock::{Event, StockLevel as Stock};
use byteshop_domain::text::Sku;
use byteshop_eventstore::Recorded;
use serde::{Deserialize, Serialize};

use crate::engine::{Key, Keys, View};

mod query;
#[cfg(test)]
mod tests;

pub use query::Query;

/// The view.
#[derive(Debug)]
pub struct StockLevel;

/// The stock of a variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The variant.
    pub variant: VariantId,
    /// The product.
    pub product: ProductId,
    /// The SKU.
    pub sku: Sku,
    /// Pieces on hand, reserved or not.
    pub on_hand: i64,
    /// Pieces reserved for orders.
    pub reserved: i64,
    /// Pieces available for sale.
    pub available: i64,
}

impl View for StockLevel {
    const NAME: &'static str = "stock_level";
    const VERSION: i32 = 1;
    const READS: &'static [Reads] = &[Reads::all::<Stock>()];
    type Fact = Event;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Event>, CodecError> {
        event.event::<Stock>().transpose()
    }

    fn keys(_fact: &Event, event: &Recorded) -> Keys {
        vec![event.id_of::<Stock>().to_string()]
    }

    fn fold(row: Option<Row>, _key: &Key, fact: &Event, event: &Recorded) -> Option<Row> {
        let moved = |row: Option<Row>, on_hand: i64, reserved: i64| row.map(|row| row.moved(on_hand, reserved));
        match fact {
            Event::Opened { product, sku } => Some(Row {
                variant: event.id_of::<Stock>(),
                product: *product,
                sku: sku.clone(),
                on_hand: 0,
                reserved: 0,
                available: 0,
            }),
            Event::Received { quantity, .. } | Event::Returned { quantity, .. } => moved(row, quantity.get(), 0),
            Event::Lost { quantity, .. } | Event::Replaced { quantity, .. } => moved(row, -quantity.get(), 0),
            Event::LostInTransit { .. } | Event::FoundInTransit { .. } => row,
            Event::Counted { on_hand } => row.map(|row| {
                let found = on_hand - row.on_hand;
                row.moved(found, 0)
            }),
            Event::Reserved { quantity, .. } => moved(row, 0, quantity.get()),
            Event::Committed { quantity, .. } => moved(row, -quantity.get(), -quantity.get()),
            Event::Released { quantity, .. } => moved(row, 0, -quantity.get()),
        }
    }
}

impl Row {
    fn moved(self, on_hand: i64, reserved: i64) -> Self {
        let (on_hand, reserved) = (self.on_hand + on_hand, self.reserved + reserved);
        Self { on_hand, reserved, available: on_hand - reserved, ..self }
    }
}
