//! Everything about me: what is shown of somebody, and every event of theirs as the log has it, opened.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Error;
use byteshop_domain::account::{self, Account};
use byteshop_domain::cart::Cart;
use byteshop_domain::id_of;
use byteshop_domain::ids::{AccountId, OrderId};
use byteshop_domain::order::Order;
use byteshop_domain::payment::Payment;
use byteshop_domain::session::Session;
use byteshop_eventstore::read::PAGE;
use byteshop_eventstore::{Recorded, StreamId};
use byteshop_projections::View as _;
use byteshop_projections::order_list::{self, OrderList};
use byteshop_projections::page::{Ask as PageAsk, LIMIT_MAX};
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::known;
use crate::actor::Member;
use crate::http::Shared;
use crate::http::ask::Then;
use crate::http::sessions::sessions_of;
use crate::http::show;
use crate::http::show::account::{KeptAddress, Me};
use crate::problem::Problem;

/// Orders that are looked at together.
const CHUNK: usize = 100;

/// Everything about somebody.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes what is written piece by piece")]
pub(super) struct Export {
    account: Me<'static>,
    addresses: Vec<KeptAddress<'static>>,
    sessions: Vec<show::account::SessionRow>,
    orders: Vec<show::Order<'static>>,
    /// Every event of the account, its sessions, its orders and what belongs to them.
    events: Vec<Event<'static>>,
}

/// An event as the log has it, with what is personal opened.
#[derive(Serialize, ToSchema)]
struct Event<'a> {
    position: i64,
    /// What it happened to.
    stream: String,
    #[schema(example = "order.placed")]
    r#type: String,
    recorded_at: chrono::DateTime<chrono::Utc>,
    #[schema(value_type = Object)]
    data: &'a RawValue,
}

/// Everything that the shop has of whoever asks, as one JSON document.
#[utoipa::path(get, path = "/v1/me/export", tag = "me", security(("bearer" = [])),
    responses((status = 200, description = "Everything", body = Export)))]
pub(super) async fn export(State(app): State<Shared>, member: Member, headers: HeaderMap) -> Result<Response, Problem> {
    let id = member.1;
    app.await_views(&[OrderList::NAME], &headers).await?;
    let found = app.snapshot::<Account>(id, &Then::default(), &headers).await?;
    let open = known(&found.state)?;
    let head = Head {
        account: Me::of(id, open),
        addresses: open.addresses.iter().map(KeptAddress::of).collect(),
        sessions: sessions_of(&app, &member).await?,
    };
    let head = serde_json::to_string(&head).map_err(Error::from)?;
    let pieces = pieces(&app, id, head).await?;
    // Somebody may have thousands of orders, so the document is never in memory whole.
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

/// What the document begins with.
#[derive(Serialize)]
struct Head<'a> {
    account: Me<'a>,
    addresses: Vec<KeptAddress<'a>>,
    sessions: Vec<show::account::SessionRow>,
}

/// A part of the document; the parts follow each other in their order.
enum Piece {
    /// Text as it is.
    Text(String),
    /// An order, and whether another one stands before it.
    Order(OrderId, bool),
    /// The events of a stream, and whether others stand before them.
    Events(StreamId, bool),
}

async fn pieces(app: &Shared, id: AccountId, head: String) -> Result<Vec<Piece>, Problem> {
    let orders = orders_of(app, id).await?;
    let mut streams = vec![StreamId::of::<Account>(id)];
    streams.extend(sessions_ever(app, id).await?);
    for some in orders.chunks(CHUNK) {
        for (order, found) in some.iter().zip(app.commands.get_all::<Order>(some).await?) {
            streams.push(StreamId::of::<Order>(*order));
            let Some(found) = found else { continue };
            let Ok(placed) = found.state.placed() else { continue };
            streams.push(StreamId::of::<Payment>(placed.placement.payment));
            streams.extend(placed.placement.cart.map(StreamId::of::<Cart>));
        }
    }
    // The head is an object, and what follows goes into it.
    let mut pieces = vec![Piece::Text(head), Piece::Text(",\"orders\":[".into())];
    pieces.extend(orders.into_iter().enumerate().map(|(index, order)| Piece::Order(order, index > 0)));
    pieces.push(Piece::Text("],\"events\":[".into()));
    pieces.extend(streams.into_iter().enumerate().map(|(index, stream)| Piece::Events(stream, index > 0)));
    pieces.push(Piece::Text("]}".into()));
    Ok(pieces)
}

