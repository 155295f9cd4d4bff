//! The API keys of programs.

use std::collections::BTreeSet;

use byteshop_domain::account::Grant;
use byteshop_domain::api_key::{ApiKey, Command, Scope};
use byteshop_domain::ids::{AccountId, ApiKeyId};
use byteshop_domain::text::{Hash, Name};
use chrono::{DateTime, Utc};

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};
use crate::use_cases::accounts::grants;

pub use crate::use_cases::accounts::grants::revoke_key as revoke;

/// What a new key is.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Its id, which is part of the key.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: Name,
    /// What it lets a program do.
    pub scopes: BTreeSet<Scope>,
    /// The hash of the key.
    pub hash: Hash,
    /// When it stops working by itself; never if absent.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Creates an API key, and records it with the account that creates it.
pub async fn create(unit: &Unit, new: NewKey, maker: Option<AccountId>) -> Result<Loaded<ApiKey>, Error> {
    let NewKey { id, name, scopes, hash, expires_at } = new;
    let mut key = unit.start::<ApiKey>(id);
    unit.decide(&mut key, &Command::Create { name, scopes, hash, expires_at })?;
    grants::record(unit, maker, Grant::ApiKey { id }).await?;
    Ok(key)
}
