//! What a webhook endpoint can be asked.

use chrono::{DateTime, Utc};

use super::events::Silence;
use super::topic::Topic;
use crate::Personal;
use crate::account::Secret;
use crate::ids::AccountId;
use crate::text::{Link, Reason};

/// What an endpoint can be asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Be.
    Create {
        /// Where it is.
        url: Link,
        /// What it wants to hear.
        filter: Vec<Topic>,
        /// The description.
        description: Option<Reason>,
        /// What its messages are signed with.
        secret: Personal<Secret>,
        /// Whose it is.
        created_by: Option<AccountId>,
        /// When deliveries end; never when absent.
        expires_at: Option<DateTime<Utc>>,
    },
    /// Be elsewhere, or want something else; what is not given stays.
    Revise {
        /// Where it is to be.
        url: Option<Link>,
        /// What it is to hear.
        filter: Option<Vec<Topic>>,
        /// The description.
        description: Option<Reason>,
        /// Whether it is to be told anything.
        enabled: Option<bool>,
        /// When deliveries end.
        expires_at: Option<DateTime<Utc>>,
    },
    /// Sign with another secret.
    Rotate {
        /// The new one.
        secret: Personal<Secret>,
    },
    /// Tell it nothing.
    Silence {
        /// The reason.
        because: Silence,
    },
    /// Tell it everything again.
    Replay {
        /// The first position.
        from: i64,
    },
    /// Be gone.
    Remove {},
}
