//! Carts: a guest's, opened by a token, or a customer's; and the checkout that turns one into an order.

mod address;

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::cases::{self, Hold, Priced, Reading};
use byteshop_commands::{Error, Loaded, Rejected, Snapshot, Unit};
use byteshop_domain::account::Secret;
use byteshop_domain::cart::{CODES_MAX, Cart, Command, Created, Rejection};
use byteshop_domain::ids::{CartId, OrderId, PaymentId, VariantId};
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

use super::Shared;
use super::ask::{Ask, Nothing, Of, OfTwo, Params, Then};
use super::openapi::max;
use super::orders::placed;
use super::show;
use crate::actor::{Caller, Member, new_cart_token};
use crate::problem::Problem;
use crate::reply::{self, Reply};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCart {
    /// ISO 4217: the currency of everything in it.
    #[schema(value_type = String, example = "EUR", min_length = 3, max_length = 3)]
    currency: Currency,
}

/// A new cart, and a guest's token of it: it is told this once.
#[derive(Serialize, ToSchema)]
struct CartCreated<'a> {
    #[serde(flatten)]
    cart: show::Cart<'a>,
    /// To be sent as `Cart-Token`; null for a cart that belongs to an account.
    #[schema(value_type = Option<String>)]
    cart_token: Option<&'a Personal<Secret>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LineChange {
    /// How many there are to be.
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000)]
    quantity: Quantity,
}

/// Codes of a cart.
type Codes = Bounded<Vec<CouponCode>, CODES_MAX>;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Coupons {
    /// The code; capitals do not count.
    #[schema(value_type = Option<String>, example = "SPRING-26", min_length = 3, default = max::<CouponCode>)]
    code: Option<CouponCode>,
    /// Several codes at once, which are given together only if all of them may be; none takes them all back.
    #[schema(value_type = Option<Vec<String>>, default = max::<Codes>)]
    codes: Option<Codes>,
}

/// How an order is to be placed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Checkout {
    /// The total that the buyer was shown: nothing is placed at another one.
    #[schema(value_type = Option<show::Money>)]
    expected_total: Option<Money>,
}

/// An order that was a cart.
#[derive(Serialize, ToSchema)]
struct CheckedOut<'a> {
    #[schema(value_type = String)]
    order_id: OrderId,
    #[schema(value_type = String)]
    payment_id: PaymentId,
    order: show::Order<'a>,
}

/// Makes an empty cart for a guest. Somebody with an account has one in each currency: it is made if need be, answered with 200
/// if it is there already, and from then on the one that `/v1/me/cart` gives.
#[utoipa::path(post, path = "/v1/carts", tag = "carts", request_body = NewCart, security((), ("bearer" = [])),
    responses((status = 201, description = "The cart", body = CartCreated), (status = 200, description = "The cart that there is", body = CartCreated)))]
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
            (Some(account), _) => cases::open_cart(&unit, account, currency, days).await?,
            (None, guest) => {
                let mut cart = unit.start::<Cart>(unit.new_id());
                let token_hash = guest.as_ref().map(|(_, hash)| hash.clone());
                unit.decide(&mut cart, &Command::Create { owner, token_hash, currency, days })?;
                (cart, true)
            }
        };
        let cart_token = guest.as_ref().map(|(token, _)| token);
        let (created, priced) = priced(&unit, &cart).await?;
        let shown = CartCreated { cart: show::Cart::of(cart.id, created, priced.as_ref()), cart_token };
        if new {
            Reply::created(format!("/v1/carts/{}", cart.id), cart.version, &shown)
        } else {
            Reply::ok(cart.version, &shown)
        }
    })
    .await
}

/// Puts so many of a variant into the cart, at today's price.
#[utoipa::path(put, path = "/v1/carts/{id}/lines/{variant}", tag = "carts",
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
        cases::set_line(&unit, &mut cart, variant, quantity).await?;
        shown(&unit, &cart).await
    })
    .await
}

/// Takes a variant out of the cart.
#[utoipa::path(delete, path = "/v1/carts/{id}/lines/{variant}", tag = "carts",
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
        unit.decide(&mut cart, &Command::RemoveLine { variant })?;
        shown(&unit, &cart).await
    })
    .await
}

/// Enters codes: these, and no others.
#[utoipa::path(put, path = "/v1/carts/{id}/coupon", tag = "carts", params(("id" = String, Path)), request_body = Coupons,
    security(("cart_token" = []), ("bearer" = [])), responses((status = 200, description = "The cart", body = show::Cart)))]
async fn set_coupon(
    State(app): State<Shared>,
    Of(id): Of<CartId>,
    ask: Ask<Caller, Coupons>,
) -> Result<Response, Problem> {
    if ask.body.code.is_none() && ask.body.codes.is_none() {
        return Err(Problem::invalid("/code", "missing field `code`, or `codes` in its place"));
    }
    // Codes are guessed like passwords; but who has entered many must still be able to log in.
    app.limits.coupons(ask.who.address())?;
    let ask = &ask.on_cart(id);
    let codes: Vec<CouponCode> = ask.body.code.iter().chain(ask.body.codes.iter().flatten()).cloned().collect();
    let codes = &codes;
    app.run(ask, "cart.set_coupon", |unit| async move {
        let mut cart = own(&unit, id, ask).await?;
        cases::set_coupons(&unit, &mut cart, codes).await?;
        shown(&unit, &cart).await
    })
    .await
}

