//! The payload for an endpoint: the event, without personal data and without internal fields.

use byteshop_domain::ids;
use byteshop_domain::personal::MARK;
use byteshop_eventstore::Recorded;
use serde_json::{Value, json};

/// Fields that give access to anyone who knows the text behind the hash.
const SECRETS: [&str; 6] = ["access_hash", "token_hash", "code_hash", "email_hash", "mailbox_hash", "secret"];
/// The prefix of the ids of events, as receivers know them.
const EVENT: &str = "evt";

/// The id of the message about an event: the same for each delivery.
pub(super) fn id(event: &Recorded) -> String {
    ids::format(EVENT, event.id)
}

/// The body of a message about an event.
pub(super) fn body(event: &Recorded) -> Result<String, serde_json::Error> {
    let mut data: Value = serde_json::from_str(&event.data)?;
    scrub(&mut data);
    let subject = byteshop_domain::id_of(&event.category, event.stream);
    let body = json!({
        "id": id(event),
        "type": format!("{}.{}", event.category, event.event_type),
        "timestamp": event.occurred_at(),
        "subject": subject,
        "version": event.version,
        "position": event.position,
        "data": data,
    });
    serde_json::to_string(&body)
}

/// Removes sealed and secret fields at any depth.
fn scrub(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, field| !SECRETS.contains(&name.as_str()) && field.get(MARK).is_none());
            fields.values_mut().for_each(scrub);
        }
        Value::Array(items) => {
            items.retain(|item| item.get(MARK).is_none());
            items.iter_mut().for_each(scrub);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_or_secret_is_left_out_wherever_it_is() {
        let sealed = json!({"$sealed": "AAECAw", "subject": "00000000-0000-0000-0000-000000000007"});
        let mut data = json!({
            "total": 5,
            "access_hash": "00",
            "destination": {"country": "DE", "address": sealed, "email_hash": "00", "mailbox_hash": "01"},
            "list": [sealed, {"token_hash": "00", "kept": true}],
        });
        scrub(&mut data);
        assert_eq!(data, json!({"total": 5, "destination": {"country": "DE"}, "list": [{"kept": true}]}));
    }
}
