//! Rules of the shipping book.

use super::*;
use crate::fold;
use crate::testing::{given, golden, price, text, well_said};

fn parcel() -> Service {
    Service {
        service: text("parcel"),
        name: text("Parcel"),
        carrier: Some(text("Post")),
        bands: [
            Band { up_to_g: 2_000, prices: [price(490)].into() },
            Band { up_to_g: 10_000, prices: [price(990)].into() },
        ]
        .into(),
        free_over: [price(5_000)].into(),
        days: Days { min: 1, max: 3 },
        tax_class: TaxClass::Standard,
    }
}

fn germany() -> Zone {
    Zone {
        zone: text("germany"),
        name: text("Germany"),
        countries: [text("DE")].into(),
        areas: [].into(),
        services: [parcel()].into(),
    }
}

fn islands() -> Zone {
    let boat = Service {
        service: text("boat"),
        name: text("Boat"),
        carrier: None,
        bands: [Band { up_to_g: 2_000, prices: [price(1_490)].into() }].into(),
        free_over: [].into(),
        days: Days { min: 2, max: 9 },
        tax_class: TaxClass::Zero,
    };
    Zone {
        zone: text("islands"),
        name: text("Islands"),
        areas: [text("254")].into(),
        services: [boat].into(),
        ..germany()
    }
}

fn world() -> Zone {
    Zone { zone: text("world"), name: text("Everywhere else"), countries: [].into(), ..germany() }
}

fn set(zones: impl Into<Vec<Zone>>) -> Command {
    Command::Set { zones: zones.into() }
}

#[test]
fn the_book_holds_what_it_is_told_and_nothing_else() {
    let history = [Event::ZoneSet(germany())];
    given::<ShippingBook>([]).when(&set([germany()])).then(history.clone());
    given::<ShippingBook>(history.clone()).when(&set([germany()])).then_nothing();
    let gone = Event::ZoneRemoved { zone: text("germany") };
    given::<ShippingBook>(history).when(&set([world()])).then([gone, Event::ZoneSet(world())]);
}

#[test]
fn a_destination_is_in_the_zone_that_names_it_best() {
    let book = fold::<ShippingBook>(&[germany(), islands(), world()].map(Event::ZoneSet));
    let zone = |country, area: Option<&str>| {
        let area = area.map(text::<PostalCode>);
        book.zone(&text(country), area.as_ref()).map(|zone| zone.zone.as_str())
    };
    assert_eq!(zone("DE", Some("101")), Some("germany"));
    assert_eq!(zone("DE", Some("254")), Some("islands"));
    assert_eq!(zone("DE", None), Some("germany"));
    assert_eq!(zone("FR", Some("254")), Some("world"));
    let book = fold::<ShippingBook>(&[Event::ZoneSet(germany())]);
    assert_eq!(book.zone(&text("FR"), None), None);
}

#[test]
fn no_destination_is_in_two_zones() {
    let refused = |zones: Vec<Zone>, rejection| given::<ShippingBook>([]).when(&set(zones)).then_refused(rejection);
    refused(vec![germany(), germany()], Rejection::ZoneTwice { at: 1 });
    let named = |name: &str, zone: Zone| Zone { zone: text(name), ..zone };
    let overlap = |other| Rejection::Overlap { at: 1, other: text(other) };
    refused(vec![germany(), named("again", germany())], overlap("germany"));
    refused(vec![world(), named("again", world())], overlap("world"));
    let wider = Zone { areas: [text("25")].into(), ..named("wider", islands()) };
    refused(vec![islands(), wider.clone()], overlap("islands"));
    refused(vec![wider, islands()], overlap("wider"));
    let other = Zone { areas: [text("26")].into(), ..named("other", islands()) };
    let zones = [germany(), islands(), other, world()];
    given::<ShippingBook>([]).when(&set(zones.clone())).then(zones.map(Event::ZoneSet));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |zone: Zone, rejection| given::<ShippingBook>([]).when(&set([zone])).then_refused(rejection);
    let country: Country = text("Germany");
    refused(Zone { countries: [country.clone()].into(), ..germany() }, Rejection::NoCode { at: 0, country });
    let (country, area) = (text("DE"), text("254"));
    refused(Zone { countries: vec![text("DE"); 2].into(), ..germany() }, Rejection::CountryTwice { at: 0, country });
    refused(Zone { areas: vec![text("254"); 2].into(), ..islands() }, Rejection::AreaTwice { at: 0, area });
    refused(Zone { areas: [text("2546")].into(), ..islands() }, Rejection::NoArea { at: 0 });
    refused(Zone { countries: [].into(), ..islands() }, Rejection::NoArea { at: 0 });
    let of = |service| Zone { services: [service].into(), ..germany() };
    let twice = Rejection::ServiceTwice { at: 0, service: text("parcel") };
    refused(Zone { services: [parcel(), parcel()].into(), ..germany() }, twice);
    let wrong = || Rejection::NoService { at: 0, service: text("parcel") };
    refused(of(Service { bands: [].into(), ..parcel() }), wrong());
    refused(of(Service { bands: parcel().bands.into_iter().rev().collect(), ..parcel() }), wrong());
    refused(of(Service { free_over: [price(1), price(2)].into(), ..parcel() }), wrong());
    refused(of(Service { days: Days { min: 3, max: 2 }, ..parcel() }), wrong());
    refused(of(Service { days: Days { min: 0, max: DAYS_MAX + 1 }, ..parcel() }), wrong());
}

