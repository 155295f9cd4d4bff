//! Amounts, moments, countries and the like as people write them in their language.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::LazyLock;

use byteshop_domain::address::Address;
use byteshop_domain::money::Money;
use byteshop_domain::tax_rate::TaxRate;
use byteshop_domain::text::Country;
use byteshop_domain::{Currency, Locale};
use chrono::{DateTime, Datelike, Timelike as _, Utc};

/// Currencies whose sign everybody knows; others are written by their code.
const SIGNS: [(Currency, &str); 5] =
    [(Currency::EUR, "€"), (Currency::GBP, "£"), (Currency::USD, "$"), (Currency::JPY, "¥"), (Currency::RUB, "₽")];
/// A space at which no line is broken.
const NO_BREAK: char = '\u{a0}';
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// In the genitive, as dates are written.
const MONTHS_RU: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];

/// Digits in groups of three, such as `1,067,371`.
pub fn grouped(digits: &str, separator: char) -> String {
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(separator);
        }
        grouped.push(digit);
    }
    grouped
}

/// An amount, such as `€1,234.50` or `1 234,50 €`.
pub fn money(amount: Money, locale: Locale) -> String {
    let decimals = usize::from(amount.currency.exponent().unwrap_or(0));
    let digits = format!("{:0>width$}", amount.amount.unsigned_abs(), width = decimals + 1);
    let (whole, rest) = digits.split_at(digits.len() - decimals);
    let (group, point) = match locale {
        Locale::En => (',', '.'),
        Locale::Ru => (NO_BREAK, ','),
    };
    let mut number = grouped(whole, group);
    if decimals > 0 {
        number.push(point);
        number.push_str(rest);
    }
    let minus = if amount.amount < 0 { "−" } else { "" };
    let sign = SIGNS.iter().find(|(currency, _)| *currency == amount.currency).map(|(_, sign)| *sign);
    let code = amount.currency.code();
    match (locale, sign) {
        (Locale::En, Some(sign)) => format!("{minus}{sign}{number}"),
        (Locale::En, None) => format!("{minus}{code}{NO_BREAK}{number}"),
        (Locale::Ru, sign) => format!("{minus}{number}{NO_BREAK}{}", sign.unwrap_or(code)),
    }
}

/// A time zone of the IANA database, such as `Europe/Berlin`; UTC by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(chrono_tz::Tz);

impl Default for Zone {
    fn default() -> Self {
        Self(chrono_tz::UTC)
    }
}

impl FromStr for Zone {
    type Err = chrono_tz::ParseError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        name.parse().map(Self)
    }
}

/// A day in UTC, such as `20 November 2026`.
pub fn day(at: DateTime<Utc>, locale: Locale) -> String {
    date(&at, locale)
}

fn date(at: &impl Datelike, locale: Locale) -> String {
    let months = match locale {
        Locale::En => MONTHS_EN,
        Locale::Ru => MONTHS_RU,
    };
    let month = months.get(at.month0() as usize).copied().unwrap_or_default();
    format!("{} {month} {}", at.day(), at.year())
}

/// A moment where people are, such as `20 November 2026, 15:30 CET`.
pub fn moment(at: DateTime<Utc>, zone: Zone, locale: Locale) -> String {
    let at = at.with_timezone(&zone.0);
    format!("{}, {:02}:{:02} {}", date(&at, locale), at.hour(), at.minute(), at.format("%Z"))
}

/// A rate, such as `7.5 %` or `7,5 %`.
pub fn rate(rate: TaxRate, locale: Locale) -> String {
    pointed(&rate.to_string(), locale)
}

/// Grams as kilograms, such as `1.200 kg` or `1,200 кг`.
pub fn weight(grams: u32, locale: Locale) -> String {
    let unit = match locale {
        Locale::En => "kg",
        Locale::Ru => "кг",
    };
    pointed(&format!("{}.{:03}{NO_BREAK}{unit}", grams / 1_000, grams % 1_000), locale)
}

/// A number with a point as the language writes it.
fn pointed(number: &str, locale: Locale) -> String {
    match locale {
        Locale::En => number.to_owned(),
        Locale::Ru => number.replace('.', ","),
    }
}

/// The names of countries by their codes, in English and Russian.
static COUNTRIES: LazyLock<HashMap<&str, [&str; 2]>> = LazyLock::new(|| {
    let lines = include_str!("countries.tsv").lines().filter(|line| !line.starts_with('#'));
    let names = lines.filter_map(|line| {
        let mut parts = line.split('\t');
        Some((parts.next()?, [parts.next()?, parts.next()?]))
    });
    names.collect()
});

/// The code of a country that is given by its English or Russian name, or by a common abbreviation.
pub fn country_code(name: &str) -> Option<&'static str> {
    let name = name.trim().to_lowercase();
    let spelled = |names: &[&str; 2]| names.iter().any(|known| known.to_lowercase() == name);
    match name.as_str() {
        "uk" => Some("GB"),
        "usa" => Some("US"),
        _ => COUNTRIES.iter().find(|(_, names)| spelled(names)).map(|(code, _)| *code),
    }
}

/// The name of a country; what is no code of ISO 3166, such as the name in an older system, stays as it is.
pub fn country(country: &Country, locale: Locale) -> &str {
    let [en, ru] = COUNTRIES.get(country.as_str()).copied().unwrap_or([country.as_str(); 2]);
    match locale {
        Locale::En => en,
        Locale::Ru => ru,
    }
}

