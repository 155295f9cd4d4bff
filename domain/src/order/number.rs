//! The number of an order as people read it: short enough to be read out, with a check digit.
//!
//! It is derived from the order's id, so that no counter serializes orders, and it does not reveal how many there are. Eleven
//! characters of Crockford's base32 hold the last 55 bits of the id, which are random, and a twelfth checks them: among ten
//! million orders the probability of any two being equal is about one in seven hundred, and a search for such a number finds
//! both.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use uuid::Uuid;

/// Crockford's base32: without I, L, O and U, which look or sound like others.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The number of characters without the check digit.
const DIGITS: usize = 11;
/// The number of characters between two hyphens.
const GROUP: usize = 4;

/// The number of an order, such as `7K3Q-X9MW-2FBA`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number([u8; DIGITS + 1]);

/// A text that is not an order number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a number of an order: it has 12 letters and digits such as 7K3Q-X9MW-2FBA, and the last one checks the others"
)]
pub struct NumberError;

#[cfg(feature = "openapi")]
crate::openapi::value!(Number, crate::openapi::example("7K3Q-X9MW-2FBA"));

impl Number {
    /// The number of an order, or of another document that is read out.
    pub fn of(id: Uuid) -> Self {
        let mut bits = id.as_u128();
        let mut digits = [0u8; DIGITS + 1];
        for digit in digits[..DIGITS].iter_mut().rev() {
            *digit = (bits & 31) as u8;
            bits >>= 5;
        }
        digits[DIGITS] = check(&digits[..DIGITS]);
        Self(digits.map(|digit| ALPHABET[usize::from(digit)]))
    }
}

/// The Luhn algorithm for 32 characters: it detects every wrong character and nearly every transposition.
fn check(digits: &[u8]) -> u8 {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let number = u32::from(*digit) * if index % 2 == 0 { 2 } else { 1 };
            number / 32 + number % 32
        })
        .sum();
    u8::try_from((32 - sum % 32) % 32).unwrap_or(0)
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, letter) in self.0.iter().enumerate() {
            if index > 0 && index % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(*letter))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Number {
    type Err = NumberError;

    /// Parses a number as people write it: in any case, with or without hyphens, I and L for 1 and O for 0.
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let mut digits = [0u8; DIGITS + 1];
        let mut letters = text.bytes().filter(|byte| !matches!(byte, b'-' | b' '));
        for digit in &mut digits {
            let letter = match letters.next().ok_or(NumberError)?.to_ascii_uppercase() {
                b'I' | b'L' => b'1',
                b'O' => b'0',
                letter => letter,
            };
            let value = ALPHABET.iter().position(|known| *known == letter).ok_or(NumberError)?;
            *digit = u8::try_from(value).map_err(|_| NumberError)?;
        }
        if letters.next().is_some() || digits[DIGITS] != check(&digits[..DIGITS]) {
            return Err(NumberError);
        }
        Ok(Self(digits.map(|digit| ALPHABET[usize::from(digit)])))
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(bits: u128) -> Number {
        Number::of(Uuid::from_u128(bits))
    }

    #[test]
    fn it_is_read_back_however_it_is_written() {
        let it = number(0x0190_0000_0000_7000_8123_4567_89ab_cdef);
        let text = it.to_string();
        assert_eq!(text.len(), 14);
        for spelt in
            [text.clone(), text.to_lowercase(), text.replace('-', ""), text.replace('1', "l"), format!(" {text}")]
        {
            assert_eq!(spelt.parse(), Ok(it), "{spelt}");
        }
    }

    /// Numbers are printed on documents, so the number of an order never changes.
    #[test]
    fn the_number_of_an_order_never_changes() {
        assert_eq!(number(0).to_string(), "0000-0000-0000");
        let it = number(0x0190_0000_0000_7000_8123_4567_89ab_cdef);
        assert_eq!(it.to_string(), "8T5C-Y4TQ-KFFZ");
    }

    #[test]
    fn a_slip_is_noticed() {
        let text = number(0x0190_0000_0000_7000_8123_4567_89ab_cdef).to_string().replace('-', "");
        for place in 0..text.len() {
            for other in ALPHABET {
                let mut wrong = text.clone().into_bytes();
                if wrong[place] != *other {
                    wrong[place] = *other;
                    assert!(std::str::from_utf8(&wrong).unwrap().parse::<Number>().is_err());
                }
            }
        }
        for text in ["", "7K3Q", "7K3Q-X9MW-2FB!", "7K3Q-X9MW-2FBAA", "é"] {
            assert_eq!(text.parse::<Number>(), Err(NumberError), "{text}");
        }
    }
}
