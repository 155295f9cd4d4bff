//! Notifications: the caller's list, the list for staff with dead ones, and watches of products.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::notifications;
use byteshop_commands::use_cases::watches::{self, Wanted};
use byteshop_domain::account::Channel;
use byteshop_domain::ids::{AccountId, NotificationId, OrderId, ProductId};
use byteshop_domain::notification::{Notification, Skip, Template};
use byteshop_domain::product::Product;
use byteshop_domain::watch::Watch;
use byteshop_domain::{Bounded, Locale};
use byteshop_projections::notification_list::{self, NotificationList, Row};
use byteshop_projections::{Page, View as _};
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::show::PageOf;
use crate::app::Shared;
use crate::edge::actor::{Member, Staff};
use crate::edge::ask::{Ask, Nothing, Of, Params};
use crate::edge::lists;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::edge::values::Limit;

/// A page of the list.
type NotificationPage = PageOf<Row>;

/// A notification, as its recipient sees it.
#[derive(Serialize, ToSchema)]
struct ToldMe {
    id: NotificationId,
    /// The subject line, in the language of the mail; null if its subject was erased.
    #[schema(example = "Order 7K3Q-X9MW-2FBA is paid")]
    subject: Option<String>,
    /// The kind of message.
    template: Template,
    /// The way it is sent.
    channel: Channel,
    /// The language.
    locale: Locale,
    order: Option<OrderId>,
    product: Option<ProductId>,
    /// `queued`, `attempted`, `failed` (will be retried), `sent`, `dead` or `skipped`.
    status: notification_list::Status,
    /// Why it was not sent: `preference`, `no_address`, `erased`, `expired` or `too_many`.
    skip_reason: Option<Skip>,
    queued_at: DateTime<Utc>,
    sent_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, ToSchema)]
struct ToldPage {
    items: Vec<ToldMe>,
    /// The cursor of the next page.
    next: Option<String>,
}

/// Which notifications are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `queued`, `attempted`, `failed`, `sent`, `dead` or `skipped`.
    status: Option<notification_list::Status>,
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// Lists the caller's notifications, newest first.
#[utoipa::path(get, path = "/v1/me/notifications", operation_id = "listMyNotifications",
    tag = "notifications", params(ListQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of notifications", body = ToldPage)))]
async fn mine(
    State(app): State<Shared>,
    member: Member,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let page = page(&app, Some(member.1), query, &headers).await?;
    let rows = page.rows()?;
    let ids: Vec<NotificationId> = rows.iter().map(|row| row.id).collect();
    let subjects = app.commands.subjects_of(&ids).await?;
    let told = rows.into_iter().zip(subjects).map(|(row, subject)| ToldMe {
        id: row.id,
        subject,
        template: row.template,
        channel: row.channel,
        locale: row.locale,
        order: row.order,
        product: row.product,
        status: row.status,
        skip_reason: row.skip_reason,
        queued_at: row.queued_at,
        sent_at: row.sent_at,
    });
    lists::page(&ToldPage { items: told.collect(), next: page.next })
}

/// Lists notifications to all recipients, newest first.
///
/// `status=dead` lists those that need attention.
#[utoipa::path(get, path = "/v1/admin/notifications", operation_id = "listNotifications",
    tag = "notifications", params(ListQuery),
    security(("bearer" = ["staff"])),
    responses((status = 200, description = "A page of notifications", body = NotificationPage)))]
async fn all(
    State(app): State<Shared>,
    _staff: Staff,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Ok(reply::json(page(&app, None, query, &headers).await?.json()))
}

async fn page(
    app: &Shared,
    account: Option<AccountId>,
    query: ListQuery,
    headers: &HeaderMap,
) -> Result<Page<Row>, Problem> {
    app.await_views(&[NotificationList::NAME], headers).await?;
    let ask = lists::ask(query.limit, query.cursor);
    Ok(app.views.notification_list(&notification_list::Query { account, status: query.status, ask }).await?)
}

