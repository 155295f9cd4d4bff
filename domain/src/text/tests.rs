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
fn what_is_wrong_with_a_phone_number_is_said() {
    for fine in ["112", "+49 30 1234567", "(030) 12-34.56/7"] {
        assert!(Phone::new(fine).is_ok(), "{fine}");
    }
    let wrong = |text: &str| Phone::new(text).unwrap_err();
    let digits = TextError::Digits { what: "phone number", least: 3, most: 15 };
    for text in ["12", "+", "1234567890123456"] {
        assert_eq!(wrong(text), digits, "{text}");
    }
    assert_eq!(wrong(&"1 ".repeat(20)), TextError::TooLong { what: "phone number", max: PHONE_MAX });
    for text in ["030 ext. 7", "030+7", "++49 30", "٠٣٠١٢"] {
        assert!(matches!(wrong(text), TextError::Characters { .. }), "{text}");
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

#[test]
fn a_new_text_has_something_to_see_and_an_old_one_is_read_as_it_is() {
    let unseen = [
        "\u{200b}",
        "\u{3164}",
        "\u{2800}",
        "\u{ad}\u{200d}",
        "\u{115f} \u{2060}",
        "\u{e0041}",
        "\u{fff9}",
        "\u{fe0f}",
    ];
    for text in unseen {
        assert_eq!(fresh(|| Title::new(text)), Err(TextError::Invisible { what: "title" }), "{text:?}");
        assert_eq!(fresh(|| Name::new(text)), Err(TextError::Invisible { what: "name" }), "{text:?}");
        assert!(fresh(|| Comment::new(text)).is_err() && fresh(|| Description::new(text)).is_ok(), "{text:?}");
        assert!(Title::new(text).is_ok(), "{text:?}");
    }
    for text in ["Lamp", "Ё", "é", "灯", "👩\u{200d}🍳", "a\u{ad}b", "می\u{200c}خواهم", "…"] {
        assert!(fresh(|| Title::new(text)).is_ok(), "{text}");
    }
    assert_eq!(fresh(|| Title::new(" \u{a0}")), Err(TextError::Empty { what: "title" }));
}

#[test]
fn a_new_title_stays_on_its_line() {
    for text in ["a\u{2028}b", "a\u{2029}b"] {
        assert!(matches!(fresh(|| Title::new(text)), Err(TextError::Characters { what: "title", .. })), "{text:?}");
        assert!(matches!(fresh(|| Label::new(text)), Err(TextError::Characters { .. })), "{text:?}");
        // Descriptions copied from pages contain them, and there they rightly break lines.
        assert!(fresh(|| Description::new(text)).is_ok());
        assert!(Title::new(text).is_ok());
    }
}

/// Unicode gives them no meaning: private use, noncharacters, unassigned.
const MEANINGLESS: [char; 6] = ['\u{e000}', '\u{f8ff}', '\u{10fffd}', '\u{fdd0}', '\u{ffff}', '\u{378}'];

#[test]
fn a_new_text_has_only_characters_with_a_meaning_and_an_old_one_is_read_as_it_is() {
    for letter in MEANINGLESS {
        let text = format!("a{letter}b");
        let refused = |what| Err(TextError::Meaningless { what, letter });
        assert_eq!(fresh(|| Title::new(&text)).map(drop), refused("title"), "{text:?}");
        assert_eq!(fresh(|| Name::new(&text)).map(drop), refused("name"), "{text:?}");
        assert_eq!(fresh(|| Label::new(&text)).map(drop), refused("value"), "{text:?}");
        assert_eq!(fresh(|| AddressLine::new(&text)).map(drop), refused("address line"), "{text:?}");
        assert!(fresh(|| Description::new(&text)).is_err() && fresh(|| NoteText::new(&text)).is_err(), "{text:?}");
        // Composed on the way: e with an acute accent.
        assert!(fresh(|| Title::new(&format!("e\u{301}{letter}"))).is_err(), "{text:?}");
        assert_eq!(Title::new(&text).unwrap().as_str(), text);
    }
    for text in ["\u{fffd}", "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}", "𓀀", "₿", "م\u{200f}"]
    {
        assert!(fresh(|| Title::new(text)).is_ok(), "{text}");
    }
}

#[test]
fn what_is_new_ends_with_its_reader() {
    let caught = std::panic::catch_unwind(|| fresh(|| fresh(|| panic!("in the middle"))));
    assert!(caught.is_err() && Title::new("\u{200b}").is_ok());
    let read: Result<Title, _> = fresh(|| serde_json::from_str("\"\u{200b}\""));
    assert_eq!(read.unwrap_err().to_string(), "the title has no visible character at line 1 column 5");
}

#[test]
fn a_new_country_is_a_code_in_capitals() {
    assert_eq!(fresh(|| Country::new(" de ")).unwrap().as_str(), "DE");
    for other in ["Germany", "XX", "UK", "EU", "D", "DEU", "ＤＥ"] {
        assert_eq!(fresh(|| Country::new(other)), Err(TextError::NoCountry), "{other}");
    }
}

#[test]
fn a_file_name_is_no_path_and_a_media_type_has_two_parts() {
    for fine in ["app-2.0.zip", "Übung 1 (neu).pdf", "a"] {
        assert!(FileName::new(fine).is_ok(), "{fine}");
    }
    for text in ["a/b", "a\\b", "..", ".hidden", "a.", "a:b", "\"a", "a\u{202e}fdp.exe", "a\nb"] {
        assert!(FileName::new(text).is_err(), "{text:?}");
    }
    assert!(MediaType::new("application/vnd.api+json").is_ok());
    for text in ["pdf", "a/", "/b", "a/b/c", "A/b", "a/b; c=d"] {
        assert!(MediaType::new(text).is_err(), "{text}");
    }
}
