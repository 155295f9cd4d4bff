//! The rules of the demo shop: taxes, shipping and promotions.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use byteshop_commands::Commands;
use byteshop_commands::use_cases::{self, promotions};
use byteshop_domain::Currency;
use byteshop_domain::basis_points::BasisPoints;
use byteshop_domain::ids::CategoryId;
use byteshop_domain::money::{Money, Price};
use byteshop_domain::product::TaxClass;
use byteshop_domain::promotion::{Benefit, Conditions, CouponCode, Limits, SubtotalTier, Target, Terms};
use byteshop_domain::quantity::Quantity;
use byteshop_domain::shipping_book::{self, ShippingBook, Zone};
use byteshop_domain::tax_book::{self, CountryTax, Rate, TaxBook};
use byteshop_domain::text::{Country, Label};
use chrono::NaiveDate;
use serde::Deserialize;

use super::super::failure::Failure;
use super::demo::{Own, intent};

const VAT_RATES: &str = include_str!("../../../data/tax/vat_rates.csv");
const ZONES: &str = include_str!("../../../data/shipping/zones.json");
/// Reduced rates, in hundredths of a percent: the list of rates has standard ones alone.
const REDUCED: [(&str, u16); 7] =
    [("AT", 1_000), ("DE", 700), ("ES", 400), ("FR", 550), ("GB", 0), ("IT", 400), ("NL", 900)];
/// Since when the reduced rates hold, as far as the demo is concerned.
const REDUCED_SINCE: NaiveDate = NaiveDate::from_ymd_opt(2020, 1, 1).expect("a day of the calendar");

/// Standard rates that the list does not have: Federal Laws 303-FZ of 2018 and 425-FZ of 2025 of Russia.
const LATER: [(&str, u16, NaiveDate); 2] = [
    ("RU", 2_000, NaiveDate::from_ymd_opt(2019, 1, 1).expect("a day of the calendar")),
    ("RU", 2_200, NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day of the calendar")),
];

/// A row of the list of rates.
#[derive(Deserialize)]
struct Row {
    start_date: NaiveDate,
    /// ISO 3166 codes of countries and of parts of them, one a line.
    territory_codes: String,
    rate: String,
    rate_type: String,
}

/// Sets taxes and shipping where the shop has none, and says what it left because the shop has its own.
pub(super) async fn set_books(commands: &Commands) -> Result<Vec<Own>, Failure> {
    let taxes = set_taxes(commands).await?.then_some(Own::TaxRates);
    let shipping = set_shipping(commands).await?.then_some(Own::ShippingZones);
    Ok(taxes.into_iter().chain(shipping).collect())
}

/// Sets the tax rates of a shop that has none; says whether the shop has others than the demo.
async fn set_taxes(commands: &Commands) -> Result<bool, Failure> {
    let countries = countries()?;
    let intent = intent("tax_book.set", "taxes".to_owned());
    let done = commands.run(&intent, |unit| {
        let countries = countries.clone();
        async move {
            let mut book = unit.load::<TaxBook>(tax_book::id()).await?;
            let is_new = book.state.countries.is_empty();
            if is_new { use_cases::tax_book::set(&unit, &mut book, countries, None) } else { Ok(()) }
        }
    });
    done.await?;
    let book = commands.get::<TaxBook>(tax_book::id()).await?;
    Ok(book.is_none_or(|book| !book.state.countries.values().eq(countries.iter())))
}

/// The same for its shipping zones.
async fn set_shipping(commands: &Commands) -> Result<bool, Failure> {
    let mut zones: Vec<Zone> = serde_json::from_str(ZONES)?;
    zones.sort_by(|a, b| a.zone.cmp(&b.zone));
    let intent = intent("shipping_book.set", "shipping".to_owned());
    let done = commands.run(&intent, |unit| {
        let zones = zones.clone();
        async move {
            let mut book = unit.load::<ShippingBook>(shipping_book::id()).await?;
            let is_new = book.state.zones.is_empty();
            if is_new { use_cases::shipping_book::set(&unit, &mut book, zones) } else { Ok(()) }
        }
    });
    done.await?;
    let book = commands.get::<ShippingBook>(shipping_book::id()).await?;
    Ok(book.is_none_or(|book| !book.state.zones.values().eq(zones.iter())))
}

/// Makes the promotions that are not there yet.
pub(super) async fn make(commands: &Commands, categories: &HashMap<&str, CategoryId>) -> Result<Vec<Terms>, Failure> {
    let promotions = promotions(categories)?;
    for terms in &promotions {
        let intent = intent("promotion.create", format!("promotion {}", terms.label.as_str()));
        let done = commands.run(&intent, |unit| async move {
            promotions::create(&unit, terms.clone()).await?;
            Ok(())
        });
        done.await?;
    }
    Ok(promotions)
}

/// How each country taxes; the parts of countries in the list, such as islands, are left out of the demo.
fn countries() -> Result<Vec<CountryTax>, Failure> {
    let mut rates: BTreeMap<String, BTreeMap<(TaxClass, NaiveDate), BasisPoints>> = BTreeMap::new();
    for row in csv::Reader::from_reader(VAT_RATES.as_bytes()).deserialize() {
        let Row { start_date, territory_codes, rate, rate_type } = row?;
        // Beside countries the list names parts of them, and some by older codes.
        let is_country = |code: &&str| Country::new(code).is_ok_and(|country| country.is_code());
        for code in territory_codes.lines().filter(is_country).filter(|_| rate_type == "standard") {
            let rate_bps = hundredths(&rate).ok_or_else(|| Failure::refused(format!("{rate} is no rate")))?;
            rates.entry(code.to_owned()).or_default().insert((TaxClass::Standard, start_date), rate_bps);
        }
    }
    let reduced = REDUCED.map(|(code, bps)| (code, bps, (TaxClass::Reduced, REDUCED_SINCE)));
    let later = LATER.map(|(code, bps, since)| (code, bps, (TaxClass::Standard, since)));
    for (code, bps, key) in reduced.into_iter().chain(later) {
        let rate_bps = BasisPoints::new(bps).map_err(|error| Failure::refused(error.to_string()))?;
        rates.entry(code.to_owned()).or_default().insert(key, rate_bps);
    }
    let country = |(code, rates): (String, BTreeMap<(TaxClass, NaiveDate), BasisPoints>)| {
        let rates =
            rates.into_iter().map(|((class, valid_from), rate_bps)| Rate { class, rate: rate_bps.into(), valid_from });
        let country = Country::new(&code).map_err(|error| Failure::refused(error.to_string()))?;
        Ok(CountryTax { country, prices_include_tax: true, rates: rates.collect(), regions: [].into() })
    };
    rates.into_iter().map(country).collect()
}

/// A decimal fraction such as `0.175` in hundredths of a percent.
fn hundredths(text: &str) -> Option<BasisPoints> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction:0<4}");
    BasisPoints::new(digits.get(..whole.len() + 4)?.parse().ok()?).ok()
}

