//! Data in one line for people: `price 19.99 EUR, quantity 3, 2 lines`.

use byteshop_domain::Currency;
use byteshop_domain::money::Money;
use byteshop_domain::personal::MARK;
use serde_json::{Map, Value};

use super::progress::grouped;

/// The placeholder for a sealed value, which would be unreadable.
pub const SEALED: &str = "(sealed)";
/// Longest text that is quoted whole.
const TEXT_MAX: usize = 40;
/// Elements of a list that are named.
const LISTED_MAX: usize = 3;
/// How the name of a weight ends.
const GRAMS: &str = "_g";
/// The number of hexadecimal digits from which on a text counts as a hash.
const HASH_MIN: usize = 32;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Long texts are cut, and large parts only named.
    Brief,
    /// All of it: what was asked to be revealed.
    Whole,
}

/// The data of an event in one line; what is no JSON object is shown as it is.
pub fn of(data: &str, detail: Detail) -> String {
    match serde_json::from_str(data) {
        Ok(Value::Object(fields)) => object(&fields, detail),
        Ok(_) | Err(_) => data.to_owned(),
    }
}

/// A value in a few words.
pub fn value(value: &Value, detail: Detail) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.contains([',', '"']) => format!("“{}”", fitting(text, detail)),
        Value::String(text) => fitting(text, detail),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => list(items, detail),
        Value::Object(fields) if fields.is_empty() => "none".to_owned(),
        Value::Object(fields) if fields.contains_key(MARK) => SEALED.to_owned(),
        Value::Object(fields) => money(fields).unwrap_or_else(|| format!("{{{}}}", object(fields, detail))),
    }
}

fn fitting(text: &str, detail: Detail) -> String {
    match detail {
        Detail::Brief => super::terminal::cut(&harmless(text), TEXT_MAX),
        Detail::Whole => harmless(text),
    }
}

/// An amount of money as a decimal number in major units, and its currency.
pub fn decimal(value: &Value) -> Option<(String, String)> {
    decimal_of(value.as_object()?)
}

fn decimal_of(fields: &Map<String, Value>) -> Option<(String, String)> {
    let (amount, currency) = (fields.get("amount")?.as_i64()?, fields.get("currency")?.as_str()?);
    if fields.len() != 2 {
        return None;
    }
    let money = Money { amount, currency: Currency::from_code(currency)? };
    Some((money.decimal(), currency.to_owned()))
}

/// Fields of a value that are shown on one line at most.
const FIELDS_MAX: usize = 3;

/// Whether a value with these fields fits one line completely, without fields named by ids.
pub fn fits_one_line(fields: &Map<String, Value>) -> bool {
    let is_one = fields.contains_key(MARK) || money(fields).is_some();
    let has_ids = fields.keys().any(|name| is_name_of_thing(name));
    let is_deep = fields.values().any(|value| value.as_object().is_some_and(|inner| !fits_one_line(inner)));
    is_one || (fields.len() <= FIELDS_MAX && !has_ids && !is_deep)
}

/// Whether a field is called by an id, which stays as it is.
fn is_name_of_thing(name: &str) -> bool {
    byteshop_domain::ids::parse(name).is_ok()
}

