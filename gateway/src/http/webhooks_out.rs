//! Webhook endpoints: their settings, deliveries, redelivery and replay.

mod makers;
mod shown;

use axum::extract::{Path, State};
use axum::response::Response;
use byteshop_commands::use_cases::webhook_endpoints::{self, Maker, NewEndpoint as NewOne, Revision};
use byteshop_commands::{Error, webhooks};
use byteshop_domain::Decider as _;
use byteshop_domain::ids::{Id as _, WebhookEndpointId};
use byteshop_domain::text::{Link, Reason};
use byteshop_domain::webhook_endpoint::{FILTERS_MAX, Topic, WebhookEndpoint};
use byteshop_domain::{Bounded, BoundedText};
use byteshop_projections::page::List;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use utoipa::{IntoParams, PartialSchema as _, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::{App, Shared};
use crate::edge::actor::{Admin, Caller};
use crate::edge::ask::{Ask, Nothing, Of, Params};
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::edge::values::{Limit, values};
use crate::edge::{lists, version};
use makers::History;
use shown::{Deliveries, Delivery, Endpoint, Endpoints};

/// A topic as it is written: the longest there is has 40 characters.
type TopicText = BoundedText<100>;
/// Topics of one endpoint.
type Filter = Bounded<Vec<Wanted>, FILTERS_MAX>;

/// A topic that names events.
#[derive(Debug)]
struct Wanted(Topic);

impl<'de> Deserialize<'de> for Wanted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = TopicText::deserialize(deserializer)?;
        Topic::new(&text).map(Self).map_err(D::Error::custom)
    }
}

values! { Wanted => TopicText::schema(); }

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"url": "https://example.org/hooks/byteshop", "filter": ["order.*", "payment.captured"]}))]
struct NewEndpoint {
    /// A public HTTPS address.
    #[schema(default = json!({"x-schema": {"example": "https://example.org/hooks/byteshop"}}))]
    url: Link,
    /// `*`, a category such as `order.*`, or types such as `order.paid`.
    #[schema(default = json!({"x-schema": {"example": ["order.*", "payment.captured"], "minItems": 1}}))]
    filter: Filter,
    /// The purpose of the endpoint.
    #[serde(default)]
    description: Option<Reason>,
    /// When deliveries end; never by default.
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"filter": ["order.paid"], "enabled": true}))]
struct EndpointChange {
    #[serde(default)]
    url: Option<Link>,
    #[schema(default = json!({"x-schema": {"minItems": 1}}))]
    #[serde(default)]
    filter: Option<Filter>,
    #[serde(default)]
    description: Option<Reason>,
    /// Whether it receives events. When re-enabled it receives the events it missed.
    #[serde(default)]
    enabled: Option<bool>,
    /// When deliveries end.
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
}

/// Creates a webhook endpoint.
///
/// It receives all events recorded from then on. People must have re-authenticated within the last ten minutes; an API key needs
/// the reading scope of every event that the filter names.
#[utoipa::path(post, path = "/v1/webhook-endpoints", operation_id = "createWebhookEndpoint",
    tag = "webhooks", request_body = NewEndpoint, security(("bearer" = ["admin"]), ("api_key" = ["webhooks:write"])),
    responses((status = 201, description = "The endpoint, with its secret", body = Endpoint)))]
async fn create(State(app): State<Shared>, ask: Ask<Admin, NewEndpoint>) -> Result<Response, Problem> {
    let (body, who) = (&ask.body, &ask.who.0);
    check_url(&app, &body.url)?;
    let filter = &topics(&body.filter);
    let (app, secret, by) = (&app, &webhooks::new_secret()?, maker(who));
    app.run(&ask, "webhook_endpoint.create", |unit| async move {
        app.require_fresh_of_people(&unit, who).await?;
        let (url, description, expires_at) = (body.url.clone(), body.description.clone(), body.expires_at);
        let new = NewOne { url, filter: filter.clone(), description, expires_at };
        let endpoint = webhook_endpoints::create(&unit, new, secret, by).await?;
        let (id, known) = (endpoint.id, endpoint.state.live()?);
        let shown = Endpoint::of(id, known).with_secret(known);
        Reply::created(format!("/v1/webhook-endpoints/{id}"), endpoint.version, &shown)
    })
    .await
}

/// Lists webhook endpoints.
#[utoipa::path(get, path = "/v1/webhook-endpoints", operation_id = "listWebhookEndpoints",
    tag = "webhooks", security(("bearer" = ["admin"]), ("api_key" = ["webhooks:write"])),
    responses((status = 200, description = "The endpoints", body = Endpoints)))]
