//! What a request body holds is bounded by its type: no bare list, set, map or text in anything that is read from outside.

use std::collections::{BTreeMap, BTreeSet};

use super::File;
use super::source::scan;

/// Where requests are read.
const HTTP: &str = "gateway/src/http/";
/// Types without a limit, as they begin in a field.
const BARE: [&str; 7] = ["Vec<", "VecDeque<", "BTreeMap<", "BTreeSet<", "HashMap<", "HashSet<", "String"];
/// What may hold one of them.
const BOUNDED: &str = "Bounded<";

/// A type that serde reads.
struct Item<'a> {
    file: &'a File,
    /// Its fields, each with its line.
    fields: Vec<(usize, String)>,
    /// What stands before it.
    attributes: String,
}

/// Bare collections and texts in the types of request bodies, and in the types of the domain that they are made of.
pub fn breaches(files: &[File]) -> Vec<String> {
    let read = |file: &&File| {
        file.is_rust() && !file.is_test() && (file.path.starts_with(HTTP) || file.path.starts_with("domain/src/"))
    };
    let mut items: BTreeMap<String, Vec<Item<'_>>> = BTreeMap::new();
    // Names of collections: those that are public by themselves, others by the file that has them.
    let mut aliases: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut asked, mut queries) = (BTreeSet::new(), BTreeSet::new());
    for file in files.iter().filter(read) {
        let code = scan(&file.text).code;
        for (public, name) in bare_aliases(&code) {
            aliases.entry(if public { String::new() } else { file.path.clone() }).or_default().insert(name);
        }
        if file.path.starts_with(HTTP) {
            asked.extend(arguments(&code, "Ask<"));
            queries.extend(["Params<", "Query<"].into_iter().flat_map(|extractor| arguments(&code, extractor)));
        }
        for (name, item) in items_of(file, &code) {
            items.entry(name).or_default().push(item);
        }
    }
    let strict = |item: &Item<'_>| item.file.path.starts_with(HTTP) && item.attributes.contains("deny_unknown_fields");
    let roots = items.iter().filter(|(name, all)| asked.contains(*name) || all.iter().any(strict));
    let roots = roots.filter(|(name, _)| !queries.contains(*name));
    let mut reached: Vec<String> = roots.map(|(name, _)| name.clone()).collect();
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    while let Some(name) = reached.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        // What is read by way of another type is bounded by that.
        let by_fields = |item: &&Item<'_>| !item.attributes.contains("from = ");
        for item in items.get(&name).into_iter().flatten().filter(by_fields) {
            let known: BTreeSet<String> =
                ["", &item.file.path].into_iter().filter_map(|of| aliases.get(of)).flatten().cloned().collect();
            for (line, field) in &item.fields {
                // What stands before is the name of a field or a variant.
                reached.extend(field.split_once([':', '(']).map_or_else(Vec::new, |(_, of)| words(of)));
                if is_bare(field, &known) {
                    let path = &item.file.path;
                    found.push(format!(
                        "{path}:{line}: a body of any size: `{}` needs Bounded or BoundedText",
                        field.trim()
                    ));
                }
            }
        }
    }
    found
}

/// Whether a field has a collection or a text without a limit.
fn is_bare(field: &str, aliases: &BTreeSet<String>) -> bool {
    let within = |at: usize| field[..at].ends_with(BOUNDED);
    let whole_word = |at: usize, name: &str| {
        let word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let (before, after) = (field[..at].chars().next_back(), field[at + name.len()..].chars().next());
        !before.is_some_and(word) && (name.ends_with('<') || !after.is_some_and(word))
    };
    let named = BARE.into_iter().chain(aliases.iter().map(String::as_str));
    named.into_iter().any(|name| field.match_indices(name).any(|(at, _)| whole_word(at, name) && !within(at)))
}

/// The names in the arguments of a generic type.
fn arguments(code: &str, generic: &str) -> Vec<String> {
    code.split(generic).skip(1).filter_map(|rest| rest.split(['>', '(']).next()).flat_map(words).collect()
}

