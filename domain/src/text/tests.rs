//! What each kind of text takes and refuses.

use super::*;

#[test]
fn space_around_a_title_is_cut_off() {
    assert_eq!(Title::new("  Lamp \n").unwrap().as_str(), "Lamp");
}

#[test]
fn a_limit_counts_characters_and_not_bytes() {
    assert!(Title::new(&"é".repeat(TITLE_MAX)).is_ok());
    assert_eq!(Title::new(&"é".repeat(TITLE_MAX + 1)), Err(TextError::TooLong { what: "title", max: TITLE_MAX }));
}

#[test]
fn nothing_is_no_title_and_a_fine_description() {
    assert_eq!(Title::new(" \t"), Err(TextError::Empty { what: "title" }));
    assert_eq!(Description::new("").unwrap().as_str(), "");
}

#[test]
fn control_characters_are_refused_and_line_breaks_are_for_descriptions() {
    for text in ["a\u{0}b", "a\nb", "a\u{202e}b"] {
        assert!(matches!(Title::new(text), Err(TextError::Characters { .. })), "{text:?}");
    }
    assert!(Description::new("a\n\tb").is_ok());
    assert!(Description::new("a\u{7}b").is_err());
}

#[test]
fn a_sku_is_kept_exactly_or_refused() {
    assert_eq!(Sku::new("BANK CHARGES").unwrap().as_str(), "BANK CHARGES");
    assert_ne!(Sku::new("85123a").unwrap(), Sku::new("85123A").unwrap());
    assert!(Sku::new(" 1").is_err());
    assert!(Sku::new("1 ").is_err());
}

#[test]
fn a_slug_is_words_and_single_hyphens() {
    assert!(Slug::new("kitchen-knives-2").is_ok());
    for text in ["-a", "a-", "a--b", "A", "a b", "é"] {
        assert!(Slug::new(text).is_err(), "{text}");
    }
}

#[test]
fn bad_json_is_refused_with_the_reason() {
    let error = serde_json::from_str::<Slug>("\"A\"").unwrap_err().to_string();
    assert!(error.starts_with("the slug may only hold lower case letters"), "{error}");
    let error = serde_json::from_str::<Slug>("1").unwrap_err().to_string();
    assert!(error.contains("expected a text"), "{error}");
}

#[test]
fn a_country_is_a_code_or_a_name() {
    assert!(Country::new("GB").unwrap().is_code());
    for other in ["United Kingdom", "XX", "gb", "UK", "AD "] {
        assert_eq!(Country::new(other).unwrap().is_code(), other == "AD ", "{other}");
    }
}
