//! Keeps docs/EVENTS.md equal to the code: every event with its fields, from the sources and the golden files.
//!
//! When the page is out of date, the test writes it anew and fails once: look at the difference and commit it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use byteshop_domain::{AGGREGATES, Aggregate, Form, catalogue};

/// A variant of an event, or a struct that one is made of, as the source documents it.
#[derive(Debug, Default, Clone)]
struct Item {
    doc: String,
    /// The struct that holds the fields, when the variant has none of its own.
    inner: Option<String>,
    fields: Vec<Field>,
}

#[derive(Debug, Clone)]
struct Field {
    name: String,
    of: String,
    doc: String,
    /// Its own fields are written in its place.
    flat: bool,
}

#[test]
fn the_page_of_events_is_up_to_date() {
    let page = page();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/EVENTS.md");
    if fs::read_to_string(&path).ok().as_ref() == Some(&page) {
        return;
    }
    fs::write(&path, page).unwrap();
    panic!("docs/EVENTS.md was out of date and is written anew: look at it and commit it");
}

fn page() -> String {
    let mut page = String::from(
        "# Events\n\nEvery event that the log can hold, by category. Written by the test `events_document` of the crate \
         `domain` from the\nsources and the golden files, so edit those. An event is stored under its type and schema with \
         these fields as JSON;\nids are TypeIDs, money is `{\"amount\": minor units, \"currency\": code}`, times are RFC 3339 in UTC.\n",
    );
    let forms = catalogue();
    for aggregate in AGGREGATES {
        category(&mut page, aggregate, &forms);
    }
    page
}

fn category(page: &mut String, aggregate: &Aggregate, forms: &[Form]) {
    let Aggregate { category, prefix } = aggregate;
    let sources = sources(category);
    let story = sources.lines().next().unwrap().trim_start_matches("//! ");
    writeln!(page, "\n## {category}\n\n{story} Streams are named `{prefix}_…`.").unwrap();
    let items = items(&sources);
    for (name, event) in variants(&sources) {
        let stored = snake(&name);
        let form = forms.iter().rfind(|form| form.category == *category && form.event_type == stored);
        let form = form.unwrap_or_else(|| panic!("no golden line for {category}.{stored}"));
        // The fullest example shows the most.
        let same =
            |other: &&Form| (other.category, &other.event_type, other.schema) == (form.category, &stored, form.schema);
        let fullest = forms.iter().filter(same).max_by_key(|form| form.example.to_string().len()).unwrap();
        writeln!(page, "\n### {category}.{stored}\n\n{} Schema {}.", event.doc, form.schema).unwrap();
        let fields = &fields(&event, &items);
        table(page, fields);
        if !fields.is_empty() {
            writeln!(page, "\n```json\n{}\n```", fullest.example).unwrap();
        }
        let written = fullest.example.as_object().unwrap().keys();
        for field in written {
            assert!(fields.iter().any(|known| known.name == *field), "{category}.{stored} writes {field}");
        }
    }
    structs(page, &sources, &items);
}

/// The fields of an event as they are written: those of a flat struct stand in its place.
fn fields(event: &Item, items: &BTreeMap<String, Item>) -> Vec<Field> {
    let own = match &event.inner {
        Some(inner) => &items[inner].fields,
        None => &event.fields,
    };
    let written = |field: &Field| if field.flat { items[&field.of].fields.clone() } else { vec![field.clone()] };
    own.iter().flat_map(written).collect()
}

/// The structs that fields are made of, beside those that are an event's own fields.
fn structs(page: &mut String, sources: &str, items: &BTreeMap<String, Item>) {
    let events = variants(sources);
    let used = |name: &str| {
        let mut fields = events.iter().flat_map(|(_, event)| fields(event, items));
        fields.any(|field| field.of.contains(name))
    };
    for (name, item) in items.iter().filter(|(name, _)| used(name)) {
        writeln!(page, "\n#### {name}\n\n{}", item.doc).unwrap();
        table(page, &item.fields);
    }
}

