//! Every code has a title, every title a code, and the table is in order.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::edge::ask::THINGS;

/// Reasons against a cart that are no rejections of its aggregate.
const OF_CARTS: [&str; 3] = ["cart/problem.rs", "checkout.rs", "pricing/problem.rs"];

/// The codes of all rejections of the domain: those of the tables, and of carts those that `fn code` lists.
fn codes() -> BTreeSet<String> {
    let domain = Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain/src");
    let mut codes = BTreeSet::from_iter(byteshop_domain::any::rejection_codes());
    for file in OF_CARTS {
        let text = std::fs::read_to_string(domain.join(file)).unwrap();
        let (_, rest) = text.split_once("fn code(").unwrap();
        let listed = rest.split_once("\n    }").map_or(rest, |(listed, _)| listed);
        let words = listed.split("=> \"").skip(1).filter_map(|rest| rest.split_once('"'));
        codes.extend(words.map(|(word, _)| format!("cart.{word}")));
    }
    codes
}

#[test]
fn every_rejection_has_a_title() {
    let codes = codes();
    assert!(codes.len() > 200, "{}", codes.len());
    let untitled: Vec<&String> = codes.iter().filter(|code| of(code).is_none()).collect();
    assert!(untitled.is_empty(), "{untitled:?}");
}

/// The codes of problems that files of the gateway make themselves.
fn own_codes(folder: &Path, codes: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            own_codes(&path, codes);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let (code, _) = text.split_once("#[cfg(test)]\nmod tests {").unwrap_or((&text, ""));
            for call in ["Problem::new(StatusCode::", "Self::new(StatusCode::", "Problem::malformed(\""] {
                codes.extend(code.split(call).skip(1).filter_map(literal));
            }
        }
    }
}

/// The code in the rest of a call, if it is its next argument.
fn literal(rest: &str) -> Option<String> {
    let argument = rest.trim_start_matches(|letter: char| letter.is_ascii_uppercase() || letter == '_');
    let quoted = argument.trim_start_matches([',', ' ', '\n']).trim_start_matches('"');
    let (code, _) = quoted.split_once('"')?;
    let is_code = code.bytes().all(|it| it.is_ascii_lowercase() || it == b'_' || it == b'.');
    (is_code && code.contains('.')).then(|| code.to_owned())
}

#[test]
fn every_problem_of_the_gateway_has_a_title() {
    let mut codes = BTreeSet::new();
    own_codes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut codes);
    assert!(codes.len() > 30 && codes.contains("request.broken_body"), "{codes:?}");
    codes.extend(THINGS.iter().map(|(_, thing)| format!("{thing}.missing")));
    let untitled: Vec<&String> = codes.iter().filter(|code| of(code).is_none()).collect();
    assert!(untitled.is_empty(), "{untitled:?}");
}

#[test]
fn titles_are_found_by_their_codes() {
    for titles in [TITLES, delivered::TITLES, payments::TITLES, payouts::TITLES, sellers::TITLES] {
        assert!(titles.is_sorted_by(|(a, _), (b, _)| a < b));
        assert!(titles.iter().all(|(code, title)| of(code) == Some(*title)));
    }
    assert_eq!((of("account.weak_password"), of("nonsense.code")), (Some("Password too weak"), None));
}
