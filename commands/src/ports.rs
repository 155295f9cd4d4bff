//! The outside world, as the shop needs it: each port has an implementation that talks to it and one that simulates it.

pub mod blobs;
pub mod carrier;
pub mod connected;
pub mod erased;
pub mod evidence_files;
pub mod http_message;
pub mod kept;
pub mod message;
pub mod pain;
pub mod payment_test;
pub mod paypal;
pub mod private_files;
pub mod smtp;
pub mod webhook;

use byteshop_domain::Currency;
use byteshop_domain::ids::{PaymentId, RefundId};
use byteshop_domain::ledger::Holding;
use byteshop_domain::money::Money;
use byteshop_domain::payment::{CaptureMode, Direct, ProviderOutcome, ProviderReference, Registration};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

/// No answer in time, or none that can be understood: the outcome is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there was no answer: {0}")]
pub struct NoAnswer(pub String);

/// Why a provider cannot be paid with an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAccepted {
    /// The provider has no payments in the currency.
    #[error("it does not accept {}", .0.code())]
    Currency(Currency),
    /// The provider has no fractions in the currency.
    #[error("it accepts only whole amounts in {}", .0.code())]
    Fraction(Currency),
}

/// A charge that a buyer asked for.
#[derive(Debug, Clone, Copy)]
pub struct Charge<'a> {
    /// Our reference; the provider treats a second charge under it as the same.
    pub reference: &'a ProviderReference,
    /// The payment that the provider names in its notifications.
    pub payment: PaymentId,
    /// When the money is taken.
    pub capture: CaptureMode,
    /// How much.
    pub amount: Money,
    /// The seller to whose account it is paid, where the provider allows that; the house otherwise.
    pub direct: Option<&'a Direct>,
    /// The token that the buyer's client got from the provider, if it gives out tokens; it is sent to the provider and stored nowhere.
    pub token: Option<&'a str>,
    /// Where the provider's page sends the buyer.
    pub back: Back<'a>,
}

/// Where the page of a provider sends the buyer.
#[derive(Debug, Clone, Copy)]
pub struct Back<'a> {
    /// After they approved the charge.
    pub approved: &'a str,
    /// When they leave the page.
    pub left: &'a str,
}

/// What is known after a charge was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// The outcome so far.
    pub outcome: ProviderOutcome,
    /// What the provider calls the attempt, if it has an id of its own.
    pub registration: Option<Registration>,
}

impl Begun {
    /// An outcome, at a provider that knows the attempt by the reference of the shop.
    pub fn ended(outcome: ProviderOutcome) -> Self {
        Self { outcome, registration: None }
    }
}

/// An attempt that a provider is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// Our reference.
    pub reference: &'a ProviderReference,
    /// What the provider calls it, if it said so.
    pub registration: Option<&'a Registration>,
    /// The payment.
    pub payment: PaymentId,
}

/// What a provider did about a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundAnswer {
    /// It is made.
    Made {
        /// What the provider keeps of the charge as its fee in all, if it says so.
        fee: Option<Money>,
    },
    /// The provider refuses it.
    Refused,
}

/// A payment provider.
pub trait PaymentProvider: Send + Sync {
    /// A reference for a new charge, with a token if the provider gives out tokens; none if it does not know the token.
    fn reference(&self, token: Option<&str>, id: uuid::Uuid) -> Option<ProviderReference>;
    /// Whether an amount can be paid with it.
    fn accepts(&self, amount: Money) -> Result<(), NotAccepted>;
    /// Authorizes the amount, and takes it as well when it is to be taken at once.
    fn authorize<'a>(&'a self, charge: Charge<'a>, now: DateTime<Utc>) -> BoxFuture<'a, Result<Begun, NoAnswer>>;
    /// Captures an authorized charge; repeating it changes nothing. Gives what the provider keeps of it as its fee, if it says so.
    fn capture<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Result<Option<Money>, NoAnswer>>;
    /// Voids or refunds everything of an attempt; repeating it changes nothing. Gives what the provider keeps as its fee all the same.
    fn release<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Result<Option<Money>, NoAnswer>>;
    /// Refunds a part of a captured charge; repeating it with the same key changes nothing.
    fn refund<'a>(
        &'a self,
        attempt: Attempt<'a>,
        refund: RefundId,
        amount: Money,
    ) -> BoxFuture<'a, Result<RefundAnswer, NoAnswer>>;
    /// Cancels a charge that waits for a person at the provider's page, and no other; gives what the charge is then.
    fn cancel_attempt<'a>(
        &'a self,
        attempt: Attempt<'a>,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<ProviderOutcome, NoAnswer>>;
    /// Looks up the state of a charge whose payment waits for it: what its buyer has approved is carried out.
    fn look_up<'a>(
        &'a self,
        attempt: Attempt<'a>,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<ProviderOutcome, NoAnswer>>;
    /// Looks up the state of a charge that no payment waits for: nothing is carried out any more.
    fn find<'a>(&'a self, attempt: Attempt<'a>, now: DateTime<Utc>)
    -> BoxFuture<'a, Result<ProviderOutcome, NoAnswer>>;
    /// What the provider holds of each captured charge: what was captured and not refunded.
    fn statement(&self) -> BoxFuture<'_, Result<Vec<Holding>, NoAnswer>>;
}
