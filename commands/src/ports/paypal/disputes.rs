//! Disputes v1: what buyers claim back, which PayPal decides. The shop reads a dispute before it believes or sends anything.

use byteshop_domain::dispute::Cause;
use byteshop_domain::ids::PaymentId;
use byteshop_domain::money::Money;
use byteshop_domain::payment::ProviderReference;
use byteshop_domain::text::Reference;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::client::{Call, Client, Failure};
use super::wire::{Amount, Payee};
use crate::ports::NoAnswer;

/// Disputes of a page of the list: as many as PayPal gives at once.
const PAGE: usize = 50;
/// Pages that are read at most: more disputes than a shop of this kind has in days.
const PAGES_MAX: usize = 20;
/// What PayPal says of a dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeStanding {
    /// The capture that it is about.
    pub capture: Reference,
    /// What the buyer claims.
    pub amount: Money,
    /// The reason.
    pub cause: Cause,
    /// How far it is.
    pub progress: DisputeProgress,
    /// Until when the shop can answer, if PayPal says so.
    pub respond_by: Option<DateTime<Utc>>,
}

/// How far a dispute at PayPal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisputeProgress {
    /// PayPal waits for an answer of the shop.
    Asks,
    /// PayPal waits for the buyer, or decides.
    Waits,
    /// The shop keeps the money.
    Won,
    /// The buyer got an amount back; all of it if PayPal names none.
    Lost(Option<Money>),
}

/// A captured payment, as PayPal shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturedPayment {
    /// The payment of the shop.
    pub payment: PaymentId,
    /// The attempt.
    pub reference: ProviderReference,
    /// The captured amount.
    pub amount: Money,
    /// The merchant id of the account that has it.
    pub payee: String,
}

#[derive(Deserialize)]
struct Shown {
    dispute_id: String,
    #[serde(default)]
    reason: Reason,
    #[serde(default)]
    status: Status,
    dispute_amount: Amount,
    #[serde(default)]
    disputed_transactions: Vec<Transaction>,
    #[serde(default)]
    seller_response_due_date: Option<DateTime<Utc>>,
    #[serde(default)]
    dispute_outcome: Option<Outcome>,
}

#[derive(Deserialize)]
struct Transaction {
    #[serde(default)]
    seller_transaction_id: Option<String>,
}

