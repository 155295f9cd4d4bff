//! Requests that two programs could read in two ways, and responses that a browser could take for something else.

use axum::extract::Request;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Version, header};

use crate::edge::problem::Problem;
use crate::health::Health;

/// The default content security policy: a browser may show a response, and load nothing for it. Pages that need more
/// set their own policy.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The same for the page that shows the document: its scripts come from this program, and they set its styles.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                           connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Refuses a request that does not say once which host it is for (RFC 9112, section 3.2; RFC 9113, section 8.3.1), or says what is
/// none: a proxy before the shop may have read another one.
pub(crate) fn named_once(request: &Request) -> Result<(), Problem> {
    let hosts = || request.headers().get_all(header::HOST).iter();
    let named = hosts().count();
    let is_enough = match request.version() {
        Version::HTTP_09 | Version::HTTP_10 => true,
        Version::HTTP_11 => named == 1,
        _ => named == 1 || request.uri().authority().is_some(),
    };
    if !is_enough || named > 1 {
        return Err(Problem::malformed("request.invalid_host", "a request must have the header Host exactly once"));
    }
    let target = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    if hosts().map(HeaderValue::as_bytes).chain(target).all(is_host) {
        return Ok(());
    }
    let detail = "Host must be the name or the address of a host, with a port if it has one, such as shop.example:8080";
    Err(Problem::malformed("request.invalid_host", detail))
}

/// Whether a text is a host and perhaps a port (RFC 9110, section 7.2), without a user.
fn is_host(text: &[u8]) -> bool {
    let authority = std::str::from_utf8(text).ok().and_then(|text| text.parse::<Authority>().ok());
    authority.is_some_and(|authority| {
        let port = authority.as_str().strip_prefix(authority.host());
        let is_port = |rest: &str| rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
        !authority.host().is_empty() && port.is_some_and(|rest| rest.is_empty() || is_port(rest))
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_with_a_port_if_any() {
        for host in [
            "shop",
            "shop.example",
            "shop.example:8080",
            "127.0.0.1:80",
            "[::1]",
            "[::1]:8080",
            "xn--bcher-kva.example",
        ] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in [
            "",
            ":80",
            "a b@c",
            "a@b",
            "a b",
            "shop:",
            "shop:http",
            "shop:99999",
            "shop/x",
            "shop?x",
            "<b>",
            "a\\b",
            "b\u{fc}cher",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
        assert!(!is_host(b"\xff"));
    }
}
