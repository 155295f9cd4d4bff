//! The files of a crate form a tree: none of them needs another one that needs it in turn.
//!
//! A file needs another one when its code names something that is defined there, in a `use` or in a path. A re-export is a signpost:
//! the arrow leads on to the file with the definition, and the signpost needs nothing by itself. Tests do not count.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::File;
use super::source::scan;

/// The path of a module within its crate; empty for the root.
type Name = Vec<String>;

/// A name that a `use` brings into a file.
struct Import {
    path: Vec<String>,
    name: String,
    is_public: bool,
    line: usize,
}

/// What the code of a file says of others.
#[derive(Default)]
struct Module {
    file: String,
    imports: Vec<Import>,
    /// Paths such as `problem::Problem::new`, each with its line.
    paths: Vec<(Vec<String>, usize)>,
    /// Single words, each with its first line.
    words: BTreeMap<String, usize>,
    /// Macros that are called by a path, each with its line.
    calls: Vec<(String, usize)>,
    /// What is defined here.
    items: BTreeSet<String>,
    /// The macros among that: wherever they stand, their paths begin at the root.
    macros: BTreeSet<String>,
}

/// The modules of one crate.
type Modules = BTreeMap<Name, Module>;

/// Which files a file needs, each with the line that says so first.
type Graph = BTreeMap<Name, BTreeMap<Name, usize>>;

/// Every circle.
pub fn breaches(files: &[File]) -> Vec<String> {
    let mut crates: BTreeMap<&str, Modules> = BTreeMap::new();
    for file in files.iter().filter(|file| file.is_rust() && !file.is_test()) {
        if let Some(name) = module_of(file) {
            crates.entry(file.crate_name()).or_default().insert(name, read(file));
        }
    }
    let mut found = Vec::new();
    for modules in crates.values() {
        let graph = graph(modules);
        found.extend(circles(&graph).iter().map(|circle| told(modules, &graph, circle)));
    }
    found
}

/// One circle as the shortest way round it.
fn told(modules: &Modules, graph: &Graph, circle: &BTreeSet<Name>) -> String {
    let way =
        circle.iter().filter_map(|start| way_round(graph, circle, start)).min_by_key(Vec::len).unwrap_or_default();
    let line = match way.as_slice() {
        [first, second, ..] => graph[first][second],
        _ => 1,
    };
    let names: Vec<String> = way.iter().map(shown).collect();
    let first = way.first().map_or("", |name| modules[name].file.as_str());
    format!(
        "{first}:{line}: a circle of {} files: {}: move what both sides need to a file of its own",
        circle.len(),
        names.join(" -> "),
    )
}

fn shown(name: &Name) -> String {
    if name.is_empty() { "crate".to_owned() } else { name.join("::") }
}

/// The shortest way from a file back to itself.
fn way_round(graph: &Graph, circle: &BTreeSet<Name>, start: &Name) -> Option<Vec<Name>> {
    let mut came_from: BTreeMap<&Name, &Name> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for next in graph.get(at)?.keys().filter(|next| circle.contains(*next)) {
            if next == start {
                let mut way = vec![start.clone(), at.clone()];
                let mut back = at;
                while let Some(before) = came_from.get(back) {
                    way.push((*before).clone());
                    back = before;
                }
                way.reverse();
                return Some(way);
            }
            if !came_from.contains_key(next) {
                came_from.insert(next, at);
                queue.push_back(next);
            }
        }
    }
    None
}

/// The groups of files of which each one leads to each other one (the algorithm of Kosaraju and Sharir).
fn circles(graph: &Graph) -> Vec<BTreeSet<Name>> {
    let mut order = Vec::new();
    let mut visited = BTreeSet::new();
    for start in graph.keys() {
        visit(graph, start, &mut visited, &mut order);
    }
    let mut turned: Graph = BTreeMap::new();
    for (from, to) in graph {
        for (to, line) in to {
            turned.entry(to.clone()).or_default().insert(from.clone(), *line);
        }
    }
    let mut placed = BTreeSet::new();
    let mut groups = Vec::new();
    for start in order.iter().rev() {
        let mut group = Vec::new();
        visit(&turned, start, &mut placed, &mut group);
        if group.len() > 1 {
            groups.push(group.into_iter().collect());
        }
    }
    groups
}

/// Notes everything that can be reached and was not visited before, each file after all that it leads to.
fn visit(graph: &Graph, at: &Name, visited: &mut BTreeSet<Name>, order: &mut Vec<Name>) {
    if !visited.insert(at.clone()) {
        return;
    }
    for next in graph.get(at).into_iter().flat_map(BTreeMap::keys) {
        visit(graph, next, visited, order);
    }
    order.push(at.clone());
}

