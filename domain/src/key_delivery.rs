//! Delivering keys: the pool of a variant and its stock change together, and an order gets its keys with its payment.
//!
//! ```text
//! key pool:    open         import    withdraw   assign      revoke
//! stock:       pool keys    import    withdraw   commit
//! order:                                         mark paid   return, credit
//! ```
//!
//! Pure: each is decided on states that were loaded before, and appended whole or not at all. So the pieces on hand are always the
//! keys that are left in the pool, and a reserved piece has a key: the pool cannot be empty when an order is paid.

use crate::ids::{OrderId, ProductId, VariantId};
use crate::key_pool::{self, Command, KeyPool, Rejection, count_of};
use crate::order::{LineKeys, Placed, RevokedKeys};
use crate::product::Product;
use crate::quantity::{Demand, Quantity};
use crate::stock::{self, StockLevel};
use crate::text::Reason;
use crate::work::{Refused, Work};

/// Starts an import, which opens the pool of a variant that has none; returns the number of the batch.
pub fn start_import(work: &mut Work, product: ProductId, variant: VariantId) -> Result<u32, Refused> {
    let state = work.get::<Product>(product)?;
    let known = state.live()?.variant(variant)?;
    if known.physical {
        return Err(Rejection::Physical.into());
    }
    let pool = key_pool::id(variant);
    work.decide::<KeyPool>(pool, &Command::Open { product, sku: known.sku.clone() })?;
    work.decide::<StockLevel>(variant, &stock::Command::PoolKeys {})?;
    work.decide::<KeyPool>(pool, &Command::StartImport {})?;
    Ok(work.get::<KeyPool>(pool)?.started)
}

/// Ends an import: its keys can be sold.
pub fn import(work: &mut Work, variant: VariantId, batch: u32, count: Quantity) -> Result<(), Refused> {
    work.decide::<KeyPool>(key_pool::id(variant), &Command::Import { batch, count })?;
    work.decide::<StockLevel>(variant, &stock::Command::ImportKeys { quantity: count }).map(drop)
}

/// Withdraws unsold keys of a batch: the given number of them, or all that no order reserves.
pub fn withdraw(
    work: &mut Work,
    variant: VariantId,
    batch: u32,
    quantity: Option<Quantity>,
    reason: Option<&Reason>,
) -> Result<(), Refused> {
    let pool = key_pool::id(variant);
    let left = i64::from(work.get::<KeyPool>(pool)?.batch(batch)?.left());
    let available = work.get::<StockLevel>(variant)?.available();
    if left == 0 && quantity.is_none() {
        // Nothing is left to withdraw: already done.
        return Ok(());
    }
    let all = || {
        let all = Quantity::new(left.min(available));
        all.map_err(|_| Refused::from(stock::Rejection::NotEnough { available }))
    };
    let quantity = quantity.map_or_else(all, Ok)?;
    if quantity.get() > left {
        return Err(Rejection::NotEnough { left }.into());
    }
    let withdraw = stock::Command::WithdrawKeys { quantity, reason: reason.cloned() };
    work.decide::<StockLevel>(variant, &withdraw)?;
    work.decide::<KeyPool>(pool, &Command::Withdraw { batch, quantity, reason: reason.cloned() }).map(drop)
}

/// Assigns the next keys of their pools to the pieces of an order.
pub fn assign(work: &mut Work, order: OrderId, lines: &[Demand]) -> Result<Vec<LineKeys>, Refused> {
    let assign = |Demand { variant, quantity }: &Demand| {
        let pool = key_pool::id(*variant);
        let before = work.get::<KeyPool>(pool)?;
        work.decide::<KeyPool>(pool, &Command::Assign { order, quantity: *quantity })?;
        Ok(LineKeys { variant: *variant, keys: before.next_keys(*quantity)? })
    };
    lines.iter().map(assign).collect()
}

/// Revokes the keys of pieces that an order gives up; `before` is the order until then.
pub fn revoke(work: &mut Work, order: OrderId, before: &Placed, lines: &[Demand]) -> Result<(), Refused> {
    for RevokedKeys { variant, keys, revealed } in before.keys_given_up_with(lines) {
        let Ok(count) = Quantity::new(count_of(&keys)) else { continue };
        work.decide::<KeyPool>(key_pool::id(variant), &Command::Revoke { order, count, revealed, keys })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
