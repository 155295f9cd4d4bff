//! The subscribers of a digital good: the buyers to tell of a new version of a file.
//!
//! ```text
//! not subscribed ──subscribed, in the append that marks an order paid──▶ subscribed ──unsubscribed──▶ unsubscribed (final)
//! ```
//!
//! A buyer is an account, or a guest by their mailbox, so who buys twice hears once. The subscribers of a good are spread over
//! [`PARTS`] streams by their buyer, so that each is read whole and stays small. An unsubscribed buyer stays so when they buy again.
//!
//! Whether a buyer still has the good is not known here: their orders say it when they are told.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::decider::{Asked, Decider};
use crate::ids::{AccountId, Id as _, MailboxId, OrderId, SubscribersId, VariantId};
use crate::mailbox;
use crate::order::Placed;

#[cfg(test)]
mod tests;

/// Namespace of the ids; any fixed number would do, and it can never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x51a3_9c0e_7d42_4f86_b91f_20e6_8c5d_7ba4);
/// The streams over which the subscribers of a good are spread.
pub const PARTS: u8 = 64;
/// The maximum number of subscribers of a part: with [`PARTS`] these are 160,000 buyers, of whom the last are not told.
pub const SUBSCRIBERS_MAX: usize = 2_500;
/// The maximum number of orders that are known of a subscriber: their first one and the last ones.
pub const ORDERS_MAX: usize = 10;
/// How many subscribers are told in one append.
pub const TOLD_AT_ONCE: usize = 50;

/// A buyer, as subscriptions know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Buyer {
    /// The owner of an account.
    Account(AccountId),
    /// A guest, by their mailbox.
    Mailbox(MailboxId),
    /// A guest of whose mailbox nothing is known.
    Order(OrderId),
}

impl Buyer {
    /// The buyer of an order.
    pub fn of(order: OrderId, placed: &Placed) -> Self {
        let placement = &placed.placement;
        let mailbox = || placement.destination.mailbox().map(|hash| Self::Mailbox(mailbox::id(hash.as_str())));
        placement.buyer.account.map(Self::Account).or_else(mailbox).unwrap_or(Self::Order(order))
    }

    fn uuid(self) -> Uuid {
        match self {
            Self::Account(account) => account.uuid(),
            Self::Mailbox(mailbox) => mailbox.uuid(),
            Self::Order(order) => order.uuid(),
        }
    }
}

/// A part of the subscribers of a good, by its number.
pub fn part(variant: VariantId, number: u8) -> SubscribersId {
    SubscribersId::from_uuid(Uuid::new_v5(&NAMESPACE, format!("{variant}/{number}").as_bytes()))
}

/// The part of the subscribers of a good to which a buyer belongs.
pub fn part_of(variant: VariantId, buyer: Buyer) -> SubscribersId {
    // The last byte of an id is random, or part of a hash.
    let [.., last] = *buyer.uuid().as_bytes();
    part(variant, last % PARTS)
}

/// What happened to a part of the subscribers of a good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An order was paid: its buyer hears of new versions.
    Subscribed {
        /// The buyer.
        buyer: Buyer,
        /// The order.
        order: OrderId,
        /// The variant.
        variant: VariantId,
    },
    /// A buyer does not want to hear of new versions.
    Unsubscribed {
        /// The buyer.
        buyer: Buyer,
    },
}

impl crate::Event for Event {}

/// The commands of subscriptions.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Subscribe the buyer of a paid order.
    Subscribe {
        /// The buyer.
        buyer: Buyer,
        /// The order.
        order: OrderId,
        /// The variant.
        variant: VariantId,
    },
    /// Unsubscribe a buyer.
    Unsubscribe {
        /// The buyer.
        buyer: Buyer,
    },
}

/// A part of the subscribers of a good.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Subscribers {
    /// The orders of each subscriber.
    pub buyers: BTreeMap<Buyer, Vec<OrderId>>,
    /// The buyers who have unsubscribed.
    pub unsubscribed: BTreeSet<Buyer>,
}

/// A state is shown in numbers: who it is of is known to the orders.
impl Serialize for Subscribers {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut shown = serializer.serialize_struct("Subscribers", 2)?;
        shown.serialize_field("subscribed", &self.buyers.len())?;
        shown.serialize_field("unsubscribed", &self.unsubscribed.len())?;
        shown.end()
    }
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Rejection {
        Missing => Missing: "the order has nothing of which there are new versions";
    }
}

impl Decider for Subscribers {
    const CATEGORY: &'static str = "subscribers";
    type Id = SubscribersId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Subscribe { buyer, order, variant } => {
                let known = self.buyers.get(buyer);
                let is_known = known.is_some_and(|orders| orders.contains(order));
                // No payment is refused because a mail cannot be sent.
                let is_full = known.is_none() && self.buyers.len() >= SUBSCRIBERS_MAX;
                if is_known || is_full || self.unsubscribed.contains(buyer) {
                    return Ok(vec![]);
                }
                Ok(vec![Event::Subscribed { buyer: *buyer, order: *order, variant: *variant }])
            }
            Command::Unsubscribe { buyer } if self.unsubscribed.contains(buyer) => Ok(vec![]),
            Command::Unsubscribe { buyer } => Ok(vec![Event::Unsubscribed { buyer: *buyer }]),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Subscribed { buyer, order, .. } => {
                let orders = self.buyers.entry(*buyer).or_default();
                if orders.len() == ORDERS_MAX {
                    // The first one names the buyer for as long as they are subscribed.
                    orders.remove(1);
                }
                orders.push(*order);
            }
            Event::Unsubscribed { buyer } => {
                self.buyers.remove(buyer);
                self.unsubscribed.insert(*buyer);
            }
        }
        self
    }
}
