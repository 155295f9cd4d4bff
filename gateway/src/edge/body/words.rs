//! What a reader of JSON says of a value that does not fit, in words for whoever sent it.

use std::borrow::Cow;

/// Values that are named of those that there can be; a currency can be one of nearly two hundred.
const NAMED_MAX: usize = 20;
/// What is said of texts that are no date or no time.
const NO_TIME: [&str; 6] = [
    "input is out of range",
    "input contains invalid characters",
    "no possible date and time matching input",
    "input is not enough for unique date and time",
    "premature end of input",
    "trailing input",
];

/// How what is said of a text goes on after the name of its kind.
const OF_TEXTS: [&str; 5] =
    [" is empty", " has more than ", " has fewer than ", " may only hold ", " has no visible character"];
/// What a reader says that waits for a name and finds something that could be none.
const NO_NAME: &str = "expected value";

/// What types are called of which a value is an object.
const OBJECTS: [&str; 3] = ["struct ", "internally tagged enum ", "adjacently tagged enum "];

/// What is wrong with the value at a pointer.
pub(crate) fn of(said: &str, pointer: &str) -> String {
    if NO_TIME.contains(&said) {
        return "must be a date such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z".to_owned();
    }
    match said {
        NO_NAME => return "expected one of the allowed values, as a string".to_owned(),
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            return "must be an integer".to_owned();
        }
        "number too large to fit in target type" => return "the number is too large".to_owned(),
        "number too small to fit in target type" => return "the number is too small".to_owned(),
        "provided string was not `true` or `false`" => return "must be true or false".to_owned(),
        _ => {}
    }
    if let Some(rest) = said.strip_prefix("unknown variant ") {
        return unknown(rest, pointer);
    }
    let found = said.strip_prefix("invalid type: ").or_else(|| said.strip_prefix("invalid value: "));
    match found.and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((found, wanted)) => {
            // The most frequent mistake of all: a price as people write it.
            let unit = if pointer.ends_with("/amount") { " in minor units, such as 1999 for 19.99" } else { "" };
            format!("must be {}{unit}, not {}", wish(wanted, found), thing(found))
        }
        None => nameless(said).unwrap_or_else(|| said.to_owned()),
    }
}

/// What is said of a text, without the name of its kind: the pointer names the field, and it may be another, as a city is a
/// name.
fn nameless(said: &str) -> Option<String> {
    let named = said.strip_prefix("the ")?;
    let end = OF_TEXTS.iter().filter_map(|rest| named.find(rest)).min()?;
    Some(match &named[end..] {
        " is empty" => "must not be empty".to_owned(),
        rest => format!("this{rest}"),
    })
}

/// A value that is none of those there are, from `` `x`, expected one of `a`, `b` ``.
fn unknown(rest: &str, pointer: &str) -> String {
    let Some((value, known)) = rest.split_once(", expected ") else { return format!("unknown value {rest}") };
    if pointer.ends_with("/currency") {
        return format!("{value} is not a currency; use an ISO 4217 code such as `EUR`");
    }
    let known = known.strip_prefix("one of ").unwrap_or(known);
    if known.split(", ").count() > NAMED_MAX {
        let first: Vec<&str> = known.split(", ").take(NAMED_MAX).collect();
        return format!("unknown value {value}; expected one of {} and more", first.join(", "));
    }
    let of = if known.contains(", ") { "one of " } else { "" };
    format!("unknown value {value}; expected {of}{known}")
}

/// What is asked for: a type of the program means nothing to whoever calls it.
fn wish<'a>(wanted: &'a str, found: &str) -> Cow<'a, str> {
    // Whoever sent a whole number wants to know which ones there are.
    if let Some((least, most)) = bounds(wanted).filter(|_| found.starts_with("integer ")) {
        return Cow::Owned(format!("an integer between {least} and {most}"));
    }
    Cow::Borrowed(match wanted {
        _ if bounds(wanted).is_some() => "an integer",
        "a string" | "string" | "str" | "string or map" => "a string",
        "a sequence" | "sequence" => "a list",
        "a map" | "map" => "an object",
        "a boolean" | "boolean" => "true or false",
        "variant identifier" => "the name of a kind, as a string",
        _ if OBJECTS.iter().any(|kind| wanted.starts_with(kind)) => "an object",
        _ => wanted,
    })
}

