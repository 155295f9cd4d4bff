//! Disputes at PayPal: a webhook, a timer or the list of changes names one, and PayPal is asked about it.
//!
//! What PayPal says is compared with the payment before anything is recorded: the capture, its amount, currency and payee. Then the
//! answers of the shop that PayPal does not have are sent, and its outcome is recorded. Each look can be repeated: what PayPal has
//! it does not ask for again.

use std::time::Duration;

use byteshop_domain::aftersales::{Claim, Verdict};
use byteshop_domain::dispute::{self, Command, Dispute, Evidence, Known, Status};
use byteshop_domain::ids::DisputeId;
use byteshop_domain::money::Money;
use byteshop_domain::payment::Payment;
use byteshop_domain::payment_provider::Provider;
use byteshop_domain::text::{Comment, Reference};
use chrono::{DateTime, TimeDelta, Utc};

use super::{conclude, open};
use crate::Commands;
use crate::engine::error::Error;
use crate::engine::intent::Intent;
use crate::ports::NoAnswer;
use crate::ports::paypal::{CapturedPayment, DisputeProgress, DisputeStanding, Exhibit, Paypal};
use crate::use_cases::payments::in_time;

/// The pause before PayPal is asked again about a dispute that it is deciding.
const NEXT_LOOK: TimeDelta = TimeDelta::hours(6);
/// The pause before PayPal is asked again after it did not answer, or while it lacks an answer of the shop.
const NEXT_TRY: TimeDelta = TimeDelta::minutes(5);
/// How long sending evidence may take, with repetitions: all files of a dispute over a slow line.
const SENT_WITHIN: Duration = Duration::from_mins(1);

impl Commands {
    /// Looks at a dispute that PayPal calls so: records it, sends what PayPal lacks, and records the outcome.
    pub(crate) async fn follow_dispute(&self, intent: &Intent, reference: &Reference) -> Result<(), Error> {
        self.open()?;
        let paypal = self.paypal()?;
        let standing = in_time(paypal.dispute(reference)).await?;
        let id = dispute::id_at(Provider::Paypal, reference);
        if self.get::<Dispute>(id).await?.is_none() {
            let Some(claim) = self.claim_of(paypal, reference, &standing).await? else { return Ok(()) };
            self.record_claim(intent, &claim).await?;
        }
        let Some(found) = self.get::<Dispute>(id).await? else { return Ok(()) };
        let Ok(known) = found.state.live() else { return Ok(()) };
        if known.is_open() { self.pursue_dispute(intent, id, known, paypal, standing.progress).await } else { Ok(()) }
    }

    /// Looks at a dispute because of a timer, or of an answer of the shop; once more later if PayPal does not answer.
    pub(crate) async fn look_at_dispute(&self, intent: &Intent, id: DisputeId) -> Result<(), Error> {
        let Some(found) = self.get::<Dispute>(id).await? else { return Ok(()) };
        let known = found.state.live()?;
        if known.opening.provider != Some(Provider::Paypal) || !known.is_open() {
            return Ok(());
        }
        match self.follow_dispute(intent, &known.opening.reference).await {
            // A refusal can end; once the outcome is recorded there is nothing to wait for.
            Err(Error::Rejected(rejected)) => {
                tracing::warn!(code = rejected.code, dispute = %id, "a dispute could not be followed; asking later");
                self.wait_for_dispute(intent, id, NEXT_LOOK).await
            }
            Err(error @ (Error::Provider(_) | Error::NotYet(_) | Error::Files(_))) => {
                tracing::warn!(%error, dispute = %id, "a dispute could not be looked at; asking later");
                self.wait_for_dispute(intent, id, NEXT_TRY).await
            }
            done => done,
        }
    }

