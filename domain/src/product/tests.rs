//! Rules of products and their variants.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::*;
use crate::Currency;
use crate::category::{AttributeDefinition, AttributeType};
use crate::decider::fold;
use crate::money::{Money, Price};
use crate::testing::{given, golden, id, noon, price, text, well_said};

fn attributes() -> Attributes {
    BTreeMap::from([
        (text("boxed"), AttributeValue::Boolean(true)),
        (text("material"), AttributeValue::Text(text("oak"))),
        (text("weight_g"), AttributeValue::Integer(340)),
    ])
}

fn created() -> Event {
    Event::Created {
        title: text("Lamp"),
        description: text("It shines"),
        category: None,
        attributes: attributes(),
        seller: None,
    }
}

fn create(title: &str) -> Command {
    Command::Create {
        title: text(title),
        description: text("It shines"),
        category: None,
        attributes: attributes(),
        seller: None,
    }
}

fn options() -> Options {
    Options::from([(text("colour"), text("red"))])
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
    let command = |attributes| Command::Revise { title: None, description: None, category: None, attributes };
    given::<Product>([created()]).when(&command(Some(attributes))).then_refused(Rejection::TooManyAttributes);
    let attributes: Attributes =
        (1..=ATTRIBUTES_MAX).map(|number| (text(&format!("a{number}")), AttributeValue::Boolean(true))).collect();
    let (title, description) = (text("Lamp"), text("It shines"));
    let create = Command::Create {
        title: text("Lamp"),
        description: text("It shines"),
        category: None,
        attributes: attributes.clone(),
        seller: None,
    };
    let created = Event::Created { title, description, category: None, attributes, seller: None };
    given::<Product>([]).when(&create).then([created]);
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
    let variant = state.live().unwrap().variant(id(1)).unwrap();
    assert_eq!((variant.price, variant.listed(Currency::EUR)), (price(1500), Some(cheaper)));
    assert_eq!(variant.listed(Currency::USD), Some(Listed::plain(dollars(2100))));
    assert_eq!(variant.listed(Currency::GBP), None);
    // Another currency that is not given is given up; the first one cannot be.
    given::<Product>(priced.clone())
        .when(&set(&[cheaper]))
        .then([Event::PriceWithdrawn { variant: id(1), price: dollars(2100) }]);
    let withdrawn = Event::PriceWithdrawn { variant: id(1), price: dollars(2100) };
    let state: Product = crate::fold(&[&priced[..], &[withdrawn]].concat());
    let variant = state.live().unwrap().variant(id(1)).unwrap();
    assert_eq!((variant.listed(Currency::USD), variant.listed(Currency::EUR)), (None, Some(cheaper)));
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
fn a_variant_is_told_apart_by_its_title_its_options_or_its_sku_if_there_are_several() {
    let lamp = |options| Variant { title: text("Lamp"), options, ..details("L-1") };
    let with = |variants: &[Event]| crate::decider::fold::<Product>([&[created()], variants].concat().iter());
    let name = |product: &Product, variant: &Variant| product.live().unwrap().told_apart(variant);
    let (one, two) = (with(&[added(1, "L-1")]), with(&[added(1, "L-1"), added(2, "L-2")]));
    assert_eq!(name(&one, &details("L-1")), Some(text("Red")));
    assert_eq!(name(&one, &lamp(options())), None);
    assert_eq!(name(&two, &lamp(options())), Some(text("red")));
    assert_eq!(name(&two, &lamp(Options::default())), Some(text("L-1")));
}

#[test]
fn a_variant_weighs_no_more_than_a_parcel_may() {
    let heavy = Variant { weight_g: Some(WEIGHT_MAX_G), ..details("L-1") };
    let add = Command::AddVariant { variant: id(1), details: heavy.clone() };
    given::<Product>([created()]).when(&add).then([Event::VariantAdded { variant: id(1), details: heavy }]);
}

#[test]
fn a_variant_has_no_more_options_than_there_may_be_attributes() {
    let options: Options = (1..=ATTRIBUTES_MAX + 1).map(|number| (text(&format!("o{number}")), text("red"))).collect();
    let most: Options = options.iter().skip(1).map(|(name, value)| (name.clone(), value.clone())).collect();
    let check = |options: &Options| variant::check_details(Some(options), None);
    assert_eq!((check(&options), check(&most)), (Err(Rejection::TooManyAttributes), Ok(())));
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

fn option(name: &str, values: &[&str]) -> OptionDefinition {
    OptionDefinition { name: text(name), values: values.iter().map(|value| text(value)).collect() }
}

fn define(options: &[OptionDefinition]) -> Command {
    Command::DefineOptions { options: options.to_vec() }
}

fn coloured(variant: u128, colour: &str) -> Command {
    let options = Options::from([(text("colour"), text(colour))]);
    let details = Variant { options, ..details(&format!("L-{variant}")) };
    Command::AddVariant { variant: id(variant), details }
}

#[test]
fn variants_say_something_to_each_option_and_no_two_the_same() {
    let colours = [option("colour", &["red", "blue"])];
    let defined = Event::OptionsDefined { options: colours.to_vec() };
    let history = [created(), added(1, "L-1")];
    given::<Product>(history.clone()).when(&define(&colours)).then([defined.clone()]);
    let known = [&history[..], &[defined]].concat();
    let refused = |command: &Command, rejection| given::<Product>(known.clone()).when(command).then_refused(rejection);
    given::<Product>(known.clone()).when(&define(&colours)).then_nothing();
    refused(&coloured(2, "red"), Rejection::OptionsTwice);
    refused(&coloured(2, "green"), Rejection::OptionValue { name: text("colour") });
    let sized = Variant { options: Options::from([(text("size"), text("M"))]), ..details("L-2") };
    refused(&Command::AddVariant { variant: id(2), details: sized }, Rejection::OptionUnknown { name: text("size") });
    let silent = VariantChange { options: Some(Options::new()), ..VariantChange::default() };
    refused(
        &Command::ReviseVariant { variant: id(1), change: silent },
        Rejection::OptionMissing { name: text("colour") },
    );
    refused(&define(&[option("size", &["M"])]), Rejection::VariantDoesNotFit { variant: id(1) });
    // A variant keeps what it has without being in its own way.
    let same = Command::ReviseVariant { variant: id(1), change: called("Crimson") };
    let change = VariantChange { options: None, ..called("Crimson") };
    given::<Product>(known).when(&same).then([Event::VariantRevised { variant: id(1), change }]);
}

#[test]
fn options_stand_in_the_order_in_which_they_are_declared() {
    let declared = |names: &[&str]| {
        let options = names.iter().map(|name| option(name, &["M", "green"])).collect();
        Event::OptionsDefined { options }
    };
    let alphabetical = Options::from([(text("colour"), text("green")), (text("size"), text("M"))]);
    let details = Variant { options: alphabetical.clone(), ..details("L-1") };
    let added = Event::VariantAdded { variant: id(1), details };
    let revised = Event::VariantRevised {
        variant: id(1),
        change: VariantChange { options: Some(alphabetical), ..VariantChange::default() },
    };
    let names = |history: &[Event]| {
        let product: Product = fold(history);
        let options = product.live().unwrap().variants[&id(1)].options.clone();
        options.keys().map(ToString::to_string).collect::<Vec<_>>()
    };
    let size_first = declared(&["size", "colour"]);
    assert_eq!(names(&[created(), size_first.clone(), added.clone()]), ["size", "colour"]);
    assert_eq!(names(&[created(), added.clone(), size_first.clone()]), ["size", "colour"]);
    assert_eq!(names(&[created(), size_first.clone(), added.clone(), revised]), ["size", "colour"]);
    assert_eq!(names(&[created(), size_first, added, declared(&["colour", "size"])]), ["colour", "size"]);
}

#[test]
fn options_make_sense() {
    let refused = |options: &[OptionDefinition], rejection| {
        given::<Product>([created()]).when(&define(options)).then_refused(rejection);
    };
    refused(&[option("a", &["x"]), option("a", &["y"])], Rejection::OptionTwice { at: 1 });
    refused(&[option("a", &[])], Rejection::OptionValues { at: 0 });
    refused(&[option("a", &["x", "x"])], Rejection::OptionValues { at: 0 });
    let many: Vec<_> = (0..=OPTIONS_MAX).map(|number| option(&format!("o{number}"), &["x"])).collect();
    refused(&many, Rejection::TooManyOptions);
    let two = [added(1, "L-1"), added(2, "L-2")];
    let history = [&[created()], &two[..]].concat();
    given::<Product>(history).when(&define(&[option("colour", &["red"])])).then_refused(Rejection::OptionsTwice);
}

fn image(number: u128) -> Image {
    Image {
        image: id(number),
        digest: text(&format!("{number:064x}")),
        r#type: ImageType::Jpeg,
        width: 640,
        height: 480,
        bytes: 1000,
        alt: None,
    }
}

#[test]
fn pictures_are_added_once_and_ordered_whole() {
    let history = [created(), Event::ImageAdded(image(1)), Event::ImageAdded(image(2))];
    let when = |command: &Command| given::<Product>(history.clone()).when(command);
    when(&Command::AddImage(image(1))).then_nothing();
    when(&Command::AddImage(Image { image: id(3), ..image(1) })).then_refused(Rejection::ImageTwice);
    when(&Command::AddImage(image(3))).then([Event::ImageAdded(image(3))]);
    let order = |numbers: &[u128]| Command::OrderImages { images: numbers.iter().map(|number| id(*number)).collect() };
    when(&order(&[1, 2])).then_nothing();
    when(&order(&[2, 1])).then([Event::ImagesOrdered { images: vec![id(2), id(1)] }]);
    for wrong in [&[1][..], &[1, 1], &[1, 2, 3], &[1, 3]] {
        when(&order(wrong)).then_refused(Rejection::ImagesDiffer);
    }
    let ordered = [&history[..], &[Event::ImagesOrdered { images: vec![id(2), id(1)] }]].concat();
    let state: Product = crate::fold(&ordered);
    assert_eq!(state.live().unwrap().images, [image(2), image(1)]);
    when(&Command::RemoveImage { image: id(1) }).then([Event::ImageRemoved { image: id(1) }]);
    when(&Command::RemoveImage { image: id(9) }).then_nothing();
    let alt: Option<crate::text::Label> = Some(text("A lamp"));
    let describe = |image| Command::DescribeImage { image: id(image), alt: alt.clone() };
    when(&describe(1)).then([Event::ImageDescribed { image: id(1), alt: alt.clone() }]);
    when(&describe(9)).then_refused(Rejection::NoSuchImage);
    let full = (0..IMAGES_MAX).map(|number| Event::ImageAdded(image(number as u128)));
    let full: Vec<_> = [created()].into_iter().chain(full).collect();
    given::<Product>(full).when(&Command::AddImage(image(99))).then_refused(Rejection::TooManyImages);
}

#[expect(clippy::unnecessary_wraps, reason = "it is part of a schedule, which may lack it")]
fn hour(hours: i64) -> Option<DateTime<Utc>> {
    Some(noon() + TimeDelta::hours(hours))
}

fn within(at: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) -> Command {
    Command::PublishWithin(Schedule { at, until })
}

fn scheduled(at: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) -> Event {
    Event::Scheduled(Schedule { at, until })
}

#[test]
fn it_is_published_when_its_moment_comes() {
    let draft = [created(), added(1, "L-1")];
    let when = |command: &Command| given::<Product>(draft.clone()).when(command);
    when(&within(None, None)).then([Event::Published {}]);
    when(&within(hour(-1), None)).then([Event::Published {}]);
    when(&within(None, hour(1))).then([scheduled(None, hour(1)), Event::Published {}]);
    when(&within(hour(1), hour(2))).then([scheduled(hour(1), hour(2))]);
    when(&within(hour(2), hour(2))).then_refused(Rejection::ScheduleOrder);
    when(&within(None, hour(0))).then_refused(Rejection::ScheduleOrder);
    given::<Product>([created()]).when(&within(hour(1), None)).then_refused(Rejection::NoVariant);

    let planned = [&draft[..], &[scheduled(hour(1), hour(2))]].concat();
    let when = |command: &Command| given::<Product>(planned.clone()).when(command);
    when(&within(hour(1), hour(2))).then_nothing();
    when(&Command::PublishDue { at: noon() + TimeDelta::hours(1) }).then([Event::Published {}]);
    when(&Command::PublishDue { at: noon() }).then_nothing();
    when(&Command::Unpublish {}).then([scheduled(None, None)]);
    when(&within(None, None)).then([scheduled(None, None), Event::Published {}]);
    // What is to be seen keeps something to buy.
    when(&Command::RemoveVariant { variant: id(1) }).then_refused(Rejection::LastVariant);

    // A rule forbids it by now: the schedule is cleared, until staff schedules it again.
    let refused = Event::PublicationRefused {
        at: noon() + TimeDelta::hours(1),
        code: text("product.attribute_missing"),
        because: text("the attribute size is missing"),
    };
    let refuse = |at| Command::RefusePublication {
        at,
        code: text("product.attribute_missing"),
        because: text("the attribute size is missing"),
    };
    when(&refuse(noon() + TimeDelta::hours(1))).then([refused.clone()]);
    when(&refuse(noon())).then_nothing();
    let after = [&planned[..], std::slice::from_ref(&refused)].concat();
    let product = crate::fold::<Product>(&after);
    assert_eq!(product.live().map(|it| (it.schedule, it.refusal.is_some())), Ok((Schedule::default(), true)));
    given::<Product>(after.clone()).when(&refuse(noon() + TimeDelta::hours(1))).then_nothing();
    given::<Product>(after).when(&within(None, None)).then([Event::Published {}]);

    let shown = [&planned[..], &[Event::Published {}]].concat();
    let when = |command: &Command| given::<Product>(shown.clone()).when(command);
    when(&refuse(noon() + TimeDelta::hours(1))).then_nothing();
    when(&Command::PublishDue { at: noon() + TimeDelta::hours(1) }).then_nothing();
    when(&within(hour(3), None)).then_refused(Rejection::AlreadyPublished);
    when(&Command::UnpublishDue { until: noon() + TimeDelta::hours(2) }).then([Event::Unpublished {}]);
    when(&Command::UnpublishDue { until: noon() }).then_nothing();
    let hidden: Product = crate::fold(&[&shown[..], &[Event::Unpublished {}]].concat());
    assert!(hidden.live().unwrap().schedule.is_empty());
}

fn definition(name: &str, r#type: AttributeType, required: bool) -> AttributeDefinition {
    let values = match r#type {
        AttributeType::Choice => vec![text("oak"), text("ash")],
        AttributeType::Text | AttributeType::Number | AttributeType::Boolean => vec![],
    };
    let labels = BTreeMap::new();
    AttributeDefinition {
        name: text(name),
        r#type,
        values: values.into(),
        unit: None,
        required,
        filterable: false,
        labels: labels.into(),
    }
}

#[test]
fn attributes_are_what_the_category_asks_for() {
    let definitions = [
        definition("material", AttributeType::Choice, false),
        definition("weight_g", AttributeType::Number, false),
        definition("boxed", AttributeType::Boolean, false),
        definition("maker", AttributeType::Text, true),
    ];
    let check = |json: serde_json::Value, shown: bool| {
        let attributes = serde_json::from_value(json).unwrap();
        let revised = Event::Revised { title: None, description: None, category: None, attributes: Some(attributes) };
        let seen = if shown { vec![added(1, "L-1"), Event::Published {}] } else { vec![] };
        let state: Product = crate::fold(&[&[created(), revised], &seen[..]].concat());
        state.live().unwrap().check_attributes(&definitions.iter().collect::<Vec<_>>())
    };
    let all = json!({"material": "oak", "weight_g": 3, "boxed": true, "maker": "Anna"});
    assert_eq!(check(all, true), Ok(()));
    assert_eq!(check(json!({}), false), Ok(()));
    assert_eq!(check(json!({}), true), Err(Rejection::AttributeMissing { name: text("maker") }));
    assert_eq!(check(json!({"colour": 1}), false), Err(Rejection::AttributeUnknown { name: text("colour") }));
    assert_eq!(check(json!({"material": "pine"}), false), Err(Rejection::AttributeChoice { name: text("material") }));
    for (name, value, expected) in [
        ("material", json!(1), "a text"),
        ("weight_g", json!("1"), "a whole number"),
        ("boxed", json!(1), "true or false"),
        ("maker", json!(true), "a text"),
    ] {
        let error = Rejection::AttributeType { name: text(name), expected };
        assert_eq!(check(json!({name: value}), false), Err(error));
    }
    let state: Product = crate::fold(&[created()]);
    assert_eq!(state.live().unwrap().check_attributes(&[]), Ok(()));
}

#[test]
fn a_reduction_is_told_with_the_lowest_price_of_the_thirty_days_before() {
    let day = |days| noon() + TimeDelta::days(days);
    let set = |amount| Event::PriceSet { variant: id(1), price: price(amount), compare_at: None, from: None };
    let history = |events: &[(i64, Event)], now| {
        let events: Vec<_> = events.iter().map(|(at, event)| (day(*at), event.clone())).collect();
        let histories = price_history(events.iter().map(|(at, event)| (*at, event)), day(now));
        assert_eq!(histories.len(), 1);
        histories.into_iter().next().unwrap()
    };
    let first = (0, added(1, "L-1"));
    // 19.99, then 15.00 for a while, 25.00, and down to 18.00.
    let events = [first.clone(), (10, set(1500)), (12, set(2500)), (50, set(1800))];
    let found = history(&events, 51);
    let prices: Vec<_> = found.entries.iter().map(|it| (it.price, it.from, it.until)).collect();
    assert_eq!(prices[1], (price(1500), day(10), Some(day(12))));
    assert_eq!(prices[3], (price(1800), day(50), None));
    // The 15.00 were gone for more than thirty days.
    let reduction = Reduction { from: day(50), previous_price: price(2500), lowest_before: price(2500) };
    assert_eq!((found.reduction, found.lowest_30_days), (Some(reduction), Some(price(1800))));
    let sooner = [first.clone(), (10, set(1500)), (12, set(2500)), (40, set(1800))];
    assert_eq!(history(&sooner, 40).reduction.unwrap().lowest_before, price(1500));
    // The same price written again is no other reduction, and a price that rises is none.
    let again = Event::PriceSet { variant: id(1), price: price(1800), compare_at: Some(price(3000)), from: None };
    let twice = [&events[..], &[(55, again)]].concat();
    assert_eq!(history(&twice, 60).reduction, Some(reduction));
    assert_eq!(history(&events[..3], 13).reduction, None);
    assert_eq!(history(std::slice::from_ref(&first), 100).lowest_30_days, Some(price(1999)));
    let gone = [first, (1, Event::VariantRemoved { variant: id(1), sku: text("L-1") })];
    let found = history(&gone, 100);
    assert_eq!((found.lowest_30_days, found.entries[0].until), (None, Some(day(1))));
}

#[test]
fn each_currency_has_a_history_of_its_own() {
    let day = |days| noon() + TimeDelta::days(days);
    let dollar = |amount| Event::PriceSet { variant: id(1), price: dollars(amount), compare_at: None, from: None };
    let withdrawn = Event::PriceWithdrawn { variant: id(1), price: dollars(900) };
    let events = [(0, added(1, "L-1")), (1, dollar(1000)), (2, dollar(900)), (3, withdrawn), (9, dollar(800))];
    let found = price_history(events.iter().map(|(at, event)| (day(*at), event)), day(10));
    let currencies: Vec<_> = found.iter().map(|it| (it.currency, it.entries.len())).collect();
    assert_eq!(currencies, [(Currency::EUR, 1), (Currency::USD, 3)]);
    // It was off sale in between, so nothing was reduced.
    assert_eq!((found[1].reduction, found[1].lowest_30_days), (None, Some(dollars(800))));
}

fn created_as(category: Option<CategoryId>, seller: Option<SellerId>) -> Event {
    let (title, description) = (text("Lamp"), text(""));
    Event::Created { title, description, category, attributes: BTreeMap::new(), seller }
}

#[test]
fn every_stored_form_is_golden() {
    golden(
        include_str!("golden.json"),
        &[
            created(),
            created_as(Some(id(3)), None),
            created_as(None, Some(id(5))),
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
            Event::OptionsDefined { options: vec![option("colour", &["red", "blue"])] },
            Event::OptionsDefined { options: vec![] },
            Event::ImageAdded(image(1)),
            Event::ImageAdded(Image { r#type: ImageType::Png, alt: Some(text("A lamp")), ..image(2) }),
            Event::ImagesOrdered { images: vec![id(2), id(1)] },
            Event::ImageDescribed { image: id(1), alt: Some(text("A lamp")) },
            Event::ImageDescribed { image: id(1), alt: None },
            Event::ImageRemoved { image: id(1) },
            scheduled(hour(1), hour(2)),
            scheduled(None, None),
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
        R::AttributeMissing { name: text("a") },
        R::AttributeUnknown { name: text("a") },
        R::AttributeType { name: text("a"), expected: "a text" },
        R::AttributeChoice { name: text("a") },
        R::TooManyOptions,
        R::OptionTwice { at: 1 },
        R::OptionValues { at: 1 },
        R::OptionUnknown { name: text("a") },
        R::OptionMissing { name: text("a") },
        R::OptionValue { name: text("a") },
        R::OptionsTwice,
        R::VariantDoesNotFit { variant: id(1) },
        R::TooManyImages,
        R::ImageTwice,
        R::NoSuchImage,
        R::ImagesDiffer,
        R::ScheduleOrder,
        R::NotYours,
        R::TaxClassOfHouse,
        R::AlreadyPublished,
    ]);
}

#[test]
fn every_combination_of_options_is_there_once_and_not_more_than_there_may_be() {
    let option = |name: &str, values: &[&str]| OptionDefinition {
        name: text(name),
        values: values.iter().map(|value| text(value)).collect(),
    };
    let told = |options: &[OptionDefinition]| {
        let all = combinations(options)?;
        Some(
            all.iter().map(|it| it.values().map(ToString::to_string).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>(),
        )
    };
    assert_eq!(told(&[]), Some(vec![String::new()]));
    let both = [option("a", &["1", "2"]), option("b", &["x", "y"])];
    assert_eq!(told(&both), Some(["1 x", "1 y", "2 x", "2 y"].map(str::to_owned).to_vec()));
    let ten: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    let ten: Vec<&str> = ten.iter().map(String::as_str).collect();
    assert_eq!(combinations(&[option("a", &ten), option("b", &ten)]).map(|all| all.len()), Some(VARIANTS_MAX));
    assert_eq!(combinations(&[option("a", &ten), option("b", &ten), option("c", &["x", "y"])]), None);
}
