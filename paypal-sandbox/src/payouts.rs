//! Payouts v1: batches and their items.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::amount::{Amount, Wrong};
use super::books::{Books, link, seconds, text};
use super::fault::{Answer, Fault, Outcome};
use super::orders::ID;
use super::records::{Batch, BatchStatus, Item, ItemStatus};

/// What PayPal takes for a payout, in minor units.
const FEE: i64 = 25;
/// Days for which money without a receiver is held.
const UNCLAIMED_DAYS: i64 = 30;
/// Days for which PayPal knows the caller's id of a batch.
const BATCH_DAYS: i64 = 30;
/// Items of a page, unless the request says otherwise.
const PAGE: usize = 1_000;
/// A batch whose id begins so is denied.
const DENIED: &str = "denied";

impl Books {
    /// Creates a batch, whose items wait.
    pub(super) fn create_payout(&mut self, body: &Value, now: DateTime<Utc>) -> Outcome {
        let header = body["sender_batch_header"].clone();
        let sender_batch_id = text(&header, "/sender_batch_id").filter(|id| !id.is_empty());
        let since = now - TimeDelta::days(BATCH_DAYS);
        let twice =
            |it: &&Batch| it.created > since && sender_batch_id.is_some() && it.sender_batch_id == sender_batch_id;
        if let Some(first) = self.batches.values().find(twice) {
            let at = format!("{}/v1/payments/payouts/{}", self.base, first.id);
            let field = "sender_batch_header.sender_batch_id";
            return Err(Fault::twice(field, "Batch with given sender_batch_id already exists").link("self", at, "GET"));
        }
        let listed = body["items"].as_array().map_or(&[][..], Vec::as_slice);
        if listed.is_empty() {
            return Err(Fault::invalid_v1("items", "at least one item is required"));
        }
        let id = self.new_id(13);
        let mut items: Vec<Item> = Vec::new();
        for (index, requested) in listed.iter().enumerate() {
            let item = self.item(&id, &header, requested, index)?;
            if items.first().is_some_and(|first| !first.amount.is_same_currency(item.amount)) {
                return Err(Fault::invalid_v1(
                    &format!("items[{index}].amount.currency"),
                    "one batch has one currency",
                ));
            }
            items.push(item);
        }
        let batch = Batch {
            id: id.clone(),
            sender_batch_id,
            header,
            items: items.iter().map(|item| item.id.clone()).collect(),
            status: BatchStatus::Pending,
            created: now,
            completed: None,
        };
        self.items.extend(items.into_iter().map(|item| (item.id.clone(), item)));
        self.look_again(now + TimeDelta::seconds(i64::from(self.switches.payout_seconds)), &id);
        let links = [link(format!("{}/v1/payments/payouts/{id}", self.base), "self", "GET")];
        let answer = Answer::new(201, json!({"batch_header": show_header(&batch), "links": links}));
        self.batches.insert(id, batch);
        Ok(answer)
    }

    fn item(&mut self, batch: &str, header: &Value, requested: &Value, index: usize) -> Outcome<Item> {
        let field = |name: &str| format!("items[{index}].{name}");
        let part = |name: &str| text(requested, &format!("/amount/{name}")).unwrap_or_default();
        let wrong = |wrong| match wrong {
            Wrong::Currency => Fault::invalid_v1(&field("amount.currency"), "Currency is not supported"),
            Wrong::Syntax | Wrong::Precision | Wrong::NoDecimals | Wrong::TooLarge => {
                Fault::invalid_v1(&field("amount.value"), "Amount is not valid for its currency")
            }
        };
        let amount = Amount::parse(&part("currency"), &part("value")).map_err(wrong)?;
        if amount.minor <= 0 {
            return Err(wrong(Wrong::Syntax));
        }
        let mut requested = requested.clone();
        let kind = text(&requested, "/recipient_type").or_else(|| text(header, "/recipient_type"));
        let kind = kind.unwrap_or_else(|| "EMAIL".to_owned());
        if !["EMAIL", "PHONE", "PAYPAL_ID"].contains(&kind.as_str()) {
            return Err(Fault::invalid_v1(&field("recipient_type"), "Recipient type is not valid"));
        }
        requested["recipient_type"] = json!(kind);
        requested["amount"] = amount.show_v1();
        Ok(Item {
            id: self.new_id(13),
            batch: batch.to_owned(),
            amount,
            fee: FEE,
            receiver: text(&requested, "/receiver").unwrap_or_default(),
            sender_item_id: text(&requested, "/sender_item_id"),
            requested,
            status: ItemStatus::Pending,
            transaction_id: None,
            processed: None,
        })
    }