async fn text(app: &Shared, piece: Piece) -> Result<String, Error> {
    let vault = app.commands.vault();
    match piece {
        Piece::Text(text) if text.starts_with('{') => {
            let head = vault.open_json(&text).await?;
            Ok(head.strip_suffix('}').unwrap_or(&head).to_owned())
        }
        Piece::Text(text) => Ok(text),
        Piece::Order(id, after) => {
            let found = app.commands.get::<Order>(id).await?;
            let placed = found.as_ref().and_then(|found| found.state.placed().ok());
            let shown = placed.map(|placed| serde_json::to_string(&show::Order::of(id, placed))).transpose()?;
            let shown = vault.open_json(shown.as_deref().unwrap_or("null")).await?;
            Ok(if after { format!(",{shown}") } else { shown })
        }
        Piece::Events(stream, after) => {
            let mut events = Vec::new();
            let mut version = 0;
            loop {
                let page = app.commands.log().read_stream(&stream, version, PAGE).await?;
                for recorded in &page {
                    version = recorded.version;
                    let shown = serde_json::to_string(&Event::of(recorded)?)?;
                    events.push(vault.open_json(&shown).await?);
                }
                if i64::try_from(page.len()) != Ok(PAGE) {
                    break;
                }
            }
            let comma = if after && !events.is_empty() { "," } else { "" };
            Ok(format!("{comma}{}", events.join(",")))
        }
    }
}

impl<'a> Event<'a> {
    fn of(recorded: &'a Recorded) -> Result<Self, Error> {
        Ok(Self {
            position: recorded.position,
            stream: id_of(&recorded.category, recorded.stream).unwrap_or_default(),
            r#type: format!("{}.{}", recorded.category, recorded.event_type),
            recorded_at: recorded.recorded_at,
            data: serde_json::from_str(&recorded.data)?,
        })
    }
}

/// The orders of an account, the newest first.
async fn orders_of(app: &Shared, id: AccountId) -> Result<Vec<OrderId>, Problem> {
    let mut orders = Vec::new();
    let mut cursor = None;
    loop {
        let ask = PageAsk { limit: Some(LIMIT_MAX), cursor };
        let query = order_list::Query { account: Some(id), ask, ..order_list::Query::default() };
        let page: Page = serde_json::from_str(&app.views.order_list(&query).await?.json).map_err(Error::from)?;
        orders.extend(page.items.into_iter().map(|row| row.id));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(orders);
        }
    }
}

/// A page of orders, as far as it is looked at.
#[derive(Deserialize)]
struct Page {
    items: Vec<Row>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    id: OrderId,
}

/// Every session that an account has had.
async fn sessions_ever(app: &Shared, id: AccountId) -> Result<Vec<StreamId>, Error> {
    let stream = StreamId::of::<Account>(id);
    let (mut sessions, mut version) = (Vec::new(), 0);
    loop {
        let page = app.commands.log().read_stream(&stream, version, PAGE).await?;
        for recorded in &page {
            version = recorded.version;
            if let Some(account::Event::LoggedIn { session }) = recorded.event::<Account>().transpose()? {
                sessions.push(StreamId::of::<Session>(session));
            }
        }
        if i64::try_from(page.len()) != Ok(PAGE) {
            return Ok(sessions);
        }
    }
}