#[test]
fn zones_that_share_areas_only_in_different_countries_are_apart() {
    let of = |name: &str, country: &str, areas: &[&str]| Zone {
        zone: text(name),
        countries: [text(country)].into(),
        areas: areas.iter().map(|area| text(area)).collect(),
        ..germany()
    };
    let zones = [of("a", "DE", &["1", "25"]), of("b", "FR", &["1", "25"]), of("c", "DE", &["2A", "35"])];
    given::<ShippingBook>([]).when(&set(zones.clone())).then(zones.map(Event::ZoneSet));
    for within in ["1", "12", "12A", "2", "250"] {
        let zones = [of("a", "DE", &["1", "25"]), of("b", "DE", &["9", within])];
        let overlap = Rejection::Overlap { at: 1, other: text("a") };
        given::<ShippingBook>([]).when(&set(zones)).then_refused(overlap);
    }
}

#[test]
fn a_zone_holds_so_much_and_no_more() {
    let refused = |zone: Zone| given::<ShippingBook>([]).when(&set([zone])).then_refused(Rejection::TooMany);
    refused(Zone { countries: vec![text("DE"); COUNTRIES_MAX + 1].into(), ..germany() });
    refused(Zone { areas: vec![text("25"); AREAS_MAX + 1].into(), ..islands() });
    refused(Zone { services: vec![parcel(); SERVICES_MAX + 1].into(), ..germany() });
    let band = |number| Band { up_to_g: u32::try_from(number).unwrap(), prices: [price(490)].into() };
    let with = |bands: usize| Service { bands: (1..=bands).map(band).collect(), ..parcel() };
    let most = Zone { services: [with(BANDS_MAX)].into(), ..germany() };
    given::<ShippingBook>([]).when(&set([most.clone()])).then([Event::ZoneSet(most)]);
    let zones = vec![germany(); ZONES_MAX + 1];
    given::<ShippingBook>([]).when(&set(zones)).then_refused(Rejection::TooMany);
}

#[test]
fn an_overlap_names_the_other_zone_however_many_there_are() {
    let zone = |name: String, number: usize| Zone {
        zone: text(&name),
        areas: [text(&format!("{number:03}"))].into(),
        ..germany()
    };
    let apart: Vec<Zone> = (0..ZONES_MAX - 1).map(|number| zone(format!("zone-{number}"), number)).collect();
    for other in [0, 1, 63, 64, 65, 130, 255, 256, ZONES_MAX - 2] {
        let again = zone("again".to_owned(), other);
        let overlap = Rejection::Overlap { at: ZONES_MAX - 1, other: text(&format!("zone-{other}")) };
        given::<ShippingBook>([]).when(&set([&apart[..], &[again]].concat())).then_refused(overlap);
    }
}

#[test]
fn the_largest_book_is_decided_by_looking_at_each_area_once() {
    // Every zone names all countries, and no two an area within an area of the other.
    let area = |number: usize| {
        let digit = |place: usize| char::from_digit(u32::try_from(number / place % 36).unwrap(), 36).unwrap();
        text::<PostalCode>(&[digit(1_296), digit(36), digit(1)].iter().collect::<String>().to_uppercase())
    };
    let letters = || 'A'..='Z';
    let codes = letters().flat_map(|first| letters().map(move |second| format!("{first}{second}")));
    let countries: Vec<Country> = codes.map(|code| text(&code)).filter(Country::is_code).collect();
    let zone = |number: usize| Zone {
        zone: text(&format!("zone-{number}")),
        countries: countries.clone().into(),
        areas: (number * 150..(number + 1) * 150).map(area).collect(),
        ..germany()
    };
    let zones: Vec<Zone> = (0..ZONES_MAX).map(zone).collect();
    given::<ShippingBook>([]).when(&set(zones.clone())).then(zones.into_iter().map(Event::ZoneSet));
}

#[test]
fn a_service_costs_by_weight_and_currency() {
    let service = parcel();
    let cost = |weight_g| service.price(weight_g, Currency::EUR).map(|price| price.money().amount);
    assert_eq!([cost(0), cost(2_000), cost(2_001), cost(10_000)], [Some(490), Some(490), Some(990), Some(990)]);
    assert_eq!(cost(10_001), None);
    assert_eq!(service.price(1, Currency::GBP), None);
}

#[test]
fn every_stored_form_is_golden() {
    let removed = Event::ZoneRemoved { zone: text("germany") };
    golden(include_str!("golden.json"), &[Event::ZoneSet(germany()), Event::ZoneSet(islands()), removed]);
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[
        R::ZoneTwice { at: 0 },
        R::NoCode { at: 0, country: text("xx") },
        R::CountryTwice { at: 0, country: text("DE") },
        R::AreaTwice { at: 0, area: text("254") },
        R::NoArea { at: 0 },
        R::Overlap { at: 0, other: text("a") },
        R::ServiceTwice { at: 0, service: text("a") },
        R::NoService { at: 0, service: text("a") },
        R::TooMany,
    ]);
}
