//! The pages of development, for whoever sits at the machine: mails with codes and the manners of the provider are nobody else's.

use std::net::IpAddr;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::uri::Authority;
use http::{HeaderMap, Method, StatusCode, Uri, header};

use crate::problem::Problem;

/// Refuses what a page of somebody else makes a browser ask: under a name of theirs that leads here (DNS rebinding), or from
/// their page.
pub(super) async fn only(request: Request, next: Next) -> Response {
    let named = host(request.uri(), request.headers());
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let foreign = changes && origin(request.headers()).is_some_and(|origin| origin != named);
    if foreign || named.as_ref().is_some_and(|named| !is_local(named.host())) {
        let detail = "pages of development are asked for by a number or as localhost, and changed from there alone";
        return Problem::new(StatusCode::FORBIDDEN, "request.foreign_host", detail).into_response();
    }
    next.run(request).await
}

/// Whom the request is for.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let said = || headers.get(header::HOST)?.to_str().ok()?.parse().ok();
    uri.authority().cloned().or_else(said)
}

/// Whose page asks, if a browser says so; nobody's when it hides it.
fn origin(headers: &HeaderMap) -> Option<Option<Authority>> {
    let text = headers.get(header::ORIGIN)?.to_str().unwrap_or_default();
    Some(text.parse::<Uri>().ok().and_then(|uri| uri.authority().cloned()))
}

/// A number, or a name without a dot, which no server of names out there gives to anybody.
fn is_local(host: &str) -> bool {
    let number = host.trim_start_matches('[').trim_end_matches(']');
    number.parse::<IpAddr>().is_ok() || !host.contains('.') || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_somebody_elses_is_not_local() {
        for host in ["localhost", "127.0.0.1", "[::1]", "192.168.1.7", "shop", "shop.localhost"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example"] {
            assert!(!is_local(host), "{host}");
        }
    }
}
