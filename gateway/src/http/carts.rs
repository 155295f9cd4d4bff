//! Carts: a guest's, opened by a token, or a customer's; and the checkout that turns one into an order.

mod address;
pub(super) mod again;
pub(super) mod visible;

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::cart_total;
use byteshop_commands::use_cases::carts;
use byteshop_commands::use_cases::checkout::{self, Hold};
use byteshop_commands::use_cases::price::{self, Reading};
use byteshop_commands::{Error, Rejected};
use byteshop_domain::account::Secret;
use byteshop_domain::cart::{CODES_MAX, Cart, Created, Rejection};
use byteshop_domain::ids::{CartId, VariantId};
use byteshop_domain::money::Money;
use byteshop_domain::promotion::CouponCode;
use byteshop_domain::quantity::Quantity;
use byteshop_domain::webhook_endpoint::SHOP;
use byteshop_domain::{Bounded, Currency, Personal};
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::show;
use crate::app::Shared;
use crate::edge::actor::{Caller, Member};
use crate::edge::ask::{Ask, Nothing, Of, OfTwo};
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::edge::total;
use crate::security::secret::new_cart_token;
use visible::{own, priced, readable, shown};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"currency": "EUR"}))]
struct NewCart {
    /// ISO 4217 currency code of all amounts.
    currency: Currency,
}

/// A new cart and, for a guest, its token, which is shown only once.
#[derive(Serialize, ToSchema)]
struct CartCreated<'a> {
    #[serde(flatten)]
    cart: show::Cart<'a>,
    /// Sent as `Cart-Token`; null for the cart of an account.
    cart_token: Option<&'a Personal<Secret>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"quantity": 2}))]
struct LineChange {
    /// The new quantity.
    quantity: Quantity,
}

/// Codes of a cart.
type Codes = Bounded<Vec<CouponCode>, CODES_MAX>;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"coupons": ["SPRING-26"]}))]
struct Coupons {
    /// The coupon codes, case-insensitive. Several are accepted only if they can be combined; an empty list removes all.
    #[schema(default = json!({"x-schema": {"example": ["SPRING-26"]}}))]
    coupons: Codes,
}

/// Options of a checkout.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"expected_total": {"amount": 2489, "currency": "EUR"}}))]
struct Checkout {
    /// The total that the buyer agrees to: any other is refused. Defaults to the total that the cart last showed.
    expected_total: Option<Money>,
}

/// Creates a cart.
///
/// A guest gets an empty cart and its token. An account has one cart per currency: an existing one is answered with
/// 200. In both cases `/v1/me/cart` then returns this cart.
#[utoipa::path(post, path = "/v1/carts", operation_id = "createCart", tag = "carts", request_body = NewCart, security((), ("bearer" = [])),
    responses((status = 201, description = "The cart", body = CartCreated), (status = 200, description = "The existing cart", body = CartCreated)))]
async fn create(State(app): State<Shared>, ask: Ask<Caller, NewCart>) -> Result<Response, Problem> {
    let owner = ask.who.account();
    let mut guest = None;
    if owner.is_none() {
        let (token, hash) = new_cart_token()?;
        // It opens the cart and the order, so a receipt keeps it sealed; it is opened on the way out.
        guest = Some((app.commands.vault().seal(SHOP, &Secret(token)).await.map_err(Error::from)?, hash));
    }
    let (guest, currency, days) = (&guest, ask.body.currency, app.trade.cart_days);
    app.run(&ask, "cart.create", |unit| async move {
        let (cart, new) = match (owner, guest) {
            (Some(account), _) => carts::open_cart(&unit, account, currency, days).await?,
            (None, guest) => {
                let token_hash = guest.as_ref().map(|(_, hash)| hash.clone());
                (carts::open_cart_of_guest(&unit, token_hash, currency, days)?, true)
            }
        };
        let cart_token = guest.as_ref().map(|(token, _)| token);
        let (created, priced) = priced(&unit, &cart).await?;
        let shown =
            CartCreated { cart: show::Cart::of(unit.commands(), cart.id, created, priced.as_ref()), cart_token };
        if new {
            Reply::created(format!("/v1/carts/{}", cart.id), cart.version, &shown)
        } else {
            Reply::ok(cart.version, &shown)
        }
    })
    .await
}

/// Sets the quantity of a variant in the cart, at its current price.
#[utoipa::path(put, path = "/v1/carts/{id}/lines/{variant}", operation_id = "setCartLine", tag = "carts",
    params(("id" = String, Path), ("variant" = String, Path)), request_body = LineChange,
    security(("cart_token" = []), ("bearer" = [])), responses((status = 200, description = "The cart", body = show::Cart)))]
