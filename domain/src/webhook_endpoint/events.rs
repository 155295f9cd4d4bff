//! The events of a webhook endpoint.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::topic::Topic;
use crate::Personal;
use crate::account::Secret;
use crate::ids::{AccountId, ApiKeyId};
use crate::text::{Link, Reason};

/// Why deliveries to an endpoint are paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// Someone disabled it.
    ByHand,
    /// Deliveries failed for too long.
    Failing,
    /// The endpoint answered that it is gone for good (HTTP 410).
    Gone,
    /// It has expired.
    Expired,
}

/// What happened to an endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The endpoint was created.
    Created {
        /// The URL.
        url: Link,
        /// The events that are delivered.
        filter: Vec<Topic>,
        /// The description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<Reason>,
        /// The secret that signs its messages.
        secret: Personal<Secret>,
        /// The account that created it, or that owns the API key which created it. Absent in older events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created_by: Option<AccountId>,
        /// The API key that created it, if a program did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created_with: Option<ApiKeyId>,
        /// When deliveries end; absent if they do not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
    },
    /// The endpoint was changed; fields that did not change are absent.
    Revised {
        /// The new URL.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<Link>,
        /// The events that are delivered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filter: Option<Vec<Topic>>,
        /// The description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<Reason>,
        /// When deliveries end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
    },
    /// The signing secret was replaced; for a while the previous one signs too.
    SecretRotated {
        /// The new secret.
        secret: Personal<Secret>,
        /// Until when the previous secret signs too.
        old_until: DateTime<Utc>,
    },
    /// Deliveries continue, from the position where they stopped.
    Enabled {},
    /// Deliveries are paused.
    Disabled {
        /// The reason.
        because: Silence,
    },
    /// A replay of the events was requested, from a position on.
    ReplayRequested {
        /// The first position.
        from: i64,
    },
    /// The endpoint was removed.
    Removed {},
}

impl crate::Event for Event {}