    /// Carries out a batch. What becomes of an item follows from how its receiver begins.
    pub(super) fn carry_out(&mut self, id: &str, now: DateTime<Utc>) {
        let Some(batch) = self.batches.get_mut(id).filter(|batch| batch.status == BatchStatus::Pending) else { return };
        let is_denied = batch.sender_batch_id.as_ref().is_some_and(|it| it.starts_with(DENIED));
        batch.status = if is_denied { BatchStatus::Denied } else { BatchStatus::Success };
        batch.completed = Some(now);
        for item in batch.items.clone() {
            let status = match self.items.get(&item) {
                Some(_) if is_denied => ItemStatus::Failed,
                Some(item) => fate(&item.receiver),
                None => continue,
            };
            self.settle_item(&item, status, now);
            if status == ItemStatus::Unclaimed {
                self.look_again(now + TimeDelta::days(UNCLAIMED_DAYS), &item);
            }
        }
        let kind = if is_denied { "PAYMENT.PAYOUTSBATCH.DENIED" } else { "PAYMENT.PAYOUTSBATCH.SUCCESS" };
        if let Some(shown) = self.batches.get(id).map(|batch| json!({"batch_header": self.show_batch_header(batch)})) {
            self.tell(kind, "payouts", "Payouts batch completed", &shown, now);
        }
    }

    /// Returns a payout that was not claimed in time.
    pub(super) fn return_unclaimed(&mut self, id: &str, now: DateTime<Utc>) {
        if self.items.get(id).is_some_and(|item| item.status == ItemStatus::Unclaimed) {
            self.settle_item(id, ItemStatus::Returned, now);
        }
    }

    fn settle_item(&mut self, id: &str, status: ItemStatus, now: DateTime<Utc>) {
        let transaction = self.new_id(ID);
        let Some(item) = self.items.get_mut(id) else { return };
        item.status = status;
        item.processed = Some(now);
        let kind = match status {
            ItemStatus::Pending => return,
            ItemStatus::Success => "PAYMENT.PAYOUTS-ITEM.SUCCEEDED",
            ItemStatus::Unclaimed => "PAYMENT.PAYOUTS-ITEM.UNCLAIMED",
            ItemStatus::Returned => "PAYMENT.PAYOUTS-ITEM.RETURNED",
            ItemStatus::Failed => "PAYMENT.PAYOUTS-ITEM.FAILED",
            ItemStatus::Blocked => "PAYMENT.PAYOUTS-ITEM.BLOCKED",
            ItemStatus::Onhold => "PAYMENT.PAYOUTS-ITEM.HELD",
            ItemStatus::Refunded => "PAYMENT.PAYOUTS-ITEM.REFUNDED",
        };
        match status {
            ItemStatus::Failed | ItemStatus::Blocked => item.fee = 0,
            ItemStatus::Pending
            | ItemStatus::Success
            | ItemStatus::Unclaimed
            | ItemStatus::Returned
            | ItemStatus::Onhold
            | ItemStatus::Refunded => {
                item.transaction_id.get_or_insert(transaction);
            }
        }
        if let Some(shown) = self.items.get(id).map(|item| self.show_item(item, true)) {
            self.tell(kind, "payouts_item", "A payout item changed", &shown, now);
        }
    }

    /// Shows a batch.
    pub(super) fn get_payout(&self, id: &str, query: &[(String, String)]) -> Outcome {
        let batch = self.batches.get(id).ok_or_else(Fault::missing_v1)?;
        let number =
            |name: &str| query.iter().find(|(key, _)| key == name).and_then(|(_, it)| it.parse::<usize>().ok());
        let size = number("page_size").unwrap_or(PAGE).clamp(1, PAGE);
        let page = number("page").unwrap_or(1).max(1);
        let items = batch.items.iter().filter_map(|id| self.items.get(id)).skip((page - 1).saturating_mul(size));
        let items: Vec<Value> = items.take(size).map(|item| self.show_item(item, false)).collect();
        Ok(Answer::new(
            200,
            json!({
                "total_items": batch.items.len(),
                "total_pages": batch.items.len().div_ceil(size),
                "batch_header": self.show_batch_header(batch),
                "items": items,
                "links": [link(format!("{}/v1/payments/payouts/{id}", self.base), "self", "GET")],
            }),
        ))
    }

