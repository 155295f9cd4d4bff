//! Amounts as PayPal writes them, held in whole minor units.

use serde::Serialize;
use serde_json::{Value, json};

/// The currencies that PayPal takes, each with its decimals there: forints have none, unlike in ISO 4217.
const CURRENCIES: [(&str, u32); 24] = [
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
/// Digits before the decimal point that PayPal takes at most.
const DIGITS_MAX: usize = 7;

/// An amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount {
    /// Index in [`CURRENCIES`].
    currency: usize,
    /// The amount in minor units.
    pub minor: i64,
}

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// PayPal does not take the currency.
    Currency,
    /// It is not a decimal number.
    Syntax,
    /// It has more decimals than its currency.
    Precision,
    /// Its currency has no decimals.
    NoDecimals,
    /// It is larger than PayPal takes.
    TooLarge,
}

impl Amount {
    /// Reads an amount.
    pub(super) fn parse(code: &str, value: &str) -> Result<Self, Wrong> {
        let currency = CURRENCIES.iter().position(|(known, _)| *known == code).ok_or(Wrong::Currency)?;
        let decimals = CURRENCIES[currency].1;
        let (negative, digits) = value.strip_prefix('-').map_or((false, value), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) || (whole.is_empty() && fraction.is_empty()) {
            return Err(Wrong::Syntax);
        }
        let width = usize::try_from(decimals).unwrap_or_default();
        if fraction.len() > width {
            return Err(if width == 0 { Wrong::NoDecimals } else { Wrong::Precision });
        }
        if whole.trim_start_matches('0').len() > DIGITS_MAX {
            return Err(Wrong::TooLarge);
        }
        let units: i64 = format!("0{whole}{fraction:0<width$}").parse().map_err(|_| Wrong::TooLarge)?;
        Ok(Self { currency, minor: if negative { -units } else { units } })
    }

    /// Another amount of the same currency.
    pub(super) fn of(self, minor: i64) -> Self {
        Self { minor, ..self }
    }

    /// Whether both have one currency.
    pub(super) fn is_same_currency(self, other: Self) -> bool {
        self.currency == other.currency
    }

    /// The code of the currency.
    pub(super) fn code(self) -> &'static str {
        CURRENCIES[self.currency].0
    }

    /// The amount in major units, with all decimals of its currency.
    pub(super) fn value(self) -> String {
        let decimals = CURRENCIES[self.currency].1;
        let sign = if self.minor < 0 { "-" } else { "" };
        let units = self.minor.unsigned_abs();
        if decimals == 0 {
            return format!("{sign}{units}");
        }
        let one = 10_u64.pow(decimals);
        let width = usize::try_from(decimals).unwrap_or_default();
        format!("{sign}{}.{:0width$}", units / one, units % one)
    }

    /// As the interface shows it, except for payouts.
    pub(super) fn show(self) -> Value {
        json!({"currency_code": self.code(), "value": self.value()})
    }

    /// As payouts show it.
    pub(super) fn show_v1(self) -> Value {
        json!({"currency": self.code(), "value": self.value()})
    }
}

/// As the books state it: exact, in minor units.
#[derive(Serialize)]
struct Stated {
    currency: &'static str,
    minor: i64,
}

impl Serialize for Amount {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stated { currency: self.code(), minor: self.minor }.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_exactly() {
        for (code, text, minor) in [
            ("EUR", "10", 1000),
            ("EUR", "10.5", 1050),
            ("EUR", ".05", 5),
            ("EUR", "-1.01", -101),
            ("EUR", "9999999.99", 999_999_999),
            ("JPY", "120", 120),
            ("HUF", "120", 120),
        ] {
            assert_eq!(Amount::parse(code, text).map(|amount| amount.minor), Ok(minor), "{code} {text}");
        }
    }

    #[test]
    fn what_a_currency_does_not_have_is_refused() {
        for (code, text, wrong) in [
            ("EUR", "1.001", Wrong::Precision),
            ("JPY", "1.0", Wrong::NoDecimals),
            ("HUF", "1.50", Wrong::NoDecimals),
            ("RUB", "1", Wrong::Currency),
            ("EUR", "10000000", Wrong::TooLarge),
            ("EUR", "1,5", Wrong::Syntax),
            ("EUR", ".", Wrong::Syntax),
        ] {
            assert_eq!(Amount::parse(code, text), Err(wrong), "{code} {text}");
        }
    }

    #[test]
    fn an_amount_is_written_with_the_decimals_of_its_currency() {
        for (code, text) in [("EUR", "0.05"), ("EUR", "10.00"), ("EUR", "-3.40"), ("TWD", "7")] {
            assert_eq!(Amount::parse(code, text).unwrap().value(), text);
        }
    }
}
