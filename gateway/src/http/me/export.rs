//! The export of all data about a person: the views of their data, and every event about them, decrypted.

mod belongings;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Error;
use byteshop_domain::account::Account;
use byteshop_domain::cart::Cart;
use byteshop_domain::id_of;
use byteshop_domain::ids::{CartId, OrderId, PaymentId, ReturnId, ShipmentId};
use byteshop_domain::order::Order;
use byteshop_domain::payment::Payment;
use byteshop_domain::personal::MARK;
use byteshop_domain::returns::Return;
use byteshop_domain::seller::Seller;
use byteshop_domain::shipment::Shipment;
use byteshop_eventstore::read::PAGE;
use byteshop_eventstore::{Recorded, StreamId};
use byteshop_projections::View as _;
use byteshop_projections::notification_list::{self, NotificationList};
use byteshop_projections::order_list::OrderList;
use byteshop_projections::stored_value_list::StoredValueList;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::to_raw_value;
use utoipa::ToSchema;

use self::belongings::Belongings;
use crate::app::Shared;
use crate::edge::actor::Member;
use crate::edge::past::Then;
use crate::edge::positions::{Position, Shown};
use crate::edge::problem::Problem;
use crate::http::notifications::Watching;
use crate::http::sellers::sellers_of;
use crate::http::sessions::sessions_of;
use crate::http::show;
use crate::http::show::account::{KeptAddress, Me};
use crate::http::show::names::AnyObject;
use crate::http::show::seller::{MySeller, MySellers};

/// Fields that give or gave access: an attacker with a stolen access token must not get more than that.
const SECRETS: [&str; 3] = ["password", "secret", "code"];

/// All data about a person.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes what is written piece by piece")]
pub(super) struct Export {
    account: Me<'static>,
    addresses: Vec<KeptAddress<'static>>,
    /// Active sessions only; the events include all.
    sessions: Vec<show::account::SessionRow>,
    /// The sellers of which the account is a member.
    sellers: Vec<MySeller<'static>>,
    /// The open cart, if there is one.
    carts: Vec<show::Cart<'static>>,
    orders: Vec<show::Order<'static>>,
    payments: Vec<show::Payment<'static>>,
    /// The shipments.
    shipments: Vec<show::Shipment<'static>>,
    returns: Vec<show::Return<'static>>,
    /// The watched products.
    watches: Vec<Watching>,
    notifications: Vec<notification_list::Row>,
    /// Every event of the account and its sessions, carts, orders, payments, shipments, returns, credit notes,
    /// notifications and watches.
    events: Vec<Event>,
}

/// An event with personal data decrypted; passwords, secrets and codes are null.
#[derive(Serialize, ToSchema)]
struct Event {
    position: Position,
    /// The id of the object that the event belongs to.
    stream: String,
    #[schema(example = "order.placed")]
    r#type: String,
    recorded_at: chrono::DateTime<chrono::Utc>,
    data: AnyObject,
}

/// Exports all data that the shop holds about the caller, as one JSON document.
#[utoipa::path(get, path = "/v1/me/export", operation_id = "exportMyData",
    tag = "me", security(("bearer" = [])),
    responses((status = 200, description = "All data about the caller", body = Export)))]
pub(super) async fn export(State(app): State<Shared>, member: Member, headers: HeaderMap) -> Result<Response, Problem> {
    let id = member.1;
    app.await_views(&[OrderList::NAME, NotificationList::NAME, StoredValueList::NAME], &headers).await?;
    let found = app.snapshot::<Account>(id, &Then::default(), &headers).await?;
    let open = found.state.live()?;
    let sellers = app.commands.get_all::<Seller>(&open.sellers.iter().copied().collect::<Vec<_>>()).await?;
    let head = Head {
        account: Me::of(id, open),
        addresses: open.addresses.iter().map(KeptAddress::of).collect(),
        sessions: sessions_of(&app, &member).await?,
        sellers: MySellers::of(id, sellers_of(open, &sellers)).items,
    };
    let head = serde_json::to_string(&head).map_err(Error::from)?;
    let pieces = pieces(head, Belongings::of(&app, id).await?)?;
    // A person may have thousands of orders, so the document is never in memory as a whole.
    let texts = stream::iter(pieces).then(move |piece| {
        let app = app.clone();
        async move { text(&app, piece).await.map(Bytes::from) }
    });
    let mut response = Response::new(Body::from_stream(texts));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"byteshop.json\""));
    Ok(response)
}

/// The first part of the document.
#[derive(Serialize)]
struct Head<'a> {
    account: Me<'a>,
    addresses: Vec<KeptAddress<'a>>,
    sessions: Vec<show::account::SessionRow>,
    sellers: Vec<MySeller<'a>>,
}

/// A part of the document; the parts follow each other in their order.
enum Piece {
    /// Text as it is.
    Text(String),
    /// Text whose last brace is left open, for what follows.
    Head(String),
    /// A thing, and whether another one stands before it.
    Thing(Thing, bool),
    /// The events of a stream, and whether others stand before them.
    Events(StreamId, bool),
    /// A list of events.
    Some(Vec<Recorded>),
}

/// Something that is shown as its own route shows it.
#[derive(Clone, Copy)]
enum Thing {
    Cart(CartId),
    Order(OrderId),
    Payment(PaymentId),
    Shipment(ShipmentId),
    Return(ReturnId),
}

