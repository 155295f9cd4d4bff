//! Attempts of a payment: making them, recording their outcome however late and often it arrives, capturing and voiding.

use chrono::{DateTime, Utc};

use super::{
    ATTEMPTS_MAX, AUTHORIZED_FOR, Attempt, Authorization, CaptureMode, Decision, DeclineReason, Event, FailureReason,
    Method, Opened, ProviderOutcome, ProviderReference, REFUSALS_MAX, Registration, Rejection, Stage, VoidReason,
};
use crate::text::Link;

impl DeclineReason {
    /// Whether the decline counts towards the limit, as declines of stolen cards do.
    pub(super) fn is_refusal(self) -> bool {
        match self {
            Self::Declined | Self::InsufficientFunds | Self::NotReceived => true,
            Self::BuyerLeft | Self::ProviderError => false,
        }
    }

    /// Whether the attempt may still turn out to have succeeded: the provider did not decline it, but lost track of it.
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
            Stage::Open if self.received().amount > 0 => Err(Rejection::PartlyReceived),
            Stage::Open if self.is_last(reference) => Err(Rejection::ReferenceUsed),
            Stage::Open if self.reaches_limit_of_declines(self.refusals) => Err(Rejection::TooManyAttempts),
            Stage::Open => Ok(vec![Event::Attempted {
                method,
                reference: reference.clone(),
                capture,
                return_url: return_url.cloned(),
            }]),
            Stage::OnDelivery => Err(Rejection::OnDelivery),
            // The same attempt again: already recorded.
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } if self.is_last(reference) => {
                Ok(vec![])
            }
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => Err(Rejection::InProgress),
            Stage::Authorized(_) | Stage::Captured | Stage::Refunded => Err(Rejection::AlreadyAuthorized),
            Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => Err(Rejection::Closed),
        }
    }

    /// The attempt that a new one may replace, if it waits for a person: the provider has not concluded it, the payment is not
    /// to be voided, and another attempt is possible.
    pub fn replaceable(&self) -> Option<&ProviderReference> {
        let is_pending = matches!(self.stage, Stage::Pending { .. });
        let is_left = is_pending && self.void_of_attempt().is_none() && !self.reaches_limit_of_declines(self.refusals);
        self.attempt.as_ref().filter(|_| is_left).map(|attempt| &attempt.reference)
    }

    /// What the provider calls an attempt, if it has an id of its own.
    pub fn registration(&self, reference: &ProviderReference) -> Option<&Registration> {
        self.registrations.0.get(reference)
    }

    /// The page of the provider where the buyer approves the last attempt, while that waits for them.
    pub fn page(&self) -> Option<&Link> {
        let attempt = self.attempt.as_ref().filter(|_| matches!(self.stage, Stage::Pending { .. }))?;
        self.registration(&attempt.reference)?.page.as_ref()
    }

    /// Records what the provider calls an attempt, even if that is over: it may still turn out to have succeeded.
    pub(super) fn register(&self, reference: &ProviderReference, registration: &Registration) -> Decision {
        if !self.is_last(reference) && !self.earlier.contains(reference) {
            return Err(Rejection::OtherAttempt);
        }
        match self.registration(reference) {
            None => Ok(vec![Event::Registered { reference: reference.clone(), registration: registration.clone() }]),
            Some(known) if known == registration => Ok(vec![]),
            Some(_) => Err(Rejection::ReferenceUsed),
        }
    }

    pub(super) fn record_outcome(
        &self,
        reference: &ProviderReference,
        outcome: ProviderOutcome,
        at: DateTime<Utc>,
    ) -> Decision {
        if !self.is_last(reference) {
            return Err(Rejection::OtherAttempt);
        }
        if !self.in_flight() {
            return self.record_late_outcome(reference, outcome, at);
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

    /// Whether this number of declined attempts reaches the limit.
    fn reaches_limit_of_declines(&self, refusals: u8) -> bool {
        refusals >= REFUSALS_MAX || self.attempts >= ATTEMPTS_MAX
    }

    fn authorized(&self, reference: &ProviderReference, at: DateTime<Utc>) -> Event {
        // Only a held authorization expires, not one whose capture or void is requested.
        let expires_at = match self.authorization(Some(at + AUTHORIZED_FOR)) {
            Authorization::Held { expires_at } => expires_at,
            Authorization::Capturing | Authorization::Voiding { .. } => None,
        };
        Event::Authorized { order: self.order, reference: reference.clone(), expires_at }
    }

    fn decline(&self, reference: ProviderReference, reason: DeclineReason) -> Vec<Event> {
        let order = self.order;
        let mut events = vec![Event::Declined { reference, reason }];
        if let Some(reason) = self.void_of_attempt() {
            events.push(Event::Voided { order, reason });
        } else if self.reaches_limit_of_declines(self.refusals + u8::from(reason.is_refusal())) {
            events.push(Event::Failed { order, reason: FailureReason::TooManyAttempts });
        }
        events
    }

    /// Records the outcome of an attempt that already has one: the same outcome again changes nothing.
    fn record_late_outcome(
        &self,
        reference: &ProviderReference,
        outcome: ProviderOutcome,
        at: DateTime<Utc>,
    ) -> Decision {
        let agrees = match outcome {
            // The attempt did reach the provider, after it was looked up.
            ProviderOutcome::Authorized if self.stage == Stage::Open => {
                return Ok(vec![self.authorized(reference, at)]);
            }
            ProviderOutcome::Authorized => {
                self.was_captured() || matches!(self.stage, Stage::Authorized(_) | Stage::Voided { .. })
            }
            // Older than the recorded state.
            ProviderOutcome::Pending { .. } | ProviderOutcome::Unknown { .. } => true,
            ProviderOutcome::Declined { .. }
            | ProviderOutcome::NotFound
            | ProviderOutcome::Cancelled
            | ProviderOutcome::Failed => {
                matches!(
                    self.stage,
                    Stage::Open | Stage::OnDelivery | Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. }
                )
            }
        };
        if agrees { Ok(vec![]) } else { Err(Rejection::ConcludedOtherwise) }
    }

    /// Requests a capture, for goods that were handed over or because staff wants it: from now on the amount is captured,
    /// however often the provider must be asked.
    pub(super) fn request_capture(&self, at: DateTime<Utc>) -> Decision {
        match self.stage {
            Stage::Authorized(Authorization::Held { expires_at }) if expires_at.is_some_and(|until| until <= at) => {
                Err(Rejection::AuthorizationExpired)
            }
            Stage::Authorized(Authorization::Held { .. }) => Ok(vec![Event::CaptureRequested { order: self.order }]),
            Stage::Authorized(Authorization::Voiding { reason: VoidReason::Expired }) => {
                Err(Rejection::AuthorizationExpired)
            }
            Stage::Authorized(Authorization::Voiding {
                reason: VoidReason::OrderCancelled | VoidReason::BuyerRequest | VoidReason::StaffRequest,
            }) => Err(Rejection::VoidRequested),
            Stage::Authorized(Authorization::Capturing) | Stage::Captured | Stage::Refunded => Ok(vec![]),
            Stage::Open | Stage::OnDelivery | Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => {
                Err(Rejection::NotAuthorized)
            }
            Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => Err(Rejection::Closed),
        }
    }

    pub(super) fn capture(&self) -> Decision {
        let reference = self.attempt.as_ref();
        match self.stage {
            Stage::Authorized(Authorization::Voiding { .. }) => Err(Rejection::VoidRequested),
            Stage::Authorized(Authorization::Held { .. } | Authorization::Capturing) => {
                let Attempt { method, reference, .. } = reference.ok_or(Rejection::NotAuthorized)?.clone();
                let (order, amount, covers) = (self.order, self.amount, self.covers.clone());
                let captured = Event::Captured { order, amount, method, reference, covers };
                Ok([captured].into_iter().chain(self.pay_seller()).collect())
            }
            Stage::Captured | Stage::Refunded => Ok(vec![]),
            Stage::Open | Stage::OnDelivery | Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => {
                Err(Rejection::NotAuthorized)
            }
            Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => Err(Rejection::Closed),
        }
    }

    pub(super) fn void(&self, reason: VoidReason) -> Decision {
        let requested = self.void_of_attempt();
        match self.stage {
            // It is voided anyway, and the first request has the reason.
            Stage::Authorized(Authorization::Voiding { .. })
                if matches!(reason, VoidReason::BuyerRequest | VoidReason::StaffRequest) =>
            {
                Ok(vec![])
            }
            // The provider holds the amount, so only its release makes the payment void.
            Stage::Authorized(_) => Err(Rejection::AlreadyAuthorized),
            // Goods may be on their way: the order decides whether it can be cancelled.
            Stage::OnDelivery if reason != VoidReason::OrderCancelled => Err(Rejection::OnDelivery),
            Stage::Open | Stage::OnDelivery => {
                Ok(vec![Event::Voided { order: self.order, reason: requested.unwrap_or(reason) }])
            }
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => match requested {
                None => Ok(vec![Event::VoidRequested { reason }]),
                Some(_) => Ok(vec![]),
            },
            Stage::Captured => Err(Rejection::Captured),
            Stage::Refunded | Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => Ok(vec![]),
        }
    }

    /// Requests a void: the authorized amount is to be released, and is not captured any more.
    pub(super) fn request_void(&self, reason: VoidReason) -> Vec<Event> {
        match self.stage {
            // Goods were handed over for it: it does not expire any more.
            Stage::Authorized(Authorization::Capturing) if reason == VoidReason::Expired => vec![],
            Stage::Authorized(Authorization::Held { .. } | Authorization::Capturing) => {
                vec![Event::VoidRequested { reason }]
            }
            // The first request has the reason; or the payment was settled in the meantime.
            Stage::Authorized(Authorization::Voiding { .. })
            | Stage::Open
            | Stage::OnDelivery
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

    /// Records that the provider released the authorized amount.
    pub(super) fn record_released(&self, reason: VoidReason) -> Decision {
        let voided = |reason| Ok(vec![Event::Voided { order: self.order, reason }]);
        match self.stage {
            Stage::Authorized(Authorization::Voiding { reason: first }) => voided(first),
            Stage::Authorized(Authorization::Held { .. } | Authorization::Capturing) => voided(reason),
            Stage::Open
            | Stage::OnDelivery
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

    /// Records that the provider did not answer a request for a capture or a release.
    pub(super) fn record_no_answer(&self, check_at: DateTime<Utc>) -> Vec<Event> {
        match self.stage {
            Stage::Authorized(Authorization::Capturing | Authorization::Voiding { .. }) => {
                vec![Event::Delayed { check_at }]
            }
            // Nothing was asked of the provider, or the payment was settled in the meantime.
            Stage::Authorized(Authorization::Held { .. })
            | Stage::Open
            | Stage::OnDelivery
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

    /// Records that the provider did not answer about an orphaned attempt, which may have succeeded.
    pub(super) fn record_no_answer_orphaned(
        &self,
        reference: &ProviderReference,
        check_at: DateTime<Utc>,
    ) -> Vec<Event> {
        let ours = self.is_last(reference) && !self.in_flight() || self.earlier.contains(reference);
        ours.then(|| Event::StrayUnresolved { reference: reference.clone(), check_at }).into_iter().collect()
    }

    /// What happens with an amount that was just authorized.
    pub(super) fn authorization(&self, expires_at: Option<DateTime<Utc>>) -> Authorization {
        match &self.attempt {
            Some(Attempt { void_requested: Some(reason), .. }) => Authorization::Voiding { reason: *reason },
            Some(Attempt { capture: CaptureMode::Manual, .. }) => Authorization::Held { expires_at },
            Some(Attempt { capture: CaptureMode::Automatic, .. }) | None => Authorization::Capturing,
        }
    }

    pub(super) fn note_attempt(&mut self, attempt: Attempt) {
        self.stage = Stage::Attempted;
        self.attempts += 1;
        let before = self.attempt.replace(attempt);
        self.earlier.extend(before.map(|attempt| attempt.reference));
        self.declined = None;
    }

    /// Notes a capture, and forgets what was chosen in vain.
    pub(super) fn note_captured(&mut self, method: Method, reference: &ProviderReference) {
        self.stage = Stage::Captured;
        self.choice = self.choice.take().filter(|_| method.is_manual());
        let before = self.attempt.take();
        let capture = before.as_ref().map_or(CaptureMode::Automatic, |attempt| attempt.capture);
        let return_url = before.as_ref().and_then(|attempt| attempt.return_url.clone());
        // An attempt that came to nothing may still turn out to have succeeded.
        let is_other = |attempt: &Attempt| method.is_manual() || attempt.reference != *reference;
        self.earlier.extend(before.filter(is_other).map(|attempt| attempt.reference));
        let reference = reference.clone();
        self.attempt = Some(Attempt { method, reference, return_url, capture, void_requested: None });
    }

    pub(super) fn note_capture_requested(&mut self) {
        if let Stage::Authorized(authorization) = &mut self.stage {
            *authorization = Authorization::Capturing;
        }
    }

    pub(super) fn note_void_requested(&mut self, reason: VoidReason) {
        if let Stage::Authorized(authorization) = &mut self.stage {
            *authorization = Authorization::Voiding { reason };
        } else if let Some(attempt) = &mut self.attempt {
            attempt.void_requested = Some(reason);
        }
    }

    /// Why the attempt in progress is not captured, if its void was requested.
    pub(crate) fn void_of_attempt(&self) -> Option<VoidReason> {
        self.attempt.as_ref().and_then(|attempt| attempt.void_requested)
    }
}
