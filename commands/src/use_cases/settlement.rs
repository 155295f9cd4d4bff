//! Settling payments: the domain says what the provider is asked next and what follows from its answer; here it is asked.
//!
//! A provider that is silent holds nobody up: that is written down with a time, and then it is asked again. Asking twice
//! is harmless, as each charge and each refund has its own key there.

use std::collections::VecDeque;
use std::sync::Arc;

use byteshop_domain::ids::PaymentId;
use byteshop_domain::ledger::Holding;
use byteshop_domain::payment::{self, Opened, Payment, ProviderReference, VoidReason};
use byteshop_domain::settlement::{self, Answer, Move, Question, Request, Task};

use crate::Commands;
use crate::engine::error::Error;
use crate::engine::intent::Intent;
use crate::ports::connected::Provider;
use crate::ports::{Attempt, RefundAnswer};
use crate::use_cases::payments::in_time;

impl Commands {
    /// Asks the provider for whatever is next of a payment: how its attempt went, to capture, to release, to refund. A timer
    /// names the `attempt` that it asks about.
    pub async fn settle_payment(
        &self,
        intent: &Intent,
        payment: PaymentId,
        attempt: Option<&ProviderReference>,
    ) -> Result<(), Error> {
        self.pursue(intent, payment, Task::settle(attempt)).await
    }

    /// Captures what was authorized.
    pub async fn capture_payment(&self, intent: &Intent, payment: PaymentId) -> Result<(), Error> {
        self.open()?;
        // Mostly it was captured together with its authorization; that cannot be undone, so the cache's word is enough.
        let is_captured = |it: Arc<Payment>| it.live().is_ok_and(Opened::was_captured);
        if self.glimpse::<Payment>(payment).is_some_and(is_captured) {
            return Ok(());
        }
        self.pursue(intent, payment, Task::Capture).await
    }

    /// Sees to it that nothing is kept of a payment.
    pub(crate) async fn void_payment(
        &self,
        intent: &Intent,
        payment: PaymentId,
        reason: VoidReason,
    ) -> Result<(), Error> {
        self.pursue(intent, payment, Task::Void(reason)).await
    }

    /// Requests the void of an authorization that was not captured in time.
    pub(crate) async fn expire_authorization(&self, intent: &Intent, payment: PaymentId) -> Result<(), Error> {
        self.pursue(intent, payment, Task::Expire).await
    }

    /// Hears of an attempt, from a notification or a timer: the word counts for nothing, the provider is asked.
    pub async fn hear_of_charge(
        &self,
        intent: &Intent,
        payment: PaymentId,
        reference: &ProviderReference,
    ) -> Result<(), Error> {
        self.pursue(intent, payment, Task::Hear(reference)).await
    }

    /// Does what is next of a payment for a task; once more when an answer of the provider to somebody else came in between.
    async fn pursue(&self, intent: &Intent, payment: PaymentId, task: Task<'_>) -> Result<(), Error> {
        for _ in 1..settlement::LOOKS_MAX {
            match self.pursue_once(intent, payment, task).await {
                Err(Error::Rejected(rejected)) if settlement::was_overtaken(&rejected) => {}
                done => return done,
            }
        }
        self.pursue_once(intent, payment, task).await
    }

    async fn pursue_once(&self, intent: &Intent, payment: PaymentId, task: Task<'_>) -> Result<(), Error> {
        let Some(snapshot) = self.get::<Payment>(payment).await? else { return Ok(()) };
        let Ok(opened) = snapshot.state.live() else { return Ok(()) };
        let mut moves = VecDeque::from(settlement::moves(task, payment, opened, self.clock().now()));
        let mut is_refused = false;
        while let Some(next) = moves.pop_front() {
            match next {
                Move::Decide(command) => self.decide_payment(intent, payment, &[command]).await?,
                Move::DecideAll(commands) => self.decide_payment(intent, payment, &commands).await?,
                Move::Ask(request) => {
                    let answer = self.ask_provider(payment, opened, &request).await;
                    is_refused |= answer == Answer::Refused;
                    for then in settlement::answered(opened, &request, answer, self.clock().now()).into_iter().rev() {
                        moves.push_front(then);
                    }
                }
            }
        }
        if is_refused && let Err(error) = self.look_for_disputes(intent, payment).await {
            tracing::warn!(%error, %payment, "the disputes of a payment could not be looked at; a webhook or the list names them");
        }
        Ok(())
    }

    /// What each connected payment provider holds of its captured charges.
    pub async fn provider_statement(&self, provider: Provider) -> Result<Vec<Holding>, Error> {
        if !self.connected().has_provider(provider) {
            return Err(Error::NoProvider { provider: provider.as_str() });
        }
        Ok(in_time(self.provider(provider).statement()).await?)
    }

    async fn ask_provider(&self, payment: PaymentId, opened: &Opened, request: &Request) -> Answer {
        let now = self.clock().now();
        let asked = |reference| {
            let attempt = Attempt { reference, registration: opened.registration(reference), payment };
            (self.provider(Provider::of(reference)), attempt)
        };
        let done = |fee| Answer::Done { fee };
        let answer = match request.question() {
            Question::LookUp(reference) => {
                let (provider, attempt) = asked(reference);
                in_time(provider.look_up(attempt, now)).await.map(Answer::Outcome)
            }
            Question::Find(reference) => {
                let (provider, attempt) = asked(reference);
                in_time(provider.find(attempt, now)).await.map(Answer::Outcome)
            }
            Question::Capture(reference) => {
                let (provider, attempt) = asked(reference);
                in_time(provider.capture(attempt)).await.map(done)
            }
            Question::Release(reference) => {
                let (provider, attempt) = asked(reference);
                in_time(provider.release(attempt)).await.map(done)
            }
            Question::Refund(reference, refund, amount) => {
                let (provider, attempt) = asked(reference);
                let answer = in_time(provider.refund(attempt, refund, amount)).await;
                answer.map(|answer| match answer {
                    RefundAnswer::Made { fee } => Answer::Done { fee },
                    RefundAnswer::Refused => Answer::Refused,
                })
            }
        };
        answer.unwrap_or_else(|error| {
            tracing::warn!(%error, %payment, ?request, "the provider did not answer; retrying later");
            Answer::Silence
        })
    }

    async fn decide_payment(
        &self,
        intent: &Intent,
        payment: PaymentId,
        commands: &[payment::Command],
    ) -> Result<(), Error> {
        self.run(intent, |unit| async move {
            let mut loaded = unit.load::<Payment>(payment).await?;
            commands.iter().try_for_each(|command| unit.decide(&mut loaded, command))
        })
        .await?;
        Ok(())
    }
}
