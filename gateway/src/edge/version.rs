//! Positions of the log in requests: `Min-Log-Position`, and what `?at=` may hold.

use http::HeaderMap;

use crate::edge::headers::MIN_LOG_POSITION;
use crate::edge::problem::Problem;

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

/// The accepted values of `?at=`.
pub(crate) const AT_TAKES: &str = "must be a Log-Position that this shop sent, or an RFC 3339 time";

/// A number from its digits alone: no sign, no space.
pub(crate) fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}
