//! How many pieces of each variant are there, and how many can be had?

use byteshop_domain::Reads;
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::{ProductId, VariantId};
use byteshop_domain::stock::{Event, Pieces, StockLevel as Stock};
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
    /// Whether as many can be sold as buyers want.
    pub unlimited: bool,
    /// Whether nothing is sold, because the download has nothing to deliver.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
}

impl View for StockLevel {
    const NAME: &'static str = "stock_level";
    const VERSION: i32 = 2;
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
        if let Event::Opened { product, sku } = fact {
            return Some(Row {
                variant: event.id_of::<Stock>(),
                product: *product,
                sku: sku.clone(),
                on_hand: 0,
                reserved: 0,
                available: 0,
                unlimited: false,
                suspended: false,
            });
        }
        row.map(|row| row.after(fact))
    }
}

impl Row {
    fn after(self, event: &Event) -> Self {
        let Self { on_hand, reserved, unlimited, suspended, .. } = self;
        let pieces = Pieces { on_hand, reserved, unlimited, suspended }.after(event);
        let Pieces { on_hand, reserved, unlimited, suspended } = pieces;
        Self { on_hand, reserved, available: pieces.available(), unlimited, suspended, ..self }
    }
}
