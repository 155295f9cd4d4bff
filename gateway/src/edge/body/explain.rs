//! Says what is wrong with a body or a query that its type refused: all faults at once, each with its place.
//!
//! The schema of the route finds the faults of structure. Then the type is asked again and again, each time without what is
//! known to be wrong, for what it alone knows: whether an id, a country or a phone number is one.

use byteshop_commands::notify::format::country_code;
use byteshop_domain::text::{NO_COUNTRY, fresh};
use http::Uri;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::faults::{FAULTS_MAX, Fault, Faults};
use super::node::{self, Node, push_field};
use super::reader::{Reader, Refusal, Wrong};
use super::schema::Schema;
use super::words;
use crate::edge::problem::Problem;
use crate::edge::values::said;

/// Times that a type is asked: for each fault that is told, and for a few objects that lack what is wrong in them.
const ASKED_MAX: usize = FAULTS_MAX + 5;
/// Parameters of a query that are looked at: many times more than any route has.
const PARAMETERS_MAX: usize = 200;

/// What is wrong with a text that is no JSON at all.
pub(super) fn syntax(text: &[u8]) -> Option<Problem> {
    let error = serde_json::from_slice::<IgnoredAny>(text).err()?;
    Some(Problem::malformed("request.malformed_json", format!("the body is not JSON: {error}")))
}

/// Whether a list stands where the schema of a body allows none: serde also reads a struct from an array of its fields.
pub(super) fn has_wrong_list(text: &[u8], schema: Option<Schema<'_>>) -> bool {
    let checked = || Some(schema?.check(&node::read(text).ok()?));
    text.contains(&b'[') && checked().is_some_and(|faults| faults.has_wrong_list())
}

/// What is wrong with a body that could not be read as a type, or does not fit its schema.
pub(super) fn body<T: DeserializeOwned>(text: &[u8], schema: Option<Schema<'_>>) -> Problem {
    if let Some(problem) = syntax(text) {
        return problem;
    }
    let mut tree = match node::read(text) {
        Ok(tree) => tree,
        Err(pointer) => return Problem::invalid(pointer, words::UNREADABLE),
    };
    let mut faults = schema.map(|schema| schema.check(&tree)).unwrap_or_default();
    ask(&mut tree, &mut faults, &|tree| fresh(|| T::deserialize(Reader(tree))).map(|_| ()), of_body);
    faults.of_body().unwrap_or_else(|| {
        tracing::warn!(of = std::any::type_name::<T>(), "a body was refused, and nothing says why");
        Problem::invalid("", words::UNEXPLAINED)
    })
}

/// What is wrong with a query that could not be read as a type.
pub(crate) fn query<T: DeserializeOwned>(uri: &Uri) -> Problem {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).take(PARAMETERS_MAX);
    let words = pairs.map(|(name, value)| (name.into_owned(), Node::Word(value.into_owned())));
    let (mut tree, mut faults) = (Node::Object(words.collect()), Faults::default());
    ask(&mut tree, &mut faults, &|tree| fresh(|| T::deserialize(Reader(tree))).map(|_| ()), of_query);
    faults.of_query().unwrap_or_else(|| {
        tracing::warn!(of = std::any::type_name::<T>(), "a query was refused, and nothing says why");
        Problem::malformed("request.invalid_query", "the query does not have the form that the API reference describes")
    })
}

/// Asks a type what else is wrong, until it is content or nothing is left of the body.
fn ask(
    tree: &mut Node,
    faults: &mut Faults,
    read: &dyn Fn(&Node) -> Result<(), Refusal>,
    told: fn(&Node, &str, Wrong) -> Option<Fault>,
) {
    let mut cut: Vec<String> = faults.pointers().map(str::to_owned).collect();
    for pointer in &cut {
        tree.cut(pointer);
    }
    for _ in 0..ASKED_MAX {
        let Err(Refusal { pointer, wrong }) = read(tree) else { return };
        let place = place(&pointer, &wrong);
        // An object lacks what was cut out of it, and one whose kind is read first does not say how deep within it.
        let lacks = matches!(wrong, Wrong::Missing(_)) && cut.iter().any(|cut| is_deep_within(cut, &pointer));
        let follows = lacks || faults.is_known(&place) || cut.iter().any(|cut| is_within(cut, &place));
        if !follows && let Some(fault) = told(tree, &place, wrong) {
            faults.note(fault);
        }
        let rest = if tree.cut(&place) { place } else { pointer };
        tree.cut(&rest);
        if faults.is_full() || rest.is_empty() {
            return;
        }
        cut.push(rest);
    }
}

