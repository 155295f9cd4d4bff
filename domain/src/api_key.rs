//! An API key: the credential of a program, limited to scopes and shown once.
//!
//! ```text
//! (missing) ──created──▶ good ──revoked──▶ revoked (final)
//!                          └── expires_at has passed: expired
//! ```
//!
//! A key outlives the sessions of the account that created it, so it names that account, and the account lists it
//! ([`Grant`](crate::account::Grant)).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::decider::{Asked, Decider};
use crate::ids::{AccountId, ApiKeyId};
use crate::text::{Hash, Name};

/// A scope of an API key; each route names the one that it requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Read drafts and archived products.
    #[serde(rename = "catalog:read")]
    CatalogRead,
    /// Change products, categories, prices and images.
    #[serde(rename = "catalog:write")]
    CatalogWrite,
    /// Read stock.
    #[serde(rename = "stock:read")]
    StockRead,
    /// Change stock.
    #[serde(rename = "stock:write")]
    StockWrite,
    /// Read orders, payments and shipments.
    #[serde(rename = "orders:read")]
    OrdersRead,
    /// Process orders: cancel, fulfil, ship, refund.
    #[serde(rename = "orders:write")]
    OrdersWrite,
    /// Read accounts.
    #[serde(rename = "customers:read")]
    CustomersRead,
    /// Change promotions.
    #[serde(rename = "promotions:write")]
    PromotionsWrite,
    /// Change taxes, shipping and similar settings.
    #[serde(rename = "settings:write")]
    SettingsWrite,
    /// Read sales reports and the state of the views.
    #[serde(rename = "reports:read")]
    ReportsRead,
    /// Manage webhook endpoints.
    #[serde(rename = "webhooks:write")]
    WebhooksWrite,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::CatalogRead,
        Self::CatalogWrite,
        Self::StockRead,
        Self::StockWrite,
        Self::OrdersRead,
        Self::OrdersWrite,
        Self::CustomersRead,
        Self::PromotionsWrite,
        Self::SettingsWrite,
        Self::ReportsRead,
        Self::WebhooksWrite,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CatalogRead => "catalog:read",
            Self::CatalogWrite => "catalog:write",
            Self::StockRead => "stock:read",
            Self::StockWrite => "stock:write",
            Self::OrdersRead => "orders:read",
            Self::OrdersWrite => "orders:write",
            Self::CustomersRead => "customers:read",
            Self::PromotionsWrite => "promotions:write",
            Self::SettingsWrite => "settings:write",
            Self::ReportsRead => "reports:read",
            Self::WebhooksWrite => "webhooks:write",
        }
    }

    /// The scope of this name.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// What happened to an API key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The key was created.
    Created {
        /// The name, which says what it is for.
        name: Name,
        /// Its scopes.
        scopes: BTreeSet<Scope>,
        /// The hash of the key; the key itself is not stored.
        hash: Hash,
        /// The account that created it; absent in older events, whose metadata names it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created_by: Option<AccountId>,
        /// When the key expires; absent if it does not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
    },
    /// The key was revoked.
    Revoked {},
}

impl crate::Event for Event {}

/// The commands of an API key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Create the key.
    Create {
        /// The name, which says what it is for.
        name: Name,
        /// Its scopes.
        scopes: BTreeSet<Scope>,
        /// The hash of the key.
        hash: Hash,
        /// When the key expires; absent if it does not.
        expires_at: Option<DateTime<Utc>>,
    },
    /// Revoke the key.
    Revoke {},
}

/// The state of an API key.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ApiKey {
    /// The key does not exist.
    #[default]
    Missing,
    /// The key exists.
    Created(Created),
}

/// An API key that exists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Created {
    /// The name, which says what it is for.
    pub name: Name,
    /// Its scopes.
    pub scopes: BTreeSet<Scope>,
    /// The hash of the key.
    pub hash: Hash,
    /// The account that created it, if the event names it.
    pub created_by: Option<AccountId>,
    /// When the key expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it was revoked.
    pub revoked: bool,
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Rejection {
        Missing => Missing: "there is no such API key";
        Exists => Conflict: "the API key already exists";
        NoScope => Invalid at "/scopes": "an API key needs at least one scope";
        ExpiresInThePast => Invalid at "/expires_at":
            "expires_at must be in the future; leave it out for a key that does not expire";
    }
}

impl Decider for ApiKey {
    const CATEGORY: &'static str = "api_key";
    type Id = ApiKeyId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Create { scopes, .. } if scopes.is_empty() => Err(Rejection::NoScope),
            Command::Create { expires_at: Some(at), .. } if *at <= asked.at => Err(Rejection::ExpiresInThePast),
            Command::Create { name, scopes, hash, expires_at } => match self {
                Self::Missing => Ok(vec![Event::Created {
                    name: name.clone(),
                    scopes: scopes.clone(),
                    hash: hash.clone(),
                    created_by: asked.by.account(),
                    expires_at: *expires_at,
                }]),
                Self::Created(_) => Err(Rejection::Exists),
            },
            Command::Revoke {} => {
                let revoked = self.live()?.revoked;
                Ok(if revoked { vec![] } else { vec![Event::Revoked {}] })
            }
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Created { name, scopes, hash, created_by, expires_at } => Self::Created(Created {
                name: name.clone(),
                scopes: scopes.clone(),
                hash: hash.clone(),
                created_by: *created_by,
                expires_at: *expires_at,
                revoked: false,
            }),
            Event::Revoked {} => match self {
                Self::Missing => Self::Missing,
                Self::Created(created) => Self::Created(Created { revoked: true, ..created }),
            },
        }
    }
}

impl ApiKey {
    /// The key, if it exists.
    pub fn live(&self) -> Result<&Created, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Created(created) => Ok(created),
        }
    }
}

impl Created {
    /// Whether it is valid at a time.
    pub fn is_good(&self, at: DateTime<Utc>) -> bool {
        !self.revoked && self.expires_at.is_none_or(|end| at < end)
    }
}

#[cfg(test)]
mod tests;
