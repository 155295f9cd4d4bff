//! Amounts as PayPal writes them: decimal numbers, in the currencies that PayPal accepts.

use byteshop_domain::Currency;
use byteshop_domain::money::Money;
use serde_json::{Value, json};

use crate::ports::NotAccepted;

/// The currencies of payments, and their decimal digits at PayPal (its reference, "Currency codes"). Amounts in Hungarian forints and
/// Taiwan dollars have none there, although ISO 4217 gives these currencies two.
const CURRENCIES: [(&str, u16); 24] = [
    ("AUD", 2),
    ("BRL", 2),
    ("CAD", 2),
    ("CHF", 2),
    ("CNY", 2),
    ("CZK", 2),
    ("DKK", 2),
    ("EUR", 2),
    ("GBP", 2),
    ("HKD", 2),
    ("HUF", 0),
    ("ILS", 2),
    ("JPY", 0),
    ("MXN", 2),
    ("MYR", 2),
    ("NOK", 2),
    ("NZD", 2),
    ("PHP", 2),
    ("PLN", 2),
    ("SEK", 2),
    ("SGD", 2),
    ("THB", 2),
    ("TWD", 0),
    ("USD", 2),
];

/// The value of an amount, such as `19.99` or `1200`.
pub(super) fn write(money: Money) -> Result<String, NotAccepted> {
    let currency = money.currency;
    let known = CURRENCIES.iter().find(|(code, _)| *code == currency.code());
    known.ok_or(NotAccepted::Currency(currency))?;
    let unit = unit(currency);
    match money.amount % unit {
        _ if unit == 1 => Ok(money.decimal()),
        0 => Ok((money.amount / unit).to_string()),
        _ => Err(NotAccepted::Fraction(currency)),
    }
}

/// The minor units in the smallest amount of a currency that PayPal moves.
pub(super) fn unit(currency: Currency) -> i64 {
    let known = CURRENCIES.iter().find(|(code, _)| *code == currency.code());
    let digits = |digits: u16| currency.exponent().unwrap_or(digits).saturating_sub(digits);
    10_i64.pow(known.map_or(0, |(_, known)| u32::from(digits(*known))))
}

/// The object of an amount, with its currency.
pub(super) fn object(money: Money) -> Result<Value, NotAccepted> {
    Ok(json!({"currency_code": money.currency.code(), "value": write(money)?}))
}

/// The amount of a value; none if it is no amount of the currency.
pub(super) fn read(value: &str, code: &str) -> Option<Money> {
    let currency = Currency::from_code(code)?;
    let digits = usize::from(currency.exponent()?);
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let fraction = fraction.trim_end_matches('0');
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) || fraction.len() > digits {
        return None;
    }
    let amount = format!("{whole}{fraction:0<digits$}").parse().ok()?;
    Some(Money { amount, currency })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: i64, code: &str) -> Money {
        Money { amount, currency: Currency::from_code(code).unwrap() }
    }

    #[test]
    fn amounts_are_written_with_the_digits_of_paypal_and_read_again() {
        for (amount, code, value) in [
            (1_999, "EUR", "19.99"),
            (5, "USD", "0.05"),
            (100, "PLN", "1.00"),
            (1_200, "JPY", "1200"),
            (120_000, "HUF", "1200"),
            (3_500, "TWD", "35"),
        ] {
            assert_eq!(write(money(amount, code)).unwrap(), value);
            assert_eq!(read(value, code), Some(money(amount, code)));
        }
        assert_eq!(read("35.00", "TWD"), Some(money(3_500, "TWD")));
        assert_eq!(read("19.9", "EUR"), Some(money(1_990, "EUR")));
        for (value, code) in [("", "EUR"), (".5", "EUR"), ("-1", "EUR"), ("1.001", "EUR"), ("1,5", "EUR"), ("1", "XX")]
        {
            assert_eq!(read(value, code), None, "{value}");
        }
        assert_eq!(read("99999999999999999999", "EUR"), None);
    }

    #[test]
    fn a_currency_or_a_fraction_that_paypal_does_not_have_is_refused() {
        for code in ["KWD", "BHD", "RUB", "ISK", "XAU"] {
            let refused = write(money(1_000, code)).unwrap_err();
            assert_eq!(refused, NotAccepted::Currency(Currency::from_code(code).unwrap()));
        }
        let refused = write(money(120_050, "HUF")).unwrap_err();
        assert_eq!(refused.to_string(), "it accepts only whole amounts in HUF");
    }

    #[test]
    fn every_currency_is_one_of_iso_4217_with_as_many_digits_or_none() {
        for (code, digits) in CURRENCIES {
            let own = Currency::from_code(code).unwrap().exponent().unwrap();
            assert!(digits == own || digits == 0, "{code}");
        }
    }
}