async fn list(State(app): State<Shared>, _admin: Admin, headers: HeaderMap) -> Result<Response, Problem> {
    app.await_log(&headers).await?;
    let ids: Vec<WebhookEndpointId> = app
        .commands
        .log()
        .webhook_endpoints()
        .await
        .map_err(Error::from)?
        .into_iter()
        .map(WebhookEndpointId::from_uuid)
        .collect();
    let found = app.commands.get_all::<WebhookEndpoint>(&ids).await?;
    let history = History::of(&app, &ids).await?;
    let items = ids.iter().zip(&found).filter_map(|(id, found)| {
        let known = found.as_ref()?.state.live().ok()?;
        Some(history.tell(Endpoint::of(*id, known)))
    });
    lists::page(&Endpoints { items: items.collect() })
}

/// One webhook endpoint.
#[utoipa::path(get, path = "/v1/webhook-endpoints/{id}", operation_id = "getWebhookEndpoint", tag = "webhooks", params(("id" = String, Path)),
    security(("bearer" = ["admin"]), ("api_key" = ["webhooks:write"])), responses((status = 200, description = "The endpoint", body = Endpoint)))]
async fn one(
    State(app): State<Shared>,
    Of(id): Of<WebhookEndpointId>,
    _admin: Admin,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.snapshot::<WebhookEndpoint>(id, &Then::default(), &headers).await?;
    let known = found.state.live().map_err(|_| Problem::missing(WebhookEndpoint::CATEGORY))?;
    let history = History::of(&app, &[id]).await?;
    reply::one(found.version, &history.tell(Endpoint::of(id, known)))
}

/// Updates, pauses or resumes a webhook endpoint.
///
/// To change the URL or the filter, people must have re-authenticated within the last ten minutes. An API key needs the reading
/// scope of every event that the filter names before and afterwards.
#[utoipa::path(patch, path = "/v1/webhook-endpoints/{id}", operation_id = "updateWebhookEndpoint", tag = "webhooks", params(("id" = String, Path)),
    request_body = EndpointChange, security(("bearer" = ["admin"]), ("api_key" = ["webhooks:write"])),
    responses((status = 200, description = "The endpoint", body = Endpoint)))]
async fn change(
    State(app): State<Shared>,
    Of(id): Of<WebhookEndpointId>,
    ask: Ask<Admin, EndpointChange>,
) -> Result<Response, Problem> {
    let (body, who, app) = (&ask.body, &ask.who.0, &app);
    body.url.as_ref().map_or(Ok(()), |url| check_url(app, url))?;
    let (filter, by) = (&body.filter.as_ref().map(topics), maker(who));
    app.run(&ask, "webhook_endpoint.revise", |unit| async move {
        if body.url.is_some() || filter.is_some() {
            app.require_fresh_of_people(&unit, who).await?;
        }
        let mut endpoint = unit.load_matching::<WebhookEndpoint>(id).await?;
        let revision = Revision {
            url: body.url.clone(),
            filter: filter.clone(),
            description: body.description.clone(),
            enabled: body.enabled,
            expires_at: body.expires_at,
        };
        webhook_endpoints::revise(&unit, &mut endpoint, revision, by).await?;
        Reply::ok(endpoint.version, &Endpoint::of(id, endpoint.state.live()?))
    })
    .await
}

/// Removes a webhook endpoint.
///
/// An API key needs the reading scope of every event that the filter names.
#[utoipa::path(delete, path = "/v1/webhook-endpoints/{id}", operation_id = "removeWebhookEndpoint", tag = "webhooks", params(("id" = String, Path)),
    security(("bearer" = ["admin"]), ("api_key" = ["webhooks:write"])), responses((status = 204, description = "Removed")))]
async fn remove(
    State(app): State<Shared>,
    Of(id): Of<WebhookEndpointId>,
    ask: Ask<Admin, Nothing>,
) -> Result<Response, Problem> {
    let by = maker(&ask.who.0);
    app.run(&ask, "webhook_endpoint.remove", |unit| async move {
        let mut endpoint = unit.load_matching::<WebhookEndpoint>(id).await?;
        webhook_endpoints::remove(&unit, &mut endpoint, by).await?;
        Ok(Reply::gone(endpoint.version))
    })
    .await
}

/// Rotates the signing secret of an endpoint.
///
/// For a day messages are signed with both the old and the new secret. People must have re-authenticated within the last ten
/// minutes; an API key needs the reading scope of every event that the filter names.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/secret", operation_id = "rotateWebhookSecret",
    tag = "webhooks", params(("id" = String, Path)), security(("bearer" = ["admin"]), ("api_key" = ["webhooks:write"])),
    responses((status = 200, description = "The endpoint, with its new secret", body = Endpoint)))]