fn object(fields: &Map<String, Value>, detail: Detail) -> String {
    let mut shown: Vec<_> = fields.iter().filter(|(_, value)| !is_empty(value) && !is_hash(value)).collect();
    // What it comes to first, to which of many last.
    shown.sort_by_key(|(_, value)| (value.as_object().and_then(money).is_none(), is_id(value)));
    let parts = shown.into_iter().map(|(name, field)| {
        if let (Some(name), Some(grams)) = (name.strip_suffix(GRAMS), field.as_i64()) {
            return format!("{} {} g", name.replace('_', " "), grouped(grams));
        }
        let name = name.strip_suffix(GRAMS).unwrap_or(name);
        let name = if is_name_of_thing(name) { name.to_owned() } else { name.replace('_', " ") };
        match (field.as_array(), field.as_object()) {
            (Some(items), _) if !items.iter().all(is_plain) => counted(items.len(), &name),
            (_, Some(inner)) if is_large(inner) && detail == Detail::Brief => format!("{name} {{…}}"),
            _ => format!("{name} {}", value(field, detail)),
        }
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// Whether a value has so many fields that they do not fit a line.
fn is_large(fields: &Map<String, Value>) -> bool {
    money(fields).is_none() && !fields.contains_key(MARK) && fields.len() > FIELDS_MAX
}

/// The text without what would move the cursor, colour the screen or turn the reading direction around.
fn harmless(text: &str) -> String {
    let is_harmful = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|letter| if is_harmful(letter) { '\u{fffd}' } else { letter }).collect()
}

fn is_id(value: &Value) -> bool {
    value.as_str().is_some_and(|text| byteshop_domain::ids::parse(text).is_ok())
}

/// Hashes tell a person nothing.
fn is_hash(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() >= HASH_MIN && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// `1 line`, `3 lines`.
fn counted(count: usize, name: &str) -> String {
    // News come in the plural only.
    if name.ends_with("news") {
        return format!("{count} {name}");
    }
    if count == 1 {
        return format!("1 {}", single(name));
    }
    // One that is named in the singular is a list all the same, such as `commit`.
    if name.ends_with('s') { format!("{count} {name}") } else { format!("{count} {name}s") }
}

/// The singular of a name: `entry`, `tax`, `address`, `hash`, `line`.
fn single(name: &str) -> String {
    if let Some(start) = name.strip_suffix("ies") {
        return format!("{start}y");
    }
    let with_e = ["xes", "sses", "shes", "ches"].iter().any(|ending| name.ends_with(ending));
    let single = if with_e { name.strip_suffix("es") } else { name.strip_suffix('s') };
    single.unwrap_or(name).to_owned()
}

fn list(items: &[Value], detail: Detail) -> String {
    let most = match detail {
        Detail::Brief => LISTED_MAX,
        Detail::Whole => items.len(),
    };
    let shown: Vec<String> = items.iter().take(most).map(|item| value(item, detail)).collect();
    let more =
        if items.len() > shown.len() { format!(" and {} more", items.len() - shown.len()) } else { String::new() };
    format!("{}{more}", shown.join(" + "))
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        Value::Array(_) => false,
        Value::Object(fields) => money(fields).is_some(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// `{"amount": 1999, "currency": "EUR"}` as `19.99 EUR`, with the currency's own number of decimals.
fn money(fields: &Map<String, Value>) -> Option<String> {
    let (amount, currency) = decimal_of(fields)?;
    Some(format!("{} {currency}", amount.replace('-', "−")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_told_in_one_line() {
        for (data, line) in [
            ("{}", ""),
            (r#"{"quantity":3,"price":{"amount":1999,"currency":"EUR"}}"#, "price 19.99 EUR, quantity 3"),
            (r#"{"title":"a\u001b[31mb\u202ec"}"#, "title a\u{fffd}[31mb\u{fffd}c"),
            (r#"{"title":"Tote, black"}"#, "title “Tote, black”"),
            (r#"{"total":{"amount":-5,"currency":"EUR"}}"#, "total −0.05 EUR"),
            (r#"{"total":{"amount":500,"currency":"JPY"}}"#, "total 500 JPY"),
            (r#"{"lines":[{"a":1}],"attributes":{}}"#, "1 line"),
            (r#"{"taxes":[{"a":1}],"commit":[{"a":1},{"a":2}]}"#, "1 tax, 2 commits"),
            (r#"{"commit":[{"a":1}],"news":[{"a":1}]}"#, "1 commit, 1 news"),
            (r#"{"entries":[{"a":1}],"hashes":[{"a":1}],"addresses":[{"a":1}]}"#, "1 entry, 1 hash, 1 address"),
            (r#"{"name":{"$sealed":"vCUg","subject":"7"}}"#, "name (sealed)"),
            (r#"{"lines":[{"a":1},{"a":2}]}"#, "2 lines"),
            (r#"{"weight_g":16000}"#, "weight 16,000 g"),
            (r#"{"weight_g":null}"#, "weight none"),
            (r#"{"returned":{"var_01m8kxs3cbecrt6fg91vwt0nnt":1}}"#, "returned {var_01m8kxs3cbecrt6fg91vwt0nnt 1}"),
            (
                r#"{"on_hand":2,"parent":null,"to":["a","b","c","d"]}"#,
                "on hand 2, parent none, to a + b + c and 1 more",
            ),
            (
                r#"{"order":"ord_00000000000000000000000007","quantity":1}"#,
                "quantity 1, order ord_00000000000000000000000007",
            ),
            (r#"{"token_hash":"00112233445566778899aabbccddeeff","currency":"EUR"}"#, "currency EUR"),
            ("[1]", "[1]"),
        ] {
            assert_eq!(of(data, Detail::Brief), line);
        }
    }

    #[test]
    fn what_is_revealed_is_told_whole() {
        let address = r#"{"to":{"name":"Ada Lovelace","email":"ada@example.org","lines":["Invalidenstraße 43","a","b","c"],"country":"DE"}}"#;
        assert_eq!(of(address, Detail::Brief), "to {…}");
        let whole = "to {name Ada Lovelace, email ada@example.org, lines Invalidenstraße 43 + a + b + c, country DE}";
        assert_eq!(of(address, Detail::Whole), whole);
        let long = format!(r#"{{"note":"{}"}}"#, "x".repeat(100));
        assert_eq!(of(&long, Detail::Whole).len(), 105);
    }
}
