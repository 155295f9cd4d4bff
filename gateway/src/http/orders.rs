//! Orders: their contents, status and history.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::links::Target;
use byteshop_commands::use_cases::{accounts, orders, parts};
use byteshop_commands::{Done, Error, Loaded, Unit};
use byteshop_domain::ids::OrderId;
use byteshop_domain::money::Money;
use byteshop_domain::order::{CancelReason, Order, Placed, Status};
use byteshop_domain::quantity::Demand;
use byteshop_domain::text::NoteText;
use http::HeaderMap;
use serde::Deserialize;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Ref, Schema, Type};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::show;
use crate::app::{App, Shared};
use crate::edge::actor::{Caller, Staff};
use crate::edge::ask::{Ask, Nothing, Of, Params};
use crate::edge::by_link::ByLink;
use crate::edge::past::Then;
use crate::edge::positions::Opened;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::edge::values::Moment;
use crate::queries::sellers::names_of;

mod list;
pub(super) mod visible;

use visible::{Moments, on_order, own};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"lines": [{"variant": "var_01h455vb4pex5vsknk084sn02q", "quantity": 1}]}))]
struct Cancellation {
    /// The lines to cancel; the whole order by default.
    #[schema(default = json!({"x-schema": {"minItems": 1}}))]
    lines: Option<show::LineQuantities>,
    /// The number of the part to cancel instead of `lines`: everything of it that is not packed.
    #[schema(minimum = 1, example = 1)]
    part: Option<u16>,
    /// Whether goods that had left the stock go back into it; only staff may set this to false.
    restock: Option<bool>,
    /// How much of the paid shipping to refund when a part of a paid order is cancelled: true for all of it, false for
    /// nothing, or an amount; only staff may set it. By default it is refunded with the last piece that would have been
    /// shipped.
    #[schema(schema_with = shipping_back, required = false)]
    shipping: Option<ShippingBack>,
    /// An internal reason, kept as a note of the order.
    text: Option<NoteText>,
}

/// The refund of shipping: true for all of it, or an amount.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "shipping is true, false or an amount")]
pub(super) enum ShippingBack {
    /// All of it, or nothing.
    All(bool),
    /// An amount.
    Some(Money),
}

/// The schema of [`ShippingBack`].
pub(super) fn shipping_back() -> Schema {
    let all = ObjectBuilder::new()
        .schema_type(Type::Boolean)
        .description(Some("True for all of the paid shipping, false for nothing"));
    OneOfBuilder::new().item(all).item(Ref::from_schema_name("Money")).build().into()
}

impl ShippingBack {
    /// What is to be done.
    pub(super) fn wanted(self) -> orders::ShippingBack {
        match self {
            Self::All(false) => orders::ShippingBack::Nothing,
            Self::All(true) => orders::ShippingBack::All,
            Self::Some(amount) => orders::ShippingBack::Some(amount),
        }
    }
}

/// Cancels an order, one of its parts, or some lines of a part.
///
/// Buyers can cancel their own orders until they are packed; staff can cancel any.
#[utoipa::path(post, path = "/v1/orders/{id}/cancel", operation_id = "cancelOrder",
    tag = "orders", params(("id" = String, Path)), request_body = Cancellation,
    security(("cart_token" = []), ("bearer" = [])), responses((status = 200, description = "The order", body = show::Order)))]
