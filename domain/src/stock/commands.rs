//! The commands of the stock of a variant.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{OrderId, ProductId};
use crate::quantity::Quantity;
use crate::text::{Reason, Sku};

/// The commands of the stock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Open stock for the variant.
    Open {
        /// The product.
        product: ProductId,
        /// The SKU.
        sku: Sku,
    },
    /// Receive goods.
    Receive {
        /// The quantity.
        quantity: Quantity,
        /// Their origin and the reason.
        reason: Option<Reason>,
    },
    /// Record lost pieces, or write pieces off.
    Lose {
        /// The quantity.
        quantity: Quantity,
        /// The reason.
        reason: Option<Reason>,
    },
    /// Put returned pieces back in stock.
    Return {
        /// The quantity.
        quantity: Quantity,
        /// The order that they had left with.
        order: Option<OrderId>,
        /// The reason.
        reason: Option<Reason>,
    },
    /// Record that pieces which had left with an order were lost in transit.
    LoseInTransit {
        /// The order.
        order: OrderId,
        /// The quantity.
        quantity: Quantity,
    },
    /// Record that pieces which were lost in transit were found.
    FindInTransit {
        /// The order.
        order: OrderId,
        /// The quantity.
        quantity: Quantity,
    },
    /// Send other pieces of an order to replace lost ones.
    Replace {
        /// The order.
        order: OrderId,
        /// The quantity.
        quantity: Quantity,
    },
    /// Record a count.
    Count {
        /// The pieces on hand, including the reserved ones.
        on_hand: i64,
    },
    /// Let the keys of a pool be its pieces from now on.
    PoolKeys {
        /// Whether the keys are the codes of gift cards.
        gift_cards: bool,
    },
    /// Let as many pieces be sold as buyers want, because their keys are generated.
    MakeUnlimited {},
    /// Let its pieces be delivered as downloads from now on; without a stock there is no limit.
    DeliverDownloads {},
    /// Sell it only while its download has something to deliver.
    SetDeliverable {
        /// Whether it has.
        deliverable: bool,
    },
    /// Add the keys of an import.
    ImportKeys {
        /// The quantity.
        quantity: Quantity,
    },
    /// Withdraw unsold keys.
    WithdrawKeys {
        /// The quantity.
        quantity: Quantity,
        /// The reason.
        reason: Option<Reason>,
    },
    /// Reserve pieces for an order.
    Reserve {
        /// The order.
        order: OrderId,
        /// The quantity.
        quantity: Quantity,
        /// When the reservation ends.
        expires_at: Option<DateTime<Utc>>,
    },
    /// Commit the reservation: the pieces leave the stock.
    Commit {
        /// The order.
        order: OrderId,
    },
    /// Release the reservation.
    Release {
        /// The order.
        order: OrderId,
        /// The reason.
        reason: Option<Reason>,
    },
}
