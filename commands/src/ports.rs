//! The outside world, as the shop needs it: each port has an implementation that talks to it and one that simulates it.

pub mod blobs;
pub mod carrier;
pub mod connected;
pub mod erased;
pub mod http_message;
pub mod kept;
pub mod message;
pub mod payment_test;
pub mod smtp;
pub mod webhook;

use byteshop_domain::ids::{PaymentId, RefundId};
use byteshop_domain::ledger::Holding;
use byteshop_domain::money::Money;
use byteshop_domain::payment::{CaptureMode, ProviderOutcome, ProviderReference};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

/// No answer in time, or none that can be understood: the outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there was no answer: {0}")]
pub struct NoAnswer(pub String);

/// A charge that a buyer asked for.
#[derive(Debug, Clone)]
pub struct Charge<'a> {
    /// Our reference; the provider treats a second charge under it as the same.
    pub reference: &'a ProviderReference,
    /// The payment that the provider names in its notifications.
    pub payment: PaymentId,
    /// When the money is taken.
    pub capture: CaptureMode,
    /// How much.
    pub amount: Money,
    /// The token that the buyer's client got from the provider; it is sent to the provider and stored nowhere.
    pub token: &'a str,
}

/// A payment provider.
pub trait PaymentProvider: Send + Sync {
    /// Whether a token has the form that this provider gives out.
    fn knows(&self, token: &str) -> bool;
    /// A reference for a new charge with this token.
    fn reference(&self, token: &str, id: uuid::Uuid) -> Option<ProviderReference>;
    /// Authorizes the amount, and takes it as well when it is to be taken at once.
    fn authorize<'a>(
        &'a self,
        charge: Charge<'a>,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<ProviderOutcome, NoAnswer>>;
    /// Captures an authorized charge; repeating it changes nothing.
    fn capture<'a>(&'a self, reference: &'a ProviderReference) -> BoxFuture<'a, Result<(), NoAnswer>>;
    /// Voids or refunds everything under the reference; repeating it changes nothing.
    fn release<'a>(&'a self, reference: &'a ProviderReference) -> BoxFuture<'a, Result<(), NoAnswer>>;
    /// Refunds a part of a captured charge; repeating it with the same key changes nothing. False if the provider
    /// refuses.
    fn refund<'a>(
        &'a self,
        reference: &'a ProviderReference,
        refund: RefundId,
        amount: Money,
    ) -> BoxFuture<'a, Result<bool, NoAnswer>>;
    /// Cancels a charge that waits for a person at the provider's page, and no other; gives what the charge is then.
    fn cancel_attempt<'a>(
        &'a self,
        reference: &'a ProviderReference,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<ProviderOutcome, NoAnswer>>;
    /// Looks up the state of a charge.
    fn look_up<'a>(
        &'a self,
        reference: &'a ProviderReference,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<ProviderOutcome, NoAnswer>>;
    /// What the provider holds of each captured charge: what was captured and not refunded.
    fn statement(&self) -> BoxFuture<'_, Result<Vec<Holding>, NoAnswer>>;
}