async fn cancel(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    ask: Ask<Caller, Cancellation>,
) -> Result<Response, Problem> {
    let ask = &on_order(&app, ask, id).await?;
    if ask.body.restock == Some(false) && !ask.who.is_staff() {
        return Err(Problem::forbidden("only staff may write goods off"));
    }
    let restock = ask.body.restock.unwrap_or(true);
    if ask.body.part.is_some() && ask.body.lines.is_some() {
        return Err(Problem::invalid("/part", "name a part or some lines, not both"));
    }
    if ask.body.lines.is_none()
        && ask.body.part.is_none()
        && ask.body.shipping.is_some_and(|shipping| !matches!(shipping, ShippingBack::All(true)))
    {
        let said = "cancelling the whole order refunds all of the shipping: leave `shipping` out, or name the lines";
        return Err(Problem::invalid("/shipping", said));
    }
    // What a buyer does not ask for is the rule's to say.
    let shipping = ask.body.shipping.filter(|it| ask.who.is_staff() || !matches!(it, ShippingBack::All(false)));
    let shipping = shipping.map(ShippingBack::wanted);
    if shipping.is_some() && !ask.who.is_staff() {
        return Err(Problem::forbidden("only staff may decide how much of the shipping is refunded"));
    }
    if ask.body.text.is_some() && !ask.who.is_staff() {
        return Err(Problem::forbidden("only staff can write notes"));
    }
    let app = &app;
    app.run(ask, "order.cancel", |unit| async move {
        let mut order = own(&unit, id, ask).await?;
        let before = order.version;
        let staff = ask.who.is_staff();
        let reason = if staff { CancelReason::StaffRequest } else { CancelReason::BuyerRequest };
        let lines = match (&ask.body.lines, ask.body.part) {
            (Some(lines), _) => Some(lines.iter().map(Demand::from).collect::<Vec<_>>()),
            (None, Some(part)) => Some(parts::numbered(order.state.live()?, part)?),
            (None, None) => None,
        };
        match lines {
            None => orders::cancel(&unit, &mut order, reason, restock).await?,
            Some(lines) => orders::cancel_lines(&unit, &mut order, &lines, reason, restock, shipping).await?,
        }
        // What was off already is off for the reason that was given then.
        if let Some(note) = ask.body.text.as_ref().filter(|_| order.version > before) {
            orders::note(&unit, &mut order, note).await?;
        }
        app.require_fresh_for_refund(&unit, &ask.who).await?;
        shown(&order)
    })
    .await
}

/// Records that all goods of an order were handed over.
#[utoipa::path(post, path = "/v1/orders/{id}/fulfil", operation_id = "fulfilOrder",
    tag = "orders", params(("id" = String, Path)),
    security(("bearer" = ["staff"])), responses((status = 200, description = "The order", body = show::Order)))]
async fn fulfil(State(app): State<Shared>, Of(id): Of<OrderId>, ask: Ask<Staff, Nothing>) -> Result<Response, Problem> {
    let ask = &ask;
    app.run(ask, "order.fulfil", |unit| async move {
        let mut order = unit.load_matching::<Order>(id).await?;
        orders::fulfil(&unit, &mut order)?;
        shown(&order)
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"text": "The customer called: leave it next door."}))]
struct NewNote {
    /// The note; only staff sees it.
    text: NoteText,
}

/// Adds an internal note to an order.
///
/// Notes are encrypted, and erased with the buyer's personal data.
#[utoipa::path(post, path = "/v1/orders/{id}/notes", operation_id = "addOrderNote",
    tag = "orders", params(("id" = String, Path)), request_body = NewNote,
    security(("bearer" = ["staff"])), responses((status = 200, description = "The order with its notes", body = show::Order)))]
async fn note(State(app): State<Shared>, Of(id): Of<OrderId>, ask: Ask<Staff, NewNote>) -> Result<Response, Problem> {
    let ask = &ask;
    app.run(ask, "order.note", |unit| async move {
        let mut order = unit.load_matching::<Order>(id).await?;
        orders::note(&unit, &mut order, &ask.body.text).await?;
        Reply::ok(order.version, &show::Order::of(order.id, order.state.live()?).with_notes())
    })
    .await
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ForgetQuery {
    /// Erase although the order is paid and not delivered, or its payment is disputed. It is cancelled if nothing of it is packed;
    /// otherwise it continues without a readable address. Evidence for disputes is lost. Admins only.
    #[serde(default)]
    force: bool,
}

/// Erases the personal data of the guest who placed an order.
///
/// Name, address and e-mail address become unreadable. An unpaid order is cancelled. An order that is paid and not
/// delivered, or whose payment is disputed, is refused (409), unless an admin sets `force`. Staff must have re-authenticated within the
/// last ten minutes, and API keys cannot do this.
#[utoipa::path(delete, path = "/v1/orders/{id}/buyer", operation_id = "eraseOrderBuyer",
    tag = "orders", params(("id" = String, Path), ForgetQuery),
    security(("cart_token" = []), ("bearer" = [])), responses((status = 204, description = "The buyer's personal data is erased"),
        (status = 409, description = "The order is paid and not delivered, its payment is disputed, or its buyer has an account")))]
