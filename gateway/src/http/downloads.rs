//! Downloads of what was bought: for the buyer of a paid order, by signed URLs that count and expire.

use axum::extract::{FromRequest as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use byteshop_commands::links::Target;
use byteshop_commands::use_cases::downloads::{self, Content, Ticket};
use byteshop_commands::{Error, Intent};
use byteshop_domain::Locale;
use byteshop_domain::Personal;
use byteshop_domain::download::{Item, Rejection};
use byteshop_domain::ids::{FileId, Id as _, OrderId, VariantId};
use byteshop_domain::order::{Number, Order, Placed};
use byteshop_domain::text::Link;
use chrono::DateTime;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::orders::visible;
use super::show::OrderDownloads;
use super::show::names::Binary;
use crate::app::{App, Shared};
use crate::edge::actor::Caller;
use crate::edge::ask::{Ask, Nothing, Of, Params};
use crate::edge::by_link::{self, ByLink, Shut};
use crate::edge::page::page;
use crate::edge::problem::Problem;
use crate::edge::reply;
use crate::http::language::accepted;

mod serve;

/// Whether the caller is the buyer of an order, rather than its staff; refuses all others.
fn is_buyer(caller: &Caller, placed: &Placed, by_link: bool) -> Result<bool, Error> {
    let placement = &placed.placement;
    // Accounts log in; a guest may have nothing but the link.
    if by_link && placement.buyer.account.is_none() {
        return Ok(true);
    }
    visible::check(caller, placed)?;
    Ok(caller.owns(placement.buyer.account, placement.access_hash.as_ref()))
}

/// What the caller sees of the downloads of an order.
async fn seen(app: &App, id: OrderId, caller: &Caller, by_link: bool) -> Result<OrderDownloads, Problem> {
    let order = app.commands.get::<Order>(id).await?.ok_or_else(|| Problem::missing("order"))?;
    let placed = order.state.live()?;
    let is_buyer = is_buyer(caller, placed, by_link)?;
    Ok(OrderDownloads::of(app, id, placed, is_buyer).await?)
}

/// Lists what can be downloaded for an order.
///
/// Guests use the token of their cart, or the signed query of a link in their mails. Each answer has new URLs, one of which counts once
/// it is followed. Staff sees the numbers, and no URL.
#[utoipa::path(get, path = "/v1/orders/{id}/downloads", operation_id = "listDownloads",
    tag = "orders", params(("id" = String, Path), ByLink), security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "The downloads", body = OrderDownloads)))]
async fn list(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    Params(link): Params<ByLink>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.await_log(&headers).await?;
    let by_link = match link.opens(&app, &[Target::Downloads(id), Target::Order(id)]).await? {
        None => false,
        Some(opened) => opened.map(|()| true)?,
    };
    let seen = seen(&app, id, &caller, by_link).await?;
    Ok(reply::json(serde_json::to_string(&seen).map_err(Error::from)?))
}

/// How the page is to be read, and what opens it.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PageQuery {
    /// The language, `en` or `ru`; taken from `Accept-Language` by default.
    locale: Option<Locale>,
    /// The expiry of the link, in seconds since 1970; part of a signed link.
    until: Option<i64>,
    /// The signature of the link.
    #[param(max_length = 64)]
    seal: Option<String>,
}

/// A page with what can be downloaded for an order.
///
/// Opening it counts nothing, because programs follow links as well.
#[utoipa::path(get, path = "/v1/orders/{id}/downloads/page", operation_id = "showDownloads",
    tag = "orders", params(("id" = String, Path), PageQuery), security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String)))]
async fn show(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    Params(query): Params<PageQuery>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let locale = query.locale.or_else(|| accepted(&headers)).unwrap_or_default();
    let link = ByLink { until: query.until, seal: query.seal };
    let by_link = match link.opens(&app, &[Target::Downloads(id)]).await? {
        None => false,
        Some(Ok(())) => true,
        Some(Err(shut)) => return Ok(shut.answer(locale, &headers)),
    };
    let seen = seen(&app, id, &caller, by_link).await?;
    let lines = seen.lines.iter().map(|line| {
        let file = |(name, bytes, url)| json!({"name": name, "size": size(bytes), "url": url});
        let files: Vec<_> = line.downloads.file_urls().map(file).collect();
        json!({"title": line.title, "sku": line.sku, "link": line.downloads.link_url(), "files": files})
    });
    page("downloads.html", locale, &json!({"number": Number::of(id.uuid()), "lines": lines.collect::<Vec<_>>()}))
}

/// The parts of a URL that was made for a buyer.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DownloadQuery {
    /// The variant.
    variant: VariantId,
    /// The file; absent for the link.
    file: Option<FileId>,
    /// The version of the file; absent for the link.
    version: Option<u32>,
    /// What tells one download from another.
    ticket: Uuid,
    /// When the URL expires, in seconds since 1970.
    until: i64,
    /// The signature of the URL.
    #[param(max_length = 64)]
    seal: String,
}

