//! The shop as a whole: a record of what operators did to it at the command line.
//!
//! ```text
//! (one for the shop) ──confirmed, data_key_rotated, token_key_rotated, token_keys_pruned──▶ …
//! ```
//!
//! The log has the names of keys, never the keys. What the shop does by itself, such as rotating the data key a day after an
//! erasure, is not recorded here.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::decider::{Actor, Asked, Decider};
use crate::ids::{Id as _, ShopId};
use crate::text::Reference;

/// The id of the only one; any fixed number would do, and it can never change.
const ONLY: Uuid = Uuid::from_u128(0x52d1_94c6_7e0b_4a3f_8c65_19e2_b0d7_43fa);

/// The stream of the shop.
pub fn id() -> ShopId {
    ShopId::from_uuid(ONLY)
}

/// What an operator did to the shop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// After a restored backup the numbers of documents were confirmed: payments are accepted again.
    Confirmed {},
    /// The data key was rotated; the previous one is of no use any more.
    DataKeyRotated {
        /// The name of the new key, not the key itself.
        key: Reference,
    },
    /// A key that signs access tokens was added.
    TokenKeyRotated {
        /// Its `kid` (RFC 7517, section 4.5).
        key: Reference,
    },
    /// Keys that signed access tokens were removed, after their last tokens had expired.
    TokenKeysPruned {
        /// The number of removed keys.
        count: u32,
    },
}

impl crate::Event for Event {}

/// The operations that are recorded.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Record that the numbers of documents are confirmed.
    Confirm {},
    /// Record that the data key is rotated.
    RotateDataKey {
        /// The name of the new key.
        key: Reference,
    },
    /// Record that a key for access tokens is added.
    RotateTokenKey {
        /// Its `kid`.
        key: Reference,
    },
    /// Record that keys for access tokens are removed.
    PruneTokenKeys {
        /// The number of removed keys.
        count: u32,
    },
}

/// The state of the shop.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Shop {
    /// The data key that an operator rotated to last.
    pub data_key: Option<Reference>,
    /// The key for access tokens that an operator added last.
    pub token_key: Option<Reference>,
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Rejection {
        NoOperator => Forbidden: "only an operator can do this, at the command line";
    }
}

impl Decider for Shop {
    const CATEGORY: &'static str = "shop";
    const SINGLETON: bool = true;
    type Id = ShopId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Result<Vec<Event>, Rejection> {
        let Actor::Operator { .. } = asked.by else { return Err(Rejection::NoOperator) };
        Ok(vec![match command {
            Command::Confirm {} => Event::Confirmed {},
            Command::RotateDataKey { key } => Event::DataKeyRotated { key: key.clone() },
            Command::RotateTokenKey { key } => Event::TokenKeyRotated { key: key.clone() },
            Command::PruneTokenKeys { count } => Event::TokenKeysPruned { count: *count },
        }])
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::DataKeyRotated { key } => Self { data_key: Some(key.clone()), ..self },
            Event::TokenKeyRotated { key } => Self { token_key: Some(key.clone()), ..self },
            Event::Confirmed {} | Event::TokenKeysPruned { .. } => self,
        }
    }
}

#[cfg(test)]
mod tests;