/// The form of a word that a count takes: one of two as in English, or of three as in Russian (the rules of Unicode CLDR for
/// whole numbers).
pub fn plural<T>(count: i64, mut forms: Vec<T>) -> Option<T> {
    let (ones, tens) = (count % 10, count % 100);
    let form = match forms.len() {
        2 => usize::from(count != 1),
        3 if ones == 1 && tens != 11 => 0,
        3 if (2..=4).contains(&ones) && !(12..=14).contains(&tens) => 1,
        3 => 2,
        _ => return None,
    };
    Some(forms.swap_remove(form))
}

/// An address as lines for an envelope, without phone number and e-mail address.
pub fn address(address: &Address, locale: Locale) -> Vec<String> {
    let Address { name, company, email: _, phone: _, lines, postal_code, city, region, country } = address;
    let town = [postal_code.as_ref().map(ToString::to_string), city.as_ref().map(ToString::to_string)];
    let town = town.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let mut all = vec![name.as_ref().map(ToString::to_string), company.as_ref().map(ToString::to_string)];
    all.extend(lines.as_slice().iter().map(|line| Some(line.to_string())));
    all.extend([Some(town).filter(|town| !town.is_empty()), region.as_ref().map(ToString::to_string)]);
    all.push(Some(self::country(country, locale).to_owned()));
    all.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_each_language_writes_them() {
        for (amount, currency, en, ru) in [
            (1_999, Currency::EUR, "€19.99", "19,99\u{a0}€"),
            (123_456_789, Currency::USD, "$1,234,567.89", "1\u{a0}234\u{a0}567,89\u{a0}$"),
            (5, Currency::GBP, "£0.05", "0,05\u{a0}£"),
            (-100_000, Currency::RUB, "−₽1,000.00", "−1\u{a0}000,00\u{a0}₽"),
            (1_500, Currency::JPY, "¥1,500", "1\u{a0}500\u{a0}¥"),
            (1_500, Currency::BHD, "BHD\u{a0}1.500", "1,500\u{a0}BHD"),
            (0, Currency::EUR, "€0.00", "0,00\u{a0}€"),
        ] {
            let amount = Money::new(amount, currency);
            assert_eq!((money(amount, Locale::En), money(amount, Locale::Ru)), (en.to_owned(), ru.to_owned()));
        }
    }

    #[test]
    fn every_country_has_a_name_in_each_language() {
        let letters = || b'A'..=b'Z';
        let codes = letters().flat_map(|one| letters().map(move |two| [char::from(one), char::from(two)]));
        let known: Vec<Country> =
            codes.map(|code| Country::new(&String::from_iter(code)).unwrap()).filter(Country::is_code).collect();
        assert_eq!(known.len(), 249);
        for code in &known {
            for locale in [Locale::En, Locale::Ru] {
                let name = country(code, locale);
                let cyrillic = name.chars().any(|letter| ('А'..='я').contains(&letter));
                assert!(name.chars().count() > 2 && cyrillic == (locale == Locale::Ru), "{code}: {name}");
            }
        }
        let named = |code: &str, locale| country(&Country::new(code).unwrap(), locale).to_owned();
        assert_eq!([named("DE", Locale::En), named("DE", Locale::Ru)], ["Germany", "Германия"]);
        assert_eq!(named("EIRE", Locale::Ru), "EIRE");
        for (name, code) in [("Germany", Some("DE")), ("ГЕРМАНИЯ ", Some("DE")), ("UK", Some("GB")), ("Eire", None)]
        {
            assert_eq!(country_code(name), code, "{name}");
        }
    }

    #[test]
    fn words_follow_their_count() {
        let ru = |count| plural(count, vec!["штука", "штуки", "штук"]).unwrap();
        let said: Vec<_> = [0, 1, 2, 4, 5, 11, 12, 14, 21, 22, 25, 101, 111].into_iter().map(ru).collect();
        let expected = [
            "штук",
            "штука",
            "штуки",
            "штуки",
            "штук",
            "штук",
            "штук",
            "штук",
            "штука",
            "штуки",
            "штук",
            "штука",
            "штук",
        ];
        assert_eq!(said, expected);
        let en = |count| plural(count, vec!["piece", "pieces"]).unwrap();
        assert_eq!([en(0), en(1), en(2)], ["pieces", "piece", "pieces"]);
        assert_eq!(plural(1, vec!["piece"]), None);
    }

    #[test]
    fn numbers_have_the_point_of_the_language() {
        let rate_of = |locale| rate(TaxRate::new(75_000).unwrap(), locale);
        assert_eq!([rate_of(Locale::En), rate_of(Locale::Ru)], ["7.5 %", "7,5 %"]);
        assert_eq!([weight(1_200, Locale::En), weight(50, Locale::Ru)], ["1.200\u{a0}kg", "0,050\u{a0}кг"]);
    }

    #[test]
    fn moments_have_their_month_in_words() {
        let at = DateTime::from_timestamp(1_795_185_000, 0).unwrap();
        assert_eq!(moment(at, Zone::default(), Locale::En), "20 November 2026, 14:30 UTC");
        assert_eq!(moment(at, Zone::default(), Locale::Ru), "20 ноября 2026, 14:30 UTC");
    }

    #[test]
    fn moments_are_those_of_the_time_zone() {
        let (winter, summer) = (1_795_185_000, 1_782_864_000);
        let said = |seconds, zone: &str| {
            moment(DateTime::from_timestamp(seconds, 0).unwrap(), zone.parse().unwrap(), Locale::En)
        };
        assert_eq!(said(winter, "Europe/Berlin"), "20 November 2026, 15:30 CET");
        assert_eq!(said(summer, "Europe/Berlin"), "1 July 2026, 02:00 CEST");
        assert_eq!(said(winter, "Europe/Moscow"), "20 November 2026, 17:30 MSK");
        assert_eq!(said(winter, "America/New_York"), "20 November 2026, 09:30 EST");
        assert!("Berlin".parse::<Zone>().is_err());
    }
}
