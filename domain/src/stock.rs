//! The stock of one variant: what is on hand, and how much of it is reserved by orders.
//!
//! ```text
//! (missing) ──opened──▶ open ─┐ received, lost, returned, counted: on hand changes
//!                        ▲    │ reserved: held for an order, still on hand
//!                        └────┘ committed: leaves with its order · released: available again
//!                               replaced: leaves for an order whose pieces were lost in transit
//!                               keys pooled: from now on the pieces are the keys of a pool
//!                               downloadable: from now on the pieces are delivered as downloads
//!                               sale suspended, sale resumed: a download without a link or a file is not sold
//!                               unlimited: keys are generated, or downloads have no stock; none is on hand and none runs out
//!
//!          0 ≤ reserved ≤ on hand          available = on hand − reserved
//! ```
//!
//! Nothing is sold that is not on hand: an order reserves its pieces in the append that places it, and neither a loss nor a
//! count can take reserved pieces. Staff releases the reservation or cancels the order first, so that its buyer is told.
//!
//! The pieces of a variant with a [pool of keys](crate::key_pool) are its unsold keys: each change is decided
//! together with the pool, and movements by hand are refused. Downloads have no stock, until their pieces are counted.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::decider::{Asked, Decider};
use crate::ids::{OrderId, ProductId, VariantId};
use crate::quantity::Quantity;
use crate::text::{Reason, Sku};

mod commands;
mod events;
mod rejections;

pub use commands::Command;
pub use events::{Event, Pieces};
pub use rejections::{ON_HAND_MAX, Rejection};

/// The maximum number of settled orders that are remembered, so that a repeated commit has no effect; older orders count as
/// unknown.
const SETTLED_MAX: usize = 32;

/// The state of the stock.
#[allow(clippy::struct_excessive_bools, reason = "each says how the pieces are delivered or counted")]
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StockLevel {
    /// The product of the variant; absent before the stock is opened.
    pub product: Option<ProductId>,
    /// The SKU of the variant; absent before the stock is opened.
    pub sku: Option<Sku>,
    /// The pieces on hand, reserved or not.
    pub on_hand: i64,
    /// The reserved pieces: the sum of the reservations.
    pub reserved: i64,
    /// The reservations by order.
    pub reservations: BTreeMap<OrderId, Reservation>,
    /// Whether its pieces are the keys of a pool.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub keys_pooled: bool,
    /// Whether its pieces are delivered as downloads.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub downloadable: bool,
    /// Whether as many can be sold as buyers want.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unlimited: bool,
    /// Whether nothing is sold, because its download has nothing to deliver.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
    /// The last orders whose pieces left the stock.
    settled: VecDeque<OrderId>,
}

