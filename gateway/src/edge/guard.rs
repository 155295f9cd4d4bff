//! Requests that two programs could read in two ways, and responses that a browser could take for something else.

use axum::extract::Request;
use http::{HeaderMap, HeaderValue, Version, header};

use crate::edge::problem::Problem;
use crate::health::Health;

/// The default content security policy: a browser may show a response, and load nothing for it. Pages that need more
/// set their own policy.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The same for the page that shows the document: its scripts come from this program, and they set its styles.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                           connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Refuses a request that does not say once which host it is for (RFC 9112, section 3.2; RFC 9113, section 8.3.1): a proxy
/// before the shop may have read another one.
pub(crate) fn named_once(request: &Request) -> Result<(), Problem> {
    let named = request.headers().get_all(header::HOST).iter().count();
    let is_enough = match request.version() {
        Version::HTTP_09 | Version::HTTP_10 => true,
        Version::HTTP_11 => named == 1,
        _ => named == 1 || request.uri().authority().is_some(),
    };
    if is_enough && named <= 1 {
        return Ok(());
    }
    Err(Problem::malformed("request.invalid_host", "a request must have the header Host exactly once"))
}

/// Refuses at once what takes the store, when the store has been away for so long that waiting for it is in vain.
pub(crate) fn store_answers(health: &Health, path: &str) -> Result<(), Problem> {
    let takes_the_store = path.starts_with("/v1/") || path.starts_with("/byteshop.v1.");
    if takes_the_store && health.has_given_up_on_postgres() {
        return Err(Problem::unavailable(
            "the event store has been away for several seconds; repeat the request later",
        ));
    }
    Ok(())
}

/// Headers that keep browsers from taking a response for something else, or from showing it inside another page.
pub(crate) fn headers(path: &str, headers: &mut HeaderMap) {
    let policy = if path.starts_with("/docs") { DOCS_POLICY } else { POLICY };
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(policy));
}
