//! How things look from outside: written out field by field, so that nothing internal is ever shown by accident.

use byteshop_domain::ids::{ProductId, VariantId};
use byteshop_domain::stock::StockLevel;
use byteshop_domain::text::Sku;
use serde::Serialize;
use utoipa::ToSchema;

pub(super) mod account;
mod cart;
mod catalog;
mod delivery;
mod links;
pub(super) mod names;
mod order;
mod payment;
mod price;
mod promotion;

pub use cart::{Address, Cart};
pub use catalog::{
    AttributeDefinition, Category, Image, ListedPrice, LowestBefore, NewListedPrice, OptionDefinition, Product,
};
pub use delivery::{
    LineQuantities, LineQuantity, NewCarrier, Received, Return, Returns, Shipment, ShipmentPapers, Shipments,
};
pub use links::{Links, Papers};
pub use order::Order;
pub use payment::Payment;
pub use price::Days;
pub use promotion::{CountryTax, Promotion, ShippingZone, Terms};

/// An amount in the minor unit of its currency: 1999 EUR is 19.99 euros.
#[derive(ToSchema)]
#[schema(example = json!({"amount": 1999, "currency": "EUR"}))]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Money {
    /// The amount in minor units.
    amount: i64,
    /// ISO 4217 currency code.
    #[schema(min_length = 3, max_length = 3)]
    currency: String,
}

/// The stock of a variant.
#[derive(Serialize, ToSchema)]
pub struct Stock<'a> {
    #[schema(value_type = String)]
    variant: VariantId,
    #[schema(value_type = Option<String>, required = true)]
    product: Option<ProductId>,
    #[schema(value_type = Option<String>, required = true)]
    sku: Option<&'a Sku>,
    /// Pieces in the warehouse, reserved or not.
    on_hand: i64,
    /// Pieces reserved for orders.
    reserved: i64,
    /// Available for sale: on hand − reserved.
    available: i64,
}

impl<'a> Stock<'a> {
    /// The stock as it is.
    pub fn of(variant: VariantId, it: &'a StockLevel) -> Self {
        Self {
            variant,
            product: it.product,
            sku: it.sku.as_ref(),
            on_hand: it.on_hand,
            reserved: it.reserved,
            available: it.available(),
        }
    }
}
