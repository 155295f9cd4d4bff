//! What is to be done for somebody to hear of something: notifications are queued, and then sent.

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, NotificationId, OrderId, ProductId, VariantId};
use crate::money::Price;
use crate::notification::Message;

/// What is to be done for a notification to be queued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "errand", rename_all = "snake_case")]
pub enum Errand {
    /// Queue a message to the owner of an account.
    TellAccount {
        /// Whose.
        account: AccountId,
        /// What is said.
        message: Message,
    },
    /// Queue a message to whoever placed an order, unless it is one of the past.
    TellBuyer {
        /// The order.
        order: OrderId,
        /// What is said.
        message: Message,
    },
    /// Queue a message to each who waits for stock of the variant's product, if there is some.
    TellOfStock {
        /// What came in.
        variant: VariantId,
    },
    /// [`Errand::TellOfStock`] for each variant of a product that is sold again, and a message to each for whom a price has fallen
    /// while it was not.
    TellOfReturn {
        /// The product.
        product: ProductId,
    },
    /// Queue a message to each for whom the price has fallen.
    TellOfPrice {
        /// The product.
        product: ProductId,
        /// What of it has another price.
        variant: VariantId,
        /// The price.
        price: Price,
    },
}

/// What is to be done with a notification that is queued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "errand", rename_all = "snake_case")]
pub enum Sending {
    /// Hand a notification over, unless that attempt was made.
    Send {
        /// The notification.
        notification: NotificationId,
        /// The attempt; the next one when nothing is said.
        attempt: Option<u32>,
    },
    /// Note that an attempt has no outcome, unless it has.
    GiveUp {
        /// The notification.
        notification: NotificationId,
        /// The attempt.
        attempt: u32,
    },
}
