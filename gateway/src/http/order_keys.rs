//! The keys of an order, for its buyer alone: not even staff sees them. Showing a key is recorded, because a key that was seen may be
//! used.

use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use byteshop_commands::links::Target;
use byteshop_commands::use_cases::keys::{self, Revealed};
use byteshop_commands::{Error, Intent, Loaded, Rejected, Unit};
use byteshop_domain::ids::{Id as _, OrderId, VariantId};
use byteshop_domain::order::{Number, Order, Placed, Rejection, Wanted};
use byteshop_domain::quantity::Quantity;
use byteshop_domain::text::{LicenceKey, Sku, Title};
use byteshop_domain::{Locale, Personal};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::{App, Shared};
use crate::edge::actor::Caller;
use crate::edge::ask::{Ask, Of, Params};
use crate::edge::by_link::{ByLink, Shut};
use crate::edge::page::page;
use crate::edge::problem::Problem;
use crate::edge::reply::Reply;
use crate::http::language::accepted;

/// Bytes of the form behind the button of the page; nothing of it is read.
const FORM_MAX: usize = 1 << 10;

/// The keys to show.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"variant": "var_01h455vb4pex5vsknk084sn02q", "from": 1, "quantity": 1}))]
struct Reveal {
    /// The variant; all of the order by default.
    variant: Option<VariantId>,
    /// The number of the first key to show, from 1; keys are revealed in their order. Needs `variant`.
    from: Option<Quantity>,
    /// How many keys to show; all by default, and at most 1,000 in one answer. Needs `variant`.
    quantity: Option<Quantity>,
}

impl Reveal {
    fn wanted(&self) -> Result<Wanted, Problem> {
        if self.variant.is_none() && (self.from.is_some() || self.quantity.is_some()) {
            return Err(Problem::invalid("/variant", "with from or quantity, name the variant"));
        }
        Ok(Wanted { variant: self.variant, from: self.from.unwrap_or(Quantity::ONE), quantity: self.quantity })
    }
}

/// The keys of an order.
#[derive(Serialize, ToSchema)]
struct OrderKeys<'a> {
    order: OrderId,
    lines: Vec<KeyLine<'a>>,
}

/// The keys of a variant in an order.
#[derive(Serialize, ToSchema)]
struct KeyLine<'a> {
    variant: VariantId,
    sku: &'a Sku,
    title: &'a Title,
    /// The number of the first of these keys, from 1.
    from: i64,
    keys: Vec<Personal<LicenceKey>>,
    /// How many more keys there are after these.
    more: i64,
}

impl<'a> OrderKeys<'a> {
    fn of(order: OrderId, placed: &'a Placed, revealed: Vec<Revealed>) -> Self {
        let line = |it: Revealed| {
            let line = placed.placement.lines.iter().find(|line| line.variant == it.variant)?;
            let (sku, title) = (&line.sku, &line.title);
            Some(KeyLine { variant: it.variant, sku, title, from: it.from, keys: it.keys, more: it.more })
        };
        Self { order, lines: revealed.into_iter().filter_map(line).collect() }
    }
}

/// Whether a link to the order or to its keys came with the request, which opens the keys of a guest's order.
async fn is_opened(app: &App, id: OrderId, link: &ByLink) -> Result<bool, Problem> {
    match link.opens(app, &[Target::Keys(id), Target::Order(id)]).await? {
        None => Ok(false),
        Some(opened) => Ok(opened.map(|()| true)?),
    }
}

/// Refuses an order whose keys are not the caller's to see: staff knows of the order, for all others there is none.
fn check(caller: &Caller, placed: &Placed, by_link: bool) -> Result<(), Error> {
    let placement = &placed.placement;
    // Accounts log in; a guest may have nothing but the link.
    let opens = by_link && placement.buyer.account.is_none();
    if opens || caller.owns(placement.buyer.account, placement.access_hash.as_ref()) {
        return Ok(());
    }
    if caller.is_staff() { Err(Rejection::KeysOfBuyer.into()) } else { Err(Rejected::missing("order").into()) }
}

async fn owned(unit: &Unit, id: OrderId, caller: &Caller, by_link: bool) -> Result<Loaded<Order>, Error> {
    let order = unit.load::<Order>(id).await?.exists()?;
    check(caller, order.state.live()?, by_link)?;
    Ok(order)
}

/// The request with the cart that the order was, so that the log names the guest as it did at checkout.
async fn named<T>(app: &App, ask: Ask<Caller, T>, id: OrderId, by_link: bool) -> Result<Ask<Caller, T>, Error> {
    let order = app.commands.seen::<Order>(id).await?;
    let placed = order.as_ref().and_then(|order| order.live().ok());
    let is_guest = ask.who.account().is_none() && ask.who.key().is_none();
    let placed = placed.filter(|placed| is_guest && check(&ask.who, placed, by_link).is_ok());
    Ok(match placed.and_then(|placed| placed.placement.cart) {
        Some(cart) => ask.on_cart(cart),
        None => ask,
    })
}

