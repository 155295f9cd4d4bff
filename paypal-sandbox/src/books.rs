//! The books of the sandbox: everything that it knows, without a clock or a source of chance.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Value, json};

use super::dice::{Chance, roll};
use super::fault::Answer;
use super::operation::Operation;
use super::records::{Authorization, Batch, Capture, Dispute, Item, Order, Refund};
use super::switches::Switches;

/// Letters of ids: those that PayPal uses for accounts, which are hard to confuse.
const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// An event: what webhooks tell.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Event {
    /// The id.
    pub id: String,
    /// The event as PayPal shows it.
    pub body: Value,
    /// When it happened.
    pub created: DateTime<Utc>,
}

/// A webhook: where events are sent.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Webhook {
    /// The id, which is a part of every signature.
    pub id: String,
    /// The address.
    pub url: String,
    /// The names of its events, or `*`.
    pub event_types: Vec<String>,
}

/// An event on its way to a webhook.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Delivery {
    /// The number of the delivery.
    pub number: u64,
    /// The event.
    pub event: String,
    /// The webhook.
    pub webhook: String,
    /// Attempts that failed.
    pub failed: u32,
}

/// A response that is given again to the same request.
#[derive(Debug, Clone)]
pub(super) struct Remembered {
    /// The request.
    pub request: Value,
    /// Its first response.
    pub answer: Answer,
    /// Until when.
    pub until: DateTime<Utc>,
}

/// The name of a remembered request: the operation, the id in the path, and the `PayPal-Request-Id`.
pub(super) type RequestName = (Operation, String, String);

/// The books.
#[derive(Debug, Clone, Default)]
pub(super) struct Books {
    /// Where chance starts.
    pub seed: u64,
    /// How many ids were given.
    pub ids: u64,
    /// The address of the sandbox, without a slash at its end.
    pub base: String,
    /// The account of a payment that names none.
    pub merchant: String,
    /// Seconds that the clock of the sandbox is ahead.
    pub ahead_seconds: i64,
    /// The switches.
    pub switches: Switches,
    /// Orders by id.
    pub orders: IndexMap<String, Order>,
    /// Authorizations by id.
    pub authorizations: IndexMap<String, Authorization>,
    /// Captures by id.
    pub captures: IndexMap<String, Capture>,
    /// Refunds and reversals by id.
    pub refunds: IndexMap<String, Refund>,
    /// Batches of payouts by id.
    pub batches: IndexMap<String, Batch>,
    /// Payouts by id.
    pub items: IndexMap<String, Item>,
    /// The order that each invoice of a caller belongs to, once it is authorized or captured.
    pub invoices: BTreeMap<String, String>,
    /// Disputes by id.
    pub disputes: IndexMap<String, Dispute>,
    /// Webhooks by id.
    pub webhooks: IndexMap<String, Webhook>,
    /// Events by id.
    pub events: IndexMap<String, Event>,
    /// How many deliveries there were.
    pub delivery_count: u64,
    /// Deliveries that are still to be made, by the time when they are due.
    pub pending: BTreeMap<(DateTime<Utc>, u64), Delivery>,
    /// What happens by itself: the time, and the id of a batch, a payout, an authorization or a dispute.
    pub due: BTreeMap<(DateTime<Utc>, u64), String>,
    /// Responses that are given again.
    pub remembered: BTreeMap<RequestName, Remembered>,
}

impl Books {
    /// A new id.
    pub(super) fn new_id(&mut self, length: usize) -> String {
        self.ids += 1;
        let letter = |index: u64| {
            let place = roll(self.seed, Chance::Id, self.ids * 64 + index, 32);
            char::from(LETTERS[usize::try_from(place).unwrap_or_default()])
        };
        (0_u64..).take(length).map(letter).collect()
    }

    /// Notes that something is to be looked at again at a time.
    pub(super) fn look_again(&mut self, at: DateTime<Utc>, id: &str) {
        self.ids += 1;
        self.due.insert((at, self.ids), id.to_owned());
    }

    /// Records an event, and its deliveries.
    pub(super) fn tell(
        &mut self,
        kind: &str,
        resource_type: &str,
        summary: &str,
        resource: &Value,
        now: DateTime<Utc>,
    ) {
        let id = format!("WH-{}-{}", self.new_id(17), self.new_id(17));
        let version = if resource_type.starts_with("checkout") || kind.starts_with("PAYMENT.") { "2.0" } else { "1.0" };
        let link = format!("{}/v1/notifications/webhooks-events/{id}", self.base);
        let body = json!({
            "id": id,
            "event_version": "1.0",
            "create_time": millis(now),
            "resource_type": resource_type,
            "resource_version": version,
            "event_type": kind,
            "summary": summary,
            "resource": resource,
            "links": [
                {"href": link, "rel": "self", "method": "GET"},
                {"href": format!("{link}/resend"), "rel": "resend", "method": "POST"},
            ],
        });
        self.events.insert(id.clone(), Event { id: id.clone(), body, created: now });
        let takes = |webhook: &&Webhook| webhook.event_types.iter().any(|it| it == "*" || it == kind);
        let webhooks: Vec<String> = self.webhooks.values().filter(takes).map(|webhook| webhook.id.clone()).collect();
        for webhook in webhooks {
            self.deliver(&id, &webhook, now);
        }
    }

    /// Plans the deliveries of an event to a webhook: one, two, a late one, or none, as the switches say.
    fn deliver(&mut self, event: &str, webhook: &str, now: DateTime<Utc>) {
        let (seed, count) = (self.switches.seed, self.delivery_count);
        let happens = |chance, percent| super::dice::happens(seed, chance, count, percent);
        if happens(Chance::Loss, self.switches.loss_percent) {
            self.delivery_count += 1;
            return;
        }
        let late = if happens(Chance::Reorder, self.switches.reorder_percent) {
            i64::try_from(200 + roll(seed, Chance::Lateness, count, 1_800)).unwrap_or_default()
        } else {
            0
        };
        let copies = if happens(Chance::Duplicate, self.switches.duplicate_percent) { 2 } else { 1 };
        for _ in 0..copies {
            self.plan(event, webhook, now + chrono::TimeDelta::milliseconds(late));
        }
    }

    /// Plans one delivery.
    pub(super) fn plan(&mut self, event: &str, webhook: &str, at: DateTime<Utc>) {
        let number = self.delivery_count;
        self.delivery_count += 1;
        let delivery = Delivery { number, event: event.to_owned(), webhook: webhook.to_owned(), failed: 0 };
        self.pending.insert((at, number), delivery);
    }

    /// Everything about money, exact and in minor units.
    pub(super) fn stated(&self) -> Value {
        json!({
            "orders": values(&self.orders),
            "authorizations": values(&self.authorizations),
            "captures": values(&self.captures),
            "refunds": values(&self.refunds),
            "payout_batches": values(&self.batches),
            "payout_items": values(&self.items),
            "disputes": values(&self.disputes),
            "webhooks": values(&self.webhooks),
            "events": self.events.len(),
            "pending_deliveries": self.pending.len(),
        })
    }
}

fn values<T: Serialize>(of: &IndexMap<String, T>) -> Vec<&T> {
    of.values().collect()
}

/// A time as PayPal writes it.
pub(super) fn seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn millis(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A text in a body.
pub(super) fn text(body: &Value, pointer: &str) -> Option<String> {
    body.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

/// A link as PayPal writes it.
pub(super) fn link(href: impl Into<String>, rel: &str, method: &str) -> Value {
    json!({"href": href.into(), "rel": rel, "method": method})
}
