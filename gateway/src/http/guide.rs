//! The guide to the API and the pages that it links to, as they are in `docs/`: as they stand for programs, and with links that
//! can be followed for people.

use axum::response::{IntoResponse as _, Response};
use byteshop_domain::Locale;
use http::header;
use serde::Serialize;
use serde_json::json;

use super::openapi;
use crate::edge::page::page;
use crate::edge::problem::Problem;

/// The document of the contract, which the guide links to as a file.
const CONTRACT: &str = "openapi.json";

/// The pages, by their path in `docs/`.
const PAGES: [(&str, &str); 21] = [
    ("API.md", include_str!("../../../docs/API.md")),
    ("tour.md", include_str!("../../../docs/tour.md")),
    ("marketplace.md", include_str!("../../../docs/marketplace.md")),
    ("ACCESS.md", include_str!("../../../docs/ACCESS.md")),
    ("EVENTS.md", include_str!("../../../docs/EVENTS.md")),
    ("GLOSSARY.md", include_str!("../../../docs/GLOSSARY.md")),
    ("STATUS.md", include_str!("../../../docs/STATUS.md")),
    ("api/authentication.md", include_str!("../../../docs/api/authentication.md")),
    ("api/catalog.md", include_str!("../../../docs/api/catalog.md")),
    ("api/checkout.md", include_str!("../../../docs/api/checkout.md")),
    ("api/disputes.md", include_str!("../../../docs/api/disputes.md")),
    ("api/gift-cards.md", include_str!("../../../docs/api/gift-cards.md")),
    ("api/downloads.md", include_str!("../../../docs/api/downloads.md")),
    ("api/grpc.md", include_str!("../../../docs/api/grpc.md")),
    ("api/keys.md", include_str!("../../../docs/api/keys.md")),
    ("api/notifications.md", include_str!("../../../docs/api/notifications.md")),
    ("api/orders.md", include_str!("../../../docs/api/orders.md")),
    ("api/payouts.md", include_str!("../../../docs/api/payouts.md")),
    ("api/requests.md", include_str!("../../../docs/api/requests.md")),
    ("api/sellers.md", include_str!("../../../docs/api/sellers.md")),
    ("api/webhooks.md", include_str!("../../../docs/api/webhooks.md")),
];

/// A part of a page: text, or a link with its text.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Piece<'a> {
    text: &'a str,
    to: Option<&'a str>,
}

/// The page at a path in `docs/`, if it is one of the guide: for a person with links, else as it stands.
pub(super) fn page_at(path: &str, for_a_person: bool) -> Option<Result<Response, Problem>> {
    if path == CONTRACT {
        return Some(Ok(([(header::CONTENT_TYPE, "application/json")], openapi::document()).into_response()));
    }
    let (name, text) = PAGES.iter().find(|(known, _)| *known == path)?;
    Some(if for_a_person {
        page("guide.html", Locale::En, &json!({"name": name, "pieces": pieces(path, text)}))
    } else {
        // As plain text, which browsers show, whereas they save Markdown.
        Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], *text).into_response())
    })
}

/// A page cut where its links are. A link that leads to nothing that is served here stays as it is written.
fn pieces<'a>(path: &str, text: &'a str) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, words, to, after)) = next_link(rest) {
        pieces.push(Piece { text: before, to: None });
        let written = &rest[before.len()..rest.len() - after.len()];
        let is_served = is_served(path, to);
        pieces.push(Piece { text: if is_served { words } else { written }, to: Some(to).filter(|_| is_served) });
        rest = after;
    }
    pieces.push(Piece { text: rest, to: None });
    pieces
}

/// The next `[words](to)`: what is before it, its parts, and what is after it.
fn next_link(text: &str) -> Option<(&str, &str, &str, &str)> {
    let (head, rest) = text.split_once("](")?;
    let (to, after) = rest.split_once(')')?;
    let (before, words) = head.rsplit_once('[')?;
    Some((before, words, to, after))
}

/// Whether a link of a page leads to a page that is served here, or to another server.
fn is_served(from: &str, to: &str) -> bool {
    let file = to.split('#').next().unwrap_or_default();
    to.starts_with("https://") || resolved(from, file).is_some_and(|path| path == CONTRACT || is_page(&path))
}

fn is_page(path: &str) -> bool {
    PAGES.iter().any(|(known, _)| *known == path)
}

/// The path in `docs/` to which a relative link leads; none outside of it.
fn resolved(from: &str, file: &str) -> Option<String> {
    let mut steps: Vec<&str> = from.split('/').collect();
    steps.pop();
    for step in file.split('/') {
        match step {
            ".." => drop(steps.pop()?),
            step => steps.push(step),
        }
    }
    Some(steps.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_of_docs_that_the_guide_links_to_is_served() {
        for (path, text) in PAGES.iter().filter(|(path, _)| *path == "API.md" || path.starts_with("api/")) {
            let mut rest = *text;
            while let Some((_, _, to, after)) = next_link(rest) {
                let file = to.split('#').next().unwrap_or_default();
                let inside = resolved(path, file).filter(|_| !to.starts_with("https://"));
                assert!(inside.is_none() || is_served(path, to), "{path} links to {to}");
                rest = after;
            }
        }
    }

    #[test]
    fn a_page_is_cut_where_its_links_are() {
        let text = "See [access](../ACCESS.md#roles), [the code](../../README.md) and `a[0](b)`.";
        let link = |text, to| Piece { text, to };
        let cut = pieces("api/orders.md", text);
        assert_eq!(cut[..3], [link("See ", None), link("access", Some("../ACCESS.md#roles")), link(", ", None)]);
        assert_eq!(cut[3], link("[the code](../../README.md)", None));
        assert_eq!(cut.iter().filter(|piece| piece.to.is_some()).count(), 1);
    }
}
