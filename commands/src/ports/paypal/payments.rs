//! Payments v2: an authorized amount is captured or voided, and a captured one is refunded.
//!
//! Each reads the order first and sends only what has not happened, and reads it again when PayPal refuses.

use byteshop_domain::ids::RefundId;
use byteshop_domain::money::Money;
use byteshop_domain::payment::{self, Registration};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::client::{Call, Client, Failure};
use super::standing::{self, RefundStanding, Standing};
use super::wire::{Amount, Order, Refund};
use super::{amount, orders};
use crate::ports::{Attempt, NoAnswer, NotAccepted, RefundAnswer};

/// Captures the authorized amount of an attempt, unless that is done. Gives what PayPal keeps of it.
pub(super) async fn capture(client: &Client, attempt: Attempt<'_>) -> Result<Option<Money>, NoAnswer> {
    let registration = registered(attempt)?;
    let order = orders::read(client, attempt, registration).await?;
    let collected = |order: &Order| is_collected(order).map(|()| standing::fee(order, registration));
    let Standing::Authorized(authorization) = Standing::of(&order) else { return collected(&order) };
    let amount = amount::object(registration.amount).map_err(|error| NoAnswer(error.to_string()))?;
    let call = Call::post(
        format!("/v2/payments/authorizations/{}/capture", authorization.id),
        format!("{}-collect", attempt.reference),
        json!({"amount": amount, "final_capture": true}),
    );
    match client.ask::<IgnoredAny>(&call).await {
        // What is true is what PayPal says of the order.
        Ok(_) => collected(&orders::read(client, attempt, registration).await?),
        Err(Failure::Refused(refusal)) => {
            collected(&orders::read(client, attempt, registration).await?).map_err(|_| NoAnswer(refusal.to_string()))
        }
        Err(failure) => Err(failure.into()),
    }
}

/// Voids or refunds all that PayPal holds for an attempt. Gives what PayPal keeps all the same.
pub(super) async fn release(client: &Client, attempt: Attempt<'_>) -> Result<Option<Money>, NoAnswer> {
    // Without an id no buyer has seen its page, so nothing is held.
    let Some(registration) = attempt.registration else { return Ok(None) };
    let order = match orders::read(client, attempt, registration).await {
        Ok(order) => order,
        Err(Failure::Refused(refusal)) if refusal.is_missing() => return Ok(None),
        Err(failure) => return Err(failure.into()),
    };
    match Standing::of(&order) {
        Standing::Waiting | Standing::Approved | Standing::Declined | Standing::Over => Ok(None),
        Standing::Reviewed => Err(NoAnswer("PayPal has not decided about the payment yet".to_owned())),
        Standing::Authorized(authorization) => {
            let path = format!("/v2/payments/authorizations/{}/void", authorization.id);
            // If it was voided or captured meanwhile, PayPal refuses, and the next look says which.
            client
                .ask::<IgnoredAny>(&Call::command(path).for_payee(registration))
                .await
                .map(|_| None)
                .map_err(NoAnswer::from)
        }
        Standing::Captured(_) => {
            let left = standing::left(&order, registration.amount);
            let left = left.map_err(|error| NoAnswer(error.to_string()))?;
            if left.amount <= 0 {
                let is_decided = !standing::has_pending_refund(&order);
                let fee = standing::fee(&order, registration);
                return is_decided.then_some(fee).ok_or_else(undecided);
            }
            // Under the key of the refund of all that is left, so that both are one, should the shop request that as well.
            let whole = payment::whole(attempt.payment);
            match refund(client, attempt, whole, left).await? {
                RefundAnswer::Made { fee } => Ok(fee),
                RefundAnswer::Refused => Err(NoAnswer("PayPal refused to refund the payment".to_owned())),
            }
        }
    }
}

