//! Caching of the public catalog by browsers and proxies: fresh for a short time, then revalidated (RFC 9111, RFC 9110,
//! section 8.8.3).
//!
//! Only responses that are the same for all callers are affected: a request with credentials, or one that waits for a
//! position, is not cached. Only these responses are compressed, too: compressing secrets together with text of the
//! sender's choice reveals the secret by its length (BREACH).

use std::io::Write as _;

use axum::body::{Body, to_bytes};
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};

use crate::edge::compressed::Compressed;
use crate::edge::conditional;
use crate::edge::headers::{CART_TOKEN, MIN_LOG_POSITION};
use crate::edge::reply::SharedText;

/// Routes whose answer is the same for everybody without credentials.
const PUBLIC: [&str; 6] = [
    "/v1/categories",
    "/v1/categories/{id}",
    "/v1/categories/{id}/attributes",
    "/v1/products",
    "/v1/products/{id}",
    "/v1/products/{id}/price-history",
];
/// How long a copy is fresh: short enough for price changes, long enough to take the load of a popular page.
const CACHED: &str = "public, max-age=30";
/// Headers of the request that the response depends on.
const VARY: &str = "accept-encoding, authorization, cart-token, min-log-position";
/// Headers with which a request gets a response of its own.
const OWN: [HeaderName; 3] = [header::AUTHORIZATION, CART_TOKEN, MIN_LOG_POSITION];
/// Bytes from which a response is compressed: shorter ones fit into one packet as they are.
const COMPRESSED_FROM: usize = 1_024;

/// Whether a response to this request is the same for everybody.
pub(crate) fn is_shared(method: &Method, route: &str, query: Option<&str>, headers: &HeaderMap) -> bool {
    // HEAD has the headers of GET (RFC 9110, section 9.3.2); its body is left out after the edge.
    let is_public = [Method::GET, Method::HEAD].contains(method) && PUBLIC.contains(&route);
    let is_past = || form_urlencoded::parse(query.unwrap_or_default().as_bytes()).any(|(name, _)| name == "at");
    is_public && !OWN.iter().any(|name| headers.contains_key(name)) && !is_past()
}

/// The request of a shared response.
pub(crate) struct Asked<'a> {
    pub(crate) uri: &'a Uri,
    /// Its `If-None-Match`.
    pub(crate) known: &'a HeaderMap,
    /// Compressed responses, for a client that accepts gzip.
    pub(crate) gzip: Option<&'a Compressed>,
}

/// Sets the freshness of a shared response, leaves its body out if the caller has it already, and compresses
/// it for a client that accepts gzip.
///
/// It is compressed as a whole before it is sent, so that the memory held for a slow client is known exactly.
pub(crate) async fn share(asked: &Asked<'_>, response: Response) -> Response {
    if ![StatusCode::OK, StatusCode::NOT_MODIFIED].contains(&response.status()) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    head.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHED));
    head.headers.insert(header::VARY, HeaderValue::from_static(VARY));
    if head.status == StatusCode::NOT_MODIFIED {
        return Response::from_parts(head, body);
    }
    // The body is in memory already, so it needs no bound here.
    let Ok(body) = to_bytes(body, usize::MAX).await else { return Response::from_parts(head, Body::empty()) };
    // A single resource has a tag of its own, and was compared with it before.
    if !head.headers.contains_key(header::ETAG) {
        // The hash of a text that many are sent is made once.
        let shared = head.extensions.remove::<SharedText>();
        let made = shared.as_ref().and_then(|shared| shared.0.made(|text| conditional::weak_tag(text.as_bytes())));
        let tag = made.cloned().unwrap_or_else(|| conditional::weak_tag(&body));
        let is_known = conditional::has(asked.known, &tag);
        head.headers.insert(header::ETAG, tag);
        if is_known {
            head.status = StatusCode::NOT_MODIFIED;
            head.headers.remove(header::CONTENT_TYPE);
            return Response::from_parts(head, Body::empty());
        }
    }
    let (tag, uri) = (head.headers.get(header::ETAG), asked.uri);
    let compressed = asked.gzip.zip(tag).and_then(|(kept, tag)| kept.get(uri, tag, || compressed(&body)));
    let Some(compressed) = compressed else {
        return Response::from_parts(head, Body::from(body));
    };
    head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    if let Some(weak) = head.headers.get(header::ETAG).and_then(conditional::weakened) {
        head.headers.insert(header::ETAG, weak);
    }
    Response::from_parts(head, Body::from(compressed))
}

