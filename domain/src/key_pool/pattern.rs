//! The pattern of generated keys, such as `ACME-{8}-{8}{check}`: text, groups of random characters, and at most one check character.
//!
//! The alphabet has 32 characters and no two that look alike: digits without 0 and 1, capitals without I and O. So a random byte
//! gives a character without bias, and each has five bits. The check character is that of Luhn's algorithm modulo 32: it finds each
//! single typo, and almost all pairs of neighbours that changed places.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::LicenceKey;

/// The characters of generated keys.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// The fewest random characters: 65 bits. A guess finds one of a million keys once in 10¹³ attempts.
pub const RANDOM_MIN: usize = 13;
/// The longest pattern, and the longest key: what people can type.
pub const PATTERN_MAX: usize = 100;
/// What stands for the check character.
const CHECK: &str = "check";

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: Arc<str>,
    parts: Arc<[Part]>,
}

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// These characters.
    Text(String),
    /// So many random ones.
    Random(usize),
    /// The check character of the random ones before it.
    Check,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternError {
    /// The pattern, or a key of it, is too long.
    TooLong,
    /// A brace is not closed, or something else is in braces.
    Group,
    /// Text beside the groups has other characters.
    Characters,
    /// Keys could be guessed.
    TooFewRandom,
    /// The check character is not behind the random ones, or there are several.
    Check,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the pattern and its keys can have at most {PATTERN_MAX} characters"),
            Self::Group => f.write_str("a group is a number of random characters such as {8}, or {check}"),
            Self::Characters => {
                f.write_str("beside its groups a pattern has letters of ASCII, digits, hyphens, points and underscores")
            }
            Self::TooFewRandom => {
                write!(
                    f,
                    "keys could be guessed: a pattern needs at least {RANDOM_MIN} random characters in its groups"
                )
            }
            Self::Check => f.write_str("{check} can stand once, behind the last group of random characters"),
        }
    }
}

impl std::error::Error for PatternError {}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When it is no pattern, or its keys could be guessed.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        if text.len() > PATTERN_MAX {
            return Err(PatternError::TooLong);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            parts.extend(text_of(before)?);
            let (inside, behind) = after.split_once('}').ok_or(PatternError::Group)?;
            parts.push(group(inside)?);
            rest = behind;
        }
        parts.extend(text_of(rest)?);
        check(&parts)?;
        Ok(Self { text: text.into(), parts: parts.into() })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How many random bytes a key needs.
    pub fn random_bytes(&self) -> usize {
        random_of(&self.parts)
    }

    /// The key of some random bytes; none if they are too few.
    pub fn key(&self, random: &[u8]) -> Option<LicenceKey> {
        let mut values = random.iter().map(|byte| usize::from(byte % 32));
        let mut taken = Vec::with_capacity(self.random_bytes());
        let mut key = String::with_capacity(self.text.len());
        for part in self.parts.iter() {
            match part {
                Part::Text(text) => key.push_str(text),
                Part::Check => key.push(character(check_value(&taken))),
                Part::Random(count) => {
                    for _ in 0..*count {
                        let value = values.next()?;
                        taken.push(value);
                        key.push(character(value));
                    }
                }
            }
        }
        LicenceKey::new(&key).ok()
    }
}

fn random_of(parts: &[Part]) -> usize {
    let count = |part: &Part| match part {
        Part::Random(count) => *count,
        Part::Text(_) | Part::Check => 0,
    };
    parts.iter().map(count).sum()
}

fn text_of(text: &str) -> Result<Option<Part>, PatternError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if text.contains('}') {
        return Err(PatternError::Group);
    }
    if !text.bytes().all(fits) {
        return Err(PatternError::Characters);
    }
    Ok((!text.is_empty()).then(|| Part::Text(text.to_owned())))
}

fn group(inside: &str) -> Result<Part, PatternError> {
    if inside == CHECK {
        return Ok(Part::Check);
    }
    let is_number = !inside.is_empty() && inside.len() <= 3 && inside.bytes().all(|byte| byte.is_ascii_digit());
    match inside.parse() {
        Ok(count) if is_number && count > 0 => Ok(Part::Random(count)),
        Ok(_) | Err(_) => Err(PatternError::Group),
    }
}