    /// Shows a payout.
    pub(super) fn get_item(&self, id: &str) -> Outcome {
        let item = self.items.get(id).ok_or_else(Fault::missing_v1)?;
        Ok(Answer::new(200, self.show_item(item, true)))
    }

    /// Takes a payout back that its receiver has not claimed.
    pub(super) fn cancel_item(&mut self, id: &str, now: DateTime<Utc>) -> Outcome {
        let item = self.items.get(id).ok_or_else(Fault::missing_v1)?;
        if item.status != ItemStatus::Unclaimed {
            return Err(Fault::new(400, "ITEM_NOT_CANCELLABLE", "Only an unclaimed payout item can be canceled."));
        }
        self.settle_item(id, ItemStatus::Returned, now);
        self.get_item(id)
    }

    fn show_batch_header(&self, batch: &Batch) -> Value {
        let mut shown = show_header(batch);
        shown["time_created"] = json!(seconds(batch.created));
        if let Some(completed) = batch.completed {
            shown["time_completed"] = json!(seconds(completed));
        }
        shown["funding_source"] = json!("BALANCE");
        let items: Vec<&Item> = batch.items.iter().filter_map(|id| self.items.get(id)).collect();
        if let Some(first) = items.first() {
            shown["amount"] = first.amount.of(items.iter().map(|item| item.amount.minor).sum()).show_v1();
            shown["fees"] = first.amount.of(items.iter().map(|item| item.fee).sum()).show_v1();
        }
        shown
    }

    fn show_item(&self, item: &Item, is_alone: bool) -> Value {
        let mut shown = json!({
            "payout_item_id": item.id,
            "transaction_status": item.status,
            "payout_item_fee": item.amount.of(item.fee).show_v1(),
            "payout_batch_id": item.batch,
            "payout_item": item.requested,
            "links": [
                link(format!("{}/v1/payments/payouts-item/{}", self.base, item.id), "item", "GET"),
                link(format!("{}/v1/payments/payouts/{}", self.base, item.batch), "batch", "GET"),
            ],
        });
        if let Some(id) = &item.transaction_id {
            shown["transaction_id"] = json!(id);
        }
        if let Some(processed) = item.processed {
            shown["time_processed"] = json!(seconds(processed));
        }
        if let Some(id) = self.batches.get(&item.batch).and_then(|it| it.sender_batch_id.as_ref()).filter(|_| is_alone)
        {
            shown["sender_batch_id"] = json!(id);
        }
        let error = match item.status {
            ItemStatus::Failed => Some(("RECEIVER_UNREGISTERED", "Receiver is unregistered")),
            ItemStatus::Blocked => Some(("TRANSACTION_LIMIT_EXCEEDED", "The payout was blocked")),
            ItemStatus::Unclaimed => Some(("RECEIVER_UNCONFIRMED", "Receiver has not claimed the payout")),
            ItemStatus::Pending
            | ItemStatus::Success
            | ItemStatus::Returned
            | ItemStatus::Onhold
            | ItemStatus::Refunded => None,
        };
        if let Some((name, message)) = error {
            shown["errors"] = json!({"name": name, "message": message, "debug_id": item.id});
        }
        shown
    }
}

fn show_header(batch: &Batch) -> Value {
    json!({"payout_batch_id": batch.id, "batch_status": batch.status, "sender_batch_header": batch.header})
}

/// What becomes of a payout.
fn fate(receiver: &str) -> ItemStatus {
    let fates = [
        ("unclaimed", ItemStatus::Unclaimed),
        ("failed", ItemStatus::Failed),
        ("blocked", ItemStatus::Blocked),
        ("onhold", ItemStatus::Onhold),
        ("refunded", ItemStatus::Refunded),
    ];
    fates.iter().find(|(start, _)| receiver.starts_with(start)).map_or(ItemStatus::Success, |(_, status)| *status)
}
