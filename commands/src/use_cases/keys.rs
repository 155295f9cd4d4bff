//! Keys: imported into the pool of a variant, withdrawn from it, and shown to the buyer of an order.
//!
//! The domain decides ([`byteshop_domain::key_delivery`]); here is loaded what it looks at.

use byteshop_domain::Personal;
use byteshop_domain::ids::{Id as _, VariantId};
use byteshop_domain::key_delivery;
use byteshop_domain::key_pool::{self, Command, KeyPool};
use byteshop_domain::order::{self, Order, Wanted};
use byteshop_domain::product::Product;
use byteshop_domain::quantity::Quantity;
use byteshop_domain::stock::{self, StockLevel};
use byteshop_domain::text::{LicenceKey, Reason};
use byteshop_domain::work::{Refused, Work};
use serde::{Deserialize, Serialize};

use crate::engine::error::{Error, Rejected};
use crate::engine::unit::{Loaded, Unit};
use crate::use_cases::products;
use crate::use_cases::sellers::ActsFor;

/// The pool of a variant, with its stock.
#[derive(Debug, Clone)]
pub struct Pool {
    /// The pool.
    pub pool: Loaded<KeyPool>,
    /// The stock.
    pub stock: Loaded<StockLevel>,
}

/// The batch of an import that has started.
#[derive(Debug, Clone)]
pub struct Started {
    /// Its number.
    pub batch: u32,
    /// The batches whose imports were broken off.
    pub unfinished: Vec<u32>,
}

/// Loads the pool of a variant with its stock, for staff and the members of the seller whose product it is of.
async fn load(unit: &Unit, variant: VariantId, acts_for: ActsFor) -> Result<Pool, Error> {
    let stock = unit.load::<StockLevel>(variant).await?;
    if stock.version == 0 {
        return Err(Rejected::missing("variant").into());
    }
    products::require_stock(unit, &stock, acts_for).await?;
    let pool = unit.load::<KeyPool>(key_pool::id(variant)).await?;
    unit.check_version(&pool)?;
    Ok(Pool { pool, stock })
}

/// Starts an import into the pool of a variant; the first one opens the pool.
pub async fn start_import(unit: &Unit, variant: VariantId, acts_for: ActsFor) -> Result<Started, Error> {
    let Pool { mut pool, stock } = load(unit, variant, acts_for).await?;
    let product = stock.state.product.ok_or(stock::Rejection::Missing)?;
    let mut together = unit.together();
    together.hold(&pool);
    together.hold(&stock);
    together.load::<Product>(&[product]).await?;
    let batch = together.decide(|work| key_delivery::start_import(work, product, variant))?;
    unit.refresh(&mut pool);
    let unfinished = pool.state.unfinished().into_iter().filter(|number| *number != batch).collect();
    Ok(Started { batch, unfinished })
}

/// Ends an import: its keys can be sold. Without any keys nothing happens.
pub async fn import(unit: &Unit, variant: VariantId, acts_for: ActsFor, batch: u32, count: i64) -> Result<Pool, Error> {
    let pool = load(unit, variant, acts_for).await?;
    let Ok(count) = Quantity::new(count) else { return Ok(pool) };
    decide(unit, pool, |work| key_delivery::import(work, variant, batch, count))
}

/// Withdraws unsold keys of a batch: the given number of them, or all that no order reserves.
pub async fn withdraw(
    unit: &Unit,
    variant: VariantId,
    acts_for: ActsFor,
    batch: u32,
    quantity: Option<Quantity>,
    reason: Option<&Reason>,
) -> Result<Pool, Error> {
    let pool = load(unit, variant, acts_for).await?;
    decide(unit, pool, |work| key_delivery::withdraw(work, variant, batch, quantity, reason))
}

/// Sets the number of keys below which staff, and the members of a seller, are told.
pub async fn set_alert(
    unit: &Unit,
    variant: VariantId,
    acts_for: ActsFor,
    below: Option<Quantity>,
) -> Result<Pool, Error> {
    let mut it = load(unit, variant, acts_for).await?;
    unit.decide(&mut it.pool, &Command::SetAlert { below })?;
    Ok(it)
}

fn decide(unit: &Unit, mut it: Pool, decision: impl FnOnce(&mut Work) -> Result<(), Refused>) -> Result<Pool, Error> {
    let mut together = unit.together();
    together.hold(&it.pool);
    together.hold(&it.stock);
    together.decide(decision)?;
    unit.refresh(&mut it.pool);
    unit.refresh(&mut it.stock);
    Ok(it)
}

/// Keys that are shown to a buyer, still encrypted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Revealed {
    /// The variant.
    pub variant: VariantId,
    /// The number of the first one, from 1.
    pub from: i64,
    /// The keys.
    pub keys: Vec<Personal<LicenceKey>>,
    /// How many more there are after these.
    pub more: i64,
}

/// Shows keys of an order to its buyer, and records which were shown for the first time.
pub async fn reveal(unit: &Unit, order: &mut Loaded<Order>, wanted: &Wanted) -> Result<Vec<Revealed>, Error> {
    let shown = order.state.live()?.keys_to_show(wanted)?;
    let mut revealed = Vec::with_capacity(shown.len());
    for order::Shown { variant, from, keys, more } in shown {
        let keys = unit.commands().vault().pool_keys(variant.uuid(), &keys).await?;
        revealed.push(Revealed { variant, from, keys, more });
    }
    unit.decide(order, &order::Command::RevealKeys(*wanted))?;
    Ok(revealed)
}