fn promotions(categories: &HashMap<&str, CategoryId>) -> Result<Vec<Terms>, Failure> {
    let bps = |bps| BasisPoints::new(bps).map_err(|error| Failure::refused(error.to_string()));
    let pieces = |pieces| Quantity::new(pieces).map_err(|error| Failure::refused(error.to_string()));
    let code = |code: &str| CouponCode::new(code).map(Some).map_err(|error| Failure::refused(error.to_string()));
    let of = |slug: &str| categories.get(slug).copied().into_iter().collect::<BTreeSet<_>>();
    let none = |label: &str, benefit| {
        let label = Label::new(label).map_err(|error| Failure::refused(error.to_string()))?;
        Ok::<_, Failure>(Terms {
            label,
            code: None,
            seller: None,
            benefit,
            target: Target::Order {},
            conditions: Conditions::default(),
            limits: Limits::default(),
            priority: 0,
            exclusive: false,
            combinable: false,
            from: None,
            until: None,
        })
    };
    let tier = |eur, percent_bps| Ok::<_, Failure>(SubtotalTier { from: euros(eur)?, percent_bps: bps(percent_bps)? });
    let candles = Target::Categories { categories: of("candles").into() };
    let third_free =
        Benefit::BuyGet { buy: pieces(2)?, get: pieces(1)?, of: None, percent_bps: bps(10_000)?, times: None };
    Ok(vec![
        Terms {
            code: code("WELCOME10")?,
            conditions: Conditions { first_order: true, ..Conditions::default() },
            limits: Limits { per_customer: Some(1), ..Limits::default() },
            ..none("Ten percent off the first order", Benefit::Percent { percent_bps: bps(1_000)? })?
        },
        Terms {
            code: code("SHIPFREE")?,
            conditions: Conditions { minimum_subtotal: [euros(3_000)?].into(), ..Conditions::default() },
            combinable: true,
            ..none("Free shipping from 30 euros on", Benefit::FreeShipping { services: [].into() })?
        },
        Terms {
            code: code("ONLYONE")?,
            limits: Limits { total: Some(1), ..Limits::default() },
            ..none("Twenty euros, for one person", Benefit::Fixed { amounts: [euros(2_000)?].into() })?
        },
        Terms { target: candles, priority: 10, ..none("Three candles for two", third_free)? },
        none(
            "Five percent from 150 euros on, ten from 300",
            Benefit::BySubtotal { tiers: [tier(15_000, 500)?, tier(30_000, 1_000)?].into() },
        )?,
    ])
}

fn euros(amount: i64) -> Result<Price, Failure> {
    Price::new(Money::new(amount, Currency::EUR)).map_err(|error| Failure::refused(error.to_string()))
}

#[cfg(test)]
mod tests {
    use byteshop_domain::tax_rate::TaxRate;

    use super::*;

    #[test]
    fn the_list_of_rates_can_be_read() {
        let countries = countries().unwrap();
        let germany = countries.iter().find(|tax| tax.country.as_str() == "DE").unwrap();
        let newest = |class| germany.rates.iter().filter(|rate| rate.class == class).max_by_key(|rate| rate.valid_from);
        assert_eq!(newest(TaxClass::Standard).unwrap().rate, TaxRate::new(190_000).unwrap());
        assert_eq!(newest(TaxClass::Reduced).unwrap().rate, TaxRate::new(70_000).unwrap());
        assert!(countries.len() > 30, "{}", countries.len());
    }

    #[test]
    fn fractions_are_read_exactly() {
        for (text, bps) in [("0", 0), ("0.2", 2_000), ("0.175", 1_750), ("0.085", 850)] {
            assert_eq!(hundredths(text), BasisPoints::new(bps).ok(), "{text}");
        }
        assert_eq!(hundredths("a fifth"), None);
    }
}
