//! An access token that an operator created at the command line, for development: recorded with the account that it is for.
//!
//! ```text
//! (missing) ──minted──▶ minted (final: it ends by itself)
//! ```
//!
//! The token itself is not in the log. Tokens of people who log in are not recorded here, but their sessions are.

use serde::{Deserialize, Serialize};

use crate::account::Role;
use crate::decider::{Asked, Decider};
use crate::ids::{AccessTokenId, AccountId};

/// What happened to a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The token was created; its id is the token's `jti` (RFC 7519, section 4.1.7).
    Minted {
        /// The account that its bearer acts as; the account need not exist.
        account: AccountId,
        /// The role of its bearer.
        role: Role,
        /// How long it is valid, in seconds.
        lifetime_s: u64,
    },
}

impl crate::Event for Event {}

/// The commands of an access token.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Record that the token is created.
    Mint {
        /// The account that its bearer acts as.
        account: AccountId,
        /// The role of its bearer.
        role: Role,
        /// How long it is valid, in seconds.
        lifetime_s: u64,
    },
}

/// The state of an access token.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum AccessToken {
    /// The token does not exist.
    #[default]
    Missing,
    /// The token exists.
    Minted {
        /// The account that its bearer acts as.
        account: AccountId,
        /// The role of its bearer.
        role: Role,
        /// How long it is valid, in seconds.
        lifetime_s: u64,
    },
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Rejection {
        Exists => Conflict: "the access token exists already";
    }
}

impl Decider for AccessToken {
    const CATEGORY: &'static str = "access_token";
    type Id = AccessTokenId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Result<Vec<Event>, Rejection> {
        let Command::Mint { account, role, lifetime_s } = command;
        match self {
            Self::Missing => Ok(vec![Event::Minted { account: *account, role: *role, lifetime_s: *lifetime_s }]),
            Self::Minted { .. } => Err(Rejection::Exists),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        let Event::Minted { account, role, lifetime_s } = event;
        Self::Minted { account: *account, role: *role, lifetime_s: *lifetime_s }
    }
}

#[cfg(test)]
mod tests;
