//! The goods of a cart by who ships them: what shipping services are offered for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use byteshop_domain::Currency;
use byteshop_domain::ids::{SellerId, VariantId};
use byteshop_domain::money::Money;
use byteshop_domain::product;
use byteshop_domain::quantity::Quantity;
use byteshop_domain::shipping_book::{self, ShippingBook};

use super::Reading;
use crate::Commands;
use crate::engine::error::Error;

/// Goods that are shipped at the prices of one book.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// The seller that ships them at prices of its own; none if the house does.
    pub seller: Option<SellerId>,
    /// The prices.
    pub book: Arc<ShippingBook>,
    /// The number of its lines.
    pub lines: usize,
    /// The weight in grams.
    pub weight_g: u64,
    /// The subtotal at current prices.
    pub subtotal: Money,
}

/// The goods of some lines by who ships them, the house first; variants that are not for sale are left out.
pub async fn parcels(
    commands: &Commands,
    lines: &[(VariantId, Quantity)],
    currency: Currency,
) -> Result<Vec<Parcel>, Error> {
    let reading = Reading::Asking(commands);
    let variants: Vec<VariantId> = lines.iter().map(|(variant, _)| *variant).collect();
    let (_, products) = reading.goods(&variants).await?;
    let known = products.iter().filter_map(|product| product.state.live().ok());
    let sellers: BTreeSet<SellerId> = known.clone().filter_map(|product| product.seller).collect();
    let known: BTreeMap<VariantId, (Option<SellerId>, &product::Variant)> = known
        .flat_map(|product| product.variants.iter().map(move |(id, variant)| (*id, (product.seller, variant))))
        .collect();
    let empty = |seller, book| Parcel { seller, book, lines: 0, weight_g: 0, subtotal: Money::zero(currency) };
    let mut parcels = vec![empty(None, reading.the::<ShippingBook>(shipping_book::id()).await?.state)];
    let own = reading.shipping_books(sellers.into_iter()).await?;
    parcels.extend(own.into_iter().map(|(seller, book)| empty(Some(seller), book)));
    for (variant, quantity) in lines {
        let Some((seller, known)) = known.get(variant) else { continue };
        let at = parcels.iter().position(|parcel| seller.is_some() && parcel.seller == *seller).unwrap_or(0);
        parcels[at].add(known, *quantity, currency);
    }
    Ok(parcels)
}

impl Parcel {
    fn add(&mut self, known: &product::Variant, quantity: Quantity, currency: Currency) {
        self.lines += 1;
        let pieces = quantity.get().unsigned_abs();
        if known.physical {
            self.weight_g += u64::from(known.weight_g.unwrap_or(0)) * pieces;
        }
        let price = known.listed(currency).map(|listed| listed.price.times(quantity));
        let sum = price.and_then(Result::ok).and_then(|price| self.subtotal.plus(price).ok());
        self.subtotal = sum.unwrap_or(self.subtotal);
    }
}