#[derive(Deserialize)]
struct Outcome {
    #[serde(default)]
    outcome_code: OutcomeCode,
    #[serde(default)]
    amount_refunded: Option<Amount>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Reason {
    MerchandiseOrServiceNotReceived,
    MerchandiseOrServiceNotAsDescribed,
    Unauthorised,
    CreditNotProcessed,
    DuplicateTransaction,
    IncorrectAmount,
    PaymentByOtherMeans,
    /// Any other, also one that this program does not know.
    #[default]
    #[serde(other)]
    Other,
}

impl From<Reason> for Cause {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::MerchandiseOrServiceNotReceived => Self::NotReceived,
            Reason::MerchandiseOrServiceNotAsDescribed => Self::NotAsDescribed,
            Reason::Unauthorised => Self::Unauthorized,
            Reason::CreditNotProcessed => Self::NotCredited,
            Reason::DuplicateTransaction => Self::Duplicate,
            Reason::IncorrectAmount => Self::WrongAmount,
            Reason::PaymentByOtherMeans => Self::PaidOtherwise,
            Reason::Other => Self::Other,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Status {
    WaitingForSellerResponse,
    Resolved,
    /// Any other, also one that this program does not know.
    #[default]
    #[serde(other)]
    Other,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum OutcomeCode {
    ResolvedBuyerFavour,
    Accepted,
    ResolvedSellerFavour,
    /// PayPal pays the buyer, and the shop keeps its money.
    ResolvedWithPayout,
    CanceledByBuyer,
    Denied,
    /// None yet, or one that this program does not know.
    #[default]
    #[serde(other)]
    None,
}

/// What PayPal says of a dispute.
pub(super) async fn look(client: &Client, id: &Reference) -> Result<DisputeStanding, NoAnswer> {
    let shown: Shown = client.ask(&Call::get(format!("/v1/customer/disputes/{}", named(id.as_str())?))).await?;
    standing(id, &shown)
}

fn standing(id: &Reference, shown: &Shown) -> Result<DisputeStanding, NoAnswer> {
    let differs = |what: &str| NoAnswer(format!("the dispute {id} at PayPal has no {what} that the shop understands"));
    if shown.dispute_id != id.as_str() {
        return Err(differs("id"));
    }
    // The disputes of the shop are about one payment each.
    let [transaction] = shown.disputed_transactions.as_slice() else { return Err(differs("transaction")) };
    let capture = transaction.seller_transaction_id.as_deref().ok_or_else(|| differs("transaction"))?;
    let amount = shown.dispute_amount.money().ok_or_else(|| differs("amount"))?;
    let progress = match (shown.status, &shown.dispute_outcome) {
        (Status::Resolved, Some(outcome)) => outcome.progress(),
        (Status::Resolved, None) | (Status::Other, _) => DisputeProgress::Waits,
        (Status::WaitingForSellerResponse, _) => DisputeProgress::Asks,
    };
    let (cause, respond_by) = (shown.reason.into(), shown.seller_response_due_date);
    Ok(DisputeStanding { capture: named(capture)?, amount, cause, progress, respond_by })
}

impl Outcome {
    fn progress(&self) -> DisputeProgress {
        match self.outcome_code {
            OutcomeCode::ResolvedBuyerFavour | OutcomeCode::Accepted => {
                let amount = self.amount_refunded.as_ref().and_then(Amount::money);
                DisputeProgress::Lost(amount.filter(|amount| amount.amount > 0))
            }
            OutcomeCode::ResolvedSellerFavour
            | OutcomeCode::ResolvedWithPayout
            | OutcomeCode::CanceledByBuyer
            | OutcomeCode::Denied => DisputeProgress::Won,
            OutcomeCode::None => DisputeProgress::Waits,
        }
    }
}

#[derive(Deserialize)]
struct Capture {
    id: String,
    amount: Amount,
    #[serde(default)]
    custom_id: Option<String>,
    #[serde(default)]
    invoice_id: Option<String>,
    #[serde(default)]
    payee: Option<Payee>,
}

/// The payment of a capture; none if it has no ids of a shop.
pub(super) async fn captured(client: &Client, id: &Reference) -> Result<Option<CapturedPayment>, NoAnswer> {
    let shown: Capture = match client.ask(&Call::get(format!("/v2/payments/captures/{}", named(id.as_str())?))).await {
        Ok(shown) => shown,
        Err(Failure::Refused(refusal)) if refusal.is_missing() => return Ok(None),
        Err(failure) => return Err(failure.into()),
    };
    Ok(of_shop(id, &shown))
}

fn of_shop(id: &Reference, shown: &Capture) -> Option<CapturedPayment> {
    if shown.id != id.as_str() {
        return None;
    }
    let payee = shown.payee.as_ref()?.merchant_id.clone()?;
    let payment = shown.custom_id.as_deref()?.parse().ok()?;
    let reference = ProviderReference::new(shown.invoice_id.as_deref()?).ok()?;
    Some(CapturedPayment { payment, reference, amount: shown.amount.money()?, payee })
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    items: Vec<Item>,
    #[serde(default)]
    links: Vec<super::wire::Link>,
}

#[derive(Deserialize)]
struct Item {
    dispute_id: String,
}

/// The disputes that changed since a moment.
pub(super) async fn changed(client: &Client, since: DateTime<Utc>) -> Result<Vec<Reference>, NoAnswer> {
    list(client, &format!("update_time_after={}", since.format("%Y-%m-%dT%H:%M:%S%.3fZ"))).await
}

/// The disputes about a capture.
pub(super) async fn about(client: &Client, capture: &Reference) -> Result<Vec<Reference>, NoAnswer> {
    list(client, &format!("disputed_transaction_id={}", named(capture.as_str())?)).await
}

async fn list(client: &Client, filter: &str) -> Result<Vec<Reference>, NoAnswer> {
    let first = format!("/v1/customer/disputes?{filter}&page_size={PAGE}");
    let (mut path, mut found) = (first.clone(), Vec::new());
    for _ in 0..PAGES_MAX {
        let page: Listed = client.ask(&Call::get(path)).await?;
        found.extend(page.items.iter().filter_map(|item| named(&item.dispute_id).ok()));
        let Some(token) = page.links.iter().find(|link| link.rel == "next").and_then(|link| token_of(&link.href))
        else {
            return Ok(found);
        };
        path = format!("{first}&next_page_token={token}");
    }
    tracing::error!("PayPal lists more disputes than the shop reads at once: the rest is read later");
    Ok(found)
}

/// The token of the next page in a link; only what cannot be mistaken in a path.
fn token_of(link: &str) -> Option<&str> {
    let (_, rest) = link.split_once("next_page_token=")?;
    let token = rest.split('&').next()?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'%' | b'=');
    (!token.is_empty() && token.bytes().all(fits)).then_some(token)
}

/// Gives the buyer what they claim.
pub(super) async fn accept(client: &Client, id: &Reference) -> Result<(), NoAnswer> {
    let path = format!("/v1/customer/disputes/{}/accept-claim", named(id.as_str())?);
    let body = json!({"note": "The shop accepts the claim.", "accept_claim_type": "REFUND"});
    client.ask::<IgnoredAny>(&Call::form(path, body, vec![])).await?;
    Ok(())
}

/// An id of PayPal, which becomes a part of paths.
pub(super) fn named(id: &str) -> Result<Reference, NoAnswer> {
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let id = Reference::new(id).ok().filter(|_| is_id);
    id.ok_or_else(|| NoAnswer("PayPal named a dispute, a capture or a refund in a way that is no id".to_owned()))
}

#[cfg(test)]
mod tests {
    use byteshop_domain::Currency;
    use serde_json::Value;

