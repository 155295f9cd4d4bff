//! International Bank Account Numbers (ISO 13616).

/// The length of the IBANs of each country (the registry of ISO 13616, release 99).
const LENGTHS: &str = "
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29
    ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20
    LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29
    PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20
    YE30
";

/// The countries whose banks take part in SEPA credit transfers (European Payments Council, EPC409-09, as of 2026).
const SEPA: &str = "
    AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS SE
    SI SK SM VA
";

/// In capitals, without spaces.
pub(super) fn compact(text: &str) -> String {
    text.chars().filter(|letter| *letter != ' ').map(|letter| letter.to_ascii_uppercase()).collect()
}

/// Whether the length is that of the country, and the check digits fit (ISO 7064, MOD 97-10).
pub(super) fn is_iban(text: &str) -> bool {
    let text = compact(text);
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let Some(country) = text.get(..2).filter(|_| is_plain) else { return false };
    let length = LENGTHS.split_ascii_whitespace().find_map(|known| known.strip_prefix(country));
    let is_long_enough = length.and_then(|it| it.parse::<usize>().ok()) == Some(text.len());
    let checks = text.bytes().skip(2).take(2).all(|byte| byte.is_ascii_digit());
    is_long_enough && checks && rest(&text) == 1
}

/// What is left of the number that an IBAN is when it is divided by 97: its first four characters come last, and a letter counts as
/// two digits, from 10 for A.
fn rest(text: &str) -> u32 {
    let digits = text.chars().skip(4).chain(text.chars().take(4)).filter_map(|letter| letter.to_digit(36));
    digits.fold(0, |rest, digit| if digit < 10 { (rest * 10 + digit) % 97 } else { (rest * 100 + digit) % 97 })
}

/// Whether an IBAN is of a country in SEPA.
pub(super) fn is_in_sepa(text: &str) -> bool {
    text.get(..2).is_some_and(|country| SEPA.split_ascii_whitespace().any(|known| known.eq_ignore_ascii_case(country)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Iban, TextError, fresh};

    /// The examples of the registry of ISO 13616.
    #[test]
    fn the_examples_of_the_registry_are_ibans() {
        for text in [
            "DE89370400440532013000",
            "GB29NWBK60161331926819",
            "FR1420041010050500013M02606",
            "NL91ABNA0417164300",
            "NO9386011117947",
            "MT84MALT011000012345MTLCAST001S",
            "CH9300762011623852957",
            "SA0380000000608010167519",
            "de89 3704 0044 0532 0130 00",
        ] {
            assert!(is_iban(text), "{text}");
        }
        assert!(is_in_sepa("DE89370400440532013000") && is_in_sepa("CH9300762011623852957"));
        assert!(!is_in_sepa("SA0380000000608010167519"));
    }

    #[test]
    fn a_typo_a_wrong_length_and_an_unknown_country_are_refused() {
        for text in [
            "DE89370400440532013001",
            "DE98370400440532013000",
            "DE8937040044053201300",
            "DE893704004405320130000",
            "XX89370400440532013000",
            "DE89-3704-0044-0532-0130-00",
            "DEAA370400440532013000",
            "89",
            "é9370400440532013000",
        ] {
            assert!(!is_iban(text), "{text}");
            assert_eq!(Iban::new(text), Err(TextError::NoIban), "{text}");
        }
    }

    /// Each digit counts: a number with one other digit is none.
    #[test]
    fn any_other_digit_is_found() {
        let good = "DE89370400440532013000";
        for place in 2..good.len() {
            for digit in b'0'..=b'9' {
                let mut bytes = good.as_bytes().to_vec();
                bytes[place] = digit;
                let text = String::from_utf8(bytes).unwrap();
                assert_eq!(is_iban(&text), text == good, "{text}");
            }
        }
    }

    #[test]
    fn from_outside_it_is_stored_without_spaces() {
        let read = fresh(|| Iban::new(" de89 3704 0044 0532 0130 00 ")).unwrap();
        assert_eq!(read.as_str(), "DE89370400440532013000");
        assert!(read.is_in_sepa());
    }
}
