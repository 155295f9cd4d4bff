//! Names of the headers that are the shop's own, or that no library names, and the entity tag of a version.

use http::{HeaderName, HeaderValue};

/// The token of a guest's cart.
pub const CART_TOKEN: HeaderName = HeaderName::from_static("cart-token");
/// The key that makes a repeated request harmless (draft-ietf-httpapi-idempotency-key-header).
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Marks an answer that was given before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The last event that a client of a stream received (HTML, section 9.2.4).
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The position of the last event of a command.
pub const LOG_POSITION: HeaderName = HeaderName::from_static("log-position");
/// The position that a view must have reached to answer a query.
pub const MIN_LOG_POSITION: HeaderName = HeaderName::from_static("min-log-position");
/// The rest of a quota (draft-ietf-httpapi-ratelimit-headers-10, section 4).
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The quota itself (section 3).
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The id of a request: the shop's own in responses. The one that a client may send is kept beside it.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A version as a strong entity tag (RFC 9110, section 8.8.3): `"7"`.
pub fn etag(version: i64) -> HeaderValue {
    let mut text = String::with_capacity(22);
    text.push('"');
    text.push_str(&version.to_string());
    text.push('"');
    // Quotes and digits are always a header value.
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("\"0\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_tag_is_a_version() {
        assert_eq!(etag(7), "\"7\"");
    }
}
