//! Shipping: the book of zones and services, and what sending something costs.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::price::{self, Parcel};
use byteshop_commands::use_cases::{self, carts};
use byteshop_domain::cart::Destination;
use byteshop_domain::ids::{CartId, SellerId};
use byteshop_domain::money::Price;
use byteshop_domain::pricing::Whereto;
use byteshop_domain::pricing::shipping::{Choice, arrival, choices};
use byteshop_domain::shipping_book::{self, Days, ShippingBook, Zone};
use byteshop_domain::text::{Country, Name, PostalCode, Slug};
use byteshop_domain::{Bounded, Currency};
use chrono::{DateTime, NaiveDate, Utc};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::carts::visible::{own, readable, shown};
use super::show;
use crate::app::Shared;
use crate::edge::actor::{Admin, Caller, Staff};
use crate::edge::ask::{Ask, Of};
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::edge::{conditional, lists};

/// The zones of a book.
type ZoneList = Bounded<Vec<Zone>, { shipping_book::ZONES_MAX }>;

/// Zones and their shipping services.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"zones": [{"zone": "germany", "name": "Germany", "countries": ["DE"], "services": [{"service": "parcel", "name": "Parcel", "carrier": "DHL", "bands": [{"up_to_g": 5000, "prices": [{"amount": 499, "currency": "EUR"}]}], "days": {"min": 1, "max": 3}}]}]}))]
pub(super) struct Zones {
    /// Without duplicates; countries outside all zones are not delivered to. Without any zone, shipping is free
    /// everywhere.
    pub(super) zones: ZoneList,
}

/// Zones and their shipping services.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    zones: Vec<&'a Zone>,
}

impl<'a> Shown<'a> {
    pub(super) fn of(book: &'a ShippingBook) -> Self {
        Self { zones: book.zones.values().collect() }
    }
}

/// Replaces all shipping zones.
///
/// Orders already placed keep their rates. `If-Match` is required.
#[utoipa::path(put, path = "/v1/admin/shipping", operation_id = "replaceShippingZones",
    tag = "shipping", request_body = Zones, security(("bearer" = ["admin"]), ("api_key" = ["settings:write"])),
    responses((status = 200, description = "The zones", body = Zones),
        (status = 428, description = "`If-Match` is missing")))]
async fn set(State(app): State<Shared>, ask: Ask<Admin, Zones>) -> Result<Response, Problem> {
    conditional::require(ask.if_match.as_ref())?;
    let ask = &ask;
    app.run(ask, "shipping_book.set", |unit| async move {
        let mut book = unit.load::<ShippingBook>(shipping_book::id()).await?;
        unit.check_version(&book)?;
        use_cases::shipping_book::set(&unit, &mut book, ask.body.zones.to_vec())?;
        Reply::ok(book.version, &Shown::of(&book.state))
    })
    .await
}

/// All shipping zones.
#[utoipa::path(get, path = "/v1/admin/shipping", operation_id = "getShippingZones",
    tag = "shipping", security(("bearer" = ["staff"])),
    responses((status = 200, description = "The zones", body = Zones)))]
async fn zones(State(app): State<Shared>, _staff: Staff, headers: HeaderMap) -> Result<Response, Problem> {
    app.await_log(&headers).await?;
    let found = app.commands.get::<ShippingBook>(shipping_book::id()).await?;
    match found {
        Some(found) => reply::one(found.version, &Shown::of(&found.state)),
        None => reply::one(0, &Shown::of(&ShippingBook::default())),
    }
}

/// A delivery to quote.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"country": "DE", "postal_code": "10115", "currency": "EUR", "weight_g": 1200}))]
struct Wanted {
    /// ISO 3166 alpha-2 country code.
    #[schema(default = json!({"x-schema": {"example": "DE", "pattern": "^[A-Za-z]{2}$"}}))]
    country: Country,
    #[schema(default = json!({"x-schema": {"example": "10115"}}))]
    postal_code: Option<PostalCode>,
    currency: Currency,
    /// The weight in grams; ignored if `lines` is given.
    #[serde(default)]
    #[schema(maximum = 1_000_000_000)]
    weight_g: u32,
    /// The goods.
    #[serde(default)]
    lines: show::LineQuantities,
}

/// A shipping service.
#[derive(Serialize, ToSchema)]
struct Offered<'a> {
    zone: &'a Slug,
    /// The service, for `PUT /v1/carts/{id}/shipping`.
    #[schema(default = json!({"x-schema": {"example": "parcel"}}))]
    service: &'a Slug,
    name: &'a Name,
    carrier: Option<&'a Name>,
    price: Price,
    days: Days,
    /// The earliest delivery day, if dispatched today.
    earliest: NaiveDate,
    /// The latest delivery day, if dispatched today.
    latest: NaiveDate,
}

#[derive(Serialize, ToSchema)]
struct OfferedList<'a> {
    /// The weight in grams.
    weight_g: u64,
    /// Cheapest first; empty if nothing is shipped or shipping is free.
    items: Vec<Offered<'a>>,
    /// What sellers with prices of their own offer for their goods.
    sellers: Vec<OfferedBySeller<'a>>,
}

/// What a seller with prices of its own offers for its goods.
#[derive(Serialize, ToSchema)]
struct OfferedBySeller<'a> {
    seller: SellerId,
    /// The weight in grams.
    weight_g: u64,
    /// Cheapest first.
    items: Vec<Offered<'a>>,
}

