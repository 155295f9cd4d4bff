//! The rules of the house that no compiler knows. Each breach is one line: the file, the line, what is wrong and what to do.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

#[path = "tidy/bodies.rs"]
mod bodies;
#[path = "tidy/circles.rs"]
mod circles;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/words.rs"]
mod words;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use source::{Scanned, scan};

/// A file that does not fit in one reading is two files. Tests may be longer: they are read one at a time.
const MAX_LINES: usize = 400;

/// The main file of a context tells one story, which is read from top to bottom.
const MAX_LINES_OF_CONTEXT: usize = 700;

/// Who may depend on whom of ours; nobody else depends on anybody.
const ARROWS: [(&str, &[&str]); 7] = [
    ("domain", &[]),
    ("eventstore-schema", &["domain"]),
    ("commands", &["eventstore", "domain"]),
    ("projections", &["eventstore", "domain"]),
    ("paypal-sandbox", &[]),
    ("gateway", &["paypal-sandbox", "commands", "projections", "eventstore", "domain"]),
    ("tests", &["gateway", "commands", "projections", "eventstore", "domain"]),
];

/// Code that a program writes, as the test beside it compares.
const GENERATED: &str = "gateway/proto/generated/";

/// Crates that speak SQL: each owns its schema, and tests look at both.
const SQL_CRATES: [&str; 3] = ["eventstore-schema", "projections", "tests"];

/// Folders of the gateway, and those whose code each may not use: HTTP and gRPC share queries and never call each other.
const FRONT_ENDS: [(&str, &[&str]); 3] = [("http", &["grpc"]), ("grpc", &["http"]), ("queries", &["http", "grpc"])];

/// The one thing of the log that a view's SQL may ask: the hash at its checkpoint.
const LOG_FOR_VIEWS: &str = "leaf_at";

/// A file of the repository.
struct File {
    path: String,
    text: String,
}

impl File {
    fn crate_name(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == "rs")
    }

    /// A file of tests only.
    fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs" || part == "testing.rs")
    }
}

#[test]
fn the_house_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    collect(root, root, &mut files);
    assert!(files.len() > 20, "the files were not found below {}", root.display());
    let mut breaches = Vec::new();
    for file in files.iter().filter(|file| !file.path.starts_with(GENERATED)) {
        breaches.extend(check(file));
    }
    breaches.extend(contexts(&files));
    breaches.extend(entrances(&files));
    breaches.extend(schemas(&files));
    breaches.extend(bodies::breaches(&files));
    breaches.extend(circles::breaches(&files));
    breaches.extend(migrations(&files));
    breaches.extend(orphans(&files));
    breaches.extend(words::breaches(&files));
    breaches.sort();
    assert!(breaches.is_empty(), "\n{}\n{} breaches\n", breaches.join("\n"), breaches.len());
}

fn collect(root: &Path, dir: &Path, files: &mut Vec<File>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && (name == ".ci" || !name.starts_with('.')) {
                collect(root, &path, files);
            }
        } else if let Ok(text) = fs::read_to_string(&path) {
            files.push(File { path: path.strip_prefix(root).unwrap().to_string_lossy().into_owned(), text });
        }
    }
}

/// What one file can get wrong by itself.
fn check(file: &File) -> Vec<String> {
    let mut breaches = Vec::new();
    if file.is_rust() {
        let scanned = scan(&file.text);
        shape(file, &scanned, &mut breaches);
        sql(file, &scanned, &mut breaches);
        front_ends(file, &scanned, &mut breaches);
    } else if file.path.ends_with("/Cargo.toml") {
        arrows(file, &mut breaches);
    } else if file.path.contains("/migrations/") {
        for (number, line) in file.text.lines().enumerate() {
            let line = line.split("--").next().unwrap_or_default();
            foreign_tables(file, number + 1, line, &mut breaches);
        }
    }
    breaches
}

