//! Returns: what buyers send back, from asking to the money; and the credit notes that say what was given back.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::{parts, returns};
use byteshop_commands::{Error, Loaded, Rejected, Unit};
use byteshop_domain::Bounded;
use byteshop_domain::cart::LINES_MAX;
use byteshop_domain::credit_note::CreditNote;
use byteshop_domain::ids::{OrderId, ReturnId, VariantId};
use byteshop_domain::order::Order;
use byteshop_domain::quantity::{Demand, Quantity};
use byteshop_domain::returns::{Condition, Received, Return, Why};
use byteshop_domain::text::{Comment, Reason};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::orders::visible::{check, on_order, own};
use super::orders::{ShippingBack, shipping_back};
use super::show;
use super::show::credit_note::CreditNotes;
use crate::app::Shared;
use crate::edge::actor::{Caller, Trader, Who};
use crate::edge::ask::{Ask, Nothing, Of};
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::trade::return_address_warning;

mod list;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"lines": [{"variant": "var_01h455vb4pex5vsknk084sn02q", "quantity": 1}], "reason": "changed_mind"}))]
struct NewReturn {
    #[schema(default = json!({"x-schema": {"minItems": 1}}))]
    lines: show::LineQuantities,
    /// Why the goods are returned.
    reason: Why,
    /// The buyer's comment, for staff.
    comment: Option<Comment>,
}

/// Requests a return.
#[utoipa::path(post, path = "/v1/orders/{id}/returns", operation_id = "requestReturn",
    tag = "orders", params(("id" = String, Path)),
    request_body = NewReturn, security(("cart_token" = []), ("bearer" = [])),
    responses((status = 201, description = "The return", body = show::Return)))]
async fn request(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    ask: Ask<Caller, NewReturn>,
) -> Result<Response, Problem> {
    let ask = &on_order(&app, ask, id).await?;
    let window = app.trade.return_window;
    app.run(ask, "return.request", |unit| async move {
        let mut order = own(&unit, id, ask).await?;
        let lines: Vec<Demand> = ask.body.lines.iter().map(Demand::from).collect();
        let since = unit.now() - window;
        let comment = ask.body.comment.as_ref();
        let it = returns::request(&unit, &mut order, &lines, ask.body.reason, comment, since).await?;
        let body = show::Return::of(it.id, it.state.live()?);
        Reply::created(format!("/v1/returns/{}", it.id), it.version, &body)
    })
    .await
}

/// A return that was approved.
#[derive(Serialize, ToSchema)]
struct Approved<'a> {
    #[serde(flatten)]
    approved: show::Return<'a>,
    /// Settings that the shop lacks for the return, such as a return address; usually empty.
    warnings: Vec<&'static str>,
}

/// Approves a return.
///
/// The buyer's mail says where to send the goods; without a return address, `warnings` says so.
#[utoipa::path(post, path = "/v1/returns/{id}/approve", operation_id = "approveReturn",
    tag = "orders", params(("id" = String, Path)),
    security(("bearer" = ["member"])), responses((status = 200, description = "The return", body = Approved)))]
async fn approve(
    State(app): State<Shared>,
    Of(id): Of<ReturnId>,
    ask: Ask<Trader, Nothing>,
) -> Result<Response, Problem> {
    let ask = &ask;
    let missing = return_address_warning(&app.trade.return_address);
    app.run(ask, "return.approve", |unit| async move {
        let mut it = parts::returned(&unit, id, ask.who.acts_for()).await?;
        returns::approve(&unit, &mut it)?;
        let approved = show::Return::of(it.id, it.state.live()?);
        Reply::ok(it.version, &Approved { approved, warnings: missing.into_iter().collect() })
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "the knife was used"}))]
struct Refusal {
    /// The reason, shown to the buyer.
    reason: Reason,
}

/// Rejects a return.
#[utoipa::path(post, path = "/v1/returns/{id}/reject", operation_id = "rejectReturn",
    tag = "orders", params(("id" = String, Path)),
    request_body = Refusal, security(("bearer" = ["member"])),
    responses((status = 200, description = "The return", body = show::Return)))]
async fn reject(
    State(app): State<Shared>,
    Of(id): Of<ReturnId>,
    ask: Ask<Trader, Refusal>,
) -> Result<Response, Problem> {
    let ask = &ask;
    app.run(ask, "return.reject", |unit| async move {
        let mut it = parts::returned(&unit, id, ask.who.acts_for()).await?;
        returns::reject(&unit, &mut it, ask.body.reason.clone()).await?;
        shown(&it)
    })
    .await
}

/// Withdraws a return.
#[utoipa::path(post, path = "/v1/returns/{id}/withdraw", operation_id = "withdrawReturn",
    tag = "orders", params(("id" = String, Path)),
    security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "The return", body = show::Return)))]
async fn withdraw(
    State(app): State<Shared>,
    Of(id): Of<ReturnId>,
    ask: Ask<Caller, Nothing>,
) -> Result<Response, Problem> {
    let it = app.commands.seen::<Return>(id).await?;
    let ask = &on_order(&app, ask, it.and_then(|it| Some(it.live().ok()?.order))).await?;
    app.run(ask, "return.withdraw", |unit| async move {
        let mut it = owned(&unit, id, &ask.who).await?;
        unit.check_version(&it)?;
        returns::withdraw(&unit, &mut it).await?;
        shown(&it)
    })
    .await
}

