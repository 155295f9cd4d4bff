//! The story of an order: everything that happened to it, its payment, its parcels and its returns, in sentences; and the
//! same as it happens.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event as Change, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use byteshop_commands::Error;
use byteshop_commands::links::Target;
use byteshop_commands::notify::format;
use byteshop_domain::download::{self, Download};
use byteshop_domain::ids::OrderId;
use byteshop_domain::order::{self, Fulfilment, Order, PaymentStatus, Placed, Stage, Status};
use byteshop_domain::payment::Payment;
use byteshop_domain::returns::Return;
use byteshop_domain::shipment::Shipment;
use byteshop_domain::{Actor, AnyEvent, Decider, Locale};
use byteshop_eventstore::{Recorded, StreamId};
use chrono::{DateTime, Utc};
use futures_util::Stream;
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::audit::Entry;
use super::orders::visible::check;
use crate::app::Shared;
use crate::edge::actor::Caller;
use crate::edge::ask::{Of, Params};
use crate::edge::by_link::ByLink;
use crate::edge::headers::LAST_EVENT_ID;
use crate::edge::limits::permits::Permit;
use crate::edge::page::Teller;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::{reply, version};
use crate::http::language::Reading;

mod say;

/// Events of one stream in a story at most; none has nearly as many.
const EVENTS_MAX: i64 = 1_000;
/// How often a stream reads new events: one index read for each waiting client.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a stream lasts; its client reconnects automatically and continues where it stopped.
const LASTS: Duration = Duration::from_mins(15);

/// An entry of the history, with a sentence where it is worth one.
#[derive(Serialize, ToSchema)]
struct Scene {
    /// A sentence for people; null if another entry already says it.
    #[schema(example = "A guest ordered 2 items for €19.98.")]
    text: Option<String>,
    #[serde(flatten)]
    entry: Entry,
}

/// The history of an order.
#[derive(Serialize, ToSchema)]
struct OrderHistory {
    /// The history as localized sentences; for staff followed by the role and id of the colleague, or by the API key.
    story: Vec<String>,
    /// All entries, oldest first.
    items: Vec<Scene>,
    /// Always null: the list is complete.
    next: Option<String>,
}

/// The language of a history, and the link that opens it.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StoryQuery {
    /// The language, `en` or `ru`; taken from `Accept-Language` by default, then from the buyer's mails.
    locale: Option<Locale>,
    /// The expiry of the link, in seconds since 1970; part of a signed link.
    until: Option<i64>,
    /// The signature of the link.
    #[param(max_length = 64)]
    seal: Option<String>,
}

/// The history of an order, its payment, shipments and returns.
///
/// Shows what happened, when, by whom and why. The link in a guest's mail opens it like the order.
#[utoipa::path(get, path = "/v1/orders/{id}/history", operation_id = "getOrderHistory",
    tag = "orders", params(("id" = String, Path), StoryQuery),
    security(("cart_token" = []), ("bearer" = [])), responses((status = 200, description = "The history, oldest first", body = OrderHistory)))]
async fn history(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    Params(StoryQuery { locale, until, seal }): Params<StoryQuery>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let staff = caller.is_staff() && seal.is_none();
    let (reading, link) = (Reading { locale }, ByLink { until, seal });
    let found = app.opened_order(&caller, id, (&link, &[Target::Order(id)]), &Then::default(), &headers).await?;
    let placed = found.state.live()?;
    let locale = if staff {
        reading.of_reader(&app, &caller, &headers).await?
    } else {
        reading.of_order(&app, placed, &headers).await?
    };
    let positions = app.shown_to(&caller).await?;
    let mut items: Vec<(Told, Scene)> = Vec::new();
    for (event, text) in told(gather(&app, id, placed).await?, locale)? {
        let any = decode(&event)?;
        if !staff && say::is_for_staff(&any) {
            continue;
        }
        let actor = event.meta().map_err(Error::from)?.actor;
        let is_of_a_seller = say::who(&any, &actor, placed.placement.buyer.account) == "seller";
        let told = Told { at: event.occurred_at(), by: colleague(&event).filter(|_| staff) };
        let entry = Entry::of(&event, &positions, staff)?;
        let entry = if is_of_a_seller && !staff { entry.by_a_seller() } else { entry };
        items.push((told, Scene { text, entry }));
    }
    let timed = |(told, scene): &(Told, Scene)| Some(told.line(scene.text.as_ref()?, locale));
    let story = items.iter().filter_map(timed).collect();
    let items = items.into_iter().map(|(_, scene)| scene).collect();
    reply::one(found.version, &OrderHistory { story, items, next: None })
}

/// When something happened, and by which colleague if staff reads it.
struct Told {
    at: DateTime<Utc>,
    by: Option<Actor>,
}

impl Told {
    /// A line of the story; sentences for everybody say `Staff`, so the colleague is named behind.
    fn line(&self, text: &str, locale: Locale) -> String {
        let time = format::moment(self.at, format::Zone::default(), locale);
        let by = self.by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default();
        format!("{time}: {text}{by}")
    }
}

