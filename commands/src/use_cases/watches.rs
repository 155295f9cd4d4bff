//! Products that people watch, for new stock or a lower price.

use std::collections::BTreeMap;

use byteshop_domain::Decider as _;
use byteshop_domain::account::Account;
use byteshop_domain::ids::{AccountId, ProductId, VariantId};
use byteshop_domain::money::Price;
use byteshop_domain::product::{Created, Product, Variant};
use byteshop_domain::seller::Seller;
use byteshop_domain::stock::StockLevel;
use byteshop_domain::watch::{self, Command, Watch};

use crate::engine::error::{Error, Rejected};
use crate::engine::unit::{Loaded, Unit};

/// What a product is watched for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// That it can be bought again.
    pub back_in_stock: bool,
    /// That its price falls.
    pub price_drop: bool,
}

/// Watches a published product for an account.
///
/// # Errors
/// `watch.in_stock` when new stock is wanted of a product that can be bought; then nothing is watched.
pub async fn watch(
    unit: &Unit,
    product: ProductId,
    account: AccountId,
    wanted: Wanted,
) -> Result<Loaded<Watch>, Error> {
    let loaded = unit.load::<Product>(product).await?.exists()?;
    let created = loaded.state.live().ok();
    let seller = match created.and_then(|created| created.seller) {
        Some(seller) => Some(unit.load::<Seller>(seller).await?.state),
        None => None,
    };
    let created = created.filter(|created| created.is_sold(seller.as_deref()));
    let created = created.ok_or_else(|| Error::Rejected(Rejected::missing(Product::CATEGORY)))?;
    let mut watch = unit.load::<Watch>(watch::id(product)).await?;
    if wanted.back_in_stock {
        let available = is_available(unit, created).await?;
        unit.decide(&mut watch, &Command::WatchStock { account, available })?;
    }
    if wanted.price_drop {
        let prices = prices(unit, account, created).await?;
        unit.decide(&mut watch, &Command::WatchPrice { account, prices })?;
    }
    Ok(watch)
}

/// Stops watching a product for an account.
pub async fn unwatch(unit: &Unit, product: ProductId, account: AccountId) -> Result<Loaded<Watch>, Error> {
    let mut watch = unit.load::<Watch>(watch::id(product)).await?;
    unit.decide(&mut watch, &Command::Unwatch { account })?;
    Ok(watch)
}

/// Whether any of a product's variants can be bought. Stock that comes later is a later event, which finds the watcher.
async fn is_available(unit: &Unit, product: &Created) -> Result<bool, Error> {
    let variants: Vec<VariantId> = product.variants.keys().copied().collect();
    let stocks = unit.load_all::<StockLevel>(&variants).await?;
    Ok(stocks.iter().any(|stock| stock.state.available() > 0))
}

/// What the variants cost: in the currency that the account prefers, or else in the first.
async fn prices(unit: &Unit, account: AccountId, product: &Created) -> Result<BTreeMap<VariantId, Price>, Error> {
    let account = unit.peek::<Account>(account).await?;
    let preferred = account.state.live().ok().and_then(|open| open.settings.currency);
    let price = |variant: &Variant| {
        let listed = preferred.and_then(|currency| variant.listed(currency));
        listed.map_or(variant.price, |listed| listed.price)
    };
    Ok(product.variants.iter().map(|(id, variant)| (*id, price(variant))).collect())
}
