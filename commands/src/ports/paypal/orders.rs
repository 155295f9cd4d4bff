//! Orders v2: an order is created, approved by its buyer at PayPal's page, and then captured or authorized by the shop.

use byteshop_domain::payment::{CaptureMode, DeclineReason, Direct, ProviderOutcome, Registration};
use byteshop_domain::text::{Link, Reference};
use chrono::{DateTime, TimeDelta, Utc};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::amount;
use super::client::{Call, Client, Failure, Refusal};
use super::standing::{self, Standing};
use super::wire::{Intent, Order};
use crate::ports::{Attempt, Begun, Charge, NoAnswer, NotAccepted};

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
    let direct = charge.direct.filter(|direct| amount::write(direct.fee).is_ok());
    if let Some(direct) = direct {
        match try_to_create(client, charge, Some(direct), now).await {
            // The account of the seller cannot be paid, or that of the house may not have others paid: the house is paid.
            Err(Failure::Refused(refusal)) => {
                tracing::warn!(%refusal, payment = %charge.payment, seller = %direct.seller, "PayPal refused to pay a seller");
            }
            created => return Ok(created?),
        }
    }
    match try_to_create(client, charge, None, now).await {
        Err(Failure::Refused(refusal)) => {
            tracing::error!(%refusal, payment = %charge.payment, "PayPal refused to create an order");
            Ok(Begun::ended(ProviderOutcome::Failed))
        }
        created => Ok(created?),
    }
}

/// Creates the order of a charge that is paid to a seller, or else to the house.
async fn try_to_create(
    client: &Client,
    charge: Charge<'_>,
    direct: Option<&Direct>,
    now: DateTime<Utc>,
) -> Result<Begun, Failure> {
    let Ok(body) = new_order(client, charge, direct) else { return Ok(Begun::ended(ProviderOutcome::Failed)) };
    // PayPal keeps keys of refused requests, too.
    let key = if direct.is_some() { format!("{}-direct", charge.reference) } else { charge.reference.to_string() };
    let order: Order = client.ask(&Call::post("/v2/checkout/orders".to_owned(), key, body)).await?;
    let page = order.links.iter().find(|link| matches!(link.rel.as_str(), "payer-action" | "approve"));
    let page = page.filter(|link| is_page(&link.href, &client.account().url));
    let page = page.and_then(|link| Link::new(&link.href).ok());
    // The id becomes a part of paths.
    let id = Some(&order.id).filter(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let (Some(Ok(id)), Some(page)) = (id.map(|id| Reference::new(id)), page) else {
        return Err(Failure::Differs("page"));
    };
    let registration = Registration { id, amount: charge.amount, page: Some(page), direct: direct.cloned() };
    let attempt = Attempt { reference: charge.reference, registration: Some(&registration), payment: charge.payment };
    standing::check(&order, attempt, &order.id, charge.amount, payee(client, &registration))?;
    let outcome = ProviderOutcome::Pending { check_at: now + FIRST_LOOK };
    Ok(Begun { outcome, registration: Some(registration) })
}

/// Whether a link leads to a page of PayPal that a browser can open: over HTTPS, or at the stand-in that the shop is connected to.
fn is_page(link: &str, provider: &str) -> bool {
    link.starts_with("https://") || link.strip_prefix(provider).is_some_and(|rest| rest.starts_with('/'))
}

/// The order of a charge, as PayPal wants it.
fn new_order(client: &Client, charge: Charge<'_>, direct: Option<&Direct>) -> Result<Value, NotAccepted> {
    let intent = match charge.capture {
        CaptureMode::Automatic => "CAPTURE",
        CaptureMode::Manual => "AUTHORIZE",
    };
    let payee = direct.map_or(client.account().merchant_id.as_str(), |direct| direct.account.as_str());
    let mut unit = json!({
        "amount": amount::object(charge.amount)?,
        "payee": {"merchant_id": payee},
        "custom_id": charge.payment,
        "invoice_id": charge.reference,
    });
    if let Some(fee) = direct.map(|direct| direct.fee).filter(|fee| fee.amount > 0) {
        let fees = json!([{"amount": amount::object(fee)?}]);
        unit["payment_instruction"] = json!({"disbursement_mode": "INSTANT", "platform_fees": fees});
    }
    Ok(json!({
        "intent": intent,
        "purchase_units": [unit],
        "payment_source": {"paypal": {"experience_context": {
            "return_url": charge.back.approved,
            "cancel_url": charge.back.left,
            // The goods are sent to the address of the order, whatever PayPal knows of its customer.
            "shipping_preference": "NO_SHIPPING",
            "user_action": "PAY_NOW",
        }}},
    }))
}

/// The account that an attempt is paid to.
pub(super) fn payee<'a>(client: &'a Client, registration: &'a Registration) -> &'a str {
    let own = client.account().merchant_id.as_str();
    registration.direct.as_ref().map_or(own, |direct| direct.account.as_str())
}

/// Reads the order of an attempt, and makes sure that it is that of the attempt.
pub(super) async fn read(client: &Client, attempt: Attempt<'_>, registration: &Registration) -> Result<Order, Failure> {
    let id = registration.id.as_str();
    let order: Order = client.ask(&Call::get(format!("/v2/checkout/orders/{id}"))).await?;
    let checked = standing::check(&order, attempt, id, registration.amount, payee(client, registration));
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
    let refusal = match client.ask::<IgnoredAny>(&call.for_payee(registration)).await {
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
