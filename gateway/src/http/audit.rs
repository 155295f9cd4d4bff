//! Events as people read them: what, when, by whom, by which command, and because of what.

use byteshop_commands::Error;
use byteshop_domain::Actor;
use byteshop_domain::personal::MARK;
use byteshop_eventstore::Recorded;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::edge::positions::{Position, Shown};
use crate::http::show::names::AnyObject;

/// Fields of events that give access to anyone who knows them or the text behind their hash; they are for the program
/// only.
///
/// The keyed hash of an address is useful to anyone who can have another one made, as every guest can.
const SECRETS: [&str; 9] = [
    "access_hash",
    "token_hash",
    "code_hash",
    "code_hashes",
    "email_hash",
    "mailbox_hash",
    "code",
    "password",
    "secret",
];

/// The field of an event that holds a note of staff for other staff.
const NOTE: &str = "note";

/// An event.
#[derive(Serialize, ToSchema)]
pub struct Entry {
    /// The position in the log: a number for staff, an opaque token for everybody else.
    position: Position,
    /// The id of the object that the event belongs to.
    #[schema(example = "ord_01h455vb4pex5vsknk084sn02q")]
    stream: String,
    /// The version of the stream after the event.
    version: i64,
    /// The type of the event.
    #[schema(example = "order.placed")]
    r#type: String,
    /// The event's data.
    data: AnyObject,
    /// The actor.
    #[schema(example = "customer")]
    actor: String,
    /// The command that caused it.
    #[schema(example = "cart.checkout")]
    command: String,
    /// The request, or the step of a process, that caused it.
    request_id: Uuid,
    /// The request at the root of the chain of causes.
    correlation_id: Uuid,
    /// The position of the event that caused it.
    causation: Option<Position>,
    /// The W3C trace id of the request, if it had one.
    trace_id: Option<String>,
    /// When it happened.
    occurred_at: DateTime<Utc>,
    /// When it was recorded.
    recorded_at: DateTime<Utc>,
}

/// A page of events.
#[derive(Serialize, ToSchema)]
pub struct Entries {
    /// The events.
    pub items: Vec<Entry>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

impl Entry {
    /// An event; only staff can see which member of staff was the actor.
    pub fn of(event: &Recorded, shown_to: &Shown<'_>, for_staff: bool) -> Result<Self, Error> {
        let meta = event.meta()?;
        let occurred_at = meta.occurred_at.unwrap_or(event.recorded_at);
        Ok(Self {
            position: shown_to.position(event.position)?,
            stream: byteshop_domain::id_of(&event.category, event.stream).unwrap_or_else(|| event.stream.to_string()),
            version: event.version,
            r#type: format!("{}.{}", event.category, event.event_type),
            data: AnyObject(shown(&event.data, for_staff)?),
            actor: if for_staff { meta.actor.to_string() } else { kind(&meta.actor).to_owned() },
            command: meta.command,
            request_id: meta.request_id,
            correlation_id: meta.correlation_id,
            causation: meta.causation.map(|at| shown_to.position(at)).transpose()?,
            trace_id: meta.trace_id,
            occurred_at,
            recorded_at: event.recorded_at,
        })
    }

    /// The same event, of which a member of a seller was the actor.
    pub fn by_a_seller(self) -> Self {
        Self { actor: "seller".to_owned(), ..self }
    }
}

/// The data without what is for the program alone, or for staff alone; mostly that is all of the text.
fn shown(data: &str, for_staff: bool) -> Result<Box<RawValue>, Error> {
    let hidden = if for_staff { SECRETS.to_vec() } else { [&SECRETS[..], &[NOTE]].concat() };
    if !hidden.iter().any(|secret| data.contains(secret)) {
        return Ok(RawValue::from_string(data.to_owned())?);
    }
    let mut value: Value = serde_json::from_str(data)?;
    hide(&mut value, &hidden);
    Ok(to_raw_value(&value)?)
}

/// Removes secrets at any depth. A code is secret if it is sealed; others, such as coupon codes, are not.
fn hide(value: &mut Value, hidden: &[&str]) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, field| {
                !hidden.contains(&name.as_str()) || (name == "code" && field.get(MARK).is_none())
            });
            fields.values_mut().for_each(|field| hide(field, hidden));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, hidden)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn kind(actor: &Actor) -> &'static str {
    match actor {
        Actor::Customer { .. } => "customer",
        Actor::Guest { .. } => "guest",
        Actor::Seller { .. } => "seller",
        Actor::Support { .. } | Actor::Admin { .. } | Actor::Service { .. } => "staff",
        Actor::Process { .. } | Actor::Operator { .. } | Actor::System { .. } => "shop",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_shown_however_deep() {
        let sealed = r#"{"$sealed":"AA","subject":"00000000-0000-0000-0000-000000000007"}"#;
        let data =
            format!(r#"{{"message":{{"template":"confirm_email","code":{sealed}}},"secret":{sealed},"code":"SALE"}}"#);
        assert_eq!(shown(&data, true).unwrap().get(), r#"{"message":{"template":"confirm_email"},"code":"SALE"}"#);
    }

    #[test]
    fn notes_of_staff_are_shown_to_staff_alone() {
        let data = r#"{"amount":1,"note":{"$sealed":"AA"}}"#;
        assert_eq!(shown(data, true).unwrap().get(), data);
        assert_eq!(shown(data, false).unwrap().get(), r#"{"amount":1}"#);
    }

    #[test]
    fn hashes_of_tokens_are_never_shown() {
        assert_eq!(shown(r#"{"a":1,"token_hash":"00","b":[]}"#, true).unwrap().get(), r#"{"a":1,"b":[]}"#);
        assert_eq!(shown(r#"{"a": 1}"#, true).unwrap().get(), r#"{"a": 1}"#);
    }
}
