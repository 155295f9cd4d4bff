//! The shape of every aggregate: a pure function from state and command to events, and a fold of events into state.
//!
//! Source: J. Chassaing, "Functional Event Sourcing Decider" (2021).

use std::fmt::{self, Debug};

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, ApiKeyId, CartId, Id};

/// An aggregate: its state, what it can be asked, what can happen to it and why it refuses.
pub trait Decider: Default + Clone + Debug + Serialize + Send + Sync + 'static {
    /// The category of its streams, also the first part of its subjects and problem codes.
    const CATEGORY: &'static str;
    /// Whether the shop has exactly one: then the cache also remembers that it does not exist yet.
    const SINGLETON: bool = false;
    /// Whether its last event holds the whole state, so that only this event needs to be read.
    const LAST_EVENT_IS_SNAPSHOT: bool = false;
    /// What names one of it.
    type Id: Id;
    /// What it can be asked to do.
    type Command: Debug + Send + Sync;
    /// What can have happened to it.
    type Event: Event;
    /// The facts that can be in the way.
    type Rejection: Rejection;

    /// Decides what happens. The same state, command and `asked` give the same events; no events means: already so.
    fn decide(&self, command: &Self::Command, asked: &Asked) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// The state after an event. It cannot fail: what happened, happened.
    fn evolve(self, event: &Self::Event) -> Self;
}

/// Folds a history into a state, from nothing.
pub fn fold<'a, A: Decider>(events: impl IntoIterator<Item = &'a A::Event>) -> A {
    events.into_iter().fold(A::default(), A::evolve)
}

/// What happened to an aggregate: an enum of struct variants, stored as (type, schema, data).
///
/// Serde's external tag is the stored type, so every variant has braces (`Closed {}`) and `rename_all = "snake_case"`.
pub trait Event: Serialize + DeserializeOwned + Clone + Debug + PartialEq + Send + Sync + 'static {
    /// How older stored forms are read today. A type's current schema is one more than its newest entry here, or 1.
    const UPCASTS: &'static [Upcast] = &[];
}

/// One step from an older stored form of an event to the next.
#[derive(Debug, Clone, Copy)]
pub struct Upcast {
    /// The event type as it is stored.
    pub event_type: &'static str,
    /// The schema number that this step reads; it gives the next one.
    pub from_schema: i16,
    /// The data in the next form.
    pub step: fn(serde_json::Value) -> serde_json::Value,
}

/// Who asks, and when: the only way that time and identity reach a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The moment of the decision.
    pub at: DateTime<Utc>,
    /// Who asks.
    pub by: Actor,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A buyer with an account.
    Customer {
        /// Their account.
        id: AccountId,
    },
    /// A buyer without an account, known by the token of a cart.
    Guest {
        /// The cart whose token was shown; none before there is one.
        cart: Option<CartId>,
    },
    /// Somebody who sells here.
    Seller {
        /// Their account.
        id: AccountId,
    },
    /// Staff that helps customers.
    Support {
        /// Their account.
        id: AccountId,
    },
    /// Staff that may do everything.
    Admin {
        /// Their account.
        id: AccountId,
    },
    /// A program of somebody who runs the shop, known by its key.
    Service {
        /// The key.
        key: ApiKeyId,
    },
    /// A process of ours that reacts to events.
    Process {
        /// Its name.
        name: String,
    },
    /// Somebody with a shell on the machine of the shop, at the command line.
    Operator {
        /// The operating system's name of them; with `sudo`, of who called it.
        name: String,
    },
    /// The shop itself: a seed, an import, a repair.
    System {
        /// What of it, such as `import`.
        name: String,
    },
}

impl Actor {
    /// The account behind it, if there is one.
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

    /// The key that it acted with, if it is a program.
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

    /// Whether it is staff, which sees what belongs to others.
    pub fn is_staff(&self) -> bool {
        match self {
            Self::Support { .. } | Self::Admin { .. } => true,
            Self::Customer { .. }
            | Self::Guest { .. }
            | Self::Seller { .. }
            | Self::Service { .. }
            | Self::Process { .. }
            | Self::Operator { .. }
            | Self::System { .. } => false,
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

/// A fact in the way of a command. Its `Display` is a sentence for people; its code is for programs and never changes.
pub trait Rejection: fmt::Display + Debug + PartialEq + Send + Sync + 'static {
    /// Its codes, if a [table](crate::rejections) has them all.
    const CODES: &'static [&'static str] = &[];
    /// The stable code without its category, such as `already_paid`.
    fn code(&self) -> &'static str;
    /// What sort of fact it is.
    fn kind(&self) -> Kind;
    /// The field of the request that it is about, as a JSON pointer, if one is to blame.
    fn pointer(&self) -> Option<String> {
        None
    }
}

/// Sorts of rejection; the gateway gives each its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// There is no such thing, or not for the one who asks.
    Missing,
    /// The state of things is in the way.
    Conflict,
    /// The request is well formed, and the rules refuse it.
    Invalid,
    /// The one who asks may not.
    Forbidden,
}
