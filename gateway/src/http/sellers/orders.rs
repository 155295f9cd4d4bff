//! The orders of a seller: its part of each, and what its members do with it.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::parts;
use byteshop_commands::{Error, Loaded};
use byteshop_domain::address::Address;
use byteshop_domain::ids::{OrderId, SellerId, ShipmentId};
use byteshop_domain::order::{self, Fulfilment, Number, Order, Part, PaymentStatus, Placed, Status};
use byteshop_domain::quantity::Demand;
use byteshop_domain::returns::Return;
use byteshop_domain::shipment::Shipment;
use byteshop_projections::View as _;
use byteshop_projections::part_list::{self, PartList};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::seen::seen_by;
use crate::app::{App, Shared};
use crate::edge::actor::Trader;
use crate::edge::ask::{Ask, Of, OfTwo, Params};
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::edge::values::{DayOrTime, Limit};
use crate::edge::{lists, parameters};
use crate::http::orders::visible::Moments;
use crate::http::shipments::{NewShipment, created};
use crate::http::show::{self, SellerOrder, SellerOrderPage};

/// Which orders are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The order number shown to people, in any notation.
    number: Option<Number>,
    /// The status of the seller's part.
    status: Option<Status>,
    /// How far the part is paid and refunded.
    payment_status: Option<PaymentStatus>,
    /// How far the part is fulfilled.
    fulfilment: Option<Fulfilment>,
    /// Placed on or after this day (UTC) or time.
    #[param(example = "2026-11-01")]
    from: Option<DayOrTime>,
    /// Placed before this day (UTC) or time.
    #[param(example = "2026-12-01T00:00:00Z")]
    until: Option<DayOrTime>,
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// Lists the orders with a part of a seller, newest first.
///
/// Each has the part of this seller alone. `status=open&payment_status=paid` lists what is to be shipped.
#[utoipa::path(get, path = "/v1/sellers/{id}/orders", operation_id = "listSellerOrders",
    tag = "sellers", params(("id" = String, Path), ListQuery), security(("bearer" = ["member"])),
    responses((status = 200, description = "A page of orders", body = SellerOrderPage)))]
async fn list(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    who: Trader,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    seen_by(&app, &who, id, &headers).await?;
    let ListQuery { number, status, payment_status, fulfilment, from, until, limit, cursor } = query;
    let (from, until) = parameters::period(from, until)?;
    let ask = lists::ask(limit, cursor);
    app.await_views(&[PartList::NAME], &headers).await?;
    let query = part_list::Query { seller: id, number, status, payment_status, fulfilment, from, until, ask };
    let found = app.views.part_list(&query).await?;
    lists::page(&SellerOrderPage::of(id, &found.rows()?, found.next.clone()))
}

/// One order with the part of a seller.
///
/// Other parts of the order and what the buyer paid for them are not shown. The address is, as long as goods of the part are to be
/// shipped.
#[utoipa::path(get, path = "/v1/sellers/{id}/orders/{order}", operation_id = "getSellerOrder",
    tag = "sellers", params(("id" = String, Path), ("order" = String, Path)), security(("bearer" = ["member"])),
    responses((status = 200, description = "The order", body = show::SellerOrder)))]
async fn one(
    State(app): State<Shared>,
    OfTwo(id, order): OfTwo<SellerId, OrderId>,
    who: Trader,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    seen_by(&app, &who, id, &headers).await?;
    let found = app.snapshot::<Order>(order, &Then::default(), &headers).await?;
    let placed = found.state.live()?;
    let (number, part) = placed.parts.of_seller(id).ok_or_else(|| Problem::missing("order"))?;
    let Moments { placed: placed_at, paid: paid_at, .. } = Moments::of(&app, order).await?;
    let shipments: Vec<ShipmentId> = part.parcels.keys().copied().collect();
    let parcels = app.commands.get_all::<Shipment>(&shipments).await?;
    let returns = app.commands.get_all::<Return>(&part.returns).await?;
    let parcels = shipments.iter().zip(&parcels).filter_map(|(id, it)| {
        let it = it.as_ref()?.state.live().ok()?;
        Some(show::Shipment::of(*id, it))
    });
    let returns = part.returns.iter().zip(&returns).filter_map(|(id, it)| {
        let it = it.as_ref()?.state.live().ok()?;
        Some(show::Return::of(*id, it))
    });
    let address = destination(&app, placed, part).await?;
    let shown = SellerOrder::of(order, placed, (number, part)).to(address).at(placed_at, paid_at);
    reply::one(found.version, &shown.with_goods(parcels.collect(), returns.collect()))
}

