//! Attempts of a payment: made, concluded however late and often the news comes, taken or given up.

use chrono::{DateTime, Utc};

use super::{
    ATTEMPTS_MAX, AUTHORIZED_FOR, Attempt, CaptureMode, Decision, DeclineReason, Event, FailureReason, Method, Opened,
    ProviderOutcome, ProviderReference, REFUSALS_MAX, Rejection, Stage, VoidReason,
};
use crate::text::Link;

impl DeclineReason {
    /// Whether money was refused, as it is when somebody tries cards that are not theirs.
    pub(super) fn is_refusal(self) -> bool {
        match self {
            Self::Declined | Self::InsufficientFunds | Self::NotReceived => true,
            Self::BuyerLeft | Self::ProviderError => false,
        }
    }

    /// Whether the provider may yet turn out to have taken the money: it did not refuse it, but lost track of it.
    pub fn is_in_doubt(self) -> bool {
        match self {
            Self::NotReceived | Self::BuyerLeft | Self::ProviderError => true,
            Self::Declined | Self::InsufficientFunds => false,
        }
    }
}

impl Opened {
    pub(super) fn attempt(
        &self,
        method: Method,
        reference: &ProviderReference,
        capture: CaptureMode,
        return_url: Option<&Link>,
    ) -> Decision {
        match self.stage {
            Stage::Open if self.is_last(reference) => Err(Rejection::ReferenceUsed),
            Stage::Open if self.is_tried_out(self.refusals) => Err(Rejection::TooManyAttempts),
            Stage::Open => Ok(vec![Event::Attempted {
                method,
                reference: reference.clone(),
                capture,
                return_url: return_url.cloned(),
            }]),
            // The same attempt again: already written down.
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } if self.is_last(reference) => {
                Ok(vec![])
            }
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => Err(Rejection::InProgress),
            Stage::Authorized | Stage::Captured | Stage::Refunded => Err(Rejection::AlreadyAuthorized),
            Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => Err(Rejection::Closed),
        }
    }

    /// The attempt that another one may take the place of, should it wait for a person: the provider has it and is not done, the
    /// payment is wanted, and another attempt can be made.
    pub fn replaceable(&self) -> Option<&ProviderReference> {
        let is_pending = matches!(self.stage, Stage::Pending { .. });
        let is_left = is_pending && self.void_requested.is_none() && !self.is_tried_out(self.refusals);
        self.attempt.as_ref().filter(|_| is_left).map(|attempt| &attempt.reference)
    }

    pub(super) fn conclude(
        &self,
        reference: &ProviderReference,
        outcome: ProviderOutcome,
        at: DateTime<Utc>,
    ) -> Decision {
        if !self.is_last(reference) {
            return Err(Rejection::OtherAttempt);
        }
        if !self.in_flight() {
            return self.conclude_late(reference, outcome, at);
        }
        let reference = reference.clone();
        match outcome {
            ProviderOutcome::Authorized => Ok(vec![self.authorized(&reference, at)]),
            ProviderOutcome::Pending { check_at } if self.stage == (Stage::Pending { check_at }) => Ok(vec![]),
            ProviderOutcome::Pending { check_at } => Ok(vec![Event::Pended { reference, check_at }]),
            ProviderOutcome::Unknown { check_at } if self.stage == (Stage::Unresolved { check_at }) => Ok(vec![]),
            ProviderOutcome::Unknown { check_at } => Ok(vec![Event::Unresolved { reference, check_at }]),
            ProviderOutcome::Declined { reason } => Ok(self.decline(reference, reason)),
            ProviderOutcome::NotFound => Ok(self.decline(reference, DeclineReason::NotReceived)),
            ProviderOutcome::Cancelled => Ok(self.decline(reference, DeclineReason::BuyerLeft)),
            ProviderOutcome::Failed => Ok(self.decline(reference, DeclineReason::ProviderError)),
        }
    }

    /// Whether no further attempt is made, after so many refusals.
    fn is_tried_out(&self, refusals: u8) -> bool {
        refusals >= REFUSALS_MAX || self.attempts >= ATTEMPTS_MAX
    }

    fn authorized(&self, reference: &ProviderReference, at: DateTime<Utc>) -> Event {
        let expires_at = match self.capture {
            // What is to be void is not waited for either.
            CaptureMode::Manual if self.void_requested.is_none() => Some(at + AUTHORIZED_FOR),
            CaptureMode::Automatic | CaptureMode::Manual => None,
        };
        Event::Authorized { order: self.order, reference: reference.clone(), expires_at }
    }

    fn decline(&self, reference: ProviderReference, reason: DeclineReason) -> Vec<Event> {
        let order = self.order;
        let mut events = vec![Event::Declined { reference, reason }];
        if let Some(reason) = self.void_requested {
            events.push(Event::Voided { order, reason });
        } else if self.is_tried_out(self.refusals + u8::from(reason.is_refusal())) {
            events.push(Event::Failed { order, reason: FailureReason::TooManyAttempts });
        }
        events
    }

    /// News of an attempt whose outcome is known: a repetition changes nothing.
    fn conclude_late(&self, reference: &ProviderReference, outcome: ProviderOutcome, at: DateTime<Utc>) -> Decision {
        let agrees = match outcome {
            // It did reach the provider, later than it was looked for.
            ProviderOutcome::Authorized if self.stage == Stage::Open => {
                return Ok(vec![self.authorized(reference, at)]);
            }
            ProviderOutcome::Authorized => {
                self.is_taken() || matches!(self.stage, Stage::Authorized | Stage::Voided { .. })
            }
            // Older than what is known.
            ProviderOutcome::Pending { .. } | ProviderOutcome::Unknown { .. } => true,
            ProviderOutcome::Declined { .. }
            | ProviderOutcome::NotFound
            | ProviderOutcome::Cancelled
            | ProviderOutcome::Failed => {
                matches!(self.stage, Stage::Open | Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. })
            }
        };
        if agrees { Ok(vec![]) } else { Err(Rejection::ConcludedOtherwise) }
    }

    /// Goods leave for what is set aside: from now on it is taken, however often the provider must be asked.
    pub(super) fn take(&self, at: DateTime<Utc>) -> Decision {
        match (self.stage, self.void_requested, self.capture) {
            (Stage::Authorized, Some(VoidReason::Expired), _) => Err(Rejection::AuthorizationExpired),
            (Stage::Authorized, Some(_), _) => Err(Rejection::VoidRequested),
            (Stage::Authorized, None, CaptureMode::Automatic) | (Stage::Captured | Stage::Refunded, _, _) => Ok(vec![]),
            (Stage::Authorized, None, CaptureMode::Manual) if self.expires_at.is_some_and(|until| until <= at) => {
                Err(Rejection::AuthorizationExpired)
            }
            (Stage::Authorized, None, CaptureMode::Manual) => Ok(vec![Event::Delayed { check_at: at }]),
            (Stage::Open | Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. }, _, _) => {
                Err(Rejection::NotAuthorized)
            }
            (Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. }, _, _) => Err(Rejection::Closed),
        }
    }

    pub(super) fn capture(&self) -> Decision {
        let reference = self.attempt.as_ref();
        match self.stage {
            Stage::Authorized if self.void_requested.is_some() => Err(Rejection::VoidRequested),
            Stage::Authorized => {
                let Attempt { method, reference, .. } = reference.ok_or(Rejection::NotAuthorized)?.clone();
                Ok(vec![Event::Captured { order: self.order, amount: self.amount, method, reference }])
            }
            Stage::Captured | Stage::Refunded => Ok(vec![]),
            Stage::Open | Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => {
                Err(Rejection::NotAuthorized)
            }
            Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => Err(Rejection::Closed),
        }
    }

    pub(super) fn void(&self, reason: VoidReason) -> Decision {
        // The first one who asked has the reason.
        let first = self.void_requested.unwrap_or(reason);
        match self.stage {
            // Capture is on its way: who wants the money back cancels the order. Unless it will be voided anyway.
            Stage::Authorized => match (reason, self.void_requested) {
                (VoidReason::BuyerRequest | VoidReason::StaffRequest, Some(_)) => Ok(vec![]),
                // The provider holds the money, so only its release makes it void.
                (_, None) | (VoidReason::OrderCancelled | VoidReason::Expired, Some(_)) => {
                    Err(Rejection::AlreadyAuthorized)
                }
            },
            Stage::Open => Ok(vec![Event::Voided { order: self.order, reason: first }]),
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => match self.void_requested {
                None => Ok(vec![Event::VoidRequested { reason }]),
                Some(_) => Ok(vec![]),
            },
            Stage::Captured => Err(Rejection::Captured),
            Stage::Refunded | Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => Ok(vec![]),
        }
    }

    /// The provider let go what it held.
    pub(super) fn note_released(&self, reason: VoidReason) -> Decision {
        match self.stage {
            Stage::Authorized => {
                let reason = self.void_requested.unwrap_or(reason);
                Ok(vec![Event::Voided { order: self.order, reason }])
            }
            Stage::Open
            | Stage::Attempted
            | Stage::Pending { .. }
            | Stage::Unresolved { .. }
            | Stage::Captured
            | Stage::Refunded
            | Stage::Failed { .. }
            | Stage::Cancelled
            | Stage::Voided { .. } => self.void(reason),
        }
    }

    /// The provider was silent: what is wanted is remembered, and when to ask again.
    pub(super) fn delay(&self, check_at: DateTime<Utc>, void: Option<VoidReason>) -> Vec<Event> {
        match self.stage {
            Stage::Authorized => {
                // What is being taken does not run out any more: its goods have left.
                let too_late = |reason| reason == VoidReason::Expired && self.capture.is_automatic();
                let wanted = void.filter(|reason| self.void_requested.is_none() && !too_late(*reason));
                let mut events: Vec<Event> = wanted.map(|reason| Event::VoidRequested { reason }).into_iter().collect();
                events.push(Event::Delayed { check_at });
                events
            }
            // It was settled meanwhile.
            Stage::Open
            | Stage::Attempted
            | Stage::Pending { .. }
            | Stage::Unresolved { .. }
            | Stage::Captured
            | Stage::Refunded
            | Stage::Failed { .. }
            | Stage::Cancelled
            | Stage::Voided { .. } => vec![],
        }
    }
    /// The provider was silent about an attempt that nobody waits for: it may have taken money for it.
    pub(super) fn delay_stray(&self, reference: &ProviderReference, check_at: DateTime<Utc>) -> Vec<Event> {
        let ours = self.is_last(reference) && !self.in_flight() || self.earlier.contains(reference);
        ours.then(|| Event::StrayUnresolved { reference: reference.clone(), check_at }).into_iter().collect()
    }
}