/// A notification that was sent again.
#[derive(Serialize, ToSchema)]
struct Resent {
    id: NotificationId,
    attempts: u32,
}

/// Resends a dead notification.
///
/// A notification with the reason `outcome_unknown` may then arrive twice.
#[utoipa::path(post, path = "/v1/admin/notifications/{id}/resend", operation_id = "resendNotification",
    tag = "notifications", params(("id" = String, Path)),
    security(("bearer" = ["staff"])),
    responses((status = 200, description = "The notification is queued again", body = Resent)))]
async fn resend(
    State(app): State<Shared>,
    Of(id): Of<NotificationId>,
    ask: Ask<Staff, Nothing>,
) -> Result<Response, Problem> {
    app.run(&ask, "notification.resend", |unit| async move {
        let mut notification = unit.load_matching::<Notification>(id).await?;
        notifications::resend(&unit, &mut notification)?;
        Reply::ok(notification.version, &Resent { id, attempts: notification.state.attempts })
    })
    .await
}

/// A reason to watch a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Wait {
    /// The product can be bought again: one message.
    BackInStock,
    /// The price falls: a message each time it falls further.
    PriceDrop,
}

/// The events to watch for, each once.
type Waits = Bounded<BTreeSet<Wait>, 2>;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"on": ["back_in_stock"]}))]
struct WatchFor {
    /// `back_in_stock`, `price_drop` or both.
    #[schema(default = json!({"x-schema": {"minItems": 1}}))]
    on: Waits,
}

/// The events to watch for.
#[derive(Serialize, ToSchema)]
pub(super) struct Watching {
    product: ProductId,
    pub(super) on: Vec<Wait>,
}

impl Watching {
    pub(super) fn of(product: ProductId, account: AccountId, watch: &Watch) -> Self {
        let stock = watch.stock.contains(&account).then_some(Wait::BackInStock);
        let price = watch.price.contains_key(&account).then_some(Wait::PriceDrop);
        Self { product, on: stock.into_iter().chain(price).collect() }
    }
}

/// Watches a product for new stock or a lower price.
///
/// A product that is in stock cannot be watched for `back_in_stock`: the whole request is refused with `watch.in_stock`. Use
/// `price_drop` alone in that case.
#[utoipa::path(post, path = "/v1/products/{id}/watch", operation_id = "watchProduct",
    tag = "notifications", params(("id" = String, Path)),
    request_body = WatchFor, security(("bearer" = ["customer", "seller", "support", "admin"])),
    responses((status = 200, description = "The watches of the product", body = Watching)))]
async fn watch_product(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    ask: Ask<Member, WatchFor>,
) -> Result<Response, Problem> {
    let (account, on) = (ask.who.1, &ask.body.on);
    if on.is_empty() {
        return Err(Problem::invalid("/on", "`on` must name at least one event to watch for"));
    }
    app.run(&ask, "product.watch", |unit| async move {
        let wanted =
            Wanted { back_in_stock: on.contains(&Wait::BackInStock), price_drop: on.contains(&Wait::PriceDrop) };
        let watch = watches::watch(&unit, id, account, wanted).await?;
        Reply::ok(watch.version, &Watching::of(id, account, &watch.state))
    })
    .await
}

/// Stops watching a product.
#[utoipa::path(delete, path = "/v1/products/{id}/watch", operation_id = "unwatchProduct",
    tag = "notifications", params(("id" = String, Path)),
    security(("bearer" = ["customer", "seller", "support", "admin"])), responses((status = 204, description = "The product is no longer watched")))]
async fn unwatch(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    ask: Ask<Member, Nothing>,
) -> Result<Response, Problem> {
    let account = ask.who.1;
    app.run(&ask, "product.unwatch", |unit| async move {
        unit.load::<Product>(id).await?.exists()?;
        let watch = watches::unwatch(&unit, id, account).await?;
        Ok(Reply::gone(watch.version))
    })
    .await
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(mine))
        .routes(routes!(all))
        .routes(routes!(resend))
        .routes(routes!(watch_product, unwatch))
}