/// The received goods: as many lines as a return has.
type Arrivals = Bounded<Vec<Arrived>, LINES_MAX>;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"lines": [{"variant": "var_01h455vb4pex5vsknk084sn02q", "quantity": 1, "condition": "new", "restock": true}]}))]
struct Arrival {
    #[schema(default = json!({"x-schema": {"minItems": 1}}))]
    lines: Arrivals,
    /// How much of the paid shipping of this part to refund too: true for all of it, or an amount; nothing by default. Only staff may
    /// set it.
    #[schema(schema_with = shipping_back, required = false)]
    shipping: Option<ShippingBack>,
}

/// Returned goods of a variant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"variant": "var_01h455vb4pex5vsknk084sn02q", "quantity": 1, "condition": "new", "restock": true}))]
struct Arrived {
    /// The variant.
    variant: VariantId,
    /// How many pieces of it.
    quantity: Quantity,
    /// The condition of the goods.
    condition: Condition,
    /// Whether it can be sold again.
    restock: bool,
}

/// Records the receipt of returned goods.
///
/// Goods in saleable condition go back into stock, and the buyer is refunded.
#[utoipa::path(post, path = "/v1/returns/{id}/receive", operation_id = "receiveReturn",
    tag = "orders", params(("id" = String, Path)),
    request_body = Arrival, security(("bearer" = ["member"])),
    responses((status = 200, description = "The return", body = show::Return)))]
async fn receive(
    State(app): State<Shared>,
    Of(id): Of<ReturnId>,
    ask: Ask<Trader, Arrival>,
) -> Result<Response, Problem> {
    let ask = &ask;
    let app = &app;
    if ask.body.shipping.is_some() && !ask.who.0.is_staff() {
        return Err(Problem::forbidden("only staff may decide how much of the shipping is refunded"));
    }
    app.run(ask, "return.receive", |unit| async move {
        let mut it = parts::returned(&unit, id, ask.who.acts_for()).await?;
        let came = ask.body.lines.iter().map(|line| Received {
            variant: line.variant,
            quantity: line.quantity,
            condition: line.condition,
            restock: line.restock,
        });
        let shipping = ask.body.shipping.map(ShippingBack::wanted);
        returns::receive(&unit, &mut it, &came.collect::<Vec<_>>(), shipping).await?;
        app.require_fresh_for_refund(&unit, &ask.who.0).await?;
        shown(&it)
    })
    .await
}

/// Lists the returns of an order.
#[utoipa::path(get, path = "/v1/orders/{id}/returns", operation_id = "listOrderReturns",
    tag = "orders", params(("id" = String, Path)),
    security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "The returns, oldest first", body = show::Returns)))]
async fn of_order(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.seen_order(&caller, id, &Then::default(), &headers).await?;
    let placed = found.state.live()?;
    let found = app.commands.get_all::<Return>(&placed.returns).await?;
    let items = placed.returns.iter().zip(&found).filter_map(|(id, it)| {
        let it = it.as_ref()?.state.live().ok()?;
        Some(show::Return::of(*id, it))
    });
    crate::edge::lists::page(&show::Returns { items: items.collect() })
}

/// Lists the credit notes of an order, oldest first.
///
/// Credit notes are issued for cancelled and returned goods, and for refunds of money alone.
#[utoipa::path(get, path = "/v1/orders/{id}/credit-notes", operation_id = "listCreditNotes",
    tag = "orders", params(("id" = String, Path)),
    security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "The credit notes, oldest first", body = CreditNotes)))]
async fn credit_notes(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.seen_order(&caller, id, &Then::default(), &headers).await?;
    let placed = found.state.live()?;
    let notes = app.commands.get_all::<CreditNote>(&placed.credit_notes).await?;
    crate::edge::lists::page(&CreditNotes::of(placed, &notes, |_| true))
}

/// One return.
#[utoipa::path(get, path = "/v1/returns/{id}", operation_id = "getReturn",
    tag = "orders", params(("id" = String, Path), Then),
    security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "The return", body = show::Return)))]
async fn one(
    State(app): State<Shared>,
    Of(id): Of<ReturnId>,
    then: Then,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.snapshot::<Return>(id, &then, &headers).await?;
    let it = found.state.live()?;
    app.check_part(&caller, it.order, "return").await?;
    reply::one(found.version, &show::Return::of(id, it))
}

/// A return of an order that is the caller's; to all others there is no such return.
async fn owned(unit: &Unit, id: ReturnId, who: &impl Who) -> Result<Loaded<Return>, Error> {
    let it = unit.load::<Return>(id).await?.exists()?;
    let order = unit.load::<Order>(it.state.live()?.order).await?;
    check(who, order.state.live()?).map_err(|_| Error::Rejected(Rejected::missing("return")))?;
    Ok(it)
}

fn shown(it: &Loaded<Return>) -> Result<Reply, Error> {
    Reply::ok(it.version, &show::Return::of(it.id, it.state.live()?))
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(request))
        .routes(routes!(approve))
        .routes(routes!(reject))
        .routes(routes!(withdraw))
        .routes(routes!(receive))
        .routes(routes!(of_order))
        .routes(routes!(credit_notes))
        .routes(routes!(one))
        .merge(list::routes())
}
