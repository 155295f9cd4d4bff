//! What happens to a webhook endpoint.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::topic::Topic;
use crate::Personal;
use crate::account::Secret;
use crate::ids::{AccountId, ApiKeyId};
use crate::text::{Link, Reason};

/// Why an endpoint is told nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// Somebody wants it so.
    ByHand,
    /// It failed for too long.
    Failing,
    /// It said that it is gone for good (HTTP 410).
    Gone,
    /// Its time has passed.
    Expired,
}

/// What happened to an endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// There is one.
    Created {
        /// Where it is.
        url: Link,
        /// What it wants to hear.
        filter: Vec<Topic>,
        /// What it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<Reason>,
        /// What its messages are signed with.
        secret: Personal<Secret>,
        /// Whose it is: who made it, or the key that did. Unknown of endpoints that are older than this field.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created_by: Option<AccountId>,
        /// The key that it was made with, if a program made it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created_with: Option<ApiKeyId>,
        /// When deliveries end; never when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
    },
    /// It is elsewhere, or wants to hear something else; only what changed is here.
    Revised {
        /// Where it is now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<Link>,
        /// What it wants to hear.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filter: Option<Vec<Topic>>,
        /// What it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<Reason>,
        /// When deliveries end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
    },
    /// Its messages are signed with another secret; the last one signs too, for a while.
    SecretRotated {
        /// The new one.
        secret: Personal<Secret>,
        /// Until when the last one signs.
        old_until: DateTime<Utc>,
    },
    /// It is told again what happens, from where it was.
    Enabled {},
    /// Deliveries are paused.
    Disabled {
        /// Why.
        because: Silence,
    },
    /// It is to be told everything again, from somewhere on.
    ReplayRequested {
        /// The first position.
        from: i64,
    },
    /// It is gone.
    Removed {},
}

impl crate::Event for Event {}