/// Which files need which.
fn graph(modules: &Modules) -> Graph {
    let mut graph = Graph::new();
    for (name, module) in modules {
        let mut needs: BTreeMap<Name, usize> = BTreeMap::new();
        let mut note = |target: Option<Target>, line: usize| {
            let Some(Target { module, is_item: true }) = target else { return };
            if module != *name {
                let first = needs.entry(module).or_insert(line);
                *first = line.min(*first);
            }
        };
        for import in &module.imports {
            let target = || resolve(modules, name, &import.path, &[(name.clone(), import.name.clone())]);
            // Everything of a module, which it needs to be.
            if import.name == "*" && !import.is_public {
                note(target().map(|target| Target { is_item: true, ..target }), import.line);
            } else if !import.is_public {
                note(target(), import.line);
            } else if let Some(line) = module.words.get(&import.name).filter(|_| !module.items.contains(&import.name)) {
                note(target(), *line);
            }
        }
        for (path, line) in &module.paths {
            note(resolve(modules, name, path, &[]), *line);
        }
        for (called, line) in &module.calls {
            let home = modules.iter().find(|(_, module)| module.macros.contains(called));
            note(home.map(|(name, _)| Target { module: name.clone(), is_item: true }), *line);
        }
        graph.insert(name.clone(), needs);
    }
    graph
}

/// Where a path leads.
struct Target {
    module: Name,
    /// Whether something in that module is meant, and not the module alone.
    is_item: bool,
}

/// Where a path in a file leads; none when it leads out of the crate. `through` are the imports that led here.
fn resolve(modules: &Modules, from: &Name, path: &[String], through: &[(Name, String)]) -> Option<Target> {
    let (first, rest) = path.split_first()?;
    let (base, path) = match first.as_str() {
        "crate" => (Name::new(), rest),
        "self" => (from.clone(), rest),
        "super" => (from.split_last()?.1.to_vec(), rest),
        _ if modules.contains_key(&child(from, first)) => (from.clone(), path),
        // Words such as `Self` and `u8`, and other crates, lead nowhere.
        _ => return within(modules, from, path, through).filter(|target| target.module != *from),
    };
    within(modules, &base, path, through).or_else(|| Some(made(modules, base, path)))
}

/// The last module on a path, which has what stands behind it from a macro.
fn made(modules: &Modules, base: Name, path: &[String]) -> Target {
    let mut module = base;
    for name in path {
        let mut next = module.clone();
        if name == "super" {
            next.pop();
        } else {
            next.push(name.clone());
        }
        if !modules.contains_key(&next) {
            break;
        }
        module = next;
    }
    Target { module, is_item: true }
}

fn child(of: &Name, name: &str) -> Name {
    of.iter().cloned().chain([name.to_owned()]).collect()
}

/// Where a path leads that begins in a module.
fn within(modules: &Modules, at: &Name, path: &[String], through: &[(Name, String)]) -> Option<Target> {
    let module = modules.get(at)?;
    let Some((first, rest)) = path.split_first() else { return Some(Target { module: at.clone(), is_item: false }) };
    if matches!(first.as_str(), "self" | "super" | "crate") {
        return resolve(modules, at, path, through);
    }
    let child = child(at, first);
    let is_item = module.items.contains(first);
    if modules.contains_key(&child) && !(is_item && rest.is_empty()) {
        return within(modules, &child, rest, through);
    }
    if is_item {
        return Some(Target { module: at.clone(), is_item });
    }
    let step = (at.clone(), first.clone());
    if through.contains(&step) {
        return None;
    }
    let through: Vec<(Name, String)> = through.iter().cloned().chain([step]).collect();
    if let Some(import) = module.imports.iter().find(|import| import.name == *first) {
        let whole: Vec<String> = import.path.iter().chain(rest).cloned().collect();
        return resolve(modules, at, &whole, &through);
    }
    let everything = module.imports.iter().filter(|import| import.name == "*");
    everything.filter_map(|import| resolve(modules, at, &import.path, &through)).find_map(|target| {
        within(modules, &target.module, path, &through).filter(|found| found.is_item || !rest.is_empty())
    })
}

