//! Pages of lists: how long they are, and where they go on.

use axum::response::Response;
use byteshop_commands::Error;
use serde::Serialize;

use crate::problem::Problem;
use crate::reply;

/// Items of a page when nothing else is asked for.
pub const LIMIT: u32 = 20;
/// Items of a page at most.
pub const LIMIT_MAX: u32 = 100;

/// How many items are asked for.
pub fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    let limit = asked.unwrap_or(LIMIT);
    if (1..=LIMIT_MAX).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::malformed("request.invalid_query", format!("limit is from 1 to {LIMIT_MAX}")))
}

/// A cursor that this list did not give out.
pub fn bad_cursor() -> Problem {
    Problem::malformed("request.invalid_query", "the cursor was not given out by this list")
}

/// Writes a list that is made here.
pub fn page(list: &impl Serialize) -> Result<Response, Problem> {
    Ok(reply::json(serde_json::to_string(list).map_err(Error::from)?))
}
