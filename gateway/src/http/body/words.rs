//! What a reader of JSON says of a value that does not fit, in words for whoever sent it.

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

/// What is wrong with the value at a pointer.
pub(in crate::http) fn of(said: &str, pointer: &str) -> String {
    if NO_TIME.contains(&said) {
        return "a date is written like 2026-01-31, and a time like 2026-01-31T12:00:00Z".to_owned();
    }
    match said {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            return "this takes a whole number".to_owned();
        }
        "number too large to fit in target type" => return "the number is too large".to_owned(),
        "number too small to fit in target type" => return "the number is too small".to_owned(),
        "provided string was not `true` or `false`" => return "this takes true or false".to_owned(),
        _ => {}
    }
    if let Some(rest) = said.strip_prefix("unknown variant ") {
        return unknown(rest, pointer);
    }
    let found = said.strip_prefix("invalid type: ").or_else(|| said.strip_prefix("invalid value: "));
    match found.and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((found, wanted)) => format!("this takes {}, not {}", wish(wanted), thing(found)),
        None => said.to_owned(),
    }
}

/// A value that is none of those there are, from `` `x`, expected one of `a`, `b` ``.
fn unknown(rest: &str, pointer: &str) -> String {
    let Some((value, known)) = rest.split_once(", expected ") else { return format!("there is no {rest}") };
    if pointer.ends_with("/currency") {
        return format!("{value} is no currency: they are named by their ISO 4217 code, such as `EUR`");
    }
    let known = known.strip_prefix("one of ").unwrap_or(known);
    if known.split(", ").count() > NAMED_MAX {
        let first: Vec<&str> = known.split(", ").take(NAMED_MAX).collect();
        return format!("there is no {value} here; there is {} and more", first.join(", "));
    }
    format!("there is no {value} here; there is {known}")
}

/// What is asked for: a type of the program means nothing to whoever calls it.
fn wish(wanted: &str) -> &str {
    match wanted {
        "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number",
        "a string" | "string" | "str" => "a text",
        "a sequence" | "sequence" => "a list",
        "a map" | "map" => "an object",
        "a boolean" | "boolean" => "true or false",
        _ if wanted.starts_with("struct ") => "an object",
        _ => wanted,
    }
}

/// What is there.
fn thing(found: &str) -> String {
    match found {
        "sequence" => "a list".to_owned(),
        "map" => "an object".to_owned(),
        _ => match found.split_once(' ') {
            Some(("integer" | "boolean", value)) => value.to_owned(),
            Some(("string", value)) => format!("the text {value}"),
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
            ("invalid type: floating point `2.5`, expected i64", "this takes a whole number, not `2.5`"),
            ("invalid type: string \"1\", expected u32", "this takes a whole number, not the text \"1\""),
            ("invalid value: integer `-1`, expected u16", "this takes a whole number, not `-1`"),
            ("invalid type: map, expected a sequence", "this takes a list, not an object"),
            ("invalid type: null, expected struct Money", "this takes an object, not null"),
            (
                "invalid type: string \"a, expected b\", expected a boolean",
                "this takes true or false, not the text \"a, expected b\"",
            ),
            ("unknown variant `stripe`, expected `test`", "there is no `stripe` here; there is `test`"),
            ("unknown variant `x`, expected one of `a`, `b`", "there is no `x` here; there is `a`, `b`"),
            ("invalid digit found in string", "this takes a whole number"),
            ("input is out of range", "a date is written like 2026-01-31, and a time like 2026-01-31T12:00:00Z"),
            ("missing field `a`", "missing field `a`"),
            ("a share is a whole number", "a share is a whole number"),
        ] {
            assert_eq!(of(said, "/x"), told);
        }
    }

    #[test]
    fn a_long_list_is_cut_off_and_a_currency_is_called_one() {
        let known: Vec<String> = (0..180).map(|number| format!("`{number}`")).collect();
        let said = format!("unknown variant `ZZZ`, expected one of {}", known.join(", "));
        assert!(of(&said, "/country").ends_with("`18`, `19` and more"));
        let told = "`ZZZ` is no currency: they are named by their ISO 4217 code, such as `EUR`";
        assert_eq!(of(&said, "/lines/0/price/currency"), told);
    }
}