/// Reveals keys of an order to its buyer.
///
/// The first time that a key is shown is recorded. Guests use the token of their cart, or the signed query of a link in their mails.
/// Keys of pieces that are given back, or that a return was requested for, are not shown.
#[utoipa::path(post, path = "/v1/orders/{id}/keys/reveal", operation_id = "revealKeys",
    tag = "orders", params(("id" = String, Path), ByLink), request_body = Reveal,
    security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "The keys", body = OrderKeys)))]
async fn reveal(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    Params(link): Params<ByLink>,
    ask: Ask<Caller, Reveal>,
) -> Result<Response, Problem> {
    let by_link = is_opened(&app, id, &link).await?;
    let ask = &named(&app, ask, id, by_link).await?;
    let wanted = &ask.body.wanted()?;
    app.run(ask, "order.reveal_keys", |unit| async move {
        let mut order = owned(&unit, id, &ask.who, by_link).await?;
        unit.check_version(&order)?;
        let revealed = keys::reveal(&unit, &mut order, wanted).await?;
        Reply::ok(order.version, &OrderKeys::of(id, order.state.live()?, revealed))
    })
    .await
}

/// How the page is to be read, and what opens it.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PageQuery {
    /// The language, `en` or `ru`; taken from `Accept-Language` by default.
    locale: Option<Locale>,
    /// The expiry of the link, in seconds since 1970; part of a signed link.
    until: Option<i64>,
    /// The signature of the link.
    #[param(max_length = 64)]
    seal: Option<String>,
}

impl PageQuery {
    fn locale(&self, headers: &HeaderMap) -> Locale {
        self.locale.or_else(|| accepted(headers)).unwrap_or_default()
    }

    /// Whether a link opens the page; an answer for people when it does not any more.
    async fn opened(&self, app: &App, id: OrderId, headers: &HeaderMap) -> Result<Result<bool, Response>, Problem> {
        let link = ByLink { until: self.until, seal: self.seal.clone() };
        let shut = |shut: Shut| shut.answer(self.locale(headers), headers);
        Ok(match link.opens(app, &[Target::Keys(id)]).await? {
            None => Ok(false),
            Some(opened) => opened.map(|()| true).map_err(shut),
        })
    }
}

/// A page with a button that reveals the keys of an order.
///
/// Opening it reveals nothing, because programs follow links as well.
#[utoipa::path(get, path = "/v1/orders/{id}/keys", operation_id = "confirmKeys",
    tag = "orders", params(("id" = String, Path), PageQuery), security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String),
        (status = 409, description = "The order has no keys")))]
async fn confirm(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    Params(query): Params<PageQuery>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let by_link = match query.opened(&app, id, &headers).await? {
        Ok(by_link) => by_link,
        Err(shut) => return Ok(shut),
    };
    let order = app.commands.get::<Order>(id).await?.ok_or_else(|| Problem::missing("order"))?;
    let placed = order.state.live()?;
    check(&caller, placed, by_link)?;
    if placed.keys.keys().all(|variant| placed.keys_left(*variant) == 0) {
        return Err(Error::from(Rejection::NoKeys).into());
    }
    let number = Number::of(id.uuid());
    page("keys.html", query.locale(&headers), &json!({"number": number, "lines": []}))
}

/// The form behind the button of the page.
struct Pressed(Ask<Caller, Bytes>, HeaderMap);

impl FromRequest<Shared> for Pressed {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Problem> {
        let (ask, headers) = Ask::<Caller, Bytes>::of_bytes(request, app, FORM_MAX).await?;
        Ok(Self(ask, headers))
    }
}

/// Reveals the keys of an order on a page.
///
/// Called by the button of the page. The first time that a key is shown is recorded.
#[utoipa::path(post, path = "/v1/orders/{id}/keys", operation_id = "showKeys",
    tag = "orders", params(("id" = String, Path), PageQuery), security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String),
        (status = 409, description = "The order has no keys")))]
async fn show(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    Params(query): Params<PageQuery>,
    Pressed(ask, headers): Pressed,
) -> Result<Response, Problem> {
    let by_link = match query.opened(&app, id, &headers).await? {
        Ok(by_link) => by_link,
        Err(shut) => return Ok(shut),
    };
    let ask = &named(&app, ask, id, by_link).await?;
    // The page is written anew each time.
    let intent = Intent { key: None, ..ask.intent("order.reveal_keys") };
    let revealed = app.commands.run(&intent, |unit| async move {
        let mut order = owned(&unit, id, &ask.who, by_link).await?;
        unit.check_version(&order)?;
        keys::reveal(&unit, &mut order, &Wanted::default()).await
    });
    let revealed = revealed.await?.answer;
    let order = app.commands.get::<Order>(id).await?.ok_or_else(|| Problem::missing("order"))?;
    let mut lines = Vec::with_capacity(revealed.len());
    for line in OrderKeys::of(id, order.state.live()?, revealed).lines {
        let mut keys = Vec::with_capacity(line.keys.len());
        for key in &line.keys {
            keys.extend(app.commands.vault().open(key).await.map_err(Error::from)?);
        }
        lines.push(json!({"title": line.title, "sku": line.sku, "keys": keys, "more": line.more}));
    }
    let number = Number::of(id.uuid());
    Ok(page("keys.html", query.locale(&headers), &json!({"number": number, "lines": lines}))?.into_response())
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(reveal)).routes(routes!(confirm, show))
}
