//! Orders v2: an order is created, approved by its buyer at PayPal's page, and then captured or authorized by the shop.

use byteshop_domain::payment::{CaptureMode, DeclineReason, ProviderOutcome, Registration};
use byteshop_domain::text::{Link, Reference};
use chrono::{DateTime, TimeDelta, Utc};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::amount;
use super::client::{Call, Client, Failure, Refusal};
use super::standing::{self, Standing};
use super::wire::{Intent, Order};
use crate::ports::{Attempt, Begun, Charge, NoAnswer};

/// The first pause before an order that waits for its buyer is looked up; it grows with the age of the order.
const FIRST_LOOK: TimeDelta = TimeDelta::seconds(5);
/// The longest pause: a notification that was lost is made up for within it.
const LAST_LOOK: TimeDelta = TimeDelta::minutes(5);
/// How long an order may wait for its buyer. PayPal lets orders expire that were not approved within three hours.
const WAITS_FOR: TimeDelta = TimeDelta::hours(6);
/// Reasons of PayPal that mean that the buyer has not approved the order yet.
const NOT_APPROVED: [&str; 2] = ["ORDER_NOT_APPROVED", "PAYER_ACTION_REQUIRED"];
/// Reasons of PayPal that mean that the buyer's means of payment was declined.
const DECLINED: [&str; 9] = [
    "INSTRUMENT_DECLINED",
    "TRANSACTION_REFUSED",
    "TRANSACTION_BLOCKED_BY_PAYEE",
    "TRANSACTION_LIMIT_EXCEEDED",
    "PAYER_CANNOT_PAY",
    "PAYER_ACCOUNT_RESTRICTED",
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
    "CARD_EXPIRED",
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED",
];

/// What happens with an order that its buyer has not approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unapproved {
    /// It is waited for.
    Waits,
    /// It is given up.
    GivenUp,
}

