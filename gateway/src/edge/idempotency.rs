//! Idempotency keys: the same request again, from the same caller, gets the first answer again.

use byteshop_commands::Key;
use chrono::TimeDelta;
use http::{HeaderMap, Method, Uri};
use sha2::{Digest, Sha256};

use crate::edge::headers::IDEMPOTENCY_KEY;
use crate::edge::problem::Problem;

/// Longest key: UUIDs, hashes and most people's own schemes fit, and a key is part of an index.
pub const KEY_MAX: usize = 255;

/// How long the first answer to a request is kept: clients retry within hours at most, and 24 of them are the convention.
pub const KEPT_FOR: TimeDelta = TimeDelta::hours(24);
/// How long that to a guest is kept: a page that lost its connection retries at once, and anybody can be a guest.
pub const KEPT_FOR_GUEST: TimeDelta = TimeDelta::hours(1);
/// The largest body of an answer to a guest or a customer that is kept, in bytes: a new cart, an order of some lines. Of a larger
/// one only the outcome is kept: one address, or one account that is free to have, could otherwise store 100 GB a day.
pub const KEPT_MAX: usize = 4 << 10;

/// The idempotency key of a request, if it has one; `who` is its owner.
pub fn key(
    headers: &HeaderMap,
    who: impl FnOnce() -> String,
    method: &Method,
    uri: &Uri,
    body: &[u8],
    kept_for: TimeDelta,
) -> Result<Option<Key>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let fits = (1..=KEY_MAX).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic);
    let (Ok(text), true, None) = (value.to_str(), fits, values.next()) else {
        return Err(Problem::malformed(
            "idempotency.invalid_key",
            "an Idempotency-Key has 1 to 255 visible ASCII characters",
        ));
    };
    Ok(Some(Key {
        who: who(),
        key: text.to_owned(),
        fingerprint: fingerprint(method, uri, body),
        kept_for: Some(kept_for),
    }))
}

/// The fingerprint of a request. The target ends with a line break, so no other request has the same bytes.
fn fingerprint(method: &Method, uri: &Uri, body: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(method.as_str());
    hash.update(b" ");
    hash.update(uri.path());
    hash.update(b"?");
    hash.update(uri.query().unwrap_or_default());
    hash.update(b"\n");
    hash.update(body);
    hash.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn asked(value: &[u8]) -> Result<Option<String>, String> {
        let headers = HeaderMap::from_iter([(IDEMPOTENCY_KEY, HeaderValue::from_bytes(value).unwrap())]);
        key(&headers, || "me".into(), &Method::POST, &Uri::from_static("/v1/carts"), b"{}", KEPT_FOR)
            .map(|key| key.map(|key| key.key))
            .map_err(|problem| problem.code().to_owned())
    }

    #[test]
    fn a_key_is_visible_ascii() {
        assert_eq!(asked(b"a-1"), Ok(Some("a-1".into())));
        assert!(asked(&[b'x'; 255]).is_ok());
        for bad in [&b""[..], b"a b", "é".as_bytes(), &[b'x'; 256]] {
            assert_eq!(asked(bad), Err("idempotency.invalid_key".into()));
        }
    }

    #[test]
    fn another_method_path_query_or_body_is_another_request() {
        let of = |method, uri, body: &[u8]| fingerprint(&method, &Uri::from_static(uri), body);
        let first = of(Method::POST, "/v1/carts", b"{}");
        assert_eq!(first, of(Method::POST, "/v1/carts", b"{}"));
        assert_ne!(first, of(Method::PUT, "/v1/carts", b"{}"));
        assert_ne!(first, of(Method::POST, "/v1/carts?x=1", b"{}"));
        assert_ne!(first, of(Method::POST, "/v1/orders", b"{}"));
        assert_ne!(first, of(Method::POST, "/v1/carts", b"{ }"));
    }
}
