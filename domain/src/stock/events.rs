//! What happens to the stock of a variant.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{OrderId, ProductId};
use crate::quantity::Quantity;
use crate::text::{Reason, Sku};

/// What happened to the stock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The variant is stocked.
    Opened {
        /// Its product.
        product: ProductId,
        /// Its code.
        sku: Sku,
    },
    /// Goods came in.
    Received {
        /// How many.
        quantity: Quantity,
        /// Whence and why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// Goods are gone or spoilt.
    Lost {
        /// How many.
        quantity: Quantity,
        /// How.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// Goods came back.
    Returned {
        /// How many.
        quantity: Quantity,
        /// The order they had left with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<OrderId>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// Somebody counted.
    Counted {
        /// So many there are.
        on_hand: i64,
    },
    /// Pieces that had left with an order are lost on their way: a loss, of what is not on hand any more.
    LostInTransit {
        /// The order.
        order: OrderId,
        /// How many.
        quantity: Quantity,
    },
    /// Pieces that were lost on their way are there after all, or here again.
    FoundInTransit {
        /// The order.
        order: OrderId,
        /// How many.
        quantity: Quantity,
    },
    /// Other pieces leave for an order, in the place of those that were lost on their way.
    Replaced {
        /// The order.
        order: OrderId,
        /// How many.
        quantity: Quantity,
    },
    /// Pieces are promised to an order.
    Reserved {
        /// The order.
        order: OrderId,
        /// How many.
        quantity: Quantity,
        /// When the promise ends unless it is paid for; the order's timer releases it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
    },
    /// The promised pieces are sold and leave.
    Committed {
        /// The order.
        order: OrderId,
        /// How many.
        quantity: Quantity,
    },
    /// The promised pieces are for sale again.
    Released {
        /// The order.
        order: OrderId,
        /// How many.
        quantity: Quantity,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
}

impl crate::Event for Event {}
