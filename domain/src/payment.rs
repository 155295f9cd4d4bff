//! A payment of one order: attempts at a provider until one holds, then capture, or its undoing.
//!
//! ```text
//! (missing) ──opened──▶ open ──attempted──▶ attempted ◀─▶ pending, unresolved (asked again at their time)
//!                        ▲ │                   │
//!                        │ │   ┌───────────────┼──────────────────┬─────────────┐
//!                        │ │ declined      authorized           failed      cancelled
//!                        │ │   │               │
//!                        └─┼───┤ (5 times:     ├──captured──▶ captured ──refunded──▶ refunded
//!                          │   └──▶ failed)    │
//!                          └──voided──▶ voided ◀┘
//! ```
//!
//! An attempt is written down before the provider is asked, so nothing is ever charged without a record. While it is
//! under way the payment cannot be voided, only marked: whatever comes of the attempt, it is not captured then.
//! Cancelled, failed, voided and refunded are final.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::decider::{Asked, Decider};
use crate::ids::{OrderId, PaymentId};
use crate::money::Money;

mod message;
mod rejection;

pub use message::{
    Command, DeclineReason, Event, FailureReason, Method, ProviderOutcome, ProviderReference, VoidReason,
};
pub use rejection::Rejection;

/// Most attempts: enough for a mistyped card, too few to try stolen ones.
pub const ATTEMPTS_MAX: u8 = 5;

/// A payment as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Payment {
    /// There is none.
    #[default]
    Missing,
    /// There is one.
    Opened(Opened),
}

/// What is known of a payment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Opened {
    /// Where it is in its life.
    #[serde(flatten)]
    pub stage: Stage,
    /// The order it pays.
    pub order: OrderId,
    /// How much.
    pub amount: Money,
    /// How many attempts were made.
    pub attempts: u8,
    /// The last attempt.
    pub attempt: Option<Attempt>,
    /// Why the last attempt was declined, if it was.
    pub declined: Option<DeclineReason>,
    /// Why it is to be voided, once that was asked.
    pub void_requested: Option<VoidReason>,
}

/// An attempt at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// How.
    pub method: Method,
    /// Under which key.
    pub reference: ProviderReference,
}

/// Where a payment is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Stage {
    /// An attempt can be made.
    Open,
    /// The provider is being asked.
    Attempted,
    /// The provider does not know yet.
    Pending {
        /// When to ask again.
        check_at: DateTime<Utc>,
    },
    /// There was no answer in time.
    Unresolved {
        /// When to ask.
        check_at: DateTime<Utc>,
    },
    /// The money is set aside for us.
    Authorized,
    /// The money is ours.
    Captured,
    /// The money is given back.
    Refunded,
    /// It failed for good.
    Failed {
        /// Why.
        reason: FailureReason,
    },
    /// The buyer left it.
    Cancelled,
    /// Nothing is taken.
    Voided {
        /// Why.
        reason: VoidReason,
    },
}

/// What it takes to see to it that nothing is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// Nothing: nothing is kept.
    Nothing,
    /// [`Command::Void`] alone: the provider has nothing, or is not done.
    Void,
    /// The provider voids, then [`Command::Void`]. If it says that it captured: [`Command::Capture`], and undo again.
    VoidAtProvider {
        /// The attempt.
        reference: ProviderReference,
    },
    /// The provider refunds, then [`Command::Refund`].
    RefundAtProvider {
        /// The attempt.
        reference: ProviderReference,
        /// How much.
        amount: Money,
    },
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Payment {
    const CATEGORY: &'static str = "payment";
    type Id = PaymentId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Decision {
        match command {
            Command::Open { order, amount } => self.open(*order, *amount),
            Command::Record { order, amount, reference } => self.record(*order, *amount, reference),
            Command::Attempt { method, reference } => self.opened()?.attempt(*method, reference),
            Command::Conclude { reference, outcome } => self.opened()?.conclude(reference, *outcome),
            Command::Capture {} => self.opened()?.capture(),
            Command::Void { reason } => self.opened()?.void(*reason),
            Command::Refund {} => self.opened()?.refund(),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Opened { order, amount } => Self::Opened(Opened {
                stage: Stage::Open,
                order: *order,
                amount: *amount,
                attempts: 0,
                attempt: None,
                declined: None,
                void_requested: None,
            }),
            Event::Attempted { method, reference } => self.with(|it| {
                it.stage = Stage::Attempted;
                it.attempts += 1;
                it.attempt = Some(Attempt { method: *method, reference: reference.clone() });
                it.declined = None;
            }),
            Event::Authorized { .. } => self.with(|it| it.stage = Stage::Authorized),
            Event::Pended { check_at, .. } => self.with(|it| it.stage = Stage::Pending { check_at: *check_at }),
            Event::Unresolved { check_at, .. } => self.with(|it| it.stage = Stage::Unresolved { check_at: *check_at }),
            Event::Declined { reason, .. } => self.with(|it| {
                it.stage = Stage::Open;
                it.declined = Some(*reason);
            }),
            Event::Failed { reason, .. } => self.with(|it| it.stage = Stage::Failed { reason: *reason }),
            Event::Cancelled { .. } => self.with(|it| it.stage = Stage::Cancelled),
            Event::VoidRequested { reason } => self.with(|it| it.void_requested = Some(*reason)),
            Event::Voided { reason, .. } => self.with(|it| it.stage = Stage::Voided { reason: *reason }),
            Event::Captured { method, reference, .. } => self.with(|it| {
                it.stage = Stage::Captured;
                it.attempt = Some(Attempt { method: *method, reference: reference.clone() });
            }),
            Event::Refunded { .. } => self.with(|it| it.stage = Stage::Refunded),
        }
    }
}