impl DownloadQuery {
    /// The ticket, or why it opens nothing.
    async fn ticket(&self, app: &App, order: OrderId) -> Result<Result<Ticket, Shut>, Problem> {
        let item = match (self.file, self.version) {
            (None, None) => Item::Link,
            (Some(file), Some(version)) => Item::File { file, version },
            (Some(_), None) | (None, Some(_)) => return Ok(Err(Shut::Invalid)),
        };
        let target = Target::Download { order, variant: self.variant, item, ticket: self.ticket };
        if let Err(shut) = by_link::opens(app, target, self.until, &self.seal).await? {
            return Ok(Err(shut));
        }
        let until = DateTime::from_timestamp(self.until, 0);
        let ticket = until.map(|until| Ticket { order, variant: self.variant, item, number: self.ticket, until });
        Ok(ticket.ok_or(Shut::Invalid))
    }
}

/// A size as people read it, in whole units.
fn size(bytes: u64) -> String {
    let units = ["B", "KB", "MB", "GB"];
    let unit = (0..units.len()).rev().find(|unit| bytes >> (10 * unit) > 0).unwrap_or(0);
    format!("{} {}", bytes >> (10 * unit), units[unit])
}

/// Downloads what was bought.
///
/// The URL is made for the buyer by `GET /v1/me/purchases` and `GET /v1/orders/{id}/downloads`. It is one download, which counts when it
/// is followed for the first time, and it needs no token; its other requests, such as those for further ranges of the file, do not
/// count. It stops working when it expires, and at once when the goods are given back. `HEAD`, 304 and 416 count nothing.
#[utoipa::path(get, path = "/v1/orders/{id}/download", operation_id = "getDownload",
    tag = "orders", params(("id" = String, Path), DownloadQuery), security(()),
    responses((status = 200, description = "The file", content((Binary = "*/*"))),
        (status = 204, description = "`HEAD` only: the URL leads to a link"),
        (status = 206, description = "The requested range of the file", content((Binary = "*/*"))),
        (status = 302, description = "The link that was bought is in `Location`"),
        (status = 304, description = "Not modified: the version in `If-None-Match` is the one of the URL"),
        (status = 409, description = "It was given back, its time is over, or it was downloaded as often as it can be"),
        (status = 416, description = "`Range` begins after the end of the file")))]
async fn download(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    Params(query): Params<DownloadQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let ticket = match query.ticket(&app, id).await? {
        Ok(ticket) => ticket,
        Err(shut) => return Ok(shut.answer(accepted(&headers).unwrap_or_default(), &headers)),
    };
    let ask = Ask::<Caller, Nothing>::from_request(request, &app).await?;
    let order = app.commands.get::<Order>(id).await?.ok_or_else(|| Problem::missing("order"))?;
    let placed = order.state.live()?;
    let held = app.commands.held(id, placed, ticket.variant).await?.ok_or(Error::from(Rejection::Missing))?;
    let content = held.check(ticket, app.commands.clock().now())?;
    // The URL was made for the buyer, whoever follows it; and its ticket is what makes it count once.
    let actor = downloads::buyer(placed);
    let intent = Intent { actor, key: None, if_match: None, ..ask.intent("download.start") };
    match content {
        Content::Link(_) if method == Method::HEAD => Ok(StatusCode::NO_CONTENT.into_response()),
        Content::Link(_) => match count(&app, &intent, ticket).await? {
            Content::Link(link) => led_to(&app, &link).await,
            Content::File(_) => Err(Problem::internal()),
        },
        Content::File(version) => {
            let wanted = serve::Wanted::of(ticket.item, &version, &method, &headers)?;
            let Some(bytes) = wanted.bytes() else { return wanted.without_content() };
            // A file that cannot be read counts nothing.
            let address = app.commands.vault().open(&version.address).await.map_err(Error::from)?;
            let address = address.ok_or_else(|| Problem::missing("file"))?;
            let pieces =
                app.sold_files.read(ticket.variant, &address, bytes).await?.ok_or_else(|| Problem::missing("file"))?;
            count(&app, &intent, ticket).await?;
            wanted.with(pieces)
        }
    }
}

/// Counts a download, unless its ticket counted before.
async fn count(app: &App, intent: &Intent, ticket: Ticket) -> Result<Content, Problem> {
    let counted = app.commands.run(intent, |unit| async move { downloads::follow(&unit, ticket).await });
    Ok(counted.await?.answer)
}

/// Leads to a link.
async fn led_to(app: &App, link: &Personal<Link>) -> Result<Response, Problem> {
    let link = app.commands.vault().open(link).await.map_err(Error::from)?;
    let link = link.ok_or_else(|| Error::from(Rejection::Missing))?;
    let to = HeaderValue::try_from(link.as_str()).map_err(|_| Problem::internal())?;
    let mut response = StatusCode::FOUND.into_response();
    let answer = response.headers_mut();
    answer.insert(header::LOCATION, to);
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    answer.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show)).routes(routes!(download))
}
