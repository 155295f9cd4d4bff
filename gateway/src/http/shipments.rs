//! Shipments: parcels of orders, packed and handed over by staff or by the members of the seller whose goods are in them, followed
//! by their buyers.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::links::Target;
use byteshop_commands::ports::carrier::{Heard, is_story};
use byteshop_commands::use_cases::{parts, shipments};
use byteshop_commands::{Error, Loaded};
use byteshop_domain::ids::{OrderId, ShipmentId};
use byteshop_domain::quantity::Demand;
use byteshop_domain::shipment::{Carrier, News, Shipment};
use byteshop_domain::text::{Link, Name, Reason, Reference};
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::show;
use crate::app::{App, Shared};
use crate::edge::actor::{Caller, Staff, Trader};
use crate::edge::ask::{Ask, Nothing, Of, Params};
use crate::edge::by_link::ByLink;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};

/// Heaviest parcel, in grams: no carrier takes a ton.
const WEIGHT_MAX_G: u32 = 1_000_000;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"lines": [{"variant": "var_01h455vb4pex5vsknk084sn02q", "quantity": 1}], "carrier": {"kind": "other", "name": "DHL"}}))]
pub(super) struct NewShipment {
    /// The contents, all of one part of the order; by default everything left to ship. Replacements of lost goods are taken from
    /// stock.
    lines: Option<show::LineQuantities>,
    /// The carrier; by default the simulated one, where the shop is connected to it.
    carrier: Option<Carrier>,
}

impl NewShipment {
    /// The contents, if they are named.
    pub(super) fn contents(&self) -> Option<Vec<Demand>> {
        self.lines.as_ref().map(|lines| lines.iter().map(Demand::from).collect())
    }

    /// The carrier; refuses an unknown story of the simulated one.
    pub(super) fn carrier(&self) -> Result<Carrier, Problem> {
        let carrier = self.carrier.clone().unwrap_or(Carrier::Simulated { story: None });
        if let Carrier::Simulated { story: Some(story) } = &carrier
            && !is_story(story.as_str())
        {
            let stories = "delivered, attempt_failed, returned, lost, found or silent";
            return Err(Problem::invalid("/carrier/story", format!("unknown story; expected {stories}")));
        }
        Ok(carrier)
    }
}

/// Creates a shipment for some or all lines of an order.
#[utoipa::path(post, path = "/v1/orders/{id}/shipments", operation_id = "createShipment",
    tag = "delivery", params(("id" = String, Path)),
    request_body = NewShipment, security(("bearer" = ["staff"])),
    responses((status = 201, description = "The shipment", body = show::Shipment)))]
async fn prepare(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    ask: Ask<Staff, NewShipment>,
) -> Result<Response, Problem> {
    let ask = &ask;
    let carrier = &ask.body.carrier()?;
    app.run(ask, "shipment.prepare", |unit| async move {
        let it = shipments::prepare(&unit, id, ask.body.contents().as_deref(), carrier).await?;
        created(&it)
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"weight_g": 1200}))]
struct Pack {
    /// The weight in grams.
    #[schema(maximum = 1_000_000)]
    weight_g: Option<u32>,
}

/// Closes and labels a shipment.
#[utoipa::path(post, path = "/v1/shipments/{id}/pack", operation_id = "packShipment",
    tag = "delivery", params(("id" = String, Path)), request_body = Pack,
    security(("bearer" = ["member"])), responses((status = 200, description = "The shipment", body = show::Shipment)))]
async fn pack(State(app): State<Shared>, Of(id): Of<ShipmentId>, ask: Ask<Trader, Pack>) -> Result<Response, Problem> {
    let ask = &ask;
    check_weight(ask.body.weight_g)?;
    app.run(ask, "shipment.pack", |unit| async move {
        let mut it = parts::parcel(&unit, id, ask.who.acts_for()).await?;
        shipments::pack(&unit, &mut it, ask.body.weight_g)?;
        shown(&it)
    })
    .await
}

