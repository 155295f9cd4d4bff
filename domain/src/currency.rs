//! Currencies of ISO 4217. The list is that of the crate `iso_currency`; the type is the shop's own, since it has a schema.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A currency of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Currency(iso_currency::Currency);

#[cfg(feature = "openapi")]
crate::openapi::value!(Currency, crate::openapi::example("EUR").min_length(Some(3)).max_length(Some(3)));

/// Currencies that the code names.
macro_rules! named {
    ($($code:ident)+) => {
        impl Currency {
            $(
                #[doc = concat!("`", stringify!($code), "`.")]
                pub const $code: Self = Self(iso_currency::Currency::$code);
            )+
        }
    };
}

named! { BHD EUR GBP JPY KWD RUB USD }

impl Currency {
    /// The currency with this code, in capitals.
    pub fn from_code(code: &str) -> Option<Self> {
        iso_currency::Currency::from_code(code).map(Self)
    }

    /// Its code: three capitals.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// The number of decimal digits of the minor unit; none for what is no money, such as gold.
    pub fn exponent(self) -> Option<u16> {
        self.0.exponent()
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Its English name, such as `Euro`. Unique names in the log contain it, so that it must not change.
impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_stored_as_its_code_and_shown_by_its_name() {
        let text = serde_json::to_string(&Currency::EUR).unwrap();
        assert_eq!(text, r#""EUR""#);
        assert_eq!(serde_json::from_str::<Currency>(&text).unwrap(), Currency::EUR);
        assert_eq!((format!("{:?}", Currency::EUR), Currency::EUR.to_string()), ("EUR".into(), "Euro".into()));
        assert_eq!(Currency::from_code("eur"), None);
    }
}
