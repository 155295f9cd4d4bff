//! Delivering digital goods: the good of a variant and its stock change together, and an order gets its downloads with its payment.
//!
//! ```text
//! digital good:   open
//! stock:          deliver downloads,    commit
//!                 set deliverable
//! order:                                mark paid
//! downloads:                            grant
//! subscribers:                          subscribe
//! ```
//!
//! Pure: each is decided on states that were loaded before, and appended whole or not at all.

use crate::digital_good::{self, Command, DigitalGood, Rejection};
use crate::download::{self, Download};
use crate::ids::{OrderId, ProductId, VariantId};
use crate::product::Product;
use crate::quantity::Demand;
use crate::stock::{self, StockLevel};
use crate::subscribers::{self, Buyer, Subscribers};
use crate::work::{Refused, Work};

/// Changes the digital good of a variant, which is opened if there is none: its orders get downloads from then on, and its stock has
/// no limit unless pieces are on hand. While it has nothing to deliver, it is not sold.
pub fn change(work: &mut Work, product: ProductId, variant: VariantId, command: &Command) -> Result<(), Refused> {
    let state = work.get::<Product>(product)?;
    let known = state.live()?.variant(variant)?;
    if known.physical {
        return Err(Rejection::Physical.into());
    }
    if work.get::<StockLevel>(variant)?.gift_cards {
        return Err(Rejection::GiftCards.into());
    }
    let good = digital_good::id(variant);
    work.decide::<DigitalGood>(good, &Command::Open { product, sku: known.sku.clone() })?;
    work.decide::<StockLevel>(variant, &stock::Command::DeliverDownloads {})?;
    work.decide::<DigitalGood>(good, command)?;
    let deliverable = work.get::<DigitalGood>(good)?.is_deliverable();
    work.decide::<StockLevel>(variant, &stock::Command::SetDeliverable { deliverable }).map(drop)
}

/// Grants an order the downloads of its pieces, with the limits that they have now; its buyer hears of new versions.
pub fn grant(work: &mut Work, order: OrderId, buyer: Buyer, lines: &[Demand]) -> Result<(), Refused> {
    for Demand { variant, .. } in lines {
        let limits = work.get::<DigitalGood>(digital_good::id(*variant))?.limits;
        let grant = download::Command::Grant { order, variant: *variant, limits };
        work.decide::<Download>(download::id(order, *variant), &grant)?;
        let subscribe = subscribers::Command::Subscribe { buyer, order, variant: *variant };
        work.decide::<Subscribers>(subscribers::part_of(*variant, buyer), &subscribe)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
