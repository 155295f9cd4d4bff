//! Rules of the tax book.

use super::*;
use crate::fold;
use crate::testing::{given, golden, noon, text, well_said};

fn on(class: TaxClass, hundredths: u16, day: &str) -> Rate {
    Rate { class, rate_bps: BasisPoints::new(hundredths).unwrap(), valid_from: day.parse().unwrap() }
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

fn set(countries: impl Into<Vec<CountryTax>>) -> Command {
    Command::Set { countries: countries.into() }
}

fn rate_of(book: &TaxBook, country: &str, area: Option<&str>, class: TaxClass) -> Option<u16> {
    let area = area.map(text::<PostalCode>);
    book.applied(&text(country), area.as_ref(), class, noon()).map(|applied| applied.rate_bps.get())
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
    let many = vec![germany().rates[0].clone(); RATES_MAX + 1];
    refused(CountryTax { rates: many.into(), ..germany() }, Rejection::TooMany { at: 0 });
    let region = spain().regions[0].clone();
    let areas = [&region.areas[..], &[text("3501")]].concat().into();
    let long = CountryTax { regions: [Region { areas, ..region }].into(), ..spain() };
    refused(long, Rejection::NoArea { at: 0 });
    let again = Rejection::CountryTwice { at: 1, country: text("DE") };
    given::<TaxBook>([]).when(&set([germany(), germany()])).then_refused(again);
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
    let of = |day: &str| rate(&rates, TaxClass::Standard, day.parse().unwrap()).map(BasisPoints::get);
    assert_eq!(of("2006-12-31"), None);
    assert_eq!(of("2020-06-30"), Some(1_900));
    assert_eq!(of("2020-12-31"), Some(1_600));
    assert_eq!(of("2026-01-01"), Some(1_900));
    assert_eq!(of("2026-01-02"), Some(2_000));
}

#[test]
fn every_stored_form_is_golden() {
    let removed = Event::CountryRemoved { country: text("DE") };
    golden(include_str!("golden.json"), &[Event::CountrySet(germany()), Event::CountrySet(spain()), removed]);
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
