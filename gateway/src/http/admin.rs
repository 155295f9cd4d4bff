//! For staff: the audit trail, the views, and what was sold.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Error;
use byteshop_eventstore::StreamId;
use byteshop_eventstore::read::Filter;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::ask::Params;
use super::audit::{Entries, Entry};
use super::lists;
use crate::actor::Admin;
use crate::problem::Problem;
use crate::version;

/// Which events are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Such as `order.placed`, or `placed` of any category.
    r#type: Option<String>,
    /// A kind of actor, an account, or both, such as `admin` or `acc_…`.
    actor: Option<String>,
    /// The id of what it happened to.
    stream: Option<String>,
    /// Recorded at or after this time.
    since: Option<DateTime<Utc>>,
    /// Recorded before this time.
    until: Option<DateTime<Utc>>,
    /// 20 unless it says something else, 100 at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

impl AuditQuery {
    fn filter(&self) -> Result<Filter, Problem> {
        let stream = match &self.stream {
            Some(id) => {
                let (kind, stream) = byteshop_domain::locate(id)
                    .ok_or_else(|| Problem::malformed("request.invalid_query", "stream takes an id such as ord_…"))?;
                Some(StreamId::named(kind.category, stream))
            }
            None => None,
        };
        Ok(Filter {
            categories: Vec::new(),
            event_type: self.r#type.clone(),
            stream,
            actor: self.actor.clone(),
            since: self.since,
            until: self.until,
        })
    }
}

/// What happened in the shop, in order.
#[utoipa::path(get, path = "/v1/admin/audit", tag = "admin", params(AuditQuery), security(("bearer" = ["staff"])),
    responses((status = 200, description = "The events, the oldest first", body = Entries)))]
async fn audit(
    State(app): State<Shared>,
    _admin: Admin,
    Params(query): Params<AuditQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let limit = lists::limit(query.limit)?;
    let after = match &query.cursor {
        Some(cursor) => version::digits(cursor).ok_or_else(lists::bad_cursor)?,
        None => 0,
    };
    let filter = query.filter()?;
    app.await_log(&headers).await?;
    let events = app.commands.log().read_filtered(after, i64::from(limit) + 1, &filter).await.map_err(Error::from)?;
    let shown = &events[..events.len().min(limit as usize)];
    let items = shown.iter().map(|event| Entry::of(event, true)).collect::<Result<Vec<_>, _>>()?;
    let next = shown.last().filter(|_| events.len() > shown.len()).map(|last| last.position.to_string());
    lists::page(&Entries { items, next })
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(audit))
}