fn pieces(head: String, it: Belongings) -> Result<Vec<Piece>, Error> {
    let mut pieces = vec![Piece::Head(head)];
    let mut list = |name: &str, things: Vec<Thing>| {
        pieces.push(Piece::Text(format!(",\"{name}\":[")));
        pieces.extend(things.into_iter().enumerate().map(|(index, thing)| Piece::Thing(thing, index > 0)));
        pieces.push(Piece::Text("]".into()));
    };
    list("carts", it.carts.iter().copied().map(Thing::Cart).collect());
    list("orders", it.orders.into_iter().map(Thing::Order).collect());
    list("payments", it.payments.into_iter().map(Thing::Payment).collect());
    list("shipments", it.shipments.into_iter().map(Thing::Shipment).collect());
    list("returns", it.returns.into_iter().map(Thing::Return).collect());
    let (watches, notifications) = (serde_json::to_string(&it.watches)?, it.notifications.join(","));
    pieces.push(Piece::Text(format!(",\"watches\":{watches},\"notifications\":[{notifications}],\"events\":[")));
    // An account has events, so there are some before all that follow.
    pieces.extend(it.streams.into_iter().enumerate().map(|(index, stream)| Piece::Events(stream, index > 0)));
    pieces.push(Piece::Some(it.watching));
    pieces.push(Piece::Text("]}".into()));
    Ok(pieces)
}

async fn text(app: &Shared, piece: Piece) -> Result<String, Error> {
    let vault = app.commands.vault();
    match piece {
        Piece::Text(text) => Ok(text),
        Piece::Head(text) => {
            let head = vault.open_json(&text).await?;
            Ok(head.strip_suffix('}').unwrap_or(&head).to_owned())
        }
        Piece::Thing(thing, after) => {
            let shown = vault.open_json(shown(app, thing).await?.as_deref().unwrap_or("null")).await?;
            Ok(if after { format!(",{shown}") } else { shown })
        }
        Piece::Some(events) => {
            let shown = opened(app, &events).await?;
            Ok(if shown.is_empty() { shown } else { format!(",{shown}") })
        }
        Piece::Events(stream, after) => {
            let (mut texts, mut version) = (Vec::new(), 0);
            loop {
                let page = app.commands.log().read_stream(&stream, version, PAGE).await?;
                version = page.last().map_or(version, |recorded| recorded.version);
                if !page.is_empty() {
                    texts.push(opened(app, &page).await?);
                }
                if i64::try_from(page.len()) != Ok(PAGE) {
                    break;
                }
            }
            let comma = if after && !texts.is_empty() { "," } else { "" };
            Ok(format!("{comma}{}", texts.join(",")))
        }
    }
}

/// A thing as its own route shows it; nothing when it is not there.
async fn shown(app: &Shared, thing: Thing) -> Result<Option<String>, Error> {
    let commands = &app.commands;
    let text = match thing {
        Thing::Cart(id) => {
            let found = commands.get::<Cart>(id).await?;
            let known = found.as_ref().and_then(|found| found.state.live().ok());
            known.map(|it| serde_json::to_string(&show::Cart::of(commands, id, it, None)))
        }
        Thing::Order(id) => {
            let found = commands.get::<Order>(id).await?;
            let known = found.as_ref().and_then(|found| found.state.live().ok());
            known.map(|it| serde_json::to_string(&show::Order::of(id, it)))
        }
        Thing::Payment(id) => {
            let found = commands.get::<Payment>(id).await?;
            let known = found.as_ref().and_then(|found| found.state.live().ok());
            known.map(|it| serde_json::to_string(&show::Payment::of(commands, id, it)))
        }
        Thing::Shipment(id) => {
            let found = commands.get::<Shipment>(id).await?;
            let known = found.as_ref().and_then(|found| found.state.live().ok());
            known.map(|it| serde_json::to_string(&show::Shipment::of(id, it)))
        }
        Thing::Return(id) => {
            let found = commands.get::<Return>(id).await?;
            let known = found.as_ref().and_then(|found| found.state.live().ok());
            known.map(|it| serde_json::to_string(&show::Return::of(id, it)))
        }
    };
    Ok(text.transpose()?)
}

/// Events as text, with commas between them.
async fn opened(app: &Shared, events: &[Recorded]) -> Result<String, Error> {
    let mut texts = Vec::with_capacity(events.len());
    let positions = &app.shown_sealed().await?;
    for recorded in events {
        let shown = serde_json::to_string(&Event::of(recorded, positions)?)?;
        texts.push(app.commands.vault().open_json(&shown).await?);
    }
    Ok(texts.join(","))
}

impl Event {
    fn of(recorded: &Recorded, positions: &Shown<'_>) -> Result<Self, Error> {
        let mut data = serde_json::from_str(&recorded.data)?;
        leave_out_secrets(&mut data);
        Ok(Self {
            position: positions.position(recorded.position)?,
            stream: id_of(&recorded.category, recorded.stream).unwrap_or_default(),
            r#type: format!("{}.{}", recorded.category, recorded.event_type),
            recorded_at: recorded.recorded_at,
            data: AnyObject(to_raw_value(&data)?),
        })
    }
}

fn leave_out_secrets(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if SECRETS.contains(&name.as_str()) && field.get(MARK).is_some() {
                    *field = Value::Null;
                } else {
                    leave_out_secrets(field);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(leave_out_secrets),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