/// Takes the codes back.
#[utoipa::path(delete, path = "/v1/carts/{id}/coupon", tag = "carts", params(("id" = String, Path)),
    security(("cart_token" = []), ("bearer" = [])), responses((status = 200, description = "The cart", body = show::Cart)))]
async fn remove_coupon(
    State(app): State<Shared>,
    Of(id): Of<CartId>,
    ask: Ask<Caller, Nothing>,
) -> Result<Response, Problem> {
    let ask = &ask.on_cart(id);
    app.run(ask, "cart.remove_coupon", |unit| async move {
        let mut cart = own(&unit, id, ask).await?;
        cases::set_coupons(&unit, &mut cart, &[]).await?;
        shown(&unit, &cart).await
    })
    .await
}

/// Gives the cart up. What a guest wrote into it, the address above all, can be read by nobody any more; so it is for a cart
/// that was put into another one, and for one that was given up before. Of one that became an order: `DELETE
/// /v1/orders/{id}/buyer`.
#[utoipa::path(delete, path = "/v1/carts/{id}", tag = "carts", params(("id" = String, Path)),
    security(("cart_token" = []), ("bearer" = [])), responses((status = 204, description = "It is given up")))]
async fn discard(
    State(app): State<Shared>,
    Of(id): Of<CartId>,
    ask: Ask<Caller, Nothing>,
) -> Result<Response, Problem> {
    let ask = &ask.on_cart(id);
    let answer = app
        .run(ask, "cart.discard", |unit| async move {
            let mut cart = own(&unit, id, ask).await?;
            unit.decide(&mut cart, &Command::Discard {})?;
            Ok(Reply::gone(cart.version))
        })
        .await?;
    // Whoever asks hears of it only when it is done, and may ask again.
    app.commands.forget_cart(id).await?;
    Ok(answer)
}

/// Puts a guest's cart, which is shown by its token, into the caller's own; answers the caller's. Again, nothing happens. The
/// address that the guest gave is forgotten: whoever has an account has their own.
#[utoipa::path(post, path = "/v1/carts/{id}/merge", tag = "carts",
    params(("id" = String, Path), ("Cart-Token" = Option<String>, Header, description = "The token of the guest's cart")),
    security(("bearer" = [])), responses((status = 200, description = "The caller's cart", body = show::Cart)))]
async fn merge(State(app): State<Shared>, Of(id): Of<CartId>, ask: Ask<Member, Nothing>) -> Result<Response, Problem> {
    let (ask, days) = (&ask, app.trade.cart_days);
    let merged = app
        .run(ask, "cart.merge", |unit| async move {
            let guest = unit.load::<Cart>(id).await?.exists()?;
            let created = known(&guest.state)?;
            let Member(caller, account) = &ask.who;
            if created.owner == Some(*account) {
                return shown(&unit, &guest).await;
            }
            // What is put into the caller's cart is a guest's: who may open it shows its token, not their account.
            if created.owner.is_some() || !caller.owns(None, created.token_hash.as_ref()) {
                return Err(Error::Rejected(Rejected::missing("cart")));
            }
            unit.check_version(&guest)?;
            let own = cases::merge(&unit, guest, *account, days).await?;
            if !caller.owns(known(&own.state)?.owner, None) {
                return Err(Error::Rejected(Rejected::missing("cart")));
            }
            shown(&unit, &own).await
        })
        .await?;
    app.commands.forget_cart(id).await?;
    Ok(merged)
}

/// Turns the cart into an order: every line is reserved, and a payment opened. An account may have so many orders that wait for
/// their payment, and one address checks out so many guests' carts a minute, with an access token beside the cart's or without.
#[utoipa::path(post, path = "/v1/carts/{id}/checkout", tag = "carts", params(("id" = String, Path)), request_body = Checkout,
    security(("cart_token" = []), ("bearer" = [])),
    responses((status = 201, description = "The order", body = CheckedOut),
        (status = 409, description = "It cannot be bought as it is, or too many orders wait for their payment")))]
async fn checkout(
    State(app): State<Shared>,
    Of(id): Of<CartId>,
    ask: Ask<Caller, Checkout>,
) -> Result<Response, Problem> {
    // Whose the cart is counts, not who asks: orders of an account are counted as far as they wait for their payment, and those
    // of a guest's cart by the address, whatever token is shown beside that of the cart.
    let found = app.commands.get::<Cart>(id).await?;
    if found.and_then(|cart| cart.state.existing().ok().and_then(|cart| cart.owner)).is_none() {
        app.limits.checkouts(ask.who.address())?;
    }
    let hold = Hold { pay_within: app.pay_within, unpaid_orders: app.trade.unpaid_orders };
    let ask = &ask.on_cart(id);
    let expected = ask.body.expected_total;
    app.run(ask, "cart.checkout", |unit| async move {
        let cart = own(&unit, id, ask).await?;
        let cases::CheckedOut { order, payment } = cases::checkout(&unit, cart, hold, expected).await?;
        let placed = placed(&order.state)?;
        let body = CheckedOut { order_id: order.id, payment_id: payment, order: show::Order::of(order.id, placed) };
        Reply::created(format!("/v1/orders/{}", order.id), order.version, &body)
    })
    .await
}