    /// The claim of a dispute about a payment of this shop; none if it is about something else.
    async fn claim_of(
        &self,
        paypal: &Paypal,
        reference: &Reference,
        standing: &DisputeStanding,
    ) -> Result<Option<Claim>, Error> {
        let captured = in_time(paypal.captured_payment(&standing.capture)).await?;
        let Some(CapturedPayment { payment, reference: attempt, amount, payee }) = captured else {
            tracing::error!(%reference, "a dispute at PayPal is about no payment of this shop");
            return Ok(None);
        };
        let found = self.get::<Payment>(payment).await?;
        let Some(opened) = found.as_ref().and_then(|found| found.state.live().ok()) else { return Ok(None) };
        if !opened.was_captured() {
            return Err(NoAnswer("the disputed payment is not captured yet".to_owned()).into());
        }
        let claimed = standing.amount;
        let is_ours = opened.at_provider() == Some(&attempt) && amount == opened.in_money();
        let is_ours = is_ours && paypal.is_payee(opened.registration(&attempt), &payee);
        if !is_ours || claimed.currency != amount.currency || claimed.amount > amount.amount {
            tracing::error!(%reference, %payment, "a dispute at PayPal differs from the payment of the shop: nothing is recorded");
            return Ok(None);
        }
        let (provider, cause, respond_by) = (Some(Provider::Paypal), standing.cause, standing.respond_by);
        Ok(Some(Claim { payment, provider, reference: reference.clone(), cause, amount: claimed, respond_by }))
    }

    async fn record_claim(&self, intent: &Intent, claim: &Claim) -> Result<(), Error> {
        let recorded = self.run(intent, |unit| async move {
            let mut payment = unit.load::<Payment>(claim.payment).await?.exists()?;
            open(&unit, &mut payment, claim).await.map(drop)
        });
        match recorded.await {
            // Another webhook was faster.
            Err(Error::Rejected(rejected)) if rejected.is::<Dispute>(&dispute::Rejection::Exists) => Ok(()),
            recorded => recorded.map(drop),
        }
    }

    /// Does what is next of an open dispute.
    async fn pursue_dispute(
        &self,
        intent: &Intent,
        id: DisputeId,
        known: &Known,
        paypal: &Paypal,
        progress: DisputeProgress,
    ) -> Result<(), Error> {
        match progress {
            DisputeProgress::Won => self.conclude_dispute(intent, id, Verdict::Won).await,
            DisputeProgress::Lost(amount) => {
                self.conclude_dispute(intent, id, lost(known.opening.amount, amount)).await
            }
            DisputeProgress::Waits => self.wait_for_dispute(intent, id, NEXT_LOOK).await,
            DisputeProgress::Asks if known.status == Status::Accepted => {
                let reference = &known.opening.reference;
                in_time(paypal.accept_dispute(reference)).await?;
                // PayPal has mostly decided by now.
                match in_time(paypal.dispute(reference)).await?.progress {
                    DisputeProgress::Lost(amount) => {
                        self.conclude_dispute(intent, id, lost(known.opening.amount, amount)).await
                    }
                    DisputeProgress::Asks | DisputeProgress::Waits | DisputeProgress::Won => {
                        self.wait_for_dispute(intent, id, NEXT_TRY).await
                    }
                }
            }
            DisputeProgress::Asks if known.unsent().is_empty() => self.wait_for_dispute(intent, id, NEXT_LOOK).await,
            DisputeProgress::Asks => {
                self.send_evidence(intent, id, known, paypal).await?;
                self.wait_for_dispute(intent, id, NEXT_LOOK).await
            }
        }
    }

    /// Sends the evidence that PayPal does not have. What was erased with its buyer is not sent.
    async fn send_evidence(&self, intent: &Intent, id: DisputeId, known: &Known, paypal: &Paypal) -> Result<(), Error> {
        let mut exhibits = Vec::new();
        for (number, evidence) in known.evidence.iter().enumerate().skip(known.sent) {
            exhibits.extend(self.exhibits_of(id, number + 1, evidence).await?);
        }
        if !exhibits.is_empty() {
            let sent = tokio::time::timeout(SENT_WITHIN, paypal.submit_evidence(&known.opening.reference, &exhibits));
            sent.await.unwrap_or_else(|_| Err(NoAnswer("it took too long".to_owned())))?;
        }
        self.decide_dispute(intent, id, Command::NoteSent { count: known.evidence.len() }).await
    }