fn shape(file: &File, scanned: &Scanned, breaches: &mut Vec<String>) {
    let path = &file.path;
    let lines = file.text.lines().count();
    let is_context = path.strip_prefix("domain/src/").is_some_and(|rest| !rest.contains('/'));
    let most = if is_context { MAX_LINES_OF_CONTEXT } else { MAX_LINES };
    if lines > most && !file.is_test() {
        breaches.push(format!("{path}:{lines}: {lines} lines: split it, {most} are enough"));
    }
    if !file.text.starts_with("//! ") {
        breaches.push(format!("{path}:1: say in one sentence after `//!` what the file is"));
    }
    for (number, line) in scanned.code.lines().enumerate() {
        let dense: String = line.split_whitespace().collect();
        for unfinished in ["#[ignore", "todo!(", "unimplemented!(", "dbg!("] {
            if dense.contains(unfinished) {
                breaches.push(format!("{path}:{}: `{unfinished}` is unfinished work", number + 1));
            }
        }
        if dense.contains("value_type=") {
            breaches.push(format!("{path}:{}: a field has the schema of its type (domain/src/openapi.rs)", number + 1));
        }
    }
}

fn front_ends(file: &File, scanned: &Scanned, breaches: &mut Vec<String>) {
    let Some(path) = file.path.strip_prefix("gateway/src/") else { return };
    let folder = path.split(['/', '.']).next().unwrap_or_default();
    let Some((_, others)) = FRONT_ENDS.iter().find(|(name, _)| *name == folder) else { return };
    for (number, line) in scanned.code.lines().enumerate() {
        for other in others.iter().filter(|other| line.contains(&format!("crate::{other}::"))) {
            breaches.push(format!(
                "{}:{}: {folder} may not use {other}: move what both need to gateway/src/queries",
                file.path,
                number + 1
            ));
        }
    }
}

fn sql(file: &File, scanned: &Scanned, breaches: &mut Vec<String>) {
    for (number, text) in &scanned.strings {
        if !SQL_CRATES.contains(&file.crate_name()) && is_sql(text) {
            breaches.push(format!("{}:{number}: SQL belongs to the crate that owns the table", file.path));
        }
        foreign_tables(file, *number, text, breaches);
    }
}

/// Whether a text is a statement, not a sentence that happens to use one of its words.
fn is_sql(text: &str) -> bool {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let has = |word: &str| words.iter().any(|other| other == word);
    let (Some(first), second) = (words.first(), words.get(1).map(String::as_str)) else { return false };
    let object =
        matches!(second, Some("table" | "schema" | "index" | "function" | "database" | "trigger" | "view" | "role"));
    match first.as_str() {
        "select" => has("from") || text.contains('('),
        "insert" => second == Some("into"),
        "update" => words.get(2).is_some_and(|third| third == "set"),
        "delete" => second == Some("from"),
        "create" | "alter" | "drop" | "truncate" | "lock" => object,
        "copy" => has("stdin") || has("stdout"),
        "with" => has("as") && has("select"),
        _ => false,
    }
}

/// Each schema is written and read by one crate.
fn foreign_tables(file: &File, number: usize, text: &str, breaches: &mut Vec<String>) {
    let (foreign, allowed) = match file.crate_name() {
        "projections" => ("log.", LOG_FOR_VIEWS),
        "eventstore-schema" => ("read.", ""),
        _ => return,
    };
    for (at, _) in text.match_indices(foreign) {
        let before = text[..at].chars().next_back();
        let name: String =
            text[at + foreign.len()..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
        let inside_a_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.');
        if !inside_a_word && !name.is_empty() && name != allowed {
            breaches.push(format!("{}:{number}: {foreign}{name} belongs to another crate: ask that crate", file.path));
        }
    }
}

fn arrows(file: &File, breaches: &mut Vec<String>) {
    let name = file.crate_name();
    let Some((_, allowed)) = ARROWS.iter().find(|(crate_name, _)| *crate_name == name) else {
        breaches.push(format!("{}:1: a new crate: give it a place among the arrows in tests/tidy.rs", file.path));
        return;
    };
    let mut section = "";
    for (number, line) in file.text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            section = line;
        }
        if !section.contains("dependencies") {
            continue;
        }
        let dependency: String =
            line.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
        let dependency = dependency.replace('_', "-");
        let breach = match dependency.strip_prefix("byteshop-") {
            Some(ours) if !allowed.contains(&ours) => format!("{name} may not know {ours}"),
            None if dependency == "sqlx" && !SQL_CRATES.contains(&name) => format!("{name} may not speak SQL"),
            Some(_) | None => continue,
        };
        breaches.push(format!("{}:{}: {breach}: the arrows are in docs/ARCHITECTURE.md", file.path, number + 1));
    }
    let lints = file.text.replace(' ', "");
    if !lints.contains("[lints]\nworkspace=true") {
        breaches.push(format!("{}:1: take the lints of the workspace", file.path));
    }
}