/// One cart, with what keeps it from being bought as it is.
#[utoipa::path(get, path = "/v1/carts/{id}", tag = "carts", params(("id" = String, Path), Then),
    security(("cart_token" = []), ("bearer" = [])), responses((status = 200, description = "The cart", body = show::Cart)))]
async fn one(
    State(app): State<Shared>,
    Of(id): Of<CartId>,
    Params(then): Params<Then>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = readable(&app, id, &then, &caller, &headers).await?;
    let cart = known(&found.state)?;
    let now = then.at.is_none().then(|| app.commands.clock().now());
    tell(&app, id, found.version, cart, now).await
}

/// The caller's own open cart.
#[utoipa::path(get, path = "/v1/me/cart", tag = "carts", security(("bearer" = [])),
    responses((status = 200, description = "The cart", body = show::Cart), (status = 404, description = "There is none")))]
async fn mine(State(app): State<Shared>, member: Member, headers: HeaderMap) -> Result<Response, Problem> {
    let Member(_, account) = member;
    app.await_log(&headers).await?;
    let id = app.commands.cart_of(account).await?.ok_or_else(|| Problem::missing("cart"))?;
    let found = app.snapshot::<Cart>(id, &Then::default(), &headers).await?;
    let now = app.commands.clock().now();
    let cart = found.state.open(now).map_err(|_| Problem::missing("cart"))?;
    tell(&app, id, found.version, cart, Some(now)).await
}

/// A cart that the caller may see; to all others there is no such cart.
pub(super) async fn readable(
    app: &Shared,
    id: CartId,
    then: &Then,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<Snapshot<Cart>, Problem> {
    let found = app.snapshot::<Cart>(id, then, headers).await?;
    let cart = known(&found.state)?;
    if !caller.owns(cart.owner, cart.token_hash.as_ref()) {
        return Err(Problem::missing("cart"));
    }
    Ok(found)
}

/// Answers a cart: priced when it is open and asked for as it is now.
async fn tell(
    app: &Shared,
    id: CartId,
    version: i64,
    cart: &Created,
    now: Option<DateTime<Utc>>,
) -> Result<Response, Problem> {
    if now.is_some_and(|now| cart.is_given_up(now)) && cart.order.is_none() && cart.merged_into.is_none() {
        return Err(Error::Rejected(Rejected::of::<Cart>(&Rejection::Expired)).into());
    }
    let priced = match now.filter(|_| cart.order.is_none() && cart.merged_into.is_none()) {
        Some(now) => Some(cases::price(Reading::Asking(&app.commands), cart, now).await?),
        None => None,
    };
    reply::one(version, &show::Cart::of(id, cart, priced.as_ref()))
}

/// A cart that the caller may open; to all others there is no such cart.
pub(super) async fn own<T: Send + Sync>(unit: &Unit, id: CartId, ask: &Ask<Caller, T>) -> Result<Loaded<Cart>, Error> {
    let cart = unit.load::<Cart>(id).await?.exists()?;
    let created = known(&cart.state)?;
    if !ask.who.owns(created.owner, created.token_hash.as_ref()) {
        return Err(Error::Rejected(Rejected::missing("cart")));
    }
    // Only now: a version would tell a stranger that there is a cart.
    unit.check_version(&cart)?;
    Ok(cart)
}

/// A cart with what it costs, as far as this process knows: it is beside the decision, and holds it up for nobody.
async fn priced<'a>(unit: &Unit, cart: &'a Loaded<Cart>) -> Result<(&'a Created, Option<Priced>), Error> {
    let created = known(&cart.state)?;
    let open = cart.state.open(unit.asked().at).is_ok();
    let priced = if open { Some(cases::price(Reading::Glancing(unit), created, unit.asked().at).await?) } else { None };
    Ok((created, priced))
}

pub(super) async fn shown(unit: &Unit, cart: &Loaded<Cart>) -> Result<Reply, Error> {
    let (created, priced) = priced(unit, cart).await?;
    Reply::ok(cart.version, &show::Cart::of(cart.id, created, priced.as_ref()))
}

fn known(cart: &Cart) -> Result<&Created, Error> {
    cart.existing().map_err(|rejection| Error::Rejected(Rejected::of::<Cart>(&rejection)))
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(one, discard))
        .routes(routes!(mine))
        .routes(routes!(set_line, remove_line))
        .routes(routes!(address::set_address))
        .routes(routes!(set_coupon, remove_coupon))
        .routes(routes!(merge))
        .routes(routes!(checkout))
}
