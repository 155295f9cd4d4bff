//! What is said of a value that does not fit, in words for whoever sent it.
//!
//! Values are repeated only where a number, true or false or one of a few names is wanted. What stands in the place of a
//! free text may be a password, a token or an address, and is never repeated.

use super::node::Node;
use crate::near::nearest;

/// Values that are named of those that there can be; a currency can be one of nearly two hundred.
const NAMED_MAX: usize = 20;
/// Letters of a value or a name that are repeated.
const REPEATED_MAX: usize = 40;
/// Letters from which on a name can be told to be a mistyped one.
const MISTYPED_MIN: usize = 3;
/// Kinds of objects that are all named; of more, one is an example.
const KINDS_NAMED: usize = 2;

/// What is said of a body that is JSON and cannot be held in memory as it stands.
pub(super) const UNREADABLE: &str = "this holds a number that is out of range, or text that is not Unicode";
/// What is said when a body is refused and nothing in it is found to be wrong.
pub(super) const UNEXPLAINED: &str = "the body does not have the form that the API reference describes";

/// It is of the wrong kind, and may be repeated.
pub(super) fn kind(wanted: &str, pointer: &str, found: &Node) -> String {
    format!("must be {wanted}{}, not {}", unit(wanted, pointer), thing(found))
}

/// It is of the wrong kind, and may not be repeated.
pub(super) fn kind_of_private(wanted: &str, found: &Node) -> String {
    format!("must be {wanted}, not {}", sort(found))
}

/// It is of the wrong kind, as far as its type knows.
pub(super) fn wanted(wanted: &str, pointer: &str) -> String {
    format!("must be {wanted}{}", unit(wanted, pointer))
}

/// The most frequent mistake of all: a price as people write it.
fn unit(wanted: &str, pointer: &str) -> &'static str {
    let amount = pointer.ends_with("/amount") && wanted.starts_with("an integer");
    if amount { " in minor units, such as 1999 for 19.99" } else { "" }
}

/// An object with a field that says which kind it is.
pub(super) fn object_with(tag: &str, kinds: &[&str]) -> String {
    match kinds {
        [first, ..] if kinds.len() > KINDS_NAMED => format!("an object with a `{tag}`, such as `{first}`"),
        _ => format!("an object with a `{tag}`, {}", quoted(kinds, " or ")),
    }
}

/// A range of whole numbers.
pub(super) fn range(least: Option<i128>, most: Option<i128>) -> String {
    match (least, most) {
        (Some(least), Some(most)) => format!("an integer between {least} and {most}"),
        (Some(least), None) => format!("an integer of at least {least}"),
        (None, Some(most)) => format!("an integer of at most {most}"),
        (None, None) => "an integer".to_owned(),
    }
}

/// A text that is none of those that there can be.
pub(super) fn unknown_value(given: &str, known: &[&str], pointer: &str) -> String {
    if pointer.ends_with("/currency") {
        return no_currency(given);
    }
    let given = cut(given);
    if let Some(meant) = meant(&given, known) {
        return format!("unknown value `{given}`; did you mean `{meant}`?");
    }
    format!("unknown value `{given}`; expected {}", one_of(known))
}

/// A text that has not as many characters as each of its kind.
pub(super) fn no_code(given: &str, exactly: usize, pointer: &str) -> String {
    if pointer.ends_with("/currency") { no_currency(given) } else { format!("must have {exactly} characters") }
}

fn no_currency(given: &str) -> String {
    format!("`{}` is not a currency; use an ISO 4217 code such as `EUR`", cut(given))
}

/// A field that does not exist.
pub(super) fn unknown_field(name: &str, known: &[&str]) -> String {
    let name = cut(name);
    if let Some(meant) = meant(&name, known) {
        return format!("unknown field `{name}`; did you mean `{meant}`?");
    }
    if known.is_empty() {
        return format!("unknown field `{name}`; expected no fields");
    }
    format!("unknown field `{name}`; expected {}", one_of(known))
}

/// A parameter of a query that does not exist.
pub(crate) fn unknown_parameter(name: &str, known: &[&str]) -> String {
    let name = cut(name);
    let meant = meant(&name, known).map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
    format!("unknown query parameter `{name}`{meant}")
}

