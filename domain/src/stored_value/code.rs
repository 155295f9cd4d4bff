//! The code of a gift card: nineteen random characters and one that checks them, such as `7K3Q-X9MW-2FBA-8HJT-C5DR`.

use std::fmt;

/// Crockford's base32: without letters that look like digits, and without U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The base of the alphabet.
const BASE: u32 = 32;
/// Random characters: 95 bits, so that codes cannot be guessed.
const RANDOM: usize = 19;
/// Characters in a group.
const GROUP: usize = 4;
/// The random bytes that make a code.
pub const CODE_BYTES: usize = 12;

/// A code whose check character is right.
#[derive(Clone, PartialEq, Eq)]
pub struct GiftCode(String);

/// The text is not the code of a gift card: it has other characters, or a typo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadCode;

impl GiftCode {
    /// A new code.
    pub fn of(random: [u8; CODE_BYTES]) -> Self {
        let mut bits = random.iter().fold(0u128, |bits, byte| (bits << 8) | u128::from(*byte));
        let mut text = String::with_capacity(RANDOM + 1);
        for _ in 0..RANDOM {
            text.push(char::from(ALPHABET[usize::try_from(bits & 31).unwrap_or_default()]));
            bits >>= 5;
        }
        let check = (BASE - sum(&text, 2) % BASE) % BASE;
        text.push(char::from(ALPHABET[check as usize]));
        Self(text)
    }

    /// Reads a code as people type it: in small letters, with spaces, and with letters that look like digits.
    pub fn read(text: &str) -> Result<Self, BadCode> {
        let digit = |letter: char| match letter.to_ascii_uppercase() {
            'I' | 'L' => '1',
            'O' => '0',
            other => other,
        };
        let text: String = text.chars().filter(|letter| !matches!(letter, '-' | ' ')).map(digit).collect();
        let is_known = text.bytes().all(|byte| ALPHABET.contains(&byte));
        if !is_known || text.len() != RANDOM + 1 || !sum(&text, 1).is_multiple_of(BASE) {
            return Err(BadCode);
        }
        Ok(Self(text))
    }

    /// The code without hyphens, of which the keyed hash is made.
    pub fn plain(&self) -> &str {
        &self.0
    }
}

/// The sum of the digits, every second one doubled: the algorithm of Luhn (ISO/IEC 7812-1, annex B) in base 32. `factor` is that of the
/// last character.
fn sum(text: &str, factor: u32) -> u32 {
    let mut factor = factor;
    let mut sum = 0;
    for byte in text.bytes().rev() {
        let digit = ALPHABET.iter().position(|letter| *letter == byte).and_then(|at| u32::try_from(at).ok());
        let product = digit.unwrap_or_default() * factor;
        sum += product / BASE + product % BASE;
        factor = 3 - factor;
    }
    sum
}

/// In groups, as people read it.
impl fmt::Display for GiftCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, letter) in self.0.chars().enumerate() {
            if index > 0 && index % GROUP == 0 {
                f.write_str("-")?;
            }
            write!(f, "{letter}")?;
        }
        Ok(())
    }
}

/// Codes are secrets: they reach no log line.
impl fmt::Debug for GiftCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GiftCode")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = GiftCode::of([0x5a; CODE_BYTES]);
        let shown = code.to_string();
        assert_eq!(shown.len(), 24);
        assert_eq!(GiftCode::read(&shown), Ok(code.clone()));
        assert_eq!(GiftCode::read(&format!(" {} ", shown.to_lowercase().replace('-', " "))), Ok(code.clone()));
        let alike = shown.replace('0', "o").replace('1', "l");
        assert_eq!(GiftCode::read(&alike), Ok(code.clone()));
        assert_eq!(format!("{code:?}"), "GiftCode");
        for text in ["", "7K3Q", &shown[1..], &format!("{shown}0"), &shown.replace('-', "U"), "é"] {
            assert_eq!(GiftCode::read(text), Err(BadCode), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_typo_is_noticed(random: [u8; CODE_BYTES], at in 0..=RANDOM, other in 0..32usize) {
            let code = GiftCode::of(random);
            let mut typed: Vec<u8> = code.plain().bytes().collect();
            typed[at] = ALPHABET[other];
            let read = GiftCode::read(std::str::from_utf8(&typed).unwrap());
            prop_assert_eq!(read.is_ok(), typed == code.plain().as_bytes());
        }
    }
}