/// Every context has its golden file, and every event in it a line there: what was stored once must be read for ever.
fn contexts(files: &[File]) -> Vec<String> {
    let by_path: BTreeMap<&str, &File> = files.iter().map(|file| (file.path.as_str(), file)).collect();
    let mut breaches = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() && file.crate_name() == "domain" && !file.is_test()) {
        if !file.text.contains("const CATEGORY: &'static str = \"") {
            continue;
        }
        let folder = file.path.trim_end_matches(".rs");
        let golden = format!("{folder}/golden.json");
        let Some(forms) = by_path.get(golden.as_str()) else {
            breaches.push(format!("{}:1: {golden} is missing: it holds a stored form of each event", file.path));
            continue;
        };
        let forms: serde_json::Value = serde_json::from_str(&forms.text).unwrap();
        let forms: Vec<&str> = forms.as_array().unwrap().iter().filter_map(|form| form["type"].as_str()).collect();
        // The events stand in the file of the context or in one of its folder.
        let parts = files.iter().filter(|part| part.path == file.path || part.path.starts_with(&format!("{folder}/")));
        let mut events = Vec::new();
        for part in parts.filter(|part| part.is_rust() && !part.is_test()) {
            events.extend(
                source::variants(&scan(&part.text).code, "Event").into_iter().map(|(at, name)| (part, at, name)),
            );
        }
        if events.is_empty() {
            breaches.push(format!("{}:1: no `pub enum Event` was found", file.path));
        }
        for (part, at, event) in events {
            if !forms.contains(&event.as_str()) {
                breaches.push(format!("{}:{at}: {golden} has no line for {event}", part.path));
            }
        }
    }
    breaches
}

/// The two commands that a newcomer types are shown where they look, and the build server runs the second.
fn entrances(files: &[File]) -> Vec<String> {
    let mut breaches = Vec::new();
    for (path, wanted) in
        [("README.md", "make up"), ("README.md", "make test"), (".ci/run", "make test"), (".ci/run", "make check")]
    {
        if !files.iter().any(|file| file.path == path && file.text.contains(wanted)) {
            breaches.push(format!("{path}:1: it must show `{wanted}`"));
        }
    }
    breaches
}

/// The schemas of the OpenAPI document go by the names of their types, and of two with one name the later one takes the place of
/// the other without a word.
fn schemas(files: &[File]) -> Vec<String> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut breaches = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() && file.path.starts_with("gateway/src/")) {
        let mut shown = false;
        for (number, line) in scan(&file.text).code.lines().enumerate() {
            let line = line.trim();
            shown |= line.starts_with("#[derive(") && line.contains("ToSchema");
            let mut words = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            let Some(name) = words.find(|word| ["struct", "enum"].contains(word)).and_then(|_| words.next()) else {
                continue;
            };
            if !std::mem::take(&mut shown) {
                continue;
            }
            let place = format!("{}:{}", file.path, number + 1);
            if let Some(first) = seen.insert(name.to_owned(), place.clone()) {
                breaches.push(format!("{place}: {first} is a schema {name} too: give one of them another name"));
            }
        }
    }
    breaches
}

