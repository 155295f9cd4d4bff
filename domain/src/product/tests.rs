//! Rules of products and their variants.

use serde_json::json;

use super::*;
use crate::Currency;
use crate::money::{Money, Price};
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

fn details(sku: &str) -> Variant {
    Variant::new(text(sku), text("Red"), price(1999), options())
}

fn added(variant: u128, sku: &str) -> Event {
    Event::VariantAdded { variant: id(variant), details: details(sku) }
}

fn add(variant: u128, sku: &str) -> Command {
    Command::AddVariant { variant: id(variant), details: details(sku) }
}

fn set_price(variant: u128, amount: i64) -> Command {
    Command::SetPrice { variant: id(variant), price: price(amount), compare_at: None }
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
    let set = Event::PriceSet { variant: id(1), price: price(2499), compare_at: None, from: Some(price(1999)) };
    given::<Product>(history.clone()).when(&set_price(1, 1999)).then_nothing();
    given::<Product>(history.clone()).when(&set_price(1, 2499)).then([set]);
    let pounds = Price::new(Money::new(1, Currency::GBP)).unwrap();
    given::<Product>(history.clone())
        .when(&Command::SetPrice { variant: id(1), price: pounds, compare_at: None })
        .then_refused(Rejection::OtherCurrency { currency: Currency::EUR });
    given::<Product>(history).when(&set_price(2, 1)).then_refused(Rejection::NoSuchVariant);
}

fn called(title: &str) -> VariantChange {
    VariantChange { title: Some(text(title)), options: Some(options()), ..VariantChange::default() }
}

#[test]
fn a_variant_is_revised() {
    let history = [created(), added(1, "L-1")];
    let same = Command::ReviseVariant { variant: id(1), change: called("Red") };
    given::<Product>(history.clone()).when(&same).then_nothing();
    let other = Command::ReviseVariant { variant: id(1), change: called("Crimson") };
    let revised =
        Event::VariantRevised { variant: id(1), change: VariantChange { options: None, ..called("Crimson") } };
    given::<Product>(history).when(&other).then([revised]);
}

fn dollars(amount: i64) -> Price {
    Price::new(Money::new(amount, Currency::USD)).unwrap()
}

#[test]
fn prices_are_kept_per_currency() {
    let history = [created(), added(1, "L-1")];
    let set = |prices: &[Listed]| Command::SetPrices { variant: id(1), prices: prices.to_vec() };
    let euros = Listed::plain(price(1999));
    let cheaper = Listed { price: price(1500), compare_at: Some(price(1999)) };
    let both = set(&[Listed::plain(dollars(2100)), cheaper]);
    let events = [
        Event::PriceSet { variant: id(1), price: dollars(2100), compare_at: None, from: None },
        Event::PriceSet { variant: id(1), price: price(1500), compare_at: Some(price(1999)), from: Some(price(1999)) },
    ];
    given::<Product>(history.clone()).when(&both).then(events.clone());
    let priced = [&history[..], &events[..]].concat();
    given::<Product>(priced.clone()).when(&both).then_nothing();
    let state: Product = crate::fold(&priced);
    let variant = state.existing().unwrap().variant(id(1)).unwrap();
    assert_eq!((variant.price, variant.listed(Currency::EUR)), (price(1500), Some(cheaper)));
    assert_eq!(variant.listed(Currency::USD), Some(Listed::plain(dollars(2100))));
    assert_eq!(variant.listed(Currency::GBP), None);
    // Another currency that is not given is given up; the first one cannot be.
    given::<Product>(priced.clone())
        .when(&set(&[cheaper]))
        .then([Event::PriceWithdrawn { variant: id(1), price: dollars(2100) }]);
    given::<Product>(priced.clone())
        .when(&set(&[Listed::plain(dollars(1))]))
        .then_refused(Rejection::OtherCurrency { currency: Currency::EUR });
    given::<Product>(history.clone())
        .when(&set(&[euros, euros]))
        .then_refused(Rejection::CurrencyTwice { currency: Currency::EUR });
    // A price may not rise above what it is compared with.
    given::<Product>(priced.clone()).when(&set_price(1, 1999)).then_refused(Rejection::CompareAtTooLow);
    let freed = Command::SetPrice { variant: id(1), price: price(1999), compare_at: Some(None) };
    given::<Product>(priced).when(&freed).then([Event::PriceSet {
        variant: id(1),
        price: price(1999),
        compare_at: None,
        from: Some(price(1500)),
    }]);
}

#[test]
fn a_variant_that_cannot_be_is_not_added() {
    let add = |details| Command::AddVariant { variant: id(1), details };
    let refused = |details, rejection| given::<Product>([created()]).when(&add(details)).then_refused(rejection);
    refused(Variant { weight_g: Some(WEIGHT_MAX_G + 1), ..details("L-1") }, Rejection::TooHeavy);
    refused(Variant { compare_at: Some(price(1999)), ..details("L-1") }, Rejection::CompareAtTooLow);
    refused(
        Variant { compare_at: Some(dollars(9999)), ..details("L-1") },
        Rejection::OtherCurrency { currency: Currency::EUR },
    );
    refused(
        Variant { other_prices: vec![Listed::plain(price(1))], ..details("L-1") },
        Rejection::CurrencyTwice { currency: Currency::EUR },
    );
    refused(
        Variant { other_prices: vec![Listed::plain(dollars(1)); CURRENCIES_MAX], ..details("L-1") },
        Rejection::TooManyPrices,
    );
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
            Event::VariantAdded {
                variant: id(2),
                details: Variant {
                    compare_at: Some(price(2999)),
                    other_prices: vec![
                        Listed { price: dollars(2100), compare_at: Some(dollars(3000)) },
                        Listed::plain(Price::new(Money::new(1800, Currency::GBP)).unwrap()),
                    ],
                    weight_g: Some(340),
                    tax_class: TaxClass::SuperReduced,
                    physical: false,
                    ..details("L-2")
                },
            },
            Event::VariantRevised {
                variant: id(1),
                change: VariantChange {
                    weight_g: Some(Some(340)),
                    tax_class: Some(TaxClass::Reduced),
                    physical: Some(true),
                    ..VariantChange::default()
                },
            },
            Event::VariantRevised {
                variant: id(1),
                change: VariantChange { weight_g: Some(None), ..VariantChange::default() },
            },
            Event::VariantRevised { variant: id(1), change: called("Red") },
            Event::PriceSet { variant: id(1), price: price(0), compare_at: None, from: None },
            Event::PriceSet {
                variant: id(1),
                price: price(1500),
                compare_at: Some(price(1999)),
                from: Some(price(1999)),
            },
            Event::PriceWithdrawn { variant: id(1), price: dollars(2100) },
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
        R::CurrencyTwice { currency: Currency::EUR },
        R::CompareAtTooLow,
        R::TooManyPrices,
        R::TooHeavy,
        R::TooManyVariants,
        R::TooManyAttributes,
    ]);
}
