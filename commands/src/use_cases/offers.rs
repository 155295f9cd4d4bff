//! The current offers of variants, for queries outside of a cart.

use std::collections::BTreeMap;

use byteshop_domain::Currency;
use byteshop_domain::cart::Offer;
use byteshop_domain::ids::{ProductId, VariantId};
use byteshop_domain::product::Product;
use byteshop_domain::stock::StockLevel;
use byteshop_domain::text::{Sku, Title};

use super::price::Reading;
use crate::Commands;
use crate::engine::error::Error;

/// A variant that is sold.
#[derive(Debug, Clone)]
pub struct Offered {
    /// The product.
    pub product: ProductId,
    /// The SKU.
    pub sku: Sku,
    /// The title.
    pub title: Title,
    /// How many can be had, whatever they cost.
    pub available: i64,
    /// The offer; none if the variant has no price in the currency.
    pub offer: Option<Offer>,
}

/// The offers of some variants in a currency, in the order of the ids; without variants that are not sold.
pub async fn offered(
    commands: &Commands,
    variants: &[VariantId],
    currency: Currency,
) -> Result<Vec<Option<Offered>>, Error> {
    let (stocks, products) = Reading::Asking(commands).goods(variants).await?;
    let sellers = Reading::Asking(commands).sellers(&products).await?;
    let products: BTreeMap<ProductId, &Product> = products.iter().map(|it| (it.id, it.state.as_ref())).collect();
    let of = |(variant, stock): (&VariantId, &StockLevel)| {
        let id = stock.product?;
        let product = *products.get(&id)?;
        let seller = sellers.of(product);
        let created = product.live().ok().filter(|created| created.is_sold(seller))?;
        let sold = created.variants.get(variant)?;
        let offer = Offer::of(product, seller, *variant, stock, currency);
        let available = stock.available();
        Some(Offered { product: id, sku: sold.sku.clone(), title: sold.title.clone(), available, offer })
    };
    Ok(variants.iter().zip(stocks.iter().map(|stock| stock.state.as_ref())).map(of).collect())
}
