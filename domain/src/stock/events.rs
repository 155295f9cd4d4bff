//! The events of the stock of a variant.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::rejections::ON_HAND_MAX;
use crate::ids::{OrderId, ProductId};
use crate::quantity::Quantity;
use crate::text::{Reason, Sku};

/// What happened to the stock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Stock was opened for a variant.
    Opened {
        /// The product.
        product: ProductId,
        /// The SKU.
        sku: Sku,
    },
    /// Goods were received.
    Received {
        /// The quantity.
        quantity: Quantity,
        /// Their origin and the reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// Pieces were lost or written off.
    Lost {
        /// The quantity.
        quantity: Quantity,
        /// The reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// Pieces were returned to the stock.
    Returned {
        /// The quantity.
        quantity: Quantity,
        /// The order that they had left with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<OrderId>,
        /// The reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The stock was counted.
    Counted {
        /// The counted number of pieces.
        on_hand: i64,
    },
    /// Pieces that had left with an order were lost in transit: they had left the stock already, so on hand does not change.
    LostInTransit {
        /// The order.
        order: OrderId,
        /// The quantity.
        quantity: Quantity,
    },
    /// Pieces that were lost in transit were found, or came back.
    FoundInTransit {
        /// The order.
        order: OrderId,
        /// The quantity.
        quantity: Quantity,
    },
    /// Pieces leave for an order, to replace those that were lost in transit.
    Replaced {
        /// The order.
        order: OrderId,
        /// The quantity.
        quantity: Quantity,
    },
    /// Its pieces are the keys of a pool from now on: imports and withdrawals of keys alone change what is on hand.
    KeysPooled {
        /// Whether the keys are the codes of gift cards.
        #[serde(default, skip_serializing_if = "is_false")]
        gift_cards: bool,
    },
    /// Its pieces are delivered as downloads from now on.
    Downloadable {},
    /// As many pieces can be sold as buyers want, because their keys are generated, or they are downloads without a stock: none is on
    /// hand, and none runs out. A count ends that.
    Unlimited {},
    /// Nothing of the variant can be sold, because its download has nothing to deliver; what is reserved stays reserved.
    SaleSuspended {},
    /// The variant can be sold again.
    SaleResumed {},
    /// Pieces were reserved for an order.
    Reserved {
        /// The order.
        order: OrderId,
        /// The quantity.
        quantity: Quantity,
        /// When the reservation ends unless the order is paid; the order's timer releases it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
    },
    /// The reserved pieces were sold and left the stock.
    Committed {
        /// The order.
        order: OrderId,
        /// The quantity.
        quantity: Quantity,
    },
    /// The reservation was released: the pieces are available again.
    Released {
        /// The order.
        order: OrderId,
        /// The quantity.
        quantity: Quantity,
        /// The reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(it: &bool) -> bool {
    !it
}

impl crate::Event for Event {}

/// Numbers of pieces of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pieces {
    /// The pieces on hand, reserved or not.
    pub on_hand: i64,
    /// The reserved pieces.
    pub reserved: i64,
    /// Whether as many can be sold as buyers want.
    pub unlimited: bool,
    /// Whether none can be reserved, because there is nothing to deliver.
    pub suspended: bool,
}

impl Pieces {
    /// The numbers after an event.
    #[must_use]
    pub fn after(self, event: &Event) -> Self {
        let Self { on_hand, reserved, unlimited, suspended: _ } = self;
        match event {
            Event::Received { quantity, .. } | Event::Returned { quantity, .. } => {
                Self { on_hand: on_hand + quantity.get(), ..self }
            }
            Event::Lost { quantity, .. } | Event::Replaced { quantity, .. } => {
                Self { on_hand: on_hand - quantity.get(), ..self }
            }
            Event::Counted { on_hand } => Self { on_hand: *on_hand, unlimited: false, ..self },
            Event::Unlimited {} => Self { unlimited: true, ..self },
            Event::SaleSuspended {} => Self { suspended: true, ..self },
            Event::SaleResumed {} => Self { suspended: false, ..self },
            Event::Reserved { quantity, .. } => Self { reserved: reserved + quantity.get(), ..self },
            // They were never on hand.
            Event::Committed { quantity, .. } if unlimited => Self { reserved: reserved - quantity.get(), ..self },
            Event::Committed { quantity, .. } => {
                Self { on_hand: on_hand - quantity.get(), reserved: reserved - quantity.get(), ..self }
            }
            Event::Released { quantity, .. } => Self { reserved: reserved - quantity.get(), ..self },
            // Pieces in transit had left with their order.
            Event::Opened { .. }
            | Event::KeysPooled { .. }
            | Event::Downloadable {}
            | Event::LostInTransit { .. }
            | Event::FoundInTransit { .. } => self,
        }
    }

    /// The pieces that can be reserved.
    pub fn available(self) -> i64 {
        match (self.suspended, self.unlimited) {
            (true, _) => 0,
            (false, true) => ON_HAND_MAX - self.reserved,
            (false, false) => self.on_hand - self.reserved,
        }
    }
}