    /// Evidence as PayPal gets it; nothing once the buyer was erased. PayPal's names of files have no personal data.
    async fn exhibits_of(&self, id: DisputeId, number: usize, it: &Evidence) -> Result<Vec<Exhibit>, Error> {
        let mut exhibits = Vec::new();
        if let Some(text) = &it.text {
            let text = self.vault().open::<Comment>(text).await?;
            exhibits.extend(text.map(|text| Exhibit::Text(text.to_string())));
        }
        if let Some(file) = &it.file {
            let found = self.evidence_file(id, file).await?;
            let name = format!("evidence-{number}.{}", file.media_type.ending());
            let media_type = file.media_type.media_type();
            exhibits.extend(found.map(|(_, content)| Exhibit::File { name, media_type, content: content.into() }));
        }
        Ok(exhibits)
    }

    async fn wait_for_dispute(&self, intent: &Intent, id: DisputeId, pause: TimeDelta) -> Result<(), Error> {
        self.decide_dispute(intent, id, Command::Wait { check_at: self.clock().now() + pause }).await
    }

    async fn decide_dispute(&self, intent: &Intent, id: DisputeId, command: Command) -> Result<(), Error> {
        let command = &command;
        let decided = self.run(intent, |unit| async move {
            let mut dispute = unit.load::<Dispute>(id).await?;
            unit.decide(&mut dispute, command)
        });
        decided.await.map(drop)
    }

    async fn conclude_dispute(&self, intent: &Intent, id: DisputeId, verdict: Verdict) -> Result<(), Error> {
        let concluded = self.run(intent, |unit| async move {
            let mut dispute = unit.load::<Dispute>(id).await?;
            conclude(&unit, &mut dispute, verdict).await
        });
        concluded.await.map(drop)
    }

    /// Looks at every dispute that changed at PayPal since a moment and is not over for the shop: what a lost webhook would have told. Says
    /// whether all of them could be followed.
    pub async fn follow_changed_disputes(&self, since: DateTime<Utc>) -> Result<bool, Error> {
        let Some(paypal) = &self.connected().paypal else { return Ok(true) };
        let mut is_whole = true;
        for reference in in_time(paypal.changed_disputes(since)).await? {
            let known = self.get::<Dispute>(dispute::id_at(Provider::Paypal, &reference)).await?;
            if known.is_some_and(|known| known.state.live().is_ok_and(|known| !known.is_open())) {
                continue;
            }
            let intent = Intent::new(Provider::Paypal.actor(), "dispute.look", self.clock().new_id());
            match self.follow_dispute(&intent, &reference).await {
                // One that cannot be followed now does not hold up the others.
                Err(error @ (Error::Rejected(_) | Error::Provider(_) | Error::NotYet(_) | Error::Files(_))) => {
                    tracing::warn!(%error, %reference, "a dispute could not be followed; trying later");
                    is_whole = false;
                }
                done => done?,
            }
        }
        Ok(is_whole)
    }
}

/// A loss, of at most what is claimed: PayPal may give a buyer more than that from its own money.
fn lost(claimed: Money, amount: Option<Money>) -> Verdict {
    let fits = |amount: &Money| amount.currency == claimed.currency;
    let amount = amount.filter(fits).map(|amount| Money { amount: amount.amount.min(claimed.amount), ..claimed });
    Verdict::Lost { amount, fee: None }
}

#[cfg(test)]
mod tests {
    use byteshop_domain::Currency;

    use super::*;

    #[test]
    fn no_more_than_what_is_claimed_is_lost() {
        let euros = |amount| Money::new(amount, Currency::EUR);
        let of = |amount| lost(euros(500), amount);
        let loss = |amount| Verdict::Lost { amount, fee: None };
        assert_eq!(of(None), loss(None));
        assert_eq!(of(Some(euros(499))), loss(Some(euros(499))));
        assert_eq!(of(Some(euros(501))), loss(Some(euros(500))));
        assert_eq!(of(Some(Money::new(499, Currency::USD))), loss(None));
    }
}