/// Creates the order of a charge; its buyer approves it at the page that the answer names.
pub(super) async fn create(client: &Client, charge: Charge<'_>, now: DateTime<Utc>) -> Result<Begun, NoAnswer> {
    let Ok(value) = amount::write(charge.amount) else { return Ok(Begun::ended(ProviderOutcome::Failed)) };
    let call =
        Call::post("/v2/checkout/orders".to_owned(), charge.reference.to_string(), new_order(client, charge, &value));
    let order: Order = match client.ask(&call).await {
        Ok(order) => order,
        Err(Failure::Refused(refusal)) => {
            tracing::error!(%refusal, payment = %charge.payment, "PayPal refused to create an order");
            return Ok(Begun::ended(ProviderOutcome::Failed));
        }
        Err(failure) => return Err(failure.into()),
    };
    let page = order.links.iter().find(|link| matches!(link.rel.as_str(), "payer-action" | "approve"));
    let page = page.filter(|link| is_page(&link.href, &client.account().url));
    let page = page.and_then(|link| Link::new(&link.href).ok());
    // The id becomes a part of paths.
    let id = Some(&order.id).filter(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let (Some(Ok(id)), Some(page)) = (id.map(|id| Reference::new(id)), page) else {
        return Err(NoAnswer("the order that PayPal created has no page for its buyer".to_owned()));
    };
    let registration = Registration { id, amount: charge.amount, page: Some(page) };
    let attempt = Attempt { reference: charge.reference, registration: Some(&registration), payment: charge.payment };
    standing::check(&order, attempt, &order.id, charge.amount, &client.account().merchant_id)?;
    let outcome = ProviderOutcome::Pending { check_at: now + FIRST_LOOK };
    Ok(Begun { outcome, registration: Some(registration) })
}

/// Whether a link leads to a page of PayPal that a browser can open: over HTTPS, or at the stand-in that the shop is connected to.
fn is_page(link: &str, provider: &str) -> bool {
    link.starts_with("https://") || link.strip_prefix(provider).is_some_and(|rest| rest.starts_with('/'))
}

/// The order of a charge, as PayPal wants it.
fn new_order(client: &Client, charge: Charge<'_>, value: &str) -> Value {
    let intent = match charge.capture {
        CaptureMode::Automatic => "CAPTURE",
        CaptureMode::Manual => "AUTHORIZE",
    };
    json!({
        "intent": intent,
        "purchase_units": [{
            "amount": {"currency_code": charge.amount.currency.code(), "value": value},
            "payee": {"merchant_id": client.account().merchant_id},
            "custom_id": charge.payment,
            "invoice_id": charge.reference,
        }],
        "payment_source": {"paypal": {"experience_context": {
            "return_url": charge.back.approved,
            "cancel_url": charge.back.left,
            // The goods are sent to the address of the order, whatever PayPal knows of its customer.
            "shipping_preference": "NO_SHIPPING",
            "user_action": "PAY_NOW",
        }}},
    })
}

/// Reads the order of an attempt, and makes sure that it is that of the attempt.
pub(super) async fn read(client: &Client, attempt: Attempt<'_>, registration: &Registration) -> Result<Order, Failure> {
    let id = registration.id.as_str();
    let order: Order = client.ask(&Call::get(format!("/v2/checkout/orders/{id}"))).await?;
    let checked = standing::check(&order, attempt, id, registration.amount, &client.account().merchant_id);
    if let Err(failure) = checked {
        tracing::error!(%failure, order = id, payment = %attempt.payment, "no money is moved");
        return Err(failure);
    }
    Ok(order)
}

/// Looks an attempt up; what its buyer has approved is carried out if `carries_out`.
pub(super) async fn find(
    client: &Client,
    attempt: Attempt<'_>,
    unapproved: Unapproved,
    carries_out: bool,
    now: DateTime<Utc>,
) -> Result<ProviderOutcome, NoAnswer> {
    // Without an id no buyer has seen its page, so it was never approved.
    let Some(registration) = attempt.registration else { return Ok(ProviderOutcome::NotFound) };
    let order = match read(client, attempt, registration).await {
        Ok(order) => order,
        // PayPal forgets orders that were not approved.
        Err(Failure::Refused(refusal)) if refusal.is_missing() => return Ok(ProviderOutcome::Cancelled),
        Err(failure) => return Err(failure.into()),
    };
    if carries_out && matches!(Standing::of(&order), Standing::Approved) {
        return Ok(carry_out(client, attempt, registration, &order, unapproved, now).await?);
    }
    Ok(outcome(&order, unapproved, now))
}

/// Captures or authorizes an approved order. What happened is read from PayPal again, whatever it answers.
async fn carry_out(
    client: &Client,
    attempt: Attempt<'_>,
    registration: &Registration,
    order: &Order,
    unapproved: Unapproved,
    now: DateTime<Utc>,
) -> Result<ProviderOutcome, Failure> {
    let action = match order.intent {
        Some(Intent::Authorize) => "authorize",
        Some(Intent::Capture) | None => "capture",
    };
    let path = format!("/v2/checkout/orders/{}/{action}", registration.id);
    let call = Call::post(path, format!("{}-{action}", attempt.reference), json!({}));
    let refusal = match client.ask::<IgnoredAny>(&call).await {
        Ok(_) => None,
        Err(Failure::Refused(refusal)) if refusal.is_about_money() => Some(refusal),
        Err(failure) => return Err(failure),
    };
    let order = read(client, attempt, registration).await?;
    let is_untouched = matches!(Standing::of(&order), Standing::Waiting | Standing::Approved);
    Ok(match refusal {
        Some(refusal) if is_untouched => refused(&refusal, &order, unapproved, now),
        None if is_untouched => look_again(&order, now),
        Some(_) | None => outcome(&order, unapproved, now),
    })
}

/// The outcome of an attempt, as its order stands.
fn outcome(order: &Order, unapproved: Unapproved, now: DateTime<Utc>) -> ProviderOutcome {
    match Standing::of(order) {
        Standing::Waiting | Standing::Approved if unapproved == Unapproved::GivenUp => ProviderOutcome::Cancelled,
        Standing::Waiting if order.create_time.is_some_and(|created| created + WAITS_FOR <= now) => {
            ProviderOutcome::Cancelled
        }
        Standing::Waiting | Standing::Approved | Standing::Reviewed => look_again(order, now),
        Standing::Authorized(_) | Standing::Captured(_) => ProviderOutcome::Authorized,
        Standing::Declined => ProviderOutcome::Declined { reason: DeclineReason::Declined },
        Standing::Over => ProviderOutcome::Cancelled,
    }
}

/// An order is looked up less and less often, the longer it takes.
fn look_again(order: &Order, now: DateTime<Utc>) -> ProviderOutcome {
    let age = order.create_time.map_or(FIRST_LOOK, |created| now - created);
    ProviderOutcome::Pending { check_at: now + age.clamp(FIRST_LOOK, LAST_LOOK) }
}

/// The outcome of an attempt whose order PayPal refused to carry out.
fn refused(refusal: &Refusal, order: &Order, unapproved: Unapproved, now: DateTime<Utc>) -> ProviderOutcome {
    let issue = refusal.issue.as_str();
    if NOT_APPROVED.contains(&issue) {
        return outcome(order, unapproved, now);
    }
    if DECLINED.contains(&issue) {
        return ProviderOutcome::Declined { reason: DeclineReason::Declined };
    }
    tracing::warn!(%refusal, order = order.id, "PayPal refused to carry out an order");
    ProviderOutcome::Failed
}
