//! The way out of messages about a product, by the link in each of them: one click of a mail program (RFC 8058), or a page for
//! people. Neither needs a log-in.

use axum::extract::{FromRequest, Request, State};
use axum::response::Response;
use bytes::Bytes;
use byteshop_commands::links::Target;
use byteshop_commands::use_cases::watches;
use byteshop_domain::Locale;
use byteshop_domain::ids::{AccountId, ProductId};
use byteshop_domain::product::Product;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::{App, Shared};
use crate::edge::actor::Caller;
use crate::edge::ask::{Ask, Of, Params};
use crate::edge::by_link::{self, Shut};
use crate::edge::page::page;
use crate::edge::problem::Problem;
use crate::http::language::accepted;

/// Bytes of what a mail program posts; RFC 8058 has it post `List-Unsubscribe=One-Click`, and nothing of it is read.
const FORM_MAX: usize = 1 << 10;

/// The parameters of an unsubscribe link.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UnsubscribeQuery {
    account: AccountId,
    /// When the link expires, in seconds since 1970.
    until: i64,
    /// The signature of the link.
    #[param(max_length = 64)]
    seal: String,
    /// The language of the page, `en` or `ru`.
    locale: Option<Locale>,
}

/// The form that a mail program posts.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the form, which is not read")]
pub(super) struct OneClick {
    #[schema(rename = "List-Unsubscribe", example = "One-Click", max_length = 64)]
    list_unsubscribe: Option<String>,
}

impl UnsubscribeQuery {
    fn locale(&self, headers: &HeaderMap) -> Locale {
        self.locale.or_else(|| accepted(headers)).unwrap_or_default()
    }

    /// Refuses a link that is none of this shop's or has ended.
    async fn check(&self, app: &App, product: ProductId) -> Result<Result<(), Shut>, Problem> {
        by_link::opens(app, Target::Unsubscribe(product, self.account), self.until, &self.seal).await
    }

    async fn answer(
        &self,
        app: &App,
        product: ProductId,
        done: bool,
        headers: &HeaderMap,
    ) -> Result<Response, Problem> {
        let found = app.commands.get::<Product>(product).await?;
        let title = found.as_ref().and_then(|found| found.state.live().ok()).map(|it| it.title.to_string());
        page("unsubscribe.html", self.locale(headers), &json!({"title": title, "done": done, "updates": false}))
    }
}

/// A page to unsubscribe from the messages about a product.
///
/// Each of those messages links to this page. Opening it changes nothing, because programs follow links as well.
#[utoipa::path(get, path = "/v1/products/{id}/watch/unsubscribe", operation_id = "confirmUnsubscribe", tag = "notifications",
    params(("id" = String, Path), UnsubscribeQuery), security(()),
    responses((status = 200, description = "A page", content_type = "text/html", body = String),
        (status = 403, description = "The link has expired or is invalid")))]
async fn confirm(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    Params(query): Params<UnsubscribeQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    match query.check(&app, id).await? {
        Ok(()) => query.answer(&app, id, false, &headers).await,
        Err(shut) => Ok(shut.answer(query.locale(&headers), &headers)),
    }
}

/// A form that is posted to the link.
pub(super) struct Posted(pub(super) Ask<Caller, Bytes>, pub(super) HeaderMap);

impl FromRequest<Shared> for Posted {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Problem> {
        let (ask, headers) = Ask::<Caller, Bytes>::of_bytes(request, app, FORM_MAX).await?;
        Ok(Self(ask, headers))
    }
}

/// Unsubscribes from the messages about a product.
///
/// Called by one click in a mail program (RFC 8058), or by the button of the page. Repeating it changes nothing.
#[utoipa::path(post, path = "/v1/products/{id}/watch/unsubscribe", operation_id = "unsubscribeWatcher", tag = "notifications",
    params(("id" = String, Path), UnsubscribeQuery),
    request_body(content((Option<OneClick> = "application/x-www-form-urlencoded"))), security(()),
    responses((status = 200, description = "A page", content_type = "text/html", body = String),
        (status = 403, description = "The link has expired or is invalid")))]
async fn unsubscribe(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    Params(query): Params<UnsubscribeQuery>,
    Posted(ask, headers): Posted,
) -> Result<Response, Problem> {
    if let Err(shut) = query.check(&app, id).await? {
        return Ok(shut.answer(query.locale(&headers), &headers));
    }
    let account = query.account;
    let intent = ask.intent("watch.unsubscribe");
    let done = app.commands.run(&intent, |unit| async move {
        watches::unwatch(&unit, id, account).await?;
        Ok(())
    });
    done.await?;
    query.answer(&app, id, true, &headers).await
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(confirm, unsubscribe))
}
