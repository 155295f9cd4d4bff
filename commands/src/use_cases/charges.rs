//! Captured charges at PayPal: what PayPal gave back without being asked by the shop is recorded as a refund that it made.
//!
//! A webhook, the list of events or the daily comparison names a charge, and PayPal is asked about it: its order says all that went back,
//! of an order that is the payment's in its id, amount, currency and payee. What no refund and no dispute of the shop explains is recorded
//! once, by what PayPal calls it. The disputes of the charge are looked at first, as the loss of one has no other name.

use byteshop_domain::aftersales;
use byteshop_domain::ids::{OrderId, PaymentId};
use byteshop_domain::ledger::{Difference, Holding, differences};
use byteshop_domain::order::Order;
use byteshop_domain::payment::{Command, Opened, Payment, ProviderReference, Stage};
use byteshop_domain::payment_provider::Provider;
use byteshop_domain::reconciliation::{self, Comparison, Reconciliation};
use byteshop_domain::text::Reference;
use chrono::{DateTime, Utc};

use crate::Commands;
use crate::engine::error::Error;
use crate::engine::intent::Intent;
use crate::engine::unit::{Loaded, Unit};
use crate::ports::paypal::{CapturedPayment, ChargeStanding};
use crate::ports::{Attempt, NoAnswer};
use crate::use_cases::payments::in_time;

/// The events that tell of money that went back.
const KINDS: [&str; 2] = ["PAYMENT.CAPTURE.REVERSED", "PAYMENT.CAPTURE.REFUNDED"];

impl Commands {
    /// Looks at a capture that PayPal names.
    pub(crate) async fn follow_capture(&self, intent: &Intent, capture: &Reference) -> Result<(), Error> {
        let paypal = self.paypal()?;
        let captured = in_time(paypal.captured_payment(capture)).await?;
        let Some(CapturedPayment { payment, reference, payee, .. }) = captured else {
            tracing::error!(%capture, "money went back at PayPal of a capture that is not of this shop");
            return Ok(());
        };
        let Some(found) = self.get::<Payment>(payment).await? else { return Ok(()) };
        let opened = found.state.live()?;
        if !paypal.is_payee(opened.registration(&reference), &payee) {
            tracing::error!(%capture, "money went back at PayPal of a capture with another payee than the payment");
            return Ok(());
        }
        if is_captured_as(opened, &reference) {
            return self.look_at_charge(intent, payment).await.map(drop);
        }
        // What the shop releases it asks for itself.
        match opened.stage {
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } | Stage::Authorized(_) => {
                Err(NoAnswer("the payment whose money went back is not captured yet".to_owned()).into())
            }
            Stage::Open
            | Stage::OnDelivery
            | Stage::Captured
            | Stage::Refunded
            | Stage::Failed { .. }
            | Stage::Cancelled
            | Stage::Voided { .. } => Ok(()),
        }
    }

    /// Asks PayPal what went back of the captured charge of a payment and what PayPal keeps, and records what the shop does not know.
    /// Gives what PayPal says; none if PayPal did not capture the payment.
    pub async fn look_at_charge(&self, intent: &Intent, payment: PaymentId) -> Result<Option<ChargeStanding>, Error> {
        self.open()?;
        let Some((reference, standing)) = self.charge_of(payment).await? else { return Ok(None) };
        // A refund of the shop is recorded before PayPal hears of it, so the payment is read after PayPal.
        let Some(now) = self.get::<Payment>(payment).await? else { return Ok(None) };
        if !now.state.live()?.made_elsewhere(Provider::Paypal, &standing.given_back).is_empty() {
            self.follow_disputes_about(intent, &standing.capture).await?;
        }
        let (reference, said) = (&reference, &standing);
        self.run(intent, |unit| async move { record(&unit, payment, reference, said).await }).await?;
        Ok(Some(standing))
    }

    /// Looks at the disputes of the captured charge of a payment: one that the shop has not heard of is why PayPal refuses a refund.
    pub(crate) async fn look_for_disputes(&self, intent: &Intent, payment: PaymentId) -> Result<(), Error> {
        match self.charge_of(payment).await? {
            Some((_, standing)) => self.follow_disputes_about(intent, &standing.capture).await,
            None => Ok(()),
        }
    }

    async fn follow_disputes_about(&self, intent: &Intent, capture: &Reference) -> Result<(), Error> {
        for dispute in in_time(self.paypal()?.disputes_about(capture)).await? {
            self.follow_dispute(intent, &dispute).await?;
        }
        Ok(())
    }

    /// What PayPal has of the captured charge of an order; none if it does not know the charge.
    pub async fn ask_for_charge(&self, order: OrderId) -> Result<Option<Holding>, Error> {
        let Some(payment) = self.payment_of(order).await? else { return Ok(None) };
        Ok(self.charge_of(payment).await?.map(|(reference, it)| holding(&reference, order, &it)))
    }

    /// What PayPal says of the captured charge of a payment, and its attempt; none if PayPal did not capture the payment.
    async fn charge_of(&self, payment: PaymentId) -> Result<Option<(ProviderReference, ChargeStanding)>, Error> {
        let Some(found) = self.get::<Payment>(payment).await? else { return Ok(None) };
        let opened = found.state.live()?;
        let Some(reference) = opened.at_provider().filter(|it| is_captured_as(opened, it)) else { return Ok(None) };
        let attempt = Attempt { reference, registration: opened.registration(reference), payment };
        let standing = in_time(self.paypal()?.charge(attempt)).await?;
        Ok(standing.map(|it| (reference.clone(), it)))
    }

    /// Records what the shop does not know of a charge, and compares it again; none if it is equal then.
    pub async fn settle_charge(&self, intent: &Intent, order: OrderId) -> Result<Option<Difference>, Error> {
        let Some(payment) = self.payment_of(order).await? else { return Ok(None) };
        let standing = self.look_at_charge(intent, payment).await?;
        let Some(found) = self.get::<Payment>(payment).await? else { return Ok(None) };
        let opened = found.state.live()?;
        let Some(reference) = opened.at_provider() else { return Ok(None) };
        let (amount, fee) = (opened.held_at_provider(), Some(opened.fee_of(reference)));
        let ours = Holding { reference: reference.clone(), order: Some(order), amount, fee };
        let theirs = standing.map(|it| holding(reference, order, &it));
        Ok(differences([ours], theirs).into_iter().next())
    }

    async fn payment_of(&self, order: OrderId) -> Result<Option<PaymentId>, Error> {
        let found = self.get::<Order>(order).await?;
        Ok(found.and_then(|found| found.state.live().ok().map(|placed| placed.placement.payment)))
    }

    /// Follows the events about money that went back since a moment: what a lost webhook would have told. Says whether all of them
    /// could be followed.
    pub async fn follow_missed_events(&self, since: DateTime<Utc>) -> Result<bool, Error> {
        let Some(paypal) = &self.connected().paypal else { return Ok(true) };
        let mut is_whole = true;
        for kind in KINDS {
            for hint in in_time(paypal.events(kind, since)).await? {
                let intent = Intent::new(Provider::Paypal.actor(), "payment.hear", self.clock().new_id());
                match self.follow_hint(&intent, &hint).await {
                    // One that cannot be followed now does not hold up the others.
                    Err(error @ (Error::Provider(_) | Error::NotYet(_))) => {
                        tracing::warn!(%error, event = hint.event, "an event of PayPal could not be followed; trying later");
                        is_whole = false;
                    }
                    done => done?,
                }
            }
        }
        Ok(is_whole)
    }
}