fn check(parts: &[Part]) -> Result<(), PatternError> {
    let checks = parts.iter().filter(|part| **part == Part::Check).count();
    let random_behind =
        parts.iter().skip_while(|part| **part != Part::Check).any(|part| matches!(part, Part::Random(_)));
    if checks > 1 || random_behind {
        return Err(PatternError::Check);
    }
    if random_of(parts) < RANDOM_MIN {
        return Err(PatternError::TooFewRandom);
    }
    let length = |part: &Part| match part {
        Part::Text(text) => text.len(),
        Part::Random(count) => *count,
        Part::Check => 1,
    };
    if parts.iter().map(length).sum::<usize>() > PATTERN_MAX {
        return Err(PatternError::TooLong);
    }
    Ok(())
}

fn character(value: usize) -> char {
    char::from(ALPHABET[value % ALPHABET.len()])
}

/// The check character of Luhn's algorithm modulo N (ISO/IEC 7812-1, annex B, for 32 characters instead of ten): every other value
/// from the right is doubled, and the digits of the result in base 32 are added.
fn check_value(values: &[usize]) -> usize {
    let base = ALPHABET.len();
    let weighted = |(place, value): (usize, &usize)| {
        let value = if place % 2 == 0 { value * 2 } else { *value };
        value / base + value % base
    };
    let sum: usize = values.iter().rev().enumerate().map(weighted).sum();
    (base - sum % base) % base
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
crate::openapi::value!(Pattern, {
    crate::openapi::example("ACME-{8}-{8}").min_length(Some(1)).max_length(Some(PATTERN_MAX))
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text).unwrap()
    }

    #[test]
    fn a_key_has_the_form_of_its_pattern() {
        let acme = pattern("ACME-{8}-{8}");
        assert_eq!((acme.random_bytes(), acme.as_str()), (16, "ACME-{8}-{8}"));
        let bytes: Vec<u8> = (0..16).collect();
        assert_eq!(acme.key(&bytes).unwrap().as_str(), "ACME-23456789-ABCDEFGH");
        assert_eq!(acme.key(&[255; 16]).unwrap().as_str(), "ACME-ZZZZZZZZ-ZZZZZZZZ");
        assert_eq!(acme.key(&bytes[..15]), None);
        assert_eq!(pattern("{13}.v2").key(&[0; 13]).unwrap().as_str(), "2222222222222.v2");
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        use PatternError as E;
        for (text, error) in [
            ("", E::TooFewRandom),
            ("ACME", E::TooFewRandom),
            ("{12}", E::TooFewRandom),
            ("{12}{check}", E::TooFewRandom),
            ("{16", E::Group),
            ("16}", E::Group),
            ("{}{16}", E::Group),
            ("{0}{16}", E::Group),
            ("{x}{16}", E::Group),
            ("{+9}{16}", E::Group),
            ("{1000}", E::Group),
            ("{{8}}", E::Group),
            ("ACME {16}", E::Characters),
            ("ÄCME{16}", E::Characters),
            ("{check}{16}", E::Check),
            ("{16}{check}{check}", E::Check),
            ("{101}", E::TooLong),
            ("{99}-{check}", E::TooLong),
        ] {
            assert_eq!(Pattern::new(text), Err(error), "{text}");
        }
        assert_eq!(Pattern::new(&"A".repeat(PATTERN_MAX + 1)), Err(E::TooLong));
        assert!(Pattern::new("{99}{check}").is_ok());
        assert!(serde_json::from_str::<Pattern>("\"{3}\"").is_err());
        for error in [E::TooLong, E::Group, E::Characters, E::TooFewRandom, E::Check] {
            assert!(!error.to_string().is_empty());
        }
    }

    /// Whether the last character fits the others.
    fn fits(key: &str) -> bool {
        let value = |letter: char| ALPHABET.iter().position(|known| char::from(*known) == letter).unwrap();
        let values: Vec<usize> = key.chars().map(value).collect();
        let (check, values) = values.split_last().unwrap();
        check_value(values) == *check
    }

    proptest! {
        #[test]
        fn the_check_character_finds_each_single_typo(
            bytes in proptest::collection::vec(any::<u8>(), 16),
            place in 0..17usize,
            other in 1..32usize,
        ) {
            let key = pattern("{16}{check}").key(&bytes).unwrap().to_string();
            prop_assert!(fits(&key));
            let at = ALPHABET.iter().position(|known| *known == key.as_bytes()[place]).unwrap();
            let mut typo = key.into_bytes();
            typo[place] = ALPHABET[(at + other) % 32];
            prop_assert!(!fits(&String::from_utf8(typo).unwrap()));
        }
    }
}
