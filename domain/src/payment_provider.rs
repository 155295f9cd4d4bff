//! The payment providers that a shop can be connected to.

use serde::{Deserialize, Serialize};

use crate::decider::Actor;
use crate::text::Reference;

/// A payment provider that a shop can be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// The emulated one: no money moves.
    Test,
    /// PayPal.
    Paypal,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Test, Self::Paypal];

    /// The name in settings and requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Paypal => "paypal",
        }
    }

    /// Who acts because of what it says, as the log names it.
    pub fn actor(self) -> Actor {
        Actor::System { name: format!("provider {}", self.as_str()) }
    }

    /// Whether it only pretends to move money.
    pub fn is_emulated(self) -> bool {
        match self {
            Self::Test => true,
            Self::Paypal => false,
        }
    }

    /// How the references of its attempts begin.
    pub fn beginning(self) -> &'static str {
        match self {
            Self::Test => "test-",
            Self::Paypal => "paypal-",
        }
    }

    /// The provider of an attempt, whose reference begins with the name of the provider.
    pub fn of(reference: &Reference) -> Self {
        let is_paypal = reference.as_str().starts_with(Self::Paypal.beginning());
        if is_paypal { Self::Paypal } else { Self::Test }
    }
}
