//! A key with which a program asks, without anybody logging in: named, limited to its scopes, and told once.
//!
//! ```text
//! (missing) ──created──▶ good ──revoked──▶ revoked (final)
//!                          └── expires_at has passed: expired
//! ```
//!
//! It outlives the sessions of whoever made it, so it says who that was, and the account of the maker knows it
//! ([`Grant`](crate::account::Grant)).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::decider::{Asked, Decider};
use crate::ids::{AccountId, ApiKeyId};
use crate::text::{Hash, Name};

/// What a key lets a program do; each route names the one that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// See drafts, and what was archived.
    #[serde(rename = "catalog:read")]
    CatalogRead,
    /// Change products, categories, prices and images.
    #[serde(rename = "catalog:write")]
    CatalogWrite,
    /// See what is on hand and reserved.
    #[serde(rename = "stock:read")]
    StockRead,
    /// Move stock.
    #[serde(rename = "stock:write")]
    StockWrite,
    /// See orders, payments and shipments.
    #[serde(rename = "orders:read")]
    OrdersRead,
    /// Carry orders on: cancel, fulfil, ship, refund.
    #[serde(rename = "orders:write")]
    OrdersWrite,
    /// See accounts.
    #[serde(rename = "customers:read")]
    CustomersRead,
    /// Change promotions.
    #[serde(rename = "promotions:write")]
    PromotionsWrite,
    /// Change taxes, shipping and the like.
    #[serde(rename = "settings:write")]
    SettingsWrite,
    /// See how sales go and where the views stand.
    #[serde(rename = "reports:read")]
    ReportsRead,
    /// Say where the shop is to tell what happens.
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

/// What happened to a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was made.
    Created {
        /// The name, which says what it is for.
        name: Name,
        /// What it lets a program do.
        scopes: BTreeSet<Scope>,
        /// The hash of the key: what a program shows is kept nowhere.
        hash: Hash,
        /// Who made it; unknown of keys that are older than this field, whose events still say it in their meta.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created_by: Option<AccountId>,
        /// When it stops working by itself; never when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
    },
    /// It opens nothing any more.
    Revoked {},
}

impl crate::Event for Event {}

/// What a key can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Create the key.
    Create {
        /// The name, which says what it is for.
        name: Name,
        /// What it lets a program do.
        scopes: BTreeSet<Scope>,
        /// The hash of the key.
        hash: Hash,
        /// When it stops working by itself; never when absent.
        expires_at: Option<DateTime<Utc>>,
    },
    /// End.
    Revoke {},
}

/// A key as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ApiKey {
    /// The key does not exist.
    #[default]
    Missing,
    /// The key exists.
    Created(Created),
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Created {
    /// The name, which says what it is for.
    pub name: Name,
    /// What it lets a program do.
    pub scopes: BTreeSet<Scope>,
    /// The hash of the key.
    pub hash: Hash,
    /// Who made it, where the event says so.
    pub created_by: Option<AccountId>,
    /// When it stops working by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it opens nothing any more.
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
    /// What is known of it, if it exists.
    pub fn live(&self) -> Result<&Created, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Created(created) => Ok(created),
        }
    }
}

impl Created {
    /// Whether it opens anything.
    pub fn is_good(&self, at: DateTime<Utc>) -> bool {
        !self.revoked && self.expires_at.is_none_or(|end| at < end)
    }
}

#[cfg(test)]
mod tests;
