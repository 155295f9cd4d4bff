//! Given/when/then: rule tests that read as sentences. And the golden files: every stored form of every event.

use std::fmt::Debug;
use std::mem::discriminant;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::codec::{decode, encode, schema_of};
use crate::decider::{Actor, Asked, Decider, Event, fold};
use crate::ids::Id;
use crate::money::{Money, Price};
use crate::pricing::Shipping;
use crate::quantity::Quantity;
use crate::shipping_book::Days;
use crate::{Currency, decider};

/// A history that waits for a command.
pub struct Given<A: Decider> {
    state: A,
    asked: Asked,
}

/// The outcome of a command.
pub struct Outcome<A: Decider>(Result<Vec<A::Event>, A::Rejection>);

/// Starts from a history.
pub fn given<A: Decider>(history: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let history: Vec<_> = history.into_iter().collect();
    Given { state: fold(&history), asked: Asked { at: noon(), by: Actor::System { name: "test".into() } } }
}

/// A fixed time, 2026-01-01T12:00:00Z: the default time of every command.
pub fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_268_800, 0).expect("a valid moment")
}

impl<A: Decider> Given<A> {
    /// The same with another actor.
    pub fn by(mut self, actor: Actor) -> Self {
        self.asked.by = actor;
        self
    }

    /// Decides a command.
    pub fn when(self, command: &A::Command) -> Outcome<A> {
        Outcome(self.state.decide(command, &self.asked))
    }
}

impl<A: Decider> Outcome<A>
where
    A::Rejection: Debug,
{
    /// Expects these events.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = A::Event>) {
        assert_eq!(self.0, Ok(expected.into_iter().collect::<Vec<_>>()));
    }

    /// The events, of a command that is not refused.
    #[track_caller]
    pub fn events(self) -> Vec<A::Event> {
        self.0.unwrap()
    }

    /// Expects that nothing happened.
    #[track_caller]
    pub fn then_nothing(self) {
        assert_eq!(self.0, Ok(vec![]));
    }

    /// Expects this rejection.
    #[track_caller]
    pub fn then_refused(self, rejection: A::Rejection) {
        assert_eq!(self.0, Err(rejection));
    }
}

/// The id with this number.
pub fn id<T: Id>(number: u128) -> T {
    T::from_uuid(Uuid::from_u128(number))
}

/// An amount in euro cents.
pub fn cents(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

/// A price in euro cents.
pub fn price(amount: i64) -> Price {
    Price::new(cents(amount)).unwrap()
}

/// Shipping as a parcel at this price in euro cents, without tax.
pub fn parcel_at(amount: i64) -> Shipping {
    Shipping {
        zone: text("home"),
        service: text("parcel"),
        name: text("Parcel"),
        carrier: None,
        weight_g: 200,
        days: Days { min: 1, max: 3 },
        price: price(amount),
        discount: cents(0),
        tax: None,
    }
}

/// A number of pieces.
pub fn pieces(number: i64) -> Quantity {
    Quantity::new(number).unwrap()
}

/// A text of any kind.
pub fn text<T: TryFrom<String, Error: Debug>>(text: &str) -> T {
    T::try_from(text.to_owned()).unwrap()
}

/// Compares a golden file with samples, which contain every stored form at least once.
///
/// Lines are only added: a line of an older schema stays, and is still read.
#[track_caller]
pub fn golden<E: Event>(file: &str, samples: &[E]) {
    let lines: Vec<Value> = serde_json::from_str(file).unwrap();
    for line in &lines {
        let (event_type, data) = (line["type"].as_str().unwrap(), line["data"].to_string());
        let schema = i16::try_from(line["schema"].as_i64().unwrap()).unwrap();
        let event: E = decode(event_type, schema, &data).unwrap();
        if schema == schema_of::<E>(event_type) {
            assert_eq!(encode(&event).unwrap().data, data, "{event_type} is written otherwise than it was");
        }
    }
    let written: Vec<_> = lines.iter().map(Value::to_string).collect();
    let stored = samples.iter().map(|sample| encode(sample).unwrap());
    let missing: Vec<_> = stored
        .map(|it| format!(r#"{{"type":"{}","schema":{},"data":{}}}"#, it.event_type, it.schema, it.data))
        .filter(|sample| !written.contains(sample))
        .collect();
    assert!(missing.is_empty(), "the golden file lacks:\n{}", missing.join(",\n"));
    for variant in variants::<E>() {
        let here = |line: &Value| line["type"] == variant && line["schema"] == schema_of::<E>(&variant);
        assert!(lines.iter().any(here), "the golden file lacks {variant} in its present form");
    }
}

/// A step of a process has this form in the table of timers, where it may have waited since an earlier version.
#[track_caller]
pub fn timer_form<S: Serialize + DeserializeOwned + Debug + PartialEq>(step: &S, form: &str) {
    assert_eq!(serde_json::to_string(step).unwrap(), form);
    assert_eq!(serde_json::from_str::<S>(form).unwrap(), *step);
}

/// The stored types of an event, as serde lists them when it is given another.
fn variants<E: Event>() -> Vec<String> {
    let error = serde_json::from_str::<E>(r#"{"?":{}}"#).unwrap_err().to_string();
    let (_, expected) = error.split_once("expected").unwrap();
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Checks that every rejection has a code of its own, in snake_case, and a sentence without a full stop; and that all of them
/// are as in the snapshot.
///
/// Codes never change: clients match them. `<context>/rejections.snap` lists them with their kinds, pointers and texts.
#[track_caller]
pub fn well_said<R: decider::Rejection>(rejections: &[R]) {
    let mut listed = Vec::new();
    for (index, rejection) in rejections.iter().enumerate() {
        let (code, said) = (rejection.code(), rejection.to_string());
        assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code}");
        assert!(!said.ends_with('.') && !said.starts_with(char::is_uppercase), "{said}");
        let is_same = |other: &R| discriminant(other) == discriminant(rejection);
        assert!(rejections[..index].iter().all(|other| is_same(other) || other.code() != code), "{code} twice");
        let at = rejection.pointer().map(|pointer| format!(" at {pointer}")).unwrap_or_default();
        listed.push(format!("{:?} {code}{at}: {said}", rejection.kind()));
    }
    let codes: Vec<_> = rejections.iter().map(decider::Rejection::code).collect();
    assert!(R::CODES.iter().all(|code| codes.contains(code)), "the test lacks some of {:?}", R::CODES);
    // Such as `byteshop_domain::order::rejections::Rejection`.
    let context = std::any::type_name::<R>().split("::").nth(1).unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(context);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("rejections", listed.join("\n")));
}
