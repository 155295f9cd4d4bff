//! Versions in headers: the `ETag` that commands answer, `Log-Position` and `Min-Log-Position` of the whole log.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::edge::problem::Problem;

/// The position of the last event of a command.
pub const LOG_POSITION: HeaderName = HeaderName::from_static("log-position");
/// The position that a view must have reached to answer a query.
pub const MIN_LOG_POSITION: HeaderName = HeaderName::from_static("min-log-position");

/// A version as a strong entity tag (RFC 9110, section 8.8.3): `"7"`.
pub fn etag(version: i64) -> HeaderValue {
    let mut text = String::with_capacity(22);
    text.push('"');
    text.push_str(&version.to_string());
    text.push('"');
    // Quotes and digits are always a header value.
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("\"0\""))
}

/// The position that the answer must include.
pub fn min_log_position(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(MIN_LOG_POSITION) else { return Ok(None) };
    let position = value.to_str().ok().map(str::trim).and_then(digits);
    position.map(Some).ok_or_else(no_position)
}

/// `Min-Log-Position` holds what is no position.
pub(crate) fn no_position() -> Problem {
    Problem::malformed(
        "request.invalid_min_log_position",
        "Min-Log-Position must be a Log-Position that this shop sent",
    )
}

/// What `?at=` may hold.
pub(crate) const AT_TAKES: &str = "`at` must be a Log-Position that this shop sent, or an RFC 3339 time";

/// A number from its digits alone: no sign, no space.
pub(crate) fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_tag_is_a_version() {
        assert_eq!(etag(7), "\"7\"");
    }
}
