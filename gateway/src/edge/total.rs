//! The total of a cart that a response shows: it is remembered once the owner of the cart is sent it (ADR 14).

use axum::response::Response;
use byteshop_domain::ids::CartId;
use byteshop_domain::money::Money;
use http::Method;

use crate::app::Shared;

/// What a response shows of a cart.
#[derive(Debug, Clone, Copy)]
struct Total(CartId, Money);

/// Notes in a response which total it shows of a cart, if that is worth remembering.
pub(crate) fn showing(mut response: Response, cart: CartId, total: Option<Money>) -> Response {
    if let Some(total) = total {
        response.extensions_mut().insert(Total(cart, total));
    }
    response
}

/// Remembers what a response shows. Whoever asks for the headers alone does not see it, and a response that took the place of
/// this one does not have it.
pub(crate) async fn remember(app: &Shared, method: &Method, response: &mut Response) {
    let shown = response.extensions_mut().remove::<Total>();
    if let Some(Total(cart, total)) = shown.filter(|_| *method == Method::GET) {
        app.commands.remember_total(cart, Some(total)).await;
    }
}