/// Where a fault is: two of them are said of the object, and name the field.
fn place(pointer: &str, wrong: &Wrong) -> String {
    let mut place = pointer.to_owned();
    if let Wrong::Missing(field) | Wrong::Twice(field) = wrong {
        push_field(&mut place, field);
    }
    place
}

fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Within a value of the outer one.
fn is_deep_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/') && rest.matches('/').count() > 1)
}

/// The last name of a pointer.
fn name_at(pointer: &str) -> String {
    pointer.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~")
}

/// A fault of a body; none where nothing was looked at.
fn of_body(tree: &Node, place: &str, wrong: Wrong) -> Option<Fault> {
    let detail = match wrong {
        Wrong::Said(said) if said == NO_COUNTRY => return Some(no_country(tree, place)),
        Wrong::Said(said) => said,
        Wrong::Kind(kind) => words::wanted(&kind, place),
        Wrong::Range(least, most) => words::wanted(&words::range(Some(least), Some(most)), place),
        Wrong::UnknownValue(given, known) => words::unknown_value(&given, known, place),
        Wrong::UnknownField(known) => words::unknown_field(&name_at(place), known),
        Wrong::Missing(name) => words::missing(name),
        Wrong::Twice(name) => words::twice(name),
        Wrong::Cut => return None,
    };
    Some(Fault { pointer: place.to_owned(), detail, code: None })
}

/// A country that is none, with the code of the one that is meant, where that can be told.
fn no_country(tree: &Node, place: &str) -> Fault {
    let given = if let Some(Node::Text(given)) = tree.at(place) { given.as_str() } else { "" };
    let detail = country_code(given).map_or(NO_COUNTRY.to_owned(), |code| {
        format!("not a country code; the two-letter ISO 3166 code of {} is {code}", given.trim())
    });
    Fault { pointer: place.to_owned(), detail, code: Some("request.country_unknown") }
}

/// A fault of a query.
fn of_query(_: &Node, place: &str, wrong: Wrong) -> Option<Fault> {
    let name = name_at(place);
    let detail = match wrong {
        Wrong::Said(detail) => said(&name, &detail),
        Wrong::Kind(kind) => said(&name, &words::wanted(&kind, "")),
        Wrong::Range(least, most) => said(&name, &words::wanted(&words::range(Some(least), Some(most)), "")),
        Wrong::UnknownValue(given, known) => said(&name, &words::unknown_value(&given, known, place)),
        Wrong::UnknownField(known) => words::unknown_parameter(&name, known),
        Wrong::Missing(name) => format!("missing query parameter `{name}`"),
        Wrong::Twice(name) => words::twice_in_query(name),
        Wrong::Cut => return None,
    };
    Some(Fault { pointer: place.to_owned(), detail, code: None })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::edge::values::{Day, Limit};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only reading it matters")]
    struct Asked {
        limit: Option<Limit>,
        from: Option<Day>,
        all: Option<bool>,
        token: String,
    }

    #[test]
    fn all_faults_of_a_query_are_told_at_once() {
        let uri = "/x?limit=300&from=yesterday&all=maybe&lmit=2&a=1&a=2".parse().unwrap();
        let problem = query::<Asked>(&uri);
        let told: Vec<(String, &str)> = problem
            .errors()
            .iter()
            .map(|error| (serde_json::to_value(&error.place).unwrap()["parameter"].to_string(), &*error.detail))
            .collect();
        let told: Vec<(&str, &str)> = told.iter().map(|(name, detail)| (name.trim_matches('"'), *detail)).collect();
        assert_eq!(
            told,
            [
                ("limit", "limit: must be an integer between 1 and 100"),
                ("from", "from: must be a date such as 2026-01-31"),
                ("all", "all: must be true or false"),
                ("lmit", "unknown query parameter `lmit`; did you mean `limit`?"),
                ("a", "unknown query parameter `a`"),
                ("token", "missing query parameter `token`"),
            ]
        );
        assert_eq!((problem.code(), problem.detail()), ("request.invalid_query", told[0].1));
        let twice = query::<Asked>(&"/x?limit=1&limit=2&token=x".parse().unwrap());
        assert_eq!(twice.detail(), "`limit` is given twice");
    }
}