/// Refunds an amount, unless that is done.
pub(super) async fn refund(
    client: &Client,
    attempt: Attempt<'_>,
    id: RefundId,
    amount: Money,
) -> Result<RefundAnswer, NoAnswer> {
    let registration = registered(attempt)?;
    let kept = |order: &Order| standing::fee(order, registration);
    let order = orders::read(client, attempt, registration).await?;
    if let Some(standing) = standing::refund_of(&order, id) {
        return concluded(standing, kept(&order));
    }
    let Standing::Captured(capture) = Standing::of(&order) else {
        return Err(NoAnswer("the order at PayPal is not captured".to_owned()));
    };
    let body = match body_of(attempt, registration, id, amount) {
        Ok(body) => body,
        // It will never be able to: staff settles it.
        Err(error) => {
            tracing::warn!(%error, payment = %attempt.payment, refund = %id, "PayPal cannot make a refund");
            return Ok(RefundAnswer::Refused);
        }
    };
    // A refund of all that is left has the same id for each attempt of a payment.
    let key = format!("{id}-{}", capture.id);
    let call = Call::post(format!("/v2/payments/captures/{}/refund", capture.id), key, body);
    match client.ask::<Refund>(&call.for_payee(registration)).await {
        Ok(made) => {
            let back = made.breakdown.paypal_fee.as_ref().and_then(Amount::money);
            let fee = kept(&order).map(|kept| back.and_then(|back| kept.minus(back).ok()).unwrap_or(kept));
            concluded(standing::standing_of(made.status), fee)
        }
        Err(Failure::Refused(refusal)) if refusal.is_about_money() => {
            let order = orders::read(client, attempt, registration).await?;
            if let Some(standing) = standing::refund_of(&order, id) {
                return concluded(standing, kept(&order));
            }
            tracing::warn!(%refusal, payment = %attempt.payment, refund = %id, "PayPal refused a refund");
            Ok(RefundAnswer::Refused)
        }
        Err(failure) => Err(failure.into()),
    }
}

/// A refund as PayPal wants it, with what the house gives back of its fee.
fn body_of(
    attempt: Attempt<'_>,
    registration: &Registration,
    id: RefundId,
    amount: Money,
) -> Result<Value, NotAccepted> {
    let mut body = json!({"amount": amount::object(amount)?, "custom_id": attempt.payment, "invoice_id": id});
    if let Some(back) = registration.fee_back(amount).filter(|back| back.amount > 0) {
        body["payment_instruction"] = json!({"platform_fees": [{"amount": amount::object(back)?}]});
    }
    Ok(body)
}

/// What PayPal calls an attempt whose money moved.
fn registered(attempt: Attempt<'_>) -> Result<&Registration, NoAnswer> {
    attempt.registration.ok_or_else(|| NoAnswer("the shop does not know the order at PayPal".to_owned()))
}

fn undecided() -> NoAnswer {
    NoAnswer("PayPal has not decided about the refund yet".to_owned())
}

/// Whether a refund was made.
fn concluded(standing: RefundStanding, fee: Option<Money>) -> Result<RefundAnswer, NoAnswer> {
    match standing {
        RefundStanding::Done => Ok(RefundAnswer::Made { fee }),
        RefundStanding::Refused => Ok(RefundAnswer::Refused),
        RefundStanding::Pending => Err(undecided()),
    }
}

/// Whether the amount of an order is captured.
fn is_collected(order: &Order) -> Result<(), NoAnswer> {
    match Standing::of(order) {
        Standing::Captured(_) => Ok(()),
        standing @ (Standing::Waiting
        | Standing::Approved
        | Standing::Reviewed
        | Standing::Authorized(_)
        | Standing::Declined
        | Standing::Over) => Err(NoAnswer(format!("the order at PayPal is not captured: {}", name(standing)))),
    }
}

fn name(standing: Standing<'_>) -> &'static str {
    match standing {
        Standing::Waiting => "not approved",
        Standing::Approved => "approved",
        Standing::Reviewed => "under review",
        Standing::Authorized(_) => "authorized",
        Standing::Captured(_) => "captured",
        Standing::Declined => "declined",
        Standing::Over => "voided",
    }
}