impl Payment {
    /// What is known of it, if it exists.
    pub fn opened(&self) -> Result<&Opened, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Opened(opened) => Ok(opened),
        }
    }

    fn open(&self, order: OrderId, amount: Money) -> Decision {
        match self {
            Self::Missing if amount.amount < 0 => Err(Rejection::Negative),
            Self::Missing => Ok(vec![Event::Opened { order, amount }]),
            Self::Opened(known) if known.order == order && known.amount == amount => Ok(vec![]),
            Self::Opened(_) => Err(Rejection::Exists),
        }
    }

    fn record(&self, order: OrderId, amount: Money, reference: &ProviderReference) -> Decision {
        match self {
            Self::Missing => {
                let mut events = self.open(order, amount)?;
                let reference = reference.clone();
                events.push(Event::Captured { order, amount, method: Method::External, reference });
                Ok(events)
            }
            Self::Opened(known)
                if known.order == order && known.amount == amount && known.is_last(reference) && known.is_taken() =>
            {
                Ok(vec![])
            }
            Self::Opened(_) => Err(Rejection::Exists),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Opened)) -> Self {
        if let Self::Opened(opened) = &mut self {
            change(opened);
        }
        self
    }
}

impl Opened {
    /// What it takes to see to it that nothing is kept.
    pub fn undo(&self) -> Undo {
        let reference = self.attempt.as_ref().map(|attempt| attempt.reference.clone());
        match self.stage {
            Stage::Open | Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => Undo::Void,
            Stage::Authorized => reference.map_or(Undo::Void, |reference| Undo::VoidAtProvider { reference }),
            Stage::Captured => {
                reference.map_or(Undo::Nothing, |reference| Undo::RefundAtProvider { reference, amount: self.amount })
            }
            Stage::Refunded | Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => Undo::Nothing,
        }
    }

    /// Whether the provider is being asked, or does not know yet.
    pub fn in_flight(&self) -> bool {
        match self.stage {
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => true,
            Stage::Open
            | Stage::Authorized
            | Stage::Captured
            | Stage::Refunded
            | Stage::Failed { .. }
            | Stage::Cancelled
            | Stage::Voided { .. } => false,
        }
    }

    fn is_taken(&self) -> bool {
        matches!(self.stage, Stage::Captured | Stage::Refunded)
    }

    fn is_last(&self, reference: &ProviderReference) -> bool {
        self.attempt.as_ref().is_some_and(|attempt| attempt.reference == *reference)
    }

