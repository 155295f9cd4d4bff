//! For staff: the audit trail, the views, and what was sold.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Error;
use byteshop_eventstore::read::Filter;
use byteshop_projections::page::List;
use byteshop_projections::sales::{self, By, Sales as Sold};
use byteshop_projections::{Status, View as _};
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::audit::{Entries, Entry};
use crate::app::{App, Shared};
use crate::edge::actor::{Admin, Staff};
use crate::edge::ask::Params;
use crate::edge::lists;
use crate::edge::parameters::in_order;
use crate::edge::problem::Problem;
use crate::edge::values::{Day, Limit, Time};
use crate::lookup::{self, Finder, LookupError};

/// Which events are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// An event type such as `order.placed`, `placed` of any category, or `order.*`.
    r#type: Option<String>,
    /// A kind of actor, an account by its id or e-mail address, or the name of a process, such as `admin` or `settle_order`.
    actor: Option<String>,
    /// The object that the event belongs to: an id, an e-mail address, a SKU, or the number of an order, invoice or credit note.
    stream: Option<String>,
    /// Recorded at or after this time.
    from: Option<Time>,
    /// Recorded before this time.
    until: Option<Time>,
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

impl AuditQuery {
    async fn filter(&self, app: &App) -> Result<Filter, Problem> {
        for (name, text) in [("type", &self.r#type), ("actor", &self.actor), ("stream", &self.stream)] {
            if text.as_ref().is_some_and(|text| text.contains('\0')) {
                return Err(Problem::query(name, format!("`{name}` must be printable text")));
            }
        }
        let (since, until) = (self.from.map(|from| from.0), self.until.map(|until| until.0));
        in_order(("from", since), ("until", until))?;
        let finder = Finder { log: app.commands.log(), views: &app.views, vault: Some(app.commands.vault()) };
        let types = match &self.r#type {
            Some(pattern) => lookup::event_types(pattern).map_err(|said| Problem::query("type", said))?,
            None => Vec::new(),
        };
        let streams = match &self.stream {
            Some(name) => finder.things(name).await.map_err(|error| unknown("stream", error))?,
            None => Vec::new(),
        };
        let actor = match &self.actor {
            Some(name) => Some(finder.actor(name).await.map_err(|error| unknown("actor", error))?),
            None => None,
        };
        Ok(Filter {
            categories: Vec::new(),
            types,
            streams: streams.into_iter().map(|thing| thing.stream).collect(),
            actor,
            since,
            until,
        })
    }
}

/// A name in a question that the log does not have.
fn unknown(parameter: &str, error: LookupError) -> Problem {
    match error {
        LookupError::Unknown(said) => Problem::query(parameter, said),
        error @ LookupError::NoDataKey => Problem::unavailable(error.to_string()),
        LookupError::Store(error) => Error::from(error).into(),
        LookupError::Commands(error) => error.into(),
        LookupError::Views(error) => error.into(),
    }
}

/// Lists events of the audit trail, in order.
#[utoipa::path(get, path = "/v1/admin/audit", operation_id = "listAuditEvents",
    tag = "admin", params(AuditQuery), security(("bearer" = ["admin"])),
    responses((status = 200, description = "The events, oldest first", body = Entries)))]
async fn audit(
    State(app): State<Shared>,
    admin: Admin,
    Params(query): Params<AuditQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let limit = lists::ask(query.limit, None).limit();
    let AuditQuery { r#type, actor, stream, from, until, limit: _, cursor } = &query;
    let (from, until) = (from.map(|from| from.0), until.map(|until| until.0));
    let list = List::of("audit", &(r#type, actor, stream, from, until));
    let after = cursor.as_ref().map_or(Ok(0), |cursor| list.place(cursor))?;
    app.await_log(&headers).await?;
    let filter = query.filter(&app).await?;
    let events = app.commands.log().read_filtered(after, limit + 1, &filter).await.map_err(Error::from)?;
    let shown = &events[..events.len().min(usize::try_from(limit).unwrap_or(usize::MAX))];
    let positions = app.shown_to(&admin.0).await?;
    let items = shown.iter().map(|event| Entry::of(event, &positions, true)).collect::<Result<Vec<_>, _>>()?;
    let end = shown.last().filter(|_| events.len() > shown.len());
    let next = end.map(|end| list.cursor(&end.position)).transpose()?;
    lists::page(&Entries { items, next })
}

/// The state of a view.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ViewState {
    Live,
    Parked,
    OtherHistory,
}

/// How far a view is.
#[derive(Serialize, ToSchema)]
struct ViewStatus {
    #[schema(example = "order_list")]
    name: String,
    /// The last position that it has processed.
    position: i64,
    /// Events not yet processed.
    lag: i64,
    /// Events per second in the latest batch.
    rate: i64,
    /// The status of the order.
    status: ViewState,
    /// The error that stopped it, if any.
    error: Option<String>,
    /// The position at which it stopped.
    error_position: Option<i64>,
    /// The time of the latest batch.
    moved_at: Option<DateTime<Utc>>,
}

impl From<Status> for ViewStatus {
    fn from(it: Status) -> Self {
        let status = match it.state {
            byteshop_projections::State::Live => ViewState::Live,
            byteshop_projections::State::Parked => ViewState::Parked,
            byteshop_projections::State::OtherHistory => ViewState::OtherHistory,
        };
        let Status { view: name, position, lag, rate, error, error_position, moved_at, .. } = it;
        Self { name, position, lag, rate, status, error, error_position, moved_at }
    }
}

#[derive(Serialize, ToSchema)]
struct ViewList {
    items: Vec<ViewStatus>,
}

/// Position, lag and status of every view.
#[utoipa::path(get, path = "/v1/admin/views", operation_id = "listViews",
    tag = "admin", security(("bearer" = ["staff"]), ("api_key" = ["reports:read"])),
    responses((status = 200, description = "The views", body = ViewList)))]
async fn views(State(app): State<Shared>, _staff: Staff) -> Result<Response, Problem> {
    let items = app.views.status().await?.into_iter().map(ViewStatus::from).collect();
    lists::page(&ViewList { items })
}

/// Which sales are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SalesQuery {
    /// The first day.
    #[param(example = "2026-01-01")]
    from: Option<Day>,
    /// The day after the last one.
    #[param(example = "2026-02-01")]
    until: Option<Day>,
    /// How to group sales; by month by default.
    #[serde(default)]
    #[param(example = "month")]
    by: By,
}

#[derive(Serialize, ToSchema)]
struct Sales {
    items: Vec<sales::Totals>,
    losses: Vec<sales::Losses>,
}

/// Sales by month, country or both.
#[utoipa::path(get, path = "/v1/admin/sales", operation_id = "getSalesReport",
    tag = "admin", params(SalesQuery), security(("bearer" = ["staff"]), ("api_key" = ["reports:read"])),
    responses((status = 200, description = "The sums", body = Sales)))]
async fn sold(
    State(app): State<Shared>,
    _staff: Staff,
    Params(query): Params<SalesQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (from, until) = (query.from.map(|from| from.0), query.until.map(|until| until.0));
    in_order(("from", from), ("until", until))?;
    app.await_views(&[Sold::NAME], &headers).await?;
    let query = sales::Query { by: query.by, from, until };
    let sales::Report { items, losses } = app.views.sales(&query).await?;
    lists::page(&Sales { items, losses })
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(audit)).routes(routes!(views)).routes(routes!(sold))
}
