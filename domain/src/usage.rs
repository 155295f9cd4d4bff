//! A usage: a count of the uses of a promotion, by all customers or by one, or of the orders of a customer.
//!
//! ```text
//! 0 ──claimed──▶ 1 ──claimed──▶ 2 … up to the limit, where claims are refused
//!   ◀──released──  ◀──released──
//! ```
//!
//! A checkout claims its uses in the same append, so of several buyers who want the last use only one gets it. Only limited
//! promotions have such a stream; others claim nothing, and their buyers do not contend. A use is claimed by a new order, and
//! released once when the order is cancelled; the key of the process makes that happen once. For a customer's orders it is also
//! the list of them, and it is closed with the account, so that no order follows.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::decider::{Asked, Decider};
use crate::ids::{AccountId, Id as _, OrderId, PromotionId, UsageId};

/// The maximum number of orders that are counted for a mailbox, enough to know a returning buyer. A company's mailbox may have
/// any number of orders, which need not wait for each other.
pub const COUNTED_OF_MAILBOX: i64 = 20;

/// Namespace of the ids; any fixed number would do, and it can never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x3d0f_9a52_7c1e_4b6b_8f0a_51c2_96d4_e07b);

/// A customer as limits and first orders see them: an account, or the keyed hash of a mailbox, which is the same for every
/// spelling of its address. A buyer who has both is known by each, so that a code cannot be used once with an account and once
/// more as a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer(String);

impl Customer {
    /// A customer with an account.
    pub fn account(account: AccountId) -> Self {
        Self(account.to_string())
    }

    /// A customer with an e-mail address, by its keyed hash.
    pub fn email(hash: &str) -> Self {
        Self(format!("guest:{hash}"))
    }
}

/// The uses of a promotion by all customers.
pub fn of_promotion(promotion: PromotionId) -> UsageId {
    named(&format!("promotion:{promotion}"))
}

/// The uses of a promotion by one customer.
pub fn by_customer(promotion: PromotionId, customer: &Customer) -> UsageId {
    named(&format!("promotion:{promotion}:{}", customer.0))
}

/// The orders of a customer.
pub fn orders_of(customer: &Customer) -> UsageId {
    named(&format!("orders:{}", customer.0))
}

/// UUID version 5 of the name (RFC 9562, section 5.5).
fn named(name: &str) -> UsageId {
    UsageId::from_uuid(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
}

/// What happened to a usage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An order used it.
    Claimed {
        /// The order.
        order: OrderId,
        /// The promotion; absent where a customer's orders are counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        promotion: Option<PromotionId>,
    },
    /// The order that used it was cancelled or has expired: the use is given back.
    Released {
        /// The order.
        order: OrderId,
        /// The promotion.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        promotion: Option<PromotionId>,
    },
    /// It is closed and cannot be used any more, as the customer's account is closed.
    Closed {},
}

impl crate::Event for Event {}

/// The commands of a usage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Use it for an order.
    Claim {
        /// The order.
        order: OrderId,
        /// The promotion.
        promotion: Option<PromotionId>,
        /// The usage limit; without one, uses are only counted.
        limit: Option<u32>,
    },
    /// Give back the use of an order.
    Release {
        /// The order.
        order: OrderId,
    },
    /// Close it.
    Close {},
}

/// The state of a usage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Uses by orders that are not cancelled or expired.
    pub used: i64,
    /// The promotion, if it counts one.
    pub promotion: Option<PromotionId>,
    /// Where a customer's orders are counted: those that are not cancelled or expired, the oldest first.
    pub orders: Vec<OrderId>,
    /// Whether it is closed.
    pub closed: bool,
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        UsedUp { limit: u32 } => Conflict: "the usage limit of {limit} is reached";
        Closed => Conflict: "the account is closed";
    }
}

impl Decider for Usage {
    const CATEGORY: &'static str = "usage";
    type Id = UsageId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Claim { .. } if self.closed => Err(Rejection::Closed),
            Command::Claim { limit: Some(limit), .. } if self.used >= i64::from(*limit) => {
                Err(Rejection::UsedUp { limit: *limit })
            }
            Command::Claim { order, promotion, .. } => {
                Ok(vec![Event::Claimed { order: *order, promotion: *promotion }])
            }
            // Nothing was claimed, so nothing is given back.
            Command::Release { .. } if self.used == 0 => Ok(vec![]),
            Command::Release { order } => Ok(vec![Event::Released { order: *order, promotion: self.promotion }]),
            Command::Close {} => Ok(if self.closed { vec![] } else { vec![Event::Closed {}] }),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Claimed { order, promotion } => {
                // The uses of a promotion are only counted: a list of all orders would have no limit.
                self.orders.extend(promotion.is_none().then_some(*order));
                Self { used: self.used + 1, promotion: *promotion, ..self }
            }
            Event::Released { order, .. } => {
                self.orders.retain(|known| known != order);
                Self { used: self.used - 1, ..self }
            }
            Event::Closed {} => Self { closed: true, ..self },
        }
    }
}

#[cfg(test)]
mod tests;