/// Whether the client accepts gzip (RFC 9110, section 12.5.3).
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut weights = lines.flat_map(|line| line.split(',')).filter_map(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        name.trim().eq_ignore_ascii_case("gzip").then(|| weight.trim().trim_start_matches("q="))
    });
    weights.next().is_some_and(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0))
}

/// A text as gzip, when it becomes shorter.
pub(crate) fn compressed(text: &[u8]) -> Option<Bytes> {
    if text.len() < COMPRESSED_FROM {
        return None;
    }
    // The fastest level takes most of what there is to take of JSON, at a tenth of the processor's time.
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::fast());
    encoder.write_all(text).ok()?;
    let compressed = encoder.finish().ok()?;
    (compressed.len() < text.len()).then(|| compressed.into())
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_what_is_the_same_for_everybody_is_shared() {
        let of = |method, route, query, pairs: &[_]| is_shared(&method, route, query, &headers(pairs));
        assert!(of(Method::GET, "/v1/products", Some("q=lamp"), &[]));
        assert!(of(Method::GET, "/v1/products/{id}", None, &[("accept-encoding", "gzip")]));
        assert!(!of(Method::GET, "/v1/products/{id}", Some("at=2026-01-01T00:00:00Z"), &[]));
        assert!(!of(Method::GET, "/v1/products/{id}", Some("%61t=2026-01-01T00:00:00Z"), &[]));
        assert!(of(Method::HEAD, "/v1/products", None, &[]));
        assert!(!of(Method::POST, "/v1/products", None, &[]));
        assert!(!of(Method::GET, "/v1/orders/{id}", None, &[]));
        for own in ["authorization", "cart-token", "min-log-position"] {
            assert!(!of(Method::GET, "/v1/products", None, &[(own, "x")]), "{own}");
        }
    }

    #[test]
    fn gzip_is_accepted_unless_its_weight_is_zero() {
        for (text, accepted) in [
            ("gzip", true),
            ("br, gzip;q=0.5", true),
            ("GZIP ; q=1.000", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000", false),
            ("br", false),
            ("", false),
            ("gzippy", false),
        ] {
            assert_eq!(accepts_gzip(&headers(&[("accept-encoding", text)])), accepted, "{text}");
        }
    }

    #[tokio::test]
    async fn a_copy_that_is_known_is_not_sent_again_and_one_that_changed_is() {
        let text = "{\"items\":[\"lamp\"]}".repeat(200);
        let (uri, responses) = (Uri::from_static("/v1/products"), Compressed::default());
        let share = async |known: &HeaderMap, gzip: bool, response: Response| {
            share(&Asked { uri: &uri, known, gzip: gzip.then_some(&responses) }, response).await
        };
        let first = share(&HeaderMap::new(), true, text.clone().into_response()).await;
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        assert_eq!(first.headers()[header::CONTENT_ENCODING], "gzip");
        let compressed = to_bytes(first.into_body(), usize::MAX).await.unwrap();
        assert!(compressed.len() < text.len() / 5, "{}", compressed.len());
        let known: HeaderMap =
            [(header::IF_NONE_MATCH, format!("W/\"other\", {tag}").parse().unwrap())].into_iter().collect();
        let unchanged = share(&known, false, text.clone().into_response()).await;
        assert_eq!(
            (unchanged.status(), unchanged.headers()[header::ETAG].to_str().unwrap()),
            (StatusCode::NOT_MODIFIED, &*tag)
        );
        assert_eq!(to_bytes(unchanged.into_body(), usize::MAX).await.unwrap().len(), 0);
        let changed = share(&known, false, (text + " ").into_response()).await;
        assert_eq!(changed.status(), StatusCode::OK);
        let refused = share(&known, false, StatusCode::NOT_FOUND.into_response()).await;
        assert!(!refused.headers().contains_key(header::CACHE_CONTROL), "a refusal is not kept");
    }
}
