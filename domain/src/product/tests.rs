//! Rules of products and their variants.

use serde_json::json;

use super::*;
use crate::Currency;
use crate::money::Money;
use crate::testing::{given, golden, id, price, text, well_said};

fn attributes() -> Attributes {
    BTreeMap::from([
        (text("boxed"), AttributeValue::Boolean(true)),
        (text("material"), AttributeValue::Text(text("oak"))),
        (text("weight_g"), AttributeValue::Integer(340)),
    ])
}

fn created() -> Event {
    Event::Created { title: text("Lamp"), description: text("It shines"), category: None, attributes: attributes() }
}

fn create(title: &str) -> Command {
    Command::Create { title: text(title), description: text("It shines"), category: None, attributes: attributes() }
}

fn options() -> Options {
    BTreeMap::from([(text("colour"), text("red"))])
}

fn added(variant: u128, sku: &str) -> Event {
    Event::VariantAdded {
        variant: id(variant),
        sku: text(sku),
        title: text("Red"),
        price: price(1999),
        options: options(),
    }
}

fn add(variant: u128, sku: &str) -> Command {
    Command::AddVariant {
        variant: id(variant),
        sku: text(sku),
        title: text("Red"),
        price: price(1999),
        options: options(),
    }
}

fn set_price(variant: u128, amount: i64) -> Command {
    Command::SetPrice { variant: id(variant), price: price(amount) }
}

#[expect(clippy::option_option, reason = "the two kinds of nothing are the point")]
fn revise(title: Option<&str>, category: Option<Option<CategoryId>>) -> Command {
    Command::Revise { title: title.map(text), description: None, category, attributes: None }
}

#[expect(clippy::option_option, reason = "the two kinds of nothing are the point")]
fn revised(title: Option<&str>, category: Option<Option<CategoryId>>) -> Event {
    Event::Revised { title: title.map(text), description: None, category, attributes: None }
}

#[test]
fn it_is_created_once() {
    given::<Product>([]).when(&create("Lamp")).then([created()]);
    given::<Product>([created()]).when(&create("Lamp")).then_nothing();
    given::<Product>([created()]).when(&create("Chair")).then_refused(Rejection::Exists);
}

#[test]
fn only_what_changed_is_written() {
    given::<Product>([created()]).when(&revise(Some("Lamp"), None)).then_nothing();
    let both = revise(Some("Lamp"), Some(Some(id(3))));
    given::<Product>([created()]).when(&both).then([revised(None, Some(Some(id(3))))]);
    let history = [created(), revised(None, Some(Some(id(3))))];
    given::<Product>(history).when(&revise(None, Some(None))).then([revised(None, Some(None))]);
}

#[test]
fn a_category_that_is_absent_and_one_that_is_null_differ() {
    let absent: Command = serde_json::from_value(json!({"revise": {"title": "Lamp"}})).unwrap();
    assert_eq!(absent, revise(Some("Lamp"), None));
    let null: Command = serde_json::from_value(json!({"revise": {"title": "Lamp", "category": null}})).unwrap();
    assert_eq!(null, revise(Some("Lamp"), Some(None)));
}

#[test]
fn attributes_have_the_type_they_have_in_json() {
    let read: Attributes = serde_json::from_value(json!({"boxed": true, "material": "oak", "weight_g": 340})).unwrap();
    assert_eq!(read, attributes());
    for bad in [json!({"a": 1.5}), json!({"a": null}), json!({"a": []}), json!({"A b": 1}), json!({"a": u64::MAX})] {
        assert!(serde_json::from_value::<Attributes>(bad.clone()).is_err(), "{bad}");
    }
    let error = serde_json::from_value::<Attributes>(json!({"a": 1.5})).unwrap_err().to_string();
    assert!(error.contains("expected a text of at most 200 characters, a whole number"), "{error}");
}

#[test]
fn a_variant_is_added_once_and_its_code_is_its_own() {
    given::<Product>([created()]).when(&add(1, "L-1")).then([added(1, "L-1")]);
    let history = [created(), added(1, "L-1")];
    given::<Product>(history.clone()).when(&add(1, "L-1")).then_nothing();
    given::<Product>(history.clone()).when(&add(1, "L-2")).then_refused(Rejection::VariantExists);
    given::<Product>(history).when(&add(2, "L-1")).then_refused(Rejection::SkuTwice);
}

#[test]
fn there_are_not_endless_variants_and_attributes() {
    let variants = (1..=VARIANTS_MAX).map(|number| added(number as u128, &number.to_string()));
    let full: Vec<_> = [created()].into_iter().chain(variants).collect();
    given::<Product>(full).when(&add(1000, "one-more")).then_refused(Rejection::TooManyVariants);
    let attributes =
        (0..=ATTRIBUTES_MAX).map(|number| (text(&format!("a{number}")), AttributeValue::Boolean(true))).collect();
    let command = Command::Revise { title: None, description: None, category: None, attributes: Some(attributes) };
    given::<Product>([created()]).when(&command).then_refused(Rejection::TooManyAttributes);
}