/// What PayPal has of a charge.
fn holding(reference: &ProviderReference, order: OrderId, standing: &ChargeStanding) -> Holding {
    Holding { reference: reference.clone(), order: Some(order), amount: standing.kept, fee: standing.fee }
}

/// Records the comparison of a day; one that is recorded already changes nothing.
pub fn record_comparison(
    unit: &Unit,
    reconciliation: &mut Loaded<Reconciliation>,
    comparison: Comparison,
) -> Result<(), Error> {
    unit.decide(reconciliation, &reconciliation::Command::Record(Box::new(comparison)))
}

/// Whether a payment was captured by this attempt at PayPal.
fn is_captured_as(opened: &Opened, reference: &ProviderReference) -> bool {
    let is_at_paypal = Provider::of(reference) == Provider::Paypal;
    opened.was_captured() && is_at_paypal && opened.at_provider() == Some(reference)
}

/// Records what PayPal says of a charge; see [`aftersales::record_made_elsewhere`].
async fn record(
    unit: &Unit,
    id: PaymentId,
    reference: &ProviderReference,
    standing: &ChargeStanding,
) -> Result<(), Error> {
    let mut payment = unit.load::<Payment>(id).await?.exists()?;
    let opened = payment.state.live()?;
    if !opened.made_elsewhere(Provider::Paypal, &standing.given_back).is_empty() {
        let order = unit.load::<Order>(opened.order).await?;
        let mut together = unit.together();
        together.hold(&payment);
        together.hold(&order);
        if let Ok(placed) = order.state.live() {
            together.load_money_back(unit, placed).await?;
        }
        let given_back = &standing.given_back;
        together.decide(|work| aftersales::record_made_elsewhere(work, id, Provider::Paypal, given_back).map(drop))?;
        unit.refresh(&mut payment);
    }
    let Some(total) = standing.fee else { return Ok(()) };
    unit.decide(&mut payment, &Command::RecordFee { reference: reference.clone(), total })
}