/// The module that a file is; none for what is no part of a library.
fn module_of(file: &File) -> Option<Name> {
    let (_, within) = file.path.split_once("/src/")?;
    let name = within.strip_suffix(".rs")?;
    match name {
        "main" => None,
        "lib" => Some(Name::new()),
        _ => Some(name.split('/').map(str::to_owned).collect()),
    }
}

/// A word or a sign, with its line.
type Token = (String, usize);

fn tokens(code: &str) -> Vec<Token> {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if is_word(first) {
                rest.find(|letter| !is_word(letter)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            found.push((rest[..length].to_owned(), number + 1));
            rest = rest[length..].trim_start();
        }
    }
    found
}

/// The text of a token; empty behind the last one.
fn text(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).map_or("", |(text, _)| text)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Reads what a file says of others.
fn read(file: &File) -> Module {
    let tokens = without_tests(&tokens(&scan(&file.text).code));
    let mut module = Module { file: file.path.clone(), ..Module::default() };
    // Where the modules end that lie within the file.
    let mut ends: Vec<usize> = Vec::new();
    let (mut at, mut depth) = (0, 0_usize);
    while at < tokens.len() {
        let (word, line) = &tokens[at];
        let before = at.checked_sub(1).map_or("", |before| text(&tokens, before));
        let next = text(&tokens, at + 1);
        ends.retain(|end| at < *end);
        depth = (depth + usize::from(word == "{")).saturating_sub(usize::from(word == "}"));
        // What is defined within something else goes by no path.
        let is_item = depth == ends.len() && is_name(next);
        match word.as_str() {
            "use" => {
                let first = module.imports.len();
                let is_public = is_public(&tokens, at);
                at = import(&tokens, at + 1, &[], &mut module.imports);
                for import in &mut module.imports[first..] {
                    import.is_public = is_public;
                    import.path = outside(&import.path, ends.len());
                }
                continue;
            }
            // Where something may be seen is no need.
            "pub" if next == "(" => {
                at = end_of_block(&tokens, at + 1, "(", ")");
                continue;
            }
            "struct" | "enum" | "union" | "fn" | "const" | "static" | "trait" | "type" if is_item => {
                module.items.insert(next.to_owned());
            }
            // A module within the file is a part of it.
            "mod" if is_name(next) && text(&tokens, at + 2) == "{" => {
                module.items.insert(next.to_owned());
                ends.push(end_of_block(&tokens, at + 2, "{", "}"));
            }
            "macro_rules" => {
                module.macros.insert(text(&tokens, at + 2).to_owned());
            }
            _ if is_name(word) && next == "::" && before != "::" => {
                let mut path = vec![word.clone()];
                while text(&tokens, at + 1) == "::" && is_name(text(&tokens, at + 2)) {
                    path.push(text(&tokens, at + 2).to_owned());
                    at += 2;
                }
                if text(&tokens, at + 1) == "!" {
                    module.calls.extend(path.pop().map(|called| (called, *line)));
                } else {
                    module.paths.push((outside(&path, ends.len()), *line));
                }
            }
            _ if is_name(word) && !matches!(before, "::" | "." | "mod") => {
                module.words.entry(word.clone()).or_insert(*line);
            }
            _ => {}
        }
        at += 1;
    }
    module
}

/// A path in a module within a file, as the file itself would write it.
fn outside(path: &[String], depth: usize) -> Vec<String> {
    let up = path.iter().take_while(|word| *word == "super").count().min(depth);
    let here = (up > 0).then(|| "self".to_owned());
    if path.get(up).is_some_and(|word| word == "super") {
        return path[up..].to_vec();
    }
    here.into_iter().chain(path[up..].iter().cloned()).collect()
}

/// Whether the `use` at this place is a re-export.
fn is_public(tokens: &[Token], at: usize) -> bool {
    let before = tokens[..at].iter().rev().map(|(text, _)| text.as_str());
    before.take_while(|text| !matches!(*text, ";" | "}" | "{" | "]")).any(|text| text == "pub")
}

/// Reads one branch of a `use`; gives the place behind it.
fn import(tokens: &[Token], mut at: usize, stem: &[String], found: &mut Vec<Import>) -> usize {
    let mut path = stem.to_vec();
    let line = tokens.get(at).map_or(1, |(_, line)| *line);
    while at < tokens.len() {
        match text(tokens, at) {
            "::" => at += 1,
            "{" => {
                at += 1;
                while !matches!(text(tokens, at), "}" | "") {
                    at = import(tokens, at, &path, found);
                    at += usize::from(text(tokens, at) == ",");
                }
                return at + 1;
            }
            "*" => {
                found.push(Import { path, name: "*".to_owned(), is_public: false, line });
                return at + 1;
            }
            word if is_name(word) && word != "as" => {
                path.push(word.to_owned());
                at += 1;
            }
            _ => break,
        }
    }
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let mut name = path.last().cloned().unwrap_or_default();
    if text(tokens, at) == "as" {
        text(tokens, at + 1).clone_into(&mut name);
        at += 2;
    }
    found.push(Import { path, name, is_public: false, line });
    // A sign that is no part of a `use` is passed over.
    at + usize::from(!matches!(text(tokens, at), "," | "}" | ";"))
}

