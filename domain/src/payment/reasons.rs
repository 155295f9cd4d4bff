//! Why an attempt was declined, and why a payment ended without its money.

use serde::{Deserialize, Serialize};

/// Why an attempt was declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineReason {
    /// The provider gives no reason.
    Declined,
    /// The funds are insufficient.
    InsufficientFunds,
    /// The attempt never reached the provider.
    NotReceived,
    /// The buyer left the provider's page without paying.
    BuyerLeft,
    /// The provider could not continue the attempt.
    ProviderError,
}

/// Why a payment failed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// The provider cannot continue. Only in older events; now such an attempt is declined, and another one can be made.
    ProviderError,
    /// Too many attempts failed.
    TooManyAttempts,
}

/// Why a payment is voided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoidReason {
    /// The order was cancelled.
    OrderCancelled,
    /// The buyer requested it.
    BuyerRequest,
    /// Staff requested it.
    StaffRequest,
    /// The authorization expired before it was captured.
    Expired,
}
