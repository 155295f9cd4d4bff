//! Words that people who use the shop should not read: everyday ones in the place of a term, and words that leave the noun open.

use std::ffi::OsStr;
use std::path::Path;

use super::File;
use super::source::scan;

/// Each with a better way to say it. docs/GLOSSARY.md has the terms.
const BANNED: [(&str, &str); 13] = [
    ("anew", "say \"again\", or name what is recreated"),
    ("called off", "say \"cancelled\""),
    ("calls off", "say \"cancels\""),
    ("goes on", "say \"continues\""),
    ("let go", "say \"released\" or \"voided\""),
    ("nobody", "name who, or say \"no one\""),
    ("of oneself", "say \"the caller's\""),
    ("set aside", "say \"authorized\" or \"reserved\""),
    ("sets aside", "say \"authorizes\" or \"reserves\""),
    ("slip of the finger", "say \"typo\""),
    ("somebody", "name who"),
    ("throw-away", "say \"disposable\""),
    ("whoever", "name who"),
];

/// Crates whose strings reach people: errors, output, pages and the log.
const SPEAKING: [&str; 6] = ["commands", "domain", "eventstore-schema", "gateway", "paypal-sandbox", "projections"];

/// Files whose doc comments are read by people: the OpenAPI document, the help of the command line and docs/EVENTS.md are made
/// from them.
const DOCUMENTING: [&str; 4] = ["domain/src", "gateway/src/cli", "gateway/src/config", "gateway/src/http"];

pub fn breaches(files: &[File]) -> Vec<String> {
    files.iter().flat_map(|file| texts(file).into_iter().flat_map(|(line, text)| found(file, line, &text))).collect()
}

/// The texts of a file that people read, each with its line.
fn texts(file: &File) -> Vec<(usize, String)> {
    let path = file.path.as_str();
    let extension = Path::new(path).extension().and_then(OsStr::to_str);
    if path == "docs/EVENTS.md" {
        return numbered(&file.text).filter(|(_, line)| !is_quoted_in_events(line)).collect();
    }
    let is_page = matches!(extension, Some("md" | "proto"));
    let is_template = path.contains("/templates/") && !path.contains("/ru/");
    if is_page || is_template {
        return numbered(&file.text).collect();
    }
    if !file.is_rust() || file.is_test() || !SPEAKING.contains(&file.crate_name()) || !path.contains("/src/") {
        return vec![];
    }
    let code = file.text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    // One word alone is a name.
    let mut texts = scan(code).strings;
    texts.retain(|(_, text)| text.contains(' '));
    if DOCUMENTING.iter().any(|part| path.starts_with(part)) {
        texts.extend(numbered(code).filter(|(_, line)| line.trim_start().starts_with("///")));
    }
    texts
}

/// What docs/EVENTS.md has from elsewhere: examples from the golden files, and the first line of each context.
fn is_quoted_in_events(line: &str) -> bool {
    line.starts_with('{') || line.contains(" Streams are named ")
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, String)> + '_ {
    text.lines().enumerate().map(|(number, line)| (number + 1, line.to_owned()))
}

fn found(file: &File, line: usize, text: &str) -> Vec<String> {
    let text = plain(text);
    let banned = BANNED.iter().filter(|(word, _)| text.contains(&format!(" {word} ")));
    banned.map(|(word, advice)| format!("{}:{line}: \"{word}\": {advice}", file.path)).collect()
}

/// The words of a text in small letters with one space around each. What stands in backticks is a name and no word.
fn plain(text: &str) -> String {
    let prose: String = text.split('`').step_by(2).collect::<Vec<_>>().join(" x ");
    let words = prose.split(|letter: char| !letter.is_alphanumeric() && !matches!(letter, '-' | '\''));
    let mut plain = String::from(" ");
    for word in words.filter(|word| !word.is_empty()) {
        plain.push_str(&word.to_lowercase());
        plain.push(' ');
    }
    plain
}

#[test]
fn words_that_people_should_not_read_are_found() {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let files = [
        file("gateway/src/http/a.rs", "//! A.\n/// Whoever\n/// asks.\nfn a() {}\n"),
        file("commands/src/a.rs", "//! A.\nconst A: &str = \"the money is set aside\";\n"),
        file("docs/api/a.md", "# A\n\nThe order goes on.\n"),
        file("commands/templates/en/a.txt", "It was called off\n"),
        file("domain/src/a.rs", "//! A.\n/// Nobody has it.\nconst A: &str = \"nobody has it\";\n"),
        file("docs/EVENTS.md", "| `at` | Somebody came. |\n"),
    ];
    let breaches = breaches(&files);
    assert_eq!(breaches.len(), 7, "{breaches:?}");
    assert!(breaches[0].starts_with("gateway/src/http/a.rs:2: \"whoever\""), "{breaches:?}");
}

#[test]
fn names_tests_and_other_languages_are_left_alone() {
    let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
    let files = [
        file(
            "gateway/src/a.rs",
            "//! Whoever.\n// nobody\nconst A: &str = \"the user `nobody`\";\nconst B: &str = \"nobody\";\n",
        ),
        file("gateway/src/b.rs", "//! B.\n\n#[cfg(test)]\nmod tests {\n    const B: &str = \"nobody\";\n}\n"),
        file("domain/src/a.rs", "//! A.\nconst A: &str = \"nobody\";\n"),
        file("tests/it/a.rs", "//! A.\nconst A: &str = \"nobody\";\n"),
        file("docs/EVENTS.md", "{\"reason\":\"somebody\"}\n"),
        file("commands/templates/ru/a.txt", "nobody\n"),
        file("docs/a.md", "`nobody` and canewood\n"),
    ];
    assert_eq!(breaches(&files), Vec::<String>::new());
}