/// Refuses a weight that no parcel has.
fn check_weight(weight_g: Option<u32>) -> Result<(), Problem> {
    if weight_g.is_some_and(|weight| weight > WEIGHT_MAX_G) {
        return Err(Problem::invalid("/weight_g", format!("a parcel can weigh at most {WEIGHT_MAX_G} grams")));
    }
    Ok(())
}

/// Cancels a shipment before it leaves.
///
/// Its goods can be packed again or cancelled.
#[utoipa::path(post, path = "/v1/shipments/{id}/cancel", operation_id = "cancelShipment",
    tag = "delivery", params(("id" = String, Path)),
    security(("bearer" = ["member"])), responses((status = 200, description = "The shipment", body = show::Shipment)))]
async fn cancel(
    State(app): State<Shared>,
    Of(id): Of<ShipmentId>,
    ask: Ask<Trader, Nothing>,
) -> Result<Response, Problem> {
    let ask = &ask;
    app.run(ask, "shipment.cancel", |unit| async move {
        let mut it = parts::parcel(&unit, id, ask.who.acts_for()).await?;
        shipments::cancel(&unit, &mut it).await?;
        shown(&it)
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"tracking": "00340434161094042557"}))]
struct HandOver {
    /// The tracking number; the simulated carrier generates one.
    #[schema(default = json!({"x-schema": {"example": "00340434161094042557"}}))]
    tracking: Option<Reference>,
    /// The page of the carrier where the shipment can be followed; the buyer's mail links to it.
    #[schema(default = json!({"x-schema": {"example": "https://www.dhl.com/track?id=00340434161094042557"}}))]
    tracking_url: Option<Link>,
    /// The weight in grams, if it was not given when the shipment was packed.
    #[schema(maximum = 1_000_000)]
    weight_g: Option<u32>,
}

/// Hands a shipment over to its carrier.
#[utoipa::path(post, path = "/v1/shipments/{id}/hand-over", operation_id = "handOverShipment",
    tag = "delivery", params(("id" = String, Path)),
    request_body = HandOver, security(("bearer" = ["member"])),
    responses((status = 200, description = "The shipment", body = show::Shipment)))]
async fn hand_over(
    State(app): State<Shared>,
    Of(id): Of<ShipmentId>,
    ask: Ask<Trader, HandOver>,
) -> Result<Response, Problem> {
    let ask = &ask;
    let url = ask.body.tracking_url.as_ref();
    // People follow it from their mail.
    if url.is_some_and(|url| !url.as_str().starts_with("https://")) {
        return Err(Problem::invalid("/tracking_url", "must be a URL that begins with https://"));
    }
    let weight_g = ask.body.weight_g;
    check_weight(weight_g)?;
    app.run(ask, "shipment.hand_over", |unit| async move {
        let mut it = parts::parcel(&unit, id, ask.who.acts_for()).await?;
        shipments::hand_over(&unit, &mut it, ask.body.tracking.as_ref(), url, weight_g).await?;
        shown(&it)
    })
    .await
}

/// A status report of a carrier.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum CarrierStatus {
    /// In transit.
    InTransit,
    /// Out for delivery.
    OutForDelivery,
    /// A failed delivery.
    AttemptFailed,
    /// Delivered.
    Delivered,
    /// On its way back to the shop.
    ReturningToSender,
    /// Back in the shop: its contents can be sent again, or cancelled.
    Returned,
    /// Lost: its contents can be sent again, from stock, or cancelled.
    Lost,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"status": "attempt_failed", "place": "Leipzig", "reason": "the recipient was not at home"}))]
struct NewStatus {
    status: CarrierStatus,
    /// When it happened; now by default.
    at: Option<DateTime<Utc>>,
    #[schema(default = json!({"x-schema": {"example": "Leipzig"}}))]
    place: Option<Name>,
    #[schema(default = json!({"x-schema": {"example": "the recipient was not at home"}}))]
    reason: Option<Reason>,
}

/// Records a status report of the carrier.
///
/// Reports older than the latest known one change nothing.
#[utoipa::path(post, path = "/v1/shipments/{id}/status", operation_id = "updateShipmentStatus",
    tag = "delivery", params(("id" = String, Path)),
    request_body = NewStatus, security(("bearer" = ["member"])),
    responses((status = 200, description = "The shipment", body = show::Shipment)))]
