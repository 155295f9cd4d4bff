//! Rules of the tax book.

use super::*;
use crate::fold;
use crate::testing::{given, golden, noon, text, well_said};

fn on(class: TaxClass, hundredths: u16, day: &str) -> Rate {
    Rate { class, rate: BasisPoints::new(hundredths).unwrap().into(), valid_from: day.parse().unwrap() }
}

fn germany() -> CountryTax {
    CountryTax {
        country: text("DE"),
        prices_include_tax: true,
        rates: [on(TaxClass::Standard, 1_900, "2021-01-01"), on(TaxClass::Reduced, 700, "2021-01-01")].into(),
        regions: [].into(),
    }
}

fn spain() -> CountryTax {
    let canaries = Region {
        name: text("Canary Islands"),
        areas: [text("35"), text("38")].into(),
        rates: [on(TaxClass::Standard, 0, "2012-09-01")].into(),
    };
    CountryTax {
        country: text("ES"),
        rates: [on(TaxClass::Standard, 2_100, "2012-09-01")].into(),
        regions: [canaries].into(),
        ..germany()
    }
}

/// A day for each number, as text.
fn day_of(number: u32) -> String {
    format!("{}-{:02}-{:02}", 2000 + number / 336, number / 28 % 12 + 1, number % 28 + 1)
}

fn set(countries: impl Into<Vec<CountryTax>>) -> Command {
    Command::Set { countries: countries.into(), rounding: None }
}

fn rate_of(book: &TaxBook, country: &str, area: Option<&str>, class: TaxClass) -> Option<u16> {
    let area = area.map(text::<PostalCode>);
    book.applied(&text(country), area.as_ref(), class, noon()).map(|applied| applied.rate.rounded_bps().get())
}