async fn set_line(
    State(app): State<Shared>,
    OfTwo(id, variant): OfTwo<CartId, VariantId>,
    ask: Ask<Caller, LineChange>,
) -> Result<Response, Problem> {
    let ask = &ask.on_cart(id);
    let quantity = ask.body.quantity;
    app.run(ask, "cart.set_line", |unit| async move {
        let mut cart = own(&unit, id, ask).await?;
        carts::set_line(&unit, &mut cart, variant, quantity).await?;
        shown(&unit, &cart).await
    })
    .await
}

/// Removes a variant from the cart.
#[utoipa::path(delete, path = "/v1/carts/{id}/lines/{variant}", operation_id = "removeCartLine", tag = "carts",
    params(("id" = String, Path), ("variant" = String, Path)),
    security(("cart_token" = []), ("bearer" = [])), responses((status = 200, description = "The cart", body = show::Cart)))]
async fn remove_line(
    State(app): State<Shared>,
    OfTwo(id, variant): OfTwo<CartId, VariantId>,
    ask: Ask<Caller, Nothing>,
) -> Result<Response, Problem> {
    let ask = &ask.on_cart(id);
    app.run(ask, "cart.remove_line", |unit| async move {
        let mut cart = own(&unit, id, ask).await?;
        carts::remove_line(&unit, &mut cart, variant)?;
        shown(&unit, &cart).await
    })
    .await
}

/// Replaces the coupon codes of a cart.
#[utoipa::path(put, path = "/v1/carts/{id}/coupons", operation_id = "setCartCoupons", tag = "carts", params(("id" = String, Path)), request_body = Coupons,
    security(("cart_token" = []), ("bearer" = [])), responses((status = 200, description = "The cart", body = show::Cart)))]
async fn set_coupons(
    State(app): State<Shared>,
    Of(id): Of<CartId>,
    ask: Ask<Caller, Coupons>,
) -> Result<Response, Problem> {
    // Codes are guessed like passwords; but who has entered many must still be able to log in.
    app.limits.coupons(ask.who.address())?;
    let ask = &ask.on_cart(id);
    let codes = &ask.body.coupons;
    app.run(ask, "cart.set_coupon", |unit| async move {
        let mut cart = own(&unit, id, ask).await?;
        carts::set_coupons(&unit, &mut cart, codes).await?;
        shown(&unit, &cart).await
    })
    .await
}

/// Removes all coupon codes from a cart.
#[utoipa::path(delete, path = "/v1/carts/{id}/coupons", operation_id = "removeCartCoupons", tag = "carts", params(("id" = String, Path)),
    security(("cart_token" = []), ("bearer" = [])), responses((status = 200, description = "The cart", body = show::Cart)))]
async fn remove_coupons(
    State(app): State<Shared>,
    Of(id): Of<CartId>,
    ask: Ask<Caller, Nothing>,
) -> Result<Response, Problem> {
    let ask = &ask.on_cart(id);
    app.run(ask, "cart.remove_coupon", |unit| async move {
        let mut cart = own(&unit, id, ask).await?;
        carts::set_coupons(&unit, &mut cart, &[]).await?;
        shown(&unit, &cart).await
    })
    .await
}

/// Discards a cart.
///
/// The personal data that a guest entered, such as the address, is erased. Merged and expired carts can be discarded as well. For a
/// cart that became an order use `DELETE /v1/orders/{id}/buyer`.
#[utoipa::path(delete, path = "/v1/carts/{id}", operation_id = "discardCart", tag = "carts", params(("id" = String, Path)),
    security(("cart_token" = []), ("bearer" = [])), responses((status = 204, description = "The cart is discarded")))]
async fn discard(
    State(app): State<Shared>,
    Of(id): Of<CartId>,
    ask: Ask<Caller, Nothing>,
) -> Result<Response, Problem> {
    let ask = &ask.on_cart(id);
    let answer = app
        .run(ask, "cart.discard", |unit| async move {
            let mut cart = own(&unit, id, ask).await?;
            carts::discard(&unit, &mut cart)?;
            Ok(Reply::gone(cart.version))
        })
        .await?;
    // The response comes only when it is done, and the request can be repeated.
    app.commands.forget_cart(id).await?;
    Ok(answer)
}

/// Merges a guest's cart into the caller's cart.
///
/// The guest's cart is identified by its `Cart-Token`; the response is the caller's cart. Repeating the request changes nothing.
/// The guest's address is erased, since accounts have their own.
#[utoipa::path(post, path = "/v1/carts/{id}/merge", operation_id = "mergeCart", tag = "carts",
    params(("id" = String, Path), ("Cart-Token" = Option<String>, Header, description = "The token of the guest's cart")),
    security(("bearer" = [])), responses((status = 200, description = "The caller's cart", body = show::Cart)))]
