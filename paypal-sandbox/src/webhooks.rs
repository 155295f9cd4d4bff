//! Webhooks v1: where events are sent, the list of events, and deliveries.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::books::{Books, Delivery, Webhook, link, text};
use super::fault::{Answer, Fault, Outcome};
use super::orders::ID;

/// Attempts of a delivery, as at PayPal.
const ATTEMPTS: u32 = 25;
/// The longest pause between two attempts: 25 attempts take some two days.
const PAUSE_MAX_SECONDS: i64 = 4 * 60 * 60;
/// Events of a page, unless the request says otherwise.
const PAGE: usize = 10;
/// Most events of a page. PayPal gives 300.
const PAGE_MAX: usize = 300;

impl Books {
    /// Registers a webhook.
    pub(super) fn create_webhook(&mut self, body: &Value) -> Outcome {
        let url = text(body, "/url").unwrap_or_default();
        if self.webhooks.values().any(|it| it.url == url) {
            return Err(Fault::new(400, "WEBHOOK_URL_ALREADY_EXISTS", "Webhook URL already exists."));
        }
        let named = body["event_types"].as_array().map_or(&[][..], Vec::as_slice);
        let event_types = named.iter().filter_map(|it| text(it, "/name")).collect();
        let webhook = Webhook { id: self.new_id(ID), url, event_types };
        let answer = Answer::new(201, self.show_webhook(&webhook));
        self.webhooks.insert(webhook.id.clone(), webhook);
        Ok(answer)
    }

    /// Registers a webhook for all events under an id that was chosen.
    pub(super) fn register(&mut self, id: &str, url: &str) {
        let webhook = Webhook { id: id.to_owned(), url: url.to_owned(), event_types: vec!["*".to_owned()] };
        self.webhooks.insert(id.to_owned(), webhook);
    }

    /// Lists the webhooks.
    pub(super) fn list_webhooks(&self) -> Answer {
        let webhooks: Vec<Value> = self.webhooks.values().map(|it| self.show_webhook(it)).collect();
        Answer::new(200, json!({"webhooks": webhooks}))
    }

    /// Shows a webhook.
    pub(super) fn get_webhook(&self, id: &str) -> Outcome {
        let webhook = self.webhooks.get(id).ok_or_else(Fault::missing_v1)?;
        Ok(Answer::new(200, self.show_webhook(webhook)))
    }

    /// Removes a webhook and what is on its way there.
    pub(super) fn delete_webhook(&mut self, id: &str) -> Outcome {
        self.webhooks.shift_remove(id).ok_or_else(Fault::missing_v1)?;
        self.pending.retain(|_, delivery| delivery.webhook != id);
        Ok(Answer::empty(204))
    }

    fn show_webhook(&self, it: &Webhook) -> Value {
        let types: Vec<Value> = it.event_types.iter().map(|name| json!({"name": name})).collect();
        let at = format!("{}/v1/notifications/webhooks/{}", self.base, it.id);
        json!({
            "id": it.id,
            "url": it.url,
            "event_types": types,
            "links": [link(at.clone(), "self", "GET"), link(at, "delete", "DELETE")],
        })
    }

    /// The events that match a query, the newest first.
    pub(super) fn list_events(&self, query: &[(String, String)]) -> Outcome {
        let asked = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let time = |name: &str| -> Outcome<Option<DateTime<Utc>>> {
            let read = |text| DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
            asked(name).map(read).transpose().map_err(|_| Fault::invalid_v1(name, "is not a time"))
        };
        let (start, end) = (time("start_time")?, time("end_time")?);
        let skipped = asked("next_page_token").and_then(|it| it.parse::<usize>().ok()).unwrap_or_default();
        let size = asked("page_size").and_then(|it| it.parse::<usize>().ok()).unwrap_or(PAGE).clamp(1, PAGE_MAX);
        let matching = self.events.values().rev().filter(|it| {
            start.is_none_or(|start| it.created >= start)
                && end.is_none_or(|end| it.created <= end)
                && asked("event_type").is_none_or(|kind| it.body["event_type"] == kind)
                && asked("transaction_id").is_none_or(|id| it.body["resource"]["id"] == id)
        });
        let mut matching = matching.skip(skipped);
        let events: Vec<&Value> = matching.by_ref().take(size).map(|it| &it.body).collect();
        let at = format!("{}/v1/notifications/webhooks-events", self.base);
        let mut links = vec![link(at.clone(), "self", "GET")];
        if matching.next().is_some() {
            let mut next = format!("{at}?page_size={size}&next_page_token={}", skipped + size);
            for name in ["start_time", "end_time", "event_type", "transaction_id"] {
                if let Some(value) = asked(name) {
                    next.extend(["&", name, "="]);
                    next.extend(form_urlencoded::byte_serialize(value.as_bytes()));
                }
            }
            links.push(link(next, "next", "GET"));
        }
        Ok(Answer::new(200, json!({"count": events.len(), "events": events, "links": links})))
    }

    /// Shows an event.
    pub(super) fn get_event(&self, id: &str) -> Outcome {
        let event = self.events.get(id).ok_or_else(Fault::missing_v1)?;
        Ok(Answer::new(200, event.body.clone()))
    }

    /// Sends an event again, to all webhooks or to those that are named. What is sent again is neither lost nor late.
    pub(super) fn resend(&mut self, id: &str, body: &Value, now: DateTime<Utc>) -> Outcome {
        let event = self.events.get(id).ok_or_else(Fault::missing_v1)?.body.clone();
        let named: Vec<&str> = body["webhook_ids"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let known: Vec<String> = self.webhooks.keys().cloned().collect();
        if let Some(unknown) = named.iter().find(|it| !self.webhooks.contains_key(**it)) {
            return Err(Fault::invalid_v1("webhook_ids", &format!("{unknown} is not a webhook")));
        }
        for webhook in known.iter().filter(|it| named.is_empty() || named.contains(&it.as_str())) {
            self.plan(id, webhook, now);
        }
        Ok(Answer::new(202, event))
    }

    /// Records how an attempt of a delivery ended. One that failed is tried again, each time after a longer pause.
    pub(super) fn delivered(&mut self, due: DateTime<Utc>, number: u64, is_taken: bool, now: DateTime<Utc>) {
        let Some(delivery) = self.pending.remove(&(due, number)) else { return };
        let failed = delivery.failed + 1;
        if is_taken || failed >= ATTEMPTS {
            return;
        }
        let pause = 1_i64.checked_shl(failed).unwrap_or(PAUSE_MAX_SECONDS).min(PAUSE_MAX_SECONDS);
        self.pending.insert((now + TimeDelta::seconds(pause), number), Delivery { failed, ..delivery });
    }
}
