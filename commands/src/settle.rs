//! Settling payments: whatever is next is asked of the provider, then its answer is written down.
//!
//! A provider that is silent holds nobody up: that is written down with a time, and then it is asked again. Asking twice
//! is harmless, as each charge and each refund has its own key there.

use std::sync::Arc;

use byteshop_domain::ids::{PaymentId, RefundId};
use byteshop_domain::money::Money;
use byteshop_domain::payment::{
    self, Authorization, Opened, Payment, ProviderOutcome, ProviderReference, RefundCause, RefundOutcome, Stage, Undo,
    VoidReason,
};

use crate::Commands;
use crate::error::Error;
use crate::intent::Intent;
use crate::pay::in_time;
use crate::ports::NoAnswer;

/// How often it is looked what it takes to undo a payment, while its provider answers.
const LOOKS_MAX: u32 = 4;

impl Commands {
    /// Asks the provider for whatever is next of a payment: how its attempt went, to take, to release, to give back.
    pub async fn settle_payment(&self, intent: &Intent, payment: PaymentId) -> Result<(), Error> {
        let Some(snapshot) = self.get::<Payment>(payment).await? else { return Ok(()) };
        let Ok(opened) = snapshot.state.opened() else { return Ok(()) };
        if let (true, Some(attempt)) = (opened.in_flight(), &opened.attempt) {
            let reference = &attempt.reference;
            let now = self.clock().now();
            let outcome = match in_time(self.provider().look_up(reference, now)).await {
                Ok(outcome) => outcome,
                Err(_) => ProviderOutcome::Unknown { check_at: now + opened.patience() },
            };
            let conclusion = payment::Command::Conclude { reference: reference.clone(), outcome };
            return self.decide_payment(intent, payment, conclusion).await;
        }
        if let Stage::Authorized(authorization) = opened.stage {
            return match authorization {
                Authorization::Voiding { reason } => self.void_payment(intent, payment, reason).await,
                Authorization::Capturing => self.capture_payment(intent, payment).await,
                Authorization::Held { .. } => Ok(()),
            };
        }
        for (refund, piece) in opened.pending_refunds() {
            self.give_back(intent, payment, opened, refund, piece.amount).await?;
        }
        Ok(())
    }

    async fn give_back(
        &self,
        intent: &Intent,
        payment: PaymentId,
        opened: &Opened,
        refund: RefundId,
        amount: Money,
    ) -> Result<(), Error> {
        let Some(attempt) = &opened.attempt else { return Ok(()) };
        let outcome = match in_time(self.provider().refund(&attempt.reference, refund, amount)).await {
            Ok(true) => RefundOutcome::Done,
            Ok(false) => RefundOutcome::Refused,
            Err(error) => {
                tracing::warn!(%error, %payment, "a refund has no known outcome yet");
                RefundOutcome::Unknown { check_at: self.clock().now() + opened.patience() }
            }
        };
        self.decide_payment(intent, payment, payment::Command::ConcludeRefund { refund, outcome }).await
    }

    /// Captures what was authorized. That it is to be captured is written down before the provider is asked.
    pub async fn capture_payment(&self, intent: &Intent, payment: PaymentId) -> Result<(), Error> {
        self.open()?;
        // Mostly it was taken together with its authorization; that cannot be undone, so the cache's word is enough.
        let taken = |it: Arc<Payment>| it.opened().is_ok_and(Opened::is_taken);
        if self.glimpse::<Payment>(payment).is_some_and(taken) {
            return Ok(());
        }
        let Some(snapshot) = self.get::<Payment>(payment).await? else { return Ok(()) };
        let Ok(opened) = snapshot.state.opened() else { return Ok(()) };
        if let Stage::Authorized(Authorization::Held { .. }) = opened.stage {
            self.decide_payment(intent, payment, payment::Command::RequestCapture {}).await?;
        }
        if let Stage::Authorized(Authorization::Held { .. } | Authorization::Capturing) = opened.stage
            && let Some(attempt) = &opened.attempt
            && let Err(error) = in_time(self.provider().capture(&attempt.reference)).await
        {
            return self.wait_for_provider(intent, payment, opened, &error).await;
        }
        self.decide_payment(intent, payment, payment::Command::Capture {}).await
    }

    /// Sees to it that nothing is kept of a payment.
    ///
    /// What it takes is seen first and done then. When an answer of the provider comes in between, it is seen again: money
    /// that was granted a moment ago is not forgotten, and what was taken a moment ago is given back.
    pub(crate) async fn void_payment(
        &self,
        intent: &Intent,
        payment: PaymentId,
        reason: VoidReason,
    ) -> Result<(), Error> {
        for _ in 1..LOOKS_MAX {
            match self.void_once(intent, payment, reason).await {
                Err(Error::Rejected(it)) if matches!(&*it.code, "payment.already_authorized" | "payment.captured") => {}
                done => return done,
            }
        }
        self.void_once(intent, payment, reason).await
    }

