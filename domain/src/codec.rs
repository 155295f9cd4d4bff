//! How events are stored: a type, a schema number and the data as JSON text; and how they are read through the upcasts.

use serde::de::value::Error as NoValue;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;

use crate::decider::Event;

/// An event in its stored form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The stored type: the variant's name in snake_case.
    pub event_type: String,
    /// The schema number of the data; 1 for the first.
    pub schema: i16,
    /// The fields, as one JSON object.
    pub data: String,
}

/// A stored event that this program cannot read.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The data does not match the type, or the type is unknown.
    #[error("event {event_type} of schema {schema} cannot be read: {reason}")]
    Unreadable {
        /// The stored type.
        event_type: String,
        /// The stored schema number.
        schema: i16,
        /// The cause, in words.
        reason: String,
    },
    /// The event was written by a newer program.
    #[error("event {event_type} has schema {schema}, this program knows up to {known}: use the newer program")]
    Newer {
        /// The stored type.
        event_type: String,
        /// The stored schema number.
        schema: i16,
        /// The newest schema number that this program knows.
        known: i16,
    },
}

/// The schema number that events of this type are stored with.
pub fn schema_of<E: Event>(event_type: &str) -> i16 {
    E::UPCASTS.iter().filter(|step| step.event_type == event_type).map(|step| step.from_schema + 1).max().unwrap_or(1)
}

/// The stored types of an event: the names of its variants.
pub fn types_of<E: Event>() -> &'static [&'static str] {
    let mut names = VariantNames(&[]);
    // No event comes of it: an enum asks its deserializer for one of its variants, which is where their names are.
    let _ = <E as Deserialize>::deserialize(&mut names);
    names.0
}

/// A deserializer without data, which keeps the names of the variants that it is asked for.
struct VariantNames(&'static [&'static str]);

impl<'de> Deserializer<'de> for &mut VariantNames {
    type Error = NoValue;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, NoValue> {
        Err(NoValue::custom("an event is an enum"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, NoValue> {
        self.0 = variants;
        Err(NoValue::custom("there is no data"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// Encodes an event in its stored form.
pub fn encode<E: Event>(event: &E) -> Result<Encoded, serde_json::Error> {
    // Serde's external tag gives {"type":{…}}: the type and the data are slices of it.
    let text = serde_json::to_string(event)?;
    let parts =
        text.strip_prefix("{\"").and_then(|rest| rest.strip_suffix('}')).and_then(|rest| rest.split_once("\":"));
    let Some((event_type, data)) = parts.filter(|(_, data)| data.starts_with('{')) else {
        return Err(serde::ser::Error::custom("an event must be an enum of variants with braces"));
    };
    Ok(Encoded { event_type: event_type.to_owned(), schema: schema_of::<E>(event_type), data: data.to_owned() })
}

/// Decodes an event from its stored form, through the upcasts that its schema needs.
pub fn decode<E: Event>(event_type: &str, schema: i16, data: &str) -> Result<E, CodecError> {
    let known = schema_of::<E>(event_type);
    let unreadable = |error: serde_json::Error| CodecError::Unreadable {
        event_type: event_type.to_owned(),
        schema,
        reason: error.to_string(),
    };
    if schema > known {
        return Err(CodecError::Newer { event_type: event_type.to_owned(), schema, known });
    }
    if schema == known {
        return serde_json::from_str(&tagged(event_type, data)).map_err(unreadable);
    }
    let mut value: Value = serde_json::from_str(data).map_err(unreadable)?;
    for from in schema..known {
        if let Some(upcast) = E::UPCASTS.iter().find(|step| step.event_type == event_type && step.from_schema == from) {
            value = (upcast.step)(value);
        }
    }
    serde_json::from_str(&tagged(event_type, &value.to_string())).map_err(unreadable)
}

fn tagged(event_type: &str, data: &str) -> String {
    let mut text = String::with_capacity(event_type.len() + data.len() + 5);
    text.push_str("{\"");
    text.push_str(event_type);
    text.push_str("\":");
    text.push_str(data);
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;
    use crate::decider::Upcast;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Lamp {
        SwitchedOn { level: u8, room: String },
        Broken {},
    }

    impl Event for Lamp {
        const UPCASTS: &'static [Upcast] = &[
            Upcast { event_type: "switched_on", from_schema: 1, step: |_| json!({"level": 10}) },
            Upcast {
                event_type: "switched_on",
                from_schema: 2,
                step: |mut data| {
                    data["room"] = json!("hall");
                    data
                },
            },
        ];
    }

    #[test]
    fn what_is_written_is_read_again() {
        for event in [Lamp::SwitchedOn { level: 3, room: "\"}{".into() }, Lamp::Broken {}] {
            let stored = encode(&event).unwrap();
            assert_eq!(decode::<Lamp>(&stored.event_type, stored.schema, &stored.data).unwrap(), event);
        }
        assert_eq!(
            encode(&Lamp::Broken {}).unwrap(),
            Encoded { event_type: "broken".into(), schema: 1, data: "{}".into() }
        );
    }

    #[test]
    fn the_types_of_an_event_are_the_names_of_its_variants() {
        assert_eq!(types_of::<Lamp>(), ["switched_on", "broken"]);
    }

    #[test]
    fn an_old_form_climbs_every_step() {
        let hall = |level| Lamp::SwitchedOn { level, room: "hall".into() };
        assert_eq!(decode::<Lamp>("switched_on", 1, "{}").unwrap(), hall(10));
        assert_eq!(decode::<Lamp>("switched_on", 2, r#"{"level":7}"#).unwrap(), hall(7));
        assert_eq!(encode(&hall(1)).unwrap().schema, 3);
    }

    #[test]
    fn a_newer_form_and_an_unknown_type_are_refused() {
        assert!(matches!(decode::<Lamp>("broken", 2, "{}"), Err(CodecError::Newer { known: 1, .. })));
        assert!(matches!(decode::<Lamp>("stolen", 1, "{}"), Err(CodecError::Unreadable { .. })));
    }
}
