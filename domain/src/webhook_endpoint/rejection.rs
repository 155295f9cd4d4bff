//! What can be in the way of a command to a webhook endpoint.

use super::FILTERS_MAX;
use crate::decider::Kind;

/// What can be in the way.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// There is none.
    #[error("there is no such webhook endpoint")]
    Missing,
    /// There is one.
    #[error("the webhook endpoint already exists")]
    Exists,
    /// It would hear nothing, or the list is longer than it needs to be.
    #[error("an endpoint needs 1 to {FILTERS_MAX} filters")]
    Filters,
    /// The log begins at 1.
    #[error("a replay must start at position 1 or later")]
    BeforeTheLog,
    /// It would be told nothing.
    #[error("expires_at must be in the future")]
    ExpiresInThePast,
    /// Its time has passed.
    #[error("the webhook endpoint has expired; set a later expires_at to enable it again")]
    Expired,
}

impl crate::Rejection for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Exists => "exists",
            Self::Filters => "filters",
            Self::BeforeTheLog => "before_the_log",
            Self::ExpiresInThePast => "expires_in_the_past",
            Self::Expired => "expired",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Missing => Kind::Missing,
            Self::Exists | Self::Expired => Kind::Conflict,
            Self::Filters | Self::BeforeTheLog | Self::ExpiresInThePast => Kind::Invalid,
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::Missing | Self::Exists | Self::Expired => None,
            Self::ExpiresInThePast => Some("/expires_at".into()),
            Self::Filters => Some("/filter".into()),
            Self::BeforeTheLog => Some("/from".into()),
        }
    }
}