async fn forget(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    Params(ForgetQuery { force }): Params<ForgetQuery>,
    ask: Ask<Caller, Nothing>,
) -> Result<Response, Problem> {
    let ask = &on_order(&app, ask, id).await?;
    if force && !ask.who.is_admin() {
        return Err(Problem::forbidden(
            "only an admin may erase the buyer of an order that is paid and not delivered, or whose payment is disputed",
        ));
    }
    let reason = if ask.who.is_staff() { CancelReason::StaffRequest } else { CancelReason::BuyerRequest };
    let app = &app;
    let forget = |unit: Unit| async move {
        if ask.who.is_staff() {
            app.require_fresh(&unit, &ask.who).await?;
        }
        let mut order = own(&unit, id, ask).await?;
        accounts::forget_buyer(&unit, &mut order, reason, force).await
    };
    let done = app.commands.run(&ask.intent("order.forget_buyer"), forget).await?;
    app.commands.vault().erase(done.answer.subject).await.map_err(Error::from)?;
    app.respond(Done { answer: Reply::done(), position: done.position, replayed: done.replayed }).await
}

/// Which moment of an order is asked for, and what opens it.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OrderQuery {
    /// The state after this position of the log, or at this time (RFC 3339).
    #[param(example = "2026-01-01T12:00:00Z")]
    at: Option<Moment>,
    /// The expiry of the link, in seconds since 1970; part of a signed link.
    until: Option<i64>,
    /// The signature of the link.
    #[param(max_length = 64)]
    seal: Option<String>,
}

/// One order.
///
/// The link in a guest's mail opens it without a token: pass on its `until` and `seal`.
#[utoipa::path(get, path = "/v1/orders/{id}", operation_id = "getOrder",
    tag = "orders", params(("id" = String, Path), OrderQuery),
    security(("cart_token" = []), ("bearer" = [])), responses((status = 200, description = "The order", body = show::Order)))]
async fn one(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    Params(OrderQuery { at, until, seal }): Params<OrderQuery>,
    opened: Option<Opened>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let by_link = seal.is_some();
    let (then, link) = (Then::of(at, opened), ByLink { until, seal });
    let targets = [Target::Order(id)];
    let found = app.opened_order(&caller, id, (&link, &targets), &then, &headers);
    // Both are read in one round trip.
    let (found, Moments { placed: placed_at, paid: paid_at, .. }) = tokio::try_join!(found, Moments::of(&app, id))?;
    let placed = found.state.live()?;
    // With a link even staff sees only what the buyer sees.
    let staff = caller.is_staff() && !by_link;
    let papers = papers(&app, id, placed, paid_at.is_some(), staff).await?;
    let stream = app.commands.link_at_hand(Target::Stream(id)).await?;
    let links = show::Links { stream: stream.url, expires_at: stream.until };
    let shown = show::Order::of(id, placed).at(placed_at, paid_at.filter(|_| placed.is_paid()));
    let shown = shown.with_papers(papers).with_links(links).with_sellers(&names_of(&app, placed).await?);
    let shown = if staff { shown.with_notes() } else { shown };
    reply::one(found.version, &shown)
}

/// The way to the papers of an order.
async fn papers(app: &App, id: OrderId, placed: &Placed, paid: bool, staff: bool) -> Result<show::Papers, Error> {
    let invoice = app.commands.link_at_hand(Target::Invoice(id)).await?;
    let packing_list = if staff { Some(app.commands.link_at_hand(Target::PackingList(id)).await?.url) } else { None };
    let credit_notes = match placed.credit_notes.as_slice() {
        [] => None,
        [_, ..] => Some(app.commands.link_at_hand(Target::CreditNotes(id)).await?.url),
    };
    Ok(show::Papers {
        expires_at: invoice.until,
        invoice: Some(invoice.url).filter(|_| paid || placed.progress.status == Status::Open),
        credit_notes,
        packing_list,
    })
}

fn shown(order: &Loaded<Order>) -> Result<Reply, Error> {
    Reply::ok(order.version, &show::Order::of(order.id, order.state.live()?))
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(cancel))
        .routes(routes!(super::carts::again::move_to_cart))
        .routes(routes!(fulfil))
        .routes(routes!(one))
        .routes(routes!(note))
        .routes(routes!(forget))
        .merge(list::routes())
}
