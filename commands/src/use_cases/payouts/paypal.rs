//! Payouts through PayPal: what it does not have is sent, and what it has is asked for.
//!
//! A payout is sent under its own id. PayPal knows that id for 30 days and refuses a second payout under it, naming the first one: so
//! a payout whose answer was lost is found by sending it again. After 25 days nothing is sent any more, and staff finds out.
//! While a seller is suspended nothing is sent to it.

use std::time::Duration;

use byteshop_domain::ids::PayoutId;
use byteshop_domain::payout::{Command, Failure, Known, Outcome, Payout, Status};
use byteshop_domain::payout_account::{Destination, Means};
use byteshop_domain::seller::Seller;
use chrono::{DateTime, TimeDelta, Utc};

use super::conclude;
use crate::Commands;
use crate::engine::error::Error;
use crate::engine::intent::Intent;
use crate::ports::NoAnswer;
use crate::ports::paypal::{PayoutStanding, SentPayout};

/// How long PayPal may take to answer.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a payout is sent again: PayPal knows its id for 30 days, and forgets it then.
const SENT_FOR: TimeDelta = TimeDelta::days(25);
/// How long PayPal is asked for a payout that it has: it returns what was not claimed after 30 days.
const ASKED_FOR: TimeDelta = TimeDelta::days(45);
/// The first pause before PayPal is asked: it carries out most payouts within seconds.
const FIRST_LOOK: TimeDelta = TimeDelta::seconds(2);
/// The longest pause.
const LAST_LOOK: TimeDelta = TimeDelta::hours(1);

impl Commands {
    /// Sends a payout, or asks what became of it, and records the answer.
    pub(crate) async fn send_payout(&self, intent: &Intent, id: PayoutId) -> Result<(), Error> {
        self.open()?;
        let Some(known) = self.payout_known(id).await? else { return Ok(()) };
        if known.means != Means::Paypal || !matches!(known.status, Status::Requested | Status::Submitted) {
            return Ok(());
        }
        let command = &self.next_of(id, &known, self.clock().now()).await?;
        self.run(intent, |unit| async move {
            let mut payout = unit.load::<Payout>(id).await?;
            conclude(&unit, &mut payout, command).await
        })
        .await?;
        Ok(())
    }

    /// What is recorded next.
    async fn next_of(&self, id: PayoutId, known: &Known, now: DateTime<Utc>) -> Result<Command, Error> {
        let age = now - known.requested_at;
        let limit = if known.batch.is_some() { ASKED_FOR } else { SENT_FOR };
        if age > limit {
            tracing::error!(payout = %id, "PayPal does not say what became of a payout: find out and settle it");
            return Ok(Command::GiveUp {});
        }
        let failed = |failure| Command::Conclude { outcome: Outcome::Failed(failure), reference: None };
        let answer = if known.batch.is_some() {
            self.ask_for(id, known).await
        } else if self.get::<Seller>(known.seller).await?.is_some_and(|seller| seller.state.is_suspended()) {
            // It is sent when the seller is reinstated; should that never be, staff finds out.
            return Ok(Command::Wait { check_at: now + LAST_LOOK });
        } else {
            let destination = self.vault().open::<Destination>(&known.destination).await?;
            let Some(Destination::Paypal { email }) = destination else {
                return Ok(failed(Failure::NoDestination));
            };
            self.send(id, known, email.as_str(), now).await
        };
        Ok(answer.unwrap_or_else(|error| {
            tracing::warn!(%error, payout = %id, "PayPal did not answer; asking later");
            Command::Wait { check_at: now + pause(age) }
        }))
    }

    async fn send(&self, id: PayoutId, known: &Known, email: &str, now: DateTime<Utc>) -> Result<Command, NoAnswer> {
        let paypal = self.paypal()?;
        Ok(match in_time(paypal.send_payout(id, known.amount, email)).await? {
            SentPayout::Has(batch) => Command::Submit { batch, check_at: now + FIRST_LOOK },
            SentPayout::Refused => Command::Conclude { outcome: Outcome::Failed(Failure::Refused), reference: None },
        })
    }

    async fn ask_for(&self, id: PayoutId, known: &Known) -> Result<Command, NoAnswer> {
        let paypal = self.paypal()?;
        let batch = known.batch.as_ref().ok_or_else(|| NoAnswer("the payout was not sent".to_owned()))?;
        Ok(match in_time(paypal.payout(id, batch, known.amount)).await? {
            PayoutStanding::Undecided => return Err(NoAnswer("PayPal has not carried the payout out yet".to_owned())),
            PayoutStanding::Paid(reference) => Command::Conclude { outcome: Outcome::Paid, reference: Some(reference) },
            PayoutStanding::Failed(failure) => Command::Conclude { outcome: Outcome::Failed(failure), reference: None },
        })
    }

    pub(in crate::use_cases) fn paypal(&self) -> Result<&crate::ports::paypal::Paypal, NoAnswer> {
        self.connected().paypal.as_ref().ok_or_else(|| NoAnswer("the shop is not connected to PayPal".to_owned()))
    }
}

/// A pause that grows with the age of the payout.
fn pause(age: TimeDelta) -> TimeDelta {
    age.clamp(FIRST_LOOK, LAST_LOOK)
}

async fn in_time<T>(answer: impl Future<Output = Result<T, NoAnswer>> + Send) -> Result<T, NoAnswer> {
    match tokio::time::timeout(PROVIDER_TIMEOUT, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(NoAnswer("it took too long".to_owned())),
    }
}