impl<'a> Offered<'a> {
    fn of(choice: &Choice<'a>, at: DateTime<Utc>) -> Self {
        let (earliest, latest) = arrival(at, choice.service.days);
        Self {
            zone: &choice.zone.zone,
            service: &choice.service.service,
            name: &choice.service.name,
            carrier: choice.service.carrier.as_ref(),
            price: choice.price,
            days: choice.service.days,
            earliest,
            latest,
        }
    }
}

/// Quotes the price of a delivery.
#[utoipa::path(post, path = "/v1/delivery/quotes", operation_id = "quoteDelivery",
    tag = "shipping", request_body = Wanted, security(()),
    responses((status = 200, description = "The services", body = OfferedList)))]
async fn quote(State(app): State<Shared>, ask: Ask<Caller, Wanted>) -> Result<Response, Problem> {
    let body = &ask.body;
    let lines: Vec<_> = body.lines.iter().map(|line| (line.variant, line.quantity)).collect();
    let mut parcels = price::parcels(&app.commands, &lines, body.currency).await?;
    if body.lines.is_empty() {
        for parcel in &mut parcels {
            parcel.weight_g = u64::from(body.weight_g);
        }
    }
    let area = body.postal_code.as_ref().and_then(Destination::area_of);
    let to = Whereto { country: &body.country, area: area.as_ref() };
    offer(&app, to, &parcels)
}

/// Lists the shipping services available for a cart.
#[utoipa::path(get, path = "/v1/carts/{id}/shipping-options", operation_id = "listShippingOptions",
    tag = "carts", params(("id" = String, Path)),
    security(("cart_token" = []), ("bearer" = [])), responses((status = 200, description = "The services", body = OfferedList),
        (status = 422, description = "The cart has no destination yet")))]
async fn options(
    State(app): State<Shared>,
    Of(id): Of<CartId>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = readable(&app, id, &Then::default(), &caller, &headers).await?;
    let cart = found.state.open(app.commands.clock().now())?;
    let lines: Vec<_> = cart.lines.iter().map(|line| (line.variant, line.quantity)).collect();
    let parcels = price::parcels(&app.commands, &lines, cart.currency).await?;
    let to = cart.destination.as_ref().ok_or_else(carts::no_destination)?;
    let to = Whereto { country: &to.country, area: to.area.as_ref() };
    offer(&app, to, &parcels)
}

/// The services that ship a parcel, cheapest first.
fn services<'a>(parcel: &'a Parcel, to: Whereto<'_>, at: DateTime<Utc>) -> Vec<Offered<'a>> {
    let found = choices(&parcel.book, to, parcel.weight_g, parcel.subtotal.currency, parcel.subtotal);
    found.iter().map(|choice| Offered::of(choice, at)).collect()
}

/// The services of the seller that ships a parcel; none if the house does.
fn of_seller<'a>(parcel: &'a Parcel, to: Whereto<'_>, at: DateTime<Utc>) -> Option<OfferedBySeller<'a>> {
    Some(OfferedBySeller { seller: parcel.seller?, weight_g: parcel.weight_g, items: services(parcel, to, at) })
}

fn offer(app: &Shared, to: Whereto<'_>, parcels: &[Parcel]) -> Result<Response, Problem> {
    let now = app.commands.clock().now();
    // If sellers ship everything, the house has nothing to offer.
    let is_all = parcels.len() == 1;
    let house = parcels.iter().find(|parcel| parcel.seller.is_none() && (is_all || parcel.lines > 0));
    lists::page(&OfferedList {
        weight_g: house.map_or(0, |parcel| parcel.weight_g),
        items: house.map(|parcel| services(parcel, to, now)).unwrap_or_default(),
        sellers: parcels.iter().filter_map(|parcel| of_seller(parcel, to, now)).collect(),
    })
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"service": "parcel"}))]
struct ShippingChoice {
    /// One of the cart's shipping options.
    #[schema(default = json!({"x-schema": {"example": "parcel"}}))]
    service: Slug,
    /// The seller with prices of its own whose goods are shipped by it; the house and all other sellers by default.
    seller: Option<SellerId>,
}

/// Chooses the shipping service of a cart.
///
/// Until one is chosen for the goods of a seller with prices of its own, they are shipped by its service of the same name, or else by its
/// cheapest one.
#[utoipa::path(put, path = "/v1/carts/{id}/shipping", operation_id = "setCartShipping",
    tag = "carts", params(("id" = String, Path)),
    request_body = ShippingChoice, security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "The cart", body = show::Cart)))]
async fn choose(
    State(app): State<Shared>,
    Of(id): Of<CartId>,
    ask: Ask<Caller, ShippingChoice>,
) -> Result<Response, Problem> {
    let ask = &ask.on_cart(id);
    app.run(ask, "cart.choose_shipping", |unit| async move {
        let mut cart = own(&unit, id, ask).await?;
        carts::choose_shipping(&unit, &mut cart, &ask.body.service, ask.body.seller).await?;
        shown(&unit, &cart).await
    })
    .await
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(set, zones))
        .routes(routes!(quote))
        .routes(routes!(options))
        .routes(routes!(choose))
}