    use super::*;

    fn shown(status: &str, outcome: &Value) -> Value {
        json!({
            "dispute_id": "PP-R-1",
            "reason": "UNAUTHORISED",
            "status": status,
            "dispute_amount": {"currency_code": "EUR", "value": "5.00"},
            "disputed_transactions": [{"seller_transaction_id": "CAPTURE1"}],
            "dispute_outcome": outcome,
        })
    }

    fn progress(status: &str, outcome: &Value) -> DisputeProgress {
        let read = serde_json::from_value(shown(status, outcome)).unwrap();
        standing(&Reference::new("PP-R-1").unwrap(), &read).unwrap().progress
    }

    #[test]
    fn each_state_of_paypal_has_a_meaning_and_an_unknown_one_is_waited_for() {
        for status in ["OPEN", "UNDER_REVIEW", "WAITING_FOR_BUYER_RESPONSE", "NEWLY_INVENTED"] {
            assert_eq!(progress(status, &Value::Null), DisputeProgress::Waits, "{status}");
        }
        assert_eq!(progress("WAITING_FOR_SELLER_RESPONSE", &Value::Null), DisputeProgress::Asks);
        let code = |code: &str| progress("RESOLVED", &json!({"outcome_code": code}));
        for lost in ["RESOLVED_BUYER_FAVOUR", "ACCEPTED"] {
            assert_eq!(code(lost), DisputeProgress::Lost(None), "{lost}");
        }
        for won in ["RESOLVED_SELLER_FAVOUR", "RESOLVED_WITH_PAYOUT", "CANCELED_BY_BUYER", "DENIED"] {
            assert_eq!(code(won), DisputeProgress::Won, "{won}");
        }
        for unknown in ["NONE", "NEWLY_INVENTED"] {
            assert_eq!(code(unknown), DisputeProgress::Waits, "{unknown}");
        }
        let refunded = json!({"currency_code": "EUR", "value": "3.00"});
        let partly = progress("RESOLVED", &json!({"outcome_code": "ACCEPTED", "amount_refunded": refunded}));
        assert_eq!(partly, DisputeProgress::Lost(Some(Money::new(300, Currency::EUR))));
    }

    #[test]
    fn a_dispute_of_another_id_or_several_transactions_is_not_believed() {
        let of = |shown: Value| standing(&Reference::new("PP-R-1").unwrap(), &serde_json::from_value(shown).unwrap());
        let right = of(shown("OPEN", &Value::Null)).unwrap();
        assert_eq!((right.capture.as_str(), right.cause), ("CAPTURE1", Cause::Unauthorized));
        for (field, value) in [
            ("dispute_id", json!("PP-R-2")),
            ("disputed_transactions", json!([])),
            ("disputed_transactions", json!([{"seller_transaction_id": "A"}, {"seller_transaction_id": "B"}])),
            ("disputed_transactions", json!([{"seller_transaction_id": "../x"}])),
            ("dispute_amount", json!({"currency_code": "EUR", "value": "-5"})),
        ] {
            let mut wrong = shown("OPEN", &Value::Null);
            wrong[field] = value;
            assert!(of(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_capture_is_of_a_shop_if_its_ids_are_and_says_who_was_paid() {
        let payment = "pay_00000000000000000000000001";
        let right = json!({"id": "C1", "amount": {"currency_code": "EUR", "value": "5.00"}, "custom_id": payment,
            "invoice_id": "paypal-1", "payee": {"merchant_id": "M1"}});
        let of =
            |shown: &Value| of_shop(&Reference::new("C1").unwrap(), &serde_json::from_value(shown.clone()).unwrap());
        let it = of(&right).unwrap();
        assert_eq!((it.payment.to_string().as_str(), it.payee.as_str()), (payment, "M1"));
        for (field, value) in [
            ("id", json!("C2")),
            ("custom_id", json!("another shop")),
            ("custom_id", Value::Null),
            ("invoice_id", Value::Null),
            ("payee", json!({})),
            ("payee", Value::Null),
        ] {
            let mut wrong = right.clone();
            wrong[field] = value;
            assert_eq!(of(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_a_token_becomes_a_part_of_a_path() {
        assert_eq!(token_of("https://x/v1/customer/disputes?page_size=50&next_page_token=50"), Some("50"));
        for link in ["https://x/y", "https://x/y?next_page_token=", "https://x/y?next_page_token=a/b"] {
            assert_eq!(token_of(link), None, "{link}");
        }
    }
}