async fn merge(State(app): State<Shared>, Of(id): Of<CartId>, ask: Ask<Member, Nothing>) -> Result<Response, Problem> {
    let (ask, days) = (&ask, app.trade.cart_days);
    let merged = app
        .run(ask, "cart.merge", |unit| async move {
            let guest = unit.load::<Cart>(id).await?.exists()?;
            let created = guest.state.live()?;
            let Member(caller, account) = &ask.who;
            if created.owner == Some(*account) {
                return shown(&unit, &guest).await;
            }
            // What is put into the caller's cart is a guest's: who may open it shows its token, not their account.
            if created.owner.is_some() || !caller.owns(None, created.token_hash.as_ref()) {
                return Err(Rejected::missing("cart").into());
            }
            unit.check_version(&guest)?;
            let own = carts::merge(&unit, guest, *account, days).await?;
            if !caller.owns(own.state.live()?.owner, None) {
                return Err(Rejected::missing("cart").into());
            }
            shown(&unit, &own).await
        })
        .await?;
    app.commands.forget_cart(id).await?;
    Ok(merged)
}

/// Places an order from the cart.
///
/// Reserves every line and opens a payment. Unpaid orders per account and guest checkouts per address and minute are
/// limited.
#[utoipa::path(post, path = "/v1/carts/{id}/checkout", operation_id = "checkOutCart",
    tag = "carts", params(("id" = String, Path)), request_body = Checkout, security(("cart_token" = []), ("bearer" = [])),
    responses((status = 201, description = "The order", body = show::Order),
        (status = 409, description = "The cart cannot be ordered as it is, or too many orders are unpaid")))]
async fn checkout(
    State(app): State<Shared>,
    Of(id): Of<CartId>,
    ask: Ask<Caller, Checkout>,
) -> Result<Response, Problem> {
    // Whose cart it is counts, not who asks: an account's orders are counted while unpaid, guests' checkouts by address.
    let found = app.commands.get::<Cart>(id).await?;
    if found.and_then(|cart| cart.state.live().ok().and_then(|cart| cart.owner)).is_none() {
        app.limits.checkouts(ask.who.address())?;
    }
    let hold = Hold { pay_within: app.pay_within, unpaid_orders: app.trade.unpaid_orders };
    let agreed = app.commands.agreed_total(id, ask.body.expected_total).await?;
    let ask = &ask.on_cart(id);
    app.run(ask, "cart.checkout", |unit| async move {
        let cart = own(&unit, id, ask).await?;
        let order = checkout::checkout(&unit, cart, hold, agreed).await?;
        let shown = show::Order::of(order.id, order.state.live()?);
        Reply::created(format!("/v1/orders/{}", order.id), order.version, &shown)
    })
    .await
}

/// One cart, with prices and with any problems that prevent checkout.
#[utoipa::path(get, path = "/v1/carts/{id}", operation_id = "getCart", tag = "carts", params(("id" = String, Path), Then),
    security(("cart_token" = []), ("bearer" = [])), responses((status = 200, description = "The cart", body = show::Cart)))]
async fn one(
    State(app): State<Shared>,
    Of(id): Of<CartId>,
    then: Then,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = readable(&app, id, &then, &caller, &headers).await?;
    let cart = found.state.live()?;
    let now = then.at.is_none().then(|| app.commands.clock().now());
    tell(&app, id, found.version, cart, now).await
}

/// The caller's open cart.
#[utoipa::path(get, path = "/v1/me/cart", operation_id = "getMyCart", tag = "carts", security(("bearer" = [])),
    responses((status = 200, description = "The cart", body = show::Cart), (status = 404, description = "The caller has no open cart")))]
async fn mine(State(app): State<Shared>, member: Member, headers: HeaderMap) -> Result<Response, Problem> {
    let Member(_, account) = member;
    app.await_log(&headers).await?;
    let id = app.commands.cart_of(account).await?.ok_or_else(|| Problem::missing("cart"))?;
    let found = app.snapshot::<Cart>(id, &Then::default(), &headers).await?;
    let now = app.commands.clock().now();
    let cart = found.state.open(now).map_err(|_| Problem::missing("cart"))?;
    tell(&app, id, found.version, cart, Some(now)).await
}

/// Answers a cart: priced when it is open and asked for as it is now.
async fn tell(
    app: &Shared,
    id: CartId,
    version: i64,
    cart: &Created,
    now: Option<DateTime<Utc>>,
) -> Result<Response, Problem> {
    let closed = now.and_then(|now| cart.why_closed(now));
    // What it became still shows a cart that was ordered or merged.
    if closed == Some(Rejection::Expired) {
        return Err(Rejection::Expired.into());
    }
    let priced = match now.filter(|_| closed.is_none()) {
        Some(now) => Some(price::price(Reading::Asking(&app.commands), cart, now).await?),
        None => None,
    };
    let response = reply::one(version, &show::Cart::of(&app.commands, id, cart, priced.as_ref()))?;
    Ok(total::showing(response, id, cart_total::total_to_remember(cart, priced.as_ref())))
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(one, discard))
        .routes(routes!(mine))
        .routes(routes!(set_line, remove_line))
        .routes(routes!(address::set_address))
        .routes(routes!(set_coupons, remove_coupons))
        .routes(routes!(merge))
        .routes(routes!(checkout))
}