/// The least and the greatest number of a type.
fn bounds(number: &str) -> Option<(i64, u64)> {
    Some(match number {
        "i16" => (i16::MIN.into(), i16::MAX.unsigned_abs().into()),
        "i32" => (i32::MIN.into(), i32::MAX.unsigned_abs().into()),
        "i64" => (i64::MIN, i64::MAX.unsigned_abs()),
        "u8" => (0, u8::MAX.into()),
        "u16" => (0, u16::MAX.into()),
        "u32" => (0, u32::MAX.into()),
        "u64" | "usize" => (0, u64::MAX),
        _ => return None,
    })
}

/// What is there.
fn thing(found: &str) -> String {
    match found {
        "sequence" => "a list".to_owned(),
        "map" => "an object".to_owned(),
        _ => match found.split_once(' ') {
            Some(("integer" | "boolean", value)) => value.to_owned(),
            Some(("string", value)) => format!("the string {value}"),
            Some(("floating", rest)) => rest.trim_start_matches("point ").to_owned(),
            Some(_) | None => found.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn types_of_the_program_are_put_into_words() {
        for (said, told) in [
            ("invalid type: floating point `2.5`, expected i64", "must be an integer, not `2.5`"),
            ("invalid type: string \"1\", expected u32", "must be an integer, not the string \"1\""),
            ("invalid value: integer `-4`, expected u32", "must be an integer between 0 and 4294967295, not `-4`"),
            (
                "invalid value: integer `9223372036854775808`, expected i64",
                "must be an integer between -9223372036854775808 and 9223372036854775807, not `9223372036854775808`",
            ),
            (
                "invalid type: string \"x\", expected internally tagged enum X",
                "must be an object, not the string \"x\"",
            ),
            ("expected value", "expected one of the allowed values, as a string"),
            ("the cart is in use", "the cart is in use"),
            ("invalid type: map, expected a sequence", "must be a list, not an object"),
            ("invalid type: null, expected struct Money", "must be an object, not null"),
            (
                "invalid type: string \"a, expected b\", expected a boolean",
                "must be true or false, not the string \"a, expected b\"",
            ),
            ("unknown variant `stripe`, expected `test`", "unknown value `stripe`; expected `test`"),
            ("unknown variant `x`, expected one of `a`, `b`", "unknown value `x`; expected one of `a`, `b`"),
            ("invalid digit found in string", "must be an integer"),
            ("input is out of range", "must be a date such as 2026-01-31, or a time such as 2026-01-31T12:00:00Z"),
            ("missing field `a`", "missing field `a`"),
            ("a share is a whole number", "a share is a whole number"),
        ] {
            assert_eq!(of(said, "/x"), told);
        }
    }

    #[test]
    fn a_text_is_not_called_by_the_name_of_another_field() {
        use byteshop_domain::text::{Email, Name, Phone, Reference, fresh};
        let said = |error: byteshop_domain::text::TextError| of(&error.to_string(), "/x");
        let long = "x".repeat(200);
        assert_eq!(said(Name::new(&long).unwrap_err()), "this has more than 120 characters");
        assert_eq!(said(Reference::new(&long).unwrap_err()), "this has more than 64 characters");
        assert_eq!(said(Name::new(" ").unwrap_err()), "must not be empty");
        assert_eq!(said(Name::new("a\nb").unwrap_err()), "this may only hold printable characters");
        assert_eq!(said(fresh(|| Name::new("\u{200b}")).unwrap_err()), "this has no visible character");
        assert_eq!(said(Phone::new("12").unwrap_err()), "this has fewer than 3 or more than 15 digits");
        assert_eq!(said(Email::new("ada").unwrap_err()), "must be a single e-mail address such as ada@example.org");
    }

    #[test]
    fn a_long_list_is_cut_off_and_a_currency_is_called_one() {
        let known: Vec<String> = (0..180).map(|number| format!("`{number}`")).collect();
        let said = format!("unknown variant `ZZZ`, expected one of {}", known.join(", "));
        assert!(of(&said, "/country").ends_with("`18`, `19` and more"));
        let told = "`ZZZ` is not a currency; use an ISO 4217 code such as `EUR`";
        assert_eq!(of(&said, "/lines/0/price/currency"), told);
    }
}