/// Where the goods of a part go, as long as they are to be shipped. A seller does not need the e-mail address.
async fn destination(app: &App, placed: &Placed, part: &Part) -> Result<Option<Address>, Error> {
    let Some(sealed) = placed.placement.destination.address.as_ref().filter(|_| part.must_be_shipped()) else {
        return Ok(None);
    };
    let address = app.commands.vault().open::<Address>(sealed).await?;
    Ok(address.map(|address| Address { email: None, ..address }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"lines": [{"variant": "var_01h455vb4pex5vsknk084sn02q", "quantity": 1}]}))]
struct PartCancellation {
    /// The lines to cancel; by default everything of the part that is not packed.
    #[schema(default = json!({"x-schema": {"minItems": 1}}))]
    lines: Option<show::LineQuantities>,
    /// Whether the goods go back into stock; they do by default.
    restock: Option<bool>,
}

/// Cancels the part of a seller, or some of its lines, before it is shipped.
///
/// The buyer is refunded for it. The shipping price of the part is refunded with the last piece that would have been shipped.
#[utoipa::path(post, path = "/v1/sellers/{id}/orders/{order}/cancel", operation_id = "cancelSellerOrder",
    tag = "sellers", params(("id" = String, Path), ("order" = String, Path)), request_body = PartCancellation,
    security(("bearer" = ["member"])), responses((status = 200, description = "The order", body = show::SellerOrder)))]
async fn cancel(
    State(app): State<Shared>,
    OfTwo(id, order): OfTwo<SellerId, OrderId>,
    ask: Ask<Trader, PartCancellation>,
) -> Result<Response, Problem> {
    let (app, ask) = (&app, &ask);
    let lines = ask.body.lines.as_ref().map(|lines| lines.iter().map(Demand::from).collect::<Vec<_>>());
    let (lines, restock) = (&lines, ask.body.restock.unwrap_or(true));
    app.run(ask, "order.cancel", |unit| async move {
        let mut order = parts::for_change(&unit, id, order, ask.who.acts_for()).await?;
        parts::cancel(&unit, &mut order, id, lines.clone(), restock).await?;
        app.require_fresh_for_refund(&unit, &ask.who.0).await?;
        shown(&order, id)
    })
    .await
}

/// Creates a shipment for some or all lines of the part of a seller.
#[utoipa::path(post, path = "/v1/sellers/{id}/orders/{order}/shipments", operation_id = "createSellerShipment",
    tag = "sellers", params(("id" = String, Path), ("order" = String, Path)), request_body = NewShipment,
    security(("bearer" = ["member"])), responses((status = 201, description = "The shipment", body = show::Shipment)))]
async fn prepare(
    State(app): State<Shared>,
    OfTwo(id, order): OfTwo<SellerId, OrderId>,
    ask: Ask<Trader, NewShipment>,
) -> Result<Response, Problem> {
    let ask = &ask;
    let carrier = &ask.body.carrier()?;
    app.run(ask, "shipment.prepare", |unit| async move {
        let order = parts::for_change(&unit, id, order, ask.who.acts_for()).await?;
        created(&parts::prepare(&unit, &order, id, ask.body.contents(), carrier).await?)
    })
    .await
}

/// The answer of a command.
fn shown(order: &Loaded<Order>, seller: SellerId) -> Result<Reply, Error> {
    let placed = order.state.live()?;
    let part = placed.parts.of_seller(seller).ok_or(order::Rejection::Missing)?;
    Reply::ok(order.version, &SellerOrder::of(order.id, placed, part))
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one)).routes(routes!(cancel)).routes(routes!(prepare))
}
