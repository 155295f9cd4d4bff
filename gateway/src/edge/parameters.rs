//! Parameters of the query: what is said of one where there is none, or of two that cannot both be meant.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};

use crate::app::Shared;
use crate::edge::problem::Problem;
use crate::edge::values::{DayOrTime, said};

/// Refuses unknown query parameters, because ignoring one silently would mislead the client.
pub(crate) async fn known(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let name = request.uri().query().and_then(|query| query.split(['&', '=']).find(|part| !part.is_empty()));
    if let (Some(name), Some(path)) = (name, request.extensions().get::<MatchedPath>())
        && path.as_str().starts_with("/v1/")
        && !app.contract.takes_parameters(request.method(), path.as_str())
    {
        return Problem::no_parameter(name).into_response();
    }
    next.run(request).await
}

/// From when on, and before when.
type Period = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// A period; refused if it ends before it begins.
pub(crate) fn period(from: Option<DayOrTime>, until: Option<DayOrTime>) -> Result<Period, Problem> {
    let (from, until) = (from.map(|from| from.0), until.map(|until| until.0));
    in_order(("from", from), ("until", until))?;
    Ok((from, until))
}

/// Refuses a range that ends before it begins.
pub(crate) fn in_order<T: PartialOrd>(least: (&str, Option<T>), most: (&str, Option<T>)) -> Result<(), Problem> {
    match (least, most) {
        ((least, Some(from)), (most, Some(to))) if from > to => {
            Err(Problem::query(most, said(most, &format!("must not be before or below `{least}`"))))
        }
        _ => Ok(()),
    }
}