/// Names that stand for a collection without a limit, and whether they are public.
fn bare_aliases(code: &str) -> Vec<(bool, String)> {
    let alias = |line: &str| {
        let line = line.trim();
        let (name, of) = line.trim_start_matches("pub ").strip_prefix("type ")?.split_once('=')?;
        let name = words(name).into_iter().next().unwrap_or_default();
        is_bare(of, &BTreeSet::new()).then(|| (line.starts_with("pub "), name))
    };
    code.lines().filter_map(alias).collect()
}

/// The types of a file that serde reads, by name.
fn items_of<'a>(file: &'a File, code: &str) -> Vec<(String, Item<'a>)> {
    let lines: Vec<&str> = code.lines().collect();
    let (mut found, mut attributes) = (Vec::new(), String::new());
    let mut number = 0;
    while number < lines.len() {
        let line = lines[number].trim();
        number += 1;
        let mut parts = line
            .trim_start_matches("pub ")
            .trim_start_matches("pub(super) ")
            .trim_start_matches("pub(in crate::http) ")
            .split_whitespace();
        let is_item = matches!(parts.next(), Some("struct" | "enum"));
        if !is_item {
            // An attribute, or a line of one.
            if line.is_empty() || line.starts_with("#[") || line.ends_with([',', ')', ']', '=']) {
                attributes.push_str(line);
            } else {
                attributes.clear();
            }
            continue;
        }
        let name = words(parts.next().unwrap_or_default()).into_iter().next().unwrap_or_default();
        let attributes = std::mem::take(&mut attributes);
        let reads = words(&attributes).contains(&"Deserialize".to_owned()) && !attributes.contains("IntoParams");
        let mut fields = vec![(number, line.split_once('(').map_or(String::new(), |(_, inside)| format!("({inside}")))];
        let mut depth = depth_of(line);
        while depth > 0 && number < lines.len() {
            depth += depth_of(lines[number]);
            if !lines[number].trim().starts_with("#[") {
                fields.push((number + 1, lines[number].to_owned()));
            }
            number += 1;
        }
        if reads {
            found.push((name, Item { file, fields, attributes }));
        }
    }
    found
}

fn depth_of(line: &str) -> i64 {
    line.chars()
        .map(|letter| match letter {
            '{' => 1,
            '}' => -1,
            _ => 0,
        })
        .sum()
}

fn words(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[test]
fn bare_lists_are_found_wherever_a_body_reaches_them() {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let body = "//! A.\n#[derive(Deserialize, ToSchema)]\n#[serde(deny_unknown_fields)]\nstruct Body {\n  /// Vec<u8>.\n  #[schema(value_type = Vec<String>)]\n  \
                one: Bounded<Vec<u8>, 3>,\n  two: Option<Vec<u8>>,\n  three: Part,\n  four: Names,\n  five: Title,\n}\n#[derive(Deserialize, IntoParams)]\nstruct Query { all: Vec<u8> }\n\
                #[derive(Serialize)]\nstruct Shown { all: Vec<u8> }\nasync fn a(ask: Ask<Staff, Terms>) {}\n";
    let domain = "//! A.\npub type Names = BTreeMap<Name, Name>;\n#[derive(Debug, Deserialize)]\npub struct Part {\n  text: String,\n}\n#[derive(Deserialize)]\npub struct Other {\n  \
                  all: Vec<u8>,\n}\n#[derive(Deserialize)]\n#[serde(\n    tag = \"kind\",\n    expecting = \"terms\"\n)]\npub struct Terms {\n  limit: Bounded<Names, 5>,\n  listed: BTreeSet<u8>,\n}\n";
    let found = breaches(&[file("gateway/src/http/a.rs", body), file("domain/src/a.rs", domain)]);
    let places: Vec<&str> = found.iter().filter_map(|it| it.split(": ").next()).collect();
    let mut sorted = places.clone();
    sorted.sort_unstable();
    let expected = ["domain/src/a.rs:18", "domain/src/a.rs:5", "gateway/src/http/a.rs:10", "gateway/src/http/a.rs:8"];
    assert_eq!(sorted, expected, "{found:?}");
}