#[test]
fn a_price_changes_in_its_currency_and_the_same_one_is_nothing() {
    let history = [created(), added(1, "L-1")];
    let set = Event::PriceSet { variant: id(1), price: price(2499) };
    given::<Product>(history.clone()).when(&set_price(1, 1999)).then_nothing();
    given::<Product>(history.clone()).when(&set_price(1, 2499)).then([set]);
    let pounds = Price::new(Money::new(1, Currency::GBP)).unwrap();
    given::<Product>(history.clone())
        .when(&Command::SetPrice { variant: id(1), price: pounds })
        .then_refused(Rejection::OtherCurrency { currency: Currency::EUR });
    given::<Product>(history).when(&set_price(2, 1)).then_refused(Rejection::NoSuchVariant);
}

#[test]
fn a_variant_is_revised() {
    let history = [created(), added(1, "L-1")];
    let same = Command::ReviseVariant { variant: id(1), title: Some(text("Red")), options: Some(options()) };
    given::<Product>(history.clone()).when(&same).then_nothing();
    let other = Command::ReviseVariant { variant: id(1), title: Some(text("Crimson")), options: Some(options()) };
    let revised = Event::VariantRevised { variant: id(1), title: Some(text("Crimson")), options: None };
    given::<Product>(history).when(&other).then([revised]);
}

#[test]
fn it_is_published_with_something_to_buy() {
    given::<Product>([created()]).when(&Command::Publish {}).then_refused(Rejection::NoVariant);
    let history = [created(), added(1, "L-1")];
    given::<Product>(history.clone()).when(&Command::Publish {}).then([Event::Published {}]);
    let published = [&history[..], &[Event::Published {}]].concat();
    given::<Product>(published.clone()).when(&Command::Publish {}).then_nothing();
    given::<Product>(published.clone()).when(&Command::Unpublish {}).then([Event::Unpublished {}]);
    let hidden = [&published[..], &[Event::Unpublished {}]].concat();
    given::<Product>(hidden.clone()).when(&Command::Unpublish {}).then_nothing();
    given::<Product>(hidden).when(&Command::Publish {}).then([Event::Published {}]);
}

#[test]
fn a_published_one_keeps_its_last_variant() {
    let remove = |variant| Command::RemoveVariant { variant: id(variant) };
    let removed = Event::VariantRemoved { variant: id(1), sku: text("L-1") };
    let draft = [created(), added(1, "L-1")];
    given::<Product>(draft.clone()).when(&remove(1)).then([removed.clone()]);
    given::<Product>(draft.clone()).when(&remove(2)).then_nothing();
    let published = [&draft[..], &[Event::Published {}]].concat();
    given::<Product>(published.clone()).when(&remove(1)).then_refused(Rejection::LastVariant);
    let two = [&published[..], &[added(2, "L-2")]].concat();
    given::<Product>(two).when(&remove(1)).then([removed]);
}

#[test]
fn an_archived_one_stays_as_it_is() {
    let history = [created(), added(1, "L-1"), Event::Archived {}];
    given::<Product>(history.clone()).when(&Command::Archive {}).then_nothing();
    for command in [
        revise(Some("a"), None),
        add(2, "L-2"),
        set_price(1, 1),
        Command::RemoveVariant { variant: id(1) },
        Command::Publish {},
        Command::Unpublish {},
    ] {
        given::<Product>(history.clone()).when(&command).then_refused(Rejection::Archived);
    }
    given::<Product>([]).when(&Command::Archive {}).then_refused(Rejection::Missing);
}

#[test]
fn every_stored_form_is_golden() {
    golden(
        include_str!("golden.json"),
        &[
            created(),
            Event::Created {
                title: text("Lamp"),
                description: text(""),
                category: Some(id(3)),
                attributes: BTreeMap::new(),
            },
            Event::Revised {
                title: Some(text("Lamp")),
                description: Some(text("It\nshines")),
                category: Some(Some(id(3))),
                attributes: Some(attributes()),
            },
            revised(None, Some(None)),
            added(1, "L-1"),
            Event::VariantRevised { variant: id(1), title: Some(text("Red")), options: Some(options()) },
            Event::PriceSet { variant: id(1), price: price(0) },
            Event::VariantRemoved { variant: id(1), sku: text("L-1") },
            Event::Published {},
            Event::Unpublished {},
            Event::Archived {},
        ],
    );
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[
        R::Missing,
        R::Exists,
        R::Archived,
        R::NoSuchVariant,
        R::VariantExists,
        R::SkuTwice,
        R::LastVariant,
        R::NoVariant,
        R::OtherCurrency { currency: Currency::EUR },
        R::TooManyVariants,
        R::TooManyAttributes,
    ]);
}