/// The member of staff or the API key behind an event; none for events of buyers and of the shop itself.
fn colleague(event: &Recorded) -> Option<Actor> {
    let actor = event.meta().ok()?.actor;
    matches!(actor, Actor::Support { .. } | Actor::Admin { .. } | Actor::Service { .. }).then_some(actor)
}

/// Events of an order, each with its sentence if it has one.
pub(crate) fn told(events: Vec<Recorded>, locale: Locale) -> Result<Vec<(Recorded, Option<String>)>, Problem> {
    let mut teller = Teller::of(locale)?;
    let mut waited = false;
    let mut buyer = None;
    let mut told = Vec::with_capacity(events.len());
    for event in events {
        let any = decode(&event)?;
        // A payment that is asked about again and again waits only once.
        let waits = say::waits(&any);
        let again = waits && waited;
        waited = waits;
        if let AnyEvent::Order(_, order::Event::Placed(placement)) = &any {
            buyer = placement.buyer.account;
        }
        let by = say::who(&any, &event.meta().map_err(Error::from)?.actor, buyer);
        let said = say::sentence(&any, by, locale).filter(|_| !again);
        let text = said.map(|(sentence, facts)| teller.tell(sentence, &facts)).transpose()?;
        told.push((event, text));
    }
    Ok(told)
}

/// The streams of an order and of what belongs to it.
pub(crate) fn streams_of(id: OrderId, placed: &Placed) -> Vec<StreamId> {
    let mut streams = vec![StreamId::of::<Order>(id), StreamId::of::<Payment>(placed.placement.payment)];
    streams.extend(placed.parcels.keys().map(|id| StreamId::of::<Shipment>(*id)));
    streams.extend(placed.returns.iter().map(|id| StreamId::of::<Return>(*id)));
    let downloads = placed.downloadable().into_iter().map(|line| download::id(id, line.variant));
    streams.extend(downloads.map(StreamId::of::<Download>));
    streams
}

/// The events of an order and of what belongs to it, in the order of the log.
async fn gather(app: &Shared, id: OrderId, placed: &Placed) -> Result<Vec<Recorded>, Error> {
    let mut events = Vec::new();
    for stream in &streams_of(id, placed) {
        events.extend(app.commands.log().read_stream(stream, 0, EVENTS_MAX).await?);
    }
    events.sort_unstable_by_key(|event| event.position);
    Ok(events)
}

fn decode(event: &Recorded) -> Result<AnyEvent, Error> {
    AnyEvent::decode(&event.category, event.stream, &event.event_type, event.schema, &event.data).map_err(Error::from)
}

/// The state of a stream of changes.
struct Follower {
    app: Shared,
    /// The caller, whose access is checked at each read, because a stream lasts longer than an access token. None if a
    /// link opened the stream.
    caller: Option<Caller>,
    id: OrderId,
    order: Order,
    version: i64,
    /// The version of the order up to which changes were sent already.
    told: i64,
    waiting: std::vec::IntoIter<OrderChange>,
    until: Instant,
    closing: CancellationToken,
    _permit: Permit,
}

/// A change of an order: the data of a message of its stream.
#[derive(Serialize, ToSchema)]
struct OrderChange {
    /// The event, which is also the `event` of the message.
    #[schema(example = "order.paid")]
    r#type: String,
    /// The version of the order, which is also the `id` of the message.
    version: i64,
    at: DateTime<Utc>,
    /// The status of the order in one word.
    stage: Stage,
    /// The status of the order.
    status: Status,
    /// The status of its payment.
    payment_status: PaymentStatus,
    /// The status of its delivery.
    fulfilment: Fulfilment,
}

/// Streams the changes of an order as server-sent events.
///
/// Each message has the version of the order as `id`, the event type as `event`, and the resulting state as JSON in `data`. The
/// first message is the current state; with `Last-Event-ID` the stream continues after that event. `links.stream`
/// of the order opens it without a header, as `EventSource` needs. Every message has a name, so `EventSource` needs a listener for
/// each and never calls `onmessage`: `order.placed`, `order.authorized`, `order.released`, `order.paid`, `order.parcel_prepared`,
/// `order.parcel_dropped`, `order.handed_over`, `order.delivered`, `order.parcel_returned`, `order.parcel_lost`,
/// `order.parcel_found`, `order.replaced`, `order.fulfilled`, `order.completed`, `order.lines_cancelled`, `order.cancelled`,
/// `order.return_requested`, `order.return_closed`, `order.returned`, `order.refunded`, `order.credited`,
/// `order.payment_window_extended`, `order.keys_revealed`, `order.moved_to_cart`, `order.buyer_forgotten`.
#[utoipa::path(get, path = "/v1/orders/{id}/stream", operation_id = "streamOrder",
    tag = "orders", params(("id" = String, Path), ByLink,
    ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event received")),
    security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "The stream of changes", content_type = "text/event-stream", body = OrderChange)))]
