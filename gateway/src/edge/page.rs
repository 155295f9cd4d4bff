//! Pages for people: templates that escape what they are given, in each language, and headers that let them do nothing but
//! be looked at.

use std::sync::LazyLock;

use axum::response::{Html, IntoResponse as _, Response};
use byteshop_commands::notify::format;
use byteshop_domain::Locale;
use http::{HeaderMap, HeaderValue, header};
use minijinja::value::{Rest, Serde};
use minijinja::{Captured, Environment, ErrorKind, UndefinedBehavior, Value};
use serde::Serialize;

use crate::edge::problem::Problem;

/// The content security policy of pages: their own style, and forms to this shop. No scripts, nothing from other sites.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The templates; those whose names end in `.html` escape whatever is put into them.
const SOURCES: &[(&str, &str)] = &[
    ("paper.html", include_str!("../../templates/paper.html")),
    ("seller.html", include_str!("../../templates/seller.html")),
    ("lacks.html", include_str!("../../templates/lacks.html")),
    ("invoice.html", include_str!("../../templates/invoice.html")),
    ("credit_notes.html", include_str!("../../templates/credit_notes.html")),
    ("packing_list.html", include_str!("../../templates/packing_list.html")),
    ("label.html", include_str!("../../templates/label.html")),
    ("link.html", include_str!("../../templates/link.html")),
    ("unsubscribe.html", include_str!("../../templates/unsubscribe.html")),
    ("keys.html", include_str!("../../templates/keys.html")),
    ("downloads.html", include_str!("../../templates/downloads.html")),
    ("pay.html", include_str!("../../templates/pay.html")),
    ("returned.html", include_str!("../../templates/returned.html")),
    ("docs.html", include_str!("../../templates/docs.html")),
    ("guide.html", include_str!("../../templates/guide.html")),
    ("welcome.html", include_str!("../../templates/welcome.html")),
    ("not_found.html", include_str!("../../templates/not_found.html")),
    ("problem.html", include_str!("../../templates/problem.html")),
    ("en/words.html", include_str!("../../templates/en/words.html")),
    ("ru/words.html", include_str!("../../templates/ru/words.html")),
    ("en/story.txt", include_str!("../../templates/en/story.txt")),
    ("ru/story.txt", include_str!("../../templates/ru/story.txt")),
];

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.add_filter("plural", |count: i64, forms: Rest<Value>| {
        let wrong = || minijinja::Error::new(ErrorKind::InvalidOperation, "a word has two forms or three");
        format::plural(count, forms.0).ok_or_else(wrong)
    });
    for (name, source) in SOURCES {
        if let Err(error) = environment.add_template(name, source) {
            tracing::error!(%error, name, "cannot read a template");
        }
    }
    environment
});

/// Whether a browser asks on behalf of a person, who reads a page rather than JSON.
pub fn is_for_a_person(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// A page in a language.
pub fn page(template: &str, locale: Locale, context: &impl Serialize) -> Result<Response, Problem> {
    let context = minijinja::context! { locale => locale.as_str(), ..Value::from(Serde(context)) };
    let text = TEMPLATES.get_template(template).and_then(|template| template.render(context));
    let text = text.map_err(|error| unwritten(template, &error))?;
    let mut response = Html(text).into_response();
    response.extensions_mut().insert(crate::edge::reply::Personal);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(locale.as_str()));
    Ok(response)
}

/// Renders an order's story in a language: each sentence is a macro of its template.
pub struct Teller(Captured<'static>);

impl Teller {
    /// In this language.
    pub fn of(locale: Locale) -> Result<Self, Problem> {
        let name = format!("{}/story.txt", locale.as_str());
        let read = TEMPLATES.get_template(&name).and_then(|template| template.render_captured(()));
        read.map(Self).map_err(|error| unwritten(&name, &error))
    }

    /// A sentence with its facts.
    pub fn tell(&mut self, sentence: &str, facts: &impl Serialize) -> Result<String, Problem> {
        let facts = Value::from(Serde(facts));
        let told = self.0.with_state_mut(|state| state.call_macro(sentence, &[facts]));
        told.map_err(|error| unwritten(sentence, &error))
    }
}

fn unwritten(name: &str, error: &minijinja::Error) -> Problem {
    tracing::error!(%error, name, "cannot render a page");
    Problem::internal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_read() {
        assert_eq!(TEMPLATES.templates().count(), SOURCES.len());
    }

    #[test]
    fn the_shop_does_nothing_on_its_own_behalf() {
        let cancelled = |locale, by: &str| {
            let facts = serde_json::json!({"by": by, "reason": "staff_request", "was_paid": false});
            Teller::of(locale).unwrap().tell("cancelled", &facts).unwrap()
        };
        assert_eq!(cancelled(Locale::En, "shop"), "The shop cancelled the order.");
        assert_eq!(cancelled(Locale::En, "staff"), "Staff cancelled the order on the shop's behalf.");
        assert_eq!(cancelled(Locale::Ru, "shop"), "Магазин отменил заказ.");
    }

    #[test]
    fn every_language_has_the_same_words_and_sentences() {
        let names = |source: &str| {
            let defined = source.lines().filter_map(|line| line.strip_prefix("{% "));
            let defined = defined.filter_map(|line| line.strip_prefix("set ").or_else(|| line.strip_prefix("macro ")));
            let names = defined.map(|line| line.split([' ', '(']).next().unwrap_or_default().to_owned());
            names.collect::<std::collections::BTreeSet<_>>()
        };
        let of = |wanted: &str| names(SOURCES.iter().find(|(name, _)| *name == wanted).unwrap().1);
        assert_eq!(of("en/words.html"), of("ru/words.html"));
        assert_eq!(of("en/story.txt"), of("ru/story.txt"));
        assert!(of("en/words.html").len() > 40 && of("en/story.txt").len() > 40);
    }
}