#[test]
fn the_book_holds_what_it_is_told_and_nothing_else() {
    let history = [Event::CountrySet(germany())];
    given::<TaxBook>([]).when(&set([germany()])).then(history.clone());
    given::<TaxBook>(history.clone()).when(&set([germany()])).then_nothing();
    let gone = Event::CountryRemoved { country: text("DE") };
    given::<TaxBook>(history.clone()).when(&set([spain()])).then([gone.clone(), Event::CountrySet(spain())]);
    given::<TaxBook>(history).when(&set([])).then([gone]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |country: CountryTax, rejection| given::<TaxBook>([]).when(&set([country])).then_refused(rejection);
    let name = text::<Country>("Germany");
    refused(CountryTax { country: name.clone(), ..germany() }, Rejection::NoCode { at: 0, country: name });
    let twice = vec![on(TaxClass::Standard, 1, "2020-01-01"), on(TaxClass::Standard, 2, "2020-01-01")];
    let valid_from = twice[0].valid_from;
    refused(CountryTax { rates: twice.into(), ..germany() }, Rejection::RateTwice { at: 0, valid_from });
    let many = vec![germany().rates[0]; RATES_MAX + 1];
    refused(CountryTax { rates: many.into(), ..germany() }, Rejection::TooMany { at: 0 });
    let most = (1..=u32::try_from(RATES_MAX).unwrap()).map(|day| on(TaxClass::Standard, 1_900, &day_of(day)));
    let most = CountryTax { rates: most.collect(), ..germany() };
    given::<TaxBook>([]).when(&set([most.clone()])).then([Event::CountrySet(most)]);
    let region = spain().regions[0].clone();
    let areas = [&region.areas[..], &[text("3501")]].concat().into();
    let long = CountryTax { regions: [Region { areas, ..region }].into(), ..spain() };
    refused(long, Rejection::NoArea { at: 0 });
    let again = Rejection::CountryTwice { at: 1, country: text("DE") };
    given::<TaxBook>([]).when(&set([germany(), germany()])).then_refused(again);
}

#[test]
fn a_country_has_at_most_so_many_regions_of_at_most_so_many_areas() {
    let canaries = || spain().regions[0].clone();
    let of_regions = |number| CountryTax { regions: vec![canaries(); number].into(), ..spain() };
    let of_areas = |number: usize| {
        let large = Region { areas: vec![text("35"); number].into(), ..canaries() };
        CountryTax { regions: [canaries(), large].into(), ..spain() }
    };
    for most in [of_regions(REGIONS_MAX), of_areas(AREAS_MAX)] {
        given::<TaxBook>([]).when(&set([most.clone()])).then([Event::CountrySet(most)]);
    }
    for more in [of_regions(REGIONS_MAX + 1), of_areas(AREAS_MAX + 1)] {
        given::<TaxBook>([]).when(&set([more])).then_refused(Rejection::TooMany { at: 0 });
    }
}

#[test]
fn a_region_is_taxed_otherwise_and_an_unknown_country_is_not() {
    let book = fold::<TaxBook>(&[Event::CountrySet(germany()), Event::CountrySet(spain())]);
    assert_eq!(rate_of(&book, "DE", Some("101"), TaxClass::Standard), Some(1_900));
    assert_eq!(rate_of(&book, "ES", Some("280"), TaxClass::Standard), Some(2_100));
    assert_eq!(rate_of(&book, "ES", Some("350"), TaxClass::Standard), Some(0));
    assert_eq!(rate_of(&book, "ES", None, TaxClass::Standard), Some(2_100));
    assert_eq!(rate_of(&book, "FR", None, TaxClass::Standard), None);
}

#[test]
fn a_class_without_a_rate_is_taxed_at_the_next_higher_one() {
    let book = fold::<TaxBook>(&[Event::CountrySet(germany()), Event::CountrySet(spain())]);
    assert_eq!(rate_of(&book, "DE", None, TaxClass::SuperReduced), Some(700));
    assert_eq!(rate_of(&book, "ES", None, TaxClass::SuperReduced), Some(2_100));
    assert_eq!(rate_of(&book, "ES", None, TaxClass::Zero), Some(0));
}

#[test]
fn a_rate_holds_from_its_day_on() {
    let rates = vec![
        on(TaxClass::Standard, 1_900, "2007-01-01"),
        on(TaxClass::Standard, 1_600, "2020-07-01"),
        on(TaxClass::Standard, 2_000, "2026-01-02"),
        on(TaxClass::Standard, 1_900, "2021-01-01"),
    ];
    let of = |day: &str| rate(&rates, TaxClass::Standard, day.parse().unwrap()).map(|rate| rate.rounded_bps().get());
    assert_eq!(of("2006-12-31"), None);
    assert_eq!(of("2020-06-30"), Some(1_900));
    assert_eq!(of("2020-12-31"), Some(1_600));
    assert_eq!(of("2026-01-01"), Some(1_900));
    assert_eq!(of("2026-01-02"), Some(2_000));
}

#[test]
fn every_stored_form_is_golden() {
    let removed = Event::CountryRemoved { country: text("DE") };
    let eight = Rate { rate: TaxRate::new(88_750).unwrap(), ..on(TaxClass::Standard, 0, "2020-01-01") };
    let exact =
        CountryTax { country: text("US"), prices_include_tax: false, rates: [eight].into(), regions: [].into() };
    let rounded = |rounding| Event::RoundingSet { rounding };
    let samples = [
        Event::CountrySet(germany()),
        Event::CountrySet(spain()),
        removed,
        Event::CountrySet(exact),
        rounded(Rounding::Rate),
        rounded(Rounding::Line),
    ];
    golden(include_str!("golden.json"), &samples);
}

#[test]
fn a_rate_is_given_in_hundredths_or_in_millionths() {
    let read = |fields: &str| {
        let json = format!(r#"{{"class": "standard", "valid_from": "2020-01-01", {fields}}}"#);
        serde_json::from_str::<Rate>(&json).map(|it| it.rate).map_err(|error| error.to_string())
    };
    assert_eq!(read(r#""rate_bps": 1900"#), Ok(TaxRate::new(190_000).unwrap()));
    assert_eq!(read(r#""rate_ppm": 88750"#), Ok(TaxRate::new(88_750).unwrap()));
    assert_eq!(read(r#""rate_ppm": 88750, "rate_bps": 888"#), Ok(TaxRate::new(88_750).unwrap()));
    assert!(read(r#""rate_ppm": 88750, "rate_bps": 887"#).unwrap_err().contains("give one of them"));
    assert!(read(r#""rate": 1"#).unwrap_err().contains("unknown field"));
    assert!(read(r#""class2": 1"#).unwrap_err().contains("unknown field"));
    let none = serde_json::from_str::<Rate>(r#"{"class": "standard", "valid_from": "2020-01-01"}"#).unwrap_err();
    assert!(none.to_string().contains("rate_ppm"), "{none}");
}

#[test]
fn rounding_changes_only_when_it_is_named() {
    let named = |rounding| Command::Set { countries: vec![], rounding };
    let by_rate = Event::RoundingSet { rounding: Rounding::Rate };
    given::<TaxBook>([]).when(&named(Some(Rounding::Line))).then_nothing();
    given::<TaxBook>([]).when(&named(Some(Rounding::Rate))).then([by_rate.clone()]);
    given::<TaxBook>([by_rate.clone()]).when(&named(None)).then_nothing();
    let by_line = Event::RoundingSet { rounding: Rounding::Line };
    given::<TaxBook>([by_rate]).when(&named(Some(Rounding::Line))).then([by_line]);
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    let day = "2026-01-01".parse().unwrap();
    well_said(&[
        R::NoCode { at: 0, country: text("xx") },
        R::CountryTwice { at: 0, country: text("DE") },
        R::RateTwice { at: 0, valid_from: day },
        R::NoArea { at: 0 },
        R::TooMany { at: 0 },
    ]);
}
