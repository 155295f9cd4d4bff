//! The total of a cart that a response shows: it is remembered once the owner of the cart is sent it (ADR 14).

use axum::response::Response;
use byteshop_domain::ids::CartId;
use byteshop_domain::money::Money;
use http::Method;

use crate::app::Shared;

/// The total of a cart that a response shows.
#[derive(Debug, Clone, Copy)]
struct Total(CartId, Money);

/// Notes in a response which total it shows of a cart, if that is worth remembering.
pub(crate) fn showing(mut response: Response, cart: CartId, total: Option<Money>) -> Response {
    if let Some(total) = total {
        response.extensions_mut().insert(Total(cart, total));
    }
    response
}

/// Records the total that a response shows. It is not recorded for HEAD requests, or if another response replaced this
/// one.
pub(crate) async fn remember(app: &Shared, method: &Method, response: &mut Response) {
    let shown = response.extensions_mut().remove::<Total>();
    if let Some(Total(cart, total)) = shown.filter(|_| *method == Method::GET) {
        app.commands.remember_total(cart, Some(total)).await;
    }
}