/// A migration that its crate does not list never runs.
fn migrations(files: &[File]) -> Vec<String> {
    let lists: Vec<&File> = files.iter().filter(|file| file.is_rust() && file.text.contains("migrations![")).collect();
    let mut breaches = Vec::new();
    for file in files.iter().filter(|file| file.path.contains("/migrations/")) {
        let name = file.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".sql");
        let listed = format!("\"{name}\"");
        if !lists.iter().any(|list| list.crate_name() == file.crate_name() && list.text.contains(&listed)) {
            breaches.push(format!(
                "{}: the migration is not in the crate's list: add {listed} to `migrations!`",
                file.path
            ));
        }
    }
    breaches
}

/// Files in the sources of a crate that no module declares: the compiler never reads them.
fn orphans(files: &[File]) -> Vec<String> {
    let declares = |parent: &str, module: &str| {
        let declaration = format!("mod {module};");
        let parent = files.iter().find(|file| file.path == parent);
        parent.is_some_and(|file| file.text.lines().any(|line| line.ends_with(&declaration)))
    };
    let mut breaches = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() && file.path.contains("/src/")) {
        let Some((folder, name)) = file.path.rsplit_once('/') else { continue };
        let module = name.trim_end_matches(".rs");
        let parents = [format!("{folder}.rs"), format!("{folder}/lib.rs"), format!("{folder}/main.rs")];
        if !matches!(module, "lib" | "main") && !parents.iter().any(|parent| declares(parent, module)) {
            breaches.push(format!("{}: no module declares this file: declare it, or delete it", file.path));
        }
    }
    breaches
}

fn breaches_of(path: &str, text: &str) -> Vec<String> {
    check(&File { path: path.into(), text: text.into() })
}

#[test]
fn each_breach_is_found() {
    let bad = [
        ("domain/src/a.rs", "fn a() {}\n", "what the file is"),
        ("domain/src/a.rs", "//! A.\nfn a() { todo!() }\n", "unfinished"),
        ("domain/src/a.rs", "//! A.\n#[ ignore = \"slow\"]\nfn a() {}\n", "unfinished"),
        ("gateway/src/a.rs", "//! A.\n#[schema(value_type = String)]\n", "schema of its type"),
        ("gateway/src/a.rs", "//! A.\nconst A: &str = \"select id from log.event\";\n", "SQL belongs"),
        ("commands/src/a.rs", "//! A.\nconst A: &str = r#\"\n  UPDATE read.cart SET a = 1\"#;\n", "SQL belongs"),
        ("projections/src/a.rs", "//! A.\nconst A: &str = \"select log.leaf_at(1), * from log.event\";\n", "log.event"),
        ("projections/migrations/1.sql", "create view read.a as select * from log.receipt;\n", "log.receipt"),
        ("eventstore-schema/src/a.rs", "//! A.\nconst A: &str = \"delete from read.cart\";\n", "read.cart"),
        (
            "commands/Cargo.toml",
            "[lints]\nworkspace = true\n[dependencies]\nbyteshop-projections.workspace = true\n",
            "projections",
        ),
        ("gateway/Cargo.toml", "[lints]\nworkspace = true\n[dependencies]\nsqlx.workspace = true\n", "SQL"),
        ("domain/Cargo.toml", "[lints]\nworkspace = true\n[dev-dependencies]\nbyteshop_gateway = \"1\"\n", "gateway"),
        ("domain/Cargo.toml", "[dependencies]\n", "lints"),
        ("gateway/src/grpc/a.rs", "//! A.\nuse crate::http::search;\n", "gateway/src/queries"),
        ("gateway/src/queries.rs", "//! A.\nuse crate::grpc::v1;\n", "gateway/src/queries"),
    ];
    for (path, text, said) in bad {
        let breaches = breaches_of(path, text);
        assert!(breaches.len() == 1 && breaches[0].contains(said), "{path}: {text} gives {breaches:?}");
    }
    assert_eq!(breaches_of("domain/src/a/b.rs", &format!("//! A.\n{}", "\n".repeat(MAX_LINES))).len(), 1);
    assert_eq!(breaches_of("domain/src/a.rs", &format!("//! A.\n{}", "\n".repeat(MAX_LINES_OF_CONTEXT))).len(), 1);
}