    fn attempt(&self, method: Method, reference: &ProviderReference) -> Decision {
        match self.stage {
            Stage::Open if self.is_last(reference) => Err(Rejection::ReferenceUsed),
            Stage::Open if self.attempts >= ATTEMPTS_MAX => Err(Rejection::TooManyAttempts),
            Stage::Open => Ok(vec![Event::Attempted { method, reference: reference.clone() }]),
            // The same attempt again: already written down.
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } if self.is_last(reference) => {
                Ok(vec![])
            }
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => Err(Rejection::InProgress),
            Stage::Authorized | Stage::Captured | Stage::Refunded => Err(Rejection::AlreadyAuthorized),
            Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => Err(Rejection::Closed),
        }
    }

    fn conclude(&self, reference: &ProviderReference, outcome: ProviderOutcome) -> Decision {
        if !self.is_last(reference) {
            return Err(Rejection::OtherAttempt);
        }
        if !self.in_flight() {
            return self.conclude_late(reference, outcome);
        }
        let (order, reference) = (self.order, reference.clone());
        match outcome {
            ProviderOutcome::Authorized => Ok(vec![Event::Authorized { order, reference }]),
            ProviderOutcome::Pending { check_at } if self.stage == (Stage::Pending { check_at }) => Ok(vec![]),
            ProviderOutcome::Pending { check_at } => Ok(vec![Event::Pended { reference, check_at }]),
            ProviderOutcome::Unknown { check_at } if self.stage == (Stage::Unresolved { check_at }) => Ok(vec![]),
            ProviderOutcome::Unknown { check_at } => Ok(vec![Event::Unresolved { reference, check_at }]),
            ProviderOutcome::Declined { reason } => Ok(self.decline(reference, reason)),
            ProviderOutcome::NotFound => Ok(self.decline(reference, DeclineReason::NotReceived)),
            ProviderOutcome::Cancelled => Ok(vec![Event::Cancelled { order }]),
            ProviderOutcome::Failed => Ok(vec![Event::Failed { order, reason: FailureReason::ProviderError }]),
        }
    }

    fn decline(&self, reference: ProviderReference, reason: DeclineReason) -> Vec<Event> {
        let order = self.order;
        let mut events = vec![Event::Declined { reference, reason }];
        if let Some(reason) = self.void_requested {
            events.push(Event::Voided { order, reason });
        } else if self.attempts >= ATTEMPTS_MAX {
            events.push(Event::Failed { order, reason: FailureReason::TooManyAttempts });
        }
        events
    }

    /// News of an attempt whose outcome is known: a repetition changes nothing.
    fn conclude_late(&self, reference: &ProviderReference, outcome: ProviderOutcome) -> Decision {
        let agrees = match outcome {
            // It did reach the provider, later than it was looked for.
            ProviderOutcome::Authorized if self.stage == Stage::Open => {
                return Ok(vec![Event::Authorized { order: self.order, reference: reference.clone() }]);
            }
            ProviderOutcome::Authorized => {
                self.is_taken() || matches!(self.stage, Stage::Authorized | Stage::Voided { .. })
            }
            // Older than what is known.
            ProviderOutcome::Pending { .. } | ProviderOutcome::Unknown { .. } => true,
            ProviderOutcome::Declined { .. } | ProviderOutcome::NotFound => {
                matches!(self.stage, Stage::Open | Stage::Failed { .. } | Stage::Voided { .. })
            }
            ProviderOutcome::Cancelled => self.stage == Stage::Cancelled,
            ProviderOutcome::Failed => matches!(self.stage, Stage::Failed { .. }),
        };
        if agrees { Ok(vec![]) } else { Err(Rejection::ConcludedOtherwise) }
    }

    fn capture(&self) -> Decision {
        let reference = self.attempt.as_ref();
        match self.stage {
            Stage::Authorized if self.void_requested.is_some() => Err(Rejection::VoidRequested),
            Stage::Authorized => {
                let Attempt { method, reference } = reference.ok_or(Rejection::NotAuthorized)?.clone();
                Ok(vec![Event::Captured { order: self.order, amount: self.amount, method, reference }])
            }
            Stage::Captured | Stage::Refunded => Ok(vec![]),
            Stage::Open | Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => {
                Err(Rejection::NotAuthorized)
            }
            Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => Err(Rejection::Closed),
        }
    }

    fn void(&self, reason: VoidReason) -> Decision {
        // The first one who asked has the reason.
        let first = self.void_requested.unwrap_or(reason);
        match self.stage {
            // Capture is on its way: who wants the money back cancels the order. Unless it will be voided anyway.
            Stage::Authorized if reason != VoidReason::OrderCancelled => match self.void_requested {
                None => Err(Rejection::AlreadyAuthorized),
                Some(_) => Ok(vec![]),
            },
            Stage::Open | Stage::Authorized => Ok(vec![Event::Voided { order: self.order, reason: first }]),
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => match self.void_requested {
                None => Ok(vec![Event::VoidRequested { reason }]),
                Some(_) => Ok(vec![]),
            },
            Stage::Captured => Err(Rejection::Captured),
            Stage::Refunded | Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => Ok(vec![]),
        }
    }

    fn refund(&self) -> Decision {
        match self.stage {
            Stage::Captured => Ok(vec![Event::Refunded { order: self.order, amount: self.amount }]),
            Stage::Refunded => Ok(vec![]),
            Stage::Open
            | Stage::Attempted
            | Stage::Pending { .. }
            | Stage::Unresolved { .. }
            | Stage::Authorized
            | Stage::Failed { .. }
            | Stage::Cancelled
            | Stage::Voided { .. } => Err(Rejection::NotCaptured),
        }
    }
}

#[cfg(test)]
mod tests;