/// A reservation of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Reservation {
    /// The quantity.
    pub quantity: Quantity,
    /// When it ends unless the order is paid.
    pub expires_at: Option<DateTime<Utc>>,
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for StockLevel {
    const CATEGORY: &'static str = "stock";
    type Id = VariantId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Decision {
        if let Command::Open { product, sku } = command {
            return self.open(*product, sku);
        }
        if self.product.is_none() {
            return Err(Rejection::Missing);
        }
        self.moves_by_hand(command)?;
        match command {
            // Opened above.
            Command::Open { .. } => Ok(vec![]),
            Command::PoolKeys {} => self.pool_keys(),
            Command::MakeUnlimited {} => self.make_unlimited(),
            Command::DeliverDownloads {} => Ok(self.deliver_downloads()),
            Command::SetDeliverable { deliverable } => Ok(self.set_deliverable(*deliverable)),
            Command::ImportKeys { quantity } => {
                self.keys_only()?;
                self.room_for(*quantity)?;
                Ok(vec![Event::Received { quantity: *quantity, reason: None }])
            }
            Command::WithdrawKeys { quantity, reason } => {
                self.keys_only()?;
                self.lose(*quantity, reason.as_ref())
            }
            Command::Receive { quantity, reason } => {
                self.room_for(*quantity)?;
                Ok(vec![Event::Received { quantity: *quantity, reason: reason.clone() }])
            }
            Command::Lose { quantity, reason } => self.lose(*quantity, reason.as_ref()),
            Command::Return { quantity, order, reason } => {
                // Pieces that come back from an order are on hand again, even beyond the limit.
                if order.is_none() {
                    self.room_for(*quantity)?;
                }
                Ok(vec![Event::Returned { quantity: *quantity, order: *order, reason: reason.clone() }])
            }
            // The order knows which pieces are in transit, and decides in the same append.
            Command::LoseInTransit { order, quantity } => {
                Ok(vec![Event::LostInTransit { order: *order, quantity: *quantity }])
            }
            Command::FindInTransit { order, quantity } => {
                Ok(vec![Event::FoundInTransit { order: *order, quantity: *quantity }])
            }
            Command::Replace { order, quantity } => self.replace(*order, *quantity),
            Command::Count { on_hand } => self.count(*on_hand),
            Command::Reserve { order, quantity, expires_at } => self.reserve(*order, *quantity, *expires_at),
            Command::Commit { order } => self.commit(*order),
            Command::Release { order, reason } => Ok(self.release(*order, reason.as_ref())),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        let Pieces { on_hand, reserved, unlimited, suspended } = self.pieces().after(event);
        (self.on_hand, self.reserved, self.unlimited, self.suspended) = (on_hand, reserved, unlimited, suspended);
        match event {
            Event::Opened { product, sku } => {
                self.product = Some(*product);
                self.sku = Some(sku.clone());
            }
            Event::KeysPooled {} => self.keys_pooled = true,
            Event::Downloadable {} => self.downloadable = true,
            Event::Reserved { order, quantity, expires_at } => {
                self.reservations.insert(*order, Reservation { quantity: *quantity, expires_at: *expires_at });
            }
            Event::Committed { order, .. } => {
                self.reservations.remove(order);
                if self.settled.len() == SETTLED_MAX {
                    self.settled.pop_front();
                }
                self.settled.push_back(*order);
            }
            Event::Released { order, .. } => {
                self.reservations.remove(order);
            }
            // They change the numbers of pieces alone.
            Event::Unlimited {}
            | Event::SaleSuspended {}
            | Event::SaleResumed {}
            | Event::Received { .. }
            | Event::Returned { .. }
            | Event::Lost { .. }
            | Event::Replaced { .. }
            | Event::LostInTransit { .. }
            | Event::FoundInTransit { .. }
            | Event::Counted { .. } => {}
        }
        self
    }
}

impl StockLevel {
    /// The pieces that can be reserved now.
    pub fn available(&self) -> i64 {
        self.pieces().available()
    }

    fn pieces(&self) -> Pieces {
        let Self { on_hand, reserved, unlimited, suspended, .. } = *self;
        Pieces { on_hand, reserved, unlimited, suspended }
    }

    fn open(&self, product: ProductId, sku: &Sku) -> Decision {
        match self.product {
            None => Ok(vec![Event::Opened { product, sku: sku.clone() }]),
            Some(known) if known == product && self.sku.as_ref() == Some(sku) => Ok(vec![]),
            Some(_) => Err(Rejection::Exists),
        }
    }

    /// Refuses movements of keys by hand: an imported key is a piece, and every other one would be a piece without a key. Pieces that
    /// were never counted do not move either.
    fn moves_by_hand(&self, command: &Command) -> Result<(), Rejection> {
        let by_hand = match command {
            Command::Receive { .. } | Command::Lose { .. } | Command::Return { .. } | Command::Replace { .. }
                if self.unlimited && !self.keys_pooled =>
            {
                return Err(Rejection::Unlimited);
            }
            Command::Receive { .. }
            | Command::Lose { .. }
            | Command::Return { .. }
            | Command::Replace { .. }
            | Command::Count { .. } => true,
            Command::Open { .. }
            | Command::LoseInTransit { .. }
            | Command::FindInTransit { .. }
            | Command::PoolKeys {}
            | Command::MakeUnlimited {}
            | Command::DeliverDownloads {}
            | Command::SetDeliverable { .. }
            | Command::ImportKeys { .. }
            | Command::WithdrawKeys { .. }
            | Command::Reserve { .. }
            | Command::Commit { .. }
            | Command::Release { .. } => false,
        };
        if by_hand && self.keys_pooled { Err(Rejection::KeysPooled) } else { Ok(()) }
    }

    fn keys_only(&self) -> Result<(), Rejection> {
        if self.keys_pooled { Ok(()) } else { Err(Rejection::NoKeyPool) }
    }

    fn deliver_downloads(&self) -> Vec<Event> {
        // Of pieces that were counted, and of keys, no more are sold.
        let keeps_stock = self.keys_pooled || self.unlimited || self.on_hand > 0;
        match self.downloadable {
            true => vec![],
            false if keeps_stock => vec![Event::Downloadable {}],
            false => vec![Event::Downloadable {}, Event::Unlimited {}],
        }
    }

    /// A variant that delivers keys is sold without a download as well.
    fn set_deliverable(&self, deliverable: bool) -> Vec<Event> {
        let suspended = self.downloadable && !self.keys_pooled && !deliverable;
        match (self.suspended, suspended) {
            (false, true) => vec![Event::SaleSuspended {}],
            (true, false) => vec![Event::SaleResumed {}],
            (true, true) | (false, false) => vec![],
        }
    }

    fn pool_keys(&self) -> Decision {
        match self.keys_pooled {
            true => Ok(vec![]),
            // A pool that is empty sells nothing.
            false if self.unlimited => Err(Rejection::Unlimited),
            // Reserved pieces are on hand too.
            false if self.on_hand > 0 => Err(Rejection::NotEmpty),
            false if self.suspended => Ok(vec![Event::KeysPooled {}, Event::SaleResumed {}]),
            false => Ok(vec![Event::KeysPooled {}]),
        }
    }

    fn make_unlimited(&self) -> Decision {
        self.keys_only()?;
        match self.unlimited {
            true => Ok(vec![]),
            false if self.on_hand > 0 => Err(Rejection::NotEmpty),
            false => Ok(vec![Event::Unlimited {}]),
        }
    }

    fn room_for(&self, quantity: Quantity) -> Result<(), Rejection> {
        if self.on_hand + quantity.get() > ON_HAND_MAX { Err(Rejection::OutOfRange) } else { Ok(()) }
    }

    fn lose(&self, quantity: Quantity, reason: Option<&Reason>) -> Decision {
        if quantity.get() > self.on_hand {
            return Err(Rejection::NotEnough { available: self.available() });
        }
        if quantity.get() > self.on_hand - self.reserved {
            return Err(Rejection::Reserved { reserved: self.reserved });
        }
        Ok(vec![Event::Lost { quantity, reason: reason.cloned() }])
    }

    fn replace(&self, order: OrderId, quantity: Quantity) -> Decision {
        let available = self.available();
        if quantity.get() > available {
            return Err(Rejection::NotEnough { available });
        }
        Ok(vec![Event::Replaced { order, quantity }])
    }

    fn count(&self, on_hand: i64) -> Decision {
        if !(0..=ON_HAND_MAX).contains(&on_hand) {
            return Err(Rejection::OutOfRange);
        }
        if on_hand < self.reserved {
            return Err(Rejection::Reserved { reserved: self.reserved });
        }
        // A count with the expected result is recorded too.
        Ok(vec![Event::Counted { on_hand }])
    }

    fn reserve(&self, order: OrderId, quantity: Quantity, expires_at: Option<DateTime<Utc>>) -> Decision {
        match self.reservations.get(&order) {
            Some(held) if held.quantity == quantity => return Ok(vec![]),
            Some(held) => return Err(Rejection::ReservedOtherwise { quantity: held.quantity }),
            None => {}
        }
        let available = self.available();
        if quantity.get() > available {
            return Err(Rejection::NotEnough { available });
        }
        Ok(vec![Event::Reserved { order, quantity, expires_at }])
    }

    fn commit(&self, order: OrderId) -> Decision {
        match self.reservations.get(&order) {
            Some(held) => Ok(vec![Event::Committed { order, quantity: held.quantity }]),
            None if self.settled.contains(&order) => Ok(vec![]),
            None => Err(Rejection::NotReserved),
        }
    }

    fn release(&self, order: OrderId, reason: Option<&Reason>) -> Vec<Event> {
        let held = self.reservations.get(&order);
        held.map(|held| Event::Released { order, quantity: held.quantity, reason: reason.cloned() })
            .into_iter()
            .collect()
    }
}

#[cfg(test)]
mod tests;
