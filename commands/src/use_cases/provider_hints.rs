//! Notifications of a payment provider that has ids for its events: each is followed once, in whatever order they come.

use byteshop_domain::payment::Payment;
use byteshop_domain::settlement;
use chrono::TimeDelta;

use crate::Commands;
use crate::engine::error::Error;
use crate::engine::intent::{Intent, Key};
use crate::ports::connected::Provider;
use crate::ports::paypal::webhook::Hint;

/// How long the shop remembers an event that it followed: PayPal repeats one for three days, and operators have it sent again for a month.
const INBOX_KEEPS: TimeDelta = TimeDelta::days(40);

impl Commands {
    /// Looks at what a notification names: the provider is asked, and its answer is recorded. A repeated event changes nothing.
    ///
    /// # Errors
    /// When the event could not be followed: it is not written down, so the provider sends it again, and the list of events has it.
    pub async fn follow_hint(&self, intent: &Intent, hint: &Hint) -> Result<(), Error> {
        let who = format!("provider {}", Provider::Paypal.as_str());
        let key = Key { who, key: hint.event.clone(), fingerprint: Vec::new(), kept_for: Some(INBOX_KEEPS) };
        if self.first_answer::<()>(&key).await?.is_some() {
            return Ok(());
        }
        match self.look_at(intent, hint).await {
            Ok(()) => {}
            Err(Error::Rejected(rejected)) if settlement::is_known_better(&rejected) => {}
            Err(Error::Rejected(rejected)) => return Err(Error::NotYet(rejected)),
            Err(error) => return Err(error),
        }
        // Written down at the end: after a crash before it, the provider sends the event again.
        let noted = self.run(&Intent { key: Some(key), ..intent.clone() }, |_unit| async { Ok(()) }).await;
        match noted {
            Ok(_) | Err(Error::InFlight) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn look_at(&self, intent: &Intent, hint: &Hint) -> Result<(), Error> {
        if let Some(dispute) = &hint.dispute {
            return self.follow_dispute(intent, dispute).await;
        }
        if let Some(capture) = &hint.capture {
            // First what the shop itself asked for.
            if let Some(payment) = hint.payment
                && self.get::<Payment>(payment).await?.is_some()
            {
                self.settle_payment(intent, payment, None).await?;
            }
            return self.follow_capture(intent, capture).await;
        }
        let Some(payment) = hint.payment else { return Ok(()) };
        match &hint.reference {
            Some(reference) => self.hear_of_charge(intent, payment, reference).await,
            None if self.get::<Payment>(payment).await?.is_some() => self.settle_payment(intent, payment, None).await,
            None => Ok(()),
        }
    }
}
