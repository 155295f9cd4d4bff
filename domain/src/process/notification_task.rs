//! The tasks of the processes that notify people.

use serde::{Deserialize, Serialize};

use crate::Locale;
use crate::ids::{AccountId, FileId, InvitationId, NotificationId, OrderId, ProductId, SellerId, VariantId};
use crate::key_pool::KeyRange;
use crate::money::Price;
use crate::notification::Message;

/// A task that queues notifications. It is stored in timers, where its tag is `errand`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "errand", rename_all = "snake_case")]
pub enum NotificationTask {
    /// Queue a message to the owner of an account.
    TellAccount {
        /// The account.
        account: AccountId,
        /// The message.
        message: Message,
    },
    /// Queue a message to the buyer of an order, unless the order was imported.
    TellBuyer {
        /// The order.
        order: OrderId,
        /// The message.
        message: Message,
    },
    /// Queue a message to a person whom a seller invites.
    TellInvited {
        /// The invitation.
        invitation: InvitationId,
        /// The language.
        locale: Locale,
        /// The message.
        message: Message,
    },
    /// Queue a message to each account that watches the variant's product for stock, if there is some.
    TellOfStock {
        /// The variant that is in stock again.
        variant: VariantId,
    },
    /// Queue a message to each buyer who has a file and is subscribed.
    TellOfVersion {
        /// The variant that delivers the file.
        variant: VariantId,
        /// The file.
        file: FileId,
        /// The number of the new version.
        version: u32,
    },
    /// Queue a message to each member of the seller whose keys these are, if they are of one.
    TellOfKeys {
        /// The variant.
        variant: VariantId,
        /// What the members are told.
        news: KeyNews,
    },
    /// Queue a message to each owner of a seller.
    TellOwners {
        /// The seller.
        seller: SellerId,
        /// The message.
        message: Message,
    },
    /// Queue a message to the staff of the shop, if it has an address.
    TellStaff {
        /// The message.
        message: Message,
    },
    /// [`NotificationTask::TellOfStock`] for each variant of a product that is published again, and a message to each watcher of
    /// a price that was reduced in the meantime.
    TellOfReturn {
        /// The product.
        product: ProductId,
    },
    /// Queue a message to each watcher whose last price was higher.
    TellOfPrice {
        /// The product.
        product: ProductId,
        /// The variant with a new price.
        variant: VariantId,
        /// The new price.
        price: Price,
    },
}

/// What the members of a seller are told of their keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum KeyNews {
    /// Few keys are left.
    RanLow {
        /// How many.
        left: i64,
    },
    /// Keys were revoked that their buyer had been shown.
    Revoked {
        /// The keys.
        keys: Vec<KeyRange>,
    },
}

/// A task that concerns a queued notification. It is stored in timers, where its tag is `errand`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "errand", rename_all = "snake_case")]
pub enum Sending {
    /// Send a notification, unless this attempt was made already.
    Send {
        /// The notification.
        notification: NotificationId,
        /// The number of the attempt; the next one if absent.
        attempt: Option<u32>,
    },
    /// Record that the outcome of an attempt is unknown, unless it is known by now.
    GiveUp {
        /// The notification.
        notification: NotificationId,
        /// The number of the attempt.
        attempt: u32,
    },
}
