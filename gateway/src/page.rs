//! Pages for people: templates that escape what they are given, and headers that let them do nothing but be looked at.

use std::sync::LazyLock;

use axum::response::{Html, IntoResponse as _, Response};
use http::{HeaderValue, header};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;

use crate::problem::Problem;

/// What a page may load and do: its own style, and forms to this shop. No scripts, nothing from elsewhere.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The templates; those whose names end in `.html` escape whatever is put into them.
static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    for (name, source) in [
        ("paper.html", include_str!("../templates/paper.html")),
        ("invoice.html", include_str!("../templates/invoice.html")),
        ("credit_notes.html", include_str!("../templates/credit_notes.html")),
        ("packing_list.html", include_str!("../templates/packing_list.html")),
        ("label.html", include_str!("../templates/label.html")),
        ("pay.html", include_str!("../templates/pay.html")),
    ] {
        if let Err(error) = environment.add_template(name, source) {
            tracing::error!(%error, name, "a template cannot be read");
        }
    }
    environment
});

/// A page.
pub fn page(template: &str, context: &impl Serialize) -> Result<Response, Problem> {
    let rendered = TEMPLATES.get_template(template).and_then(|template| template.render(Value::from(Serde(context))));
    let text = rendered.map_err(|error| {
        tracing::error!(%error, template, "a page cannot be made");
        Problem::internal()
    })?;
    let mut response = Html(text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_can_be_read() {
        assert_eq!(TEMPLATES.templates().count(), 6);
    }
}