    async fn void_once(&self, intent: &Intent, payment: PaymentId, reason: VoidReason) -> Result<(), Error> {
        let Some(snapshot) = self.get::<Payment>(payment).await? else { return Ok(()) };
        let Ok(opened) = snapshot.state.opened() else { return Ok(()) };
        let command = match opened.undo() {
            Undo::Nothing => return Ok(()),
            Undo::Void => payment::Command::Void { reason },
            Undo::RequestVoid => payment::Command::RequestVoid { reason },
            Undo::Release { reference } => match in_time(self.provider().release(&reference)).await {
                Ok(()) => payment::Command::NoteReleased { reason },
                Err(error) => return self.wait_for_provider(intent, payment, opened, &error).await,
            },
            Undo::Refund => payment::Command::RequestRefund {
                refund: payment::whole(payment),
                amount: None,
                cause: RefundCause::OrderCancelled,
            },
        };
        self.decide_payment(intent, payment, command).await
    }

    /// Requests the void of an authorization that was not captured in time, so that nobody hands goods over for it meanwhile.
    pub(crate) async fn expire_authorization(&self, intent: &Intent, payment: PaymentId) -> Result<(), Error> {
        let Some(snapshot) = self.get::<Payment>(payment).await? else { return Ok(()) };
        let now = self.clock().now();
        let is_due = |it: &Opened| it.expires_at().is_some_and(|at| at <= now);
        if snapshot.state.opened().is_ok_and(is_due) {
            let void = payment::Command::RequestVoid { reason: VoidReason::Expired };
            self.decide_payment(intent, payment, void).await?;
        }
        Ok(())
    }

    /// Hears of an attempt, from a notification or a timer: the word counts for nothing, the provider is asked.
    ///
    /// Money of an earlier attempt, which nobody waits for any more, is let go.
    pub async fn hear_of_charge(
        &self,
        intent: &Intent,
        payment: PaymentId,
        reference: &ProviderReference,
    ) -> Result<(), Error> {
        let Some(snapshot) = self.get::<Payment>(payment).await? else { return Ok(()) };
        let Ok(opened) = snapshot.state.opened() else { return Ok(()) };
        if opened.attempt.as_ref().is_some_and(|attempt| attempt.reference == *reference) {
            return match opened.stage {
                // It did not know the attempt, or refused it: perhaps it has changed its mind.
                Stage::Open => self.look_again(intent, payment, opened, reference).await,
                Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } | Stage::Captured => {
                    self.settle_payment(intent, payment).await
                }
                Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => {
                    self.release_stray(intent, payment, opened, reference).await
                }
                Stage::Authorized(_) | Stage::Refunded => Ok(()),
            };
        }
        if opened.earlier.contains(reference) {
            self.release_stray(intent, payment, opened, reference).await?;
        }
        Ok(())
    }

    async fn look_again(
        &self,
        intent: &Intent,
        payment: PaymentId,
        opened: &Opened,
        reference: &ProviderReference,
    ) -> Result<(), Error> {
        match in_time(self.provider().look_up(reference, self.clock().now())).await {
            Ok(outcome @ ProviderOutcome::Authorized) => {
                let reference = reference.clone();
                self.decide_payment(intent, payment, payment::Command::Conclude { reference, outcome }).await
            }
            Ok(_) => Ok(()),
            Err(error) => self.wait_for_stray(intent, payment, opened, reference, &error).await,
        }
    }

    async fn release_stray(
        &self,
        intent: &Intent,
        payment: PaymentId,
        opened: &Opened,
        reference: &ProviderReference,
    ) -> Result<(), Error> {
        let let_go = match in_time(self.provider().look_up(reference, self.clock().now())).await {
            Ok(ProviderOutcome::Authorized) => in_time(self.provider().release(reference)).await,
            Ok(_) => return Ok(()),
            Err(error) => Err(error),
        };
        match let_go {
            Ok(()) => {
                let reference = reference.clone();
                self.decide_payment(intent, payment, payment::Command::ReleaseStray { reference }).await
            }
            Err(error) => self.wait_for_stray(intent, payment, opened, reference, &error).await,
        }
    }

    /// What may have been taken for nobody is asked for until the provider answers.
    async fn wait_for_stray(
        &self,
        intent: &Intent,
        payment: PaymentId,
        opened: &Opened,
        reference: &ProviderReference,
        error: &NoAnswer,
    ) -> Result<(), Error> {
        tracing::warn!(%error, %payment, "the provider is asked again later for an attempt that it did not know");
        let check_at = self.clock().now() + opened.patience();
        let reference = reference.clone();
        self.decide_payment(intent, payment, payment::Command::DelayStray { reference, check_at }).await
    }

    async fn wait_for_provider(
        &self,
        intent: &Intent,
        payment: PaymentId,
        opened: &Opened,
        error: &NoAnswer,
    ) -> Result<(), Error> {
        tracing::warn!(%error, %payment, "the provider is asked again later");
        let check_at = self.clock().now() + opened.patience();
        self.decide_payment(intent, payment, payment::Command::RecordNoAnswer { check_at }).await
    }

    async fn decide_payment(
        &self,
        intent: &Intent,
        payment: PaymentId,
        command: payment::Command,
    ) -> Result<(), Error> {
        let command = &command;
        self.run(intent, |unit| async move {
            let mut loaded = unit.load::<Payment>(payment).await?;
            unit.decide(&mut loaded, command)
        })
        .await?;
        Ok(())
    }
}
