//! An order that was never paid goes back into a cart.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Rejected;
use byteshop_commands::use_cases::carts;
use byteshop_domain::ids::OrderId;

use super::visible::shown;
use crate::app::Shared;
use crate::edge::actor::Caller;
use crate::edge::ask::{Ask, Nothing, Of};
use crate::edge::problem::Problem;
use crate::http::orders::visible::{on_order, own};
use crate::http::show;

/// Moves an unpaid order back into a cart.
///
/// Cancels an unpaid order and moves its lines into an open cart: the cart of its account in that currency, or a new one with the
/// same `Cart-Token`. Coupon codes, address and shipping service are copied if the cart has none. An order that expired or was
/// cancelled before payment can be moved as well. A repeated request returns the same cart.
#[utoipa::path(post, path = "/v1/orders/{id}/cart", operation_id = "moveOrderToCart", tag = "orders", params(("id" = String, Path)),
    security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "The cart", body = show::Cart),
        (status = 409, description = "The order is paid, or its payment is authorized")))]
pub(in crate::http) async fn move_to_cart(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    ask: Ask<Caller, Nothing>,
) -> Result<Response, Problem> {
    let (ask, days) = (&on_order(&app, ask, id).await?, app.trade.cart_days);
    app.run(ask, "order.move_to_cart", |unit| async move {
        let mut order = own(&unit, id, ask).await?;
        let placement = &order.state.live()?.placement;
        // Staff sees orders of others; what their carts hold is theirs to say.
        if !ask.who.owns(placement.buyer.account, placement.access_hash.as_ref()) {
            return Err(Rejected::missing("order").into());
        }
        let cart = carts::move_to_cart(&unit, &mut order, days).await?;
        shown(&unit, &cart).await
    })
    .await
}
