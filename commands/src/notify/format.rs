//! Amounts and moments as people write them in their language.

use byteshop_domain::money::Money;
use byteshop_domain::{Currency, Locale};
use chrono::{DateTime, Datelike as _, Timelike as _, Utc};

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

/// An amount, such as `€1,234.50` or `1 234,50 €`.
pub fn money(amount: Money, locale: Locale) -> String {
    let decimals = usize::from(amount.currency.exponent().unwrap_or(0));
    let digits = format!("{:0>width$}", amount.amount.unsigned_abs(), width = decimals + 1);
    let (whole, rest) = digits.split_at(digits.len() - decimals);
    let (group, point) = match locale {
        Locale::En => (',', '.'),
        Locale::Ru => (NO_BREAK, ','),
    };
    let mut number = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            number.push(group);
        }
        number.push(digit);
    }
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

/// A moment, such as `20 November 2026, 14:30 UTC`.
pub fn moment(at: DateTime<Utc>, locale: Locale) -> String {
    let months = match locale {
        Locale::En => MONTHS_EN,
        Locale::Ru => MONTHS_RU,
    };
    let month = months.get(at.month0() as usize).copied().unwrap_or_default();
    format!("{} {month} {}, {:02}:{:02} UTC", at.day(), at.year(), at.hour(), at.minute())
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
    fn moments_have_their_month_in_words() {
        let at = DateTime::from_timestamp(1_795_185_000, 0).unwrap();
        assert_eq!(moment(at, Locale::En), "20 November 2026, 14:30 UTC");
        assert_eq!(moment(at, Locale::Ru), "20 ноября 2026, 14:30 UTC");
    }
}