#[test]
fn a_file_that_no_module_declares_is_found() {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let mut files = vec![
        file("domain/src/lib.rs", "//! A.\npub mod cart;\n"),
        file("domain/src/cart.rs", "//! A.\nmod events;\n"),
        file("domain/src/cart/events.rs", "//! A.\n"),
        file("domain/tests/any.rs", "//! A.\n"),
    ];
    assert!(orphans(&files).is_empty());
    files.push(file("domain/src/cart/event.rs", "//! A.\n"));
    assert_eq!(orphans(&files).len(), 1);
}

#[test]
fn what_only_looks_like_a_breach_is_left_alone() {
    let good = [
        ("domain/src/a.rs", "//! A.\n// todo!() and #[ignore] are not used here.\n/* \"select a from b\" */\n"),
        ("gateway/src/a.rs", "//! A.\nconst A: &str = \"update the cart, then select a product\";\n"),
        ("gateway/src/a.rs", "//! A.\nconst A: char = '\"'; const B: &str = \"create products\";\n"),
        (
            "projections/src/a.rs",
            "//! A.\nconst A: &str = \"select log.leaf_at($1) from read.cart\"; const B: &str = \"catalog.name\";\n",
        ),
        ("eventstore-schema/src/a.rs", "//! A.\nconst A: &str = \"the event cannot be read. Try again\";\n"),
        ("gateway/src/grpc.rs", "//! A.\n// See crate::http::a.\nuse http::HeaderMap;\nuse crate::queries::a;\n"),
        ("gateway/src/router.rs", "//! A.\nuse crate::{grpc, http};\nuse crate::http::a;\n"),
    ];
    for (path, text) in good {
        assert_eq!(breaches_of(path, text), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn a_context_without_its_golden_line_is_found() {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let files = [
        file("domain/src/lamp.rs", "const CATEGORY: &'static str = \"lamp\";"),
        file(
            "domain/src/lamp/message.rs",
            "pub enum Event {\n  /// On.\n  SwitchedOn { level: u8 },\n  #[doc = \"x\"]\n  Broken {},\n}\n",
        ),
        file("domain/src/lamp/golden.json", "[{\"type\": \"switched_on\", \"schema\": 1, \"data\": {}}]"),
        file("domain/src/door.rs", "const CATEGORY: &'static str = \"door\";"),
    ];
    let breaches = contexts(&files);
    assert_eq!(breaches.len(), 2, "{breaches:?}");
    assert!(
        breaches[0].starts_with("domain/src/lamp/message.rs:5:") && breaches[0].ends_with("broken"),
        "{breaches:?}"
    );
    assert!(breaches[1].contains("door/golden.json is missing"), "{breaches:?}");
}

#[test]
fn two_schemas_of_one_name_are_found() {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let files = [
        file(
            "gateway/src/a.rs",
            "#[derive(Serialize, ToSchema)]\n#[serde(tag = \"it\")]\npub enum Order { A }\nstruct Line;\n",
        ),
        file(
            "gateway/src/b.rs",
            "#[derive(ToSchema)]\nstruct Other<T> { order: T }\n#[derive(ToSchema)]\nstruct Order {}\n",
        ),
        file("gateway/src/c.rs", "struct Order {}\n#[derive(ToSchema)]\nstruct Line {}\n"),
    ];
    let breaches = schemas(&files);
    assert_eq!(breaches.len(), 1, "{breaches:?}");
    assert!(breaches[0].starts_with("gateway/src/b.rs:4: gateway/src/a.rs:3"), "{breaches:?}");
}

#[test]
fn a_migration_that_is_not_listed_is_found() {
    let list = File { path: "projections/src/views.rs".into(), text: "const A: X = migrations![\"0001_a\"];".into() };
    let listed = File { path: "projections/migrations/0001_a.sql".into(), text: String::new() };
    let forgotten = File { path: "projections/migrations/0002_b.sql".into(), text: String::new() };
    let breaches = migrations(&[list, listed, forgotten]);
    assert!(breaches.len() == 1 && breaches[0].contains("0002_b"), "{breaches:?}");
}