async fn status(
    State(app): State<Shared>,
    Of(id): Of<ShipmentId>,
    ask: Ask<Trader, NewStatus>,
) -> Result<Response, Problem> {
    let ask = &ask;
    let news = match ask.body.status {
        CarrierStatus::InTransit => Some(News::InTransit),
        CarrierStatus::OutForDelivery => Some(News::OutForDelivery),
        CarrierStatus::AttemptFailed => Some(News::AttemptFailed),
        CarrierStatus::Delivered => Some(News::Delivered),
        CarrierStatus::ReturningToSender => Some(News::ReturningToSender),
        CarrierStatus::Lost => Some(News::Lost),
        CarrierStatus::Returned => None,
    };
    app.run(ask, "shipment.status", |unit| async move {
        let mut it = parts::parcel(&unit, id, ask.who.acts_for()).await?;
        let NewStatus { at, place, reason, .. } = &ask.body;
        match news {
            Some(news) => {
                let heard = Heard { news, at: *at, place: place.clone(), reason: reason.clone() };
                shipments::hear(&unit, &mut it, &heard).await?;
            }
            None => shipments::take_back(&unit, &mut it).await?,
        }
        shown(&it)
    })
    .await
}

/// Lists the shipments of an order and their status.
///
/// The link in a guest's mail opens them like the order.
#[utoipa::path(get, path = "/v1/orders/{id}/shipments", operation_id = "listOrderShipments",
    tag = "delivery", params(("id" = String, Path), ByLink),
    security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "The shipments, oldest first", body = show::Shipments)))]
async fn of_order(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    Params(link): Params<ByLink>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let staff = caller.is_staff() && link.seal.is_none();
    let found = app.opened_order(&caller, id, (&link, &[Target::Order(id)]), &Then::default(), &headers).await?;
    let placed = found.state.live()?;
    let ids: Vec<ShipmentId> = placed.parcels.keys().copied().collect();
    let found = app.commands.get_all::<Shipment>(&ids).await?;
    let mut items = Vec::with_capacity(ids.len());
    for (id, it) in ids.iter().zip(&found) {
        let Some(it) = it.as_ref().and_then(|it| it.state.live().ok()) else { continue };
        let shown = show::Shipment::of(*id, it);
        items.push(if staff { shown.with_papers(papers(&app, *id).await?) } else { shown });
    }
    crate::edge::lists::page(&show::Shipments { items })
}

/// One shipment.
#[utoipa::path(get, path = "/v1/shipments/{id}", operation_id = "getShipment",
    tag = "delivery", params(("id" = String, Path), Then),
    security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "The shipment", body = show::Shipment)))]
async fn one(
    State(app): State<Shared>,
    Of(id): Of<ShipmentId>,
    then: Then,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.snapshot::<Shipment>(id, &then, &headers).await?;
    let it = found.state.live()?;
    app.check_part(&caller, it.order, "shipment").await?;
    let shown = show::Shipment::of(id, it);
    let shown = if caller.is_staff() { shown.with_papers(papers(&app, id).await?) } else { shown };
    reply::one(found.version, &shown)
}

/// The way to the papers of a parcel, for staff.
async fn papers(app: &App, id: ShipmentId) -> Result<show::ShipmentPapers, Error> {
    let label = app.commands.link_at_hand(Target::Label(id)).await?;
    Ok(show::ShipmentPapers { label: label.url, expires_at: label.until })
}

/// The answer to a parcel that was made.
pub(super) fn created(it: &Loaded<Shipment>) -> Result<Reply, Error> {
    let body = show::Shipment::of(it.id, it.state.live()?);
    Reply::created(format!("/v1/shipments/{}", it.id), it.version, &body)
}

fn shown(it: &Loaded<Shipment>) -> Result<Reply, Error> {
    Reply::ok(it.version, &show::Shipment::of(it.id, it.state.live()?))
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(prepare))
        .routes(routes!(pack))
        .routes(routes!(cancel))
        .routes(routes!(hand_over))
        .routes(routes!(status))
        .routes(routes!(of_order))
        .routes(routes!(one))
}