/// The code without what is compiled for tests alone.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    const TESTS: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if !TESTS.iter().enumerate().all(|(offset, sign)| text(tokens, at + offset) == *sign) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        while !matches!(text(tokens, at), "{" | ";" | "") {
            at += 1;
        }
        at = if text(tokens, at) == "{" { end_of_block(tokens, at, "{", "}") } else { at + 1 };
    }
    kept
}

/// The place behind a block that opens at this place.
fn end_of_block(tokens: &[Token], start: usize, open: &str, close: &str) -> usize {
    let mut depth = 0_usize;
    for at in start..tokens.len() {
        let sign = text(tokens, at);
        depth += usize::from(sign == open);
        if sign == close {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at + 1;
            }
        }
    }
    tokens.len()
}

#[test]
fn circles_are_found_through_re_exports_and_children() {
    let found = |files: &[(&str, &str)]| {
        let files: Vec<File> =
            files.iter().map(|(path, text)| File { path: (*path).into(), text: (*text).into() }).collect();
        breaches(&files)
    };
    // The root passes `A` on, so `b` needs the file of `a`, which needs `b`.
    let by_re_export = [
        ("shop/src/lib.rs", "mod a;\nmod b;\npub use a::{A, other as O};"),
        ("shop/src/a.rs", "use crate::b;\npub struct A(b::B);\npub fn other() {}"),
        ("shop/src/b.rs", "\nuse crate::A;\npub struct B;"),
    ];
    let [circle] = &found(&by_re_export)[..] else { panic!("{:?}", found(&by_re_export)) };
    assert!(circle.starts_with("shop/src/a.rs:2: a circle of 2 files: a -> b -> a:"), "{circle}");
    let by_child = [
        ("shop/src/lib.rs", "mod a;"),
        ("shop/src/a.rs", "mod child;\nfn shared() {}\nfn run() { child::run() }"),
        ("shop/src/a/child.rs", "use super::shared;\npub fn run() { shared() }"),
    ];
    assert_eq!(found(&by_child).len(), 1);
    let by_macro = [
        ("shop/src/a.rs", "mod inner { use super::super::b::B; }\nmacro_rules! told { () => {} }"),
        ("shop/src/b.rs", "pub struct B;\ncrate::told!();"),
    ];
    assert_eq!(found(&by_macro).len(), 1);
    let of_three = [
        ("shop/src/lib.rs", "mod a; mod b; mod c;"),
        ("shop/src/a.rs", "pub fn a() -> crate::b::B { type C = u8; }"),
        ("shop/src/b.rs", "use crate::c::{self as see, C as D};\npub struct B(see::C);"),
        ("shop/src/c.rs", "use super::a::*;\npub struct C;"),
    ];
    assert!(found(&of_three)[0].contains("a -> b -> c -> a"), "{:?}", found(&of_three));
}

#[test]
fn a_tree_has_no_circle() {
    let files = [
        (
            "shop/src/lib.rs",
            "pub mod a;\npub mod b;\npub use a::A;\npub(crate) use b::B;\nmacro_rules! told { () => {} }",
        ),
        // Its child is only declared, its tests and comments do not count, `A::b` is no module, and `super` is the file itself.
        (
            "shop/src/a.rs",
            "mod child;\n// crate::b::B\npub struct A;\nfn run() { A::b(); crate::told!(); }\nmod inner { use super::A; }\n\
             #[cfg(test)]\nmod tests { use crate::b::B; }",
        ),
        ("shop/src/a/child.rs", "use super::A;\npub(in crate::b) struct Child(A);"),
        ("shop/src/b.rs", "use std::a::A as Other;\nuse crate::A;\npub struct B(A, Other);"),
        ("shop/src/a/tests.rs", "use crate::b::B;"),
    ];
    let files: Vec<File> =
        files.into_iter().map(|(path, text)| File { path: path.into(), text: text.into() }).collect();
    assert_eq!(breaches(&files), Vec::<String>::new());
}
