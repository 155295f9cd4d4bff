//! What the stock of a variant can be asked.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{OrderId, ProductId};
use crate::quantity::Quantity;
use crate::text::{Reason, Sku};

/// What the stock can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Begin to stock the variant.
    Open {
        /// The product.
        product: ProductId,
        /// The SKU.
        sku: Sku,
    },
    /// Take in goods.
    Receive {
        /// The quantity.
        quantity: Quantity,
        /// Whence and why.
        reason: Option<Reason>,
    },
    /// Write off goods.
    Lose {
        /// The quantity.
        quantity: Quantity,
        /// How.
        reason: Option<Reason>,
    },
    /// Take back goods.
    Return {
        /// The quantity.
        quantity: Quantity,
        /// The order they had left with.
        order: Option<OrderId>,
        /// The reason.
        reason: Option<Reason>,
    },
    /// Note that pieces that had left with an order are lost on their way.
    LoseInTransit {
        /// The order.
        order: OrderId,
        /// The quantity.
        quantity: Quantity,
    },
    /// Note that pieces that were lost on their way were found.
    FindInTransit {
        /// The order.
        order: OrderId,
        /// The quantity.
        quantity: Quantity,
    },
    /// Let other pieces leave for an order in the place of lost ones.
    Replace {
        /// The order.
        order: OrderId,
        /// The quantity.
        quantity: Quantity,
    },
    /// Set what was counted.
    Count {
        /// So many there are, the promised ones included.
        on_hand: i64,
    },
    /// Promise pieces to an order.
    Reserve {
        /// The order.
        order: OrderId,
        /// The quantity.
        quantity: Quantity,
        /// When the promise ends.
        expires_at: Option<DateTime<Utc>>,
    },
    /// Let the promised pieces leave.
    Commit {
        /// The order.
        order: OrderId,
    },
    /// Take the promise back.
    Release {
        /// The order.
        order: OrderId,
        /// The reason.
        reason: Option<Reason>,
    },
}
