//! Payouts v1: a payout is a batch with one item, under the id of the payout.
//!
//! PayPal refuses a second batch under an id that it knows, and names the first one: so sending again finds what was sent before.

use byteshop_domain::ids::PayoutId;
use byteshop_domain::money::Money;
use byteshop_domain::payout::Failure;
use byteshop_domain::text::Reference;
use serde::Deserialize;
use serde_json::json;

use super::amount;
use super::client::{Call, Client, Failure as NoResult};
use crate::ports::NoAnswer;

/// What PayPal says to a payout that is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentPayout {
    /// It has the payout, now or from before, under this name.
    Has(Reference),
    /// It refuses the payout.
    Refused,
}

/// What became of a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayoutStanding {
    /// PayPal has not carried it out yet.
    Undecided,
    /// The receiver has the money; PayPal calls the transfer so.
    Paid(Reference),
    /// The receiver does not have the money, and the shop has it again.
    Failed(Failure),
}

/// A batch, as PayPal shows it.
#[derive(Debug, Deserialize)]
struct Batch {
    batch_header: Header,
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Header {
    payout_batch_id: String,
    batch_status: BatchStatus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum BatchStatus {
    New,
    Pending,
    Processing,
    Success,
    Denied,
    Canceled,
    /// One that this program does not know.
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Deserialize)]
struct Item {
    #[serde(rename = "payout_item_id")]
    id: String,
    transaction_status: ItemStatus,
    #[serde(default)]
    transaction_id: Option<String>,
    #[serde(rename = "payout_item")]
    asked: Asked,
}

/// What was asked for.
#[derive(Debug, Deserialize)]
struct Asked {
    amount: Amount,
    #[serde(default)]
    sender_item_id: Option<String>,
}

/// An amount of version 1.
#[derive(Debug, Deserialize)]
struct Amount {
    currency: String,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ItemStatus {
    Success,
    Failed,
    Pending,
    Unclaimed,
    Returned,
    Onhold,
    Blocked,
    Refunded,
    Reversed,
    /// One that this program does not know.
    #[serde(other)]
    Unknown,
}

/// Sends a payout, unless PayPal has it.
pub(super) async fn send(client: &Client, id: PayoutId, amount: Money, email: &str) -> Result<SentPayout, NoAnswer> {
    let Ok(value) = amount::write(amount) else { return Ok(SentPayout::Refused) };
    let item = json!({
        "recipient_type": "EMAIL",
        "receiver": email,
        "amount": {"value": value, "currency": amount.currency.code()},
        "sender_item_id": id,
    });
    let body = json!({"sender_batch_header": {"sender_batch_id": id}, "items": [item]});
    let call = Call::post("/v1/payments/payouts".to_owned(), id.to_string(), body);
    let batch = match client.ask::<Created>(&call).await {
        Ok(created) => created.batch_header.payout_batch_id,
        Err(NoResult::Refused(refusal)) => {
            let Some(batch) = refusal.existing.clone() else {
                tracing::error!(%refusal, payout = %id, "PayPal refused a payout");
                return Ok(SentPayout::Refused);
            };
            batch
        }
        Err(failure) => return Err(failure.into()),
    };
    named(&batch).map(SentPayout::Has)
}

#[derive(Debug, Deserialize)]
struct Created {
    batch_header: Header,
}

/// What became of a payout. What its receiver has not claimed is taken back: no account at PayPal has this address.
pub(super) async fn look(
    client: &Client,
    id: PayoutId,
    batch: &Reference,
    amount: Money,
) -> Result<PayoutStanding, NoAnswer> {
    let found: Batch = client.ask(&Call::get(format!("/v1/payments/payouts/{batch}"))).await?;
    if matches!(found.batch_header.batch_status, BatchStatus::Denied | BatchStatus::Canceled) {
        return Ok(PayoutStanding::Failed(Failure::Refused));
    }
    let is_ours = |item: &&Item| item.asked.sender_item_id.as_deref() == Some(id.to_string().as_str());
    let Some(item) = found.items.iter().find(is_ours) else { return Ok(PayoutStanding::Undecided) };
    let asked = &item.asked.amount;
    if amount::read(&asked.value, &asked.currency) != Some(amount) {
        return Err(NoAnswer("the payout at PayPal differs from the payout of the shop in its amount".to_owned()));
    }
    if item.transaction_status == ItemStatus::Unclaimed {
        return take_back(client, &item.id).await;
    }
    standing(item)
}

async fn take_back(client: &Client, item: &str) -> Result<PayoutStanding, NoAnswer> {
    let item = named(item)?;
    let call = Call::command(format!("/v1/payments/payouts-item/{item}/cancel"));
    // Should the receiver claim it at this moment, PayPal refuses, and the next look says so.
    let returned: Item = client.ask(&call).await?;
    match returned.transaction_status {
        ItemStatus::Returned => Ok(PayoutStanding::Failed(Failure::Unclaimed)),
        ItemStatus::Success
        | ItemStatus::Failed
        | ItemStatus::Pending
        | ItemStatus::Unclaimed
        | ItemStatus::Onhold
        | ItemStatus::Blocked
        | ItemStatus::Refunded
        | ItemStatus::Reversed
        | ItemStatus::Unknown => Ok(PayoutStanding::Undecided),
    }
}

fn standing(item: &Item) -> Result<PayoutStanding, NoAnswer> {
    Ok(match item.transaction_status {
        ItemStatus::Success => {
            let transaction = item.transaction_id.as_deref().unwrap_or(&item.id);
            PayoutStanding::Paid(named(transaction)?)
        }
        ItemStatus::Failed => PayoutStanding::Failed(Failure::Refused),
        ItemStatus::Blocked => PayoutStanding::Failed(Failure::Blocked),
        ItemStatus::Returned | ItemStatus::Refunded | ItemStatus::Reversed => PayoutStanding::Failed(Failure::SentBack),
        ItemStatus::Pending | ItemStatus::Onhold | ItemStatus::Unclaimed | ItemStatus::Unknown => {
            PayoutStanding::Undecided
        }
    })
}

/// An id of PayPal, which becomes a part of paths.
fn named(id: &str) -> Result<Reference, NoAnswer> {
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let id = Reference::new(id).ok().filter(|_| is_id);
    id.ok_or_else(|| NoAnswer("PayPal named a payout in a way that is no id".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(status: &str) -> Item {
        let shown = json!({
            "payout_item_id": "ITEM1",
            "transaction_id": "TRANSACTION1",
            "transaction_status": status,
            "payout_item": {"amount": {"value": "5.00", "currency": "EUR"}, "sender_item_id": "pyt_1"},
        });
        serde_json::from_value(shown).unwrap()
    }

    #[test]
    fn each_status_of_paypal_has_a_meaning_and_an_unknown_one_is_asked_again() {
        let of = |status: &str| standing(&item(status)).unwrap();
        assert_eq!(of("SUCCESS"), PayoutStanding::Paid(Reference::new("TRANSACTION1").unwrap()));
        assert_eq!(of("FAILED"), PayoutStanding::Failed(Failure::Refused));
        assert_eq!(of("BLOCKED"), PayoutStanding::Failed(Failure::Blocked));
        for status in ["RETURNED", "REFUNDED", "REVERSED"] {
            assert_eq!(of(status), PayoutStanding::Failed(Failure::SentBack), "{status}");
        }
        for status in ["PENDING", "ONHOLD", "UNCLAIMED", "NEWLY_INVENTED"] {
            assert_eq!(of(status), PayoutStanding::Undecided, "{status}");
        }
    }

    #[test]
    fn only_an_id_becomes_a_part_of_a_path() {
        assert!(named("5UXD2E8A7EBQJ").is_ok());
        for id in ["", "../x", "a b", "é"] {
            assert!(named(id).is_err(), "{id}");
        }
    }
}
