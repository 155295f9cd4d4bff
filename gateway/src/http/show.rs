//! How things look from outside: written out field by field, so that nothing internal is ever shown by accident.

use byteshop_domain::ids::{ProductId, VariantId};
use byteshop_domain::stock::StockLevel;
use byteshop_domain::text::Sku;
use serde::Serialize;
use utoipa::ToSchema;

pub(super) mod account;
mod cart;
mod catalog;
pub(super) mod credit_note;
mod delivery;
pub(super) mod dispute;
mod downloads;
mod keys;
mod links;
pub(super) mod names;
mod order;
mod page;
mod part;
mod payment;
pub(super) mod payout;
mod price;
mod promotion;
pub(super) mod seller;
mod seller_order;
mod stored_value;

pub use byteshop_domain::address::Address;
pub use byteshop_domain::category::AttributeDefinition;
pub use byteshop_domain::money::Money;
pub use byteshop_domain::product::OptionDefinition;
pub use byteshop_domain::promotion::Terms;
pub use byteshop_domain::returns::Received;
pub use byteshop_domain::shipping_book::{Days, Zone as ShippingZone};
pub use byteshop_domain::tax_book::CountryTax;
pub use cart::Cart;
pub use catalog::{Category, CategoryWithPath, PathCategory, Product};
pub use delivery::{LineQuantities, LineQuantity, Return, Returns, Shipment, ShipmentPapers, Shipments};
pub use downloads::{FileRelease, OrderDownloads, Purchase, Purchases};
pub use keys::{KeyImport, KeyPool};
pub use links::{Links, Papers};
pub use order::Order;
pub use page::PageOf;
pub use payment::Payment;
pub use promotion::Promotion;
pub use seller_order::{SellerOrder, SellerOrderPage};
pub use stored_value::{GiftCard, StoreCredit, StoreCredits, StoredValueMovement};

/// The stock of a variant.
#[derive(Serialize, ToSchema)]
pub struct Stock<'a> {
    variant: VariantId,
    product: Option<ProductId>,
    sku: Option<&'a Sku>,
    /// Pieces in the warehouse, reserved or not.
    on_hand: i64,
    /// Pieces reserved for orders.
    reserved: i64,
    /// Available for sale: on hand − reserved; 1,000,000,000 − reserved if it is unlimited; 0 while it is suspended.
    available: i64,
    /// Whether as many can be sold as buyers want, because keys are generated, or downloads have no stock.
    unlimited: bool,
    /// Whether nothing is sold, because the download has no link.
    suspended: bool,
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
            unlimited: it.unlimited,
            suspended: it.suspended,
        }
    }
}
