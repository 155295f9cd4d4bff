//! Access to the development pages: only from this machine, because mails contain codes and the provider can be made to
//! fail.

use std::net::IpAddr;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

use crate::edge::problem::Problem;

/// Most characters of a header that are repeated: the names that people give their machines are shorter.
const SHOWN_MAX: usize = 60;

/// Refuses requests that a page of another site makes a browser send: under a host name of its own that resolves to
/// this machine (DNS rebinding), or from its own origin.
pub(crate) async fn only(request: Request, next: Next) -> Response {
    let named = host(request.uri(), request.headers());
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if let Some(named) = named.as_ref().filter(|named| !is_local(named.host())) {
        return refuse("request.foreign_host", "Host", named.as_str().as_bytes());
    }
    if changes && origin(request.headers()).is_some_and(|origin| origin != named) {
        let said = request.headers().get(header::ORIGIN).map(HeaderValue::as_bytes).unwrap_or_default();
        return refuse("request.foreign_origin", "Origin", said);
    }
    next.run(request).await
}

/// Refuses, and names the header that was wrong.
fn refuse(code: &'static str, header: &str, said: &[u8]) -> Response {
    let detail = format!(
        "development pages are served under localhost, an IP address or a name without a dot, and accept changes from their \
         own origin only; this request had `{header}: {}`",
        shown(said)
    );
    Problem::new(StatusCode::FORBIDDEN, code, detail).into_response()
}

/// A header's value for an error text: its printable ASCII characters, limited to the length of a host name.
fn shown(said: &[u8]) -> String {
    said.iter().filter(|byte| byte.is_ascii_graphic()).take(SHOWN_MAX).map(|byte| char::from(*byte)).collect()
}

/// Whom the request is for.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let said = || headers.get(header::HOST)?.to_str().ok()?.parse().ok();
    uri.authority().cloned().or_else(said)
}

/// The origin of the page that sends the request, if the browser states it; none if the browser hides it.
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
    fn what_is_repeated_is_short_and_can_be_printed() {
        assert_eq!(shown(b"evil.example"), "evil.example");
        assert_eq!(shown("https://\u{e4}vil\t.example".as_bytes()), "https://vil.example");
        assert_eq!(shown(&[b'x'; 500]).len(), SHOWN_MAX);
    }

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
