//! What gift cards and store credit pay of an order.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::stored_values::{self, Purse};
use byteshop_commands::{Error, Loaded, Rejected};
use byteshop_domain::ids::{OrderId, PaymentId, StoredValueId};
use byteshop_domain::money::Money;
use byteshop_domain::order::Order;
use byteshop_domain::payment::Payment;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::orders::visible::{check, on_order};
use super::show;
use crate::app::Shared;
use crate::edge::actor::Caller;
use crate::edge::ask::{Ask, Nothing, OfTwo};
use crate::edge::problem::Problem;
use crate::edge::reply::Reply;

/// Pays as much of an order as a gift card or store credit has, or an amount.
pub(super) async fn cover<T: Send + Sync>(
    app: &Shared,
    ask: &Ask<Caller, T>,
    id: OrderId,
    purse: Purse<'_>,
    amount: Option<Money>,
) -> Result<Response, Problem> {
    let allowed = |order: &Order| check(&ask.who, order.live()?);
    let answer = |payment: &Loaded<Payment>| made(app, payment);
    let done = app.commands.cover(&ask.intent("payment.cover"), id, (purse, amount), allowed, answer).await?;
    app.respond(done).await
}

/// The answer to a payment that was begun.
pub(super) fn made(app: &Shared, payment: &Loaded<Payment>) -> Reply {
    let shown = payment.state.live().ok().map(|opened| show::Payment::of(&app.commands, payment.id, opened));
    Reply::made(format!("/v1/payments/{}", payment.id), payment.version, &shown)
}

pub(super) fn not_there() -> Error {
    Error::Rejected(Rejected::missing("payment"))
}

/// Removes a gift card or store credit from a payment.
///
/// What it held is released. This is possible until the rest is paid.
#[utoipa::path(delete, path = "/v1/payments/{id}/covers/{value}", operation_id = "removePaymentCover",
    tag = "payments", params(("id" = String, Path), ("value" = String, Path)),
    security(("cart_token" = []), ("bearer" = [])), responses((status = 200, description = "The payment", body = show::Payment)))]
async fn uncover(
    State(app): State<Shared>,
    OfTwo(id, value): OfTwo<PaymentId, StoredValueId>,
    ask: Ask<Caller, Nothing>,
) -> Result<Response, Problem> {
    let payment = app.commands.seen::<Payment>(id).await?;
    let ask = &on_order(&app, ask, payment.and_then(|it| Some(it.live().ok()?.order))).await?;
    app.run(ask, "payment.uncover", |unit| async move {
        let mut payment = unit.load::<Payment>(id).await?.exists()?;
        let order = unit.load::<Order>(payment.state.live()?.order).await?;
        check(&ask.who, order.state.live()?).map_err(|_| not_there())?;
        unit.check_version(&payment)?;
        stored_values::uncover(&unit, &mut payment, value).await?;
        Reply::ok(payment.version, &show::Payment::of(unit.commands(), id, payment.state.live()?))
    })
    .await
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(uncover))
}