async fn stream(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    Params(link): Params<ByLink>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let targets = [Target::Stream(id), Target::Order(id)];
    app.opened_order(&caller, id, (&link, &targets), &Then::default(), &headers).await?;
    let last = match headers.get(LAST_EVENT_ID) {
        Some(value) => Some(value.to_str().ok().and_then(version::digits).ok_or_else(|| {
            Problem::malformed("request.invalid_header", "`Last-Event-ID` must be the id of an event of this stream")
        })?),
        None => None,
    };
    let permit = app.limits.stream(caller.address())?;
    let mut follower = Follower {
        closing: app.closing.clone(),
        app,
        caller: Some(caller).filter(|_| link.seal.is_none()),
        id,
        order: Order::default(),
        version: 0,
        told: last.unwrap_or(0),
        waiting: Vec::new().into_iter(),
        until: Instant::now() + LASTS,
        _permit: permit,
    };
    let mut first = follower.look().await?;
    if last.is_none() {
        // A client without a last event starts with the current state.
        first.drain(..first.len().saturating_sub(1));
    }
    follower.waiting = first.into_iter();
    let events: std::pin::Pin<Box<dyn Stream<Item = Result<Change, Infallible>> + Send>> =
        Box::pin(futures_util::stream::unfold(follower, |mut follower| async move {
            let told = follower.next().await?;
            Some((Ok(told), follower))
        }));
    let mut response = Sse::new(events).keep_alive(KeepAlive::default()).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    Ok(response)
}

impl Follower {
    /// The changes since the last read.
    async fn look(&mut self) -> Result<Vec<OrderChange>, Error> {
        let stream = StreamId::of::<Order>(self.id);
        let events = self.app.commands.log().read_stream(&stream, self.version, EVENTS_MAX).await?;
        let mut news = Vec::new();
        for event in events {
            self.version = event.version;
            let any = decode(&event)?;
            let AnyEvent::Order(_, happened) = &any else { continue };
            self.order = std::mem::take(&mut self.order).evolve(happened);
            let Ok(placed) = self.order.live() else { continue };
            if event.version > self.told && !say::is_for_staff(&any) {
                self.told = event.version;
                news.push(OrderChange {
                    r#type: format!("order.{}", event.event_type),
                    version: event.version,
                    at: event.occurred_at(),
                    stage: placed.stage(),
                    status: placed.progress.status,
                    payment_status: placed.progress.payment_status,
                    fulfilment: placed.progress.fulfilment,
                });
            }
        }
        Ok(news)
    }

    /// Whether the caller may still follow the order. A session that is known to have ended is noticed at every read;
    /// before any change is sent, the log is checked.
    async fn may_follow(&self, news: bool) -> Result<bool, Problem> {
        let Some(caller) = &self.caller else { return Ok(true) };
        if !news {
            return Ok(!caller.has_ended(&self.app));
        }
        let theirs = self.order.live().is_ok_and(|placed| check(caller, placed).is_ok());
        Ok(theirs && caller.is_in_force(&self.app).await?)
    }

    /// The changes since the last read; none if the caller may not follow the order any more.
    async fn news(&mut self) -> Result<Option<Vec<OrderChange>>, Problem> {
        let news = self.look().await?;
        let may = self.may_follow(!news.is_empty()).await?;
        Ok(may.then_some(news))
    }

    async fn next(&mut self) -> Option<Change> {
        loop {
            if let Some(change) = self.waiting.next() {
                // A struct of texts and numbers always has a JSON form.
                let data = serde_json::to_string(&change).unwrap_or_default();
                return Some(Change::default().id(change.version.to_string()).event(change.r#type).data(data));
            }
            tokio::select! {
                () = self.closing.cancelled() => return None,
                () = tokio::time::sleep_until(self.until) => return None,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            match self.news().await {
                Ok(news) => self.waiting = news?.into_iter(),
                Err(problem) => {
                    tracing::warn!(code = problem.code(), order = %self.id, "a stream of changes was closed");
                    return None;
                }
            }
        }
    }
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(history)).routes(routes!(stream))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::openapi;

    /// Events that only staff sees.
    const FOR_STAFF: [&str; 1] = ["noted"];

    #[test]
    fn the_document_names_every_event_of_the_stream() {
        let golden: Vec<Value> =
            serde_json::from_str(include_str!("../../../domain/src/order/golden.json")).expect("golden events");
        let known = golden.iter().filter_map(|event| event["type"].as_str());
        let known: BTreeSet<String> =
            known.filter(|name| !FOR_STAFF.contains(name)).map(|name| format!("order.{name}")).collect();
        let document: serde_json::Value = serde_json::from_str(openapi::document()).unwrap();
        let text = document["paths"]["/v1/orders/{id}/stream"]["get"]["description"].as_str().unwrap_or_default();
        let named = text.split('`').filter(|word| word.starts_with("order.")).map(str::to_owned);
        assert_eq!(named.collect::<BTreeSet<_>>(), known);
    }
}
