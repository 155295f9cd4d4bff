//! Carts: a guest's, opened by a token, or a customer's; and the checkout that turns one into an order.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::{Error, Loaded, Rejected, Unit, cases};
use byteshop_domain::address::Address;
use byteshop_domain::cart::{Cart, Command, Created, Destination, Offer, Problem as CartProblem};
use byteshop_domain::ids::{CartId, OrderId, PaymentId, ProductId, VariantId};
use byteshop_domain::product::Product;
use byteshop_domain::quantity::Quantity;
use byteshop_domain::stock::StockLevel;
use byteshop_domain::{Currency, Locale, Subject};
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::ask::{Ask, Nothing, Of, OfTwo, Params, Then};
use super::orders::placed;
use super::show;
use crate::actor::{Caller, new_cart_token};
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
    cart_token: Option<&'a str>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LineChange {
    /// How many there are to be.
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000)]
    quantity: Quantity,
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

/// Makes an empty cart: the caller's, or a guest's.
#[utoipa::path(post, path = "/v1/carts", tag = "carts", request_body = NewCart, security((), ("bearer" = [])),
    responses((status = 201, description = "The cart", body = CartCreated)))]
async fn create(State(app): State<Shared>, ask: Ask<Caller, NewCart>) -> Result<Response, Problem> {
    let owner = ask.who.account();
    let guest = if owner.is_none() { Some(new_cart_token()?) } else { None };
    let (guest, currency) = (&guest, ask.body.currency);
    app.run(&ask, "cart.create", |unit| async move {
        let id: CartId = unit.new_id();
        let mut cart = unit.start::<Cart>(id);
        let token_hash = guest.as_ref().map(|(_, hash)| hash.clone());
        unit.decide(&mut cart, &Command::Create { owner, token_hash, currency })?;
        let cart_token = guest.as_ref().map(|(token, _)| token.as_str());
        let shown = CartCreated { cart: show::Cart::of(id, known(&cart.state)?, None), cart_token };
        Reply::created(format!("/v1/carts/{id}"), cart.version, &shown)
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
        shown(&cart)
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
        shown(&cart)
    })
    .await
}

/// Says where the goods go.
#[utoipa::path(put, path = "/v1/carts/{id}/address", tag = "carts", params(("id" = String, Path)), request_body = show::Address,
    security(("cart_token" = []), ("bearer" = [])), responses((status = 200, description = "The cart", body = show::Cart)))]
async fn set_address(
    State(app): State<Shared>,
    Of(id): Of<CartId>,
    headers: HeaderMap,
    ask: Ask<Caller, Address>,
) -> Result<Response, Problem> {
    let ask = &ask.on_cart(id);
    let language = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let locale = language.and_then(Locale::accepted);
    app.run(ask, "cart.set_address", |unit| async move {
        let mut cart = own(&unit, id, ask).await?;
        let subject = Subject::of_cart(id, known(&cart.state)?.owner);
        let address = unit.commands().vault().seal(subject, &ask.body).await?;
        let destination = Destination {
            area: ask.body.postal_code.as_ref().and_then(Destination::area_of),
            address: Some(address),
            locale,
            ..Destination::to(ask.body.country.clone())
        };
        unit.decide(&mut cart, &Command::SetDestination { destination })?;
        shown(&cart)
    })
    .await
}

/// Turns the cart into an order: every line is reserved, and a payment opened.
#[utoipa::path(post, path = "/v1/carts/{id}/checkout", tag = "carts", params(("id" = String, Path)),
    security(("cart_token" = []), ("bearer" = [])),
    responses((status = 201, description = "The order", body = CheckedOut)))]
async fn checkout(
    State(app): State<Shared>,
    Of(id): Of<CartId>,
    ask: Ask<Caller, Nothing>,
) -> Result<Response, Problem> {
    let (ask, pay_within) = (&ask.on_cart(id), app.pay_within);
    app.run(ask, "cart.checkout", |unit| async move {
        let cart = own(&unit, id, ask).await?;
        let cases::CheckedOut { order, payment } = cases::checkout(&unit, cart, pay_within).await?;
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
    let found = app.snapshot::<Cart>(id, &then, &headers).await?;
    let cart = known(&found.state)?;
    if !caller.owns(cart.owner, cart.token_hash.as_ref()) {
        return Err(Problem::missing("cart"));
    }
    let open = cart.order.is_none() && then.at.is_none();
    let problems = if open { Some(problems(&app, cart).await?) } else { None };
    reply::one(found.version, &show::Cart::of(id, cart, problems))
}

/// A cart that the caller may open; to all others there is no such cart.
async fn own<T: Send + Sync>(unit: &Unit, id: CartId, ask: &Ask<Caller, T>) -> Result<Loaded<Cart>, Error> {
    let cart = unit.load::<Cart>(id).await?.exists()?;
    let created = known(&cart.state)?;
    if !ask.who.owns(created.owner, created.token_hash.as_ref()) {
        return Err(Error::Rejected(Rejected::missing("cart")));
    }
    // Only now: a version would tell a stranger that there is a cart.
    unit.check_version(&cart)?;
    Ok(cart)
}

fn shown(cart: &Loaded<Cart>) -> Result<Reply, Error> {
    Reply::ok(cart.version, &show::Cart::of(cart.id, known(&cart.state)?, None))
}

fn known(cart: &Cart) -> Result<&Created, Error> {
    cart.existing().map_err(|rejection| Error::Rejected(Rejected::of::<Cart>(&rejection)))
}

/// What keeps a cart from being bought as it is: its lines beside what is offered now.
async fn problems(app: &Shared, cart: &Created) -> Result<Vec<CartProblem>, Error> {
    let variants: Vec<VariantId> = cart.lines.iter().map(|line| line.variant).collect();
    let mut products: Vec<ProductId> = cart.lines.iter().map(|line| line.product).collect();
    products.sort_unstable();
    products.dedup();
    let (stocks, found) =
        tokio::try_join!(app.commands.get_all::<StockLevel>(&variants), app.commands.get_all::<Product>(&products))?;
    let products: BTreeMap<ProductId, _> = products.into_iter().zip(found).collect();
    let offer = |(line, stock): (&byteshop_domain::cart::Line, &Option<byteshop_commands::Snapshot<StockLevel>>)| {
        let (product, stock) = (products.get(&line.product)?.as_ref()?, stock.as_ref()?);
        Some((line.variant, Offer::of(&product.state, line.variant, &stock.state, cart.currency)?))
    };
    let offers: BTreeMap<VariantId, Offer> = cart.lines.iter().zip(&stocks).filter_map(offer).collect();
    Ok(cart.problems(&offers))
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(one))
        .routes(routes!(set_line, remove_line))
        .routes(routes!(set_address))
        .routes(routes!(checkout))
}
