//! The way out of messages about new versions of what was bought, by the link in each of them: one click of a mail program (RFC 8058),
//! or a page for people. Neither needs a log-in.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::links::Target;
use byteshop_commands::use_cases::downloads;
use byteshop_domain::Locale;
use byteshop_domain::ids::{OrderId, VariantId};
use byteshop_domain::order::Order;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::unsubscribe::{OneClick, Posted};
use crate::app::{App, Shared};
use crate::edge::ask::{Of, Params};
use crate::edge::by_link::{self, Shut};
use crate::edge::page::page;
use crate::edge::problem::Problem;
use crate::http::language::accepted;

/// The parameters of an unsubscribe link.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NoUpdatesQuery {
    variant: VariantId,
    /// When the link expires, in seconds since 1970.
    until: i64,
    /// The signature of the link.
    #[param(max_length = 64)]
    seal: String,
    /// The language of the page, `en` or `ru`.
    locale: Option<Locale>,
}

impl NoUpdatesQuery {
    fn locale(&self, headers: &HeaderMap) -> Locale {
        self.locale.or_else(|| accepted(headers)).unwrap_or_default()
    }

    /// Refuses a link that is none of this shop's or has ended.
    async fn check(&self, app: &App, order: OrderId) -> Result<Result<(), Shut>, Problem> {
        by_link::opens(app, Target::NoUpdates(order, self.variant), self.until, &self.seal).await
    }

    async fn answer(&self, app: &App, order: OrderId, done: bool, headers: &HeaderMap) -> Result<Response, Problem> {
        let found = app.commands.get::<Order>(order).await?;
        let placed = found.as_ref().and_then(|found| found.state.live().ok());
        let line = placed.and_then(|it| it.placement.lines.iter().find(|line| line.variant == self.variant));
        let title = line.map(|line| line.title.to_string());
        page("unsubscribe.html", self.locale(headers), &json!({"title": title, "done": done, "updates": true}))
    }
}

/// A page to unsubscribe from the messages about new versions of what was bought.
///
/// Each of those messages links to this page. Opening it changes nothing, because programs follow links as well.
#[utoipa::path(get, path = "/v1/orders/{id}/updates/unsubscribe", operation_id = "confirmNoUpdates", tag = "notifications",
    params(("id" = String, Path), NoUpdatesQuery), security(()),
    responses((status = 200, description = "A page", content_type = "text/html", body = String),
        (status = 403, description = "The link has expired or is invalid")))]
async fn confirm(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    Params(query): Params<NoUpdatesQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    match query.check(&app, id).await? {
        Ok(()) => query.answer(&app, id, false, &headers).await,
        Err(shut) => Ok(shut.answer(query.locale(&headers), &headers)),
    }
}

/// Unsubscribes from the messages about new versions of what was bought.
///
/// Called by one click in a mail program (RFC 8058), or by the button of the page. Repeating it changes nothing. It holds for all orders
/// of the buyer, also for later ones.
#[utoipa::path(post, path = "/v1/orders/{id}/updates/unsubscribe", operation_id = "unsubscribeUpdates", tag = "notifications",
    params(("id" = String, Path), NoUpdatesQuery),
    request_body(content((Option<OneClick> = "application/x-www-form-urlencoded"))), security(()),
    responses((status = 200, description = "A page", content_type = "text/html", body = String),
        (status = 403, description = "The link has expired or is invalid")))]
async fn unsubscribe(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    Params(query): Params<NoUpdatesQuery>,
    Posted(ask, headers): Posted,
) -> Result<Response, Problem> {
    if let Err(shut) = query.check(&app, id).await? {
        return Ok(shut.answer(query.locale(&headers), &headers));
    }
    let (variant, intent) = (query.variant, ask.intent("subscribers.unsubscribe"));
    app.commands.run(&intent, |unit| async move { downloads::unsubscribe(&unit, id, variant).await }).await?;
    query.answer(&app, id, true, &headers).await
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(confirm, unsubscribe))
}