/// A parameter of a query that is there twice: nobody knows which is meant.
pub(crate) fn twice_in_query(name: &str) -> String {
    format!("`{name}` is given twice")
}

/// A field that has to be there.
pub(super) fn missing(name: &str) -> String {
    format!("missing field `{name}`")
}

/// A field that is there twice.
pub(super) fn twice(name: &str) -> String {
    format!("duplicate field `{name}`")
}

/// The name that was probably meant. Nearly every name is near one of two letters.
fn meant<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    nearest(given, known.iter().copied()).filter(|_| given.chars().count() >= MISTYPED_MIN)
}

/// One of these names.
pub(super) fn one_of(known: &[&str]) -> String {
    let named = quoted(&known[..known.len().min(NAMED_MAX)], ", ");
    let more = if known.len() > NAMED_MAX { " and more" } else { "" };
    let of = if known.len() > 1 { "one of " } else { "" };
    format!("{of}{named}{more}")
}

/// The detail of the first of more faults than are told.
pub(super) fn among_others(first: &str, told: usize) -> String {
    format!("{first}; there are more faults than the first {told}, which are listed")
}

fn quoted(names: &[&str], between: &str) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(between)
}

/// The beginning of a text.
fn cut(text: &str) -> String {
    text.chars().take(REPEATED_MAX).collect()
}

/// What is there, with its value.
fn thing(found: &Node) -> String {
    match found {
        Node::Bool(value) => format!("`{value}`"),
        Node::Number(number) => format!("`{number}`"),
        Node::Text(text) | Node::Word(text) => format!("the string {:?}", cut(text)),
        Node::Null | Node::List(_) | Node::Object(_) | Node::Cut => sort(found).to_owned(),
    }
}

/// What sort of thing is there.
fn sort(found: &Node) -> &'static str {
    match found {
        Node::Null => "null",
        Node::Bool(_) => "true or false",
        Node::Number(_) => "a number",
        Node::Text(_) | Node::Word(_) => "a string",
        Node::List(_) => "a list",
        Node::Object(_) => "an object",
        Node::Cut => "this",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_and_what_is_there_are_said() {
        let text = Node::Text("10%".to_owned());
        assert_eq!(kind("an integer", "/quantity", &text), "must be an integer, not the string \"10%\"");
        let money = kind("an integer", "/price/amount", &Node::Bool(true));
        assert_eq!(money, "must be an integer in minor units, such as 1999 for 19.99, not `true`");
        assert_eq!(kind("a list", "/lines", &Node::Object(Vec::new())), "must be a list, not an object");
        assert_eq!(kind_of_private("an object", &text), "must be an object, not a string");
        assert_eq!(object_with("kind", &["a", "b"]), "an object with a `kind`, `a` or `b`");
        assert_eq!(object_with("kind", &["a", "b", "c"]), "an object with a `kind`, such as `a`");
        assert_eq!(range(Some(0), Some(9)), "an integer between 0 and 9");
        assert_eq!(range(Some(1), None), "an integer of at least 1");
    }

    #[test]
    fn a_name_near_a_known_one_is_suggested() {
        let known = ["standard", "reduced", "zero"];
        assert_eq!(unknown_value("redused", &known, "/class"), "unknown value `redused`; did you mean `reduced`?");
        let far = unknown_value("something", &known, "/class");
        assert_eq!(far, "unknown value `something`; expected one of `standard`, `reduced`, `zero`");
        assert_eq!(unknown_value("stripe", &["test"], "/provider"), "unknown value `stripe`; expected `test`");
        assert_eq!(unknown_field("quantty", &["quantity"]), "unknown field `quantty`; did you mean `quantity`?");
        assert_eq!(unknown_field("x", &[]), "unknown field `x`; expected no fields");
    }

    #[test]
    fn a_long_list_is_cut_off_and_a_currency_is_called_one() {
        let known: Vec<String> = (0..180).map(|number| format!("name-{number}")).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        assert!(unknown_value("ZZZ", &known, "/country").ends_with("`name-18`, `name-19` and more"));
        let told = "`ZZZ` is not a currency; use an ISO 4217 code such as `EUR`";
        assert_eq!(unknown_value("ZZZ", &known, "/lines/0/price/currency"), told);
        assert!(unknown_value(&"x".repeat(1_000), &["a"], "").len() < 100);
    }
}