fn table(page: &mut String, fields: &[Field]) {
    if fields.is_empty() {
        return;
    }
    writeln!(page, "\n| field | type | what |\n| --- | --- | --- |").unwrap();
    for Field { name, of, doc, .. } in fields {
        let inner = |of: &str| of.strip_prefix("Option<").and_then(|of| of.strip_suffix('>')).map(str::to_owned);
        let of = match inner(of) {
            Some(optional) => match inner(&optional) {
                Some(nullable) => format!("`{nullable}` or null, optional"),
                None => format!("`{optional}`, optional"),
            },
            None => format!("`{of}`"),
        };
        writeln!(page, "| `{name}` | {of} | {doc} |").unwrap();
    }
}

/// The context's file and those of its parts, in the order of their names.
fn sources(category: &str) -> String {
    // A word of the language names no module.
    let category = if category == "return" { "returns" } else { category };
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let parts = fs::read_dir(src.join(category)).unwrap().map(|entry| entry.unwrap().path());
    let is_source = |path: &PathBuf| path.extension().is_some_and(|it| it == "rs") && !path.ends_with("tests.rs");
    let mut parts: Vec<PathBuf> = parts.filter(is_source).collect();
    parts.sort();
    let files = [src.join(format!("{category}.rs"))].into_iter().chain(parts);
    files.map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// The variants of `Event` in the order of the source.
fn variants(sources: &str) -> Vec<(String, Item)> {
    let mut found = Vec::new();
    let mut doc = String::new();
    let mut open: Option<(String, Item)> = None;
    let mut flat = false;
    for line in sources.lines().skip_while(|line| *line != "pub enum Event {").skip(1).take_while(|line| *line != "}") {
        let depth = line.len() - line.trim_start().len();
        let text = line.trim();
        if let Some(said) = text.strip_prefix("/// ") {
            say(&mut doc, said);
        } else if text == "}," {
            found.extend(open.take());
        } else if text == "#[serde(flatten)]" {
            flat = true;
        } else if depth == 8 {
            if let (Some((_, item)), Some(field)) = (&mut open, field(text, &mut doc)) {
                item.fields.push(Field { flat: std::mem::take(&mut flat), ..field });
            }
        } else if let Some((name, rest)) = text.split_once([' ', '(']) {
            let item = Item { doc: std::mem::take(&mut doc), ..Item::default() };
            if let Some(inner) = rest.strip_suffix("),") {
                found.push((name.to_owned(), Item { inner: Some(inner.to_owned()), ..item }));
            } else if rest == "{}," {
                found.push((name.to_owned(), item));
            } else {
                open = Some((name.to_owned(), item));
            }
        }
    }
    found
}

/// Every public struct with named fields.
fn items(sources: &str) -> BTreeMap<String, Item> {
    let mut found = BTreeMap::new();
    let mut doc = String::new();
    let mut open: Option<(String, Item)> = None;
    let mut in_attribute = false;
    for line in sources.lines() {
        let text = line.trim();
        if in_attribute || text.starts_with("#[") {
            in_attribute = !text.ends_with(']');
        } else if let Some(said) = text.strip_prefix("/// ") {
            say(&mut doc, said);
        } else if line == "}" {
            found.extend(open.take());
            doc.clear();
        } else if let Some(name) = line.strip_prefix("pub struct ").and_then(|rest| rest.strip_suffix(" {")) {
            open = Some((name.to_owned(), Item { doc: std::mem::take(&mut doc), ..Item::default() }));
        } else if let (Some((_, item)), Some(text)) = (&mut open, text.strip_prefix("pub ")) {
            item.fields.extend(field(text, &mut doc));
        } else {
            doc.clear();
        }
    }
    found
}

fn field(text: &str, doc: &mut String) -> Option<Field> {
    let (name, of) = text.strip_suffix(',')?.split_once(": ")?;
    let of = of.strip_prefix("crate::").unwrap_or(of);
    Some(Field {
        name: name.trim_start_matches("r#").to_owned(),
        of: of.to_owned(),
        doc: std::mem::take(doc),
        flat: false,
    })
}

fn say(doc: &mut String, said: &str) {
    if !doc.is_empty() {
        doc.push(' ');
    }
    doc.push_str(said);
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
