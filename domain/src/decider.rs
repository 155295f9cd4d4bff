//! The shape of every aggregate: a pure function from state and command to events, and a fold of events into state.
//!
//! Source: J. Chassaing, "Functional Event Sourcing Decider" (2021).

use std::fmt::{self, Debug};

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, ApiKeyId, CartId, Id};

/// An aggregate: its state, its commands, its events and its rejections.
pub trait Decider: Default + Clone + Debug + Serialize + Send + Sync + 'static {
    /// The category of its streams, also the first part of its subjects and problem codes.
    const CATEGORY: &'static str;
    /// Whether the shop has exactly one: then the cache also remembers that it does not exist yet.
    const SINGLETON: bool = false;
    /// Whether its last event holds the whole state, so that only this event needs to be read.
    const LAST_EVENT_IS_SNAPSHOT: bool = false;
    /// The type of its ids.
    type Id: Id;
    /// Its commands.
    type Command: Debug + Send + Sync;
    /// Its events.
    type Event: Event;
    /// The reasons why it refuses commands.
    type Rejection: Rejection;

    /// Decides a command. The same state, command and `asked` give the same events; no events means that nothing changes.
    fn decide(&self, command: &Self::Command, asked: &Asked) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// The state after an event. It cannot fail, as the event has happened.
    fn evolve(self, event: &Self::Event) -> Self;
}

/// Folds a history into a state, from the default state.
pub fn fold<'a, A: Decider>(events: impl IntoIterator<Item = &'a A::Event>) -> A {
    events.into_iter().fold(A::default(), A::evolve)
}

/// What happened to an aggregate: an enum of struct variants, stored as (type, schema, data).
///
/// Serde's external tag is the stored type, so every variant has braces (`Closed {}`) and `rename_all = "snake_case"`.
pub trait Event: Serialize + DeserializeOwned + Clone + Debug + PartialEq + Send + Sync + 'static {
    /// The upcasts of older stored forms. The current schema of a type is one more than its newest entry here, or 1.
    const UPCASTS: &'static [Upcast] = &[];
}

/// One step from an older stored form of an event to the next.
#[derive(Debug, Clone, Copy)]
pub struct Upcast {
    /// The stored event type.
    pub event_type: &'static str,
    /// The schema number that this step reads; it gives the next one.
    pub from_schema: i16,
    /// The data in the next form.
    pub step: fn(serde_json::Value) -> serde_json::Value,
}

/// The actor and the time of a command: the only way that time and identity reach a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The time of the decision.
    pub at: DateTime<Utc>,
    /// The actor.
    pub by: Actor,
}

/// The actor of a command or an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A buyer with an account.
    Customer {
        /// The account.
        id: AccountId,
    },
    /// A buyer without an account, known by the token of a cart.
    Guest {
        /// The cart whose token was presented, if there is one.
        cart: Option<CartId>,
    },
    /// A seller with an account.
    Seller {
        /// The account.
        id: AccountId,
    },
    /// Support staff.
    Support {
        /// The account.
        id: AccountId,
    },
    /// An admin.
    Admin {
        /// The account.
        id: AccountId,
    },
    /// A program, known by its API key.
    Service {
        /// The key.
        key: ApiKeyId,
    },
    /// A process that reacts to events.
    Process {
        /// The name of the process.
        name: String,
    },
    /// An operator at the command line, who has a shell on the shop's machine.
    Operator {
        /// The user name of the operating system; with `sudo`, of the user who called it.
        name: String,
    },
    /// The shop itself: a seed, an import, a repair.
    System {
        /// The part of the shop, such as `import`.
        name: String,
    },
}

impl Actor {
    /// The account of the actor, if there is one.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Customer { id } | Self::Seller { id } | Self::Support { id } | Self::Admin { id } => Some(*id),
            Self::Guest { .. }
            | Self::Service { .. }
            | Self::Process { .. }
            | Self::Operator { .. }
            | Self::System { .. } => None,
        }
    }

    /// The API key of the actor, if it is a program.
    pub fn key(&self) -> Option<ApiKeyId> {
        match self {
            Self::Service { key } => Some(*key),
            Self::Customer { .. }
            | Self::Guest { .. }
            | Self::Seller { .. }
            | Self::Support { .. }
            | Self::Admin { .. }
            | Self::Process { .. }
            | Self::Operator { .. }
            | Self::System { .. } => None,
        }
    }
}

impl fmt::Display for Actor {
    /// Writes `admin acc_…`, `guest`, `process settle_order`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer { id } => write!(f, "customer {id}"),
            Self::Guest { cart: Some(cart) } => write!(f, "guest {cart}"),
            Self::Guest { cart: None } => f.write_str("guest"),
            Self::Seller { id } => write!(f, "seller {id}"),
            Self::Support { id } => write!(f, "support {id}"),
            Self::Admin { id } => write!(f, "admin {id}"),
            Self::Service { key } => write!(f, "service {key}"),
            Self::Process { name } => write!(f, "process {name}"),
            Self::Operator { name } => write!(f, "operator {name}"),
            Self::System { name } => write!(f, "system {name}"),
        }
    }
}

/// A reason why a command is refused. Its `Display` is a sentence for people; its code is for programs and never changes.
pub trait Rejection: fmt::Display + Debug + PartialEq + Send + Sync + 'static {
    /// All codes, if a [table](crate::rejections) defines them.
    const CODES: &'static [&'static str] = &[];
    /// The stable code without its category, such as `already_paid`.
    fn code(&self) -> &'static str;
    /// The kind.
    fn kind(&self) -> Kind;
    /// The field of the request at fault, as a JSON pointer, if there is one.
    fn pointer(&self) -> Option<String> {
        None
    }
}

/// Kinds of rejections; the gateway maps each to a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The thing does not exist, or not for this actor.
    Missing,
    /// The current state forbids it.
    Conflict,
    /// The request is well formed, but breaks a rule.
    Invalid,
    /// The actor is not allowed to do it.
    Forbidden,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::AccountId;
    use crate::testing::id;

    #[test]
    fn an_actor_is_written_by_kind_and_who_it_is() {
        let account: AccountId = id(1);
        assert_eq!(Actor::Admin { id: account }.to_string(), format!("admin {account}"));
        assert_eq!(Actor::Customer { id: account }.to_string(), format!("customer {account}"));
        assert_eq!(Actor::Guest { cart: None }.to_string(), "guest");
        let system = Actor::System { name: "test".into() };
        assert_eq!(system.to_string(), "system test");
    }
}
