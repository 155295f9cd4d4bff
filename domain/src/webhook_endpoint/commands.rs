//! The commands of a webhook endpoint.

use chrono::{DateTime, Utc};

use super::events::Silence;
use super::topic::Topic;
use crate::Personal;
use crate::account::Secret;
use crate::ids::AccountId;
use crate::text::{Link, Reason};

/// The commands of an endpoint.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Create the endpoint.
    Create {
        /// The URL.
        url: Link,
        /// The events to deliver.
        filter: Vec<Topic>,
        /// The description.
        description: Option<Reason>,
        /// The secret that signs its messages.
        secret: Personal<Secret>,
        /// The account that creates it.
        created_by: Option<AccountId>,
        /// When deliveries end; absent if they do not.
        expires_at: Option<DateTime<Utc>>,
    },
    /// Change the endpoint; absent fields stay as they are.
    Revise {
        /// The URL.
        url: Option<Link>,
        /// The events to deliver.
        filter: Option<Vec<Topic>>,
        /// The description.
        description: Option<Reason>,
        /// Whether deliveries are enabled.
        enabled: Option<bool>,
        /// When deliveries end.
        expires_at: Option<DateTime<Utc>>,
    },
    /// Replace the signing secret.
    Rotate {
        /// The new secret.
        secret: Personal<Secret>,
    },
    /// Pause deliveries.
    Silence {
        /// The reason.
        because: Silence,
    },
    /// Deliver all events again, from a position on.
    Replay {
        /// The first position.
        from: i64,
    },
    /// Remove the endpoint.
    Remove {},
}
