//! Licences: which key of a product it is, and the machines on which it is active.

use std::sync::Arc;

use byteshop_domain::Kind;
use byteshop_domain::ids::{OrderId, ProductId, VariantId};
use byteshop_domain::key_pool::{self, KeyPool};
use byteshop_domain::licence::{self, Command, KeyNumber, Licence, Rejection};
use byteshop_domain::order::Order;
use byteshop_domain::product::Product;
use byteshop_domain::quantity::Quantity;
use byteshop_domain::text::Hash;

use crate::Commands;
use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// The kind of keyed hash that stands for a machine.
const MACHINE: &str = "machine";

/// A licence, and on how many machines it can be active.
#[derive(Debug, Clone)]
pub struct Active {
    /// The licence.
    pub licence: Loaded<Licence>,
    /// The limit of its variant.
    pub limit: Option<i64>,
}

impl Commands {
    /// The numbers under which a product has a key, at most one for each of its variants; none if there is no such product.
    pub async fn find_licence(&self, product: ProductId, key: &str) -> Result<Vec<KeyNumber>, Error> {
        let Some(product) = self.get::<Product>(product).await? else { return Ok(vec![]) };
        let Ok(created) = product.state.live() else { return Ok(vec![]) };
        let variants: Vec<VariantId> = created.variants.keys().copied().collect();
        let mut found = self.vault().find_key(&variants, key).await?;
        for variant in variants {
            // The code of a gift card is no licence.
            let pool = self.get::<KeyPool>(key_pool::id(variant)).await?;
            if pool.is_some_and(|pool| pool.state.gift_cards.is_some()) {
                found.retain(|key| key.variant != variant);
            }
        }
        Ok(found)
    }

    /// The keyed hash of the id of a machine: each licence has another one, so that machines are not known again.
    pub async fn machine_of(&self, key: KeyNumber, machine: &str) -> Result<Hash, Error> {
        let hash = self.vault().blind(MACHINE, &format!("{} {machine}", licence::id(key))).await?;
        Hash::new(&hash).map_err(|error| Error::refused("licence.machine", Kind::Invalid, error.to_string()))
    }

    /// The licence of a key as it is now.
    pub async fn licence_of(&self, key: KeyNumber) -> Result<Active, Error> {
        let id = licence::id(key);
        let pool = self.get::<KeyPool>(key_pool::id(key.variant)).await?;
        let limit = pool.and_then(|pool| pool.state.activations).map(Quantity::get);
        let found = self.get::<Licence>(id).await?;
        let (version, state) = found.map_or_else(|| (0, Arc::default()), |found| (found.version, found.state));
        Ok(Active { licence: Loaded { id, version, state }, limit })
    }
}

/// Activates a key on a machine. The append expects the order to be unchanged, so that a key which is revoked at this moment is
/// active before, or not at all.
pub async fn activate(unit: &Unit, key: KeyNumber, order: OrderId, machine: &Hash) -> Result<Active, Error> {
    let order = unit.load::<Order>(order).await?;
    match order.state.live()?.shows(key) {
        Some(true) => {}
        Some(false) => return Err(Rejection::Revoked.into()),
        None => return Err(Rejection::Unknown.into()),
    }
    let limit = unit.peek::<KeyPool>(key_pool::id(key.variant)).await?.state.activations;
    let mut licence = unit.load::<Licence>(licence::id(key)).await?;
    unit.decide(&mut licence, &Command::Activate { key, machine: machine.clone(), limit })?;
    Ok(Active { licence, limit: limit.map(Quantity::get) })
}

/// Deactivates a key on a machine, also if it is revoked.
pub async fn deactivate(unit: &Unit, key: KeyNumber, machine: &Hash) -> Result<Active, Error> {
    let limit = unit.peek::<KeyPool>(key_pool::id(key.variant)).await?.state.activations;
    let mut licence = unit.load::<Licence>(licence::id(key)).await?;
    unit.decide(&mut licence, &Command::Deactivate { machine: machine.clone() })?;
    Ok(Active { licence, limit: limit.map(Quantity::get) })
}