async fn rotate(
    State(app): State<Shared>,
    Of(id): Of<WebhookEndpointId>,
    ask: Ask<Admin, Nothing>,
) -> Result<Response, Problem> {
    let (secret, who, app) = (&webhooks::new_secret()?, &ask.who.0, &app);
    let by = maker(who);
    app.run(&ask, "webhook_endpoint.rotate_secret", |unit| async move {
        app.require_fresh_of_people(&unit, who).await?;
        let mut endpoint = unit.load_matching::<WebhookEndpoint>(id).await?;
        webhook_endpoints::rotate_secret(&unit, &mut endpoint, secret, by).await?;
        let known = endpoint.state.live()?;
        Reply::ok(endpoint.version, &Endpoint::of(id, known).with_secret(known))
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": 1200}))]
struct Replay {
    /// The first position to deliver again.
    #[schema(minimum = 1)]
    from: i64,
}

/// Replays events to an endpoint from a position on.
///
/// All events that the endpoint subscribes to are delivered again, in order. An API key needs the reading scope of every event
/// that the filter names.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/replay", operation_id = "replayWebhookEvents",
    tag = "webhooks", params(("id" = String, Path)), request_body = Replay, security(("bearer" = ["admin"]), ("api_key" = ["webhooks:write"])),
    responses((status = 200, description = "The endpoint", body = Endpoint)))]
async fn replay(
    State(app): State<Shared>,
    Of(id): Of<WebhookEndpointId>,
    ask: Ask<Admin, Replay>,
) -> Result<Response, Problem> {
    let (from, by) = (ask.body.from, maker(&ask.who.0));
    app.run(&ask, "webhook_endpoint.replay", |unit| async move {
        let mut endpoint = unit.load_matching::<WebhookEndpoint>(id).await?;
        webhook_endpoints::replay(&unit, &mut endpoint, from, by).await?;
        Reply::ok(endpoint.version, &Endpoint::of(id, endpoint.state.live()?))
    })
    .await
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeliveriesQuery {
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// Lists deliveries to an endpoint, newest first.
///
/// Only the last thousand attempts are kept. An API key needs the reading scope of every event that the filter names.
#[utoipa::path(get, path = "/v1/webhook-endpoints/{id}/deliveries", operation_id = "listWebhookDeliveries", tag = "webhooks",
    params(("id" = String, Path), DeliveriesQuery), security(("bearer" = ["admin"]), ("api_key" = ["webhooks:write"])),
    responses((status = 200, description = "A page of deliveries", body = Deliveries)))]
async fn deliveries(
    State(app): State<Shared>,
    Of(id): Of<WebhookEndpointId>,
    admin: Admin,
    Params(query): Params<DeliveriesQuery>,
) -> Result<Response, Problem> {
    let found = app.commands.get::<WebhookEndpoint>(id).await?;
    let missing = || Problem::missing(WebhookEndpoint::CATEGORY);
    let known = found.as_ref().and_then(|found| found.state.live().ok()).ok_or_else(missing)?;
    app.commands.may_see_deliveries(maker(&admin.0), known).await?;
    let limit = lists::ask(query.limit, None).limit();
    let list = List::of("webhook_deliveries", &id);
    let before = query.cursor.map_or(Ok(i64::MAX), |cursor| list.place(&cursor))?;
    let log = app.commands.log();
    let mut found = log.webhook_deliveries(id.uuid(), before, limit + 1).await.map_err(Error::from)?;
    let more = i64::try_from(found.len()).is_ok_and(|count| count > limit);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| more).map(|end| list.cursor(&end.number)).transpose()?;
    lists::page(&Deliveries { items: found.into_iter().map(Delivery::from).collect(), next })
}

/// Redelivers one event to an endpoint.
///
/// The event is sent at once and out of order; the response shows the outcome. An API key needs the reading scope of every event
/// that the filter names.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/deliveries/{number}/redeliver", operation_id = "redeliverWebhook", tag = "webhooks",
    params(("id" = String, Path), ("number" = i64, Path)), security(("bearer" = ["admin"]), ("api_key" = ["webhooks:write"])),
    responses((status = 200, description = "The new delivery", body = Delivery)))]
async fn redeliver(
    State(app): State<Shared>,
    Path((id, number)): Path<(String, String)>,
    ask: Ask<Admin, Nothing>,
) -> Result<Response, Problem> {
    let id: WebhookEndpointId = id.parse().map_err(|_| Problem::missing(WebhookEndpoint::CATEGORY))?;
    let number = version::digits(&number).ok_or_else(|| Problem::missing("webhook_delivery"))?;
    let intent = ask.intent("webhook_endpoint.redeliver");
    let show = |delivery| Reply::told(&Delivery::from(delivery));
    let done = app.commands.redeliver(&app.webhooks, &intent, maker(&ask.who.0), (id, number), show).await?;
    app.respond(done).await
}

/// Who makes an endpoint, or changes one.
fn maker(who: &Caller) -> Maker {
    Maker { account: who.account(), key: who.key() }
}

fn check_url(app: &App, url: &Link) -> Result<(), Problem> {
    match app.webhooks.check(url.as_str()) {
        Ok(_) => Ok(()),
        Err(unsuitable) => Err(Problem::invalid("/url", unsuitable.to_string())),
    }
}

fn topics(filter: &Filter) -> Vec<Topic> {
    filter.iter().map(|topic| topic.0.clone()).collect()
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(one, change, remove))
        .routes(routes!(rotate))
        .routes(routes!(replay))
        .routes(routes!(deliveries))
        .routes(routes!(redeliver))
}
